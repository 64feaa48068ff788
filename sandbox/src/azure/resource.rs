//! Resources as Azure writes them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fleet::{Cluster, ClusterKind, Contact, FluxConfiguration, Kustomization, Naming, Waits};
use super::kql::columns;
use super::life::{Applied, IndexStatuses, Report, Revision, Shape, Times, View};

/// What intervals and timeouts are where none is given.
const DEFAULT: Duration = Duration::from_secs(600);

/// A resource as Resource Graph has it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(super) table: &'static str,
    /// Its type in lower case.
    pub(super) kind: String,
    /// Its subscription in lower case.
    pub(super) subscription: String,
    /// The values of [`columns`].
    pub(super) columns: Vec<Value>,
}

/// The tables of Resource Graph that there are.
pub(super) const TABLES: [&str; 3] = ["resources", "kubernetesconfigurationresources", "resourcecontainers"];

impl Record {
    /// A subscription.
    pub(super) fn of_subscription(id: &str, name: &str, tenant: &str) -> Record {
        let whole = subscription(id, name, tenant);
        let container = json!({
            "id": whole["id"], "name": name, "type": "microsoft.resources/subscriptions",
            "properties": { "state": whole["state"], "managedByTenants": [] },
        });
        Record::of(&container, tenant)
    }

    /// A resource with all columns, some of them in lower case.
    pub(super) fn of(resource: &Value, tenant: &str) -> Record {
        let text = |name: &str| resource[name].as_str().unwrap_or_default();
        let id = text("id");
        let segment = |name: &str| {
            let mut segments = id.split('/').skip_while(|segment| !segment.eq_ignore_ascii_case(name));
            segments.nth(1).unwrap_or_default()
        };
        let kind = text("type").to_lowercase();
        let [resources, configurations, containers] = TABLES;
        let table = match kind.split('/').next() {
            Some("microsoft.kubernetesconfiguration") => configurations,
            Some("microsoft.resources") => containers,
            _ => resources,
        };
        let column = |name: &str| match name {
            "type" => json!(kind),
            "tenantId" => json!(tenant),
            "resourceGroup" => json!(segment("resourceGroups").to_lowercase()),
            "subscriptionId" => json!(segment("subscriptions")),
            _ => resource[name].clone(),
        };
        Record {
            table,
            subscription: segment("subscriptions").to_lowercase(),
            columns: columns().map(column).collect(),
            kind,
        }
    }
}

/// A subscription.
pub(super) fn subscription(id: &str, name: &str, tenant: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{id}"),
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": id,
        "tenantId": tenant,
        "displayName": name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off",
        },
    })
}

/// A cluster.
pub(super) fn cluster(cluster: &Cluster, contact: Contact) -> Value {
    let Cluster { id, name, .. } = cluster;
    match cluster.kind {
        ClusterKind::Arc => {
            let (status, last) = match contact {
                Contact::Connected(at) => ("Connected", at),
                Contact::Lost(since) => ("Offline", since),
            };
            json!({
                "id": id, "name": name, "type": "Microsoft.Kubernetes/connectedClusters", "location": "eastus",
                "identity": { "type": "SystemAssigned" }, "tags": {},
                "properties": {
                    "provisioningState": "Succeeded",
                    "connectivityStatus": status,
                    "lastConnectivityTime": last.to_string(),
                    "distribution": "k3s",
                    "infrastructure": "generic",
                    "kubernetesVersion": "1.31.5",
                    "agentVersion": "1.24.3",
                    "totalNodeCount": 1,
                },
            })
        }
        ClusterKind::Aks => {
            let power = if matches!(contact, Contact::Connected(_)) { "Running" } else { "Stopped" };
            json!({
                "id": id, "name": name, "type": "Microsoft.ContainerService/managedClusters",
                "location": "eastus", "identity": { "type": "SystemAssigned" }, "tags": {},
                "sku": { "name": "Base", "tier": "Standard" },
                "properties": {
                    "provisioningState": "Succeeded",
                    "powerState": { "code": power },
                    "kubernetesVersion": "1.31",
                },
            })
        }
    }
}

/// A configuration, after what its cluster reported.
pub(super) fn configuration(
    configuration: &FluxConfiguration,
    report: &Report,
    view: View,
    github: &str,
) -> Value {
    let FluxConfiguration { id, name, namespace, source, kustomizations, life, .. } = configuration;
    let url = source.url.clone().unwrap_or_else(|| format!("{github}/{}", source.repository));
    let mut reference = json!({ "branch": null, "tag": null, "semver": null, "commit": null });
    if source.naming == Naming::Named {
        reference["branch"] = json!(source.branch);
    }
    if let Some((what, value)) = &source.pin {
        reference[*what] = json!(value);
    }
    let made = |key: &String, one: &Kustomization| (key.clone(), kustomization(key, one));
    let statuses = match (view, life.index_statuses) {
        (View::Index, IndexStatuses::Dropped) => Value::Null,
        _ => statuses(configuration, report),
    };
    let reported = match life.times {
        Times::Told => json!(report.reported.to_string()),
        Times::Untold => Value::Null,
    };
    json!({
        "id": id,
        "name": name,
        "type": "Microsoft.KubernetesConfiguration/fluxConfigurations",
        "properties": {
            "scope": "cluster",
            "namespace": namespace,
            "sourceKind": "GitRepository",
            "suspend": report.is_suspended,
            "gitRepository": {
                "url": url,
                "timeoutInSeconds": DEFAULT.as_secs(),
                "syncIntervalInSeconds": source.interval.unwrap_or(DEFAULT).as_secs(),
                "repositoryRef": reference,
                "sshKnownHosts": null, "httpsUser": null, "httpsCACert": null, "localAuthRef": null,
            },
            "bucket": null,
            "azureBlob": null,
            "kustomizations": kustomizations
                .iter()
                .map(|(key, one)| made(key, one))
                .collect::<serde_json::Map<_, _>>(),
            "configurationProtectedSettings": {},
            "statuses": statuses,
            "sourceSyncedCommitId":
                report.synced.as_ref().map(|(commit, _)| revision(life.revision, &source.branch, commit)),
            "sourceUpdatedAt": report.synced.as_ref().map(|(_, at)| at.to_string()),
            "statusUpdatedAt": reported,
            "complianceState": report.compliance,
            "provisioningState": report.provisioning.0,
            "errorMessage": report.provisioning.1,
        },
    })
}

fn kustomization(key: &str, one: &Kustomization) -> Value {
    json!({
        "name": key,
        "path": one.path,
        "dependsOn": [],
        "timeoutInSeconds": one.timeout.unwrap_or(DEFAULT).as_secs(),
        "syncIntervalInSeconds": one.interval.unwrap_or(DEFAULT).as_secs(),
        "retryIntervalInSeconds": one.retry.map(|time| time.as_secs()),
        "prune": true,
        "force": false,
        "wait": one.waits == Waits::ForHealth,
    })
}

fn statuses(configuration: &FluxConfiguration, report: &Report) -> Value {
    let FluxConfiguration { name, source, life, .. } = configuration;
    let written = |commit: &str| revision(life.revision, &source.branch, commit);
    let mut statuses = Vec::new();
    let fetched = match (&report.unreachable, &report.synced) {
        (Some(message), _) => {
            Said { status: "False", reason: "GitOperationFailed", message: message.clone() }
        }
        (None, Some((commit, _))) => Said {
            status: "True",
            reason: "Succeeded",
            message: format!("stored artifact for revision '{}'", written(commit)),
        },
        (None, None) => {
            Said { status: "Unknown", reason: "Progressing", message: "building artifact".to_owned() }
        }
    };
    statuses.push(status(configuration, report, "GitRepository", name, &fetched));
    for (key, applied) in &report.kustomizations {
        if life.unlisted.contains(key) {
            continue;
        }
        let said = match applied {
            Applied { trouble: Some((reason, message)), .. } => {
                Said { status: "False", reason, message: message.clone() }
            }
            Applied { commit: Some(commit), trouble: None } => Said {
                status: "True",
                reason: "ReconciliationSucceeded",
                message: format!("Applied revision: {}", written(commit)),
            },
            Applied { commit: None, trouble: None } => Said {
                status: "Unknown",
                reason: "Progressing",
                message: "Reconciliation in progress".to_owned(),
            },
        };
        statuses.push(status(configuration, report, "Kustomization", &format!("{name}-{key}"), &said));
    }
    Value::Array(statuses)
}

/// What Flux says of an object.
struct Said<'a> {
    /// The condition Ready.
    status: &'static str,
    reason: &'a str,
    message: String,
}

fn status(
    configuration: &FluxConfiguration,
    report: &Report,
    kind: &str,
    name: &str,
    said: &Said<'_>,
) -> Value {
    let compliance = match said.status {
        "True" => "Compliant",
        "False" => "Non-Compliant",
        _ => "Pending",
    };
    let mut status = json!({
        "kind": kind,
        "name": name,
        "namespace": configuration.namespace,
        "complianceState": compliance,
        "appliedBy": null,
        "helmReleaseProperties": null,
    });
    match configuration.life.shape {
        Shape::Message => status["message"] = json!(said.message),
        Shape::Conditions => {
            status["statusConditions"] = json!([condition(said, report.reported)]);
        }
    }
    status
}

fn condition(said: &Said<'_>, at: Timestamp) -> Value {
    json!({
        "type": "Ready",
        "status": said.status,
        "reason": said.reason,
        "message": said.message,
        "lastTransitionTime": at.to_string(),
    })
}

fn revision(form: Revision, branch: &str, commit: &str) -> String {
    match form {
        Revision::AtSha1 => format!("{branch}@sha1:{commit}"),
        Revision::Slash => format!("{branch}/{commit}"),
        Revision::Sha1 => format!("sha1:{commit}"),
        Revision::Bare => commit.to_owned(),
    }
}
