//! Watching clusters until there is a verdict: what the check asks for is found out, one thing after the other.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use report::Diagnosis;
use rollout::{Next, Question, Read, Rollout, Time, Verdict};

use super::answers::Answers;
use super::clusters::Clusters;
use super::subject::head;
use crate::exit::Failure;
use crate::world::azure::Lists;
use crate::world::clock::Clock;
use crate::world::terminal;

/// A wait is up to this much longer, so that checks that started together do not ask together.
const JITTER: f64 = 0.1;

/// So long single resources are read before the check has another say in it.
const AT_A_TIME: Duration = Duration::from_secs(15);

/// Why there are too few clusters is looked for so long.
const DIAGNOSING: Duration = Duration::from_secs(60);

/// Times are whole seconds, rounded down.
const A_SECOND: Duration = Duration::from_secs(1);

/// Where the check looks.
pub(crate) struct Watch<'a> {
    /// The clusters
    pub(crate) clusters: Clusters,
    /// Commits
    pub(crate) answers: Answers<'a>,
    /// The time
    pub(crate) clock: &'a dyn Clock,
    /// Why the last thing that was looked for could not be found out
    pub(crate) trouble: Option<String>,
}

impl Watch<'_> {
    /// Goes on until there is a verdict. What fails before anything was found out ends it; later it is tried again.
    pub(crate) fn until_verdict(
        &mut self,
        rollout: &mut Rollout,
        mut tell: impl FnMut(&Rollout, Time),
    ) -> Result<Verdict, Failure> {
        let mut has_begun = false;
        loop {
            let done = match rollout.next(self.now()) {
                Next::End(verdict) => return Ok(verdict),
                Next::Wait(time) => {
                    tell(rollout, self.now());
                    self.clock.sleep(with_jitter(time), "");
                    continue;
                }
                Next::Ask(questions) => self.ask(rollout, &questions),
                Next::Read(read) => self.read(rollout, &read),
            };
            match done {
                Ok(()) => {
                    has_begun = true;
                    self.trouble = None;
                }
                Err(failure) if !has_begun && !failure.is_passing() => return Err(failure),
                Err(failure) => {
                    let reason = failure.reason();
                    let text = format!("warning: {}; it is tried again\n", report::log_line(&reason));
                    terminal::complain(&text);
                    self.trouble = Some(reason);
                    rollout.failed(self.now());
                    if let Some(until) = failure.until() {
                        rollout.rest_until(time(until) + A_SECOND, self.now());
                    }
                }
            }
        }
    }

    /// Does what a look asks for; what fails ends it.
    pub(crate) fn look(&mut self, rollout: &mut Rollout) -> Result<(), Failure> {
        loop {
            match rollout.next(self.now()) {
                Next::Ask(questions) => self.ask(rollout, &questions)?,
                Next::Read(read) => self.read(rollout, &read)?,
                Next::Wait(_) | Next::End(_) => return Ok(()),
            }
        }
    }

    /// What can be seen at all, if that can be found out.
    pub(crate) fn diagnosis(&mut self) -> Option<Diagnosis> {
        self.clusters.end_at(Some(self.clock.now() + DIAGNOSING));
        self.clusters.diagnosis()
    }

    fn now(&self) -> Time {
        now(self.clock)
    }

    fn ask(&mut self, rollout: &mut Rollout, questions: &[Question]) -> Result<(), Failure> {
        for question in questions {
            let now = self.now();
            rollout.answer(self.answers.answer(question, now)?);
        }
        Ok(())
    }

    fn read(&mut self, rollout: &mut Rollout, read: &Read) -> Result<(), Failure> {
        self.clusters.end_at(Some(UNIX_EPOCH + Duration::from_secs(rollout.reads_until().0)));
        match read {
            Read::Poll { mentioning } => {
                let head = head(self.answers.github, self.answers.gitops)?;
                let again = self.answers.seen(&head, self.now());
                self.ask(rollout, &again)?;
                let tally = self.clusters.tally(mentioning)?;
                rollout.polled(head, tally, self.now());
            }
            Read::Arrived { .. } | Read::All => {
                let now = self.now();
                self.clusters.rows(read, |page| rollout.observed(page, now))?;
                rollout.finished(self.now());
            }
            Read::Direct(ids) => {
                let (end, mut lists) = (self.now() + AT_A_TIME, Lists::default());
                for id in ids {
                    let direct = self.clusters.configuration(id, &mut lists)?;
                    rollout.read_directly(id, direct, self.now());
                    // What is left is asked for again, unless there is no time.
                    if self.now() >= end {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Now.
pub(crate) fn now(clock: &dyn Clock) -> Time {
    time(clock.now())
}

fn time(time: SystemTime) -> Time {
    Time(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

fn with_jitter(time: Duration) -> Duration {
    let chance = RandomState::new().hash_one(0) as f64 / u64::MAX as f64;
    time.mul_f64(1.0 + JITTER * chance)
}
