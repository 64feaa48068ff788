//! What Azure says of a Flux configuration, as an observation. What cannot be read is taken as absent.

use std::collections::BTreeMap;
use std::time::Duration;

use rollout::{
    Channel, Cluster, CommitId, Compliance, ConfigurationId, Connectivity, Group, Kustomization,
    ObjectStatus, Observation, Provisioning, Ready, Reference, Source, Time, Waits,
};
use serde_json::Value;

/// What intervals and timeouts are where none is given.
const DEFAULT_SECONDS: u64 = 600;

/// Longer intervals are as good as this one, and sums of them stay sums.
const MAX_SECONDS: u64 = 30 * 24 * 3600;

const PROVIDER: &str = "/providers/microsoft.kubernetesconfiguration/";

/// Where a cluster has its configurations.
pub(super) const CONFIGURATIONS: &str = "/providers/microsoft.kubernetesconfiguration/fluxconfigurations";

/// A row of Resource Graph: its columns have the names of a resource's properties. Nothing without an id.
pub(super) fn of_row(row: &Value) -> Option<Observation> {
    let column = |name| text(row, name).unwrap_or_default();
    let connectivity =
        connectivity(column("/connectivityStatus"), column("/lastConnectivityTime"), column("/powerState"));
    observation(row, row, connectivity, Channel::Index)
}

/// The resource itself, on a cluster of which `connectivity` is known. Nothing without an id.
pub(super) fn of_resource(resource: &Value, connectivity: Connectivity) -> Option<Observation> {
    observation(resource, resource.get("properties").unwrap_or(&Value::Null), connectivity, Channel::Direct)
}

/// Whether the cluster is there that a resource describes.
pub(super) fn connectivity_of(cluster: &Value) -> Connectivity {
    let property = |name| text(cluster, name).unwrap_or_default();
    connectivity(
        property("/properties/connectivityStatus"),
        property("/properties/lastConnectivityTime"),
        property("/properties/powerState/code"),
    )
}

/// The id of the cluster that a configuration is on.
pub(super) fn cluster_of(id: &ConfigurationId) -> &str {
    id.as_str().split_once(PROVIDER).map_or(id.as_str(), |(cluster, _)| cluster)
}

/// A row of a tally. Nothing without a number.
pub(super) fn group(row: &Value) -> Option<Group> {
    let column = |name| text(row, name).unwrap_or_default();
    Some(Group {
        source_kind: source_kind(column("/sourceKind")),
        url: column("/url").to_owned(),
        reference: reference(row),
        synced: CommitId::of_revision(column("/synced")),
        compliance: compliance(column("/compliance")),
        provisioning: provisioning(column("/provisioning")),
        is_suspended: is_true(row.get("suspended")),
        mentions: column("/mentions") == "yes",
        count: usize::try_from(row.get("configurations")?.as_u64()?).ok()?,
        latest: time(column("/latest")),
    })
}

fn observation(
    resource: &Value,
    properties: &Value,
    connectivity: Connectivity,
    channel: Channel,
) -> Option<Observation> {
    let path = text(resource, "/id")?;
    let id = ConfigurationId::new(path);
    let property = |name| text(properties, name).unwrap_or_default();
    let cluster = Cluster {
        id: cluster_of(&id).to_owned(),
        // As people wrote it, in small and capital letters.
        name: last_segment(path.get(..cluster_of(&id).len()).unwrap_or(path)).to_owned(),
        connectivity,
    };
    Some(Observation {
        name: text(resource, "/name").unwrap_or_else(|| last_segment(path)).to_owned(),
        namespace: text(properties, "/namespace").unwrap_or("default").to_owned(),
        cluster,
        source: Source {
            kind: source_kind(property("/sourceKind")),
            url: property("/gitRepository/url").to_owned(),
            reference: properties.pointer("/gitRepository/repositoryRef").map(reference).unwrap_or_default(),
            sync_interval: seconds_or_default(properties.pointer("/gitRepository/syncIntervalInSeconds")),
        },
        kustomizations: kustomizations(properties.get("kustomizations")),
        is_suspended: is_true(properties.get("suspend")),
        synced: CommitId::of_revision(property("/sourceSyncedCommitId")),
        compliance: compliance(property("/complianceState")),
        provisioning: provisioning(property("/provisioningState")),
        objects: list(properties.get("statuses")).filter_map(object).collect(),
        message: text(properties, "/errorMessage").map(str::to_owned),
        reported: time(property("/statusUpdatedAt")),
        channel,
        id,
    })
}

fn kustomizations(value: Option<&Value>) -> BTreeMap<String, Kustomization> {
    let listed = value.and_then(Value::as_object).into_iter().flatten();
    listed.map(|(key, value)| (key.clone(), kustomization(value))).collect()
}

fn kustomization(value: &Value) -> Kustomization {
    Kustomization {
        path: text(value, "/path").unwrap_or_default().to_owned(),
        waits: if value.get("wait") == Some(&Value::Bool(false)) { Waits::No } else { Waits::ForHealth },
        sync_interval: seconds_or_default(value.get("syncIntervalInSeconds")),
        retry_interval: seconds(value.get("retryIntervalInSeconds")),
        timeout: seconds_or_default(value.get("timeoutInSeconds")),
    }
}

/// An object's state, in either of the two shapes: with a list of conditions, or with one message for all.
///
/// Where there are conditions and Ready is not among them, it is not known whether it is ready.
fn object(status: &Value) -> Option<ObjectStatus> {
    let mut conditions = list(status.get("statusConditions")).peekable();
    let has_conditions = conditions.peek().is_some();
    let condition = conditions.find(|condition| text(condition, "/type") == Some("Ready"));
    let ready = match condition {
        Some(condition) => text(condition, "/status").and_then(ready_of_status),
        None if has_conditions => None,
        None => text(status, "/complianceState").and_then(ready_of_compliance),
    };
    let said =
        |name| condition.and_then(|it| text(it, name)).or_else(|| text(status, name)).unwrap_or_default();
    let message = said("/message");
    Some(ObjectStatus {
        kind: text(status, "/kind")?.to_owned(),
        name: text(status, "/name")?.to_owned(),
        namespace: text(status, "/namespace").unwrap_or_default().to_owned(),
        ready,
        reason: said("/reason").to_owned(),
        message: message.to_owned(),
        applied: applied(message),
    })
}

fn ready_of_status(status: &str) -> Option<Ready> {
    match status {
        "True" => Some(Ready::True),
        "False" => Some(Ready::False),
        "Unknown" => Some(Ready::Unknown),
        _ => None,
    }
}

/// Without conditions the state of the object is what the cluster made of them.
fn ready_of_compliance(state: &str) -> Option<Ready> {
    match compliance(state) {
        Compliance::Compliant => Some(Ready::True),
        Compliance::NonCompliant => Some(Ready::False),
        Compliance::Pending | Compliance::Unknown => Some(Ready::Unknown),
        Compliance::Suspended | Compliance::Other(_) => None,
    }
}

fn applied(message: &str) -> Option<CommitId> {
    CommitId::of_revision(message.strip_prefix("Applied revision:")?.trim())
}

fn reference(value: &Value) -> Reference {
    let part = |name| text(value, name).map(str::to_owned);
    Reference { branch: part("/branch"), tag: part("/tag"), semver: part("/semver"), commit: part("/commit") }
}

fn source_kind(text: &str) -> String {
    if text.is_empty() { "GitRepository".to_owned() } else { text.to_owned() }
}

fn compliance(state: &str) -> Compliance {
    match &*state.to_ascii_lowercase() {
        "compliant" => Compliance::Compliant,
        "non-compliant" | "noncompliant" => Compliance::NonCompliant,
        "" | "pending" => Compliance::Pending,
        "suspended" => Compliance::Suspended,
        "unknown" => Compliance::Unknown,
        _ => Compliance::Other(state.to_owned()),
    }
}

fn provisioning(state: &str) -> Provisioning {
    match &*state.to_ascii_lowercase() {
        "succeeded" => Provisioning::Succeeded,
        "failed" => Provisioning::Failed,
        "canceled" => Provisioning::Canceled,
        "creating" => Provisioning::Creating,
        "updating" => Provisioning::Updating,
        "deleting" => Provisioning::Deleting,
        _ => Provisioning::Other(state.to_owned()),
    }
}

/// One of the two kinds of clusters has the first state, the other the second.
fn connectivity(connected: &str, last_contact: &str, power: &str) -> Connectivity {
    let (state, good) = if connected.is_empty() { (power, "running") } else { (connected, "connected") };
    match &*state.to_ascii_lowercase() {
        "" => Connectivity::Unknown,
        lower if lower == good => Connectivity::Connected,
        _ => Connectivity::Disconnected { state: state.to_owned(), last_contact: time(last_contact) },
    }
}

fn time(text: &str) -> Option<Time> {
    // Azure's own `todatetime`, which a tally has, takes what names no zone for UTC.
    let in_utc = |text: &str| text.parse::<jiff::civil::DateTime>().ok()?.in_tz("UTC").ok();
    let time = text.parse().ok().or_else(|| Some(in_utc(text)?.timestamp()))?;
    u64::try_from(jiff::Timestamp::as_second(time)).ok().map(Time)
}

fn seconds_or_default(value: Option<&Value>) -> Duration {
    seconds(value).unwrap_or(Duration::from_secs(DEFAULT_SECONDS))
}

fn seconds(value: Option<&Value>) -> Option<Duration> {
    Some(Duration::from_secs(value?.as_u64()?.min(MAX_SECONDS)))
}

fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(is)) => *is,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// A text that is there and says something.
fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// The name in an id.
pub(super) fn last_segment(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "/subscriptions/S1/resourceGroups/Edge/providers/Microsoft.Kubernetes/connectedClusters/Drone-1\
                      /providers/Microsoft.KubernetesConfiguration/fluxConfigurations/GitOps-Dev";

    fn sha(digit: &str) -> String {
        digit.repeat(40)
    }

    fn commit(digit: &str) -> Option<CommitId> {
        CommitId::new(&sha(digit))
    }

    fn properties() -> Value {
        json!({
            "namespace": "flux-system", "scope": "cluster", "sourceKind": "GitRepository", "suspend": false,
            "gitRepository": {
                "url": "https://github.com/contoso/gitops", "syncIntervalInSeconds": 120,
                "repositoryRef": { "branch": "dev" },
            },
            "kustomizations": {
                "drone": { "path": "./drone", "syncIntervalInSeconds": 60, "retryIntervalInSeconds": 30, "timeoutInSeconds": 300 },
                "loose": { "path": "loose/", "wait": false },
            },
            "sourceSyncedCommitId": format!("dev@sha1:{}", sha("a")),
            "complianceState": "Compliant", "provisioningState": "Succeeded", "errorMessage": "",
            "statusUpdatedAt": "2026-11-21T13:00:07.9876543+00:00",
            "statuses": [
                { "kind": "Kustomization", "name": "gitops-dev-drone", "namespace": "flux-system", "complianceState": "Compliant",
                  "statusConditions": [
                      { "type": "Healthy", "status": "False", "reason": "x", "message": "y" },
                      { "type": "Ready", "status": "True", "reason": "ReconciliationSucceeded",
                        "message": format!("Applied revision: dev@sha1:{}", sha("b")) },
                  ] },
                { "kind": "Kustomization", "name": "gitops-dev-loose", "namespace": "flux-system", "complianceState": "Compliant",
                  "message": format!("Applied revision: dev/{}", sha("c")) },
            ],
        })
    }

    fn duration(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_row_and_a_resource_say_the_same() {
        let mut row = properties();
        for (name, value) in [
            ("id", ID),
            ("name", "GitOps-Dev"),
            ("connectivityStatus", "Offline"),
            ("lastConnectivityTime", "2026-11-21T12:00:00Z"),
            ("powerState", ""),
        ] {
            row[name] = json!(value);
        }
        let of_row = of_row(&row).unwrap();
        let offline = Connectivity::Disconnected {
            state: "Offline".to_owned(),
            last_contact: Some(Time(1_795_262_400)),
        };
        assert_eq!(of_row.cluster.connectivity, offline);

        let resource = json!({ "id": ID, "name": "GitOps-Dev", "properties": properties() });
        let of_resource = of_resource(&resource, offline).unwrap();
        assert_eq!(of_resource.channel, Channel::Direct);
        assert_eq!(Observation { channel: Channel::Direct, ..of_row }, of_resource);

        let got = of_resource;
        assert_eq!(got.id, ConfigurationId::new(ID));
        assert_eq!((&*got.name, &*got.namespace), ("GitOps-Dev", "flux-system"));
        assert_eq!(
            got.cluster.id,
            "/subscriptions/s1/resourcegroups/edge/providers/microsoft.kubernetes/connectedclusters/drone-1"
        );
        assert_eq!(got.cluster.name, "Drone-1");
        assert_eq!(
            (got.source.reference.branch.as_deref(), got.source.sync_interval),
            (Some("dev"), duration(120))
        );
        assert_eq!(got.synced, commit("a"));
        assert_eq!(got.reported, Some(Time(1_795_266_007)), "whole seconds, rounded down");
        assert_eq!(got.message, None, "an empty message is none");
        assert_eq!(
            got.kustomizations["drone"],
            Kustomization {
                path: "./drone".to_owned(),
                waits: Waits::ForHealth,
                sync_interval: duration(60),
                retry_interval: Some(duration(30)),
                timeout: duration(300),
            }
        );
        assert_eq!(
            got.kustomizations["loose"],
            Kustomization {
                path: "loose/".to_owned(),
                waits: Waits::No,
                sync_interval: duration(600),
                retry_interval: None,
                timeout: duration(600),
            }
        );
        let [first, second] = &got.objects[..] else { panic!("{:?}", got.objects) };
        assert_eq!((first.ready, &*first.reason), (Some(Ready::True), "ReconciliationSucceeded"));
        assert_eq!(first.applied, commit("b"));
        assert_eq!((second.ready, &*second.reason), (Some(Ready::True), ""));
        assert_eq!(second.applied, commit("c"));
    }

    #[test]
    fn every_property_is_read() {
        type IsSeen = fn(&Observation) -> bool;
        let properties_and_effects: [(&str, Value, IsSeen); 21] = [
            ("/namespace", json!("other"), |it| it.namespace == "other"),
            ("/sourceKind", json!("Bucket"), |it| it.source.kind == "Bucket"),
            ("/suspend", json!(true), |it| it.is_suspended),
            ("/gitRepository/url", json!("u"), |it| it.source.url == "u"),
            ("/gitRepository/syncIntervalInSeconds", json!(7), |it| it.source.sync_interval == duration(7)),
            ("/gitRepository/repositoryRef/branch", json!("b"), |it| {
                it.source.reference.branch.as_deref() == Some("b")
            }),
            ("/gitRepository/repositoryRef", json!({ "tag": "t" }), |it| it.source.reference.tag.is_some()),
            ("/gitRepository/repositoryRef", json!({ "semver": "1" }), |it| {
                it.source.reference.semver.is_some()
            }),
            ("/gitRepository/repositoryRef", json!({ "commit": "c" }), |it| {
                it.source.reference.commit.is_some()
            }),
            ("/kustomizations/drone/path", json!("p"), |it| it.kustomizations["drone"].path == "p"),
            ("/kustomizations/loose/wait", json!(true), |it| {
                it.kustomizations["loose"].waits == Waits::ForHealth
            }),
            ("/sourceSyncedCommitId", json!(null), |it| it.synced.is_none()),
            ("/complianceState", json!("Suspended"), |it| it.compliance == Compliance::Suspended),
            ("/provisioningState", json!("Deleting"), |it| it.provisioning == Provisioning::Deleting),
            ("/errorMessage", json!("no"), |it| it.message.as_deref() == Some("no")),
            ("/statusUpdatedAt", json!("2026-11-21T13:00:00Z"), |it| {
                it.reported == Some(Time(1_795_266_000))
            }),
            ("/statusUpdatedAt", json!("2026-11-21T13:00:01.5"), |it| {
                it.reported == Some(Time(1_795_266_001))
            }),
            ("/statuses/0/kind", json!("HelmRelease"), |it| it.objects[0].kind == "HelmRelease"),
            ("/statuses/0/name", json!("n"), |it| it.objects[0].name == "n"),
            ("/statuses/0/namespace", json!("n"), |it| it.objects[0].namespace == "n"),
            ("/statuses/0/statusConditions/1/message", json!("m"), |it| it.objects[0].message == "m"),
        ];
        for (pointer, value, is_seen) in properties_and_effects {
            let mut resource = json!({ "id": ID, "properties": properties() });
            let read = |resource: &Value| of_resource(resource, Connectivity::Unknown).unwrap();
            assert!(!is_seen(&read(&resource)), "{pointer}");
            *resource.pointer_mut(&format!("/properties{pointer}")).unwrap() = value;
            assert!(is_seen(&read(&resource)), "{pointer}");
        }
    }

    #[test]
    fn states_in_every_spelling() {
        for (text, want) in [
            ("Compliant", Compliance::Compliant),
            ("Non-Compliant", Compliance::NonCompliant),
            ("NonCompliant", Compliance::NonCompliant),
            ("pending", Compliance::Pending),
            ("", Compliance::Pending),
            ("Suspended", Compliance::Suspended),
            ("unknown", Compliance::Unknown),
            ("Odd", Compliance::Other("Odd".to_owned())),
        ] {
            assert_eq!(compliance(text), want, "{text}");
        }
        for (text, want) in [
            ("Succeeded", Provisioning::Succeeded),
            ("failed", Provisioning::Failed),
            ("Canceled", Provisioning::Canceled),
            ("Creating", Provisioning::Creating),
            ("Updating", Provisioning::Updating),
            ("Deleting", Provisioning::Deleting),
            ("Odd", Provisioning::Other("Odd".to_owned())),
        ] {
            assert_eq!(provisioning(text), want, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        let bare = json!({ "id": ID });
        let got = of_resource(&bare, Connectivity::Unknown).unwrap();
        assert_eq!((&*got.name, &*got.namespace), ("GitOps-Dev", "default"));
        assert_eq!(got.source.kind, "GitRepository");
        assert_eq!(got.source.reference, Reference::default());
        assert_eq!((got.synced, got.reported, got.message), (None, None, None));
        assert_eq!((got.compliance, got.is_suspended), (Compliance::Pending, false));
        assert_eq!(got.provisioning, Provisioning::Other(String::new()));
        assert!(got.kustomizations.is_empty() && got.objects.is_empty());

        for odd in [json!(null), json!(7), json!("x"), json!([1]), json!({ "x": 1 }), json!(true)] {
            let mut row = properties();
            for name in row.as_object().unwrap().keys().cloned().collect::<Vec<_>>() {
                row[name] = odd.clone();
            }
            row["id"] = json!(ID);
            assert!(of_row(&row).is_some_and(|got| got.synced.is_none() && got.objects.is_empty()), "{odd}");
            for pointer in [
                "/gitRepository/repositoryRef",
                "/kustomizations/drone",
                "/statuses/0",
                "/statuses/0/statusConditions",
            ] {
                let mut row = properties();
                row["id"] = json!(ID);
                *row.pointer_mut(pointer).unwrap() = odd.clone();
                assert!(of_row(&row).is_some(), "{pointer}: {odd}");
            }
            assert_eq!(of_row(&odd), None, "{odd}");
            assert_eq!(group(&odd), None, "{odd}");
        }
    }

    #[test]
    fn ids_of_other_shapes() {
        for (id, cluster, name) in [
            ("/a/B/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/c", "/a/b", "B"),
            ("nothing", "nothing", "nothing"),
            ("/", "/", ""),
            // The small letter is longer than the capital one.
            ("/İİ/providers/microsoft.kubernetesconfiguration/x", "/i\u{307}i\u{307}", "x"),
        ] {
            let got = of_resource(&json!({ "id": id }), Connectivity::Unknown).unwrap();
            assert_eq!(got.cluster.id, cluster, "{id}");
            assert!(id.contains(&got.cluster.name), "{id}: {} {name}", got.cluster.name);
        }
    }

    #[test]
    fn objects() {
        let applied = format!("Applied revision: sha1:{}", sha("a"));
        let condition = |status: &str, message: &str| json!([{ "type": "Ready", "status": status, "reason": "R", "message": message }]);
        for (status, ready, is_applied, why) in [
            (
                json!({ "statusConditions": condition("True", &applied) }),
                Some(Ready::True),
                true,
                "a condition",
            ),
            (
                json!({ "statusConditions": condition("False", "failed") }),
                Some(Ready::False),
                false,
                "not ready",
            ),
            (
                json!({ "statusConditions": condition("Unknown", &applied) }),
                Some(Ready::Unknown),
                true,
                "working",
            ),
            (json!({ "statusConditions": condition("yes", &applied) }), None, true, "no known status"),
            (
                json!({ "statusConditions": condition("False", &applied), "complianceState": "Compliant" }),
                Some(Ready::False),
                true,
                "the condition goes before the state",
            ),
            (
                json!({ "statusConditions": [{ "type": "Reconciling", "status": "True", "message": "at work" }],
                        "complianceState": "Compliant", "message": applied }),
                None,
                true,
                "no condition that it is ready",
            ),
            (
                json!({ "statusConditions": [], "complianceState": "Compliant", "message": applied }),
                Some(Ready::True),
                true,
                "the other shape",
            ),
            (
                json!({ "complianceState": "Non-Compliant", "message": "no" }),
                Some(Ready::False),
                false,
                "the other shape, failing",
            ),
            (json!({ "complianceState": null, "message": applied }), None, true, "no state"),
            (json!({ "complianceState": "Suspended" }), None, false, "told to do nothing"),
            (
                json!({ "message": format!("stored artifact for revision 'dev@sha1:{}'", sha("a")) }),
                None,
                false,
                "fetched is not applied",
            ),
            (
                json!({ "message": format!("not Applied revision: {}", sha("a")) }),
                None,
                false,
                "only at the start",
            ),
        ] {
            let mut status = status;
            status["kind"] = json!("Kustomization");
            status["name"] = json!("n");
            let got = object(&status).unwrap();
            assert_eq!((got.ready, got.applied.is_some()), (ready, is_applied), "{why}");
        }
        assert_eq!(object(&json!({ "kind": "Kustomization" })), None, "nobody's");
    }

    #[test]
    fn states_of_clusters() {
        let gone = |state: &str| Connectivity::Disconnected { state: state.to_owned(), last_contact: None };
        for (connected, power, want) in [
            ("Connected", "", Connectivity::Connected),
            ("connected", "", Connectivity::Connected),
            ("Connecting", "", gone("Connecting")),
            ("Expired", "", gone("Expired")),
            ("", "Running", Connectivity::Connected),
            ("", "Stopped", gone("Stopped")),
            ("", "", Connectivity::Unknown),
        ] {
            let row = json!({ "id": ID, "connectivityStatus": connected, "powerState": power });
            assert_eq!(of_row(&row).unwrap().cluster.connectivity, want, "{connected} {power}");
            let cluster =
                json!({ "properties": { "connectivityStatus": connected, "powerState": { "code": power } } });
            assert_eq!(connectivity_of(&cluster), want, "{connected} {power}");
        }
    }

    #[test]
    fn groups() {
        let row = json!({
            "sourceKind": "", "url": "https://github.com/contoso/gitops", "branch": "dev", "tag": "", "semver": "", "commit": "",
            "synced": format!("dev/{}", sha("a")), "compliance": "", "provisioning": "Failed", "suspended": "true",
            "mentions": "yes", "configurations": 12, "latest": "2026-11-21T13:00:00.0000000Z",
        });
        let want = Group {
            source_kind: "GitRepository".to_owned(),
            url: "https://github.com/contoso/gitops".to_owned(),
            reference: Reference { branch: Some("dev".to_owned()), ..Reference::default() },
            synced: commit("a"),
            compliance: Compliance::Pending,
            provisioning: Provisioning::Failed,
            is_suspended: true,
            mentions: true,
            count: 12,
            latest: Some(Time(1_795_266_000)),
        };
        assert_eq!(group(&row), Some(want));
        type IsSeen = fn(&Group) -> bool;
        let columns_and_effects: [(&str, Value, IsSeen); 8] = [
            ("sourceKind", json!("Bucket"), |it| it.source_kind == "Bucket"),
            ("tag", json!("t"), |it| it.reference.tag.is_some()),
            ("semver", json!("1"), |it| it.reference.semver.is_some()),
            ("commit", json!("c"), |it| it.reference.commit.is_some()),
            ("compliance", json!("Compliant"), |it| it.compliance == Compliance::Compliant),
            ("suspended", json!("false"), |it| !it.is_suspended),
            ("mentions", json!("no"), |it| !it.mentions),
            ("latest", json!(""), |it| it.latest.is_none()),
        ];
        for (name, value, is_seen) in columns_and_effects {
            let mut row = row.clone();
            assert!(!group(&row).is_some_and(|group| is_seen(&group)), "{name}");
            row[name] = value;
            assert!(group(&row).is_some_and(|group| is_seen(&group)), "{name}");
        }
        for (value, why) in [(json!(null), "none"), (json!(-1), "negative"), (json!("12"), "a text")] {
            let mut row = row.clone();
            row["configurations"] = value;
            assert_eq!(group(&row), None, "{why}");
        }
    }

    #[test]
    fn intervals_that_nobody_waits_for() {
        for (value, want) in [
            (json!(0), 0),
            (json!(u64::MAX), 2_592_000),
            (json!(-1), 600),
            (json!("60"), 600),
            (json!(null), 600),
        ] {
            assert_eq!(seconds_or_default(Some(&value)), duration(want), "{value}");
        }
    }
}
