//! What is known of all configurations.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::configuration::{Company, Configuration, Finding, Outcome, Visit};
use crate::observation::{ConfigurationId, Observation};
use crate::policy::Following;
use crate::standing::State;
use crate::tally::Looks;
use crate::time::Time;

/// What is known of all configurations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    configurations: BTreeMap<ConfigurationId, Configuration>,
    /// What is not among them; rows may still show it as it was
    absent: HashMap<ConfigurationId, Absence>,
}

/// Why a configuration is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absence {
    /// By its own word, at this time: it is not there any more, or follows something else
    Left(Time),
    /// By a row that was reported then: it follows something else
    Elsewhere(Option<Time>),
}

/// How a report was come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// As a row, in or after this pass over all
    Row { pass: u64 },
    /// From the resource itself, in this round and in or after this pass
    Visit { round: u64, pass: u64 },
}

impl Known {
    /// Takes a report in, unless a later one is known. What counted stops to only by its own word.
    pub(crate) fn take(&mut self, observation: Observation, finding: Finding, origin: Origin, now: Time) {
        let id = observation.id.clone();
        let reported = observation.reported;
        let is_row = matches!(origin, Origin::Row { .. });
        let counts = finding.following == Following::Branch;
        // A row may still show what was before its own word.
        let is_refuted = |known: &Configuration| match (known.counts(), counts) {
            (true, false) => true,
            (false, true) => known.visit.is_some_and(|last| reported <= Some(last.at)),
            (true, true) | (false, false) => false,
        };
        let is_passed_over = match (self.configurations.get(&id), self.absent.get(&id)) {
            // A report without a time is earlier than any that has one.
            (Some(known), _) => reported < known.observation.reported || is_row && is_refuted(known),
            (None, Some(Absence::Elsewhere(last))) => reported < *last,
            (None, Some(Absence::Left(at))) => is_row && reported <= Some(*at),
            (None, None) => false,
        };
        if is_passed_over {
            return;
        }
        if finding.following == Following::Elsewhere {
            self.configurations.remove(&id);
            self.absent.insert(id, if is_row { Absence::Elsewhere(reported) } else { Absence::Left(now) });
            return;
        }
        self.absent.remove(&id);
        let known = match self.configurations.entry(id) {
            Entry::Occupied(known) => {
                let known = known.into_mut();
                known.take(observation, finding, now);
                known
            }
            Entry::Vacant(place) => place.insert(Configuration::new(observation, finding, now)),
        };
        match origin {
            Origin::Row { pass } => known.pass = pass,
            Origin::Visit { round, pass } => {
                known.pass = pass;
                known.visit = Some(Visit { at: now, round, pass, outcome: Outcome::Latest });
            }
        }
    }

    /// The resource is gone.
    pub(crate) fn leave(&mut self, id: &ConfigurationId, now: Time) {
        self.configurations.remove(id);
        self.absent.insert(id.clone(), Absence::Left(now));
    }

    /// Whether it is gone by its own word.
    pub(crate) fn has_left(&self, id: &ConfigurationId) -> bool {
        matches!(self.absent.get(id), Some(Absence::Left(_)))
    }

    pub(crate) fn get(&self, id: &ConfigurationId) -> Option<&Configuration> {
        self.configurations.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &ConfigurationId) -> Option<&mut Configuration> {
        self.configurations.get_mut(id)
    }

    /// Every configuration and how it stands.
    pub(crate) fn states(&self) -> impl Iterator<Item = (&Configuration, State)> {
        let manned: HashSet<Option<&str>> =
            self.counted().filter(|known| !known.is_ignorable()).flat_map(cluster_types).collect();
        self.configurations.values().map(move |known| {
            let has_others = cluster_types(known).all(|cluster_type| manned.contains(&cluster_type));
            let company = if has_others { Company::Others } else { Company::Nobody };
            (known, known.state(company))
        })
    }

    /// Those that follow the branch.
    pub(crate) fn counted(&self) -> impl Iterator<Item = &Configuration> {
        self.configurations.values().filter(|known| known.counts())
    }

    pub(crate) fn looks(&self) -> Looks {
        Looks::count(self.counted().map(|known| (known.finding.look, 1)))
    }

    /// How many there are, with those that rows may still show.
    pub(crate) fn ever_counted(&self) -> usize {
        let left = self.absent.values().filter(|absence| matches!(absence, Absence::Left(_)));
        self.counted().count() + left.count()
    }

    /// How many clusters have a configuration that follows the branch.
    pub(crate) fn clusters(&self) -> usize {
        let clusters: HashSet<&str> =
            self.counted().map(|known| known.observation.cluster.id.as_str()).collect();
        clusters.len()
    }

    /// The cluster types whose folders are applied.
    pub(crate) fn cluster_types(&self) -> BTreeSet<&String> {
        self.counted().flat_map(|known| &known.finding.cluster_types).collect()
    }
}

/// Its cluster types; those without any are a group of their own.
fn cluster_types(known: &Configuration) -> impl Iterator<Item = Option<&str>> {
    let types = &known.finding.cluster_types;
    let none = types.is_empty().then_some(None);
    types.iter().map(|cluster_type| Some(cluster_type.as_str())).chain(none)
}
