//! `eq`, `lt` and the other comparisons.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::complex::Complex;
use crate::slot::Slot;
use crate::{Str, Value, printf};

/// The basic types, as far as comparisons tell them apart.
enum Basic<'v> {
    Bool(bool),
    Complex(Complex),
    /// Integers of all sizes, with and without a sign
    Int(i128),
    Float(f64),
    Str(&'v Str),
}

impl<'v> Basic<'v> {
    fn of(value: &'v Value) -> Option<Self> {
        Some(match value {
            Value::Bool(truth) => Basic::Bool(*truth),
            Value::Int(number) | Value::Int64(number) => Basic::Int((*number).into()),
            Value::Int32(number) => Basic::Int((*number).into()),
            Value::Uint8(number) => Basic::Int((*number).into()),
            Value::Uint64(number) => Basic::Int((*number).into()),
            Value::Float(number) => Basic::Float(*number),
            Value::Str(text) => Basic::Str(text),
            Value::Object(object) => Basic::Complex(*object.as_any().downcast_ref()?),
            Value::Nil | Value::List(..) | Value::Map(..) | Value::AnyMap(_) | Value::Struct(_) => {
                return None;
            }
        })
    }
}

/// Whether `one` equals any of the others.
pub(crate) fn equal_any(one: &Slot, others: &[Slot]) -> Result<bool, String> {
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal(one.value(), other.value())? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(one: &Value, other: &Value) -> Result<bool, String> {
    Ok(match (Basic::of(one), Basic::of(other)) {
        (Some(Basic::Bool(one)), Some(Basic::Bool(other))) => one == other,
        (Some(Basic::Complex(one)), Some(Basic::Complex(other))) => one == other,
        (Some(Basic::Int(one)), Some(Basic::Int(other))) => one == other,
        (Some(Basic::Float(one)), Some(Basic::Float(other))) => one == other,
        (Some(Basic::Str(one)), Some(Basic::Str(other))) => one == other,
        (None, None) => return equal_others(one, other),
        _ if matches!(one, Value::Nil) || matches!(other, Value::Nil) => false,
        _ => return Err("incompatible types for comparison".into()),
    })
}

/// Neither is of a basic type.
fn equal_others(one: &Value, other: &Value) -> Result<bool, String> {
    match (one, other) {
        (Value::Nil, _) | (_, Value::Nil) => Ok(matches!((one, other), (Value::Nil, Value::Nil))),
        (Value::Object(one), Value::Object(other)) if one.kind() == other.kind() => {
            Ok(Arc::ptr_eq(one, other) || one.kind() != "ptr" && one.print() == other.print())
        }
        (Value::List(..), Value::List(..))
        | (Value::Map(..) | Value::AnyMap(_), Value::Map(..) | Value::AnyMap(_))
        | (Value::Struct(_), Value::Struct(_)) => {
            Err(format!("non-comparable type {}: {}", shown(other), other.type_name()))
        }
        _ => Err(format!(
            "non-comparable types {}: {}, {}: {}",
            shown(one),
            one.type_name(),
            other.type_name(),
            crate::print::display(other).to_text()
        )),
    }
}

/// As `%s` prints it.
fn shown(value: &Value) -> String {
    const ENOUGH: usize = 1 << 16;
    let text = printf::printf(&"%s".into(), std::slice::from_ref(value), ENOUGH);
    text.map_or_else(|_| "…".into(), |text| String::from_utf8_lossy(&text).into_owned())
}

/// Whether `one` is less than `other`.
pub(crate) fn less(one: &Slot, other: &Slot) -> Result<bool, String> {
    const BAD_TYPE: &str = "invalid type for comparison";
    let one = Basic::of(one.value()).ok_or(BAD_TYPE)?;
    let other = Basic::of(other.value()).ok_or(BAD_TYPE)?;
    Ok(match (one, other) {
        (Basic::Int(one), Basic::Int(other)) => one < other,
        (Basic::Float(one), Basic::Float(other)) => one.partial_cmp(&other) == Some(Ordering::Less),
        (Basic::Str(one), Basic::Str(other)) => one < other,
        (Basic::Bool(_), Basic::Bool(_)) | (Basic::Complex(_), Basic::Complex(_)) => {
            return Err(BAD_TYPE.into());
        }
        _ => return Err("incompatible types for comparison".into()),
    })
}

/// Whether `one` is less than or equal to `other`.
pub(crate) fn less_or_equal(one: &Slot, other: &Slot) -> Result<bool, String> {
    Ok(less(one, other)? || equal(one.value(), other.value())?)
}
