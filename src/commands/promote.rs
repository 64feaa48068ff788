//! `kalypso promote`: a commit of the base → may it be promoted? → the environment's branch → its status → `schedule`.

use fleet::objects::{Environment, RepoRef};
use fleet::promotion::Promotion as Change;
use fleet::{Diagnostic, Source};
use report::{
    ChainState, PrecedingCheck, PromoteEnding, PromoteNote, PromoteSummary, ScheduleStart, StatusText,
};
use rollout::{Admission, Admitted, CommitId, Refusal};

use super::chain::{self, Chain};
use crate::check::answers::relation;
use crate::check::ledger::context;
use crate::check::subject::{newest, oid};
use crate::check::{hand_over, stale, tell};
use crate::cli::{PromoteArgs, Promotion};
use crate::exit::{Exit, Failure};
use crate::publish::Mode;
use crate::publish::promotion::{self, Proposal, Proposed};
use crate::world::github::{History, NewStatus, Oid, Protection, Repo, Status};
use crate::world::{World, git, runner, terminal};

/// So often the environment's branch is read anew that moves on meanwhile.
const TRIES: usize = 3;

/// A promotion: what is asked for, and where.
struct Promoting<'a> {
    arguments: &'a PromoteArgs,
    world: &'a World,
    chain: &'a Chain,
    environment: &'a Environment,
    mode: Mode,
}

/// An environment's branch as it was read, and the commit that it shall have.
struct Place {
    head: git::CommitId,
    source: Source,
    /// Where the base is
    base: RepoRef,
    base_repo: Repo,
    /// What the environment has now
    before: Option<CommitId>,
    commit: CommitId,
}

/// How it ended.
enum Done {
    Already,
    Committed(CommitId),
    Proposed(u64, report::Link),
    DryRun,
    Refused(Vec<Refusal>),
}

/// Promotes a commit to an environment.
pub(crate) fn run(arguments: &PromoteArgs) -> Result<Exit, Failure> {
    let world = World::new(&arguments.plane, Some(&arguments.access))?;
    let chain = Chain::read(&world)?;
    let environment = match &arguments.plane.environment {
        Some(name) => chain.environment(name)?,
        None => chain.first()?,
    };
    let mode = if arguments.dry_run { Mode::DryRun } else { Mode::Write };
    let promoting = Promoting { arguments, world: &world, chain: &chain, environment, mode };
    let mut tries = 1..=TRIES;
    loop {
        let is_last = tries.next() == Some(TRIES);
        let place = promoting.place()?;
        // Before anything is written: afterwards, nothing may keep the next step from being started.
        let named =
            [&place.commit].into_iter().chain(&place.before).map(oid).collect::<Result<Vec<_>, _>>()?;
        let history = chain.access.github.history(&chain.repo, &place.base.branch, &named);
        let history = stale::or_warn(history, &world.runner);
        let mut notes = Vec::new();
        match promoting.write(&place, &mut notes)? {
            None if is_last => return Err(promoting.moves_on()),
            None => continue,
            Some(done) => return promoting.conclude(&place, &history, done, notes),
        }
    }
}

impl Promoting<'_> {
    /// Reads the environment's branch.
    fn place(&self) -> Result<Place, Failure> {
        let Promoting { arguments, world, chain, environment, .. } = self;
        let at = &environment.control_plane;
        let (head, source) =
            world.sources.head(at).map_err(|unread| chain::no_branch(environment, unread))?;
        let found = fleet::promotion::promoted_base(&source).map_err(refused)?;
        let before = found.as_ref().and_then(|base| CommitId::new(base.commit.as_deref()?));
        let base = found.map_or_else(|| chain.root(), |base| base.at);
        let base_repo = chain.repo_at(&base.repo)?;
        let commit = match &arguments.commit_id {
            Some(commit) => commit.clone(),
            None => self.newest(&base_repo, &base)?,
        };
        Ok(Place { head, source, base, base_repo, before, commit })
    }

    /// The commit that was pushed, else the head of the base branch.
    fn newest(&self, repo: &Repo, base: &RepoRef) -> Result<CommitId, Failure> {
        let Promoting { world: World { runner, repository, .. }, chain, .. } = self;
        let is_push = runner.event.as_deref() == Some("push")
            && runner.branch.as_ref() == Some(&base.branch)
            && repository.as_ref() == Some(repo);
        if let Some(pushed) = runner.commit.as_deref().filter(|_| is_push).and_then(CommitId::new) {
            return Ok(pushed);
        }
        let head = chain.access.github.head(repo, &format!("refs/heads/{}", base.branch))?;
        head.and_then(|head| CommitId::new(head.as_str())).ok_or_else(|| {
            let text = format!("{repo} has no branch `{}`", base.branch);
            Failure::input(
                text,
                "correct `spec.branch` of the BaseRepo `main`, or name a commit with --commit-id",
            )
        })
    }

    /// Brings the commit to the environment's branch; nothing if the branch has moved on meanwhile.
    fn write(&self, place: &Place, notes: &mut Vec<PromoteNote>) -> Result<Option<Done>, Failure> {
        let Promoting { arguments, chain, environment, mode, .. } = self;
        let github = &chain.access.github;
        match self.admit(place, notes)? {
            Err(reasons) => return Ok(Some(Done::Refused(reasons))),
            Ok(Admitted::Already) => return Ok(Some(Done::Already)),
            Ok(Admitted::Moves { .. }) if *mode == Mode::DryRun => return Ok(Some(Done::DryRun)),
            Ok(Admitted::Moves { .. }) => {}
        }
        let change = fleet::promotion::promote_base(&place.source, place.commit.as_str(), &place.base);
        let Change::Edit(edit) = change.map_err(refused)? else { return Ok(Some(Done::Already)) };
        let at = &environment.control_plane;
        let repo = chain.repo_at(&at.repo)?;
        let proposal = Proposal {
            repo: &repo,
            environment: &environment.meta.name,
            branch: &at.branch,
            head: place.head,
            path: &at.path.join(&edit.path),
            text: &edit.text,
            commit: &place.commit,
        };
        let is_protected = match arguments.promotion {
            Promotion::PullRequest => true,
            Promotion::Push => matches!(github.protection(&repo, &at.branch)?, Protection::PullRequest(_)),
        };
        if is_protected {
            if arguments.promotion == Promotion::Push {
                notes.push(PromoteNote::Protected);
            }
            let Some(Proposed { pull, notes }) = promotion::propose(github, &proposal)? else {
                return Ok(None);
            };
            let notes: Vec<Diagnostic> = notes.into_iter().map(Diagnostic::warning).collect();
            terminal::complain(&report::problems(&notes));
            let text = format!("#{} {}", pull.number, pull.title);
            let link = report::Link { text, url: pull.html_url };
            return Ok(Some(Done::Proposed(pull.number, link)));
        }
        let pushed = match is_rollback(notes) {
            true => self.push_back(&place.commit, &proposal, preceding(notes))?,
            false => promotion::push(github, &proposal)?,
        };
        Ok(pushed.and_then(|commit| CommitId::new(commit.as_str())).map(Done::Committed))
    }

    /// Pushes an older commit. Its earlier success would stand for clusters that do not have it again yet: it goes
    /// first, and comes back if nothing is pushed.
    fn push_back(
        &self,
        commit: &CommitId,
        proposal: &Proposal<'_>,
        preceding: PrecedingCheck,
    ) -> Result<Option<Oid>, Failure> {
        let Promoting { chain, environment, .. } = self;
        let github = &chain.access.github;
        let statuses = github.statuses(&chain.repo, &oid(commit)?)?;
        self.mark(commit, &StatusText::promoted(preceding))?;
        let pushed = promotion::push(github, proposal);
        if let (Err(_) | Ok(None), Some(before)) = (&pushed, newest(&statuses, &environment.meta.name)) {
            let description = before.description.clone().unwrap_or_default();
            self.mark(commit, &StatusText { state: before.state, description })?;
        }
        pushed
    }

    fn admit(
        &self,
        place: &Place,
        notes: &mut Vec<PromoteNote>,
    ) -> Result<Result<Admitted, Vec<Refusal>>, Failure> {
        let Promoting { arguments, chain, environment, .. } = self;
        let (github, name) = (&chain.access.github, &environment.meta.name);
        let Place { base, base_repo, before, commit, .. } = place;
        let current = match before {
            Some(before) => Some((before.clone(), relation(github, base_repo, commit, before)?)),
            None => None,
        };
        let preceding: Vec<&str> = chain.preceding(name).map(|it| &*it.meta.name).collect();
        let statuses = match preceding.is_empty() {
            true => Vec::new(),
            false => github.statuses(&chain.repo, &oid(commit)?)?,
        };
        let state = |name: &str| newest(&statuses, name).map(|status| status.state);
        if !chain.is_linked() && chain.environments.len() > 1 {
            notes.push(PromoteNote::NoChain);
        }
        let admission = Admission {
            on_base: github.relation(base_repo, &base.branch, commit.as_str())?,
            current,
            preceding: preceding.into_iter().map(|name| (name.to_owned(), state(name))).collect(),
            allows_rollback: arguments.allow_rollback,
            skips_check: arguments.skip_check,
        };
        let admitted = rollout::admit(&admission);
        if let Ok(Admitted::Moves { is_rollback, unchecked }) = &admitted {
            notes.extend(is_rollback.then_some(PromoteNote::Rollback));
            notes.extend(unchecked.iter().cloned().map(PromoteNote::Unchecked));
        }
        Ok(admitted)
    }

    /// Sets the status, has the environment scheduled, and tells.
    fn conclude(
        &self,
        place: &Place,
        history: &History,
        done: Done,
        notes: Vec<PromoteNote>,
    ) -> Result<Exit, Failure> {
        let Promoting { world, chain, environment, mode, .. } = self;
        let name = &*environment.meta.name;
        let Place { commit, base, .. } = place;
        let (mut schedule, mut written) = (ScheduleStart::Left, Ok(()));
        if *mode == Mode::Write && !matches!(done, Done::Refused(_) | Done::DryRun) {
            // What is promoted goes on, whether its status can be written or not.
            written = self.mark_done(commit, &done, &notes);
            if !matches!(done, Done::Proposed(..)) {
                schedule = self.schedule();
            }
            // Who cannot write this one cannot end others, and has said why.
            if written.is_ok() && !matches!(done, Done::Proposed(..)) {
                let taken = stale::Taken { by: commit, from: place.before.as_ref(), stays: None };
                let ended = stale::end(chain, history, name, Some(taken), &world.runner);
                stale::or_warn(ended, &world.runner);
            }
        }
        let ending = match &done {
            Done::Already => PromoteEnding::Already,
            Done::Committed(commit) => PromoteEnding::Committed(commit),
            Done::Proposed(_, link) => PromoteEnding::Proposed(link.clone()),
            Done::DryRun => PromoteEnding::DryRun,
            Done::Refused(reasons) => PromoteEnding::Refused(reasons),
        };
        let marked = match done {
            Done::Committed(_) => Some(ChainState::Promoted),
            Done::Proposed(..) => Some(ChainState::Proposed),
            Done::Already | Done::DryRun | Done::Refused(_) => None,
        };
        let marked = marked.filter(|_| written.is_ok());
        let summary = PromoteSummary {
            environment: name,
            branch: &environment.control_plane.branch,
            base: &base.branch,
            commit,
            before: place.before.as_ref(),
            ending,
            notes,
            schedule,
            chain: tell::picture(world, chain, history, marked.map(|state| (name, commit, state))),
            links: tell::links(chain, None),
        };
        let told = self.tell(&summary);
        written.and(told)?;
        Ok(match (&done, &summary.schedule) {
            (Done::Refused(_), _) => Exit::Input,
            (_, ScheduleStart::Failed(_)) => Exit::World,
            _ => Exit::Done,
        })
    }

    /// Says on the commit that the environment has it, or would get it; what is said already stays.
    fn mark_done(&self, commit: &CommitId, done: &Done, notes: &[PromoteNote]) -> Result<(), Failure> {
        let Promoting { chain, environment, .. } = self;
        let status = match done {
            Done::Proposed(number, _) => StatusText::proposed(*number, preceding(notes)),
            _ => StatusText::promoted(preceding(notes)),
        };
        let is_said = |newest: &Status| {
            let description = newest.description.as_deref().unwrap_or_default();
            match done {
                // What was proposed has been merged.
                Done::Already => ChainState::of_status(newest.state, description) != ChainState::Proposed,
                // It was said before the push, and a check of what was there may have ended it meanwhile.
                Done::Committed(_) => description == status.description,
                Done::Proposed(..) | Done::DryRun | Done::Refused(_) => false,
            }
        };
        if matches!(done, Done::Already) || is_rollback(notes) {
            let statuses = chain.access.github.statuses(&chain.repo, &oid(commit)?)?;
            if newest(&statuses, &environment.meta.name).is_some_and(is_said) {
                return Ok(());
            }
        }
        self.mark(commit, &status)
    }

    fn mark(&self, commit: &CommitId, status: &StatusText) -> Result<(), Failure> {
        let Promoting { world, chain, environment, .. } = self;
        let status = NewStatus {
            state: status.state,
            context: &context(&environment.meta.name),
            description: &status.description,
            target_url: world.runner.page.as_deref(),
        };
        Ok(chain.access.github.create_status(&chain.repo, &oid(commit)?, &status)?)
    }

    /// Has the environment scheduled: a push made with a workflow's own token starts nothing.
    fn schedule(&self) -> ScheduleStart {
        let Promoting { arguments, chain, environment, .. } = self;
        match &*arguments.schedule_workflow {
            "" => ScheduleStart::Left,
            file => match hand_over::start(chain, file, &environment.meta.name, None) {
                Ok(()) => ScheduleStart::Started,
                Err(reason) => ScheduleStart::Failed(reason),
            },
        }
    }

    fn tell(&self, summary: &PromoteSummary<'_>) -> Result<(), Failure> {
        let runner = &self.world.runner;
        let problems = report::promote_problems(summary);
        if runner.is_action() {
            terminal::say(&report::annotations(&problems, |_| None));
        }
        terminal::complain(&report::problems(&problems));
        report::promote_log(summary).iter().for_each(|line| terminal::say(&(line.clone() + "\n")));
        runner::summarize(&report::promote_summary(summary))?;
        let made = match summary.ending {
            PromoteEnding::Committed(commit) => commit.to_string(),
            _ => String::new(),
        };
        runner.set_outputs(&[
            ("commit-id", made),
            ("promoted-commit-id", summary.commit.to_string()),
            ("environment", summary.environment.to_owned()),
        ])
    }

    fn moves_on(&self) -> Failure {
        let at = &self.environment.control_plane;
        Failure::outdated(at.shown_repo(), &at.branch)
    }
}

/// Whether the commit is older than what the environment had.
fn is_rollback(notes: &[PromoteNote]) -> bool {
    notes.iter().any(|note| matches!(note, PromoteNote::Rollback))
}

fn preceding(notes: &[PromoteNote]) -> PrecedingCheck {
    let is_unchecked = notes.iter().any(|note| matches!(note, PromoteNote::Unchecked(_)));
    if is_unchecked { PrecedingCheck::Skipped } else { PrecedingCheck::Passed }
}

/// A branch whose objects do not allow it.
fn refused(problems: Vec<Diagnostic>) -> Failure {
    terminal::complain(&report::problems(&problems));
    Failure::input("the BaseRepo `main` cannot be changed", "correct what is named above, then run again")
}
