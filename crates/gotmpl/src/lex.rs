//! Splits a template's text into tokens, as Go's lexer does.

use std::borrow::Cow;

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::print;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelimiter,
    LeftParenthesis,
    Number,
    Pipe,
    RawString,
    RightDelimiter,
    RightParenthesis,
    Space,
    String,
    Text,
    Variable,
    // Keywords
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl Kind {
    fn of_word(word: &str) -> Kind {
        match word {
            "block" => Kind::Block,
            "break" => Kind::Break,
            "continue" => Kind::Continue,
            "define" => Kind::Define,
            "else" => Kind::Else,
            "end" => Kind::End,
            "if" => Kind::If,
            "nil" => Kind::Nil,
            "range" => Kind::Range,
            "template" => Kind::Template,
            "with" => Kind::With,
            "true" | "false" => Kind::Bool,
            _ => Kind::Identifier,
        }
    }

    fn is_keyword(self) -> bool {
        self as u8 >= Kind::Block as u8
    }
}

/// A token: its place in the text in bytes, and its text (of an error: the message).
#[derive(Clone, Debug)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    pub(crate) offset: usize,
    pub(crate) text: Cow<'t, str>,
}

impl Token<'_> {
    /// As messages name it.
    pub(crate) fn name(&self) -> String {
        let text = &*self.text;
        match self.kind {
            Kind::Eof => "EOF".into(),
            Kind::Error => text.into(),
            kind if kind.is_keyword() => format!("<{text}>"),
            _ if text.len() > 10 => {
                let head: String = text.chars().take(10).collect();
                format!("{}...", print::quote_text(&head))
            }
            _ => print::quote_text(text),
        }
    }
}

/// All tokens of `text`; the last one is `Eof` or `Error`.
pub(crate) fn lex(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, start: 0, at: 0, tokens: Vec::new() };
    if let Err(message) = lexer.run() {
        lexer.tokens.push(Token { kind: Kind::Error, offset: lexer.start, text: message.into() });
    }
    lexer.tokens
}

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

struct Lexer<'t> {
    text: &'t str,
    /// Where the token at hand begins
    start: usize,
    at: usize,
    tokens: Vec<Token<'t>>,
}

impl<'t> Lexer<'t> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(distance) = self.rest().find("{{") {
            let mut literal = &self.rest()[..distance];
            self.at += distance + 2;
            let trims = begins_with_trim_marker(self.rest());
            if trims {
                literal = literal.trim_end_matches(SPACES);
            }
            if !literal.is_empty() {
                self.push(Kind::Text, literal);
            }
            self.start = self.at - 2;
            let inside = if trims { self.at + 2 } else { self.at };
            if self.text[inside..].starts_with("/*") {
                self.at = inside;
                self.start = inside;
                self.comment()?;
            } else {
                self.emit(Kind::LeftDelimiter);
                self.at = inside;
                self.start = inside;
                self.action()?;
            }
        }
        self.at = self.text.len();
        if self.at > self.start {
            self.emit(Kind::Text);
        }
        self.emit(Kind::Eof);
        Ok(())
    }

    fn comment(&mut self) -> Result<(), String> {
        let Some(distance) = self.text[self.at + 2..].find("*/") else {
            return Err("unclosed comment".into());
        };
        self.at += 2 + distance + 2;
        match self.right_delimiter() {
            Some(trims) => {
                self.skip_right_delimiter(trims);
                Ok(())
            }
            None => Err("comment ends before closing delimiter".into()),
        }
    }

    fn action(&mut self) -> Result<(), String> {
        let mut parentheses = 0_usize;
        loop {
            if let Some(trims) = self.right_delimiter() {
                if parentheses > 0 {
                    return Err("unclosed left paren".into());
                }
                self.emit_right_delimiter(trims);
                return Ok(());
            }
            let Some(c) = self.next() else { return Err("unclosed action".into()) };
            match c {
                _ if SPACES.contains(&c) => {
                    let spaces = 1 + self.rest().len() - self.rest().trim_start_matches(SPACES).len();
                    self.at = self.start + spaces;
                    // The last space may belong to a closing `-}}`.
                    if self.rest().starts_with("-}}") {
                        self.at -= 1;
                        if spaces == 1 {
                            self.emit_right_delimiter(true);
                            return Ok(());
                        }
                    }
                    self.emit(Kind::Space);
                }
                '=' => self.emit(Kind::Assign),
                ':' => {
                    if self.next() != Some('=') {
                        return Err("expected :=".into());
                    }
                    self.emit(Kind::Declare);
                }
                '|' => self.emit(Kind::Pipe),
                '"' => self.quoted('"', Kind::String, "unterminated quoted string")?,
                '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant")?,
                '`' => match self.rest().find('`') {
                    Some(distance) => {
                        self.at += distance + 1;
                        self.emit(Kind::RawString);
                    }
                    None => return Err("unterminated raw quoted string".into()),
                },
                '$' => self.name(Kind::Variable, Kind::Variable)?,
                '.' if self.rest().starts_with(|c: char| !c.is_ascii_digit()) => {
                    self.name(Kind::Dot, Kind::Field)?;
                }
                '+' | '-' | '.' | '0'..='9' => self.number()?,
                _ if is_alphanumeric(c) => {
                    self.alphanumerics();
                    self.terminated()?;
                    self.emit(Kind::of_word(&self.text[self.start..self.at]));
                }
                '(' => {
                    self.emit(Kind::LeftParenthesis);
                    parentheses += 1;
                }
                ')' => {
                    self.emit(Kind::RightParenthesis);
                    match parentheses.checked_sub(1) {
                        Some(open) => parentheses = open,
                        None => return Err("unexpected right paren U+0029 ')'".into()),
                    }
                }
                ' '..='~' => self.emit(Kind::Char),
                _ => return Err(format!("unrecognized character in action: {}", print::code_point(c))),
            }
        }
    }

    /// What follows the `.` or `$` that was just read.
    fn name(&mut self, alone: Kind, named: Kind) -> Result<(), String> {
        if self.at_terminator() {
            self.emit(alone);
            return Ok(());
        }
        self.alphanumerics();
        self.terminated()?;
        self.emit(named);
        Ok(())
    }

    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &str) -> Result<(), String> {
        loop {
            match self.next() {
                Some('\\') if !matches!(self.next(), None | Some('\n')) => {}
                Some('\\' | '\n') | None => return Err(unterminated.into()),
                Some(c) if c == quote => break,
                Some(_) => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    /// Accepts more than numbers; what is none, the parser finds out.
    fn number(&mut self) -> Result<(), String> {
        self.at = self.start;
        let mut valid = self.scan_number();
        let mut kind = Kind::Number;
        if valid && self.rest().starts_with(['+', '-']) {
            valid = self.scan_number() && self.text[..self.at].ends_with('i');
            kind = Kind::Complex;
        }
        if !valid {
            return Err(format!("bad number syntax: {}", print::quote_text(&self.text[self.start..self.at])));
        }
        self.emit(kind);
        Ok(())
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_all(digits);
        if self.accept(".") {
            self.accept_all(digits);
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_all("0123456789_");
        }
        self.accept("i");
        if self.rest().starts_with(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }

    fn accept(&mut self, set: &str) -> bool {
        let accepted = self.rest().starts_with(|c| set.contains(c));
        self.at += usize::from(accepted);
        accepted
    }

    fn accept_all(&mut self, set: &str) {
        while self.accept(set) {}
    }

    fn alphanumerics(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_alphanumeric).len();
    }

    fn terminated(&self) -> Result<(), String> {
        match self.rest().chars().next() {
            Some(c) if !self.at_terminator() => Err(format!("bad character {}", print::code_point(c))),
            _ => Ok(()),
        }
    }

    fn at_terminator(&self) -> bool {
        let rest = self.rest();
        rest.is_empty()
            || rest.starts_with(SPACES)
            || rest.starts_with(['.', ',', '|', ':', ')', '('])
            || rest.starts_with("}}")
    }

    /// Whether `}}` is next, and whether it trims.
    fn right_delimiter(&self) -> Option<bool> {
        let rest = self.rest();
        if rest.strip_prefix(SPACES).is_some_and(|rest| rest.starts_with("-}}")) {
            return Some(true);
        }
        rest.starts_with("}}").then_some(false)
    }

    fn emit_right_delimiter(&mut self, trims: bool) {
        self.start = if trims { self.at + 2 } else { self.at };
        self.at = self.start;
        let delimiter = &self.rest()[..2];
        self.push(Kind::RightDelimiter, delimiter);
        self.at += 2;
        self.skip_trimmed(trims);
    }

    fn skip_right_delimiter(&mut self, trims: bool) {
        self.at += if trims { 4 } else { 2 };
        self.skip_trimmed(trims);
    }

    fn skip_trimmed(&mut self, trims: bool) {
        if trims {
            self.at = self.text.len() - self.rest().trim_start_matches(SPACES).len();
        }
        self.start = self.at;
    }

    fn emit(&mut self, kind: Kind) {
        self.push(kind, &self.text[self.start..self.at]);
        self.start = self.at;
    }

    fn push(&mut self, kind: Kind, text: &'t str) {
        self.tokens.push(Token { kind, offset: self.start, text: text.into() });
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }
}

fn begins_with_trim_marker(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| rest.starts_with(SPACES))
}

fn is_alphanumeric(c: char) -> bool {
    c == '_'
        || c.is_ascii_alphanumeric()
        || !c.is_ascii()
            && (c.general_category_group() == GeneralCategoryGroup::Letter
                || c.general_category() == GeneralCategory::DecimalNumber)
}
