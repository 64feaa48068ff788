//! How many configurations are in which state, without their rows.

use crate::commit::CommitId;
use crate::lineage::Lineage;
use crate::observation::{Compliance, Observation, Provisioning, Reference};
use crate::policy::{Following, Target};
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
    /// Whether one of their objects says that a commit that was asked for is applied
    pub mentions: bool,
    /// How many they are
    pub count: usize,
    /// The latest report among them
    pub latest: Option<Time>,
}

/// How a fleet looks from afar; only rows tell for sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// How many configurations follow the branch
    pub total: usize,
    /// How many of them say that they applied a commit that counts
    pub applied: usize,
}

/// How a configuration looks from afar: as much as a tally tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It has fetched a commit that counts, and says that it applied it
    Finished,
    /// It has fetched a commit that counts
    Fetched,
    /// It is told to do nothing
    Suspended,
    /// It has fetched a commit that counts, and something is wrong
    Troubled,
    /// None of these
    Underway,
}

impl Look {
    pub(crate) fn of_group(group: &Group, lineage: &Lineage) -> Look {
        let Group { synced, compliance, provisioning, is_suspended, mentions, .. } = group;
        let glimpse =
            Glimpse { synced, compliance, provisioning, is_suspended: *is_suspended, mentions: *mentions };
        glimpse.look(lineage)
    }

    pub(crate) fn of_observation(observation: &Observation, lineage: &Lineage) -> Look {
        let Observation { synced, compliance, provisioning, is_suspended, objects, .. } = observation;
        let mentions = objects
            .iter()
            .any(|object| object.applied.as_ref().is_some_and(|commit| lineage.accepts(commit)));
        Glimpse { synced, compliance, provisioning, is_suspended: *is_suspended, mentions }.look(lineage)
    }
}

struct Glimpse<'a> {
    synced: &'a Option<CommitId>,
    compliance: &'a Compliance,
    provisioning: &'a Provisioning,
    is_suspended: bool,
    mentions: bool,
}

impl Glimpse<'_> {
    fn look(self, lineage: &Lineage) -> Look {
        let is_synced = self.synced.as_ref().is_some_and(|commit| lineage.accepts(commit));
        if is_finished(self.synced.as_ref(), self.compliance, self.mentions, lineage) {
            Look::Finished
        } else if self.is_suspended || *self.compliance == Compliance::Suspended {
            Look::Suspended
        } else if is_synced
            && (*self.compliance == Compliance::NonCompliant || *self.provisioning == Provisioning::Failed)
        {
            Look::Troubled
        } else if is_synced {
            Look::Fetched
        } else {
            Look::Underway
        }
    }
}

/// How many configurations that follow the branch look how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Looks {
    pub(crate) total: usize,
    pub(crate) finished: usize,
    pub(crate) fetched: usize,
    pub(crate) suspended: usize,
    pub(crate) troubled: usize,
}

impl Looks {
    pub(crate) fn count(looks: impl IntoIterator<Item = (Look, usize)>) -> Looks {
        let mut counts = Looks::default();
        for (look, count) in looks {
            counts.total = counts.total.saturating_add(count);
            match look {
                Look::Finished => counts.finished = counts.finished.saturating_add(count),
                Look::Fetched => counts.fetched = counts.fetched.saturating_add(count),
                Look::Suspended => counts.suspended = counts.suspended.saturating_add(count),
                Look::Troubled => counts.troubled = counts.troubled.saturating_add(count),
                Look::Underway => {}
            }
        }
        counts
    }

    /// How many more there are that have come to a commit that counts than `known` ones.
    ///
    /// What is known may be ahead of a tally: what that shows as fetched may have come further.
    pub(crate) fn arrived_beyond(self, known: Looks) -> usize {
        let [finished, fetched, troubled] =
            [(self.finished, known.finished), (self.fetched, known.fetched), (self.troubled, known.troubled)]
                .map(|(shown, known)| (shown.saturating_sub(known), known.saturating_sub(shown)));
        let ahead = finished.1.saturating_add(troubled.1);
        finished.0.saturating_add(troubled.0).saturating_add(fetched.0.saturating_sub(ahead))
    }
}

impl Tally {
    /// What of it follows the branch.
    pub(crate) fn of_branch(mut self, target: &Target) -> Tally {
        self.groups.retain(|group| {
            let Group { source_kind, url, reference, provisioning, .. } = group;
            target.following(source_kind, url, reference, provisioning) == Following::Branch
        });
        self
    }

    pub(crate) fn looks(&self, lineage: &Lineage) -> Looks {
        Looks::count(self.groups.iter().map(|group| (Look::of_group(group, lineage), group.count)))
    }

    pub(crate) fn total(&self) -> usize {
        self.groups.iter().map(|group| group.count).fold(0, usize::saturating_add)
    }

    /// How many do not look finished.
    pub(crate) fn unfinished(&self, lineage: &Lineage) -> usize {
        let unfinished = |group: &&Group| Look::of_group(group, lineage) != Look::Finished;
        self.groups.iter().filter(unfinished).map(|group| group.count).fold(0, usize::saturating_add)
    }

    /// The latest report.
    pub(crate) fn latest(&self) -> Option<Time> {
        self.groups.iter().filter_map(|group| group.latest).max()
    }

    /// The latest report of those that look finished.
    pub(crate) fn latest_finished(&self, lineage: &Lineage) -> Option<Time> {
        let finished = self.groups.iter().filter(|group| Look::of_group(group, lineage) == Look::Finished);
        finished.filter_map(|group| group.latest).max()
    }
}

/// Whether it has fetched a commit that counts, and says that it applied one, as far as a tally tells.
pub(crate) fn is_finished(
    synced: Option<&CommitId>,
    compliance: &Compliance,
    mentions: bool,
    lineage: &Lineage,
) -> bool {
    mentions && *compliance == Compliance::Compliant && synced.is_some_and(|commit| lineage.accepts(commit))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_has_arrived_is_no_news_where_it_has_come_further() {
        let looks =
            |finished, fetched, troubled| Looks { total: 9, finished, fetched, suspended: 0, troubled };
        for (shown, known, want, why) in [
            (looks(0, 0, 0), looks(0, 0, 0), 0, "nothing has arrived"),
            (looks(3, 2, 1), looks(3, 2, 1), 0, "everything is known"),
            (looks(3, 0, 0), looks(1, 0, 0), 2, "two are finished"),
            (looks(0, 2, 0), looks(0, 0, 0), 2, "two have fetched it"),
            (looks(0, 0, 2), looks(0, 0, 1), 1, "one is troubled"),
            (looks(2, 0, 0), looks(1, 1, 0), 1, "what had fetched it is finished"),
            (looks(1, 0, 1), looks(1, 1, 0), 1, "what had fetched it is troubled"),
            (looks(0, 3, 0), looks(1, 2, 0), 0, "what has fetched it is known as finished"),
            (looks(0, 3, 0), looks(0, 2, 1), 0, "what has fetched it is known as troubled"),
            (looks(0, 4, 0), looks(1, 2, 0), 1, "and another one"),
            (looks(0, 1, 0), looks(5, 0, 0), 0, "what is known is ahead"),
        ] {
            assert_eq!(shown.arrived_beyond(known), want, "{why}");
        }
    }

    #[test]
    fn looks() {
        use {Compliance::*, Provisioning::*};
        let commit = |digit: char| CommitId::new(&digit.to_string().repeat(40));
        let target = Target {
            repository: String::new(),
            branch: String::new(),
            root: String::new(),
            cluster_types: BTreeSet::new(),
            commit: commit('1').unwrap(),
            promoted: None,
        };
        let lineage = Lineage::new(&target);
        let cases = [
            ('1', Compliant, Succeeded, false, true, Look::Finished, "says that it applied it"),
            ('1', Compliant, Succeeded, true, true, Look::Finished, "and whatever it is told"),
            ('1', Compliant, Succeeded, false, false, Look::Fetched, "still compliant from before"),
            ('1', Pending, Succeeded, false, true, Look::Fetched, "applied in part"),
            ('1', NonCompliant, Succeeded, false, true, Look::Troubled, "something is wrong"),
            ('1', Pending, Provisioning::Failed, false, false, Look::Troubled, "it is not set up"),
            ('1', NonCompliant, Provisioning::Failed, false, false, Look::Troubled, "both"),
            ('1', NonCompliant, Succeeded, true, false, Look::Suspended, "nothing is tried again"),
            ('0', Suspended, Succeeded, false, false, Look::Suspended, "said to do nothing"),
            ('0', Compliant, Succeeded, false, true, Look::Underway, "another commit"),
            (
                '0',
                NonCompliant,
                Provisioning::Failed,
                false,
                false,
                Look::Underway,
                "another commit, and wrong",
            ),
        ];
        for (synced, compliance, provisioning, is_suspended, mentions, want, why) in cases {
            let glimpse = Glimpse {
                synced: &commit(synced),
                compliance: &compliance,
                provisioning: &provisioning,
                is_suspended,
                mentions,
            };
            assert_eq!(glimpse.look(&lineage), want, "{why}");
        }
    }
}
