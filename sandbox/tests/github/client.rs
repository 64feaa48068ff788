//! A client that says what it gets.

use std::process::Command;

use kalypso_sandbox::{Access, Repository, Sandbox, Visibility};
use reqwest::blocking::RequestBuilder;
use serde_json::Value;

/// A token that may do everything in `contoso/gitops`.
pub(crate) const TOKEN: &str = "ghs_all";

/// A sandbox with `contoso/gitops`, private, one commit on `dev`.
pub(crate) fn sandbox() -> (Sandbox, Repository) {
    let sandbox = Sandbox::start().expect("a sandbox");
    let gitops = sandbox.create_repository("contoso/gitops", Visibility::Private).expect("a repository");
    gitops.commit("dev", &[("README.md", Some("# What runs where\n"))], "First commit").expect("a commit");
    sandbox.token(TOKEN, Access::write("contoso/gitops"));
    (sandbox, gitops)
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// What identifies the answer in a table: its status and, of an error, the message.
    pub(crate) fn brief(&self) -> (u16, String) {
        let message = self.body["errors"][0]["message"].as_str().or_else(|| self.body["message"].as_str());
        (self.status, if self.status < 400 { String::new() } else { message.unwrap_or_default().to_owned() })
    }
}

/// Sends a request below the REST interface with a token, if it is not empty.
pub(crate) fn send(sandbox: &Sandbox, token: &str, method: &str, path: &str, body: Value) -> Answer {
    try_send(sandbox, token, method, path, body).expect("an answer")
}

pub(crate) fn try_send(
    sandbox: &Sandbox,
    token: &str,
    method: &str,
    path: &str,
    body: Value,
) -> reqwest::Result<Answer> {
    let request = client()
        .request(method.parse().expect("a method"), format!("{}{path}", sandbox.api_url()))
        .header("X-GitHub-Api-Version", "2022-11-28");
    finish(authorized(request, token), body)
}

/// Asks for references to be moved by compare-and-set.
pub(crate) fn update_refs(sandbox: &Sandbox, token: &str, repository: &str, updates: Value) -> Answer {
    let query = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }";
    let variables = serde_json::json!({ "input": { "repositoryId": repository, "refUpdates": updates } });
    graphql(sandbox, token, query, variables)
}

/// Asks the GraphQL interface.
pub(crate) fn graphql(sandbox: &Sandbox, token: &str, query: &str, variables: Value) -> Answer {
    let body = serde_json::json!({ "query": query, "variables": variables });
    finish(authorized(client().post(sandbox.graphql_url()), token), body).expect("an answer")
}

/// Runs `git` in a folder, without any configuration of the machine.
pub(crate) fn git(folder: &std::path::Path, arguments: &[&str]) -> Result<String, String> {
    let out = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@contoso.example")
        .env("GIT_COMMITTER_NAME", "Ada")
        .env("GIT_COMMITTER_EMAIL", "ada@contoso.example")
        .output()
        .expect("git");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if out.status.success() { Ok(text(&out.stdout)) } else { Err(text(&out.stderr)) }
}

/// The address of a repository with a token in it.
pub(crate) fn git_url(sandbox: &Sandbox, token: &str, repository: &str) -> String {
    let host = sandbox.url().replace("http://", "");
    if token.is_empty() {
        format!("http://{host}/{repository}")
    } else {
        format!("http://x:{token}@{host}/{repository}")
    }
}

/// A client that is still to be told who it is.
///
/// Where the whole workspace is built, TLS is turned on and wants to know whose cryptography it is, though none is used.
pub(crate) fn builder() -> reqwest::blocking::ClientBuilder {
    // Every test asks; the first one wins.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::blocking::Client::builder()
}

fn client() -> reqwest::blocking::Client {
    builder()
        .user_agent("tests")
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_secs(20))
        .build()
        .expect("a client")
}

fn authorized(request: RequestBuilder, token: &str) -> RequestBuilder {
    if token.is_empty() { request } else { request.bearer_auth(token) }
}

fn finish(request: RequestBuilder, body: Value) -> reqwest::Result<Answer> {
    let request = if body.is_null() { request } else { request.json(&body) };
    let response = request.send()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text()?;
    Ok(Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) })
}
