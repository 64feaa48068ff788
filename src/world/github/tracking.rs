//! What a commit of a GitOps repository says of itself, in one request.

use serde::Deserialize;
use serde_json::json;

use super::error::{Error, Kind};
use super::operation::GET_TRACKING;
use super::{Github, Oid, Repo};

const QUERY: &str = "query($owner: String!, $name: String!, $commit: GitObjectID!, $root: String!, $promoted: String!, \
    $assignments: String!) { repository(owner: $owner, name: $name) { \
    commit: object(oid: $commit) { __typename } \
    root: object(expression: $root) { ... on Tree { entries { name type } } } \
    promoted: object(expression: $promoted) { ... on Blob { text isTruncated } } \
    assignments: object(expression: $assignments) { ... on Tree { entries { name object { \
    ... on Blob { text isTruncated } } } } } } }";

/// What a commit of a GitOps repository says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tracking {
    /// The folders beside each other
    pub(crate) folders: Vec<String>,
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
    object: Option<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
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
        let whole = |blob: Blob, path: &str| match (blob.text, blob.is_truncated) {
            (Some(text), false) => Ok(text),
            // Too long for this interface; the file itself can still be asked for.
            (Some(_), true) => {
                let bytes = self.file(repo, path, commit)?.unwrap_or_default();
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            (None, _) => Err(unreadable(&format!("{path} is no text"))),
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
            folders: folders.map(|entry| entry.name).collect(),
            promoted,
            assignments: assignments.collect::<Result<_, Error>>()?,
        }))
    }
}
