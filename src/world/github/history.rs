//! The latest commits of a branch with what is said of them, in one request.

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

const QUERY: &str = "query($owner: String!, $name: String!, $branch: String!, $commits: Int!) {
    repository(owner: $owner, name: $name) { ref(qualifiedName: $branch) { target { ... on Commit {
        history(first: $commits) { nodes {
            oid messageHeadline committedDate
            status { contexts { context state description targetUrl createdAt } }
        } }
    } } } }
}";

/// A commit of a branch.
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
}

#[derive(Deserialize)]
struct Branch {
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    history: History,
}

#[derive(Deserialize)]
struct History {
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
    /// The latest 50 commits of a branch, the newest first; none where there is no such branch.
    pub(crate) fn history(&self, repo: &Repo, branch: &str) -> Result<Vec<HistoryCommit>, Error> {
        let variables = json!({
            "owner": repo.owner,
            "name": repo.name,
            "branch": format!("refs/heads/{branch}"),
            "commits": COMMITS,
        });
        let data: Data = self.graphql(&READ_HISTORY, repo, QUERY, variables)?;
        let target = data.repository.and_then(|repository| repository.branch?.target);
        Ok(target.map(|target| target.history.nodes).unwrap_or_default())
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
        let of_branch = |branch: Value| json!({ "data": { "repository": { "ref": branch } } });
        let nodes = json!([node("a", pending), node("b", Value::Null)]);
        let good = of_branch(json!({ "target": { "history": { "nodes": nodes } } }));
        let errors =
            json!({ "data": { "repository": null }, "errors": [{ "type": "NOT_FOUND", "message": "no" }] });
        for (body, want, why) in [
            (good, Some(vec![vec![StatusState::Pending], vec![]]), "two commits"),
            (of_branch(Value::Null), Some(vec![]), "no such branch"),
            (errors, None, "no such repository"),
        ] {
            let server = Server::new(vec![answer(200, &[], &body.to_string())]);
            let got = server.github(&FakeClock::new()).history(&repo(), "main");
            let states = |commits: Vec<HistoryCommit>| {
                let of_commit = |commit: &HistoryCommit| commit.statuses.iter().map(|it| it.state).collect();
                commits.iter().map(of_commit).collect::<Vec<Vec<_>>>()
            };
            assert_eq!(got.ok().map(states), want, "{why}");
            let sent: Value = serde_json::from_str(&server.seen()[0].body).unwrap();
            assert_eq!(sent["variables"]["branch"], "refs/heads/main", "{why}");
        }
    }
}
