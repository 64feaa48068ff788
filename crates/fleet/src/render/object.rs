//! Manifests written as YAML objects (older samples): every text in them is a template of its own.

use goyaml::{Node, NodeKind, Value};

use super::{Data, Place, go, jinja};
use crate::diagnostic::Diagnostic;
use crate::objects::Engine;

#[derive(Debug)]
pub(super) struct Program(Part);

#[derive(Debug)]
enum Part {
    Go(Box<go::Program>),
    Jinja(Box<jinja::Program>),
    Fixed(Value),
    List(Vec<Part>),
    Map(Vec<(Value, Part)>),
}

impl Program {
    pub(super) fn new(place: &Place<'_>) -> Result<Program, Diagnostic> {
        Part::new(place.node(), place).map(Program)
    }

    pub(super) fn render(&self, data: &Data<'_>, place: &Place<'_>) -> Result<Vec<u8>, Diagnostic> {
        Ok(goyaml::print_compact(&self.0.render(data, place)?).into_bytes())
    }
}

impl Part {
    fn new(node: &Node, place: &Place<'_>) -> Result<Part, Diagnostic> {
        Ok(match &node.kind {
            NodeKind::Sequence(items) => {
                Part::List(items.iter().map(|item| Part::new(item, place)).collect::<Result<_, _>>()?)
            }
            NodeKind::Mapping(entries) => {
                let entry = |(key, value): &(Node, Node)| Ok((key.to_value(), Part::new(value, place)?));
                Part::Map(entries.iter().map(entry).collect::<Result<_, _>>()?)
            }
            NodeKind::Scalar { text, .. } => match (node.to_value(), place.template.engine) {
                (Value::Str(_), Engine::Go) if text.contains("{{") => {
                    Part::Go(Box::new(go::Program::of_node(text, place, node)?))
                }
                (Value::Str(_), Engine::Jinja) if text.contains('{') => {
                    Part::Jinja(Box::new(jinja::Program::of_node(text, place, node)?))
                }
                (value, _) => Part::Fixed(value),
            },
        })
    }

    fn render(&self, data: &Data<'_>, place: &Place<'_>) -> Result<Value, Diagnostic> {
        let text = |bytes: Vec<u8>| Value::from(&*String::from_utf8_lossy(&bytes));
        Ok(match self {
            Part::Go(program) => text(program.render(data.go(), place)?),
            Part::Jinja(program) => text(program.render(data.jinja(), place)?),
            Part::Fixed(value) => value.clone(),
            Part::List(items) => {
                Value::Seq(items.iter().map(|item| item.render(data, place)).collect::<Result<_, _>>()?)
            }
            Part::Map(entries) => {
                let entry = |(key, part): &(Value, Part)| Ok((key.clone(), part.render(data, place)?));
                Value::Map(entries.iter().map(entry).collect::<Result<_, _>>()?)
            }
        })
    }
}
