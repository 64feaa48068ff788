//! Reading a control plane from folders.

use std::path::PathBuf;

use fleet::{ControlPlane, Snapshot};

use crate::cli::PlaneArgs;
use crate::exit::Failure;
use crate::world::folder::Folder;
use crate::world::repos::Repos;

/// The control plane of an environment, with everything that its pointers lead to.
pub(crate) fn control_plane(arguments: &PlaneArgs) -> Result<ControlPlane, Failure> {
    let folder = Folder::new(&plane_folder(arguments), "--control-plane ")?;
    let repos = Repos::new(&arguments.repos)?;
    let mut snapshot = Snapshot::new(&arguments.environment, &folder.source("", "")?);
    loop {
        let wants = snapshot.wants();
        if wants.is_empty() {
            return Ok(snapshot.control_plane());
        }
        for want in wants {
            let read = repos.read(&want.at);
            snapshot.add(&want, read);
        }
    }
}

/// The folder with the content of the environment's branch.
pub(crate) fn plane_folder(arguments: &PlaneArgs) -> PathBuf {
    let workspace =
        || std::env::var_os("GITHUB_WORKSPACE").filter(|path| !path.is_empty()).map(PathBuf::from);
    arguments.control_plane.clone().or_else(workspace).unwrap_or_else(|| PathBuf::from("."))
}
