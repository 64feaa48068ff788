//! `kalypso checkpromote`: a GitOps commit → what clusters report of it → a verdict → the next environment.

use std::time::Duration;

use fleet::Diagnostic;
use report::{
    ChainState, CheckLog, CheckSummary, Diagnosis, FleetStatus, HandOver, Held, HeldMeans, HeldTarget,
    StatusText,
};
use rollout::{CommitId, Due, Policy, Rollout, StatusState, Target, Time, Unobserved, Verdict};

use super::chain::Chain;
use crate::check::answers::{Answers, Memory};
use crate::check::clusters::Clusters;
use crate::check::ledger::Ledger;
use crate::check::others::{self, Other};
use crate::check::subject::{Promotion, Subject};
use crate::check::watch::{Watch, now};
use crate::check::{hand_over, stale, tell};
use crate::cli::{CheckArgs, OnHeld};
use crate::exit::{Exit, Failure};
use crate::publish::Mode;
use crate::world::github::History;
use crate::world::interrupt::Interrupt;
use crate::world::{World, terminal};

/// How long the token of a GitHub App's installation lives.
const TOKEN_LIFE: Duration = Duration::from_secs(3600);

/// A check: what is asked for, and where.
struct Check<'a> {
    arguments: &'a CheckArgs,
    world: &'a World,
    chain: &'a Chain,
    history: &'a History,
    subject: &'a Subject,
    /// The commit that the environment's branch names
    pinned: Option<&'a CommitId>,
    promotion: &'a Promotion,
    target: Target,
    policy: Policy,
    mode: Mode,
}

/// What is known when clusters have been watched.
struct Watched {
    rollout: Rollout,
    verdict: Verdict,
    started: Time,
    ended: Time,
    diagnosis: Option<Diagnosis>,
    /// Why the last look at clusters did not come to its end
    trouble: Option<String>,
}

/// Checks a GitOps commit, and hands over.
pub(crate) fn run(arguments: &CheckArgs, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let world = World::new(&arguments.plane, Some(&arguments.access))?;
    let chain = Chain::read(&world)?;
    let environment = chain.asked_for(&arguments.plane)?;
    let branch = chain.branch_of(environment, &arguments.plane, &world)?;
    let subject = Subject::find(&chain, environment, &branch, &arguments.into())?;
    let pinned = stale::pinned(&branch);
    let promotion = Promotion::find(&chain, environment, pinned.as_ref(), &subject, arguments)?;
    let history = stale::or_warn(stale::history(&chain, &branch, &promotion.others), &world.runner);
    let mode = if arguments.dry_run { Mode::DryRun } else { Mode::Write };
    let ledger = promotion.commit.as_ref().filter(|_| promotion.has_status());
    let ledger =
        ledger.map(|commit| Ledger::new(&chain, commit, subject.contexts(), &world.runner, interrupt, mode));
    let check = Check {
        arguments,
        world: &world,
        chain: &chain,
        history: &history,
        subject: &subject,
        pinned: pinned.as_ref(),
        promotion: &promotion,
        target: subject.target(),
        policy: policy(arguments),
        mode,
    };
    check.warn_of_short_tokens();
    check.warn_of_a_secret();
    stale::or_warn(check.end_stale(), &world.runner);
    if let Some(ledger) = ledger.as_ref().filter(|_| promotion.is_due()) {
        ledger.begin(&StatusText::deploying())?;
    }
    match check.watch() {
        Ok(watched) => check.conclude(&watched, ledger.as_ref()),
        Err(failure) => {
            if let Some(ledger) = &ledger {
                // What went wrong first is what a person must know.
                let undone = StatusText::undone(&failure.reason());
                let _ = ledger.end(&undone, || check.settle(ledger, &undone));
            }
            let _ = tell::undone(check.world, check.promotion);
            Err(failure)
        }
    }
}

fn policy(arguments: &CheckArgs) -> Policy {
    Policy {
        timeout: arguments.timeout,
        poll_interval: arguments.poll_interval,
        grace: arguments.grace,
        min_clusters: arguments.min_clusters,
        on_suspended: arguments.on_suspended.into(),
        on_disconnected: arguments.on_disconnected.into(),
        on_unobserved: match arguments.require_cluster_types {
            true => Unobserved::Refused,
            false => Unobserved::Said,
        },
    }
}

impl Check<'_> {
    /// A token that was minted before this run does not outlast a long wait.
    fn warn_of_short_tokens(&self) {
        let Check { arguments, chain, subject, .. } = self;
        let url = chain.access.github.url(&subject.gitops.repo);
        if arguments.timeout >= TOKEN_LIFE && chain.access.tokens.is_short_lived(&url) {
            let warning = Diagnostic::warning(
                "`gitops-token` is a GitHub App's token: it ends after an hour, and the check may wait as long",
            );
            let help = "give `app-id` and `app-private-key` instead, and tokens are renewed here, \
                        or lower `timeout`";
            terminal::complain(&report::problems([&warning.help(help)]));
        }
    }

    /// A secret is masked wherever its text occurs, and no job after this one gets to know it.
    fn warn_of_a_secret(&self) {
        if self.promotion.is_next_secret {
            let warning = Diagnostic::warning("a secret names the next environment, so that no output does");
            let help = match self.arguments.promote {
                true => "",
                false => "with `promote: false` nothing starts its promotion; ",
            };
            let help = format!(
                "{help}write `next` into the Environment `{}`, and delete the secret",
                self.subject.environment
            );
            terminal::complain(&report::problems([&warning.help(help)]));
        }
    }

    /// Ends statuses of earlier runs that nobody else will end.
    fn end_stale(&self) -> Result<(), Failure> {
        if self.mode == Mode::DryRun {
            return Ok(());
        }
        let taken =
            self.promotion.commit.as_ref().map(|by| stale::Taken { by, from: None, stays: self.pinned });
        stale::end(self.chain, self.history, &self.subject.environment, taken, &self.world.runner)
    }

    /// Waits for a verdict; where a newer commit has taken the place already, there is nothing to wait for.
    fn watch(&self) -> Result<Watched, Failure> {
        let Check { arguments, world, chain, subject, promotion, target, policy, .. } = self;
        let access = &chain.access;
        let answers = Answers {
            github: &access.github,
            gitops: &subject.gitops,
            control_plane: &chain.repo,
            commit: &subject.commit,
            promoted: target.promoted.as_ref(),
            memory: Memory::default(),
        };
        let started = now(&*access.clock);
        let mut rollout = Rollout::new(target.clone(), policy.clone(), started);
        if let Due::Superseded(by) = &promotion.due {
            let verdict = Verdict::Superseded { head: subject.commit.clone(), by: Some(by.clone()) };
            return Ok(Watched { rollout, verdict, started, ended: started, diagnosis: None, trouble: None });
        }
        let clusters = Clusters::new(&arguments.azure, &subject.gitops, access, &world.runner)?;
        let mut watch = Watch { clusters, answers, clock: &*access.clock, trouble: None };
        let mut log = CheckLog::default();
        let mut is_slow = None;
        let verdict = watch.until_verdict(&mut rollout, |rollout, now| {
            let (standings, unobserved) = (rollout.standings(now), rollout.unobserved());
            let fleet = self.fleet(&standings, &unobserved, started, now);
            log.lines(&fleet, rollout.glance()).iter().for_each(|line| terminal::say(&(line.clone() + "\n")));
            if let (None, Some(warning)) = (&is_slow, report::slow_fleet(&fleet)) {
                terminal::complain(&report::problems([&warning]));
                is_slow = Some(());
            }
        })?;
        let diagnosis = match verdict {
            Verdict::NoClusters { .. } => watch.diagnosis(),
            _ => None,
        };
        let trouble = watch.trouble;
        Ok(Watched { rollout, verdict, started, ended: now(&*access.clock), diagnosis, trouble })
    }

    /// Writes the final status, hands over, and tells.
    fn conclude(&self, watched: &Watched, ledger: Option<&Ledger<'_>>) -> Result<Exit, Failure> {
        let Watched { rollout, verdict, started, ended, diagnosis, trouble } = watched;
        let (standings, unobserved) = (rollout.standings(*ended), rollout.unobserved());
        let mut summary = CheckSummary {
            fleet: self.fleet(&standings, &unobserved, *started, *ended),
            verdict,
            promoted: self.promotion.commit.as_ref(),
            due: &self.promotion.due,
            held: self.held(verdict),
            hand_over: HandOver::Nothing,
            diagnosis: diagnosis.clone(),
            trouble: trouble.as_deref(),
            chain: report::Chain::default(),
            links: tell::links(self.chain, Some(&self.subject.gitops)),
        };
        let status = report::rollout_status(&summary);
        // What was waited for is told in any case. What no status says was not handed over.
        let missing = match ledger {
            Some(ledger) => ledger.end(&status, || self.settle(ledger, &status)),
            None => Ok(Vec::new()),
        };
        if summary.is_deployed() && self.promotion.is_due() {
            summary.hand_over = self.hand_over(&missing);
        }
        let is_whole = missing.as_ref().is_ok_and(Vec::is_empty);
        let mut written = missing.map(drop);
        if let (HandOver::Failed { .. }, Ok(())) = (&summary.hand_over, &written) {
            let failed = report::rollout_status(&summary);
            written = ledger.map_or(Ok(()), |ledger| ledger.say(&failed));
        }
        let known = self.promotion.commit.as_ref().filter(|_| ledger.is_some());
        let known = known.map(|commit| {
            let state = ChainState::of_status(status.state, &status.description);
            let state = if is_whole { state } else { ChainState::Deploying };
            (&*self.subject.environment, commit, state)
        });
        summary.chain = tell::picture(self.world, self.chain, self.history, known);
        let told = tell::tell(self.world, self.promotion, &summary);
        written.and(told)?;
        Ok(match (&summary.hand_over, status.state) {
            (HandOver::Failed { .. }, _) => Exit::World,
            (_, StatusState::Failure) => Exit::Input,
            _ => Exit::Done,
        })
    }

    /// Says of an environment of several branches what the end of this one's check means; those that do not have the
    /// commit yet.
    fn settle(&self, ledger: &Ledger<'_>, status: &StatusText) -> Result<Vec<String>, Failure> {
        let Check { chain, subject, promotion, .. } = self;
        let (Some(commit), [_, ..]) = (&promotion.commit, &subject.others[..]) else {
            return Ok(Vec::new());
        };
        if status.state != StatusState::Success {
            return ledger.say(status).map(|()| Vec::new());
        }
        let mut others = others::branches(chain, subject, commit)?;
        // Each of them ends once.
        let mut looks = 0..=others.len();
        loop {
            let missing: Vec<&str> =
                others.iter().filter(|other| !other.has_it()).map(|other| &*other.name).collect();
            // The check that failed has said so already.
            if !others.iter().any(Other::has_failed) {
                let theirs = others.iter().filter(|other| other.has_it());
                let mut done: Vec<(&str, &str)> = theirs.map(|other| (&*other.name, &*other.said)).collect();
                done.push((&subject.gitops.name, &status.description));
                done.sort_unstable();
                ledger.say(&StatusText::deployed(&done, &missing))?;
            }
            // Of two checks that end together, the one that says so last sees that of the other.
            let now = match missing.is_empty() || looks.next().is_none() {
                true => None,
                false => Some(others::branches(chain, subject, commit)?).filter(|now| *now != others),
            };
            match now {
                Some(now) => others = now,
                None => return Ok(missing.into_iter().map(str::to_owned).collect()),
            }
        }
    }

    /// Starts the promotion to the environment that follows, if that is asked for, the status is written, and nothing
    /// is `missing`.
    fn hand_over(&self, missing: &Result<Vec<String>, Failure>) -> HandOver {
        let Check { arguments, chain, subject, promotion, .. } = self;
        let CheckArgs { promote, promote_workflow, .. } = arguments;
        let (next, commit) = match (&promotion.next, &promotion.commit, missing) {
            (Some(next), Some(commit), _) => (next, commit),
            (_, _, Ok(missing)) if !missing.is_empty() => return HandOver::Waits(missing.clone()),
            _ => return HandOver::Nothing,
        };
        let before = missing.as_ref().map_err(Failure::reason).and_then(|missing| {
            let others = others::environments(chain, &subject.environment, next, commit);
            Ok([missing.clone(), others.map_err(|failure| failure.reason())?].concat())
        });
        match before {
            Ok(before) if before.is_empty() => {}
            Ok(before) => return HandOver::Waits(before),
            Err(reason) => return HandOver::Failed { environment: next.clone(), reason },
        }
        let workflow = Some(&**promote_workflow).filter(|file| *promote && !file.is_empty());
        let Some(workflow) = workflow.filter(|_| self.mode == Mode::Write) else {
            return HandOver::Left(next.clone());
        };
        match hand_over::start(chain, workflow, next, Some(commit)) {
            Ok(()) => HandOver::Started(next.clone()),
            Err(reason) => HandOver::Failed { environment: next.clone(), reason },
        }
    }

    fn held(&self, verdict: &Verdict) -> Held {
        let target = |(cluster_type, target): &(String, String)| HeldTarget {
            cluster_type: cluster_type.clone(),
            deployment_target: target.clone(),
        };
        let targets: Vec<HeldTarget> = self.subject.contents.held.iter().map(target).collect();
        let means = match verdict {
            Verdict::Compliant if self.promotion.is_all_held => HeldMeans::Everything,
            Verdict::Compliant if self.arguments.on_held == OnHeld::Fail && !targets.is_empty() => {
                HeldMeans::Refused
            }
            _ => HeldMeans::Said,
        };
        Held { targets, means }
    }

    fn fleet<'f>(
        &'f self,
        standings: &'f [rollout::Standing<'f>],
        unobserved: &'f std::collections::BTreeSet<String>,
        started: Time,
        now: Time,
    ) -> FleetStatus<'f> {
        let Check { subject, target, policy, .. } = self;
        FleetStatus { environment: &subject.environment, target, policy, standings, unobserved, started, now }
    }
}
