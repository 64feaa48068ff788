//! What the world comes to: two runs that did the same are equal here.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::repository::{Comment, comments};
use crate::state::{Dispatch, GitHub, Repo, State, Thread};

/// Everything that a sandbox holds, without numbers, names of commits and times, which differ from run to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// Repositories by their full name.
    pub repositories: BTreeMap<String, Contents>,
}

/// What a repository holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Branches by their name.
    pub branches: BTreeMap<String, Branch>,
    /// Pull requests and issues, in order of what they hold.
    pub conversations: Vec<Conversation>,
    /// Statuses in the order in which they came, each as tree, context, state and description.
    pub statuses: Vec<[String; 4]>,
    /// Workflows that were asked to run, in that order.
    pub dispatches: Vec<Dispatch>,
}

/// Where a branch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The name of its tree.
    pub tree: String,
    /// The text of its last commit.
    pub message: String,
    /// The trees of the commits that this one follows.
    pub parents: Vec<String>,
}

/// A pull request or issue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conversation {
    /// Head and base, if it is a pull request.
    pub branches: Option<(String, String)>,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Open or closed.
    pub state: State,
    /// Whether it was merged.
    pub merged: bool,
    /// Its labels.
    pub labels: Vec<String>,
    /// Its comments, oldest first.
    pub comments: Vec<Comment>,
}

impl World {
    pub(crate) fn of(github: &mut GitHub) -> Result<World> {
        let names: Vec<String> = github.repositories.keys().cloned().collect();
        for name in &names {
            github.refresh_pulls(name)?;
        }
        let contents =
            |name: &String| Ok((name.clone(), contents(github, name, &github.repositories[name])?));
        Ok(World { repositories: names.iter().map(contents).collect::<Result<_>>()? })
    }
}

fn contents(github: &GitHub, name: &str, repo: &Repo) -> Result<Contents> {
    let bare = github.bare(name);
    let tree = |sha: &str| -> Result<String> { Ok(bare.tree_named(sha)?.unwrap_or_default()) };
    let mut branches = BTreeMap::new();
    let (names, heads): (Vec<_>, Vec<_>) = bare.refs("refs/heads/")?.into_iter().unzip();
    let commits = bare.commits(&heads)?;
    let parents: Vec<String> = commits.iter().flat_map(|commit| commit.parents.clone()).collect();
    let mut trees = bare.commits(&parents)?.into_iter().map(|parent| parent.tree);
    for (name, commit) in names.iter().zip(commits) {
        let parents = trees.by_ref().take(commit.parents.len()).collect();
        let branch = Branch { tree: commit.tree, message: commit.message, parents };
        branches.insert(name["refs/heads/".len()..].to_owned(), branch);
    }
    let mut conversations: Vec<Conversation> = repo.threads.values().map(conversation).collect();
    conversations.sort();
    let mut statuses = Vec::new();
    for status in &repo.statuses {
        let description = status.description.clone().unwrap_or_default();
        statuses.push([tree(&status.sha)?, status.context.clone(), status.state.clone(), description]);
    }
    Ok(Contents { branches, conversations, statuses, dispatches: repo.dispatches.clone() })
}

fn conversation(thread: &Thread) -> Conversation {
    Conversation {
        branches: thread.pull.as_ref().map(|pull| (pull.head.clone(), pull.base.clone())),
        title: thread.title.clone(),
        body: thread.body.clone().unwrap_or_default(),
        state: thread.state,
        merged: thread.pull.as_ref().is_some_and(|pull| pull.merged.is_some()),
        labels: thread.labels.iter().cloned().collect(),
        comments: comments(thread),
    }
}
