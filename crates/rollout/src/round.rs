//! What is done between two waits.

use std::collections::HashSet;

use crate::observation::ConfigurationId;
use crate::time::Time;

/// What has been done since the last wait.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub(crate) number: u64,
    pub(crate) stage: Stage,
    pub(crate) arrived: Arrived,
    /// When every row had been read
    pub(crate) all_read: Option<Time>,
    /// The configurations that follow the branch by the rows of a pass over all
    pub(crate) rows: HashSet<ConfigurationId>,
    /// How many resources were read themselves
    pub(crate) visits: usize,
}

/// Whether another round follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Usual,
    /// Time is over
    Last,
}

/// How far the rows have been read that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    Unread,
    /// What was reported after what had been read before
    Latest,
    Everything,
}

impl Round {
    pub(crate) fn new(number: u64, stage: Stage) -> Round {
        Round { number, stage, arrived: Arrived::Unread, all_read: None, rows: HashSet::new(), visits: 0 }
    }
}
