//! What is left to do in a round: one step after the other, until none of them wants anything.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Next, Poll, Read, Reading, Rollout};
use crate::configuration::{Configuration, LATENESS, Outcome, SECOND_REPORT_AFTER};
use crate::evidence::Evidence;
use crate::lineage::Course;
use crate::observation::ConfigurationId;
use crate::policy::{OnTrouble, Unobserved};
use crate::round::{Arrived, Rows, Stage};
use crate::standing::{State, WhyIgnored, WhyWaiting};
use crate::tally::{Look, Looks};
use crate::time::Time;
use crate::verdict::{Failure, Verdict};

/// All of GitHub knows within this time where a branch is.
const LAG: Duration = Duration::from_secs(60);
/// Passes over all rows that are made in case something is missing are this far apart.
const BETWEEN_PASSES: Duration = Duration::from_secs(5 * 60);
/// One resource is not read itself more often than this while it is waited for.
const BETWEEN_VISITS: Duration = Duration::from_secs(60);
const VISITS_A_SECOND: u64 = 5;
/// Resources are read themselves for so long in a round: then those that were read first have their turn again.
const VISITING: Duration = BETWEEN_VISITS;

impl Rollout {
    /// The first thing that is left to do in this round.
    pub(super) fn work(&mut self, now: Time) -> Next {
        let step = match self.round.stage {
            Stage::Only => self.read_all(now).or_else(|| self.ask(now)),
            Stage::Usual | Stage::Last => self
                .poll()
                .or_else(|| self.leave(now))
                .or_else(|| self.ask(now))
                .or_else(|| self.fail(now))
                .or_else(|| self.read_arrived(now))
                .or_else(|| self.read_all(now))
                .or_else(|| self.visit_open(now))
                .or_else(|| self.conclude(now)),
        };
        match (step, self.round.stage) {
            (Some(Next::End(verdict)), _) => self.end(verdict, now),
            (Some(step), _) => return step,
            (None, Stage::Last | Stage::Only) => self.end(Verdict::Timeout, now),
            (None, Stage::Usual) => self.rest(now + self.interval(), now),
        }
        self.next(now)
    }

    /// Looks at the branch and the fleet.
    fn poll(&mut self) -> Option<Next> {
        if self.poll.is_some() {
            return None;
        }
        self.asked_for = self.evidence.lineage.accepted();
        Some(Next::Read(Read::Poll { mentioning: self.asked_for.clone() }))
    }

    /// Ends where the branch went elsewhere; where it only may have, looks again before anything else.
    fn leave(&mut self, now: Time) -> Option<Next> {
        match self.evidence.lineage.course(&self.poll.as_ref()?.head) {
            Course::Open(_) => None,
            Course::GoesOn => {
                self.astray_since = None;
                None
            }
            Course::Ends(verdict) => Some(Next::End(verdict)),
            Course::Strays(verdict) => {
                let lagged = *self.astray_since.get_or_insert(now) + LAG;
                if self.round.begun >= lagged {
                    return Some(Next::End(verdict));
                }
                self.rest(lagged.min(now + self.interval()), now);
                Some(self.next(now))
            }
        }
    }

    /// Asks for what is not known of commits; when everything is known, judges what waited for it.
    fn ask(&mut self, now: Time) -> Option<Next> {
        let mut questions = self.evidence.questions();
        if let Some(Poll { head, tally, .. }) = &self.poll {
            if let Course::Open(question) = self.evidence.lineage.course(head) {
                questions.insert(question);
            }
            let synced = tally.groups.iter().map(|group| group.synced.as_ref());
            questions.extend(synced.filter_map(|commit| self.evidence.question(commit)));
        }
        if !questions.is_empty() {
            return Some(Next::Ask(questions.into_iter().collect()));
        }
        self.evidence.judge_open(now);
        None
    }

    /// Ends where something failed and, looked at once more, still does.
    fn fail(&self, now: Time) -> Option<Next> {
        let is_due = |state: &State| matches!(state, State::Failing { fails_at, .. } if *fails_at <= now);
        let due = || self.evidence.known.states().filter(|(_, state)| is_due(state)).map(|(known, _)| known);
        let unvisited = due().filter(|known| !self.is_visited(known));
        self.visit(unvisited, now).or_else(|| {
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
    fn visit<'a>(&self, configurations: impl Iterator<Item = &'a Configuration>, now: Time) -> Option<Next> {
        let is_enough = self.round.first_visit.is_some_and(|first| now >= first + VISITING);
        let left = match self.round.stage {
            Stage::Usual if is_enough => 0,
            Stage::Usual => self.visits_at_once().saturating_sub(self.round.visits),
            Stage::Last | Stage::Only => self.visits_before_the_end(now),
        };
        read_directly(configurations.take(left).map(|known| &known.observation.id))
    }

    fn visits_before_the_end(&self, now: Time) -> usize {
        if self.is_last_over(now) { 0 } else { self.visits_at_once() }
    }

    fn visits_at_once(&self) -> usize {
        usize::try_from(self.interval().as_secs().saturating_mul(VISITS_A_SECOND)).unwrap_or(usize::MAX)
    }

    /// Reads the rows of which the tally tells and that are not known, or not as finished as they look there.
    fn read_arrived(&mut self, now: Time) -> Option<Next> {
        let tally = &self.poll.as_ref()?.tally;
        let shown = tally.looks(&self.evidence.lineage);
        let unknown = shown.arrived_beyond(self.evidence.known.looks());
        if self.round.arrived == Arrived::Everything || self.round.all_read.is_some() {
            self.arrivals.unexplained = unknown;
        }
        self.arrivals.unexplained = self.arrivals.unexplained.min(unknown);
        let has_news = || {
            (self.arrivals.unexplained > 0 || self.looks_finished())
                && tally.latest_finished(&self.evidence.lineage) > self.arrivals.watermark
        };
        let since = match self.round.arrived {
            Arrived::Unread if unknown > self.arrivals.unexplained || has_news() => self.arrivals.watermark,
            Arrived::Latest if unknown > self.arrivals.unexplained => None,
            Arrived::Unread | Arrived::Latest | Arrived::Everything => return None,
        };
        if tally.is_truncated || self.round.all_read.is_some() || self.round.stage == Stage::Last {
            return None;
        }
        // All of them at once cost as much as the pass that is due then, which tells of them, too.
        if since.is_none() && self.may_be_done(shown, now) {
            return None;
        }
        self.reading = Reading::Arrived { since };
        Some(Next::Read(Read::Arrived { commits: self.evidence.lineage.accepted(), since }))
    }

    /// Whether there is a configuration that looks finished from afar and is not.
    fn looks_finished(&self) -> bool {
        self.evidence.known.states().any(|(known, state)| {
            known.finding.look == Look::Finished
                && is_open(&state)
                && !matches!(state, State::Waiting(WhyWaiting::SecondReport | WhyWaiting::Unreadable))
        })
    }

    /// Reads every row, once in a round.
    fn read_all(&mut self, now: Time) -> Option<Next> {
        let must = self.round.all_read.is_none() && (self.round.stage != Stage::Usual || self.wants_all(now));
        must.then(|| {
            self.reading = Reading::All;
            self.passes.begun += 1;
            self.round.rows = Rows::default();
            self.round.ghosts.clear();
            self.round.is_haunted = false;
            Next::Read(Read::All)
        })
    }

    fn wants_all(&self, now: Time) -> bool {
        let Some(Poll { tally, .. }) = &self.poll else { return false };
        let shown = tally.looks(&self.evidence.lineage);
        tally.is_truncated
            || self.short_since.is_some()
            || shown.total < self.evidence.policy.min_clusters
            || self.may_be_done(shown, now)
            || self.passes.is_past(BETWEEN_PASSES, now) && self.may_miss_something(shown, now)
    }

    /// Whether nothing is known that speaks against success.
    fn may_be_done(&self, shown: Looks, now: Time) -> bool {
        let is_time = self.passes.is_past(SECOND_REPORT_AFTER, now);
        let is_settled = self.evidence.known.states().all(|(known, state)| match state {
            State::Waiting(WhyWaiting::SecondReport) => is_time && known.may_be_shown_twice(now),
            state => !is_open(&state),
        });
        let suspended = match self.evidence.policy.on_suspended {
            OnTrouble::Ignore => shown.suspended,
            OnTrouble::Wait | OnTrouble::Fail => 0,
        };
        let away = self
            .evidence
            .known
            .states()
            .filter(|(_, state)| *state == State::Ignored(WhyIgnored::Disconnected));
        let open = shown.total.saturating_sub(shown.finished).saturating_sub(suspended);
        is_settled && (open <= away.count() || self.evidence.known.ever_counted() >= shown.total)
    }

    /// Whether rows may tell what the tally does not.
    fn may_miss_something(&self, shown: Looks, now: Time) -> bool {
        let known = self.evidence.known.looks();
        let intervals = self.evidence.known.counted().map(|known| known.observation.source.sync_interval);
        let late = self.started + intervals.min().unwrap_or_default() + LATENESS;
        let policy = &self.evidence.policy;
        self.arrivals.unexplained > 0
            || self.looks_finished() && now >= self.started + BETWEEN_PASSES
            || known.total > shown.total
            || known.total < shown.total && now > late
            || self.open().any(|known| known.is_late(self.started, now))
            || policy.on_suspended == OnTrouble::Fail && known.suspended < shown.suspended
            // A tally does not tell which clusters are there.
            || policy.on_disconnected != OnTrouble::Wait && self.passes.last.is_none()
    }

    /// Reads what should be done by now, and what rows do not show any more.
    ///
    /// When time is over, everything that is not done.
    fn visit_open(&self, now: Time) -> Option<Next> {
        let is_due = |known: &&Configuration| match self.round.stage {
            Stage::Last | Stage::Only => !self.is_visited(known),
            Stage::Usual => {
                let is_time = known.visit.is_none_or(|last| now >= last.at + BETWEEN_VISITS);
                let is_missed = known.is_late(self.started, now) || known.is_unreadable;
                is_time && (is_missed || !self.is_confirmed(known))
            }
        };
        let mut open: Vec<&Configuration> = self.open().filter(is_due).collect();
        open.sort_by_key(|known| known.visit.map(|last| last.at));
        self.visit(open.into_iter(), now)
    }

    fn open(&self) -> impl Iterator<Item = &Configuration> {
        self.evidence.known.states().filter(|(_, state)| is_open(state)).map(|(known, _)| known)
    }

    /// Whether the last complete pass over all rows, or a visit after it, showed it.
    fn is_confirmed(&self, known: &Configuration) -> bool {
        known.pass >= self.passes.complete
    }

    /// Ends where a pass over all rows has shown that everything is done, or that there is too little.
    fn conclude(&mut self, now: Time) -> Option<Next> {
        let read = self.round.all_read?;
        let tally = &self.poll.as_ref()?.tally;
        let seen = self.evidence.known.clusters();
        if seen < self.evidence.policy.min_clusters {
            let is_sure = self.short_since.is_some_and(|since| read >= since + self.interval());
            return is_sure.then_some(Next::End(Verdict::NoClusters { seen }));
        }
        if self.open().next().is_some() {
            return None;
        }
        let is_visited =
            |known: &Configuration| known.visit.is_some_and(|last| last.pass >= self.passes.complete);
        let is_shown = |(known, state): &(&Configuration, State)| match state {
            State::NotCounted(_) => true,
            // That it is there is enough: what is ignored proves nothing.
            State::Ignored(_) => self.round.rows.contains(&known.observation.id) || is_visited(known),
            State::Done { .. } | State::Waiting(_) | State::Failing { .. } => self.is_confirmed(known),
        };
        let hidden: Vec<_> = self.evidence.known.states().filter(|seen| !is_shown(seen)).collect();
        if !hidden.is_empty() {
            let unvisited = hidden.into_iter().map(|(known, _)| known).filter(|known| !is_visited(known));
            let unvisited = unvisited.map(|known| &known.observation.id);
            return read_directly(unvisited.take(self.visits_before_the_end(now)));
        }
        if !self.round.ghosts.is_empty() {
            return read_directly(self.round.ghosts.iter().take(self.visits_before_the_end(now)));
        }
        if self.round.is_haunted {
            return None;
        }
        let Evidence { lineage, known, .. } = &self.evidence;
        if !tally.is_truncated && !self.round.rows.may_be_all_of(tally, lineage, known) {
            // One of the two is behind.
            self.failed(now);
            return Some(self.next(now));
        }
        let unobserved = self.unobserved();
        let is_refused = self.evidence.policy.on_unobserved == Unobserved::Refused && !unobserved.is_empty();
        Some(Next::End(if is_refused {
            Verdict::Failed(Failure { unobserved, ..Failure::default() })
        } else {
            Verdict::Compliant
        }))
    }
}

fn read_directly<'a>(ids: impl Iterator<Item = &'a ConfigurationId>) -> Option<Next> {
    let ids: Vec<_> = ids.cloned().collect();
    (!ids.is_empty()).then_some(Next::Read(Read::Direct(ids)))
}

/// Whether more must be seen of it.
fn is_open(state: &State) -> bool {
    match state {
        State::Waiting(_) | State::Failing { .. } => true,
        State::Done { .. } | State::Ignored(_) | State::NotCounted(_) => false,
    }
}
