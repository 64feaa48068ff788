//! `kalypso status`: how the clusters of an environment stand, told at once.

use std::fs;
use std::path::Path;
use std::time::Duration;

use kalypso_sandbox::Kind;
use kalypso_sandbox::azure::{Life, Trouble};
use serde_json::{Value, json};

use super::check::merged;
use super::platform::Ran;
use super::rollout_platform::{CLIENT, SUBSCRIPTION};

const NEVER: Duration = Duration::from_secs(3600);

/// One that is done, one that fails and one that has fetched nothing new.
fn lives() -> [(&'static str, Life); 3] {
    let broken = Trouble::new("ReconciliationFailed", "image is invalid");
    [
        ("drone", Life::default()),
        ("large", Life::default().fails(broken)),
        ("command-center", Life::default().syncs_after(NEVER)),
    ]
}

#[test]
fn a_fleet_is_shown_as_a_table_and_in_the_summary() {
    let (world, merged) = merged(&lives());
    let before = world.sandbox.snapshot().unwrap();
    let ran = world.status("dev", &[]).succeeded();
    assert!(world.sandbox.snapshot().unwrap() == before, "it writes nothing");
    assert_eq!((ran.writes(), cost(&ran)), (0, (1, 0)));
    assert!(ran.outputs.is_empty(), "{:?}", ran.outputs);

    let now = &merged.commit[..7];
    let headline = format!(
        "dev: 1 of 3 configurations done on 3 clusters, 1 failing, 1 waiting, 1 cluster type not observed at {now}"
    );
    let table = without_masks(&ran);
    assert_eq!(table.lines().next(), Some(&*headline), "{table}");
    let line = |cluster: &str| {
        let mut lines = table.lines().filter(|line| line.starts_with(cluster));
        lines
            .next()
            .unwrap_or_else(|| panic!("{cluster}: {table}"))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let row =
        |cluster_type: &str, rest: &str| format!("{cluster_type}-1 gitops-dev {cluster_type} {rest} {now}");
    assert!(line("drone-1 ").starts_with(&row("drone", "done")), "{table}");
    assert!(line("large-1 ").starts_with(&row("large", "failing")), "{table}");
    assert!(line("command-center-1 ").contains(" waiting "), "{table}");
    assert!(
        table.contains("\n  Kustomization/gitops-dev-large: ReconciliationFailed: image is invalid\n"),
        "{table}"
    );
    assert!(ran.summary.contains("1 of 3 configurations done on 3 clusters"), "{}", ran.summary);
    assert!(ran.summary.contains("```mermaid"), "where each commit is: {}", ran.summary);
}

#[test]
fn a_fleet_is_shown_as_json_by_its_schema() {
    let (world, merged) = merged(&lives());
    let ran = world.status("dev", &[("format", "json")]).succeeded();
    let shown: Value = serde_json::from_str(&without_masks(&ran)).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fleet.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let errors: Vec<_> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&shown)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, [""; 0]);
    for (pointer, want) in [
        ("/environment", json!("dev")),
        ("/commit", json!(merged.commit)),
        ("/promotedCommit", json!(merged.promoted)),
        ("/clusters", json!(3)),
        ("/counts", json!({ "done": 1, "healthUnchecked": 0, "failing": 1, "waiting": 1, "ignored": 0 })),
    ] {
        assert_eq!(shown.pointer(pointer), Some(&want), "{pointer}");
    }
    let states = shown["configurations"].as_array().unwrap().iter();
    let states: Vec<String> =
        states.map(|one| format!("{} {}", one["cluster"], one["state"]).replace('"', "")).collect();
    assert_eq!(states, ["command-center-1 waiting", "drone-1 done", "large-1 failing"]);
}

#[test]
fn what_is_beyond_the_commit_that_is_asked_for_is_judged_by_what_it_carries() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    let counts = |commit: &str| {
        let ran = world.status("dev", &[("format", "json"), ("commit-id", commit)]).succeeded();
        let shown: Value = serde_json::from_str(&without_masks(&ran)).unwrap();
        (shown["counts"]["done"].clone(), shown["counts"]["waiting"].clone())
    };
    world.gitops.commit("dev", &[("drone/notes.md", Some("A change of config\n"))], "Only config").unwrap();
    assert_eq!(counts(&merged.commit), (json!(1), json!(0)), "it carries the same promoted commit");
    assert_eq!(counts(&world.gitops_head("dev")), (json!(1), json!(0)), "without one it is the head");
    let next = world.bring_anything();
    assert_eq!(counts(&merged.commit), (json!(0), json!(1)), "it carries another one");
    assert_eq!(counts(&next.commit), (json!(1), json!(0)));
}

#[test]
fn an_environment_without_clusters_is_shown_as_it_is() {
    let (world, _) = merged(&[]);
    let ran = world.status("dev", &[]).succeeded();
    let said = "dev: 0 of 0 configurations done on 0 clusters, 4 cluster types not observed at ";
    assert!(without_masks(&ran).starts_with(said), "{}", ran.stdout);
    let ran = world.status("dev", &[("format", "yaml")]);
    assert_eq!(ran.exit, 2, "{}", ran.stderr);
}

#[test]
fn who_may_not_look_is_told() {
    let (world, _) = merged(&[("drone", Life::default())]);
    let visible = world.azure.subscription("another");
    world.azure.application(CLIENT).sees(&[&visible]);
    let edge = world.azure.subscription(SUBSCRIPTION).id().to_owned();
    let ran = world.status("dev", &[("azure-subscriptions", &edge)]);
    assert_eq!(ran.exit, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains(&edge) && ran.stderr.contains("help: "), "{}", ran.stderr);
}

/// Queries to Resource Graph, and reads of resources themselves.
fn cost(ran: &Ran) -> (usize, usize) {
    let of = |kind| ran.requests.iter().filter(|request| request.kind == kind).count();
    (of(Kind::ResourceGraph), of(Kind::ResourceManager))
}

/// What a person reads: the runner takes masks out.
fn without_masks(ran: &Ran) -> String {
    ran.stdout
        .lines()
        .filter(|line| !line.starts_with("::add-mask::"))
        .map(|line| format!("{line}\n"))
        .collect()
}
