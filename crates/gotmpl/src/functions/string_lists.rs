//! Strings to lists and maps of strings, and back.

use std::collections::BTreeMap;

use memchr::memmem;

use super::arguments::{any, fixed, int, text};
use super::runes;
use super::strings::string_of;
use crate::{Budget, Elem, Function, MapRef, Str, Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("join", &[Type::Str, Type::Any], |budget, arguments| {
        let separator = text(arguments, 0)?;
        let strings = strings_of(any(arguments, 1)?);
        let gaps = strings.len().saturating_sub(1).saturating_mul(separator.len());
        budget.take(strings.iter().fold(gaps, |sum, text| sum.saturating_add(text.len())))?;
        let parts: Vec<&[u8]> = strings.iter().map(Str::as_bytes).collect();
        Ok(parts.join(separator.as_bytes()).into())
    }),
    fixed("sortAlpha", &[Type::Any], |_, arguments| {
        let list = any(arguments, 0)?;
        if !matches!(list, Value::List(..)) {
            return Ok(Value::strings([string_of(list)]));
        }
        if let Value::List(Elem::Str, items) = list
            && items.is_empty()
        {
            return Ok(list.clone());
        }
        let mut strings = strings_of(list);
        strings.sort();
        Ok(Value::strings(strings))
    }),
    fixed("split", &[Type::Str, Type::Str], |budget, arguments| {
        Ok(numbered(parts(budget, text(arguments, 0)?, text(arguments, 1)?, -1)?))
    }),
    fixed("splitList", &[Type::Str, Type::Str], |budget, arguments| {
        Ok(Value::strings(parts(budget, text(arguments, 0)?, text(arguments, 1)?, -1)?))
    }),
    fixed("splitn", &[Type::Str, Type::Int, Type::Str], |budget, arguments| {
        Ok(numbered(parts(budget, text(arguments, 0)?, text(arguments, 2)?, int(arguments, 1)?)?))
    }),
    fixed("toStrings", &[Type::Any], |_, arguments| {
        Ok(match any(arguments, 0)? {
            strings @ Value::List(Elem::Str, _) => strings.clone(),
            value => Value::strings(strings_of(value)),
        })
    }),
];

/// What a string in a list takes besides its bytes, about.
pub(super) const PER_STRING: usize = 64;

/// The elements of a list, without `nil`, as strings; anything else is a list of one.
pub(super) fn strings_of(value: &Value) -> Vec<Str> {
    match value {
        Value::Nil => Vec::new(),
        Value::List(_, items) => {
            items.iter().filter(|item| !matches!(item, Value::Nil)).map(string_of).collect()
        }
        _ => vec![string_of(value)],
    }
}

/// `_0`, `_1` … to the parts.
fn numbered(parts: Vec<Str>) -> Value {
    let entries: BTreeMap<Str, Value> = parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| (format!("_{index}").into(), Value::Str(part)))
        .collect();
    Value::Map(Elem::Str, MapRef::new(entries))
}

/// At most `limit` parts, all if it is negative; without a separator, the runes.
fn parts(budget: &mut Budget, separator: &Str, text: &Str, limit: i64) -> Result<Vec<Str>, String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit == 0 {
        return Ok(Vec::new());
    }
    let (mut rest, separator) = (text.as_bytes(), separator.as_bytes());
    let mut parts: Vec<Str> = Vec::new();
    let mut take = |bytes: usize| budget.take(bytes.saturating_add(PER_STRING));
    if separator.is_empty() {
        while let Some((rune, size)) = runes::first(rest) {
            take(size)?;
            if parts.len() + 1 == limit || size == rest.len() {
                parts.push(rest.into());
                break;
            }
            parts.push(rune.encode_utf8(&mut [0; 4]).as_bytes().into());
            rest = &rest[size..];
        }
        return Ok(parts);
    }
    while parts.len() + 1 < limit
        && let Some(at) = memmem::find(rest, separator)
    {
        take(at)?;
        parts.push(rest[..at].into());
        rest = &rest[at + separator.len()..];
    }
    take(rest.len())?;
    parts.push(rest.into());
    Ok(parts)
}
