//! What stands before a node or a document: anchors, aliases, tags, directives.

use super::{Scanner, TokenKind};
use crate::ParseError;

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_uri(byte: u8) -> bool {
    is_word(byte) || b";/?:@&=+$,.!~*'()[]%".contains(&byte)
}

impl<'a> Scanner<'a> {
    fn scan_word(&mut self) -> &'a str {
        let from = self.cursor.pos();
        while is_word(self.cursor.byte(0)) {
            self.cursor.skip_ascii(1);
        }
        self.cursor.slice(from, self.cursor.pos())
    }

    pub(super) fn scan_anchor(&mut self) -> Result<(), ParseError> {
        let start = self.cursor.mark();
        let alias = self.cursor.byte(0) == b'*';
        self.cursor.skip_ascii(1);
        let name = self.scan_word();
        let ended = self.cursor.is_blank_or_end(0) || b"?:,]}%@`".contains(&self.cursor.byte(0));
        if name.is_empty() || !ended {
            return Err(self.cursor.error("did not find expected alphabetic or numeric character"));
        }
        self.push(if alias { TokenKind::Alias(name) } else { TokenKind::Anchor(name) }, start);
        Ok(())
    }

    pub(super) fn scan_tag(&mut self) -> Result<(), ParseError> {
        let start = self.cursor.mark();
        let kind = if self.cursor.byte(1) == b'<' {
            self.cursor.skip_ascii(2);
            let suffix = self.scan_uri("")?;
            if self.cursor.byte(0) != b'>' {
                return Err(self.cursor.error("did not find the expected '>'"));
            }
            self.cursor.skip_ascii(1);
            TokenKind::Tag { handle: "", suffix }
        } else {
            match self.scan_tag_handle() {
                handle if handle.len() > 1 && handle.ends_with('!') => {
                    TokenKind::Tag { handle, suffix: self.scan_uri("")? }
                }
                "!" if !is_uri(self.cursor.byte(0)) => TokenKind::Tag { handle: "", suffix: "!".into() },
                handle => {
                    let suffix = self.scan_uri(handle.get(1..).unwrap_or(""))?;
                    TokenKind::Tag { handle: "!", suffix }
                }
            }
        };
        if !self.cursor.is_blank_or_end(0) {
            return Err(self.cursor.error("did not find expected whitespace or line break after a tag"));
        }
        self.push(kind, start);
        Ok(())
    }

    /// `!`, `!!`, `!name!`, or the beginning `!name` of a tag without a handle.
    fn scan_tag_handle(&mut self) -> &'a str {
        let from = self.cursor.pos();
        self.cursor.skip_ascii(1);
        self.scan_word();
        if self.cursor.byte(0) == b'!' {
            self.cursor.skip_ascii(1);
        }
        self.cursor.slice(from, self.cursor.pos())
    }

    /// The characters of a URI ahead, appended to `head`, with `%41` decoded; together they may not be empty.
    fn scan_uri(&mut self, head: &str) -> Result<String, ParseError> {
        let mut octets = head.as_bytes().to_vec();
        while is_uri(self.cursor.byte(0)) {
            let octet = match self.cursor.byte(0) {
                b'%' => {
                    let hex = self.cursor.slice(self.cursor.pos() + 1, self.cursor.pos() + 3);
                    let digits = hex.len() == 2 && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
                    let octet = if digits { u8::from_str_radix(hex, 16).ok() } else { None };
                    self.cursor.skip_ascii(if digits { 2 } else { 0 });
                    octet.ok_or_else(|| self.cursor.error("did not find URI escaped octet"))?
                }
                byte => byte,
            };
            octets.push(octet);
            self.cursor.skip_ascii(1);
        }
        if octets.is_empty() {
            return Err(self.cursor.error("did not find expected tag URI"));
        }
        String::from_utf8(octets).map_err(|_| self.cursor.error("found a tag that is not UTF-8"))
    }

    pub(super) fn scan_directive(&mut self) -> Result<(), ParseError> {
        let start = self.cursor.mark();
        self.cursor.skip_ascii(1);
        let name = self.scan_word();
        if !self.cursor.is_blank_or_end(0) {
            return Err(self.cursor.error("found unexpected non-alphabetical character"));
        }
        self.cursor.skip_blanks();
        let kind = match name {
            "YAML" => self.scan_version()?,
            "TAG" => self.scan_tag_directive()?,
            "" => return Err(self.cursor.error("could not find expected directive name")),
            _ => return Err(ParseError { message: format!("unknown directive %{name}"), at: start }),
        };
        self.push(kind, start);
        self.cursor.skip_blanks();
        self.cursor.skip_comment();
        if !self.cursor.is_break_or_end(0) {
            return Err(self.cursor.error("did not find expected comment or line break"));
        }
        self.cursor.take_break();
        Ok(())
    }

    fn scan_version(&mut self) -> Result<TokenKind<'a>, ParseError> {
        let major = self.scan_version_number()?;
        if self.cursor.byte(0) != b'.' {
            return Err(self.cursor.error("did not find expected digit or '.' character"));
        }
        self.cursor.skip_ascii(1);
        let minor = self.scan_version_number()?;
        Ok(TokenKind::Version { major, minor })
    }

    fn scan_version_number(&mut self) -> Result<u8, ParseError> {
        let from = self.cursor.pos();
        while self.cursor.byte(0).is_ascii_digit() {
            self.cursor.skip_ascii(1);
        }
        let digits = self.cursor.slice(from, self.cursor.pos());
        let number = if digits.len() <= 2 { digits.parse().ok() } else { None };
        number.ok_or_else(|| self.cursor.error("did not find expected version number"))
    }

    fn scan_tag_directive(&mut self) -> Result<TokenKind<'a>, ParseError> {
        let handle = if self.cursor.byte(0) == b'!' { self.scan_tag_handle() } else { "" };
        if !handle.ends_with('!') {
            return Err(self.cursor.error("did not find expected '!'"));
        }
        if !self.cursor.is_blank(0) {
            return Err(self.cursor.error("did not find expected whitespace"));
        }
        self.cursor.skip_blanks();
        let prefix = self.scan_uri("")?;
        if !self.cursor.is_blank_or_end(0) {
            return Err(self.cursor.error("did not find expected whitespace or line break"));
        }
        Ok(TokenKind::TagDirective { handle, prefix })
    }
}
