//! What a commit of a GitOps repository says of itself, in one request.

use serde::Deserialize;
use serde_json::json;

use super::error::{Error, Kind};
use super::operation::GET_TRACKING;
use super::{Github, Oid, Repo};

const QUERY: &str = "query($owner: String!, $name: String!, $commit: GitObjectID!, $root: String!, $promoted: String!, \
    $assignments: String!) { repository(owner: $owner, name: $name) { \
    commit: object(oid: $commit) { __typename } \
    root: object(expression: $root) { ... on Tree { entries { name type oid } } } \
    promoted: object(expression: $promoted) { ... on Blob { oid text isTruncated } } \
    assignments: object(expression: $assignments) { ... on Tree { entries { name object { \
    ... on Blob { oid text isTruncated } } } } } } }";

/// What a commit of a GitOps repository says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tracking {
    /// The folders beside each other, each with the name of its content
    pub(crate) folders: Vec<(String, Oid)>,
    /// The text of the file with the promoted commit
    pub(crate) promoted: Option<String>,
    /// The files that say of each cluster type what is held: name and text
    pub(crate) assignments: Vec<(String, String)>,
}

/// Where a commit says it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    /// The folder that holds those of cluster types
    pub(crate) root: &'a str,
    /// The file with the promoted commit
    pub(crate) promoted: &'a str,
    /// The folder of the files on assignments
    pub(crate) assignments: &'a str,
}

#[derive(Deserialize)]
struct Data {
    repository: Option<Objects>,
}

#[derive(Deserialize)]
struct Objects {
    commit: Option<Typed>,
    root: Option<Tree>,
    promoted: Option<Blob>,
    assignments: Option<Tree>,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "__typename")]
    name: String,
}

/// What is not of the kind that was asked for comes as an empty object.
#[derive(Default, Deserialize)]
struct Tree {
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    oid: Option<Oid>,
    object: Option<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    oid: Option<Oid>,
    text: Option<String>,
    #[serde(default)]
    is_truncated: bool,
}

impl Github {
    /// What a commit says of itself; nothing if there is no such commit.
    pub(crate) fn tracking(
        &self,
        repo: &Repo,
        commit: &Oid,
        places: Places<'_>,
    ) -> Result<Option<Tracking>, Error> {
        let at = |path: &str| format!("{commit}:{path}");
        let variables = json!({
            "owner": repo.owner, "name": repo.name, "commit": commit,
            "root": at(places.root), "promoted": at(places.promoted), "assignments": at(places.assignments),
        });
        let data: Data = self.graphql(&GET_TRACKING, repo, QUERY, variables)?;
        let unreadable = |said: &str| Error::new(&GET_TRACKING, repo, Kind::Unreadable, said);
        let objects = data.repository.ok_or_else(|| unreadable("there is no such repository"))?;
        if objects.commit.is_none_or(|commit| commit.name != "Commit") {
            return Ok(None);
        }
        let whole = |blob: Blob, path: &str| {
            let text = match blob {
                // Too long for this interface; the file itself can still be asked for.
                Blob { oid: Some(id), is_truncated: true, .. } => {
                    String::from_utf8(self.blob(repo, &id)?).ok()
                }
                Blob { text, .. } => text,
            };
            text.ok_or_else(|| unreadable(&format!("{path} is no text")))
        };
        let promoted = objects.promoted.map(|blob| whole(blob, places.promoted)).transpose()?;
        let files = objects.assignments.unwrap_or_default().entries;
        let files = files.into_iter().filter_map(|entry| Some((entry.name, entry.object?)));
        let assignments = files.map(|(name, blob)| {
            let text = whole(blob, &format!("{}/{name}", places.assignments))?;
            Ok((name, text))
        });
        let folders = objects.root.unwrap_or_default().entries.into_iter().filter(|it| it.kind == "tree");
        Ok(Some(Tracking {
            folders: folders.filter_map(|entry| Some((entry.name, entry.oid?))).collect(),
            promoted,
            assignments: assignments.collect::<Result<_, Error>>()?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::fake::{FakeClock, Server, answer, repo};
    use super::*;

    #[test]
    fn what_a_commit_says_of_itself() {
        let id = Oid::new(&"a".repeat(40)).unwrap();
        let blob =
            |text: Value, is_truncated| json!({ "oid": id, "text": text, "isTruncated": is_truncated });
        let of = |promoted: Value, drone: Value| {
            let entries = json!([{ "name": "drone", "object": drone }, { "name": "gone", "object": null }]);
            let folders = json!([{ "name": "drone", "type": "tree", "oid": id }, { "name": "x", "type": "blob", "oid": id }]);
            json!({ "commit": { "__typename": "Commit" }, "root": { "entries": folders },
                "promoted": promoted, "assignments": { "entries": entries } })
        };
        let short = || blob(json!("short"), false);
        let cut = || blob(json!("sho"), true);
        let whole = r#"{"content":"bG9u\nZw==\n","encoding":"base64"}"#;
        let none = json!({ "commit": null, "root": null, "promoted": null, "assignments": null });
        let tree = json!({ "commit": { "__typename": "Tree" }, "promoted": null, "assignments": null });
        for (objects, file, want, why) in [
            (of(short(), short()), None, Ok(Some((Some("short"), "short"))), "both in one request"),
            (of(Value::Null, short()), None, Ok(Some((None, "short"))), "nothing is promoted"),
            (of(short(), cut()), Some((200, whole)), Ok(Some((Some("short"), "long"))), "too long"),
            (of(short(), cut()), Some((404, "{}")), Err("404"), "what is there cannot be missing"),
            (
                of(short(), cut()),
                Some((200, r#"{"content":"/w==","encoding":"base64"}"#)),
                Err("no text"),
                "long",
            ),
            (of(short(), blob(Value::Null, false)), None, Err("drone is no text"), "it is no text"),
            (of(json!({}), short()), None, Err("Promoted_Commit_Id is no text"), "a folder"),
            (none, None, Ok(None), "there is no such commit"),
            (tree, None, Ok(None), "it is no commit"),
        ] {
            let data = json!({ "data": { "repository": objects } }).to_string();
            let file = file.map(|(status, body)| answer(status, &[], body));
            let server = Server::new([answer(200, &[], &data)].into_iter().chain(file.clone()).collect());
            let places = Places { root: "", promoted: "Promoted_Commit_Id", assignments: "assignments" };
            let got = server.github(&FakeClock::new()).tracking(&repo(), &id, places);
            let want = want.map(|want| {
                want.map(|(promoted, drone)| Tracking {
                    folders: vec![("drone".to_owned(), id.clone())],
                    promoted: promoted.map(str::to_owned),
                    assignments: vec![("drone".to_owned(), drone.to_owned())],
                })
            });
            match (got, want) {
                (Err(error), Err(want)) => assert!(error.what().contains(want), "{why}: {error}"),
                (got, want) => assert_eq!(got.ok(), want.ok(), "{why}"),
            }
            let seen = server.seen();
            let read = file.is_some().then(|| format!("GET /api/v3/repos/contoso/gitops/git/blobs/{id}"));
            assert_eq!(seen.get(1).map(|seen| seen.line.clone()), read, "{why}");
        }
    }
}
