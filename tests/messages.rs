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

#[path = "support/cases.rs"]
mod cases;
mod support;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cases::{Case, Step};
use support::{Files, Ran, Scratch, files_below};

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
    let scratch = Scratch::new();
    scratch.write("", &PLATFORM);
    let ran = scratch.run(&schedule(&["--out", "out"]), &[]);
    assert_eq!((ran.exit, &*ran.stderr), (0, ""), "the platform has no mistake");
    let mut files = scratch.read("out");
    assert_eq!(files.len(), 5, "three manifests, a README and the tracking");
    files.insert(REMOVED_BY_ANY_WRITE.to_owned(), b"old\n".to_vec());
    files
});

fn messages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages")
}

fn schedule<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["schedule", "--offline", "--environment", "dev"], &SOURCES[..], more].concat()
}

/// A platform with one mistake.
struct Broken(Scratch);

impl Broken {
    fn new() -> Broken {
        let scratch = Scratch::new();
        scratch.write("", &PLATFORM);
        scratch.write("out", &EARLIER);
        Broken(scratch)
    }

    fn write(self, path: &str, bytes: &[u8]) -> Broken {
        self.0.write("", &Files::from([(path.to_owned(), bytes.to_vec())]));
        self
    }

    /// Replaces the lines `old` of a file, which must stand there once; without `old`, the whole file.
    fn edit(self, path: &str, old: &[&str], new: &[&str]) -> Broken {
        self.0.edit(path, old, new);
        self
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

/// Makes the mistake of a case and runs.
fn run(case: &Case<'_>) -> Ran {
    let mut broken = Broken::new();
    let mut arguments = schedule(&["--out", "out"]);
    let mut variables = Vec::new();
    for step in case.steps() {
        match step {
            Step::In { path, old, new } => broken = broken.edit(path, &old, &new),
            Step::Line("env", pair) => variables.push(pair.split_once('=').expect("NAME=VALUE")),
            Step::Line("run", line) => {
                let expand = |word| if word == "…" { SOURCES.to_vec() } else { vec![word] };
                arguments = line.split_whitespace().flat_map(expand).collect();
                // Tests reach nobody.
                if arguments.first() == Some(&"schedule") {
                    arguments.insert(1, "--offline");
                }
            }
            step => panic!("what is `{step:?}`?"),
        }
    }
    broken.run(&arguments, &variables)
}

/// Runs the cases of a text file.
fn cases(name: &str) {
    cases::cases(&messages().join(name), run);
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
fn on_a_terminal() {
    cases("terminal.txt");
}

#[test]
fn colours() {
    let broken = || Broken::new().edit("plane/large.yaml", &["    size: large"], &["    size: 3"]);
    let forced = ("CLICOLOR_FORCE", "1");
    let cases: [(&[(&str, &str)], bool, &str); 4] = [
        (&[], false, "a log"),
        (&[forced], true, "a terminal"),
        (&[forced, ("NO_COLOR", "1")], false, "one whose owner wants none"),
        (&[forced, ("TERM", "dumb")], false, "one that shows none"),
    ];
    for (variables, want, why) in cases {
        let ran = broken().run(&schedule(&["--out", "out"]), variables);
        assert_eq!(ran.stderr.contains('\u{1b}'), want, "{why}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{why}");
    }
}

/// What is wrong with a file's bytes, its name or its size: a new file of the control plane, and what is said.
#[test]
fn odd_content() {
    let nested = format!("a: {}", "[".repeat(100_000));
    let comment = vec![b'#'; 8_388_609];
    let bomb = alias_bomb();
    let cases: [(&str, &[u8], &str, &str); 10] = [
        (
            "x.yaml",
            b"a: 1\nb: c\xfc\n",
            "x.yaml:2:5: error: not UTF-8 text\n  help: save the file as UTF-8\n",
            "Latin-1",
        ),
        (
            "x.yaml",
            b"\xff\xfea\0:\0",
            "x.yaml:1:1: error: not UTF-8 text\n  help: save the file as UTF-8\n",
            "UTF-16",
        ),
        (
            "x.yaml",
            b"a: \0\n",
            "x.yaml:1:4: error: not YAML: control characters are not allowed\n  \
             help: check the indentation and the quotes of this line and the one before it\n",
            "a zero byte",
        ),
        (
            "x.yaml",
            &comment,
            "x.yaml:1:1: error: the file has 8388609 bytes; at most 8388608 are read\n  \
             help: split it, or exclude it with a `.sourceignore`\n",
            "one byte too large",
        ),
        (
            "x.yaml",
            nested.as_bytes(),
            "x.yaml:1:104: error: not YAML: nested deeper than 100 levels\n  \
             help: write it flatter\n",
            "100,000 brackets",
        ),
        (
            "x.yaml",
            bomb.as_bytes(),
            "x.yaml:7:8: error: not YAML: more than 1000000 nodes\n  \
             help: write it without so many aliases, or split the file\n",
            "aliases of aliases",
        ),
        (
            "x.yaml",
            b"a: &a [*a]\n",
            "x.yaml:1:8: error: not YAML: anchor 'a' value contains itself\n  \
             help: check the indentation and the quotes of this line and the one before it\n",
            "an alias of what it stands in",
        ),
        (
            "-a b\u{fc}.yaml",
            b"a: [\n",
            "-a b\u{fc}.yaml:2:1: error: not YAML: did not find expected node content\n  \
             help: check the indentation and the quotes of this line and the one before it\n",
            "a name with a dash, a space and an umlaut",
        ),
        (
            "\u{1b}[31m.yaml",
            b"a: [\n",
            "\u{fffd}[31m.yaml:2:1: error: not YAML: did not find expected node content\n  \
             help: check the indentation and the quotes of this line and the one before it\n",
            "a name that would colour the terminal",
        ),
        (
            "new\nline.yaml",
            b"a: [\n",
            "new line.yaml:2:1: error: not YAML: did not find expected node content\n  \
             help: check the indentation and the quotes of this line and the one before it\n",
            "a name of two lines",
        ),
    ];
    for (name, bytes, want, why) in cases {
        let ran = Broken::new().write(&format!("plane/{name}"), bytes).run(&schedule(&["--out", "out"]), &[]);
        let want = format!("{want}error: the control plane has 1 error; nothing is written\n");
        assert_eq!((ran.exit, &*ran.stderr, &*ran.stdout), (1, &*want, ""), "{why}");
    }
}

/// Ten lines that stand for 9^10 nodes.
fn alias_bomb() -> String {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (last, name) in ('a'..='i').zip('b'..='j') {
        let items = vec![format!("*{last}"); 9].join(", ");
        let _ = writeln!(text, "{name}: &{name} [{items}]");
    }
    text
}

/// What large.yaml would look like if an editor on Windows had saved it: that is no mistake.
#[test]
fn byte_order_mark_and_carriage_returns() {
    let text = String::from_utf8(PLATFORM["plane/large.yaml"].clone()).unwrap();
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let broken = Broken::new().write("plane/large.yaml", windows.as_bytes());
    let ran = broken.run(&schedule(&["--out", "out"]), &[]);
    assert_eq!((ran.exit, &*ran.stderr), (0, ""));
    let mut want = EARLIER.clone();
    want.remove(REMOVED_BY_ANY_WRITE);
    assert!(broken.0.read("out") == want);
}

#[test]
fn empty_folders() {
    let cases: [(&str, Files, &str); 3] = [
        ("nothing", Files::new(), "an empty folder"),
        ("text", Files::from([("README.md".into(), b"# dev\n".to_vec())]), "no YAML"),
        (
            "foreign",
            Files::from([("a.yaml".into(), b"apiVersion: v1\nkind: Secret\n".to_vec())]),
            "no object of ours",
        ),
    ];
    let want = "error: the control plane holds no objects at all\n  \
                help: name the folder that holds the cluster types and policies of `dev`\n\
                error: the control plane has 1 error; nothing is written\n";
    for (folder, files, why) in cases {
        let broken = Broken::new();
        fs::create_dir(broken.0.path(folder)).unwrap();
        broken.0.write(folder, &files);
        let ran =
            broken.run(&["schedule", "--environment", "dev", "--control-plane", folder, "--out", "out"], &[]);
        assert_eq!((ran.exit, &*ran.stderr, &*ran.stdout), (1, want, ""), "{why}");
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Links in the control plane: where one stands, where it leads, and what is said.
    #[test]
    fn links_that_are_read() {
        let link = |path: &str| {
            format!(
                "{path}:1:1: warning: a symbolic link is not followed\n  \
                 help: put the file itself there; clusters do not follow links either\n"
            )
        };
        let cases = [
            ("plane/link.yaml", "../outside.yaml", link("link.yaml"), "out of the folder"),
            ("plane/link.yaml", "policy.yaml", link("link.yaml"), "inside of it"),
            ("plane/link.yaml", "link.yaml", link("link.yaml"), "to itself"),
            ("plane/link.yaml", "nowhere", link("link.yaml"), "to nowhere"),
            ("app/link.yaml", "/etc/hostname", link("app/link.yaml"), "from an application"),
            ("plane/more", "../base", link("more"), "to a folder"),
            ("plane/again", ".", link("again"), "to the folder itself"),
            ("plane/notes.txt", "../outside.yaml", String::new(), "a file that would not be read either"),
        ];
        for (path, target, want, why) in cases {
            let broken = Broken::new().write("outside.yaml", &PLATFORM["plane/large.yaml"]);
            symlink(target, broken.0.path(path)).unwrap();
            let ran = broken.run(&schedule(&["--out", "out"]), &[]);
            assert_eq!((ran.exit, &*ran.stderr), (0, &*want), "{why}");
        }
    }

    /// Links and folders in `--out` where the run has to write: nothing may be written through them, or by halves.
    #[test]
    fn what_is_in_the_way() {
        type InTheWay = (&'static str, Option<&'static str>);
        let cases: [(InTheWay, &str); 6] = [
            (("large", Some("../elsewhere")), "a link where a cluster type's folder belongs"),
            ((".github", Some("../elsewhere")), "a link where the tracking belongs"),
            ((".github/tracking", Some("../../elsewhere")), "a link inside"),
            (("large/README.md", None), "a folder where a file belongs"),
            (("large/shop-test/reconciler.yaml", None), "a folder where a manifest belongs"),
            ((".github/tracking/assignments/large", None), "a folder where the tracking's file belongs"),
        ];
        for ((path, link), why) in cases {
            let broken = Broken::new();
            let place = broken.0.path("out").join(path);
            fs::create_dir(broken.0.path("elsewhere")).unwrap();
            if place.is_dir() {
                fs::remove_dir_all(&place).unwrap();
            } else {
                fs::remove_file(&place).unwrap();
            }
            match link {
                Some(target) => symlink(target, &place).unwrap(),
                None => {
                    fs::create_dir(&place).unwrap();
                    fs::write(place.join("mine.txt"), "mine").unwrap();
                }
            }
            let before = broken.0.read("out");
            let ran = broken.0.run(&schedule(&["--out", "out"]), &[]);
            assert_eq!(broken.0.read("elsewhere"), Files::new(), "{why}: written through a link");
            let after = broken.0.read("out");
            let is_whole = EARLIER
                .iter()
                .filter(|(path, _)| *path != REMOVED_BY_ANY_WRITE)
                .all(|(path, bytes)| after.get(path) == Some(bytes));
            match ran.exit {
                0 => assert!(
                    is_whole && !after.contains_key(REMOVED_BY_ANY_WRITE),
                    "{why}: {:?}",
                    after.keys()
                ),
                _ => {
                    assert_eq!(ran.exit, 1, "{why}: {}", ran.stderr);
                    assert!(after == before, "{why}: half a tree: {:?}", after.keys());
                    assert!(ran.stderr.contains(path), "{why}: {}", ran.stderr);
                }
            }
        }
    }

    #[test]
    fn names_that_are_not_utf_8() {
        let broken = Broken::new();
        fs::write(broken.0.path("plane").join(OsStr::from_bytes(b"\xff.yaml")), "a: 1\n").unwrap();
        let ran = broken.run(&schedule(&["--out", "out"]), &[]);
        let want = "\u{fffd}.yaml:1:1: error: cannot be read: its name is not UTF-8\n\
                    error: the control plane has 1 error; nothing is written\n";
        assert_eq!((ran.exit, &*ran.stderr), (1, want));
    }
}

/// No text from a repository may look like a command to GitHub, which reads commands from lines that begin with `::`.
#[test]
fn no_line_begins_with_a_command() {
    let forged = "\"x\\n::error::forged\\r::error::forged\\u2028::error::forged\"";
    let cases = [
        ("plane/large.yaml", "  name: large", format!("  name: {forged}"), "an error"),
        ("app/workload.yaml", "        purpose: test", format!("        {forged}: test"), "what is held"),
        ("plane/large.yaml", "  configType: values", format!("  {forged}: values"), "a warning"),
        (
            "base/templates/flux.yaml",
            "        path: {{ .Manifests.path }}",
            "        {{ fail \"\\n::error::forged\" }}".into(),
            "what a template says",
        ),
        (
            "plane/schema.yaml",
            "      \"required\": [\"REGION\"],",
            "      \"required\": [\"\\n::error::forged\"],".into(),
            "what a schema says",
        ),
    ];
    for (path, old, new, why) in cases {
        let ran = Broken::new().edit(path, &[old], &[&new]).run(&schedule(&["--out", "out"]), &[]);
        let said = format!("{}{}", ran.stderr, ran.stdout);
        assert!(said.contains("forged"), "{why} shows what is wrong: {said}");
        assert!(
            !said.split(['\n', '\r', '\u{2028}']).any(|line| line.trim_start().starts_with("::")),
            "{why}: {said}"
        );
    }
    let ran =
        Broken::new().write("plane/::error::forged.yaml", b"a: [").run(&schedule(&["--out", "out"]), &[]);
    assert!(ran.stderr.contains("forged.yaml:1:5") && !ran.stderr.starts_with("::"), "{}", ran.stderr);
}

#[test]
fn every_file_of_cases_is_run() {
    let source = include_str!("messages.rs");
    for path in files_below(&messages()).keys().filter(|path| path.ends_with(".txt")) {
        assert!(source.contains(&format!("cases(\"{path}\")")), "{path}");
    }
}
