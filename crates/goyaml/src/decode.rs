//! Nodes into values, as `yaml.Unmarshal` of Go's yaml.v2 does into an empty interface.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use crate::scalar::{self, Dialect};
use crate::{Map, Node, NodeKind, ParseError, Style, Value};

const YAML_TAG: &str = "tag:yaml.org,2002:";

/// Go does not mind bits left over in the last character.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

pub(crate) fn value(node: &Node) -> Result<Value, ParseError> {
    match &node.kind {
        NodeKind::Scalar { text, style, .. } => scalar_value(node, text, *style),
        NodeKind::Sequence(items) => Ok(Value::Seq(items.iter().map(value).collect::<Result<_, _>>()?)),
        NodeKind::Mapping(entries) => {
            let mut map = Map::new();
            insert_entries(entries, &mut map)?;
            Ok(Value::Map(map))
        }
    }
}

/// Whether a key asks to merge its value into the mapping.
pub(crate) fn is_merge_key(node: &Node) -> bool {
    let NodeKind::Scalar { text, style, .. } = &node.kind else { return false };
    &**text == "<<"
        && match node.tag.as_deref() {
            None => *style == Style::Plain,
            Some(tag) => tag == "!" || tag.strip_prefix(YAML_TAG) == Some("merge"),
        }
}

/// Every entry overwrites those before it, merged ones too: go-yaml v2 merges where the `<<` stands.
fn insert_entries(entries: &[(Node, Node)], map: &mut Map) -> Result<(), ParseError> {
    for (key, content) in entries {
        if is_merge_key(key) {
            merge(content, map)?;
            continue;
        }
        match value(key)? {
            Value::Seq(_) | Value::Map(_) => {
                return Err(error(key, "a list or a mapping cannot be a key"));
            }
            key => map.insert(key, value(content)?),
        };
    }
    Ok(())
}

fn merge(node: &Node, map: &mut Map) -> Result<(), ParseError> {
    match &node.kind {
        NodeKind::Mapping(entries) => insert_entries(entries, map),
        // Earlier mappings of the list take precedence.
        NodeKind::Sequence(items) => items.iter().rev().try_for_each(|item| match &item.kind {
            NodeKind::Mapping(entries) => insert_entries(entries, map),
            _ => Err(error(item, "map merge requires map or sequence of maps as the value")),
        }),
        NodeKind::Scalar { .. } => {
            Err(error(node, "map merge requires map or sequence of maps as the value"))
        }
    }
}

fn scalar_value(node: &Node, text: &std::sync::Arc<str>, style: Style) -> Result<Value, ParseError> {
    let string = || Value::Str(text.clone());
    let Some(tag) = node.tag.as_deref() else {
        return Ok(match style {
            Style::Plain => keep_text(scalar::resolve(text, Dialect::V2), text),
            _ => string(),
        });
    };
    let Some(kind) = tag.strip_prefix(YAML_TAG) else { return Ok(string()) };
    let plain = || keep_text(scalar::resolve(text, Dialect::V2), text);
    let fitting = match kind {
        "binary" => {
            return binary(text).ok_or_else(|| error(node, "!!binary value contains invalid base64 data"));
        }
        "bool" => Some(plain()).filter(|value| matches!(value, Value::Bool(_))),
        "int" => Some(plain()).filter(|value| matches!(value, Value::Int(_) | Value::Uint(_))),
        "float" => match plain() {
            Value::Int(int) => Some(Value::Float(int as f64)),
            value => Some(value).filter(|value| matches!(value, Value::Float(_))),
        },
        "null" => Some(plain()).filter(|value| matches!(value, Value::Null)),
        "timestamp" => Some(string()).filter(|_| scalar::is_timestamp(text)),
        _ => Some(string()),
    };
    fitting.ok_or_else(|| error(node, &format!("cannot decode `{text:.40}` as a !!{kind}")))
}

/// Shares the text of the node instead of a copy.
fn keep_text(value: Value, text: &std::sync::Arc<str>) -> Value {
    match value {
        Value::Str(_) => Value::Str(text.clone()),
        value => value,
    }
}

fn binary(text: &str) -> Option<Value> {
    let bytes = BASE64.decode(text.replace(['\r', '\n'], "")).ok()?;
    Some(match String::from_utf8(bytes) {
        Ok(text) => Value::Str(text.into()),
        Err(error) => Value::Binary(error.into_bytes().into()),
    })
}

fn error(node: &Node, message: &str) -> ParseError {
    ParseError { message: message.into(), at: node.start }
}
