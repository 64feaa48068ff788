//! A promoted commit on its way to an environment's branch: as a commit on it, or as a pull request to it.

use proposal::{Address, Text, Wanted};
use rollout::CommitId;

use super::pull_request::Request;
use super::{Mode, Published};
use crate::exit::Failure;
use crate::world::git;
use crate::world::github::{Entry, Github, Oid, Pull, RefUpdate, Repo, UpdateRefs};

/// What an environment's branch shall hold.
pub(crate) struct Proposal<'a> {
    /// The repository of the branch
    pub(crate) repo: &'a Repo,
    /// The environment
    pub(crate) environment: &'a str,
    /// Its branch
    pub(crate) branch: &'a str,
    /// Where the branch stood when it was read
    pub(crate) head: git::CommitId,
    /// The file that changes
    pub(crate) path: &'a str,
    /// Its whole text
    pub(crate) text: &'a str,
    /// The commit that is promoted
    pub(crate) commit: &'a CommitId,
}

/// A pull request that brings it.
pub(crate) struct Proposed {
    /// The pull request
    pub(crate) pull: Pull,
    /// What is unusual about it
    pub(crate) notes: Vec<String>,
}

/// Puts one commit on top of the branch, and tells its name; nothing if the branch has moved on.
pub(crate) fn push(github: &Github, proposal: &Proposal<'_>) -> Result<Option<Oid>, Failure> {
    let head = proposal.head()?;
    let tree = proposal.tree(github, &github.commit(proposal.repo, &head)?.tree)?;
    let commit = github.create_commit(proposal.repo, &proposal.title(), &tree, &[&head])?;
    let is_moved = proposal.move_branch(github, proposal.branch, Some(&head), &commit)?;
    Ok(is_moved.then_some(commit))
}

/// Has one pull request to the branch propose it; nothing if the branch has moved on.
pub(crate) fn propose(github: &Github, proposal: &Proposal<'_>) -> Result<Option<Proposed>, Failure> {
    let head = proposal.head()?;
    let base = github.commit(proposal.repo, &head)?.tree;
    let tree = proposal.tree(github, &base)?;
    let text = proposal.text_of_pull();
    let branch = format!("promotion/{}", proposal.environment);
    let wanted = Wanted {
        address: Address { environment: proposal.environment.to_owned(), path: proposal.path.to_owned() },
        base: proposal.branch.to_owned(),
        base_head: head.to_string(),
        base_tree: base.to_string(),
        tree: tree.to_string(),
        branch: branch.clone(),
        text: text.clone(),
        text_beside: text,
        // The label is for what clusters read.
        promotes: false,
        obsolete: "Another pull request promotes a commit to this environment.".to_owned(),
    };
    let bring = || Ok(tree.clone());
    let request = Request { repo: proposal.repo, wanted: &wanted, family: &branch, bring: &bring };
    let mut published = Published::default();
    match request.settle(github, Mode::Write, &mut published) {
        Err(failure) if failure.is_outdated() => return Ok(None),
        settled => settled?,
    }
    let Published { pull, notes, .. } = published;
    match pull {
        Some(pull) => Ok(Some(Proposed { pull, notes })),
        None => {
            let (commit, environment) = (proposal.commit.short(), proposal.environment);
            let text = format!("{commit} is not promoted to {environment}: {}", notes.join(", "));
            Err(Failure::input(text, "or promote another commit"))
        }
    }
}

impl Proposal<'_> {
    fn title(&self) -> String {
        format!("Promote {} to {}", self.commit.short(), self.environment)
    }

    fn text_of_pull(&self) -> Text {
        let body = format!(
            "This pull request promotes {} to the environment {}. When it is merged to `{}`, `schedule` runs for it.\n",
            self.commit, self.environment, self.branch
        );
        Text { title: self.title(), body, digest: self.commit.to_string() }
    }

    fn head(&self) -> Result<Oid, Failure> {
        let head = self.head.to_string();
        Oid::new(&head).ok_or_else(|| Failure::input(format!("{head} is no commit"), "please report this"))
    }

    fn tree(&self, github: &Github, base: &Oid) -> Result<Oid, Failure> {
        let file = Entry::Text { path: self.path, mode: fleet::Mode::File, text: self.text };
        Ok(github.create_tree(self.repo, Some(base), &[file])?)
    }

    /// Whether the branch stands at `after` now: it does not where it was not at `before`.
    fn move_branch(
        &self,
        github: &Github,
        branch: &str,
        before: Option<&Oid>,
        after: &Oid,
    ) -> Result<bool, Failure> {
        let name = format!("refs/heads/{branch}");
        let update = RefUpdate { name, before: before.cloned(), after: after.clone() };
        let node_id = github.repository(self.repo)?.node_id;
        match github.update_refs(self.repo, &node_id, &[update]) {
            Ok(()) => Ok(true),
            Err(UpdateRefs::Stale) => Ok(false),
            Err(UpdateRefs::Failed(error)) => Err(error.into()),
        }
    }
}
