//! Where this runs: a job of GitHub Actions, or a person's terminal.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use fleet::Diagnostic;
use url::Url;

use super::github::Announce;
use super::http::is_loopback;
use super::terminal;
use crate::exit::Failure;

/// What is known about the place of this run.
#[derive(Debug)]
pub(crate) struct Runner {
    /// Whether it is a job of GitHub Actions
    pub(crate) kind: Kind,
    /// GitHub's address, such as `https://github.com/`
    pub(crate) server: Url,
    /// The address of its REST API
    pub(crate) api: Url,
    /// The address of its GraphQL API
    pub(crate) graphql: Url,
    /// The repository that the job belongs to: OWNER/NAME
    pub(crate) repository: Option<String>,
    /// The branch that the job runs for
    pub(crate) branch: Option<String>,
    /// The page of this run
    pub(crate) page: Option<String>,
    /// The folder that the job works in
    pub(crate) workspace: Option<PathBuf>,
    /// The commit that the job runs for
    pub(crate) commit: Option<String>,
    /// What happened, such as `push`
    pub(crate) event: Option<String>,
    outputs: Option<PathBuf>,
    state: Option<PathBuf>,
}

/// Who started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// GitHub Actions
    Action,
    /// A person, or another CI
    Terminal,
}

/// What a step keeps so that its own end knows itself.
pub(crate) const STARTED: &str = "started";

/// A variable of the environment, if there is something in it.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether this is a job of GitHub Actions.
pub(crate) fn is_action() -> bool {
    env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// The path of a problem's file in the job's checkout, if it is one of the control plane's own.
pub(crate) fn own_file(problem: &Diagnostic) -> Option<String> {
    let file = &problem.location.as_ref()?.file;
    let workspace = PathBuf::from(env::var_os("GITHUB_WORKSPACE")?);
    (file.prefix.is_empty() && workspace.join(&*file.path).is_file()).then(|| file.path.to_string())
}

fn summary() -> Option<PathBuf> {
    env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Whether there is a summary of a job to add to.
pub(crate) fn has_summary() -> bool {
    summary().is_some()
}

/// Adds to the summary of the job, if this is one.
pub(crate) fn summarize(markdown: &str) -> Result<(), Failure> {
    match summary() {
        Some(path) => append(&path, markdown),
        None => Ok(()),
    }
}

impl Runner {
    /// What these variables of the environment say.
    pub(crate) fn new(variable: impl Fn(&str) -> Option<String>) -> Result<Runner, Failure> {
        let address = |name: &str, default: &str| address(name, variable(name), default);
        let is_action = variable("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let server = address("GITHUB_SERVER_URL", "https://github.com")?;
        let repository = variable("GITHUB_REPOSITORY");
        let page = repository.as_ref().zip(variable("GITHUB_RUN_ID")).map(|(repository, run)| {
            format!("{}/{repository}/actions/runs/{run}", server.as_str().trim_end_matches('/'))
        });
        let is_branch = variable("GITHUB_REF_TYPE").is_none_or(|kind| kind == "branch");
        Ok(Runner {
            kind: if is_action { Kind::Action } else { Kind::Terminal },
            api: address("GITHUB_API_URL", &interface(&server, "/v3"))?,
            graphql: address("GITHUB_GRAPHQL_URL", &interface(&server, "/graphql"))?,
            server,
            repository,
            branch: variable("GITHUB_REF_NAME").filter(|_| is_branch),
            page,
            workspace: variable("GITHUB_WORKSPACE").map(PathBuf::from),
            commit: variable("GITHUB_SHA"),
            event: variable("GITHUB_EVENT_NAME"),
            outputs: variable("GITHUB_OUTPUT").map(PathBuf::from),
            state: variable("GITHUB_STATE").map(PathBuf::from),
        })
    }

    /// Whether this is a job of GitHub Actions.
    pub(crate) fn is_action(&self) -> bool {
        self.kind == Kind::Action
    }

    /// Has the runner hide `secret` in everything that is printed from now on. It reads both streams, and standard
    /// output may be what a person's next command reads.
    pub(crate) fn mask(&self, secret: &str) {
        if self.is_action() {
            terminal::complain(&report::mask(secret));
        }
    }

    /// What hides secrets that turn up later.
    pub(crate) fn announcer(&self) -> Announce {
        let kind = self.kind;
        Arc::new(move |token| {
            if kind == Kind::Action {
                terminal::complain(&report::mask(token.expose()));
            }
        })
    }

    /// Whether other steps can read outputs.
    pub(crate) fn has_outputs(&self) -> bool {
        self.outputs.is_some()
    }

    /// Sets outputs for the steps that follow.
    pub(crate) fn set_outputs(&self, outputs: &[(&str, String)]) -> Result<(), Failure> {
        let Some(path) = &self.outputs else { return Ok(()) };
        let text: String = outputs.iter().map(|(name, value)| output(name, value)).collect();
        append(path, &text)
    }
}

impl Runner {
    /// Keeps a value for the step's own end, where [`saved`] reads it.
    pub(crate) fn save(&self, name: &str, value: &str) -> Result<(), Failure> {
        match &self.state {
            Some(path) => append(path, &output(name, value)),
            None => Ok(()),
        }
    }
}

/// Has the step's own end know that it is one.
pub(crate) fn remember_start() -> Result<(), Failure> {
    match env::var_os("GITHUB_STATE").filter(|path| !path.is_empty()) {
        Some(path) => append(&PathBuf::from(path), &output(STARTED, "true")),
        None => Ok(()),
    }
}

/// What the step kept for its end.
pub(crate) fn saved(name: &str) -> Option<String> {
    variable(&format!("STATE_{name}"))
}

/// The address in a variable, else `default`. Tokens are sent there, so that it must be https, or this machine.
fn address(variable: &str, value: Option<String>, default: &str) -> Result<Url, Failure> {
    let text = value.as_deref().unwrap_or(default);
    let is_safe = |url: &Url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    let url = Url::parse(text).ok().filter(|url| url.has_host() && is_safe(url));
    url.ok_or_else(|| {
        Failure::usage(format!("{variable} is no https URL: {text}"), format!("write it as {default}"))
    })
}

/// Where a server's interfaces are if nothing says so: below it, but for GitHub's own.
fn interface(server: &Url, path: &str) -> String {
    match server.host_str() {
        Some("github.com") => format!("https://api.github.com{}", path.strip_prefix("/v3").unwrap_or(path)),
        _ => format!("{}/api{path}", server.as_str().trim_end_matches('/')),
    }
}

/// A value between two lines that it does not contain, as the runner reads it.
fn output(name: &str, value: &str) -> String {
    let mut end = "end-of-value".to_owned();
    while value.lines().any(|line| line == end) {
        end.push('-');
    }
    format!("{name}<<{end}\n{value}\n{end}\n")
}

fn append(path: &PathBuf, text: &str) -> Result<(), Failure> {
    let open = || -> std::io::Result<File> { OpenOptions::new().create(true).append(true).open(path) };
    open()
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(|error| Failure::world(error, "check the runner's disk and permissions"))
}

#[cfg(test)]
mod tests {
    use super::{interface, output};
    use url::Url;

    #[test]
    fn interfaces_belong_to_their_server() {
        let of = |server: &str| ["/v3", "/graphql"].map(|path| interface(&Url::parse(server).unwrap(), path));
        assert_eq!(of("https://github.com"), ["https://api.github.com", "https://api.github.com/graphql"]);
        let own = ["https://ghes.contoso.com/api/v3", "https://ghes.contoso.com/api/graphql"];
        assert_eq!(of("https://ghes.contoso.com/"), own);
    }

    #[test]
    fn a_value_cannot_end_itself() {
        assert_eq!(output("tree-id", "abc"), "tree-id<<end-of-value\nabc\nend-of-value\n");
        let hostile = "x\nend-of-value\nheld<<y";
        let want = format!("report<<end-of-value-\n{hostile}\nend-of-value-\n");
        assert_eq!(output("report", hostile), want);
    }
}
