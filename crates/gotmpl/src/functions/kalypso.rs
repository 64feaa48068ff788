//! The functions that Kalypso adds to those of sprig.

use super::arguments::{any, fixed};
use super::dates;
use super::deep::{descend, take_steps};
use super::semver::VersionObject;
use crate::{Budget, Elem, Function, Object, Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("hash", &[Type::Any], |budget, arguments| {
        Ok(hash(budget, any(arguments, 0)?, 0)?.to_string().into())
    }),
    fixed("stringify", &[Type::Any], |budget, arguments| Ok(stringify(budget, any(arguments, 0)?)?.into())),
    fixed("toYaml", &[Type::Any], |budget, arguments| Ok(to_yaml(budget, any(arguments, 0)?)?.into())),
    fixed("unquote", &[Type::Any], |_, arguments| Ok(unquote(any(arguments, 0)?))),
];

/// YAML without its final line break.
fn to_yaml(budget: &mut Budget, value: &Value) -> Result<String, String> {
    let mut text = document(budget, value)?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// YAML with its final line break.
fn document(budget: &mut Budget, value: &Value) -> Result<String, String> {
    let text = match value {
        // The fields of a struct stand in their own order, not in that of a map.
        Value::Struct(data) if !data.fields.is_empty() => {
            let mut text = String::new();
            for (name, value) in &data.fields {
                let field = [(goyaml::Value::from(&*name.to_lowercase()), value.to_yaml(budget)?)];
                text.push_str(&goyaml::print(&goyaml::Value::Map(field.into())));
            }
            text
        }
        _ => goyaml::print(&value.to_yaml(budget)?),
    };
    budget.take(text.len())?;
    Ok(text)
}

/// As `toYaml`, after the lists and maps right within a map became strings of YAML themselves.
///
/// Maps that were parsed from a configuration value have keys of any type: these stay maps.
fn stringify(budget: &mut Budget, value: &Value) -> Result<String, String> {
    let Value::Map(Elem::Any, map) = value else {
        return to_yaml(budget, value);
    };
    let mut entries = (*map.snapshot()).clone();
    for value in entries.values_mut() {
        if matches!(value, Value::List(Elem::Any, _) | Value::Map(Elem::Any, _)) {
            *value = document(budget, value)?.into();
        }
    }
    to_yaml(budget, &Value::dict(entries))
}

/// A string without the space, the `"` and then the `'` around it; anything else gives nothing.
fn unquote(value: &Value) -> Value {
    let Value::Str(text) = value else {
        return "".into();
    };
    let is_quote = |quote: u8| move |byte: u8| byte == quote;
    let trimmed = super::runes::trim(text.as_bytes(), char::is_whitespace);
    trim_bytes(trim_bytes(trimmed, is_quote(b'"')), is_quote(b'\'')).into()
}

fn trim_bytes(bytes: &[u8], cut: impl Fn(u8) -> bool) -> &[u8] {
    let start = bytes.iter().position(|byte| !cut(*byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !cut(*byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// The hash that mitchellh/hashstructure v1 gives: FNV-1 over scalars, and over the hashes of what a
/// list, a map or a struct holds. The order of entries does not matter, so they are joined by XOR.
fn hash(budget: &mut Budget, value: &Value, depth: usize) -> Result<u64, String> {
    take_steps(budget, 1)?;
    let depth = descend(depth)?;
    Ok(match value {
        Value::Nil => fnv(&0i64.to_le_bytes()),
        Value::Bool(flag) => fnv(&[u8::from(*flag)]),
        Value::Int(number) | Value::Int64(number) => fnv(&number.to_le_bytes()),
        Value::Int32(number) => fnv(&number.to_le_bytes()),
        Value::Uint8(number) => fnv(&[*number]),
        Value::Uint64(number) => fnv(&number.to_le_bytes()),
        Value::Float(number) => fnv(&number.to_bits().to_le_bytes()),
        Value::Str(text) => fnv(text.as_bytes()),
        Value::List(_, items) => {
            let mut sum = 0;
            for item in items.iter() {
                sum = ordered(sum, hash(budget, item, depth)?);
            }
            sum
        }
        Value::Map(_, map) => {
            let mut sum = 0;
            for (key, value) in map.snapshot().iter() {
                sum ^= ordered(fnv(key.as_bytes()), hash(budget, value, depth)?);
            }
            sum
        }
        Value::AnyMap(map) => {
            let mut sum = 0;
            for (key, value) in map.snapshot().iter() {
                sum ^= ordered(hash(budget, &Value::from_yaml(key), depth)?, hash(budget, value, depth)?);
            }
            sum
        }
        Value::Struct(data) => {
            let mut sum = fnv(short_name(data.type_name));
            for (name, value) in &data.fields {
                sum ^= ordered(fnv(name.as_bytes()), hash(budget, value, depth)?);
            }
            sum
        }
        Value::Object(object) => hash_object(object.as_ref())?,
    })
}

/// Numbers that have methods are numbers; a version exports no field, so only its type's name is left.
fn hash_object(object: &dyn Object) -> Result<u64, String> {
    if let Some(number) = dates::number(object) {
        return Ok(fnv(&number.to_le_bytes()));
    }
    if object.as_any().is::<VersionObject>() {
        return Ok(fnv(short_name(object.type_name())));
    }
    Err(format!("a {} has no hash", object.type_name()))
}

/// The name of a type without its package.
fn short_name(name: &str) -> &[u8] {
    name.rsplit_once('.').map_or(name, |(_, name)| name).as_bytes()
}

fn ordered(one: u64, other: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&one.to_le_bytes());
    bytes[8..].copy_from_slice(&other.to_le_bytes());
    fnv(&bytes)
}

/// FNV-1 with 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x100_0000_01b3;
    bytes.iter().fold(OFFSET, |hash, byte| hash.wrapping_mul(PRIME) ^ u64::from(*byte))
}
