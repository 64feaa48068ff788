//! Constants: numbers that are of every type which can hold them, and quoted text.

use crate::print;
use crate::strconv::{parse_float, without_underscores};

/// A number with its value in every type that can hold it.
#[derive(Debug, Default)]
pub(crate) struct Number {
    pub(crate) text: Box<str>,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    /// Real and imaginary part
    pub(crate) complex: Option<(f64, f64)>,
}

impl Number {
    /// A character constant, quotes included.
    pub(crate) fn character(text: &str) -> Result<Number, String> {
        let inner = text.strip_prefix('\'').unwrap_or(text);
        let (unit, rest) = unquote_unit(inner, '\'').ok_or("invalid syntax")?;
        if rest != "'" {
            return Err(format!("malformed character constant: {text}"));
        }
        let value = match unit {
            Unit::Byte(byte) => u32::from(byte),
            Unit::Char(c) => u32::from(c),
        };
        Ok(Number {
            text: text.into(),
            int: Some(value.into()),
            uint: Some(value.into()),
            float: Some(value.into()),
            complex: None,
        })
    }

    /// `1+2i`
    pub(crate) fn complex(text: &str) -> Result<Number, String> {
        let sign = text
            .char_indices()
            .skip(1)
            .find(|(at, c)| matches!(c, '+' | '-') && !text[..*at].ends_with(['e', 'E', 'p', 'P']));
        sign.and_then(|(at, _)| {
            let real = parse_float(&text[..at])?;
            let imaginary = parse_float(text[at..].strip_suffix('i')?)?;
            Some(Number::of_complex(text, real, imaginary))
        })
        .ok_or_else(|| "syntax error scanning complex number".into())
    }

    /// Any other number.
    pub(crate) fn plain(text: &str) -> Result<Number, String> {
        if let Some(imaginary) = text.strip_suffix('i').and_then(parse_float) {
            return Ok(Number::of_complex(text, 0.0, imaginary));
        }
        let unsigned = parse_unsigned(text);
        let mut number = Number { text: text.into(), ..Number::default() };
        number.int = parse_signed(text);
        number.uint = unsigned.or((number.int == Some(0)).then_some(0));
        match (number.int, number.uint) {
            (Some(int), _) => number.float = Some(int as f64),
            (None, Some(uint)) => number.float = Some(uint as f64),
            (None, None) => {
                let float = parse_float(text)
                    .ok_or_else(|| format!("illegal number syntax: {}", print::quote_text(text)))?;
                if !text.contains(['.', 'e', 'E', 'p', 'P']) {
                    return Err(format!("integer overflow: {}", print::quote_text(text)));
                }
                number.set_float(float);
            }
        }
        Ok(number)
    }

    fn of_complex(text: &str, real: f64, imaginary: f64) -> Number {
        let mut number = Number { text: text.into(), ..Number::default() };
        number.complex = Some((real, imaginary));
        if imaginary == 0.0 {
            number.set_float(real);
        }
        number
    }

    fn set_float(&mut self, float: f64) {
        const SIGNED_END: f64 = 9_223_372_036_854_775_808.0;
        const UNSIGNED_END: f64 = 18_446_744_073_709_551_616.0;
        self.float = Some(float);
        if float.fract() == 0.0 {
            self.int = (-SIGNED_END..SIGNED_END).contains(&float).then_some(float as i64);
            self.uint = (0.0..UNSIGNED_END).contains(&float).then_some(float as u64);
        }
    }
}

fn parse_signed(text: &str) -> Option<i64> {
    let (negative, magnitude) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let magnitude = i128::from(parse_unsigned(magnitude)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// An integer without a sign, with Go's prefixes for bases, underscores between digits.
fn parse_unsigned(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    // After a prefix, a leading zero included, an underscore may come at once.
    let digits = without_underscores(digits, digits.len() < lower.len(), radix)?;
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(&digits, radix).ok()
}

/// What a quoted string says; `None` if it is malformed.
pub(crate) fn unquote(text: &str) -> Option<Vec<u8>> {
    if let Some(raw) = text.strip_prefix('`') {
        return Some(raw.strip_suffix('`')?.bytes().filter(|byte| *byte != b'\r').collect());
    }
    let mut rest = text.strip_prefix('"')?;
    let mut out = Vec::with_capacity(rest.len());
    while rest != "\"" {
        let (unit, tail) = unquote_unit(rest, '"')?;
        match unit {
            Unit::Byte(byte) => out.push(byte),
            Unit::Char('\n') if rest.starts_with('\n') => return None,
            Unit::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = tail;
    }
    Some(out)
}

enum Unit {
    Byte(u8),
    Char(char),
}

/// The first character or escape sequence of `text`, and what follows.
fn unquote_unit(text: &str, quote: char) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    let c = match chars.next()? {
        '\\' => chars.next()?,
        c if c == quote => return None,
        c => return Some((Unit::Char(c), chars.as_str())),
    };
    let rest = chars.as_str();
    let unit = match c {
        'a' => Unit::Char('\x07'),
        'b' => Unit::Char('\x08'),
        'f' => Unit::Char('\x0c'),
        'n' => Unit::Char('\n'),
        'r' => Unit::Char('\r'),
        't' => Unit::Char('\t'),
        'v' => Unit::Char('\x0b'),
        '\\' => Unit::Char('\\'),
        '\'' | '"' if c == quote => Unit::Char(c),
        'x' => {
            let byte = u8::try_from(digits(rest, 2, 16)?).ok()?;
            return Some((Unit::Byte(byte), &rest[2..]));
        }
        'u' | 'U' => {
            let length = if c == 'u' { 4 } else { 8 };
            return Some((Unit::Char(char::from_u32(digits(rest, length, 16)?)?), &rest[length..]));
        }
        '0'..='7' => {
            let value = c.to_digit(8)? * 64 + digits(rest, 2, 8)?;
            return Some((Unit::Byte(u8::try_from(value).ok()?), &rest[2..]));
        }
        _ => return None,
    };
    Some((unit, rest))
}

fn digits(text: &str, length: usize, radix: u32) -> Option<u32> {
    let digits = text.get(..length)?;
    // from_str_radix would take a sign.
    digits.chars().all(|c| c.is_digit(radix)).then(|| u32::from_str_radix(digits, radix).ok())?
}
