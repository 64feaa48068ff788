//! A template: parsed once, rendered often.

use crate::ast::{Callee, Command, Node, Operand, Pipe, Term, Tree};
use crate::exec::Run;
use crate::{Budget, Error, Str, Value, parse};

/// Functions that change the maps they are given.
const MUTATING: [&str; 4] = ["merge", "mergeOverwrite", "set", "unset"];

/// A parsed template.
#[derive(Debug)]
pub struct Template {
    text: Box<str>,
    trees: Vec<Tree>,
    /// It may change the maps of its data
    mutates: bool,
}

/// What one rendering may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Nodes, rounds of loops and calls of functions
    pub steps: u64,
    /// Bytes of output
    pub output_bytes: usize,
    /// Bytes of all the values together that are made on the way
    pub value_bytes: u64,
    /// Levels of blocks, parentheses and template calls within one another
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { steps: 1_000_000, output_bytes: 16 << 20, value_bytes: 128 << 20, depth: 600 }
    }
}

impl Template {
    /// Parses `text` and finds its functions.
    ///
    /// An unknown or refused function is an error, as any error of syntax is.
    pub fn parse(text: &str) -> Result<Template, Error> {
        let trees = parse::parse(text)?;
        let mutates = trees.iter().any(|tree| any_mutates(&tree.body));
        Ok(Template { text: text.into(), trees, mutates })
    }

    /// Renders the template for `data`, which is not changed: a template that changes maps gets its own.
    pub fn render(&self, data: &Value, limits: Limits) -> Result<Vec<u8>, Error> {
        let main: Str = parse::MAIN.into();
        let Some(tree) = self.trees.iter().find(|tree| tree.name == main) else {
            return Ok(Vec::new());
        };
        let data = if self.mutates { data.detached() } else { data.clone() };
        let budget = Budget { steps: limits.steps, bytes: limits.value_bytes };
        Run::new(&self.text, &self.trees, limits, budget).render(tree, data)
    }
}

fn any_mutates(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Text(_) | Node::Break | Node::Continue => false,
        Node::Action(pipe) => pipe_mutates(pipe),
        Node::If(branch) | Node::Range(branch) | Node::With(branch) => {
            pipe_mutates(&branch.pipe)
                || any_mutates(&branch.body)
                || branch.otherwise.as_deref().is_some_and(any_mutates)
        }
        Node::Template(call) => call.pipe.as_ref().is_some_and(pipe_mutates),
    })
}

fn pipe_mutates(pipe: &Pipe) -> bool {
    pipe.commands.iter().any(|Command { first, arguments, .. }| {
        operand_mutates(first) || arguments.iter().any(operand_mutates)
    })
}

fn operand_mutates(operand: &Operand) -> bool {
    match &operand.term {
        Term::Function(Callee::Function(function)) => MUTATING.contains(&function.name),
        Term::Chain(operand, _) => operand_mutates(operand),
        Term::Pipe(pipe) => pipe_mutates(pipe),
        _ => false,
    }
}
