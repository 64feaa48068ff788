//! Reading the fields of a mapping, with a problem for each one that is missing, unknown or of the wrong type.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use goyaml::{Mark, Node, NodeKind, Style, Value};

use crate::diagnostic::{Diagnostic, FileName, Location, did_you_mean, nearest};
use crate::source::{is_null, scalar};

/// Reads one object and collects what is wrong with it.
pub(super) struct Reader<'f> {
    pub(super) file: &'f FileName,
    problems: Vec<Diagnostic>,
}

/// The fields of a mapping while they are read.
pub(super) struct Fields<'n> {
    /// Where the mapping stands in the object: `spec.workload`; empty for the object itself
    path: String,
    start: Mark,
    entries: Vec<(&'n str, &'n Node, &'n Node)>,
    known: Vec<&'static str>,
    /// Misspelt names that were reported
    misspelt: Vec<&'n str>,
}

/// Text and where it is written.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: Arc<str>,
    pub(super) location: Location,
}

impl<'f> Reader<'f> {
    pub(super) fn new(file: &'f FileName) -> Self {
        Reader { file, problems: Vec::new() }
    }

    pub(super) fn into_problems(self) -> Vec<Diagnostic> {
        self.problems
    }

    pub(super) fn location(&self, mark: Mark) -> Location {
        Location::new(self.file, mark)
    }

    pub(super) fn problem(&mut self, mark: Mark, problem: Diagnostic) {
        self.push(problem.at(self.location(mark)));
    }

    /// A problem that has its place already.
    pub(super) fn push(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// The fields of a mapping called `path`; anything but a mapping is a problem.
    pub(super) fn fields<'n>(&mut self, node: &'n Node, path: &str) -> Option<Fields<'n>> {
        let NodeKind::Mapping(entries) = &node.kind else {
            self.wrong_type(node, path, "a mapping");
            return None;
        };
        let mut seen = BTreeSet::new();
        let mut doubles = Vec::new();
        let mut fields = Fields {
            path: path.to_owned(),
            start: node.start,
            entries: Vec::new(),
            known: Vec::new(),
            misspelt: Vec::new(),
        };
        for (key, value) in entries.iter() {
            match scalar(key) {
                None => {
                    let problem = Diagnostic::error("a key must be text");
                    self.problem(
                        key.start,
                        problem.help("quote it: text that begins with a brace or bracket is none"),
                    );
                }
                Some(name) if !seen.insert(name) => doubles.push((name, key)),
                Some(name) => fields.entries.push((name, key, value)),
            }
        }
        self.doubles(path, &doubles);
        Some(fields)
    }

    /// Keys that stand a second time; all of an object's at once are another object.
    fn doubles(&mut self, path: &str, doubles: &[(&str, &Node)]) {
        let begins_object = |(name, _): &&(&str, &Node)| matches!(*name, "apiVersion" | "kind");
        if let Some((_, key)) =
            doubles.iter().find(begins_object).filter(|_| path.is_empty() && doubles.len() > 1)
        {
            let problem = Diagnostic::error("another object begins here, inside of this one");
            self.problem(key.start, problem.help("put a line of three dashes, `---`, before it"));
            return;
        }
        for (name, key) in doubles {
            let problem = Diagnostic::error(format!("the key `{name}` stands here a second time"));
            self.problem(key.start, problem.help("remove one of the two"));
        }
    }

    /// Warns of fields that nobody asked for.
    pub(super) fn finish(&mut self, fields: Fields<'_>) {
        for (name, mark) in fields.unknown_fields() {
            let known = fields.known.iter().copied();
            let place =
                if fields.path.is_empty() { "an object".to_owned() } else { format!("`{}`", fields.path) };
            let help = match name {
                "labels" => "put it under `metadata`".to_owned(),
                _ => did_you_mean(name, known.clone())
                    .unwrap_or_else(|| format!("known here: {}", known.collect::<Vec<_>>().join(", "))),
            };
            let problem = Diagnostic::warning(format!("unknown field `{name}` of {place}; it has no effect"));
            self.problem(mark, problem.help(help));
        }
    }

    /// A field that must be there, whatever it is.
    pub(super) fn required<'n>(&mut self, fields: &mut Fields<'n>, name: &'static str) -> Option<&'n Node> {
        let found = fields.take(name);
        if found.is_none() {
            let path = fields.path_of(name);
            let unknown = fields.unknown_fields();
            let misspelt = nearest(name, unknown.iter().map(|(name, _)| *name));
            let place = unknown.iter().find(|(name, _)| Some(*name) == misspelt);
            let place = place.map_or(fields.start, |(_, mark)| *mark);
            let help = match misspelt {
                Some(misspelt) => format!("write `{name}` instead of `{misspelt}`"),
                None => format!("add `{name}:` here"),
            };
            fields.misspelt.extend(misspelt);
            let problem = Diagnostic::error(format!("the required field `{path}` is missing"));
            self.problem(place, problem.help(help));
        }
        found
    }

    /// A string that must be there and not be empty.
    pub(super) fn required_text(&mut self, fields: &mut Fields<'_>, name: &'static str) -> Option<Text> {
        let path = fields.path_of(name);
        let node = self.required(fields, name)?;
        let text = self.text(node, &path)?;
        if text.text.is_empty() {
            self.problem(node.start, Diagnostic::error(format!("`{path}` is empty")).help("give it a value"));
            return None;
        }
        Some(text)
    }

    /// A string that may be absent.
    pub(super) fn optional_text(&mut self, fields: &mut Fields<'_>, name: &'static str) -> Option<Text> {
        let path = fields.path_of(name);
        let node = fields.take(name)?;
        self.text(node, &path)
    }

    /// A string; numbers and booleans are problems, as they are for Kubernetes.
    pub(super) fn text(&mut self, node: &Node, path: &str) -> Option<Text> {
        match (&node.kind, node.to_value()) {
            (NodeKind::Scalar { text, .. }, Value::Str(_)) => {
                Some(Text { text: text.clone(), location: self.location(node.start) })
            }
            (NodeKind::Scalar { text, .. }, _) => {
                let kind = kind_of(node);
                let problem = Diagnostic::error(format!("`{path}` must be a string, but `{text}` is {kind}"));
                self.problem(node.start, problem.help(format!("quote it: \"{text}\"")));
                None
            }
            _ => {
                self.wrong_type(node, path, "a string");
                None
            }
        }
    }

    /// A mapping of strings; absent values are left out.
    pub(super) fn strings(&mut self, node: &Node, path: &str) -> BTreeMap<String, (Mark, Text)> {
        let mut strings = BTreeMap::new();
        let Some(fields) = self.fields(node, path) else { return strings };
        for (name, key, value) in fields.entries {
            if is_plain(key) && matches!(key.to_value(), Value::Bool(_)) {
                let problem =
                    Diagnostic::error(format!("the key `{name}` of `{path}` is a boolean in YAML 1.1"));
                self.problem(key.start, problem.help(format!("quote it: \"{name}\":")));
                continue;
            }
            if is_null(value) {
                continue;
            }
            if let Some(text) = self.text(value, &format!("{path}.{name}")) {
                strings.insert(name.to_owned(), (key.start, text));
            }
        }
        strings
    }

    /// The items of a list; anything but a list is a problem.
    pub(super) fn list<'n>(&mut self, node: &'n Node, path: &str) -> &'n [Node] {
        match &node.kind {
            NodeKind::Sequence(items) => items,
            _ => {
                self.wrong_type(node, path, "a list");
                &[]
            }
        }
    }

    /// A problem with a node that should have been `wanted`.
    pub(super) fn wrong_type(&mut self, node: &Node, path: &str, wanted: &str) {
        let name = if path.is_empty() { "the document".to_owned() } else { format!("`{path}`") };
        let kind = kind_of(node);
        let help = match &node.kind {
            NodeKind::Mapping(entries) if matches!(entries.first(), Some((key, _)) if scalar(key).is_none()) => {
                "quote it: text that begins with a brace is a mapping in YAML".to_owned()
            }
            _ => format!("write {wanted} here; check the indentation of the lines below"),
        };
        let problem = Diagnostic::error(format!("{name} must be {wanted}, but it is {kind}"));
        self.problem(node.start, problem.help(help));
    }
}

impl<'n> Fields<'n> {
    /// The value of a field, if it is there and not `null`.
    pub(super) fn take(&mut self, name: &'static str) -> Option<&'n Node> {
        self.known.push(name);
        self.entries
            .iter()
            .find(|(key, _, _)| *key == name)
            .map(|(_, _, value)| *value)
            .filter(|value| !is_null(value))
    }

    /// Where the name of a field is written.
    pub(super) fn place(&self, name: &str) -> Option<Mark> {
        self.entries.iter().find(|(key, _, _)| *key == name).map(|(_, key, _)| key.start)
    }

    /// Declares fields that may stand here and are not read.
    pub(super) fn ignore(&mut self, names: &[&'static str]) {
        self.known.extend(names);
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn start(&self) -> Mark {
        self.start
    }

    /// Fields that nobody asked for so far, with the places of their names.
    pub(super) fn unknown_fields(&self) -> Vec<(&'n str, Mark)> {
        let is_unknown = |name: &str| !self.known.contains(&name) && !self.misspelt.contains(&name);
        self.entries
            .iter()
            .filter(|(name, _, _)| is_unknown(name))
            .map(|(name, key, _)| (*name, key.start))
            .collect()
    }
}

fn is_plain(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Scalar { style: Style::Plain, .. })
}

fn kind_of(node: &Node) -> &'static str {
    match node.kind {
        NodeKind::Sequence(_) => return "a list",
        NodeKind::Mapping(_) => return "a mapping",
        NodeKind::Scalar { .. } => {}
    }
    match node.to_value() {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => "a number",
        Value::Str(_) => "a string",
        Value::Binary(_) => "binary",
        Value::Seq(_) => "a list",
        Value::Map(_) => "a mapping",
    }
}
