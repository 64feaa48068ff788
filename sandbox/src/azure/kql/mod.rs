//! The Kusto query language, as far as Resource Graph has it and as far as it is asked for here.
//!
//! ```text
//! text ─lexer─▶ tokens ─parser─▶ Query ─run─▶ Answer
//!                                  └ cell · function: values, and what is done with them
//! ```
//!
//! Types are checked before a row is looked at, as Kusto does. What is not known here is refused.

mod cell;
mod function;
mod lexer;
mod parser;
mod run;

use serde_json::Value;

pub(super) use parser::{Query, parse};
pub(super) use run::run;

/// Why a query is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) message: String,
    /// Where in the text, if that is known.
    pub(super) at: Option<usize>,
}

/// Where rows come from.
pub(super) trait Tables<'a> {
    /// The resources of a table, each as the values of [`columns`], if there is one of that name.
    fn rows(&self, table: &str) -> Option<Vec<&'a [Value]>>;
}

/// The names of what every table has.
pub(super) fn columns() -> impl Iterator<Item = &'static str> {
    run::COLUMNS.iter().map(|(name, _)| *name)
}

/// What a query gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) columns: Vec<String>,
    /// Objects.
    pub(super) rows: Vec<Value>,
}

impl Refused {
    fn new(message: impl Into<String>) -> Refused {
        Refused { message: message.into(), at: None }
    }

    fn at(at: usize, message: &str) -> Refused {
        Refused { message: message.to_owned(), at: Some(at) }
    }
}
