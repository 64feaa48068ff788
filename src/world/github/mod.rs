//! GitHub's API, as far as it is used: typed requests and answers over REST, and GraphQL for what REST cannot do.
//!
//! `call` → retries and limits (`client`) → typed errors (`error`); what each operation needs and how it may be
//! repeated stands in one table (`operation`).

mod actions;
mod app;
mod client;
mod compare;
mod error;
#[cfg(test)]
pub(super) mod fake;
mod git_data;
mod graphql;
mod history;
mod issues;
mod landing;
mod oid;
mod operation;
mod pulls;
mod repo;
mod rules;
mod statuses;
mod tracking;

use std::sync::Arc;

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

pub(crate) use self::actions::{RunId, RunState};
pub(crate) use self::app::{Announce, App};
use self::client::{Call, OnTimeout, Reply, Style};
pub(crate) use self::client::{Client, Patience};
pub(crate) use self::error::{Error, Kind};
pub(crate) use self::git_data::{Entry, RefUpdate, UpdateRefs};
pub(crate) use self::history::{History, HistoryCommit};
pub(crate) use self::issues::{Issue, IssueChange, NewIssue};
pub(crate) use self::landing::Landing;
pub(crate) use self::oid::Oid;
use self::operation::{Effect, GET_REPOSITORY, Operation};
pub(crate) use self::pulls::{NewPull, Pull, PullChange};
pub(crate) use self::repo::Repo;
pub(crate) use self::rules::Protection;
pub(crate) use self::statuses::{NewStatus, Status};
pub(crate) use self::tracking::{Places, Tracking};
use super::tokens::{NoToken, Token, Tokens};

/// A list is read up to so many pages.
const MAX_PAGES: usize = 100;
/// As many on a page as GitHub gives.
const PER_PAGE: (&str, &str) = ("per_page", "100");

/// Where a GitHub server answers.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    /// For people and git, `GITHUB_SERVER_URL`
    pub(crate) server: Url,
    /// REST, `GITHUB_API_URL`
    pub(crate) api: Url,
    /// GraphQL, `GITHUB_GRAPHQL_URL`
    pub(crate) graphql: Url,
}

/// A GitHub server, with the tokens for its repositories.
#[derive(Debug)]
pub(crate) struct Github {
    client: Arc<Client>,
    endpoints: Endpoints,
    tokens: Arc<Tokens>,
}

/// Whether an issue or a pull request is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// It is
    Open,
    /// It is not
    Closed,
}

/// What is known of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Repository {
    /// Its name for GraphQL
    pub(crate) node_id: String,
    /// `owner/name`, as it is called now
    pub(crate) full_name: String,
    /// Its page
    pub(crate) html_url: String,
    /// The branch that it opens with
    pub(crate) default_branch: String,
    /// Whether issues are turned on
    pub(crate) has_issues: bool,
}

impl Github {
    /// The server at `endpoints`.
    pub(crate) fn new(client: Arc<Client>, endpoints: Endpoints, tokens: Arc<Tokens>) -> Github {
        Github { client, endpoints, tokens }
    }

    /// The server's address.
    pub(crate) fn server(&self) -> &Url {
        &self.endpoints.server
    }

    /// The repository that `url` names, if it is on this server.
    pub(crate) fn repo(&self, url: &Url) -> Option<Repo> {
        Repo::at(url, &self.endpoints.server)
    }

    /// Where people find a repository.
    pub(crate) fn url(&self, repo: &Repo) -> Url {
        repo.url(&self.endpoints.server)
    }

    /// What is known of a repository.
    pub(crate) fn repository(&self, repo: &Repo) -> Result<Repository, Error> {
        self.get(&GET_REPOSITORY, repo, &[], &[])
    }

    /// Reads one object; `path` is that inside the repository.
    fn get<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        repo: &Repo,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Error> {
        self.call(operation, repo, Method::GET, self.path(repo, path, query), None).map(|reply| reply.value)
    }

    /// Reads a list to its end.
    fn list<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        repo: &Repo,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        let mut next = Some(self.path(repo, path, query));
        for _ in 0..MAX_PAGES {
            let Some(url) = next else { return Ok(found) };
            let Reply { value, next: after } =
                self.call::<Vec<T>>(operation, repo, Method::GET, url, None)?;
            found.extend(value);
            next = after;
        }
        match next {
            None => Ok(found),
            Some(_) => Err(Error::new(operation, repo, Kind::Unreadable, "the list is too long")),
        }
    }

    /// Writes, and reads the answer.
    fn send<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        repo: &Repo,
        method: Method,
        path: &[&str],
        body: Value,
    ) -> Result<T, Error> {
        self.call(operation, repo, method, self.path(repo, path, &[]), Some(body)).map(|reply| reply.value)
    }

    /// Asks GraphQL.
    fn graphql<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        repo: &Repo,
        query: &str,
        variables: Value,
    ) -> Result<T, Error> {
        let body = serde_json::json!({ "query": query, "variables": variables });
        let call = Call {
            style: Style::GraphQl,
            ..self.prepare(operation, repo, Method::POST, self.endpoints.graphql.clone(), Some(body))?
        };
        self.client.call(&call).map(|reply| reply.value)
    }

    fn call<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        repo: &Repo,
        method: Method,
        url: Url,
        body: Option<Value>,
    ) -> Result<Reply<T>, Error> {
        self.client.call(&self.prepare(operation, repo, method, url, body)?)
    }

    fn prepare<'a>(
        &self,
        operation: &'static Operation,
        repo: &'a Repo,
        method: Method,
        url: Url,
        body: Option<Value>,
    ) -> Result<Call<'a>, Error> {
        let token = self.token(operation, repo)?;
        Ok(Call {
            operation,
            repo,
            method,
            url,
            body,
            token,
            style: Style::Rest,
            on_timeout: OnTimeout::Repeat,
        })
    }

    /// Reads may go without a token, writes may not.
    fn token(&self, operation: &'static Operation, repo: &Repo) -> Result<Option<Token>, Error> {
        match self.tokens.token(&self.url(repo)) {
            Ok(None) if operation.effect != Effect::Read => {
                Err(Error::new(operation, repo, Kind::NoToken, "no token is given for it"))
            }
            Ok(token) => Ok(token),
            Err(NoToken::App(error)) => Err(error),
            Err(refused @ NoToken::OnlyTheWorkflows) => {
                Err(Error::new(operation, repo, Kind::NoToken, &refused.to_string()))
            }
        }
    }

    fn path(&self, repo: &Repo, path: &[&str], query: &[(&str, &str)]) -> Url {
        let segments: Vec<&str> =
            ["repos", &repo.owner, &repo.name].into_iter().chain(path.iter().copied()).collect();
        endpoint(&self.endpoints.api, &segments, query)
    }
}

/// `base` with further path segments, escaped, and a query.
fn endpoint(base: &Url, path: &[&str], query: &[(&str, &str)]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}
