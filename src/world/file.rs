//! Writing a file in one step: others see the old content or the new one, never a part.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::PersistError;

use crate::exit::Failure;

/// What the names of unfinished files begin with.
pub(crate) const TEMPORARY: &str = ".kalypso-";

/// A folder that files are written into.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// Whom it belongs to, as what is new in it will
    metadata: fs::Metadata,
}

/// Replaces or creates `path`.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let replace = || {
        let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?;
        Directory::open(folder_of(path).to_owned())?.replace(name.as_ref(), bytes)
    };
    replace().map_err(|error| unwritten(path, error))
}

impl Directory {
    /// A folder that is there.
    fn open(path: PathBuf) -> io::Result<Directory> {
        Ok(Directory { metadata: fs::metadata(&path)?, path })
    }

    /// A folder that is made, with those above it that are not there.
    pub(crate) fn create(path: PathBuf) -> io::Result<Directory> {
        let is_new = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let new: Vec<&Path> = path.ancestors().take_while(is_new).collect();
        fs::create_dir_all(&path)?;
        for folder in new.into_iter().rev() {
            hand_over(&fs::File::open(folder)?, &fs::metadata(folder_of(folder))?)?;
        }
        Directory::open(path)
    }

    /// Replaces or creates a file.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.replace(name.as_ref(), bytes).map_err(|error| unwritten(&self.path.join(name), error))
    }

    fn replace(&self, name: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.tempfile_in(&self.path)?;
        file.write_all(bytes)?;
        hand_over(file.as_file(), &self.metadata)?;
        let path = self.path.join(name);
        match file.persist(&path) {
            Ok(_) => Ok(()),
            // Git knows no empty folders, so that one may stand where a file belongs.
            Err(PersistError { file, error }) if error.kind() == io::ErrorKind::IsADirectory => {
                fs::remove_dir(&path)?;
                Ok(file.persist(&path).map(drop)?)
            }
            Err(PersistError { error, .. }) => Err(error),
        }
    }
}

fn unwritten(path: &Path, error: io::Error) -> Failure {
    let error = anyhow::Error::from(error).context(format!("cannot write {}", path.display()));
    Failure::world(error, "check that the folder exists and may be written to")
}

/// Makes sure that `path` can be written, before anything else is done.
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    let is_folder = || io::Error::from(io::ErrorKind::IsADirectory);
    let checked =
        if path.is_dir() { Err(is_folder()) } else { tempfile::tempfile_in(folder_of(path)).map(drop) };
    checked
        .or_else(|error| fs::metadata(folder_of(path)).and(Err(error)))
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(|error| Failure::world(error, "check that the folder exists and may be written to"))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Has what is new in a folder belong to whom the folder belongs to: in a container we are root, and the steps that
/// follow are not.
#[cfg(unix)]
fn hand_over(new: &fs::File, owner: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let ours = new.metadata()?;
    if owner.uid() != ours.uid() {
        // Whoever is not root cannot give anything away, and keeps it.
        let _ = fchown(new, Some(owner.uid()), Some(owner.gid()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn hand_over(_: &fs::File, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}
