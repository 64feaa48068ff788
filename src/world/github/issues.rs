//! Issues, and what pull requests share with them: comments and labels.

use reqwest::Method;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::{Error, Kind};
use super::operation::{
    ADD_LABELS, CREATE_COMMENT, CREATE_ISSUE, LIST_COMMENTS, LIST_ISSUES, REMOVE_LABEL, UPDATE_ISSUE,
};
use super::pulls::Label;
use super::{Github, PER_PAGE, Repo, State};

/// An issue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Issue {
    /// Its number in the repository
    pub(crate) number: u64,
    /// Its title
    pub(crate) title: String,
    /// Its text
    #[serde(default)]
    pub(crate) body: Option<String>,
    /// Whether it is open
    pub(crate) state: State,
    /// Its page
    pub(crate) html_url: String,
}

/// An issue to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NewIssue<'a> {
    /// Its title
    pub(crate) title: &'a str,
    /// Its text
    pub(crate) body: &'a str,
    /// Its labels; those that are missing in the repository are made
    pub(crate) labels: &'a [&'a str],
}

/// What changes on an issue; `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct IssueChange<'a> {
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

/// A comment on an issue or a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Comment {
    /// Its number on the server
    pub(crate) id: u64,
    /// Its text
    #[serde(default)]
    pub(crate) body: Option<String>,
    /// Its place on the page
    pub(crate) html_url: String,
}

/// GitHub lists pull requests among the issues.
#[derive(Deserialize)]
struct Listed {
    #[serde(flatten)]
    issue: Issue,
    #[serde(default)]
    pull_request: Option<IgnoredAny>,
}

impl Github {
    /// The open issues with a label; pull requests are not among them.
    pub(crate) fn open_issues(&self, repo: &Repo, label: &str) -> Result<Vec<Issue>, Error> {
        let query = [("state", "open"), ("labels", label), PER_PAGE];
        let listed: Vec<Listed> = self.list(&LIST_ISSUES, repo, &["issues"], &query)?;
        Ok(listed
            .into_iter()
            .filter(|listed| listed.pull_request.is_none())
            .map(|listed| listed.issue)
            .collect())
    }

    /// Opens an issue. Of an unclear end, look for it before it is tried again.
    pub(crate) fn create_issue(&self, repo: &Repo, issue: &NewIssue<'_>) -> Result<Issue, Error> {
        self.send(&CREATE_ISSUE, repo, Method::POST, &["issues"], json!(issue))
    }

    /// Changes an issue.
    pub(crate) fn update_issue(
        &self,
        repo: &Repo,
        number: u64,
        change: &IssueChange<'_>,
    ) -> Result<Issue, Error> {
        self.send(&UPDATE_ISSUE, repo, Method::PATCH, &["issues", &number.to_string()], json!(change))
    }

    /// The comments on an issue or a pull request, the oldest first.
    pub(crate) fn comments(&self, repo: &Repo, number: u64) -> Result<Vec<Comment>, Error> {
        self.list(&LIST_COMMENTS, repo, &["issues", &number.to_string(), "comments"], &[PER_PAGE])
    }

    /// Comments on an issue or a pull request. Of an unclear end, look for it before it is tried again.
    pub(crate) fn create_comment(&self, repo: &Repo, number: u64, body: &str) -> Result<Comment, Error> {
        let path = ["issues", &number.to_string(), "comments"];
        self.send(&CREATE_COMMENT, repo, Method::POST, &path, json!({ "body": body }))
    }

    /// Adds labels to an issue or a pull request; those that are missing in the repository are made.
    pub(crate) fn add_labels(&self, repo: &Repo, number: u64, labels: &[&str]) -> Result<(), Error> {
        let path = ["issues", &number.to_string(), "labels"];
        self.send::<Vec<Label>>(&ADD_LABELS, repo, Method::POST, &path, json!({ "labels": labels }))?;
        Ok(())
    }

    /// Takes a label off an issue or a pull request, if it is there.
    pub(crate) fn remove_label(&self, repo: &Repo, number: u64, label: &str) -> Result<(), Error> {
        let url = self.path(repo, &["issues", &number.to_string(), "labels", label], &[]);
        match self.call::<IgnoredAny>(&REMOVE_LABEL, repo, Method::DELETE, url, None) {
            Err(error) if *error.kind() != Kind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
