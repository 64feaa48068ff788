//! Reads YAML as Go's yaml.v2 does, prints it as Go's yaml.v3 does.
//!
//! Pure: text in, values out; text out of values.

mod cursor;
mod decode;
mod node;
mod order;
mod parser;
mod print;
mod scalar;
mod scanner;
mod text;
mod value;

pub use node::{Limits, Mark, Node, NodeKind, ParseError, Style};
pub use value::{Map, Value};

/// Parses every document of `text` into nodes that remember where they stood.
///
/// Documents before the first syntax error are returned along with the error; documents without content are
/// left out.
pub fn parse(text: &str, limits: Limits) -> (Vec<Node>, Option<ParseError>) {
    let mut parser = match parser::Parser::new(text, limits) {
        Ok(parser) => parser,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut documents = Vec::new();
    loop {
        match parser.next_document() {
            Ok(Some(document)) => documents.extend(document),
            Ok(None) => return (documents, None),
            Err(error) => return (documents, Some(error)),
        }
    }
}

/// Reads the first document of `text` with the rules of Go's yaml.v2 (YAML 1.1 scalars, merge keys,
/// the last of two equal keys wins); no document at all is `Value::Null`.
///
/// What follows the first document is not looked at, as in Go.
pub fn read(text: &str) -> Result<Value, ParseError> {
    match parser::Parser::new(text, Limits::default())?.next_document()? {
        Some(Some(node)) => node.value(),
        _ => Ok(Value::Null),
    }
}

/// Prints `value` as `yaml.Marshal` of Go's yaml.v3 does, with its final newline.
pub fn print(value: &Value) -> String {
    print::print(value)
}

/// Prints `value` like [`print`](fn@print), but indented by 2, and lists in mappings not at all.
pub fn print_compact(value: &Value) -> String {
    print::print_compact(value)
}
