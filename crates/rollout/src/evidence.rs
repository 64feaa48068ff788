//! What is known of commits, and of configurations by their reports.

use std::collections::BTreeSet;
use std::mem;

use crate::commit::CommitId;
use crate::configuration::Finding;
use crate::known::{Known, Origin};
use crate::lineage::{Acceptance, Lineage};
use crate::observation::{ConfigurationId, Observation, Ready};
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
    /// The configurations whose reports name commits of which not everything is known
    open: BTreeSet<ConfigurationId>,
}

impl Evidence {
    pub(crate) fn new(target: Target, policy: Policy) -> Evidence {
        Evidence {
            lineage: Lineage::new(&target),
            target,
            policy,
            known: Known::default(),
            open: BTreeSet::new(),
        }
    }

    /// Takes a report in. What is not known of its commits does not speak for it.
    pub(crate) fn receive(&mut self, mut observation: Observation, origin: Origin, now: Time) {
        let finding = Finding::of(&observation, &self.target, &self.policy, &self.lineage);
        if self.questions_about(&observation).is_empty() {
            forget_ready(&mut observation);
        } else {
            self.open.insert(observation.id.clone());
        }
        self.known.take(observation, finding, origin, now);
    }

    /// Judges anew what could not be judged without the answers.
    pub(crate) fn judge_open(&mut self, now: Time) {
        for id in mem::take(&mut self.open) {
            if let Some(known) = self.known.get_mut(&id) {
                let finding = Finding::of(&known.observation, &self.target, &self.policy, &self.lineage);
                known.judge_again(finding, now);
                forget_ready(&mut known.observation);
            }
        }
    }

    /// What must be known to judge the reports for good.
    pub(crate) fn questions(&self) -> BTreeSet<Question> {
        let open = self.open.iter().filter_map(|id| self.known.get(id));
        open.flat_map(|known| self.questions_about(&known.observation)).collect()
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
        if !observation.synced.as_ref().is_some_and(|commit| self.lineage.accepts(commit)) {
            return BTreeSet::new();
        }
        let own = observation.kustomizations.keys().flat_map(|key| statuses(observation, key));
        own.filter_map(|status| self.question(status.applied.as_ref())).collect()
    }
}

/// Leaves out what nobody asks for any more: in large fleets it is most of all that is known.
fn forget_ready(observation: &mut Observation) {
    let Observation { name, namespace, kustomizations, objects, .. } = observation;
    let own: BTreeSet<String> = kustomizations.keys().map(|key| format!("{name}-{key}")).collect();
    objects.retain(|object| {
        object.ready != Some(Ready::True) || object.namespace == *namespace && own.contains(&object.name)
    });
    objects.shrink_to_fit();
}
