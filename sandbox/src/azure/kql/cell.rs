//! Values of a query.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Bool(bool),
    Long(i64),
    Text(Cow<'a, str>),
    Time(Timestamp),
    Dynamic(Cow<'a, Value>),
}

/// What kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Long,
    Text,
    Time,
    Dynamic,
}

/// A value that rows are brought together by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Null,
    Bool(bool),
    Long(i64),
    Text(String),
    Time(Timestamp),
}

impl<'a> Cell<'a> {
    /// A part of a resource; of what is not there, nothing.
    pub(super) fn of(value: Option<&'a Value>, holds: Type) -> Cell<'a> {
        match value {
            None | Some(Value::Null) if holds == Type::Text => Cell::Text(Cow::Borrowed("")),
            None | Some(Value::Null) => Cell::Null,
            Some(Value::String(text)) if holds == Type::Text => Cell::Text(Cow::Borrowed(text)),
            Some(value) => Cell::Dynamic(Cow::Borrowed(value)),
        }
    }

    pub(super) fn member(&self, name: &str) -> Cell<'a> {
        self.part(|value| value.get(name))
    }

    pub(super) fn element(&self, index: usize) -> Cell<'a> {
        self.part(|value| value.get(index))
    }

    fn part(&self, part: impl Fn(&Value) -> Option<&Value>) -> Cell<'a> {
        let found = match self {
            Cell::Dynamic(Cow::Borrowed(value)) => part(value).map(Cow::Borrowed),
            Cell::Dynamic(Cow::Owned(value)) => part(value).map(|value| Cow::Owned(value.clone())),
            _ => None,
        };
        found.filter(|value| !value.is_null()).map_or(Cell::Null, Cell::Dynamic)
    }

    /// As text, which nothing has none of.
    pub(super) fn text(&self) -> Cow<'a, str> {
        match self {
            Cell::Null => Cow::Borrowed(""),
            Cell::Text(text) => text.clone(),
            Cell::Bool(value) => Cow::Owned(value.to_string()),
            Cell::Long(value) => Cow::Owned(value.to_string()),
            Cell::Time(time) => Cow::Owned(written(*time)),
            Cell::Dynamic(Cow::Borrowed(Value::String(text))) => Cow::Borrowed(text),
            Cell::Dynamic(Cow::Owned(Value::String(text))) => Cow::Owned(text.clone()),
            Cell::Dynamic(value) => Cow::Owned(value.to_string()),
        }
    }

    pub(super) fn time(&self) -> Option<Timestamp> {
        match self {
            Cell::Time(time) => Some(*time),
            _ => self.text().parse().ok(),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        *self == Cell::Bool(true)
    }

    pub(super) fn key(&self) -> Key {
        match self {
            Cell::Null | Cell::Dynamic(_) => Key::Null,
            Cell::Bool(value) => Key::Bool(*value),
            Cell::Long(value) => Key::Long(*value),
            Cell::Text(text) => Key::Text(text.clone().into_owned()),
            Cell::Time(time) => Key::Time(*time),
        }
    }

    /// How two of one type stand to each other; nothing comes before anything.
    pub(super) fn order(&self, other: &Cell<'_>) -> Ordering {
        match (self, other) {
            (Cell::Null, Cell::Null) => Ordering::Equal,
            (Cell::Null, _) => Ordering::Less,
            (_, Cell::Null) => Ordering::Greater,
            (Cell::Bool(one), Cell::Bool(other)) => one.cmp(other),
            (Cell::Long(one), Cell::Long(other)) => one.cmp(other),
            (Cell::Time(one), Cell::Time(other)) => one.cmp(other),
            (Cell::Text(one), Cell::Text(other)) => one.cmp(other),
            _ => Ordering::Equal,
        }
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Cell::Null => Value::Null,
            Cell::Bool(value) => Value::from(*value),
            Cell::Long(value) => Value::from(*value),
            Cell::Text(text) => Value::from(text.as_ref()),
            Cell::Time(time) => Value::from(written(*time)),
            Cell::Dynamic(value) => value.clone().into_owned(),
        }
    }
}

/// A time as Kusto writes it.
fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string()
}
