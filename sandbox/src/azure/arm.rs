//! Resource Manager: subscriptions, and resources by their ids.

use serde_json::{Value, json};

use super::limits::READS_WINDOW;
use super::state::{AzureState, Service};
use super::{Asker, error, parameter, resource};
use crate::reply::{Content, Reply};
use crate::server::Request;
use crate::state::GitHub;

/// Configurations, and the version of the interface that knows them.
const CONFIGURATIONS: (&str, &str) = ("Microsoft.KubernetesConfiguration/fluxConfigurations", "2023-05-01");

/// The kinds of resources that there are, and the versions of the interface that know them.
const TYPES: [(&str, &str); 3] = [
    CONFIGURATIONS,
    ("Microsoft.Kubernetes/connectedClusters", "2024-01-01"),
    ("Microsoft.ContainerService/managedClusters", "2024-05-01"),
];

/// The version of the interface that knows subscriptions.
const SUBSCRIPTIONS_VERSION: &str = "2022-12-01";

/// How Resource Manager says that a resource is not there whose parent is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gone {
    /// With the code `ResourceNotFound`.
    #[default]
    Named,
    /// With the code `NotFound`, as for whatever it does not know.
    Unnamed,
    /// Without a code.
    Bare,
}

/// Answers a request, and says what about it Azure, or this sandbox, would not know.
pub(super) fn answer(azure: &mut AzureState, github: &GitHub, request: &Request) -> (Reply, Vec<String>) {
    let Some(target) = Target::of(request) else {
        let reply = error(404, "NotFound", &format!("{} is not there", request.path));
        return (reply, vec!["the sandbox has no such route".to_owned()]);
    };
    let asker = match Asker::of(azure, github, request) {
        Ok(asker) => asker,
        Err(refusal) => return (refusal, Vec::new()),
    };
    if let Err(refusal) = check_version(request, target.version()) {
        return (refusal, vec![format!("api-version must be {}", target.version())]);
    }
    let window = azure.usage.entry((asker.application.clone(), Service::Manager)).or_default();
    let quota = window.admit(azure.limits.reads, READS_WINDOW, github.now());
    let Some(remaining) = quota.remaining else {
        let reply =
            error(429, "TooManyRequests", "The request is being throttled as the limit has been reached.");
        return (reply.with("retry-after", quota.resets_after), Vec::new());
    };
    let reply = match target {
        Target::Subscriptions => subscriptions(azure, &asker, request),
        Target::Subscription(id) => subscription(azure, &asker, &id),
        Target::Resource { id, subscription, kind, .. } => {
            may_read(azure, &asker, &id, &subscription, kind).unwrap_or_else(|| read(azure, github, &id))
        }
        Target::Configurations { cluster, subscription } => {
            may_read(azure, &asker, &cluster, &subscription, CONFIGURATIONS.0)
                .unwrap_or_else(|| configurations(azure, github, &cluster, request))
        }
    };
    (reply.with("x-ms-ratelimit-remaining-subscription-reads", remaining), Vec::new())
}

/// What a request is about.
enum Target {
    Subscriptions,
    Subscription(String),
    Resource {
        /// In lower case.
        id: String,
        subscription: String,
        kind: &'static str,
        version: &'static str,
    },
    /// All of a cluster, whose id is in lower case.
    Configurations {
        cluster: String,
        subscription: String,
    },
}

impl Target {
    fn of(request: &Request) -> Option<Target> {
        if request.method != "GET" {
            return None;
        }
        let path = percent_encoding::percent_decode_str(&request.path).decode_utf8_lossy().to_lowercase();
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        match segments[..] {
            ["subscriptions"] => Some(Target::Subscriptions),
            ["subscriptions", id] => Some(Target::Subscription(id.to_owned())),
            [
                "subscriptions",
                subscription,
                "resourcegroups",
                _,
                "providers",
                _,
                _,
                _,
                "providers",
                provider,
                kind,
            ] if CONFIGURATIONS.0.eq_ignore_ascii_case(&format!("{provider}/{kind}")) => {
                let (cluster, _) = path.split_once(&format!("/providers/{provider}/"))?;
                Some(Target::Configurations {
                    cluster: cluster.to_owned(),
                    subscription: subscription.to_owned(),
                })
            }
            ["subscriptions", subscription, "resourcegroups", _, "providers", ref rest @ ..] => {
                let [.., provider, kind, _] = rest else { return None };
                let (kind, version) = TYPES
                    .into_iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(&format!("{provider}/{kind}")))?;
                let subscription = subscription.to_owned();
                Some(Target::Resource { id: path.clone(), subscription, kind, version })
            }
            _ => None,
        }
    }

    fn version(&self) -> &'static str {
        match self {
            Target::Subscriptions | Target::Subscription(_) => SUBSCRIPTIONS_VERSION,
            Target::Resource { version, .. } => version,
            Target::Configurations { .. } => CONFIGURATIONS.1,
        }
    }
}

/// Refuses a request that names another version of the interface, or none.
pub(super) fn check_version(request: &Request, version: &str) -> Result<(), Reply> {
    match parameter(request, "api-version") {
        None => Err(error(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )),
        Some(other) if other != version => Err(error(
            400,
            "InvalidApiVersionParameter",
            &format!("The api-version '{other}' is invalid. The supported versions are '{version}'."),
        )),
        Some(_) => Ok(()),
    }
}

/// Those that the asker sees, page by page.
fn subscriptions(azure: &AzureState, asker: &Asker, request: &Request) -> Reply {
    let visible: Vec<Value> = azure
        .subscriptions
        .iter()
        .filter(|(id, _)| asker.sees(id))
        .map(|(id, one)| resource::subscription(id, &one.name, &one.tenant))
        .collect();
    let count = json!({ "type": "Total", "value": visible.len() });
    let mut body = page(azure, visible, azure.limits.subscriptions_page, request);
    body["count"] = count;
    Reply::ok(body)
}

/// The page of a list that a request asks for.
fn page(azure: &AzureState, all: Vec<Value>, length: usize, request: &Request) -> Value {
    let from: usize = parameter(request, "$skiptoken").and_then(|token| token.parse().ok()).unwrap_or(0);
    let to = from + length;
    let version = parameter(request, "api-version").unwrap_or_default();
    let next = (to < all.len())
        .then(|| format!("{}{}?api-version={version}&%24skiptoken={to}", azure.url, request.path));
    let value: Vec<Value> = all.into_iter().skip(from).take(length).collect();
    json!({ "value": value, "nextLink": next })
}

fn subscription(azure: &AzureState, asker: &Asker, id: &str) -> Reply {
    match azure.subscriptions.get(id).filter(|_| asker.sees(id)) {
        Some(one) => Reply::ok(resource::subscription(id, &one.name, &one.tenant)),
        None => no_subscription(id),
    }
}

/// Why the asker may not read resources of a type in a scope, unless it may.
fn may_read(azure: &AzureState, asker: &Asker, id: &str, subscription: &str, kind: &str) -> Option<Reply> {
    if !azure.subscriptions.contains_key(subscription) {
        return Some(no_subscription(subscription));
    }
    let may = asker.sees(subscription) && asker.reads(kind);
    (!may).then(|| {
        error(
            403,
            "AuthorizationFailed",
            &format!(
                "The client '{client}' with object id '{client}' does not have authorization to perform action \
                 '{kind}/read' over scope '{id}' or the scope is invalid. If access was recently granted, please \
                 refresh your credentials.",
                client = asker.application
            ),
        )
    })
}

fn read(azure: &AzureState, github: &GitHub, id: &str) -> Reply {
    azure.resource(github, id).map_or_else(|| no_resource(azure.gone, id), Reply::ok)
}

/// Those of a cluster, page by page.
fn configurations(azure: &AzureState, github: &GitHub, cluster: &str, request: &Request) -> Reply {
    match azure.resource(github, cluster) {
        Some(_) => {
            let all = azure.configurations(github, cluster);
            Reply::ok(page(azure, all, azure.limits.configurations_page, request))
        }
        None => no_resource(Gone::Named, cluster),
    }
}

fn no_resource(how: Gone, id: &str) -> Reply {
    let message = format!("The Resource '{id}' was not found.");
    match how {
        Gone::Named => error(404, "ResourceNotFound", &message),
        Gone::Unnamed => error(404, "NotFound", &message),
        Gone::Bare => Reply { status: 404, headers: Vec::new(), content: Content::Json(json!({})) },
    }
}

fn no_subscription(id: &str) -> Reply {
    error(404, "SubscriptionNotFound", &format!("The subscription '{id}' could not be found."))
}
