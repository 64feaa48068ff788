//! Subscriptions and resources, one by one.

use std::time::Duration;

use kalypso_sandbox::azure::{AzureLimits, Gone, Life};
use kalypso_sandbox::{At, Fault};
use serde_json::json;

use crate::client::{CLIENT, Stage};

const CONNECTED_CLUSTERS: &str = "Microsoft.Kubernetes/connectedClusters";

#[test]
fn resources_are_read_by_their_ids() {
    let stage = Stage::new();
    let drone = stage.drone(1);
    let hidden = stage.azure().subscription("other").aks("a");
    let cluster = stage.subscription().arc("drone-1").id();
    let token = stage.token();
    let (id, other) = (drone.id(), hidden.id());
    let read = |path: &str, version: &str| {
        let answer = stage.get(&token, &format!("{path}?api-version={version}"));
        (answer.status, answer.code().to_owned())
    };
    let ok = || (200, String::new());
    assert_eq!(read(&id, "2023-05-01"), ok());
    assert_eq!(read(&id.to_uppercase(), "2023-05-01"), ok(), "ids are the same in any case");
    assert_eq!(read(&cluster, "2024-01-01"), ok());
    assert_eq!(read(&other, "2024-05-01"), ok());
    assert_eq!(read(&format!("{id}x"), "2023-05-01"), (404, "ResourceNotFound".to_owned()));
    let nowhere = id.replace(stage.subscription().id(), "00000000-0000-0000-0000-000000000000");
    assert_eq!(read(&nowhere, "2023-05-01"), (404, "SubscriptionNotFound".to_owned()));
    stage.azure().application(CLIENT).sees(&[&stage.subscription()]).cannot_read(CONNECTED_CLUSTERS);
    assert_eq!(read(&other, "2024-05-01"), (403, "AuthorizationFailed".to_owned()), "not in there");
    assert_eq!(read(&cluster, "2024-01-01"), (403, "AuthorizationFailed".to_owned()), "not such a thing");
    assert_eq!(read(&id, "2023-05-01"), ok());
    assert_eq!(stage.sandbox.violations(), [""; 0]);

    let table = [
        (format!("{id}?api-version=2020-01-01"), 400, "InvalidApiVersionParameter"),
        (id.clone(), 400, "MissingApiVersionParameter"),
        ("/subscriptions/x/providers?api-version=2023-05-01".to_owned(), 404, "NotFound"),
    ];
    for (path, status, code) in table {
        let answer = stage.get(&token, &path);
        assert_eq!((answer.status, answer.code()), (status, code), "{path}");
    }
    assert_eq!(stage.get("", "/contoso.example/v2.0/.well-known/openid-configuration").status, 404);
    assert_eq!(stage.sandbox.violations().len(), 4);

    let body = stage.get(&token, &format!("{id}?api-version=2023-05-01")).body;
    assert_eq!((&body["id"], &body["properties"]["provisioningState"]), (&json!(id), &json!("Succeeded")));
    drone.delete();
    for (how, code) in [(Gone::Named, "ResourceNotFound"), (Gone::Unnamed, "NotFound"), (Gone::Bare, "")] {
        stage.azure().says_gone(how);
        assert_eq!(read(&id, "2023-05-01"), (404, code.to_owned()), "{how:?}");
    }
}

#[test]
fn a_cluster_lists_its_configurations_in_pages() {
    let stage = Stage::new();
    let cluster = stage.subscription().arc("drone-1");
    let gitops = stage.sandbox.repository("contoso/gitops");
    let make = |name: String| cluster.configuration(&name).follows(&gitops, "dev");
    let all: Vec<_> = (0..5).map(|index| make(format!("c{index}"))).collect();
    stage.azure().set_limits(AzureLimits { configurations_page: 2, ..AzureLimits::default() });
    let token = stage.token();
    let first = format!(
        "{}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations?api-version=2023-05-01",
        cluster.id()
    );
    let list = || {
        let mut names = Vec::new();
        let mut next = Some(first.clone());
        while let Some(path) = next {
            let body = stage.get(&token, &path).body;
            let page = body["value"].as_array().expect("a list").iter();
            names.extend(page.map(|one| one["name"].as_str().expect("a name").to_owned()));
            next = body["nextLink"].as_str().map(str::to_owned);
        }
        names
    };
    assert_eq!(list(), ["c0", "c1", "c2", "c3", "c4"]);
    all[1].clone().live(Life::default().leaves_after(Duration::ZERO));
    all[3].delete();
    assert_eq!(list(), ["c0", "c2", "c4"]);
    let nowhere = stage.get(&token, &first.replace("drone-1", "drone-2"));
    assert_eq!((nowhere.status, nowhere.code()), (404, "ResourceNotFound"));
    stage.azure().application(CLIENT).cannot_read("Microsoft.KubernetesConfiguration/fluxConfigurations");
    assert_eq!(stage.get(&token, &first).status, 403);
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}

#[test]
fn subscriptions_come_in_pages() {
    let stage = Stage::new();
    let all: Vec<_> = (0..5).map(|index| stage.azure().subscription(&format!("s{index}"))).collect();
    stage.azure().set_limits(AzureLimits { subscriptions_page: 2, ..AzureLimits::default() });
    let token = stage.token();
    let list = || {
        let mut names = Vec::new();
        let mut next = Some("/subscriptions?api-version=2022-12-01".to_owned());
        while let Some(path) = next {
            let body = stage.get(&token, &path).body;
            let page = body["value"].as_array().expect("a list").iter();
            names.extend(page.map(|one| one["displayName"].as_str().expect("a name").to_owned()));
            next = body["nextLink"].as_str().map(str::to_owned);
        }
        names.sort();
        names
    };
    assert_eq!(list(), ["s0", "s1", "s2", "s3", "s4"]);
    stage.azure().application(CLIENT).sees(&[&all[1], &all[3], &all[4]]);
    assert_eq!(list(), ["s1", "s3", "s4"]);
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}

#[test]
fn reads_are_limited_and_go_wrong_when_told_to() {
    let stage = Stage::new();
    stage.azure().set_limits(AzureLimits { reads: 2, ..AzureLimits::default() });
    let token = stage.token();
    let list = || stage.get(&token, "/subscriptions?api-version=2022-12-01");
    assert_eq!([list().status, list().status], [200, 200]);
    let limited = list();
    assert_eq!(
        (limited.status, limited.code(), limited.header("retry-after")),
        (429, "TooManyRequests", "10")
    );
    stage.pass(10);
    stage
        .sandbox
        .fault(At::next("GET", "/subscriptions"), Fault::azure_error(503, "ServerTimeout", "later").after(3));
    let broken = list();
    assert_eq!((broken.status, broken.code(), broken.header("retry-after")), (503, "ServerTimeout", "3"));
    assert_eq!(list().status, 200);
    assert!(!list().header("x-ms-request-id").is_empty());
}
