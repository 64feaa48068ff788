//! The status of a promoted commit: its state and its text.

use rollout::{CommitId, StatusState, Verdict};

use crate::check::{CheckSummary, headline, some, superseded, undone};
use crate::markdown::cut;
use crate::terminal::plain;

/// GitHub refuses a longer one.
const LONGEST: usize = 140;

/// A commit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusText {
    /// Its state
    pub state: StatusState,
    /// What stands with it: one line of at most 140 characters
    pub description: String,
}

/// Whether the preceding environment's verdict was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrecedingCheck {
    /// It was, or there is no preceding environment
    Passed,
    /// It was passed over, for `skip-check` says so
    Skipped,
}

impl PrecedingCheck {
    fn words(self) -> &'static str {
        match self {
            PrecedingCheck::Passed => "",
            PrecedingCheck::Skipped => ", the check of the preceding environment was skipped",
        }
    }
}

impl StatusText {
    /// The environment has the commit, and nothing is merged yet.
    pub fn promoted(preceding: PrecedingCheck) -> StatusText {
        StatusText::new(StatusState::Pending, &format!("Promoted{}", preceding.words()))
    }

    /// The pull request of this number would give the environment the commit.
    pub fn proposed(number: u64, preceding: PrecedingCheck) -> StatusText {
        let text = format!("Promotion proposed in #{number}{}", preceding.words());
        StatusText::new(StatusState::Pending, &text)
    }

    /// It is merged, and clusters are waited for.
    pub fn deploying() -> StatusText {
        StatusText::new(StatusState::Pending, "Deploying")
    }

    /// Clusters have it that follow some of the environment's branches, each with what its own success says; the others
    /// are waited for.
    pub fn deployed(to: &[(&str, &str)], missing: &[&str]) -> StatusText {
        if !missing.is_empty() {
            let names = some(to.iter().map(|(name, _)| *name), plain);
            let text = format!("Deployed to {names}, waiting for {}", some(missing.iter().copied(), plain));
            return StatusText::new(StatusState::Pending, &text);
        }
        let branch = |(name, success): &(&str, &str)| match success.split_once(", ") {
            Some((_, besides)) => format!("{name} ({besides})"),
            None => (*name).to_owned(),
        };
        let branches: Vec<String> = to.iter().map(branch).collect();
        let text = format!("Deployed to {}", some(branches.iter().map(String::as_str), plain));
        StatusText::new(StatusState::Success, &text)
    }

    /// A newer commit has taken its place.
    pub fn superseded(by: &CommitId) -> StatusText {
        StatusText::new(StatusState::Error, &superseded(by))
    }

    /// Its check was called off.
    pub fn cancelled() -> StatusText {
        StatusText::new(StatusState::Error, "Cancelled")
    }

    /// Its check could not be done.
    pub fn undone(reason: &str) -> StatusText {
        StatusText::new(StatusState::Error, &undone(reason, plain))
    }

    fn new(state: StatusState, text: &str) -> StatusText {
        StatusText { state, description: cut(plain(text).chars(), LONGEST - 1) }
    }
}

/// The status with which a check ends.
pub fn rollout_status(summary: &CheckSummary<'_>) -> StatusText {
    let state = match summary.verdict {
        Verdict::Superseded { .. } | Verdict::Reverted { .. } => StatusState::Error,
        _ if summary.is_deployed() => StatusState::Success,
        _ => StatusState::Failure,
    };
    StatusText::new(state, &headline(summary, plain))
}
