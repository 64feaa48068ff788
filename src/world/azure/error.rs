//! Why Azure did not give what was asked for: typed where callers branch, in words for people.

use std::fmt;
use std::time::{Duration, SystemTime};

use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{RawResponse, StatusCode};
use serde::Deserialize;

use super::assertion::{Claims, NoAssertion};
use super::credential::NoIdentity;
use super::denial::Denial;
use super::secrets::Secrets;
use crate::exit::Failure;
use crate::world::said::one_line;

/// How long to wait when Azure asks to slow down without saying for how long.
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// What an identity must be allowed to do.
pub(super) const ROLE: &str = "give it the role Reader, or one with Microsoft.KubernetesConfiguration/fluxConfigurations/read, \
     Microsoft.Kubernetes/connectedClusters/read, Microsoft.ContainerService/managedClusters/read and \
     Microsoft.Resources/subscriptions/read";

/// What Azure says of a resource that is gone, alone or with what it was in.
///
/// There are more codes with a 404, such as `InvalidResourceType`: they say that nobody looked for the resource.
const GONE: [&str; 3] = ["ResourceNotFound", "ParentResourceNotFound", "ResourceGroupNotFound"];

const RETRY_AFTER: HeaderName = HeaderName::from_static("retry-after");
const RESETS_AFTER: HeaderName = HeaderName::from_static("x-ms-user-quota-resets-after");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");

/// Something that Azure did not give.
#[derive(Debug)]
pub(crate) struct Error {
    action: Box<str>,
    kind: Kind,
    answered: Option<Answered>,
    said: Box<str>,
}

/// What can be done about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// There is nothing to sign in with
    NoIdentity,
    /// GitHub gives no identity token
    NoAssertion,
    /// The application does not trust GitHub's identity token, which claims this
    NotFederated(Option<Box<Claims>>),
    /// There is no such directory
    UnknownTenant,
    /// There is no such application in the directory
    UnknownClient,
    /// The client secret is wrong, or has ended
    BadSecret,
    /// It may not sign in for another reason
    SignInRefused,
    /// The access token is not taken, a new one neither
    Unauthorized,
    /// A role is missing
    Forbidden,
    /// It is not there any more: Azure itself says so
    NotFound,
    /// It is not there, says somebody who need not know
    Absent,
    /// What was asked is refused
    Invalid,
    /// There is more than one answer can hold
    TooLarge,
    /// Subscriptions were left out
    CutOff,
    /// These subscriptions cannot be seen
    NotVisible(Vec<String>),
    /// Something is missing in the answer
    Incomplete,
    /// Azure takes no more requests before then
    RateLimited {
        /// When it does again
        until: SystemTime,
    },
    /// The time for it is over
    NoTime,
    /// Azure failed
    Server,
    /// There was no connection
    Unreachable,
    /// The connection broke, or took too long
    Network,
    /// The answer is not what it should be
    Unreadable,
}

/// Who answered, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answered {
    by: &'static str,
    status: u16,
    request: Option<Box<str>>,
}

/// What Azure says with a refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: Complaint,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Complaint {
    code: String,
    message: String,
    details: Vec<Complaint>,
}

impl Error {
    /// A failure without an answer.
    pub(super) fn new(action: &str, kind: Kind, said: &str) -> Error {
        Error { action: action.into(), kind, answered: None, said: said.into() }
    }

    /// A request that Azure answered, but not with success.
    pub(super) fn refused(action: &str, response: &RawResponse, now: SystemTime) -> Error {
        let refusal: Refusal = serde_json::from_slice(response.body()).unwrap_or_default();
        let (code, message) = refusal.error.innermost();
        let said = match (code, message) {
            ("", "") => response.status().canonical_reason().into_owned(),
            ("", said) | (said, "") => said.to_owned(),
            (code, message) => format!("{code}: {message}"),
        };
        let kind = kind(response.status(), response.headers(), &refusal.error, now);
        let answered = Answered {
            by: "Azure",
            status: response.status().into(),
            request: response.headers().get_optional_str(&REQUEST_ID).map(|id| one_line(id).into()),
        };
        Error { answered: Some(answered), ..Error::new(action, kind, &said) }
    }

    /// A request that could not be sent, since there was no connection, or nobody to send it as.
    pub(super) fn unsent(
        action: &str,
        way: &str,
        error: &azure_core::Error,
        claims: Option<Claims>,
        now: SystemTime,
    ) -> Error {
        if *error.kind() != ErrorKind::Credential {
            return Error::new(action, kind_of_transport(error.kind()), &error.to_string());
        }
        let action = format!("sign in to Azure with {way}");
        let mut inner: &(dyn std::error::Error + 'static) = error;
        loop {
            if let Some(none) = inner.downcast_ref::<NoIdentity>() {
                return Error::new("sign in to Azure", Kind::NoIdentity, &none.to_string());
            }
            if let Some(none) = inner.downcast_ref::<NoAssertion>() {
                let kind = if none.may_pass { Kind::Server } else { Kind::NoAssertion };
                return Error::new(&action, kind, &none.said);
            }
            if let Some(denial) = inner.downcast_ref::<Denial>() {
                let answered = Answered { by: "Microsoft Entra", status: denial.status, request: None };
                let error = Error::new(&action, denial.kind(claims, now), &denial.said);
                return Error { answered: Some(answered), ..error };
            }
            match inner.source() {
                Some(source) => inner = source,
                None => break,
            }
        }
        let kind = match inner.downcast_ref::<azure_core::Error>().map(azure_core::Error::kind) {
            Some(ErrorKind::Credential | ErrorKind::Other) => Kind::SignInRefused,
            Some(kind) => kind_of_transport(kind),
            // Such as an answer that is no JSON.
            None => Kind::Unreadable,
        };
        Error::new(&action, kind, &inner.to_string())
    }

    /// With every secret out of what was said.
    pub(super) fn without(self, secrets: &Secrets) -> Error {
        let said = secrets.hide(&self.said).into();
        Error { said, ..self }
    }

    /// What can be done about it.
    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Whether the same may work a little later.
    pub(crate) fn may_pass(&self) -> bool {
        match self.kind {
            Kind::RateLimited { .. }
            | Kind::NoTime
            | Kind::Server
            | Kind::Unreachable
            | Kind::Network
            | Kind::Absent
            | Kind::Unreadable
            | Kind::Incomplete => true,
            Kind::NoIdentity
            | Kind::NoAssertion
            | Kind::NotFederated(_)
            | Kind::UnknownTenant
            | Kind::UnknownClient
            | Kind::BadSecret
            | Kind::SignInRefused
            | Kind::Unauthorized
            | Kind::Forbidden
            | Kind::NotFound
            | Kind::Invalid
            | Kind::TooLarge
            | Kind::CutOff
            | Kind::NotVisible(_) => false,
        }
    }

    /// Whether nothing else can be read now either.
    pub(crate) fn is_of_everything(&self) -> bool {
        matches!(self.kind, Kind::RateLimited { .. } | Kind::NoTime)
    }

    /// What happened, without the next move.
    pub(crate) fn what(&self) -> String {
        let Error { action, kind: _, answered, said } = self;
        let said = one_line(said);
        match answered {
            Some(Answered { by, status, request }) => {
                let id = request.as_deref().map(|id| format!(" (request {id})")).unwrap_or_default();
                format!("cannot {action}: {by} answered {status}: {said}{id}")
            }
            None => format!("cannot {action}: {said}"),
        }
    }

    /// The next move.
    pub(crate) fn help(&self) -> String {
        match &self.kind {
            Kind::NoIdentity => "give azure-tenant-id and azure-client-id of an application that trusts this repository, and the job the \
                                 permission `id-token: write`; outside of GitHub Actions `az login` will do"
                .to_owned(),
            Kind::NoAssertion => "give the job the permission `id-token: write`".to_owned(),
            Kind::NotFederated(Some(claims)) => {
                format!("add a federated credential to the application that azure-client-id names: {claims}")
            }
            Kind::NotFederated(None) => {
                "add a federated credential for this issuer, subject and audience to the application".to_owned()
            }
            Kind::UnknownTenant => "correct azure-tenant-id, and azure-cloud if it is another cloud's".to_owned(),
            Kind::UnknownClient => {
                "correct azure-client-id, or azure-tenant-id: the application is not in that directory".to_owned()
            }
            Kind::BadSecret => {
                "replace the client secret in azure-credentials, or better sign in without one: \
                 azure-tenant-id, azure-client-id and `id-token: write`"
                    .to_owned()
            }
            Kind::SignInRefused => "put right what is named, then run again".to_owned(),
            Kind::Unauthorized => {
                "check that azure-cloud, azure-resource-manager-url and AZURE_AUTHORITY_HOST belong together".to_owned()
            }
            Kind::Forbidden => format!("{ROLE}, on the subscriptions of the clusters"),
            Kind::NotFound => "check that it still exists".to_owned(),
            Kind::Invalid => "check azure-subscriptions; if they are right, this is a fault of the program: please report it".to_owned(),
            Kind::TooLarge => "name the subscriptions of the clusters with azure-subscriptions".to_owned(),
            Kind::CutOff => "the identity sees more subscriptions than Azure Resource Graph takes at a time: name those of the clusters with \
                             azure-subscriptions"
                .to_owned(),
            Kind::NotVisible(_) => format!("correct azure-subscriptions, or let the identity see them: {ROLE}"),
            Kind::Unreachable => "check the network, the proxies, azure-cloud and azure-resource-manager-url, then run again".to_owned(),
            Kind::RateLimited { .. }
            | Kind::NoTime
            | Kind::Server
            | Kind::Network
            | Kind::Absent
            | Kind::Unreadable
            | Kind::Incomplete => "run again".to_owned(),
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
            _ if error.may_pass() => failure.passing(),
            _ => failure,
        }
    }
}

impl Complaint {
    /// The last of its details, which says most.
    fn innermost(&self) -> (&str, &str) {
        match self.details.last() {
            Some(detail) if !detail.message.is_empty() => detail.innermost(),
            _ => (&self.code, &self.message),
        }
    }

    fn has(&self, code: &str) -> bool {
        self.code.eq_ignore_ascii_case(code) || self.details.iter().any(|detail| detail.has(code))
    }
}

/// When Azure takes requests again, as its headers say.
pub(super) fn until(headers: &Headers, now: SystemTime) -> SystemTime {
    let seconds = headers.get_optional_str(&RETRY_AFTER).and_then(|text| text.trim().parse::<u64>().ok());
    let pause = seconds.map(Duration::from_secs).or_else(|| resets_after(headers)).unwrap_or(SLOW_DOWN);
    now.checked_add(pause).unwrap_or(now + SLOW_DOWN)
}

/// How long it takes until the quota is whole again: `hh:mm:ss`.
pub(super) fn resets_after(headers: &Headers) -> Option<Duration> {
    let text = headers.get_optional_str(&RESETS_AFTER)?;
    let mut seconds = 0u64;
    for part in text.trim().splitn(3, ':') {
        let part: f64 = part.parse().ok().filter(|part| (0.0..1e6).contains(part))?;
        seconds = seconds * 60 + part.ceil() as u64;
    }
    Some(Duration::from_secs(seconds))
}

fn kind(status: StatusCode, headers: &Headers, complaint: &Complaint, now: SystemTime) -> Kind {
    match u16::from(status) {
        401 => Kind::Unauthorized,
        _ if complaint.has("NoValidSubscriptionsInQueryRequest") => Kind::Forbidden,
        _ if complaint.has("ResponsePayloadTooLarge") => Kind::TooLarge,
        403 => Kind::Forbidden,
        404 if GONE.iter().any(|code| complaint.code.eq_ignore_ascii_case(code)) => Kind::NotFound,
        // A subscription that cannot be seen is answered like one that is not there.
        404 if complaint.code.to_ascii_lowercase().contains("subscription") => Kind::Forbidden,
        // It may be a page of some proxy, or the word of a gateway.
        404 if matches!(&*complaint.code, "" | "NotFound") => Kind::Absent,
        408 => Kind::Server,
        429 => Kind::RateLimited { until: until(headers, now) },
        400..=499 => Kind::Invalid,
        503 if headers.get_optional_str(&RETRY_AFTER).is_some() => {
            Kind::RateLimited { until: until(headers, now) }
        }
        500.. => Kind::Server,
        _ => Kind::Unreadable,
    }
}

fn kind_of_transport(kind: &ErrorKind) -> Kind {
    match kind {
        ErrorKind::Connection => Kind::Unreachable,
        ErrorKind::Io => Kind::Network,
        _ => Kind::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use azure_core::http::headers::HeaderValue;
    use serde_json::{Value, json};

    use super::*;

    fn refused(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Error {
        let mut all = Headers::new();
        for (name, value) in headers {
            all.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let response = RawResponse::from_bytes(StatusCode::from(status), all, body.to_owned());
        Error::refused("look", &response, SystemTime::UNIX_EPOCH)
    }

    fn after(seconds: u64) -> Kind {
        Kind::RateLimited { until: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds) }
    }

    #[test]
    fn kinds() {
        let code = |code: &str| json!({ "error": { "code": code, "message": "m" } });
        let detail = |code: &str| json!({ "error": { "code": "BadRequest", "message": "m", "details": [{ "code": code, "message": "d" }] } });
        for (status, headers, body, want, why) in [
            (401, &[][..], code("ExpiredAuthenticationToken"), Kind::Unauthorized, "an old token"),
            (403, &[], code("AuthorizationFailed"), Kind::Forbidden, "no role"),
            (400, &[], detail("NoValidSubscriptionsInQueryRequest"), Kind::Forbidden, "nothing to search"),
            (400, &[], detail("ResponsePayloadTooLarge"), Kind::TooLarge, "long rows"),
            (413, &[], code("ResponsePayloadTooLarge"), Kind::TooLarge, "the same, another status"),
            (400, &[], detail("InvalidQuery"), Kind::Invalid, "our fault"),
            (404, &[], code("ResourceNotFound"), Kind::NotFound, "gone"),
            (404, &[], code("ParentResourceNotFound"), Kind::NotFound, "gone with its cluster"),
            (404, &[], code("ResourceGroupNotFound"), Kind::NotFound, "gone with all around it"),
            (404, &[], code("InvalidResourceType"), Kind::Invalid, "nobody looked for it"),
            (404, &[], code("InvalidResourceNamespace"), Kind::Invalid, "nor here"),
            (404, &[], code("NoRegisteredProviderFound"), Kind::Invalid, "nor here"),
            (404, &[], detail("ResourceNotFound"), Kind::Invalid, "something else is gone"),
            (404, &[], code("NotFound"), Kind::Absent, "a gateway, or not"),
            (404, &[], code("SubscriptionNotFound"), Kind::Forbidden, "perhaps only not visible"),
            (404, &[], Value::Null, Kind::Absent, "perhaps nobody of Azure said so"),
            (408, &[], Value::Null, Kind::Server, "too slow"),
            (429, &[("retry-after", "7")], Value::Null, after(7), "told how long"),
            (
                429,
                &[("x-ms-user-quota-resets-after", "00:01:03")],
                Value::Null,
                after(63),
                "told by the quota",
            ),
            (429, &[("x-ms-user-quota-resets-after", "soon")], Value::Null, after(5), "not told"),
            (429, &[("retry-after", "18446744073709551615")], Value::Null, after(5), "told nonsense"),
            (503, &[("retry-after", "9")], Value::Null, after(9), "told how long"),
            (503, &[], Value::Null, Kind::Server, "a failure"),
            (302, &[], Value::Null, Kind::Unreadable, "leads elsewhere"),
        ] {
            assert_eq!(*refused(status, headers, &body.to_string()).kind(), want, "{why}");
        }
    }

    #[test]
    fn what_people_read() {
        let body = json!({ "error": { "code": "BadRequest", "message": "Please provide this.", "details": [
            { "code": "InvalidQuery", "message": "Query is\ninvalid \u{1b}[31m" },
        ] } });
        let error = refused(400, &[("x-ms-request-id", "r1")], &body.to_string());
        let want = "cannot look: Azure answered 400: InvalidQuery: Query is invalid \\u{1b}[31m (request r1)";
        assert_eq!(error.what(), want);
        assert_eq!(refused(502, &[], "<html>").what(), "cannot look: Azure answered 502: Bad Gateway");
    }

    #[test]
    fn the_quota_comes_back() {
        for (text, want) in [
            ("00:00:05", Some(5)),
            ("00:01:00", Some(60)),
            ("01:00:00", Some(3600)),
            ("00:00:02.4000000", Some(3)),
            ("5", Some(5)),
            ("", None),
            ("-1", None),
            ("00:00:1e9", None),
            ("a:b:c", None),
        ] {
            let mut headers = Headers::new();
            headers.insert(RESETS_AFTER, HeaderValue::from(text.to_owned()));
            assert_eq!(resets_after(&headers), want.map(Duration::from_secs), "{text}");
        }
    }
}
