//! One check in a world, driven as its documentation says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::mem;
use std::time::Duration;

use rollout::{
    Channel, CommitId, ConfigurationId, Direct, Health, Next, Observation, Question, Read, Rollout, State,
    Tally, Time, Verdict,
};

use crate::judge::{Judge, Shown};
use crate::life::is_within;
use crate::mood::Trouble;
use crate::random::Random;
use crate::world::{Glance, Sight, World};

/// So many steps without a wait are a loop.
const STEPS: usize = 60;

/// How a check went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Course {
    /// How it ended
    pub(crate) verdict: Option<Verdict>,
    /// When
    pub(crate) ended: u64,
    /// What it took
    pub(crate) requests: Requests,
    /// What was noteworthy about it
    pub(crate) marks: BTreeSet<&'static str>,
}

/// How often something was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    /// Tallies
    pub(crate) polls: usize,
    /// Rows that have newly arrived
    pub(crate) arrived: usize,
    /// All rows
    pub(crate) all: usize,
    /// Single resources
    pub(crate) direct: usize,
}

/// What happened, for people, if somebody wants to read it.
pub(crate) struct Trace(Option<String>);

impl Trace {
    /// Nobody reads it.
    pub(crate) fn off() -> Trace {
        Trace(None)
    }

    /// Somebody does.
    pub(crate) fn on() -> Trace {
        Trace(Some(String::new()))
    }

    /// What has happened.
    pub(crate) fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    fn say(&mut self, now: u64, line: impl FnOnce() -> String) {
        if let Some(text) = &mut self.0 {
            let _ = writeln!(text, "{now} {}", line());
        }
    }
}

/// Drives a check that starts then to its end; what is wrong with it, if anything is.
pub(crate) fn drive(
    world: &World,
    started: u64,
    random: &mut Random,
    trace: &mut Trace,
) -> Result<Course, String> {
    trace.say(started, || format!("{:#?}\n{:#?}\n{:#?}", world.target, world.policy, world.history));
    let rollout = Rollout::new(world.target.clone(), world.policy.clone(), Time(started));
    let mut ride = Ride {
        world,
        judge: Judge::new(world, started),
        rollout,
        now: started,
        deadline: started + world.policy.timeout.as_secs(),
        random,
        trace,
        course: Course::default(),
        answered: BTreeSet::new(),
        unanswered: BTreeSet::new(),
        read: BTreeMap::new(),
        steps: 0,
        tally: Tally::default(),
        is_new: true,
        has_read_directly: false,
        idle_reads: 0,
        is_open: false,
        must_end: false,
        has_failed: false,
        last_waits: 0,
    };
    ride.drive()?;
    Ok(ride.course)
}

struct Ride<'a> {
    world: &'a World,
    judge: Judge<'a>,
    rollout: Rollout,
    now: u64,
    deadline: u64,
    random: &'a mut Random,
    trace: &'a mut Trace,
    course: Course,
    answered: BTreeSet<Question>,
    /// What was asked and has no answer yet
    unanswered: BTreeSet<Question>,
    /// How often each configuration was read itself since the last wait
    read: BTreeMap<ConfigurationId, usize>,
    steps: usize,
    /// What the last poll showed
    tally: Tally,
    /// It was something else before, or something was read since
    is_new: bool,
    has_read_directly: bool,
    /// How often rows were read since something was new
    idle_reads: usize,
    /// Something failed since the last poll, so that a question may not have been asked yet
    is_open: bool,
    /// The head that was shown ends the check, and nothing has failed since
    must_end: bool,
    /// Something could not be read since the last wait
    has_failed: bool,
    /// How often it waited when time was over
    last_waits: usize,
}

impl Ride<'_> {
    fn drive(&mut self) -> Result<(), String> {
        loop {
            self.steps += 1;
            if self.steps > STEPS {
                return Err(format!("{STEPS} steps without a wait"));
            }
            let next = self.rollout.next(Time(self.now));
            self.trace.say(self.now, || short(&next));
            match next {
                Next::Ask(questions) => self.answer(questions)?,
                Next::Read(read) if self.must_end => return Err(format!("{read:?} after the end")),
                Next::Read(Read::Poll { mentioning }) => self.poll(&mentioning)?,
                Next::Read(read) if self.judge.is_in_doubt() => {
                    return Err(format!("{read:?} although the branch may be elsewhere"));
                }
                Next::Read(Read::Arrived { commits, since }) => self.arrived(&commits, since)?,
                Next::Read(Read::All) => {
                    let begun = self.now;
                    self.judge.passes();
                    if self.rows(|_| true, |requests| &mut requests.all) {
                        self.judge.passed(begun);
                    }
                }
                Next::Read(Read::Direct(ids)) => self.direct(&ids)?,
                Next::Wait(duration) => self.wait(duration)?,
                Next::End(verdict) => return self.end(verdict),
            }
        }
    }

    fn answer(&mut self, questions: Vec<Question>) -> Result<(), String> {
        if questions.is_empty() {
            return Err("no question".to_owned());
        }
        self.unanswered.extend(questions.iter().cloned());
        for question in questions {
            let answer = self.world.history.answer(&question)?;
            if self.fails() {
                return Ok(());
            }
            if !self.answered.insert(question.clone()) {
                return Err(format!("{question:?} for the second time"));
            }
            self.unanswered.remove(&question);
            self.trace.say(self.now, || format!("  {answer:?}"));
            self.rollout.answer(answer);
            self.now += self.random.below(2);
        }
        Ok(())
    }

    fn poll(&mut self, mentioning: &[CommitId]) -> Result<(), String> {
        self.accepts(mentioning)?;
        self.course.requests.polls += 1;
        if self.fails() {
            return Ok(());
        }
        let is_stale = self.strikes(Trouble::StaleHead);
        let history = &self.world.history;
        let head = if is_stale { history.stale_head(self.now) } else { history.head(self.now) };
        if head != history.head(self.now) {
            self.course.marks.insert("a branch shown where it was before");
        }
        let looked = self.now;
        let staleness = self.staleness();
        let (mut tally, members) = self.world.tally(mentioning, self.now, staleness);
        let mut tallied = Some(members);
        if self.strikes(Trouble::Truncated) {
            self.course.marks.insert("a truncated tally");
            let kept = self.random.below(tally.groups.len() as u64 + 1) as usize;
            tally.groups.truncate(kept);
            tally.is_truncated = true;
            tallied = None;
        }
        self.is_open = false;
        self.passes();
        self.trace.say(self.now, || format!("  head {head}, {tally:?}"));
        self.judge.polled(head, looked, tallied);
        self.must_end = self.judge.must_end();
        let has_read_directly = mem::take(&mut self.has_read_directly);
        self.is_new = self.tally != tally || has_read_directly;
        self.tally = tally.clone();
        self.rollout.polled(self.world.history.name(head).clone(), tally, Time(self.now));
        Ok(())
    }

    fn arrived(&mut self, commits: &[CommitId], since: Option<Time>) -> Result<(), String> {
        self.accepts(commits)?;
        self.idle_reads = if self.is_new { 0 } else { self.idle_reads + 1 };
        if self.world.is_calm && self.idle_reads > 1 {
            return Err("rows are read again and again although nothing new has arrived".to_owned());
        }
        let commits: Vec<usize> = commits.iter().filter_map(|name| self.world.history.find(name)).collect();
        let is_new = |sight: &Sight| {
            sight.says.synced.is_some_and(|commit| commits.contains(&commit))
                && since.is_none_or(|since| sight.reported.is_some_and(|reported| reported > since.0))
        };
        self.rows(is_new, |requests| &mut requests.arrived);
        Ok(())
    }

    /// Shows rows, page by page; whether all pages could be read.
    fn rows(&mut self, is_wanted: impl Fn(&Sight) -> bool, kind: fn(&mut Requests) -> &mut usize) -> bool {
        let world = self.world;
        let page = *self.random.pick(&[1000, 1000, 1000, 1, 3, 7]);
        let staleness = self.staleness();
        let mut from = 0;
        *kind(&mut self.course.requests) += 1;
        loop {
            if self.fails() {
                return false;
            }
            let mut rows: Vec<Observation> = Vec::new();
            while from < world.fleet.len() && rows.len() < page {
                let configuration = &world.fleet[from];
                if let Some(sight) = world.index(configuration, self.now, staleness).filter(&is_wanted) {
                    self.trace.say(self.now, || format!("  row {} {sight:?}", configuration.id.as_str()));
                    rows.push(world.observation(configuration, &sight, Channel::Index));
                    self.judge.show(from, sight, Shown::Row, self.now);
                }
                from += 1;
            }
            self.rollout.observed(rows, Time(self.now));
            if from == world.fleet.len() {
                self.passes();
                self.rollout.finished(Time(self.now));
                return true;
            }
            self.passes();
        }
    }

    fn direct(&mut self, ids: &[ConfigurationId]) -> Result<(), String> {
        if ids.is_empty() {
            return Err("nothing to read".to_owned());
        }
        let most = (5 * self.world.policy.poll_interval.as_secs()) as usize;
        if ids.len() > most.max(5) && self.now < self.deadline {
            return Err(format!("{} direct reads at once", ids.len()));
        }
        self.is_new = true;
        self.has_read_directly = true;
        for id in ids {
            self.course.requests.direct += 1;
            let times = self.read.entry(id.clone()).or_default();
            *times += 1;
            if *times > 3 {
                return Err(format!("{} is read itself again and again", id.as_str()));
            }
            if self.fails() {
                return Ok(());
            }
            let known = self.world.fleet.iter().position(|known| known.id == *id);
            let at = known.ok_or_else(|| format!("{} was never shown", id.as_str()))?;
            let configuration = &self.world.fleet[at];
            let glance = self.world.direct(configuration, self.now);
            self.trace.say(self.now, || format!("  {} itself: {glance:?}", id.as_str()));
            let direct = match glance {
                Glance::There(sight) => {
                    let observation = self.world.observation(configuration, &sight, Channel::Direct);
                    self.judge.show(at, *sight, Shown::Itself, self.now);
                    Direct::Found(Box::new(observation))
                }
                Glance::Gone => {
                    self.course.marks.insert("one that is gone");
                    self.judge.gone(at, self.now);
                    Direct::Gone
                }
                Glance::Refused => {
                    self.course.marks.insert("one that cannot be read");
                    self.judge.refused(at);
                    self.judge.disturbed = Some(self.now);
                    Direct::Unreadable
                }
            };
            self.rollout.read_directly(id, direct, Time(self.now));
            self.now += u64::from(self.random.chance(20));
        }
        Ok(())
    }

    fn wait(&mut self, duration: Duration) -> Result<(), String> {
        if self.must_end {
            return Err("a wait after the end".to_owned());
        }
        if duration.as_secs() == 0 {
            return Err("a wait of nothing".to_owned());
        }
        if self.now >= self.deadline {
            // What could not be read is tried again a few times; where the branch is, is looked at for a minute.
            // What failed last before time was over is one of them.
            let is_tried_again = self.has_failed || self.judge.is_behind();
            self.last_waits += usize::from(is_tried_again);
            if !(is_tried_again || self.judge.is_in_doubt()) || self.last_waits > 4 {
                return Err("a wait after time was over".to_owned());
            }
        } else if self.now + duration.as_secs() > self.deadline {
            return Err("a wait that ends after time is over".to_owned());
        }
        self.has_failed = false;
        if self.knows_all() && self.random.chance(2) {
            self.judge.judge_standings(&self.rollout, None, self.now)?;
        }
        let jitter = self.random.below(3);
        self.now += duration.as_secs() + jitter;
        self.steps = 0;
        self.read.clear();
        self.judge.waited();
        Ok(())
    }

    fn end(&mut self, verdict: Verdict) -> Result<(), String> {
        self.judge.judge(&verdict, self.now)?;
        if self.knows_all() {
            self.judge.judge_standings(&self.rollout, Some(&verdict), self.now)?;
        }
        if self.rollout.next(Time(self.now + 1)) != Next::End(verdict.clone()) {
            return Err("the end is not the end".to_owned());
        }
        if verdict == Verdict::Compliant {
            for standing in self.rollout.standings(Time(self.now)) {
                self.course.marks.insert(match standing.state {
                    State::Ignored(_) => "success without one that is ignored",
                    State::NotCounted(_) => "success beside one that does not count",
                    State::Done { health: Health::Unchecked, .. } => "success without knowing the health",
                    State::Done { .. } if standing.observation.channel == Channel::Direct => {
                        "success by what only a direct read showed"
                    }
                    State::Done { .. }
                        if standing.observation.synced != Some(self.world.target.commit.clone()) =>
                    {
                        "success at a later commit"
                    }
                    _ => continue,
                });
            }
        }
        self.course.ended = self.now;
        self.course.verdict = Some(verdict);
        Ok(())
    }

    /// Whether the core has been told everything that it wants to know of commits.
    fn knows_all(&self) -> bool {
        !self.is_open && self.unanswered.is_empty()
    }

    /// Only what counts may be asked for.
    fn accepts(&self, commits: &[CommitId]) -> Result<(), String> {
        let history = &self.world.history;
        let is_accepted = |name: &CommitId| history.find(name).is_some_and(|commit| history.accepts(commit));
        if !commits.contains(history.checked()) || !commits.iter().all(is_accepted) {
            return Err(format!("{commits:?} do not all count"));
        }
        Ok(())
    }

    /// Whether a request fails this time; then the core has been told.
    fn fails(&mut self) -> bool {
        self.passes();
        let fails = is_within(&self.world.outages, self.now) || self.strikes(Trouble::FailedRead);
        if fails {
            self.trace.say(self.now, || "  failed".to_owned());
            self.course.marks.insert("a failed read");
            self.judge.disturbed = Some(self.now);
            self.must_end = false;
            self.has_failed = true;
            self.is_open = true;
            self.rollout.failed(Time(self.now));
        }
        fails
    }

    fn passes(&mut self) {
        self.now += u64::from(self.random.chance(40));
    }

    fn staleness(&mut self) -> u64 {
        if self.strikes(Trouble::StaleRead) { self.random.within(1..=900) } else { 0 }
    }

    fn strikes(&mut self, trouble: Trouble) -> bool {
        self.world.mood.strikes(trouble, self.random)
    }
}

fn short(next: &Next) -> String {
    match next {
        Next::Read(Read::Direct(ids)) if ids.len() > 20 => format!("Read {} directly", ids.len()),
        next => format!("{next:?}"),
    }
}
