//! How commits stand to each other.

use rollout::Relation;
use serde::Deserialize;

use super::error::{Error, Kind};
use super::operation::COMPARE;
use super::{Github, Repo};

/// GitHub names so many files of a comparison, and no more on any page.
const MAX_FILES: usize = 300;

/// With this begins what GitHub says, as of what it does not find, of commits that it finds both.
const UNRELATED: &str = "No common ancestor";

/// The files that differ between two commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChangedFiles {
    /// Their paths, all of them; a file that was moved is there with both
    All(Vec<String>),
    /// They are more than GitHub names
    TooMany,
}

#[derive(Deserialize)]
struct Comparison {
    status: Status,
    #[serde(default)]
    files: Vec<File>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Identical,
    Ahead,
    Behind,
    Diverged,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    #[serde(default)]
    previous_filename: Option<String>,
}

impl Github {
    /// How one commit or branch stands to another, `base`.
    ///
    /// It is missing where either of the two is.
    pub(crate) fn relation(&self, repo: &Repo, base: &str, other: &str) -> Result<Relation, Error> {
        Ok(match self.compare(repo, base, other) {
            Ok(Comparison { status: Status::Identical, .. }) => Relation::Same,
            Ok(Comparison { status: Status::Ahead, .. }) => Relation::Descendant,
            Ok(Comparison { status: Status::Behind, .. }) => Relation::Ancestor,
            Ok(Comparison { status: Status::Diverged, .. }) => Relation::Diverged,
            Err(error) if *error.kind() != Kind::NotFound => return Err(error),
            Err(error) if error.said().starts_with(UNRELATED) => Relation::Diverged,
            Err(_) => Relation::Missing,
        })
    }

    /// What `other` changes on top of what it has in common with `base`; nothing where one of them is missing.
    pub(crate) fn changed_files(
        &self,
        repo: &Repo,
        base: &str,
        other: &str,
    ) -> Result<Option<ChangedFiles>, Error> {
        let files = match self.compare(repo, base, other) {
            Ok(Comparison { files, .. }) => files,
            Err(error) if *error.kind() == Kind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if files.len() >= MAX_FILES {
            return Ok(Some(ChangedFiles::TooMany));
        }
        let names = |file: File| [file.previous_filename, Some(file.filename)];
        let mut paths: Vec<String> = files.into_iter().flat_map(names).flatten().collect();
        paths.sort();
        Ok(Some(ChangedFiles::All(paths)))
    }

    fn compare(&self, repo: &Repo, base: &str, other: &str) -> Result<Comparison, Error> {
        let ends = format!("{base}...{other}");
        // The commits between them are not looked at, and cannot be left out.
        self.get(&COMPARE, repo, &["compare", &ends], &[("per_page", "1")])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fake::{FakeClock, Server, answer, repo};
    use super::*;

    #[test]
    fn relations() {
        let good = |status: &str| answer(200, &[], &json!({ "status": status, "files": [] }).to_string());
        let unrelated = r#"{"message":"No common ancestor between aa and feature/x."}"#;
        for (answers, want, why) in [
            (vec![good("identical")], Some(Relation::Same), "the same commit"),
            (vec![good("ahead")], Some(Relation::Descendant), "on top"),
            (vec![good("behind")], Some(Relation::Ancestor), "below"),
            (vec![good("diverged")], Some(Relation::Diverged), "beside"),
            (vec![answer(404, &[], "{}")], Some(Relation::Missing), "not there"),
            (vec![answer(404, &[], unrelated)], Some(Relation::Diverged), "both are there"),
            (vec![answer(500, &[], ""), good("ahead")], Some(Relation::Descendant), "a failure that passes"),
            (vec![answer(403, &[], "{}")], None, "not allowed: that says nothing of the commits"),
            (vec![answer(401, &[], "{}")], None, "a token that ended"),
        ] {
            let server = Server::new(answers);
            let got = server.github(&FakeClock::new()).relation(&repo(), "aa", "feature/x");
            assert_eq!(got.ok(), want, "{why}");
            let line = "GET /api/v3/repos/contoso/gitops/compare/aa...feature%2Fx?per_page=1";
            assert_eq!(server.seen()[0].line, line, "{why}");
        }
    }

    #[test]
    fn changed_files() {
        let files = |count: usize| {
            let one = |number| json!({ "filename": format!("f{number:03}"), "status": "added" });
            (0..count).map(one).collect::<Vec<_>>()
        };
        let moved = json!([{ "filename": "b", "previous_filename": "a", "status": "renamed" }]);
        let all =
            |names: &[&str]| Some(ChangedFiles::All(names.iter().map(|name| (*name).to_owned()).collect()));
        for (files, want, why) in [
            (json!(files(2)), all(&["f000", "f001"]), "two"),
            (moved, all(&["a", "b"]), "a file that was moved"),
            (json!(files(300)), Some(ChangedFiles::TooMany), "perhaps not all"),
        ] {
            let body = json!({ "status": "ahead", "files": files }).to_string();
            let server = Server::new(vec![answer(200, &[], &body)]);
            let got = server.github(&FakeClock::new()).changed_files(&repo(), "a", "b").unwrap();
            assert_eq!(got, want, "{why}");
        }
        let server = Server::new(vec![answer(404, &[], "{}")]);
        assert_eq!(server.github(&FakeClock::new()).changed_files(&repo(), "a", "b").unwrap(), None);
    }
}
