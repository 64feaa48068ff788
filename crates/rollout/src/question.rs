//! What must be known of commits.

use crate::commit::CommitId;

/// A question about commits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// How this commit of the GitOps repository stands to the one that is checked
    Lineage(CommitId),
    /// What `Promoted_Commit_Id` holds at this commit of the GitOps repository
    Tracked(CommitId),
    /// How this commit of the control plane stands to the one that is promoted
    Promoted(CommitId),
}

/// How one commit stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is the same
    Same,
    /// It came later, on top of the other
    Descendant,
    /// It came before, below the other
    Ancestor,
    /// Neither is on top of the other
    Diverged,
    /// It is not there
    Missing,
}

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// How a commit of the GitOps repository stands to the one that is checked
    Lineage(CommitId, Relation),
    /// What `Promoted_Commit_Id` holds at a commit
    Tracked(CommitId, Option<CommitId>),
    /// How a commit of the control plane stands to the one that is promoted
    Promoted(CommitId, Relation),
}
