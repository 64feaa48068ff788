//! A promoted commit on its way to an environment's branch: as a commit on it, or as a pull request to it.

use proposal::{Address, Commit};
use rollout::CommitId;

use crate::exit::Failure;
use crate::world::git;
use crate::world::github::{
    self, Entry, Github, NewPull, Oid, Pull, PullChange, RefUpdate, Repo, UpdateRefs,
};

/// So many names are tried for the branch of a pull request: others may have taken the first.
const NAMES: usize = 5;

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

/// Puts one commit on top of the branch, and tells its name; nothing if the branch has moved on.
pub(crate) fn push(github: &Github, proposal: &Proposal<'_>) -> Result<Option<Oid>, Failure> {
    let head = proposal.head()?;
    let tree = proposal.tree(github, &head)?;
    let commit = github.create_commit(proposal.repo, &proposal.title(), &tree, &[&head])?;
    let is_moved = proposal.move_branch(github, proposal.branch, Some(&head), &commit)?;
    Ok(is_moved.then_some(commit))
}

/// Has one pull request to the branch propose it, and tells which; nothing if somebody else was faster.
pub(crate) fn propose(github: &Github, proposal: &Proposal<'_>) -> Result<Option<Pull>, Failure> {
    let head = proposal.head()?;
    let tree = proposal.tree(github, &head)?;
    let Some((branch, before)) = proposal.own_branch(github)? else {
        let text = format!("every name for the branch of the pull request to {} is taken", proposal.branch);
        return Err(Failure::input(text, format!("delete the branches promotion/{}*", proposal.branch)));
    };
    let is_there = |commit: &github::Commit| commit.tree == tree && commit.parents == [head.clone()];
    if !before.as_ref().is_some_and(is_there) {
        let message = proposal::message(&proposal.title(), &proposal.address(), tree.as_str());
        let commit = github.create_commit(proposal.repo, &message, &tree, &[&head])?;
        if !proposal.move_branch(github, &branch, before.as_ref().map(|commit| &commit.id), &commit)? {
            return Ok(None);
        }
    }
    let (title, body) = (proposal.title(), proposal.body());
    let open = github.open_pulls(proposal.repo, &branch, proposal.branch)?;
    Ok(Some(match open.into_iter().next() {
        None => {
            let pull = NewPull { title: &title, head: &branch, base: proposal.branch, body: &body };
            github.create_pull(proposal.repo, &pull)?
        }
        Some(pull) if pull.title == title && pull.body.as_deref() == Some(&body) => pull,
        Some(pull) => {
            let change = PullChange { title: Some(&title), body: Some(&body), state: None };
            github.update_pull(proposal.repo, pull.number, &change)?
        }
    }))
}

impl Proposal<'_> {
    fn title(&self) -> String {
        format!("Promote {} to {}", self.commit.short(), self.environment)
    }

    fn body(&self) -> String {
        format!(
            "The branch `{}` takes no direct pushes, so this pull request promotes {} to it. When it is merged, \
             `schedule` runs for the environment.\n",
            self.branch, self.commit
        )
    }

    fn address(&self) -> Address {
        Address { environment: self.environment.to_owned(), path: self.path.to_owned() }
    }

    fn head(&self) -> Result<Oid, Failure> {
        let head = self.head.to_string();
        Oid::new(&head).ok_or_else(|| Failure::input(format!("{head} is no commit"), "please report this"))
    }

    fn tree(&self, github: &Github, head: &Oid) -> Result<Oid, Failure> {
        let base = github.commit(self.repo, head)?.tree;
        let file = Entry::Text { path: self.path, mode: fleet::Mode::File, text: self.text };
        Ok(github.create_tree(self.repo, Some(&base), &[file])?)
    }

    /// The branch of our pull request: the first that is free, or has a commit of ours.
    fn own_branch(&self, github: &Github) -> Result<Option<(String, Option<github::Commit>)>, Failure> {
        for branch in proposal::alternatives(&format!("promotion/{}", self.branch)).take(NAMES) {
            let Some(head) = github.head(self.repo, &format!("refs/heads/{branch}"))? else {
                return Ok(Some((branch, None)));
            };
            let commit = github.commit(self.repo, &head)?;
            let shown = Commit {
                id: commit.id.to_string(),
                tree: commit.tree.to_string(),
                parents: commit.parents.iter().map(ToString::to_string).collect(),
                message: commit.message.clone(),
            };
            if proposal::is_ours(&shown, &self.address()) {
                return Ok(Some((branch, Some(commit))));
            }
        }
        Ok(None)
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
