//! Numbers from anything, as sprig 2.22 makes them: what is no number is 0, never an error.

use super::arguments::{any, fixed, text};
use super::dates;
use super::strings::string_of;
use crate::print::display;
use crate::strconv::parse_float;
use crate::{Function, Str, Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("atoi", &[Type::Str], |_, arguments| Ok(Value::Int(atoi(text(arguments, 0)?)))),
    fixed("int", &[Type::Any], |_, arguments| Ok(Value::Int(to_int64(any(arguments, 0)?)))),
    fixed("int64", &[Type::Any], |_, arguments| Ok(Value::Int64(to_int64(any(arguments, 0)?)))),
    fixed("float64", &[Type::Any], |_, arguments| Ok(Value::Float(to_float64(any(arguments, 0)?)))),
    fixed("toDecimal", &[Type::Any], |_, arguments| Ok(Value::Int64(to_decimal(any(arguments, 0)?)))),
    fixed("toString", &[Type::Any], |_, arguments| Ok(Value::Str(string_of(any(arguments, 0)?)))),
];

pub(super) const REFUSED: &[(&str, &str)] = &[];

/// An integer from a number, a boolean or decimal digits; 0 from anything else.
pub(super) fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Bool(yes) => i64::from(*yes),
        Value::Int(number) | Value::Int64(number) => *number,
        Value::Int32(number) => i64::from(*number),
        Value::Uint8(number) => i64::from(*number),
        Value::Uint64(number) => i64::try_from(*number).unwrap_or(i64::MAX),
        Value::Float(number) => truncate(*number),
        Value::Str(text) => utf8(text).parse().unwrap_or(0),
        Value::Object(object) => dates::number(object.as_ref()).unwrap_or(0),
        Value::Nil | Value::List(..) | Value::Map(..) | Value::AnyMap(_) | Value::Struct(_) => 0,
    }
}

/// A float from a number, a boolean or the text of a number; 0 from anything else.
pub(super) fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Bool(yes) => f64::from(u8::from(*yes)),
        Value::Int(number) | Value::Int64(number) => *number as f64,
        Value::Int32(number) => f64::from(*number),
        Value::Uint8(number) => f64::from(*number),
        Value::Uint64(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Str(text) => parse_float(utf8(text)).unwrap_or(0.0),
        Value::Object(object) => dates::number(object.as_ref()).unwrap_or(0) as f64,
        Value::Nil | Value::List(..) | Value::Map(..) | Value::AnyMap(_) | Value::Struct(_) => 0.0,
    }
}

/// Where a float is out of range, amd64 gives the smallest integer; Rust would give the nearest.
fn truncate(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

/// Decimal digits; a number that is too large becomes the largest there is, anything else 0.
fn atoi(text: &Str) -> i64 {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    match utf8(text).parse::<i64>() {
        Ok(number) => number,
        Err(error) => match error.kind() {
            PosOverflow => i64::MAX,
            NegOverflow => i64::MIN,
            _ => 0,
        },
    }
}

/// What the printed value says when its digits are read as octal.
fn to_decimal(value: &Value) -> i64 {
    let printed = match value {
        // Brackets are no digits.
        Value::List(..) | Value::Map(..) | Value::AnyMap(_) | Value::Struct(_) => return 0,
        _ => display(value),
    };
    i64::from_str_radix(utf8(&printed), 8).unwrap_or(0)
}

/// Text that is not UTF-8 is no number, as empty text is none.
fn utf8(text: &Str) -> &str {
    std::str::from_utf8(text.as_bytes()).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_from_anything() {
        for (value, want, why) in [
            (Value::Float(3.9), 3, "towards zero"),
            (Value::Float(-3.9), -3, "towards zero"),
            (Value::Float(1e30), i64::MIN, "out of range, as amd64 has it"),
            (Value::Float(f64::NAN), i64::MIN, "no number, as amd64 has it"),
            (Value::Uint64(u64::MAX), i64::MAX, "too large"),
            ("+5".into(), 5, "a sign"),
            ("1.9".into(), 0, "no integer"),
            ("9223372036854775808".into(), 0, "too large for its digits"),
            (Value::Bool(true), 1, "true"),
            (Value::Nil, 0, "nothing"),
        ] {
            assert_eq!(to_int64(&value), want, "{value:?}: {why}");
        }
    }
}
