//! What a repository shows of our branches and pull requests.

use proposal::{Commit, Head, PullState, Repository};

use super::pull_request::Request;
use crate::exit::Failure;
use crate::world::github::{Github, Oid, Pull, Repo, State};

/// What a repository shows.
pub(super) struct Seen {
    pub(super) repository: Repository,
    pulls: Vec<Pull>,
}

impl Seen {
    /// The pull request of this number, as it was.
    pub(super) fn pull(&self, number: u64) -> Option<&Pull> {
        self.pulls.iter().find(|pull| pull.number == number)
    }

    /// The same, for keeps.
    pub(super) fn into_pull(self, number: u64) -> Option<Pull> {
        self.pulls.into_iter().find(|pull| pull.number == number)
    }

    /// The repository's name for GraphQL, if something that was seen tells it.
    pub(super) fn node_id(&self) -> Option<&str> {
        self.pulls.iter().find_map(|pull| pull.base.repo.as_ref()).map(|repo| &*repo.node_id)
    }
}

/// As many pull requests are listed at most.
const PAGE: usize = 100;

/// What we made a moment ago: lists lag behind, and commits need not be read.
#[derive(Default)]
pub(super) struct Known {
    pub(super) pulls: Vec<Pull>,
    pub(super) commits: Vec<Commit>,
}

/// Reads the latest pull requests to the base branch, and the branches that are ours or could be.
pub(super) fn look(github: &Github, request: &Request<'_>, known: &Known) -> Result<Seen, Failure> {
    let Request { repo, wanted, family, .. } = request;
    let refs = github.refs(repo, &format!("heads/{family}"))?;
    let branches: Vec<(&str, &Oid)> = refs
        .iter()
        .filter_map(|found| Some((found.name.strip_prefix("refs/heads/")?, &found.target)))
        .collect();
    let mut pulls = github.pulls_into(repo, &wanted.base)?;
    // Where others open many, ours may not be among the latest.
    if pulls.len() >= PAGE {
        for (branch, _) in branches.iter().filter(|(branch, _)| is_candidate(branch, &wanted.branch)) {
            pulls.extend(github.open_pulls(repo, branch, &wanted.base)?);
        }
        pulls.sort_by_key(|pull| pull.number);
        pulls.dedup_by_key(|pull| pull.number);
    }
    for pull in &known.pulls {
        if pulls.iter().all(|listed: &Pull| listed.number != pull.number) {
            pulls.push(pull.clone());
        }
    }
    pulls.sort_by_key(|pull| std::cmp::Reverse(pull.number));
    let shown: Vec<proposal::Pull> = pulls.iter().map(shown).collect();
    let comes_from = |branch: &str| {
        let open = |pull: &&proposal::Pull| pull.state == PullState::Open;
        shown.iter().filter(open).any(|pull| pull.branch.as_deref() == Some(branch))
    };
    let mut heads = Vec::new();
    for (branch, id) in branches {
        if is_candidate(branch, &wanted.branch) || comes_from(branch) {
            let made = known.commits.iter().find(|commit| commit.id == id.as_str());
            let commit = made.map_or_else(|| commit(github, repo, id), |made| Ok(made.clone()))?;
            heads.push(Head { branch: branch.to_owned(), commit });
        }
    }
    Ok(Seen { repository: Repository { heads, pulls: shown }, pulls })
}

/// Whether a branch is `primary` or stands in for it. Others may begin alike.
fn is_candidate(branch: &str, primary: &str) -> bool {
    let Some(rest) = branch.strip_prefix(primary) else { return false };
    let number = rest.strip_prefix('.');
    rest.is_empty() || number.is_some_and(|digits| digits.len() < 4 && digits.parse::<u32>().is_ok())
}

fn commit(github: &Github, repo: &Repo, id: &Oid) -> Result<Commit, Failure> {
    let commit = github.commit(repo, id)?;
    Ok(Commit {
        id: commit.id.to_string(),
        tree: commit.tree.to_string(),
        parents: commit.parents.iter().map(Oid::to_string).collect(),
        message: commit.message,
    })
}

fn shown(pull: &Pull) -> proposal::Pull {
    // Not by the name that we know it by: the repository may have been renamed since.
    let is_here = pull.head.repo.is_some() && pull.head.repo == pull.base.repo;
    proposal::Pull {
        number: pull.number,
        url: pull.html_url.clone(),
        title: pull.title.clone(),
        body: pull.body.clone().unwrap_or_default(),
        state: match (pull.state, &pull.merged_at) {
            (State::Open, _) => PullState::Open,
            (State::Closed, None) => PullState::Closed,
            (State::Closed, Some(_)) => PullState::Merged,
        },
        branch: is_here.then(|| pull.head.branch.clone()),
        head: pull.head.sha.to_string(),
        labels: pull.labels.iter().map(|label| label.name.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_candidate;

    #[test]
    fn candidates() {
        for (branch, want) in [
            ("deployment/dev", true),
            ("deployment/dev.2", true),
            ("deployment/dev.17", true),
            ("deployment/dev-2", false),
            ("deployment/develop", false),
            ("deployment/dev.x", false),
            ("deployment/dev.99999", false),
        ] {
            assert_eq!(is_candidate(branch, "deployment/dev"), want, "{branch}");
        }
    }
}
