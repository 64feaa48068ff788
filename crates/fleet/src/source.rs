//! Which files of a repository count, and the documents in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use goyaml::{Limits, Node, NodeKind, Value};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::diagnostic::{Diagnostic, FileName, Location, Severity};
use crate::syntax_error::syntax_error;

/// A file may hold this many bytes; a larger one is an error that says so.
pub const MAX_FILE_BYTES: usize = 8 << 20;
/// The folder of a base in which environments are declared.
pub const ENVIRONMENTS: &str = ".environments";

const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
const IGNORE_FILE: &str = ".sourceignore";

/// A folder of a repository as it was read: everything below a pointer's `path` that may count.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// What people see before the path of its files; nothing for the control plane itself
    pub prefix: Arc<str>,
    /// Files by path, with `/` between the parts
    pub files: BTreeMap<String, FileContent>,
}

/// The content of files, as it was read.
pub type Texts = BTreeMap<FileName, Arc<[u8]>>;

impl Source {
    /// The content of its files, by the names that people are shown.
    pub fn texts(&self) -> impl Iterator<Item = (FileName, Arc<[u8]>)> {
        self.files.iter().filter_map(|(path, content)| match content {
            FileContent::Bytes(bytes) => {
                Some((FileName { prefix: self.prefix.clone(), path: path.as_str().into() }, bytes.clone()))
            }
            FileContent::Link | FileContent::TooLarge(_) | FileContent::Unreadable(_) => None,
        })
    }
}

/// What was found under a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileContent {
    /// A file
    Bytes(Arc<[u8]>),
    /// A symbolic link, which is never followed
    Link,
    /// A file over `MAX_FILE_BYTES`
    TooLarge(u64),
    /// It could not be read, for this reason
    Unreadable(String),
}

/// The documents of a source, and what is wrong with its files.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    /// In the order of paths, then of the text
    pub documents: Vec<(FileName, Node)>,
    /// What is wrong
    pub problems: Vec<Diagnostic>,
    /// Files that count for nothing and were hardly meant to
    pub ignored: usize,
    /// Of files without anything in them
    pub empty: Vec<Diagnostic>,
}

/// Whether a file of this name can matter, so that nothing else needs to be read at all.
pub fn is_of_interest(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let hidden = folder.split('/').any(|part| part.starts_with('.')) && !is_environment(path);
    !hidden
        && (is_manifest(name)
            || name == IGNORE_FILE
            || KUSTOMIZATIONS.contains(&name)
            || name.ends_with(".json")
            || meant_name(name).is_some())
}

/// The documents that count as the control plane's objects.
pub(crate) fn documents(source: &Source) -> Documents {
    let mut reading = Reading::new(source);
    let selected = reading.select();
    let documents = reading.read(selected);
    Documents { documents, problems: reading.problems, ignored: reading.ignored, empty: reading.empty }
}

/// The documents of `.environments/`, whatever `.sourceignore` says.
pub(crate) fn environment_documents(source: &Source) -> Documents {
    let selected = source.files.keys().filter(|path| is_environment(path) && is_manifest(path)).collect();
    let mut reading = Reading::new(source);
    let documents = reading.read(selected);
    Documents { documents, problems: reading.problems, ignored: reading.ignored, empty: reading.empty }
}

/// Whether a file at `path` would be read as part of `source`.
pub fn would_read(source: &Source, path: &str) -> bool {
    let mut source = source.clone();
    source.files.insert(path.to_owned(), FileContent::Bytes([].into()));
    Reading::new(&source).select().iter().any(|selected| *selected == path)
}

fn is_manifest(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

/// The name that a file was hardly meant to miss: `a.yaml` for `a.yalm`.
fn meant_name(name: &str) -> Option<String> {
    let (stem, extension) = name.strip_suffix(".txt").unwrap_or(name).rsplit_once('.')?;
    let meant = match &*extension.to_lowercase() {
        "yaml" | "yalm" | "ymal" | "yaaml" | "yamll" | "yamml" | "yam" => "yaml",
        "yml" | "ylm" | "ymll" | "yym" => "yml",
        _ => return None,
    };
    (!is_manifest(name)).then(|| format!("{stem}.{meant}"))
}

pub(crate) fn is_environment(path: &str) -> bool {
    path.split('/').next() == Some(ENVIRONMENTS)
}

struct Reading<'a> {
    source: &'a Source,
    problems: Vec<Diagnostic>,
    ignored: usize,
    empty: Vec<Diagnostic>,
}

impl<'a> Reading<'a> {
    fn new(source: &'a Source) -> Self {
        Reading { source, problems: Vec::new(), ignored: 0, empty: Vec::new() }
    }

    fn file_name(&self, path: &str) -> FileName {
        FileName { prefix: self.source.prefix.clone(), path: path.into() }
    }

    fn problem(&mut self, path: &str, diagnostic: Diagnostic) {
        self.problems.push(diagnostic.at(Location::start_of(&self.file_name(path))));
    }

    /// A file that was hardly meant to hold nothing.
    fn leave_out(&mut self, path: &str, problem: Diagnostic) {
        self.ignored += 1;
        self.problem(path, problem);
    }

    /// Everything below the root, or what kustomizations list.
    fn select(&mut self) -> BTreeSet<&'a String> {
        let ignored = self.ignores();
        let source = self.source;
        let visible: BTreeSet<&'a String> = source
            .files
            .keys()
            .filter(|path| !path.split('/').rev().skip(1).any(|part| part.starts_with('.')))
            .filter(|path| !ignored.excludes(path))
            .collect();
        let kustomized: BTreeMap<&'a str, &'a String> = visible
            .iter()
            .filter(|path| KUSTOMIZATIONS.contains(&file_part(path)))
            .map(|path| (folder_part(path), *path))
            .collect();
        let is_covered = |folder: &str| folders_up(folder).any(|above| kustomized.contains_key(above));
        let mut selected: BTreeSet<&'a String> = visible
            .iter()
            .copied()
            .filter(|path| is_manifest(path) || !matches!(source.files[*path], FileContent::Bytes(_)))
            .filter(|path| !is_covered(folder_part(path)))
            .collect();
        for path in visible.iter().filter(|path| !is_covered(folder_part(path))) {
            if let Some(meant) = meant_name(file_part(path)) {
                let problem = Diagnostic::warning("the file is not read: only `.yaml` and `.yml` are");
                self.leave_out(path, problem.help(format!("rename it to `{meant}`")));
            }
        }
        let is_root = |folder: &str| !folder.is_empty() && is_covered(folder_part(folder));
        let roots = kustomized.iter().filter(|(folder, _)| !is_root(folder)).map(|(_, path)| *path);
        self.follow(roots.collect(), &visible, &kustomized, &mut selected);
        selected
    }

    /// What kustomizations list: files, and folders with a kustomization of their own.
    fn follow(
        &mut self,
        mut left: Vec<&'a String>,
        visible: &BTreeSet<&'a String>,
        kustomized: &BTreeMap<&'a str, &'a String>,
        selected: &mut BTreeSet<&'a String>,
    ) {
        let mut seen = BTreeSet::new();
        while let Some(path) = left.pop() {
            if !seen.insert(path) {
                continue;
            }
            for (resource, location) in self.resources(path) {
                let wanted = resolve(folder_part(path), &resource);
                let problem = match wanted {
                    None => Diagnostic::error(format!("resource `{resource}` is outside of what is read"))
                        .help("list files and folders below the pointer's path"),
                    Some(wanted) => {
                        if let Some(file) = visible.get(&wanted) {
                            selected.insert(*file);
                            continue;
                        }
                        if let Some(inner) = kustomized.get(&*wanted) {
                            left.push(inner);
                            continue;
                        }
                        let text = format!(
                            "resource `{resource}` is neither a YAML file nor a folder with a kustomization.yaml"
                        );
                        Diagnostic::error(text)
                            .help("correct the path, remove it from `resources`, or stop excluding it")
                    }
                };
                self.problems.push(problem.at(location));
            }
        }
    }

    fn resources(&mut self, path: &str) -> Vec<(String, Location)> {
        let file = self.file_name(path);
        let found = self.read([path.to_owned()].iter().collect());
        let mut resources = Vec::new();
        for (_, node) in &found {
            let NodeKind::Mapping(entries) = &node.kind else {
                let problem = Diagnostic::error("a kustomization must be a mapping");
                self.problem(
                    path,
                    problem.help("list the files under `resources:`, or remove the kustomization"),
                );
                continue;
            };
            for (key, value) in entries.iter() {
                match (scalar(key), &value.kind) {
                    (Some("apiVersion" | "kind" | "metadata"), _) => {}
                    (Some("resources"), NodeKind::Sequence(items)) => {
                        for item in items.iter() {
                            let place = Location::new(&file, item.start);
                            match scalar(item) {
                                Some(path) => resources.push((path.to_owned(), place)),
                                None => self.problems.push(
                                    Diagnostic::error("a resource must be the path of a file or folder")
                                        .help("write the path as text")
                                        .at(place),
                                ),
                            }
                        }
                    }
                    (Some("resources"), NodeKind::Scalar { text, .. }) if text.is_empty() => {}
                    (Some("resources"), _) => self.problems.push(
                        Diagnostic::error("`resources` must be a list")
                            .help("write each path on a line of its own, after a dash")
                            .at(Location::new(&file, value.start)),
                    ),
                    (name, _) => self.problems.push(
                        Diagnostic::error(format!(
                            "this kustomization does more than list `resources`: `{}` is not supported",
                            name.unwrap_or("?")
                        ))
                        .help("write the objects out, or remove the kustomization")
                        .at(Location::new(&file, key.start)),
                    ),
                }
            }
        }
        resources
    }

    fn ignores(&mut self) -> Ignores {
        let mut levels = Vec::new();
        for path in self.source.files.keys().filter(|path| file_part(path) == IGNORE_FILE) {
            let text = match self.text(path) {
                Ok(text) => text,
                Err(problem) => {
                    self.problems.push(Diagnostic { severity: Severity::Error, ..problem });
                    continue;
                }
            };
            let mut builder = GitignoreBuilder::new("");
            for (number, line) in text.lines().enumerate() {
                if let Err(error) = builder.add_line(None, &literal_braces(line)) {
                    let file = FileName { prefix: self.source.prefix.clone(), path: path.as_str().into() };
                    let location = Location { file, line: number as u32 + 1, column: 1 };
                    self.problems.push(
                        Diagnostic::error(format!("not a gitignore pattern: {error}"))
                            .help("correct the pattern, or remove the line")
                            .at(location),
                    );
                }
            }
            match builder.build() {
                Ok(level) => levels.push((folder_part(path).to_owned(), level)),
                Err(error) => {
                    let problem = Diagnostic::error(format!("cannot be used: {error}"));
                    self.problem(path, problem.help("use fewer or shorter patterns"));
                }
            }
        }
        levels.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
        Ignores(levels)
    }

    fn read(&mut self, paths: BTreeSet<&String>) -> Vec<(FileName, Node)> {
        let mut documents = Vec::new();
        for path in paths {
            let file = self.file_name(path);
            match self.text(path) {
                Err(problem) => self.problems.push(problem),
                Ok(text) if text.trim_start_matches('\u{feff}').trim().is_empty() => {
                    let problem = Diagnostic::warning("the file is empty");
                    let problem = problem.help("write an object into it, or remove it");
                    self.empty.push(problem.at(Location::start_of(&file)));
                }
                Ok(text) => {
                    let (nodes, error) = goyaml::parse(&text, Limits::default());
                    documents.extend(nodes.into_iter().map(|node| (file.clone(), node)));
                    self.problems.extend(error.map(|error| syntax_error(&file, &text, &error)));
                }
            }
        }
        documents
    }

    fn text(&self, path: &str) -> Result<String, Diagnostic> {
        let start = || Location::start_of(&self.file_name(path));
        match &self.source.files[path] {
            FileContent::Link => Err(Diagnostic::warning("a symbolic link is not followed")
                .help("put the file itself there; clusters do not follow links either")
                .at(start())),
            FileContent::TooLarge(bytes) => Err(Diagnostic::error(format!(
                "the file has {bytes} bytes; at most {MAX_FILE_BYTES} are read"
            ))
            .help("split it, or exclude it with a `.sourceignore`")
            .at(start())),
            FileContent::Unreadable(reason) => {
                Err(Diagnostic::error(format!("cannot be read: {reason}")).at(start()))
            }
            FileContent::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(text.to_owned()),
                Err(error) => {
                    let before = &bytes[..error.valid_up_to()];
                    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
                    let row = before.rsplit(|byte| *byte == b'\n').next().unwrap_or(before);
                    let column = 1 + String::from_utf8_lossy(row).chars().count();
                    Err(Diagnostic::error("not UTF-8 text").help("save the file as UTF-8").at(Location {
                        file: self.file_name(path),
                        line: line as u32,
                        column: column as u32,
                    }))
                }
            },
        }
    }
}

/// Braces stand for themselves in git's patterns; the matcher would take them for alternatives.
fn literal_braces(line: &str) -> String {
    let mut literal = String::with_capacity(line.len());
    let mut is_escaped = false;
    for character in line.chars() {
        if matches!(character, '{' | '}') && !is_escaped {
            literal.push('\\');
        }
        is_escaped = character == '\\' && !is_escaped;
        literal.push(character);
    }
    literal
}

/// `.sourceignore` files, the deepest first.
struct Ignores(Vec<(String, Gitignore)>);

impl Ignores {
    fn excludes(&self, path: &str) -> bool {
        let levels = self.0.iter().filter(|(folder, _)| is_below(path, folder));
        for (folder, level) in levels {
            let inside = path[folder.len()..].trim_start_matches('/');
            match level.matched_path_or_any_parents(inside, false) {
                Match::None => {}
                found => return found.is_ignore(),
            }
        }
        false
    }
}

/// Whether a node says nothing: `null`, `~`, or no text at all.
pub(crate) fn is_null(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Scalar { .. }) && node.to_value() == Value::Null
}

/// The entry of a mapping that has this name, key and value.
pub(crate) fn entry<'n>(node: &'n Node, name: &str) -> Option<&'n (Node, Node)> {
    let NodeKind::Mapping(entries) = &node.kind else { return None };
    entries.iter().find(|(key, _)| scalar(key) == Some(name))
}

/// The text of a scalar, before it is given a type.
pub(crate) fn scalar(node: &Node) -> Option<&str> {
    match &node.kind {
        NodeKind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

fn file_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn folder_part(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A folder, the one that it stands in, and so on up to the root.
fn folders_up(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |folder| (!folder.is_empty()).then(|| folder_part(folder)))
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// `relative` as seen from `folder`; nothing if it leaves the tree.
fn resolve(folder: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') || relative.contains("://") {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(files: &[(&str, &str)]) -> Source {
        let bytes = |text: &str| FileContent::Bytes(text.as_bytes().into());
        Source {
            prefix: "".into(),
            files: files.iter().map(|(path, text)| (path.to_string(), bytes(text))).collect(),
        }
    }

    fn read(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let found = documents(&source(files));
        (
            found.documents.iter().map(|(file, _)| file.to_string()).collect(),
            found.problems.iter().map(Diagnostic::to_string).collect(),
        )
    }

    #[test]
    fn names_that_were_meant_otherwise() {
        let cases = [
            ("a.yaml", None, "as it should be"),
            ("a.yml", None, "the other one"),
            ("a.yalm", Some("a.yaml"), "a slip"),
            ("a.YAML", Some("a.yaml"), "capitals"),
            ("a.yaml.txt", Some("a.yaml"), "what an editor adds"),
            ("a.xml", None, "another language"),
            ("a.txt", None, "text"),
            ("yaml", None, "no extension"),
            (".sourceignore", None, "ours"),
        ];
        for (name, want, why) in cases {
            assert_eq!(meant_name(name).as_deref(), want, "{why}: {name}");
        }
    }

    #[test]
    fn what_counts() {
        let cases: [(&[(&str, &str)], &[&str], &str); 8] = [
            (
                &[("a.yaml", "a: 1"), ("b/c.yml", "a: 1"), ("d.txt", "a: 1")],
                &["a.yaml", "b/c.yml"],
                "by ending",
            ),
            (
                &[(".github/a.yaml", "a: 1"), ("x/.git/a.yaml", "a: 1"), (".environments/dev.yaml", "a: 1")],
                &[],
                "dot-folders",
            ),
            (
                &[
                    (".sourceignore", "/skip\n*.yml\n"),
                    ("skip/a.yaml", "a: 1"),
                    ("b.yml", "a: 1"),
                    ("c/skip/a.yaml", "a: 1"),
                ],
                &["c/skip/a.yaml"],
                "anchored and unanchored patterns",
            ),
            (
                &[
                    (".sourceignore", "*.yaml"),
                    ("keep/.sourceignore", "!*.yaml"),
                    ("a.yaml", "a: 1"),
                    ("keep/b.yaml", "a: 1"),
                ],
                &["keep/b.yaml"],
                "the deeper file decides",
            ),
            (
                &[
                    ("kustomization.yaml", "resources: [a.yaml, sub]"),
                    ("a.yaml", "a: 1"),
                    ("b.yaml", "a: 1"),
                    ("sub/kustomization.yaml", "resources:\n- c.yaml"),
                    ("sub/c.yaml", "a: 1"),
                    ("sub/d.yaml", "a: 1"),
                ],
                &["a.yaml", "sub/c.yaml"],
                "a kustomization limits the read, folders included",
            ),
            (
                &[
                    ("x/kustomization.yml", "resources: [a.yaml]"),
                    ("x/a.yaml", "a: 1"),
                    ("x/b.yaml", "a: 1"),
                    ("c.yaml", "a: 1"),
                ],
                &["c.yaml", "x/a.yaml"],
                "a kustomization further down limits its own folder",
            ),
            (
                &[("kustomization.yaml", "resources:\n"), ("a.yaml", "a: 1")],
                &[],
                "an empty list reads nothing",
            ),
            (
                &[("a.yaml", "---\n# nothing\n---\na: 1\n---\nb: 1\n")],
                &["a.yaml", "a.yaml"],
                "several documents, empty ones left out",
            ),
        ];
        for (files, want, why) in cases {
            let (found, problems) = read(files);
            assert_eq!(found, want, "{why}");
            assert_eq!(problems, [""; 0], "{why}");
        }
    }

    #[test]
    fn what_is_wrong() {
        let cases: [(&[(&str, &str)], &str); 4] = [
            (
                &[("kustomization.yaml", "resources: [a.yaml]\npatches: []")],
                "kustomization.yaml:2:1: error: this kustomization does more than list `resources`: `patches` is not supported",
            ),
            (
                &[("kustomization.yaml", "resources:\n- ../a.yaml")],
                "kustomization.yaml:2:3: error: resource `../a.yaml` is outside of what is read",
            ),
            (
                &[("kustomization.yaml", "resources:\n- gone.yaml")],
                "kustomization.yaml:2:3: error: resource `gone.yaml` is neither a YAML file nor a folder with a kustomization.yaml",
            ),
            (&[("a.yaml", "a:\n\tb: 1")], "a.yaml:2:1: error: not YAML"),
        ];
        for (files, want) in cases {
            let problems = read(files).1;
            assert!(
                problems.iter().any(|problem| problem.starts_with(want)),
                "{problems:?} should have {want}"
            );
        }
    }

    #[test]
    fn odd_files() {
        let mut source = source(&[]);
        source.files.insert("bad.yaml".into(), FileContent::Bytes((*b"a: 1\nb: \xff\n").into()));
        source.files.insert("huge.yaml".into(), FileContent::TooLarge(9 << 20));
        source.files.insert("link.yaml".into(), FileContent::Link);
        let problems: Vec<String> = documents(&source).problems.iter().map(Diagnostic::to_string).collect();
        let starts = [
            "bad.yaml:2:4: error: not UTF-8",
            "huge.yaml:1:1: error: the file has 9437184",
            "link.yaml:1:1: warning: a symbolic link",
        ];
        assert_eq!(problems.len(), starts.len());
        for (problem, start) in problems.iter().zip(starts) {
            assert!(problem.starts_with(start), "{problem}");
        }
    }
}
