//! The check of one commit, step by step.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::commit::CommitId;
use crate::observation::{ConfigurationId, Observation};
use crate::policy::{Policy, Target};
use crate::standing::Standing;
use crate::tally::Tally;
use crate::time::Time;

/// The check of one commit.
#[derive(Clone, Debug)]
pub struct Rollout {}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Find out about commits; each question is asked once
    Ask(Vec<Question>),
    /// Read what clusters report
    Read(Read),
    /// Do nothing for so long
    Wait(Duration),
    /// It is over
    End(Verdict),
}

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

/// What is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The head of the branch and a tally, which says of groups whether they mention one of these commits
    Poll {
        /// The commits that count
        mentioning: Vec<CommitId>,
    },
    /// The rows that have come to one of these commits, page by page
    Arrived {
        /// The commits that count
        commits: Vec<CommitId>,
        /// Only those reported later than this
        since: Option<Time>,
    },
    /// Every row, page by page
    All,
    /// These resources themselves, one after the other
    Direct(Vec<ConfigurationId>),
}

/// What a direct read gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Direct {
    /// It is there
    Found(Box<Observation>),
    /// It is not there any more
    Gone,
    /// It may not be read, or not now
    Unreadable,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every configuration has shown that it applied the commit
    Compliant,
    /// Something has failed
    Failed(Failure),
    /// Time is over
    Timeout,
    /// There are fewer clusters than there must be
    NoClusters {
        /// How many there are
        seen: usize,
    },
    /// A newer commit has taken its place, or it is no longer on the branch
    Superseded {
        /// The head of the GitOps branch
        head: CommitId,
        /// What is promoted there, if that is something else
        by: Option<CommitId>,
    },
    /// The branch went back to an older promoted commit
    Reverted {
        /// The head of the GitOps branch
        head: CommitId,
        /// What is promoted there
        by: Option<CommitId>,
    },
}

/// What has failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Configurations
    pub configurations: BTreeSet<ConfigurationId>,
    /// Cluster types that must be observed and are not
    pub unobserved: BTreeSet<String>,
}

impl Rollout {
    /// Nothing is known yet.
    pub fn new(_target: Target, _policy: Policy, _now: Time) -> Rollout {
        unimplemented!()
    }

    /// What is to be done next.
    pub fn next(&mut self, _now: Time) -> Next {
        unimplemented!()
    }

    /// What was found out about commits.
    pub fn answer(&mut self, _answer: Answer) {
        unimplemented!()
    }

    /// What a poll showed.
    pub fn polled(&mut self, _head: CommitId, _tally: Tally, _now: Time) {
        unimplemented!()
    }

    /// A page of rows, of [`Read::Arrived`] or [`Read::All`].
    pub fn observed(&mut self, _rows: Vec<Observation>, _now: Time) {
        unimplemented!()
    }

    /// All pages of [`Read::Arrived`] or [`Read::All`] have been read.
    pub fn finished(&mut self, _now: Time) {
        unimplemented!()
    }

    /// What one resource of [`Read::Direct`] itself said.
    pub fn read_directly(&mut self, _id: &ConfigurationId, _direct: Direct, _now: Time) {
        unimplemented!()
    }

    /// What was asked for last could not be read, or found out, this time.
    pub fn failed(&mut self, _now: Time) {
        unimplemented!()
    }

    /// How every configuration that was seen stands, by cluster and name.
    pub fn standings(&self, _now: Time) -> Vec<Standing<'_>> {
        unimplemented!()
    }

    /// The cluster types of the tree that no configuration applies.
    pub fn unobserved(&self) -> BTreeSet<String> {
        unimplemented!()
    }
}
