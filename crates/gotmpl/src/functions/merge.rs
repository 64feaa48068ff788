//! Merging one map into another, as the library mergo (0.3.12) does it for sprig.

use std::sync::Arc;

use super::deep::{check_cycle, descend, take_steps};
use super::defaults::is_empty;
use crate::{Budget, Elem, MapRef, Str, Value};

/// What happens to a key that has a value already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is set only if the value is empty.
    Fill,
    /// It is set, but a map never replaces anything: what is there stays, or takes the map in.
    Overwrite,
}

/// Changes `into`, and the maps within it, by what `from` has; values are shared, not copied.
pub(super) fn merge(budget: &mut Budget, into: &Value, from: &Value, mode: Mode) -> Result<(), String> {
    merge_values(budget, into, from, mode, 0)
}

fn merge_values(
    budget: &mut Budget,
    into: &Value,
    from: &Value,
    mode: Mode,
    depth: usize,
) -> Result<(), String> {
    let Some(target) = Target::of(into) else { return Ok(()) };
    match from {
        Value::Map(elem, map) => {
            for (key, value) in map.snapshot().iter() {
                merge_entry(budget, &target, Key::Text(key.clone()), *elem, value, mode, depth)?;
            }
            Ok(())
        }
        Value::AnyMap(map) => {
            for (key, value) in map.snapshot().iter() {
                merge_entry(budget, &target, Key::Any(key.clone()), Elem::Any, value, mode, depth)?;
            }
            Ok(())
        }
        Value::Nil => Ok(()),
        _ if mode == Mode::Overwrite => Err("reflect: reflect.Value.Set using unaddressable value".into()),
        _ => Ok(()),
    }
}

fn merge_entry(
    budget: &mut Budget,
    target: &Target,
    key: Key,
    elem: Elem,
    value: &Value,
    mode: Mode,
    depth: usize,
) -> Result<(), String> {
    take_steps(budget, 1)?;
    let old = target.get(&key)?;
    if let Value::Nil = value {
        return match mode {
            Mode::Overwrite => target.set(budget, key, elem, value),
            Mode::Fill => Ok(()),
        };
    }
    let is_map = matches!(value, Value::Map(..) | Value::AnyMap(_));
    let is_struct = matches!(value, Value::Object(object) if matches!(object.kind(), "struct" | "ptr"))
        || matches!(value, Value::Struct(_));
    if let Some(old) = &old
        && (is_map || is_struct)
    {
        merge_values(budget, old, value, mode, descend(depth)?)?;
    }
    let vacant = old.is_none_or(|old| is_empty(&old));
    if vacant || mode == Mode::Overwrite && !is_map {
        target.set(budget, key, elem, value)?;
    }
    Ok(())
}

/// A key, as the map that it comes from types it.
enum Key {
    Text(Str),
    Any(goyaml::Value),
}

/// The map that is changed.
enum Target<'a> {
    Texts(Elem, &'a MapRef<Str>),
    Any(&'a MapRef<goyaml::Value>),
}

impl<'a> Target<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::Map(elem, map) => Some(Target::Texts(*elem, map)),
            Value::AnyMap(map) => Some(Target::Any(map)),
            _ => None,
        }
    }

    fn get(&self, key: &Key) -> Result<Option<Value>, String> {
        match (self, key) {
            (Target::Texts(_, map), Key::Text(key)) => Ok(map.get(key)),
            (Target::Texts(..), Key::Any(_)) => Err(unassignable("MapIndex")),
            (Target::Any(map), Key::Text(key)) => Ok(map.get(&yaml_key(key))),
            (Target::Any(map), Key::Any(key)) => Ok(map.get(key)),
        }
    }

    fn set(&self, budget: &mut Budget, key: Key, elem: Elem, value: &Value) -> Result<(), String> {
        budget.take(size_of::<(Str, Value)>())?;
        match (self, key) {
            (Target::Texts(Elem::Str, _), _) if elem != Elem::Str => return Err(unassignable("SetMapIndex")),
            (Target::Texts(_, map), Key::Text(key)) => {
                check_cycle(budget, map.address(), value)?;
                map.insert(key, value.clone());
            }
            (Target::Texts(..), Key::Any(_)) => return Err(unassignable("MapIndex")),
            (Target::Any(map), key) => {
                check_cycle(budget, map.address(), value)?;
                let key = match key {
                    Key::Text(key) => yaml_key(&key),
                    Key::Any(key) => key,
                };
                map.insert(key, value.clone());
            }
        }
        Ok(())
    }
}

fn unassignable(method: &str) -> String {
    format!("reflect.Value.{method}: value of type interface {{}} is not assignable to type string")
}

fn yaml_key(key: &Str) -> goyaml::Value {
    match std::str::from_utf8(key.as_bytes()) {
        Ok(text) => goyaml::Value::Str(text.into()),
        Err(_) => goyaml::Value::Binary(Arc::from(key.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::print::display;

    fn dict(entries: &[(&str, Value)]) -> Value {
        Value::dict(entries.iter().map(|(key, value)| ((*key).into(), value.clone())).collect())
    }

    fn any_map(key: &str, value: Value) -> Value {
        Value::AnyMap(MapRef::new(BTreeMap::from([(goyaml::Value::Str(key.into()), value)])))
    }

    fn merged(into: &Value, from: &Value, mode: Mode) -> Result<String, String> {
        let mut budget = Budget { steps: 1000, bytes: 10_000 };
        merge(&mut budget, into, from, mode)?;
        Ok(display(into).to_text().into_owned())
    }

    #[test]
    fn maps_are_merged_as_mergo_does() {
        let one = |value: Value| dict(&[("a", value)]);
        let nested = |value: i64| one(one(Value::Int(value)));
        for (into, from, fill, overwrite, why) in [
            (one(Value::Int(1)), one(Value::Int(2)), "map[a:1]", "map[a:2]", "a value"),
            (one(Value::Int(0)), one(Value::Int(2)), "map[a:2]", "map[a:2]", "an empty value counts as none"),
            (one(Value::Int(1)), one(Value::Int(0)), "map[a:1]", "map[a:0]", "an empty value overwrites"),
            (one(Value::Int(1)), one(Value::Nil), "map[a:1]", "map[a:<nil>]", "so does nil"),
            (nested(1), nested(2), "map[a:map[a:1]]", "map[a:map[a:2]]", "maps within"),
            (one(Value::Int(1)), nested(2), "map[a:1]", "map[a:1]", "a map never replaces a value"),
            (nested(1), one(Value::Int(2)), "map[a:map[a:1]]", "map[a:2]", "a value replaces a map"),
            (
                one(Value::strings(["x"])),
                one(Value::list(vec![])),
                "map[a:[x]]",
                "map[a:[]]",
                "lists are values",
            ),
            (
                one(any_map("k", Value::Int(1))),
                nested(2),
                "map[a:map[a:2 k:1]]",
                "map[a:map[a:2 k:1]]",
                "parsed maps",
            ),
        ] {
            for (mode, want) in [(Mode::Fill, fill), (Mode::Overwrite, overwrite)] {
                let mut budget = Budget { steps: 1000, bytes: 10_000 };
                let into = super::super::deep::deep_copy(&mut budget, &into, 0).expect("small");
                assert_eq!(merged(&into, &from, mode).as_deref(), Ok(want), "{why}");
            }
        }
    }

    #[test]
    fn what_go_cannot_assign_is_an_error() {
        let texts = Value::Map(Elem::Str, MapRef::new(BTreeMap::from([("a".into(), "x".into())])));
        for (into, from, want) in [
            (
                dict(&[("m", dict(&[("k", Value::Int(1))]))]),
                dict(&[("m", any_map("k", Value::Int(2)))]),
                "reflect.Value.MapIndex: value of type interface {} is not assignable to type string",
            ),
            (
                dict(&[("m", texts)]),
                dict(&[("m", dict(&[("b", "y".into())]))]),
                "reflect.Value.SetMapIndex: value of type interface {} is not assignable to type string",
            ),
        ] {
            assert_eq!(merged(&into, &from, Mode::Fill), Err(want.into()));
        }
    }

    #[test]
    fn a_map_is_not_merged_into_itself() {
        let map = dict(&[]);
        let holder = dict(&[("a", map.clone())]);
        assert_eq!(merged(&map, &holder, Mode::Fill), Err("a map cannot be put into itself".into()));
    }
}
