//! Statuses that nobody will end: their run is over, or a newer commit has taken their place.

use fleet::Snapshot;
use report::StatusText;
use rollout::{CommitId, StatusState};

use super::ledger::context;
use crate::commands::chain::Chain;
use crate::exit::Failure;
use crate::world::github::{HistoryCommit, NewStatus, RunState};
use crate::world::runner::Runner;

/// So many are ended by one run; the rest by those that follow.
const ENDED: usize = 3;

/// With what the status of a check begins that goes on.
const DEPLOYING: &str = "Deploying";
/// With what the status of a commit begins that waits for its pull request.
const PROMOTED: &str = "Promoted";

/// Which commits have had their place taken.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Taken<'a> {
    /// Those below this one
    Below(&'a CommitId),
    /// All others than this one
    AllBut(&'a CommitId),
}

/// The newest commits of the base branch that an environment's `branch` points to, with their statuses.
pub(crate) fn history(chain: &Chain, branch: &Snapshot) -> Result<Vec<HistoryCommit>, Failure> {
    let base = branch.promoted_base().map_or(&chain.repository.default_branch, |base| &base.at.branch);
    Ok(chain.access.github.history(&chain.repo, base)?)
}

/// Ends what nobody else will end of an environment's statuses.
pub(crate) fn end(
    chain: &Chain,
    history: &[HistoryCommit],
    environment: &str,
    taken: Option<Taken<'_>>,
    runner: &Runner,
) -> Result<(), Failure> {
    let context = context(environment);
    let mut ended = 0;
    for (index, commit) in history.iter().enumerate() {
        let status = commit.statuses.iter().find(|status| status.context == context);
        let Some(status) = status.filter(|status| status.state == StatusState::Pending) else { continue };
        let page = status.target_url.as_deref();
        let by = taken.and_then(|taken| taken.place_of(index, history));
        let says = |words: &str| status.description.as_deref().is_some_and(|text| text.starts_with(words));
        let StatusText { state, description } = match by {
            Some(by) if says(PROMOTED) => StatusText::superseded(by),
            _ if says(DEPLOYING) && is_over(chain, page, runner)? => StatusText::cancelled(),
            _ => continue,
        };
        let status = NewStatus { state, context: &context, description: &description, target_url: page };
        chain.access.github.create_status(&chain.repo, &commit.id, &status)?;
        ended += 1;
        if ended == ENDED {
            break;
        }
    }
    Ok(())
}

impl<'a> Taken<'a> {
    /// The commit that has taken the place of the one at `index` of the history, the newest being first.
    fn place_of(self, index: usize, history: &[HistoryCommit]) -> Option<&'a CommitId> {
        let at = |commit: &CommitId| history.iter().position(|it| it.id.as_str() == commit.as_str());
        match self {
            Taken::Below(commit) => at(commit).filter(|at| *at < index).map(|_| commit),
            Taken::AllBut(commit) => (at(commit) != Some(index)).then_some(commit),
        }
    }
}

/// Whether the run of a page has ended, or is not there any more. Ours goes on, and other pages are left alone.
fn is_over(chain: &Chain, page: Option<&str>, runner: &Runner) -> Result<bool, Failure> {
    let run = |page: &str| page.rsplit_once("/actions/runs/")?.1.split('/').next()?.parse().ok();
    match page.filter(|page| runner.page.as_deref() != Some(page)).and_then(run) {
        Some(run) => Ok(chain.access.github.run(&chain.repo, run)? != Some(RunState::Going)),
        None => Ok(false),
    }
}
