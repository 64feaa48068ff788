//! How a fleet stands at one moment, and how many of it are in which state.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rollout::{CommitId, Health, Policy, Standing, State, Target, Time};

/// How the fleet of an environment stands, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct FleetStatus<'a> {
    /// The environment
    pub environment: &'a str,
    /// What its clusters must apply
    pub target: &'a Target,
    /// The rules by which they are judged
    pub policy: &'a Policy,
    /// How each configuration stands, by cluster and name
    pub standings: &'a [Standing<'a>],
    /// The cluster types of the tree that no configuration applies
    pub unobserved: &'a BTreeSet<String>,
    /// When the check began; for a look without waiting, now
    pub started: Time,
    /// The moment
    pub now: Time,
}

/// How many configurations are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) done: usize,
    /// Those of the done whose health nobody checks
    pub(crate) unchecked: usize,
    pub(crate) failing: usize,
    pub(crate) waiting: usize,
    pub(crate) ignored: usize,
    /// After which time the first and the last of the done was reported
    pub(crate) times: Option<(Duration, Duration)>,
}

impl Counts {
    fn add(&mut self, state: &State, started: Time) {
        match state {
            State::Done { health, since } => {
                self.done += 1;
                self.unchecked += usize::from(*health == Health::Unchecked);
                if let Some(after) = since.map(|since| since.since(started)) {
                    let (first, last) = self.times.unwrap_or((after, after));
                    self.times = Some((first.min(after), last.max(after)));
                }
            }
            State::Waiting(_) => self.waiting += 1,
            State::Failing { .. } => self.failing += 1,
            State::Ignored(_) => self.ignored += 1,
            State::NotCounted(_) => (),
        }
    }

    /// How many there are.
    pub(crate) fn total(&self) -> usize {
        let Counts { done, unchecked: _, failing, waiting, ignored, times: _ } = self;
        done + failing + waiting + ignored
    }
}

impl<'a> FleetStatus<'a> {
    /// How many of all configurations are in which state.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.standings.iter().for_each(|standing| counts.add(&standing.state, self.started));
        counts
    }

    /// The same by cluster type; configurations that apply none stand under nothing.
    pub(crate) fn counts_by_type(&self) -> BTreeMap<&'a str, Counts> {
        let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
        for name in self.target.cluster_types.iter().chain(self.unobserved) {
            counts.entry(name).or_default();
        }
        for standing in self.standings.iter().filter(|standing| is_counted(standing)) {
            for name in types_of(standing) {
                counts.entry(name).or_default().add(&standing.state, self.started);
            }
        }
        counts
    }

    /// The configurations that count and are not done: failing ones first, ignored ones last.
    pub(crate) fn not_done(&self) -> Vec<&'a Standing<'a>> {
        let rank = |standing: &Standing<'_>| match standing.state {
            State::Failing { .. } => Some(0),
            State::Waiting(_) => Some(1),
            State::Ignored(_) => Some(2),
            State::Done { .. } | State::NotCounted(_) => None,
        };
        let mut found: Vec<(usize, &Standing<'_>)> =
            self.standings.iter().filter_map(|standing| Some((rank(standing)?, standing))).collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, standing)| standing).collect()
    }

    /// The configurations that follow the repository and never count.
    pub(crate) fn not_counted(&self) -> Vec<&'a Standing<'a>> {
        self.standings.iter().filter(|standing| !is_counted(standing)).collect()
    }

    /// On how many clusters the configurations are that `is_meant` picks.
    pub(crate) fn clusters(&self, is_meant: impl Fn(&State) -> bool) -> usize {
        let meant = self.standings.iter().filter(|standing| is_meant(&standing.state));
        meant.map(|standing| &standing.observation.cluster.id).collect::<BTreeSet<_>>().len()
    }

    /// The commit of the control plane that it carries, if any.
    pub(crate) fn promoted(&self) -> Option<&'a CommitId> {
        self.target.promoted.as_ref()
    }
}

/// The cluster types that a configuration applies; one empty name if there is none.
pub(crate) fn types_of<'a>(standing: &'a Standing<'_>) -> impl Iterator<Item = &'a str> {
    let none = standing.cluster_types.is_empty().then_some("");
    standing.cluster_types.iter().map(String::as_str).chain(none)
}

pub(crate) fn is_counted(standing: &Standing<'_>) -> bool {
    !matches!(standing.state, State::NotCounted(_))
}
