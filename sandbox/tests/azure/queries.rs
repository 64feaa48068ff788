//! Resource Graph: what it understands, and how much of it there is.

use kalypso_sandbox::azure::{AzureLimits, Shape};
use kalypso_sandbox::{At, Fault};
use serde_json::{Value, json};

use crate::client::{CLIENT, Stage};

/// Every resource that is a Flux configuration, with the name of its cluster.
const ROWS: &str = "
kubernetesconfigurationresources
| where type =~ 'microsoft.kubernetesconfiguration/fluxconfigurations'
| where tostring(properties.gitRepository.url) contains 'GitOps'
| extend cluster = tostring(split(tolower(id), '/providers/microsoft.kubernetesconfiguration/')[0])
| join kind=leftouter (
    resources
    | where type in~ ('Microsoft.Kubernetes/connectedClusters', 'microsoft.containerservice/managedclusters')
    | project cluster = tolower(id), connectivityStatus = tostring(properties.connectivityStatus), lastConnectivityTime = tostring(properties.lastConnectivityTime), powerState = tostring(properties.powerState.code)
  ) on cluster
| project id, name, namespace = properties.namespace, sourceKind = properties.sourceKind, suspend = properties.suspend, gitRepository = properties.gitRepository, kustomizations = properties.kustomizations, sourceSyncedCommitId = properties.sourceSyncedCommitId, complianceState = properties.complianceState, provisioningState = properties.provisioningState, statuses = properties.statuses, errorMessage = properties.errorMessage, statusUpdatedAt = properties.statusUpdatedAt, connectivityStatus, lastConnectivityTime, powerState
| order by id asc";

/// How many configurations are in which state.
fn tally(commit: &str) -> String {
    format!(
        "kubernetesconfigurationresources
| where type =~ 'microsoft.kubernetesconfiguration/fluxconfigurations'
| where tostring(properties.gitRepository.url) contains 'gitops'
| extend mentions = iff(tostring(properties.statuses) matches regex 'Applied revision: [^ \"]*({commit})', 'yes', 'no')
| summarize configurations = count(), latest = max(todatetime(properties.statusUpdatedAt))
    by branch = tostring(properties.gitRepository.repositoryRef.branch), synced = tostring(properties.sourceSyncedCommitId), compliance = tostring(properties.complianceState), suspended = tostring(properties.suspend), mentions"
    )
}

#[test]
fn configurations_are_found_with_their_clusters() {
    let stage = Stage::new();
    stage.drone(1);
    stage.drone(2);
    stage.subscription().arc("drone-2").disconnect();
    stage.subscription().aks("large").configuration("gitops-dev").follows(&stage.gitops, "dev");
    stage.subscription().arc("other").configuration("apps").follows(&stage.gitops, "dev").url("https://x/y");
    let token = stage.token();
    let rows = stage.rows(&token, ROWS);
    let brief = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let id = text("id");
        let cluster = id.split('/').nth(8).unwrap_or_default().to_owned();
        [cluster, text("connectivityStatus"), text("powerState"), text("complianceState")]
    };
    let brief: Vec<[String; 4]> = rows.iter().map(brief).collect();
    let want = [
        ["large", "", "Running", "Pending"],
        ["drone-1", "Connected", "", "Compliant"],
        ["drone-2", "Offline", "", "Compliant"],
    ];
    assert_eq!(brief, want);
    let head = stage.gitops.head("dev").unwrap().unwrap();
    let row = &rows[1];
    assert_eq!(row["sourceSyncedCommitId"], format!("dev@sha1:{head}"));
    assert_eq!(row["gitRepository"]["url"], stage.gitops.url());
    assert_eq!(row["kustomizations"]["drone"]["path"], "./drone");
    assert_eq!((&row["suspend"], &row["namespace"]), (&json!(false), &json!("flux-system")));
    let status = &row["statuses"][1];
    assert_eq!((&status["kind"], &status["name"]), (&json!("Kustomization"), &json!("gitops-dev-drone")));
    assert_eq!(status["statusConditions"][0]["message"], format!("Applied revision: dev@sha1:{head}"));
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}

#[test]
fn configurations_are_counted() {
    let stage = Stage::new();
    let head = stage.gitops.head("dev").unwrap().unwrap();
    stage.drone(1);
    stage.drone(2).live(kalypso_sandbox::azure::Life::default().shaped(Shape::Message));
    stage.drone(3).live(kalypso_sandbox::azure::Life::default().suspends_after(std::time::Duration::ZERO));
    let token = stage.token();
    let mut rows = stage.rows(&token, &tally(&head));
    rows.sort_by_key(|row| row["configurations"].as_u64());
    let branch = format!("dev@sha1:{head}");
    let want = json!([
        {
            "branch": "dev", "synced": branch, "compliance": "Suspended", "suspended": "true", "mentions": "yes",
            "configurations": 1, "latest": "2027-01-15T08:00:00.0000000Z",
        },
        {
            "branch": "dev", "synced": branch, "compliance": "Compliant", "suspended": "false", "mentions": "yes",
            "configurations": 2, "latest": "2027-01-15T07:00:00.0000000Z",
        },
    ]);
    assert_eq!(Value::from(rows), want);
    let rows = stage.rows(&token, &tally(&"a".repeat(40)));
    assert!(rows.iter().all(|row| row["mentions"] == "no"));
    assert_eq!(
        stage.rows(&token, "resources | where type =~ 'x' | summarize clusters = count()"),
        [json!({ "clusters": 0 })],
        "of nothing there is none"
    );
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}

#[test]
fn a_query_that_is_not_known_is_refused() {
    let stage = Stage::new();
    stage.drone(1);
    stage.azure().set_limits(AzureLimits { queries: 1_000, ..AzureLimits::default() });
    let token = stage.token();
    let table = [
        ("resources | where", "nothing follows"),
        ("resources | where name =~ 'a", "a literal that does not end"),
        ("resources | where name =~ 'a' | evaluate x()", "an operator"),
        ("resources | where name =~ base64_encode_tostring('a')", "a function"),
        ("servers", "a table"),
        ("resources | where size > 1", "a column"),
        ("resources | where properties.a =~ 'b'", "a type"),
        ("resources | where name", "no condition"),
        ("resources | summarize n = count() by p = properties.a", "a key of a dynamic type"),
        ("resources | order by properties.a", "an order of a dynamic type"),
        ("resources | join kind=inner (resources) on id", "a kind of join"),
        ("resources | project tolower(id)", "a name is missing"),
        ("resources | extend properties.a = 1", "no name"),
        ("resources | project id, id", "a name twice"),
        ("resources | summarize n = count() by name ; drop table", "more than a query"),
        ("resources | where todatetime(properties.a) > 'b'", "what cannot be compared"),
        ("resources | where name matches regex '('", "no regular expression"),
        ("resources | where properties.a matches regex 'b'", "no text"),
    ];
    for (query, why) in table {
        let answer = stage.query(&token, &json!({ "query": query }));
        assert_eq!((answer.status, answer.code()), (400, "InvalidQuery"), "{why}");
    }
    assert_eq!(stage.sandbox.violations().len(), table.len());
}

#[test]
fn a_request_that_is_not_known_is_refused() {
    let stage = Stage::new();
    stage.drone(1);
    let token = stage.token();
    let query = "resources | project id";
    let table = [
        (json!({}), "InvalidRequest", "no query"),
        (json!({ "query": query, "facets": [] }), "InvalidRequest", "a field"),
        (json!({ "query": query, "options": { "top": 1 } }), "InvalidRequest", "an option"),
        (json!({ "query": query, "options": { "$top": 1001 } }), "InvalidTop", "too many rows"),
        (json!({ "query": query, "options": { "$top": 0 } }), "InvalidTop", "no rows"),
        (json!({ "query": query, "options": { "resultFormat": "table" } }), "InvalidRequest", "a format"),
        (
            json!({ "query": query, "options": { "allowPartialScopes": true } }),
            "InvalidRequest",
            "less than all",
        ),
        (json!({ "query": query, "options": { "$skipToken": "x:0" } }), "InvalidSkipToken", "a wrong token"),
        (json!({ "query": query, "subscriptions": "x" }), "InvalidRequest", "no list"),
    ];
    for (body, code, why) in &table {
        let answer = stage.query(&token, body);
        assert_eq!((answer.status, answer.code()), (400, *code), "{why}");
    }
    assert_eq!(stage.sandbox.violations().len(), table.len());
}

#[test]
fn rows_come_in_pages_where_they_are_ordered_and_have_ids() {
    let stage = Stage::new();
    for number in 0..5 {
        stage.drone(number);
    }
    let token = stage.token();
    let page = |query: &str, token_of_page: Option<&str>| {
        let mut options = json!({ "resultFormat": "objectArray", "$top": 2 });
        if let Some(token) = token_of_page {
            options["$skipToken"] = json!(token);
        }
        let body = stage.query(&token, &json!({ "query": query, "options": options })).body;
        let next = body["$skipToken"].as_str().map(str::to_owned);
        (body["data"].as_array().map_or(0, Vec::len), body["resultTruncated"].as_str() == Some("true"), next)
    };
    let mut got = Vec::new();
    let (mut count, _, mut next) = page(ROWS, None);
    loop {
        got.push(count);
        let Some(token) = next else { break };
        (count, _, next) = page(ROWS, Some(&token));
    }
    assert_eq!(got, [2, 2, 1]);
    let table = [
        ("kubernetesconfigurationresources | project id", "not ordered"),
        ("kubernetesconfigurationresources | order by name | project name", "no id"),
        ("kubernetesconfigurationresources | summarize n = count() by id", "a summary"),
    ];
    for (query, why) in table {
        assert_eq!(page(query, None), (2, true, None), "{why}");
    }
    stage.azure().set_limits(AzureLimits { summary_rows: 1, answer_bytes: 200, ..AzureLimits::default() });
    assert_eq!(
        page("kubernetesconfigurationresources | summarize n = count() by name", None),
        (1, false, None)
    );
    let summary = "kubernetesconfigurationresources | summarize n = count() by id";
    let answer = stage.query(&token, &json!({ "query": summary }));
    assert_eq!(answer.code(), "ResponsePayloadTooLarge", "{}", answer.body);
}

#[test]
fn what_may_not_be_read_is_left_out() {
    let stage = Stage::new();
    stage.drone(1);
    let other = stage.azure().subscription("other");
    other.arc("a").configuration("b").follows(&stage.gitops, "dev");
    let token = stage.token();
    let count = || {
        let rows = stage.rows(&token, "kubernetesconfigurationresources | project id");
        (rows.len(), stage.rows(&token, "resources | project id").len())
    };
    assert_eq!(count(), (2, 2));
    let application = stage.azure().application(CLIENT).sees(&[&stage.subscription()]);
    assert_eq!(count(), (1, 1));
    let application = application.cannot_read("Microsoft.Kubernetes/connectedClusters");
    assert_eq!(count(), (1, 0));
    application.cannot_read("Microsoft.KubernetesConfiguration/fluxConfigurations");
    assert_eq!(count(), (0, 0));

    let query = |subscriptions: &[&str]| {
        stage.pass(5);
        let body = json!({ "query": "resourcecontainers | project id", "subscriptions": subscriptions });
        let answer = stage.query(&token, &body);
        (answer.status, answer.body["count"].as_u64())
    };
    let mine = stage.subscription();
    assert_eq!(query(&[mine.id()]), (200, Some(1)));
    assert_eq!(query(&[mine.id(), other.id()]), (200, Some(1)), "without a word");
    assert_eq!(query(&[other.id()]), (400, None));
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}

#[test]
fn queries_are_limited_and_go_wrong_when_told_to() {
    let stage = Stage::new();
    stage.drone(1);
    let token = stage.token();
    let query = json!({ "query": "resources | project id" });
    let first = stage.query(&token, &query);
    let quota = |name: &str| first.header(name).to_owned();
    assert_eq!(quota("x-ms-user-quota-remaining"), "14");
    assert_eq!(quota("x-ms-user-quota-resets-after"), "00:00:05");
    for _ in 1..15 {
        assert_eq!(stage.query(&token, &query).status, 200);
    }
    let limited = stage.query(&token, &query);
    assert_eq!((limited.status, limited.code(), limited.header("retry-after")), (429, "RateLimiting", "5"));
    stage.pass(5);
    let path = "/providers/Microsoft.ResourceGraph/resources";
    stage.sandbox.fault(At::next("POST", path), Fault::HalfBody);
    assert!(stage.try_query(&token, &query).is_err());
    stage.azure().set_limits(AzureLimits { subscriptions: 0, ..AzureLimits::default() });
    let cut = stage.query(&token, &query);
    assert_eq!((cut.header("x-ms-tenant-subscription-limit-hit"), &cut.body["count"]), ("true", &json!(0)));
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}
