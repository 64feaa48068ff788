//! Pull requests.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::Error;
use super::operation::{CREATE_PULL, LIST_PULLS, UPDATE_PULL};
use super::{Github, Oid, PER_PAGE, Repo, State};

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Pull {
    /// Its number in the repository
    pub(crate) number: u64,
    /// Its title
    pub(crate) title: String,
    /// Its text
    #[serde(default)]
    pub(crate) body: Option<String>,
    /// Whether it is open
    pub(crate) state: State,
    /// When it was merged, if it was
    #[serde(default)]
    pub(crate) merged_at: Option<String>,
    /// Its page
    pub(crate) html_url: String,
    /// What it brings
    pub(crate) head: PullEnd,
    /// Where it goes
    pub(crate) base: PullEnd,
    /// Its labels
    #[serde(default)]
    pub(crate) labels: Vec<Label>,
}

/// A branch that a pull request joins.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct PullEnd {
    /// The branch's short name
    #[serde(rename = "ref")]
    pub(crate) branch: String,
    /// Its commit
    pub(crate) sha: Oid,
    /// Its repository, which may be another one, or gone
    pub(crate) repo: Option<PullRepo>,
}

/// The repository of a branch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct PullRepo {
    /// `owner/name`
    pub(crate) full_name: String,
    /// Its name for GraphQL
    pub(crate) node_id: String,
}

/// A label.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Label {
    /// Its name
    pub(crate) name: String,
}

/// A pull request to be made, inside one repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NewPull<'a> {
    /// Its title
    pub(crate) title: &'a str,
    /// The branch that it brings
    pub(crate) head: &'a str,
    /// The branch that it goes to
    pub(crate) base: &'a str,
    /// Its text
    pub(crate) body: &'a str,
}

/// What changes on a pull request; `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct PullChange<'a> {
    /// Its title
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<&'a str>,
    /// Its text
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<&'a str>,
    /// Whether it is open
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<State>,
}

impl Github {
    /// The hundred latest pull requests to a branch, open or not, the newest first.
    pub(crate) fn pulls_into(&self, repo: &Repo, base: &str) -> Result<Vec<Pull>, Error> {
        let newest = [("sort", "created"), ("direction", "desc"), PER_PAGE];
        let query = [("state", "all"), ("base", base)];
        self.get(&LIST_PULLS, repo, &["pulls"], &[&query[..], &newest].concat())
    }

    /// The open pull requests from one branch of the repository itself to another.
    pub(crate) fn open_pulls(&self, repo: &Repo, branch: &str, base: &str) -> Result<Vec<Pull>, Error> {
        let head = format!("{}:{branch}", repo.owner);
        let query = [("state", "open"), ("head", &head), ("base", base), PER_PAGE];
        self.get(&LIST_PULLS, repo, &["pulls"], &query)
    }

    /// Opens a pull request. Of an unclear end, look for it before it is tried again.
    pub(crate) fn create_pull(&self, repo: &Repo, pull: &NewPull<'_>) -> Result<Pull, Error> {
        self.send(&CREATE_PULL, repo, Method::POST, &["pulls"], json!(pull))
    }

    /// Changes a pull request.
    pub(crate) fn update_pull(
        &self,
        repo: &Repo,
        number: u64,
        change: &PullChange<'_>,
    ) -> Result<Pull, Error> {
        self.send(&UPDATE_PULL, repo, Method::PATCH, &["pulls", &number.to_string()], json!(change))
    }
}
