//! The check of one commit, step by step.

mod steps;

use std::collections::BTreeSet;
use std::mem;
use std::time::Duration;

use crate::commit::CommitId;
use crate::configuration::{Configuration, Outcome, Visit};
use crate::evidence::Evidence;
use crate::known::Origin;
use crate::lineage::Course;
use crate::observation::{ConfigurationId, Observation};
use crate::policy::{Following, Policy, Target};
use crate::question::{Answer, Question};
use crate::round::{Arrivals, Arrived, Passes, Round, Stage};
use crate::standing::Standing;
use crate::tally::{Glance, Looks, Tally};
use crate::time::Time;
use crate::verdict::Verdict;

/// What cannot be read when time is over is tried so often.
const LAST_TRIES: u32 = 4;
/// And for so long: a check ends soon after its time, however slow Azure is.
const LAST_TIME: Duration = Duration::from_secs(5 * 60);

/// The check of one commit.
#[derive(Clone, Debug)]
pub struct Rollout {
    evidence: Evidence,
    started: Time,
    /// The last poll; nothing if it has not worked yet
    poll: Option<Poll>,
    /// The commits that the next one asks for
    asked_for: Vec<CommitId>,
    phase: Phase,
    round: Round,
    reading: Reading,
    arrivals: Arrivals,
    passes: Passes,
    /// The first of the passes in a row that showed too few clusters
    short_since: Option<Time>,
    /// The first of the polls in a row that showed a branch without the commit
    astray_since: Option<Time>,
    /// When nothing more is read, once time is over
    last_ends: Option<Time>,
}

/// What the last poll showed.
#[derive(Clone, Debug)]
struct Poll {
    head: CommitId,
    tally: Tally,
    /// The commits that it asked for
    mentioning: Vec<CommitId>,
}

#[derive(Clone, Debug)]
enum Phase {
    /// Nothing is done until then
    Resting(Time),
    Working,
    Over(Verdict),
}

/// The rows that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Nothing,
    Arrived { since: Option<Time> },
    All,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Find out about commits; each question is asked once
    Ask(Vec<Question>),
    /// Read what clusters report
    Read(Read),
    /// Do nothing for so long
    Wait(Duration),
    /// It is over
    End(Verdict),
}

/// What is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The head of the branch and a tally, which says of groups whether they mention one of these commits
    Poll {
        /// The commits that count
        mentioning: Vec<CommitId>,
    },
    /// The rows that have come to one of these commits, page by page
    Arrived {
        /// The commits that count
        commits: Vec<CommitId>,
        /// Only those reported later than this
        since: Option<Time>,
    },
    /// Every row, page by page
    All,
    /// These resources themselves, one after the other; those that are left out are asked for again
    Direct(Vec<ConfigurationId>),
}

/// What a direct read gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Direct {
    /// It is there
    Found(Box<Observation>),
    /// It is not there any more
    Gone,
    /// It may not be read, or not now
    Unreadable,
}

impl Rollout {
    /// Nothing is known yet.
    pub fn new(target: Target, policy: Policy, now: Time) -> Rollout {
        Rollout {
            evidence: Evidence::new(target, policy),
            started: now,
            poll: None,
            asked_for: Vec::new(),
            phase: Phase::Resting(now),
            round: Round::new(0, Stage::Usual, now),
            reading: Reading::Nothing,
            arrivals: Arrivals::default(),
            passes: Passes::default(),
            short_since: None,
            astray_since: None,
            last_ends: None,
        }
    }

    /// A look at how things stand: everything is read once, nothing is waited for, and the verdict says nothing.
    pub fn look(target: Target, policy: Policy, now: Time) -> Rollout {
        let mut look = Rollout::new(target, policy, now);
        (look.phase, look.round) = (Phase::Working, Round::new(1, Stage::Only, now));
        look
    }

    /// What is to be done next.
    pub fn next(&mut self, now: Time) -> Next {
        self.reading = Reading::Nothing;
        let is_time_over = now >= self.deadline();
        match (&self.phase, self.round.stage) {
            (Phase::Over(_), _) => {}
            (_, Stage::Usual) if is_time_over => self.begin_last(now),
            (Phase::Resting(until), _) if now >= *until => self.begin(now),
            (Phase::Resting(_) | Phase::Working, _) => {}
        }
        match &self.phase {
            Phase::Resting(until) => Next::Wait(until.since(now)),
            Phase::Working => self.work(now),
            Phase::Over(verdict) => Next::End(verdict.clone()),
        }
    }

    /// What was found out about commits.
    pub fn answer(&mut self, answer: Answer) {
        self.evidence.lineage.learn(answer);
    }

    /// What a poll showed.
    pub fn polled(&mut self, head: CommitId, tally: Tally, _now: Time) {
        let mentioning = mem::take(&mut self.asked_for);
        self.poll = Some(Poll { head, tally: tally.of_branch(&self.evidence.target), mentioning });
    }

    /// A page of rows, of [`Read::Arrived`] or [`Read::All`].
    pub fn observed(&mut self, rows: Vec<Observation>, now: Time) {
        for row in rows {
            if self.reading == Reading::All {
                let is_ours = self.evidence.target.following_of(&row) == Following::Branch;
                let is_gone = self.round.gone.contains(&row.id);
                if is_ours && !is_gone && self.evidence.known.has_left(&row.id) {
                    self.round.ghosts.insert(row.id.clone());
                }
                if is_ours {
                    let mentioning = self.poll.as_ref().map_or(&[][..], |poll| &poll.mentioning);
                    self.round.rows.insert(&row, mentioning);
                }
            }
            let has_arrived = match self.reading {
                Reading::Arrived { .. } => true,
                Reading::All => {
                    row.synced.as_ref().is_some_and(|commit| self.evidence.lineage.accepts(commit))
                }
                Reading::Nothing => false,
            };
            if has_arrived {
                // The clock of a cluster may be ahead.
                let reported = row.reported.map(|at| at.min(now));
                self.arrivals.watermark = self.arrivals.watermark.max(reported);
            }
            self.evidence.receive(row, Origin::Row { pass: self.passes.begun }, now);
        }
    }

    /// All pages of [`Read::Arrived`] or [`Read::All`] have been read.
    pub fn finished(&mut self, now: Time) {
        match self.reading {
            Reading::Arrived { since: Some(_) } => self.round.arrived = Arrived::Latest,
            Reading::Arrived { since: None } => self.round.arrived = Arrived::Everything,
            Reading::All => {
                self.round.all_read = Some(now);
                self.passes.complete(now);
                let is_short = self.evidence.known.clusters() < self.evidence.policy.min_clusters;
                self.short_since = is_short.then(|| self.short_since.unwrap_or(now));
            }
            Reading::Nothing => {}
        }
        self.reading = Reading::Nothing;
    }

    /// What one resource of [`Read::Direct`] itself said.
    pub fn read_directly(&mut self, id: &ConfigurationId, direct: Direct, now: Time) {
        self.round.visits += 1;
        self.round.first_visit.get_or_insert(now);
        let Round { number: round, .. } = self.round;
        let Passes { begun: pass, .. } = self.passes;
        if let Some(known) = self.evidence.known.get_mut(id) {
            known.visit = Some(Visit { at: now, round, pass, outcome: Outcome::Nothing });
            known.is_unreadable = direct == Direct::Unreadable;
        }
        self.round.is_haunted |= self.round.ghosts.remove(id) && direct == Direct::Unreadable;
        match direct {
            Direct::Found(observation) => {
                self.evidence.receive(*observation, Origin::Visit { round, pass }, now);
            }
            Direct::Gone => {
                self.round.gone.insert(id.clone());
                self.evidence.known.leave(id, now);
            }
            Direct::Unreadable => {}
        }
    }

    /// What was asked for last could not be read, or found out, this time.
    pub fn failed(&mut self, now: Time) {
        self.reading = Reading::Nothing;
        match (&self.phase, self.round.stage) {
            (Phase::Working, Stage::Last) if self.round.failures + 1 >= LAST_TRIES => {
                self.end(Verdict::Timeout, now);
            }
            (Phase::Working, _) => {
                self.round.failures += 1;
                self.rest(now + self.interval(), now);
            }
            (Phase::Resting(_) | Phase::Over(_), _) => {}
        }
    }

    /// What was asked for last and failed would be in vain before `time`.
    pub fn rest_until(&mut self, time: Time, now: Time) {
        if let Phase::Resting(until) = self.phase {
            self.rest(time.max(until), now);
        }
    }

    /// How every configuration that was seen stands, by cluster and name.
    pub fn standings(&self, _now: Time) -> Vec<Standing<'_>> {
        let states = self.evidence.known.states();
        let standings = states.map(|(Configuration { observation, finding, .. }, state)| Standing {
            observation,
            cluster_types: finding.cluster_types.clone(),
            state,
        });
        let mut standings: Vec<Standing<'_>> = standings.collect();
        standings.sort_by_key(|Standing { observation, .. }| {
            (&observation.cluster.name, &observation.cluster.id, &observation.name, &observation.id)
        });
        standings
    }

    /// How the fleet looked at the last poll; nothing if that did not tell.
    pub fn glance(&self) -> Option<Glance> {
        let Poll { tally, .. } = self.poll.as_ref()?;
        let Looks { total, finished, .. } = tally.looks(&self.evidence.lineage);
        (!tally.is_truncated).then_some(Glance { total, applied: finished })
    }

    /// The cluster types of the tree that no configuration applies; none before every row has been read once.
    pub fn unobserved(&self) -> BTreeSet<String> {
        if self.passes.last.is_none() {
            return BTreeSet::new();
        }
        let observed = self.evidence.known.cluster_types();
        self.evidence.target.cluster_types.iter().filter(|name| !observed.contains(name)).cloned().collect()
    }

    /// When what is being read ends, whatever is missing: when time is over, or the time for the last look.
    pub fn reads_until(&self) -> Time {
        self.last_ends.unwrap_or_else(|| self.deadline())
    }

    fn deadline(&self) -> Time {
        self.started + self.evidence.policy.timeout
    }

    fn interval(&self) -> Duration {
        self.evidence.policy.poll_interval.max(Duration::from_secs(1))
    }

    /// Begins a round; what could not be read is read from the beginning.
    fn begin(&mut self, now: Time) {
        let Round { number, stage, failures, .. } = self.round;
        self.poll = None;
        self.round = Round { failures, ..Round::new(number + 1, stage, now) };
        self.phase = Phase::Working;
    }

    /// Begins the round after which there is none, but tries of the same.
    fn begin_last(&mut self, now: Time) {
        self.last_ends = Some(now + LAST_TIME);
        // Where the branch may have gone elsewhere for good, the poll that showed it is the last one.
        self.poll.take_if(|Poll { head, .. }| {
            matches!(self.evidence.lineage.course(head), Course::GoesOn | Course::Strays(_))
        });
        self.round = Round::new(self.round.number + 1, Stage::Last, now);
        self.phase = Phase::Working;
    }

    fn rest(&mut self, until: Time, now: Time) {
        match self.round.stage {
            Stage::Usual => self.phase = Phase::Resting(until.min(self.deadline())),
            Stage::Last | Stage::Only if self.is_last_over(until) => self.end(Verdict::Timeout, now),
            Stage::Last | Stage::Only => self.phase = Phase::Resting(until),
        }
    }

    fn is_last_over(&self, now: Time) -> bool {
        self.last_ends.is_some_and(|end| now >= end)
    }

    fn end(&mut self, verdict: Verdict, now: Time) {
        self.evidence.judge_open(now);
        self.phase = Phase::Over(verdict);
    }
}
