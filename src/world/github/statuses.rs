//! Statuses of commits.

use std::time::SystemTime;

use reqwest::Method;
use rollout::StatusState;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;

use super::error::Error;
use super::operation::{CREATE_STATUS, LIST_STATUSES};
use super::{Github, Oid, PER_PAGE, Repo};
use crate::world::clock::point_in_time;

/// A status of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Status {
    /// What it is about
    pub(crate) context: String,
    /// How that stands
    #[serde(deserialize_with = "state")]
    pub(crate) state: StatusState,
    /// What people read
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// Where they find more
    #[serde(default, alias = "targetUrl")]
    pub(crate) target_url: Option<String>,
    /// When it was set
    #[serde(alias = "createdAt", deserialize_with = "point_in_time")]
    pub(crate) created_at: SystemTime,
}

/// A status to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NewStatus<'a> {
    /// What it is about
    pub(crate) context: &'a str,
    /// How that stands
    #[serde(serialize_with = "word")]
    pub(crate) state: StatusState,
    /// What people read, at most 140 characters
    pub(crate) description: &'a str,
    /// Where they find more
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_url: Option<&'a str>,
}

impl Github {
    /// Sets a commit's status; of a context only the newest one counts.
    pub(crate) fn create_status(
        &self,
        repo: &Repo,
        commit: &Oid,
        status: &NewStatus<'_>,
    ) -> Result<(), Error> {
        let path = ["statuses", commit.as_str()];
        self.send::<IgnoredAny>(&CREATE_STATUS, repo, Method::POST, &path, json!(status))?;
        Ok(())
    }

    /// All statuses of a commit, the newest first.
    pub(crate) fn statuses(&self, repo: &Repo, commit: &Oid) -> Result<Vec<Status>, Error> {
        self.list(&LIST_STATUSES, repo, &["commits", commit.as_str(), "statuses"], &[PER_PAGE])
    }
}

/// REST writes states in small letters, GraphQL in capitals.
fn state<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StatusState, D::Error> {
    match String::deserialize(deserializer)?.to_ascii_lowercase().as_str() {
        // One that a rule waits for and nobody has set.
        "pending" | "expected" => Ok(StatusState::Pending),
        "success" => Ok(StatusState::Success),
        "failure" => Ok(StatusState::Failure),
        "error" => Ok(StatusState::Error),
        _ => Err(D::Error::custom("an unknown state")),
    }
}

fn word<S: Serializer>(state: &StatusState, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match state {
        StatusState::Pending => "pending",
        StatusState::Success => "success",
        StatusState::Failure => "failure",
        StatusState::Error => "error",
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::fake::{FakeClock, Server, answer, repo};
    use super::*;

    const COMMIT: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn a_status_is_set() {
        let server = Server::new(vec![answer(502, &[], ""), answer(201, &[], "{}")]);
        let status = NewStatus {
            context: "dev environment",
            state: StatusState::Pending,
            description: "Deploying",
            target_url: None,
        };
        server.github(&FakeClock::new()).create_status(&repo(), &Oid::new(COMMIT).unwrap(), &status).unwrap();
        let seen = server.seen();
        assert_eq!(seen.len(), 2, "twice is as good as once");
        assert_eq!(seen[1].line, format!("POST /api/v3/repos/contoso/gitops/statuses/{COMMIT}"));
        let sent: serde_json::Value = serde_json::from_str(&seen[1].body).unwrap();
        let want = json!({ "context": "dev environment", "state": "pending", "description": "Deploying" });
        assert_eq!(sent, want);
    }

    #[test]
    fn statuses_as_both_interfaces_write_them() {
        for (text, want, why) in [
            (
                r#"{"context":"c","state":"failure","description":"d","target_url":"u","created_at":"1970-01-01T00:00:09Z","id":1}"#,
                Some((StatusState::Failure, Some("u"))),
                "REST",
            ),
            (
                r#"{"context":"c","state":"SUCCESS","description":"d","targetUrl":null,"createdAt":"1970-01-01T00:00:09Z"}"#,
                Some((StatusState::Success, None)),
                "GraphQL",
            ),
            (
                r#"{"context":"c","state":"EXPECTED","description":"d","createdAt":"1970-01-01T00:00:09Z"}"#,
                Some((StatusState::Pending, None)),
                "what a rule waits for",
            ),
            (
                r#"{"context":"c","state":"odd","created_at":"1970-01-01T00:00:09Z"}"#,
                None,
                "a state that there is not",
            ),
            (r#"{"context":"c","state":"error","created_at":"today"}"#, None, "no time"),
        ] {
            let got: Option<Status> = serde_json::from_str(text).ok();
            let want = want.map(|(state, target_url)| Status {
                context: "c".to_owned(),
                state,
                description: Some("d".to_owned()),
                target_url: target_url.map(str::to_owned),
                created_at: SystemTime::UNIX_EPOCH + Duration::from_secs(9),
            });
            assert_eq!(got, want, "{why}");
        }
    }
}
