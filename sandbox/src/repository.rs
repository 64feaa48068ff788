//! A repository as people have it.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::git::{Bare, Change, CommitInfo, Moved, Put, RefUpdate, Signature, ZEROS};
use crate::server::Shared;
use crate::state::{
    Dispatch, GitHub, Issues, Merge, Protection, PullPart, Redirect, Repo, Run, State, Thread, Visibility,
};

/// Who acts through a [`Repository`].
const PERSON: &str = "ada";

/// A repository, and whatever people do in it; cheap to clone.
#[derive(Clone)]
pub struct Repository {
    shared: Arc<Shared>,
    key: String,
}

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Open or closed.
    pub state: State,
    /// The commit that its base stood at when it was merged.
    pub merged: Option<String>,
    /// The branch that it brings.
    pub head: String,
    /// Where that branch stands, or stood when it was closed.
    pub head_sha: String,
    /// The branch that it is for.
    pub base: String,
    /// Its labels, in order of their names.
    pub labels: Vec<String>,
    /// Its comments, oldest first.
    pub comments: Vec<Comment>,
    /// Who opened it.
    pub author: String,
}

/// An issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Open or closed.
    pub state: State,
    /// Its labels, in order of their names.
    pub labels: Vec<String>,
    /// Its comments, oldest first.
    pub comments: Vec<Comment>,
    /// Who opened it.
    pub author: String,
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Comment {
    /// Who wrote it.
    pub author: String,
    /// Its text.
    pub body: String,
}

/// A status of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The commit.
    pub sha: String,
    /// What it is about.
    pub context: String,
    /// `pending`, `success`, `failure` or `error`.
    pub state: String,
    /// What people read.
    pub description: String,
    /// Where they find more.
    pub target_url: String,
    /// Who set it.
    pub creator: String,
}

impl Repository {
    pub(crate) fn new(shared: Arc<Shared>, full_name: &str) -> Repository {
        Repository { shared, key: full_name.to_lowercase() }
    }

    /// Its full name in lower case.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The address of the repository, as people write it.
    pub fn url(&self) -> String {
        format!("{}/{}", self.shared.lock().github.url, self.key)
    }

    /// Somebody's own commit on top of a branch, which begins with it if it is not there; a path without content is
    /// deleted. Gives the commit's name.
    pub fn commit(&self, branch: &str, files: &[(&str, Option<&str>)], message: &str) -> Result<String> {
        let entries: Vec<(&str, Put<'_>)> = files
            .iter()
            .map(|(path, content)| {
                let put = match content {
                    Some(content) => Put::Content { mode: "100644", bytes: content.as_bytes() },
                    None => Put::Nothing,
                };
                (*path, put)
            })
            .collect();
        self.bare().commit_on(branch, &entries, message, &self.person())
    }

    /// Somebody's own commit with one file of another mode than a plain file's: `100755` or `120000`.
    pub fn commit_mode(&self, branch: &str, path: &str, mode: &str, content: &[u8]) -> Result<String> {
        let put = Put::Content { mode, bytes: content };
        self.bare().commit_on(branch, &[(path, put)], &format!("Add {path}"), &self.person())
    }

    /// Somebody's own commit on top of a branch that takes another one back; gives its name.
    pub fn revert(&self, branch: &str, sha: &str) -> Result<String> {
        let (bare, person) = (self.bare(), self.person());
        let head = bare.branch(branch)?.with_context(|| format!("no branch {branch}"))?;
        let CommitInfo { parents, message, .. } =
            bare.commit(sha)?.with_context(|| format!("no commit {sha}"))?;
        let before = parents.first().with_context(|| format!("{sha} follows no commit"))?;
        let tree = bare.merge(Some(sha), &head, before)?;
        let tree = tree.with_context(|| format!("{sha} cannot be taken back on {branch}"))?;
        let title = message.lines().next().unwrap_or_default();
        let message = format!("Revert \"{title}\"\n\nThis reverts commit {sha}.\n");
        let revert = bare.write_commit(&tree, std::slice::from_ref(&head), &message, &person, &person)?;
        self.move_ref(branch, Some(&head), &revert)?;
        Ok(revert)
    }

    /// Begins a branch at a commit.
    pub fn branch(&self, branch: &str, at: &str) -> Result<()> {
        self.move_ref(branch, Some(ZEROS), at)
    }

    /// Deletes a branch.
    pub fn delete_branch(&self, branch: &str) -> Result<()> {
        self.move_ref(branch, None, ZEROS)
    }

    /// Moves a branch to a commit, wherever it stands.
    pub fn force(&self, branch: &str, to: &str) -> Result<()> {
        self.move_ref(branch, None, to)
    }

    /// Where a branch stands.
    pub fn head(&self, branch: &str) -> Result<Option<String>> {
        self.bare().branch(branch)
    }

    /// All branches, and where they stand.
    pub fn branches(&self) -> Result<BTreeMap<String, String>> {
        let refs = self.bare().refs("refs/heads/")?;
        Ok(refs.into_iter().map(|(name, sha)| (name["refs/heads/".len()..].to_owned(), sha)).collect())
    }

    /// Every file of a branch or commit with its content.
    pub fn files(&self, name: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        self.bare().files(name)
    }

    /// The name of the tree of a branch or commit.
    pub fn tree(&self, name: &str) -> Result<Option<String>> {
        self.bare().tree_named(name)
    }

    /// The commits of a branch, newest first.
    pub fn log(&self, name: &str) -> Result<Vec<CommitInfo>> {
        let bare = self.bare();
        bare.commits(&bare.range(name)?)
    }

    /// What differs between two branches or commits.
    pub fn changes(&self, from: &str, to: &str) -> Result<Vec<Change>> {
        self.bare().changes(from, to)
    }

    /// Whether GitHub shows a commit as verified.
    pub fn is_verified(&self, sha: &str) -> Result<bool> {
        self.with(|_, repo| repo.verified.contains(sha))
    }

    /// All pull requests, oldest first.
    pub fn pulls(&self) -> Result<Vec<Pull>> {
        self.shared.lock().github.refresh_pulls(&self.key)?;
        self.with(|_, repo| repo.threads.values().filter_map(Pull::of).collect())
    }

    /// All issues, oldest first, without pull requests.
    pub fn issues(&self) -> Result<Vec<Issue>> {
        self.with(|_, repo| repo.threads.values().filter_map(Issue::of).collect())
    }

    /// All statuses, in the order in which they came.
    pub fn statuses(&self) -> Result<Vec<Status>> {
        self.with(|_, repo| repo.statuses.iter().map(Status::of).collect())
    }

    /// The statuses of a commit, newest first.
    pub fn statuses_of(&self, sha: &str) -> Result<Vec<Status>> {
        let mut statuses = self.statuses()?;
        statuses.retain(|status| status.sha == sha);
        statuses.reverse();
        Ok(statuses)
    }

    /// Somebody writes a status.
    pub fn write_status(&self, status: Status) -> Result<()> {
        self.with(|fresh, repo| repo.statuses.push(status.written(fresh)))
    }

    /// All workflows that were asked to run, in the order in which they were.
    pub fn dispatches(&self) -> Result<Vec<Dispatch>> {
        self.with(|_, repo| repo.dispatches.clone())
    }

    /// A run of a workflow begins, under a number of its own.
    pub fn start_run(&self, id: u64) -> Result<()> {
        self.with(|fresh, repo| {
            repo.runs.insert(id, Run { started: fresh.now, finished: None });
        })
    }

    /// Has a commit not be found by its name, though branches name it, as where a copy of a repository lags behind.
    pub fn hide(&self, commit: &str) -> Result<()> {
        self.with(|_, repo| {
            repo.hidden.insert(commit.to_owned());
        })
    }

    /// Has everything be found again.
    pub fn reveal(&self) -> Result<()> {
        self.with(|_, repo| repo.hidden.clear())
    }

    /// A run of a workflow is over.
    pub fn finish_run(&self, id: u64) -> Result<()> {
        self.with(|fresh, repo| {
            let run = repo.runs.get_mut(&id).with_context(|| format!("no run {id}"))?;
            run.finished = Some(fresh.now);
            Ok(())
        })?
    }

    /// Gives a branch rules, whether it is there or not. Whoever acts through this type is above them.
    pub fn protect_branch(&self, branch: &str, protection: Protection) -> Result<()> {
        self.with(|_, repo| {
            repo.protections.insert(branch.to_owned(), protection);
        })
    }

    /// Somebody opens a pull request; gives its number.
    pub fn open_pull(&self, head: &str, base: &str, title: &str, body: &str) -> Result<u64> {
        let end = |branch: &str| self.head(branch)?.with_context(|| format!("no branch {branch}"));
        let (head_sha, base_sha) = (end(head)?, end(base)?);
        let (head, base) = (head.to_owned(), base.to_owned());
        self.open(title, body, Some(PullPart { head, base, head_sha, base_sha, merged: None }))
    }

    /// Somebody opens an issue; gives its number.
    pub fn open_issue(&self, title: &str, body: &str) -> Result<u64> {
        self.open(title, body, None)
    }

    /// Somebody merges a pull request; gives the commit that its base then stands at.
    pub fn merge_pull(&self, number: u64, how: Merge) -> Result<String> {
        match self.shared.lock().github.merge(&self.key, number, how, PERSON)? {
            Ok(sha) => Ok(sha),
            Err(why) => bail!("pull request {number} of {} cannot be merged: {why:?}", self.key),
        }
    }

    /// Somebody closes a pull request or issue.
    pub fn close(&self, number: u64) -> Result<()> {
        self.with_thread(number, |now, thread| thread.close(now))
    }

    /// Somebody opens a closed pull request or issue again.
    pub fn reopen(&self, number: u64) -> Result<()> {
        self.with_thread(number, |now, thread| thread.reopen(now))
    }

    /// Somebody labels a pull request or issue.
    pub fn label(&self, number: u64, label: &str) -> Result<()> {
        self.with(|_, repo| repo.labels.insert(label.to_owned()))?;
        self.with_thread(number, |_, thread| {
            thread.labels.insert(label.to_owned());
        })
    }

    /// Somebody writes another text into a pull request or issue.
    pub fn edit(&self, number: u64, title: &str, body: &str) -> Result<()> {
        self.with_thread(number, |_, thread| {
            title.clone_into(&mut thread.title);
            thread.body = Some(body.to_owned());
        })
    }

    /// Shows it to everyone, or hides it.
    pub fn set_visibility(&self, visibility: Visibility) -> Result<()> {
        self.with(|_, repo| repo.visibility = visibility)
    }

    /// Turns issues on or off.
    pub fn set_issues(&self, issues: Issues) -> Result<()> {
        self.with(|_, repo| repo.issues = issues)
    }

    /// Makes another branch the default one.
    pub fn set_default_branch(&self, branch: &str) -> Result<()> {
        self.bare().set_default_branch(branch)?;
        self.with(|_, repo| branch.clone_into(&mut repo.default_branch))
    }

    /// Sends whoever asks for the repository to another address of one, with this status.
    pub fn redirect(&self, status: u16, to: &str) -> Result<()> {
        self.with(|_, repo| {
            repo.redirect = Some(Redirect { status, to: to.trim_end_matches('/').to_owned() })
        })
    }

    fn bare(&self) -> Bare {
        self.shared.lock().github.bare(&self.key)
    }

    fn person(&self) -> Signature {
        self.shared.lock().github.signature(PERSON)
    }

    fn move_ref(&self, branch: &str, before: Option<&str>, after: &str) -> Result<()> {
        let update = RefUpdate {
            name: format!("refs/heads/{branch}"),
            before: before.map(str::to_owned),
            after: after.to_owned(),
        };
        match self.bare().update_refs(&[update])? {
            Moved::All => Ok(()),
            Moved::None => bail!("branch {branch} of {} cannot go to {after}", self.key),
        }
    }

    fn open(&self, title: &str, body: &str, pull: Option<PullPart>) -> Result<u64> {
        self.with(|fresh, repo| {
            let number = repo.next_number();
            let thread = Thread {
                id: fresh.id,
                number,
                title: title.to_owned(),
                body: Some(body.to_owned()),
                state: State::Open,
                state_reason: None,
                labels: Default::default(),
                comments: Vec::new(),
                author: PERSON.to_owned(),
                created: fresh.now,
                updated: fresh.now,
                closed: None,
                pull,
            };
            repo.threads.insert(number, thread);
            number
        })
    }

    fn with<T>(&self, act: impl FnOnce(Fresh, &mut Repo) -> T) -> Result<T> {
        let mut state = self.shared.lock();
        let fresh = Fresh { id: state.github.next_id(), now: state.github.now() };
        let GitHub { repositories, .. } = &mut state.github;
        let repo = repositories.get_mut(&self.key).with_context(|| format!("no repository {}", self.key))?;
        Ok(act(fresh, repo))
    }

    fn with_thread(&self, number: u64, act: impl FnOnce(jiff::Timestamp, &mut Thread)) -> Result<()> {
        self.with(|fresh, repo| {
            let thread = repo.threads.get_mut(&number).with_context(|| format!("no number {number}"))?;
            thread.updated = fresh.now;
            act(fresh.now, thread);
            Ok(())
        })?
    }
}

/// What something new gets.
struct Fresh {
    id: u64,
    now: jiff::Timestamp,
}

impl Pull {
    fn of(thread: &Thread) -> Option<Pull> {
        let pull = thread.pull.as_ref()?;
        Some(Pull {
            number: thread.number,
            title: thread.title.clone(),
            body: thread.body.clone().unwrap_or_default(),
            state: thread.state,
            merged: pull.merged.as_ref().map(|merged| merged.sha.clone()),
            head: pull.head.clone(),
            head_sha: pull.head_sha.clone(),
            base: pull.base.clone(),
            labels: thread.labels.iter().cloned().collect(),
            comments: comments(thread),
            author: thread.author.clone(),
        })
    }
}

impl Issue {
    fn of(thread: &Thread) -> Option<Issue> {
        thread.pull.is_none().then(|| Issue {
            number: thread.number,
            title: thread.title.clone(),
            body: thread.body.clone().unwrap_or_default(),
            state: thread.state,
            labels: thread.labels.iter().cloned().collect(),
            comments: comments(thread),
            author: thread.author.clone(),
        })
    }
}

impl Status {
    fn of(status: &crate::state::Status) -> Status {
        Status {
            sha: status.sha.clone(),
            context: status.context.clone(),
            state: status.state.clone(),
            description: status.description.clone().unwrap_or_default(),
            target_url: status.target_url.clone().unwrap_or_default(),
            creator: status.creator.clone(),
        }
    }

    /// It is written only now.
    fn written(self, fresh: Fresh) -> crate::state::Status {
        let Status { sha, context, state, description, target_url, creator } = self;
        crate::state::Status {
            id: fresh.id,
            sha,
            state,
            context,
            description: Some(description),
            target_url: Some(target_url),
            creator,
            created: fresh.now,
        }
    }
}

pub(crate) fn comments(thread: &Thread) -> Vec<Comment> {
    let comment = |comment: &crate::state::Comment| Comment {
        author: comment.author.clone(),
        body: comment.body.clone(),
    };
    thread.comments.iter().map(comment).collect()
}
