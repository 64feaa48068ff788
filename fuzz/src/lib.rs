//! What each fuzz target does with its input, and what must hold whatever the input is.
//!
//! The targets of `fuzz_targets/` call these functions, and so does `tests/fuzz_corpus.rs`, which replays
//! `corpus/` on stable Rust. An input has parts, each below a line `=== TITLE`.

use std::borrow::Cow;

use fleet::{ControlPlane, FileContent, ManifestChecks, Outcome, RepoPath, Snapshot, Source, Tree};
use gotmpl::{Str, Template};
use goyaml::{Limits, Mark, Node, NodeKind, Value};

const ENVIRONMENT: &str = "dev";

/// One assignment, to the templates `subject`.
const PLATFORM: &str = "\
apiVersion: scheduler.kalypso.io/v1alpha1
kind: ClusterType
metadata: {name: large, labels: {region: west}}
spec: {reconciler: arc-flux, namespaceService: default, configType: subject}
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: SchedulingPolicy
metadata: {name: everywhere}
spec: {deploymentTargetSelector: {}, clusterTypeSelector: {}}
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: Workload
metadata: {name: app, labels: {type: application}}
spec:
  deploymentTargets:
  - {name: test, environment: dev, labels: {purpose: test}, manifests: {repo: r, branch: b, path: p}}
";

/// Files become objects, assignments and a tree. Title: the file's path.
///
/// Every problem must point into a file that exists.
pub fn objects(data: &[u8]) {
    let source = source(parts(data));
    let plane = control_plane(&source);
    let outcome = fleet::compute(plane, ManifestChecks::Warn);
    let placement = outcome.place(&Tree::default(), &RepoPath::default());
    for problem in outcome.problems().chain(&placement.problems) {
        let Some(location) = &problem.location else { continue };
        let Some(FileContent::Bytes(bytes)) = source.files.get(&*location.file.path) else { continue };
        let lines =
            String::from_utf8_lossy(bytes).split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
        let (line, column) = (location.line as usize, location.column);
        assert!((1..=lines).contains(&line) && column >= 1, "{lines} lines; {problem:?}");
    }
}

/// A template of the engine `go` and YAML data. Titles: `template`, `data`.
///
/// Limits hold, and the same input gives the same bytes.
pub fn go_template(data: &[u8]) {
    let parts = parts(data);
    let Ok(template) = Template::parse(&text(&parts, "template")) else { return };
    let data = goyaml::read(&text(&parts, "data")).unwrap_or_default();
    let data = gotmpl::Value::dict([(Str::from("ConfigData"), gotmpl::Value::from_yaml(&data))].into());
    let limits =
        gotmpl::Limits { steps: 100_000, output_bytes: 1 << 20, value_bytes: 16 << 20, ..Default::default() };
    let first = template.render(&data, limits);
    if let Ok(output) = &first {
        assert!(output.len() <= limits.output_bytes, "{} bytes of output", output.len());
    }
    assert_eq!(first, template.render(&data, limits), "the same input gives the same bytes");
}

/// A template of the engine `jinja` and a ConfigMap. Titles: `template`, then keys of the ConfigMap.
pub fn jinja_template(data: &[u8]) {
    let parts = parts(data);
    let spec = map([
        ("type", "config".into()),
        ("engine", "jinja".into()),
        ("manifests", Value::Seq(vec![(&*text(&parts, "template")).into()])),
    ]);
    let template = object("scheduler.kalypso.io/v1alpha1", "Template", "subject", "spec", spec);
    let config = parts.iter().filter(|(title, _)| title != "template");
    let outcome = compute(&[template, config_map("config", config)]);
    assert_eq!(outcome.packages.len(), 1, "one assignment, rendered or held");
}

/// ConfigMaps that apply together, one a part; each line `KEY=YAML`, where `\n` is a line break.
///
/// Every value names the layers that made it, and the composed config prints as YAML that reads the same.
pub fn config_merge(data: &[u8]) {
    let parts = parts(data);
    let maps = parts.iter().enumerate().map(|(number, (_, body))| {
        let body = String::from_utf8_lossy(body);
        let entries: Vec<(Cow<'_, str>, Vec<u8>)> = body
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (key.to_owned().into(), value.replace("\\n", "\n").into_bytes()))
            .collect();
        config_map(&format!("layer-{number:03}"), entries.iter().map(|(key, value)| (key.clone(), &**value)))
    });
    let maps: Vec<String> = maps.collect();
    let outcome = compute(&maps);
    for config in &outcome.configs {
        for (key, value) in &config.values {
            assert!(value.layers.is_sorted(), "layers apply in order");
            assert!(
                value.layers.iter().all(|layer| outcome.layers[*layer as usize].values.contains_key(key))
            );
            reads_back(&value.value);
        }
    }
}

/// A YAML text. Everything is where it says, and what is read prints as YAML that reads the same.
pub fn yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (documents, error) = goyaml::parse(text, Limits::default());
    for document in &documents {
        check_marks(text, document);
    }
    if let Some(error) = &error {
        check_mark(text, error.at);
    }
    if let Ok(value) = goyaml::read(text) {
        reads_back(&value);
    }
    for document in &documents {
        if let Ok(value) = document.value() {
            reads_back(&value);
        }
    }
}

/// A JSON Schema and the config that it judges. Titles: `schema`, then keys of the ConfigMap.
pub fn json_schema(data: &[u8]) {
    let parts = parts(data);
    let spec = map([("schema", (&*text(&parts, "schema")).into())]);
    let schema = object("scheduler.kalypso.io/v1alpha1", "ConfigSchema", "subject", "spec", spec);
    let config = parts.iter().filter(|(title, _)| title != "schema");
    let outcome = compute(&[schema, config_map("config", config)]);
    assert_eq!(outcome.packages.len(), 1, "one assignment, valid or held");
}

/// `.sourceignore` files and paths. Title: the folder of a `.sourceignore`; `paths`: one a line.
///
/// What is read is a manifest outside of dot-folders, whatever the patterns say.
pub fn source_ignore(data: &[u8]) {
    let parts = parts(data);
    let ignores = parts.iter().filter(|(title, _)| title != "paths").filter_map(|(folder, body)| {
        let folder = RepoPath::new(folder).ok()?;
        Some((Cow::Owned(folder.join(".sourceignore")), *body))
    });
    let source = source(ignores);
    for path in text(&parts, "paths").lines().filter_map(|line| RepoPath::new(line).ok()) {
        let path = path.as_str();
        if fleet::would_read(&source, path) {
            let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
            assert!(path.ends_with(".yaml") || path.ends_with(".yml"), "{path:?}");
            assert!(!folders.split('/').any(|folder| folder.starts_with('.')), "{path:?}");
        }
    }
}

type Part<'a> = (Cow<'a, str>, &'a [u8]);

fn parts(data: &[u8]) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let (mut title, mut start, mut at) = (Cow::Borrowed(""), 0, 0);
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if let Some(next) = line.strip_prefix(b"=== ") {
            parts.push((title, &data[start..at]));
            (title, start) = (String::from_utf8_lossy(next.trim_ascii()), at + line.len());
        }
        at += line.len();
    }
    parts.push((title, &data[start..]));
    // What stands before the first title belongs to nothing, if it is nothing.
    if parts.len() > 1 && parts[0].1.is_empty() {
        parts.remove(0);
    }
    parts
}

fn text<'a>(parts: &[Part<'a>], title: &str) -> Cow<'a, str> {
    let body = parts.iter().find(|part| part.0 == title).map_or(&[][..], |part| part.1);
    String::from_utf8_lossy(body)
}

fn source<'a>(files: impl IntoIterator<Item = Part<'a>>) -> Source {
    let file = |(path, body): Part<'a>| {
        let path = RepoPath::new(&path).ok().filter(|path| !path.is_root())?;
        Some((path.as_str().to_owned(), FileContent::Bytes(body.into())))
    };
    Source { prefix: "".into(), files: files.into_iter().filter_map(file).collect() }
}

/// Every pointer leads back to the same files.
fn control_plane(source: &Source) -> ControlPlane {
    let mut snapshot = Snapshot::new(source);
    loop {
        let wants = snapshot.wants();
        if wants.is_empty() {
            return snapshot.control_plane(ENVIRONMENT);
        }
        for want in wants {
            snapshot.add(&want, Ok(source.clone()));
        }
    }
}

fn compute(objects: &[String]) -> Outcome {
    let file =
        [PLATFORM].into_iter().chain(objects.iter().map(String::as_str)).collect::<Vec<_>>().join("---\n");
    fleet::compute(control_plane(&source([("platform.yaml".into(), file.as_bytes())])), ManifestChecks::Error)
}

fn object(version: &str, kind: &str, name: &str, field: &str, value: Value) -> String {
    let labels = map([("platform-config", "true".into())]);
    goyaml::print(&map([
        ("apiVersion", version.into()),
        ("kind", kind.into()),
        ("metadata", map([("name", name.into()), ("labels", labels)])),
        (field, value),
    ]))
}

fn config_map<'a>(
    name: &str,
    entries: impl IntoIterator<Item = impl std::borrow::Borrow<Part<'a>>>,
) -> String {
    let entry = |part: &Part<'_>| (Value::from(&*part.0), Value::from(&*String::from_utf8_lossy(part.1)));
    let data = entries.into_iter().map(|part| entry(part.borrow())).collect();
    object("v1", "ConfigMap", name, "data", Value::Map(data))
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn check_marks(text: &str, node: &Node) {
    check_mark(text, node.start);
    check_mark(text, node.end);
    assert!(node.start.offset <= node.end.offset, "{:?}", node.start);
    match &node.kind {
        NodeKind::Scalar { text: scalar, .. } => {
            for (number, line) in scalar.split('\n').enumerate() {
                let _ = node.locate(number as u32 + 1, line.chars().count() as u32 + 1);
            }
        }
        NodeKind::Sequence(items) => items.iter().for_each(|item| check_marks(text, item)),
        NodeKind::Mapping(entries) => entries.iter().for_each(|(key, value)| {
            check_marks(text, key);
            check_marks(text, value);
        }),
    }
}

fn check_mark(text: &str, mark: Mark) {
    assert!(text.is_char_boundary(mark.offset), "{mark:?}");
    assert!(mark.line >= 1 && mark.column >= 1, "{mark:?}");
}

fn reads_back(value: &Value) {
    let Some(want) = printed(value) else { return };
    for text in [goyaml::print(value), goyaml::print_compact(value)] {
        let again = goyaml::read(&text);
        assert!(again.is_ok(), "{value:?} was printed as {text:?}: {again:?}");
        if let Some(again) = again.ok().and_then(|again| printed(&again)) {
            assert_eq!(again, want, "printed as {text:?}");
        }
    }
}

/// What can be told from print: whole floats look like integers. `None` where Go's own printing is not faithful:
/// a text of several lines that begins with space, the text `<<`, or keys that only differ as numbers.
fn printed(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e20 => {
            let whole = *number as i128;
            i64::try_from(whole)
                .map(Value::Int)
                .or(u64::try_from(whole).map(Value::Uint))
                .unwrap_or(value.clone())
        }
        Value::Str(text) if text.starts_with(char::is_whitespace) || &**text == "<<" => return None,
        Value::Seq(items) => Value::Seq(items.iter().map(printed).collect::<Option<_>>()?),
        Value::Map(entries) => {
            let entry = |(key, item)| Some((printed(key)?, printed(item)?));
            let map: goyaml::Map = entries.iter().map(entry).collect::<Option<_>>()?;
            if map.len() < entries.len() {
                return None;
            }
            Value::Map(map)
        }
        other => other.clone(),
    })
}
