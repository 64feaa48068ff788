//! Choosing between values by whether they are empty.

use super::arguments::{any, fixed, variadic};
use crate::{Function, Type, Value};

const ANY: Type = Type::Any;

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("default", &[ANY], ANY, |_, arguments| {
        let given = arguments.get(1).filter(|given| !is_empty(given));
        Ok(given.unwrap_or(any(arguments, 0)?).clone())
    }),
    fixed("empty", &[ANY], |_, arguments| Ok(Value::Bool(is_empty(any(arguments, 0)?)))),
    variadic("coalesce", &[], ANY, |_, arguments| {
        Ok(arguments.iter().find(|value| !is_empty(value)).cloned().unwrap_or_default())
    }),
    fixed("ternary", &[ANY, ANY, Type::Bool], |_, arguments| match any(arguments, 2)? {
        Value::Bool(true) => any(arguments, 0).cloned(),
        _ => any(arguments, 1).cloned(),
    }),
];

pub(super) const REFUSED: &[(&str, &str)] = &[];

/// Whether a value is the zero value of its type, or has no elements; structs never are.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::Bool(yes) => !yes,
        Value::Int(number) | Value::Int64(number) => *number == 0,
        Value::Int32(number) => *number == 0,
        Value::Uint8(number) => *number == 0,
        Value::Uint64(number) => *number == 0,
        Value::Float(number) => *number == 0.0,
        Value::Str(text) => text.is_empty(),
        Value::List(_, items) => items.is_empty(),
        Value::Map(_, map) => map.is_empty(),
        Value::AnyMap(map) => map.is_empty(),
        Value::Struct(_) => false,
        Value::Object(object) => !object.is_true(),
    }
}
