//! The functions that every Go template has.

use std::sync::Arc;

use crate::compare::{equal_any, less, less_or_equal};
use crate::slot::{Slot, zero};
use crate::{Budget, Value, escape, print, printf};

/// A function of Go's own. It sees more of its arguments than others do: whether they are there at all.
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    /// How many arguments it needs
    pub(crate) fixed: usize,
    /// Whether it takes more
    pub(crate) variadic: bool,
    pub(crate) action: Action,
}

/// What a builtin does.
pub(crate) enum Action {
    /// Evaluates arguments up to the first that is false
    And,
    /// Evaluates arguments up to the first that is true
    Or,
    /// As other functions do; the first argument is a string
    Format(fn(&mut Budget, &[Slot]) -> Result<Slot, String>),
    /// As other functions do
    Call(fn(&mut Budget, &[Slot]) -> Result<Slot, String>),
}

const fn call(
    name: &'static str,
    fixed: usize,
    variadic: bool,
    call: fn(&mut Budget, &[Slot]) -> Result<Slot, String>,
) -> Builtin {
    Builtin { name, fixed, variadic, action: Action::Call(call) }
}

const BUILTINS: &[Builtin] = &[
    Builtin { name: "and", fixed: 1, variadic: true, action: Action::And },
    Builtin { name: "or", fixed: 1, variadic: true, action: Action::Or },
    Builtin { name: "printf", fixed: 1, variadic: true, action: Action::Format(formatted) },
    call("call", 1, true, |_, arguments| match arguments.first().map(Slot::value) {
        None | Some(Value::Nil) => Err("call of nil".into()),
        Some(value) => Err(format!("non-function of type {}", value.type_name())),
    }),
    call("eq", 1, true, |_, arguments| match arguments {
        [one, others @ ..] => truth(equal_any(one, others)),
        [] => truth(Ok(false)),
    }),
    call("ge", 2, false, |_, arguments| comparison(arguments, |one, other| Ok(!less(one, other)?))),
    call("gt", 2, false, |_, arguments| comparison(arguments, |one, other| Ok(!less_or_equal(one, other)?))),
    call("html", 0, true, |budget, arguments| escaped(budget, arguments, escape::html)),
    call("index", 1, true, |_, arguments| index(arguments)),
    call("js", 0, true, |budget, arguments| escaped(budget, arguments, escape::js)),
    call("le", 2, false, |_, arguments| comparison(arguments, less_or_equal)),
    call("len", 1, false, |_, arguments| length(arguments)),
    call("lt", 2, false, |_, arguments| comparison(arguments, less)),
    call("ne", 2, false, |_, arguments| {
        comparison(arguments, |one, other| Ok(!equal_any(one, std::slice::from_ref(other))?))
    }),
    call("not", 1, false, |_, arguments| truth(Ok(!arguments.iter().any(Slot::is_true)))),
    call("print", 0, true, |budget, arguments| printed(budget, arguments, print::print)),
    call("println", 0, true, |budget, arguments| printed(budget, arguments, print::println)),
    call("slice", 1, true, slice),
    call("urlquery", 0, true, |budget, arguments| escaped(budget, arguments, escape::url_query)),
];

/// The builtin of this name.
pub(crate) fn lookup(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// The names of all builtins.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|builtin| builtin.name)
}

fn truth(result: Result<bool, String>) -> Result<Slot, String> {
    result.map(|truth| Slot::Plain(Value::Bool(truth)))
}

fn comparison(
    arguments: &[Slot],
    compare: impl Fn(&Slot, &Slot) -> Result<bool, String>,
) -> Result<Slot, String> {
    match arguments {
        [one, other] => truth(compare(one, other)),
        _ => Err("missing argument for comparison".into()),
    }
}

fn values(arguments: &[Slot]) -> Vec<Value> {
    arguments.iter().map(|argument| argument.value().clone()).collect()
}

fn text(budget: &mut Budget, bytes: Vec<u8>) -> Result<Slot, String> {
    budget.take(bytes.len())?;
    Ok(Slot::Plain(Value::Str(bytes.into())))
}

fn limit(budget: &Budget) -> usize {
    usize::try_from(budget.bytes).unwrap_or(usize::MAX)
}

fn formatted(budget: &mut Budget, arguments: &[Slot]) -> Result<Slot, String> {
    let arguments = values(arguments);
    let [Value::Str(format), arguments @ ..] = &arguments[..] else {
        return Err("the format is not a string".into());
    };
    let bytes = printf::printf(format, arguments, limit(budget))?;
    text(budget, bytes)
}

fn printed(
    budget: &mut Budget,
    arguments: &[Slot],
    print: impl Fn(&mut Vec<u8>, usize, &[Value]) -> Result<(), String>,
) -> Result<Slot, String> {
    let mut out = Vec::new();
    print(&mut out, limit(budget), &values(arguments))?;
    text(budget, out)
}

fn escaped(budget: &mut Budget, arguments: &[Slot], escape: fn(&[u8]) -> Vec<u8>) -> Result<Slot, String> {
    let mut values = values(arguments);
    for value in &mut values {
        if let Value::Nil = value {
            *value = "<no value>".into();
        }
    }
    let mut out = Vec::new();
    print::print(&mut out, limit(budget), &values)?;
    budget.take(out.len())?;
    text(budget, escape(&out))
}

fn length(arguments: &[Slot]) -> Result<Slot, String> {
    let length = match arguments {
        [Slot::Missing] | [] => return Err("reflect: call of reflect.Value.Type on zero Value".into()),
        [argument, ..] => match argument.value() {
            Value::Nil => return Err("len of nil pointer".into()),
            Value::Str(text) => text.len(),
            Value::List(_, items) => items.len(),
            Value::Map(_, map) => map.len(),
            Value::AnyMap(map) => map.len(),
            value => return Err(format!("len of type {}", value.type_name())),
        },
    };
    Ok(Slot::Plain(Value::Int(i64::try_from(length).unwrap_or(i64::MAX))))
}

fn index(arguments: &[Slot]) -> Result<Slot, String> {
    let [item, indexes @ ..] = arguments else { return Err("index of untyped nil".into()) };
    if let Value::Nil = item.value() {
        return Err("index of untyped nil".into());
    }
    let mut item = item.clone().unboxed();
    for index in indexes {
        let index = index.value();
        item = match item.value() {
            Value::Nil => return Err("index of nil pointer".into()),
            Value::Str(text) => {
                let at = index_within(index, text.len())?;
                let byte = text.as_bytes().get(at).ok_or("reflect: string index out of range")?;
                Slot::Plain(Value::Uint8(*byte))
            }
            Value::List(elem, items) => {
                let at = index_within(index, items.len())?;
                let element = items.get(at).ok_or("reflect: slice index out of range")?;
                Slot::element(*elem, element.clone())
            }
            Value::Map(elem, map) => match index {
                Value::Str(key) => match map.get(key) {
                    Some(value) => Slot::element(*elem, value),
                    None => zero(*elem),
                },
                Value::Nil => return Err("value is nil; should be of type string".into()),
                _ => return Err(format!("value has type {}; should be string", index.type_name())),
            },
            Value::AnyMap(map) => {
                Slot::Boxed(any_key(index)?.and_then(|key| map.get(&key)).unwrap_or_default())
            }
            value => return Err(format!("can't index item of type {}", value.type_name())),
        };
    }
    Ok(item)
}

/// `value` as a key of a map of mixed keys; `None` if no such map can have it.
fn any_key(value: &Value) -> Result<Option<goyaml::Value>, String> {
    Ok(Some(match value {
        Value::Nil => goyaml::Value::Null,
        Value::Bool(truth) => goyaml::Value::Bool(*truth),
        Value::Int(number) => goyaml::Value::Int(*number),
        Value::Uint64(number) => goyaml::Value::Uint(*number),
        Value::Float(number) => goyaml::Value::Float(*number),
        Value::Str(text) => match std::str::from_utf8(text.as_bytes()) {
            Ok(text) => text.into(),
            Err(_) => goyaml::Value::Binary(text.as_bytes().into()),
        },
        Value::List(..) | Value::Map(..) | Value::AnyMap(_) | Value::Struct(_) => {
            return Err(format!("runtime error: hash of unhashable type {}", value.type_name()));
        }
        // yaml.v2 makes no keys of these types.
        Value::Int32(_) | Value::Int64(_) | Value::Uint8(_) | Value::Object(_) => return Ok(None),
    }))
}

/// An index that is at most `length`.
fn index_within(index: &Value, length: usize) -> Result<usize, String> {
    let number = match index {
        Value::Int(number) | Value::Int64(number) => *number,
        Value::Int32(number) => i64::from(*number),
        Value::Uint8(number) => i64::from(*number),
        Value::Uint64(number) => number.cast_signed(),
        Value::Nil => return Err("cannot index slice/array with nil".into()),
        _ => return Err(format!("cannot index slice/array with type {}", index.type_name())),
    };
    let at = usize::try_from(number).ok().filter(|at| *at <= length);
    at.ok_or_else(|| format!("index out of range: {number}"))
}

fn slice(budget: &mut Budget, arguments: &[Slot]) -> Result<Slot, String> {
    let [item, indexes @ ..] = arguments else { return Err("slice of untyped nil".into()) };
    let item = item.value();
    if let Value::Nil = item {
        return Err("slice of untyped nil".into());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let length = match item {
        Value::Str(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::Str(text) => text.len(),
        Value::List(_, items) => items.len(),
        _ => return Err(format!("can't slice item of type {}", item.type_name())),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = index_within(index.value(), length)?;
    }
    let [start, end, capacity] = bounds;
    for (one, next) in [(start, end), (end, capacity)] {
        if one > next {
            return Err(format!("invalid slice index: {one} > {next}"));
        }
    }
    match item {
        Value::Str(bytes) => text(budget, bytes.as_bytes().get(start..end).unwrap_or_default().to_vec()),
        Value::List(elem, items) => {
            let kept = items.get(start..end).unwrap_or_default();
            budget.take(size_of_val(kept))?;
            Ok(Slot::Plain(Value::List(*elem, Arc::new(kept.to_vec()))))
        }
        _ => Err(format!("can't slice item of type {}", item.type_name())),
    }
}
