//! What can be done with values.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::cell::{Cell, Type};

/// What makes a value of others.
pub(super) type Work = for<'a> fn(&[Cell<'a>]) -> Cell<'a>;

/// A function, or an operator between two values.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) takes: &'static [Takes],
    pub(super) gives: Gives,
    pub(super) work: Work,
}

/// What may stand in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Any,
    One(Type),
    /// A number or a time, of the same type as what stands in the first place.
    Comparable,
    /// Anything of the same type as what stands in the second place.
    Same,
}

/// What comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    One(Type),
    /// What stands in the second place.
    Second,
}

use Takes::{Any, Comparable, One, Same};

const TEXTS: &[Takes] = &[One(Type::Text), One(Type::Text)];
const COMPARABLES: &[Takes] = &[Comparable, Comparable];
const BOOL: Gives = Gives::One(Type::Bool);

/// Written with parentheses.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "tostring",
        takes: &[Any],
        gives: Gives::One(Type::Text),
        work: |cells| Cell::Text(cells[0].text()),
    },
    Function {
        name: "tolower",
        takes: &[One(Type::Text)],
        gives: Gives::One(Type::Text),
        work: |cells| Cell::Text(Cow::Owned(cells[0].text().to_lowercase())),
    },
    Function {
        name: "todatetime",
        takes: &[Any],
        gives: Gives::One(Type::Time),
        work: |cells| cells[0].time().map_or(Cell::Null, Cell::Time),
    },
    Function {
        name: "split",
        takes: TEXTS,
        gives: Gives::One(Type::Dynamic),
        work: |cells| {
            let (text, separator) = (cells[0].text(), cells[1].text());
            Cell::Dynamic(Cow::Owned(text.split(separator.as_ref()).map(Value::from).collect()))
        },
    },
    Function {
        name: "iff",
        takes: &[One(Type::Bool), Any, Same],
        gives: Gives::Second,
        work: |cells| if cells[0].is_true() { cells[1].clone() } else { cells[2].clone() },
    },
];

/// Written between two values.
pub(super) const OPERATORS: &[Function] = &[
    Function { name: "==", takes: TEXTS, gives: BOOL, work: |cells| Cell::Bool(cells[0] == cells[1]) },
    Function { name: "!=", takes: TEXTS, gives: BOOL, work: |cells| Cell::Bool(cells[0] != cells[1]) },
    Function {
        name: "=~",
        takes: TEXTS,
        gives: BOOL,
        work: |cells| Cell::Bool(is_same(&cells[0].text(), &cells[1].text())),
    },
    Function {
        name: "contains",
        takes: TEXTS,
        gives: BOOL,
        work: |cells| Cell::Bool(cells[0].text().to_lowercase().contains(&cells[1].text().to_lowercase())),
    },
    Function {
        name: "has",
        takes: TEXTS,
        gives: BOOL,
        work: |cells| Cell::Bool(has_term(&cells[0].text().to_lowercase(), &cells[1].text().to_lowercase())),
    },
    Function { name: ">", takes: COMPARABLES, gives: BOOL, work: |cells| compared(cells, Ordering::is_gt) },
    Function { name: ">=", takes: COMPARABLES, gives: BOOL, work: |cells| compared(cells, Ordering::is_ge) },
    Function { name: "<", takes: COMPARABLES, gives: BOOL, work: |cells| compared(cells, Ordering::is_lt) },
    Function { name: "<=", takes: COMPARABLES, gives: BOOL, work: |cells| compared(cells, Ordering::is_le) },
];

/// Written between a text and texts in parentheses; the text comes first.
pub(super) const MEMBERSHIPS: &[(&str, Work)] = &[
    ("in", |cells| Cell::Bool(cells[1..].contains(&cells[0]))),
    ("in~", |cells| Cell::Bool(cells[1..].iter().any(|cell| is_same(&cells[0].text(), &cell.text())))),
    ("has_any", |cells| {
        let text = cells[0].text().to_lowercase();
        Cell::Bool(cells[1..].iter().any(|cell| has_term(&text, &cell.text().to_lowercase())))
    }),
];

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Whether a text holds another between its terms, which are runs of letters and digits.
fn has_term(text: &str, term: &str) -> bool {
    let ends = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
    text.match_indices(term).any(|(at, found)| {
        ends(text[..at].chars().next_back()) && ends(text[at + found.len()..].chars().next())
    })
}

/// Nothing stands in no order to anything.
fn compared<'a>(cells: &[Cell<'a>], is: fn(Ordering) -> bool) -> Cell<'a> {
    match cells {
        [Cell::Null, _] | [_, Cell::Null] => Cell::Null,
        _ => Cell::Bool(is(cells[0].order(&cells[1]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_runs_of_letters_and_digits() {
        let table = [
            ("dev@sha1:abc1", "abc1", true, "after a colon"),
            ("dev/abc1", "abc1", true, "after a slash"),
            ("abc12", "abc1", false, "more follows"),
            ("xabc1", "abc1", false, "more precedes"),
            ("xabc1 abc1", "abc1", true, "the second one"),
            ("éabc1", "abc1", false, "a letter of another alphabet"),
        ];
        for (text, term, want, why) in table {
            assert_eq!(has_term(text, term), want, "{why}");
        }
    }
}
