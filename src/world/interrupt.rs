//! Being asked to end: what is open is closed first.
//!
//! A job that is cancelled gets an interrupt, 7.5 seconds later a termination, and 2.5 seconds after that it is killed.
//! As process 1 of a container there are no handlers but these.

use std::fmt;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::terminal;
use crate::exit::Exit;

/// So long the last word may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// What is done when the process is asked to end.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    last_word: Arc<Mutex<Option<LastWord>>>,
}

type LastWord = Box<dyn FnOnce() + Send>;

impl Interrupt {
    /// Ends the process in an orderly way whenever it is asked to, from now on.
    pub(crate) fn listen() -> Interrupt {
        let interrupt = Interrupt::default();
        // Where no handler can be had, the process ends as the system has it.
        if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) {
            let heard = interrupt.clone();
            thread::spawn(move || {
                if signals.forever().next().is_some() {
                    heard.end();
                }
            });
        }
        interrupt
    }

    /// From now on, an interrupt does this first.
    pub(crate) fn on_interrupt(&self, last_word: impl FnOnce() + Send + 'static) {
        *self.lock() = Some(Box::new(last_word));
    }

    /// Does what ends the need for a last word; an interrupt waits for it, then has nothing to do.
    pub(crate) fn settle<T>(&self, work: impl FnOnce() -> T) -> T {
        let mut last_word = self.lock();
        let done = work();
        *last_word = None;
        done
    }

    fn end(&self) {
        terminal::complain("cancelled\n");
        let (done, is_done) = mpsc::channel();
        let interrupt = self.clone();
        thread::spawn(move || {
            if let Some(last_word) = interrupt.lock().take() {
                last_word();
            }
            let _ = done.send(());
        });
        let _ = is_done.recv_timeout(DEADLINE);
        process::exit(Exit::Cancelled.code().into());
    }

    fn lock(&self) -> MutexGuard<'_, Option<LastWord>> {
        self.last_word.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupt")
    }
}
