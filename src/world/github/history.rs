//! The latest commits of a branch, and others by their names, with what is said of them; in one request.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::json;

use super::error::Error;
use super::operation::READ_HISTORY;
use super::statuses::Status;
use super::{Github, Oid, Repo};
use crate::world::clock::point_in_time;

/// So many commits are read.
const COMMITS: u32 = 50;

/// What is read of a commit.
const FIELDS: &str = "oid messageHeadline committedDate \
    status { contexts { context state description targetUrl createdAt } }";

/// Commits with what is said of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// The latest ones of a branch, the newest first
    pub(crate) latest: Vec<HistoryCommit>,
    /// Others, in the order in which they were asked for
    pub(crate) named: Vec<HistoryCommit>,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Node")]
pub(crate) struct HistoryCommit {
    /// Its name
    pub(crate) id: Oid,
    /// The first line of its message
    pub(crate) headline: String,
    /// When it was made
    pub(crate) committed_at: SystemTime,
    /// The newest status of each context
    pub(crate) statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Data {
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    #[serde(rename = "ref")]
    branch: Option<Branch>,
    /// What was asked for by its name
    #[serde(flatten)]
    named: BTreeMap<String, Option<Named>>,
}

/// What is no commit comes as an empty object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Commit(HistoryCommit),
    Other {},
}

#[derive(Deserialize)]
struct Branch {
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    history: Nodes,
}

#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<HistoryCommit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    oid: Oid,
    message_headline: String,
    #[serde(deserialize_with = "point_in_time")]
    committed_date: SystemTime,
    status: Option<Contexts>,
}

#[derive(Deserialize)]
struct Contexts {
    contexts: Vec<Status>,
}

impl Github {
    /// The latest 50 commits of a branch, none where there is no such branch, and those of the `named` ones that are
    /// there.
    pub(crate) fn history(&self, repo: &Repo, branch: &str, named: &[Oid]) -> Result<History, Error> {
        let query = format!(
            "query($owner: String!, $name: String!, $branch: String!, $commits: Int!) {{ \
             repository(owner: $owner, name: $name) {{ ref(qualifiedName: $branch) {{ target {{ ... on Commit {{ \
             history(first: $commits) {{ nodes {{ {FIELDS} }} }} }} }} }}{} }} }}",
            asked_for(named)
        );
        let variables = json!({
            "owner": repo.owner,
            "name": repo.name,
            "branch": format!("refs/heads/{branch}"),
            "commits": COMMITS,
        });
        let data: Data = self.graphql(&READ_HISTORY, repo, &query, variables)?;
        let Some(Repository { branch, named: found }) = data.repository else {
            return Ok(History::default());
        };
        let latest = branch.and_then(|branch| branch.target);
        let latest = latest.map(|target| target.history.nodes).unwrap_or_default();
        let mut named = commits(named, found);
        named.retain(|commit| latest.iter().all(|it| it.id != commit.id));
        Ok(History { latest, named })
    }

    /// Those of the `named` commits that are there.
    pub(crate) fn commits(&self, repo: &Repo, named: &[Oid]) -> Result<Vec<HistoryCommit>, Error> {
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let query = format!(
            "query($owner: String!, $name: String!) {{ repository(owner: $owner, name: $name) {{{} }} }}",
            asked_for(named)
        );
        let variables = json!({ "owner": repo.owner, "name": repo.name });
        let data: Data = self.graphql(&READ_HISTORY, repo, &query, variables)?;
        Ok(data.repository.map(|repository| commits(named, repository.named)).unwrap_or_default())
    }
}

/// Commits in a query, each under a name of its own; theirs are hexadecimal, so that they can stand in it.
fn asked_for(named: &[Oid]) -> String {
    let one = |id: &Oid| format!(" c{id}: object(oid: \"{id}\") {{ ... on Commit {{ {FIELDS} }} }}");
    named.iter().map(one).collect()
}

fn commits(named: &[Oid], mut found: BTreeMap<String, Option<Named>>) -> Vec<HistoryCommit> {
    let commit = |id: &Oid| match found.remove(&format!("c{id}"))?? {
        Named::Commit(commit) => Some(commit),
        Named::Other {} => None,
    };
    named.iter().filter_map(commit).collect()
}

impl History {
    /// The latest ones, then the others.
    pub(crate) fn commits(&self) -> impl Iterator<Item = &HistoryCommit> {
        self.latest.iter().chain(&self.named)
    }
}

impl From<Node> for HistoryCommit {
    fn from(node: Node) -> HistoryCommit {
        HistoryCommit {
            id: node.oid,
            headline: node.message_headline,
            committed_at: node.committed_date,
            statuses: node.status.map(|status| status.contexts).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rollout::StatusState;
    use serde_json::Value;

    use super::super::fake::{FakeClock, Server, answer, repo};
    use super::*;

    #[test]
    fn histories() {
        let node = |digit: &str, status: Value| {
            let oid = digit.repeat(40);
            json!({ "oid": oid, "messageHeadline": "m", "committedDate": "2027-01-01T00:00:00Z", "status": status })
        };
        let pending = json!({ "contexts": [{ "context": "dev environment", "state": "PENDING", "description": "Deploying",
            "targetUrl": "https://x/actions/runs/7", "createdAt": "2027-01-01T00:00:00Z" }] });
        let of = |branch: Value, named: Value| {
            let mut repository = named;
            repository["ref"] = branch;
            json!({ "data": { "repository": repository } })
        };
        let nodes = json!([node("a", pending.clone()), node("b", Value::Null)]);
        let branch = || json!({ "target": { "history": { "nodes": nodes } } });
        let named = |digit: &str, commit: Value| json!({ format!("c{}", digit.repeat(40)): commit });
        let errors =
            json!({ "data": { "repository": null }, "errors": [{ "type": "NOT_FOUND", "message": "no" }] });
        let latest = || vec![vec![StatusState::Pending], vec![]];
        for (body, want, why) in [
            (of(branch(), json!({})), Some((latest(), vec![])), "two commits"),
            (of(Value::Null, json!({})), Some((vec![], vec![])), "no such branch"),
            (
                of(branch(), named("c", node("c", pending.clone()))),
                Some((latest(), vec![vec![StatusState::Pending]])),
                "another one by its name",
            ),
            (of(branch(), named("b", node("b", Value::Null))), Some((latest(), vec![])), "it is among them"),
            (of(branch(), named("c", Value::Null)), Some((latest(), vec![])), "there is none of that name"),
            (of(branch(), named("c", json!({}))), Some((latest(), vec![])), "it is no commit"),
            (errors, None, "no such repository"),
        ] {
            let server = Server::new(vec![answer(200, &[], &body.to_string())]);
            let names = ["c", "b"].map(|digit| Oid::new(&digit.repeat(40)).unwrap());
            let got = server.github(&FakeClock::new()).history(&repo(), "main", &names);
            let states = |commits: Vec<HistoryCommit>| {
                let of_commit = |commit: &HistoryCommit| commit.statuses.iter().map(|it| it.state).collect();
                commits.iter().map(of_commit).collect::<Vec<Vec<_>>>()
            };
            assert_eq!(got.ok().map(|it| (states(it.latest), states(it.named))), want, "{why}");
            let sent: Value = serde_json::from_str(&server.seen()[0].body).unwrap();
            assert_eq!(sent["variables"]["branch"], "refs/heads/main", "{why}");
            for name in names {
                let query = sent["query"].as_str().unwrap();
                assert!(query.contains(&format!(" c{name}: object(oid: \"{name}\")")), "{why}: {query}");
            }
        }
    }

    #[test]
    fn commits_by_their_names() {
        let server = Server::new(vec![]);
        let got = server.github(&FakeClock::new()).commits(&repo(), &[]);
        assert_eq!(got.ok(), Some(vec![]), "nobody is asked for nothing");
    }
}
