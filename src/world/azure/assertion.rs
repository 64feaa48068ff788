//! GitHub's identity token, which Microsoft Entra takes in place of a secret.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{AUTHORIZATION, HeaderName};
use azure_core::http::{ClientMethodOptions, HttpClient, Method, Request};
use azure_identity::ClientAssertion;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::secrets::Secrets;
use crate::world::said::one_line;
use crate::world::tokens::Token;

const ACCEPT: HeaderName = HeaderName::from_static("accept");

/// Where GitHub gives out identity tokens to this job.
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    /// `ACTIONS_ID_TOKEN_REQUEST_URL`
    pub(super) url: Url,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`
    pub(super) token: Token,
}

/// Asks for a new identity token each time: they live five minutes.
#[derive(Debug)]
pub(super) struct Assertion {
    pub(super) issuer: Issuer,
    pub(super) audience: String,
    pub(super) transport: Arc<dyn HttpClient>,
    pub(super) secrets: Arc<Secrets>,
    /// What the last one claimed, for those that have to set up what trusts it
    pub(super) claims: Arc<Mutex<Option<Claims>>>,
}

/// What an identity token says of this job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    issuer: String,
    subject: String,
    audience: String,
}

/// Why GitHub gave none.
#[derive(Debug)]
pub(super) struct NoAssertion {
    pub(super) said: String,
    pub(super) may_pass: bool,
}

#[derive(Deserialize)]
struct Answer {
    value: Token,
}

#[async_trait]
impl ClientAssertion for Assertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let mut url = self.issuer.url.clone();
        url.query_pairs_mut().append_pair("audience", &self.audience);
        let mut request = Request::new(url, Method::Get);
        request.insert_header(AUTHORIZATION, format!("Bearer {}", self.issuer.token.expose()));
        request.insert_header(ACCEPT, "application/json");
        let response = self.transport.execute_request(&request).await?.try_into_raw_response().await?;
        let status = u16::from(response.status());
        if !response.status().is_success() {
            let said = self.secrets.hide(&String::from_utf8_lossy(response.body()));
            let said =
                format!("GitHub answered {status} to the request for an identity token: {}", one_line(&said));
            return Err(NoAssertion { said, may_pass: status >= 500 || matches!(status, 408 | 429) }.into());
        }
        let answer: Answer = serde_json::from_slice(response.body()).map_err(|_| NoAssertion {
            said: "GitHub's answer to the request for an identity token cannot be read".to_owned(),
            may_pass: true,
        })?;
        self.secrets.learn(&answer.value);
        *self.claims.lock().unwrap_or_else(PoisonError::into_inner) = Claims::of(answer.value.expose());
        Ok(answer.value.expose().to_owned())
    }
}

impl Claims {
    /// What a token says, which only its receiver can verify.
    fn of(token: &str) -> Option<Claims> {
        let payload = token.split('.').nth(1)?;
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        let claim = |name| match claims.get(name) {
            Some(Value::Array(values)) => values.first().and_then(Value::as_str).map(one_line),
            value => value.and_then(Value::as_str).map(one_line),
        };
        Some(Claims { issuer: claim("iss")?, subject: claim("sub")?, audience: claim("aud")? })
    }
}

impl fmt::Display for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Claims { issuer, subject, audience } = self;
        write!(f, "issuer {issuer}, subject {subject}, audience {audience}")
    }
}

impl fmt::Display for NoAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for NoAssertion {}

impl From<NoAssertion> for azure_core::Error {
    fn from(none: NoAssertion) -> azure_core::Error {
        azure_core::Error::new(ErrorKind::Credential, none)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::credential::SignIn;
    use super::super::fake::{Script, answer, page, read, refusal, rows, token};
    use super::*;
    use crate::world::github::Announce;
    use crate::world::github::fake::{CANARY, FakeClock};

    #[test]
    fn claims() {
        let token = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        let all = |aud: Value| {
            json!({ "iss": "https://i", "sub": "repo:o/r:environment:dev", "aud": aud }).to_string()
        };
        let want = "issuer https://i, subject repo:o/r:environment:dev, audience api://a";
        for (token, want, why) in [
            (token(&all(json!("api://a"))), Some(want), "one audience"),
            (token(&all(json!(["api://a", "api://b"]))), Some(want), "a list"),
            (token(&all(json!(7))), None, "a number"),
            (token("{}"), None, "nothing claimed"),
            (token("no JSON"), None, "no JSON"),
            ("e30.!!.c2ln".to_owned(), None, "no base64"),
            ("opaque".to_owned(), None, "no such token"),
        ] {
            let got = Claims::of(&token).map(|claims| claims.to_string());
            assert_eq!(got.as_deref(), want, "{why}");
        }
    }

    #[test]
    fn github_vouches_for_the_job() {
        let claims = json!({ "iss": "https://i", "sub": "repo:o/r:environment:dev", "aud": "api://AzureADTokenExchange" });
        // Long enough that what is said of it is cut.
        let assertion = format!("e30.{}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()), CANARY.repeat(30));
        let given =
            SignIn { tenant_id: Some("t".to_owned()), client_id: Some("c".to_owned()), credentials: None };
        let request = format!("{CANARY}-request");
        let variables = [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://i/token?v=2"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &request),
        ];
        let vouched = || answer(200, &json!({ "value": assertion }));
        let denied = |code: u64| {
            let description = format!("AADSTS{code}: '{assertion}' not found. Trace ID: 1");
            answer(401, &json!({ "error": "x", "error_codes": [code], "error_description": description }))
        };
        let good = || page(&rows(&["a"]), 1, None);
        for (answers, want, help, why) in [
            (vec![vouched(), token(1), good()], None, "", "good"),
            (
                vec![vouched(), token(1), refusal(401, "x"), vouched(), token(2), good()],
                None,
                "",
                "each access token takes a new assertion",
            ),
            (vec![vouched(), denied(700_024), vouched(), token(1), good()], None, "", "it came too late"),
            (vec![answer(500, &json!({})), vouched(), token(1), good()], None, "", "GitHub fails at first"),
            (
                vec![vouched(), denied(700_213)],
                Some(
                    "cannot sign in to Azure with GitHub's identity token: Microsoft Entra answered 401: AADSTS700213: '***' not found.",
                ),
                "issuer https://i, subject repo:o/r:environment:dev, audience api://AzureADTokenExchange",
                "nobody trusts it",
            ),
            (vec![vouched(), denied(90_002)], Some("AADSTS90002"), "azure-tenant-id", "no such tenant"),
            (
                vec![vouched(), denied(700_016)],
                Some("AADSTS700016"),
                "azure-client-id",
                "no such application",
            ),
            (
                vec![answer(403, &json!({ "message": request }))],
                Some("GitHub answered 403 to the request for an identity token: {\"message\":\"***"),
                "`id-token: write`",
                "GitHub refuses",
            ),
        ] {
            let script = Script::new(answers);
            let announced = Arc::new(Mutex::new(Vec::new()));
            let sink = announced.clone();
            let announce: Announce =
                Arc::new(move |token: &Token| sink.lock().unwrap().push(token.expose().to_owned()));
            let mut azure = script.azure_with(&FakeClock::new(), &[], &given, &variables, announce);
            let got = read(&mut azure);
            let shown = format!("{azure:?} {got:?}");
            assert!(!shown.contains(CANARY), "{why}: {shown}");
            match (got, want) {
                (Ok(got), None) => assert_eq!(got, [["a"]], "{why}"),
                (Err(error), Some(want)) => {
                    assert!(error.what().contains(want), "{why}: {}", error.what());
                    assert!(error.help().contains(help), "{why}: {}", error.help());
                    assert!(!error.may_pass(), "{why}");
                }
                (got, _) => panic!("{why}: {got:?}"),
            }
            let seen = script.seen();
            assert_eq!(
                seen[0].line, "GET https://i/token?v=2&audience=api%3A%2F%2FAzureADTokenExchange",
                "{why}"
            );
            assert_eq!(seen[0].token.as_deref(), Some("Bearer canary-4711-request"), "{why}");
            let known = announced.lock().unwrap().clone();
            for seen in seen.iter().filter(|seen| seen.line.contains("/oauth2/")) {
                assert!(seen.body.contains(&*assertion) && known.contains(&assertion), "{why}");
            }
            for seen in seen.iter().filter_map(|seen| seen.token.as_deref()) {
                assert!(known.iter().any(|token| seen == format!("Bearer {token}")), "{why}");
            }
            let mut once = known.clone();
            once.dedup();
            assert_eq!(once, known, "{why}: each is announced once");
        }
    }
}
