//! Workflows and their runs.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use url::Url;

use super::error::{Error, Kind};
use super::operation::{DISPATCH, GET_RUN};
use super::{Github, Repo};

/// Whether a workflow run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunState {
    /// It does, or is still to begin
    Going,
    /// It does not
    Over,
}

/// A workflow run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunId {
    /// The repository of its workflow
    pub(crate) repo: Repo,
    number: u64,
}

#[derive(Deserialize)]
struct Run {
    status: Option<String>,
}

impl Github {
    /// Starts a workflow, by the name of its file, on a branch.
    ///
    /// GitHub knows those that are on the default branch, and refuses inputs that they do not declare.
    pub(crate) fn dispatch(
        &self,
        repo: &Repo,
        workflow: &str,
        branch: &str,
        inputs: &BTreeMap<&str, &str>,
    ) -> Result<(), Error> {
        let path = ["actions", "workflows", workflow, "dispatches"];
        let body = json!({ "ref": branch, "inputs": inputs });
        // Some versions of GitHub tell of the run, others say nothing.
        self.send::<IgnoredAny>(&DISPATCH, repo, Method::POST, &path, body)?;
        Ok(())
    }

    /// The workflow run that has this page, if it is one of this server's.
    pub(crate) fn run_of(&self, page: &str) -> Option<RunId> {
        let page = Url::parse(page).ok().filter(|page| page.origin() == self.endpoints.server.origin())?;
        let parts: Vec<&str> = page.path_segments()?.collect();
        let [owner, name, "actions", "runs", number, ..] = parts[..] else { return None };
        let repo = Repo::new(&format!("{owner}/{name}"))?;
        Some(RunId { repo, number: number.parse().ok()? })
    }

    /// How a workflow run stands; nothing if it is not there any more, or its repository is hidden from the token.
    pub(crate) fn run(&self, RunId { repo, number }: &RunId) -> Result<Option<RunState>, Error> {
        match self.get::<Run>(&GET_RUN, repo, &["actions", "runs", &number.to_string()], &[]) {
            Ok(Run { status }) if status.as_deref() == Some("completed") => Ok(Some(RunState::Over)),
            Ok(_) => Ok(Some(RunState::Going)),
            Err(error) if *error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeClock, Server, answer, repo};
    use super::*;

    #[test]
    fn workflows_are_started() {
        let unexpected = r#"{"message":"Unexpected inputs provided: [\"x\"]"}"#;
        for (answers, want, why) in [
            (vec![answer(204, &[], "")], "", "nothing is said"),
            (vec![answer(200, &[], r#"{"workflow_run_id":7}"#)], "", "the run is told"),
            (vec![String::new(), answer(204, &[], "")], "", "a lost answer: twice does no harm"),
            (vec![answer(404, &[], "{}")], "NotFound", "no such workflow"),
            (vec![answer(422, &[], unexpected)], "Invalid", "an input that it does not declare"),
        ] {
            let server = Server::new(answers);
            let inputs = BTreeMap::from([("environment", "stage")]);
            let got = server.github(&FakeClock::new()).dispatch(&repo(), "promote.yml", "main", &inputs);
            let kind = got.map_or_else(|error| format!("{:?}", error.kind()), |()| String::new());
            assert!(kind.starts_with(want) && kind.is_empty() == want.is_empty(), "{why}: {kind}");
            let seen = &server.seen()[0];
            let line = "POST /api/v3/repos/contoso/gitops/actions/workflows/promote.yml/dispatches";
            assert_eq!(seen.line, line, "{why}");
            let sent: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
            assert_eq!(sent, json!({ "inputs": { "environment": "stage" }, "ref": "main" }), "{why}");
        }
    }

    #[test]
    fn pages_of_runs() {
        let server = Server::new(vec![]);
        let github = server.github(&FakeClock::new());
        let here = server.url.as_str().trim_end_matches('/');
        let run = |name: &str| Some(RunId { repo: Repo::new(name).unwrap(), number: 7 });
        for (page, want, why) in [
            (format!("{here}/contoso/gitops/actions/runs/7"), run("contoso/gitops"), "a run"),
            (format!("{here}/Fabrikam/x.y/actions/runs/7/attempts/2"), run("fabrikam/x.y"), "a try of it"),
            (format!("{here}/contoso/gitops/actions/runs/7?pr=1#x"), run("contoso/gitops"), "more in it"),
            ("https://ci.example/contoso/gitops/actions/runs/7".to_owned(), None, "another server"),
            (format!("{here}.example/contoso/gitops/actions/runs/7"), None, "it only begins alike"),
            (format!("{here}/x/contoso/gitops/actions/runs/7"), None, "deeper"),
            (format!("{here}/contoso/gitops/runs/7"), None, "a check's page"),
            (format!("{here}/contoso/gitops/actions/runs/seven"), None, "no number"),
            (format!("{here}/contoso/gitops/actions/runs"), None, "all runs"),
            (format!("{here}/contoso/g%2Fh/actions/runs/7"), None, "no repository's name"),
            ("contoso/gitops/actions/runs/7".to_owned(), None, "no address"),
        ] {
            assert_eq!(github.run_of(&page), want, "{why}");
        }
    }

    #[test]
    fn runs() {
        for (status, body, want, why) in [
            (200, r#"{"status":"completed","conclusion":"failure"}"#, Some(Some(RunState::Over)), "over"),
            (200, r#"{"status":"in_progress"}"#, Some(Some(RunState::Going)), "at work"),
            (200, r#"{"status":"queued"}"#, Some(Some(RunState::Going)), "still to begin"),
            (200, r#"{"status":null}"#, Some(Some(RunState::Going)), "nothing known"),
            (404, "{}", Some(None), "gone"),
            (403, "{}", None, "not allowed"),
        ] {
            let server = Server::new(vec![answer(status, &[], body)]);
            let got = server.github(&FakeClock::new()).run(&RunId { repo: repo(), number: 7 });
            assert_eq!(got.ok(), want, "{why}");
            assert_eq!(server.seen()[0].line, "GET /api/v3/repos/contoso/gitops/actions/runs/7");
        }
    }
}
