//! The tree of a parsed template. `Display` writes nodes as Go's messages show them.

use std::fmt;

use crate::builtins::Builtin;
use crate::constant::Number;
use crate::{Function, Str, print};

/// A named body.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) name: Str,
    pub(crate) body: Vec<Node>,
}

#[derive(Debug)]
pub(crate) enum Node {
    Text(Box<str>),
    Action(Pipe),
    If(Branch),
    Range(Branch),
    With(Branch),
    Template(Call),
    Break,
    Continue,
}

#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) body: Vec<Node>,
    pub(crate) otherwise: Option<Vec<Node>>,
}

/// `{{template "name" pipeline}}`
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) offset: usize,
    pub(crate) name: Str,
    /// The index of the tree of that name, if there is one
    pub(crate) tree: Option<usize>,
    pub(crate) pipe: Option<Pipe>,
}

/// Variables, and commands of which each gets the value of the one before as its last argument.
#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) offset: usize,
    pub(crate) variables: Vec<Box<str>>,
    /// The variables are assigned to, not declared
    pub(crate) assigns: bool,
    pub(crate) commands: Vec<Command>,
}

#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) offset: usize,
    pub(crate) first: Operand,
    pub(crate) arguments: Vec<Operand>,
}

#[derive(Debug)]
pub(crate) struct Operand {
    pub(crate) offset: usize,
    pub(crate) term: Term,
}

#[derive(Debug)]
pub(crate) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    /// A string constant: as it was written, and what it says
    Text(Box<str>, Str),
    /// `.A.B`
    Field(Vec<Name>),
    /// `$a.B`
    Variable(Box<str>, Vec<Name>),
    Function(Callee),
    /// `(…).A.B`
    Chain(Box<Operand>, Vec<Name>),
    Pipe(Pipe),
}

/// The name of a field or method, also as the key that it is in a map of mixed keys.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) text: Box<str>,
    pub(crate) key: goyaml::Value,
}

#[derive(Clone, Copy)]
pub(crate) enum Callee {
    Builtin(&'static Builtin),
    Function(&'static Function),
}

impl Callee {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Callee::Builtin(builtin) => builtin.name,
            Callee::Function(function) => function.name,
        }
    }
}

impl fmt::Debug for Callee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that an error can be about.
pub(crate) trait Spot: fmt::Display {
    fn offset(&self) -> usize;
}

impl Spot for Call {
    fn offset(&self) -> usize {
        self.offset
    }
}

impl Spot for Pipe {
    fn offset(&self) -> usize {
        self.offset
    }
}

impl Spot for Command {
    fn offset(&self) -> usize {
        self.offset
    }
}

impl Spot for Operand {
    fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {}", print::quote(&self.name).to_text())?;
        match &self.pipe {
            Some(pipe) => write!(f, " {pipe}}}}}"),
            None => f.write_str("}}"),
        }
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            write!(f, "{} := ", self.variables.join(", "))?;
        }
        for (at, command) in self.commands.iter().enumerate() {
            f.write_str(if at > 0 { " | " } else { "" })?;
            command.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {argument}"))
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields: &[Name] = &[];
        match &self.term {
            Term::Dot => f.write_str(".")?,
            Term::Nil => f.write_str("nil")?,
            Term::Bool(value) => value.fmt(f)?,
            Term::Number(number) => f.write_str(&number.text)?,
            Term::Text(quoted, _) => f.write_str(quoted)?,
            Term::Field(names) => fields = names,
            Term::Variable(name, names) => {
                f.write_str(name)?;
                fields = names;
            }
            Term::Function(callee) => f.write_str(callee.name())?,
            Term::Chain(operand, names) => {
                operand.fmt(f)?;
                fields = names;
            }
            Term::Pipe(pipe) => write!(f, "({pipe})")?,
        }
        fields.iter().try_for_each(|name| write!(f, ".{}", name.text))
    }
}
