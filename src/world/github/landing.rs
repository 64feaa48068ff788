//! How a file came to be as it is at a commit.

use rollout::CommitId;
use serde::Deserialize;
use serde_json::json;

use super::error::Error;
use super::operation::FIND_LANDING;
use super::{Github, Oid, Repo};

const QUERY: &str = "query($owner: String!, $name: String!, $commit: GitObjectID!, $path: String!) { \
    repository(owner: $owner, name: $name) { object(oid: $commit) { ... on Commit { \
    history(first: 1, path: $path) { nodes { oid parents(first: 1) { nodes { oid } } } } } } } }";

/// A commit that changed a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Landing {
    /// The commit
    pub(crate) commit: CommitId,
    /// What it was made from; nothing for the first one of a branch
    pub(crate) parent: Option<CommitId>,
}

#[derive(Deserialize)]
struct Data {
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    object: Option<Object>,
}

/// What is no commit comes as an empty object.
#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    history: Connection<Node>,
}

#[derive(Deserialize)]
struct Connection<T> {
    nodes: Vec<T>,
}

#[derive(Deserialize)]
struct Node {
    oid: Oid,
    parents: Connection<Parent>,
}

#[derive(Deserialize)]
struct Parent {
    oid: Oid,
}

impl<T> Default for Connection<T> {
    fn default() -> Connection<T> {
        Connection { nodes: Vec::new() }
    }
}

impl Github {
    /// The newest commit up to `commit` that changed the file; nothing where there is none.
    pub(crate) fn landing(&self, repo: &Repo, commit: &Oid, path: &str) -> Result<Option<Landing>, Error> {
        let variables = json!({ "owner": repo.owner, "name": repo.name, "commit": commit, "path": path });
        let data: Data = self.graphql(&FIND_LANDING, repo, QUERY, variables)?;
        let found = data.repository.and_then(|repository| repository.object);
        let node = found.and_then(|object| object.history.nodes.into_iter().next());
        let named = |oid: &Oid| CommitId::new(oid.as_str());
        Ok(node.and_then(|Node { oid, parents }| {
            let parent = parents.nodes.first().and_then(|parent| named(&parent.oid));
            Some(Landing { commit: named(&oid)?, parent })
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::fake::{FakeClock, Server, answer, repo};
    use super::*;

    #[test]
    fn landings() {
        let oid = |digit: &str| Oid::new(&digit.repeat(40)).unwrap();
        let node = |parents: &[&str]| {
            let parents: Vec<Value> = parents.iter().map(|digit| json!({ "oid": oid(digit) })).collect();
            json!({ "history": { "nodes": [{ "oid": oid("b"), "parents": { "nodes": parents } }] } })
        };
        let id = |digit: &str| CommitId::new(&digit.repeat(40)).unwrap();
        let landing = |parent: Option<&str>| Landing { commit: id("b"), parent: parent.map(id) };
        for (object, want, why) in [
            (node(&["a"]), Some(landing(Some("a"))), "a commit"),
            (node(&["a", "c"]), Some(landing(Some("a"))), "a merge, seen from its branch"),
            (node(&[]), Some(landing(None)), "the first one"),
            (json!({ "history": { "nodes": [] } }), None, "the file was never there"),
            (json!({}), None, "no commit"),
            (Value::Null, None, "nothing"),
        ] {
            let data = json!({ "data": { "repository": { "object": object } } });
            let server = Server::new(vec![answer(200, &[], &data.to_string())]);
            let got = server.github(&FakeClock::new()).landing(&repo(), &oid("d"), "live/Promoted");
            assert_eq!(got.ok().flatten(), want, "{why}");
            let sent: Value = serde_json::from_str(&server.seen()[0].body).unwrap();
            assert_eq!(sent["variables"]["path"], "live/Promoted", "{why}");
        }
    }
}
