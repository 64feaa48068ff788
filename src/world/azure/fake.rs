//! Azure as a list of answers.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{AUTHORIZATION, HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request, StatusCode};
use rollout::Observation;
use serde_json::{Value, json};

use super::cloud::{Cloud, Overrides};
use super::credential::{SignIn, ways};
use super::{Announce, Azure, Error, Filter, Rows};
use crate::world::github::fake::{CANARY, FakeClock};
use crate::world::tokens::Token;

/// Gives one answer after the other, and none after the last.
#[derive(Default)]
pub(super) struct Script {
    answers: Mutex<VecDeque<Answer>>,
    seen: Mutex<Vec<Seen>>,
}

/// An answer; nothing: the connection breaks.
pub(super) type Answer = Option<(u16, Vec<(&'static str, String)>, String)>;

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Method and URL
    pub(super) line: String,
    /// The access token that came with it
    pub(super) token: Option<String>,
    pub(super) body: String,
}

impl Script {
    pub(super) fn new(answers: Vec<Answer>) -> Arc<Script> {
        Arc::new(Script { answers: Mutex::new(answers.into()), seen: Mutex::default() })
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The requests but for those for tokens.
    pub(super) fn calls(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !seen.line.contains("/oauth2/")).collect()
    }

    /// A client that signs in with a secret.
    pub(super) fn azure(self: &Arc<Script>, clock: &Arc<FakeClock>, subscriptions: &[&str]) -> Azure {
        let principal = format!(r#"{{"clientId":"c","clientSecret":"{CANARY}","tenantId":"t"}}"#);
        let given = SignIn { credentials: Some(Token::secret(&principal)), ..SignIn::default() };
        self.azure_with(clock, subscriptions, &given, &[], Arc::new(|_| {}))
    }

    pub(super) fn azure_with(
        self: &Arc<Script>,
        clock: &Arc<FakeClock>,
        subscriptions: &[&str],
        given: &SignIn,
        variables: &[(&str, &str)],
        announce: Announce,
    ) -> Azure {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let ways = ways(given, variable).unwrap();
        let place = Cloud::Public.place(Overrides::default()).unwrap();
        let subscriptions = subscriptions.iter().map(|id| (*id).to_owned()).collect();
        Azure::over(self.clone(), ways, place, subscriptions, clock.clone(), announce).unwrap()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

#[async_trait]
impl HttpClient for Script {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let Body::Bytes(body) = request.body() else { panic!("a stream") };
        self.seen.lock().unwrap().push(Seen {
            line: format!("{} {}", request.method(), request.url()),
            token: request.headers().get_optional_str(&AUTHORIZATION).map(str::to_owned),
            body: String::from_utf8(body.to_vec()).unwrap(),
        });
        let Some((status, named, body)) = self.answers.lock().unwrap().pop_front().flatten() else {
            return Err(azure_core::Error::with_message(ErrorKind::Io, "the connection broke"));
        };
        let mut headers = Headers::new();
        for (name, value) in named {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
        Ok(AsyncRawResponse::from_bytes(StatusCode::from(status), headers, body))
    }
}

/// An answer with a body alone.
pub(super) fn answer(status: u16, body: &Value) -> Answer {
    Some((status, Vec::new(), body.to_string()))
}

/// An access token, the `number`th.
pub(super) fn token(number: usize) -> Answer {
    answer(
        200,
        &json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": format!("{CANARY}-{number}") }),
    )
}

/// A page of Resource Graph.
pub(super) fn page(rows: &[Value], total: usize, skip: Option<&str>) -> Answer {
    let mut page = json!({ "totalRecords": total, "count": rows.len(), "resultTruncated": "false", "data": rows, "facets": [] });
    if let Some(skip) = skip {
        page["$skipToken"] = json!(skip);
    }
    answer(200, &page)
}

/// What Azure says when it refuses.
pub(super) fn refusal(status: u16, code: &str) -> Answer {
    answer(status, &json!({ "error": { "code": code, "message": "because" } }))
}

pub(super) fn filter() -> Filter {
    Filter::new("https://github.com/contoso/gitops")
}

pub(super) fn id(name: &str) -> String {
    format!(
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/{name}\
         /providers/Microsoft.KubernetesConfiguration/fluxConfigurations/gitops"
    )
}

pub(super) fn rows(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({ "id": id(name), "connectivityStatus": "Connected" })).collect()
}

pub(super) fn with(answer: Answer, name: &'static str, value: &str) -> Answer {
    answer.map(|(status, mut headers, body)| {
        headers.push((name, value.to_owned()));
        (status, headers, body)
    })
}

pub(super) fn quota_used_up(answer: Answer, resets_after: &str) -> Answer {
    let last = with(answer, "x-ms-user-quota-remaining", "0");
    with(last, "x-ms-user-quota-resets-after", resets_after)
}

pub(super) fn slept(clock: &FakeClock) -> u64 {
    clock.slept().iter().sum::<Duration>().as_secs()
}

/// Reads all rows: their clusters, page by page.
pub(super) fn read(azure: &mut Azure) -> Result<Vec<Vec<String>>, Error> {
    let mut pages = Vec::new();
    let names = |rows: Vec<Observation>| rows.into_iter().map(|row| row.cluster.name).collect();
    azure.rows(&filter(), Rows::All, |rows| pages.push(names(rows)))?;
    Ok(pages)
}
