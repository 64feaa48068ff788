//! What has been read, in one round and over all of them.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::commit::CommitId;
use crate::known::Known;
use crate::lineage::Lineage;
use crate::observation::{Compliance, ConfigurationId, Observation, Provisioning};
use crate::tally::{Group, Tally, is_finished};
use crate::time::Time;

/// What has been read since the last wait.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub(crate) number: u64,
    pub(crate) begun: Time,
    pub(crate) stage: Stage,
    pub(crate) arrived: Arrived,
    /// When every row had been read
    pub(crate) all_read: Option<Time>,
    /// What the pass over all rows shows
    pub(crate) rows: Rows,
    /// How many resources were read themselves
    pub(crate) visits: usize,
    /// When the first of them had been read
    pub(crate) first_visit: Option<Time>,
    /// What was gone when it was visited
    pub(crate) gone: BTreeSet<ConfigurationId>,
    /// Rows of what was gone before, and may be back: each is visited before it is passed over
    pub(crate) ghosts: BTreeSet<ConfigurationId>,
    /// Whether one of them could not be read
    pub(crate) is_haunted: bool,
    /// How often something could not be read
    pub(crate) failures: u32,
}

/// What a pass over all rows shows of those that follow the branch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    rows: HashMap<ConfigurationId, Shown>,
    /// The latest report among them
    latest: Option<Time>,
}

/// As much of a row as a tally tells of it.
#[derive(Clone, Debug)]
struct Shown {
    synced: Option<CommitId>,
    compliance: Compliance,
    provisioning: Provisioning,
    mentions: bool,
}

/// Whether another round follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Usual,
    /// Time is over
    Last,
    /// Everything is read once, and nothing is waited for
    Only,
}

/// How far the rows that arrived have been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    Unread,
    /// Those reported later than what had been read before
    Latest,
    Everything,
}

impl Round {
    pub(crate) fn new(number: u64, stage: Stage, begun: Time) -> Round {
        Round {
            number,
            begun,
            stage,
            arrived: Arrived::Unread,
            all_read: None,
            rows: Rows::default(),
            visits: 0,
            first_visit: None,
            gone: BTreeSet::new(),
            ghosts: BTreeSet::new(),
            is_haunted: false,
            failures: 0,
        }
    }
}

impl Rows {
    /// Takes a row in; a tally was asked which ones mention one of these commits.
    pub(crate) fn insert(&mut self, row: &Observation, mentioning: &[CommitId]) {
        let Observation { id, synced, compliance, provisioning, objects, reported, .. } = row;
        let mut applied = objects.iter().filter_map(|object| object.applied.as_ref());
        let shown = Shown {
            synced: synced.clone(),
            compliance: compliance.clone(),
            provisioning: provisioning.clone(),
            mentions: applied.any(|commit| mentioning.contains(commit)),
        };
        self.rows.insert(id.clone(), shown);
        self.latest = self.latest.max(*reported);
    }

    pub(crate) fn contains(&self, id: &ConfigurationId) -> bool {
        self.rows.contains_key(id)
    }

    /// Whether they may be all that a tally counts: they are as many, as many are not finished, and none is earlier.
    ///
    /// A tally has no names: where one joins while another leaves, an older index has as many rows. What is gone, by
    /// its own word, stands for one in the tally only where one looks like it there.
    pub(crate) fn may_be_all_of(&self, tally: &Tally, lineage: &Lineage, known: &Known) -> bool {
        let is_counted = |(id, row): &(&ConfigurationId, &Shown)| {
            !known.has_left(id) || tally.groups.iter().any(|group| row.is_like(group))
        };
        let unfinished =
            |row: &&Shown| !is_finished(row.synced.as_ref(), &row.compliance, row.mentions, lineage);
        self.rows.iter().filter(is_counted).count() >= tally.total()
            && self.rows.values().filter(unfinished).count() >= tally.unfinished(lineage)
            && self.latest >= tally.latest()
    }
}

impl Shown {
    fn is_like(&self, group: &Group) -> bool {
        let Shown { synced, compliance, provisioning, mentions } = self;
        (synced, compliance, provisioning, mentions)
            == (&group.synced, &group.compliance, &group.provisioning, &group.mentions)
    }
}

/// What is known of the rows that arrived.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arrivals {
    /// The latest report among them
    pub(crate) watermark: Option<Time>,
    /// How many the tally has that no row explains
    pub(crate) unexplained: usize,
}

/// The passes over all rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Passes {
    /// How many have begun
    pub(crate) begun: u64,
    /// The last that came to its end
    pub(crate) complete: u64,
    /// When it did
    pub(crate) last: Option<Time>,
}

impl Passes {
    pub(crate) fn complete(&mut self, now: Time) {
        self.complete = self.begun;
        self.last = Some(now);
    }

    /// Whether the last one is so long ago.
    pub(crate) fn is_past(self, distance: Duration, now: Time) -> bool {
        self.last.is_none_or(|last| now >= last + distance)
    }
}
