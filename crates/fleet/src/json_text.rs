//! JSON as it was written: where a part of it stands, and which keywords of a schema are misspelt.

use goyaml::{Limits, Mark, Node, NodeKind};

use crate::diagnostic::slip_of;
use crate::objects::SchemaText;
use crate::source::scalar;

/// What draft 7 knows, what came before and after it, and what OpenAPI adds.
const KEYWORDS: [&str; 66] = [
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$recursiveAnchor",
    "$recursiveRef",
    "$ref",
    "$schema",
    "$vocabulary",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "deprecated",
    "description",
    "discriminator",
    "else",
    "enum",
    "example",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "format",
    "id",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "nullable",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "readOnly",
    "required",
    "then",
    "title",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
];

/// Keywords that hold schemas by names of their own.
const MAPS: [&str; 6] =
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];
/// Keywords that hold data, not schemas.
const DATA: [&str; 8] =
    ["const", "default", "dependentRequired", "discriminator", "enum", "example", "examples", "externalDocs"];
/// Keywords that other words are near to.
const NEAR_OTHERS: [&str; 2] = ["else", "then"];

/// Where the value of a JSON pointer stands in `text`.
pub(crate) fn place(text: &str, pointer: &str) -> Option<Mark> {
    let mut node = root(text)?;
    for part in pointer.split('/').skip(1) {
        let name = part.replace("~1", "/").replace("~0", "~");
        node = match &node.kind {
            NodeKind::Mapping(entries) => {
                entries.iter().find(|(key, _)| scalar(key) == Some(&name)).map(|(_, value)| value.clone())?
            }
            NodeKind::Sequence(items) => items.get(name.parse::<usize>().ok()?)?.clone(),
            NodeKind::Scalar { .. } => return None,
        };
    }
    Some(node.start)
}

/// The names of a schema's own `properties`.
pub(crate) fn properties(schema: &SchemaText) -> Vec<String> {
    let json: serde_json::Value = serde_json::from_str(&schema.text).unwrap_or_default();
    let properties = json.get("properties").and_then(serde_json::Value::as_object);
    properties.into_iter().flat_map(serde_json::Map::keys).cloned().collect()
}

/// A keyword of a schema that nobody knows, and the one that is nearly called so.
pub(crate) struct Misspelt {
    pub(crate) name: String,
    pub(crate) meant: &'static str,
    pub(crate) place: Mark,
}

/// The misspelt keywords of a schema: a validator ignores what it does not know.
pub(crate) fn misspelt_keywords(text: &str) -> Vec<Misspelt> {
    let mut found = Vec::new();
    if let Some(root) = root(text) {
        of_schema(&root, &mut found);
    }
    found
}

/// JSON is YAML.
fn root(text: &str) -> Option<Node> {
    let (documents, error) = goyaml::parse(text, Limits::default());
    documents.into_iter().next().filter(|_| error.is_none())
}

fn of_schema(schema: &Node, found: &mut Vec<Misspelt>) {
    match &schema.kind {
        NodeKind::Sequence(items) => items.iter().for_each(|item| of_schema(item, found)),
        NodeKind::Mapping(entries) => {
            for (key, value) in entries.iter() {
                let name = scalar(key).unwrap_or_default();
                let meant = misspelt(name);
                found.extend(meant.map(|meant| Misspelt { name: name.to_owned(), meant, place: key.start }));
                match &value.kind {
                    // What nobody knows may hold anything.
                    _ if DATA.contains(&name) || meant.is_none() && !KEYWORDS.contains(&name) => {}
                    NodeKind::Mapping(inner) if MAPS.contains(&name) => {
                        inner.iter().for_each(|(_, schema)| of_schema(schema, found));
                    }
                    _ => of_schema(value, found),
                }
            }
        }
        NodeKind::Scalar { .. } => {}
    }
}

/// Of the shortest keywords, too much is near.
fn misspelt(name: &str) -> Option<&'static str> {
    let is_free = KEYWORDS.contains(&name) || DATA.contains(&name);
    let candidates =
        KEYWORDS.into_iter().filter(|keyword| keyword.len() > 3 && !NEAR_OTHERS.contains(keyword));
    if is_free { None } else { slip_of(name, candidates) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let text = "{\n  \"a\": [1, {\"b/c\": true}],\n\t\"d\": \"é\", \"e\": null\n}\n";
        let cases = [
            ("", Some((1, 1)), "the whole"),
            ("/a", Some((2, 8)), "a key"),
            ("/a/1/b~1c", Some((2, 20)), "inside of a list, with an escape"),
            ("/e", Some((3, 17)), "columns are characters"),
            ("/a/2", None, "beyond the end"),
            ("/a/x", None, "no index"),
            ("/d/x", None, "below a text"),
        ];
        for (pointer, want, why) in cases {
            let found = place(text, pointer).map(|mark| (mark.line, mark.column));
            assert_eq!(found, want, "{why}: {pointer}");
        }
        assert_eq!(place("{", ""), None, "no JSON");
    }

    #[test]
    fn keywords() {
        let cases = [
            (r#"{"requird": []}"#, "requird required 1:2", "at the top"),
            (r#"{"properties": {"requird": {"maximun": 3}}}"#, "maximun maximum 1:29", "names are free"),
            (r#"{"anyOf": [{"itms": {"tpye": "x"}}]}"#, "itms items 1:13 tpye type 1:22", "in lists"),
            (r#"{"default": {"tpye": 1}, "enum": [{"tpye": 1}]}"#, "", "data"),
            (r#"{"x-unit": "s", "note": "n", "example": 1, "id": "i"}"#, "", "extensions"),
            (r#"{"x-form": {"tpye": 1}, "form": 1, "when": 1, "time": 1, "case": 1}"#, "", "annotations"),
            (r#"{"discriminator": {"propertyName": "kind"}}"#, "", "data of another dialect"),
            ("true", "", "a schema that is no object"),
        ];
        for (text, want, why) in cases {
            let found = misspelt_keywords(text);
            let shown = found
                .iter()
                .map(|it| format!("{} {} {}:{}", it.name, it.meant, it.place.line, it.place.column));
            assert_eq!(shown.collect::<Vec<_>>().join(" "), want, "{why}: {text}");
        }
    }
}
