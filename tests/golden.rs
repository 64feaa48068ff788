//! Golden cases: the real binary on small control planes, compared with the exact tree that must come out.
//!
//! A case is a folder of `tests/golden/`:
//!
//! | file or folder | meaning |
//! |---|---|
//! | `about` | given, when, then, and the rule |
//! | `arguments` | one a line, besides `--control-plane`, `--out` and `--report` |
//! | `control-plane/` | the environment's branch; other folders are what `--repo` arguments name |
//! | `current/` | what `--out` holds before; or `after`: the earlier case whose expected tree it holds |
//! | `expected/` | what it holds afterwards; absent: nothing |
//! | `expected-changes` | the files that differ, with lines removed and added; absent: none |
//! | `expected-held` | what the report calls held, and why; absent: nothing |
//! | `expected-problems` | the report's other problems; absent: none |
//! | `expected-exit` | the exit code, if it is not 0 |
//!
//! `BLESS=1 cargo test --test golden` rewrites what is expected; read the difference before you keep it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use report::{ChangeKind, ProblemReport, Report, SeverityReport};

type Files = BTreeMap<String, Vec<u8>>;

#[test]
fn golden() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(&root)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    folders.sort();
    assert!(!folders.is_empty(), "there are cases");
    let mut failures = String::new();
    for folder in folders {
        let name = folder.strip_prefix(&root)?.display();
        let result = Case::read(&folder).and_then(|case| case.check());
        if let Err(error) = result.with_context(|| format!("case {name}")) {
            writeln!(failures, "\n{error:#}")?;
        }
    }
    assert!(failures.is_empty(), "{failures}");
    Ok(())
}

struct Case {
    folder: PathBuf,
    arguments: Vec<String>,
    current: Files,
}

/// What a run left behind.
struct Run {
    exit: i32,
    report: Report,
    tree: Files,
}

impl Case {
    fn read(folder: &Path) -> Result<Case> {
        let about = fs::read_to_string(folder.join("about")).context("about")?;
        ensure!(!about.trim().is_empty(), "`about` says nothing");
        let arguments = fs::read_to_string(folder.join("arguments")).context("arguments")?;
        let current = match fs::read_to_string(folder.join("after")) {
            Ok(other) => {
                let other = folder.with_file_name(other.trim());
                ensure!(other.is_dir() && other < *folder, "`after` names no earlier case");
                other.join("expected")
            }
            Err(_) => folder.join("current"),
        };
        Ok(Case {
            folder: folder.to_owned(),
            arguments: arguments.lines().map(str::to_owned).collect(),
            current: files(&current)?,
        })
    }

    fn check(&self) -> Result<()> {
        let scratch = tempfile::tempdir()?;
        let (one, four) = (scratch.path().join("one"), scratch.path().join("four"));
        write(&one, &self.current)?;
        write(&four, &self.current)?;
        let first = self.run(&one, 1)?;
        self.check_expected(&first)?;

        let parallel = self.run(&four, 4)?;
        ensure!(first.report == parallel.report, "the report differs with four threads");
        same_files(&first.tree, &parallel.tree).context("the tree differs with four threads")?;

        let before = stamps(&one)?;
        let again = self.run(&one, 4)?;
        ensure!(again.exit == first.exit, "the second run ends with {}", again.exit);
        ensure!(stamps(&one)? == before, "the second run writes again");
        ensure!(again.report.held == first.report.held, "the second run holds something else");
        let wrote = first.tree != self.current;
        ensure!(
            !wrote || again.report.changes.is_empty(),
            "the second run reports changes: {:?}",
            again.report.changes
        );
        Ok(())
    }

    fn run(&self, out: &Path, threads: usize) -> Result<Run> {
        let report = out.with_extension("json");
        let Output { status, stderr, .. } = Command::new(env!("CARGO_BIN_EXE_kalypso"))
            .current_dir(&self.folder)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("RAYON_NUM_THREADS", threads.to_string())
            .args(["schedule", "--offline", "--control-plane=control-plane"])
            .args(&self.arguments)
            .arg("--out")
            .arg(out)
            .arg("--report")
            .arg(&report)
            .output()?;
        let stderr = String::from_utf8_lossy(&stderr);
        ensure!(!stderr.contains("panicked"), "{stderr}");
        let exit = status.code().context("it was killed")?;
        let text = fs::read(&report).with_context(|| format!("no report, exit code {exit}: {stderr}"))?;
        Ok(Run { exit, report: serde_json::from_slice(&text)?, tree: files(out)? })
    }

    fn check_expected(&self, run: &Run) -> Result<()> {
        if run.tree != self.current {
            ensure!(
                reported_paths(&run.report) == changed_paths(&self.current, &run.tree),
                "the report names other changes"
            );
        }
        let notes = [
            ("expected-exit", if run.exit == 0 { String::new() } else { format!("{}\n", run.exit) }),
            ("expected-held", held(&run.report)),
            ("expected-problems", run.report.problems.iter().map(problem).collect()),
            ("expected-changes", changes(&self.current, &run.tree)),
        ];
        if std::env::var_os("BLESS").is_some() {
            return self.bless(run, &notes);
        }
        let mut differences = String::new();
        for (name, text) in &notes {
            let expected = fs::read_to_string(self.folder.join(name)).unwrap_or_default();
            if expected != *text {
                writeln!(differences, "{name}:\n{}", difference(&expected, text))?;
            }
        }
        if let Err(error) = same_files(&files(&self.folder.join("expected"))?, &run.tree) {
            write!(differences, "{error}")?;
        }
        ensure!(differences.is_empty(), "{differences}");
        Ok(())
    }

    fn bless(&self, run: &Run, notes: &[(&str, String)]) -> Result<()> {
        let expected = self.folder.join("expected");
        if expected.exists() {
            fs::remove_dir_all(&expected)?;
        }
        write(&expected, &run.tree)?;
        for (name, text) in notes {
            let path = self.folder.join(name);
            match text.is_empty() {
                true if path.exists() => fs::remove_file(path)?,
                true => {}
                false => fs::write(path, text)?,
            }
        }
        Ok(())
    }
}

fn held(report: &Report) -> String {
    let lines = report.held.iter().flat_map(|held| {
        held.problems
            .iter()
            .map(move |cause| format!("{} {}: {}", held.deployment_target, held.cluster_type, problem(cause)))
    });
    lines.collect()
}

fn problem(problem: &ProblemReport) -> String {
    let severity = match problem.severity {
        SeverityReport::Error => "error",
        SeverityReport::Warning => "warning",
    };
    let place = match (&problem.file, problem.line, problem.column) {
        (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}: "),
        _ => String::new(),
    };
    format!("{place}{severity}: {}\n", problem.message.lines().next().unwrap_or_default())
}

fn reported_paths(report: &Report) -> Vec<(String, &'static str)> {
    let word = |change| match change {
        ChangeKind::Added => "added",
        ChangeKind::Modified => "modified",
        ChangeKind::Removed => "removed",
    };
    report.changes.iter().map(|change| (change.path.clone(), word(change.change))).collect()
}

fn changed_paths(before: &Files, after: &Files) -> Vec<(String, &'static str)> {
    let mut changed = BTreeMap::new();
    changed.extend(
        before.keys().filter(|path| !after.contains_key(*path)).map(|path| (path.clone(), "removed")),
    );
    for (path, bytes) in after {
        match before.get(path) {
            None => drop(changed.insert(path.clone(), "added")),
            Some(old) if old != bytes => drop(changed.insert(path.clone(), "modified")),
            Some(_) => {}
        }
    }
    changed.into_iter().collect()
}

/// Each file that differs, one a line; of a modified one, how many lines go and come.
fn changes(before: &Files, after: &Files) -> String {
    let mut text = String::new();
    for (path, change) in changed_paths(before, after) {
        text += &format!("{change} {path}");
        if change == "modified" {
            let (old, new) = (lines(&before[&path]), lines(&after[&path]));
            let missing_in = |lines: &[String], others: &[String]| {
                lines.iter().filter(|line| !others.contains(line)).count()
            };
            text += &format!(" -{} +{}", missing_in(&old, &new), missing_in(&new, &old));
        }
        text.push('\n');
    }
    text
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect()
}

/// What differs between two texts: the lines from the first to the last that is not the same.
fn difference(expected: &str, actual: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.split('\n').collect(), actual.split('\n').collect());
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let same_end =
        old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut text = format!("  from line {}:\n", start + 1);
    old[start..old.len() - same_end].iter().for_each(|line| text += &format!("  - {line}\n"));
    new[start..new.len() - same_end].iter().for_each(|line| text += &format!("  + {line}\n"));
    text
}

fn same_files(expected: &Files, actual: &Files) -> Result<()> {
    let mut text = String::new();
    for (path, change) in changed_paths(expected, actual) {
        match change {
            "added" => writeln!(text, "{path} is there and should not be")?,
            "removed" => writeln!(text, "{path} is missing")?,
            _ => {
                let (old, new) =
                    (String::from_utf8_lossy(&expected[&path]), String::from_utf8_lossy(&actual[&path]));
                write!(text, "{path} differs,\n{}", difference(&old, &new))?;
            }
        }
    }
    ensure!(text.is_empty(), "{text}");
    Ok(())
}

/// All files below a folder by path; none if there is no folder.
fn files(folder: &Path) -> Result<Files> {
    let mut found = Files::new();
    for path in paths(folder)? {
        let name = path.strip_prefix(folder)?.to_string_lossy().replace('\\', "/");
        found.insert(name, fs::read(&path)?);
    }
    Ok(found)
}

fn paths(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.exists() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(paths(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}

fn write(folder: &Path, files: &Files) -> Result<()> {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(path, bytes)?;
    }
    Ok(())
}

/// What changes when a file is written again, even with the same content.
#[cfg(unix)]
fn stamps(folder: &Path) -> Result<BTreeMap<PathBuf, (u64, i64, i64)>> {
    use std::os::unix::fs::MetadataExt;
    let stamp = |path: PathBuf| {
        let metadata = fs::metadata(&path)?;
        Ok((path, (metadata.ino(), metadata.mtime(), metadata.mtime_nsec())))
    };
    paths(folder)?.into_iter().map(stamp).collect()
}

/// What changes when a file is written again, even with the same content.
#[cfg(not(unix))]
fn stamps(folder: &Path) -> Result<BTreeMap<PathBuf, std::time::SystemTime>> {
    paths(folder)?.into_iter().map(|path| Ok((path.clone(), fs::metadata(&path)?.modified()?))).collect()
}
