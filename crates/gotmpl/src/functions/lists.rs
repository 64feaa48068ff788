//! Lists. None is ever changed: every function makes a new one.

use std::sync::Arc;

use super::arguments::{any, fixed, variadic};
use super::conversion::to_int64;
use super::deep::{check_nesting, deep_equal};
use super::defaults::is_empty;
use super::reflection::kind_of;
use crate::{Budget, Elem, Function, Type, Value};

const ANY: Type = Type::Any;

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("list", &[], ANY, list),
    variadic("tuple", &[], ANY, list),
    fixed("first", &[ANY], |_, arguments| {
        Ok(items("find first on", any(arguments, 0)?)?.first().cloned().unwrap_or_default())
    }),
    fixed("last", &[ANY], |_, arguments| {
        Ok(items("find last on", any(arguments, 0)?)?.last().cloned().unwrap_or_default())
    }),
    fixed("rest", &[ANY], |budget, arguments| match items("find rest on", any(arguments, 0)?)? {
        [] => Ok(Value::nil_list(Elem::Any)),
        [_, rest @ ..] => new(budget, rest.to_vec()),
    }),
    fixed("initial", &[ANY], |budget, arguments| match items("find initial on", any(arguments, 0)?)? {
        [] => Ok(Value::nil_list(Elem::Any)),
        [initial @ .., _] => new(budget, initial.to_vec()),
    }),
    fixed("append", &[ANY, ANY], append),
    fixed("push", &[ANY, ANY], append),
    fixed("prepend", &[ANY, ANY], prepend),
    fixed("reverse", &[ANY], |budget, arguments| {
        new(budget, items("find reverse on", any(arguments, 0)?)?.iter().rev().cloned().collect())
    }),
    fixed("compact", &[ANY], |budget, arguments| {
        let items = items("compact on", any(arguments, 0)?)?;
        new(budget, items.iter().filter(|item| !is_empty(item)).cloned().collect())
    }),
    fixed("uniq", &[ANY], uniq),
    variadic("without", &[ANY], ANY, without),
    fixed("has", &[ANY, ANY], has),
    variadic("slice", &[ANY], ANY, slice),
    variadic("concat", &[], ANY, concat),
];

pub(super) const REFUSED: &[(&str, &str)] = &[];

/// What Go says where a function asks `nil` for its type.
const NIL: &str = "runtime error: invalid memory address or nil pointer dereference";

fn items<'a>(what: &str, list: &'a Value) -> Result<&'a [Value], String> {
    match list {
        Value::List(_, items) => Ok(items),
        Value::Nil => Err(NIL.into()),
        other => Err(format!("Cannot {what} type {}", kind_of(other))),
    }
}

fn new(budget: &mut Budget, items: Vec<Value>) -> Result<Value, String> {
    budget.take(size_of_val(items.as_slice()))?;
    Ok(Value::list(items))
}

fn list(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    arguments.iter().try_for_each(|item| check_nesting(budget, item, 1))?;
    new(budget, arguments.to_vec())
}

fn append(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let (items, item) = (items("push on", any(arguments, 0)?)?, any(arguments, 1)?);
    check_nesting(budget, item, 1)?;
    new(budget, items.iter().chain([item]).cloned().collect())
}

fn prepend(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let (items, item) = (items("prepend on", any(arguments, 0)?)?, any(arguments, 1)?);
    check_nesting(budget, item, 1)?;
    new(budget, std::iter::once(item).chain(items).cloned().collect())
}

fn uniq(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let mut kept: Vec<Value> = Vec::new();
    for item in items("find uniq on", any(arguments, 0)?)? {
        if !contains(budget, &kept, item)? {
            kept.push(item.clone());
        }
    }
    new(budget, kept)
}

fn without(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let mut kept = Vec::new();
    for item in items("find without on", any(arguments, 0)?)? {
        if !contains(budget, &arguments[1..], item)? {
            kept.push(item.clone());
        }
    }
    new(budget, kept)
}

fn has(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let found = match any(arguments, 1)? {
        Value::Nil => false,
        list => contains(budget, items("find has on", list)?, any(arguments, 0)?)?,
    };
    Ok(Value::Bool(found))
}

fn contains(budget: &mut Budget, list: &[Value], wanted: &Value) -> Result<bool, String> {
    for item in list {
        if deep_equal(budget, wanted, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A part of a list, which keeps the type of its elements.
fn slice(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let (elem, items) = match any(arguments, 0)? {
        Value::List(_, items) if items.is_empty() => return Ok(Value::Nil),
        Value::List(elem, items) => (*elem, items),
        Value::Nil => return Err(NIL.into()),
        other => return Err(format!("list should be type of slice or array but {}", kind_of(other))),
    };
    let bound = |at: usize, default: usize| match arguments.get(at) {
        Some(index) => usize::try_from(to_int64(index)).ok(),
        None => Some(default),
    };
    let part = match (bound(1, 0), bound(2, items.len())) {
        (Some(start), Some(end)) => items.get(start..end),
        _ => None,
    };
    let part = part.ok_or("reflect.Value.Slice: slice index out of bounds")?;
    budget.take(size_of_val(part))?;
    Ok(Value::List(elem, Arc::new(part.to_vec())))
}

fn concat(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let mut all = Vec::new();
    for list in arguments {
        match list {
            Value::List(_, items) => {
                budget.take(size_of_val(items.as_slice()))?;
                all.extend_from_slice(items);
            }
            Value::Nil => return Err(NIL.into()),
            other => return Err(format!("Cannot concat type {} as list", kind_of(other))),
        }
    }
    Ok(if all.is_empty() { Value::nil_list(Elem::Any) } else { Value::list(all) })
}
