//! Numbers in texts, as Go's `strconv` reads them.

/// A float as Go's `strconv.ParseFloat` reads it; `None` where that fails, out of range included.
pub fn parse_float(text: &str) -> Option<f64> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = unsigned.to_ascii_lowercase();
    let magnitude = match lower.as_str() {
        "inf" | "infinity" => return Some(if negative { f64::NEG_INFINITY } else { f64::INFINITY }),
        "nan" => return (unsigned.len() == text.len()).then_some(f64::NAN),
        _ => {
            let number = match lower.strip_prefix("0x") {
                Some(digits) => parse_hex_float(&without_underscores(digits, true, 16)?)?,
                None => parse_decimal_float(&without_underscores(&lower, false, 10)?)?,
            };
            number.is_finite().then_some(number)?
        }
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// Underscores may stand between two digits, and after a base prefix.
pub(crate) fn without_underscores(text: &str, mut after_digit: bool, radix: u32) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut after_underscore = false;
    for c in text.chars() {
        let digit = c.is_digit(radix);
        if c == '_' && !after_digit || after_underscore && !digit {
            return None;
        }
        if c != '_' {
            out.push(c);
        }
        (after_digit, after_underscore) = (digit, c == '_');
    }
    (!after_underscore).then_some(out)
}

fn parse_decimal_float(text: &str) -> Option<f64> {
    // Rust also reads names and signs, which are dealt with before.
    text.starts_with(|c: char| c.is_ascii_digit() || c == '.').then(|| text.parse().ok())?
}

/// Hexadecimal digits with a point, then `p` and a binary exponent, which must be there.
fn parse_hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_hex = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hex(whole) || !is_hex(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    if exponent_digits.is_empty() || !exponent_digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let mut scale =
        exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { -100_000 } else { 100_000 });
    scale = scale.clamp(-100_000, 100_000).saturating_sub(4 * i64::try_from(fraction.len()).ok()?);

    let (mut bits, mut lost) = (0_u64, false);
    for digit in whole.chars().chain(fraction.chars()).filter_map(|digit| digit.to_digit(16)) {
        if bits >> 60 == 0 {
            bits = bits << 4 | u64::from(digit);
        } else {
            lost |= digit != 0;
            scale += 4;
        }
    }
    Some(scaled(bits, lost, scale))
}

/// `bits · 2^scale`, rounded once, half to even; `lost` tells of bits below.
fn scaled(bits: u64, lost: bool, scale: i64) -> f64 {
    if bits == 0 {
        return 0.0;
    }
    let width = 64 - i64::from(bits.leading_zeros());
    if width + scale > 1024 {
        return f64::INFINITY;
    }
    let precision = (width + scale + 1074).min(53);
    let Ok(precision) = u32::try_from(precision) else { return 0.0 };
    let excess = u32::try_from(width).unwrap_or(64).saturating_sub(precision);
    let (kept, rest) = match excess {
        0 => (bits, 0),
        64 => (0, bits),
        _ => (bits >> excess, bits << (64 - excess)),
    };
    const HALF: u64 = 1 << 63;
    let up = rest > HALF || rest == HALF && (lost || kept & 1 == 1);
    let rounded = (kept + u64::from(up)) as f64;
    let scale = i32::try_from(scale + i64::from(excess)).unwrap_or(0);
    rounded * 2_f64.powi(scale / 2) * 2_f64.powi(scale - scale / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_read_as_go_reads_them() {
        for (text, want, why) in [
            ("1.5", Some(1.5), "plain"),
            (".5", Some(0.5), "no digits before the point"),
            ("1.", Some(1.0), "no digits after it"),
            (".", None, "no digits"),
            ("", None, "nothing"),
            ("+2E+3", Some(2000.0), "signs"),
            ("1_000", Some(1000.0), "an underscore between digits"),
            ("1__0", None, "two underscores"),
            ("1e_5", None, "an underscore before digits"),
            ("-INFINITY", Some(f64::NEG_INFINITY), "names in any case"),
            ("infi", None, "half a name"),
            ("+nan", None, "a sign before what has none"),
            ("1e400", None, "out of range"),
            ("1e-400", Some(0.0), "too small is 0"),
            ("0x10", None, "hexadecimal without exponent"),
            ("0x_1.8p1", Some(3.0), "an underscore after the prefix"),
            ("0x1.fffffffffffff8p0", Some(2.0), "rounded half to even"),
            ("0x1.8p-1075", Some(5e-324), "rounded up to the smallest"),
            ("0x1p-1075", Some(0.0), "half of the smallest, to even"),
            ("0x1p1024", None, "hexadecimal out of range"),
            ("0x1p99999999999", None, "an exponent out of range"),
            (
                "0x123456789abcdef012345p-80",
                Some(f64::from_bits(0x3ff2_3456_789a_bcdf)),
                "more digits than fit",
            ),
        ] {
            assert_eq!(parse_float(text), want, "{text}: {why}");
        }
    }
}
