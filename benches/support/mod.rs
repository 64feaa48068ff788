//! A made-up fleet of any size, always the same for the same size, and its way into memory.

#![allow(dead_code, reason = "each benchmark is a program of its own, and needs only some of this")]

mod fleet;
mod random;
mod templates;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ::fleet::{ControlPlane, Diagnostic, FileContent, Snapshot, Source};

pub(crate) use self::fleet::Size;

/// The environment that all of it is for.
pub(crate) const ENVIRONMENT: &str = "dev";

/// Files by path.
pub(crate) type Files = BTreeMap<String, String>;

/// Writes files into an existing folder.
pub(crate) fn write(folder: &Path, files: &Files) {
    for (path, text) in files {
        fs::write(folder.join(path), text).expect("a file can be written");
    }
}

/// Reads a folder without folders in it.
pub(crate) fn read(folder: &Path) -> Source {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().expect("a name that is UTF-8");
        (name, FileContent::Bytes(fs::read(entry.path()).expect("a file").into()))
    };
    Source { prefix: "".into(), files: entries.map(file).collect() }
}

/// The source that [`read`] would give for these files.
pub(crate) fn source(files: &Files) -> Source {
    let content = |text: &String| FileContent::Bytes(text.as_bytes().into());
    Source {
        prefix: "".into(),
        files: files.iter().map(|(path, text)| (path.clone(), content(text))).collect(),
    }
}

/// Parses a source that holds everything itself.
pub(crate) fn control_plane(source: &Source) -> ControlPlane {
    let mut snapshot = Snapshot::new(source);
    assert!(snapshot.wants().is_empty(), "the fleet needs no other repository");
    let plane = snapshot.control_plane(ENVIRONMENT);
    let error = plane.problems.iter().find(|problem| problem.is_error()).map(Diagnostic::to_string);
    assert_eq!(error, None, "the fleet is sound");
    plane
}
