//! The folder that a tree is written into: what it holds now, and the changes to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use fleet::{Blob, Changeset, Mode, ObjectId, Tree};

use super::file;
use super::folder::Folder;
use crate::cli::PlaneArgs;
use crate::commands::plane_folder;
use crate::exit::Failure;

/// The folder of `--out`.
#[derive(Debug)]
pub(crate) struct Out(PathBuf);

impl Out {
    /// Creates the folder if it is not there; refuses one whose content would be read by the next run, or
    /// that holds what is read.
    pub(crate) fn new(path: &Path, plane: &PlaneArgs) -> Result<Out, Failure> {
        let failed = |error: anyhow::Error| Failure::world(error, "choose a folder that may be written to");
        fs::create_dir_all(path)
            .with_context(|| format!("cannot use {} for --out", path.display()))
            .map_err(failed)?;
        let out = Out(path.to_owned());
        out.refuse_overlap(&Folder::new(&plane_folder(plane), "--control-plane ")?)?;
        for repo in &plane.repos {
            out.refuse_overlap(&Folder::new(&repo.folder, &format!("--repo {}=", repo.url))?)?;
        }
        Ok(out)
    }

    /// What the folder holds, as git would see it; a `.git` at any level is not part of it.
    pub(crate) fn tree(&self) -> Result<Tree, Failure> {
        let mut tree = Tree::default();
        read(&self.0, "", &mut tree)
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
        for (path, Blob { bytes, .. }) in added.iter().chain(modified) {
            let path = self.0.join(path);
            // Git knows no empty folders, so that one may stand where a file belongs.
            let _ = fs::remove_dir(&path);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)
                    .with_context(|| format!("cannot create {}", folder.display()))
                    .map_err(|error| Failure::world(error, "check its permissions, then run again"))?;
            }
            file::write(&path, bytes)?;
        }
        Ok(())
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

    fn refuse_overlap(&self, read: &Folder) -> Result<(), Failure> {
        let shown = (self.0.display(), read.path().display());
        let (Ok(out), Ok(folder)) = (self.0.canonicalize(), read.path().canonicalize()) else {
            return Ok(());
        };
        if folder.starts_with(&out) {
            let text = format!("--out {} holds {}, which is read", shown.0, shown.1);
            return Err(Failure::usage(text, "choose a folder of its own for --out"));
        }
        let Ok(inside) = out.strip_prefix(&folder) else { return Ok(()) };
        let probe = format!("{}/probe.yaml", inside.to_string_lossy());
        if !fleet::would_read(&read.source("", "")?, &probe) {
            return Ok(());
        }
        let text = format!("--out {} stands inside {}, so that the next run would read it", shown.0, shown.1);
        Err(Failure::usage(
            text,
            "choose a folder outside, one whose name begins with a dot, or list it in .sourceignore",
        ))
    }
}

fn read(folder: &Path, inside: &str, tree: &mut Tree) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name =
            name.to_str().with_context(|| format!("the name of {} is not UTF-8", entry.path().display()))?;
        if name == ".git" {
            continue;
        }
        let path = if inside.is_empty() { name.to_owned() } else { format!("{inside}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            read(&entry.path(), &path, tree)?;
            continue;
        }
        let (mode, bytes) = if kind.is_symlink() {
            (Mode::Link, fs::read_link(entry.path())?.into_os_string().into_encoded_bytes())
        } else {
            anyhow::ensure!(kind.is_file(), "{} is no ordinary file", entry.path().display());
            let bytes =
                fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?;
            (mode_of(&entry.metadata()?), bytes)
        };
        tree.files.insert(path, Blob { mode, id: ObjectId::of_blob(&bytes), bytes: bytes.into() });
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
