//! What an expression gives: a value, and what Go's reflection knows about it besides.

use std::sync::Arc;

use crate::{Elem, Str, Type, Value};

/// The result of an expression.
#[derive(Clone, Debug)]
pub(crate) enum Slot {
    /// Nothing at all: the value of a key that a map does not have
    Missing,
    /// A value of its own type, never `nil`
    Plain(Value),
    /// A value, or `nil`, in an `interface{}`: an element of a map or list of anything
    Boxed(Value),
}

impl Slot {
    /// What a function or method returned, or what a field of a struct holds.
    pub(crate) fn of(value: Value) -> Slot {
        match value {
            Value::Nil => Slot::Boxed(Value::Nil),
            value => Slot::Plain(value),
        }
    }

    /// An element of a list or map.
    pub(crate) fn element(elem: Elem, value: Value) -> Slot {
        match elem {
            Elem::Any => Slot::Boxed(value),
            _ => Slot::of(value),
        }
    }

    /// Without the interface around it; an interface that holds `nil` becomes nothing.
    pub(crate) fn unboxed(self) -> Slot {
        match self {
            Slot::Boxed(Value::Nil) => Slot::Missing,
            Slot::Boxed(value) => Slot::Plain(value),
            slot => slot,
        }
    }

    /// The value, `nil` for nothing.
    pub(crate) fn value(&self) -> &Value {
        match self {
            Slot::Missing => &Value::Nil,
            Slot::Plain(value) | Slot::Boxed(value) => value,
        }
    }

    /// The value, `nil` for nothing.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Slot::Missing => Value::Nil,
            Slot::Plain(value) | Slot::Boxed(value) => value,
        }
    }

    /// The static type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Slot::Boxed(_) => "interface {}",
            slot => slot.value().type_name(),
        }
    }

    /// Whether `if` takes it for true.
    pub(crate) fn is_true(&self) -> bool {
        match self.value() {
            Value::Nil => false,
            Value::Bool(truth) => *truth,
            Value::Int(number) | Value::Int64(number) => *number != 0,
            Value::Int32(number) => *number != 0,
            Value::Uint8(number) => *number != 0,
            Value::Uint64(number) => *number != 0,
            Value::Float(number) => *number != 0.0,
            Value::Str(text) => !text.is_empty(),
            Value::List(_, items) => !items.is_empty(),
            Value::Map(_, map) => !map.is_empty(),
            Value::AnyMap(map) => !map.is_empty(),
            Value::Struct(_) => true,
            Value::Object(object) => object.is_true(),
        }
    }

    /// The value as an argument of type `to`.
    pub(crate) fn convert(self, to: Type) -> Result<Value, String> {
        if let Slot::Missing = self {
            return to.nil().ok_or_else(|| format!("invalid value; expected {}", to.name()));
        }
        if to.admits(self.value()) {
            return Ok(self.into_value());
        }
        let actual = match self.value() {
            Value::Nil => "interface {}",
            value => value.type_name(),
        };
        Err(format!("wrong type for value; expected {}; got {actual}", to.name()))
    }
}

impl Type {
    /// As Go prints it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Type::Any => "interface {}",
            Type::Str => "string",
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Uint32 => "uint32",
            Type::Float => "float64",
            Type::Dict => "map[string]interface {}",
            Type::Time => "time.Time",
        }
    }

    /// What `nil` is as a value of this type, if it can be one.
    pub(crate) fn nil(self) -> Option<Value> {
        match self {
            // A nil map stays one: `set` cannot write to it.
            Type::Any | Type::Dict => Some(Value::Nil),
            Type::Str | Type::Bool | Type::Int | Type::Uint32 | Type::Float | Type::Time => None,
        }
    }

    fn admits(self, value: &Value) -> bool {
        match self {
            Type::Any => true,
            Type::Str => matches!(value, Value::Str(_)),
            Type::Bool => matches!(value, Value::Bool(_)),
            Type::Int => matches!(value, Value::Int(_)),
            // Only a constant becomes one: no function gives any.
            Type::Uint32 => false,
            Type::Float => matches!(value, Value::Float(_)),
            Type::Dict => matches!(value, Value::Map(Elem::Any, _)),
            Type::Time => matches!(value, Value::Object(object) if object.type_name() == "time.Time"),
        }
    }
}

/// The zero value of an element, which `index` gives for a key that is not there.
pub(crate) fn zero(elem: Elem) -> Slot {
    match elem {
        Elem::Any => Slot::Boxed(Value::Nil),
        Elem::Str => Slot::Plain(Value::Str(Str::default())),
        Elem::Int => Slot::Plain(Value::Int(0)),
        Elem::Byte => Slot::Plain(Value::Uint8(0)),
        Elem::Strs => Slot::Plain(Value::List(Elem::Str, Arc::default())),
    }
}
