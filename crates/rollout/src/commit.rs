//! Names of commits.

use std::fmt;

/// The full hexadecimal name of a commit, in small letters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(String);

impl CommitId {
    /// Takes 40 or 64 hexadecimal digits.
    pub fn new(text: &str) -> Option<CommitId> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (digits && matches!(text.len(), 40 | 64)).then(|| CommitId(text.to_ascii_lowercase()))
    }

    /// The commit at the end of a revision as Flux writes it.
    ///
    /// `<ref>@sha1:<sha>`, `<ref>/<sha>`, `sha1:<sha>` or `<sha>`; refs contain `/`, so that only the end counts.
    pub fn of_revision(_text: &str) -> Option<CommitId> {
        unimplemented!()
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As people read it.
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
