//! What Go says about the types of values.

use super::arguments::{any, fixed, text};
use super::deep::deep_equal;
use crate::{Function, Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("deepEqual", &[Type::Any, Type::Any], |budget, arguments| {
        Ok(Value::Bool(deep_equal(budget, any(arguments, 0)?, any(arguments, 1)?)?))
    }),
    fixed("kindIs", &[Type::Str, Type::Any], |_, arguments| {
        Ok(Value::Bool(text(arguments, 0)?.as_bytes() == kind_of(any(arguments, 1)?).as_bytes()))
    }),
    fixed("kindOf", &[Type::Any], |_, arguments| Ok(kind_of(any(arguments, 0)?).into())),
    fixed("typeIs", &[Type::Str, Type::Any], |_, arguments| {
        Ok(Value::Bool(text(arguments, 0)?.as_bytes() == any(arguments, 1)?.type_name().as_bytes()))
    }),
    fixed("typeIsLike", &[Type::Str, Type::Any], |_, arguments| {
        let (target, actual) = (text(arguments, 0)?.as_bytes(), any(arguments, 1)?.type_name().as_bytes());
        Ok(Value::Bool(actual == target || actual.strip_prefix(b"*") == Some(target)))
    }),
    fixed("typeOf", &[Type::Any], |_, arguments| Ok(any(arguments, 0)?.type_name().into())),
];

/// The kind as `reflect` names it.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "invalid",
        Value::List(..) => "slice",
        Value::Map(..) | Value::AnyMap(_) => "map",
        Value::Struct(_) => "struct",
        Value::Object(object) => object.kind(),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Int32(_)
        | Value::Int64(_)
        | Value::Uint8(_)
        | Value::Uint64(_)
        | Value::Float(_)
        | Value::Str(_) => value.type_name(),
    }
}

/// Levels of nesting that functions walk down; templates can build more than the stack could hold.
pub(super) const MAX_DEPTH: usize = 500;

/// Why a function that walks a value stops.
pub(super) const TOO_DEEP: &str = "the value is nested too deeply";
