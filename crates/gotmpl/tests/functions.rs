//! Every function against what Go prints, and the documentation against the code.
//!
//! The files in `functions/` hold one case in two lines: a template, then `= ` and its output, or
//! `! ` and a part of the error. In outputs `\n`, `\t`, `\r`, `\\` and `\xHH` are escapes. A line
//! `@ KEY TEXT` gives all cases of its file a value of `.ConfigData`, as the YAML text of a ConfigMap.
//! Empty lines and lines that begin with `#` are comments.

#![allow(clippy::disallowed_methods, reason = "tests read their data from files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use gotmpl::{Limits, Str, Struct, Template, Value, functions};

struct Case {
    place: String,
    template: String,
    want: Result<Vec<u8>, String>,
    values: Vec<(String, String)>,
}

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/functions");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    files.iter().flat_map(|file| cases_of(file)).collect()
}

fn cases_of(file: &Path) -> Vec<Case> {
    let text = read(file);
    let name = file.file_name().unwrap_or_default().display().to_string();
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut values = Vec::new();
    let mut cases = Vec::new();
    while let Some((number, line)) = lines.next() {
        let place = format!("{name}:{}", number + 1);
        if let Some(value) = line.strip_prefix("@ ") {
            let (key, text) = value.split_once(' ').unwrap_or_else(|| panic!("{place}: no value"));
            values.push((key.to_owned(), text.to_owned()));
            continue;
        }
        let (_, want) = lines.next().unwrap_or_else(|| panic!("{place}: no result"));
        let want = match want.split_at_checked(2) {
            Some(("= ", output)) => Ok(unescaped(output)),
            Some(("! ", message)) => Err(message.to_owned()),
            _ if want == "=" => Ok(Vec::new()),
            _ => panic!("{place}: the next line is no result: {want}"),
        };
        cases.push(Case { place, template: line.to_owned(), want, values: Vec::new() });
    }
    for case in &mut cases {
        case.values.clone_from(&values);
    }
    cases
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let (byte, length) = match after.as_bytes() {
            [b'n', ..] => (b'\n', 1),
            [b't', ..] => (b'\t', 1),
            [b'r', ..] => (b'\r', 1),
            [b'\\', ..] => (b'\\', 1),
            [b'x', ..] => (u8::from_str_radix(&after[1..3], 16).expect("two hexadecimal digits"), 3),
            _ => panic!("no escape: \\{after}"),
        };
        bytes.push(byte);
        rest = &after[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

fn strings(pairs: &[(&str, &str)]) -> Value {
    let entries: BTreeMap<Str, Value> =
        pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    Value::Map(gotmpl::Elem::Str, entries.into())
}

/// The data of an assignment; a value of the configuration that is no map and no list stays text.
fn data(values: &[(String, String)]) -> Value {
    let config = values.iter().map(|(key, text)| {
        let value = match goyaml::read(text) {
            Ok(parsed @ (goyaml::Value::Map(_) | goyaml::Value::Seq(_))) => Value::from_yaml(&parsed),
            _ => text.as_str().into(),
        };
        (Str::from(key.as_str()), value)
    });
    Value::Struct(Arc::new(Struct {
        type_name: "scheduler.dataType",
        fields: vec![
            ("DeploymentTargetName", "app-test".into()),
            ("Namespace", "dev-c1-app-test".into()),
            ("Environment", "dev".into()),
            ("Workspace", "ws".into()),
            ("Workload", "app".into()),
            ("Labels", strings(&[("region", "east"), ("zone", "1"), ("a.b/c", "x")])),
            ("Manifests", strings(&[("repo", "https://example.com/r"), ("branch", "main"), ("path", "./m")])),
            ("ClusterType", "c1".into()),
            ("ConfigData", Value::dict(config.collect())),
        ],
    }))
}

fn render(template: &str, values: &[(String, String)], limits: Limits) -> Result<Vec<u8>, String> {
    let template = Template::parse(template).map_err(|error| error.message)?;
    template.render(&data(values), limits).map_err(|error| error.message)
}

#[test]
fn functions_give_what_go_gives() {
    let mut wrong = Vec::new();
    for Case { place, template, want, values } in cases() {
        let got = render(&template, &values, Limits::default());
        let right = match (&got, &want) {
            (Ok(got), Ok(want)) => got == want,
            (Err(got), Err(want)) => got.contains(want),
            _ => false,
        };
        if !right {
            let shown = |result: &Result<Vec<u8>, String>| match result {
                Ok(output) => format!("= {}", output.escape_ascii()),
                Err(message) => format!("! {message}"),
            };
            wrong.push(format!("{place}: {template}\n  got  {}\n  want {}", shown(&got), shown(&want)));
        }
    }
    assert!(wrong.is_empty(), "{} cases\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_supported_function_has_a_case() {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let cases = cases();
    let used: BTreeSet<&str> = cases.iter().flat_map(|case| case.template.split(|c| !is_name(c))).collect();
    let missing: Vec<_> = functions::names()
        .into_iter()
        .filter(|name| functions::lookup(name).is_some() && !used.contains(name))
        .collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

/// A row of the documentation's tables: `name`, then an example and its result, or `refused` and why.
struct Row {
    name: String,
    example: String,
    result: String,
}

fn rows() -> Vec<Row> {
    let text = read("../../docs/template-functions.md");
    let cells = text.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    cells
        .map(|line| {
            let mut cells = line.splitn(3, " | ");
            let mut cell = || cells.next().unwrap_or_else(|| panic!("three cells: {line}"));
            let name = cell().trim_end_matches('`').to_owned();
            Row { name, example: cell().to_owned(), result: cell().to_owned() }
        })
        .collect()
}

fn code(cell: &str) -> &str {
    cell.strip_prefix('`')
        .and_then(|cell| cell.strip_suffix('`'))
        .unwrap_or_else(|| panic!("no code: {cell}"))
}

#[test]
fn the_documentation_lists_every_function_once() {
    let mut documented: Vec<_> = rows().into_iter().map(|row| row.name).collect();
    documented.sort();
    assert_eq!(documented, functions::names());
}

#[test]
fn the_documentation_says_what_is_refused_and_why() {
    for Row { name, example, result } in rows() {
        let documented = (example == "refused").then_some(result.as_str());
        assert_eq!(functions::refused(&name), documented, "{name}");
    }
}

#[test]
fn examples_of_the_documentation_give_their_results() {
    for Row { name, example, result } in rows() {
        if example != "refused" {
            let got = render(code(&example), &[], Limits::default())
                .map(|output| String::from_utf8_lossy(&output).into_owned());
            assert_eq!(got.as_deref(), Ok(code(&result)), "{name}");
        }
    }
}

#[test]
fn what_would_exhaust_the_machine_is_refused() {
    const BYTES: &str = "more output than is allowed";
    const STEPS: &str = "more steps than are allowed";
    let text = "{{ $x := repeat 1000000 \"x\" }}";
    // A map that holds one map twice, which holds one map twice, and so on.
    let doubled = "{{ $d := dict }}{{ range until 40 }}{{ $d = dict \"a\" $d \"b\" $d }}{{ end }}";
    let cases = [
        ("", "repeat 9223372036854775807 \"abc\"", BYTES),
        ("", "indent 9223372036854775807 \"a\\nb\"", BYTES),
        ("", "nindent 1000000000 \"a\"", BYTES),
        (text, "replace \"\" $x $x", BYTES),
        (text, "replace \"x\" $x $x", BYTES),
        (text, "regexReplaceAll \"x\" $x $x", BYTES),
        (text, "regexReplaceAllLiteral \"x\" $x $x", BYTES),
        (text, "regexFindAll \"\" $x -1", BYTES),
        (text, "regexSplit \"\" $x -1", BYTES),
        (text, "wrapWith 1 $x $x", BYTES),
        (text, "join $x (splitList \"\" $x)", BYTES),
        (text, "range until 1000 }}{{ b64enc $x | b64enc }}{{ end", BYTES),
        ("", "range until 100 }}{{ derivePassword 1 \"pin\" \"p\" \"u\" \"s\" }}{{ end", STEPS),
        (doubled, "hash $d", STEPS),
        (doubled, "toJson $d", BYTES),
        (doubled, "toPrettyJson $d", BYTES),
        (doubled, "toYaml $d", BYTES),
        (doubled, "stringify $d", BYTES),
    ];
    let limits = Limits { steps: 100_000, value_bytes: 16 << 20, ..Limits::default() };
    for (before, call, want) in cases {
        let got = render(&format!("{before}{{{{ {call} }}}}"), &[], limits);
        let message = got.as_ref().map(Vec::len).map_err(String::as_str);
        assert!(message.is_err_and(|message| message.contains(want)), "{call}: {message:?}");
    }
}
