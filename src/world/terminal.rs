//! Standard output and standard error. A reader that went away is no reason to fail.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::exit::Failure;

/// Writes to standard output.
pub(crate) fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Writes to standard error.
pub(crate) fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// A value as JSON, to be said.
pub(crate) fn json(value: &impl Serialize) -> Result<String, Failure> {
    report::log_json(value).map_err(|error| Failure::world(error, "please report this"))
}

/// Work that takes long says now and then how far it is.
pub(crate) struct Progress {
    what: &'static str,
    whole: usize,
    done: AtomicUsize,
    said: Mutex<Instant>,
}

impl Progress {
    /// Before the first of `whole` steps; `what` names them.
    pub(crate) fn new(what: &'static str, whole: usize) -> Progress {
        Progress { what, whole, done: AtomicUsize::new(0), said: Mutex::new(Instant::now()) }
    }

    /// One more is done.
    pub(crate) fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let pause = Duration::from_secs(if std::io::stderr().is_terminal() { 2 } else { 15 });
        let Ok(mut said) = self.said.lock() else { return };
        if said.elapsed() >= pause && done < self.whole {
            *said = Instant::now();
            complain(&format!("{}: {done} of {}\n", self.what, self.whole));
        }
    }
}
