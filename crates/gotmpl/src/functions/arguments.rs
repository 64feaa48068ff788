//! Declaring functions, and reading the arguments that they are called with.
//!
//! The executor hands over arguments of the declared types: a mismatch here is a mistake of a
//! declaration, reported rather than panicked about.

use crate::{Budget, Function, Str, Type, Value};

type Call = fn(&mut Budget, &[Value]) -> Result<Value, String>;

/// A function with a fixed number of arguments.
pub(super) const fn fixed(name: &'static str, params: &'static [Type], call: Call) -> Function {
    Function { name, params, variadic: None, call }
}

/// A function that takes any number of further arguments of one type.
pub(super) const fn variadic(
    name: &'static str,
    params: &'static [Type],
    rest: Type,
    call: Call,
) -> Function {
    Function { name, params, variadic: Some(rest), call }
}

/// The argument at `at`, of any type.
pub(super) fn any(arguments: &[Value], at: usize) -> Result<&Value, String> {
    arguments.get(at).ok_or_else(|| format!("argument {} is missing", at + 1))
}

/// The argument at `at`, a string.
pub(super) fn text(arguments: &[Value], at: usize) -> Result<&Str, String> {
    match any(arguments, at)? {
        Value::Str(text) => Ok(text),
        _ => Err(format!("argument {} is not a string", at + 1)),
    }
}

/// The argument at `at`, an integer.
pub(super) fn int(arguments: &[Value], at: usize) -> Result<i64, String> {
    match any(arguments, at)? {
        Value::Int(number) => Ok(*number),
        _ => Err(format!("argument {} is not an integer", at + 1)),
    }
}
