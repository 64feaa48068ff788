//! Go's `time.Duration`: nanoseconds in 64 bits.

use std::any::Any;

use crate::{Object, Value};

/// A span of time in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Duration(pub(super) i64);

const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

const LIMIT: u64 = 1 << 63;

/// A sign, then numbers with units, such as `-1.5h30m`, or a plain 0; `None` for anything else.
pub(super) fn parse_duration(text: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(Duration(0));
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (whole, after) = split_digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => split_digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        if whole > LIMIT / unit {
            return None;
        }
        total = total.checked_add(whole * unit + fraction_of(fraction, unit))?;
        if total > LIMIT {
            return None;
        }
        rest = after;
    }
    match negative {
        true => Some(Duration((total as i64).wrapping_neg())),
        false => i64::try_from(total).ok().map(Duration),
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// The part of a unit that the digits after the point say; digits beyond what 63 bits hold are ignored.
fn fraction_of(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0);
    for digit in digits.bytes() {
        if value > (LIMIT - 1) / 10 {
            break;
        }
        let next = value * 10 + u64::from(digit - b'0');
        if next > LIMIT {
            break;
        }
        (value, scale) = (next, scale * 10.0);
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

impl Object for Duration {
    fn type_name(&self) -> &'static str {
        "time.Duration"
    }

    fn kind(&self) -> &'static str {
        "int64"
    }

    fn field(&self, name: &str) -> Option<Result<Value, String>> {
        let float = |unit: i64| {
            // The whole and the rest apart: their sum is more exact than one division.
            Value::Float((self.0 / unit) as f64 + (self.0 % unit) as f64 / unit as f64)
        };
        Some(Ok(match name {
            "Hours" => float(3_600_000_000_000),
            "Minutes" => float(60_000_000_000),
            "Seconds" => float(1_000_000_000),
            "Milliseconds" => Value::Int64(self.0 / 1_000_000),
            "Microseconds" => Value::Int64(self.0 / 1_000),
            "Nanoseconds" => Value::Int64(self.0),
            "String" => self.print().into(),
            _ => return None,
        }))
    }

    fn is_true(&self) -> bool {
        self.0 != 0
    }

    fn print(&self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let (unit, name) = match nanos {
            0 => return "0s".into(),
            1..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "\u{b5}s"),
            1_000_000..1_000_000_000 => (1_000_000, "ms"),
            _ => (1_000_000_000, "s"),
        };
        let mut whole = nanos / unit;
        let mut clock = String::new();
        if name == "s" {
            if whole >= 3600 {
                clock += &format!("{}h", whole / 3600);
            }
            if whole >= 60 {
                clock += &format!("{}m", whole / 60 % 60);
            }
            whole %= 60;
        }
        let digits = format!("{:0width$}", nanos % unit, width = unit.ilog10() as usize);
        let fraction = match digits.trim_end_matches('0') {
            "" => String::new(),
            digits => format!(".{digits}"),
        };
        format!("{sign}{clock}{whole}{fraction}{name}")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_printed() {
        for (text, want, why) in [
            ("24h", Some("24h0m0s"), "hours"),
            ("-1.5h", Some("-1h30m0s"), "a fraction"),
            ("1h-1m", None, "a sign in the middle"),
            ("+5s", Some("5s"), "a plus"),
            ("0", Some("0s"), "the one number without a unit"),
            ("1", None, "a unit is missing"),
            ("1d", None, "days are no unit"),
            (".5m", Some("30s"), "nothing before the point"),
            (".s", None, "no digits"),
            ("", None, "nothing"),
            ("1.5ms1\u{b5}s1us3ns", Some("1.502003ms"), "small units"),
            ("2562047h47m16.854775807s", Some("2562047h47m16.854775807s"), "the longest"),
            ("2562047h47m16.854775808s", None, "longer"),
            ("-2562047h47m16.854775808s", Some("-2562047h47m16.854775808s"), "the longest backwards"),
            ("9223372036854775807h", None, "far too long"),
            ("1.123456789123456789123s", Some("1.123456789s"), "digits without number"),
        ] {
            let got = parse_duration(text.as_bytes()).map(|duration| duration.print());
            assert_eq!(got.as_deref(), want, "{text}: {why}");
        }
    }
}
