//! What else must have a commit before it goes on: the environment's other branches, and the other environments that
//! come before the next one.

use rollout::{CommitId, Relation, StatusState};

use super::answers::relation;
use super::ledger::{context, context_of_branch};
use super::stale::PROMOTED;
use super::subject::{Contents, GitOps, Subject, head, newest, oid};
use crate::commands::chain::Chain;
use crate::exit::Failure;
use crate::world::github::Status;

/// One of an environment's other branches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Other {
    /// Its GitOpsRepo
    pub(crate) name: String,
    /// How its own check has ended, if it is known
    pub(crate) state: Option<StatusState>,
    /// What that has said
    pub(crate) said: String,
}

impl Other {
    /// Whether a check has shown the commit deployed.
    pub(crate) fn has_it(&self) -> bool {
        self.state == Some(StatusState::Success)
    }

    /// Whether its check has ended otherwise.
    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.state, Some(StatusState::Failure | StatusState::Error))
    }
}

/// How far the commit is on the environment's other branches.
pub(crate) fn branches(chain: &Chain, subject: &Subject, commit: &CommitId) -> Result<Vec<Other>, Failure> {
    let Subject { environment, others, .. } = subject;
    let statuses = chain.access.github.statuses(&chain.repo, &oid(commit)?)?;
    let statuses = since_promoted(&statuses, environment);
    let mut branches = Vec::new();
    for other in others {
        let context = context_of_branch(environment, &other.name);
        let newest = statuses.iter().find(|status| status.context == context);
        let mut state = newest.map(|status| status.state);
        // What has been taken back since is there no longer.
        if state == Some(StatusState::Success) && !carries(chain, other, commit)? {
            state = None;
        }
        let said = newest.and_then(|status| status.description.clone()).unwrap_or_default();
        branches.push(Other { name: other.name.clone(), state, said });
    }
    Ok(branches)
}

/// The other environments before `next` that have not shown the commit deployed.
pub(crate) fn environments(
    chain: &Chain,
    environment: &str,
    next: &str,
    commit: &CommitId,
) -> Result<Vec<String>, Failure> {
    let names = chain.preceding(next).map(|it| &*it.meta.name).filter(|name| *name != environment);
    let mut names: Vec<&str> = names.collect();
    if !names.is_empty() {
        let statuses = chain.access.github.statuses(&chain.repo, &oid(commit)?)?;
        names.retain(|name| newest(&statuses, name).is_none_or(|it| it.state != StatusState::Success));
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

/// The statuses, newest first, since the commit was promoted last: what came before a rollback to it does not count.
fn since_promoted<'s>(statuses: &'s [Status], environment: &str) -> &'s [Status] {
    let context = context(environment);
    let is_promoted = |status: &Status| {
        let says = |words| status.description.as_deref().is_some_and(|text| text.starts_with(words));
        status.context == context && PROMOTED.into_iter().any(says)
    };
    let end = statuses.iter().position(is_promoted).unwrap_or(statuses.len());
    &statuses[..end]
}

/// Whether a branch has the commit now, or a newer one.
fn carries(chain: &Chain, gitops: &GitOps, commit: &CommitId) -> Result<bool, Failure> {
    let github = &chain.access.github;
    let contents = Contents::known(&chain.access, gitops, &head(github, gitops)?)?;
    let Some(promoted) = contents.promoted else { return Ok(false) };
    let relation = relation(github, &chain.repo, &promoted, commit)?;
    Ok(matches!(relation, Relation::Same | Relation::Descendant))
}
