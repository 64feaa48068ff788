//! The folder that a tree is written into: what it holds now, and the changes to it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Context;
use fleet::{Blob, Changeset, Mode, ObjectId, Tree};

use super::file::{self, Directory};
use super::folder::Folder;
use super::parallel;
use crate::exit::Failure;

/// Folders may be nested this deep.
const MAX_DEPTH: usize = 64;

/// The folder of `--out`.
#[derive(Debug)]
pub(crate) struct Out(PathBuf);

impl Out {
    /// Refuses a folder whose content the next run would read, or that holds one of the folders that are
    /// `read`. It need not be there.
    pub(crate) fn new<'a>(path: &Path, read: impl IntoIterator<Item = &'a Folder>) -> Result<Out, Failure> {
        if path.exists() && !path.is_dir() {
            let error = anyhow::anyhow!("cannot use {} for --out: it is not a folder", path.display());
            return Err(Failure::world(error, "choose a folder that may be written to"));
        }
        let out = Out(path.to_owned());
        for folder in read {
            out.refuse_to_hold(folder)?;
            out.refuse_inside(folder)?;
        }
        Ok(out)
    }

    /// What the folder holds, as git would see it; a `.git` at any level is not part of it.
    pub(crate) fn tree(&self) -> Result<Tree, Failure> {
        let mut tree = Tree::default();
        if !self.0.exists() {
            return Ok(tree);
        }
        read(&self.0, "", 0, &mut tree)
            .with_context(|| format!("cannot read {}", self.0.display()))
            .map_err(|error| Failure::world(error, "check its files and permissions"))?;
        Ok(tree)
    }

    /// Carries out `changes`: files that go first, then those that come, each in one step.
    pub(crate) fn write(&self, changes: &Changeset) -> Result<(), Failure> {
        let Changeset { added, modified, removed } = changes;
        for path in removed {
            self.remove(path)
                .with_context(|| format!("cannot remove {}", self.0.join(path).display()))
                .map_err(|error| Failure::world(error, "check its permissions, then run again"))?;
        }
        let mut folders: BTreeMap<&str, Vec<(&str, &Blob)>> = BTreeMap::new();
        for (path, blob) in added.iter().chain(modified) {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            folders.entry(folder).or_default().push((name, blob));
        }
        // One after the other: a new folder belongs to whom the one above it belongs to.
        let create = |(folder, files)| Ok((self.create(folder)?, files));
        let folders: Vec<(Directory, Vec<_>)> =
            folders.into_iter().map(create).collect::<Result<_, Failure>>()?;
        let at_once = thread::available_parallelism().map_or(1, usize::from);
        let write = |(folder, files): &(Directory, Vec<(&str, &Blob)>)| {
            files.iter().try_for_each(|(name, blob)| folder.write(name, &blob.bytes()))
        };
        parallel::map(at_once, &folders, write).into_iter().collect()
    }

    fn create(&self, folder: &str) -> Result<Directory, Failure> {
        let path = self.0.join(folder);
        let text = format!("cannot create {}", path.display());
        let created = Directory::create(path).context(text);
        created.map_err(|error| Failure::world(error, "check its permissions, then run again"))
    }

    /// Removes a file, and the folders that it leaves empty.
    fn remove(&self, path: &str) -> io::Result<()> {
        let path = self.0.join(path);
        fs::remove_file(&path)?;
        for folder in path.ancestors().skip(1).take_while(|folder| *folder != self.0) {
            match fs::remove_dir(folder) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn refuse_to_hold(&self, read: &Folder) -> Result<(), Failure> {
        if !absolute(read.path()).starts_with(absolute(&self.0)) {
            return Ok(());
        }
        let text = format!("--out {} holds {}, which is read", self.0.display(), read.path().display());
        Err(Failure::usage(text, "choose a folder of its own for --out"))
    }

    fn refuse_inside(&self, read: &Folder) -> Result<(), Failure> {
        let (out, folder) = (absolute(&self.0), absolute(read.path()));
        let Ok(inside) = out.strip_prefix(&folder) else { return Ok(()) };
        let probe = format!("{}/probe.yaml", inside.to_string_lossy());
        if !fleet::would_read(&read.source("")?, &probe) {
            return Ok(());
        }
        let shown = (self.0.display(), read.path().display());
        let text = format!("--out {} stands inside {}, so that the next run would read it", shown.0, shown.1);
        let help = "choose a folder outside, one whose name begins with a dot, or list it in .sourceignore";
        Err(Failure::usage(text, help))
    }
}

/// Where a path leads, links resolved as far as it exists.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let existing =
        path.ancestors().find_map(|above| Some((above.canonicalize().ok()?, path.strip_prefix(above).ok()?)));
    existing.map_or_else(|| path.clone(), |(real, rest)| real.join(rest))
}

fn read(folder: &Path, inside: &str, depth: usize, tree: &mut Tree) -> anyhow::Result<()> {
    anyhow::ensure!(depth <= MAX_DEPTH, "{} is nested more than {MAX_DEPTH} folders deep", folder.display());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        // What is not UTF-8 was not made here, and is left alone.
        let Some(name) = name.to_str().filter(|name| *name != ".git" && !name.starts_with(file::TEMPORARY))
        else {
            continue;
        };
        let path = if inside.is_empty() { name.to_owned() } else { format!("{inside}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            read(&entry.path(), &path, depth + 1, tree)?;
            continue;
        }
        let (mode, bytes) = if kind.is_symlink() {
            (Mode::Link, fs::read_link(entry.path())?.into_os_string().into_encoded_bytes())
        } else if kind.is_file() {
            let bytes =
                fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?;
            (mode_of(&entry.metadata()?), bytes)
        } else {
            // Pipes and sockets: git does not see them either.
            continue;
        };
        tree.files.insert(path, Blob::new(mode, ObjectId::of_blob(&bytes), bytes));
    }
    Ok(())
}

#[cfg(unix)]
fn mode_of(metadata: &fs::Metadata) -> Mode {
    use std::os::unix::fs::PermissionsExt;
    if metadata.permissions().mode() & 0o100 != 0 { Mode::Executable } else { Mode::File }
}

#[cfg(not(unix))]
fn mode_of(_: &fs::Metadata) -> Mode {
    Mode::File
}
