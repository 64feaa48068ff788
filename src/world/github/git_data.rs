//! Branches, commits, trees and blobs: what is published without a work tree.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::client::{Call, OnTimeout};
use super::error::{Error, Kind};
use super::operation::{
    CREATE_BLOB, CREATE_COMMIT, CREATE_TREE, GET_BLOB, GET_COMMIT, GET_TREE, LIST_REFS, UPDATE_REFS,
};
use super::{Github, Oid, Repo};

/// What stands for "no commit" where a branch is made.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// A branch or tag.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "RawRef")]
pub(crate) struct Ref {
    /// Its full name, `refs/heads/…`
    pub(crate) name: String,
    /// What it points to
    pub(crate) target: Oid,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "RawCommit")]
pub(crate) struct Commit {
    /// Its name
    pub(crate) id: Oid,
    /// Its content
    pub(crate) tree: Oid,
    /// What it was made from
    pub(crate) parents: Vec<Oid>,
    /// Its message
    pub(crate) message: String,
}

/// A change of a tree, at a path with `/` between its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry<'a> {
    /// A file with this content
    Text { path: &'a str, mode: fleet::Mode, text: &'a str },
    /// A file whose content is there already: a blob, or a submodule's commit
    Blob { path: &'a str, mode: fleet::Mode, id: &'a Oid },
    /// Nothing any more; GitHub refuses this where there is nothing
    Nothing { path: &'a str },
}

/// A branch to be moved by compare-and-set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefUpdate {
    /// Its full name, `refs/heads/…`
    pub(crate) name: String,
    /// Where it must be now; `None`: it must not exist
    pub(crate) before: Option<Oid>,
    /// Where it shall be
    pub(crate) after: Oid,
}

/// Why branches were not moved. None was, then.
#[derive(Debug)]
pub(crate) enum UpdateRefs {
    /// One of them is not where it had to be
    Stale,
    /// Anything else
    Failed(Error),
}

#[derive(Deserialize)]
struct RawRef {
    #[serde(rename = "ref")]
    name: String,
    object: Named,
}

#[derive(Deserialize)]
struct RawCommit {
    sha: Oid,
    tree: Named,
    parents: Vec<Named>,
    message: String,
}

#[derive(Deserialize)]
struct Named {
    sha: Oid,
}

#[derive(Deserialize)]
struct Blob {
    content: String,
    encoding: String,
}

#[derive(Deserialize)]
struct Updated {
    #[serde(rename = "updateRefs")]
    _done: Map<String, Value>,
}

impl Github {
    /// The branches and tags whose full name, without `refs/`, begins with `prefix`, as in `heads/deployment/`.
    pub(crate) fn refs(&self, repo: &Repo, prefix: &str) -> Result<Vec<Ref>, Error> {
        let path: Vec<&str> = ["git", "matching-refs"].into_iter().chain(prefix.split('/')).collect();
        self.list(&LIST_REFS, repo, &path, &[])
    }

    /// A commit.
    pub(crate) fn commit(&self, repo: &Repo, id: &Oid) -> Result<Commit, Error> {
        self.get(&GET_COMMIT, repo, &["git", "commits", id.as_str()], &[])
    }

    /// A file's content, of at most 100 megabytes.
    pub(crate) fn blob(&self, repo: &Repo, id: &Oid) -> Result<Vec<u8>, Error> {
        let Blob { content, encoding } = self.get(&GET_BLOB, repo, &["git", "blobs", id.as_str()], &[])?;
        let unreadable = |said: &str| Error::new(&GET_BLOB, repo, Kind::Unreadable, said);
        if encoding != "base64" {
            return Err(unreadable(&format!("{id} comes in an unknown encoding, {encoding}")));
        }
        // It comes in lines.
        let content: String = content.split_ascii_whitespace().collect();
        STANDARD.decode(content).map_err(|_| unreadable(&format!("{id} is no base64")))
    }

    /// Uploads a file's content and tells its name; for what is not text.
    pub(crate) fn create_blob(&self, repo: &Repo, bytes: &[u8]) -> Result<Oid, Error> {
        let body = json!({ "content": STANDARD.encode(bytes), "encoding": "base64" });
        let named: Named = self.send(&CREATE_BLOB, repo, Method::POST, &["git", "blobs"], body)?;
        Ok(named.sha)
    }

    /// Whether a tree is there already.
    pub(crate) fn has_tree(&self, repo: &Repo, id: &Oid) -> Result<bool, Error> {
        match self.get::<serde::de::IgnoredAny>(&GET_TREE, repo, &["git", "trees", id.as_str()], &[]) {
            Ok(_) => Ok(true),
            Err(error) if *error.kind() == Kind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes a tree from `base` and what differs from it; without `base`, from nothing.
    ///
    /// Of several entries that take GitHub too long at once, the error is [`Kind::TimedOut`] without another
    /// try: half of them may do.
    pub(crate) fn create_tree(
        &self,
        repo: &Repo,
        base: Option<&Oid>,
        entries: &[Entry<'_>],
    ) -> Result<Oid, Error> {
        let mut body = json!({ "tree": entries.iter().map(Entry::json).collect::<Vec<_>>() });
        if let Some(base) = base {
            body["base_tree"] = json!(base);
        }
        let url = self.path(repo, &["git", "trees"], &[]);
        let on_timeout = if entries.len() > 1 { OnTimeout::Tell } else { OnTimeout::Repeat };
        let call = Call { on_timeout, ..self.prepare(&CREATE_TREE, repo, Method::POST, url, Some(body))? };
        self.client.call::<Named>(&call).map(|reply| reply.value.sha)
    }

    /// Makes a commit. It has no author or committer of its own: GitHub shows those that an App makes as verified.
    pub(crate) fn create_commit(
        &self,
        repo: &Repo,
        message: &str,
        tree: &Oid,
        parents: &[&Oid],
    ) -> Result<Oid, Error> {
        let body = json!({ "message": message, "tree": tree, "parents": parents });
        let named: Named = self.send(&CREATE_COMMIT, repo, Method::POST, &["git", "commits"], body)?;
        Ok(named.sha)
    }

    /// Moves branches, all or none, each only if it is where it must be. `id` is the repository's `node_id`.
    ///
    /// Branches that are where they shall be already are fine: a repeated call finds its own work.
    pub(crate) fn update_refs(&self, repo: &Repo, id: &str, updates: &[RefUpdate]) -> Result<(), UpdateRefs> {
        let query = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }";
        let updates_sent: Vec<Value> = updates.iter().map(RefUpdate::json).collect();
        let variables = json!({ "input": { "repositoryId": id, "refUpdates": updates_sent } });
        let error = match self.graphql::<Updated>(&UPDATE_REFS, repo, query, variables) {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        // GitHub has no error of its own for a branch that moved: the branches are looked at.
        match error.kind() {
            Kind::Conflict | Kind::Invalid { .. } | Kind::NotFound => {}
            Kind::Network | Kind::Server | Kind::TimedOut | Kind::Unreadable => {}
            _ => return Err(UpdateRefs::Failed(error)),
        }
        let mut all_done = true;
        let mut stale = *error.kind() == Kind::Conflict;
        for RefUpdate { name, before, after } in updates {
            let now = self.head(repo, name).map_err(UpdateRefs::Failed)?;
            all_done &= now.as_ref() == Some(after);
            stale |= now != *before;
        }
        match (all_done, stale) {
            (true, _) => Ok(()),
            (false, true) => Err(UpdateRefs::Stale),
            (false, false) => Err(UpdateRefs::Failed(error)),
        }
    }

    /// Where a branch is, by its full name.
    pub(crate) fn head(&self, repo: &Repo, name: &str) -> Result<Option<Oid>, Error> {
        let refs = self.refs(repo, name.strip_prefix("refs/").unwrap_or(name))?;
        Ok(refs.into_iter().find(|found| found.name == name).map(|found| found.target))
    }
}

impl Entry<'_> {
    fn json(&self) -> Value {
        match *self {
            Entry::Text { path, mode, text } => {
                json!({ "path": path, "mode": mode.octal(), "type": "blob", "content": text })
            }
            Entry::Blob { path, mode, id } => {
                let kind = if mode == fleet::Mode::Submodule { "commit" } else { "blob" };
                json!({ "path": path, "mode": mode.octal(), "type": kind, "sha": id })
            }
            Entry::Nothing { path } => json!({ "path": path, "mode": "100644", "type": "blob", "sha": null }),
        }
    }
}

impl RefUpdate {
    fn json(&self) -> Value {
        let RefUpdate { name, before, after } = self;
        let before = before.as_ref().map_or(NO_COMMIT, Oid::as_str);
        json!({ "name": name, "beforeOid": before, "afterOid": after, "force": true })
    }
}

impl From<RawRef> for Ref {
    fn from(RawRef { name, object }: RawRef) -> Ref {
        Ref { name, target: object.sha }
    }
}

impl From<RawCommit> for Commit {
    fn from(RawCommit { sha, tree, parents, message }: RawCommit) -> Commit {
        let parents = parents.into_iter().map(|parent| parent.sha).collect();
        Commit { id: sha, tree: tree.sha, parents, message }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeClock, Server, answer, repo};
    use super::*;

    #[test]
    fn branches_move_by_compare_and_set() {
        let oid = |digit: &str| Oid::new(&digit.repeat(40)).unwrap();
        let ours = "refs/heads/deployment/dev";
        let good = || answer(200, &[], r#"{"data":{"updateRefs":{"clientMutationId":null}}}"#);
        let errors = |kind: &str, message: &str| {
            let errors =
                json!({ "data": { "updateRefs": null }, "errors": [{ "type": kind, "message": message }] });
            answer(200, &[], &errors.to_string())
        };
        let refused = || errors("UNPROCESSABLE", "the words differ");
        let at = |found: &[(&str, &str)]| {
            let one = |&(name, digit): &(&str, &str)| json!({ "ref": name, "object": { "sha": oid(digit) } });
            answer(200, &[], &json!(found.iter().map(one).collect::<Vec<_>>()).to_string())
        };
        let longer = "refs/heads/deployment/dev-2";
        for (before, answers, want, why) in [
            (Some("a"), vec![good()], "done", "it was there"),
            (None, vec![good()], "done", "it was not there"),
            (Some("a"), vec![refused(), at(&[(ours, "c")])], "stale", "someone else moved it"),
            (Some("a"), vec![refused(), at(&[])], "stale", "someone removed it"),
            (None, vec![refused(), at(&[(ours, "c")])], "stale", "someone made it"),
            (None, vec![refused(), at(&[(longer, "c")])], "Invalid", "one with a longer name is another one"),
            (
                Some("a"),
                vec![refused(), at(&[(ours, "a")])],
                "Invalid",
                "it did not move: there is another reason",
            ),
            (
                Some("a"),
                vec![String::new(), refused(), at(&[(ours, "b")])],
                "done",
                "the first answer was lost",
            ),
            (Some("a"), vec![String::new(), good()], "done", "the first request was lost"),
            (Some("a"), vec![errors("STALE_DATA", "no"), at(&[(ours, "a")])], "stale", "GitHub says so"),
            (Some("a"), vec![errors("FORBIDDEN", "no")], "Forbidden", "a missing permission"),
            (Some("a"), vec![errors("X", "Resource not accessible by integration")], "Forbidden", "in words"),
            (Some("a"), vec![errors("RATE_LIMITED", "slow"), good()], "done", "a limit that ends soon"),
            (Some("a"), vec![answer(200, &[], "{}"), good()], "done", "neither data nor errors"),
            (Some("a"), vec![answer(401, &[], "{}")], "Unauthorized", "a wrong token"),
        ] {
            let (server, requests) = (Server::new(answers.clone()), answers.len());
            let update = RefUpdate { name: ours.to_owned(), before: before.map(oid), after: oid("b") };
            let got = match server.github(&FakeClock::new()).update_refs(&repo(), "R_1", &[update]) {
                Ok(()) => "done".to_owned(),
                Err(UpdateRefs::Stale) => "stale".to_owned(),
                Err(UpdateRefs::Failed(error)) => format!("{:?}", error.kind()),
            };
            assert!(got.starts_with(want), "{why}: {got}");
            let seen = server.seen();
            assert_eq!(seen.len(), requests, "{why}");
            let sent: Value = serde_json::from_str(&seen[0].body).unwrap();
            let want = before.map_or(NO_COMMIT.to_owned(), |digit| digit.repeat(40));
            assert_eq!(sent["variables"]["input"]["refUpdates"][0]["beforeOid"], want, "{why}");
            if let Some(looked) = seen.iter().find(|seen| seen.line.starts_with("GET")) {
                let path = "/api/v3/repos/contoso/gitops/git/matching-refs/heads/deployment/dev";
                assert_eq!(looked.line, format!("GET {path}"), "{why}");
            }
        }
    }

    #[test]
    fn blobs() {
        let id = Oid::new(&"a".repeat(40)).unwrap();
        let blob = |content: &str, encoding: &str| {
            let blob = json!({ "sha": id, "content": content, "encoding": encoding, "size": 1 });
            answer(200, &[], &blob.to_string())
        };
        for (body, want, why) in [
            (blob("YWJj\nZA==\n", "base64"), Ok("abcd"), "in lines"),
            (blob("", "base64"), Ok(""), "an empty file"),
            (blob("YQ==\nYg==\n", "base64"), Err("aaaa is no base64"), "two texts in one"),
            (blob("abcd", "utf-8"), Err("unknown encoding"), "not as it is always sent"),
            (answer(404, &[], "{}"), Err("404"), "not there"),
        ] {
            let server = Server::new(vec![body]);
            let got = server.github(&FakeClock::new()).blob(&repo(), &id);
            match (got, want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want.as_bytes(), "{why}"),
                (Err(error), Err(want)) => assert!(error.what().contains(want), "{why}: {error}"),
                (got, want) => panic!("{why}: {got:?}, {want:?}"),
            }
            assert_eq!(server.seen()[0].line, format!("GET /api/v3/repos/contoso/gitops/git/blobs/{id}"));
        }
    }

    #[test]
    fn entries_as_github_wants_them() {
        let id = Oid::new(&"a".repeat(40)).unwrap();
        for (entry, want) in [
            (
                Entry::Text { path: "a", mode: fleet::Mode::Executable, text: "x" },
                json!({ "path": "a", "mode": "100755", "type": "blob", "content": "x" }),
            ),
            (
                Entry::Blob { path: "a", mode: fleet::Mode::Submodule, id: &id },
                json!({ "path": "a", "mode": "160000", "type": "commit", "sha": id }),
            ),
            (
                Entry::Nothing { path: "a" },
                json!({ "path": "a", "mode": "100644", "type": "blob", "sha": null }),
            ),
        ] {
            assert_eq!(entry.json(), want);
        }
    }
}
