//! Git, without a work tree and without the `git` program: objects of a store, the repository that a folder
//! belongs to, and remotes over HTTP.

mod error;
mod objects;
mod remote;
#[cfg(test)]
mod trial;
mod url;
mod wire;
mod workspace;

use std::fmt;

pub(crate) use self::error::{GitError, GitProblem, Login};
pub(crate) use self::objects::Objects;
pub(crate) use self::remote::{Credentials, Limits, Remote, Remotes, Wanted};
pub(crate) use self::url::remote_url;
pub(crate) use self::workspace::Workspace;

/// The full name of a commit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CommitId(gix::ObjectId);

impl CommitId {
    /// Reads 40 hexadecimal digits.
    pub(crate) fn new(text: &str) -> Option<CommitId> {
        gix::ObjectId::from_hex(text.as_bytes()).ok().map(CommitId)
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A token; it is sent as a password and never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Wraps the text of a token.
    pub(crate) fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_ids() {
        let full = "0123456789abcdef0123456789abcdef01234567";
        let cases = [
            (full, Some(full), "all of it"),
            ("0123456789ABCDEF0123456789ABCDEF01234567", Some(full), "in capitals"),
            (&full[..12], None, "shortened"),
            ("main", None, "a branch"),
            ("", None, "nothing"),
            ("0123456789abcdef0123456789abcdef0123456é", None, "no digits"),
        ];
        for (text, want, why) in cases {
            assert_eq!(CommitId::new(text).map(|id| id.to_string()).as_deref(), want, "{why}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", Secret::new("ghs_canary")), "***");
    }
}
