//! The secrets of a sign-in, so that they are hidden before they are used and never repeated.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::world::github::Announce;
use crate::world::tokens::Token;

/// Every secret that turned up so far.
pub(super) struct Secrets {
    announce: Announce,
    known: Mutex<Vec<Token>>,
}

impl Secrets {
    /// None yet; `announce` is told of each.
    pub(super) fn new(announce: Announce) -> Secrets {
        Secrets { announce, known: Mutex::default() }
    }

    /// There is one more, unless it is known.
    pub(super) fn learn(&self, secret: &Token) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.iter().any(|one| one.expose() == secret.expose()) {
            (self.announce)(secret);
            known.push(secret.clone());
        }
    }

    /// A text without them: what stands between us and a server may repeat what it was sent.
    pub(super) fn hide(&self, text: &str) -> String {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = known.iter().filter(|secret| !secret.expose().is_empty());
        shown.fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "***"))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
