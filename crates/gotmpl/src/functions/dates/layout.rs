//! Go's layouts: an example date in which each part stands for itself.

/// A part of a layout that is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    LongYear,
    Year,
    LongMonth,
    ShortMonth,
    Month,
    ZeroMonth,
    LongWeekday,
    ShortWeekday,
    Day,
    SpaceDay,
    ZeroDay,
    SpaceYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    UpperHalf,
    LowerHalf,
    ZoneName,
    Offset(Offset),
    Fraction(Fraction),
}

/// How an offset from UTC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset {
    /// Zero is written as `Z`
    pub(super) z: bool,
    pub(super) colons: bool,
    pub(super) precision: Precision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    Hours,
    Minutes,
    Seconds,
}

/// How fractions of a second are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fraction {
    pub(super) digits: usize,
    /// Trailing zeros are left out
    pub(super) trimmed: bool,
    pub(super) separator: u8,
}

const fn offset(z: bool, colons: bool, precision: Precision) -> Part {
    Part::Offset(Offset { z, colons, precision })
}

/// Longer ones before those that they start with.
const PARTS: &[(&[u8], Part)] = &[
    (b"January", Part::LongMonth),
    (b"Jan", Part::ShortMonth),
    (b"Monday", Part::LongWeekday),
    (b"Mon", Part::ShortWeekday),
    (b"MST", Part::ZoneName),
    (b"01", Part::ZeroMonth),
    (b"02", Part::ZeroDay),
    (b"03", Part::ZeroHour12),
    (b"04", Part::ZeroMinute),
    (b"05", Part::ZeroSecond),
    (b"06", Part::Year),
    (b"002", Part::ZeroYearDay),
    (b"15", Part::Hour),
    (b"1", Part::Month),
    (b"2006", Part::LongYear),
    (b"2", Part::Day),
    (b"_2", Part::SpaceDay),
    (b"__2", Part::SpaceYearDay),
    (b"3", Part::Hour12),
    (b"4", Part::Minute),
    (b"5", Part::Second),
    (b"PM", Part::UpperHalf),
    (b"pm", Part::LowerHalf),
    (b"-070000", offset(false, false, Precision::Seconds)),
    (b"-07:00:00", offset(false, true, Precision::Seconds)),
    (b"-0700", offset(false, false, Precision::Minutes)),
    (b"-07:00", offset(false, true, Precision::Minutes)),
    (b"-07", offset(false, false, Precision::Hours)),
    (b"Z070000", offset(true, false, Precision::Seconds)),
    (b"Z07:00:00", offset(true, true, Precision::Seconds)),
    (b"Z0700", offset(true, false, Precision::Minutes)),
    (b"Z07:00", offset(true, true, Precision::Minutes)),
    (b"Z07", offset(true, false, Precision::Hours)),
];

/// The literal text up to the first part, the part if there is one, and what follows it.
pub(super) fn next(layout: &[u8]) -> (&[u8], Option<Part>, &[u8]) {
    for at in 0..layout.len() {
        let (prefix, rest) = layout.split_at(at);
        if let Some((part, length)) = part_at(rest) {
            return (prefix, Some(part), rest.get(length..).unwrap_or_default());
        }
    }
    (layout, None, b"")
}

fn part_at(text: &[u8]) -> Option<(Part, usize)> {
    if let [separator @ (b'.' | b','), digit @ (b'0' | b'9'), ..] = text {
        let digits = text[1..].iter().take_while(|byte| *byte == digit).count();
        if text.get(1 + digits).is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let fraction = Fraction { digits, trimmed: *digit == b'9', separator: *separator };
        return Some((Part::Fraction(fraction), 1 + digits));
    }
    let (word, part) = PARTS.iter().find(|(word, _)| text.starts_with(word))?;
    let allowed = match part {
        // "Janet" and "Monsoon" are words.
        Part::ShortMonth | Part::ShortWeekday => !text.get(word.len()).is_some_and(u8::is_ascii_lowercase),
        // An underscore before a year.
        Part::SpaceDay => !text.starts_with(b"_2006"),
        _ => true,
    };
    allowed.then_some((*part, word.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_split() {
        for (layout, prefix, part, rest, why) in [
            ("x2006", "x", Some(Part::LongYear), "", "a year after text"),
            ("_2006", "_", Some(Part::LongYear), "", "no day"),
            ("__2006", "", Some(Part::SpaceYearDay), "006", "a day of the year"),
            ("Janet", "Janet", None, "", "a word"),
            ("Januaryx", "", Some(Part::LongMonth), "x", "long names may go on"),
            (".0001", ".00", Some(Part::ZeroMonth), "", "no fraction before other digits"),
            ("-07:00:0", "", Some(offset(false, true, Precision::Minutes)), ":0", "the longest that fits"),
        ] {
            let (got_prefix, got, got_rest) = next(layout.as_bytes());
            assert_eq!(
                (got_prefix, got, got_rest),
                (prefix.as_bytes(), part, rest.as_bytes()),
                "{layout}: {why}"
            );
        }
    }
}
