//! The promoted commit in what people wrote: found wherever it stands, changed without touching another byte.

use std::sync::Arc;

use goyaml::{Limits, Node, NodeKind, Style, Value};

use crate::diagnostic::{Diagnostic, FileName, Location};
use crate::objects::{BaseRepo, GROUP, Object, RepoRef, VERSION};
use crate::parse::{self, Parsed, is_full_commit_id};
use crate::plane::PROMOTED_BASE;
use crate::snapshot::in_environment;
use crate::source::{self, FileContent, Source, entry, is_null, scalar, would_read};

/// The file that is made where nothing names the promoted commit yet.
const NEW_FILE: &str = "base-repo.yaml";
const FIELD: &str = "commit";

/// What it takes to promote a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// Nothing: it is promoted
    Already,
    /// This file
    Edit(Edit),
}

/// A file that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Its path in the source
    pub path: String,
    /// Its whole text
    pub text: String,
}

/// A change of a text: what stands between two offsets gives way.
struct Replacement {
    from: usize,
    to: usize,
    by: String,
}

/// The BaseRepo of the promoted commit, if the content of an environment's branch has one.
///
/// Problems of other objects are of no concern, unless they may be what hides it. A commit that is no full id is
/// wrong: whether another one is older could not be told.
pub fn promoted_base(source: &Source) -> Result<Option<BaseRepo>, Vec<Diagnostic>> {
    let Some((base, node)) = find(source)? else { return Ok(None) };
    let Some(commit) = base.commit.as_deref().filter(|commit| !is_full_commit_id(commit)) else {
        return Ok(Some(base));
    };
    let value = entry(&node, "spec").and_then(|(_, spec)| entry(spec, FIELD));
    let place = value.map_or(node.start, |(_, value)| value.start);
    let problem =
        Diagnostic::error(format!("`{commit}` is no full commit id, so that nothing tells what is older"))
            .help("write all of its 40 hexadecimal digits");
    Err(vec![problem.at(Location::new(&base.meta.location.file, place))])
}

/// Puts `commit` into the BaseRepo `main`; where there is none, into a new one for `base`.
pub fn promote_base(source: &Source, commit: &str, base: &RepoRef) -> Result<Promotion, Vec<Diagnostic>> {
    let Some((found, node)) = find(source)? else { return create(source, commit, base).map(Promotion::Edit) };
    if found.commit.as_deref().is_some_and(|there| there.eq_ignore_ascii_case(commit)) {
        return Ok(Promotion::Already);
    }
    let file = &found.meta.location.file;
    let text = source.text(&file.path).unwrap_or_default();
    let edited = replacement(text, &node, commit).map(|Replacement { from, to, by }| {
        [text.get(..from).unwrap_or_default(), &by, text.get(to..).unwrap_or_default()].concat()
    });
    match edited.filter(|edited| changes_only_the_commit(text, edited, &node, commit)) {
        Some(text) => Ok(Promotion::Edit(Edit { path: file.path.to_string(), text })),
        None => Err(vec![too_intricate(file, &node, commit)]),
    }
}

fn find(source: &Source) -> Result<Option<(BaseRepo, Node)>, Vec<Diagnostic>> {
    let objects = parse::objects(source::documents(source), in_environment);
    let promoted = |Parsed { object, node }| match object {
        Object::BaseRepo(base) if base.meta.name == PROMOTED_BASE => Some((base, node)),
        _ => None,
    };
    let mut bases: Vec<(BaseRepo, Node)> = objects.objects.into_iter().filter_map(promoted).collect();
    match (bases.pop(), bases.first()) {
        (Some((last, _)), Some((first, _))) => {
            let text = format!(
                "the BaseRepo `{PROMOTED_BASE}` stands twice; the other is at {}",
                first.meta.location
            );
            let problem = Diagnostic::error(text).help("remove one of them");
            Err(vec![problem.at(last.meta.location)])
        }
        (Some(found), None) => Ok(Some(found)),
        (None, _) => {
            // It may be in what cannot be read.
            let errors: Vec<_> = objects.problems.into_iter().filter(Diagnostic::is_error).collect();
            if errors.is_empty() { Ok(None) } else { Err(errors) }
        }
    }
}

fn create(source: &Source, commit: &str, base: &RepoRef) -> Result<Edit, Vec<Diagnostic>> {
    let refuse = |text: &str, help: &str| {
        let file = FileName { prefix: source.prefix.clone(), path: NEW_FILE.into() };
        let problem = Diagnostic::error(format!("there is no BaseRepo `{PROMOTED_BASE}`, and {text}"));
        Err(vec![problem.help(help).at(Location::start_of(&file))])
    };
    if source.files.contains_key(NEW_FILE) {
        let help = format!("add a BaseRepo `{PROMOTED_BASE}` to the environment's branch");
        return refuse("the file for it holds something else", &help);
    }
    if !would_read(source, NEW_FILE) {
        let help =
            format!("list {NEW_FILE} in kustomization.yaml, or stop excluding it with `.sourceignore`");
        return refuse("a file for it would not be read", &help);
    }
    let text = |text: &str| Value::Str(text.into());
    let map = |entries: Vec<(&str, Value)>| {
        Value::Map(entries.into_iter().map(|(key, value)| (text(key), value)).collect())
    };
    let path = base.path.to_string();
    let spec = [("repo", &*base.repo), ("branch", &base.branch), ("path", &path), (FIELD, commit)];
    let object = map(vec![
        ("apiVersion", text(&format!("{GROUP}/{VERSION}"))),
        ("kind", text("BaseRepo")),
        ("metadata", map(vec![("name", text(PROMOTED_BASE))])),
        ("spec", map(spec.into_iter().map(|(key, value)| (key, text(value))).collect())),
    ]);
    Ok(Edit { path: NEW_FILE.to_owned(), text: goyaml::print_compact(&object) })
}

/// What has to change in the text of a BaseRepo's file; nothing where that is not clear.
fn replacement(text: &str, base: &Node, commit: &str) -> Option<Replacement> {
    let (_, spec) = entry(base, "spec")?;
    let NodeKind::Mapping(entries) = &spec.kind else { return None };
    match entries.iter().find(|(key, _)| scalar(key) == Some(FIELD)) {
        Some((key, value)) => of_value(text, key, value, commit),
        None => {
            let (key, value) = entries.last()?;
            let new = format!("{}: {}", written(FIELD, style(key)), written(commit, style(key)));
            Some(of_new_entry(text, spec, key.end.offset.max(value.end.offset), &new))
        }
    }
}

/// The commit in the place of what stands there, in its quotes.
fn of_value(text: &str, key: &Node, value: &Node, commit: &str) -> Option<Replacement> {
    let (from, end) = (value.start.offset, value.end.offset);
    let there = text.get(from..end)?;
    if there.is_empty() {
        let colon = key.end.offset + text.get(key.end.offset..)?.find(':')?;
        let by = format!(" {}", written(commit, style(key)));
        return (colon < from).then_some(Replacement { from: colon + 1, to: colon + 1, by });
    }
    let style = if is_null(value) { style(key) } else { style(value) };
    // A block's last line break is that of the line that it stands on.
    let to = from + there.trim_end().len();
    Some(Replacement { from, to, by: written(commit, style) })
}

/// A new entry of a mapping behind its last one, which ends at `end`.
fn of_new_entry(text: &str, mapping: &Node, end: usize, new: &str) -> Replacement {
    let insert = |at, by| Replacement { from: at, to: at, by };
    let start = mapping.start.offset;
    if text[start..].starts_with('{') {
        return insert(end, format!(", {new}"));
    }
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let indent = &text[line_start..start];
    let newline = if text[..end].contains("\r\n") || text[end..].starts_with("\r\n") { "\r\n" } else { "\n" };
    // A block ends at the beginning of the line behind it.
    if text[..end].ends_with('\n') {
        return insert(end, format!("{indent}{new}{newline}"));
    }
    match text[end..].find('\n') {
        Some(rest) => insert(end + rest + 1, format!("{indent}{new}{newline}")),
        None => insert(text.len(), format!("{newline}{indent}{new}")),
    }
}

/// A text as it is written in YAML. Digits alone would be a number.
fn written(text: &str, style: Style) -> String {
    let is_text = || matches!(goyaml::read(text), Ok(Value::Str(_)));
    match style {
        Style::SingleQuoted => format!("'{text}'"),
        Style::DoubleQuoted => format!("\"{text}\""),
        Style::Plain | Style::Literal | Style::Folded if is_text() => text.to_owned(),
        Style::Plain | Style::Literal | Style::Folded => format!("\"{text}\""),
    }
}

fn style(node: &Node) -> Style {
    match node.kind {
        NodeKind::Scalar { style, .. } => style,
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => Style::Plain,
    }
}

fn too_intricate(file: &FileName, base: &Node, commit: &str) -> Diagnostic {
    let place = entry(base, "spec").map_or(base.start, |(key, _)| key.start);
    Diagnostic::error("the promoted commit cannot be changed without changing something else")
        .help(format!(
            "write `{FIELD}: {}` below `spec`, without anchors and aliases",
            written(commit, Style::Plain)
        ))
        .at(Location::new(file, place))
}

/// What a node says, wherever and however it is written.
#[derive(PartialEq)]
enum Meaning {
    Scalar(Option<Arc<str>>, Value),
    Sequence(Option<Arc<str>>, Vec<Meaning>),
    Mapping(Option<Arc<str>>, Vec<(Meaning, Meaning)>),
}

/// Whether two texts say the same but for the commit of the BaseRepo that `base` is in the first.
fn changes_only_the_commit(before: &str, after: &str, base: &Node, commit: &str) -> bool {
    let (old, _) = goyaml::parse(before, Limits::default());
    let (new, error) = goyaml::parse(after, Limits::default());
    let begins = base.start.offset;
    let meanings =
        |documents: &[Node]| documents.iter().map(|node| meaning(node, begins)).collect::<Vec<_>>();
    let has_commit = |node: &Node| {
        let spec = entry(node, "spec").map(|(_, spec)| spec);
        let there = spec.and_then(|spec| entry(spec, FIELD)).map(|(_, value)| value.to_value());
        there.as_ref().and_then(Value::as_str) == Some(commit)
    };
    let is_there =
        new.iter().any(|document| any(document, &|node| is_base(node, begins) && has_commit(node)));
    error.is_none() && is_there && meanings(&old) == meanings(&new)
}

/// What is before a BaseRepo's spec never moves, so that it is known by where it begins.
fn is_base(node: &Node, begins: usize) -> bool {
    node.start.offset == begins && matches!(node.kind, NodeKind::Mapping(_))
}

fn any(node: &Node, is_it: &impl Fn(&Node) -> bool) -> bool {
    is_it(node)
        || match &node.kind {
            NodeKind::Scalar { .. } => false,
            NodeKind::Sequence(items) => items.iter().any(|item| any(item, is_it)),
            NodeKind::Mapping(entries) => {
                entries.iter().any(|(key, value)| any(key, is_it) || any(value, is_it))
            }
        }
}

/// What a node says, without the commit of the BaseRepo that begins at an offset.
fn meaning(node: &Node, base_begins: usize) -> Meaning {
    let of = |node: &Node| meaning(node, base_begins);
    let tag = node.tag.clone();
    match &node.kind {
        NodeKind::Scalar { .. } => Meaning::Scalar(tag, node.to_value()),
        NodeKind::Sequence(items) => Meaning::Sequence(tag, items.iter().map(of).collect()),
        NodeKind::Mapping(entries) => {
            let one = |(key, value): &(Node, Node)| {
                let said = match (is_base(node, base_begins) && scalar(key) == Some("spec"), of(value)) {
                    (true, Meaning::Mapping(tag, mut entries)) => {
                        let name = Value::Str(FIELD.into());
                        entries.retain(|(key, _)| !matches!(key, Meaning::Scalar(_, text) if *text == name));
                        Meaning::Mapping(tag, entries)
                    }
                    (_, said) => said,
                };
                (of(key), said)
            };
            Meaning::Mapping(tag, entries.iter().map(one).collect())
        }
    }
}

impl Source {
    fn text(&self, path: &str) -> Option<&str> {
        match self.files.get(path)? {
            FileContent::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            FileContent::Link | FileContent::TooLarge(_) | FileContent::Unreadable(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RepoPath;

    const COMMIT: &str = "beefbeefbeefbeefbeefbeefbeefbeefbeefbeef";
    /// Without quotes it would be a number.
    const DIGITS: &str = "1234567890123456789012345678901234567890";

    fn source(files: &[(&str, &str)]) -> Source {
        let file =
            |(path, text): &(&str, &str)| ((*path).to_owned(), FileContent::Bytes(text.as_bytes().into()));
        Source { prefix: "".into(), files: files.iter().map(file).collect() }
    }

    fn base() -> RepoRef {
        let repo = "https://github.com/contoso/platform".to_owned();
        RepoRef { repo, branch: "main".to_owned(), path: RepoPath::default() }
    }

    /// Promotes a commit in a file, and gives the file's text or what is wrong.
    fn promoted(text: &str, commit: &str) -> String {
        match promote_base(&source(&[("a/b.yaml", text)]), commit, &base()) {
            Ok(Promotion::Already) => "already".to_owned(),
            Ok(Promotion::Edit(edit)) => {
                assert_eq!(edit.path, "a/b.yaml");
                edit.text
            }
            Err(problems) => problems.iter().map(Diagnostic::to_string).collect::<Vec<_>>().join("\n"),
        }
    }

    /// A BaseRepo whose spec is `spec`.
    fn with_spec(spec: &str) -> String {
        format!(
            "apiVersion: scheduler.kalypso.io/v1alpha1\nkind: BaseRepo\nmetadata:\n  name: main\nspec:{spec}"
        )
    }

    #[test]
    fn every_other_byte_is_kept() {
        let is = "  repo: https://x/y\n  branch: main\n  path: .\n";
        let block = |commit: &str| format!("\n{is}{commit}");
        let table: &[(String, String, &str)] = &[
            (block("  commit: abc # why\n"), block("  commit: COMMIT # why\n"), "a comment behind"),
            (block("  commit: 'abc'\n"), block("  commit: 'COMMIT'\n"), "single quotes"),
            (block("  commit: \"abc\"\n"), block("  commit: \"COMMIT\"\n"), "double quotes"),
            (block("  commit: \"a\\\n    bc\"\n"), block("  commit: \"COMMIT\"\n"), "over two lines"),
            (block("  commit: |-\n    abc\n# x\n"), block("  commit: COMMIT\n# x\n"), "a literal block"),
            (block("  commit: >\n    abc\n\n"), block("  commit: COMMIT\n\n"), "a folded block"),
            (block("  commit: |\n    abc"), block("  commit: COMMIT"), "a block at the end"),
            (block("  commit:\n"), block("  commit: COMMIT\n"), "nothing"),
            (
                block("  commit: # none yet\n"),
                block("  commit: COMMIT # none yet\n"),
                "nothing but a comment",
            ),
            (block("  commit:"), block("  commit: COMMIT"), "nothing at the end"),
            (block("  commit : \n"), block("  commit : COMMIT \n"), "spaces around the colon"),
            (block("  commit: null\n"), block("  commit: COMMIT\n"), "null"),
            (block("  commit: ~\n"), block("  commit: COMMIT\n"), "a tilde"),
            (block("  commit: ''\n"), block("  commit: 'COMMIT'\n"), "an empty text"),
            (block("  \"commit\": null\n"), block("  \"commit\": \"COMMIT\"\n"), "a quoted key"),
            (block("  commit: !!str abc\n"), block("  commit: !!str COMMIT\n"), "a tag"),
            (block("  commit: &c abc\n"), block("  commit: &c COMMIT\n"), "an anchor that nobody uses"),
            (block(""), block("  commit: COMMIT\n"), "a new entry"),
            (
                block("\n# end\n---\na: 1\n"),
                block("  commit: COMMIT\n\n# end\n---\na: 1\n"),
                "before what follows",
            ),
            (
                "\n    repo: r\n    branch: b\n    path: p # last".to_owned(),
                "\n    repo: r\n    branch: b\n    path: p # last\n    commit: COMMIT".to_owned(),
                "a new entry at the end",
            ),
            (
                "\n  repo: r\n  path: .\n  branch: |-\n    b\nstatus: {}\n".to_owned(),
                "\n  repo: r\n  path: .\n  branch: |-\n    b\n  commit: COMMIT\nstatus: {}\n".to_owned(),
                "a new entry behind a block",
            ),
            (
                "\n  \"repo\": \"r\"\n  \"branch\": \"b\"\n  \"path\": \".\"\n".to_owned(),
                "\n  \"repo\": \"r\"\n  \"branch\": \"b\"\n  \"path\": \".\"\n  \"commit\": \"COMMIT\"\n"
                    .to_owned(),
                "a new entry among quoted ones",
            ),
            (
                " {repo: r, branch: b, path: .}\n".to_owned(),
                " {repo: r, branch: b, path: ., commit: COMMIT}\n".to_owned(),
                "flow style",
            ),
            (
                " { repo: r, commit: abc, branch: b, path: '.' }\n".to_owned(),
                " { repo: r, commit: COMMIT, branch: b, path: '.' }\n".to_owned(),
                "in the middle",
            ),
            (
                " {\n  repo: r, # where\n  branch: b,\n  path: '.', # all\n}\n".to_owned(),
                " {\n  repo: r, # where\n  branch: b,\n  path: '.', commit: COMMIT, # all\n}\n".to_owned(),
                "over lines, with a last comma",
            ),
            (
                " {repo: r, branch: b, path: ., commit: }\n".to_owned(),
                " {repo: r, branch: b, path: ., commit: COMMIT }\n".to_owned(),
                "nothing, in flow style",
            ),
        ];
        for (before, after, why) in table {
            assert_eq!(
                promoted(&with_spec(before), COMMIT),
                with_spec(&after.replace("COMMIT", COMMIT)),
                "{why}"
            );
            let (before, after) =
                (with_spec(before).replace('\n', "\r\n"), with_spec(after).replace('\n', "\r\n"));
            assert_eq!(promoted(&before, COMMIT), after.replace("COMMIT", COMMIT), "{why}, CRLF");
            let (before, after) = (format!("\u{feff}# é\r\n{before}"), format!("\u{feff}# é\r\n{after}"));
            assert_eq!(promoted(&before, COMMIT), after.replace("COMMIT", COMMIT), "{why}, BOM");
            let again = promoted(&promoted(&before, COMMIT), COMMIT);
            assert_eq!(again, "already", "{why}");
        }
    }

    #[test]
    fn a_commit_of_digits_alone_stays_a_text() {
        let is = "\n  repo: r\n  branch: b\n  path: .\n";
        for (commit, want) in [
            ("", format!("  commit: \"{DIGITS}\"\n")),
            ("  commit: abc\n", format!("  commit: \"{DIGITS}\"\n")),
            ("  commit: 'abc'\n", format!("  commit: '{DIGITS}'\n")),
        ] {
            assert_eq!(
                promoted(&with_spec(&format!("{is}{commit}")), DIGITS),
                with_spec(&format!("{is}{want}"))
            );
        }
    }

    #[test]
    fn it_is_found_wherever_it_stands() {
        let main = with_spec("\n  repo: r\n  branch: b\n  path: .\n  commit: abc\n");
        let other = main.replace("name: main", "name: other");
        let done = main.replace("abc", COMMIT);
        let documents = format!("# one\n{other}---\n{main}---\na: {{b: abc}}\n");
        assert_eq!(promoted(&documents, COMMIT), format!("# one\n{other}---\n{done}---\na: {{b: abc}}\n"));
        let item = |text: &str| format!("- {}", text.trim_end().replace('\n', "\n  "));
        let list = |item: &str| format!("apiVersion: v1\nkind: List\nitems:\n- {{a: 1}}\n{item}\n");
        assert_eq!(promoted(&list(&item(&main)), COMMIT), list(&item(&done)));
        let short = with_spec("\n  repo: r\n  branch: b\n  path: .\n");
        let got = promoted(&list(&item(&short)), COMMIT);
        assert_eq!(got, list(&item(&format!("{short}  commit: {COMMIT}\n"))), "indented by the list");
        let json = r#"{"apiVersion": "scheduler.kalypso.io/v1alpha1", "kind": "BaseRepo", "metadata": {"name": "main"},
            "spec": {"repo": "r", "branch": "b", "path": "."}}"#;
        let want = json.replace(r#""."}"#, &format!(r#"".", "commit": "{COMMIT}"}}"#));
        assert_eq!(promoted(json, COMMIT), want, "JSON stays JSON");
        assert_eq!(promoted(&done, &COMMIT.to_uppercase()), "already");
    }

    #[test]
    fn what_cannot_be_changed_alone_is_refused() {
        let is = "\n  repo: r\n  branch: b\n  path: .\n";
        let refused =
            "a/b.yaml:5:1: error: the promoted commit cannot be changed without changing something else";
        let whole = with_spec(&format!("{is}  commit: abc\n"));
        let broken = "a/b.yaml:12:1: error: not YAML";
        let table = [
            (with_spec(&format!("{is}  commit: &c abc\nstatus: {{was: *c}}\n")), refused, "used elsewhere"),
            (
                format!(
                    "was: &c abc\n---\n{}",
                    with_spec(" &s {repo: r, branch: b, path: .}\nstatus: {is: *s}\n")
                ),
                "a/b.yaml:7:1: error: the promoted commit cannot be changed",
                "a spec that is used elsewhere",
            ),
            (with_spec(" {repo: r, branch: b, path: ., commit}\n"), refused, "a key without a colon"),
            (
                with_spec(" repo\n"),
                "a/b.yaml:5:7: error: `spec` must be a mapping",
                "a BaseRepo that is none",
            ),
            (format!("{whole}---\n{whole}"), "error: the BaseRepo `main` stands twice", "two of them"),
            (format!("{}---\na: [\n", whole.replace("main", "other")), broken, "it may be in what is broken"),
        ];
        for (text, want, why) in table {
            let got = promoted(&text, COMMIT);
            assert!(got.contains(want), "{why}: {got}");
        }
    }

    #[test]
    fn what_an_environment_has_is_a_full_commit_id() {
        let spec = |commit: &str| format!("\n  repo: r\n  branch: b\n  path: .\n{commit}");
        let short = "a.yaml:9:11: error: `beefbee` is no full commit id";
        for (commit, want, why) in [
            (format!("  commit: {COMMIT}\n"), Ok(Some(COMMIT)), "a full id"),
            (String::new(), Ok(None), "none"),
            ("  commit: ''\n".to_owned(), Ok(None), "an empty one"),
            ("  commit: beefbee\n".to_owned(), Err(short), "a short one could be any"),
            ("  commit: main\n".to_owned(), Err("`main` is no full commit id"), "a branch moves"),
        ] {
            let found = promoted_base(&source(&[("a.yaml", &with_spec(&spec(&commit)))]));
            match (found, want) {
                (Ok(found), Ok(want)) => assert_eq!(found.unwrap().commit.as_deref(), want, "{why}"),
                (Err(problems), Err(want)) => {
                    assert!(problems[0].to_string().contains(want), "{why}: {problems:?}");
                }
                (got, _) => panic!("{why}: {got:?}"),
            }
        }
    }

    #[test]
    fn a_file_is_made_where_there_is_none() {
        let made = format!(
            "apiVersion: scheduler.kalypso.io/v1alpha1\nkind: BaseRepo\nmetadata:\n  name: main\nspec:\n  \
             branch: main\n  commit: {COMMIT}\n  path: .\n  repo: https://github.com/contoso/platform\n"
        );
        let other = with_spec("\n  repo: r\n  branch: b\n  path: .\n").replace("name: main", "name: other");
        let table: &[(&[(&str, &str)], Result<&str, &str>, &str)] = &[
            (&[], Ok(&made), "nothing at all"),
            (&[("a.yaml", &other)], Ok(&made), "another BaseRepo"),
            (&[(".hidden/a.yaml", &made)], Ok(&made), "one that is not read"),
            (
                &[("base-repo.yaml", &other)],
                Err("the file for it holds something else"),
                "its place is taken",
            ),
            (&[("kustomization.yaml", "resources: []\n")], Err("would not be read"), "a list without it"),
            (&[(".sourceignore", "base-*\n")], Err("would not be read"), "it would be excluded"),
        ];
        for (files, want, why) in table {
            match (promote_base(&source(files), COMMIT, &base()), want) {
                (Ok(Promotion::Edit(Edit { path, text })), Ok(want)) => {
                    assert_eq!((path.as_str(), text.as_str()), ("base-repo.yaml", *want), "{why}");
                    let again = source(&[("base-repo.yaml", &text)]);
                    let read = promoted_base(&again).unwrap().unwrap();
                    assert_eq!((read.commit.as_deref(), read.at), (Some(COMMIT), base()), "{why}");
                }
                (Err(problems), Err(want)) => {
                    assert!(problems[0].message.contains(want), "{why}: {problems:?}")
                }
                (got, _) => panic!("{why}: {got:?}"),
            }
        }
    }
}
