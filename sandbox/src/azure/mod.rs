//! Azure, as far as a check of Flux configurations sees it, behind TLS.
//!
//! ```text
//!            Entra ──▶ entra  ─┐              ┌─▶ state            (who is who, who sees what: plain data)
//!   a job's identity ──▶ entra ┤              │
//! request ──▶ Resource Manager ┼─▶ may it? ──┼─▶ fleet ──▶ life   (what clusters reported by now)
//!             Resource Graph ──┘              │     └─▶ resource   (as Azure writes it)
//!                       └ kql                 └─▶ git              (the branches that they follow)
//! ```
//!
//! Clusters follow branches of the sandbox's own repositories. How each fares is told by a [`Life`]; what it reports
//! is computed from that, from where its branch has stood, and from the sandbox's clock.
//!
//! ```
//! use std::time::Duration;
//!
//! use kalypso_sandbox::azure::{Job, Life};
//! use kalypso_sandbox::{Sandbox, Visibility};
//!
//! # fn main() -> anyhow::Result<()> {
//! let sandbox = Sandbox::start()?;
//! let gitops = sandbox.create_repository("contoso/gitops", Visibility::Private)?;
//! gitops.commit("dev", &[("drone/README.md", Some("What runs on drones.\n"))], "First commit")?;
//!
//! let azure = sandbox.azure();
//! azure.job(Job::new("contoso/control-plane", "main"));
//! azure.application("11111111-1111-1111-1111-111111111111").trusts("repo:contoso/control-plane:ref:refs/heads/main");
//! let fleet = azure.subscription("edge");
//! let drone = fleet.arc("drone-1").configuration("gitops-dev").follows(&gitops, "dev");
//! drone.kustomization("drone", "./drone").live(Life::default().applies_after(Duration::from_secs(120)));
//! assert!(azure.environment().iter().any(|(name, _)| *name == "AZURE_AUTHORITY_HOST"));
//! # Ok(())
//! # }
//! ```

mod arm;
mod entra;
mod fleet;
mod graph;
mod handle;
mod kql;
mod life;
mod limits;
mod resource;
mod state;
mod tls;

use std::collections::BTreeSet;

use serde_json::json;

use crate::reply::{Content, Refusal, Reply};
use crate::server::{Kind, Request};
use crate::state::GitHub;

pub use arm::Gone;
pub(crate) use entra::sign_in_without_credentials;
pub use entra::{Federation, ISSUER, Job, Subject};
pub use fleet::Waits;
pub use handle::{Application, Azure, Cluster, Configuration, Subscription};
pub use life::{IndexStatuses, Life, Revision, Shape, Times, Trouble};
pub use limits::AzureLimits;
pub(crate) use state::AzureState;
pub use state::Cloud;
pub(crate) use tls::tls;

/// The tenant that is there from the beginning.
pub const TENANT: &str = "0000aaaa-11bb-22cc-33dd-444444eeeeee";

/// What a job asks for identity tokens with.
pub const REQUEST_TOKEN: &str = "identity-request-token-of-the-job";

/// Where a job asks for identity tokens.
const IDENTITY_TOKEN: &str = "/actions/identity-token";

/// Where queries are sent.
const RESOURCE_GRAPH: &str = "/providers/microsoft.resourcegraph/resources";

/// What a request is for that came to this address.
pub(crate) fn kind_of(path: &str) -> Kind {
    match () {
        () if path == IDENTITY_TOKEN => Kind::IdentityToken,
        () if path.ends_with("/oauth2/v2.0/token") => Kind::Entra,
        () if path.eq_ignore_ascii_case(RESOURCE_GRAPH) => Kind::ResourceGraph,
        () => Kind::ResourceManager,
    }
}

/// Answers a request, and says what about it Azure, or this sandbox, would not know.
pub(crate) fn answer(azure: &mut AzureState, github: &GitHub, request: &Request) -> (Reply, Vec<String>) {
    let method = request.method.as_str();
    match request.kind {
        Kind::IdentityToken if method == "GET" => entra::identity_token(azure, github, request)
            .unwrap_or_else(|error| (Refusal::from(error).into(), Vec::new())),
        Kind::Entra if method == "POST" => {
            let tenant = request.path.trim_start_matches('/').split('/').next().unwrap_or_default();
            (entra::token(azure, tenant, request, github.now()), Vec::new())
        }
        Kind::ResourceGraph if method == "POST" => match Asker::of(azure, github, request) {
            Ok(asker) => graph::answer(azure, github, &asker, request),
            Err(refusal) => (refusal, Vec::new()),
        },
        _ => arm::answer(azure, github, request),
    }
}

/// Says so if a request carries a credential of someone else.
pub(crate) fn misplaced(azure: &AzureState, github: &GitHub, request: &Request) -> Option<&'static str> {
    let token = request.token.as_ref()?;
    let is_manager = matches!(request.kind, Kind::ResourceManager | Kind::ResourceGraph);
    match () {
        () if azure.tokens.contains_key(token) && !is_manager => {
            Some("an access token of Azure was sent here")
        }
        () if token == REQUEST_TOKEN && request.kind != Kind::IdentityToken => {
            Some("what the job asks for identity tokens with was sent here")
        }
        () if github.grants.contains_key(token) && request.kind.is_azure() => {
            Some("a token of GitHub was sent here")
        }
        () if azure.applications.values().any(|one| one.secrets.contains_key(token)) => {
            Some("a client secret was sent as a token")
        }
        () => None,
    }
}

/// The application that asks, and what it may read.
struct Asker {
    application: String,
    subscriptions: Option<BTreeSet<String>>,
    hidden: BTreeSet<String>,
}

impl Asker {
    fn of(azure: &AzureState, github: &GitHub, request: &Request) -> Result<Asker, Reply> {
        let refuse = |code: &str, message: &str| {
            let challenge = format!(
                "Bearer authorization_uri=\"{}/{TENANT}\", error=\"invalid_token\", error_description=\"{message}\"",
                azure.url
            );
            error(401, code, message).with("www-authenticate", challenge)
        };
        let Some(token) = &request.token else {
            return Err(refuse(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
            ));
        };
        match azure.bearer(token) {
            None => Err(refuse("InvalidAuthenticationToken", "The access token is invalid.")),
            Some((token, _)) if token.expires <= github.now() => Err(refuse(
                "ExpiredAuthenticationToken",
                &format!(
                    "The access token expiry UTC time '{}' is earlier than current UTC time '{}'.",
                    token.expires,
                    github.now()
                ),
            )),
            Some((token, application)) => Ok(Asker {
                application: token.application.clone(),
                subscriptions: application.subscriptions.clone(),
                hidden: application.hidden.clone(),
            }),
        }
    }

    fn sees(&self, subscription: &str) -> bool {
        self.subscriptions.as_ref().is_none_or(|seen| seen.contains(subscription))
    }

    /// Whether it may read resources of a type.
    fn reads(&self, kind: &str) -> bool {
        !self.hidden.iter().any(|hidden| hidden.eq_ignore_ascii_case(kind))
    }
}

/// A parameter of a request's query.
fn parameter(request: &Request, name: &str) -> Option<String> {
    url::form_urlencoded::parse(request.query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// An error as Azure words it.
fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = json!({ "error": { "code": code, "message": message } });
    Reply { status, headers: Vec::new(), content: Content::Json(body) }
}
