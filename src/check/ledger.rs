//! The status of the promoted commit in one environment: begun, and always ended.

use std::sync::Arc;

use report::StatusText;
use rollout::{CommitId, StatusState};
use serde::{Deserialize, Serialize};

use crate::commands::chain::Chain;
use crate::exit::Failure;
use crate::publish::Mode;
use crate::world::access::Access;
use crate::world::github::{Error, NewStatus, Oid, Repo, Status};
use crate::world::interrupt::Interrupt;
use crate::world::runner::{self, Runner};

/// The name under which the step's own end finds what is open.
const SAVED: &str = "pending_status";

/// The statuses of one commit in one environment, as this run writes them.
pub(crate) struct Ledger<'a> {
    entry: Entry,
    access: Arc<Access>,
    runner: &'a Runner,
    interrupt: &'a Interrupt,
    mode: Mode,
}

/// Where statuses belong.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Entry {
    /// The repository, OWNER/NAME
    repo: String,
    /// The commit
    commit: String,
    contexts: Contexts,
    /// The page of the run that writes them
    page: Option<String>,
}

/// What a check writes statuses of, as GitHub shows it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Contexts {
    /// What is checked: the environment, or one of its branches
    own: String,
    /// The environment, if that is another one
    environment: Option<String>,
}

/// The context of an environment's statuses.
pub(crate) fn context(environment: &str) -> String {
    format!("{environment} environment")
}

impl Contexts {
    /// Those of an environment that is checked as a whole.
    pub(crate) fn of_environment(environment: &str) -> Contexts {
        Contexts { own: context(environment), environment: None }
    }

    /// Those of one of an environment's branches.
    pub(crate) fn of_branch(environment: &str, gitops_repo: &str) -> Contexts {
        let own = context_of_branch(environment, gitops_repo);
        Contexts { own, environment: Some(context(environment)) }
    }

    /// The environment's.
    fn environment(&self) -> &str {
        self.environment.as_ref().unwrap_or(&self.own)
    }
}

/// The context of what clusters have of one of an environment's branches, where there are several.
pub(crate) fn context_of_branch(environment: &str, gitops_repo: &str) -> String {
    format!("{} / {gitops_repo}", context(environment))
}

/// Whether a context is an environment's, or that of one of its branches.
pub(crate) fn is_of_environment(of: &str, environment: &str) -> bool {
    let rest = of.strip_prefix(&*context(environment));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" / "))
}

impl<'a> Ledger<'a> {
    /// Nothing is written yet.
    pub(crate) fn new(
        chain: &Chain,
        commit: &CommitId,
        contexts: Contexts,
        runner: &'a Runner,
        interrupt: &'a Interrupt,
        mode: Mode,
    ) -> Ledger<'a> {
        let entry = Entry {
            repo: chain.repo.to_string(),
            commit: commit.to_string(),
            contexts,
            page: runner.page.clone(),
        };
        Ledger { entry, access: chain.access.clone(), runner, interrupt, mode }
    }

    /// Says that work is under way, and makes sure that it does not stay so.
    pub(crate) fn begin(&self, status: &StatusText) -> Result<(), Failure> {
        if self.mode == Mode::DryRun {
            return Ok(());
        }
        let saved = serde_json::to_string(&self.entry).unwrap_or_default();
        self.runner.save(SAVED, &saved)?;
        let (entry, access) = (self.entry.clone(), self.access.clone());
        self.interrupt.on_interrupt(move || drop(entry.end(&access, &StatusText::cancelled())));
        Ok(self.entry.write(&self.access, &self.entry.contexts.own, status)?)
    }

    /// Says how it ended; `then` says what follows from it, which is not called off either.
    pub(crate) fn end<T>(
        &self,
        status: &StatusText,
        then: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.mode == Mode::DryRun {
            return then();
        }
        let said = self.interrupt.settle(|| {
            self.entry.write(&self.access, &self.entry.contexts.own, status)?;
            then()
        })?;
        self.runner.save(SAVED, "")?;
        Ok(said)
    }

    /// Says something of the whole environment.
    pub(crate) fn say(&self, status: &StatusText) -> Result<(), Failure> {
        if self.mode == Mode::DryRun {
            return Ok(());
        }
        Ok(self.entry.write(&self.access, self.entry.contexts.environment(), status)?)
    }
}

impl Entry {
    /// Says how it ended, of the whole environment, too.
    fn end(&self, access: &Access, status: &StatusText) -> Result<(), Error> {
        self.write(access, &self.contexts.own, status)?;
        self.contexts
            .environment
            .as_ref()
            .map_or(Ok(()), |environment| self.write(access, environment, status))
    }

    fn write(
        &self,
        access: &Access,
        context: &str,
        StatusText { state, description }: &StatusText,
    ) -> Result<(), Error> {
        let Some((repo, commit)) = self.place() else { return Ok(()) };
        let target_url = self.page.as_deref();
        let status = NewStatus { state: *state, context, description, target_url };
        access.github.create_status(&repo, &commit, &status)
    }

    fn place(&self) -> Option<(Repo, Oid)> {
        Repo::new(&self.repo).zip(Oid::new(&self.commit))
    }

    /// Ends a status that is still open, and that this run has opened; and the environment's, which it would have ended.
    pub(crate) fn end_if_open(&self, access: &Access) -> Result<(), Error> {
        let Some((repo, commit)) = self.place() else { return Ok(()) };
        let statuses = access.github.statuses(&repo, &commit)?;
        let newest = |context: &str| statuses.iter().find(|status| status.context == context);
        let Contexts { own, environment } = &self.contexts;
        let Some(said) = newest(own).filter(|status| status.target_url == self.page) else { return Ok(()) };
        if said.state == StatusState::Pending {
            self.write(access, own, &StatusText::cancelled())?;
        }
        // What this run has said of it stands: other branches are waited for.
        let is_open =
            |status: &&Status| status.state == StatusState::Pending && status.target_url != self.page;
        match environment {
            Some(environment) if newest(environment).filter(is_open).is_some() => {
                self.write(access, environment, &StatusText::cancelled())
            }
            _ => Ok(()),
        }
    }
}

/// What the step left open, if anything.
pub(crate) fn left_open() -> Option<Entry> {
    serde_json::from_str(&runner::saved(SAVED)?).ok()
}
