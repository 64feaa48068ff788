//! What people read when something is wrong: every mistake with the exact text that it gives.
//!
//! `tests/messages/platform` is a small platform without mistakes. Each case of `tests/messages/*.txt`
//! makes one in it and runs the real binary:
//!
//! ```text
//! === what is wrong
//! in plane/large.yaml        the file to change; `-` lines are replaced by `+` lines,
//! -     size: large          and without `-` lines the `+` lines are the whole file
//! +     size: 3
//! env NAME=VALUE             an environment variable
//! run schedule …             the arguments; `…` is where the platform's three folders are
//! exit 1
//! standard error, exactly
//! stdout
//! standard output, exactly; without this part it is not looked at, and empty if the run fails
//! ```
//!
//! `BLESS=1` writes what the binary says now into the files; then read the difference.

mod support;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use support::{Files, Ran, Sandbox, files_below};

const SOURCES: [&str; 6] = [
    "--control-plane",
    "plane",
    "--repo",
    "https://github.com/contoso/platform=base",
    "--repo",
    "https://github.com/contoso/shop=app",
];

/// A file that a run removes as soon as it writes anything: nothing knows the cluster type `small`.
const REMOVED_BY_ANY_WRITE: &str = "small/shop-test/reconciler.yaml";

static PLATFORM: LazyLock<Files> = LazyLock::new(|| files_below(&messages().join("platform")));

/// What a run without mistakes writes, and a file that the next one removes.
static EARLIER: LazyLock<Files> = LazyLock::new(|| {
    let sandbox = Sandbox::new();
    sandbox.write("", &PLATFORM);
    let ran = sandbox.run(&schedule(&["--out", "out"]), &[]);
    assert_eq!((ran.exit, &*ran.stderr), (0, ""), "the platform has no mistake");
    let mut files = sandbox.read("out");
    assert_eq!(files.len(), 5, "three manifests, a README and the tracking");
    files.insert(REMOVED_BY_ANY_WRITE.to_owned(), b"old\n".to_vec());
    files
});

fn messages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages")
}

fn schedule<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["schedule", "--environment", "dev"], &SOURCES[..], more].concat()
}

/// A platform with one mistake.
struct Broken(Sandbox);

impl Broken {
    fn new() -> Broken {
        let sandbox = Sandbox::new();
        sandbox.write("", &PLATFORM);
        sandbox.write("out", &EARLIER);
        Broken(sandbox)
    }

    fn write(self, path: &str, bytes: &[u8]) -> Broken {
        self.0.write("", &Files::from([(path.to_owned(), bytes.to_vec())]));
        self
    }

    /// Replaces the lines `old` of a file, which must stand there once; without `old`, the whole file.
    fn edit(self, path: &str, old: &[&str], new: &[&str]) -> Broken {
        let lines = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let (old, new) = (lines(old), lines(new));
        if old.is_empty() {
            return self.write(path, new.as_bytes());
        }
        let text = format!("\n{}", fs::read_to_string(self.0.path(path)).expect("the file to change"));
        let old = format!("\n{old}");
        assert_eq!(text.matches(&old).count(), 1, "{path} must have once:{old}");
        let text = text.replacen(&old, &format!("\n{new}"), 1);
        self.write(path, &text.as_bytes()[1..])
    }

    /// Runs, and makes sure that a failed run wrote nothing and that what is held kept its bytes.
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let ran = self.0.run(arguments, variables);
        let left = self.0.read("out");
        if ran.exit != 0 {
            assert!(left == *EARLIER, "a failed run changed the tree: {:?}", left.keys());
        } else if arguments.contains(&"--out") {
            assert!(!left.contains_key(REMOVED_BY_ANY_WRITE), "a run that succeeds writes");
        }
        if ran.stdout.contains("held: shop-test on large") {
            let target = |files: &Files| -> Files {
                files
                    .iter()
                    .filter(|(path, _)| path.starts_with("large/shop-test/"))
                    .map(|(path, bytes)| (path.clone(), bytes.clone()))
                    .collect()
            };
            assert!(target(&left) == target(&EARLIER), "what is held keeps its bytes");
        }
        ran
    }
}

/// A case of a text file: the lines that say what to do, and what is to be read afterwards.
struct Case<'a> {
    setup: Vec<&'a str>,
    want: String,
}

impl<'a> Case<'a> {
    fn new(text: &'a str) -> Case<'a> {
        let mut lines = text.lines();
        let setup: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("exit ")).collect();
        let want = text.split_once("\nexit ").map_or("", |(_, want)| want);
        Case { setup, want: format!("exit {want}") }
    }

    fn run(&self) -> Ran {
        let mut broken = Broken::new();
        let mut arguments = schedule(&["--out", "out"]);
        let mut variables = Vec::new();
        let mut lines = self.setup.iter().skip(1).copied().peekable();
        while let Some(line) = lines.next() {
            match line.split_once(' ').unwrap_or((line, "")) {
                ("in", path) => {
                    let mut marked = |mark: char| {
                        let mut found = Vec::new();
                        while let Some(line) = lines.next_if(|line| line.starts_with(mark)) {
                            found.push(line.get(2..).unwrap_or_default());
                        }
                        found
                    };
                    let (old, new) = (marked('-'), marked('+'));
                    broken = broken.edit(path, &old, &new);
                }
                ("env", pair) => variables.push(pair.split_once('=').expect("NAME=VALUE")),
                ("run", line) => {
                    let expand = |word| if word == "…" { SOURCES.to_vec() } else { vec![word] };
                    arguments = line.split_whitespace().flat_map(expand).collect();
                }
                _ => panic!("what is `{line}`?"),
            }
        }
        broken.run(&arguments, &variables)
    }

    /// What a run said, as far as this case looks at it.
    fn said(&self, ran: &Ran) -> String {
        let mut said = format!("exit {}\n{}", ran.exit, ran.stderr);
        let looks_at_stdout = self.want.contains("\nstdout") || (ran.exit != 0 && !ran.stdout.is_empty());
        if looks_at_stdout {
            let _ = write!(said, "stdout\n{}", ran.stdout);
        }
        said
    }
}

/// Runs the cases of a text file.
fn cases(name: &str) {
    let path = messages().join(name);
    let text = fs::read_to_string(&path).expect("the cases");
    let mut blessed = String::new();
    let mut failed = String::new();
    let mut count = 0;
    for text in text.split("=== ").skip(1) {
        let case = Case::new(text.trim_end());
        let said = case.said(&case.run());
        let _ = write!(
            blessed,
            "{}=== {}\n{said}",
            if blessed.is_empty() { "" } else { "\n" },
            case.setup.join("\n")
        );
        if said.trim_end() != case.want {
            let _ = write!(failed, "\n{name}: {}\nwant:\n{}\ngot:\n{said}", case.setup[0], case.want);
        }
        count += 1;
    }
    assert!(count > 0, "{name} has no cases");
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, blessed).expect("the blessed cases");
    } else {
        assert!(failed.is_empty(), "{failed}");
    }
}

#[test]
fn objects() {
    cases("objects.txt");
}

#[test]
fn selectors_and_labels() {
    cases("selectors.txt");
}

#[test]
fn templates() {
    cases("templates.txt");
}

#[test]
fn schemas() {
    cases("schemas.txt");
}

#[test]
fn applications() {
    cases("applications.txt");
}

#[test]
fn files() {
    cases("files.txt");
}

#[test]
fn usage() {
    cases("usage.txt");
}

#[test]
fn what_has_no_effect() {
    cases("no-effect.txt");
}

#[test]
fn every_file_of_cases_is_run() {
    let source = include_str!("messages.rs");
    for path in files_below(&messages()).keys().filter(|path| path.ends_with(".txt")) {
        assert!(source.contains(&format!("cases(\"{path}\")")), "{path}");
    }
}
