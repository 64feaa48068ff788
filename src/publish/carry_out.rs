//! One step, carried out. Each is such that doing it twice is the same as doing it once, or is looked up first.

use proposal::{Commit, ISSUE_LABEL, Step};

use super::Trouble;
use super::look::Seen;
use super::pull_request::Request;
use crate::exit::Failure;
use crate::world::github::{
    Error, Github, Issue, IssueChange, Kind, NewIssue, NewPull, Oid, Pull, PullChange, RefUpdate, Repo,
    State, UpdateRefs,
};

/// What a step made, so that it need not be asked for.
pub(super) enum Made {
    /// A commit, which a branch points to now
    Commit(Commit),
    /// A pull request, as it is now
    Pull(Box<Pull>),
}

/// Carries out a step that concerns the pull request.
pub(super) fn pull_step(
    github: &Github,
    request: &Request<'_>,
    seen: &Seen,
    step: &Step,
) -> Result<Option<Made>, Trouble> {
    let Request { repo, wanted, bring, .. } = request;
    match step {
        Step::Commit { branch, before, parent, message } => {
            let tree = bring()?;
            if tree.as_str() != wanted.tree {
                let text = format!("the upload gave the tree {tree} instead of {}", wanted.tree);
                return Err(Trouble::wrong(text));
            }
            let parent = oid(parent)?;
            let commit = github.create_commit(repo, message, &tree, &[&parent])?;
            // An upload takes its time: what is moved to must still stand on the head.
            if github.head(repo, &format!("refs/heads/{}", wanted.base))?.is_some_and(|head| head != parent) {
                return Err(Trouble::Failed(Failure::outdated(repo, &wanted.base)));
            }
            let before = before.as_deref().map(oid).transpose()?;
            let name = format!("refs/heads/{branch}");
            let update = RefUpdate { name, before, after: commit.clone() };
            let node_id = match seen.node_id() {
                Some(id) => id.to_owned(),
                None => github.repository(repo)?.node_id,
            };
            match github.update_refs(repo, &node_id, &[update]) {
                Ok(()) => Ok(Some(Made::Commit(Commit {
                    id: commit.to_string(),
                    tree: tree.to_string(),
                    parents: vec![parent.to_string()],
                    message: message.clone(),
                }))),
                Err(UpdateRefs::Stale) => Err(Trouble::Moved(None)),
                Err(UpdateRefs::Failed(error)) => Err(error.into()),
            }
        }
        Step::OpenPull { branch, base, title, body, labels } => {
            let pull = github.create_pull(repo, &NewPull { title, head: branch, base, body })?;
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            if !labels.is_empty() {
                github.add_labels(repo, pull.number, &labels)?;
            }
            Ok(Some(Made::Pull(Box::new(pull))))
        }
        Step::UpdatePull { number, title, body } => {
            let change = PullChange { title: Some(title), body: Some(body), state: None };
            let pull = github.update_pull(repo, *number, &change)?;
            if pull.state == State::Open {
                return Ok(Some(Made::Pull(Box::new(pull))));
            }
            // Whoever closed it meanwhile has not seen this text: it must not look as if they declined it.
            if let Some(Pull { title, body, .. }) = seen.pull(*number) {
                let change = PullChange { title: Some(title), body: body.as_deref(), state: None };
                github.update_pull(repo, *number, &change)?;
            }
            Err(Trouble::Moved(None))
        }
        Step::Label { number, label } => {
            github.add_labels(repo, *number, &[label])?;
            Ok(None)
        }
        Step::Unlabel { number, label } => {
            github.remove_label(repo, *number, label)?;
            Ok(None)
        }
        Step::ClosePull { number, body, comment } => {
            comment_once(github, repo, *number, comment)?;
            let change = PullChange { title: None, body: Some(body), state: Some(State::Closed) };
            github.update_pull(repo, *number, &change)?;
            Ok(None)
        }
        Step::OpenIssue { .. } | Step::UpdateIssue { .. } | Step::CloseIssue { .. } => {
            issue_step(github, repo, step).map(|_| None)
        }
    }
}

/// Carries out a step that concerns an issue; the issue as it is afterwards.
pub(super) fn issue_step(github: &Github, repo: &Repo, step: &Step) -> Result<Option<Issue>, Trouble> {
    match step {
        Step::OpenIssue { title, body } => {
            Ok(Some(github.create_issue(repo, &NewIssue { title, body, labels: &[ISSUE_LABEL] })?))
        }
        Step::UpdateIssue { number, title, body } => {
            let change = IssueChange { title: Some(title), body: Some(body), state: None };
            Ok(Some(github.update_issue(repo, *number, &change)?))
        }
        Step::CloseIssue { number, comment } => {
            comment_once(github, repo, *number, comment)?;
            let change = IssueChange { title: None, body: None, state: Some(State::Closed) };
            Ok(Some(github.update_issue(repo, *number, &change)?))
        }
        Step::Commit { .. }
        | Step::OpenPull { .. }
        | Step::UpdatePull { .. }
        | Step::Label { .. }
        | Step::Unlabel { .. }
        | Step::ClosePull { .. } => Err(Trouble::wrong(format!("`{step}` concerns no issue"))),
    }
}

/// The marker at the end of a comment tells whether an earlier attempt has said it already.
fn comment_once(github: &Github, repo: &Repo, number: u64, comment: &str) -> Result<(), Trouble> {
    let marker = comment.trim_end().lines().next_back();
    let has_marker = |body: &str| body.lines().any(|line| Some(line.trim_end()) == marker);
    if !github.comments(repo, number)?.iter().any(|there| there.body.as_deref().is_some_and(has_marker)) {
        github.create_comment(repo, number, comment)?;
    }
    Ok(())
}

fn oid(text: &str) -> Result<Oid, Trouble> {
    Oid::new(text).ok_or_else(|| Trouble::wrong(format!("`{text}` is no name of a commit")))
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        match error.kind() {
            Kind::Unclear => Trouble::Moved(Some(error)),
            // A pull request of this branch was opened in the meantime.
            Kind::Invalid { .. } if error.said().contains("already exists") => Trouble::Moved(Some(error)),
            _ => Trouble::Failed(error.into()),
        }
    }
}
