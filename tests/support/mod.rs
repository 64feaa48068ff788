//! A folder to run the real binary in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A temporary folder; every run has it as its working directory, so that messages have no machine paths.
pub(crate) struct Scratch(tempfile::TempDir);

/// How a run ended and what it said.
#[derive(Debug, PartialEq)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Files by path, `/` between the parts.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

impl Scratch {
    pub(crate) fn new() -> Scratch {
        Scratch(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside)
    }

    /// Writes `files` below `folder`; what is there already stays.
    pub(crate) fn write(&self, folder: &str, files: &Files) {
        for (path, bytes) in files {
            let path = self.path(folder).join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for the file");
            fs::write(path, bytes).expect("a file");
        }
    }

    /// Replaces the lines `old` of a file, which must stand there once; without `old`, the whole file.
    #[allow(dead_code, reason = "not every test binary changes single lines")]
    pub(crate) fn edit(&self, path: &str, old: &[&str], new: &[&str]) {
        let lines = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let (old, new) = (lines(old), lines(new));
        let text = if old.is_empty() {
            new
        } else {
            let text = format!("\n{}", fs::read_to_string(self.path(path)).expect("the file to change"));
            let old = format!("\n{old}");
            assert_eq!(text.matches(&old).count(), 1, "{path} must have once:{old}");
            text.replacen(&old, &format!("\n{new}"), 1)[1..].to_owned()
        };
        self.write("", &Files::from([(path.to_owned(), text.into_bytes())]));
    }

    /// Every file below `folder`; nothing if it is not there.
    #[allow(dead_code, reason = "not every test binary looks at what was written")]
    pub(crate) fn read(&self, folder: &str) -> Files {
        files_below(&self.path(folder))
    }

    /// Runs `kalypso` with these arguments, and with no environment but `variables`.
    pub(crate) fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_kalypso"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_clear()
            .envs(variables.iter().copied())
            .output()
            .expect("the binary starts");
        let text = |bytes| String::from_utf8(bytes).expect("what people read is UTF-8");
        let ran = Ran {
            exit: output.status.code().expect("it ends by itself"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        ran
    }
}

/// Every file below `folder`; links are not followed.
pub(crate) fn files_below(folder: &Path) -> Files {
    let mut files = Files::new();
    let Ok(entries) = fs::read_dir(folder) else { return files };
    for entry in entries {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().expect("its type");
        if kind.is_dir() {
            files.extend(
                files_below(&entry.path()).into_iter().map(|(path, bytes)| (format!("{name}/{path}"), bytes)),
            );
        } else if kind.is_file() {
            files.insert(name, fs::read(entry.path()).expect("its content"));
        }
    }
    files
}
