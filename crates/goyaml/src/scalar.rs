//! What a plain scalar means: YAML 1.1 as Go's yaml.v2 and yaml.v3 understand it.

use crate::Value;

/// The two versions of go-yaml differ in what they take for a boolean, a timestamp or an octal number.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Dialect {
    V2,
    V3,
}

/// The value of an untagged plain scalar; a string when it is nothing else. Timestamps stay strings.
pub(crate) fn resolve(text: &str, dialect: Dialect) -> Value {
    let meaning = match text.as_bytes().first() {
        None => Some(Value::Null),
        Some(b'.') => special_float(text).or_else(|| fraction(text)),
        Some(b'+' | b'-' | b'0'..=b'9') => special_float(text).or_else(|| number(text, dialect)),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            word(text, dialect)
        }
        Some(_) => None,
    };
    meaning.unwrap_or_else(|| text.into())
}

/// Whether yaml.v3 would read the text as a string, not quoted.
pub(crate) fn is_string_in_v3(text: &str) -> bool {
    matches!(resolve(text, Dialect::V3), Value::Str(_)) && !is_timestamp(text)
}

fn word(text: &str, dialect: Dialect) -> Option<Value> {
    match text {
        "~" | "null" | "Null" | "NULL" => Some(Value::Null),
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ if dialect == Dialect::V2 => old_boolean(text).map(Value::Bool),
        _ => None,
    }
}

/// The words that only YAML 1.1 takes for booleans.
pub(crate) fn old_boolean(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn special_float(text: &str) -> Option<Value> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(Value::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(Value::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => Some(Value::Float(f64::NEG_INFINITY)),
        _ => None,
    }
}

/// `.5`: here Go's own rule for underscores holds, they may only stand between digits.
fn fraction(text: &str) -> Option<Value> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let well_placed = |at: usize| bytes[at] != b'_' || digit(at.checked_sub(1)) && digit(at.checked_add(1));
    if (0..bytes.len()).all(well_placed) { float(&text.replace('_', "")) } else { None }
}

fn number(text: &str, dialect: Dialect) -> Option<Value> {
    let plain = text.replace('_', "");
    integer(&plain).or_else(|| float(&plain)).or_else(|| late_sign(&plain, dialect))
}

/// An integer as Go writes it: `0x`, `0b`, `0o` and plain `0` give the base.
fn integer(text: &str) -> Option<Value> {
    let (negative, unsigned) = split_sign(text);
    let lower = unsigned.as_bytes().get(1).map(u8::to_ascii_lowercase);
    let (digits, radix) = match (unsigned.as_bytes(), lower) {
        ([b'0', _, _, ..], Some(b'x')) => (unsigned.get(2..)?, 16),
        ([b'0', _, _, ..], Some(b'o')) => (unsigned.get(2..)?, 8),
        ([b'0', _, _, ..], Some(b'b')) => (unsigned.get(2..)?, 2),
        ([b'0', _, ..], _) => (unsigned.get(1..)?, 8),
        _ => (unsigned, 10),
    };
    match magnitude(digits, radix)? {
        size if negative => 0i64.checked_sub_unsigned(size).map(Value::Int),
        size => match i64::try_from(size) {
            Ok(int) => Some(Value::Int(int)),
            Err(_) if unsigned.len() == text.len() => Some(Value::Uint(size)),
            Err(_) => None,
        },
    }
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn magnitude(digits: &str, radix: u32) -> Option<u64> {
    // The standard parser would accept a sign.
    let clean = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if clean { u64::from_str_radix(digits, radix).ok() } else { None }
}

/// Go accepts a sign behind the base as well (`0b-1`), in yaml.v3 also for octal numbers.
fn late_sign(text: &str, dialect: Dialect) -> Option<Value> {
    let (digits, radix) = match text.strip_prefix("0b") {
        Some(digits) => (digits, 2),
        None if dialect == Dialect::V3 => (text.strip_prefix("0o")?, 8),
        None => return None,
    };
    let (negative, digits) = split_sign(digits);
    let size = magnitude(digits, radix)?;
    let int = if negative { 0i64.checked_sub_unsigned(size) } else { i64::try_from(size).ok() };
    int.map(Value::Int)
}

/// `[-+]? ( .digits | digits [.digits?] ) [ e [-+]? digits ]`, if it fits a double.
fn float(text: &str) -> Option<Value> {
    let (_, unsigned) = split_sign(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(split_sign(exponent).1)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = all_digits(whole)
        && all_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && all_digits(exponent));
    let value = if shaped { text.parse::<f64>().ok()? } else { return None };
    value.is_finite().then_some(Value::Float(value))
}

/// Whether go-yaml takes the text for a timestamp: `2001-1-2`, maybe with a time, then with a zone after `T`.
pub(crate) fn is_timestamp(text: &str) -> bool {
    timestamp(text).is_some()
}

fn timestamp(text: &str) -> Option<()> {
    let (year, rest) = text.split_at_checked(4)?;
    if !year.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let year: u32 = year.parse().ok()?;
    let (month, rest) = one_or_two_digits(rest.strip_prefix('-')?)?;
    let (day, rest) = one_or_two_digits(rest.strip_prefix('-')?)?;
    if day < 1 || day > days_in(year, month)? {
        return None;
    }
    match rest.as_bytes().first() {
        None => Some(()),
        Some(b'T' | b't') => zone(time(rest.get(1..)?)?),
        Some(b' ') => time(rest.trim_start_matches(' '))?.is_empty().then_some(()),
        Some(_) => None,
    }
}

fn one_or_two_digits(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, rest))
}

fn days_in(year: u32, month: u32) -> Option<u32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => Some(if leap { 29 } else { 28 }),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}

/// Steps over `15:4:5` with an optional fraction.
fn time(text: &str) -> Option<&str> {
    let (hour, rest) = one_or_two_digits(text)?;
    let (minute, rest) = one_or_two_digits(rest.strip_prefix(':')?)?;
    let (second, rest) = one_or_two_digits(rest.strip_prefix(':')?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = rest.strip_prefix(['.', ',']).unwrap_or("");
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 { Some(rest) } else { fraction.get(digits..) }
}

fn zone(text: &str) -> Option<()> {
    if text == "Z" {
        return Some(());
    }
    let (hours, minutes) = text.strip_prefix(['+', '-'])?.split_once(':')?;
    let two_digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    (two_digits(hours) && two_digits(minutes) && hours <= "24" && minutes <= "60").then_some(())
}

/// `12:30:45`: a number in base 60 for old parsers, so that it is quoted for them.
pub(crate) fn is_base_60(text: &str) -> bool {
    let (_, unsigned) = split_sign(text);
    let mut parts = unsigned.split(':');
    let whole = parts.next().unwrap_or("");
    if !whole.starts_with(|first: char| first.is_ascii_digit()) || !whole.bytes().all(is_digit_or_underscore)
    {
        return false;
    }
    let rest: Vec<&str> = parts.collect();
    let Some((last, inner)) = rest.split_last() else { return false };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    let sixtieth = |part: &str| match part.as_bytes() {
        [digit] | [b'0'..=b'5', digit] => digit.is_ascii_digit(),
        _ => false,
    };
    inner.iter().all(|part| sixtieth(part)) && sixtieth(last) && fraction.bytes().all(is_digit_or_underscore)
}

fn is_digit_or_underscore(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_those_of_go() {
        let cases = [
            ("2001-01-01", true, "a date"),
            ("2001-1-2", true, "short fields"),
            ("2001-02-29", false, "no leap year"),
            ("2000-02-29", true, "a leap year"),
            ("2001-13-01", false, "no such month"),
            ("2001-01-01T10:20:30Z", true, "UTC"),
            ("2001-01-01t1:2:3.5+02:00", true, "lower case, a fraction, an offset"),
            ("2001-01-01T10:20:30", false, "a zone is needed after T"),
            ("2001-01-01 10:20:30", true, "and none after a space"),
            ("2001-01-01   10:20:30,25", true, "several spaces, a decimal comma"),
            ("2001-01-01 10:20:30 Z", false, "something behind it"),
            ("2001-01-01 24:00:00", false, "no such hour"),
            ("2001-01-01 00:60:00", false, "no such minute"),
            ("2001-01-01 00:00:60", false, "no such second"),
            ("2001-01-01 23:59:59", true, "the last second of a day"),
            ("201-01-01", false, "a year of three digits"),
        ];
        for (text, want, why) in cases {
            assert_eq!(is_timestamp(text), want, "{why}: {text}");
        }
    }

    #[test]
    fn numbers_in_base_60() {
        let cases = [
            ("1:2", true, "short"),
            ("-190:20:30.15", true, "a sign and a fraction"),
            ("1_0:30", true, "an underscore"),
            ("1:60", false, "no sixtieth"),
            ("a:10", false, "no digit first"),
            ("10", false, "no colon"),
            ("1:2:", false, "nothing behind a colon"),
        ];
        for (text, want, why) in cases {
            assert_eq!(is_base_60(text), want, "{why}: {text}");
        }
    }

    #[test]
    fn the_dialects_differ() {
        let cases = [
            ("yes", Value::Bool(true), Value::from("yes"), "an old boolean"),
            ("0o-7", Value::from("0o-7"), Value::Int(-7), "a sign inside of an octal number"),
            ("0b-1", Value::Int(-1), Value::Int(-1), "a sign inside of a binary number"),
            (
                "+18446744073709551615",
                Value::Float(18446744073709551615.0),
                Value::Float(18446744073709551615.0),
                "too big with a sign",
            ),
        ];
        for (text, v2, v3, why) in cases {
            assert_eq!((resolve(text, Dialect::V2), resolve(text, Dialect::V3)), (v2, v3), "{why}: {text}");
        }
    }
}
