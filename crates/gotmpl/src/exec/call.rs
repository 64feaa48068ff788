//! Calls functions, with arguments of the types that they declare.

use super::{Result, Run, with_help};
use crate::ast::{Callee, Operand, Spot, Term};
use crate::builtins::{Action, Builtin};
use crate::slot::Slot;
use crate::{Function, Type, Value};

impl<'t> Run<'t> {
    /// Calls a function; an error that it returns itself is about `spot`.
    pub(super) fn call(
        &mut self,
        dot: &Slot,
        callee: Callee,
        spot: &'t dyn Spot,
        arguments: &'t [Operand],
        last: Option<Slot>,
    ) -> Result<Slot> {
        self.step()?;
        let (fixed, variadic) = match callee {
            Callee::Builtin(builtin) => (builtin.fixed, builtin.variadic),
            Callee::Function(function) => (function.params.len(), function.variadic.is_some()),
        };
        let count = arguments.len() + usize::from(last.is_some());
        let name = callee.name();
        if variadic && count < fixed {
            let given = arguments.len();
            return Err(
                self.error(format!("wrong number of args for {name}: want at least {fixed} got {given}"))
            );
        }
        if !variadic && count != fixed {
            return Err(self.error(format!("wrong number of args for {name}: want {fixed} got {count}")));
        }
        let result = match callee {
            Callee::Builtin(builtin) => self.call_builtin(dot, builtin, arguments, last)?,
            Callee::Function(function) => self.call_function(dot, function, arguments, last)?.map(Slot::of),
        };
        result.map_err(|message| {
            self.spot = Some(spot);
            self.error(format!("error calling {name}: {message}"))
        })
    }

    fn call_function(
        &mut self,
        dot: &Slot,
        function: &Function,
        arguments: &'t [Operand],
        last: Option<Slot>,
    ) -> Result<Result<Value, String>> {
        let rest = std::iter::repeat(function.variadic.unwrap_or(Type::Any));
        let mut types = function.params.iter().copied().chain(rest);
        let mut values = Vec::with_capacity(arguments.len() + 1);
        for argument in arguments {
            let to = types.next().unwrap_or(Type::Any);
            values.push(self.typed_argument(dot, argument, to)?);
        }
        if let Some(last) = last {
            values.push(self.convert(last, types.next().unwrap_or(Type::Any))?);
        }
        let result = (function.call)(&mut self.budget, &values);
        Ok(result.and_then(|value| {
            if let Value::Str(text) = &value {
                self.budget.take(text.len())?;
            }
            Ok(value)
        }))
    }

    fn call_builtin(
        &mut self,
        dot: &Slot,
        builtin: &Builtin,
        arguments: &'t [Operand],
        last: Option<Slot>,
    ) -> Result<Result<Slot, String>> {
        let (call, format) = match builtin.action {
            Action::And => return self.first_with(dot, arguments, last, false).map(Ok),
            Action::Or => return self.first_with(dot, arguments, last, true).map(Ok),
            Action::Format(call) => (call, true),
            Action::Call(call) => (call, false),
        };
        let mut slots = Vec::with_capacity(arguments.len() + 1);
        for argument in arguments {
            slots.push(if format && slots.is_empty() {
                Slot::Plain(self.typed_argument(dot, argument, Type::Str)?)
            } else {
                self.argument(dot, argument)?
            });
        }
        if let Some(last) = last {
            let first = format && slots.is_empty();
            slots.push(if first { Slot::Plain(self.convert(last, Type::Str)?) } else { last });
        }
        Ok(call(&mut self.budget, &slots))
    }

    /// The first argument of that truth, else the last; those after it are not evaluated.
    fn first_with(
        &mut self,
        dot: &Slot,
        arguments: &'t [Operand],
        last: Option<Slot>,
        truth: bool,
    ) -> Result<Slot> {
        let mut value = Slot::Missing;
        for argument in arguments {
            value = self.argument(dot, argument)?;
            if value.is_true() == truth {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// An argument of no particular type.
    pub(super) fn argument(&mut self, dot: &Slot, operand: &'t Operand) -> Result<Slot> {
        self.spot = Some(operand);
        match &operand.term {
            Term::Dot => Ok(dot.clone()),
            Term::Field(names) => self.fields(dot, dot.clone(), names, &[], None),
            Term::Variable(name, names) => {
                let value = self.variable(operand, name)?;
                self.fields(dot, value, names, &[], None)
            }
            Term::Pipe(pipe) => self.pipe(dot, pipe),
            Term::Function(callee) => self.call(dot, *callee, operand, &[], None),
            Term::Chain(inner, names) => {
                let receiver = self.chained(dot, operand, inner)?;
                self.fields(dot, receiver, names, &[], None)
            }
            constant => self.constant(constant),
        }
    }

    fn typed_argument(&mut self, dot: &Slot, operand: &'t Operand, to: Type) -> Result<Value> {
        let wrong = |expected: &str| format!("expected {expected}; found {operand}");
        let value = match (&operand.term, to) {
            (Term::Nil, _) => to.nil().ok_or_else(|| format!("cannot assign nil to {}", to.name())),
            (Term::Bool(_) | Term::Number(_) | Term::Text(..), Type::Any) => {
                self.spot = Some(operand);
                return Ok(self.constant(&operand.term)?.into_value());
            }
            (Term::Text(_, text), Type::Str) => Ok(Value::Str(text.clone())),
            (Term::Bool(truth), Type::Bool) => Ok(Value::Bool(*truth)),
            (Term::Number(number), Type::Int) => number.int.map(Value::Int).ok_or_else(|| wrong("integer")),
            (Term::Number(number), Type::Uint32) => {
                number.uint.map(Value::Uint64).ok_or_else(|| wrong("unsigned integer"))
            }
            (Term::Number(number), Type::Float) => {
                number.float.map(Value::Float).ok_or_else(|| wrong("float"))
            }
            (Term::Bool(_) | Term::Number(_) | Term::Text(..), _) => Err(match to {
                Type::Str => wrong("string"),
                Type::Bool => wrong("bool"),
                Type::Int => wrong("integer"),
                Type::Uint32 => wrong("unsigned integer"),
                Type::Float => wrong("float"),
                _ => format!("can't handle {operand} for arg of type {}", to.name()),
            }),
            _ => {
                let slot = self.argument(dot, operand)?;
                return self.convert(slot, to);
            }
        };
        self.spot = Some(operand);
        value.map_err(|message| self.error(message))
    }

    fn convert(&self, slot: Slot, to: Type) -> Result<Value> {
        let missing = matches!(slot, Slot::Missing);
        slot.convert(to).map_err(|message| {
            let error = self.error(message);
            if missing {
                return with_help(error, "a key is missing here: give it a value, or use `default`".into());
            }
            error
        })
    }
}
