//! One call: sent, repeated where that does no harm, and read.

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::blocking::Response;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LINK, LOCATION};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::error::{Error, Kind, until};
use super::operation::{Effect, Operation};
use super::repo::Repo;
use crate::world::clock::Clock;
use crate::world::http::Http;
use crate::world::said::root;
use crate::world::tokens::Token;

/// An answer may have so many bytes.
const MAX_ANSWER: u64 = 64 << 20;

/// GitHub redirects what belongs to a repository that was renamed.
const MAX_REDIRECTS: usize = 3;

/// After so many writes they are spread: with a pause before each further one, a minute never has the 80 that GitHub
/// takes.
const FREE_WRITES: u64 = 45;

/// Most failures pass at once: the first pause is short, and each further one four times as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGER: f32 = 4.0;

/// The time from one write to the next when there are many.
const PACE: Duration = Duration::from_secs(2);

/// Makes calls to GitHub's API, for all repositories.
///
/// Reads and writes that are the same twice as once are repeated on network errors, failures of the server and
/// broken answers; the others only when GitHub clearly refused them for the time being. Beyond the first 45
/// writes of a run there are at least two seconds between two.
#[derive(Debug)]
pub(crate) struct Client {
    http: Http,
    clock: Arc<dyn Clock>,
    patience: Patience,
    pace: Mutex<Pace>,
}

/// How long a call is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Requests for one call, at least one
    pub(crate) tries: usize,
    /// Time to wait between them, in total
    pub(crate) waiting: Duration,
}

/// A call to be made.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) operation: &'static Operation,
    pub(super) repo: &'a Repo,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Option<Value>,
    pub(super) token: Option<Token>,
    pub(super) style: Style,
    pub(super) on_timeout: OnTimeout,
}

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// The status says whether it went well
    Rest,
    /// The body says so
    GraphQl,
}

/// What is done when a call takes GitHub too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnTimeout {
    /// The same again
    Repeat,
    /// Nothing: the caller asks for less at a time
    Tell,
}

/// A good answer.
#[derive(Debug)]
pub(super) struct Reply<T> {
    pub(super) value: T,
    /// Where the list goes on
    pub(super) next: Option<Url>,
}

#[derive(Debug, Default)]
struct Pace {
    writes: u64,
    last: Option<SystemTime>,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { tries: 4, waiting: Duration::from_secs(300) }
    }
}

impl Client {
    /// Nothing is asked yet.
    pub(crate) fn new(http: Http, clock: Arc<dyn Clock>, patience: Patience) -> Client {
        Client { http, clock, patience, pace: Mutex::default() }
    }

    /// Now.
    pub(super) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Makes a call, as often as it takes and may be done.
    pub(super) fn call<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<Reply<T>, Error> {
        let mut pauses = ExponentialBuilder::new()
            .with_min_delay(FIRST_PAUSE)
            .with_factor(LONGER)
            .with_jitter()
            .with_max_times(self.patience.tries.saturating_sub(1))
            .build();
        let mut left = self.patience.waiting;
        loop {
            let error = match self.attempt(call) {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let told = call.on_timeout == OnTimeout::Tell && *error.kind() == Kind::TimedOut;
            let pause = pauses.next().filter(|_| error.may_pass() && !told);
            let pause = match (pause, error.kind()) {
                (Some(pause), Kind::RateLimited { until }) => {
                    Some(pause.max(until.duration_since(self.now()).unwrap_or_default()))
                }
                (pause, _) => pause,
            };
            let Some(pause) = pause.filter(|pause| *pause <= left) else { return Err(error.settled()) };
            left -= pause;
            self.clock.sleep(pause, &error.what());
        }
    }

    fn attempt<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<Reply<T>, Error> {
        if let Effect::Write(_) = call.operation.effect {
            self.keep_pace();
        }
        let mut url = call.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(call, &url)?;
            let Some(to) = redirect(&response) else { return self.read(call, response) };
            // The token belongs to this server, and so does what is asked of it.
            if to.origin() != url.origin() {
                let said = format!("it redirects to another server, {}", to.origin().ascii_serialization());
                let error = Error::new(call.operation, call.repo, Kind::Redirected, &said);
                return Err(error.answered(response.status(), response.headers()));
            }
            url = to;
        }
        Err(Error::new(call.operation, call.repo, Kind::Redirected, "it redirects in a circle"))
    }

    fn send(&self, call: &Call<'_>, url: &Url) -> Result<Response, Error> {
        let mut request = self
            .http
            .request(call.method.clone(), url.clone())
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28");
        if let Some(token) = &call.token {
            request = request.header(AUTHORIZATION, bearer(token, call)?);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        request.send().map_err(|error| {
            let host = url.host_str().unwrap_or("the server");
            let (kind, said) = match () {
                () if error.is_connect() => (Kind::Unreachable, format!("{host} cannot be reached")),
                () if error.is_timeout() => (Kind::TimedOut, format!("no answer from {host} in time")),
                () => (Kind::Network, format!("the connection to {host} broke")),
            };
            Error::new(call.operation, call.repo, kind, &format!("{said}: {}", root(&error)))
        })
    }

    fn read<T: DeserializeOwned>(&self, call: &Call<'_>, response: Response) -> Result<Reply<T>, Error> {
        let (status, headers, url) = (response.status(), response.headers().clone(), response.url().clone());
        let failed =
            |kind, said: &str| Error::new(call.operation, call.repo, kind, said).answered(status, &headers);
        let mut body = Vec::new();
        response
            .take(MAX_ANSWER)
            .read_to_end(&mut body)
            .map_err(|error| failed(Kind::Unreadable, &format!("the answer broke off: {}", root(&error))))?;
        if !status.is_success() {
            let body = call.without_token(body);
            return Err(Error::refused(call.operation, call.repo, status, &headers, &body, self.now()));
        }
        // An empty body is what a success without an answer looks like.
        let body: &[u8] = if body.is_empty() && status == StatusCode::NO_CONTENT { b"null" } else { &body };
        let value = match call.style {
            Style::Rest => serde_json::from_slice(body),
            Style::GraphQl => match super::graphql::data(body) {
                Ok(Ok(data)) => serde_json::from_value(data),
                Ok(Err(refused)) => {
                    let kind = refused.kind(until(&headers, self.now()));
                    return Err(failed(kind, &refused.said()));
                }
                Err(error) => Err(error),
            },
        };
        // The parser's own words would repeat parts of the answer, which may be a secret.
        let value = value.map_err(|error| {
            let said = format!(
                "the answer is not what it should be, at line {}, column {}",
                error.line(),
                error.column()
            );
            failed(Kind::Unreadable, &said)
        })?;
        Ok(Reply { value, next: next_page(&headers, &url) })
    }

    /// Waits until a further write may be sent. Whoever waits holds the lock, so that they go one by one.
    fn keep_pace(&self) {
        let mut pace = self.pace();
        pace.writes += 1;
        if pace.writes > FREE_WRITES {
            let passed = pace.last.and_then(|last| self.now().duration_since(last).ok()).unwrap_or_default();
            let pause = PACE.saturating_sub(passed);
            if !pause.is_zero() {
                self.clock.sleep(pause, "GitHub takes 80 writes a minute");
            }
        }
        pace.last = Some(self.now());
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bearer(token: &Token, call: &Call<'_>) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
        let said = "its token holds characters that cannot be sent";
        Error::new(call.operation, call.repo, Kind::NoToken, said)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

impl Call<'_> {
    /// Without the token: what stands between us and GitHub may repeat what it was sent.
    fn without_token(&self, said: Vec<u8>) -> Vec<u8> {
        match &self.token {
            Some(token) => String::from_utf8_lossy(&said).replace(token.expose(), "***").into_bytes(),
            None => said,
        }
    }
}

/// Where a redirect leads; GitHub asks for the same request there, whatever its method.
fn redirect(response: &Response) -> Option<Url> {
    matches!(response.status().as_u16(), 301 | 302 | 307 | 308)
        .then(|| response.url().join(response.headers().get(LOCATION)?.to_str().ok()?).ok())?
}

/// The `rel="next"` of a `Link` header, if it stays on the server.
fn next_page(headers: &HeaderMap, url: &Url) -> Option<Url> {
    let links = headers.get(LINK)?.to_str().ok()?;
    let next = links.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        parameters.split(';').any(|parameter| parameter.trim() == r#"rel="next""#).then_some(target)
    })?;
    url.join(next).ok().filter(|next| next.origin() == url.origin())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fake::{CANARY, FakeClock, START, Server, answer, half, repo};
    use super::super::{Entry, NewIssue, Oid};
    use super::*;

    const REPOSITORY: &str = r#"{"node_id":"R_1","full_name":"contoso/gitops","html_url":"https://x/contoso/gitops",
        "default_branch":"main","has_issues":true,"more":[1,2]}"#;
    const ISSUE: &str = r#"{"number":7,"title":"t","body":null,"state":"open","html_url":"https://x/7"}"#;

    fn limited(reset: u64) -> String {
        let reset = (START + reset).to_string();
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset)];
        answer(403, &headers, r#"{"message":"API rate limit exceeded for installation ID 1."}"#)
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(START + seconds)
    }

    #[test]
    fn reads_are_repeated_when_that_may_help() {
        let good = || answer(200, &[], REPOSITORY);
        let message = |status, message: &str| answer(status, &[], &json!({ "message": message }).to_string());
        let slow = || message(403, "You have exceeded a secondary rate limit.");
        let refused = |status| vec![message(status, "no")];
        for (answers, want, requests, slept, why) in [
            (vec![good()], None, 1, 0, "at once"),
            (vec![answer(500, &[], ""), good()], None, 2, 0, "a failure of the server"),
            (vec![message(502, "bad gateway"), good()], None, 2, 0, "a gateway's failure"),
            (vec![message(422, "Sorry, your request timed out."), good()], None, 2, 0, "it was too slow"),
            (vec![half(REPOSITORY), good()], None, 2, 0, "half a body"),
            (vec![answer(200, &[], "<html>"), good()], None, 2, 0, "no JSON"),
            (vec![answer(200, &[], ""), good()], None, 2, 0, "nothing"),
            (vec![answer(200, &[], "{}"), good()], None, 2, 0, "another object"),
            (vec![String::new(), good()], None, 2, 0, "a connection that breaks"),
            (vec![answer(429, &[("retry-after", "7")], "{}"), good()], None, 2, 7, "asked to wait"),
            (
                vec![answer(403, &[("retry-after", "9")], "{}"), good()],
                None,
                2,
                9,
                "asked to wait, the other way",
            ),
            (vec![slow(), good()], None, 2, 60, "asked to slow down, no time given"),
            (vec![limited(120), good()], None, 2, 121, "the hour's requests are used up for a short time"),
            (vec![limited(3600)], Some(Kind::RateLimited { until: at(3601) }), 1, 0, "for a long time"),
            (vec![slow(); 4], Some(Kind::RateLimited { until: at(60 * 4) }), 4, 180, "for ever"),
            (vec![answer(503, &[], ""); 4], Some(Kind::Server), 4, 5, "the server does not recover"),
            (vec![], Some(Kind::Unreachable), 0, 5, "nobody listens"),
            (refused(401), Some(Kind::Unauthorized), 1, 0, "a wrong token"),
            (refused(403), Some(Kind::Forbidden { accepted: None }), 1, 0, "a missing permission"),
            (refused(404), Some(Kind::NotFound), 1, 0, "nothing there"),
            (refused(409), Some(Kind::Conflict), 1, 0, "a conflict"),
            (refused(410), Some(Kind::Gone), 1, 0, "turned off"),
            (refused(422), Some(Kind::Invalid { errors: vec![] }), 1, 0, "invalid"),
        ] {
            let (server, clock) = (Server::new(answers), FakeClock::new());
            let got = server.github(&clock).repository(&repo());
            assert_eq!(server.seen().len(), requests, "{why}");
            let total = clock.slept().iter().sum::<Duration>().as_secs();
            // The pauses that nobody asked for vary: up to twice as long.
            assert!((slept..=slept * 2).contains(&total), "{why}: {total}");
            match (got, want) {
                (Ok(got), None) => assert_eq!(got.node_id, "R_1", "{why}"),
                // It was asked again after a pause of unknown length.
                (Err(error), Some(Kind::RateLimited { .. })) if requests > 1 => {
                    assert!(matches!(error.kind(), Kind::RateLimited { .. }), "{why}: {error}");
                }
                (Err(error), Some(want)) => assert_eq!(*error.kind(), want, "{why}: {error}"),
                (got, want) => panic!("{why}: {got:?} but {want:?}"),
            }
        }
    }

    #[test]
    fn writes_that_would_be_doubled_are_not_repeated_blindly() {
        let good = || answer(201, &[], ISSUE);
        for (answers, want, requests, why) in [
            (vec![good()], None, 1, "at once"),
            (vec![String::new()], Some(Kind::Unclear), 1, "the answer is lost"),
            (vec![half(ISSUE)], Some(Kind::Unclear), 1, "half a body"),
            (vec![answer(500, &[], "")], Some(Kind::Unclear), 1, "a failure of the server"),
            (vec![answer(502, &[], "")], Some(Kind::Unclear), 1, "a gateway's failure"),
            (vec![answer(201, &[], "{}")], Some(Kind::Unclear), 1, "another object"),
            (vec![answer(429, &[("retry-after", "1")], ""), good()], None, 2, "clearly refused for now"),
            (vec![], Some(Kind::Unreachable), 0, "nothing was sent"),
            (
                vec![answer(410, &[], r#"{"message":"Issues are disabled"}"#)],
                Some(Kind::Gone),
                1,
                "turned off",
            ),
        ] {
            let (server, clock) = (Server::new(answers), FakeClock::new());
            let issue = NewIssue { title: "t", body: "b", labels: &["kalypso"] };
            let got = server.github(&clock).create_issue(&repo(), &issue);
            assert_eq!(server.seen().len(), requests, "{why}");
            assert_eq!(got.err().map(Error::into_kind), want, "{why}");
        }
    }

    #[test]
    fn trees_that_take_too_long_are_said_at_once() {
        let (blob, tree) = (Oid::new(&"a".repeat(40)).unwrap(), Oid::new(&"b".repeat(40)).unwrap());
        let entry = |path| Entry::Blob { path, mode: fleet::Mode::File, id: &blob };
        let (one, two) = ([entry("a")], [entry("a"), entry("b")]);
        let good = || answer(201, &[], &json!({ "sha": tree }).to_string());
        let slow = || answer(422, &[], r#"{"message":"Sorry, your request timed out. Try a smaller one."}"#);
        for (entries, answers, want, why) in [
            (&two[..], vec![good()], Ok(()), "at once"),
            (&two[..], vec![answer(502, &[], "")], Err(Kind::TimedOut), "a gateway gave up"),
            (&two[..], vec![answer(504, &[], "")], Err(Kind::TimedOut), "another one"),
            (&two[..], vec![slow()], Err(Kind::TimedOut), "GitHub gave up"),
            (&two[..], vec![answer(500, &[], ""), good()], Ok(()), "a failure is not about size"),
            (&one[..], vec![slow(), good()], Ok(()), "one cannot be halved"),
        ] {
            let (server, clock, requests) = (Server::new(answers.clone()), FakeClock::new(), answers.len());
            let got = server.github(&clock).create_tree(&repo(), Some(&tree), entries);
            assert_eq!(got.map(|_| ()).map_err(Error::into_kind), want, "{why}");
            assert_eq!(server.seen().len(), requests, "{why}");
        }
    }

    #[test]
    fn redirects_are_followed_on_the_same_server_only() {
        let to = |url: &str| answer(307, &[("location", url)], "");
        let server = Server::new(vec![to("/api/v3/repositories/1/issues"), answer(201, &[], ISSUE)]);
        let github = server.github(&FakeClock::new());
        github.create_issue(&repo(), &NewIssue { title: "t", body: "b", labels: &[] }).unwrap();
        let seen = server.seen();
        assert_eq!(seen[0].line, "POST /api/v3/repos/contoso/gitops/issues");
        assert_eq!(seen[1].line, "POST /api/v3/repositories/1/issues");
        assert_eq!(seen[0].body, seen[1].body);
        assert!(seen[1].head.contains(CANARY));

        let other = Server::new(vec![answer(200, &[], REPOSITORY)]);
        for target in [other.url.join("/api/v3/repos/contoso/gitops").unwrap().as_str(), "//localhost:1/x"] {
            let server = Server::new(vec![to(target)]);
            let error = server.github(&FakeClock::new()).repository(&repo()).unwrap_err();
            assert_eq!(*error.kind(), Kind::Redirected, "{target}");
        }
        assert!(other.seen().is_empty());

        let circle = Server::new(vec![to("/api/v3/again"); 4]);
        let error = circle.github(&FakeClock::new()).repository(&repo()).unwrap_err();
        assert_eq!(*error.kind(), Kind::Redirected);
    }

    #[test]
    fn lists_are_read_to_their_end() {
        let page = |from: u64| {
            let issues = (from..from + 2).map(|number| {
                let mut issue: Value = serde_json::from_str(ISSUE).unwrap();
                issue["number"] = number.into();
                if number == 3 {
                    issue["pull_request"] = json!({ "url": "x" });
                }
                issue
            });
            json!(issues.collect::<Vec<_>>()).to_string()
        };
        let server = Server::knowing_itself(|url| {
            let link = format!(r#"<{url}api/v3/first>; rel="prev", <{url}api/v3/more?page=2>; rel="next""#);
            let away = r#"<https://evil.com/more>; rel="next""#;
            vec![answer(200, &[("link", &link)], &page(1)), answer(200, &[("link", away)], &page(3))]
        });
        let found = server.github(&FakeClock::new()).open_issues(&repo(), "kalypso").unwrap();
        let numbers: Vec<u64> = found.iter().map(|issue| issue.number).collect();
        assert_eq!(numbers, [1, 2, 4], "pull requests are no issues");
        let lines: Vec<String> = server.seen().into_iter().map(|seen| seen.line).collect();
        let first = "GET /api/v3/repos/contoso/gitops/issues?state=open&labels=kalypso&per_page=100";
        assert_eq!(lines, [first, "GET /api/v3/more?page=2"]);
    }

    #[test]
    fn many_writes_are_spread() {
        let good = answer(201, &[], &json!({ "sha": "a".repeat(40) }).to_string());
        let (server, clock) = (Server::new(vec![good; 49]), FakeClock::new());
        let github = server.github(&clock);
        for _ in 0..48 {
            github.create_blob(&repo(), b"x").unwrap();
        }
        assert_eq!(clock.slept(), [PACE; 3]);
        clock.pass(PACE / 4);
        github.create_blob(&repo(), b"x").unwrap();
        assert_eq!(clock.slept().last(), Some(&(PACE * 3 / 4)));
        assert_eq!(server.seen().len(), 49);
    }

    #[test]
    fn without_a_token_there_is_reading_only() {
        let server = Server::new(vec![answer(200, &[], REPOSITORY)]);
        let github = server.github_with(&FakeClock::new(), "");
        github.repository(&repo()).unwrap();
        let head = server.seen()[0].head.to_lowercase();
        assert!(!head.contains("authorization"), "{head}");
        assert!(
            head.contains("user-agent: kalypso/") && head.contains("x-github-api-version: 2022-11-28"),
            "{head}"
        );
        let error = github.create_blob(&repo(), b"x").unwrap_err();
        assert_eq!(*error.kind(), Kind::NoToken);
        assert_eq!(server.seen().len(), 1);
    }

    #[test]
    fn errors_say_what_where_and_the_next_move() {
        let ids = [("x-github-request-id", "A:1")];
        let accepted = [("x-accepted-github-permissions", "issues=write; pull_requests=write"), ids[0]];
        let hostile = "a\u{1b}[31m\r\n::error::b \u{202e}c";
        let invalid = json!({ "message": "Validation Failed", "errors": [
            { "resource": "Issue", "field": "title", "code": "missing_field" },
            { "code": "custom", "message": "body is too long" }, "odd", 3 ] });
        for (given, want) in [
            (
                answer(403, &ids, r#"{"message":"Resource not accessible by integration"}"#),
                "cannot create an issue in contoso/gitops: GitHub answered 403: Resource not accessible by \
                 integration (request A:1); grant the token `issues: write` on contoso/gitops",
            ),
            (
                answer(403, &accepted, "{}"),
                "cannot create an issue in contoso/gitops: GitHub answered 403: Forbidden (request A:1); grant the \
                 token `issues: write` on contoso/gitops (GitHub names: issues=write; pull_requests=write)",
            ),
            (
                answer(422, &[], &invalid.to_string()),
                "cannot create an issue in contoso/gitops: GitHub answered 422: Validation Failed: Issue title \
                 missing_field, body is too long, odd; put right what GitHub names, then run again",
            ),
            (
                answer(404, &[], &json!({ "message": hostile }).to_string()),
                "cannot create an issue in contoso/gitops: GitHub answered 404: a\\u{1b}[31m  ::error::b \
                 \\u{202e}c; check that it exists and that the token for contoso/gitops has `issues: write`",
            ),
            (
                limited(3600),
                "cannot create an issue in contoso/gitops: GitHub answered 403: API rate limit exceeded for \
                 installation ID 1.; run again after 2027-01-01 01:00:01 UTC",
            ),
            (
                answer(500, &ids, ""),
                "cannot create an issue in contoso/gitops: GitHub answered 500: Internal Server Error (request \
                 A:1), which leaves open whether it was done; run again: what is done already is not repeated",
            ),
        ] {
            let server = Server::new(vec![given]);
            let issue = NewIssue { title: "t", body: "b", labels: &[] };
            let error = server.github(&FakeClock::new()).create_issue(&repo(), &issue).unwrap_err();
            assert_eq!(error.to_string(), want);
            assert!(!format!("{error:?}").contains(CANARY));
        }
    }
}
