//! Time, as an argument.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::world::terminal;

/// Tells the time and lets it pass.
pub(crate) trait Clock: fmt::Debug + Send + Sync {
    /// Now.
    fn now(&self) -> SystemTime;

    /// Waits; `why` is for a person who watches.
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
        if time >= Duration::from_secs(10) {
            terminal::complain(&(report::log_line(&format!("waiting {} s: {why}", time.as_secs())) + "\n"));
        }
        std::thread::sleep(time);
    }
}
