//! How commits stand to each other.

use rollout::Relation;
use serde::Deserialize;

use super::error::{Error, Kind};
use super::operation::COMPARE;
use super::{Github, Repo};

/// With this begins what GitHub says, as of what it does not find, of commits that it finds both.
const UNRELATED: &str = "No common ancestor";

#[derive(Deserialize)]
struct Comparison {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Identical,
    Ahead,
    Behind,
    Diverged,
}

impl Github {
    /// How one commit or branch stands to another, `base`.
    ///
    /// It is missing where either of the two is.
    pub(crate) fn relation(&self, repo: &Repo, base: &str, other: &str) -> Result<Relation, Error> {
        let ends = format!("{base}...{other}");
        // The commits between them are not looked at, and cannot be left out.
        let found = self.get::<Comparison>(&COMPARE, repo, &["compare", &ends], &[("per_page", "1")]);
        match found.map(|comparison| comparison.status) {
            Ok(Status::Identical) => Ok(Relation::Same),
            Ok(Status::Ahead) => Ok(Relation::Descendant),
            Ok(Status::Behind) => Ok(Relation::Ancestor),
            Ok(Status::Diverged) => Ok(Relation::Diverged),
            Err(error) if *error.kind() != Kind::NotFound => Err(error),
            Err(error) if error.said().starts_with(UNRELATED) => Ok(Relation::Diverged),
            Err(_) => Ok(Relation::Missing),
        }
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
}
