//! Publishing to GitHub: look what is there → decide (crate `proposal`) → carry out, until nothing is left to do.
//!
//! Whoever is interrupted anywhere, or runs beside another, starts again with looking.

mod carry_out;
mod destination;
mod issues;
mod look;
mod pull_request;
mod tell;
mod upload;

use std::collections::BTreeMap;

use fleet::{Changeset, Outcome, Tree};
use proposal::Step;
use report::{Changes, Links};

pub(crate) use self::destination::{Destination, GitOpsBranch, Place};
pub(crate) use self::tell::{links, refuse, tell, tell_environments};
use crate::cli::ScheduleArgs;
use crate::exit::Failure;
use crate::world::World;
use crate::world::github::{self, Issue, Pull, Repo};

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
pub(crate) struct Published {
    /// What changes there
    pub(crate) changes: Changes,
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
    /// Nothing is done yet.
    pub(crate) fn new(outcome: &Outcome, destination: &Destination) -> Published {
        let Destination { root, current, placement, changes, .. } = destination;
        Published {
            changes: Changes::new(outcome, placement, current, root, changes),
            steps: Vec::new(),
            pull: None,
            issues: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Brings every destination to what it must hold, as far as that needs no person; `published` tells how far
/// that came, also if it fails.
pub(crate) fn publish(
    outcome: &Outcome,
    destinations: &[Destination],
    world: &World,
    links: &Links,
    mode: Mode,
    published: &mut [Published],
) -> Result<(), Failure> {
    for (destination, published) in destinations.iter().zip(published.iter_mut()) {
        match (&destination.place, &world.access) {
            (Place::Folder(out), _) if mode == Mode::Write => out.write(&destination.changes)?,
            (Place::Branch(branch), Some(access)) => {
                pull_request::settle(&access.github, branch, destination, links, mode, published)?;
            }
            _ => {}
        }
    }
    let Some(access) = &world.access else { return Ok(()) };
    for (repo, of_repo) in by_repository(destinations) {
        for _ in 0..ROUNDS {
            let placements = of_repo.iter().map(|index| &destinations[*index].placement);
            let told = &mut published[of_repo[0]];
            let before = told.steps.len();
            issues::settle(&access.github, repo, outcome, placements, mode, told)?;
            if told.steps.len() == before || mode == Mode::DryRun {
                break;
            }
            // Another run may have been here meanwhile: then the issues are ours and the pull requests its own.
            let mut are_ours = true;
            for index in &of_repo {
                let Some(branch) = destinations[*index].branch() else { continue };
                let told = &mut published[*index];
                let before = told.steps.len();
                pull_request::settle(&access.github, branch, &destinations[*index], links, mode, told)?;
                are_ours &= told.steps.len() == before;
            }
            if are_ours {
                break;
            }
        }
    }
    Ok(())
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
    Failed(github::Error),
    /// GitHub's answer contradicts what was sent
    Wrong(String),
}

fn wrong(text: &str) -> Failure {
    let error = anyhow::anyhow!("{text}; no branch was moved");
    Failure::world(error, "run again; if it stays so, please report it")
}
