//! What a query asks for.

use std::collections::BTreeSet;

use jiff::Timestamp;
use regex::Regex;

use super::Refused;
use super::cell::{Cell, Type};
use super::function::{FUNCTIONS, Function, MEMBERSHIPS, OPERATORS, Work};
use super::lexer::{Token, tokens};

/// A table, and what is done with its rows.
#[derive(Debug)]
pub(crate) struct Query {
    pub(super) table: String,
    pub(super) steps: Vec<Step>,
    /// Every name in it, those of columns among them.
    pub(super) names: BTreeSet<String>,
}

/// What is done with rows.
#[derive(Debug)]
pub(super) enum Step {
    Where(Expression),
    Extend(Vec<Named>),
    Project(Vec<Named>),
    Summarize {
        aggregates: Vec<(String, Aggregate)>,
        by: Vec<Named>,
    },
    /// Every row of the left side, with what the right one has for it.
    LeftOuter {
        right: Query,
        key: String,
    },
    Order(Vec<(Expression, Direction)>),
    Take(usize),
}

/// What comes of many rows.
#[derive(Debug)]
pub(super) enum Aggregate {
    Count,
    Max(Expression),
}

/// Which way rows are put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

/// A column that is made.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) value: Expression,
}

/// What makes a value of a row.
pub(super) enum Expression {
    Column(String),
    Literal(Cell<'static>, Type),
    Member(Box<Expression>, String),
    Element(Box<Expression>, usize),
    Call(&'static Function, Vec<Expression>),
    /// A text, and those that it is compared with.
    Membership(Work, Vec<Expression>),
    /// A text, and what is to be found in it.
    Match(Box<Expression>, Regex),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
}

/// Reads a query.
pub(crate) fn parse(text: &str) -> Result<Query, Refused> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0 };
    let query = parser.query()?;
    match parser.peek() {
        Token::End => Ok(query),
        _ => Err(parser.refuse("the end of the query")),
    }
}

impl Query {
    /// Whether its rows come in an order of their own.
    pub(crate) fn is_ordered(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Order(_)))
    }

    /// Whether a column of its table can be seen in what it gives, or does something for that.
    pub(super) fn needs(&self, column: &str) -> bool {
        let narrows = |step: &Step| matches!(step, Step::Project(_) | Step::Summarize { .. });
        self.names.contains(column) || !self.steps.iter().any(narrows)
    }

    /// Whether its rows are what comes of many resources.
    pub(crate) fn is_summary(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Summarize { .. }))
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Expression")
    }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
}

impl Parser {
    fn query(&mut self) -> Result<Query, Refused> {
        let start = self.next;
        let table = self.name()?;
        let mut steps = Vec::new();
        while self.takes("|") {
            steps.push(self.step()?);
        }
        let word = |(token, _): &(Token, usize)| match token {
            Token::Word(word) => Some(word.clone()),
            _ => None,
        };
        let names = self.tokens[start..self.next].iter().filter_map(word).collect();
        Ok(Query { table, steps, names })
    }

    fn step(&mut self) -> Result<Step, Refused> {
        let at = self.next;
        match self.name()?.as_str() {
            "where" => Ok(Step::Where(self.either()?)),
            "extend" => Ok(Step::Extend(self.list(Parser::named)?)),
            "project" => Ok(Step::Project(self.list(Parser::named)?)),
            "summarize" => self.summarize(),
            "join" => self.join(),
            "order" => {
                self.keyword("by")?;
                Ok(Step::Order(self.list(Parser::ordered)?))
            }
            "take" => match self.advance() {
                Token::Number(count) => Ok(Step::Take(usize::try_from(count).unwrap_or(0))),
                _ => Err(self.refuse_last("a number")),
            },
            _ => {
                self.next = at;
                Err(self.refuse("an operator that is known here"))
            }
        }
    }

    fn summarize(&mut self) -> Result<Step, Refused> {
        let aggregates = self.list(Parser::aggregate)?;
        let by = if self.takes_word("by") { self.list(Parser::named)? } else { Vec::new() };
        Ok(Step::Summarize { aggregates, by })
    }

    fn aggregate(&mut self) -> Result<(String, Aggregate), Refused> {
        let name = self.name()?;
        self.symbol("=")?;
        let function = self.name()?;
        self.symbol("(")?;
        let aggregate = match function.as_str() {
            "count" => Aggregate::Count,
            "max" => Aggregate::Max(self.either()?),
            _ => return Err(self.refuse("an aggregation that is known here")),
        };
        self.symbol(")")?;
        Ok((name, aggregate))
    }

    fn join(&mut self) -> Result<Step, Refused> {
        self.keyword("kind")?;
        self.symbol("=")?;
        self.keyword("leftouter")?;
        self.symbol("(")?;
        let right = self.query()?;
        self.symbol(")")?;
        self.keyword("on")?;
        Ok(Step::LeftOuter { right, key: self.name()? })
    }

    fn ordered(&mut self) -> Result<(Expression, Direction), Refused> {
        let value = self.either()?;
        // Without a word, Kusto begins with what is greatest.
        let direction = if self.takes_word("asc") { Direction::Ascending } else { Direction::Descending };
        if direction == Direction::Descending {
            self.takes_word("desc");
        }
        Ok((value, direction))
    }

    /// `name = value`, or a column alone.
    fn named(&mut self) -> Result<Named, Refused> {
        let at = self.next;
        let name = self.name()?;
        if self.takes("=") {
            return Ok(Named { name, value: self.either()? });
        }
        match self.peek() {
            Token::Symbol("(" | "." | "[") => {
                self.next = at;
                Err(self.refuse("a name for what is no column"))
            }
            _ => Ok(Named { value: Expression::Column(name.clone()), name }),
        }
    }

    fn either(&mut self) -> Result<Expression, Refused> {
        let mut left = self.both()?;
        while self.takes_word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Expression, Refused> {
        let mut left = self.compared()?;
        while self.takes_word("and") {
            left = Expression::And(Box::new(left), Box::new(self.compared()?));
        }
        Ok(left)
    }

    fn compared(&mut self) -> Result<Expression, Refused> {
        let left = self.reached()?;
        let name = match self.peek() {
            Token::Word(word) => word.clone(),
            Token::Symbol(symbol) => (*symbol).to_owned(),
            _ => return Ok(left),
        };
        if let Some(operator) = OPERATORS.iter().find(|operator| operator.name == name) {
            self.advance();
            return Ok(Expression::Call(operator, vec![left, self.reached()?]));
        }
        if name == "matches" {
            self.advance();
            self.keyword("regex")?;
            let Token::Text(pattern) = self.advance() else { return Err(self.refuse_last("a text")) };
            let pattern = Regex::new(&pattern).map_err(|_| self.refuse_last("a regular expression"))?;
            return Ok(Expression::Match(Box::new(left), pattern));
        }
        if let Some((_, work)) = MEMBERSHIPS.iter().find(|(known, _)| *known == name) {
            self.advance();
            self.symbol("(")?;
            let mut all = vec![left];
            all.extend(self.list(Parser::reached)?);
            self.symbol(")")?;
            return Ok(Expression::Membership(*work, all));
        }
        Ok(left)
    }

    /// A value, and what is inside it.
    fn reached(&mut self) -> Result<Expression, Refused> {
        let mut value = self.single()?;
        loop {
            if self.takes(".") {
                value = Expression::Member(Box::new(value), self.name()?);
            } else if self.takes("[") {
                value = match self.advance() {
                    Token::Number(index) => {
                        Expression::Element(Box::new(value), usize::try_from(index).unwrap_or(usize::MAX))
                    }
                    Token::Text(name) => Expression::Member(Box::new(value), name),
                    _ => return Err(self.refuse_last("a number or a text")),
                };
                self.symbol("]")?;
            } else {
                return Ok(value);
            }
        }
    }

    fn single(&mut self) -> Result<Expression, Refused> {
        match self.advance() {
            Token::Text(text) => Ok(Expression::Literal(Cell::Text(text.into()), Type::Text)),
            Token::Number(number) => Ok(Expression::Literal(Cell::Long(number), Type::Long)),
            Token::Datetime(text) => match text.parse::<Timestamp>() {
                Ok(time) => Ok(Expression::Literal(Cell::Time(time), Type::Time)),
                Err(_) => Err(self.refuse_last("a time")),
            },
            Token::Symbol("(") => {
                let value = self.either()?;
                self.symbol(")")?;
                Ok(value)
            }
            Token::Word(name) if self.takes("(") => {
                let Some(function) = FUNCTIONS.iter().find(|function| function.name == name) else {
                    return Err(Refused::new(format!("Unknown function: '{name}'.")));
                };
                let arguments = self.list(Parser::either)?;
                self.symbol(")")?;
                Ok(Expression::Call(function, arguments))
            }
            Token::Word(name) => Ok(Expression::Column(name)),
            _ => Err(self.refuse_last("a value")),
        }
    }

    fn list<T>(&mut self, item: fn(&mut Parser) -> Result<T, Refused>) -> Result<Vec<T>, Refused> {
        let mut items = vec![item(self)?];
        while self.takes(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn name(&mut self) -> Result<String, Refused> {
        match self.advance() {
            Token::Word(word) => Ok(word),
            _ => Err(self.refuse_last("a name")),
        }
    }

    fn keyword(&mut self, word: &str) -> Result<(), Refused> {
        if self.takes_word(word) { Ok(()) } else { Err(self.refuse(word)) }
    }

    fn symbol(&mut self, symbol: &'static str) -> Result<(), Refused> {
        if self.takes(symbol) { Ok(()) } else { Err(self.refuse(symbol)) }
    }

    fn takes(&mut self, symbol: &'static str) -> bool {
        let is_next = *self.peek() == Token::Symbol(symbol);
        self.next += usize::from(is_next);
        is_next
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_next = matches!(self.peek(), Token::Word(next) if next == word);
        self.next += usize::from(is_next);
        is_next
    }

    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn refuse_last(&mut self, expected: &str) -> Refused {
        self.next = self.next.saturating_sub(1);
        self.refuse(expected)
    }

    fn refuse(&self, expected: &str) -> Refused {
        let at = self.tokens.get(self.next).or(self.tokens.last()).map_or(0, |(_, at)| *at);
        Refused::at(at, &format!("expected {expected}, found {:?}", self.peek()))
    }
}
