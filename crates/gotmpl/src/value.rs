//! What a template computes with: Go's values, as far as templates can tell them apart.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::MapRef;

/// A Go string: bytes, usually but not always UTF-8. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Str(Arc<[u8]>);

/// A Go value. Cloning is cheap: strings, lists and maps are shared; maps can change (see [`MapRef`]).
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// An untyped `nil`
    #[default]
    Nil,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `int32` (a rune)
    Int32(i32),
    /// `int64`
    Int64(i64),
    /// `uint8` (a byte)
    Uint8(u8),
    /// `uint64`
    Uint64(u64),
    /// `float64`
    Float(f64),
    /// `string`
    Str(Str),
    /// `[]interface{}`, `[]string`, … : the element type tells
    List(Elem, Arc<Vec<Value>>),
    /// `map[string]interface{}` and `map[string]string`: the element type tells
    Map(Elem, MapRef<Str>),
    /// `map[interface{}]interface{}`: a map that yaml.v2 parsed
    AnyMap(MapRef<goyaml::Value>),
    /// The template's own data, a struct: an unknown field is an error
    Struct(Arc<Struct>),
    /// Anything else with fields and methods (a semantic version, a time, a duration)
    Object(Arc<dyn Object>),
}

/// The static type of the elements of a list or of the values of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elem {
    /// `interface{}`
    Any,
    /// `string`
    Str,
    /// `int`
    Int,
    /// `byte`
    Byte,
    /// `[]string` (what `regexFindAllSubmatch` and the like give)
    Strs,
}

/// A Go struct: a type name for messages, and its exported fields in order.
#[derive(Debug)]
pub struct Struct {
    /// As Go prints it: `scheduler.dataType`
    pub type_name: &'static str,
    /// Field name and value
    pub fields: Vec<(&'static str, Value)>,
}

/// A value with fields or methods of its own.
pub trait Object: fmt::Debug + Send + Sync {
    /// As `%T` prints it: `*semver.Version`
    fn type_name(&self) -> &'static str;
    /// As `kindOf` names it: `ptr`, `struct`, `int64`
    fn kind(&self) -> &'static str;
    /// A field, or a method called without arguments; `None` if there is none of this name
    fn field(&self, name: &str) -> Option<Result<Value, String>>;
    /// A method called with arguments
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let _ = (name, arguments);
        None
    }
    /// Whether `if` takes it for true
    fn is_true(&self) -> bool {
        true
    }
    /// As `%v` prints it
    fn print(&self) -> String;
    /// As Go's yaml.v3 prints it
    fn to_yaml(&self) -> Result<goyaml::Value, String> {
        Ok(self.print().as_str().into())
    }
    /// For functions that look inside
    fn as_any(&self) -> &dyn std::any::Any;
}

/// A Go type as a function declares it for an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface{}`: anything, `nil` included
    Any,
    /// `string`
    Str,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint32`
    Uint32,
    /// `float64`
    Float,
    /// `map[string]interface{}`
    Dict,
    /// `time.Time`
    Time,
}

/// What a function may use of the run that calls it.
#[derive(Debug, Default)]
pub struct Budget {
    /// Steps left; each node, each element of a loop and each function call takes one
    pub steps: u64,
    /// Bytes that values and output may still grow by
    pub bytes: u64,
}

impl Budget {
    /// Takes `bytes` before a function makes a value of that size (`repeat`, `until`, `indent` …).
    pub fn take(&mut self, bytes: usize) -> Result<(), String> {
        match self.bytes.checked_sub(bytes as u64) {
            Some(rest) => {
                self.bytes = rest;
                Ok(())
            }
            None => Err("the template makes more output than is allowed".into()),
        }
    }
}

/// A function that templates can call.
///
/// `call` gets arguments that already have the declared types: the executor checks and converts
/// them as Go does, and words the errors (`wrong number of args …`, `wrong type for value; expected …`).
/// An `Err` is what Go would return as the function's error; the executor adds `error calling NAME: `.
#[derive(Clone, Copy)]
pub struct Function {
    /// The name in templates
    pub name: &'static str,
    /// Types of the fixed arguments
    pub params: &'static [Type],
    /// Type of all further arguments of a variadic function
    pub variadic: Option<Type>,
    /// What it does
    pub call: fn(&mut Budget, &[Value]) -> Result<Value, String>,
}

impl Str {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text; bytes that are not UTF-8 become U+FFFD, one for each, as when Go walks over runes.
    pub fn to_text(&self) -> std::borrow::Cow<'_, str> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => text.into(),
            Err(_) => {
                let mut out = String::with_capacity(self.0.len());
                for chunk in self.0.utf8_chunks() {
                    out.push_str(chunk.valid());
                    out.extend(chunk.invalid().iter().map(|_| '\u{FFFD}'));
                }
                out.into()
            }
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl Str {
    fn to_yaml(&self) -> goyaml::Value {
        match std::str::from_utf8(&self.0) {
            Ok(text) => goyaml::Value::Str(text.into()),
            Err(_) => goyaml::Value::Binary(self.0.clone()),
        }
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_text().fmt(f)
    }
}

impl std::borrow::Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Str {
    fn from(bytes: &[u8]) -> Self {
        Str(bytes.into())
    }
}

impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Str(bytes.into())
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Str(text.as_bytes().into())
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Str(text.into_bytes().into())
    }
}

impl From<Arc<str>> for Str {
    fn from(text: Arc<str>) -> Self {
        Str(text.into())
    }
}

impl<T: Into<Str>> From<T> for Value {
    fn from(text: T) -> Self {
        Value::Str(text.into())
    }
}

/// What every slice that is `nil` holds.
static NIL_LIST: LazyLock<Arc<Vec<Value>>> = LazyLock::new(Arc::default);

impl Value {
    /// A `[]interface{}`.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Elem::Any, Arc::new(items))
    }

    /// A `[]string`.
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Value {
        Value::List(Elem::Str, Arc::new(items.into_iter().map(|item| Value::Str(item.into())).collect()))
    }

    /// A slice that is `nil`: empty, but `null` in JSON, and not deeply equal to an empty one.
    pub fn nil_list(elem: Elem) -> Value {
        Value::List(elem, Arc::clone(&NIL_LIST))
    }

    /// Whether it is a [`nil_list`](Value::nil_list).
    pub(crate) fn is_nil_list(&self) -> bool {
        matches!(self, Value::List(_, items) if Arc::ptr_eq(items, &NIL_LIST))
    }

    /// A `map[string]interface{}`.
    pub fn dict(entries: BTreeMap<Str, Value>) -> Value {
        Value::Map(Elem::Any, MapRef::new(entries))
    }

    /// The type as `%T` prints it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Nil => "<nil>",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Int32(_) => "int32",
            Value::Int64(_) => "int64",
            Value::Uint8(_) => "uint8",
            Value::Uint64(_) => "uint64",
            Value::Float(_) => "float64",
            Value::Str(_) => "string",
            Value::List(Elem::Any, _) => "[]interface {}",
            Value::List(Elem::Str, _) => "[]string",
            Value::List(Elem::Int, _) => "[]int",
            Value::List(Elem::Byte, _) => "[]uint8",
            Value::List(Elem::Strs, _) => "[][]string",
            Value::Map(Elem::Any, _) => "map[string]interface {}",
            Value::Map(Elem::Str, _) => "map[string]string",
            Value::Map(Elem::Int, _) => "map[string]int",
            Value::Map(Elem::Byte, _) => "map[string]uint8",
            Value::Map(Elem::Strs, _) => "map[string][]string",
            Value::AnyMap(_) => "map[interface {}]interface {}",
            Value::Struct(data) => data.type_name,
            Value::Object(object) => object.type_name(),
        }
    }

    /// The value as Go's yaml.v2 gives it to a template: maps have keys of any type.
    pub fn from_yaml(value: &goyaml::Value) -> Value {
        match value {
            goyaml::Value::Null => Value::Nil,
            goyaml::Value::Bool(truth) => Value::Bool(*truth),
            goyaml::Value::Int(number) => Value::Int(*number),
            goyaml::Value::Uint(number) => Value::Uint64(*number),
            goyaml::Value::Float(number) => Value::Float(*number),
            goyaml::Value::Str(text) => Value::Str(text.clone().into()),
            goyaml::Value::Binary(bytes) => Value::Str((&**bytes).into()),
            goyaml::Value::Seq(items) => Value::list(items.iter().map(Value::from_yaml).collect()),
            goyaml::Value::Map(map) => Value::AnyMap(MapRef::new(
                map.iter().map(|(key, value)| (key.clone(), Value::from_yaml(value))).collect(),
            )),
        }
    }

    /// The value for Go's yaml.v3 to print; what is shared becomes copies, which the budget pays for.
    pub fn to_yaml(&self, budget: &mut Budget) -> Result<goyaml::Value, String> {
        self.to_yaml_at(budget, 0)
    }

    fn to_yaml_at(&self, budget: &mut Budget, depth: usize) -> Result<goyaml::Value, String> {
        const MAX_DEPTH: usize = 300;
        const NODE: usize = size_of::<goyaml::Value>();
        if depth > MAX_DEPTH {
            return Err("the value is nested too deeply".into());
        }
        budget.take(NODE)?;
        let depth = depth + 1;
        Ok(match self {
            Value::Nil => goyaml::Value::Null,
            Value::Bool(truth) => goyaml::Value::Bool(*truth),
            Value::Int(number) | Value::Int64(number) => goyaml::Value::Int(*number),
            Value::Int32(number) => goyaml::Value::Int(i64::from(*number)),
            Value::Uint8(number) => goyaml::Value::Int(i64::from(*number)),
            Value::Uint64(number) => match i64::try_from(*number) {
                Ok(number) => goyaml::Value::Int(number),
                Err(_) => goyaml::Value::Uint(*number),
            },
            Value::Float(number) => goyaml::Value::Float(*number),
            Value::Str(text) => text.to_yaml(),
            Value::List(_, items) => {
                let items = items.iter().map(|item| item.to_yaml_at(budget, depth));
                goyaml::Value::Seq(items.collect::<Result<_, _>>()?)
            }
            Value::Map(_, map) => {
                let entries = map.snapshot();
                let entries =
                    entries.iter().map(|(key, value)| Ok((key.to_yaml(), value.to_yaml_at(budget, depth)?)));
                goyaml::Value::Map(entries.collect::<Result<_, String>>()?)
            }
            Value::AnyMap(map) => {
                let entries = map.snapshot();
                let entries =
                    entries.iter().map(|(key, value)| Ok((key.clone(), value.to_yaml_at(budget, depth)?)));
                goyaml::Value::Map(entries.collect::<Result<_, String>>()?)
            }
            Value::Struct(data) => {
                let fields = data.fields.iter().map(|(name, value)| {
                    let key = goyaml::Value::from(name.to_lowercase().as_str());
                    Ok((key, value.to_yaml_at(budget, depth)?))
                });
                goyaml::Value::Map(fields.collect::<Result<_, String>>()?)
            }
            Value::Object(object) => object.to_yaml()?,
        })
    }

    /// The same value with maps of its own, so that what one render does to them, no other sees.
    pub fn detached(&self) -> Value {
        match self {
            Value::List(elem @ Elem::Any, items) => {
                Value::List(*elem, Arc::new(items.iter().map(Value::detached).collect()))
            }
            Value::Map(elem, map) => Value::Map(*elem, detached(map)),
            Value::AnyMap(map) => Value::AnyMap(detached(map)),
            Value::Struct(data) => Value::Struct(Arc::new(Struct {
                type_name: data.type_name,
                fields: data.fields.iter().map(|(name, value)| (*name, value.detached())).collect(),
            })),
            _ => self.clone(),
        }
    }
}

fn detached<K: Ord + Clone>(map: &MapRef<K>) -> MapRef<K> {
    MapRef::new(map.snapshot().iter().map(|(key, value)| (key.clone(), value.detached())).collect())
}
