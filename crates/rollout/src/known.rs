//! What is known of all configurations.

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
    /// When the resources themselves said that they are gone, or follow something else; rows may still show them
    left: HashMap<ConfigurationId, Time>,
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
    /// Takes a report in. What counted stops counting only by what the resource itself says.
    pub(crate) fn take(&mut self, observation: Observation, finding: Finding, origin: Origin, now: Time) {
        let is_visit = matches!(origin, Origin::Visit { .. });
        let id = observation.id.clone();
        let outcome = match self.configurations.get_mut(&id) {
            Some(known) if known.counts() && finding.following != Following::Branch && !is_visit => return,
            Some(known) => known.take(observation, finding, now),
            None => {
                let has_left = self.left.get(&id).is_some_and(|left| observation.reported <= Some(*left));
                if finding.following == Following::Elsewhere || has_left && !is_visit {
                    return;
                }
                self.left.remove(&id);
                self.configurations.insert(id.clone(), Configuration::new(observation, finding, now));
                Outcome::Latest
            }
        };
        let Some(known) = self.configurations.get_mut(&id).filter(|_| outcome == Outcome::Latest) else {
            return;
        };
        match origin {
            Origin::Row { pass } => known.pass = pass,
            Origin::Visit { round, pass } => {
                known.pass = pass;
                known.visit = Some(Visit { at: now, round, pass, outcome });
            }
        }
        if known.finding.following == Following::Elsewhere {
            self.leave(&id, now);
        }
    }

    /// Notes that the resource itself was looked for.
    pub(crate) fn visit(&mut self, id: &ConfigurationId, round: u64, pass: u64, now: Time) {
        if let Some(known) = self.configurations.get_mut(id) {
            known.visit = Some(Visit { at: now, round, pass, outcome: Outcome::Nothing });
        }
    }

    /// The resource is gone.
    pub(crate) fn leave(&mut self, id: &ConfigurationId, now: Time) {
        self.configurations.remove(id);
        self.left.insert(id.clone(), now);
    }

    /// The resource cannot be read.
    pub(crate) fn lose(&mut self, id: &ConfigurationId) {
        if let Some(known) = self.configurations.get_mut(id) {
            known.is_unreadable = true;
        }
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
        self.counted().count() + self.left.len()
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
