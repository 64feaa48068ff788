//! Time, as an argument and as services write it.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::world::terminal;

/// Tells the time and lets it pass.
pub(crate) trait Clock: fmt::Debug + Send + Sync {
    /// Now.
    fn now(&self) -> SystemTime;

    /// Waits; `why` is for a person who watches, unless it is empty.
    fn sleep(&self, time: Duration, why: &str);
}

/// The machine's clock. A wait of ten seconds or more is said on standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, time: Duration, why: &str) {
        if time >= Duration::from_secs(10) && !why.is_empty() {
            terminal::complain(&(report::log_line(&format!("waiting {} s: {why}", time.as_secs())) + "\n"));
        }
        std::thread::sleep(time);
    }
}

/// A point in time as services write it.
pub(crate) fn point_in_time<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
    let text = String::deserialize(from)?;
    text.parse::<jiff::Timestamp>().map(SystemTime::from).map_err(D::Error::custom)
}
