//! Properties of all texts and values.

use goyaml::{Limits, NodeKind, Value};
use proptest::prelude::*;

/// Pieces that mean something to a YAML scanner.
const PIECES: &[&str] = &[
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    ":",
    ": ",
    "- ",
    "? ",
    ",",
    "[",
    "]",
    "{",
    "}",
    "#",
    " #",
    "\"",
    "'",
    "|",
    ">-\n",
    "&a ",
    "*a",
    "!t ",
    "!!int ",
    "%YAML 1.1\n",
    "---\n",
    "...\n",
    "\\",
    "a",
    "é",
    "1",
    "<<: ",
    "\u{2028}",
    "\u{feff}",
    "\0",
];

fn yamlish() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

/// Text that yaml.v2 reads back as yaml.v3 printed it: not `<<`, and no block scalar that begins with a space or
/// a line break, which yaml.v3 prints wrongly.
fn text() -> impl Strategy<Value = Value> {
    "[ -~éü日\n]{0,12}"
        .prop_filter("printed wrongly by yaml.v3", |text| {
            text != "<<" && !(text.contains('\n') && text.starts_with([' ', '\n']))
        })
        .prop_map(|text| Value::from(text.as_str()))
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => text(),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => any::<i64>().prop_map(Value::Int),
        1 => (1u64 << 63..).prop_map(Value::Uint),
        1 => any::<i32>().prop_map(|n| Value::Float(f64::from(n) + 0.5)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Seq),
            prop::collection::btree_map(scalar(), inner, 0..6).prop_map(Value::Map),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(value in value()) {
        let printed = goyaml::print(&value);
        prop_assert_eq!(goyaml::read(&printed), Ok(value), "{}", printed);
    }

    #[test]
    fn no_text_panics(text in prop_oneof![yamlish(), any::<String>()]) {
        let (documents, _) = goyaml::parse(&text, Limits::default());
        for document in &documents {
            goyaml::print(&document.to_value());
            document.locate(1, 1);
        }
    }

    #[test]
    fn a_node_spans_its_source(text in yamlish()) {
        let (documents, _) = goyaml::parse(&text, Limits::default());
        let mut open = documents;
        while let Some(node) = open.pop() {
            prop_assert!(node.start.offset <= node.end.offset);
            prop_assert!(text.get(node.start.offset..node.end.offset).is_some());
            match &node.kind {
                NodeKind::Scalar { .. } => {}
                NodeKind::Sequence(items) => open.extend(items.iter().cloned()),
                NodeKind::Mapping(entries) => open.extend(entries.iter().flat_map(|(key, value)| [key, value]).cloned()),
            }
        }
    }

    #[test]
    fn values_of_any_kind_are_printed(value in value(), bytes in any::<Vec<u8>>(), text in any::<String>()) {
        let nested = Value::Seq(vec![Value::Binary(bytes.into()), Value::from(text.as_str()), value]);
        prop_assert!(goyaml::print(&Value::Map([(nested.clone(), nested)].into())).ends_with('\n'));
    }
}
