//! Dates. The local time zone is UTC, and nothing here reads the clock.

mod duration;
mod layout;
mod parse;
mod time;

use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZoneDatabase;

use self::duration::{Duration, parse_duration};
pub(super) use self::time::RFC3339;
use self::time::{Time, Zone};
use super::arguments::{any, fixed, text};
use crate::{Budget, Function, Object, Str, Type, Value};

const ANY: Type = Type::Any;
const STR: Type = Type::Str;
const TIME: Type = Type::Time;

const HTML: &[u8] = b"2006-01-02";
const LOCAL: &[u8] = b"Local";

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("date", &[STR, ANY], |budget, arguments| {
        format(budget, text(arguments, 0)?.as_bytes(), any(arguments, 1)?, LOCAL)
    }),
    fixed("dateInZone", &[STR, ANY, STR], date_in_zone),
    fixed("date_in_zone", &[STR, ANY, STR], date_in_zone),
    fixed("htmlDate", &[ANY], |budget, arguments| format(budget, HTML, any(arguments, 0)?, LOCAL)),
    fixed("htmlDateInZone", &[ANY, STR], |budget, arguments| {
        format(budget, HTML, any(arguments, 0)?, text(arguments, 1)?.as_bytes())
    }),
    fixed("dateModify", &[STR, TIME], date_modify),
    fixed("date_modify", &[STR, TIME], date_modify),
    fixed("toDate", &[STR, STR], |budget, arguments| {
        let layout = text(arguments, 0)?.as_bytes();
        budget.take(layout.len())?;
        let parsed = parse::parse(layout, text(arguments, 1)?.as_bytes());
        Ok(parsed.unwrap_or(Time::ZERO).into())
    }),
    fixed("unixEpoch", &[TIME], |_, arguments| Ok(time(any(arguments, 0)?)?.seconds.to_string().into())),
];

pub(super) const REFUSED: &[(&str, &str)] = &[("ago", "reads the clock"), ("now", "reads the clock")];

/// The number behind a month, a weekday or a duration, which Go counts as integers.
pub(super) fn number(object: &dyn Object) -> Option<i64> {
    let object = object.as_any();
    let named = object.downcast_ref::<time::Named>().map(|named| named.number);
    named.or_else(|| object.downcast_ref::<Duration>().map(|duration| duration.0))
}

fn time(value: &Value) -> Result<&Time, String> {
    let time = match value {
        Value::Object(object) => object.as_any().downcast_ref(),
        _ => None,
    };
    time.ok_or_else(|| "an argument is not a time".into())
}

fn date_in_zone(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    format(budget, text(arguments, 0)?.as_bytes(), any(arguments, 1)?, text(arguments, 2)?.as_bytes())
}

fn format(budget: &mut Budget, layout: &[u8], date: &Value, zone: &[u8]) -> Result<Value, String> {
    let (seconds, nanos) = match date {
        Value::Int(seconds) | Value::Int64(seconds) => (*seconds, 0),
        Value::Int32(seconds) => (i64::from(*seconds), 0),
        other => match time(other) {
            Ok(time) => (time.seconds, time.nanos),
            Err(_) => {
                return Err("the date is neither a time (see toDate) nor an integer (seconds since 1970): \
                            the time of the run would be taken, which is refused"
                    .into());
            }
        },
    };
    let time = Time { seconds, nanos, zone: zone_of(zone) };
    budget.take(layout.len())?;
    let text = time.format(layout);
    budget.take(text.len())?;
    Ok(Str::from(text).into())
}

/// The zone of a name of the IANA database; UTC where there is none.
fn zone_of(name: &[u8]) -> Zone {
    static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
    let Ok(name) = std::str::from_utf8(name) else { return Zone::Utc };
    // A zone is a file to Go, so that a name in another case is no zone.
    match ZONES.get(name) {
        Ok(zone) if zone.iana_name() == Some(name) && !zone.is_unknown() => Zone::Named(zone),
        _ => Zone::Utc,
    }
}

fn date_modify(_: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let time = time(any(arguments, 1)?)?;
    match parse_duration(text(arguments, 0)?.as_bytes()) {
        Some(duration) => Ok(time.add(duration).into()),
        None => Ok(time.clone().into()),
    }
}

impl From<Time> for Value {
    fn from(time: Time) -> Self {
        Value::Object(Arc::new(time))
    }
}
