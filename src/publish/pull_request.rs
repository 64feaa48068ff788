//! The pull request that brings a tree to its branch.

use proposal::{Text, Wanted};
use report::{Changes, Document, Links};

use super::{Change, Destination, GitOpsBranch, Mode, Published, ROUNDS, Trouble, carry_out, look, wrong};
use crate::exit::Failure;
use crate::world::github::{Github, Pull};

/// Has one pull request bring what `destination` must hold, or none if nothing differs.
pub(super) fn settle(
    github: &Github,
    branch: &GitOpsBranch,
    destination: &Destination,
    links: &Links,
    mode: Mode,
    published: &mut Published,
) -> Result<(), Failure> {
    let repo = &branch.repo;
    let wanted = wanted(branch, destination, &published.changes, links);
    let change = Change { base: &destination.current, changes: &destination.changes };
    let mut known: Vec<Pull> = published.pull.iter().cloned().collect();
    let mut unclear = None;
    for _ in 0..ROUNDS {
        let seen = look::look(github, repo, &wanted, &known)?;
        let decision = proposal::pull_steps(&wanted, &seen.repository);
        published.notes = decision.notes;
        if decision.steps.is_empty() || mode == Mode::DryRun {
            published.steps.extend(decision.steps);
            published.pull = decision.pull.and_then(|number| seen.into_pull(number));
            return Ok(());
        }
        for step in decision.steps {
            match carry_out::pull_step(github, repo, &seen, &change, &wanted, &step) {
                Ok(pull) => known.extend(pull),
                Err(Trouble::Moved(error)) => {
                    unclear = error;
                    break;
                }
                Err(Trouble::Failed(error)) => return Err(error.into()),
                Err(Trouble::Wrong(text)) => return Err(wrong(&text)),
            }
            published.steps.push(step);
        }
    }
    Err(unclear.map_or_else(
        || {
            let text = format!("others keep changing {} or its pull request in {repo}", wanted.branch);
            Failure::world(anyhow::anyhow!(text), "run again when they have finished")
        },
        Failure::from,
    ))
}

fn wanted(branch: &GitOpsBranch, destination: &Destination, changes: &Changes, links: &Links) -> Wanted {
    let environment = &changes.environment;
    let text = |replaces| {
        let Document { title, body, digest } = report::pull_request(changes, &branch.branch, replaces, links);
        Text { title, body, digest }
    };
    Wanted {
        address: branch.address(environment),
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
