//! A query on rows.

use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;

use super::cell::{Cell, Key, Type};
use super::function::{Gives, Takes, Work};
use super::parser::{Aggregate, Direction, Expression, Named, Query, Step};
use super::{Answer, Refused, Tables};

/// What every table of Resource Graph has.
pub(super) const COLUMNS: [(&str, Type); 16] = [
    ("id", Type::Text),
    ("name", Type::Text),
    ("type", Type::Text),
    ("tenantId", Type::Text),
    ("kind", Type::Text),
    ("location", Type::Text),
    ("resourceGroup", Type::Text),
    ("subscriptionId", Type::Text),
    ("managedBy", Type::Text),
    ("sku", Type::Dynamic),
    ("plan", Type::Dynamic),
    ("properties", Type::Dynamic),
    ("tags", Type::Dynamic),
    ("identity", Type::Dynamic),
    ("zones", Type::Dynamic),
    ("extendedLocation", Type::Dynamic),
];

type Row<'a> = Vec<Cell<'a>>;

/// Answers a query.
pub(crate) fn run<'a>(query: &'a Query, tables: &impl Tables<'a>) -> Result<Answer, Refused> {
    let Table { columns, rows } = table(query, tables)?;
    let columns: Vec<String> = columns.into_iter().map(|column| column.name).collect();
    let object = |row: Row<'_>| columns.iter().cloned().zip(row.iter().map(Cell::json)).collect();
    Ok(Answer { rows: rows.into_iter().map(object).collect(), columns })
}

/// Rows, and what is in them.
struct Table<'a> {
    columns: Vec<Column>,
    rows: Vec<Row<'a>>,
}

/// What is in one place of every row.
struct Column {
    name: String,
    holds: Type,
}

fn table<'a>(query: &'a Query, tables: &impl Tables<'a>) -> Result<Table<'a>, Refused> {
    let resources = tables
        .rows(&query.table)
        .ok_or_else(|| Refused::new(format!("'{}' is not a table that is known here", query.table)))?;
    // Nobody looks at the others.
    let needed = COLUMNS.iter().enumerate().filter(|(_, (name, _))| query.needs(name));
    let cells = |resource: &'a [Value]| {
        needed.clone().map(|(place, (_, holds))| Cell::of(resource.get(place), *holds)).collect()
    };
    let mut table = Table {
        rows: resources.into_iter().map(cells).collect(),
        columns: needed.clone().map(|(_, (name, holds))| Column::new(name, *holds)).collect(),
    };
    for step in &query.steps {
        table = table.after(step, tables)?;
    }
    Ok(table)
}

/// What makes a value of a row, with columns found and types known to fit.
enum Formula<'a> {
    Column(usize),
    Literal(&'a Cell<'static>),
    Member(Box<Formula<'a>>, &'a str),
    Element(Box<Formula<'a>>, usize),
    Call(Work, Vec<Formula<'a>>),
    Match(Box<Formula<'a>>, &'a Regex),
    And(Box<Formula<'a>>, Box<Formula<'a>>),
    Or(Box<Formula<'a>>, Box<Formula<'a>>),
}

impl<'a> Formula<'a> {
    fn of(&self, row: &Row<'a>) -> Cell<'a> {
        match self {
            Formula::Column(index) => row[*index].clone(),
            Formula::Literal(cell) => (*cell).clone(),
            Formula::Member(whole, name) => whole.of(row).member(name),
            Formula::Element(whole, index) => whole.of(row).element(*index),
            Formula::Call(work, arguments) => {
                let cells: Vec<Cell<'a>> = arguments.iter().map(|argument| argument.of(row)).collect();
                work(&cells)
            }
            Formula::Match(text, pattern) => Cell::Bool(pattern.is_match(&text.of(row).text())),
            Formula::And(one, other) => Cell::Bool(one.of(row).is_true() && other.of(row).is_true()),
            Formula::Or(one, other) => Cell::Bool(one.of(row).is_true() || other.of(row).is_true()),
        }
    }
}

impl Column {
    fn new(name: &str, holds: Type) -> Column {
        Column { name: name.to_owned(), holds }
    }
}

impl<'a> Table<'a> {
    fn after(mut self, step: &'a Step, tables: &impl Tables<'a>) -> Result<Table<'a>, Refused> {
        match step {
            Step::Where(condition) => {
                let condition = self.formula_of(condition, Type::Bool)?;
                self.rows.retain(|row| condition.of(row).is_true());
                Ok(self)
            }
            Step::Extend(made) => {
                for Named { name, value } in made {
                    let (formula, holds) = self.formula(value)?;
                    let place = self.columns.iter().position(|column| column.name == *name);
                    for row in &mut self.rows {
                        let cell = formula.of(row);
                        match place {
                            Some(place) => row[place] = cell,
                            None => row.push(cell),
                        }
                    }
                    match place {
                        Some(place) => self.columns[place].holds = holds,
                        None => self.columns.push(Column::new(name, holds)),
                    }
                }
                Ok(self)
            }
            Step::Project(kept) => {
                let (columns, formulas) = self.made(kept)?;
                let project = |row: Row<'a>| formulas.iter().map(|formula| formula.of(&row)).collect();
                Ok(Table { rows: self.rows.into_iter().map(project).collect(), columns })
            }
            Step::Summarize { aggregates, by } => self.summarized(aggregates, by),
            Step::LeftOuter { right, key } => {
                let right = table(right, tables)?;
                self.joined(right, key)
            }
            Step::Order(keys) => self.ordered(keys),
            Step::Take(count) => {
                self.rows.truncate(*count);
                Ok(self)
            }
        }
    }

    fn summarized(
        self,
        aggregates: &'a [(String, Aggregate)],
        by: &'a [Named],
    ) -> Result<Table<'a>, Refused> {
        let (mut columns, keys) = self.made(by)?;
        if let Some(column) = columns.iter().find(|column| column.holds == Type::Dynamic) {
            return Err(Refused::new(format!(
                "Summarize group key '{}' is of a 'dynamic' type. Please use an explicit cast",
                column.name
            )));
        }
        let mut measured = Vec::new();
        for (name, aggregate) in aggregates {
            let (formula, holds) = match aggregate {
                Aggregate::Count => (None, Type::Long),
                Aggregate::Max(value) => {
                    let (formula, holds) = self.formula(value)?;
                    if !is_comparable(holds) {
                        return Err(Refused::new(format!("max(): {holds:?} has no greatest value")));
                    }
                    (Some(formula), holds)
                }
            };
            columns.push(Column::new(name, holds));
            measured.push(formula);
        }
        unique(&columns)?;
        let mut places: HashMap<Vec<Key>, usize> = HashMap::new();
        let mut rows: Vec<Row<'a>> = Vec::new();
        // Without keys there is one group, also of nothing.
        if keys.is_empty() {
            places.insert(Vec::new(), 0);
            rows.push(measured.iter().map(nothing).collect());
        }
        for row in &self.rows {
            let cells: Row<'a> = keys.iter().map(|key| key.of(row)).collect();
            let place = *places.entry(cells.iter().map(Cell::key).collect()).or_insert_with(|| {
                rows.push(cells.into_iter().chain(measured.iter().map(nothing)).collect());
                rows.len() - 1
            });
            for (cell, formula) in rows[place][keys.len()..].iter_mut().zip(&measured) {
                match (formula, &cell) {
                    (Some(formula), _) => {
                        let value = formula.of(row);
                        if value.order(cell).is_gt() {
                            *cell = value;
                        }
                    }
                    (None, Cell::Long(count)) => *cell = Cell::Long(count + 1),
                    (None, _) => {}
                }
            }
        }
        Ok(Table { columns, rows })
    }

    fn joined(mut self, right: Table<'a>, key: &str) -> Result<Table<'a>, Refused> {
        let (left_key, right_key) = (self.place(key)?, right.place(key)?);
        let holds = self.columns[left_key].holds;
        if holds == Type::Dynamic || right.columns[right_key].holds != holds {
            return Err(Refused::new(format!("join: '{key}' must be of one simple type on both sides")));
        }
        let mut found: HashMap<Key, Vec<&Row<'a>>> = HashMap::new();
        for row in &right.rows {
            found.entry(row[right_key].key()).or_default().push(row);
        }
        let missing: Row<'a> = right.columns.iter().map(|column| Cell::of(None, column.holds)).collect();
        let mut rows = Vec::with_capacity(self.rows.len());
        for left in self.rows {
            match found.get(&left[left_key].key()) {
                None => rows.push(left.into_iter().chain(missing.iter().cloned()).collect()),
                Some(others) => rows.extend(
                    others.iter().map(|right| left.iter().cloned().chain(right.iter().cloned()).collect()),
                ),
            }
        }
        for Column { name, holds } in right.columns {
            let is_taken = self.columns.iter().any(|column| column.name == name);
            let name = if is_taken { format!("{name}1") } else { name };
            self.columns.push(Column { name, holds });
        }
        Ok(Table { columns: self.columns, rows })
    }

    fn ordered(self, keys: &'a [(Expression, Direction)]) -> Result<Table<'a>, Refused> {
        let mut formulas = Vec::new();
        for (value, direction) in keys {
            let (formula, holds) = self.formula(value)?;
            if holds == Type::Dynamic {
                return Err(Refused::new("order operator: key can't be of dynamic type"));
            }
            formulas.push((formula, *direction));
        }
        let mut rows: Vec<(Row<'a>, Row<'a>)> = self
            .rows
            .into_iter()
            .map(|row| (formulas.iter().map(|(formula, _)| formula.of(&row)).collect(), row))
            .collect();
        rows.sort_by(|(one, _), (other, _)| {
            let compared =
                one.iter().zip(other).zip(&formulas).map(|((one, other), (_, direction))| match direction {
                    Direction::Ascending => one.order(other),
                    Direction::Descending => other.order(one),
                });
            compared.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
        Ok(Table { rows: rows.into_iter().map(|(_, row)| row).collect(), columns: self.columns })
    }

    fn made(&self, made: &'a [Named]) -> Result<(Vec<Column>, Vec<Formula<'a>>), Refused> {
        let mut columns = Vec::new();
        let mut formulas = Vec::new();
        for Named { name, value } in made {
            let (formula, holds) = self.formula(value)?;
            columns.push(Column::new(name, holds));
            formulas.push(formula);
        }
        unique(&columns)?;
        Ok((columns, formulas))
    }

    fn formula_of(&self, expression: &'a Expression, wanted: Type) -> Result<Formula<'a>, Refused> {
        match self.formula(expression)? {
            (formula, holds) if holds == wanted => Ok(formula),
            (_, holds) => Err(Refused::new(format!("expected {wanted:?}, found {holds:?}"))),
        }
    }

    fn formula(&self, expression: &'a Expression) -> Result<(Formula<'a>, Type), Refused> {
        match expression {
            Expression::Column(name) => {
                let place = self.place(name)?;
                Ok((Formula::Column(place), self.columns[place].holds))
            }
            Expression::Literal(cell, holds) => Ok((Formula::Literal(cell), *holds)),
            Expression::Member(whole, name) => {
                let whole = self.formula_of(whole, Type::Dynamic)?;
                Ok((Formula::Member(Box::new(whole), name), Type::Dynamic))
            }
            Expression::Element(whole, index) => {
                let whole = self.formula_of(whole, Type::Dynamic)?;
                Ok((Formula::Element(Box::new(whole), *index), Type::Dynamic))
            }
            Expression::Call(function, arguments) => {
                let (formulas, types): (Vec<_>, Vec<_>) = arguments
                    .iter()
                    .map(|argument| self.formula(argument))
                    .collect::<Result<Vec<_>, _>>()?
                    .into_iter()
                    .unzip();
                if !fits(function.takes, &types) {
                    return Err(Refused::new(format!(
                        "{}(): {types:?} is not what it takes, which is {:?}",
                        function.name, function.takes
                    )));
                }
                let gives = match function.gives {
                    Gives::One(holds) => holds,
                    Gives::Second => types[1],
                };
                Ok((Formula::Call(function.work, formulas), gives))
            }
            Expression::Membership(work, all) => {
                let texts = all.iter().map(|one| self.formula_of(one, Type::Text));
                Ok((Formula::Call(*work, texts.collect::<Result<_, _>>()?), Type::Bool))
            }
            Expression::Match(text, pattern) => {
                Ok((Formula::Match(Box::new(self.formula_of(text, Type::Text)?), pattern), Type::Bool))
            }
            Expression::And(one, other) => {
                let both = (self.formula_of(one, Type::Bool)?, self.formula_of(other, Type::Bool)?);
                Ok((Formula::And(Box::new(both.0), Box::new(both.1)), Type::Bool))
            }
            Expression::Or(one, other) => {
                let both = (self.formula_of(one, Type::Bool)?, self.formula_of(other, Type::Bool)?);
                Ok((Formula::Or(Box::new(both.0), Box::new(both.1)), Type::Bool))
            }
        }
    }

    fn place(&self, name: &str) -> Result<usize, Refused> {
        self.columns.iter().position(|column| column.name == name).ok_or_else(|| {
            Refused::new(format!("Failed to resolve column or scalar expression named '{name}'"))
        })
    }
}

/// What an aggregate begins with.
fn nothing<'a>(formula: &Option<Formula<'a>>) -> Cell<'a> {
    if formula.is_some() { Cell::Null } else { Cell::Long(0) }
}

fn is_comparable(holds: Type) -> bool {
    matches!(holds, Type::Long | Type::Time)
}

fn fits(takes: &[Takes], types: &[Type]) -> bool {
    takes.len() == types.len()
        && takes.iter().zip(types).all(|(takes, holds)| match takes {
            Takes::Any => true,
            Takes::One(wanted) => wanted == holds,
            Takes::Comparable => is_comparable(*holds) && *holds == types[0],
            Takes::Same => *holds == types[1],
        })
}

fn unique(columns: &[Column]) -> Result<(), Refused> {
    for (at, column) in columns.iter().enumerate() {
        if columns[..at].iter().any(|other| other.name == column.name) {
            return Err(Refused::new(format!("A column named '{}' is there already", column.name)));
        }
    }
    Ok(())
}
