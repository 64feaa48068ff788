//! Text into tokens, by the rules of the scanner in go-yaml v2: block structure becomes explicit, and a key is
//! recognised only when its `:` comes.

mod block;
mod flow;
mod property;

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::cursor::Cursor;
use crate::{Mark, ParseError, Style};

/// A key on one line may be this long, in characters.
const LONGEST_KEY: usize = 1024;

#[derive(Debug, PartialEq)]
pub(crate) enum TokenKind<'a> {
    StreamEnd,
    Version { major: u8, minor: u8 },
    TagDirective { handle: &'a str, prefix: String },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    Tag { handle: &'a str, suffix: String },
    Scalar { text: Cow<'a, str>, style: Style, indent: usize },
}

#[derive(Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind<'a>,
    pub(crate) start: Mark,
    pub(crate) end: Mark,
}

/// Where a key without `?` would begin, should a `:` follow.
#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    /// At the indentation of a block mapping nothing but a key can stand.
    required: bool,
    /// Whether its token is held back until it is decided
    awaited: bool,
    token: usize,
    column: usize,
    mark: Mark,
}

pub(crate) struct Scanner<'a> {
    cursor: Cursor<'a>,
    tokens: VecDeque<Token<'a>>,
    /// How many tokens were taken
    taken: usize,
    /// Whether the first token is known to be preceded by nothing more
    ready: bool,
    /// The column of the innermost block collection, -1 outside of all
    indent: isize,
    indents: Vec<isize>,
    /// One for the block context and one for every open flow collection
    keys: Vec<SimpleKey>,
    key_allowed: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Result<Self, ParseError> {
        Ok(Scanner {
            cursor: Cursor::new(text)?,
            tokens: VecDeque::new(),
            taken: 0,
            ready: false,
            indent: -1,
            indents: Vec::new(),
            keys: vec![SimpleKey::default()],
            key_allowed: true,
        })
    }

    /// The next token; nothing behind it is looked at unless it may turn out to be a key.
    pub(crate) fn peek(&mut self) -> Result<&Token<'a>, ParseError> {
        while !self.ready {
            if self.tokens.is_empty() || self.first_may_be_key()? {
                self.fetch()?;
            } else {
                self.ready = true;
            }
        }
        let at = self.cursor.mark();
        self.tokens.front().ok_or(ParseError { message: "unexpected end".into(), at })
    }

    /// Takes the next token; the end of the stream can be taken again and again.
    pub(crate) fn take(&mut self) -> Result<Token<'a>, ParseError> {
        let (start, end) = (self.peek()?.start, self.peek()?.end);
        match self.tokens.pop_front() {
            Some(token) if token.kind != TokenKind::StreamEnd => {
                self.taken += 1;
                self.ready = false;
                Ok(token)
            }
            _ => {
                self.tokens.push_front(Token { kind: TokenKind::StreamEnd, start, end });
                Ok(Token { kind: TokenKind::StreamEnd, start, end })
            }
        }
    }

    fn in_flow(&self) -> bool {
        self.keys.len() > 1
    }

    fn column(&self) -> isize {
        isize::try_from(self.cursor.column()).unwrap_or(isize::MAX)
    }

    /// The number of the token that is pushed next
    fn next_token(&self) -> usize {
        self.taken + self.tokens.len()
    }

    fn first_may_be_key(&mut self) -> Result<bool, ParseError> {
        match self.keys.iter().position(|key| key.possible && key.awaited) {
            Some(level) if self.keys[level].token == self.taken => self.still_possible(level),
            _ => Ok(false),
        }
    }

    fn still_possible(&mut self, level: usize) -> Result<bool, ParseError> {
        let Some(key) = self.keys.get_mut(level).filter(|key| key.possible) else { return Ok(false) };
        let same_line = key.mark.line == self.cursor.line();
        if same_line && self.cursor.column() <= key.column + LONGEST_KEY {
            return Ok(true);
        }
        if key.required {
            return Err(ParseError { message: "could not find expected ':'".into(), at: key.mark });
        }
        key.possible = false;
        Ok(false)
    }

    fn save_key(&mut self) -> Result<(), ParseError> {
        if !self.key_allowed {
            return Ok(());
        }
        self.forget_key()?;
        let key = SimpleKey {
            possible: true,
            required: !self.in_flow() && self.indent == self.column(),
            awaited: true,
            token: self.next_token(),
            column: self.cursor.column(),
            mark: self.cursor.mark(),
        };
        if let Some(last) = self.keys.last_mut() {
            *last = key;
        }
        Ok(())
    }

    fn forget_key(&mut self) -> Result<(), ParseError> {
        match self.keys.last_mut() {
            Some(key) if key.possible && key.required => {
                Err(ParseError { message: "could not find expected ':'".into(), at: key.mark })
            }
            Some(key) => {
                key.possible = false;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn push(&mut self, kind: TokenKind<'a>, start: Mark) {
        self.tokens.push_back(Token { kind, start, end: self.cursor.mark() });
    }

    fn push_ascii(&mut self, kind: TokenKind<'a>, len: usize) {
        let start = self.cursor.mark();
        self.cursor.skip_ascii(len);
        self.push(kind, start);
    }

    /// Opens a block collection at `column` when that is deeper than the innermost one.
    fn roll_indent(&mut self, column: isize, at_token: usize, kind: TokenKind<'a>, mark: Mark) {
        if !self.in_flow() && self.indent < column {
            self.indents.push(self.indent);
            self.indent = column;
            self.insert(at_token, kind, mark);
        }
    }

    fn insert(&mut self, at_token: usize, kind: TokenKind<'a>, mark: Mark) {
        let index = at_token.checked_sub(self.taken).unwrap_or(self.tokens.len());
        self.tokens.insert(index.min(self.tokens.len()), Token { kind, start: mark, end: mark });
    }

    /// Closes the block collections that are deeper than `column`.
    fn unroll_indent(&mut self, column: isize) {
        if self.in_flow() {
            return;
        }
        while self.indent > column {
            let mark = self.cursor.mark();
            self.push(TokenKind::BlockEnd, mark);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn fetch(&mut self) -> Result<(), ParseError> {
        self.skip_to_token();
        self.unroll_indent(self.column());
        let byte = self.cursor.byte(0);
        let blank_after = self.cursor.is_blank_or_end(1);
        match byte {
            _ if self.cursor.at_end() => {
                self.unroll_indent(-1);
                self.forget_key()?;
                // Nor can what opened a flow collection that does not end be a key any more.
                self.keys.iter_mut().for_each(|key| key.possible = false);
                self.key_allowed = false;
                self.push_ascii(TokenKind::StreamEnd, 0);
                Ok(())
            }
            b'%' if self.cursor.column() == 0 => {
                self.leave_blocks()?;
                self.scan_directive()
            }
            b'-' if self.cursor.at_document_marker(b"---") => self.fetch_marker(TokenKind::DocumentStart),
            b'.' if self.cursor.at_document_marker(b"...") => self.fetch_marker(TokenKind::DocumentEnd),
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => {
                self.forget_key()?;
                self.key_allowed = true;
                self.push_ascii(TokenKind::FlowEntry, 1);
                Ok(())
            }
            b'-' if blank_after => self.fetch_block_entry(),
            b'?' if self.in_flow() || blank_after => self.fetch_key(),
            b':' if self.in_flow() || blank_after => self.fetch_value(),
            b'*' | b'&' => {
                self.save_key()?;
                self.key_allowed = false;
                self.scan_anchor()
            }
            b'!' => {
                self.save_key()?;
                self.key_allowed = false;
                self.scan_tag()
            }
            b'|' | b'>' if !self.in_flow() => {
                self.forget_key()?;
                self.key_allowed = true;
                self.scan_block_scalar()
            }
            b'\'' | b'"' => {
                self.save_key()?;
                self.key_allowed = false;
                self.scan_quoted()
            }
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' => {
                Err(self.cursor.error("found character that cannot start any token"))
            }
            _ => {
                self.save_key()?;
                self.key_allowed = false;
                self.scan_plain()
            }
        }
    }

    fn skip_to_token(&mut self) {
        loop {
            // A tab may not indent, so it only counts as space where no block key can begin.
            while self.cursor.byte(0) == b' '
                || self.cursor.byte(0) == b'\t' && (self.in_flow() || !self.key_allowed)
            {
                self.cursor.skip_ascii(1);
            }
            self.cursor.skip_comment();
            if self.cursor.take_break().is_empty() {
                return;
            }
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }

    fn leave_blocks(&mut self) -> Result<(), ParseError> {
        self.unroll_indent(-1);
        self.forget_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn fetch_marker(&mut self, kind: TokenKind<'a>) -> Result<(), ParseError> {
        self.leave_blocks()?;
        self.push_ascii(kind, 3);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind<'a>) -> Result<(), ParseError> {
        self.save_key()?;
        self.keys.push(SimpleKey { token: self.next_token(), ..SimpleKey::default() });
        self.key_allowed = true;
        self.push_ascii(kind, 1);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind<'a>) -> Result<(), ParseError> {
        self.forget_key()?;
        if self.in_flow() {
            let inner = self.keys.pop();
            // go-yaml v2 does not wait for the `:` after a collection that holds no key: `{}: x` is no mapping.
            if let (Some(inner), Some(outer)) = (inner, self.keys.last_mut())
                && inner.token == outer.token
            {
                outer.awaited = false;
            }
        }
        self.key_allowed = false;
        self.push_ascii(kind, 1);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), ParseError> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(self.cursor.error("block sequence entries are not allowed in this context"));
            }
            self.open_block(TokenKind::BlockSequenceStart);
        }
        self.forget_key()?;
        self.key_allowed = true;
        self.push_ascii(TokenKind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), ParseError> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(self.cursor.error("mapping keys are not allowed in this context"));
            }
            self.open_block(TokenKind::BlockMappingStart);
        }
        self.forget_key()?;
        self.key_allowed = !self.in_flow();
        self.push_ascii(TokenKind::Key, 1);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), ParseError> {
        let level = self.keys.len().saturating_sub(1);
        if self.still_possible(level)? {
            let key = self.keys[level];
            self.keys[level].possible = false;
            self.insert(key.token, TokenKind::Key, key.mark);
            let column = isize::try_from(key.column).unwrap_or(isize::MAX);
            self.roll_indent(column, key.token, TokenKind::BlockMappingStart, key.mark);
            self.key_allowed = false;
        } else if self.in_flow() {
            self.key_allowed = false;
        } else {
            if !self.key_allowed {
                return Err(self.cursor.error("mapping values are not allowed in this context"));
            }
            self.open_block(TokenKind::BlockMappingStart);
            self.key_allowed = true;
        }
        self.push_ascii(TokenKind::Value, 1);
        Ok(())
    }

    fn open_block(&mut self, kind: TokenKind<'a>) {
        self.roll_indent(self.column(), self.next_token(), kind, self.cursor.mark());
    }
}
