//! Block scalars: `|` and `>`.

use std::borrow::Cow;

use super::{Scanner, TokenKind};
use crate::{Mark, ParseError, Style};

#[derive(Clone, Copy, PartialEq)]
enum Chomping {
    Clip,
    Strip,
    Keep,
}

impl Scanner<'_> {
    pub(super) fn scan_block_scalar(&mut self) -> Result<(), ParseError> {
        let start = self.cursor.mark();
        let literal = self.cursor.byte(0) == b'|';
        self.cursor.skip_ascii(1);
        let (chomping, increment) = self.scan_block_header()?;

        let mut text = String::new();
        let mut breaks = String::new();
        let outer = usize::try_from(self.indent).unwrap_or(0);
        let given = increment.map(|increment| outer + increment);
        let (indent, mut end) = self.scan_block_breaks(given, &mut breaks)?;

        let mut pending = "";
        let mut after_blank = false;
        while self.cursor.column() == indent && !self.cursor.at_end() {
            let blank = self.cursor.is_blank(0);
            if !literal && !after_blank && !blank && pending == "\n" {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(pending);
            }
            text.push_str(&breaks);
            breaks.clear();
            after_blank = blank;

            let from = self.cursor.pos();
            self.cursor.skip_until(|_, _| false);
            text.push_str(self.cursor.slice(from, self.cursor.pos()));
            pending = self.cursor.take_break();
            (_, end) = self.scan_block_breaks(Some(indent), &mut breaks)?;
        }
        if chomping != Chomping::Strip {
            text.push_str(pending);
        }
        if chomping == Chomping::Keep {
            text.push_str(&breaks);
        }

        let style = if literal { Style::Literal } else { Style::Folded };
        self.push(TokenKind::Scalar { text: Cow::Owned(text), style, indent }, start);
        if let Some(token) = self.tokens.back_mut() {
            token.end = end;
        }
        Ok(())
    }

    /// The rest of the line after `|` or `>`: how trailing breaks are treated, and a given indentation.
    fn scan_block_header(&mut self) -> Result<(Chomping, Option<usize>), ParseError> {
        let mut chomping = self.scan_chomping();
        let increment = match self.cursor.byte(0) {
            b'0' => return Err(self.cursor.error("found an indentation indicator equal to 0")),
            digit @ b'1'..=b'9' => {
                self.cursor.skip_ascii(1);
                Some(usize::from(digit - b'0'))
            }
            _ => None,
        };
        if chomping.is_none() && increment.is_some() {
            chomping = self.scan_chomping();
        }
        self.cursor.skip_blanks();
        self.cursor.skip_comment();
        if !self.cursor.is_break_or_end(0) {
            return Err(self.cursor.error("did not find expected comment or line break"));
        }
        self.cursor.take_break();
        Ok((chomping.unwrap_or(Chomping::Clip), increment))
    }

    fn scan_chomping(&mut self) -> Option<Chomping> {
        let chomping = match self.cursor.byte(0) {
            b'+' => Chomping::Keep,
            b'-' => Chomping::Strip,
            _ => return None,
        };
        self.cursor.skip_ascii(1);
        Some(chomping)
    }

    /// Collects the empty lines ahead and steps to the indentation of the next line; finds that indentation
    /// if none is given. Answers it, and where the last empty line ends.
    fn scan_block_breaks(
        &mut self,
        given: Option<usize>,
        breaks: &mut String,
    ) -> Result<(usize, Mark), ParseError> {
        let mut end = self.cursor.mark();
        let mut deepest = 0;
        let within = |column: usize| given.is_none_or(|indent| column < indent);
        loop {
            while within(self.cursor.column()) && self.cursor.byte(0) == b' ' {
                self.cursor.skip_ascii(1);
            }
            deepest = deepest.max(self.cursor.column());
            if within(self.cursor.column()) && self.cursor.byte(0) == b'\t' {
                return Err(self
                    .cursor
                    .error("found a tab character where an indentation space is expected"));
            }
            let taken = self.cursor.take_break();
            if taken.is_empty() {
                break;
            }
            breaks.push_str(taken);
            end = self.cursor.mark();
        }
        let least = usize::try_from(self.indent.saturating_add(1)).unwrap_or(0).max(1);
        Ok((given.unwrap_or(deepest.max(least)), end))
    }
}
