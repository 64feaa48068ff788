//! Numbers and text with the flags, width and precision of a `printf` verb.

use crate::{float, print};

/// The flags of a verb.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) width: Option<usize>,
    pub(crate) precision: Option<usize>,
    pub(crate) minus: bool,
    pub(crate) plus: bool,
    pub(crate) sharp: bool,
    pub(crate) space: bool,
    pub(crate) zero: bool,
    /// `%+v`: with the names of fields
    pub(crate) plus_v: bool,
    /// `%#v`: as Go source
    pub(crate) sharp_v: bool,
}

impl Flags {
    fn without_zero(self) -> Flags {
        Flags { zero: false, ..self }
    }

    /// `text`, padded to the width on the left, or with `-` on the right.
    pub(crate) fn pad(self, out: &mut Vec<u8>, text: &[u8]) {
        let padding = self.width.unwrap_or(0).saturating_sub(print::count_runes(text));
        if self.minus {
            out.extend_from_slice(text);
            self.fill(out, padding);
        } else {
            self.fill(out, padding);
            out.extend_from_slice(text);
        }
    }

    fn fill(self, out: &mut Vec<u8>, count: usize) {
        out.extend(std::iter::repeat_n(if self.zero { b'0' } else { b' ' }, count));
    }

    /// `%s`
    pub(crate) fn text(self, out: &mut Vec<u8>, text: &[u8]) {
        self.pad(out, self.truncated(text));
    }

    /// `%q`
    pub(crate) fn quoted(self, out: &mut Vec<u8>, text: &[u8]) {
        let text = self.truncated(text);
        if self.sharp && can_backquote(text) {
            self.pad(out, &[b"`", text, b"`"].concat());
        } else {
            self.pad(out, &print::quoted(text, b'"', self.plus));
        }
    }

    /// As many runes as the precision says.
    fn truncated(self, text: &[u8]) -> &[u8] {
        let Some(precision) = self.precision else { return text };
        let length = print::runes(text).take(precision).map(|(_, size)| size).sum();
        text.get(..length).unwrap_or(text)
    }

    /// `%x` and `%X` of bytes
    pub(crate) fn hexadecimal(self, out: &mut Vec<u8>, bytes: &[u8], digits: &[u8; 17]) {
        let bytes = &bytes[..self.precision.unwrap_or(bytes.len()).min(bytes.len())];
        if bytes.is_empty() {
            self.fill(out, self.width.unwrap_or(0));
            return;
        }
        let mut text = Vec::with_capacity(bytes.len() * 2);
        for (at, byte) in bytes.iter().enumerate() {
            if self.space && at > 0 {
                text.push(b' ');
            }
            if self.sharp && (self.space || at == 0) {
                text.extend([b'0', digits[16]]);
            }
            text.extend([digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
        }
        self.pad(out, &text);
    }

    /// `%d`, `%b`, `%o`, `%O`, `%x`, `%X`
    pub(crate) fn integer(self, out: &mut Vec<u8>, magnitude: u64, negative: bool, verb: char) {
        let mut text = match verb {
            'b' => format!("{magnitude:b}"),
            'o' | 'O' => format!("{magnitude:o}"),
            'x' => format!("{magnitude:x}"),
            'X' => format!("{magnitude:X}"),
            _ => magnitude.to_string(),
        };
        let signed = negative || self.plus || self.space;
        let digits = match (self.precision, self.width) {
            (Some(0), _) if magnitude == 0 => {
                self.without_zero().fill(out, self.width.unwrap_or(0));
                return;
            }
            (Some(precision), _) => precision,
            (None, Some(width)) if self.zero => width.saturating_sub(usize::from(signed)),
            _ => 0,
        };
        text.insert_str(0, &"0".repeat(digits.saturating_sub(text.len())));
        if self.sharp {
            match verb {
                'b' => text.insert_str(0, "0b"),
                'o' | 'O' if !text.starts_with('0') => text.insert(0, '0'),
                'x' => text.insert_str(0, "0x"),
                'X' => text.insert_str(0, "0X"),
                _ => {}
            }
        }
        if verb == 'O' {
            text.insert_str(0, "0o");
        }
        if negative {
            text.insert(0, '-');
        } else if self.plus {
            text.insert(0, '+');
        } else if self.space {
            text.insert(0, ' ');
        }
        self.without_zero().pad(out, text.as_bytes());
    }

    /// `%c`
    pub(crate) fn character(self, out: &mut Vec<u8>, code: u64) {
        self.pad(out, rune(code).encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// `%q` of an integer
    pub(crate) fn quoted_character(self, out: &mut Vec<u8>, code: u64) {
        let text = rune(code).to_string();
        self.pad(out, &print::quoted(text.as_bytes(), b'\'', self.plus));
    }

    /// `%U`
    pub(crate) fn unicode(self, out: &mut Vec<u8>, code: u64) {
        let digits = self.precision.unwrap_or(4).max(4);
        let mut text = format!("{code:X}");
        text.insert_str(0, &"0".repeat(digits.saturating_sub(text.len())));
        text.insert_str(0, "U+");
        if self.sharp
            && let Some(c) = u32::try_from(code).ok().and_then(char::from_u32).filter(|c| print::is_print(*c))
        {
            text.extend([' ', '\'', c, '\'']);
        }
        self.without_zero().pad(out, text.as_bytes());
    }

    /// `%e`, `%f`, `%g` …, with the precision that the verb has without one of its own
    pub(crate) fn float(self, out: &mut Vec<u8>, value: f64, verb: char, precision: Option<usize>) {
        let precision = self.precision.or(precision);
        let mut number = float::format(value, verb, precision);
        if !number.starts_with(['+', '-']) {
            number.insert(0, '+');
        }
        if self.space && number.starts_with('+') && !self.plus {
            number.replace_range(..1, " ");
        }
        if !value.is_finite() {
            let unsigned = value.is_nan() && !self.space && !self.plus;
            self.without_zero().pad(out, &number.as_bytes()[usize::from(unsigned)..]);
            return;
        }
        if self.sharp && verb != 'b' {
            restore_zeros(&mut number, verb, precision);
        }
        let (sign, magnitude) = number.split_at(1);
        if sign == "+" && !self.plus {
            self.pad(out, magnitude.as_bytes());
        } else if self.zero && self.width.is_some_and(|width| width > number.len()) {
            out.extend_from_slice(sign.as_bytes());
            self.fill(out, self.width.unwrap_or(0).saturating_sub(number.len()));
            out.extend_from_slice(magnitude.as_bytes());
        } else {
            self.pad(out, number.as_bytes());
        }
    }
}

/// `#` asks for a decimal point, and for the zeros that `%g` leaves out.
fn restore_zeros(number: &mut String, verb: char, precision: Option<usize>) {
    let mut wanted = match verb {
        'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let hexadecimal = matches!(verb, 'x' | 'X');
    let tail_at = number.find(|c| matches!(c, 'p' | 'P') || !hexadecimal && matches!(c, 'e' | 'E'));
    let tail = number.split_off(tail_at.unwrap_or(number.len()));
    let digits = number[1..].replace('.', "");
    let significant = digits.trim_start_matches('0').len();
    wanted = wanted.saturating_sub(significant);
    if !number.contains('.') {
        if &number[1..] == "0" {
            wanted = wanted.saturating_sub(1);
        }
        number.push('.');
    }
    number.extend(std::iter::repeat_n('0', wanted));
    number.push_str(&tail);
}

fn rune(code: u64) -> char {
    u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Whether the text can stand between backquotes in Go source.
pub(crate) fn can_backquote(text: &[u8]) -> bool {
    const BYTE_ORDER_MARK: char = '\u{feff}';
    std::str::from_utf8(text).is_ok_and(|text| {
        text.chars().all(|c| (c >= ' ' || c == '\t') && !matches!(c, '`' | '\x7f' | BYTE_ORDER_MARK))
    })
}
