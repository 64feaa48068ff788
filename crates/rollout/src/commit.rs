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
    pub fn of_revision(text: &str) -> Option<CommitId> {
        text.trim().rsplit(['/', ':', '@']).next().and_then(CommitId::new)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions() {
        let sha1 = "0123456789abcdef0123456789abcdef01234567";
        let sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let cases = [
            (format!("main@sha1:{sha1}"), Some(sha1), "as it is written today"),
            (format!("feature/a/b@sha1:{sha1}"), Some(sha1), "a branch with slashes"),
            (format!("refs/heads/main@sha1:{sha1}"), Some(sha1), "a full ref"),
            (format!("main/{sha1}"), Some(sha1), "as it was written before"),
            (format!("feature/a/{sha1}"), Some(sha1), "before, a branch with slashes"),
            (format!("sha1:{sha1}"), Some(sha1), "no ref"),
            (format!("main@sha256:{sha256}"), Some(sha256), "the longer kind"),
            (sha1.to_owned(), Some(sha1), "the digits alone"),
            (format!(" {}\n", sha1.to_uppercase()), Some(sha1), "space around it, capitals"),
            (format!("{sha1}@sha1:"), None, "a branch of that name"),
            (format!("main-{sha1}"), None, "part of a name"),
            (format!("main@sha1:{}", &sha1[1..]), None, "a digit is missing"),
            (format!("main@sha1:{sha1}0"), None, "a digit too many"),
            (format!("main@sha1:{}g", &sha1[1..]), None, "no digit"),
            ("v1.2.3".to_owned(), None, "a tag"),
            (String::new(), None, "nothing"),
        ];
        for (revision, want, why) in cases {
            assert_eq!(CommitId::of_revision(&revision).as_ref().map(CommitId::as_str), want, "{why}");
        }
    }

    #[test]
    fn names() {
        let digits = "0123456789abcdef0123456789abcdef01234567";
        let commit = CommitId::new(digits).unwrap();
        assert_eq!(commit.short(), "0123456");
        assert_eq!(commit.to_string(), digits);
        assert_eq!(format!("{commit:?}"), digits);
    }
}
