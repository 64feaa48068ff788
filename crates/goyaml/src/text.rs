//! Which styles a string can be printed in.

use std::fmt::Write;

/// What decides how a string can be printed.
pub(crate) struct Traits {
    /// It holds `\n`.
    pub(crate) newline: bool,
    /// It holds any line break.
    pub(crate) multiline: bool,
    /// It can stand without quotes, as far as its characters go.
    pub(crate) plain: bool,
    pub(crate) single_quoted: bool,
    /// It can stand as a block scalar.
    pub(crate) block: bool,
}

impl Traits {
    pub(crate) fn of(text: &str) -> Self {
        let mut traits = Traits {
            newline: false,
            multiline: false,
            plain: true,
            single_quoted: true,
            block: !text.is_empty(),
        };
        let mut plain = !text.starts_with("---") && !text.starts_with("...");
        let mut escaped = false;
        let mut before = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let blank_follows = chars.peek().is_none_or(|next| matches!(next, ' ' | '\t'));
            let first = before.is_none();
            let last = chars.peek().is_none();
            match c {
                ' ' => {
                    plain &= !first && !last;
                    traits.block &= !last;
                    if before.is_some_and(is_break) {
                        plain = false;
                        traits.single_quoted = false;
                    }
                }
                '\t' => {
                    plain = false;
                    traits.single_quoted = false;
                }
                '#' => plain &= !before.is_none_or(|before| matches!(before, ' ' | '\t') || is_break(before)),
                ':' => plain &= !blank_follows,
                '?' | '-' if first => plain &= !blank_follows,
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                    plain &= !first;
                }
                _ => escaped |= !is_printable(c),
            }
            if is_break(c) {
                plain = false;
                traits.newline |= c == '\n';
                traits.multiline = true;
                escaped |= before == Some(' ');
            }
            before = Some(c);
        }
        traits.plain = plain && !escaped;
        traits.single_quoted &= !escaped;
        traits.block &= !escaped;
        traits
    }
}

pub(crate) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether go-yaml prints the character as it is; it escapes all beyond the basic plane.
pub(crate) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

pub(crate) fn escape(c: char, out: &mut String) {
    let short = match c {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = u32::from(c);
            // Writing to a string cannot fail.
            let _ = match code {
                0..=0xff => write!(out, "\\x{code:02X}"),
                0x100..=0xffff => write!(out, "\\u{code:04X}"),
                _ => write!(out, "\\U{code:08X}"),
            };
            return;
        }
    };
    out.push('\\');
    out.push(short);
}
