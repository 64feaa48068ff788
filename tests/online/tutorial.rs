//! The tutorial: every command of `docs/tutorial.md`, and what the document shows of their output.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kalypso_sandbox::platform::{self, Chapter};
use kalypso_sandbox::tutorial::{Tutorial, play};
use kalypso_sandbox::{Sandbox, State};

const DOCUMENT: &str = include_str!("../../docs/tutorial.md");

/// Terminals are at least this wide.
const COLUMNS: usize = 100;

#[test]
fn the_tutorial_brings_an_application_to_the_clusters_of_two_environments() {
    let sandbox = Sandbox::start().unwrap();
    let platform = platform::create(&sandbox, Chapter::BeforeTheApplication).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let exports = folder.path().join("exports");
    fs::write(&exports, platform.exports(Path::new(env!("CARGO_BIN_EXE_kalypso")))).unwrap();
    let mut told = Vec::new();
    let played = play(&Tutorial { exports: &exports, folder: folder.path() }, &mut told);
    let told = plain(&String::from_utf8(told).unwrap());
    played.unwrap_or_else(|error| panic!("{error:#}\n{told}"));
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
    let stage =
        ["drone", "large", "small"].map(|cluster_type| format!("{cluster_type}/hello-world-app-uat-test"));
    assert_eq!(targets("stage"), BTreeSet::from(stage));
    let pulls = platform.gitops.pulls().unwrap();
    assert!(pulls.iter().all(|pull| pull.state == State::Closed && pull.merged.is_some()), "{pulls:?}");
    assert_eq!(pulls.len(), 5);

    assert!(told.lines().all(|line| line.chars().count() <= COLUMNS), "{told}");
    let said = comparable(&told.replace('│', " "), &sandbox.url());
    let mut rest = &*said;
    for line in shown() {
        for part in comparable(line, "").split('…').map(str::trim) {
            let found = rest.find(part).unwrap_or_else(|| panic!("nobody says `{line}` there, but\n{told}"));
            rest = &rest[found + part.len()..];
        }
    }
}

/// The lines of output that the document shows; `…` stands for anything.
fn shown() -> impl Iterator<Item = &'static str> {
    let blocks = DOCUMENT.split("\n```text\n").skip(1).filter_map(|rest| Some(rest.split_once("\n```")?.0));
    blocks.flat_map(str::lines)
}

/// A text without line ends, names of commits, and the sandbox's own address.
fn comparable(text: &str, url: &str) -> String {
    let text = if url.is_empty() { text.to_owned() } else { text.replace(url, "http://127.0.0.1:7990") };
    let is_commit =
        |word: &str| matches!(word.len(), 7 | 40) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = text.split_whitespace().map(|word| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if is_commit(bare) { word.replace(bare, "COMMIT") } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A text without what colours it.
fn plain(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.filter_map(|part| Some(part.split_once('m')?.1)).collect::<String>()
}
