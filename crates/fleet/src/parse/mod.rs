//! From documents to objects: every field checked, every problem of every file reported in one go.

mod fields;
mod kinds;
mod slips;

use goyaml::Node;

use crate::diagnostic::{Diagnostic, FileName, Location, did_you_mean, nearest, slip_of};
use crate::objects::{AZURE_APP_CONFIG, GROUP, LabelPlaces, Meta, Object, PLATFORM_CONFIG, VERSION};
use crate::source::{Documents, scalar};
use fields::Reader;
pub(crate) use kinds::is_full_commit_id;

const KINDS: [&str; 10] = [
    "BaseRepo",
    "ClusterType",
    "ConfigMap",
    "ConfigSchema",
    "Environment",
    "GitOpsRepo",
    "SchedulingPolicy",
    "Template",
    "Workload",
    "WorkloadRegistration",
];

/// An object and the document that it was read from.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    /// The object
    pub object: Object,
    /// As it is written
    pub node: Node,
}

/// A Workload that cannot be used as it is written; that is its application's problem, not the platform's.
#[derive(Clone, Debug)]
pub(crate) struct BrokenWorkload {
    /// Its name, if that much can be read
    pub name: Option<String>,
    /// What is wrong with it
    pub problems: Vec<Diagnostic>,
}

/// What the documents of a source hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    /// Objects in the order of the documents
    pub objects: Vec<Parsed>,
    /// Workloads that are no use
    pub broken_workloads: Vec<BrokenWorkload>,
    /// What is wrong with the files and with objects other than Workloads
    pub problems: Vec<Diagnostic>,
    /// ConfigMaps that are not ours for want of a label
    pub unmarked: Vec<Meta>,
    /// Files and objects that count for nothing and were hardly meant to
    pub ignored: usize,
}

/// Why a kind has no place in a source, if it has none.
pub(crate) type Misplaced = fn(kind: &str) -> Option<&'static str>;

/// Reads every document that is one of our kinds; others are left alone, misplaced ones with a warning.
pub(crate) fn objects(documents: Documents, misplaced: Misplaced) -> Objects {
    let Documents { documents, problems, ignored, empty: _ } = documents;
    let mut found = Objects { problems, ignored, ..Objects::default() };
    for (file, node) in &documents {
        document(file, node, misplaced, &mut found);
    }
    found
}

fn document(file: &FileName, node: &Node, misplaced: Misplaced, found: &mut Objects) {
    let header = Header::of(node);
    if header.kind == Some("List") && header.api_version == Some("v1") {
        for item in header.items {
            document(file, item, misplaced, found);
        }
        return;
    }
    if let Some(why) = header.kind.filter(|kind| KINDS.contains(kind)).and_then(misplaced) {
        found.problems.extend(header.ignored(file, node, why));
        return;
    }
    let before = found.problems.len();
    let Some(kind) = header.ours(file, node, &mut found.problems) else {
        found.ignored += found.problems.len() - before;
        found.unmarked.extend(header.unmarked(file));
        return;
    };
    let mut reader = Reader::new(file);
    let object = kinds::object(&mut reader, kind, node);
    let problems = reader.into_problems();
    match object {
        Some(object) if !problems.iter().any(Diagnostic::is_error) => {
            found.problems.extend(problems);
            found.objects.push(Parsed { object, node: node.clone() });
        }
        _ if kind == "Workload" => {
            let name = header.name.map(str::to_owned);
            found.broken_workloads.push(BrokenWorkload { name, problems });
        }
        _ => found.problems.extend(problems),
    }
}

/// What says whether a document is ours, before anything else is looked at.
#[derive(Default)]
struct Header<'a> {
    api_version: Option<&'a str>,
    kind: Option<&'a str>,
    kind_node: Option<&'a Node>,
    version_node: Option<&'a Node>,
    name: Option<&'a str>,
    name_node: Option<&'a Node>,
    items: &'a [Node],
    labels: &'a [(Node, Node)],
    is_config: bool,
}

impl<'a> Header<'a> {
    fn of(node: &'a Node) -> Header<'a> {
        let mut header = Header::default();
        for (key, value) in entries(node) {
            match scalar(key) {
                Some("apiVersion") => {
                    (header.api_version, header.version_node) = (scalar(value), Some(value))
                }
                Some("kind") => (header.kind, header.kind_node) = (scalar(value), Some(value)),
                Some("items") => {
                    if let goyaml::NodeKind::Sequence(items) = &value.kind {
                        header.items = items;
                    }
                }
                Some("metadata") => header.metadata(value),
                _ => {}
            }
        }
        header
    }

    fn metadata(&mut self, metadata: &'a Node) {
        for (key, value) in entries(metadata) {
            match scalar(key) {
                Some("name") => {
                    (self.name, self.name_node) = (scalar(value), Some(value));
                    self.is_config |= self.name.is_some_and(|name| name.starts_with(AZURE_APP_CONFIG));
                }
                Some("labels") => {
                    let is_marked = |(key, value): &(Node, Node)| {
                        scalar(key) == Some(PLATFORM_CONFIG) && scalar(value) != Some("false")
                    };
                    self.labels = entries(value);
                    self.is_config |= self.labels.iter().any(is_marked);
                }
                _ => {}
            }
        }
    }

    /// Says that a document of ours is ignored here.
    fn ignored(&self, file: &FileName, node: &Node, why: &str) -> Option<Diagnostic> {
        let is_ours =
            self.is_config || self.api_version.is_some_and(|text| text.split('/').next() == Some(GROUP));
        let (kind, name) = (self.kind.unwrap_or_default(), self.name.unwrap_or_default());
        let problem = Diagnostic::warning(format!("the {kind} `{name}` is ignored here: {why}"));
        let place = self.name_node.unwrap_or(node).start;
        is_ours.then(|| problem.help("move or remove it").at(Location::new(file, place)))
    }

    /// The kind, if the document is one of ours and of the version that we know; says so if it nearly is.
    fn ours(&self, file: &FileName, node: &Node, problems: &mut Vec<Diagnostic>) -> Option<&'static str> {
        let at = |node: &Node| Location::new(file, node.start);
        let wanted = format!("{GROUP}/{VERSION}");
        let kind = self.kind.unwrap_or_default();
        let known = KINDS.into_iter().find(|known| *known == kind);
        let (group, version) = match self.api_version.map(|text| text.split_once('/').unwrap_or(("", text))) {
            Some(parts) => parts,
            None => {
                let looks_ours = known.is_some() && (kind != "ConfigMap" || self.is_config);
                if looks_ours && let Some(place) = self.kind_node {
                    let version = if kind == "ConfigMap" { "v1" } else { &wanted };
                    problems.push(
                        Diagnostic::error(format!("this {kind} has no `apiVersion`"))
                            .help(format!("add `apiVersion: {version}`"))
                            .at(at(place)),
                    );
                }
                return None;
            }
        };
        let version_at = || at(self.version_node.unwrap_or(node));
        if kind == "ConfigMap" {
            if self.is_config && (group, version) != ("", "v1") {
                problems.push(
                    Diagnostic::error(format!(
                        "there is no ConfigMap of `apiVersion` `{}`",
                        self.api_version.unwrap_or_default()
                    ))
                    .help("write `apiVersion: v1`")
                    .at(version_at()),
                );
            }
            if !self.is_config {
                problems.extend(self.nearly_marked(file));
            }
            return known.filter(|_| self.is_config && (group, version) == ("", "v1"));
        }
        if group != GROUP {
            // Of the core group, one kind is known elsewhere: OpenShift's templates.
            let is_bare = group.is_empty() && (kind != "Template" || version == VERSION);
            if known.is_some() && (is_bare || nearest(group, [GROUP]).is_some()) {
                problems.push(
                    Diagnostic::error(format!("unknown `apiVersion` of this {kind}"))
                        .help(format!("write `apiVersion: {wanted}`"))
                        .at(version_at()),
                );
            }
            return None;
        }
        if version != VERSION {
            problems.push(
                Diagnostic::error(format!("unknown version `{version}` of {GROUP}"))
                    .help(format!("write `apiVersion: {wanted}`"))
                    .at(version_at()),
            );
            return None;
        }
        if known.is_none() {
            let ours = KINDS.into_iter().filter(|kind| *kind != "ConfigMap");
            let place = self.kind_node.unwrap_or(node);
            let text = match self.kind {
                Some(kind) => format!("unknown kind `{kind}` of {GROUP}; the object is ignored"),
                None => "no `kind`; the object is ignored".to_owned(),
            };
            let help = did_you_mean(kind, ours.clone())
                .unwrap_or_else(|| format!("the kinds are {}", ours.collect::<Vec<_>>().join(", ")));
            problems.push(Diagnostic::warning(text).help(help).at(at(place)));
        }
        known
    }
}

impl Header<'_> {
    /// Says that the label which would make a ConfigMap ours is misspelt.
    fn nearly_marked(&self, file: &FileName) -> Option<Diagnostic> {
        let (key, _) = self
            .labels
            .iter()
            .find(|(key, _)| scalar(key).is_some_and(|key| slip_of(key, [PLATFORM_CONFIG]).is_some()))?;
        let (name, label) = (self.name.unwrap_or_default(), scalar(key).unwrap_or_default());
        let text =
            format!("the ConfigMap `{name}` is no platform config; its label `{label}` means nothing here");
        let help = format!("did you mean `{PLATFORM_CONFIG}`?");
        Some(Diagnostic::warning(text).help(help).at(Location::new(file, key.start)))
    }

    /// The name and labels of a ConfigMap that has not the label which would make it ours.
    fn unmarked(&self, file: &FileName) -> Option<Meta> {
        let is_marked = |(key, _): &(Node, Node)| scalar(key) == Some(PLATFORM_CONFIG);
        let is_unmarked = !self.is_config && !self.labels.iter().any(is_marked);
        let is_config_map = self.kind == Some("ConfigMap") && self.api_version == Some("v1");
        let (name, place) = (self.name?, self.name_node?.start);
        let pair = |(key, value): &(Node, Node)| Some((scalar(key)?.to_owned(), scalar(value)?.to_owned()));
        (is_unmarked && is_config_map).then(|| Meta {
            name: name.to_owned(),
            labels: self.labels.iter().filter_map(pair).collect(),
            label_places: LabelPlaces::new(),
            location: Location::new(file, place),
        })
    }
}

fn entries(node: &Node) -> &[(Node, Node)] {
    match &node.kind {
        goyaml::NodeKind::Mapping(entries) => entries,
        _ => &[],
    }
}
