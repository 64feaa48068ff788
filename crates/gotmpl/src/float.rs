//! Floating point numbers as Go's `strconv.FormatFloat` writes them.

/// More digits than any `f64` has; what is asked for beyond is zeros.
const MAX_DIGITS: usize = 1100;

/// `value` in one of the formats `e E f g G b x X`; without a precision, the shortest text that reads back
/// the same.
pub(crate) fn format(value: f64, format: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let value = value.abs();
    if value.is_infinite() {
        return if sign.is_empty() { "+Inf".into() } else { "-Inf".into() };
    }
    let text = match format {
        'b' => binary(value),
        'x' | 'X' => hexadecimal(value, format, precision),
        'f' => match precision {
            Some(precision) => fixed(value, precision),
            None => positional(&Digits::shortest(value), None),
        },
        'e' | 'E' => match precision {
            Some(precision) => scientific(&Digits::rounded(value, precision), precision, format),
            None => {
                let digits = Digits::shortest(value);
                scientific(&digits, digits.text.len().saturating_sub(1), format)
            }
        },
        _ => general(value, if format == 'G' { 'E' } else { 'e' }, precision),
    };
    format!("{sign}{text}")
}

/// `0.text × 10^point`, without trailing zeros; zero has no digits.
struct Digits {
    text: String,
    point: i32,
}

impl Digits {
    /// The fewest digits that are read back as `value`. Of two that are equally near Go takes the even one,
    /// as printing with a given number of digits does here; printing the shortest does not.
    fn shortest(value: f64) -> Digits {
        let shortest = Digits::of_scientific(&format!("{value:e}"));
        let even = format!("{value:.*e}", shortest.text.len().saturating_sub(1));
        if even.parse() == Ok(value) { Digits::of_scientific(&even) } else { shortest }
    }

    /// Rounded to one digit before the point and `precision` after it.
    fn rounded(value: f64, precision: usize) -> Digits {
        Digits::of_scientific(&format!("{value:.*e}", precision.min(MAX_DIGITS)))
    }

    fn of_scientific(text: &str) -> Digits {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let text = digits.trim_end_matches('0').to_owned();
        let point = if text.is_empty() { 0 } else { exponent.parse().unwrap_or(0) + 1 };
        Digits { text, point }
    }

    fn digit(&self, at: i32) -> char {
        let digit = usize::try_from(at).ok().and_then(|at| self.text.as_bytes().get(at));
        digit.map_or('0', |digit| char::from(*digit))
    }
}

fn fixed(value: f64, precision: usize) -> String {
    let digits = precision.min(MAX_DIGITS);
    let mut text = format!("{value:.digits$}");
    text.extend(std::iter::repeat_n('0', precision - digits));
    text
}

fn scientific(digits: &Digits, precision: usize, format: char) -> String {
    let mut text = String::from(digits.digit(0));
    if precision > 0 {
        text.push('.');
        let rest = digits.text.get(1..).unwrap_or_default();
        text.push_str(rest);
        text.extend(std::iter::repeat_n('0', precision.saturating_sub(rest.len())));
    }
    let exponent = if digits.text.is_empty() { 0 } else { digits.point - 1 };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{text}{format}{sign}{:02}", exponent.abs())
}

/// Without a precision, as many digits after the point as there are.
fn positional(digits: &Digits, precision: Option<usize>) -> String {
    let length = i32::try_from(digits.text.len()).unwrap_or(i32::MAX);
    let mut text: String = (0..digits.point).map(|at| digits.digit(at)).collect();
    if text.is_empty() {
        text.push('0');
    }
    let precision = match precision {
        Some(precision) => i32::try_from(precision).unwrap_or(i32::MAX),
        None => length - digits.point,
    };
    if precision > 0 {
        text.push('.');
        text.extend((digits.point..digits.point.saturating_add(precision)).map(|at| digits.digit(at)));
    }
    text
}

fn general(value: f64, exponent_sign: char, precision: Option<usize>) -> String {
    let digits = match precision {
        Some(precision) => Digits::rounded(value, precision.max(1) - 1),
        None => Digits::shortest(value),
    };
    let length = digits.text.len();
    let mut precision_for_exponent = precision.map_or(6, |precision| precision.max(1));
    let has_no_fraction = i32::try_from(length).is_ok_and(|length| length >= digits.point);
    if precision.is_some() && precision_for_exponent > length && has_no_fraction {
        precision_for_exponent = length;
    }
    let exponent = digits.point - 1;
    let threshold = i32::try_from(precision_for_exponent).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= threshold {
        return scientific(&digits, length.saturating_sub(1), exponent_sign);
    }
    positional(&digits, None)
}

/// `mantissa p exponent`, both decimal.
fn binary(value: f64) -> String {
    let (mantissa, exponent) = parts(value);
    format!("{mantissa}p{:+}", exponent - 52)
}

fn hexadecimal(value: f64, format: char, precision: Option<usize>) -> String {
    let (mantissa, mut exponent) = parts(value);
    // The leading one goes to bit 60, fifteen hexadecimal digits follow.
    let mut mantissa = mantissa << 8;
    if mantissa == 0 {
        exponent = 0;
    } else {
        let shift = mantissa.leading_zeros() - 3;
        mantissa <<= shift;
        exponent -= i32::try_from(shift).unwrap_or(0);
    }
    if let Some(precision) = precision.filter(|precision| *precision < 15) {
        let kept = 60 - 4 * precision;
        let rest = mantissa & ((1 << kept) - 1);
        mantissa >>= kept;
        let half = 1_u64 << (kept - 1);
        mantissa += u64::from(rest > half || rest == half && mantissa & 1 == 1);
        mantissa <<= kept;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut digits = format!("{:015x}", mantissa & ((1 << 60) - 1));
    match precision {
        Some(precision) => {
            digits.extend(std::iter::repeat_n('0', precision.saturating_sub(digits.len())));
            digits.truncate(precision);
        }
        None => digits.truncate(digits.trim_end_matches('0').len()),
    }
    let point = if digits.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    let text = format!("0x{}{point}{digits}p{sign}{:02}", mantissa >> 60, exponent.abs());
    if format == 'X' { text.to_uppercase() } else { text }
}

/// `value = mantissa × 2^(exponent - 52)`
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0) {
        0 => (fraction, -1022),
        biased => (fraction | 1 << 52, biased - 1023),
    }
}
