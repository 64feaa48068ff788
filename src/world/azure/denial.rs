//! What Microsoft Entra says when it lets nobody in.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, RawResponse, Request};
use serde::Deserialize;

use super::assertion::Claims;
use super::error::{Kind, until};

/// Turns every refusal into a [`Denial`]: the library's own reader gives up on texts with escapes in them.
#[derive(Debug)]
pub(super) struct Denials;

/// A refusal, with what it says.
#[derive(Debug)]
pub(super) struct Denial {
    pub(super) status: u16,
    /// What there is to say
    pub(super) said: String,
    codes: Vec<u64>,
    headers: Headers,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    error_codes: Vec<u64>,
    error_description: String,
}

#[async_trait]
impl Policy for Denials {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let [first, rest @ ..] = next else {
            return Err(azure_core::Error::with_message(ErrorKind::Other, "nothing sends the request"));
        };
        let response = first.send(context, request, rest).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let denial = Denial::of(&response.try_into_raw_response().await?);
        Err(azure_core::Error::new(ErrorKind::Credential, denial))
    }
}

impl Denial {
    fn of(response: &RawResponse) -> Denial {
        let answer: Answer = serde_json::from_slice(response.body()).unwrap_or_default();
        // What follows helps nobody but Microsoft.
        let said = answer.error_description.split("Trace ID:").next().unwrap_or_default().trim();
        let said = match said {
            "" => response.status().canonical_reason().into_owned(),
            said => said.to_owned(),
        };
        let headers = response.headers().clone();
        Denial { status: response.status().into(), said, codes: answer.error_codes, headers }
    }

    /// What can be done about it; what is wrong has a number.
    pub(super) fn kind(&self, claims: Option<Claims>, now: SystemTime) -> Kind {
        let one_of = |known: &[u64]| self.codes.iter().any(|code| known.contains(code));
        match self.status {
            429 => Kind::RateLimited { until: until(&self.headers, now) },
            500.. => Kind::Server,
            _ if one_of(&[70_021, 70_025, 700_211, 700_212, 700_213]) => {
                Kind::NotFederated(claims.map(Box::new))
            }
            _ if one_of(&[90_002, 900_023]) => Kind::UnknownTenant,
            _ if one_of(&[700_016]) => Kind::UnknownClient,
            _ if one_of(&[7_000_215, 7_000_222]) => Kind::BadSecret,
            // The assertion was too old when it came: the next one is fresh.
            _ if one_of(&[700_024]) => Kind::Server,
            _ => Kind::SignInRefused,
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for Denial {}

#[cfg(test)]
mod tests {
    use azure_core::http::StatusCode;
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds() {
        let now = SystemTime::UNIX_EPOCH;
        for (status, code, want) in [
            (401, 70_021, Kind::NotFederated(None)),
            (401, 700_213, Kind::NotFederated(None)),
            (400, 90_002, Kind::UnknownTenant),
            (400, 700_016, Kind::UnknownClient),
            (401, 7_000_222, Kind::BadSecret),
            (401, 7_000_215, Kind::BadSecret),
            (401, 700_024, Kind::Server),
            (400, 50_034, Kind::SignInRefused),
            (503, 90_002, Kind::Server),
            (429, 0, Kind::RateLimited { until: now + std::time::Duration::from_secs(5) }),
        ] {
            let body = json!({ "error": "x", "error_codes": [code], "error_description": "no" }).to_string();
            let response = RawResponse::from_bytes(StatusCode::from(status), Headers::new(), body);
            assert_eq!(Denial::of(&response).kind(None, now), want, "{status} {code}");
        }
    }

    #[test]
    fn what_is_said() {
        for (body, want, why) in [
            (
                r#"{"error_description":"AADSTS1: Tenant \u0027t\u0027 not found. Trace ID: 1 Correlation ID: 2"}"#,
                "AADSTS1: Tenant 't' not found.",
                "escapes, and what helps nobody",
            ),
            (r#"{"error_description":"AADSTS1: no.\r\nTrace ID: 1"}"#, "AADSTS1: no.", "the older form"),
            ("<html>", "Bad Request", "no JSON"),
            ("", "Bad Request", "nothing"),
            (r#"{"error_codes":"x"}"#, "Bad Request", "another form"),
        ] {
            let response = RawResponse::from_bytes(StatusCode::BadRequest, Headers::new(), body);
            assert_eq!(Denial::of(&response).to_string(), want, "{why}");
        }
    }
}
