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

use cell::{Cell, Type};
use serde_json::{Map, Value};

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
#[derive(Clone, Debug)]
pub(super) struct Answer<'a> {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell<'a>>>,
}

/// What is in one place of every row.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    name: String,
    holds: Type,
}

impl Answer<'_> {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn has_column(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name)
    }

    /// Rows of a range as objects.
    pub(super) fn objects(&self, from: usize, count: usize) -> Vec<Value> {
        let object = |row: &Vec<Cell<'_>>| {
            let fields =
                self.columns.iter().zip(row).map(|(column, cell)| (column.name.clone(), cell.json()));
            Value::Object(fields.collect::<Map<_, _>>())
        };
        self.rows.iter().skip(from).take(count).map(object).collect()
    }
}

impl Refused {
    fn new(message: impl Into<String>) -> Refused {
        Refused { message: message.into(), at: None }
    }

    fn at(at: usize, message: &str) -> Refused {
        Refused { message: message.to_owned(), at: Some(at) }
    }
}
