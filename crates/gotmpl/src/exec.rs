//! Runs a parsed template, as Go's executor does.

mod call;

use std::sync::Arc;

use crate::ast::{Branch, Call, Command, Name, Node, Operand, Pipe, Spot, Term, Tree};
use crate::complex::Complex;
use crate::constant::Number;
use crate::parse::{MAIN, nearest};
use crate::slot::Slot;
use crate::template::Limits;
use crate::{Budget, Error, Str, Value, print};

/// One rendering of a template.
pub(crate) struct Run<'t> {
    text: &'t str,
    trees: &'t [Tree],
    limits: Limits,
    budget: Budget,
    depth: usize,
    out: Vec<u8>,
    /// The template that runs
    tree: Option<&'t Tree>,
    /// Where it is, for messages
    spot: Option<&'t dyn Spot>,
    variables: Vec<(&'t str, Slot)>,
}

/// How the nodes of a list ended.
enum Flow {
    Next,
    Break,
    Continue,
}

type Result<T, E = Box<Error>> = std::result::Result<T, E>;

impl<'t> Run<'t> {
    pub(crate) fn new(text: &'t str, trees: &'t [Tree], limits: Limits, budget: Budget) -> Self {
        Run {
            text,
            trees,
            limits,
            budget,
            depth: 0,
            out: Vec::new(),
            tree: None,
            spot: None,
            variables: Vec::new(),
        }
    }

    pub(crate) fn render(mut self, tree: &'t Tree, data: Value) -> Result<Vec<u8>, Error> {
        match self.body(tree, &Slot::of(data)) {
            Ok(()) => Ok(self.out),
            Err(error) => Err(*error),
        }
    }

    /// Runs a template with variables of its own.
    fn body(&mut self, tree: &'t Tree, dot: &Slot) -> Result<()> {
        let outer_tree = self.tree.replace(tree);
        let outer_variables = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        self.nodes(dot, &tree.body)?;
        self.tree = outer_tree;
        self.variables = outer_variables;
        Ok(())
    }

    fn nodes(&mut self, dot: &Slot, nodes: &'t [Node]) -> Result<Flow> {
        self.descend()?;
        for node in nodes {
            match self.node(dot, node)? {
                Flow::Next => {}
                flow => {
                    self.depth -= 1;
                    return Ok(flow);
                }
            }
        }
        self.depth -= 1;
        Ok(Flow::Next)
    }

    fn node(&mut self, dot: &Slot, node: &'t Node) -> Result<Flow> {
        self.step()?;
        match node {
            Node::Text(text) => self.write(text.as_bytes())?,
            Node::Action(pipe) => {
                let value = self.pipe(dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.print(&value)?;
                }
            }
            Node::If(branch) => {
                let known = self.variables.len();
                let nodes = match self.pipe(dot, &branch.pipe)?.is_true() {
                    true => Some(&branch.body),
                    false => branch.otherwise.as_ref(),
                };
                let flow = nodes.map_or(Ok(Flow::Next), |nodes| self.nodes(dot, nodes))?;
                self.variables.truncate(known);
                return Ok(flow);
            }
            Node::With(branch) => {
                let known = self.variables.len();
                let value = self.pipe(dot, &branch.pipe)?;
                let flow = match (&branch.otherwise, value.is_true()) {
                    (_, true) => self.nodes(&value, &branch.body)?,
                    (Some(nodes), false) => self.nodes(dot, nodes)?,
                    (None, false) => Flow::Next,
                };
                self.variables.truncate(known);
                return Ok(flow);
            }
            Node::Range(branch) => return self.range(dot, branch),
            Node::Template(call) => self.call_template(dot, call)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn range(&mut self, dot: &Slot, branch: &'t Branch) -> Result<Flow> {
        let known = self.variables.len();
        let over = self.pipe(dot, &branch.pipe)?;
        let inner = self.variables.len();
        let mut rounds: Box<dyn Iterator<Item = (Slot, Slot)>> = match over.into_value() {
            Value::Nil => Box::new(std::iter::empty()),
            Value::List(elem, items) => Box::new((0..items.len()).map(move |at| {
                let element = items.get(at).cloned().unwrap_or_default();
                (Slot::Plain(Value::Int(i64::try_from(at).unwrap_or(i64::MAX))), Slot::element(elem, element))
            })),
            Value::Map(elem, map) => {
                let entries: Vec<(Str, Value)> =
                    map.snapshot().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
                Box::new(
                    entries
                        .into_iter()
                        .map(move |(key, value)| (Slot::Plain(Value::Str(key)), Slot::element(elem, value))),
                )
            }
            Value::AnyMap(map) => {
                let entries = print::sorted(&map).into_iter();
                Box::new(entries.map(|(key, value)| (Slot::Boxed(key), Slot::Boxed(value))))
            }
            value => {
                let shown = print::display(&value);
                return Err(self.error(format!("range can't iterate over {}", shown.to_text())));
            }
        };
        let mut empty = true;
        for (index, element) in rounds.by_ref() {
            empty = false;
            self.step()?;
            // Go sets the variables on top, whichever they are.
            if !branch.pipe.variables.is_empty() {
                self.set_from_top(1, element.clone())?;
            }
            if branch.pipe.variables.len() > 1 {
                self.set_from_top(2, index)?;
            }
            let flow = self.nodes(&element, &branch.body)?;
            self.variables.truncate(inner);
            if let Flow::Break = flow {
                break;
            }
        }
        let flow = match &branch.otherwise {
            Some(nodes) if empty => self.nodes(dot, nodes)?,
            _ => Flow::Next,
        };
        self.variables.truncate(known);
        Ok(flow)
    }

    fn call_template(&mut self, dot: &Slot, call: &'t Call) -> Result<()> {
        self.spot = Some(call);
        let trees = self.trees;
        let Some(tree) = call.tree.and_then(|tree| trees.get(tree)) else {
            let name = print::quote(&call.name).to_text().into_owned();
            return Err(self.error(format!("template {name} not defined")));
        };
        let dot = match &call.pipe {
            Some(pipe) => self.pipe(dot, pipe)?,
            None => Slot::Missing,
        };
        self.body(tree, &dot)
    }

    fn pipe(&mut self, dot: &Slot, pipe: &'t Pipe) -> Result<Slot> {
        self.descend()?;
        self.spot = Some(pipe);
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(dot, command, last)?.unboxed());
        }
        let value = last.unwrap_or(Slot::Missing);
        for variable in &pipe.variables {
            if pipe.assigns {
                let known = self.variables.iter_mut().rev().find(|(name, _)| **name == **variable);
                match known {
                    Some((_, slot)) => *slot = value.clone(),
                    None => return Err(self.error(format!("undefined variable: {variable}"))),
                }
            } else {
                self.variables.push((variable, value.clone()));
            }
        }
        self.depth -= 1;
        Ok(value)
    }

    /// Runs a command, with the value of the one before as its last argument.
    fn command(&mut self, dot: &Slot, command: &'t Command, last: Option<Slot>) -> Result<Slot> {
        let arguments = &command.arguments[..];
        let first = &command.first;
        match &first.term {
            Term::Field(names) => {
                self.spot = Some(first);
                self.fields(dot, dot.clone(), names, arguments, last)
            }
            Term::Chain(operand, names) => {
                let receiver = self.chained(dot, first, operand)?;
                self.fields(dot, receiver, names, arguments, last)
            }
            Term::Variable(name, names) => {
                let value = self.variable(first, name)?;
                if names.is_empty() {
                    self.not_a_function(first, arguments, &last)?;
                    return Ok(value);
                }
                self.fields(dot, value, names, arguments, last)
            }
            Term::Function(callee) => {
                self.spot = Some(first);
                self.call(dot, *callee, command, arguments, last)
            }
            Term::Pipe(pipe) => {
                self.not_a_function(first, arguments, &last)?;
                self.pipe(dot, pipe)
            }
            constant => {
                self.spot = Some(first);
                self.not_a_function(first, arguments, &last)?;
                match constant {
                    Term::Dot => Ok(dot.clone()),
                    Term::Nil => Err(self.error("nil is not a command".into())),
                    constant => self.constant(constant),
                }
            }
        }
    }

    fn not_a_function(&self, first: &Operand, arguments: &[Operand], last: &Option<Slot>) -> Result<()> {
        if arguments.is_empty() && last.is_none() {
            return Ok(());
        }
        // Go shows a pipeline here without its parentheses.
        let shown = match &first.term {
            Term::Pipe(pipe) => pipe.to_string(),
            _ => first.to_string(),
        };
        Err(self.error(format!("can't give argument to non-function {shown}")))
    }

    fn constant(&self, constant: &Term) -> Result<Slot> {
        Ok(match constant {
            Term::Bool(truth) => Slot::Plain(Value::Bool(*truth)),
            Term::Text(_, text) => Slot::Plain(Value::Str(text.clone())),
            Term::Number(number) => self.number(number)?,
            _ => Slot::Missing,
        })
    }

    /// A number where nothing says of which type it should be: its syntax tells.
    fn number(&self, number: &Number) -> Result<Slot> {
        if let Some((real, imaginary)) = number.complex {
            return Ok(Slot::Plain(Value::Object(Arc::new(Complex { real, imaginary }))));
        }
        let text = &*number.text;
        let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
        let integral = text.starts_with('\'') || hexadecimal && !text.contains(['p', 'P']);
        match (number.float, number.int) {
            (Some(float), _) if !integral && text.contains(['.', 'e', 'E', 'p', 'P']) => {
                Ok(Slot::Plain(Value::Float(float)))
            }
            (_, Some(int)) => Ok(Slot::Plain(Value::Int(int))),
            _ => Err(self.error(format!("{text} overflows int"))),
        }
    }

    fn variable(&mut self, operand: &'t Operand, name: &str) -> Result<Slot> {
        self.spot = Some(operand);
        let known = self.variables.iter().rev().find(|(known, _)| *known == name);
        match known {
            Some((_, value)) => Ok(value.clone()),
            None => Err(self.error(format!("undefined variable: {name}"))),
        }
    }

    /// What a chain of fields begins with.
    fn chained(&mut self, dot: &Slot, chain: &'t Operand, operand: &'t Operand) -> Result<Slot> {
        self.spot = Some(chain);
        self.argument(dot, operand)
    }

    fn fields(
        &mut self,
        dot: &Slot,
        mut receiver: Slot,
        names: &'t [Name],
        arguments: &'t [Operand],
        last: Option<Slot>,
    ) -> Result<Slot> {
        let Some((method, names)) = names.split_last() else { return Ok(receiver) };
        for name in names {
            receiver = self.field(dot, &receiver, name, &[], None)?;
        }
        self.field(dot, &receiver, method, arguments, last)
    }

    fn field(
        &mut self,
        dot: &Slot,
        receiver: &Slot,
        name: &Name,
        arguments: &'t [Operand],
        last: Option<Slot>,
    ) -> Result<Slot> {
        let given = !arguments.is_empty() || last.is_some();
        let text = &*name.text;
        let entry = match receiver {
            Slot::Missing => return Ok(Slot::Missing),
            Slot::Plain(value) | Slot::Boxed(value) => match value {
                Value::Nil => {
                    let help =
                        format!("there is no value to take `.{text}` from: test for it with `if` or `with`");
                    let error = self.error(format!("nil pointer evaluating {}.{text}", receiver.type_name()));
                    return Err(with_help(error, help));
                }
                Value::Object(object) => {
                    let object = object.clone();
                    if given && matches!(object.field(text), Some(Ok(_))) {
                        let count = arguments.len() + usize::from(last.is_some());
                        let message = format!("wrong number of args for {text}: want 0 got {count}");
                        return Err(self.error(message));
                    }
                    let spot = self.spot;
                    let arguments = self.method_arguments(dot, arguments, last)?;
                    let result = if given { object.call(text, &arguments) } else { object.field(text) };
                    return match result {
                        Some(Ok(value)) => Ok(Slot::of(value)),
                        Some(Err(message)) => {
                            self.spot = spot;
                            Err(self.error(format!("error calling {text}: {message}")))
                        }
                        None => Err(self.no_field(receiver, text)),
                    };
                }
                Value::Struct(data) => {
                    let Some((_, value)) = data.fields.iter().find(|(field, _)| *field == text) else {
                        return Err(self.no_field(receiver, text));
                    };
                    if given {
                        let message = format!("{text} has arguments but cannot be invoked as function");
                        return Err(self.error(message));
                    }
                    return Ok(Slot::of(value.clone()));
                }
                Value::Map(elem, map) => {
                    map.get(text.as_bytes()).map_or(Slot::Missing, |value| Slot::element(*elem, value))
                }
                Value::AnyMap(map) => map.get(&name.key).map_or(Slot::Missing, Slot::Boxed),
                _ => return Err(self.no_field(receiver, text)),
            },
        };
        if given {
            return Err(self.error(format!("{text} is not a method but has arguments")));
        }
        Ok(entry)
    }

    fn method_arguments(
        &mut self,
        dot: &Slot,
        arguments: &'t [Operand],
        last: Option<Slot>,
    ) -> Result<Vec<Value>> {
        let mut values = Vec::with_capacity(arguments.len() + 1);
        for argument in arguments {
            values.push(self.argument(dot, argument)?.into_value());
        }
        values.extend(last.map(Slot::into_value));
        Ok(values)
    }

    fn no_field(&self, receiver: &Slot, name: &str) -> Box<Error> {
        let error = self.error(format!("can't evaluate field {name} in type {}", receiver.type_name()));
        let Value::Struct(data) = receiver.value() else { return error };
        let fields: Vec<_> = data.fields.iter().map(|(field, _)| *field).collect();
        let help = match nearest(name, fields.iter().copied()) {
            Some(nearest) => format!("did you mean `.{nearest}`?"),
            None => format!("there are .{}", fields.join(", .")),
        };
        with_help(error, help)
    }

    fn print(&mut self, value: &Slot) -> Result<()> {
        let result = match value.value() {
            Value::Nil => return self.write(b"<no value>"),
            Value::Str(text) => return self.write(text.as_bytes()),
            value => print::print(&mut self.out, self.limits.output_bytes, std::slice::from_ref(value)),
        };
        result.map_err(|message| self.error(message))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.out.len().saturating_add(bytes.len()) > self.limits.output_bytes {
            return Err(self.error("the template makes more output than is allowed".into()));
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn set_from_top(&mut self, from_top: usize, value: Slot) -> Result<()> {
        let at = self.variables.len().checked_sub(from_top);
        match at.and_then(|at| self.variables.get_mut(at)) {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            None => Err(self.error("range has no variable to assign to".into())),
        }
    }

    fn step(&mut self) -> Result<()> {
        match self.budget.steps.checked_sub(1) {
            Some(steps) => {
                self.budget.steps = steps;
                Ok(())
            }
            None => Err(self.error("the template takes more steps than are allowed".into())),
        }
    }

    fn descend(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            let message = format!("exceeded maximum template depth ({})", self.limits.depth);
            return Err(self.error(message));
        }
        Ok(())
    }

    fn error(&self, message: String) -> Box<Error> {
        let offset = self.spot.map_or(0, Spot::offset);
        let name = self.tree.map(|tree| tree.name.to_text().into_owned());
        Box::new(Error {
            template: name.filter(|name| name != MAIN),
            context: self.spot.map(|spot| spot.to_string()),
            ..Error::at(self.text, offset, message)
        })
    }
}

/// The same error with advice.
fn with_help(mut error: Box<Error>, help: String) -> Box<Error> {
    error.help = Some(help);
    error
}
