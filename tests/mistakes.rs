//! What people do wrong, and whether they are told where: a corpus of mistakes on the example platform.
//!
//! Each case of `tests/mistakes/*.txt` makes one mistake in `examples/` and runs the real binary. The cases were
//! written before anyone looked at what is said about them:
//!
//! ```text
//! === what a person did
//! in control-plane/cluster-types/large.yaml
//! -     size: large          the file to change; `-` lines are replaced by `+` lines
//! +     size: 3
//! move OLD NEW               a file that has another name
//! at cluster-types/large.yaml:7:11
//!                            where the mistake is: a problem must stand exactly there, with a next move
//! named PLACE                instead of `at`, where a mistake has two ends and either may be the wrong one:
//!                            a problem stands at the other end and names this place
//! silent REASON              instead of `at`: nothing is said, for this reason
//! exit 1
//! standard error of `validate`, exactly
//! ```
//!
//! `BLESS=1` writes what the binary says now into the files; then read the difference.

#[path = "support/cases.rs"]
mod cases;
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use cases::{Case, Step};
use support::{Ran, Scratch, files_below};

const FOLDERS: [&str; 3] = ["control-plane", "base", "applications"];

const VALIDATE: [&str; 9] = [
    "validate",
    "--environment",
    "dev",
    "--control-plane",
    "control-plane",
    "--repo",
    "https://github.com/contoso/control-plane=base",
    "--repo",
    "https://github.com/contoso/applications=applications",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes")
}

/// Makes the mistake of a case, runs, and looks whether it is told as the case wants it.
fn run(case: &Case<'_>) -> Ran {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let scratch = Scratch::new();
    FOLDERS.iter().for_each(|folder| scratch.write(folder, &files_below(&examples.join(folder))));
    let mut wanted = None;
    for step in case.steps() {
        match step {
            Step::In { path, old, new } => scratch.edit(path, &old, &new),
            Step::Line("move", paths) => {
                let (old, new) = paths.split_once(' ').expect("two paths");
                fs::rename(scratch.path(old), scratch.path(new)).expect("the file to move");
            }
            Step::Line(how @ ("at" | "named" | "silent"), place) => wanted = Some((how, place)),
            step => panic!("what is `{step:?}`?"),
        }
    }
    let ran = scratch.run(&VALIDATE, &[]);
    let said = &ran.stderr;
    let is_told = match wanted {
        Some(("at", place)) => problems(said).any(|(head, help)| is_at(head, place) && help.is_some()),
        Some(("named", place)) => {
            problems(said).any(|(head, help)| format!("{head} {}", help.unwrap_or_default()).contains(place))
        }
        Some((_, reason)) => !reason.is_empty() && said.is_empty(),
        None => false,
    };
    assert!(is_told, "{}: wanted {wanted:?}\n{said}", case.title());
    ran
}

/// The lines of each problem: what is wrong, and what to do about it.
fn problems(said: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let next = said.lines().skip(1).map(Some).chain([None]);
    let is_help = |line: &str| line.starts_with("  help: ");
    said.lines()
        .zip(next)
        .filter(move |(head, _)| !is_help(head))
        .map(move |(head, next)| (head, next.filter(|next| is_help(next))))
}

fn is_at(head: &str, place: &str) -> bool {
    let rest = head.strip_prefix(place).unwrap_or_default();
    rest.starts_with(": error: ") || rest.starts_with(": warning: ")
}

fn cases(name: &str) {
    let count = cases::cases(&folder().join(name), run);
    assert!(count >= 10, "{name} has {count} cases");
}

#[test]
fn yaml() {
    cases("yaml.txt");
}

#[test]
fn objects() {
    cases("objects.txt");
}

#[test]
fn scheduling() {
    cases("scheduling.txt");
}

#[test]
fn pointers() {
    cases("pointers.txt");
}

#[test]
fn config_and_schemas() {
    cases("config.txt");
}

#[test]
fn templates() {
    cases("templates.txt");
}

#[test]
fn every_file_of_cases_is_run() {
    let source = include_str!("mistakes.rs");
    for path in files_below(&folder()).keys() {
        assert!(source.contains(&format!("cases(\"{path}\")")), "{path}");
    }
}
