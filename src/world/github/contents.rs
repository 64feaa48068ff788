//! Files at a commit.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{Error, Kind};
use super::operation::{GET_FILE, Operation};
use super::{Github, Oid, Repo};

/// What GitHub answers about a path: one entry, or all of a folder.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    File { content: String, encoding: String },
    Other(serde::de::IgnoredAny),
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
}
