//! Everything outside of the process: folders, git, services, and the place where this runs.

pub(crate) mod access;
pub(crate) mod azure;
pub(crate) mod clock;
pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod git;
pub(crate) mod github;
mod http;
pub(crate) mod interrupt;
pub(crate) mod out;
mod parallel;
mod repos;
pub(crate) mod runner;
mod said;
pub(crate) mod sources;
pub(crate) mod terminal;
pub(crate) mod tokens;

use std::path::PathBuf;
use std::sync::Arc;

use fleet::Diagnostic;
use url::Url;

use self::access::Access;
use self::clock::SystemClock;
use self::folder::Folder;
use self::git::Workspace;
use self::github::Repo;
use self::repos::Repos;
use self::runner::Runner;
use self::sources::Sources;
use crate::cli::{AccessArgs, PlaneArgs};
use crate::exit::Failure;

/// What a run can see of the world.
pub(crate) struct World {
    /// Where it runs
    pub(crate) runner: Runner,
    /// The folder with the content of the environment's branch
    pub(crate) folder: Folder,
    /// Where repositories are read from
    pub(crate) sources: Sources,
    /// The control plane's repository, if it is known
    pub(crate) repository: Option<Repo>,
    /// The network; nothing: no request is made
    pub(crate) access: Option<Arc<Access>>,
}

impl World {
    /// Folders and the workspace's own repository, without the network.
    pub(crate) fn offline(arguments: &PlaneArgs) -> Result<World, Failure> {
        World::new(arguments, None)
    }

    /// With the network, unless it is refused.
    pub(crate) fn new(arguments: &PlaneArgs, access: Option<&AccessArgs>) -> Result<World, Failure> {
        let runner = Runner::new(runner::variable)?;
        let access = access.filter(|access| !access.offline);
        let named = arguments.control_plane.clone().or_else(|| runner.workspace.clone());
        let folder = Folder::new(&named.unwrap_or_else(|| PathBuf::from(".")), "--control-plane ")?;
        let folders = Repos::new(&arguments.repos)?;
        let workspace = Workspace::discover(folder.path()).map_err(Failure::of_git)?;
        let origin = workspace.as_ref().and_then(Workspace::remote_url);
        let repository = repository(access, &runner, origin.as_deref());
        let url = origin.or_else(|| repository.as_ref().map(|repo| repo.url(&runner.server).to_string()));
        let clock = Arc::new(SystemClock);
        let access = access.map(|access| Access::new(access, &runner, repository.as_ref(), clock));
        let access = access.transpose()?.map(Arc::new);
        let sources = Sources::new(folders, url.zip(workspace), access.clone());
        Ok(World { runner, folder, sources, repository, access })
    }
}

impl World {
    /// The path of a problem's file in the job's workspace, if it is one of the control plane's own.
    pub(crate) fn file_in_workspace(&self, problem: &Diagnostic) -> Option<String> {
        let file = &problem.location.as_ref()?.file;
        let workspace = self.runner.workspace.as_ref()?.canonicalize().ok()?;
        let folder = self.folder.path().canonicalize().ok()?;
        let folder = folder.strip_prefix(workspace).ok()?;
        let is_own = self.sources.are_in_folder()
            && file.prefix.is_empty()
            && self.folder.path().join(&*file.path).is_file();
        is_own.then(|| folder.join(&*file.path).display().to_string())
    }
}

/// The repository of the control plane: as it is named, that of the job, or where the folder came from.
fn repository(access: Option<&AccessArgs>, runner: &Runner, origin: Option<&str>) -> Option<Repo> {
    let named = access.and_then(|access| access.control_plane_repo.as_deref());
    let of_origin = || {
        let url: Url = git::remote_url(origin?).ok()?;
        Repo::at(&url, &runner.server)
    };
    named.or(runner.repository.as_deref()).and_then(Repo::new).or_else(of_origin)
}
