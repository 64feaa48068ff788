//! What is to be carried on, and what may be.

use crate::commit::CommitId;
use crate::rollout::Relation;

/// The newest status of a commit in one context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusState {
    /// Under way
    Pending,
    /// Deployed
    Success,
    /// Failed to deploy
    Failure,
    /// Ended without a verdict
    Error,
}

/// What is known of the commit that a GitOps commit carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The commit; nothing where nothing is tracked
    pub promoted: Option<CommitId>,
    /// Its newest status for this environment
    pub own: Option<StatusState>,
    /// What is known of it in the environment that follows
    pub next: NextMark,
    /// What the tracking file held before, and how `promoted` stands to that
    pub before: Option<(CommitId, Relation)>,
    /// What the tracking file holds at the branch's head, and how `promoted` stands to that
    pub head: Option<(CommitId, Relation)>,
}

/// What is known of a commit in the environment that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextMark {
    /// There is no such environment
    NoNext,
    /// It has no status there
    Unmarked,
    /// It has one
    Marked,
}

/// Whether there is something to carry on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// There is
    Yes,
    /// It has been done
    Done,
    /// Nothing is tracked
    Untracked,
    /// The merge takes back a promotion to this newer commit
    Reverts(CommitId),
    /// A newer commit has taken its place
    Superseded(CommitId),
}

/// Whether the commit is to be carried on.
pub fn due(_facts: &Facts) -> Due {
    unimplemented!()
}

/// What is known of a commit that shall be promoted to an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// How the commit stands to the head of the base branch: `Same` or `Ancestor` is on it
    pub on_base: Relation,
    /// The commit that the environment has now, and how the new one stands to it
    pub current: Option<(CommitId, Relation)>,
    /// The preceding environment and the commit's newest status there; nothing for the first environment
    pub preceding: Option<(String, Option<StatusState>)>,
    /// Whether an older commit may be promoted
    pub allows_rollback: bool,
    /// Whether the preceding environment's verdict does not matter
    pub skips_check: bool,
}

/// What promoting does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// The environment has the commit already
    Already,
    /// It gets it
    Moves {
        /// Whether the commit is older than what is there
        is_rollback: bool,
        /// Whether the preceding environment's verdict was passed over
        is_unchecked: bool,
    },
}

/// Why a commit may not be promoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The base branch does not have it
    NotOnBase,
    /// The environment has this newer one
    Older(CommitId),
    /// The preceding environment has not shown it deployed
    Unproven(String, Option<StatusState>),
}

/// Whether a commit may be promoted; every reason against it.
pub fn admit(_admission: &Admission) -> Result<Admitted, Vec<Refusal>> {
    unimplemented!()
}
