//! The pull request that brings a tree to its branch.

use proposal::{Text, Wanted};
use report::{Changes, Document, Links};

use super::carry_out::{self, Made};
use super::look::{self, Known};
use super::upload::upload;
use super::{Change, Destination, GitOpsBranch, Mode, Published, Publisher, ROUNDS, Trouble};
use crate::exit::Failure;
use crate::world::github::{Github, Oid, Repo};

/// A pull request that brings a tree to a branch.
pub(super) struct Request<'a> {
    /// The repository of both
    pub(super) repo: &'a Repo,
    /// What the branch must be brought to
    pub(super) wanted: &'a Wanted,
    /// What the names of all branches begin with that it could come from
    pub(super) family: &'a str,
    /// Brings the tree to the repository, and tells its name
    pub(super) bring: &'a dyn Fn() -> Result<Oid, Trouble>,
}

/// Has one pull request bring what `destination` must hold, or none if nothing differs.
pub(super) fn settle(
    publisher: &Publisher<'_>,
    github: &Github,
    branch: &GitOpsBranch,
    destination: &Destination,
    published: &mut Published,
) -> Result<(), Failure> {
    let repo = &branch.repo;
    let wanted =
        wanted(branch, destination, published.changes(publisher.outcome, destination), publisher.links);
    let change = Change { base: &destination.current, changes: &destination.changes };
    let bring = || upload(github, repo, &change);
    let family = proposal::primary(&wanted.base, None);
    let request = Request { repo, wanted: &wanted, family: &family, bring: &bring };
    request.settle(github, publisher.mode, published)
}

impl Request<'_> {
    /// Has one pull request bring what is wanted, or none if nothing differs.
    pub(super) fn settle(
        &self,
        github: &Github,
        mode: Mode,
        published: &mut Published,
    ) -> Result<(), Failure> {
        let mut known = Known { pulls: published.pull.iter().cloned().collect(), ..Known::default() };
        let mut unclear = None;
        for _ in 0..ROUNDS {
            let seen = look::look(github, self, &known)?;
            let decision = proposal::pull_steps(self.wanted, &seen.repository);
            published.notes = decision.notes;
            if decision.steps.is_empty() || mode == Mode::DryRun {
                published.steps.extend(decision.steps);
                published.pull = decision.pull.and_then(|number| seen.into_pull(number));
                return Ok(());
            }
            for step in decision.steps {
                match carry_out::pull_step(github, self, &seen, &step) {
                    Ok(Some(Made::Pull(pull))) => known.pulls.push(*pull),
                    Ok(Some(Made::Commit(commit))) => known.commits.push(commit),
                    Ok(None) => {}
                    Err(Trouble::Moved(error)) => {
                        unclear = error;
                        break;
                    }
                    Err(Trouble::Failed(failure)) => return Err(failure),
                }
                published.steps.push(step);
            }
        }
        Err(unclear.map_or_else(
            || {
                let Request { repo, wanted, .. } = self;
                let text = format!("others keep changing {} or its pull request in {repo}", wanted.branch);
                Failure::world(anyhow::anyhow!(text), "run again when they have finished")
            },
            Failure::from,
        ))
    }
}

fn wanted(branch: &GitOpsBranch, destination: &Destination, changes: &Changes, links: &Links) -> Wanted {
    let environment = &changes.environment;
    let text = |replaces| {
        let Document { title, body, digest } = report::pull_request(changes, &branch.branch, replaces, links);
        Text { title, body, digest }
    };
    Wanted {
        address: branch.address(environment, &destination.root),
        base: branch.branch.clone(),
        base_head: branch.head.to_string(),
        base_tree: destination.current.id().to_string(),
        tree: destination.placement.tree.id().to_string(),
        branch: branch.proposed.clone(),
        text: text(None),
        text_beside: text(Some(&branch.proposed)),
        promotes: changes.promoted.is_some(),
        obsolete: report::not_needed(environment, &branch.branch),
    }
}
