//! One thing to be done in a repository.

use std::fmt;

/// One thing to be done in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put one commit on top of `parent` and have `branch` point to it, if it still is where it was `before`
    Commit {
        /// The branch
        branch: String,
        /// The commit that the branch points to now; nothing if there is no such branch
        before: Option<String>,
        /// The commit below
        parent: String,
        /// The commit message
        message: String,
    },
    /// Open a pull request
    OpenPull {
        /// The branch that it comes from
        branch: String,
        /// The branch that it goes to
        base: String,
        /// Title
        title: String,
        /// Body, marker included
        body: String,
        /// Labels
        labels: Vec<String>,
    },
    /// Renew what an open pull request says
    UpdatePull {
        /// Its number
        number: u64,
        /// Title
        title: String,
        /// Body, marker included
        body: String,
    },
    /// Give a pull request a label
    Label {
        /// Its number
        number: u64,
        /// The label
        label: String,
    },
    /// Take a label from a pull request
    Unlabel {
        /// Its number
        number: u64,
        /// The label
        label: String,
    },
    /// Say why, then close a pull request that is no longer needed
    ClosePull {
        /// Its number
        number: u64,
        /// Its body, marked as closed by us
        body: String,
        /// What the comment says, marker included
        comment: String,
    },
    /// Open an issue
    OpenIssue {
        /// Title
        title: String,
        /// Body, marker included
        body: String,
    },
    /// Renew what an issue says
    UpdateIssue {
        /// Its number
        number: u64,
        /// Title
        title: String,
        /// Body, marker included
        body: String,
    },
    /// Say why, then close an issue
    CloseIssue {
        /// Its number
        number: u64,
        /// What the comment says, marker included
        comment: String,
    },
}

impl Step {
    /// How many requests write.
    pub fn writes(&self) -> usize {
        match self {
            Step::CloseIssue { .. } | Step::ClosePull { .. } => 2,
            _ => 1,
        }
    }
}

/// As a dry run lists it.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Commit { branch, before: None, parent, .. } => {
                write!(f, "create branch {branch} with one commit on top of {}", short(parent))
            }
            Step::Commit { branch, before: Some(before), parent, .. } => {
                let (before, parent) = (short(before), short(parent));
                write!(f, "move branch {branch} from {before} to one commit on top of {parent}")
            }
            Step::OpenPull { branch, base, title, labels, .. } => {
                write!(f, "open a pull request from {branch} to {base}: {title}")?;
                if labels.is_empty() { Ok(()) } else { write!(f, " [{}]", labels.join(", ")) }
            }
            Step::UpdatePull { number, title, .. } => write!(f, "update pull request #{number}: {title}"),
            Step::Label { number, label } => write!(f, "label pull request #{number}: {label}"),
            Step::Unlabel { number, label } => {
                write!(f, "take the label {label} from pull request #{number}")
            }
            Step::ClosePull { number, .. } => write!(f, "close pull request #{number}"),
            Step::OpenIssue { title, .. } => write!(f, "open an issue: {title}"),
            Step::UpdateIssue { number, title, .. } => write!(f, "update issue #{number}: {title}"),
            Step::CloseIssue { number, .. } => write!(f, "close issue #{number}"),
        }
    }
}

fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}
