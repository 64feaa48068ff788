//! What can be wrong with a repository.

use std::fmt;
use std::time::Duration;

use super::CommitId;

/// Why a repository cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GitError {
    /// Its URL or folder, as people know it
    pub(crate) repository: String,
    /// What is wrong
    pub(crate) problem: GitProblem,
}

/// What is wrong with a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GitProblem {
    /// It does not exist, or is hidden from us
    NoAccess(Login),
    /// It has no branch of this name
    NoSuchBranch {
        /// The name
        branch: String,
        /// A few names of branches that it has
        near: Vec<String>,
    },
    /// It has no such commit
    NoSuchCommit(CommitId),
    /// The path of a pointer leads to no folder, for this reason
    NoSuchFolder(String),
    /// It may answer later
    Unreachable {
        /// What happened
        why: String,
        /// How long the server asks to wait
        wait: Option<Duration>,
    },
    /// We do not ask for it, or do not go where it leads
    Refused(String),
    /// It holds more than is read
    TooLarge(String),
    /// It answers, but would take longer than is waited
    TooSlow,
    /// What it says makes no sense
    Unusable(String),
    /// There is no token for it, although one belongs to it
    NoToken(String),
    /// There is no folder here to keep it in
    NoPlace(String),
}

/// How a remote was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// With a token
    Token,
    /// Without one
    Anonymous,
}

impl GitError {
    /// Whether the same question may be answered a moment later.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.problem, GitProblem::Unreachable { .. })
    }

    /// The next move.
    pub(crate) fn help(&self) -> String {
        match &self.problem {
            GitProblem::NoAccess(Login::Anonymous) => {
                "check the URL, or give a token for it with `repo-tokens`".to_owned()
            }
            GitProblem::NoAccess(Login::Token) => {
                "check the URL; the token needs `contents: read` there and must not have expired".to_owned()
            }
            GitProblem::NoSuchBranch { near, .. } if !near.is_empty() => {
                format!("correct the name, or push the branch; there are: {}", near.join(", "))
            }
            GitProblem::NoSuchBranch { .. } => "correct the name, or push the branch".to_owned(),
            GitProblem::NoSuchCommit(_) => {
                "name a commit that was pushed and is still on a branch".to_owned()
            }
            GitProblem::NoSuchFolder(_) => "correct the path".to_owned(),
            GitProblem::Unreachable { .. } => {
                "run again; if it stays so, check the host and the proxy".to_owned()
            }
            GitProblem::Refused(_) => {
                "write the URL that it has now, as https://host/owner/repository; a private one needs a token"
                    .to_owned()
            }
            GitProblem::TooLarge(_) => "point to a smaller repository".to_owned(),
            GitProblem::TooSlow => "run again when the host and the network are faster".to_owned(),
            GitProblem::Unusable(_) => {
                "check that the URL is that of a git repository, and `git fsck` it".to_owned()
            }
            GitProblem::NoToken(_) => "check the GitHub App and where it is installed".to_owned(),
            GitProblem::NoPlace(_) => "have TMPDIR or HOME name a folder that can be written".to_owned(),
        }
    }
}

impl fmt::Display for GitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = &self.repository;
        match &self.problem {
            GitProblem::NoAccess(Login::Anonymous) => {
                write!(f, "{at} does not exist, or may not be read without a token")
            }
            GitProblem::NoAccess(Login::Token) => {
                write!(f, "{at} does not exist, or may not be read with the token that is given for it")
            }
            GitProblem::NoSuchBranch { branch, .. } => {
                write!(f, "{at} has no branch `{}`", branch.escape_debug())
            }
            GitProblem::NoSuchCommit(commit) => write!(f, "{at} has no commit {commit}"),
            GitProblem::NoSuchFolder(why) => write!(f, "{at}: {why}"),
            GitProblem::Unreachable { why, .. } => write!(f, "{at} cannot be reached: {why}"),
            GitProblem::Refused(why) | GitProblem::TooLarge(why) => write!(f, "{at} is not read: {why}"),
            GitProblem::TooSlow => write!(f, "{at} takes too long to answer"),
            GitProblem::Unusable(why) => write!(f, "{at} cannot be read: {why}"),
            GitProblem::NoToken(why) => write!(f, "there is no token for {at}: {why}"),
            GitProblem::NoPlace(why) => write!(f, "there is no place to keep {at}: {why}"),
        }
    }
}

impl std::error::Error for GitError {}
