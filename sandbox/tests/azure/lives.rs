//! Clusters over time.

use std::time::Duration;

use kalypso_sandbox::azure::{IndexStatuses, Life, Revision, Times, Trouble, Waits};
use serde_json::{Value, json};

use crate::client::Stage;

const MINUTE: Duration = Duration::from_secs(60);

/// What Resource Manager and Resource Graph show of a configuration: synced, applied, state.
fn shown(stage: &Stage, token: &str, id: &str) -> [[String; 3]; 2] {
    let direct = stage.get(token, &format!("{id}?api-version=2023-05-01")).body;
    let rows = stage.rows(token, "kubernetesconfigurationresources | order by id asc");
    let indexed = rows.into_iter().find(|row| row["id"] == *id).unwrap_or_default();
    [direct, indexed].map(|whole| brief(&whole["properties"]))
}

fn brief(properties: &Value) -> [String; 3] {
    let end = |text: &str| text.rsplit([':', '/']).next().unwrap_or_default().to_owned();
    let message = properties["statuses"][1]["statusConditions"][0]["message"].as_str().unwrap_or_default();
    [
        end(properties["sourceSyncedCommitId"].as_str().unwrap_or_default()),
        end(message),
        properties["complianceState"].as_str().unwrap_or_default().to_owned(),
    ]
}

#[test]
fn clusters_follow_a_branch_in_their_own_time() {
    let stage = Stage::new();
    let old = stage.gitops.head("dev").unwrap().unwrap();
    let life = Life::default().syncs_after(MINUTE).applies_after(2 * MINUTE).indexed_after(MINUTE / 2);
    let id = stage.drone(1).live(life).id();
    let token = stage.token();
    let state = |synced: &str, applied: &str| [synced.to_owned(), applied.to_owned(), "Compliant".to_owned()];
    let new = stage.commit("New");
    let table = [
        (0, state(&old, &old), state(&old, &old)),
        (60, state(&new, &old), state(&old, &old)),
        (30, state(&new, &old), state(&new, &old)),
        (90, state(&new, &new), state(&new, &old)),
        (30, state(&new, &new), state(&new, &new)),
    ];
    for (seconds, direct, indexed) in table {
        stage.pass(seconds);
        assert_eq!(shown(&stage, &token, &id), [direct, indexed], "{seconds} seconds later");
    }
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}

#[test]
fn a_life_may_change() {
    let stage = Stage::new();
    let drone = stage.drone(1);
    let (id, token) = (drone.id(), stage.token());
    let state = |stage: &Stage| shown(stage, &token, &id)[0][2].clone();
    assert_eq!(state(&stage), "Compliant");
    let trouble = Trouble::new("BuildFailed", "no such folder").until(10 * MINUTE);
    let drone = drone.live(Life::default().fails(trouble.at(&stage.commit("Bad"))));
    assert_eq!(state(&stage), "Non-Compliant");
    stage.pass(600);
    assert_eq!(state(&stage), "Compliant");
    drone.live(Life::default().leaves_after(MINUTE));
    assert_eq!(state(&stage), "Compliant");
    stage.pass(60);
    assert_eq!(state(&stage), "");
}

#[test]
fn a_cluster_that_is_not_heard_of_reports_nothing() {
    let stage = Stage::new();
    let old = stage.gitops.head("dev").unwrap().unwrap();
    let (id, token) = (stage.drone(1).id(), stage.token());
    let cluster = stage.subscription().arc("drone-1");
    let connectivity = || {
        let body = stage.get(&token, &format!("{}?api-version=2024-01-01", cluster.id())).body;
        let property = |name: &str| body["properties"][name].as_str().unwrap_or_default().to_owned();
        (property("connectivityStatus"), property("lastConnectivityTime"))
    };
    assert_eq!(connectivity(), ("Connected".to_owned(), "2027-01-15T08:00:00Z".to_owned()));
    stage.pass(400);
    assert_eq!(connectivity(), ("Connected".to_owned(), "2027-01-15T08:05:00Z".to_owned()));
    cluster.disconnect();
    stage.pass(60);
    let new = stage.commit("New");
    assert_eq!(connectivity(), ("Offline".to_owned(), "2027-01-15T08:06:40Z".to_owned()));
    assert_eq!(shown(&stage, &token, &id)[0][0], old);
    cluster.connect_after(MINUTE);
    stage.pass(60);
    assert_eq!(connectivity().0, "Connected");
    assert_eq!(shown(&stage, &token, &id)[0][0], new);
}

#[test]
fn reports_are_written_in_many_ways() {
    let stage = Stage::new();
    let head = stage.gitops.head("dev").unwrap().unwrap();
    let drone = stage.drone(1);
    let (id, token) = (drone.id(), stage.token());
    let direct = || stage.get(&token, &format!("{id}?api-version=2023-05-01")).body["properties"].clone();
    let table = [
        (Revision::AtSha1, format!("dev@sha1:{head}")),
        (Revision::Slash, format!("dev/{head}")),
        (Revision::Sha1, format!("sha1:{head}")),
        (Revision::Bare, head.clone()),
    ];
    for (revision, want) in table {
        stage.drone(1).live(Life::default().revisions(revision));
        assert_eq!(direct()["sourceSyncedCommitId"], want, "{revision:?}");
    }
    stage.drone(1).live(Life::default().times(Times::Untold));
    assert_eq!(direct()["statusUpdatedAt"], Value::Null);
    stage.drone(1).live(Life::default().unlisted("drone"));
    assert_eq!(direct()["statuses"].as_array().map(Vec::len), Some(1));
    stage.drone(1).live(Life::default().index_statuses(IndexStatuses::Dropped));
    assert_eq!(
        shown(&stage, &token, &id),
        [[head.clone(), head.clone(), "Compliant".to_owned()], [head, String::new(), "Compliant".to_owned()]]
    );
    stage.drone(1).live(Life::default().provisioned_as("Failed", "the chart is not there"));
    let failed = direct();
    assert_eq!(
        [&failed["provisioningState"], &failed["errorMessage"]],
        [&json!("Failed"), &json!("the chart is not there")]
    );
    stage.drone(1).pinned("tag", "v1").waits(Waits::No).timing(MINUTE, Some(MINUTE / 2), 2 * MINUTE);
    let pinned = direct();
    assert_eq!(pinned["gitRepository"]["repositoryRef"]["tag"], "v1");
    let kustomization = &pinned["kustomizations"]["drone"];
    assert_eq!(
        (&kustomization["wait"], &kustomization["retryIntervalInSeconds"]),
        (&json!(false), &json!(30))
    );
    drone.without_branch();
    assert_eq!(direct()["gitRepository"]["repositoryRef"]["branch"], Value::Null);
}

#[test]
fn resources_may_be_put_there() {
    let stage = Stage::new();
    let token = stage.token();
    let id = "/subscriptions/S1/resourceGroups/Edge/providers/Microsoft.Kubernetes/connectedClusters/Drone/providers/\
              Microsoft.KubernetesConfiguration/fluxConfigurations/GitOps";
    let resource = json!({
        "id": id, "name": "GitOps", "type": "Microsoft.KubernetesConfiguration/fluxConfigurations",
        "properties": { "complianceState": "Odd" },
    });
    stage.azure().put(resource.clone());
    assert_eq!(stage.get(&token, &format!("{id}?api-version=2023-05-01")).body, resource);
    let rows = stage
        .rows(&token, "kubernetesconfigurationresources | project id, type, subscriptionId, resourceGroup");
    let row = json!({
        "id": id, "type": "microsoft.kubernetesconfiguration/fluxconfigurations", "subscriptionId": "S1",
        "resourceGroup": "edge",
    });
    assert_eq!(rows, [row]);
    stage.azure().delete(id);
    assert_eq!(stage.get(&token, &format!("{id}?api-version=2023-05-01")).status, 404);
}

#[test]
fn worlds_are_saved_with_their_clusters() {
    let stage = Stage::new();
    let life = Life::default().applies_after(MINUTE);
    let id = stage.drone(1).live(life).id();
    let token = stage.token();
    let saved = stage.sandbox.save().unwrap();
    let new = stage.commit("New");
    stage.pass(30);
    let before = shown(&stage, &token, &id);
    assert_eq!(before[0][0], new);
    let copy = stage.sandbox.duplicate().unwrap();
    assert_ne!(copy.azure().url(), stage.azure().url());
    stage.sandbox.restore(&saved).unwrap();
    assert_ne!(shown(&stage, &token, &id)[0][0], new);
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}
