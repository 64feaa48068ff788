//! Whether rendered manifests can be applied: the mistakes that a cluster would find only after the merge.

use std::fmt;
use std::sync::Arc;

use goyaml::{Limits, Mark, Node, NodeKind, Value};

use crate::diagnostic::{Diagnostic, FileName, Location, nearest};
use crate::labels;
use crate::source::{is_null, scalar};

/// A Namespace's name is a DNS label.
pub(crate) const LONGEST_NAMESPACE: usize = 63;

/// What to do about a manifest that cannot be applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ManifestChecks {
    /// Hold its assignment
    #[default]
    Error,
    /// Say so
    Warn,
    /// Do not look
    Off,
}

/// What makes an object one and the same for Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// API group; empty for the core group
    pub group: Arc<str>,
    /// Kind
    pub kind: Arc<str>,
    /// Namespace; empty if none is given
    pub namespace: Arc<str>,
    /// Name
    pub name: Arc<str>,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        if !self.namespace.is_empty() {
            write!(f, " in namespace {}", self.namespace)?;
        }
        Ok(())
    }
}

/// What was found in a file of manifests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The objects that it defines, each with the place that it begins at
    pub objects: Vec<(ObjectKey, Location)>,
    /// What is wrong with it
    pub problems: Vec<Diagnostic>,
}

/// Looks at a file that is going to be written as `path`.
pub fn check(path: &str, bytes: &[u8]) -> Checked {
    let file = FileName::in_tree(path);
    let mut checker = Checker { file, found: Checked::default() };
    let Ok(text) = std::str::from_utf8(bytes) else {
        checker.problem(
            Mark { line: 1, column: 1, offset: 0 },
            "the rendered text is not UTF-8",
            "look for a function that cuts a string in the middle of a character",
        );
        return checker.found;
    };
    checker.no_values(text);
    if path.ends_with(".yaml") || path.ends_with(".yml") {
        let (documents, error) = goyaml::parse(text, Limits::default());
        documents.iter().for_each(|document| checker.document(document));
        if let Some(error) = error {
            checker.problem(
                error.at,
                &format!("the rendered text is not YAML: {}", error.message),
                "correct the template, or the value that it prints here",
            );
        }
    }
    checker.found
}

struct Checker {
    file: FileName,
    found: Checked,
}

impl Checker {
    fn add(&mut self, mark: Mark, problem: Diagnostic) {
        self.found.problems.push(problem.at(Location::new(&self.file, mark)));
    }

    fn problem(&mut self, mark: Mark, message: &str, help: &str) {
        self.add(mark, Diagnostic::error(message).help(help));
    }

    fn no_values(&mut self, text: &str) {
        let lines =
            text.lines().zip(1..).filter_map(|(line, number)| Some((line, number, line.find("<no value>")?)));
        for (line, number, start) in lines {
            let column = 1 + line[..start].chars().count() as u32;
            self.problem(
                Mark { line: number, column, offset: 0 },
                "`<no value>` is left in the rendered text",
                "a map has no such key: set it in a ConfigMap that applies here, or give the template a `default`",
            );
        }
    }

    fn document(&mut self, node: &Node) {
        let version = field(node, "apiVersion");
        let kind = field(node, "kind");
        let (version, kind) = match (version, kind) {
            (None, None) => {
                if !matches!(node.kind, NodeKind::Scalar { .. }) || !is_null(node) {
                    let problem = Diagnostic::warning(
                        "this document has neither `apiVersion` nor `kind`: it is no Kubernetes object",
                    );
                    self.add(node.start, problem.help("complete it, or print it into a ConfigMap"));
                }
                return;
            }
            (Some(version), Some(kind)) => (version, kind),
            (version, _) => {
                let (missing, there) =
                    if version.is_some() { ("kind", "apiVersion") } else { ("apiVersion", "kind") };
                let text = format!("this document has `{there}` and no `{missing}`");
                match nearly(node, missing) {
                    Some(key) => {
                        let help =
                            format!("write `{missing}` instead of `{}`", scalar(key).unwrap_or_default());
                        self.problem(key.start, &text, &help);
                    }
                    None => self.problem(node.start, &text, &format!("add `{missing}:` to the template")),
                }
                return;
            }
        };
        let (Some(version_text), Some(kind_text)) = (text(version), text(kind)) else {
            self.problem(node.start, "`apiVersion` and `kind` must be text", "quote them");
            return;
        };
        let is_list = kind_text == "List" && version_text == "v1";
        if let (true, Some(NodeKind::Sequence(items))) =
            (is_list, field(node, "items").map(|items| &items.kind))
        {
            items.iter().for_each(|item| self.document(item));
            return;
        }
        self.object(node, version_text, kind_text);
    }

    fn object(&mut self, node: &Node, version: &str, kind: &str) {
        let metadata = field(node, "metadata");
        let Some(name_node) = metadata.and_then(|metadata| field(metadata, "name")) else {
            self.problem(
                node.start,
                &format!("this {kind} has no `metadata.name`"),
                "give it a name in the template",
            );
            return;
        };
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let Some(name) = text(name_node) else {
            self.problem(
                name_node.start,
                &format!("the name of this {kind} must be text"),
                "quote it in the template",
            );
            return;
        };
        let is_valid = match group {
            "rbac.authorization.k8s.io" => {
                !name.is_empty() && !matches!(name, "." | "..") && !name.contains(['/', '%'])
            }
            _ => labels::name_error(name).is_none(),
        };
        if !is_valid {
            let text = format!("`{}` is no valid name of a {kind}", name.escape_debug());
            self.problem(name_node.start, &text, "use lower-case letters, digits, `-` and `.`, at most 253");
            return;
        }
        if group.is_empty() && kind == "Namespace" && (name.len() > LONGEST_NAMESPACE || name.contains('.')) {
            let what = if name.contains('.') {
                "holds a `.`".to_owned()
            } else {
                format!("has {} characters", name.len())
            };
            let text = format!("the Namespace name `{name}` {what}; a DNS label of at most 63 is needed");
            self.problem(
                name_node.start,
                &text,
                "shorten the names that make it up, or build it from fewer of them in the template",
            );
            return;
        }
        let namespace =
            metadata.and_then(|metadata| field(metadata, "namespace")).and_then(text).unwrap_or_default();
        let key = ObjectKey {
            group: group.into(),
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        };
        let place = Location::new(&self.file, node.start);
        self.found.objects.push((key, place));
    }
}

/// The key of a mapping that is nearly called `name`.
fn nearly<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let NodeKind::Mapping(entries) = &node.kind else { return None };
    let near = nearest(name, entries.iter().filter_map(|(key, _)| scalar(key)))?;
    entries.iter().map(|(key, _)| key).find(|key| scalar(key) == Some(near))
}

fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let NodeKind::Mapping(entries) = &node.kind else { return None };
    entries
        .iter()
        .find(|(key, _)| scalar(key) == Some(name))
        .map(|(_, value)| value)
        .filter(|value| !is_null(value))
}

fn text(node: &Node) -> Option<&str> {
    scalar(node).filter(|_| matches!(node.to_value(), Value::Str(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests() {
        let long = format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {}\n", "n".repeat(64));
        let cases: [(&str, &[&str], &[&str]); 12] = [
            ("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n", &["Namespace a"], &[]),
            (
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: b}\n---\n",
                &["Deployment a in namespace b"],
                &[],
            ),
            (
                "kind: X\nmetadata:\n  name: a\n",
                &[],
                &["f.yaml:1:1: error: this document has `kind` and no `apiVersion`"],
            ),
            ("a: 1\n", &[], &["f.yaml:1:1: warning: this document has neither"]),
            ("apiVersion: v1\nkind: Pod\n", &[], &["f.yaml:1:1: error: this Pod has no `metadata.name`"]),
            (
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: A_b\n",
                &[],
                &["f.yaml:4:9: error: `A_b` is no valid name of a Pod"],
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: 5\n",
                &[],
                &["f.yaml:4:9: error: the name of this Pod must be text"],
            ),
            (&long, &[], &["f.yaml:4:9: error: the Namespace name `nnnn"]),
            (
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: system:a\n",
                &["Role system:a"],
                &[],
            ),
            ("a: <no value>\n", &[], &["f.yaml:1:4: error: `<no value>` is left", "f.yaml:1:1: warning: "]),
            ("a: [\n", &[], &["f.yaml:2:1: error: the rendered text is not YAML"]),
            (
                "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: p}}\n",
                &["Pod p"],
                &[],
            ),
        ];
        for (text, objects, problems) in cases {
            let found = check("f.yaml", text.as_bytes());
            let names: Vec<String> = found.objects.iter().map(|(key, _)| key.to_string()).collect();
            assert_eq!(names, objects, "{text}");
            assert_eq!(found.problems.len(), problems.len(), "{text}: {:?}", found.problems);
            for (problem, want) in found.problems.iter().zip(problems) {
                assert!(problem.to_string().starts_with(want), "{problem} should begin with {want}");
            }
        }
        assert_eq!(check("f.sh", b"a: [\n").problems, [], "only YAML is parsed");
    }
}
