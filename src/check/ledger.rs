//! The status of the promoted commit in one environment: begun, and always ended.

use std::sync::Arc;

use report::StatusText;
use rollout::{CommitId, StatusState};
use serde::{Deserialize, Serialize};

use crate::commands::chain::Chain;
use crate::exit::Failure;
use crate::publish::Mode;
use crate::world::access::Access;
use crate::world::github::{Error, NewStatus, Oid, Repo};
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

/// Where a status belongs.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Entry {
    /// The repository, OWNER/NAME
    repo: String,
    /// The commit
    commit: String,
    /// The environment, as GitHub shows it
    context: String,
    /// The page of the run that writes it
    page: Option<String>,
}

/// The context of an environment's statuses.
pub(crate) fn context(environment: &str) -> String {
    format!("{environment} environment")
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
        context: String,
        runner: &'a Runner,
        interrupt: &'a Interrupt,
        mode: Mode,
    ) -> Ledger<'a> {
        let entry = Entry {
            repo: chain.repo.to_string(),
            commit: commit.to_string(),
            context,
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
        self.interrupt.on_interrupt(move || drop(entry.write(&access, &StatusText::cancelled())));
        Ok(self.entry.write(&self.access, status)?)
    }

    /// Says how it ended.
    pub(crate) fn end(&self, status: &StatusText) -> Result<(), Failure> {
        if self.mode == Mode::DryRun {
            return Ok(());
        }
        self.interrupt.settle(|| self.entry.write(&self.access, status))?;
        self.runner.save(SAVED, "")
    }

    /// Says what follows from it in another context.
    pub(crate) fn say_in(&self, context: String, status: &StatusText) -> Result<(), Failure> {
        if self.mode == Mode::DryRun {
            return Ok(());
        }
        let entry = Entry { context, ..self.entry.clone() };
        Ok(entry.write(&self.access, status)?)
    }
}

impl Entry {
    fn write(&self, access: &Access, StatusText { state, description }: &StatusText) -> Result<(), Error> {
        let Some((repo, commit)) = self.place() else { return Ok(()) };
        let target_url = self.page.as_deref();
        let status = NewStatus { state: *state, context: &self.context, description, target_url };
        access.github.create_status(&repo, &commit, &status)
    }

    fn place(&self) -> Option<(Repo, Oid)> {
        Repo::new(&self.repo).zip(Oid::new(&self.commit))
    }

    /// Ends a status that is still open, and that this run has opened.
    pub(crate) fn end_if_open(&self, access: &Access) -> Result<(), Error> {
        let Some((repo, commit)) = self.place() else { return Ok(()) };
        let statuses = access.github.statuses(&repo, &commit)?;
        let newest = statuses.iter().find(|status| status.context == self.context);
        match newest {
            Some(newest) if newest.state == StatusState::Pending && newest.target_url == self.page => {
                self.write(access, &StatusText::cancelled())
            }
            _ => Ok(()),
        }
    }
}

/// What the step left open, if anything.
pub(crate) fn left_open() -> Option<Entry> {
    serde_json::from_str(&runner::saved(SAVED)?).ok()
}
