//! What changes in a GitOps branch, for people: by cluster type and target, and value by value with sources.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use fleet::compose::Layer;
use fleet::{Changeset, Location, Outcome, Placement, RepoPath, Tree, tracking};
use goyaml::Value;

use crate::cause::{self, Cause};
use crate::difference::{self, Difference, ValueDifference};
use crate::json::ChangeKind;
use crate::markdown::word;
use crate::places::Places;
use crate::terminal::counted;

const CONFIG_FILES: [&str; 2] = ["platform-config.yaml", "platform-config.sh"];
/// At least this many targets must go before it is called a mass removal, and more than a third.
const MASS_REMOVAL: usize = 10;

/// What changes in one GitOps branch.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The environment
    pub environment: String,
    /// The promoted commit, if another one is tracked from now on
    pub promoted: Option<Promotion>,
    /// Cluster types of which something changes, by name
    pub cluster_types: Vec<ClusterTypeChange>,
    /// Config values that change; those that change in most places come first
    pub values: Vec<ValueChange>,
    /// Lines that change in other files; those that change in most places come first
    pub lines: Vec<LineChange>,
    /// What keeps its present content, and why
    pub held: Vec<Cause>,
    /// What a reviewer must not overlook
    pub alarms: Vec<Alarm>,
    /// Other files that change: of targets that stand elsewhere, or of nobody
    pub others: Vec<FileChange>,
}

/// A promoted commit and the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// What was tracked before
    pub from: Option<String>,
    /// What is tracked from now on
    pub to: String,
}

/// What changes in a cluster type's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterTypeChange {
    /// The cluster type
    pub name: String,
    /// What happens to its folder
    pub change: ChangeKind,
    /// The target folders that change, by name
    pub targets: Vec<TargetChange>,
    /// Files beside the target folders
    pub files: Vec<FileChange>,
}

/// What changes in a target's folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetChange {
    /// The deployment target
    pub deployment_target: String,
    /// What happens to its folder
    pub change: ChangeKind,
    /// Its files that differ
    pub files: Vec<FileChange>,
}

/// A file that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileChange {
    /// Its path inside the folder
    pub name: String,
    /// What happens to it
    pub change: ChangeKind,
}

/// A config value that changes in the same way in some places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueChange {
    /// Its key
    pub key: String,
    /// What it was
    pub old: Option<String>,
    /// What it will be
    pub new: Option<String>,
    /// Where the new value comes from, if a ConfigMap gives it
    pub origin: Option<Origin>,
    /// Where it changes so
    pub places: Places,
}

/// Where a config value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The ConfigMap whose value won
    pub won: Written,
    /// Those whose values were merged into it
    pub merged: Vec<Written>,
    /// Those whose values it overrode
    pub lost: Vec<Written>,
}

/// A value in a ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The ConfigMap
    pub config_map: String,
    /// Where it is written
    pub location: Location,
}

/// Lines that change in the same way in some places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineChange {
    /// The file's name
    pub file: String,
    /// The lines that go (`-`) and come (`+`)
    pub lines: String,
    /// Where they change so
    pub places: Places,
}

/// What a reviewer must not overlook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// Many targets go at once
    MassRemoval {
        /// How many go
        removed: usize,
        /// How many there were
        of: usize,
    },
    /// All targets of a cluster type go
    Emptied {
        /// The cluster type
        cluster_type: String,
        /// How many there were
        targets: usize,
    },
}

impl Changes {
    /// What `changes` mean for the folder `root` of a branch that holds `current`.
    pub fn new(
        outcome: &Outcome,
        placement: &Placement,
        current: &Tree,
        root: &RepoPath,
        changes: &Changeset,
    ) -> Changes {
        let wanted = &placement.tree;
        let files = Files::new(root, changes);
        let mut differences = Differences::new(outcome);
        let mut cluster_types = Vec::new();
        for (kind, of_type) in files.cluster_types {
            let folder = root.join(kind);
            let mut targets = Vec::new();
            for (target, files) in of_type.targets {
                let folder = format!("{folder}/{target}");
                let change = of_folder(current, wanted, &folder);
                if change == ChangeKind::Modified {
                    files
                        .keys()
                        .for_each(|name| differences.add(kind, target, name, [current, wanted], &folder));
                }
                targets.push(TargetChange {
                    deployment_target: target.to_owned(),
                    change,
                    files: listed(files),
                });
            }
            let change = of_folder(current, wanted, &folder);
            cluster_types.push(ClusterTypeChange {
                name: kind.to_owned(),
                change,
                targets,
                files: listed(of_type.files),
            });
        }
        let (values, lines) = differences.folded();
        Changes {
            environment: outcome.plane.environment.clone(),
            promoted: promotion(current, wanted, root),
            alarms: alarms(current, wanted, root, &cluster_types),
            cluster_types,
            values,
            lines,
            held: cause::causes(outcome, placement),
            others: listed(files.others),
        }
    }

    /// How many target folders are added, changed and removed.
    pub fn counts(&self) -> [usize; 3] {
        let of_kind = |kind| {
            self.cluster_types
                .iter()
                .flat_map(|it| &it.targets)
                .filter(|target| target.change == kind)
                .count()
        };
        [ChangeKind::Added, ChangeKind::Modified, ChangeKind::Removed].map(of_kind)
    }
}

type ByName<'a> = BTreeMap<&'a str, ChangeKind>;

/// The files of a changeset, by the folders that they belong to.
#[derive(Default)]
struct Files<'a> {
    cluster_types: BTreeMap<&'a str, TypeFiles<'a>>,
    others: ByName<'a>,
}

#[derive(Default)]
struct TypeFiles<'a> {
    targets: BTreeMap<&'a str, ByName<'a>>,
    files: ByName<'a>,
}

impl<'a> Files<'a> {
    fn new(root: &RepoPath, changes: &'a Changeset) -> Self {
        let Changeset { added, modified, removed } = changes;
        let mut files = Files::default();
        added.keys().for_each(|path| files.add(root, path, ChangeKind::Added));
        modified.keys().for_each(|path| files.add(root, path, ChangeKind::Modified));
        removed.iter().for_each(|path| files.add(root, path, ChangeKind::Removed));
        files
    }

    fn add(&mut self, root: &RepoPath, path: &'a str, change: ChangeKind) {
        let inside = root.strip(path);
        match inside.map(|path| path.splitn(3, '/').collect::<Vec<_>>()).as_deref() {
            // Tracking follows what is said anyway.
            Some([first, ..]) if first.starts_with('.') => {}
            Some([kind, target, name]) => {
                let of_type = self.cluster_types.entry(kind).or_default();
                of_type.targets.entry(target).or_default().insert(name, change);
            }
            Some([kind, name]) => {
                self.cluster_types.entry(kind).or_default().files.insert(name, change);
            }
            _ => drop(self.others.insert(path, change)),
        }
    }
}

fn listed(files: ByName<'_>) -> Vec<FileChange> {
    files.into_iter().map(|(name, change)| FileChange { name: name.to_owned(), change }).collect()
}

fn of_folder(current: &Tree, wanted: &Tree, folder: &str) -> ChangeKind {
    let is_in = |tree: &Tree| tree.below(folder).next().is_some();
    match (is_in(current), is_in(wanted)) {
        (false, _) => ChangeKind::Added,
        (true, true) => ChangeKind::Modified,
        (true, false) => ChangeKind::Removed,
    }
}

fn promotion(current: &Tree, wanted: &Tree, root: &RepoPath) -> Option<Promotion> {
    let file = tracking::promoted_commit_file(root);
    let commit = |tree: &Tree| {
        tree.files.get(&file).map(|blob| String::from_utf8_lossy(&blob.bytes()).trim().to_owned())
    };
    let (from, to) = (commit(current), commit(wanted)?);
    (from.as_ref() != Some(&to)).then_some(Promotion { from, to })
}

fn alarms(current: &Tree, wanted: &Tree, root: &RepoPath, cluster_types: &[ClusterTypeChange]) -> Vec<Alarm> {
    let (before, after) = (target_counts(current, root), target_counts(wanted, root));
    let of = before.values().sum();
    let is_removed = |target: &&TargetChange| target.change == ChangeKind::Removed;
    let removed = cluster_types.iter().flat_map(|it| &it.targets).filter(is_removed).count();
    let mut alarms = Vec::new();
    if removed >= MASS_REMOVAL && removed * 3 > of {
        alarms.push(Alarm::MassRemoval { removed, of });
    }
    let emptied = before.into_iter().filter(|(kind, _)| !after.contains_key(kind));
    alarms.extend(emptied.map(|(kind, targets)| Alarm::Emptied { cluster_type: kind.to_owned(), targets }));
    alarms
}

/// How many target folders each cluster type has that has any.
fn target_counts<'a>(tree: &'a Tree, root: &RepoPath) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    let mut last = ("", "");
    for (path, _) in tree.below(root.as_str()) {
        let mut parts = path.splitn(3, '/');
        let (Some(kind), Some(target), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        if !kind.starts_with('.') && !target.starts_with('.') && last != (kind, target) {
            last = (kind, target);
            *counts.entry(kind).or_default() += 1;
        }
    }
    counts
}

/// Changes of content; what is the same in several places is kept once.
struct Differences<'a> {
    outcome: &'a Outcome,
    assignments: HashMap<(&'a str, &'a str), usize>,
    names: HashMap<String, Arc<str>>,
    values: HashMap<SameValue<'a>, Places>,
    lines: HashMap<(String, String), Places>,
}

#[derive(PartialEq, Eq, Hash)]
struct SameValue<'a> {
    key: String,
    old: Option<String>,
    new: Option<String>,
    /// The layers that have the key, the winning one last
    layers: &'a [u32],
}

impl<'a> Differences<'a> {
    fn new(outcome: &'a Outcome) -> Self {
        let schedule = &outcome.schedule;
        let name = |assignment: &fleet::schedule::Assignment| {
            let kind = &*schedule.cluster_types[assignment.cluster_type as usize].meta.name;
            (kind, &*schedule.targets[assignment.target as usize].name)
        };
        Differences {
            outcome,
            assignments: schedule.assignments.iter().map(name).zip(0..).collect(),
            names: HashMap::new(),
            values: HashMap::new(),
            lines: HashMap::new(),
        }
    }

    fn add(&mut self, kind: &str, target: &str, name: &str, [old, new]: [&Tree; 2], folder: &str) {
        let path = format!("{folder}/{name}");
        let bytes = |tree: &'_ Tree| tree.files.get(&path).map(|blob| blob.bytes().into_owned());
        let (old, new) = (bytes(old), bytes(new));
        let is_config = CONFIG_FILES.contains(&name);
        // A new file is no change of lines; that it is new is said elsewhere.
        if !is_config && (old.is_none() || new.is_none()) {
            return;
        }
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        let difference = match is_config {
            true => difference::of_config(&old, &new),
            false => Difference { values: Vec::new(), lines: difference::lines(&old, &new) },
        };
        let place = (self.name(kind), self.name(target));
        let config = self.assignments.get(&(kind, target)).map(|index| &self.outcome.configs[*index]);
        for ValueDifference { key, old, new } in difference.values {
            let value = config.and_then(|config| config.values.get(&key)).filter(|_| new.is_some());
            let layers = value.map_or(&[][..], |value| &value.layers);
            self.values.entry(SameValue { key, old, new, layers }).or_default().add(&place.0, &place.1);
        }
        if let Some(lines) = difference.lines.filter(|lines| !lines.is_empty()) {
            self.lines.entry((name.to_owned(), lines)).or_default().add(&place.0, &place.1);
        }
    }

    /// Names are shared: the same ones stand in many places.
    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let shared: Arc<str> = name.into();
        self.names.insert(name.to_owned(), shared.clone());
        shared
    }

    fn folded(self) -> (Vec<ValueChange>, Vec<LineChange>) {
        let layers = &self.outcome.layers;
        let value = |(SameValue { key, old, new, layers: of_value }, places)| ValueChange {
            origin: origin(layers, of_value, &key),
            key,
            old,
            new,
            places,
        };
        let mut values: Vec<ValueChange> = self.values.into_iter().map(value).collect();
        values.sort_by_cached_key(|it| {
            let source = it.origin.as_ref().map(|origin| origin.won.location.clone());
            (
                usize::MAX - it.places.count(),
                it.key.clone(),
                it.old.clone(),
                it.new.clone(),
                source,
                it.places.clone(),
            )
        });
        let line = |((file, lines), places)| LineChange { file, lines, places };
        let mut lines: Vec<LineChange> = self.lines.into_iter().map(line).collect();
        lines.sort_by_cached_key(|it| {
            (usize::MAX - it.places.count(), it.file.clone(), it.lines.clone(), it.places.clone())
        });
        (values, lines)
    }
}

fn origin(layers: &[Layer], of_value: &[u32], key: &str) -> Option<Origin> {
    let parts: Vec<(&Layer, &fleet::compose::LayerValue)> = of_value
        .iter()
        .filter_map(|index| {
            let layer = &layers[*index as usize];
            Some((layer, layer.values.get(key)?))
        })
        .collect();
    let ((won, value), before) = parts.split_last()?;
    let merges = |a: &Value, b: &Value| {
        matches!((a, b), (Value::Map(_), Value::Map(_)) | (Value::Seq(_), Value::Seq(_)))
    };
    let merged = before.iter().rev().take_while(|(_, earlier)| merges(&earlier.value, &value.value)).count();
    let written = |(layer, value): &(&Layer, &fleet::compose::LayerValue)| Written {
        config_map: layer.config_map.clone(),
        location: value.location.clone(),
    };
    let (lost, merged) = before.split_at(before.len() - merged);
    Some(Origin {
        won: written(&(won, value)),
        merged: merged.iter().map(written).collect(),
        lost: lost.iter().map(written).collect(),
    })
}

impl Changes {
    /// A few words for a title.
    pub fn headline(&self) -> String {
        match (self.news().join(", "), self.held_count()) {
            (news, 0) if news.is_empty() => "tracking only".to_owned(),
            (news, held) if news.is_empty() => format!("{} held", counted(held, "target")),
            (news, _) => news,
        }
    }

    /// The same, and how much is held.
    pub(crate) fn full_headline(&self) -> String {
        match (self.news().is_empty(), self.held_count()) {
            (false, held @ 1..) => format!("{}; {held} held", self.headline()),
            _ => self.headline(),
        }
    }

    /// How many target folders keep their present content; some for several reasons.
    pub fn held_count(&self) -> usize {
        let places = self.held.iter().flat_map(|cause| &cause.places.0);
        let mut of_type: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (kind, targets) in places {
            of_type.entry(kind).or_default().extend(targets);
        }
        of_type.values().map(BTreeSet::len).sum()
    }

    fn news(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if let Some(promotion) = &self.promoted {
            parts.push(format!("promote {}", word(short(&promotion.to))));
        }
        let counts = self.counts();
        let [added, changed, removed] = counts;
        if let ([0, _, 0], Some(keys)) = (counts, self.changed_keys()) {
            parts.push(keys);
        } else {
            let said = [(added, "added"), (changed, "changed"), (removed, "removed")];
            let mut said = said.into_iter().filter(|(count, _)| *count > 0);
            parts.extend(said.next().map(|(count, what)| format!("{} {what}", counted(count, "target"))));
            parts.extend(said.map(|(count, what)| format!("{count} {what}")));
        }
        for (change, what) in [(ChangeKind::Added, "added"), (ChangeKind::Removed, "removed")] {
            let of_kind: Vec<&ClusterTypeChange> =
                self.cluster_types.iter().filter(|it| it.change == change).collect();
            match &of_kind[..] {
                [] => {}
                [one] => parts.push(format!("cluster type {} {what}", word(&one.name))),
                more => parts.push(format!("{} cluster types {what}", more.len())),
            }
        }
        parts
    }

    /// The config keys that change and where, if nothing else does and they are few.
    fn changed_keys(&self) -> Option<String> {
        const FEW: usize = 3;
        if !self.lines.is_empty() || self.values.is_empty() {
            return None;
        }
        let keys: BTreeSet<&str> = self.values.iter().map(|it| &*it.key).collect();
        let kinds: BTreeSet<&str> = self.cluster_types.iter().map(|it| &*it.name).collect();
        let said = |names: BTreeSet<&str>, thing: &str| match names.len() <= FEW {
            true => names.into_iter().map(word).collect::<Vec<_>>().join(", "),
            false => counted(names.len(), thing),
        };
        Some(format!("{} in {}", said(keys, "config value"), said(kinds, "cluster type")))
    }
}

/// The first seven characters of a commit's name.
pub(crate) fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}
