//! Files and folders at a commit.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{Error, Kind};
use super::operation::{GET_FILE, LIST_FOLDER, Operation};
use super::{Github, Oid, Repo};

/// Something in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FolderEntry {
    /// Its name in the folder
    pub(crate) name: String,
    /// What it is
    pub(crate) kind: FolderEntryKind,
}

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FolderEntryKind {
    /// A file, or a symbolic link
    File,
    /// A folder
    Folder,
    /// A submodule
    Submodule,
}

/// What GitHub answers about a path: one entry, or all of a folder.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    File { content: String, encoding: String },
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Tree {
    tree: Vec<TreeEntry>,
    truncated: Option<bool>,
}

#[derive(Deserialize)]
struct TreeEntry {
    path: String,
    #[serde(rename = "type")]
    kind: String,
    sha: Oid,
}

impl Github {
    /// The content of a file of at most a megabyte at a commit; nothing where no file is.
    pub(crate) fn file(&self, repo: &Repo, path: &str, commit: &Oid) -> Result<Option<Vec<u8>>, Error> {
        let segments: Vec<&str> = ["contents"].into_iter().chain(path.split('/')).collect();
        let found = self.find::<Content>(&GET_FILE, repo, &segments, &[("ref", commit.as_str())])?;
        let Some(Content::File { content, encoding }) = found else { return Ok(None) };
        let unreadable = |said: &str| Error::new(&GET_FILE, repo, Kind::Unreadable, said);
        // Of a larger file there is the name only.
        if encoding != "base64" {
            return Err(unreadable(&format!("{path} is too large")));
        }
        let content: String = content.split_ascii_whitespace().collect();
        let bytes = STANDARD.decode(content).map_err(|_| unreadable(&format!("{path} is no base64")))?;
        Ok(Some(bytes))
    }

    /// What is in a folder at a commit, `""` for the root; nothing where no folder is.
    ///
    /// Folder by folder, since GitHub shows no more than the first thousand entries by path.
    pub(crate) fn folder(
        &self,
        repo: &Repo,
        path: &str,
        commit: &Oid,
    ) -> Result<Option<Vec<FolderEntry>>, Error> {
        let mut id = commit.clone();
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        loop {
            let tree = self.find::<Tree>(&LIST_FOLDER, repo, &["git", "trees", id.as_str()], &[])?;
            let Some(Tree { tree, truncated }) = tree else { return Ok(None) };
            if truncated == Some(true) {
                return Err(Error::new(&LIST_FOLDER, repo, Kind::Unreadable, "the list is too long"));
            }
            let Some(part) = parts.next() else {
                return Ok(Some(tree.into_iter().map(FolderEntry::from).collect()));
            };
            let below = tree.into_iter().find(|entry| entry.path == part && entry.kind == "tree");
            let Some(below) = below else { return Ok(None) };
            id = below.sha;
        }
    }

    fn find<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        repo: &Repo,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Option<T>, Error> {
        match self.get(operation, repo, path, query) {
            Ok(found) => Ok(Some(found)),
            Err(error) if *error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl From<TreeEntry> for FolderEntry {
    fn from(TreeEntry { path, kind, .. }: TreeEntry) -> FolderEntry {
        let kind = match &*kind {
            "tree" => FolderEntryKind::Folder,
            "commit" => FolderEntryKind::Submodule,
            _ => FolderEntryKind::File,
        };
        FolderEntry { name: path, kind }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fake::{FakeClock, Server, answer, repo};
    use super::*;

    #[test]
    fn files() {
        let commit = Oid::new(&"a".repeat(40)).unwrap();
        let file = |content: &str, encoding: &str| {
            json!({ "type": "file", "content": content, "encoding": encoding, "sha": commit }).to_string()
        };
        for (status, body, want, why) in [
            (200, file("YQ==\nYg==\n", "base64"), None, "two texts in one"),
            (200, file("YWJj\nZA==\n", "base64"), Some(Some("abcd")), "in lines"),
            (200, file("", "base64"), Some(Some("")), "an empty file"),
            (200, file("", "none"), None, "too large"),
            (200, json!([{ "type": "file", "name": "x" }]).to_string(), Some(None), "a folder"),
            (200, json!({ "type": "symlink", "target": "x" }).to_string(), Some(None), "a link to elsewhere"),
            (404, "{}".to_owned(), Some(None), "not there"),
            (403, "{}".to_owned(), None, "not allowed"),
        ] {
            let server = Server::new(vec![answer(status, &[], &body)]);
            let got = server.github(&FakeClock::new()).file(&repo(), ".github/a b", &commit);
            let want = want.map(|want| want.map(|text| text.as_bytes().to_vec()));
            assert_eq!(got.ok(), want, "{why}");
            let line = format!("GET /api/v3/repos/contoso/gitops/contents/.github/a%20b?ref={commit}");
            assert_eq!(server.seen()[0].line, line, "{why}");
        }
    }

    #[test]
    fn folders() {
        let oid = |digit: &str| Oid::new(&digit.repeat(40)).unwrap();
        let tree = |entries: &[(&str, &str, &str)], truncated: bool| {
            let entry = |&(path, kind, digit): &(&str, &str, &str)| json!({ "path": path, "type": kind, "sha": oid(digit), "mode": "0" });
            let entries: Vec<_> = entries.iter().map(entry).collect();
            answer(200, &[], &json!({ "tree": entries, "truncated": truncated }).to_string())
        };
        let root = || tree(&[("a", "blob", "1"), ("b", "tree", "2"), ("c", "commit", "3")], false);
        let below = || tree(&[("d", "blob", "4")], false);
        let absent = || answer(404, &[], "{}");
        for (path, answers, want, why) in [
            ("", vec![root()], Some(Some("a File, b Folder, c Submodule")), "the root"),
            ("b", vec![root(), below()], Some(Some("d File")), "a folder"),
            ("b/", vec![root(), below()], Some(Some("d File")), "a final slash"),
            ("a", vec![root()], Some(None), "a file is no folder"),
            ("b/x/y", vec![root(), below()], Some(None), "nothing there"),
            ("", vec![absent()], Some(None), "no such commit"),
            ("", vec![tree(&[], true)], None, "not all of it"),
        ] {
            let (server, requests) = (Server::new(answers.clone()), answers.len());
            let got = server.github(&FakeClock::new()).folder(&repo(), path, &oid("0"));
            let brief = |entries: Vec<FolderEntry>| {
                let one = |entry: &FolderEntry| format!("{} {:?}", entry.name, entry.kind);
                entries.iter().map(one).collect::<Vec<_>>().join(", ")
            };
            let got = got.ok().map(|entries| entries.map(brief));
            assert_eq!(got, want.map(|want| want.map(str::to_owned)), "{why}");
            assert_eq!(server.seen().len(), requests, "{why}");
        }
    }
}
