//! The pull request of a GitOps branch.

use std::collections::BTreeMap;

use fleet::{Diagnostic, Location};
use minijinja::context;

use crate::cause::Cause;
use crate::changes::{
    Alarm, Changes, ClusterTypeChange, FileChange, LineChange, Origin, Promotion, TargetChange, ValueChange,
    Written, short,
};
use crate::difference;
use crate::document::{Document, MAX_DOCUMENT, hash, render, title};
use crate::json::ChangeKind;
use crate::markdown::{block, code, diff, link, url_path, word};
use crate::places::some_of;
use crate::section::{Section, fit};

/// Room for everything but the lists.
const FRAME: usize = 8_000;
/// This many deployment targets are named before the rest is counted.
const NAMED: usize = 8;

/// Where people can look up what a document names.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// The environment's branch of the control plane
    pub control_plane: Option<SourceLink>,
    /// The promoted base
    pub base: Option<SourceLink>,
    /// Name of the run's JSON report, if it writes one
    pub report: Option<String>,
    /// Web address of the run; no part of what is compared
    pub run: Option<String>,
}

/// A commit of a repository.
#[derive(Clone, Debug, Default)]
pub struct SourceLink {
    /// Web address of the repository
    pub url: String,
    /// The branch
    pub branch: String,
    /// The commit
    pub commit: Option<String>,
    /// The folder that was read
    pub path: fleet::RepoPath,
}

/// The pull request for a GitOps branch; `replaces` names a branch that somebody else put a commit on.
pub fn pull_request(changes: &Changes, branch: &str, replaces: Option<&str>, links: &Links) -> Document {
    let [targets, values, lines, held] = sections(changes, links);
    let others = Section::new(&changes.others, |file| format!("- {}\n", file.text()));
    let [values, targets, held, lines, others] =
        fit([values, targets, held, lines, others], MAX_DOCUMENT - FRAME);
    let sources = [("control plane", &links.control_plane), ("base", &links.base)];
    let sources =
        sources.iter().filter_map(|(name, source)| Some(format!("{name}: {}", source.as_ref()?.text())));
    let body = render(
        "pull-request",
        context! {
            headline => changes.full_headline(),
            environment => code(&changes.environment),
            replaces => replaces.map(code),
            alarms => alarms(changes),
            promoted => changes.promoted.as_ref().map(|promotion| promoted(promotion, links)),
            targets, values, lines, held, others,
            sources => sources.collect::<Vec<_>>(),
            rest => links.rest(),
        },
    );
    let title = title(&format!("Update manifests in {}: {}", word(branch), changes.headline()));
    let digest = hash(&format!("{title}\n{body}"));
    let run = links.run.as_deref().map(|url| format!("\n<sub>{}</sub>\n", link("Last run", url)));
    Document { title, body: body + &run.unwrap_or_default(), digest }
}

/// Targets, values, lines and holds: what changes and what does not.
pub(crate) fn sections(changes: &Changes, links: &Links) -> [Section; 4] {
    let folded = folded(&changes.cluster_types);
    [
        Section::new(&folded, |(kinds, change)| targets(kinds, change)),
        Section::new(&changes.values, |change| value(change, links)),
        Section::new(&changes.lines, lines),
        Section::new(&changes.held, held),
    ]
}

/// What a reviewer must not overlook, as Markdown.
pub(crate) fn alarms(changes: &Changes) -> Vec<String> {
    const SHOWN: usize = 10;
    let text = |alarm: &Alarm| match alarm {
        Alarm::MassRemoval { removed, of } => {
            format!("**{removed} of {of} deployment targets are removed.**")
        }
        Alarm::Emptied { cluster_type, targets } => {
            let all = match targets {
                1 => "its only deployment target".to_owned(),
                count => format!("all {count} deployment targets"),
            };
            format!("{} loses {all}.", code(cluster_type))
        }
    };
    let mut texts: Vec<String> = changes.alarms.iter().take(SHOWN).map(text).collect();
    if let Some(rest) = changes.alarms.len().checked_sub(SHOWN).filter(|rest| *rest > 0) {
        texts.push(format!("{rest} more cluster types lose all of theirs."));
    }
    texts
}

fn promoted(promotion: &Promotion, links: &Links) -> String {
    let Promotion { from, to } = promotion;
    let url = links.base.as_ref().map(|base| &*base.url).unwrap_or_default();
    let commit = |id: &str| link(&code(short(id)), &format!("{url}/commit/{id}"));
    match from.as_deref().filter(|from| !from.is_empty()) {
        Some(from) => {
            let compare = link("compare", &format!("{url}/compare/{from}...{to}"));
            let compare = if compare == "compare" { String::new() } else { format!(" ({compare})") };
            format!("{} → {}{compare}", commit(from), commit(to))
        }
        None => format!("{}, the first one", commit(to)),
    }
}

/// Cluster types in which the same happens, the largest changes first.
fn folded(cluster_types: &[ClusterTypeChange]) -> Vec<(Vec<&str>, &ClusterTypeChange)> {
    type Same<'a> = (ChangeKind, &'a [TargetChange], &'a [FileChange]);
    let mut same: BTreeMap<Same<'_>, (Vec<&str>, &ClusterTypeChange)> = BTreeMap::new();
    for change in cluster_types {
        let key = (change.change, &*change.targets, &*change.files);
        same.entry(key).or_insert_with(|| (Vec::new(), change)).0.push(&change.name);
    }
    let mut folded: Vec<_> = same.into_values().collect();
    folded.sort_by_key(|(kinds, change)| (usize::MAX - kinds.len() * change.targets.len().max(1), kinds[0]));
    folded
}

fn targets(kinds: &[&str], change: &ClusterTypeChange) -> String {
    let mut parts = Vec::new();
    match change.change {
        ChangeKind::Added => parts.push("**new cluster type**".to_owned()),
        ChangeKind::Removed => parts.push("**cluster type removed**".to_owned()),
        ChangeKind::Modified => parts.extend(change.files.iter().take(NAMED).map(FileChange::text)),
    }
    for (kind, said) in [(ChangeKind::Added, "added"), (ChangeKind::Removed, "removed")] {
        let of_kind: Vec<&str> = named(change.targets.iter().filter(|target| target.change == kind));
        if !of_kind.is_empty() {
            parts.push(format!("{said} {}", some_of(of_kind, NAMED)));
        }
    }
    let mut changed: BTreeMap<&[FileChange], Vec<&TargetChange>> = BTreeMap::new();
    for target in change.targets.iter().filter(|target| target.change == ChangeKind::Modified) {
        changed.entry(&target.files).or_default().push(target);
    }
    let rest: usize = changed.values().skip(NAMED).map(Vec::len).sum();
    for (files, targets) in changed.into_iter().take(NAMED) {
        let mut said: Vec<String> = files.iter().take(NAMED).map(FileChange::text).collect();
        if let Some(rest) = files.len().checked_sub(NAMED).filter(|rest| *rest > 0) {
            said.push(format!("{rest} more"));
        }
        parts.push(format!("changed {} ({})", some_of(named(targets), NAMED), said.join(", ")));
    }
    if rest > 0 {
        parts.push(format!("changed {rest} more"));
    }
    format!("- {}: {}\n", some_of(kinds.iter().copied(), NAMED), parts.join("; "))
}

fn named<'a>(targets: impl IntoIterator<Item = &'a TargetChange>) -> Vec<&'a str> {
    targets.into_iter().map(|target| &*target.deployment_target).collect()
}

impl FileChange {
    /// Its name, and what happens to it where that is more than a change of content.
    fn text(&self) -> String {
        let name = code(&self.name);
        match self.change {
            ChangeKind::Added => format!("new {name}"),
            ChangeKind::Modified => name,
            ChangeKind::Removed => format!("{name} removed"),
        }
    }
}

fn value(change: &ValueChange, links: &Links) -> String {
    let ValueChange { key, old, new, origin, places } = change;
    let is_long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim_end().contains('\n'));
    let is_long = is_long(old) || is_long(new);
    let what = match (old, new) {
        (Some(_), Some(_)) if is_long => " changed".to_owned(),
        (None, Some(_)) if is_long => " added".to_owned(),
        (_, None) if is_long => " removed".to_owned(),
        (Some(old), Some(new)) => format!(": {} → {}", code(old), code(new)),
        (None, Some(new)) => format!(": added {}", code(new)),
        (Some(old), None) => format!(": removed, was {}", code(old)),
        (None, None) => String::new(),
    };
    let mut text = format!("- {}{what} in {}\n", code(key), places.summary());
    if let Some(origin) = origin {
        text += &format!("  <br>{}\n", origin_text(origin, links));
    }
    if is_long {
        let bytes = |value: &'_ Option<String>| value.clone().unwrap_or_default().into_bytes();
        let lines = difference::lines(&bytes(old), &bytes(new)).unwrap_or_default();
        text += &format!("\n{}", indented(&diff(&lines)));
    }
    text
}

fn origin_text(Origin { won, merged, lost }: &Origin, links: &Links) -> String {
    const SHOWN: usize = 3;
    let one =
        |written: &Written| format!("{} at {}", code(&written.config_map), place(&written.location, links));
    let some = |word: &str, all: &[Written]| {
        let shown: Vec<String> = all.iter().rev().take(SHOWN).map(one).collect();
        match all.len() {
            0 => String::new(),
            count if count > SHOWN => format!(", {word} {} and {} more", shown.join(", "), count - SHOWN),
            _ => format!(", {word} {}", shown.join(", ")),
        }
    };
    format!("from ConfigMap {}{}{}", one(won), some("merged into", merged), some("over", lost))
}

fn place(location: &Location, links: &Links) -> String {
    let Location { file, line, .. } = location;
    let text = code(&format!("{file}:{line}"));
    match &links.control_plane {
        Some(SourceLink { url, commit: Some(commit), path, .. }) if file.prefix.is_empty() => {
            let path = url_path(&path.join(&file.path));
            link(&text, &format!("{url}/blob/{commit}/{path}#L{line}"))
        }
        _ => text,
    }
}

fn lines(LineChange { file, lines, places }: &LineChange) -> String {
    format!("- {} in {}\n\n{}", code(file), places.summary(), indented(&diff(lines)))
}

/// A cause with what it holds.
fn held(cause: &Cause) -> String {
    let places = match cause.places.count() {
        0 => "nothing yet".to_owned(),
        _ => cause.places.summary(),
    };
    format!("- {places}\n\n{}", indented(&problems(&cause.problems, 3)))
}

/// Problems as a block, the first ones in full.
pub(crate) fn problems(problems: &[Diagnostic], shown: usize) -> String {
    let mut text: String = problems.iter().take(shown).map(problem).collect();
    if let Some(rest) = problems.len().checked_sub(shown).filter(|rest| *rest > 0) {
        text += &format!("and {rest} more like {}\n", if shown == 1 { "this" } else { "these" });
    }
    block(&text)
}

fn problem(Diagnostic { location, message, help, .. }: &Diagnostic) -> String {
    let one_line = |text: &str| text.replace(['\n', '\r'], " ");
    let mut text = location.as_ref().map(|at| one_line(&format!("{at}: "))).unwrap_or_default();
    text += &format!("{}\n", one_line(message));
    if let Some(help) = help {
        text += &format!("  help: {}\n", one_line(help));
    }
    text
}

/// Inside an item of a list.
fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

impl SourceLink {
    fn text(&self) -> String {
        let SourceLink { url, branch, commit, .. } = self;
        let branch = link(&code(branch), &format!("{url}/tree/{}", url_path(branch)));
        match commit {
            Some(commit) => {
                format!("{branch} at {}", link(&code(short(commit)), &format!("{url}/commit/{commit}")))
            }
            None => branch,
        }
    }
}

impl Links {
    /// Where to find what is left out.
    pub(crate) fn rest(&self) -> String {
        match &self.report {
            Some(report) => format!("the run's report {} names all", code(report)),
            None => "the run's log and its JSON report (`report`) name all".to_owned(),
        }
    }
}
