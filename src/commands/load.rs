//! Reading a control plane from folders.

use fleet::{ControlPlane, Snapshot};

use crate::cli::PlaneArgs;
use crate::exit::Failure;
use crate::world::folder::Folder;
use crate::world::repos::Repos;

/// A control plane, and the folders that it was read from.
pub(crate) struct Loaded {
    pub(crate) plane: ControlPlane,
    pub(crate) folders: Vec<Folder>,
}

/// The control plane of an environment, with everything that its pointers lead to.
pub(crate) fn control_plane(arguments: &PlaneArgs) -> Result<Loaded, Failure> {
    let folder = Folder::new(&arguments.folder(), "--control-plane ")?;
    let repos = Repos::new(&arguments.repos)?;
    let mut snapshot = Snapshot::new(&arguments.environment, &folder.source("")?);
    let mut folders = vec![folder];
    loop {
        let wants = snapshot.wants();
        if wants.is_empty() {
            let mut plane = snapshot.control_plane();
            plane.problems.sort();
            return Ok(Loaded { plane, folders });
        }
        for want in wants {
            let source = repos.folder(&want.at).and_then(|folder| {
                folders.push(folder.clone());
                folder.source(&folder.prefix()).map_err(|failure| failure.reason())
            });
            snapshot.add(&want, source);
        }
    }
}
