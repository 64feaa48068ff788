//! Why a call failed: typed where callers branch, in words for people.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use super::operation::{Effect, Operation, Repeat};
use super::repo::Repo;
use crate::exit::Failure;
use crate::world::said::one_line;

/// Of a list of errors so many are said.
const MAX_ERRORS: usize = 10;

/// How long to wait when GitHub asks to slow down without saying for how long.
const SLOW_DOWN: Duration = Duration::from_secs(60);

/// A call that failed.
#[derive(Debug)]
pub(crate) struct Error {
    operation: &'static Operation,
    repo: Box<str>,
    kind: Kind,
    status: Option<StatusCode>,
    said: Box<str>,
    request_id: Option<Box<str>>,
}

/// What a caller can do about a failed call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// There is no token that may be sent; nothing was
    NoToken,
    /// The token is wrong or has ended
    Unauthorized,
    /// The token lacks a permission; GitHub may say which would do
    Forbidden { accepted: Option<String> },
    /// It is not there, or the token may not see it
    NotFound,
    /// It is turned off, like issues
    Gone,
    /// It does not fit what is there
    Conflict,
    /// GitHub refuses what it was sent
    Invalid { errors: Vec<String> },
    /// It took GitHub too long: less at a time may do
    TimedOut,
    /// GitHub takes no more requests before then
    RateLimited { until: SystemTime },
    /// GitHub failed
    Server,
    /// There was no connection: nothing was sent
    Unreachable,
    /// The connection broke
    Network,
    /// The answer is not what it should be
    Unreadable,
    /// It redirects to another server, where the token does not belong
    Redirected,
    /// A write that must not be repeated blindly ended in a way that leaves open whether it took place
    Unclear,
}

/// What GitHub says with a refusal.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: serde_json::Value,
}

impl Error {
    /// A call that failed without an answer.
    pub(super) fn new(operation: &'static Operation, repo: &Repo, kind: Kind, said: &str) -> Error {
        let said = one_line(said).into();
        Error { operation, repo: repo.to_string().into(), kind, status: None, said, request_id: None }
    }

    /// A call that was answered, but not with success.
    pub(super) fn refused(
        operation: &'static Operation,
        repo: &Repo,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Error {
        let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
        let errors = complaints(&refusal.errors);
        let said = match (&*refusal.message, errors.is_empty()) {
            ("", _) => status.canonical_reason().unwrap_or("nothing more").to_owned(),
            (message, true) => message.to_owned(),
            (message, false) => format!("{message}: {}", errors.join(", ")),
        };
        let kind = kind(status, headers, &refusal.message, errors, now);
        Error::new(operation, repo, kind, &said).answered(status, headers)
    }

    /// With what the answer said about itself.
    pub(super) fn answered(mut self, status: StatusCode, headers: &HeaderMap) -> Error {
        self.status = Some(status);
        self.request_id = text(headers, "x-github-request-id").map(|id| one_line(id).into());
        self
    }

    /// With another kind.
    pub(super) fn of_kind(mut self, kind: Kind) -> Error {
        self.kind = kind;
        self
    }

    /// What a caller can do about it.
    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The same, for keeps.
    #[cfg(test)]
    pub(super) fn into_kind(self) -> Kind {
        self.kind
    }

    /// What GitHub said, on one line.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// Whether the same call may succeed a little later, and may be made again without harm.
    pub(super) fn may_pass(&self) -> bool {
        match self.kind {
            Kind::RateLimited { .. } | Kind::Unreachable => true,
            Kind::Network | Kind::Server | Kind::TimedOut | Kind::Unreadable => !self.is_unclear(),
            _ => false,
        }
    }

    /// The last word: a write that may have taken place is said to be unclear.
    pub(super) fn settled(self) -> Error {
        if self.is_unclear() { self.of_kind(Kind::Unclear) } else { self }
    }

    fn is_unclear(&self) -> bool {
        self.operation.effect == Effect::Write(Repeat::AfterLookup)
            && matches!(self.kind, Kind::Network | Kind::Server | Kind::TimedOut | Kind::Unreadable)
    }

    /// What happened, without the next move.
    pub(crate) fn what(&self) -> String {
        let Error { operation, repo, kind, status, said, request_id } = self;
        let start = format!("cannot {} in {repo}", operation.name);
        let id = request_id.as_deref().map(|id| format!(" (request {id})")).unwrap_or_default();
        let answer =
            status.map_or_else(String::new, |status| format!("GitHub answered {}: ", status.as_u16()));
        match kind {
            Kind::Unclear => format!("{start}: {answer}{said}{id}, which leaves open whether it was done"),
            _ => format!("{start}: {answer}{said}{id}"),
        }
    }

    /// The next move.
    pub(crate) fn help(&self) -> String {
        let Error { operation, repo, kind, .. } = self;
        match kind {
            Kind::NoToken => format!(
                "give a token with `{}` on {repo}: `gitops-token`, `repo-tokens` or a GitHub App",
                operation.permission
            ),
            Kind::Unauthorized if operation.is_of_app() => {
                "check that `app-private-key` is a key of the App that `app-id` names".to_owned()
            }
            Kind::Unauthorized => {
                format!("check that the token for {repo} is the right one and has not ended")
            }
            Kind::Forbidden { accepted: None } => {
                format!("grant the token `{}` on {repo}", operation.permission)
            }
            Kind::Forbidden { accepted: Some(accepted) } => {
                format!("grant the token `{}` on {repo} (GitHub names: {accepted})", operation.permission)
            }
            Kind::NotFound => {
                format!("check that it exists and that the token for {repo} has `{}`", operation.permission)
            }
            Kind::Gone => format!("turn it on in the settings of {repo}"),
            Kind::Invalid { .. } => "put right what GitHub names, then run again".to_owned(),
            Kind::RateLimited { until } => format!("run again after {}", point_in_time(*until)),
            Kind::Unreachable => {
                "check the network, the proxies and GITHUB_API_URL, then run again".to_owned()
            }
            Kind::Unreadable | Kind::Redirected => {
                "check that GITHUB_API_URL and GITHUB_GRAPHQL_URL lead to GitHub, then run again".to_owned()
            }
            Kind::Conflict | Kind::TimedOut | Kind::Server | Kind::Network | Kind::Unclear => {
                "run again: what is done already is not repeated".to_owned()
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what(), self.help())
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let failure = Failure::world(anyhow::anyhow!(error.what()), error.help());
        match error.kind {
            Kind::RateLimited { until } => failure.passing_at(until),
            Kind::TimedOut | Kind::Server | Kind::Unreachable | Kind::Network | Kind::Unreadable => {
                failure.passing()
            }
            Kind::NoToken
            | Kind::Unauthorized
            | Kind::Forbidden { .. }
            | Kind::NotFound
            | Kind::Gone
            | Kind::Conflict
            | Kind::Invalid { .. }
            | Kind::Redirected
            | Kind::Unclear => failure,
        }
    }
}

/// A header's text.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// When GitHub takes requests again, as its headers say.
pub(super) fn until(headers: &HeaderMap, now: SystemTime) -> SystemTime {
    let number = |name| text(headers, name)?.trim().parse::<u64>().ok();
    let after = number("retry-after").and_then(|seconds| now.checked_add(Duration::from_secs(seconds)));
    // One second more: the reset is given in whole seconds.
    let reset = number("x-ratelimit-reset")
        .filter(|_| is_used_up(headers))
        .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.checked_add(1)?)));
    after.or(reset).unwrap_or(now + SLOW_DOWN)
}

fn kind(
    status: StatusCode,
    headers: &HeaderMap,
    message: &str,
    errors: Vec<String>,
    now: SystemTime,
) -> Kind {
    let message = message.to_lowercase();
    let limited = is_used_up(headers)
        || headers.contains_key("retry-after")
        || message.contains("rate limit")
        || message.contains("abuse detection");
    match status.as_u16() {
        401 => Kind::Unauthorized,
        429 => Kind::RateLimited { until: until(headers, now) },
        403 if limited => Kind::RateLimited { until: until(headers, now) },
        403 => {
            let accepted = text(headers, "x-accepted-github-permissions").map(one_line);
            Kind::Forbidden { accepted: accepted.filter(|accepted| !accepted.is_empty()) }
        }
        404 => Kind::NotFound,
        // GitHub answers 422 "Sorry, your request timed out", which is not permanent.
        422 if message.contains("timed out") => Kind::TimedOut,
        408 | 502 | 504 => Kind::TimedOut,
        409 => Kind::Conflict,
        410 => Kind::Gone,
        400..=499 => Kind::Invalid { errors },
        500.. => Kind::Server,
        _ => Kind::Unreadable,
    }
}

fn is_used_up(headers: &HeaderMap) -> bool {
    text(headers, "x-ratelimit-remaining") == Some("0")
}

/// GitHub lists either texts or objects, and says "field: code" where it has no message.
fn complaints(errors: &serde_json::Value) -> Vec<String> {
    let one = |error: &serde_json::Value| {
        let part = |name: &str| error.get(name).and_then(|part| part.as_str());
        let named =
            || ["resource", "field", "code"].into_iter().filter_map(part).collect::<Vec<_>>().join(" ");
        one_line(&error.as_str().or(part("message")).map_or_else(named, str::to_owned))
    };
    let listed = errors.as_array().map_or(&[][..], Vec::as_slice);
    listed.iter().take(MAX_ERRORS).map(one).filter(|error| !error.is_empty()).collect()
}

fn point_in_time(time: SystemTime) -> String {
    match jiff::Timestamp::try_from(time) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => "a very long time".to_owned(),
    }
}
