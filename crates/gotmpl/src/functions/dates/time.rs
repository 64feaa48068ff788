//! Go's `time.Time` in the proleptic Gregorian calendar: its parts, its formats, its methods.

use std::any::Any;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::duration::Duration;
use super::layout::{Offset, Part, Precision, next};
use crate::{Object, Value};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// With as many digits of a second as there are.
pub(in crate::functions) const RFC3339: &[u8] = b"2006-01-02T15:04:05.999999999Z07:00";

const DAY: u64 = 86_400;
const DAYS_OF_400_YEARS: u64 = 146_097;

/// Go counts from the first second of this year, so that no time is negative.
const FIRST_YEAR: i64 = -292_277_022_399;
const FIRST_YEAR_TO_1970: u64 = 9_223_372_028_715_321_600;

/// An instant, and the zone in which it is shown.
#[derive(Clone, Debug)]
pub(super) struct Time {
    /// Since 1970, in UTC
    pub(super) seconds: i64,
    pub(super) nanos: u32,
    pub(super) zone: Zone,
}

/// A time zone.
#[derive(Clone, Debug)]
pub(super) enum Zone {
    Utc,
    /// As a parsed text gave it: seconds east of UTC, and a name, which may be empty
    Fixed {
        name: String,
        offset: i64,
    },
    Named(TimeZone),
}

/// A month or a weekday: a number with a name.
#[derive(Debug)]
pub(super) struct Named {
    type_name: &'static str,
    pub(super) number: i64,
    name: &'static str,
}

/// The parts of a time as a calendar and a clock show them.
struct Civil {
    year: i64,
    /// From 0
    month: usize,
    day: i64,
    /// From 1
    year_day: i64,
    /// From Sunday, 0
    weekday: usize,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Time {
    /// The first second of the year 1, Go's zero value.
    pub(super) const ZERO: Time = Time { seconds: -62_135_596_800, nanos: 0, zone: Zone::Utc };

    /// The time so much later, or earlier.
    pub(super) fn add(&self, duration: Duration) -> Time {
        let nanos = i64::from(self.nanos) + duration.0 % 1_000_000_000;
        let seconds = self.seconds.wrapping_add(duration.0 / 1_000_000_000);
        Time {
            seconds: seconds.wrapping_add(nanos.div_euclid(1_000_000_000)),
            nanos: nanos.rem_euclid(1_000_000_000) as u32,
            zone: self.zone.clone(),
        }
    }

    /// What the layout shows of it.
    pub(super) fn format(&self, mut layout: &[u8]) -> Vec<u8> {
        let (offset, zone) = self.zone.at(self.seconds);
        let civil = Civil::of(self.seconds, offset);
        let mut out = Vec::new();
        loop {
            let (prefix, part, rest) = next(layout);
            out.extend_from_slice(prefix);
            let Some(part) = part else { return out };
            self.write_part(&mut out, part, &civil, offset, &zone);
            layout = rest;
        }
    }

    fn write_part(&self, out: &mut Vec<u8>, part: Part, civil: &Civil, offset: i64, zone: &str) {
        let hour12 = (civil.hour + 11) % 12 + 1;
        let month = MONTHS.get(civil.month).copied().unwrap_or_default();
        let weekday = WEEKDAYS.get(civil.weekday).copied().unwrap_or_default();
        let written = match part {
            Part::LongYear if civil.year < 0 => format!("-{:04}", -civil.year),
            Part::LongYear => format!("{:04}", civil.year),
            Part::Year => format!("{:02}", civil.year.abs() % 100),
            Part::LongMonth => month.into(),
            Part::ShortMonth => month.chars().take(3).collect(),
            Part::Month => (civil.month + 1).to_string(),
            Part::ZeroMonth => format!("{:02}", civil.month + 1),
            Part::LongWeekday => weekday.into(),
            Part::ShortWeekday => weekday.chars().take(3).collect(),
            Part::Day => civil.day.to_string(),
            Part::SpaceDay => format!("{:2}", civil.day),
            Part::ZeroDay => format!("{:02}", civil.day),
            Part::SpaceYearDay => format!("{:3}", civil.year_day),
            Part::ZeroYearDay => format!("{:03}", civil.year_day),
            Part::Hour => format!("{:02}", civil.hour),
            Part::Hour12 => hour12.to_string(),
            Part::ZeroHour12 => format!("{hour12:02}"),
            Part::Minute => civil.minute.to_string(),
            Part::ZeroMinute => format!("{:02}", civil.minute),
            Part::Second => civil.second.to_string(),
            Part::ZeroSecond => format!("{:02}", civil.second),
            Part::UpperHalf => if civil.hour >= 12 { "PM" } else { "AM" }.into(),
            Part::LowerHalf => if civil.hour >= 12 { "pm" } else { "am" }.into(),
            Part::ZoneName if zone.is_empty() => {
                write_offset(offset, Offset { z: false, colons: false, precision: Precision::Minutes })
            }
            Part::ZoneName => zone.into(),
            Part::Offset(style) => write_offset(offset, style),
            Part::Fraction(fraction) => {
                let mut digits = format!("{:09}", self.nanos);
                digits.truncate(fraction.digits);
                if fraction.trimmed {
                    digits.truncate(digits.trim_end_matches('0').len());
                }
                match digits.is_empty() {
                    true => digits,
                    false => format!("{}{digits}", char::from(fraction.separator)),
                }
            }
        };
        out.extend_from_slice(written.as_bytes());
    }

    /// The date with other parts added to it, out-of-range ones carried over.
    fn add_date(&self, years: i64, months: i64, days: i64) -> Option<Time> {
        let (offset, _) = self.zone.at(self.seconds);
        let civil = Civil::of(self.seconds, offset);
        let months = i64::try_from(civil.month).ok()?.checked_add(months)?;
        let year = civil.year.checked_add(years)?.checked_add(months.div_euclid(12))?;
        let day =
            days_to(year, months.rem_euclid(12) + 1, 1)?.checked_add(civil.day - 1)?.checked_add(days)?;
        let clock = (civil.hour * 60 + civil.minute) * 60 + civil.second;
        let seconds = day.checked_mul(DAY as i64)?.checked_add(clock)?.checked_sub(offset)?;
        Some(Time { seconds, nanos: self.nanos, zone: self.zone.clone() })
    }

    fn since(&self, earlier: &Time) -> Duration {
        let nanos = |time: &Time| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
        let difference = nanos(self) - nanos(earlier);
        Duration(difference.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }

    fn in_units(&self, per_second: i64) -> Value {
        let fraction = i64::from(self.nanos) / (1_000_000_000 / per_second);
        Value::Int64(self.seconds.wrapping_mul(per_second).wrapping_add(fraction))
    }
}

impl Zone {
    /// Seconds east of UTC, and the zone's abbreviation, at a time.
    fn at(&self, seconds: i64) -> (i64, String) {
        match self {
            Zone::Utc => (0, "UTC".into()),
            Zone::Fixed { name, offset } => (*offset, name.clone()),
            Zone::Named(zone) => {
                let info = zone.to_offset_info(nearby(seconds));
                (info.offset().seconds().into(), info.abbreviation().into())
            }
        }
    }
}

/// The same day of the calendar and the week, in years that the library knows.
fn nearby(seconds: i64) -> Timestamp {
    const CYCLE: i64 = (DAYS_OF_400_YEARS * DAY) as i64;
    const YEAR_9000: i64 = 221_845_392_000;
    let seconds = match seconds {
        YEAR_9000.. => YEAR_9000 - CYCLE + (seconds - YEAR_9000) % CYCLE,
        // Long before the first change of any zone.
        _ => seconds.max(-YEAR_9000),
    };
    Timestamp::from_second(seconds).unwrap_or_default()
}

impl Civil {
    fn of(seconds: i64, offset: i64) -> Civil {
        // Wrapping around at the end of time, as Go does.
        let seconds = (seconds as u64).wrapping_add(FIRST_YEAR_TO_1970).wrapping_add(offset as u64);
        let (days, clock) = (seconds / DAY, (seconds % DAY) as i64);

        let (cycles, rest) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
        // The last day of a cycle belongs to a century, and that of four years to a year, that is longer.
        let centuries = (rest / 36_524).min(3);
        let rest = rest - centuries * 36_524;
        let (fours, rest) = (rest / 1_461, rest % 1_461);
        let years = (rest / 365).min(3);
        let year = FIRST_YEAR + (cycles * 400 + centuries * 100 + fours * 4 + years) as i64;
        let year_day = (rest - years * 365) as i64;

        let (mut month, mut day) = (0, year_day);
        while month < 11 && day >= days_of_month(year, month as i64 + 1) {
            day -= days_of_month(year, month as i64 + 1);
            month += 1;
        }
        Civil {
            year,
            month,
            day: day + 1,
            year_day: year_day + 1,
            // The first day was a Monday.
            weekday: ((days + 1) % 7) as usize,
            hour: clock / 3600,
            minute: clock / 60 % 60,
            second: clock % 60,
        }
    }
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// How many days a month, counted from 1, has.
pub(super) fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970 to a date; `None` where that is no date that fits.
pub(super) fn days_to(year: i64, month: i64, day: i64) -> Option<i64> {
    let before = year.checked_sub(1)?;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    let months: i64 = (1..month).map(|month| days_of_month(year, month)).sum();
    before.checked_mul(365)?.checked_add(leap_days)?.checked_add(months + day - 1 - 719_162)
}

fn write_offset(offset: i64, style: Offset) -> String {
    if style.z && offset == 0 {
        return "Z".into();
    }
    let minutes = offset / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    // Less than a minute west of UTC has a plus, and seconds that stay negative, in Go as well.
    let seconds = if minutes < 0 { -offset % 60 } else { offset % 60 };
    let minutes = minutes.abs();
    let colon = if style.colons { ":" } else { "" };
    let mut written = format!("{sign}{:02}", minutes / 60);
    if style.precision != Precision::Hours {
        written += &format!("{colon}{:02}", minutes % 60);
    }
    if style.precision == Precision::Seconds {
        written += &match seconds {
            0.. => format!("{colon}{seconds:02}"),
            _ => format!("{colon}-{:02}", -seconds),
        };
    }
    written
}

impl Object for Time {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn kind(&self) -> &'static str {
        "struct"
    }

    fn field(&self, name: &str) -> Option<Result<Value, String>> {
        self.call(name, &[])
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let (offset, _) = self.zone.at(self.seconds);
        let civil = Civil::of(self.seconds, offset);
        let other = match arguments {
            [Value::Object(object)] => object.as_any().downcast_ref::<Time>(),
            _ => None,
        };
        let value = match (name, arguments, other) {
            ("Year", [], _) => Value::Int(civil.year),
            ("Month", [], _) => named("time.Month", civil.month as i64 + 1, MONTHS.get(civil.month)),
            ("Day", [], _) => Value::Int(civil.day),
            ("Weekday", [], _) => named("time.Weekday", civil.weekday as i64, WEEKDAYS.get(civil.weekday)),
            ("YearDay", [], _) => Value::Int(civil.year_day),
            ("Hour", [], _) => Value::Int(civil.hour),
            ("Minute", [], _) => Value::Int(civil.minute),
            ("Second", [], _) => Value::Int(civil.second),
            ("Nanosecond", [], _) => Value::Int(self.nanos.into()),
            ("Unix", [], _) => Value::Int64(self.seconds),
            ("UnixMilli", [], _) => self.in_units(1_000),
            ("UnixMicro", [], _) => self.in_units(1_000_000),
            ("UnixNano", [], _) => self.in_units(1_000_000_000),
            ("IsZero", [], _) => Value::Bool(self.seconds == Time::ZERO.seconds && self.nanos == 0),
            ("UTC" | "Local", [], _) => Time { zone: Zone::Utc, ..self.clone() }.into(),
            ("String", [], _) => self.print().into(),
            ("Format", [Value::Str(layout)], _) => self.format(layout.as_bytes()).into(),
            ("Before", _, Some(other)) => {
                Value::Bool((self.seconds, self.nanos) < (other.seconds, other.nanos))
            }
            ("After", _, Some(other)) => {
                Value::Bool((self.seconds, self.nanos) > (other.seconds, other.nanos))
            }
            ("Equal", _, Some(other)) => {
                Value::Bool((self.seconds, self.nanos) == (other.seconds, other.nanos))
            }
            ("Sub", _, Some(other)) => Value::Object(Arc::new(self.since(other))),
            ("AddDate", [Value::Int(years), Value::Int(months), Value::Int(days)], _) => {
                return Some(match self.add_date(*years, *months, *days) {
                    Some(time) => Ok(time.into()),
                    None => Err("the date is out of range".into()),
                });
            }
            ("Format" | "Before" | "After" | "Equal" | "Sub" | "AddDate", ..) => {
                return Some(Err(format!("wrong arguments for {name}")));
            }
            _ => return None,
        };
        Some(Ok(value))
    }

    fn print(&self) -> String {
        let text = self.format(b"2006-01-02 15:04:05.999999999 -0700 MST");
        String::from_utf8_lossy(&text).into_owned()
    }

    fn to_yaml(&self) -> Result<goyaml::Value, String> {
        Ok(String::from_utf8_lossy(&self.format(RFC3339)).as_ref().into())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn named(type_name: &'static str, number: i64, name: Option<&&'static str>) -> Value {
    Value::Object(Arc::new(Named { type_name, number, name: name.copied().unwrap_or_default() }))
}

impl Object for Named {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn kind(&self) -> &'static str {
        "int"
    }

    fn field(&self, name: &str) -> Option<Result<Value, String>> {
        (name == "String").then(|| Ok(self.name.into()))
    }

    fn is_true(&self) -> bool {
        self.number != 0
    }

    fn print(&self) -> String {
        self.name.into()
    }

    fn to_yaml(&self) -> Result<goyaml::Value, String> {
        Ok(goyaml::Value::Int(self.number))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_calendar_of_go() {
        for (seconds, want, why) in [
            (0, "1970-01-01 00:00:00 Thu   1", "the beginning"),
            (-1, "1969-12-31 23:59:59 Wed 365", "before it"),
            (951_782_399, "2000-02-28 23:59:59 Mon  59", "before a leap day of a century"),
            (951_868_800, "2000-03-01 00:00:00 Wed  61", "after it"),
            (-62_135_596_800, "0001-01-01 00:00:00 Mon   1", "Go's zero value"),
            (-62_167_219_200, "0000-01-01 00:00:00 Sat   1", "the year 0"),
            (i64::MAX, "292277026596-12-04 15:30:07 Sun 339", "the end of time"),
            (i64::MIN, "292277026596-12-04 15:30:08 Sun 339", "its beginning comes right after"),
        ] {
            let time = Time { seconds, nanos: 0, zone: Zone::Utc };
            let got = time.format(b"2006-01-02 15:04:05 Mon __2");
            assert_eq!(String::from_utf8_lossy(&got), want, "{seconds}: {why}");
        }
    }

    #[test]
    fn days_count_both_ways() {
        for days in (-800_000..800_000).step_by(37) {
            let civil = Civil::of(days * 86_400, 0);
            assert_eq!(days_to(civil.year, civil.month as i64 + 1, civil.day), Some(days));
        }
    }

    #[test]
    fn dates_are_added_to_with_carry() {
        let time = Time { seconds: 1_582_934_400, nanos: 0, zone: Zone::Utc };
        for (years, months, days, want) in [
            (0, 0, 0, Some("2020-02-29 00:00:00 +0000 UTC")),
            (1, 0, 0, Some("2021-03-01 00:00:00 +0000 UTC")),
            (-1, -14, 400, Some("2019-02-02 00:00:00 +0000 UTC")),
            (i64::MAX, 0, 0, None),
            (0, i64::MIN, 0, None),
            (0, 0, i64::MAX, None),
        ] {
            let got = time.add_date(years, months, days).map(|time| time.print());
            assert_eq!(got.as_deref(), want, "{years} {months} {days}");
        }
    }
}
