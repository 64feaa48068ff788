//! The check of one commit, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::Duration;

use crate::commit::CommitId;
use crate::configuration::{Configuration, Finding, LATENESS, Outcome, SECOND_REPORT_AFTER, Visit};
use crate::known::{Known, Origin};
use crate::lineage::{Acceptance, Course, Lineage};
use crate::observation::{ConfigurationId, Observation};
use crate::policy::{Following, OnTrouble, Policy, Target, Unobserved};
use crate::proof::statuses;
use crate::question::{Answer, Question};
use crate::round::{Arrived, Round, Stage};
use crate::standing::{Standing, State, WhyIgnored, WhyWaiting};
use crate::tally::{Look, Looks, Tally};
use crate::time::Time;
use crate::verdict::{Failure, Verdict};

/// Passes over all rows that are made in case something is missing are this far apart.
const BETWEEN_PASSES: Duration = Duration::from_secs(5 * 60);
/// One resource is not read itself more often than this while it is waited for.
const BETWEEN_VISITS: Duration = Duration::from_secs(60);
const VISITS_A_SECOND: u64 = 5;

/// The check of one commit.
#[derive(Clone, Debug)]
pub struct Rollout {
    target: Target,
    policy: Policy,
    started: Time,
    lineage: Lineage,
    known: Known,
    /// Reports that name commits of which not everything is known, in the order in which they came
    unjudged: BTreeMap<ConfigurationId, Vec<(Observation, Origin)>>,
    poll: Option<Poll>,
    phase: Phase,
    round: Round,
    reading: Reading,
    /// How many passes over all rows have begun
    passes: u64,
    /// The last of them that came to its end
    complete: u64,
    last_pass: Option<Time>,
    /// The latest report among the rows that arrived
    watermark: Option<Time>,
    /// How many the tally has that no row explains
    unexplained: usize,
    /// The first of the passes in a row that showed too few clusters
    short_since: Option<Time>,
}

/// What the last poll showed.
#[derive(Clone, Debug)]
struct Poll {
    head: CommitId,
    tally: Tally,
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
    /// These resources themselves, one after the other
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
            lineage: Lineage::new(&target),
            target,
            policy,
            started: now,
            known: Known::default(),
            unjudged: BTreeMap::new(),
            poll: None,
            phase: Phase::Resting(now),
            round: Round::new(0, Stage::Usual),
            reading: Reading::Nothing,
            passes: 0,
            complete: 0,
            last_pass: None,
            watermark: None,
            unexplained: 0,
            short_since: None,
        }
    }

    /// What is to be done next.
    pub fn next(&mut self, now: Time) -> Next {
        self.reading = Reading::Nothing;
        if now >= self.deadline() {
            match self.phase {
                Phase::Resting(_) => self.begin(Stage::Last),
                Phase::Working => self.round.stage = Stage::Last,
                Phase::Over(_) => {}
            }
        }
        match &self.phase {
            Phase::Resting(until) if now < *until => Next::Wait(until.min(&self.deadline()).since(now)),
            Phase::Resting(_) => Next::Read(Read::Poll { mentioning: self.lineage.accepted() }),
            Phase::Working => self.work(now),
            Phase::Over(verdict) => Next::End(verdict.clone()),
        }
    }

    /// What was found out about commits.
    pub fn answer(&mut self, answer: Answer) {
        self.lineage.learn(answer);
    }

    /// What a poll showed.
    pub fn polled(&mut self, head: CommitId, tally: Tally, _now: Time) {
        if let Phase::Resting(_) = self.phase {
            self.poll = Some(Poll { head, tally: tally.of_branch(&self.target) });
            self.begin(Stage::Usual);
        }
    }

    /// A page of rows, of [`Read::Arrived`] or [`Read::All`].
    pub fn observed(&mut self, rows: Vec<Observation>, now: Time) {
        for row in rows {
            match self.reading {
                Reading::All if self.target.following_of(&row) == Following::Branch => {
                    self.round.rows.insert(row.id.clone());
                }
                // The clock of a cluster may be ahead.
                Reading::Arrived { .. } => {
                    self.watermark = self.watermark.max(row.reported.map(|at| at.min(now)))
                }
                Reading::All | Reading::Nothing => {}
            }
            self.receive(row, Origin::Row { pass: self.passes }, now);
        }
    }

    /// All pages of [`Read::Arrived`] or [`Read::All`] have been read.
    pub fn finished(&mut self, now: Time) {
        match self.reading {
            Reading::Arrived { since: Some(_) } => self.round.arrived = Arrived::Latest,
            Reading::Arrived { since: None } => self.round.arrived = Arrived::Everything,
            Reading::All => {
                self.round.all_read = Some(now);
                self.last_pass = Some(now);
                self.complete = self.passes;
            }
            Reading::Nothing => {}
        }
        self.reading = Reading::Nothing;
    }

    /// What one resource of [`Read::Direct`] itself said.
    pub fn read_directly(&mut self, id: &ConfigurationId, direct: Direct, now: Time) {
        self.round.visits += 1;
        self.known.visit(id, self.round.number, self.passes, now);
        match direct {
            Direct::Found(observation) => {
                let origin = Origin::Visit { round: self.round.number, pass: self.passes };
                self.receive(*observation, origin, now);
            }
            Direct::Gone => {
                self.unjudged.remove(id);
                self.known.leave(id, now);
            }
            Direct::Unreadable => self.known.lose(id),
        }
    }

    /// What was asked for last could not be read, or found out, this time.
    pub fn failed(&mut self, now: Time) {
        self.reading = Reading::Nothing;
        match (&self.phase, self.round.stage) {
            (Phase::Over(_), _) => {}
            (Phase::Working, Stage::Last) => self.end(Verdict::Timeout, now),
            (Phase::Resting(_), _) | (Phase::Working, Stage::Usual) => self.rest(now),
        }
    }

    /// How every configuration that was seen stands, by cluster and name.
    pub fn standings(&self, _now: Time) -> Vec<Standing<'_>> {
        let mut standings: Vec<Standing<'_>> = self
            .known
            .states()
            .map(|(Configuration { observation, finding, .. }, state)| Standing {
                observation,
                cluster_types: finding.cluster_types.clone(),
                state,
            })
            .collect();
        standings.sort_by_key(|Standing { observation, .. }| {
            (&observation.cluster.name, &observation.cluster.id, &observation.name, &observation.id)
        });
        standings
    }

    /// The cluster types of the tree that no configuration applies.
    pub fn unobserved(&self) -> BTreeSet<String> {
        let observed = self.known.cluster_types();
        self.target.cluster_types.iter().filter(|name| !observed.contains(name)).cloned().collect()
    }

    fn deadline(&self) -> Time {
        self.started + self.policy.timeout
    }

    fn interval(&self) -> Duration {
        self.policy.poll_interval.max(Duration::from_secs(1))
    }

    fn begin(&mut self, stage: Stage) {
        self.round = Round::new(self.round.number + 1, stage);
        self.phase = Phase::Working;
    }

    fn rest(&mut self, now: Time) {
        self.phase = Phase::Resting(now + self.interval());
    }

    fn end(&mut self, verdict: Verdict, now: Time) {
        // What is not known of a commit by now does not speak for it.
        self.judge_all(now);
        self.phase = Phase::Over(verdict);
    }

    /// The first thing that is left to do in this round.
    fn work(&mut self, now: Time) -> Next {
        let step = self
            .leave()
            .or_else(|| self.ask(now))
            .or_else(|| self.fail(now))
            .or_else(|| self.read_arrived())
            .or_else(|| self.read_all(now))
            .or_else(|| self.visit_open(now))
            .or_else(|| self.conclude());
        match (step, self.round.stage) {
            (Some(Next::End(verdict)), _) => self.end(verdict, now),
            (Some(step), _) => return step,
            (None, Stage::Last) => self.end(Verdict::Timeout, now),
            (None, Stage::Usual) => self.rest(now),
        }
        self.next(now)
    }

    /// Ends where the branch went elsewhere.
    fn leave(&self) -> Option<Next> {
        match self.lineage.course(&self.poll.as_ref()?.head) {
            Course::Ends(verdict) => Some(Next::End(verdict)),
            Course::GoesOn | Course::Open(_) => None,
        }
    }

    /// Asks for what is not known of commits; when everything is known, judges what waited for it.
    fn ask(&mut self, now: Time) -> Option<Next> {
        let mut questions = BTreeSet::new();
        if let Some(Poll { head, tally }) = &self.poll {
            if let Course::Open(question) = self.lineage.course(head) {
                questions.insert(question);
            }
            questions.extend(tally.groups.iter().filter_map(|group| self.question(group.synced.as_ref())));
        }
        for (observation, _) in self.unjudged.values().flatten() {
            questions.extend(self.questions(observation));
        }
        if !questions.is_empty() {
            return Some(Next::Ask(questions.into_iter().collect()));
        }
        self.judge_all(now);
        None
    }

    fn question(&self, commit: Option<&CommitId>) -> Option<Question> {
        match self.lineage.judge(commit?) {
            Acceptance::Open(question) => Some(question),
            Acceptance::Accepted | Acceptance::Refused => None,
        }
    }

    /// What must be known to judge a report: what was applied matters only where the commit is fetched.
    fn questions(&self, observation: &Observation) -> BTreeSet<Question> {
        let Some(synced) = &observation.synced else { return BTreeSet::new() };
        match self.lineage.judge(synced) {
            Acceptance::Open(question) => BTreeSet::from([question]),
            Acceptance::Refused => BTreeSet::new(),
            Acceptance::Accepted => {
                let own = observation.kustomizations.keys().flat_map(|key| statuses(observation, key));
                own.filter_map(|status| self.question(status.applied.as_ref())).collect()
            }
        }
    }

    fn receive(&mut self, observation: Observation, origin: Origin, now: Time) {
        let is_counted = self.target.following_of(&observation) == Following::Branch;
        let must_wait = is_counted && !self.questions(&observation).is_empty();
        if must_wait || self.unjudged.contains_key(&observation.id) {
            self.unjudged.entry(observation.id.clone()).or_default().push((observation, origin));
        } else {
            self.judge(observation, origin, now);
        }
    }

    fn judge_all(&mut self, now: Time) {
        for (observation, origin) in mem::take(&mut self.unjudged).into_values().flatten() {
            self.judge(observation, origin, now);
        }
    }

    fn judge(&mut self, observation: Observation, origin: Origin, now: Time) {
        let finding = Finding::of(&observation, &self.target, &self.policy, &self.lineage);
        self.known.take(observation, finding, origin, now);
    }

    /// Ends where something failed and, looked at once more, still does.
    fn fail(&self, now: Time) -> Option<Next> {
        let is_due = |state: &State| matches!(state, State::Failing { fails_at, .. } if *fails_at <= now);
        let due = || self.known.states().filter(|(_, state)| is_due(state)).map(|(known, _)| known);
        let unvisited = due().filter(|known| !self.is_visited(known));
        self.visit(unvisited).or_else(|| {
            let shown = due().filter(|known| {
                known
                    .visit
                    .is_some_and(|visit| visit.round == self.round.number && visit.outcome == Outcome::Latest)
            });
            let configurations: BTreeSet<_> = shown.map(|known| known.observation.id.clone()).collect();
            let failure = Failure { configurations, ..Failure::default() };
            (!failure.configurations.is_empty()).then_some(Next::End(Verdict::Failed(failure)))
        })
    }

    fn is_visited(&self, known: &Configuration) -> bool {
        known.visit.is_some_and(|visit| visit.round == self.round.number)
    }

    /// Reads as many of these themselves as may be read in this round.
    fn visit<'a>(&self, configurations: impl Iterator<Item = &'a Configuration>) -> Option<Next> {
        let left = match self.round.stage {
            Stage::Usual => self.visits_at_once().saturating_sub(self.round.visits),
            Stage::Last => self.visits_at_once(),
        };
        read_directly(configurations.take(left))
    }

    fn visits_at_once(&self) -> usize {
        usize::try_from(self.interval().as_secs().saturating_mul(VISITS_A_SECOND)).unwrap_or(usize::MAX)
    }

    /// Reads the rows of which the tally tells and that are not known, or not as finished as they look there.
    fn read_arrived(&mut self) -> Option<Next> {
        let tally = &self.poll.as_ref()?.tally;
        let unknown = tally.looks(&self.lineage).arrived_beyond(self.known.looks());
        if self.round.arrived == Arrived::Everything || self.round.all_read.is_some() {
            self.unexplained = unknown;
        }
        self.unexplained = self.unexplained.min(unknown);
        let has_news = || self.looks_finished() && tally.latest_finished(&self.lineage) > self.watermark;
        let since = match self.round.arrived {
            Arrived::Unread if unknown > self.unexplained || has_news() => self.watermark,
            Arrived::Latest if unknown > self.unexplained => None,
            Arrived::Unread | Arrived::Latest | Arrived::Everything => return None,
        };
        if tally.is_truncated || self.round.all_read.is_some() || self.round.stage == Stage::Last {
            return None;
        }
        self.reading = Reading::Arrived { since };
        Some(Next::Read(Read::Arrived { commits: self.lineage.accepted(), since }))
    }

    /// Whether there is a configuration that looks finished from afar and is not.
    fn looks_finished(&self) -> bool {
        self.known.states().any(|(known, state)| {
            known.finding.look == Look::Finished
                && is_open(&state)
                && !matches!(state, State::Waiting(WhyWaiting::SecondReport | WhyWaiting::Unreadable))
        })
    }

    /// Reads every row, once in a round.
    fn read_all(&mut self, now: Time) -> Option<Next> {
        let must = self.round.all_read.is_none() && (self.round.stage == Stage::Last || self.wants_all(now));
        must.then(|| {
            self.reading = Reading::All;
            self.passes += 1;
            self.round.rows.clear();
            Next::Read(Read::All)
        })
    }

    fn wants_all(&self, now: Time) -> bool {
        let Some(Poll { tally, .. }) = &self.poll else { return false };
        let shown = tally.looks(&self.lineage);
        let is_time = |after: Duration| self.last_pass.is_none_or(|last| now >= last + after);
        tally.is_truncated
            || self.short_since.is_some()
            || shown.total < self.policy.min_clusters
            || self.may_be_done(shown, now)
            || is_time(BETWEEN_PASSES) && self.may_miss_something(shown, now)
    }

    /// Whether nothing is known that speaks against success.
    fn may_be_done(&self, shown: Looks, now: Time) -> bool {
        let is_time = self.last_pass.is_none_or(|last| now >= last + SECOND_REPORT_AFTER);
        let is_settled = self.known.states().all(|(known, state)| match state {
            State::Waiting(WhyWaiting::SecondReport) => is_time && known.may_be_shown_twice(now),
            state => !is_open(&state),
        });
        let suspended = match self.policy.on_suspended {
            OnTrouble::Ignore => shown.suspended,
            OnTrouble::Wait | OnTrouble::Fail => 0,
        };
        let away =
            self.known.states().filter(|(_, state)| *state == State::Ignored(WhyIgnored::Disconnected));
        let open = shown.total.saturating_sub(shown.finished).saturating_sub(suspended);
        is_settled && (open <= away.count() || self.known.ever_counted() >= shown.total)
    }

    /// Whether rows may tell what the tally does not.
    fn may_miss_something(&self, shown: Looks, now: Time) -> bool {
        let known = self.known.looks();
        let intervals = self.known.counted().map(|known| known.observation.source.sync_interval);
        let late = self.started + intervals.min().unwrap_or_default() + LATENESS;
        let policy = &self.policy;
        self.unexplained > 0
            || known.total > shown.total
            || known.total < shown.total && now > late
            || self.open().any(|known| known.is_late(self.started, now))
            || policy.on_suspended == OnTrouble::Fail && known.suspended < shown.suspended
            // A tally does not tell which clusters are there.
            || policy.on_disconnected != OnTrouble::Wait && self.last_pass.is_none()
    }

    /// Reads what should be done by now, and what rows do not show any more; before the end everything that is open.
    fn visit_open(&self, now: Time) -> Option<Next> {
        let mut open: Vec<_> = match self.round.stage {
            Stage::Last => self.open().filter(|known| !self.is_visited(known)).collect(),
            Stage::Usual => {
                let is_time = |last: Visit| now >= last.at + BETWEEN_VISITS;
                self.open()
                    .filter(|known| known.visit.is_none_or(is_time))
                    .filter(|known| known.is_late(self.started, now) || !self.is_confirmed(known))
                    .collect()
            }
        };
        open.sort_by_key(|known| known.visit.map(|last| last.at));
        self.visit(open.into_iter())
    }

    fn open(&self) -> impl Iterator<Item = &Configuration> {
        self.known.states().filter(|(_, state)| is_open(state)).map(|(known, _)| known)
    }

    /// Whether the last complete pass over all rows, or a visit after it, showed it.
    fn is_confirmed(&self, known: &Configuration) -> bool {
        known.pass >= self.complete
    }

    /// Ends where a pass over all rows has shown that everything is done, or that there is too little.
    fn conclude(&mut self) -> Option<Next> {
        let read = self.round.all_read?;
        let tally = &self.poll.as_ref()?.tally;
        let seen = self.known.clusters();
        if seen < self.policy.min_clusters {
            let since = *self.short_since.get_or_insert(read);
            let is_sure = read >= since + self.interval();
            return is_sure.then_some(Next::End(Verdict::NoClusters { seen }));
        }
        self.short_since = None;
        if self.open().next().is_some() {
            return None;
        }
        let mut unconfirmed = self.known.counted().filter(|known| !self.is_confirmed(known)).peekable();
        if unconfirmed.peek().is_some() {
            let unvisited =
                unconfirmed.filter(|known| known.visit.is_none_or(|last| last.pass < self.complete));
            return read_directly(unvisited.take(self.visits_at_once()));
        }
        let shown = tally.looks(&self.lineage).total;
        if !tally.is_truncated && self.round.rows.len() < shown {
            return None;
        }
        let unobserved = self.unobserved();
        let is_refused = self.policy.on_unobserved == Unobserved::Refused && !unobserved.is_empty();
        Some(Next::End(if is_refused {
            Verdict::Failed(Failure { unobserved, ..Failure::default() })
        } else {
            Verdict::Compliant
        }))
    }
}

fn read_directly<'a>(configurations: impl Iterator<Item = &'a Configuration>) -> Option<Next> {
    let ids: Vec<_> = configurations.map(|known| known.observation.id.clone()).collect();
    (!ids.is_empty()).then_some(Next::Read(Read::Direct(ids)))
}

/// Whether more must be seen of it.
fn is_open(state: &State) -> bool {
    match state {
        State::Waiting(_) | State::Failing { .. } => true,
        State::Done { .. } | State::Ignored(_) | State::NotCounted(_) => false,
    }
}
