//! Reading a folder as a source of a control plane.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use fleet::{FileContent, MAX_FILE_BYTES, Source};

use crate::exit::Failure;

/// Folders may be nested this deep.
const MAX_DEPTH: usize = 64;
/// This many files may matter in one source.
const MAX_FILES: usize = 200_000;

/// A folder on disk.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A folder that must exist; `flag` says where its name comes from.
    pub(crate) fn new(path: &Path, flag: &str) -> Result<Folder, Failure> {
        if path.is_dir() {
            return Ok(Folder(path.to_owned()));
        }
        let what = if path.exists() { "is not a folder" } else { "does not exist" };
        Err(Failure::usage(format!("{flag}{} {what}", path.display()), "name a folder that exists"))
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A folder in it, if there is one at `path`.
    pub(crate) fn inside(&self, path: &str) -> Option<Folder> {
        let inside = Folder(if path.is_empty() { self.0.clone() } else { self.0.join(path) });
        inside.0.is_dir().then_some(inside)
    }

    /// What is in it and may count; people see `prefix` before the path of each file.
    pub(crate) fn source(&self, prefix: &str) -> Result<Source, Failure> {
        let mut files = BTreeMap::new();
        read(&self.0, "", 0, &mut files)
            .with_context(|| format!("cannot read {}", self.0.display()))
            .map_err(|error| Failure::world(error, "check that it exists and may be read"))?;
        Ok(Source { prefix: prefix.into(), files })
    }

    /// Its path, as the beginning of the paths in it.
    pub(crate) fn prefix(&self) -> String {
        let text = self.0.display().to_string();
        if text.is_empty() || text.ends_with('/') { text } else { text + "/" }
    }
}

fn read(
    folder: &Path,
    inside: &str,
    depth: usize,
    files: &mut BTreeMap<String, FileContent>,
) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            let odd = entry.file_name();
            let lossy = odd.to_string_lossy();
            if lossy.ends_with(".yaml") || lossy.ends_with(".yml") {
                let reason = "its name is not UTF-8".to_owned();
                files.insert(join(inside, &lossy), FileContent::Unreadable(reason));
            }
            continue;
        };
        let path = join(inside, &name);
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if name.starts_with('.') && path != fleet::ENVIRONMENTS {
                continue;
            }
            if depth == MAX_DEPTH {
                let reason = format!("it is nested more than {MAX_DEPTH} folders deep");
                files.insert(path, FileContent::Unreadable(reason));
            } else {
                read(&entry.path(), &path, depth + 1, files)?;
            }
        } else if kind.is_symlink() {
            let leads_to_folder = fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
            if fleet::is_of_interest(&path) || (leads_to_folder && !name.starts_with('.')) {
                files.insert(path, FileContent::Link);
            }
        } else if fleet::is_of_interest(&path) {
            files.insert(path, content(&entry.path()));
        }
        anyhow::ensure!(files.len() <= MAX_FILES, "there are more than {MAX_FILES} files");
    }
    Ok(())
}

fn content(path: &Path) -> FileContent {
    let unreadable = |error: std::io::Error| FileContent::Unreadable(error.to_string());
    match fs::metadata(path) {
        Err(error) => unreadable(error),
        Ok(metadata) if !metadata.is_file() => FileContent::Unreadable("it is no ordinary file".to_owned()),
        Ok(metadata) if metadata.len() > MAX_FILE_BYTES as u64 => FileContent::TooLarge(metadata.len()),
        Ok(_) => fs::read(path).map_or_else(unreadable, |bytes| FileContent::Bytes(bytes.into())),
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
