//! Reading a date by a layout, with everything that Go forgives and refuses.

use super::layout::{Offset, Part, Precision, next};
use super::time::{MONTHS, Time, WEEKDAYS, Zone, days_of_month, days_to, is_leap};

/// What has been read so far.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    morning: bool,
    afternoon: bool,
    utc: bool,
    offset: Option<i64>,
    zone: String,
}

/// The time that `text` shows by this layout; `None` where it does not fit.
pub(super) fn parse(mut layout: &[u8], text: &[u8]) -> Option<Time> {
    let mut fields = Fields::default();
    let mut input = Input(text);
    loop {
        let (prefix, part, rest) = next(layout);
        input.skip(prefix)?;
        layout = rest;
        match part {
            Some(part) => fields.read(part, &mut input, layout)?,
            None => break,
        }
    }
    if input.0.is_empty() { fields.time() } else { None }
}

impl Fields {
    fn read(&mut self, part: Part, input: &mut Input, rest_of_layout: &[u8]) -> Option<()> {
        match part {
            Part::Year => {
                let year = atoi(input.take(2)?)?;
                self.year = year + if year >= 69 { 1900 } else { 2000 };
            }
            Part::LongYear => {
                input.0.first().filter(|byte| byte.is_ascii_digit())?;
                self.year = atoi(input.take(4)?)?;
            }
            Part::LongMonth => self.month = Some(input.name(&MONTHS, usize::MAX)? + 1),
            Part::ShortMonth => self.month = Some(input.name(&MONTHS, 3)? + 1),
            Part::Month => self.month = Some(input.number(2, false).filter(|n| (1..=12).contains(n))?),
            Part::ZeroMonth => self.month = Some(input.number(2, true).filter(|n| (1..=12).contains(n))?),
            Part::LongWeekday => drop(input.name(&WEEKDAYS, usize::MAX)?),
            Part::ShortWeekday => drop(input.name(&WEEKDAYS, 3)?),
            Part::Day => self.day = Some(input.number(2, false)?),
            Part::SpaceDay => {
                input.skip_spaces(1);
                self.day = Some(input.number(2, false)?);
            }
            Part::ZeroDay => self.day = Some(input.number(2, true)?),
            Part::SpaceYearDay => {
                input.skip_spaces(2);
                self.year_day = Some(input.number(3, false)?);
            }
            Part::ZeroYearDay => self.year_day = Some(input.number(3, true)?),
            Part::Hour => self.hour = input.number(2, false).filter(|hour| *hour < 24)?,
            Part::Hour12 => self.hour = input.number(2, false).filter(|hour| *hour <= 12)?,
            Part::ZeroHour12 => self.hour = input.number(2, true).filter(|hour| *hour <= 12)?,
            Part::Minute => self.minute = input.number(2, false).filter(|minute| *minute < 60)?,
            Part::ZeroMinute => self.minute = input.number(2, true).filter(|minute| *minute < 60)?,
            Part::Second | Part::ZeroSecond => {
                let second = input.number(2, part == Part::ZeroSecond);
                // A fraction may follow even if the layout has none, and then stands for missing seconds too.
                let announced = matches!(next(rest_of_layout).1, Some(Part::Fraction(_)));
                if !announced && input.has_fraction() {
                    let digits = input.0[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                    self.nanos = input.fraction(digits)?;
                    self.second = second.unwrap_or(0);
                } else {
                    self.second = second?;
                }
                if self.second >= 60 {
                    return None;
                }
            }
            Part::UpperHalf => match input.take(2)? {
                b"AM" => self.morning = true,
                b"PM" => self.afternoon = true,
                _ => return None,
            },
            Part::LowerHalf => match input.take(2)? {
                b"am" => self.morning = true,
                b"pm" => self.afternoon = true,
                _ => return None,
            },
            Part::Offset(style) => {
                let zulu = style.z && !matches!(style, Offset { precision: Precision::Seconds, .. });
                if zulu && input.0.first() == Some(&b'Z') {
                    input.take(1)?;
                    self.utc = true;
                } else {
                    // Go takes this one value for no offset at all.
                    self.offset = Some(input.offset(style)?).filter(|offset| *offset != -1);
                }
            }
            Part::ZoneName if input.0.starts_with(b"UTC") => {
                input.take(3)?;
                self.utc = true;
            }
            Part::ZoneName => {
                let name = input.take(zone_name(input.0)?)?;
                self.zone = String::from_utf8_lossy(name).into_owned();
            }
            Part::Fraction(fraction) if !fraction.trimmed => self.nanos = input.fraction(fraction.digits)?,
            Part::Fraction(_) => {
                if input.has_fraction() {
                    let digits = input.0[1..].iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
                    self.nanos = input.fraction(digits)?;
                }
            }
        }
        Some(())
    }

    fn time(self) -> Option<Time> {
        let hour = match self.hour {
            hour if self.afternoon && hour < 12 => hour + 12,
            12 if self.morning => 0,
            hour => hour,
        };
        let (month, day) = self.date()?;
        if !(1..=days_of_month(self.year, month)).contains(&day) {
            return None;
        }
        let clock = (hour * 60 + self.minute) * 60 + self.second;
        let seconds = days_to(self.year, month, day)?.checked_mul(86_400)?.checked_add(clock)?;
        let (seconds, zone) = match self.offset {
            _ if self.utc => (seconds, Zone::Utc),
            Some(0) if self.zone.is_empty() => (seconds, Zone::Utc),
            Some(offset) => (seconds - offset, Zone::Fixed { name: self.zone, offset }),
            None if self.zone.is_empty() => (seconds, Zone::Utc),
            // The name alone tells no offset, but for `GMT+3`; the clock is taken as if it were UTC.
            None => {
                let hours = self.zone.strip_prefix("GMT").and_then(|hours| atoi(hours.as_bytes()));
                let offset = hours.unwrap_or(0).saturating_mul(3600);
                (seconds, Zone::Fixed { name: self.zone, offset })
            }
        };
        Some(Time { seconds, nanos: u32::try_from(self.nanos).ok()?, zone })
    }

    /// Month and day, from the day of the year if there is one; they must not contradict it.
    fn date(&self) -> Option<(i64, i64)> {
        let Some(year_day) = self.year_day else {
            return Some((self.month.unwrap_or(1), self.day.unwrap_or(1)));
        };
        if !(1..=365 + i64::from(is_leap(self.year))).contains(&year_day) {
            return None;
        }
        let (mut month, mut day) = (1, year_day);
        while day > days_of_month(self.year, month) {
            day -= days_of_month(self.year, month);
            month += 1;
        }
        let agrees =
            self.month.is_none_or(|given| given == month) && self.day.is_none_or(|given| given == day);
        agrees.then_some((month, day))
    }
}

/// A sign and digits; Go reads no digits at all as 0.
fn atoi(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    };
    let number = digits.iter().try_fold(0_i64, |number, digit| {
        digit.is_ascii_digit().then_some(())?;
        number.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
    })?;
    Some(if negative { -number } else { number })
}

/// How much of the text is the abbreviation of a time zone, as far as their form can tell.
fn zone_name(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + signed_hours(rest).unwrap_or(0));
    }
    if let Some(length) = signed_hours(text) {
        return (text.len() >= 3).then_some(length);
    }
    let capitals = text.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    match capitals {
        3 => Some(3),
        4 if text[3] == b'T' || text.starts_with(b"WITA") => Some(4),
        5 if text[4] == b'T' => Some(5),
        _ => None,
    }
}

/// The length of a sign with a number of hours, at most 23, however many digits it has.
fn signed_hours(text: &[u8]) -> Option<usize> {
    let (b'+' | b'-', rest) = text.split_first()? else { return None };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let hours = atoi(rest.get(..digits)?).filter(|hours| *hours <= 23)?;
    (digits > 0 && hours >= 0).then_some(1 + digits)
}

/// The text that is still to be read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn skip_spaces(&mut self, limit: usize) {
        let spaces = self.0.iter().take(limit).take_while(|byte| **byte == b' ').count();
        self.0 = self.0.get(spaces..).unwrap_or_default();
    }

    /// Literal text; one run of spaces stands for any other, none included at the end.
    fn skip(&mut self, mut literal: &[u8]) -> Option<()> {
        while let Some(first) = literal.first() {
            if *first == b' ' {
                if self.0.first().is_some_and(|byte| *byte != b' ') {
                    return None;
                }
                let spaces = literal.iter().take_while(|byte| **byte == b' ').count();
                literal = literal.get(spaces..).unwrap_or_default();
                self.skip_spaces(usize::MAX);
            } else {
                self.0 = self.0.strip_prefix(&[*first])?;
                literal = &literal[1..];
            }
        }
        Some(())
    }

    /// One to `width` digits, or exactly so many.
    fn number(&mut self, width: usize, exact: bool) -> Option<i64> {
        let digits = self.0.iter().take(width).take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 || exact && digits < width {
            return None;
        }
        atoi(self.take(digits)?)
    }

    /// The index of the name that comes next, in any case, cut to its first letters.
    fn name(&mut self, names: &[&str], letters: usize) -> Option<i64> {
        let index = names.iter().position(|name| {
            let name = name.get(..letters).unwrap_or(name);
            self.0.get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name.as_bytes()))
        })?;
        let name = names.get(index)?;
        self.take(name.len().min(letters))?;
        i64::try_from(index).ok()
    }

    fn has_fraction(&self) -> bool {
        matches!(self.0, [b'.' | b',', digit, ..] if digit.is_ascii_digit())
    }

    /// A point or a comma and so many digits, as nanoseconds; those beyond the ninth are ignored.
    fn fraction(&mut self, digits: usize) -> Option<i64> {
        let text = self.take(digits.checked_add(1)?)?;
        let ([b'.' | b','], digits) = text.split_at_checked(1)? else { return None };
        let digits = digits.get(..9).unwrap_or(digits);
        let number = atoi(digits).filter(|number| *number >= 0)?;
        Some(number * 10_i64.pow(9 - u32::try_from(digits.len()).ok()?))
    }

    /// An offset from UTC in seconds.
    fn offset(&mut self, style: Offset) -> Option<i64> {
        let sign = match self.take(1)? {
            b"+" => 1,
            b"-" => -1,
            _ => return None,
        };
        let hours = atoi(self.take(2)?)?;
        let minutes = match style.precision {
            Precision::Hours => 0,
            _ => self.offset_part(style.colons)?,
        };
        let seconds = match style.precision {
            Precision::Seconds => self.offset_part(style.colons)?,
            _ => 0,
        };
        Some(sign * ((hours * 60 + minutes) * 60 + seconds))
    }

    fn offset_part(&mut self, colon: bool) -> Option<i64> {
        if colon {
            self.0 = self.0.strip_prefix(b":")?;
        }
        atoi(self.take(2)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Object;

    #[test]
    fn dates_are_read_as_go_reads_them() {
        for (layout, text, want, why) in [
            ("2006-01-02", "2020-05-06", Some("2020-05-06 00:00:00 +0000 UTC"), "a date"),
            ("2006-01-02", "2020-5-06", None, "a digit is missing"),
            ("2006-01-02", "2020-02-30", None, "no such day"),
            ("2006-01-02", "2020-05-06x", None, "text after it"),
            ("2006 002", "2020 366", Some("2020-12-31 00:00:00 +0000 UTC"), "a day of a leap year"),
            ("2006 002", "2019 366", None, "a day too many"),
            ("2006 002 Jan", "2020 060 mar", None, "a day of another month"),
            ("06", "69", Some("1969-01-01 00:00:00 +0000 UTC"), "years from 69 are of the last century"),
            ("06", "+5", Some("2005-01-01 00:00:00 +0000 UTC"), "a sign is forgiven"),
            ("03:04 PM", "12:30 AM", Some("0000-01-01 00:30:00 +0000 UTC"), "after midnight"),
            ("05", "07.25", Some("0000-01-01 00:00:07.25 +0000 UTC"), "a fraction that the layout has not"),
            ("5 ", ",25 ", Some("0000-01-01 00:00:00.25 +0000 UTC"), "nothing but a fraction"),
            (".000", ".12", None, "a fraction of another length"),
            (
                "2006-01-02T15:04:05Z07:00",
                "2020-01-01T00:00:00+02:00",
                Some("2020-01-01 00:00:00 +0200 +0200"),
                "an offset",
            ),
            ("15 MST", "10 CEST", Some("0000-01-01 10:00:00 +0000 CEST"), "a name has no offset"),
            ("15 MST", "10 GMT+3", Some("0000-01-01 13:00:00 +0300 GMT+3"), "but for this one"),
            ("-07:00:00", "-00:00:01", Some("0000-01-01 00:00:00 +0000 UTC"), "the offset that Go overlooks"),
            ("15 MST", "10 ABCDE", None, "no name of a zone"),
            ("2 Jan", "3   feb", Some("0000-02-03 00:00:00 +0000 UTC"), "spaces and case do not matter"),
            ("2  Jan", "3Feb", None, "but there must be a space"),
        ] {
            let got = parse(layout.as_bytes(), text.as_bytes()).map(|time| time.print());
            assert_eq!(got.as_deref(), want, "{layout:?} {text:?}: {why}");
        }
    }
}
