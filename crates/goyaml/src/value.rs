//! What a YAML document means, by the rules of Go's yaml.v2.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A mapping; keys may be any scalar, as in Go's `map[interface{}]interface{}`.
pub type Map = BTreeMap<Value, Value>;

/// A YAML value. Cloning shares strings.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// `null`, `~`, or nothing at all
    #[default]
    Null,
    /// `true`, and by YAML 1.1 also `yes` and `on`
    Bool(bool),
    /// An integer that fits 64 bits with a sign
    Int(i64),
    /// An integer that only fits without one
    Uint(u64),
    /// A floating point number
    Float(f64),
    /// Text
    Str(Arc<str>),
    /// Bytes that are no text (`!!binary`, or a Go string that is not UTF-8)
    Binary(Arc<[u8]>),
    /// A list
    Seq(Vec<Value>),
    /// A mapping
    Map(Map),
}

impl Value {
    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Int(_) => 2,
            Value::Uint(_) => 3,
            Value::Float(_) => 4,
            Value::Str(_) => 5,
            Value::Binary(_) => 6,
            Value::Seq(_) => 7,
            Value::Map(_) => 8,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Str(text.into())
    }
}

/// One total order, so that maps are sorted and equal input gives equal bytes: by kind, then by value.
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        use Value::*;
        match (self, other) {
            (Bool(a), Bool(b)) => a.cmp(b),
            (Int(a), Int(b)) => a.cmp(b),
            (Uint(a), Uint(b)) => a.cmp(b),
            (Float(a), Float(b)) => a.total_cmp(b),
            (Str(a), Str(b)) => a.cmp(b),
            (Binary(a), Binary(b)) => a.cmp(b),
            (Seq(a), Seq(b)) => a.cmp(b),
            (Map(a), Map(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}
