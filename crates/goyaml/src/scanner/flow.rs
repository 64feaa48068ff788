//! Plain and quoted scalars, whose lines are folded.

use std::borrow::Cow;

use super::{Scanner, TokenKind};
use crate::cursor::Cursor;
use crate::{ParseError, Style};

/// A scalar's text, borrowed from the source until the first place where the two differ.
struct Text {
    owned: Option<String>,
    /// Where the part of the source begins that is not in `owned` yet
    from: usize,
}

impl Text {
    fn new(from: usize) -> Self {
        Text { owned: None, from }
    }

    /// Takes over the source up to `to`, then goes on with `more` in place of the source before `from`.
    fn replace(&mut self, cursor: &Cursor<'_>, to: usize, more: &str, from: usize) {
        let owned = self.owned.get_or_insert_default();
        owned.push_str(cursor.slice(self.from, to));
        owned.push_str(more);
        self.from = from;
    }

    fn finish<'a>(self, cursor: &Cursor<'a>, to: usize) -> Cow<'a, str> {
        let rest = cursor.slice(self.from, to);
        match self.owned {
            None => Cow::Borrowed(rest),
            Some(mut owned) => {
                owned.push_str(rest);
                Cow::Owned(owned)
            }
        }
    }
}

/// What line breaks between two words become: one is a space, of more the first goes.
fn fold(first: &str, more: &str) -> String {
    match (first, more) {
        ("\n", "") => " ".into(),
        ("\n", _) => more.into(),
        _ => format!("{first}{more}"),
    }
}

impl Scanner<'_> {
    pub(super) fn scan_plain(&mut self) -> Result<(), ParseError> {
        let start = self.cursor.mark();
        let least = self.indent.saturating_add(1);
        let in_flow = self.in_flow();
        let mut end = start;
        let mut text = Text::new(start.offset);
        let mut folded: Option<(&str, String)> = None;
        while !self.cursor.at_any_document_marker() && self.cursor.byte(0) != b'#' {
            let from = self.cursor.pos();
            self.cursor.skip_until(|cursor, byte| match byte {
                b' ' | b'\t' => true,
                b':' => cursor.is_blank_or_end(1),
                b',' | b'?' | b'[' | b']' | b'{' | b'}' => in_flow,
                _ => false,
            });
            if self.cursor.pos() > from {
                if let Some((first, more)) = folded.take() {
                    text.replace(&self.cursor, end.offset, &fold(first, &more), from);
                }
                end = self.cursor.mark();
            }
            if self.cursor.at_end() || !self.cursor.is_blank_or_end(0) {
                break;
            }
            while self.cursor.is_blank(0) || self.cursor.break_len(0) > 0 {
                if self.cursor.is_blank(0) {
                    if folded.is_some() && self.column() < least && self.cursor.byte(0) == b'\t' {
                        return Err(self.cursor.error("found a tab character that violates indentation"));
                    }
                    self.cursor.skip_ascii(1);
                } else {
                    let taken = self.cursor.take_break();
                    match &mut folded {
                        None => folded = Some((taken, String::new())),
                        Some((_, more)) => more.push_str(taken),
                    }
                }
            }
            if !in_flow && self.column() < least {
                break;
            }
        }
        if folded.is_some() {
            self.key_allowed = true;
        }
        let text = text.finish(&self.cursor, end.offset);
        self.push(TokenKind::Scalar { text, style: Style::Plain, indent: 0 }, start);
        if let Some(token) = self.tokens.back_mut() {
            token.end = end;
        }
        Ok(())
    }

    pub(super) fn scan_quoted(&mut self) -> Result<(), ParseError> {
        let start = self.cursor.mark();
        let quote = self.cursor.byte(0);
        self.cursor.skip_ascii(1);
        let mut text = Text::new(self.cursor.pos());
        loop {
            if self.cursor.at_any_document_marker() {
                return Err(self.cursor.error("found unexpected document indicator in a quoted scalar"));
            }
            if self.cursor.at_end() {
                return Err(ParseError { message: "this quoted scalar does not end".into(), at: start });
            }
            self.cursor.skip_until(|_, byte| match byte {
                b' ' | b'\t' => true,
                b'\\' => quote == b'"',
                byte => byte == quote,
            });
            let at = self.cursor.pos();
            match self.cursor.byte(0) {
                b'\'' if quote == b'\'' && self.cursor.byte(1) == b'\'' => {
                    self.cursor.skip_ascii(2);
                    text.replace(&self.cursor, at, "'", at + 2);
                }
                byte if byte == quote => break,
                b'\\' if quote == b'"' && self.cursor.break_len(1) > 0 => {
                    self.cursor.skip_ascii(1);
                    self.cursor.take_break();
                    let (first, more) = self.scan_fold(Some(""));
                    text.replace(&self.cursor, at, &fold(first.unwrap_or(""), &more), self.cursor.pos());
                }
                b'\\' if quote == b'"' => {
                    let meaning = self.scan_escape()?;
                    let meaning = meaning.encode_utf8(&mut [0; 4]).to_owned();
                    text.replace(&self.cursor, at, &meaning, self.cursor.pos());
                }
                _ => {
                    if let (Some(first), more) = self.scan_fold(None) {
                        text.replace(&self.cursor, at, &fold(first, &more), self.cursor.pos());
                    }
                }
            }
        }
        let text = text.finish(&self.cursor, self.cursor.pos());
        self.cursor.skip_ascii(1);
        let style = if quote == b'"' { Style::DoubleQuoted } else { Style::SingleQuoted };
        self.push(TokenKind::Scalar { text, style, indent: 0 }, start);
        Ok(())
    }

    /// Steps over blanks and line breaks; answers the first break (if `first` was not before) and the others.
    fn scan_fold<'s>(&mut self, mut first: Option<&'s str>) -> (Option<&'s str>, String) {
        let mut more = String::new();
        loop {
            self.cursor.skip_blanks();
            let taken = self.cursor.take_break();
            match first {
                _ if taken.is_empty() => return (first, more),
                None => first = Some(taken),
                Some(_) => more.push_str(taken),
            }
        }
    }

    fn scan_escape(&mut self) -> Result<char, ParseError> {
        let digits = match self.cursor.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            other => {
                let meaning = match other {
                    b'0' => '\0',
                    b'a' => '\x07',
                    b'b' => '\x08',
                    b't' | b'\t' => '\t',
                    b'n' => '\n',
                    b'v' => '\x0b',
                    b'f' => '\x0c',
                    b'r' => '\r',
                    b'e' => '\x1b',
                    b' ' | b'"' | b'\'' | b'\\' => char::from(other),
                    b'N' => '\u{85}',
                    b'_' => '\u{a0}',
                    b'L' => '\u{2028}',
                    b'P' => '\u{2029}',
                    _ => return Err(self.cursor.error("found unknown escape character")),
                };
                self.cursor.skip_ascii(2);
                return Ok(meaning);
            }
        };
        let mut value: u32 = 0;
        for i in 0..digits {
            let digit = char::from(self.cursor.byte(2 + i)).to_digit(16);
            let digit = digit.ok_or_else(|| self.cursor.error("did not find expected hexadecimal number"))?;
            value = value << 4 | digit;
        }
        let meaning = char::from_u32(value);
        let meaning =
            meaning.ok_or_else(|| self.cursor.error("found invalid Unicode character escape code"))?;
        self.cursor.skip_ascii(2 + digits);
        Ok(meaning)
    }
}
