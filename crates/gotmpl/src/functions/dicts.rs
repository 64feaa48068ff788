//! Maps with string keys. They are references: `set`, `unset` and merging change the map itself.

use std::collections::BTreeMap;

use super::arguments::{any, fixed, text, variadic};
use super::deep::{check_cycle, deep_copy};
use super::merge::{Mode, merge};
use super::strings::string_of;
use crate::{Budget, Function, MapRef, Str, Type, Value};

const DICT: Type = Type::Dict;

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("dict", &[], Type::Any, new),
    fixed("set", &[DICT, Type::Str, Type::Any], set),
    fixed("unset", &[DICT, Type::Str], unset),
    fixed("hasKey", &[DICT, Type::Str], |_, arguments| {
        let key = text(arguments, 1)?;
        Ok(Value::Bool(dict(any(arguments, 0)?)?.is_some_and(|dict| dict.get(key).is_some())))
    }),
    variadic("pluck", &[Type::Str], DICT, pluck),
    variadic("keys", &[], DICT, keys),
    fixed("values", &[DICT], values),
    variadic("pick", &[DICT], Type::Str, |budget, arguments| {
        filter(budget, arguments, |key, chosen| chosen.contains(&key))
    }),
    variadic("omit", &[DICT], Type::Str, |budget, arguments| {
        filter(budget, arguments, |key, chosen| !chosen.contains(&key))
    }),
    variadic("merge", &[DICT], DICT, |budget, arguments| merge_all(budget, arguments, Mode::Fill)),
    variadic("mergeOverwrite", &[DICT], DICT, |budget, arguments| {
        merge_all(budget, arguments, Mode::Overwrite)
    }),
    fixed("deepCopy", &[Type::Any], |budget, arguments| match any(arguments, 0)? {
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".into()),
        value => deep_copy(budget, value, 0),
    }),
];

pub(super) const REFUSED: &[(&str, &str)] = &[];

/// A map; `None` where the template gave `nil`, which Go takes for an empty map.
fn dict(value: &Value) -> Result<Option<&MapRef<Str>>, String> {
    match value {
        Value::Map(_, map) => Ok(Some(map)),
        Value::Nil => Ok(None),
        _ => Err("an argument is not a map".into()),
    }
}

fn take_entries(budget: &mut Budget, count: usize) -> Result<(), String> {
    budget.take(count.saturating_mul(size_of::<(Str, Value)>()))
}

fn new(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    take_entries(budget, arguments.len().div_ceil(2))?;
    let mut entries = BTreeMap::new();
    for pair in arguments.chunks(2) {
        let key = pair.first().map(string_of).unwrap_or_default();
        budget.take(key.len())?;
        entries.insert(key, pair.get(1).cloned().unwrap_or_else(|| "".into()));
    }
    Ok(Value::dict(entries))
}

fn set(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let (key, value) = (text(arguments, 1)?, any(arguments, 2)?);
    let map = dict(any(arguments, 0)?)?.ok_or("assignment to entry in nil map")?;
    take_entries(budget, 1)?;
    check_cycle(budget, map.address(), value)?;
    map.insert(key.clone(), value.clone());
    any(arguments, 0).cloned()
}

fn unset(_: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let key = text(arguments, 1)?;
    match dict(any(arguments, 0)?)? {
        Some(map) => {
            map.remove(key);
            any(arguments, 0).cloned()
        }
        None => Ok(Value::dict(BTreeMap::new())),
    }
}

fn pluck(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let key = text(arguments, 0)?;
    let mut found = Vec::new();
    for argument in arguments.iter().skip(1) {
        found.extend(dict(argument)?.and_then(|dict| dict.get(key)));
    }
    budget.take(size_of_val(found.as_slice()))?;
    Ok(Value::list(found))
}

/// Sorted for each map, where Go gives any order.
fn keys(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let mut keys: Vec<Str> = Vec::new();
    for argument in arguments {
        if let Some(dict) = dict(argument)? {
            take_entries(budget, dict.len())?;
            keys.extend(dict.snapshot().keys().cloned());
        }
    }
    Ok(Value::strings(keys))
}

/// In the order of the keys, where Go gives any order.
fn values(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let values = match dict(any(arguments, 0)?)? {
        Some(dict) => dict.snapshot().values().cloned().collect(),
        None => Vec::new(),
    };
    budget.take(size_of_val(values.as_slice()))?;
    Ok(Value::list(values))
}

fn filter(
    budget: &mut Budget,
    arguments: &[Value],
    keep: fn(&Str, &[&Str]) -> bool,
) -> Result<Value, String> {
    let chosen = (1..arguments.len()).map(|at| text(arguments, at)).collect::<Result<Vec<_>, _>>()?;
    let Some(dict) = dict(any(arguments, 0)?)? else { return Ok(Value::dict(BTreeMap::new())) };
    let kept: BTreeMap<_, _> = dict
        .snapshot()
        .iter()
        .filter(|(key, _)| keep(key, &chosen))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    take_entries(budget, kept.len())?;
    Ok(Value::dict(kept))
}

/// Merges the other arguments into the first, one after the other, and gives the first.
fn merge_all(budget: &mut Budget, arguments: &[Value], mode: Mode) -> Result<Value, String> {
    let into = match any(arguments, 0)? {
        Value::Nil => Value::dict(BTreeMap::new()),
        map => map.clone(),
    };
    for from in arguments.iter().skip(1) {
        merge(budget, &into, from, mode)?;
    }
    Ok(into)
}
