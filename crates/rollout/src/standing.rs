//! How a configuration stands, for people.

use std::collections::BTreeSet;

use crate::observation::Observation;
use crate::proof::{Health, Missing};
use crate::time::Time;

/// How a configuration stands.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// The latest that it reported; of what is ready, only the kustomizations of its own
    pub observation: &'a Observation,
    /// The cluster types whose folders it applies
    pub cluster_types: BTreeSet<String>,
    /// How it stands
    pub state: State,
}

/// How a configuration stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It has shown that it applied the commit
    Done {
        /// Whether what it applied is healthy
        health: Health,
        /// When it was reported first
        since: Option<Time>,
    },
    /// It has not yet
    Waiting(WhyWaiting),
    /// Something is wrong
    Failing {
        /// Since when
        since: Time,
        /// When it counts as failed, if it stays so
        fails_at: Time,
    },
    /// It does not count now
    Ignored(WhyIgnored),
    /// It never counts
    NotCounted(NotCounted),
}

/// Why a configuration is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyWaiting {
    /// Its report does not show this
    Unproven(Missing),
    /// It must be shown in a second report, for nobody checks the health
    SecondReport,
    /// It is told to do nothing
    Suspended,
    /// Its cluster is not there
    Disconnected,
    /// It was there, and could not be read the last time
    Unreadable,
}

/// Why a configuration does not count now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyIgnored {
    /// It is told to do nothing
    Suspended,
    /// Its cluster is not there
    Disconnected,
}

/// Why a configuration never counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCounted {
    /// It follows a tag, a range of versions or a commit
    Pinned,
    /// Its source is no git repository
    OtherSource,
    /// It goes away
    Deleting,
}
