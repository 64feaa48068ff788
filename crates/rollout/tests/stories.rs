//! Checks from their first step to their verdict, in a world that is told what to show.

#![allow(clippy::unwrap_used, reason = "what helps a test ends with it")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rollout::{
    Answer, Channel, Cluster, CommitId, Compliance, ConfigurationId, Connectivity, Direct, Failure, Grace,
    Group, Health, Kustomization, Missing, Next, NotCounted, ObjectStatus, Observation, OnTrouble, Policy,
    Provisioning, Question, Read, Ready, Reference, Relation, Rollout, Source, State, Tally, Target, Time,
    Unobserved, Verdict, Waits, WhyIgnored, WhyWaiting,
};

const MINUTE: Duration = Duration::from_secs(60);
/// So long resources are read themselves before the next step is asked for.
const BATCH: Duration = Duration::from_secs(15);
const START: Time = Time(1_000_000);

fn commit(digit: char) -> CommitId {
    CommitId::new(&digit.to_string().repeat(40)).unwrap()
}

fn id(name: &str) -> ConfigurationId {
    ConfigurationId::new(name)
}

/// The commit that is checked carries `a`; `0` is what was there before.
fn target() -> Target {
    Target {
        repository: "https://github.com/org/gitops".to_owned(),
        branch: "dev".to_owned(),
        root: String::new(),
        cluster_types: BTreeSet::from(["drone".to_owned(), "large".to_owned()]),
        commit: commit('1'),
        promoted: Some(commit('a')),
    }
}

fn policy() -> Policy {
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
fn fresh(name: &str) -> Observation {
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
fn at(observation: &mut Observation, digit: char) {
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
fn broken(observation: &mut Observation, digit: char, reason: &str) {
    at(observation, digit);
    observation.compliance = Compliance::NonCompliant;
    observation.objects[0].ready = Some(Ready::False);
    observation.objects[0].reason = reason.to_owned();
    observation.objects[0].applied = None;
}

#[derive(Clone)]
struct Story {
    rollout: Rollout,
    now: Time,
    head: CommitId,
    /// What rows show
    rows: BTreeMap<ConfigurationId, Observation>,
    /// What resources themselves say, where that is something else than their rows
    resources: BTreeMap<ConfigurationId, Direct>,
    relations: BTreeMap<CommitId, Relation>,
    tracked: BTreeMap<CommitId, Option<CommitId>>,
    is_truncated: bool,
    /// How long it takes to read one resource itself
    visit: Duration,
    /// The kind of step that fails now
    failing: Option<&'static str>,
    log: Vec<String>,
}

impl Story {
    fn new(policy: Policy, names: &[&str]) -> Story {
        Story::of(target(), policy, names)
    }

    fn of(target: Target, policy: Policy, names: &[&str]) -> Story {
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
    fn report(&mut self, name: &str, change: impl FnOnce(&mut Observation)) {
        let row = self.rows.get_mut(&id(name)).unwrap();
        change(row);
        row.reported = Some(self.now);
    }

    /// What the resource itself says from now on, whatever its row shows.
    fn resource(&mut self, name: &str, change: impl FnOnce(&mut Observation)) {
        let mut observation = self.rows[&id(name)].clone();
        change(&mut observation);
        observation.reported = Some(self.now);
        self.resources.insert(id(name), Direct::Found(Box::new(observation)));
    }

    /// Does everything up to the next wait, and sleeps; or up to the end.
    fn poll(&mut self) -> Option<Verdict> {
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

    fn tally(&self, mentioning: &[CommitId]) -> Tally {
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
        Tally { groups: self.rows.values().map(group).collect(), is_truncated: self.is_truncated }
    }

    /// What was done since this was asked last.
    fn done(&mut self) -> String {
        std::mem::take(&mut self.log).join(", ")
    }

    fn sleep(&mut self, duration: Duration) {
        self.now = self.now + duration;
    }

    /// Polls on until the end.
    fn end(&mut self) -> Verdict {
        for _ in 0..2_000 {
            if let Some(verdict) = self.poll() {
                return verdict;
            }
        }
        panic!("no end: {:?}", self.log);
    }

    fn state(&self, name: &str) -> Option<State> {
        let standings = self.rollout.standings(self.now);
        standings
            .into_iter()
            .find(|standing| standing.observation.id == id(name))
            .map(|standing| standing.state)
    }
}

fn kind_of(next: &Next) -> &'static str {
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

fn failed(names: &[&str]) -> Verdict {
    let configurations = names.iter().map(|name| id(name)).collect();
    Verdict::Failed(Failure { configurations, ..Failure::default() })
}

#[test]
fn everything_goes_well() {
    let mut story = Story::new(policy(), &["x", "y"]);
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll, lineage 0", "only the tally");
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll, arrived", "one has arrived");
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll", "nothing is asked twice");
    story.report("y", |y| at(y, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived since, all", "the other one, and a look at everything");
    assert_eq!(story.poll(), Some(Verdict::Compliant), "it is over for good");
    assert_eq!(story.done(), "");
}

#[test]
fn what_is_fetched_is_not_applied() {
    let mut story = Story::new(policy(), &["x"]);
    story.poll();
    story.report("x", |x| x.synced = Some(commit('1')));
    assert_eq!(
        story.poll(),
        None,
        "still compliant from before, and no object says that the commit is applied"
    );
    assert_eq!(story.done(), "poll, lineage 0, poll, arrived");
    story.report("x", |x| x.objects[0].message = format!("stored dev@sha1:{}", commit('1')));
    assert_eq!(story.poll(), None, "an object names the commit, but not as applied");
    assert_eq!(story.done(), "poll");
    let unproven =
        State::Waiting(WhyWaiting::Unproven(Missing::Applied("apps".to_owned(), Some(commit('0')))));
    assert_eq!(story.state("x"), Some(unproven));
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll", "the row is known");
    story.sleep(Duration::from_secs(1));
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant), "it reported anew");
    assert_eq!(story.done(), "poll, arrived since, all");
}

/// The head of the branch, what it tracks, how that stands to what is promoted → the end.
#[test]
fn the_branch_goes_on() {
    let superseded = |by: Option<char>| Some(Verdict::Superseded { head: commit('2'), by: by.map(commit) });
    let reverted = |by: Option<char>| Some(Verdict::Reverted { head: commit('2'), by: by.map(commit) });
    let cases = [
        (Relation::Descendant, Some('a'), None, None, "only the configuration changed"),
        (Relation::Descendant, Some('b'), Some(Relation::Descendant), superseded(Some('b')), "newer"),
        (Relation::Descendant, Some('b'), Some(Relation::Diverged), superseded(Some('b')), "beside it"),
        (Relation::Descendant, Some('b'), Some(Relation::Missing), superseded(Some('b')), "unknown"),
        (Relation::Descendant, Some('b'), Some(Relation::Ancestor), reverted(Some('b')), "older"),
        (Relation::Descendant, Some('b'), Some(Relation::Same), None, "another name of the same"),
        (Relation::Descendant, None, None, reverted(None), "nothing is promoted any more"),
        (Relation::Same, None, None, None, "another name of the head"),
    ];
    for (relation, tracked, promoted, want, why) in cases {
        let mut story = Story::new(policy(), &["x"]);
        story.poll();
        story.head = commit('2');
        story.relations.insert(commit('2'), relation);
        story.tracked.insert(commit('2'), tracked.map(commit));
        story.relations.extend(promoted.map(|promoted| (commit('b'), promoted)));
        story.done();
        assert_eq!(story.poll(), want, "{why}");
        assert!(story.done().starts_with("poll, lineage 2"), "{why}");
        if want.is_none() {
            story.poll();
            assert_eq!(story.done(), "poll", "{why}: nothing is asked twice");
        }
    }
}

#[test]
fn a_branch_without_the_commit_is_looked_at_for_a_minute() {
    let superseded = Some(Verdict::Superseded { head: commit('2'), by: None });
    for (relation, why) in [
        (Relation::Ancestor, "taken back by force"),
        (Relation::Diverged, "written anew by force"),
        (Relation::Missing, "nothing is left of it"),
    ] {
        let astray = || {
            let mut story = Story::new(policy(), &["x"]);
            story.report("x", |x| at(x, '1'));
            story.relations.insert(commit('2'), relation);
            story.head = commit('2');
            story
        };
        let mut story = astray();
        assert_eq!(story.end(), superseded.clone().unwrap(), "{why}");
        assert_eq!(story.now, START + MINUTE, "{why}");
        assert_eq!(story.done(), "poll, lineage 2, poll, poll, poll, poll", "{why}: nothing else is read");

        let mut story = astray();
        story.sleep(MINUTE);
        assert_eq!(story.poll(), None, "{why}: one look is one look");
        story.head = commit('1');
        assert_eq!(story.poll(), Some(Verdict::Compliant), "{why}: only as it was a moment ago");

        let mut story = astray();
        story.report("x", |x| at(x, '0'));
        story.poll();
        story.head = commit('1');
        story.poll();
        story.head = commit('2');
        story.sleep(MINUTE);
        assert_eq!(story.poll(), None, "{why}: the minute begins anew");

        let mut story = astray();
        story.rollout = Rollout::new(target(), Policy { poll_interval: 10 * MINUTE, ..policy() }, story.now);
        assert_eq!(story.end(), superseded.clone().unwrap(), "{why}");
        assert_eq!(story.now, START + MINUTE, "{why}: not later than a minute");
    }
}

#[test]
fn a_branch_without_the_commit_when_time_is_over() {
    let mut story = Story::new(policy(), &["x"]);
    story.relations.insert(commit('2'), Relation::Ancestor);
    story.now = START + Duration::from_secs(60 * 60 - 20);
    let before = story.clone();
    story.head = commit('2');
    assert_eq!(story.end(), Verdict::Superseded { head: commit('2'), by: None });
    assert_eq!(story.now, START + 60 * MINUTE + Duration::from_secs(40), "after a minute");
    assert_eq!(story.done(), "poll, lineage 0, lineage 2, poll, poll, poll, poll, poll");

    let mut story = before.clone();
    story.head = commit('2');
    story.poll();
    story.poll();
    story.head = commit('1');
    assert_eq!(story.poll(), Some(Verdict::Timeout), "only as it was a moment ago");
    assert_eq!(story.done(), "poll, lineage 0, lineage 2, poll, poll, all, direct x");

    // The poll says so right before time is over, and the answer comes after.
    let mut story = before;
    let Next::Read(Read::Poll { mentioning }) = story.rollout.next(story.now) else { panic!("a poll") };
    story.rollout.polled(commit('2'), story.tally(&mentioning), story.now);
    story.sleep(MINUTE);
    assert_eq!(story.poll(), None, "one look is one look");
    story.head = commit('2');
    assert_eq!(story.end(), Verdict::Superseded { head: commit('2'), by: None });
}

#[test]
fn nothing_is_tracked() {
    let untracked = || Target { promoted: None, ..target() };
    let mut story = Story::of(untracked(), policy(), &["x"]);
    story.head = commit('2');
    story.relations.insert(commit('2'), Relation::Descendant);
    assert_eq!(story.poll(), None, "nothing there, nothing here");
    let mut story = Story::of(untracked(), policy(), &["x"]);
    story.head = commit('2');
    story.relations.insert(commit('2'), Relation::Descendant);
    story.tracked.insert(commit('2'), Some(commit('b')));
    let superseded = Verdict::Superseded { head: commit('2'), by: Some(commit('b')) };
    assert_eq!(story.poll(), Some(superseded), "the first that is promoted");
}

#[test]
fn a_later_commit_counts() {
    let mut story = Story::new(policy(), &["x", "y", "z"]);
    story.head = commit('2');
    story.relations.extend([(commit('2'), Relation::Descendant), (commit('3'), Relation::Descendant)]);
    story.tracked.insert(commit('2'), Some(commit('a')));
    story.tracked.insert(commit('3'), Some(commit('b')));
    story.poll();
    story.report("x", |x| at(x, '2'));
    story.report("y", |y| at(y, '1'));
    story.report("z", |z| at(z, '3'));
    assert_eq!(story.poll(), None, "what z has carries another promoted commit");
    assert_eq!(story.done(), "poll, lineage 0, lineage 2, tracked 2, poll, lineage 3, tracked 3, arrived");
    story.report("z", |z| {
        at(z, '2');
        z.objects[0].applied = Some(commit('1'));
    });
    assert_eq!(story.poll(), Some(Verdict::Compliant), "fetched the one, applied the other");
    let Next::End(_) = story.rollout.next(story.now) else { panic!("it is over") };
}

#[test]
fn a_poll_mentions_what_counts() {
    let mut story = Story::new(policy(), &["x"]);
    let mentioning = |story: &mut Story| match story.rollout.next(story.now) {
        Next::Read(Read::Poll { mentioning }) => mentioning,
        next => panic!("{next:?}"),
    };
    assert_eq!(mentioning(&mut story), [commit('1')]);
    story.relations.extend([(commit('2'), Relation::Descendant), (commit('3'), Relation::Descendant)]);
    story.relations.insert(commit('4'), Relation::Descendant);
    story.tracked.extend(['2', '3'].map(|digit| (commit(digit), Some(commit('a')))));
    story.tracked.insert(commit('4'), Some(commit('b')));
    story.relations.insert(commit('b'), Relation::Same);
    for head in ['3', '2', '4'] {
        story.head = commit(head);
        assert_eq!(story.poll(), None);
    }
    assert_eq!(mentioning(&mut story), [commit('1'), commit('2'), commit('3')]);
}

#[test]
fn rows_name_commits_that_the_tally_does_not() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| at(x, '1'));
    story.report("y", |y| {
        at(y, '1');
        y.objects[0].applied = Some(commit('5'));
    });
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll, arrived, lineage 5", "what is applied counts, too");
    let applied = Missing::Applied("apps".to_owned(), Some(commit('5')));
    assert_eq!(story.state("y"), Some(State::Waiting(WhyWaiting::Unproven(applied))));
    story.report("y", |y| at(y, '6'));
    story.relations.insert(commit('6'), Relation::Descendant);
    story.tracked.insert(commit('6'), Some(commit('a')));
    assert_eq!(story.poll(), None, "the tally was asked about the other one");
    assert_eq!(story.done(), "poll, lineage 6, tracked 6");
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived since, all");
}

#[test]
fn what_a_pass_over_all_rows_has_shown_is_not_read_again() {
    let mut story = Story::new(policy(), &["x", "y"]);
    for name in ["x", "y"] {
        story.report(name, |row| at(row, '1'));
    }
    let y = story.rows.get_mut(&id("y")).unwrap();
    let unheard_of = y.kustomizations["apps"].clone();
    y.kustomizations.insert("infra".to_owned(), unheard_of);
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll, all", "all look done");
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll", "there is nothing new");
    story.report("y", |y| drop(y.kustomizations.remove("infra")));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived since, all");
}

#[test]
fn a_nested_object_names_other_repositories() {
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| {
        at(x, '1');
        let nested =
            ObjectStatus { name: "app".to_owned(), applied: Some(commit('e')), ..x.objects[0].clone() };
        x.objects.push(nested);
    });
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all", "nothing is asked of it");
}

#[test]
fn too_few_clusters() {
    let mut story = Story::new(policy(), &[]);
    assert_eq!(story.poll(), None, "one look is not enough");
    assert_eq!(story.poll(), Some(Verdict::NoClusters { seen: 0 }));
    assert_eq!(story.done(), "poll, all, poll, all");

    let mut story = Story::new(Policy { min_clusters: 0, ..policy() }, &[]);
    assert_eq!(story.poll(), Some(Verdict::Compliant), "none is enough");
    assert_eq!(story.done(), "poll, all");

    let mut story = Story::new(Policy { min_clusters: 2, ..policy() }, &["x", "y"]);
    for name in ["x", "y"] {
        story.report(name, |row| {
            at(row, '1');
            row.cluster.id = "cluster".to_owned();
        });
    }
    assert_eq!(story.poll(), None, "two configurations on one cluster");
    assert_eq!(story.done(), "poll, all");
    story.rows.insert(id("z"), Observation { reported: Some(story.now), ..fresh("z") });
    assert_eq!(story.poll(), None, "another cluster in time");
    assert_eq!(story.done(), "poll, lineage 0, all");
    story.rows.remove(&id("z"));
    story.sleep(5 * MINUTE);
    assert_eq!(story.poll(), None, "it goes away: counted anew");
    assert_eq!(story.done(), "poll, all, direct z");
    assert_eq!(story.poll(), None);
    assert_eq!(story.poll(), Some(Verdict::NoClusters { seen: 1 }));
    assert_eq!(story.done(), "poll, all, poll, all");
}

#[test]
fn clusters_join() {
    let mut story = Story::new(policy(), &["x"]);
    story.poll();
    story.report("x", |x| at(x, '1'));
    story.rows.insert(id("y"), fresh("y"));
    assert_eq!(story.poll(), None, "the tally has one more");
    story.report("y", |y| at(y, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.rollout.standings(story.now).len(), 2);
}

#[test]
fn rows_vanish() {
    let gone = |story: &mut Story| story.rows.remove(&id("y")).unwrap();
    let both_done = |policy| {
        let mut story = Story::new(policy, &["x", "y", "z"]);
        story.report("x", |x| at(x, '1'));
        story.report("y", |y| at(y, '1'));
        story.poll();
        story.report("z", |z| at(z, '1'));
        story.done();
        story
    };

    let mut story = both_done(policy());
    gone(&mut story);
    assert_eq!(story.poll(), Some(Verdict::Compliant), "it has been removed");
    assert_eq!(story.done(), "poll, all, direct y");
    assert_eq!(story.state("y"), None);

    let mut story = both_done(policy());
    let y = gone(&mut story);
    story.resources.insert(id("y"), Direct::Unreadable);
    assert_eq!(story.poll(), None, "nobody knows");
    assert_eq!(story.state("y"), Some(State::Waiting(WhyWaiting::Unreadable)));
    story.done();
    story.poll();
    assert_eq!(story.done(), "poll", "not read again at once");
    story.sleep(MINUTE);
    story.resources.insert(id("y"), Direct::Found(Box::new(y.clone())));
    assert_eq!(story.poll(), Some(Verdict::Compliant), "it is read again");
    assert_eq!(story.done(), "poll, direct y, all, direct y");

    let mut story = both_done(policy());
    let y = gone(&mut story);
    story.resources.insert(id("y"), Direct::Unreadable);
    story.poll();
    story.rows.insert(id("y"), y);
    story.done();
    story.sleep(5 * MINUTE);
    assert_eq!(story.poll(), None, "visits come before");
    assert_eq!(story.end(), Verdict::Compliant, "its row is back");
}

#[test]
fn rows_are_older_than_what_is_known() {
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
    story.poll();
    story.sleep(10 * MINUTE);
    story.resource("x", |x| at(x, '1'));
    story.done();
    assert_eq!(story.poll(), Some(Verdict::Compliant), "the resource says so, whatever the row does");
    assert_eq!(story.done(), "poll, direct x, arrived since, all, direct x");

    let mut story = Story::new(policy(), &["x", "y"]);
    story.sleep(10 * MINUTE);
    for name in ["x", "y"] {
        story.report(name, |row| at(row, '1'));
    }
    story.rows.get_mut(&id("y")).unwrap().compliance = Compliance::Pending;
    story.poll();
    story.report("y", |y| y.compliance = Compliance::Compliant);
    story.rows.get_mut(&id("x")).unwrap().reported = Some(START);
    assert_eq!(story.poll(), None, "an older report proves nothing, in the row or in the resource");
    assert_eq!(story.done(), "poll, arrived, poll, arrived since, all, direct x");
    story.rows.get_mut(&id("x")).unwrap().reported = None;
    assert_eq!(story.poll(), None, "nor one without a time");
    story.report("x", |_| {});
    assert_eq!(story.poll(), Some(Verdict::Compliant));
}

#[test]
fn what_was_done_is_undone() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| at(x, '1'));
    story.poll();
    story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
    story.report("y", |y| at(y, '1'));
    story.done();
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll, arrived since", "as many look finished, but one is in trouble");
    assert!(matches!(story.state("x"), Some(State::Failing { .. })));
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant));

    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| at(x, '1'));
    story.poll();
    story.report("x", |x| at(x, '0'));
    story.report("y", |y| at(y, '1'));
    assert_eq!(story.poll(), None, "one went back");
    story.done();
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived since, all");
}

#[test]
fn failures_last() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.poll();
    story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
    let since = story.now;
    assert_eq!(story.poll(), None);
    let failing = State::Failing { since, fails_at: since + 10 * MINUTE };
    assert_eq!(story.state("x"), Some(failing.clone()));
    story.now = Time(since.0 + 599);
    story.report("x", |_| {});
    story.done();
    assert_eq!(story.poll(), None, "not yet");
    assert_eq!(story.done(), "poll");
    assert_eq!(story.state("x"), Some(failing));
    assert_eq!(story.poll(), Some(failed(&["x"])));
    assert_eq!(story.done(), "poll, direct x", "after a look at it");
}

#[test]
fn failures_pass() {
    let failing = |names: &[&str]| {
        let mut story = Story::new(policy(), names);
        for name in names {
            story.report(name, |row| broken(row, '1', "HealthCheckFailed"));
        }
        story.poll();
        story.sleep(10 * MINUTE);
        story.done();
        story
    };
    let mut story = failing(&["x"]);
    story.report("x", |x| x.compliance = Compliance::Pending);
    assert_eq!(story.poll(), None, "it tries again");
    assert_eq!(story.done(), "poll, direct x");
    story.report("x", |x| x.compliance = Compliance::NonCompliant);
    assert_eq!(story.poll(), None, "the time begins anew");
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant));

    let mut story = failing(&["x"]);
    story.resources.insert(id("x"), Direct::Unreadable);
    assert_eq!(story.poll(), None, "nobody can tell");
    assert_eq!(story.done(), "poll, direct x");

    let mut story = failing(&["x"]);
    story.rows.get_mut(&id("x")).unwrap().reported = Some(START + 9 * MINUTE);
    story.sleep(MINUTE);
    let older = Observation { reported: Some(Time(START.0 - 1)), ..story.rows[&id("x")].clone() };
    story.resources.insert(id("x"), Direct::Found(Box::new(older)));
    assert_eq!(story.poll(), None, "an older report confirms nothing");
    assert_eq!(story.done(), "poll, direct x");

    let mut story = failing(&["x", "y"]);
    story.resources.insert(id("x"), Direct::Gone);
    assert_eq!(story.poll(), Some(failed(&["y"])), "what is gone does not fail");
    assert_eq!(story.done(), "poll, direct x y");
}

/// The change to a configuration at the commit → when it fails after its report.
#[test]
fn failures_have_their_time() {
    type Change = fn(&mut Observation);
    let auto = Policy { grace: Grace::Auto, ..policy() };
    let at_once = Policy { grace: Grace::Fixed(Duration::ZERO), ..policy() };
    let cases: [(&Policy, Change, Option<Duration>, &str); 13] = [
        (&auto, |x| broken(x, '1', "HealthCheckFailed"), Some(20 * MINUTE), "interval and timeout"),
        (
            &auto,
            |x| {
                broken(x, '1', "HealthCheckFailed");
                let first = x.kustomizations["apps"].clone();
                let slow = Kustomization { retry_interval: Some(13 * MINUTE), ..first.clone() };
                x.kustomizations.insert("a".to_owned(), slow);
                let quick = Kustomization { retry_interval: Some(MINUTE), ..first };
                x.kustomizations.insert("z".to_owned(), quick);
            },
            Some(23 * MINUTE),
            "the slowest",
        ),
        (&auto, |x| broken(x, '1', "BuildFailed"), Some(2 * MINUTE), "trying again is no use"),
        (&at_once, |x| broken(x, '1', "BuildFailed"), Some(Duration::ZERO), "no more than the grace"),
        (&at_once, |x| broken(x, '1', "HealthCheckFailed"), Some(Duration::ZERO), "at once"),
        (&at_once, |x| broken(x, '1', "DependencyNotReady"), None, "it waits for others"),
        (&at_once, |x| broken(x, '1', "Progressing"), None, "it is at work"),
        (
            &auto,
            |x| {
                broken(x, '1', "Progressing");
                let other = ObjectStatus { name: "app".to_owned(), ..x.objects[0].clone() };
                x.objects.push(ObjectStatus { reason: "BuildFailed".to_owned(), ..other });
            },
            Some(20 * MINUTE),
            "a nested one may still be made",
        ),
        (
            &auto,
            |x| {
                at(x, '1');
                x.compliance = Compliance::NonCompliant;
                x.objects[0].reason = "Progressing".to_owned();
            },
            Some(20 * MINUTE),
            "ready, whatever the reason; something else is wrong",
        ),
        (
            &auto,
            |x| {
                at(x, '1');
                x.compliance = Compliance::NonCompliant;
                x.objects[0].reason = "BuildFailed".to_owned();
            },
            Some(20 * MINUTE),
            "ready after all",
        ),
        (
            &policy(),
            |x| {
                broken(x, '1', "Progressing");
                x.provisioning = Provisioning::Failed;
            },
            Some(10 * MINUTE),
            "it is not set up",
        ),
        (
            &policy(),
            |x| {
                at(x, '1');
                x.provisioning = Provisioning::Failed;
            },
            Some(10 * MINUTE),
            "not set up, but compliant",
        ),
        (
            &policy(),
            |x| {
                at(x, '1');
                x.provisioning = Provisioning::Canceled;
            },
            None,
            "called off",
        ),
    ];
    for (policy, change, want, why) in cases {
        let mut story = Story::new(policy.clone(), &["x"]);
        story.report("x", change);
        let verdict = story.end();
        match want {
            None => assert_eq!((verdict, story.now), (Verdict::Timeout, START + 60 * MINUTE), "{why}"),
            Some(after) => assert_eq!((verdict, story.now), (failed(&["x"]), START + after), "{why}"),
        }
    }
}

#[test]
fn what_is_not_fetched_fails_by_its_setup_only() {
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| {
        broken(x, '0', "HealthCheckFailed");
        x.reported = None;
    });
    assert_eq!(story.end(), Verdict::Timeout, "broken before");
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| {
        x.provisioning = Provisioning::Failed;
        x.synced = None;
    });
    assert_eq!(story.end(), failed(&["x"]));
}

#[test]
fn failures_begin_when_they_are_reported() {
    let cases = [
        (None, 30, "when it is seen, without a time"),
        (Some(START), 0, "when it was reported"),
        (Some(START + 30 * MINUTE), 30, "a clock that is ahead"),
    ];
    for (reported, since, why) in cases {
        let mut story = Story::new(policy(), &["x"]);
        story.poll();
        story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
        story.rows.get_mut(&id("x")).unwrap().reported = reported;
        story.now = Time(START.0 + 30);
        story.poll();
        let since = Time(START.0 + since);
        assert_eq!(story.state("x"), Some(State::Failing { since, fails_at: since + 10 * MINUTE }), "{why}");
    }
}

/// Who is told to do nothing or away, with which policy → the first end, and how it stands then.
#[test]
fn hindered() {
    let suspended = |x: &mut Observation| x.is_suspended = true;
    let said_suspended = |x: &mut Observation| x.compliance = Compliance::Suspended;
    let away = |x: &mut Observation| {
        x.cluster.connectivity =
            Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: Some(START) };
    };
    let unknown = |x: &mut Observation| x.cluster.connectivity = Connectivity::Unknown;
    let both = |x: &mut Observation| {
        suspended(x);
        away(x);
    };
    type Change<'a> = &'a dyn Fn(&mut Observation);
    let ignored = |why| Some(State::Ignored(why));
    let waiting = |why| Some(State::Waiting(why));
    let unproven = Missing::Synced(Some(commit('0')));
    use OnTrouble::{Fail, Ignore, Wait};
    let cases: [(Change<'_>, OnTrouble, OnTrouble, Verdict, Option<State>, &str); 14] = [
        (&suspended, Ignore, Wait, Verdict::Compliant, ignored(WhyIgnored::Suspended), "suspended"),
        (&said_suspended, Ignore, Wait, Verdict::Compliant, ignored(WhyIgnored::Suspended), "said to be so"),
        (&suspended, Wait, Ignore, Verdict::Timeout, waiting(WhyWaiting::Suspended), "waited for"),
        (&suspended, Fail, Wait, failed(&["x"]), None, "not allowed"),
        (&away, Wait, Ignore, Verdict::Compliant, ignored(WhyIgnored::Disconnected), "away"),
        (&away, Ignore, Wait, Verdict::Timeout, waiting(WhyWaiting::Disconnected), "it may come back"),
        (&away, Wait, Fail, failed(&["x"]), None, "it must be there"),
        (&unknown, Fail, Fail, Verdict::Timeout, waiting(WhyWaiting::Unproven(unproven)), "nobody knows"),
        (&both, Ignore, Wait, Verdict::Compliant, ignored(WhyIgnored::Suspended), "either is enough"),
        (&both, Wait, Ignore, Verdict::Compliant, ignored(WhyIgnored::Disconnected), "either is enough"),
        (&both, Ignore, Ignore, Verdict::Compliant, ignored(WhyIgnored::Suspended), "the one said first"),
        (&both, Wait, Wait, Verdict::Timeout, waiting(WhyWaiting::Suspended), "the one said first"),
        (&both, Fail, Ignore, failed(&["x"]), None, "failing is more"),
        (&both, Ignore, Fail, failed(&["x"]), None, "failing is more"),
    ];
    for (change, on_suspended, on_disconnected, want, state, why) in cases {
        let mut story = Story::new(Policy { on_suspended, on_disconnected, ..policy() }, &["x", "y"]);
        story.report("x", change);
        story.report("y", |y| at(y, '1'));
        assert_eq!(story.end(), want, "{why}");
        if state.is_some() {
            assert_eq!(story.state("x"), state, "{why}");
        }
        if want != Verdict::Timeout {
            assert_eq!(story.now, START, "{why}: nobody waits");
        }
    }
}

#[test]
fn hindered_but_done() {
    let policy = Policy { on_suspended: OnTrouble::Fail, on_disconnected: OnTrouble::Fail, ..policy() };
    let mut story = Story::new(policy, &["x"]);
    story.report("x", |x| {
        at(x, '1');
        x.is_suspended = true;
        x.cluster.connectivity =
            Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: None };
    });
    assert_eq!(story.end(), Verdict::Compliant, "it applied the commit before");
}

#[test]
fn what_is_hindered_does_not_fail_otherwise() {
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| {
        broken(x, '1', "BuildFailed");
        x.cluster.connectivity =
            Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: None };
    });
    assert_eq!(story.end(), Verdict::Timeout, "it may be better by now");
}

/// The folders of three configurations, of which the first is suspended → whether it is ignored.
#[test]
fn some_of_a_cluster_type_must_count() {
    let cases: [(&str, &str, &str, bool, &str); 7] = [
        ("./drone", "./drone", "./large", true, "another one counts"),
        ("./drone", "./large", "./large", false, "the only one of its type"),
        ("./other", "./drone", "./large", false, "the only one without a type"),
        ("./other", "./another", "./large", true, "another one without a type counts"),
        ("./drone ./large", "./drone", "./large", true, "each of its types has another one"),
        ("./drone ./large", "./drone", "./drone", false, "one of its types has nobody else"),
        ("./drone", "./drone ./large", "./large", true, "another one of its types counts"),
    ];
    for (x, y, z, is_ignored, why) in cases {
        let mut story = Story::new(policy(), &["x", "y", "z"]);
        for (name, paths) in [("x", x), ("y", y), ("z", z)] {
            story.report(name, |row| {
                at(row, '1');
                let kustomization = row.kustomizations["apps"].clone();
                for (index, path) in paths.split(' ').enumerate() {
                    let key = if index == 0 { "apps".to_owned() } else { format!("apps{index}") };
                    let object = ObjectStatus { name: format!("{name}-{key}"), ..row.objects[0].clone() };
                    row.objects.push(object);
                    row.kustomizations
                        .insert(key, Kustomization { path: path.to_owned(), ..kustomization.clone() });
                }
            });
        }
        story.report("x", |x| {
            at(x, '0');
            x.is_suspended = true;
        });
        let want = if is_ignored { Some(Verdict::Compliant) } else { None };
        assert_eq!(story.poll(), want, "{why}");
    }
    let mut story = Story::new(policy(), &["x", "y"]);
    for name in ["x", "y"] {
        story.report(name, |row| row.is_suspended = true);
    }
    assert_eq!(story.poll(), None, "nobody is left");
    story.done();
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll", "and that is known");
}

#[test]
fn a_disconnected_cluster_comes_back() {
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| {
        at(x, '1');
        x.objects[0].applied = None;
        x.cluster.connectivity =
            Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: None };
    });
    assert_eq!(story.poll(), None);
    story.report("x", |x| {
        at(x, '1');
        x.cluster.connectivity = Connectivity::Connected;
    });
    assert_eq!(story.poll(), Some(Verdict::Compliant));
}

#[test]
fn late_ones_are_read_themselves() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.poll();
    story.report("x", |x| at(x, '1'));
    story.poll();
    story.done();
    story.now = START + 15 * MINUTE;
    story.poll();
    assert_eq!(story.done(), "poll", "not late yet");
    story.resource("y", |y| at(y, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant), "the row lags");
    assert_eq!(story.done(), "poll, all, direct y");
}

#[test]
fn late_ones_are_read_once_a_minute() {
    let mut story = Story::new(policy(), &["x"]);
    story.now = START + 5 * MINUTE;
    story.poll();
    assert_eq!(story.done(), "poll, lineage 0", "nothing can be late yet");
    story.poll();
    assert_eq!(story.done(), "poll, all", "of what is not known, the interval is not known either");
    story.now = START + 15 * MINUTE;
    let mut polls = Vec::new();
    for _ in 0..26 {
        story.poll();
        polls.push(story.done());
    }
    let visits: Vec<_> = polls.iter().enumerate().filter(|(_, poll)| poll.contains("direct x")).collect();
    assert_eq!(visits.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 5, 9, 13, 17, 21, 25]);
    let passes: Vec<_> = polls.iter().enumerate().filter(|(_, poll)| poll.contains("all")).collect();
    assert_eq!(passes.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 21], "every five minutes");
}

#[test]
fn many_late_ones_take_turns() {
    let names: Vec<String> = (10..60).map(|number| format!("x{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut story = Story::new(Policy { poll_interval: Duration::from_secs(4), ..policy() }, &names);
    story.now = START + 16 * MINUTE;
    story.poll();
    let mut visited = Vec::new();
    for _ in 0..3 {
        let log = story.done();
        let (_, direct) = log.split_once("direct ").unwrap();
        visited.push(direct.split(' ').map(str::to_owned).collect::<Vec<_>>());
        story.poll();
    }
    assert_eq!(visited.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20, 10], "five a second");
    assert_eq!(visited.concat(), names, "everyone once");
    assert_eq!(story.done(), "poll", "and no more within the minute");
}

#[test]
fn time_is_over() {
    let over = |story: &mut Story| {
        story.poll();
        story.done();
        story.now = START + 60 * MINUTE;
    };
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| at(x, '1'));
    over(&mut story);
    assert_eq!(story.poll(), Some(Verdict::Timeout));
    assert_eq!(story.done(), "poll, all, direct y", "everything that is not done is looked at once more");

    let mut story = Story::new(policy(), &["x", "y"]);
    over(&mut story);
    story.report("x", |x| at(x, '1'));
    story.resource("y", |y| at(y, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant), "just in time");

    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| broken(x, '1', "DependencyNotReady"));
    over(&mut story);
    story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
    assert_eq!(story.poll(), Some(failed(&["x"])), "in trouble for long enough");
    assert_eq!(story.done(), "poll, all, direct x");

    for (kind, log) in [
        ("poll", "poll fails"),
        ("all", "poll, all fails"),
        ("direct", "poll, all, direct fails"),
        ("ask", "poll, ask fails"),
    ] {
        let mut story = Story::new(policy(), &["x"]);
        over(&mut story);
        let synced = if kind == "ask" { '7' } else { '0' };
        story.report("x", |x| at(x, synced));
        story.failing = Some(kind);
        assert_eq!(story.poll(), None, "{kind} fails");
        assert_eq!(story.done(), log);
        assert_eq!(story.end(), Verdict::Timeout, "{kind} fails again and again");
        assert_eq!(story.done(), [log; 3].join(", "));
        assert_eq!(story.poll(), Some(Verdict::Timeout), "it stays so");
    }

    let mut story = Story::new(policy(), &["x"]);
    over(&mut story);
    story.report("x", |x| at(x, '1'));
    story.failing = Some("all");
    story.poll();
    story.failing = None;
    assert_eq!(story.poll(), Some(Verdict::Compliant), "a moment later");
    assert_eq!(story.done(), "poll, all fails, poll, all");

    let mut story = Story::new(policy(), &["x"]);
    story.failing = Some("poll");
    story.report("x", |x| at(x, '1'));
    over(&mut story);
    assert_eq!(story.end(), Verdict::Timeout, "where the branch goes was never seen");

    let mut story = Story::new(Policy { timeout: Duration::from_secs(20), ..policy() }, &["x"]);
    story.poll();
    story.poll();
    assert_eq!(story.now, START + Duration::from_secs(20), "no wait goes beyond");
    assert_eq!(story.poll(), Some(Verdict::Timeout));
}

#[test]
fn resources_may_take_their_time() {
    let names: Vec<String> = (10..99).map(|number| format!("x{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let seconds = Duration::from_secs;
    let mut story = Story::new(policy(), &names);
    story.visit = seconds(20);
    story.now = START + 16 * MINUTE;
    let start = story.now;
    story.poll();
    assert!(story.now <= start + seconds(60 + 2 * 20 + 15), "polls go on: {:?}", story.now);
    assert_eq!(visited(&story.done()), "x10 x11 x12 x13");
    story.poll();
    assert_eq!(visited(&story.done()), "x14 x15 x16 x17", "those that have waited longest");

    story.now = START + 60 * MINUTE;
    assert_eq!(story.poll(), Some(Verdict::Timeout));
    assert!(story.now <= START + 60 * MINUTE + seconds(5 * 60 + 2 * 20), "and then it ends: {:?}", story.now);
    assert_eq!(visited(&story.done()).split(' ').count(), 15, "with those that had waited longest");

    // Where all has come, and rows do not show it, five minutes are enough for as many.
    let mut story = Story::new(policy(), &names);
    for name in &names {
        story.resource(name, |resource| at(resource, '1'));
    }
    story.poll();
    story.visit = seconds(1);
    story.now = START + 60 * MINUTE;
    assert_eq!(story.poll(), Some(Verdict::Compliant));
}

/// The resources that were read themselves, where a batch ends with its first one.
fn visited(log: &str) -> String {
    let batches = log.split(", ").filter_map(|step| step.strip_prefix("direct "));
    let firsts: Vec<&str> = batches.filter_map(|batch| batch.split(' ').next()).collect();
    firsts.join(" ")
}

#[test]
fn what_is_in_vain_for_a_while_waits_so_long() {
    let mut story = Story::new(policy(), &["x"]);
    story.failing = Some("poll");
    let seconds = Duration::from_secs;
    for (after, wait) in [(300, 300), (3, 15), (2 * 3600, 60 * 60 - 315)] {
        let before = story.now;
        let next = story.rollout.next(story.now);
        assert_eq!(kind_of(&next), "poll");
        story.rollout.failed(story.now);
        story.rollout.rest_until(story.now + seconds(after), story.now);
        assert_eq!(story.rollout.next(story.now), Next::Wait(seconds(wait)), "{after}");
        story.now = before + seconds(wait);
    }
    for (after, want) in [(200, Next::Wait(seconds(200))), (300, Next::End(Verdict::Timeout))] {
        let mut story = Story { rollout: story.rollout.clone(), ..Story::new(policy(), &["x"]) };
        story.now = START + 60 * MINUTE;
        assert_eq!(kind_of(&story.rollout.next(story.now)), "poll", "time is over");
        story.rollout.failed(story.now);
        story.rollout.rest_until(story.now + seconds(after), story.now);
        assert_eq!(story.rollout.next(story.now), want, "{after}");
    }
    story.failing = None;
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant), "time is over, and it has come meanwhile");
    story.rollout.rest_until(story.now + seconds(300), story.now);
    assert_eq!(story.poll(), Some(Verdict::Compliant), "it is over for good");
}

#[test]
fn steps_fail() {
    for kind in ["poll", "ask", "arrived", "all", "direct"] {
        let mut story = Story::new(policy(), &["x", "y"]);
        story.report("x", |x| at(x, '1'));
        story.report("y", |y| at(y, if kind == "ask" { '0' } else { '1' }));
        story.rows.get_mut(&id("y")).unwrap().is_suspended = true;
        if kind == "arrived" {
            // Where all look done, nothing but a pass over all rows is read.
            story.rows.insert(id("y"), fresh("y"));
        }
        if kind == "direct" {
            story.rows.get_mut(&id("y")).unwrap().compliance = Compliance::NonCompliant;
            story.rows.get_mut(&id("y")).unwrap().is_suspended = false;
            story.poll();
            story.sleep(10 * MINUTE);
        }
        story.failing = Some(kind);
        let before = story.now;
        assert_eq!(story.poll(), None, "{kind}");
        assert!(story.done().ends_with(&format!("{kind} fails")), "{kind}");
        assert_eq!(story.now, before + Duration::from_secs(15), "{kind}");
        story.failing = None;
        if kind == "arrived" {
            story.report("y", |y| at(y, '1'));
        }
        let want = if kind == "direct" { failed(&["y"]) } else { Verdict::Compliant };
        assert_eq!(story.poll(), Some(want), "{kind}");
    }
}

#[test]
fn half_a_pass_counts_for_nothing() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| at(x, '1'));
    story.report("y", |y| broken(y, '1', "HealthCheckFailed"));
    story.poll();
    story.report("y", |y| at(y, '1'));
    story.failing = Some("all");
    story.poll();
    story.failing = None;
    let Next::Read(Read::Poll { mentioning }) = story.rollout.next(story.now) else { panic!("a poll") };
    story.rollout.polled(commit('1'), story.tally(&mentioning), story.now);
    assert_eq!(story.rollout.next(story.now), Next::Read(Read::All));
    story.rollout.observed(vec![story.rows[&id("x")].clone()], story.now);
    story.rollout.failed(story.now);
    story.done();
    story.rows.remove(&id("y"));
    story.now = story.now + Duration::from_secs(15);
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all, direct y", "the whole pass shows that one is missing");
}

#[test]
fn a_truncated_tally_says_nothing() {
    let mut story = Story::new(policy(), &["x"]);
    story.is_truncated = true;
    story.poll();
    assert_eq!(story.done(), "poll, lineage 0, all");
    story.poll();
    assert_eq!(story.done(), "poll, all");
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all");
}

#[test]
fn rows_lag_behind_the_tally() {
    let mut story = Story::new(policy(), &["x", "y"]);
    for name in ["x", "y"] {
        story.report(name, |row| at(row, '1'));
    }
    let hidden = story.rows.remove(&id("y")).unwrap();
    let Next::Read(Read::Poll { mentioning }) = story.rollout.next(story.now) else { panic!("a poll") };
    let mut tally = story.tally(&mentioning);
    tally.groups[0].count = 2;
    story.rollout.polled(commit('1'), tally.clone(), story.now);
    assert_eq!(story.poll(), None, "fewer rows than the tally counts are never enough");
    assert_eq!(story.done(), "all");
    story.rollout.next(story.now);
    story.rollout.polled(commit('1'), tally, story.now);
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "all", "what nothing explains is not looked for again and again");
    story.rows.insert(id("y"), hidden);
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all");
}

/// The tally counts two: x, and one that no row shows yet.
#[test]
fn what_rows_do_not_show_does_not_stand_in_for_what_they_should() {
    type Is = fn(&Observation) -> Direct;
    let cases: [(Is, &str); 2] =
        [(|_| Direct::Gone, "it is gone"), (|y| Direct::Found(Box::new(y.clone())), "it is there")];
    for (is, why) in cases {
        let mut story = Story::new(policy(), &["x", "y", "z"]);
        story.report("x", |x| at(x, '1'));
        story.report("y", |y| at(y, '1'));
        story.poll();
        story.rows.remove(&id("z"));
        story.resources.insert(id("z"), Direct::Gone);
        let y = story.rows.remove(&id("y")).unwrap();
        story.resources.insert(id("y"), is(&y));
        let Next::Read(Read::Poll { mentioning }) = story.rollout.next(story.now) else { panic!("a poll") };
        let mut tally = story.tally(&mentioning);
        tally.groups[0].count = 2;
        story.rollout.polled(commit('1'), tally, story.now);
        story.sleep(5 * MINUTE);
        story.done();
        assert_eq!(story.poll(), None, "{why}: nobody has seen the other one");
        assert_eq!(story.done(), "all, direct y", "{why}");
        assert_eq!(story.poll(), Some(Verdict::Compliant), "{why}, and the other one is not there any more");
    }
}

#[test]
fn what_only_looks_finished_is_looked_for_in_passes() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| {
        at(x, '1');
        let unheard_of = x.kustomizations["apps"].clone();
        x.kustomizations.insert("infra".to_owned(), unheard_of);
    });
    story.poll();
    assert_eq!(story.done(), "poll, lineage 0, arrived");
    // Its next report comes in later than a later one of another does.
    let watermark = story.now;
    story.sleep(MINUTE);
    story.report("y", |y| at(y, '1'));
    story.poll();
    assert_eq!(story.done(), "poll, arrived since");
    story.report("x", |x| drop(x.kustomizations.remove("infra")));
    story.rows.get_mut(&id("x")).unwrap().reported = Some(watermark);
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll", "nothing there tells of it");
    story.now = START + 5 * MINUTE;
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all");
}

#[test]
fn nobody_checks_the_health() {
    let unchecked = |row: &mut Observation| {
        at(row, '1');
        row.kustomizations.get_mut("apps").unwrap().waits = Waits::No;
    };
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", unchecked);
    story.report("y", |y| at(y, '1'));
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll, all");
    assert_eq!(story.state("x"), Some(State::Waiting(WhyWaiting::SecondReport)));
    story.sleep(Duration::from_secs(30));
    story.poll();
    assert_eq!(story.done(), "poll", "too early");
    story.now = START + Duration::from_secs(59);
    story.report("x", |_| {});
    story.now = START + Duration::from_secs(60);
    story.poll();
    assert_eq!(story.done(), "poll, all");
    assert_eq!(story.state("x"), Some(State::Waiting(WhyWaiting::SecondReport)), "a second is missing");
    story.report("x", |_| {});
    story.poll();
    assert_eq!(story.done(), "poll", "once a minute");
    story.sleep(MINUTE);
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all");
    assert_eq!(story.state("x"), Some(State::Done { health: Health::Unchecked, since: Some(START) }));
    assert_eq!(story.state("y"), Some(State::Done { health: Health::Checked, since: Some(START) }));

    let mut story = Story::new(policy(), &["x"]);
    story.report("x", unchecked);
    story.rows.get_mut(&id("x")).unwrap().reported = None;
    assert_eq!(story.end(), Verdict::Timeout, "without times nothing is shown twice");

    let mut story = Story::new(policy(), &["x"]);
    story.report("x", unchecked);
    story.poll();
    story.sleep(MINUTE);
    story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
    story.poll();
    assert!(matches!(story.state("x"), Some(State::Failing { .. })));
    story.report("x", unchecked);
    assert_eq!(story.poll(), Some(Verdict::Compliant), "shown twice, whatever was between");

    for (on_suspended, want) in [(OnTrouble::Fail, failed(&["x"])), (OnTrouble::Ignore, Verdict::Timeout)] {
        let mut story = Story::new(Policy { on_suspended, ..policy() }, &["x"]);
        story.report("x", |x| {
            unchecked(x);
            x.is_suspended = true;
        });
        assert_eq!(story.end(), want, "it is told not to report again: {on_suspended:?}");
    }
}

#[test]
fn every_cluster_type_must_be_observed() {
    for (on_unobserved, want) in [
        (Unobserved::Said, Verdict::Compliant),
        (
            Unobserved::Refused,
            Verdict::Failed(Failure {
                unobserved: BTreeSet::from(["large".to_owned()]),
                ..Failure::default()
            }),
        ),
    ] {
        let mut story = Story::new(Policy { on_unobserved, ..policy() }, &["x"]);
        assert_eq!(story.poll(), None, "not before the rest is done");
        story.report("x", |x| at(x, '1'));
        assert_eq!(story.poll(), Some(want));
        assert_eq!(story.rollout.unobserved(), BTreeSet::from(["large".to_owned()]));
    }
    let mut story = Story::new(Policy { on_unobserved: Unobserved::Refused, ..policy() }, &["x", "y"]);
    for (name, path) in [("x", "drone"), ("y", "large/deeper")] {
        story.report(name, |row| {
            at(row, '1');
            row.kustomizations.get_mut("apps").unwrap().path = path.to_owned();
        });
    }
    assert_eq!(story.poll(), Some(Verdict::Compliant));
}

#[test]
fn some_never_count() {
    let mut story = Story::new(policy(), &["x", "tag", "oci", "gone", "stage", "other"]);
    story.report("x", |x| at(x, '1'));
    story.report("tag", |row| row.source.reference.tag = Some("v1".to_owned()));
    story.report("oci", |row| row.source.kind = "OCIRepository".to_owned());
    story.report("gone", |row| row.provisioning = Provisioning::Deleting);
    story.report("stage", |row| row.source.reference.branch = Some("stage".to_owned()));
    story.report("other", |row| row.source.url = "https://github.com/org/other".to_owned());
    for name in ["tag", "oci", "gone", "stage", "other"] {
        story.report(name, |row| row.synced = Some(commit('9')));
    }
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all", "nothing is asked of their commits");
    let states = ["tag", "oci", "gone", "stage", "other"].map(|name| story.state(name));
    let not_counted = |why| Some(State::NotCounted(why));
    let want = [
        not_counted(NotCounted::Pinned),
        not_counted(NotCounted::OtherSource),
        not_counted(NotCounted::Deleting),
        None,
        None,
    ];
    assert_eq!(states, want);
}

#[test]
fn what_counted_stops_to_by_its_own_word() {
    let changes: [(fn(&mut Observation), Option<State>, &str); 3] = [
        (
            |row| row.source.reference.tag = Some("v1".to_owned()),
            Some(State::NotCounted(NotCounted::Pinned)),
            "pinned",
        ),
        (|row| row.source.reference.branch = Some("stage".to_owned()), None, "another branch"),
        (
            |row| row.provisioning = Provisioning::Deleting,
            Some(State::NotCounted(NotCounted::Deleting)),
            "going away",
        ),
    ];
    for (change, want, why) in changes {
        let mut story = Story::new(policy(), &["x", "y"]);
        story.report("x", |x| at(x, '1'));
        story.report("y", |y| broken(y, '1', "HealthCheckFailed"));
        story.poll();
        let before = story.rows[&id("y")].clone();
        story.resources.insert(id("y"), Direct::Found(Box::new(before.clone())));
        story.report("y", change);
        story.sleep(10 * MINUTE - Duration::from_secs(30));
        assert_eq!(story.poll(), None, "{why}");
        assert!(
            matches!(story.state("y"), Some(State::Failing { .. })),
            "{why}: the row alone is not enough"
        );
        story.resources.clear();
        story.sleep(MINUTE);
        story.done();
        assert_eq!(story.poll(), Some(Verdict::Compliant), "{why}");
        assert_eq!(story.state("y"), want, "{why}");
    }
}

#[test]
fn rows_that_lag_do_not_bring_back_what_went_elsewhere() {
    let mut story = Story::new(Policy { min_clusters: 2, ..policy() }, &["x", "y"]);
    let elsewhere = |row: &mut Observation| row.source.reference.branch = Some("stage".to_owned());
    story.sleep(MINUTE);
    story.report("y", elsewhere);
    story.poll();
    let row = story.rows.get_mut(&id("y")).unwrap();
    row.source.reference.branch = Some("dev".to_owned());
    row.reported = Some(START);
    story.is_truncated = true;
    story.done();
    assert_eq!(story.poll(), Some(Verdict::NoClusters { seen: 1 }), "an older row");
    assert_eq!(story.done(), "poll, all");

    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("y", elsewhere);
    story.is_truncated = true;
    story.poll();
    story.rows.get_mut(&id("y")).unwrap().source.reference.branch = Some("dev".to_owned());
    story.poll();
    assert!(story.state("y").is_some(), "a row of the same time");
}

#[test]
fn what_is_gone_stays_gone_where_rows_lag() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| at(x, '1'));
    story.report("y", |y| broken(y, '1', "HealthCheckFailed"));
    story.poll();
    story.sleep(10 * MINUTE);
    story.resources.insert(id("y"), Direct::Gone);
    assert_eq!(story.poll(), Some(Verdict::Compliant), "its row does not bring it back");
    assert_eq!(story.done(), "poll, arrived, poll, direct y, arrived since, all");

    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| broken(x, '1', "Progressing"));
    story.report("y", |y| broken(y, '1', "HealthCheckFailed"));
    story.poll();
    story.sleep(10 * MINUTE);
    story.resources.insert(id("y"), Direct::Gone);
    assert_eq!(story.poll(), None);
    assert_eq!(story.state("y"), None);
    story.resources.clear();
    story.report("x", |x| at(x, '1'));
    story.report("y", |y| at(y, '0'));
    story.sleep(5 * MINUTE);
    assert_eq!(story.poll(), None, "somebody made it anew");
    assert!(story.state("y").is_some());
}

#[test]
fn what_is_made_anew_counts_before_it_has_reported() {
    for (again, want, why) in [
        (None, None, "it is there, and has applied nothing"),
        (Some(Direct::Gone), Some(Verdict::Compliant), "only its row is there"),
        (Some(Direct::Unreadable), None, "nobody knows"),
    ] {
        let mut story = Story::new(policy(), &["x", "y"]);
        story.report("x", |x| broken(x, '1', "Progressing"));
        story.report("y", |y| broken(y, '1', "HealthCheckFailed"));
        story.poll();
        story.sleep(10 * MINUTE);
        story.resources.insert(id("y"), Direct::Gone);
        story.poll();
        assert_eq!(story.state("y"), None);
        story.resources = again.into_iter().map(|direct| (id("y"), direct)).collect();
        story.report("x", |x| at(x, '1'));
        story.report("y", |y| at(y, '0'));
        story.rows.get_mut(&id("y")).unwrap().reported = None;
        story.done();
        assert_eq!(story.poll(), want, "{why}");
        assert_eq!(story.done(), "poll, lineage 0, arrived since, all, direct y", "{why}");
    }
}

#[test]
fn one_trouble_leaves_another_its_time() {
    let offline = Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: None };
    let disconnected: &dyn Fn(&mut Observation) = &|x| x.cluster.connectivity = offline.clone();
    let deleting: &dyn Fn(&mut Observation) = &|x| {
        broken(x, '1', "HealthCheckFailed");
        x.provisioning = Provisioning::Deleting;
    };
    for (before, why) in [(disconnected, "its cluster was away"), (deleting, "it was made anew")] {
        let rules = Policy { on_disconnected: OnTrouble::Fail, min_clusters: 0, ..policy() };
        let mut story = Story::new(rules, &["x", "y"]);
        story.failing = Some("direct");
        story.report("x", before);
        story.is_truncated = true;
        assert_eq!(story.poll(), None, "{why}");
        story.failing = None;
        story.sleep(20 * MINUTE);
        story.rows.insert(id("x"), fresh("x"));
        story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
        assert_eq!(story.poll(), None, "{why}, and it fails only now");
        let reported = story.rows[&id("x")].reported;
        assert!(
            matches!(story.state("x"), Some(State::Failing { since, .. }) if Some(since) == reported),
            "{why}"
        );
    }
}

#[test]
fn a_look_reads_everything_once() {
    let mut story = Story::new(policy(), &["x", "y", "z"]);
    story.relations.insert(commit('2'), Relation::Descendant);
    story.tracked.insert(commit('2'), Some(commit('a')));
    story.report("x", |x| at(x, '2'));
    story.report("y", |y| broken(y, '1', "BuildFailed"));
    story.head = commit('7');
    story.relations.insert(commit('7'), Relation::Diverged);
    story.rollout = Rollout::look(target(), policy(), story.now);
    assert!(story.poll().is_some());
    assert_eq!(story.done(), "all, lineage 0, lineage 2, tracked 2");
    assert!(matches!(story.state("x"), Some(State::Done { .. })), "a later commit that counts");
    assert!(matches!(story.state("y"), Some(State::Failing { .. })));
    assert!(matches!(story.state("z"), Some(State::Waiting(_))));
    assert_eq!(story.rollout.unobserved(), BTreeSet::from(["large".to_owned()]));
}

#[test]
fn standings_are_sorted() {
    let mut story = Story::new(policy(), &["a", "b", "c"]);
    for (name, cluster, configuration) in [("a", "north", "z"), ("b", "south", "y"), ("c", "north", "x")] {
        story.report(name, |row| {
            row.cluster.name = cluster.to_owned();
            row.cluster.id = cluster.to_owned();
            row.name = configuration.to_owned();
            at(row, '1');
        });
    }
    story.poll();
    let standings = story.rollout.standings(story.now);
    let ids: Vec<_> = standings.iter().map(|standing| standing.observation.id.as_str()).collect();
    assert_eq!(ids, ["c", "a", "b"]);
    assert_eq!(standings[0].cluster_types, BTreeSet::from(["drone".to_owned()]));
}

#[test]
fn what_never_counts_counts_for_nothing() {
    let beside = |policy| {
        let mut story = Story::new(policy, &["x", "y"]);
        story.report("x", |x| at(x, '1'));
        story.report("y", |y| {
            at(y, '1');
            y.source.reference.tag = Some("v1".to_owned());
            y.kustomizations.get_mut("apps").unwrap().path = "large".to_owned();
        });
        story
    };
    let mut story = beside(Policy { min_clusters: 2, ..policy() });
    story.poll();
    assert_eq!(story.poll(), Some(Verdict::NoClusters { seen: 1 }), "its cluster");
    let mut story = beside(policy());
    assert_eq!(story.poll(), Some(Verdict::Compliant), "its state");
    assert_eq!(story.rollout.unobserved(), BTreeSet::from(["large".to_owned()]), "its cluster type");
    story.done();
    let mut story = beside(policy());
    story.report("x", |x| at(x, '0'));
    story.sleep(20 * MINUTE);
    story.poll();
    assert_eq!(story.done(), "poll, lineage 0, all, direct x", "it is not late");
}

#[test]
fn reports_of_the_same_time_replace_one_another() {
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
    let reported = story.now;
    story.poll();
    at(story.rows.get_mut(&id("x")).unwrap(), '1');
    assert_eq!(story.rows[&id("x")].reported, Some(reported));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
}

#[test]
fn answers_come_after_reports() {
    let mut story = Story::new(policy(), &["x", "y"]);
    for name in ["x", "y"] {
        story.report(name, |row| {
            at(row, '1');
            row.objects[0].applied = Some(commit('2'));
        });
    }
    story.relations.insert(commit('2'), Relation::Descendant);
    story.tracked.insert(commit('2'), Some(commit('a')));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived, lineage 2, tracked 2, all");
}

#[test]
fn the_tally_lags_behind_what_is_known() {
    let late = |story: &mut Story| {
        story.report("x", |x| at(x, '1'));
        story.sleep(16 * MINUTE);
        story.poll();
        assert_eq!(story.done(), "poll, lineage 0, arrived, all, direct y");
        story.sleep(MINUTE);
    };
    let mut story = Story::new(policy(), &["x", "y"]);
    late(&mut story);
    story.resource("y", |y| at(y, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant), "done by its own word");
    assert_eq!(story.done(), "poll, direct y, all, direct y");

    let mut story = Story::new(policy(), &["x", "y"]);
    late(&mut story);
    story.resources.insert(id("y"), Direct::Gone);
    assert_eq!(story.poll(), Some(Verdict::Compliant), "gone by its own word");
    assert_eq!(story.done(), "poll, direct y, all");
}

#[test]
fn rows_do_not_refute_what_a_resource_said_of_itself() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| broken(x, '1', "Progressing"));
    story.report("y", |y| broken(y, '1', "HealthCheckFailed"));
    story.poll();
    story.sleep(10 * MINUTE);
    story.resource("y", |y| y.source.reference.tag = Some("v1".to_owned()));
    story.poll();
    let pinned = Some(State::NotCounted(NotCounted::Pinned));
    assert_eq!(story.state("y"), pinned);
    let Some(Direct::Found(own)) = story.resources.remove(&id("y")) else { panic!("it is there") };
    story.rows.get_mut(&id("y")).unwrap().reported = own.reported;
    story.sleep(5 * MINUTE);
    story.done();
    story.poll();
    assert!(story.done().contains("all"));
    assert_eq!(story.state("y"), pinned, "a row of the same report, with the source of before");
    story.report("y", |_| {});
    story.sleep(5 * MINUTE);
    story.poll();
    assert!(matches!(story.state("y"), Some(State::Failing { .. })), "a later row");
}

#[test]
fn what_is_ignored_need_only_be_there() {
    let mut story = Story::new(Policy { on_disconnected: OnTrouble::Ignore, ..policy() }, &["x", "y"]);
    story.sleep(MINUTE);
    story.report("y", |y| {
        y.cluster.connectivity =
            Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: None };
    });
    story.poll();
    story.rows.get_mut(&id("y")).unwrap().reported = Some(START);
    story.report("x", |x| at(x, '1'));
    story.done();
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived, all", "an older row is enough");

    let mut story = Story::new(Policy { on_disconnected: OnTrouble::Ignore, ..policy() }, &["x", "y"]);
    story.report("y", |y| {
        y.cluster.connectivity =
            Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: None };
    });
    story.poll();
    let y = story.rows.remove(&id("y")).unwrap();
    story.resources.insert(id("y"), Direct::Found(Box::new(y)));
    story.report("x", |x| at(x, '1'));
    story.done();
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived, all, direct y", "without a row, its own word");
}

#[test]
fn what_was_read_before_time_was_over_is_read_again() {
    let mut story = Story::new(policy(), &["x"]);
    story.now = Time(START.0 + 3_590);
    story.poll();
    assert_eq!(story.done(), "poll, lineage 0, all, direct x");
    assert_eq!(story.poll(), Some(Verdict::Timeout));
    assert_eq!(story.done(), "poll, all, direct x", "right before");

    let mut story = Story::new(policy(), &["x"]);
    story.now = Time(START.0 + 3_580);
    story.poll();
    story.poll();
    assert_eq!(story.done(), "poll, lineage 0, all, direct x, poll");
    assert_eq!(story.poll(), Some(Verdict::Timeout));
    assert_eq!(story.done(), "poll, all, direct x", "a round before");
}

#[test]
fn of_what_is_ready_only_its_own_kustomizations_are_kept() {
    for applied in ['1', '2'] {
        let mut story = Story::new(policy(), &["x"]);
        story.relations.insert(commit('2'), Relation::Descendant);
        story.tracked.insert(commit('2'), Some(commit('a')));
        story.report("x", |x| {
            at(x, '1');
            let own = ObjectStatus { applied: Some(commit(applied)), ..x.objects[0].clone() };
            let object = |name: &str, namespace: &str, ready| ObjectStatus {
                name: name.to_owned(),
                namespace: namespace.to_owned(),
                ready,
                ..own.clone()
            };
            x.objects = vec![
                own.clone(),
                object("app", "flux", Some(Ready::True)),
                object("x-apps", "elsewhere", Some(Ready::True)),
                object("broken", "flux", Some(Ready::False)),
                object("quiet", "elsewhere", None),
            ];
        });
        assert_eq!(story.poll(), Some(Verdict::Compliant));
        let standings = story.rollout.standings(story.now);
        let objects = standings[0].observation.objects.iter();
        let names: Vec<_> = objects.map(|object| (&*object.name, &*object.namespace)).collect();
        assert_eq!(names, [("x-apps", "flux"), ("broken", "flux"), ("quiet", "elsewhere")]);
    }
}
