//! Writing a file in one step: others see the old content or the new one, never a part.

use std::io::Write;
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

/// Makes sure that `path` can be written, before anything else is done.
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    let is_folder = || std::io::Error::from(std::io::ErrorKind::IsADirectory);
    let checked =
        if path.is_dir() { Err(is_folder()) } else { tempfile::tempfile_in(folder_of(path)).map(drop) };
    checked
        .or_else(|error| std::fs::metadata(folder_of(path)).and(Err(error)))
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(|error| Failure::world(error, "check that the folder exists and may be written to"))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}
