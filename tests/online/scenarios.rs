//! What users walk through, as stories; and every golden case once more, for real.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use kalypso_sandbox::{Merge, Pull, Repository, State};

use super::platform::{Case, Files, Platform, Ran, TRACKED};

/// Golden cases that cannot be run for real, and why.
const OFFLINE_ONLY: &[(&str, &str)] = &[];

/// Scheduling for real gives the bytes that scheduling into a folder gives.
#[test]
fn every_golden_case_gives_the_same_tree_as_offline() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut cases: Vec<String> = fs::read_dir(root).unwrap().map(name).collect();
    cases.sort();
    for (case, why) in OFFLINE_ONLY {
        assert!(!why.is_empty() && cases.iter().any(|known| known == case), "{case}");
    }
    cases.retain(|case| OFFLINE_ONLY.iter().all(|(known, _)| known != case));
    assert!(cases.len() > 40, "{cases:?}");
    let left = Mutex::new(cases.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = { left.lock().unwrap().next() } {
                    let r = std::panic::catch_unwind(|| same_as_offline(&case)); if r.is_err() { eprintln!("FAILED {case}"); }
                }
            });
        }
    });
}

fn same_as_offline(name: &str) {
    let case = Case::new(name);
    let platform = Platform::new(name);
    let branch = &*platform.environment;
    let read = |file: &str| fs::read_to_string(case.folder.join(file)).unwrap_or_default();
    let after = read("after");
    if !after.is_empty() {
        platform.set_gitops(branch, &platform.expected(after.trim()));
    }
    let before = platform.gitops.files(branch).unwrap();
    let mut expected = platform.expected(name);
    if expected.is_empty() || (after.is_empty() && !case.folder.join("current").exists()) {
        expected.extend(before.clone());
    }
    let inputs: Vec<(&str, &str)> = case.arguments().filter(|(name, _)| *name != "repo").collect();
    let ran = platform.schedule(&inputs);
    let exit = read("expected-exit");
    assert_eq!(ran.exit.to_string(), if exit.is_empty() { "0" } else { exit.trim() }, "{name}: {}", ran.stderr);
    assert_eq!(held(&ran), held_offline(&read("expected-held")), "{name}");
    assert_eq!(platform.gitops.files(branch).unwrap(), before, "{name}: nobody has merged");
    let pull = open_pull(&platform.gitops, branch);
    let proposed = pull.as_ref().map_or(branch, |pull| &pull.head);
    assert_same(name, &platform.gitops.files(proposed).unwrap(), &expected);
    assert_eq!(pull.is_some(), expected != before, "{name}: a pull request");
    let promotes = expected.get(TRACKED) != before.get(TRACKED);
    assert_eq!(pull.is_some_and(|pull| pull.labels == ["promoted"]), promotes, "{name}: the label");
    let again = platform.schedule(&inputs);
    assert_eq!((again.exit, again.writes()), (ran.exit, 0), "{name}: {}", again.stdout);
}

/// Targets that the report calls held, with their cluster types.
fn held(ran: &Ran) -> BTreeSet<String> {
    let report = ran.report.as_ref().expect("a report");
    let text = |held: &serde_json::Value, key: &str| held[key].as_str().expect("a name").to_owned();
    let held = report["held"].as_array().expect("a list").iter();
    held.map(|held| format!("{} {}", text(held, "deploymentTarget"), text(held, "clusterType"))).collect()
}

/// The same in a golden case, where the reasons follow.
fn held_offline(text: &str) -> BTreeSet<String> {
    text.lines().map(|line| line.split_once(':').expect("a reason").0.to_owned()).collect()
}

/// The open pull request to a branch; there is never more than one.
#[track_caller]
fn open_pull(repository: &Repository, base: &str) -> Option<Pull> {
    let mut pulls = repository.pulls().unwrap();
    pulls.retain(|pull| pull.state == State::Open && pull.base == base);
    assert!(pulls.len() < 2, "{pulls:?}");
    pulls.pop()
}

/// Says which files differ instead of printing both trees.
#[track_caller]
fn assert_same(what: &str, actual: &Files, expected: &Files) {
    let paths: BTreeSet<&String> = actual.keys().chain(expected.keys()).collect();
    let text = |files: &Files, path| files.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    for path in paths {
        assert_eq!(text(actual, path), text(expected, path), "{what}: {path}");
    }
}
