//! The tutorial of the sandbox, played to its end.

use std::collections::BTreeSet;
use std::path::Path;

use kalypso_sandbox::tutorial::{Tutorial, play};
use kalypso_sandbox::{Sandbox, State};

/// Terminals are at least this wide.
const COLUMNS: usize = 100;

#[test]
fn the_tutorial_brings_an_application_to_the_clusters_of_two_environments() {
    let sandbox = Sandbox::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let kalypso = Path::new(env!("CARGO_BIN_EXE_kalypso"));
    let mut told = Vec::new();
    let tutorial = Tutorial { sandbox: &sandbox, kalypso, folder: folder.path() };
    let platform = play(&tutorial, &mut told).unwrap();
    let told = String::from_utf8(told).unwrap();
    assert_eq!(sandbox.violations(), Vec::<String>::new());

    let promoted = platform.control_plane.head("main").unwrap().unwrap();
    let statuses = platform.control_plane.statuses().unwrap();
    assert!(statuses.iter().all(|status| status.sha == promoted), "{statuses:?}");
    let statuses: Vec<String> =
        statuses.iter().map(|it| format!("{}: {} {}", it.context, it.state, it.description)).collect();
    let begin = [
        "dev environment: pending Promoted",
        "dev environment: pending Deploying",
        "dev environment: success Deployed to 3 configurations on 3 clusters",
        "stage environment: pending Promoted",
        "stage environment: pending Deploying",
        "stage environment: success Deployed to 2 configurations on 2 clusters",
    ];
    assert_eq!(statuses.len(), begin.len(), "{statuses:#?}");
    for (status, begin) in statuses.iter().zip(begin) {
        assert!(status.starts_with(begin), "{statuses:#?}");
    }

    let dispatches = platform.control_plane.dispatches().unwrap();
    let dispatches: Vec<String> =
        dispatches.iter().map(|it| format!("{} {}", it.workflow, it.inputs["environment"])).collect();
    assert_eq!(dispatches, ["schedule.yml dev", "promote.yml stage", "schedule.yml stage"]);

    let targets = |branch: &str| -> BTreeSet<String> {
        let files = platform.gitops.files(branch).unwrap();
        let paths = files.keys().filter_map(|path| path.rsplit_once('/'));
        paths
            .filter(|(folder, _)| folder.contains("/hello-world"))
            .map(|(folder, _)| folder.to_owned())
            .collect()
    };
    let dev = ["drone/hello-world-app-functional-test", "large/hello-world-app-performance-test"];
    assert_eq!(targets("dev"), BTreeSet::from(dev.map(str::to_owned)));
    let stage = ["drone/hello-world-app-uat-test", "large/hello-world-app-uat-test"];
    assert_eq!(targets("stage"), BTreeSet::from(stage.map(str::to_owned)));
    let pulls = platform.gitops.pulls().unwrap();
    assert!(pulls.iter().all(|pull| pull.state == State::Closed && pull.merged.is_some()), "{pulls:?}");
    assert_eq!(pulls.len(), 3);

    let refused = told.find("is not deployed yet to dev").expect("who is too early is refused");
    let waits = told.find("drone-2: not applied, kustomization drone at ").expect("the check waits");
    let done = told.find("Deployed to 3 configurations").expect("and goes on");
    assert!(refused < waits && waits < done, "{told}");
    for line in plain(&told).lines().filter(|line| !line.contains("git clone")) {
        assert!(line.chars().count() <= COLUMNS, "{line}");
    }
}

/// A text without what colours it.
fn plain(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.filter_map(|part| Some(part.split_once('m')?.1)).collect::<String>()
}
