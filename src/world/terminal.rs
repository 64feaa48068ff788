//! Standard output and standard error. A reader that went away is no reason to fail.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fleet::{Diagnostic, Texts};
use report::Colours;
use serde::Serialize;

use super::runner::{self, variable};
use crate::exit::Failure;

/// Writes to standard output.
pub(crate) fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Writes to standard error.
pub(crate) fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Says what is wrong: on a terminal with the lines that it is about, else one line each.
pub(crate) fn complain_of<'p>(problems: impl IntoIterator<Item = &'p Diagnostic>, texts: &Texts) {
    complain(&match colours() {
        Some(colours) => report::illustrated(problems, texts, colours),
        None => report::problems(problems),
    });
}

/// The colours of the terminal that standard error leads to, or is to be taken for; nothing if it is a log.
fn colours() -> Option<Colours> {
    let is_forced = variable("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let is_terminal = (std::io::stderr().is_terminal() || is_forced) && !runner::is_action();
    let is_plain = variable("NO_COLOR").is_some() || variable("TERM").is_some_and(|term| term == "dumb");
    is_terminal.then_some(if is_plain { Colours::None } else { Colours::Shown })
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
