//! How many configurations are in which state, without their rows.

use crate::commit::CommitId;
use crate::observation::{Compliance, Provisioning, Reference};
use crate::time::Time;

/// How many configurations are in which state, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The groups; one configuration is in one of them
    pub groups: Vec<Group>,
    /// Whether groups may be missing: then it says nothing
    pub is_truncated: bool,
}

/// Configurations that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What kind of source they have
    pub source_kind: String,
    /// Their repository's URL
    pub url: String,
    /// What of the repository
    pub reference: Reference,
    /// The commit that their sources have fetched
    pub synced: Option<CommitId>,
    /// What Flux says of them
    pub compliance: Compliance,
    /// Whether they are set up
    pub provisioning: Provisioning,
    /// Whether they are told to do nothing
    pub is_suspended: bool,
    /// Whether their objects name a commit that was asked for, which suggests that it is applied
    pub mentions: bool,
    /// How many they are
    pub count: usize,
    /// The latest report among them
    pub latest: Option<Time>,
}
