//! Publishing to GitHub: look what is there → decide (crate `proposal`) → carry out, until nothing is left to do.
//!
//! Whoever is interrupted anywhere, or runs beside another, starts again with looking.

mod carry_out;
mod destination;
mod issues;
mod look;
pub(crate) mod promotion;
mod pull_request;
mod tell;
mod upload;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use fleet::{Changeset, Outcome, Tree};
use proposal::Step;
use report::{Changes, Links};

pub(crate) use self::destination::{Destination, GitOpsBranch, Place};
pub(crate) use self::tell::{links, refuse, tell, tell_environments};
use crate::cli::ScheduleArgs;
use crate::exit::Failure;
use crate::world::World;
use crate::world::github::{self, Github, Issue, Pull, Repo};

/// So often we look again because someone else changes the same branch or pull request.
const ROUNDS: usize = 5;

/// Whether steps are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They are
    Write,
    /// They are only said
    DryRun,
}

/// The change of a branch.
pub(crate) struct Change<'a> {
    /// What the branch holds
    pub(crate) base: &'a Tree,
    /// What differs in the wanted tree
    pub(crate) changes: &'a Changeset,
}

/// What was done, or would be, for one destination.
#[derive(Default)]
pub(crate) struct Published {
    /// What changes there; made when it is first looked at
    changes: OnceCell<Changes>,
    /// The steps
    pub(crate) steps: Vec<Step>,
    /// The open pull request that brings the wanted tree
    pub(crate) pull: Option<Pull>,
    /// The open issues of the environment
    pub(crate) issues: Vec<Issue>,
    /// What is unusual
    pub(crate) notes: Vec<String>,
}

impl Mode {
    /// What the arguments ask for.
    pub(crate) fn of(arguments: &ScheduleArgs) -> Mode {
        if arguments.dry_run { Mode::DryRun } else { Mode::Write }
    }
}

impl Published {
    /// What changes at `destination`, value by value.
    fn changes(&self, outcome: &Outcome, destination: &Destination) -> &Changes {
        let Destination { root, current, placement, changes, .. } = destination;
        self.changes.get_or_init(|| Changes::new(outcome, placement, current, root, changes))
    }
}

/// Publishes the outcome of a run.
pub(crate) struct Publisher<'a> {
    /// What was computed
    pub(crate) outcome: &'a Outcome,
    /// What can be seen of the world
    pub(crate) world: &'a World,
    /// Where people look things up
    pub(crate) links: &'a Links,
    /// Whether steps are carried out
    pub(crate) mode: Mode,
}

impl Publisher<'_> {
    /// Brings every destination to what it must hold, as far as that needs no person; `published` tells how
    /// far that came. One that fails does not stop the others.
    pub(crate) fn publish(
        &self,
        destinations: &[Destination],
        published: &mut [Published],
    ) -> Result<(), Failure> {
        let mut done = Ok(());
        for destination in destinations {
            if let (Place::Folder(out), Mode::Write) = (&destination.place, self.mode) {
                done = done.and(out.write(&destination.changes));
            }
        }
        let Some(access) = &self.world.access else { return done };
        let mut issue_writes = 0;
        for (repo, of_repo) in by_repository(destinations) {
            let settled =
                self.settle(&access.github, repo, &of_repo, destinations, published, &mut issue_writes);
            done = done.and(settled);
        }
        done
    }

    /// Has the pull requests and issues of one repository be as they must.
    fn settle(
        &self,
        github: &Github,
        repo: &Repo,
        of_repo: &[usize],
        destinations: &[Destination],
        published: &mut [Published],
        issue_writes: &mut usize,
    ) -> Result<(), Failure> {
        for _ in 0..ROUNDS {
            for index in of_repo {
                if let Some(branch) = destinations[*index].branch() {
                    pull_request::settle(
                        self,
                        github,
                        branch,
                        &destinations[*index],
                        &mut published[*index],
                    )?;
                }
            }
            let placements = of_repo.iter().map(|index| &destinations[*index].placement);
            let told = &mut published[of_repo[0]];
            let before = told.steps.len();
            issues::settle(self, github, repo, placements, told, issue_writes)?;
            // Another run may have been here meanwhile: then the issues are ours and the pull requests its own.
            if told.steps.len() == before || self.mode == Mode::DryRun {
                break;
            }
        }
        Ok(())
    }
}

/// The repositories of all destinations, each with the indexes of those that are in it.
fn by_repository(destinations: &[Destination]) -> BTreeMap<&Repo, Vec<usize>> {
    let mut of_repo: BTreeMap<&Repo, Vec<usize>> = BTreeMap::new();
    for (index, branch) in
        destinations.iter().enumerate().filter_map(|(index, it)| Some((index, it.branch()?)))
    {
        of_repo.entry(&branch.repo).or_default().push(index);
    }
    of_repo
}

/// Why a step was not carried out.
enum Trouble {
    /// Someone else was there in the meantime, or it is unclear what happened: look again
    Moved(Option<github::Error>),
    /// It cannot be
    Failed(Failure),
}

impl Trouble {
    /// GitHub's answer contradicts what was sent.
    fn wrong(text: String) -> Trouble {
        let error = anyhow::anyhow!("{text}; what was sent is not used");
        Trouble::Failed(Failure::world(error, "run again; if it stays so, please report it"))
    }
}
