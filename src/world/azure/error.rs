//! Why Azure did not give what was asked for: typed where callers branch, in words for people.

use std::fmt;
use std::time::{Duration, SystemTime};

use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{RawResponse, StatusCode};
use serde::Deserialize;

use super::assertion::{Claims, NoAssertion};
use super::credential::NoIdentity;
use crate::exit::Failure;
use crate::world::said::one_line;

/// How long to wait when Azure asks to slow down without saying for how long.
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// What an identity must be allowed to do.
pub(super) const ROLE: &str = "give it the role Reader, or one with Microsoft.KubernetesConfiguration/fluxConfigurations/read, \
     Microsoft.Kubernetes/connectedClusters/read, Microsoft.ContainerService/managedClusters/read and \
     Microsoft.Resources/subscriptions/read";

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
    NotFederated(Option<Claims>),
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
    /// It is not there
    NotFound,
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
    request: Option<String>,
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
        Error { action: action.into(), kind, answered: None, said: one_line(said).into() }
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
            request: response.headers().get_optional_str(&REQUEST_ID).map(one_line),
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
            if let Some(ErrorKind::HttpResponse { status, error_code, raw_response }) =
                inner.downcast_ref::<azure_core::Error>().map(azure_core::Error::kind)
            {
                let headers = raw_response.as_ref().map(|response| response.headers());
                let kind = kind_of_entra(*status, error_code.as_deref(), headers, claims, now);
                let answered = Answered { by: "Microsoft Entra", status: (*status).into(), request: None };
                let said = inner.to_string();
                // What follows helps nobody but Microsoft.
                let said = said.split(" Trace ID:").next().unwrap_or(&said);
                return Error { answered: Some(answered), ..Error::new(&action, kind, said) };
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

    /// With every secret of `hide` out of what was said.
    pub(super) fn without(mut self, hide: impl Fn(&str) -> String) -> Error {
        self.said = hide(&self.said).into();
        self
    }

    /// What can be done about it.
    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Whether the same may work a little later.
    pub(crate) fn may_pass(&self) -> bool {
        match self.kind {
            Kind::RateLimited { .. }
            | Kind::Server
            | Kind::Unreachable
            | Kind::Network
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

    /// What happened, without the next move.
    pub(crate) fn what(&self) -> String {
        let Error { action, kind: _, answered, said } = self;
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
            Kind::RateLimited { .. } | Kind::Server | Kind::Network | Kind::Unreadable | Kind::Incomplete => "run again".to_owned(),
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
        if error.may_pass() { failure.passing() } else { failure }
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
        // A subscription that cannot be seen is answered like one that is not there, and a page of some proxy says nothing.
        404 if complaint.code.is_empty() => Kind::Unreadable,
        404 if complaint.code.to_ascii_lowercase().contains("subscription") => Kind::Forbidden,
        404 => Kind::NotFound,
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

/// Microsoft Entra names what is wrong by a number.
fn kind_of_entra(
    status: StatusCode,
    codes: Option<&str>,
    headers: Option<&Headers>,
    claims: Option<Claims>,
    now: SystemTime,
) -> Kind {
    let codes: Vec<&str> = codes.unwrap_or_default().split(',').collect();
    let one_of = |known: &[&str]| codes.iter().any(|code| known.contains(code));
    match u16::from(status) {
        429 => Kind::RateLimited { until: headers.map_or(now + SLOW_DOWN, |headers| until(headers, now)) },
        500.. => Kind::Server,
        _ if one_of(&["70021", "700211", "700212", "700213"]) => Kind::NotFederated(claims),
        _ if one_of(&["90002", "900023"]) => Kind::UnknownTenant,
        _ if one_of(&["700016"]) => Kind::UnknownClient,
        _ if one_of(&["7000215", "7000222"]) => Kind::BadSecret,
        // The assertion was too old when it came: the next one is fresh.
        _ if one_of(&["700024"]) => Kind::Server,
        _ => Kind::SignInRefused,
    }
}
