//! The summary of a check, and of a fleet, as a workflow's page shows it.

use std::time::Duration;

use minijinja::{Value, context};
use rollout::{CommitId, Standing};

use crate::chain::{Chain, picture};
use crate::check::{
    CheckLinks, CheckSummary, Diagnosis, HeldTarget, headline, next_move, types, without_user,
};
use crate::document::render;
use crate::fleet_status::{Counts, FleetStatus, types_of};
use crate::markdown::{block, cell, code, link};
use crate::places::some_of;
use crate::section::{Section, Shown, fit};
use crate::standing::{applied, lasted, messages, reason, times, word};
use crate::summary::{FRAME, MAX_SUMMARY, UNFOLDED_ROWS};
use crate::terminal::counted;

/// Where what is left out is told.
const REST: &str = "`kalypso status --format json` names all";
/// This many messages of a configuration are shown.
const MESSAGES: usize = 5;
/// This many kustomizations and cluster types of a configuration are shown.
const NAMED: usize = 8;

/// The summary of a check as Markdown, always below 1,000,000 bytes.
pub fn check_summary(summary: &CheckSummary<'_>) -> String {
    let CheckSummary { fleet, promoted, held, diagnosis, chain, links, .. } = summary;
    let held = Section::new(&held.targets, |HeldTarget { cluster_type, deployment_target }| {
        format!("- {} on {}\n", code(deployment_target), code(cluster_type))
    });
    let [kinds, open, others, held] =
        fit([kinds(fleet), open(fleet), others(fleet), held], MAX_SUMMARY - FRAME);
    render(
        "check",
        context! {
            environment => code(fleet.environment),
            headline => headline(summary, code),
            next => next_move(summary, code),
            subject => subject(fleet, *promoted, links),
            after => lasted(fleet.now.since(fleet.started)),
            diagnosis => diagnosis.as_ref().map(visible),
            held,
            ..view(fleet, chain, kinds, open, others)
        },
    )
}

/// How a fleet stands as Markdown, always below 1,000,000 bytes.
pub fn fleet_summary(fleet: &FleetStatus<'_>, chain: &Chain, links: &CheckLinks) -> String {
    let [kinds, open, others] = fit([kinds(fleet), open(fleet), others(fleet)], MAX_SUMMARY - FRAME);
    render(
        "fleet-status",
        context! {
            environment => code(fleet.environment),
            headline => fleet_headline(fleet),
            subject => subject(fleet, fleet.promoted(), links),
            ..view(fleet, chain, kinds, open, others)
        },
    )
}

/// How many are done, in one line.
pub(crate) fn fleet_headline(fleet: &FleetStatus<'_>) -> String {
    let counts = fleet.counts();
    let mut said = vec![format!(
        "{} of {} done on {}",
        counts.done,
        counted(counts.total(), "configuration"),
        counted(fleet.clusters(|state| !matches!(state, rollout::State::NotCounted(_))), "cluster")
    )];
    let mut add = |count: usize, what: &str| said.extend((count > 0).then(|| format!("{count} {what}")));
    add(counts.failing, "failing");
    add(counts.waiting, "waiting");
    add(counts.ignored, "ignored");
    if !fleet.unobserved.is_empty() {
        said.push(format!("{} not observed", types(fleet.unobserved.len())));
    }
    said.join(", ")
}

fn view(fleet: &FleetStatus<'_>, chain: &Chain, kinds: Shown, open: Shown, others: Shown) -> Value {
    context! {
        picture => picture(chain, fleet.environment),
        unfolded => UNFOLDED_ROWS,
        rest => REST,
        kinds,
        open,
        others,
    }
}

/// What is checked, with links.
fn subject(fleet: &FleetStatus<'_>, promoted: Option<&CommitId>, links: &CheckLinks) -> String {
    let target = fleet.target;
    let mut text = format!(
        "GitOps commit {} on branch {} of {}",
        commit(&target.commit, links.gitops.as_deref()),
        code(&target.branch),
        code(&without_user(&target.repository))
    );
    text += &match promoted {
        Some(promoted) => format!("; promoted commit {}", commit(promoted, links.control_plane.as_deref())),
        None => "; no promoted commit".to_owned(),
    };
    text
}

/// A commit, linked where the web address of its repository is known.
pub(crate) fn commit(id: &CommitId, repository: Option<&str>) -> String {
    let url = repository.map(|url| format!("{}/commit/{id}", url.trim_end_matches('/')));
    link(&code(id.short()), &url.unwrap_or_default())
}

/// Rows of the table of cluster types; the last one is of all.
fn kinds(fleet: &FleetStatus<'_>) -> Section {
    let by_type = fleet.counts_by_type();
    let mut rows: Vec<String> = by_type.iter().map(|(name, counts)| kind(fleet, name, counts)).collect();
    if by_type.len() > 1 {
        rows.insert(0, row("**all**", &fleet.counts()));
    }
    Section::new(&rows, Clone::clone)
}

fn kind(fleet: &FleetStatus<'_>, name: &str, counts: &Counts) -> String {
    match name {
        "" => row("none of the tree", counts),
        name if fleet.unobserved.contains(name) => format!("| {} | not observed | | | | |\n", cell(name)),
        name if counts.total() == 0 => format!("| {} | not looked at | | | | |\n", cell(name)),
        name => row(&cell(name), counts),
    }
}

fn row(name: &str, counts: &Counts) -> String {
    let Counts { done, unchecked, failing, waiting, ignored, times } = counts;
    let unchecked = match unchecked {
        0 => String::new(),
        count => format!(" ({count} health unchecked)"),
    };
    let after = times.map_or(String::new(), |(first, last)| span(first, last));
    let total = counts.total();
    format!("| {name} | {done} of {total}{unchecked} | {failing} | {waiting} | {ignored} | {after} |\n")
}

fn span(first: Duration, last: Duration) -> String {
    match (lasted(first), lasted(last)) {
        (first, last) if first == last => first,
        (first, last) => format!("{first} to {last}"),
    }
}

fn open(fleet: &FleetStatus<'_>) -> Section {
    Section::new(&fleet.not_done(), |standing| item(standing, fleet))
}

fn item(standing: &Standing<'_>, fleet: &FleetStatus<'_>) -> String {
    let observation = standing.observation;
    let kinds: Vec<&str> = types_of(standing).filter(|kind| !kind.is_empty()).collect();
    let kinds = match kinds.is_empty() {
        true => "no cluster type of the tree".to_owned(),
        false => some_of(kinds, NAMED),
    };
    let synced = observation.synced.as_ref().map_or("nothing".to_owned(), |commit| code(commit.short()));
    let all = applied(observation);
    let shown = |(key, commit): &(&str, Option<&CommitId>)| {
        format!("{} at {}", code(key), commit.map_or("no commit".to_owned(), |commit| code(commit.short())))
    };
    let mut commits: Vec<String> = all.iter().take(NAMED).map(shown).collect();
    commits.extend(all.len().checked_sub(NAMED).filter(|rest| *rest > 0).map(|rest| format!("{rest} more")));
    let commits = if commits.is_empty() { "nothing".to_owned() } else { commits.join(", ") };
    let mut text = format!(
        "- **{}** {}, configuration {} ({kinds}): {}\n  <br>synced {synced}; applied {commits}\n  <br>{}\n  <br>{}\n",
        word(&standing.state),
        code(&observation.cluster.name),
        code(&observation.name),
        code(&reason(standing)),
        times(standing, fleet.now).join("; "),
        code(observation.id.as_str()),
    );
    let messages = messages(observation);
    if !messages.is_empty() {
        // No line begins with text that is not ours: a runner could take it for a command.
        let lines = |message: &String| format!("- {}\n", message.replace('\n', "\n  | "));
        let mut said: String = messages.iter().take(MESSAGES).map(lines).collect();
        if let Some(rest) = messages.len().checked_sub(MESSAGES).filter(|rest| *rest > 0) {
            said += &format!("and {rest} more objects that are not ready\n");
        }
        let said: String = block(&said).lines().map(|line| format!("  {line}\n")).collect();
        text += &format!("\n{said}");
    }
    text
}

fn others(fleet: &FleetStatus<'_>) -> Section {
    Section::new(&fleet.not_counted(), |standing| {
        let observation = standing.observation;
        format!(
            "- {}, configuration {}: {}\n",
            code(&observation.cluster.name),
            code(&observation.name),
            code(&reason(standing))
        )
    })
}

/// What is visible where clusters report, as a list.
fn visible(diagnosis: &Diagnosis) -> String {
    const SHOWN: usize = 20;
    let Diagnosis { way, subscriptions, clusters, followed, missing: _ } = diagnosis;
    let mut text = format!(
        "- signed in with {}\n- {}\n- {}, {}\n",
        code(way),
        match subscriptions.is_empty() {
            true => "no subscription".to_owned(),
            false => format!(
                "{}: {}",
                counted(subscriptions.len(), "subscription"),
                some_of(subscriptions.iter().map(String::as_str), SHOWN)
            ),
        },
        counted(*clusters, "cluster"),
        counted(followed.iter().map(|it| it.configurations).sum(), "Flux configuration")
    );
    for one in followed.iter().take(SHOWN) {
        text += &format!(
            "- {} on branch {} of {}\n",
            counted(one.configurations, "configuration"),
            code(one.branch()),
            code(&without_user(&one.url))
        );
    }
    if let Some(rest) = followed.len().checked_sub(SHOWN).filter(|rest| *rest > 0) {
        text += &format!("- and {rest} more branches and repositories\n");
    }
    text
}
