//! GraphQL's answers: errors come with a status of success.

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::Value;

use super::error::Kind;

/// The errors of an answer, at least one.
#[derive(Debug)]
pub(super) struct Refused(Vec<Complaint>);

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    data: Option<Value>,
    #[serde(default)]
    errors: Vec<Complaint>,
}

#[derive(Debug, Deserialize)]
struct Complaint {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    message: String,
}

/// The data of an answer, or what GitHub says instead.
pub(super) fn data(body: &[u8]) -> Result<Result<Value, Refused>, serde_json::Error> {
    let Answer { data, errors } = serde_json::from_slice(body)?;
    Ok(if errors.is_empty() { Ok(data.unwrap_or_default()) } else { Err(Refused(errors)) })
}

impl Refused {
    /// What a caller can do about it; `until` is when a limit ends.
    pub(super) fn kind(&self, until: SystemTime) -> Kind {
        let first = self.0.first().and_then(|complaint| complaint.kind.as_deref());
        match first {
            Some("RATE_LIMITED" | "RATE_LIMIT") => Kind::RateLimited { until },
            Some("NOT_FOUND") => Kind::NotFound,
            Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => Kind::Forbidden { accepted: None },
            Some("STALE_DATA") => Kind::Conflict,
            Some("SERVICE_UNAVAILABLE" | "INTERNAL" | "LOADING") => Kind::Server,
            Some("TIMEOUT") => Kind::TimedOut,
            _ => self.untyped(until),
        }
    }

    /// What GitHub says.
    pub(super) fn said(&self) -> String {
        self.0.iter().map(|complaint| &*complaint.message).collect::<Vec<_>>().join(", ")
    }

    fn untyped(&self, until: SystemTime) -> Kind {
        let said = self.said().to_lowercase();
        let has = |part: &str| said.contains(part);
        match () {
            () if has("rate limit") => Kind::RateLimited { until },
            () if has("not accessible by") => Kind::Forbidden { accepted: None },
            () if has("something went wrong") => Kind::Server,
            () if has("timed out") || has("timeout") => Kind::TimedOut,
            () => {
                Kind::Invalid { errors: self.0.iter().map(|complaint| complaint.message.clone()).collect() }
            }
        }
    }
}
