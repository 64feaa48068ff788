//! Writing a file in one step: others see the old content or the new one, never a part.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

use crate::exit::Failure;

/// What the names of unfinished files begin with.
pub(crate) const TEMPORARY: &str = ".kalypso-";

/// Replaces or creates `path`.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    replace(path, bytes)
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(|error| Failure::world(error, "check that the folder exists and may be written to"))
}

/// Makes a folder, with those above it that are not there.
pub(crate) fn create_folders(path: &Path) -> io::Result<()> {
    let is_new = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let new: Vec<&Path> = path.ancestors().take_while(is_new).collect();
    fs::create_dir_all(path)?;
    new.iter().rev().try_for_each(|folder| hand_over(&fs::File::open(folder)?, folder_of(folder)))
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

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    hand_over(file.as_file(), folder)?;
    file.persist(path)?;
    Ok(())
}

/// Has what is new in `folder` belong to whom the folder belongs to: in a container we are root, and the steps that
/// follow are not.
#[cfg(unix)]
fn hand_over(new: &fs::File, folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let (owner, ours) = (fs::metadata(folder)?, new.metadata()?);
    if owner.uid() != ours.uid() {
        // Whoever is not root cannot give anything away, and keeps it.
        let _ = fchown(new, Some(owner.uid()), Some(owner.gid()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn hand_over(_: &fs::File, _: &Path) -> io::Result<()> {
    Ok(())
}
