//! What differs between two versions of a rendered file.

use std::collections::{BTreeMap, BTreeSet};

use goyaml::{Limits, Value};
use similar::{ChangeTag, TextDiff};

/// Larger files are not compared line by line.
const LARGEST: usize = 128 << 10;

/// What differs between two versions of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Values of a ConfigMap
    pub(crate) values: Vec<ValueDifference>,
    /// Lines that go (`-`) and come (`+`), unless values say everything
    pub(crate) lines: Option<String>,
}

/// A key of a ConfigMap whose value differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueDifference {
    pub(crate) key: String,
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
}

/// A file that holds ConfigMaps.
#[derive(Default)]
struct ConfigFile {
    values: BTreeMap<String, Value>,
    /// Everything but the values
    rest: Vec<Value>,
}

/// Compares a rendered config with what stood there before; a missing file is empty.
pub(crate) fn of_config(old: &[u8], new: &[u8]) -> Difference {
    let (Some(before), Some(after)) = (ConfigFile::read(old), ConfigFile::read(new)) else {
        return Difference { values: Vec::new(), lines: lines(old, new) };
    };
    let keys: BTreeSet<&String> = before.values.keys().chain(after.values.keys()).collect();
    let difference = |key: &String| {
        let (old, new) = (before.values.get(key), after.values.get(key));
        let same_text = old.map(text) == new.map(text);
        // What looks the same may be text here and a number there: quotes tell.
        let text = if same_text { quoted } else { text };
        (old != new).then(|| ValueDifference { key: key.clone(), old: old.map(text), new: new.map(text) })
    };
    let values: Vec<ValueDifference> = keys.into_iter().filter_map(difference).collect();
    let is_whole = old.is_empty() || new.is_empty() || before.rest == after.rest;
    let lines = if is_whole && !values.is_empty() { None } else { lines(old, new) };
    Difference { values, lines }
}

/// The lines that go and come between two texts; nothing if they cannot be compared.
pub(crate) fn lines(old: &[u8], new: &[u8]) -> Option<String> {
    if old.len().max(new.len()) > LARGEST {
        return None;
    }
    let (old, new) = (std::str::from_utf8(old).ok()?, std::str::from_utf8(new).ok()?);
    let mut text = String::new();
    for change in TextDiff::from_lines(old, new).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => continue,
        };
        text += &format!("{sign} {}\n", change.value().trim_end_matches(['\r', '\n']));
    }
    Some(text)
}

impl ConfigFile {
    /// Nothing if the text is not YAML, or holds no values, or one key twice.
    fn read(bytes: &[u8]) -> Option<ConfigFile> {
        let mut file = ConfigFile::default();
        if bytes.is_empty() {
            return Some(file);
        }
        let (documents, error) = goyaml::parse(std::str::from_utf8(bytes).ok()?, Limits::default());
        if error.is_some() {
            return None;
        }
        let mut has_values = false;
        for document in &documents {
            let mut value = document.value().ok()?;
            if let Value::Map(map) = &mut value
                && let Some(Value::Map(data)) = map.remove(&"data".into())
            {
                has_values = true;
                for (key, value) in data {
                    let is_twice = file.values.insert(key.as_str()?.to_owned(), value).is_some();
                    if is_twice {
                        return None;
                    }
                }
            }
            file.rest.push(value);
        }
        has_values.then_some(file)
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        other => quoted(other),
    }
}

fn quoted(value: &Value) -> String {
    goyaml::print_compact(value).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configs() {
        let map = |data: &str| format!("kind: ConfigMap\nmetadata:\n  name: c\ndata:\n{data}");
        let value = |key: &str, old: Option<&str>, new: Option<&str>| ValueDifference {
            key: key.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        };
        let cases = [
            (
                map("  A: x\n  B: y\n"),
                map("  A: z\n  B: y\n"),
                vec![value("A", Some("x"), Some("z"))],
                None,
                "one changes",
            ),
            (
                map("  A: x\n"),
                map("  B: x\n"),
                vec![value("A", Some("x"), None), value("B", None, Some("x"))],
                None,
                "one goes, one comes",
            ),
            (String::new(), map("  A: x\n"), vec![value("A", None, Some("x"))], None, "the file is new"),
            (
                map("  A: '5'\n"),
                map("  A: 5\n"),
                vec![value("A", Some("\"5\""), Some("5"))],
                None,
                "text becomes a number",
            ),
            (
                map("  A: x\n"),
                map("  A: 'x'\n"),
                vec![],
                Some("-   A: x\n+   A: 'x'\n"),
                "the same value, written differently",
            ),
            (
                "export A=x\n".into(),
                "export A=y\n".into(),
                vec![],
                Some("- export A=x\n+ export A=y\n"),
                "a script",
            ),
            (map("  A: [\n"), map("  A: x\n"), vec![], Some("-   A: [\n+   A: x\n"), "no YAML"),
            (
                map("  A: x\n"),
                map("  A: z\n").replace("name: c", "name: d"),
                vec![value("A", Some("x"), Some("z"))],
                Some("-   name: c\n+   name: d\n-   A: x\n+   A: z\n"),
                "more than values",
            ),
        ];
        for (old, new, values, lines, why) in cases {
            let want = Difference { values, lines: lines.map(str::to_owned) };
            assert_eq!(of_config(old.as_bytes(), new.as_bytes()), want, "{why}");
        }
    }
}
