//! A world that is told what to show, and a check in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rollout::{
    Answer, Channel, Cluster, CommitId, Compliance, ConfigurationId, Connectivity, Direct, Failure, Grace,
    Group, Kustomization, Next, ObjectStatus, Observation, OnTrouble, Policy, Provisioning, Question, Read,
    Ready, Reference, Relation, Rollout, Source, State, Tally, Target, Time, Unobserved, Verdict, Waits,
};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
/// So long resources are read themselves before the next step is asked for.
pub(crate) const BATCH: Duration = Duration::from_secs(15);
pub(crate) const START: Time = Time(1_000_000);

pub(crate) fn commit(digit: char) -> CommitId {
    CommitId::new(&digit.to_string().repeat(40)).unwrap()
}

pub(crate) fn id(name: &str) -> ConfigurationId {
    ConfigurationId::new(name)
}

/// The commit that is checked carries `a`; `0` is what was there before.
pub(crate) fn target() -> Target {
    Target {
        repository: "https://github.com/org/gitops".to_owned(),
        branch: "dev".to_owned(),
        root: String::new(),
        cluster_types: BTreeSet::from(["drone".to_owned(), "large".to_owned()]),
        commit: commit('1'),
        promoted: Some(commit('a')),
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        timeout: 60 * MINUTE,
        poll_interval: Duration::from_secs(15),
        grace: Grace::Fixed(10 * MINUTE),
        min_clusters: 1,
        on_suspended: OnTrouble::Ignore,
        on_disconnected: OnTrouble::Wait,
        on_unobserved: Unobserved::Said,
    }
}

/// A configuration as it was before: everything at commit `0`, on a cluster of its own.
pub(crate) fn fresh(name: &str) -> Observation {
    let kustomization = Kustomization {
        path: "./drone".to_owned(),
        waits: Waits::ForHealth,
        sync_interval: 10 * MINUTE,
        retry_interval: None,
        timeout: 10 * MINUTE,
    };
    let mut observation = Observation {
        id: id(name),
        name: name.to_owned(),
        namespace: "flux".to_owned(),
        cluster: Cluster {
            id: format!("cluster-{name}"),
            name: format!("cluster-{name}"),
            connectivity: Connectivity::Connected,
        },
        source: Source {
            kind: "GitRepository".to_owned(),
            url: "https://github.com/org/gitops".to_owned(),
            reference: Reference { branch: Some("dev".to_owned()), ..Reference::default() },
            sync_interval: 10 * MINUTE,
        },
        kustomizations: BTreeMap::from([("apps".to_owned(), kustomization)]),
        is_suspended: false,
        synced: None,
        compliance: Compliance::Compliant,
        provisioning: Provisioning::Succeeded,
        objects: Vec::new(),
        message: None,
        reported: Some(START),
        channel: Channel::Index,
    };
    at(&mut observation, '0');
    observation
}

/// Synced and applied.
pub(crate) fn at(observation: &mut Observation, digit: char) {
    observation.synced = Some(commit(digit));
    observation.compliance = Compliance::Compliant;
    observation.objects = vec![ObjectStatus {
        kind: "Kustomization".to_owned(),
        name: format!("{}-apps", observation.name),
        namespace: "flux".to_owned(),
        ready: Some(Ready::True),
        reason: "ReconciliationSucceeded".to_owned(),
        message: format!("Applied revision: dev@sha1:{}", commit(digit)),
        applied: Some(commit(digit)),
    }];
}

/// Synced, but something is wrong.
pub(crate) fn broken(observation: &mut Observation, digit: char, reason: &str) {
    at(observation, digit);
    observation.compliance = Compliance::NonCompliant;
    observation.objects[0].ready = Some(Ready::False);
    observation.objects[0].reason = reason.to_owned();
    observation.objects[0].applied = None;
}

#[derive(Clone)]
pub(crate) struct Story {
    pub(crate) rollout: Rollout,
    pub(crate) now: Time,
    pub(crate) head: CommitId,
    /// What rows show
    pub(crate) rows: BTreeMap<ConfigurationId, Observation>,
    /// What resources themselves say, where that is something else than their rows
    pub(crate) resources: BTreeMap<ConfigurationId, Direct>,
    pub(crate) relations: BTreeMap<CommitId, Relation>,
    pub(crate) tracked: BTreeMap<CommitId, Option<CommitId>>,
    pub(crate) is_truncated: bool,
    /// How long it takes to read one resource itself
    pub(crate) visit: Duration,
    /// The kind of step that fails now
    pub(crate) failing: Option<&'static str>,
    pub(crate) log: Vec<String>,
}

impl Story {
    pub(crate) fn new(policy: Policy, names: &[&str]) -> Story {
        Story::of(target(), policy, names)
    }

    pub(crate) fn of(target: Target, policy: Policy, names: &[&str]) -> Story {
        Story {
            rollout: Rollout::new(target, policy, START),
            now: START,
            head: commit('1'),
            rows: names.iter().map(|name| (id(name), fresh(name))).collect(),
            resources: BTreeMap::new(),
            relations: BTreeMap::from([(commit('0'), Relation::Ancestor)]),
            tracked: BTreeMap::new(),
            is_truncated: false,
            visit: Duration::ZERO,
            failing: None,
            log: Vec::new(),
        }
    }

    /// A new report of a configuration.
    pub(crate) fn report(&mut self, name: &str, change: impl FnOnce(&mut Observation)) {
        let row = self.rows.get_mut(&id(name)).unwrap();
        change(row);
        row.reported = Some(self.now);
    }

    /// What the resource itself says from now on, whatever its row shows.
    pub(crate) fn resource(&mut self, name: &str, change: impl FnOnce(&mut Observation)) {
        let mut observation = self.rows[&id(name)].clone();
        change(&mut observation);
        observation.reported = Some(self.now);
        self.resources.insert(id(name), Direct::Found(Box::new(observation)));
    }

    /// Does everything up to the next wait, and sleeps; or up to the end.
    pub(crate) fn poll(&mut self) -> Option<Verdict> {
        for _ in 0..1_000 {
            let next = self.rollout.next(self.now);
            if self.failing.is_some_and(|kind| kind == kind_of(&next)) {
                self.log.push(format!("{} fails", kind_of(&next)));
                self.rollout.failed(self.now);
                continue;
            }
            match next {
                Next::Ask(questions) => self.answer(questions),
                Next::Read(read) => self.read(read),
                Next::Wait(duration) => {
                    assert!(!duration.is_zero(), "a wait takes time");
                    self.now = self.now + duration;
                    return None;
                }
                Next::End(verdict) => return Some(verdict),
            }
        }
        panic!("no wait: {:?}", self.log);
    }

    fn answer(&mut self, questions: Vec<Question>) {
        assert!(!questions.is_empty());
        for question in questions {
            let (text, answer) = match question {
                Question::Lineage(commit) => {
                    let relation = self.relations.get(&commit).copied().unwrap_or(Relation::Missing);
                    (format!("lineage {}", &commit.as_str()[..1]), Answer::Lineage(commit, relation))
                }
                Question::Tracked(commit) => {
                    let tracked = self.tracked.get(&commit).cloned().flatten();
                    (format!("tracked {}", &commit.as_str()[..1]), Answer::Tracked(commit, tracked))
                }
                Question::Promoted(commit) => {
                    let relation = self.relations.get(&commit).copied().unwrap_or(Relation::Missing);
                    (format!("promoted {}", &commit.as_str()[..1]), Answer::Promoted(commit, relation))
                }
            };
            self.log.push(text);
            self.rollout.answer(answer);
        }
    }

    fn read(&mut self, read: Read) {
        match read {
            Read::Poll { mentioning } => {
                self.log.push("poll".to_owned());
                let tally = self.tally(&mentioning);
                self.rollout.polled(self.head.clone(), tally, self.now);
            }
            Read::Arrived { commits, since } => {
                self.log.push(if since.is_some() { "arrived since" } else { "arrived" }.to_owned());
                let rows = self.rows.values().filter(|row| {
                    row.synced.as_ref().is_some_and(|synced| commits.contains(synced)) && row.reported > since
                });
                self.rollout.observed(rows.cloned().collect(), self.now);
                self.rollout.finished(self.now);
            }
            Read::All => {
                self.log.push("all".to_owned());
                // Two pages.
                let rows: Vec<_> = self.rows.values().cloned().collect();
                let (first, second) = rows.split_at(rows.len() / 2);
                self.rollout.observed(first.to_vec(), self.now);
                self.rollout.observed(second.to_vec(), self.now);
                self.rollout.finished(self.now);
            }
            Read::Direct(ids) => {
                assert!(!ids.is_empty());
                let names: Vec<_> = ids.iter().map(ConfigurationId::as_str).collect();
                self.log.push(format!("direct {}", names.join(" ")));
                let start = self.now;
                for id in ids {
                    if self.now >= start + BATCH {
                        break;
                    }
                    self.now = self.now + self.visit;
                    let row = || self.rows.get(&id).map(|row| Direct::Found(Box::new(row.clone())));
                    let direct = self.resources.get(&id).cloned().or_else(row).unwrap_or(Direct::Gone);
                    self.rollout.read_directly(&id, direct, self.now);
                }
            }
        }
    }

    pub(crate) fn tally(&self, mentioning: &[CommitId]) -> Tally {
        self.tally_of(&self.rows, mentioning)
    }

    /// A tally of rows that need not be those that are shown.
    pub(crate) fn tally_of(
        &self,
        rows: &BTreeMap<ConfigurationId, Observation>,
        mentioning: &[CommitId],
    ) -> Tally {
        let group = |row: &Observation| Group {
            source_kind: row.source.kind.clone(),
            url: row.source.url.clone(),
            reference: row.source.reference.clone(),
            synced: row.synced.clone(),
            compliance: row.compliance.clone(),
            provisioning: row.provisioning.clone(),
            is_suspended: row.is_suspended,
            mentions: row
                .objects
                .iter()
                .any(|object| object.applied.as_ref().is_some_and(|commit| mentioning.contains(commit))),
            count: 1,
            latest: row.reported,
        };
        Tally { groups: rows.values().map(group).collect(), is_truncated: self.is_truncated }
    }

    /// What was done since this was asked last.
    pub(crate) fn done(&mut self) -> String {
        std::mem::take(&mut self.log).join(", ")
    }

    pub(crate) fn sleep(&mut self, duration: Duration) {
        self.now = self.now + duration;
    }

    /// Polls on until the end.
    pub(crate) fn end(&mut self) -> Verdict {
        for _ in 0..2_000 {
            if let Some(verdict) = self.poll() {
                return verdict;
            }
        }
        panic!("no end: {:?}", self.log);
    }

    pub(crate) fn state(&self, name: &str) -> Option<State> {
        let standings = self.rollout.standings(self.now);
        standings
            .into_iter()
            .find(|standing| standing.observation.id == id(name))
            .map(|standing| standing.state)
    }
}

pub(crate) fn kind_of(next: &Next) -> &'static str {
    match next {
        Next::Ask(_) => "ask",
        Next::Read(Read::Poll { .. }) => "poll",
        Next::Read(Read::Arrived { .. }) => "arrived",
        Next::Read(Read::All) => "all",
        Next::Read(Read::Direct(_)) => "direct",
        Next::Wait(_) => "wait",
        Next::End(_) => "end",
    }
}

pub(crate) fn failed(names: &[&str]) -> Verdict {
    let configurations = names.iter().map(|name| id(name)).collect();
    Verdict::Failed(Failure { configurations, ..Failure::default() })
}
