//! A place in the text while it is read: bytes ahead, line breaks, marks.

use crate::{Mark, ParseError};

/// Reads a text that holds no control characters, so that the byte 0 can stand for its end.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    pos: usize,
    line: u32,
    line_start: usize,
    /// Bytes of this line before `pos` that begin no character.
    continuations: usize,
}

impl<'a> Cursor<'a> {
    /// Begins after a byte order mark; a control character anywhere is an error, as YAML has none.
    pub(crate) fn new(text: &'a str) -> Result<Self, ParseError> {
        let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut cursor = Cursor { text, pos: start, line: 1, line_start: start, continuations: 0 };
        match first_forbidden(text) {
            None => Ok(cursor),
            Some(at) => {
                while cursor.pos < at {
                    match cursor.break_len(0) {
                        0 => cursor.skip_char(),
                        _ => {
                            cursor.take_break();
                        }
                    }
                }
                Err(cursor.error("control characters are not allowed"))
            }
        }
    }

    /// The byte `ahead` of the current one, 0 past the end.
    pub(crate) fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.pos + ahead).copied().unwrap_or(0)
    }

    pub(crate) fn at_end(&self) -> bool {
        self.pos >= self.text.len()
    }

    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    /// Characters of this line before the current one.
    pub(crate) fn column(&self) -> usize {
        self.pos - self.line_start - self.continuations
    }

    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    pub(crate) fn mark(&self) -> Mark {
        let column = u32::try_from(self.column()).unwrap_or(u32::MAX).saturating_add(1);
        Mark { line: self.line, column, offset: self.pos }
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> ParseError {
        ParseError { message: message.into(), at: self.mark() }
    }

    pub(crate) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or("")
    }

    /// Steps over `count` characters of one byte each, none of them a line break.
    pub(crate) fn skip_ascii(&mut self, count: usize) {
        self.pos += count;
    }

    /// Steps over one character that is no line break.
    pub(crate) fn skip_char(&mut self) {
        let width = match self.byte(0) {
            0..=0x7f => 1,
            0x80..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        self.pos += width;
        self.continuations += width - 1;
    }

    /// Steps over characters up to a line break, the end, or one of the ASCII bytes of which `stop` says so.
    pub(crate) fn skip_until(&mut self, stop: impl Fn(&Self, u8) -> bool) {
        while let Some(&byte) = self.text.as_bytes().get(self.pos) {
            if byte.is_ascii() {
                if matches!(byte, b'\n' | b'\r') || stop(self, byte) {
                    return;
                }
                self.pos += 1;
            } else if self.break_len(0) > 0 {
                return;
            } else {
                self.skip_char();
            }
        }
    }

    /// The length of the line break `ahead`, 0 when there is none.
    pub(crate) fn break_len(&self, ahead: usize) -> usize {
        match self.byte(ahead) {
            0x0e..=0xc1 => 0,
            b'\n' => 1,
            b'\r' if self.byte(ahead + 1) == b'\n' => 2,
            b'\r' => 1,
            0xc2 if self.byte(ahead + 1) == 0x85 => 2,
            0xe2 if self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xa8 | 0xa9) => 3,
            _ => 0,
        }
    }

    /// Steps over a line break and gives what it counts as in a scalar; without one, nothing.
    pub(crate) fn take_break(&mut self) -> &'static str {
        let len = self.break_len(0);
        let meaning = match (len, self.byte(2)) {
            (0, _) => return "",
            (3, 0xa8) => "\u{2028}",
            (3, _) => "\u{2029}",
            _ => "\n",
        };
        self.pos += len;
        self.line = self.line.saturating_add(1);
        self.line_start = self.pos;
        self.continuations = 0;
        meaning
    }

    pub(crate) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    pub(crate) fn is_break_or_end(&self, ahead: usize) -> bool {
        self.pos + ahead >= self.text.len() || self.break_len(ahead) > 0
    }

    pub(crate) fn is_blank_or_end(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    /// Whether a line begins here with `---` or `...` on its own.
    pub(crate) fn at_document_marker(&self, dots_or_dashes: &[u8; 3]) -> bool {
        self.column() == 0 && (0..3).all(|i| self.byte(i) == dots_or_dashes[i]) && self.is_blank_or_end(3)
    }

    pub(crate) fn at_any_document_marker(&self) -> bool {
        self.at_document_marker(b"---") || self.at_document_marker(b"...")
    }

    pub(crate) fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.pos += 1;
        }
    }

    pub(crate) fn skip_comment(&mut self) {
        if self.byte(0) == b'#' {
            self.skip_until(|_, _| false);
        }
    }
}

fn first_forbidden(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let next = |at: usize, ahead: usize| bytes.get(at + ahead).copied().unwrap_or(0);
    bytes.iter().enumerate().position(|(at, byte)| match byte {
        0x20..=0x7e => false,
        b'\t' | b'\n' | b'\r' => false,
        0..=0x1f | 0x7f => true,
        0xc2 => matches!(next(at, 1), 0x80..=0x84 | 0x86..=0x9f),
        0xef => next(at, 1) == 0xbf && matches!(next(at, 2), 0xbe | 0xbf),
        _ => false,
    })
}
