//! What is checked, and by which rules.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::commit::CommitId;

/// What is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The GitOps repository's URL
    pub repository: String,
    /// The GitOps branch
    pub branch: String,
    /// The folder of the branch in which cluster types have theirs; empty for the root
    pub root: String,
    /// The cluster types that have a folder there
    pub cluster_types: BTreeSet<String>,
    /// The commit that clusters must apply
    pub commit: CommitId,
    /// What `Promoted_Commit_Id` holds there
    pub promoted: Option<CommitId>,
}

/// The rules of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long clusters have
    pub timeout: Duration,
    /// The time between two polls
    pub poll_interval: Duration,
    /// How long a failure must last
    pub grace: Grace,
    /// Fewer clusters are a failure
    pub min_clusters: usize,
    /// What a configuration that is told to do nothing means
    pub on_suspended: OnTrouble,
    /// What a cluster that is not there means
    pub on_disconnected: OnTrouble,
    /// What a cluster type without any configuration means
    pub on_unobserved: Unobserved,
}

/// How long a configuration must stay Non-Compliant to have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// Its largest retry interval, else sync interval, and timeout
    Auto,
    /// So long; zero: at once
    Fixed(Duration),
}

/// What is done about a configuration that cannot get there by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTrouble {
    /// It does not count, as long as others of its cluster type do
    Ignore,
    /// It is waited for
    Wait,
    /// It has failed
    Fail,
}

/// What a cluster type of the tree without any configuration means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unobserved {
    /// It is said
    Said,
    /// The check fails
    Refused,
}
