//! What is known of commits, and of configurations by their reports.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use crate::commit::CommitId;
use crate::configuration::Finding;
use crate::known::{Known, Origin};
use crate::lineage::{Acceptance, Lineage};
use crate::observation::{ConfigurationId, Observation};
use crate::policy::{Following, Policy, Target};
use crate::proof::statuses;
use crate::question::Question;
use crate::time::Time;

/// What is known of commits, and of configurations by their reports.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    pub(crate) target: Target,
    pub(crate) policy: Policy,
    pub(crate) lineage: Lineage,
    pub(crate) known: Known,
    /// Reports that name commits of which not everything is known, in the order in which they came
    unjudged: BTreeMap<ConfigurationId, Vec<(Observation, Origin)>>,
}

impl Evidence {
    pub(crate) fn new(target: Target, policy: Policy) -> Evidence {
        Evidence {
            lineage: Lineage::new(&target),
            target,
            policy,
            known: Known::default(),
            unjudged: BTreeMap::new(),
        }
    }

    /// Takes a report in, as soon as its commits are known.
    pub(crate) fn receive(&mut self, observation: Observation, origin: Origin, now: Time) {
        let must_wait = !self.questions_about(&observation).is_empty();
        if must_wait || self.unjudged.contains_key(&observation.id) {
            self.unjudged.entry(observation.id.clone()).or_default().push((observation, origin));
        } else {
            self.judge(observation, origin, now);
        }
    }

    /// The resource is gone.
    pub(crate) fn leave(&mut self, id: &ConfigurationId, now: Time) {
        self.unjudged.remove(id);
        self.known.leave(id, now);
    }

    /// Takes in what waited for answers. What is not known of a commit by now does not speak for it.
    pub(crate) fn judge_all(&mut self, now: Time) {
        for (observation, origin) in mem::take(&mut self.unjudged).into_values().flatten() {
            self.judge(observation, origin, now);
        }
    }

    /// What must be known to judge the reports that wait for it.
    pub(crate) fn questions(&self) -> BTreeSet<Question> {
        let reports = self.unjudged.values().flatten();
        reports.flat_map(|(observation, _)| self.questions_about(observation)).collect()
    }

    /// What must be known to tell whether a commit counts.
    pub(crate) fn question(&self, commit: Option<&CommitId>) -> Option<Question> {
        match self.lineage.judge(commit?) {
            Acceptance::Open(question) => Some(question),
            Acceptance::Accepted | Acceptance::Refused => None,
        }
    }

    /// What was applied matters only where a commit that counts is fetched.
    fn questions_about(&self, observation: &Observation) -> BTreeSet<Question> {
        if self.target.following_of(observation) != Following::Branch {
            return BTreeSet::new();
        }
        if let Some(question) = self.question(observation.synced.as_ref()) {
            return BTreeSet::from([question]);
        }
        let own = observation.kustomizations.keys().flat_map(|key| statuses(observation, key));
        let is_accepted = observation.synced.as_ref().is_some_and(|commit| self.lineage.accepts(commit));
        own.filter(|_| is_accepted).filter_map(|status| self.question(status.applied.as_ref())).collect()
    }

    fn judge(&mut self, observation: Observation, origin: Origin, now: Time) {
        let finding = Finding::of(&observation, &self.target, &self.policy, &self.lineage);
        self.known.take(observation, finding, origin, now);
    }
}
