//! Where repositories are read from: folders that were named, the workspace's own object store, the network.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use fleet::{Part, RepoRef, Source, Tree, Unreadable, Want};

use super::access::Access;
use super::folder::Folder;
use super::git::{self, CommitId, GitError, GitProblem, Objects, Wanted, Workspace};
use super::parallel;
use super::repos::{Repos, comparable};
use super::terminal::Progress;
use crate::exit::Failure;

/// This many repositories are read at once.
const AT_ONCE: usize = 16;

/// Everything that repositories are read from.
pub(crate) struct Sources {
    folders: Repos,
    /// The repository that the control plane's folder belongs to, and its URL
    workspace: Option<(String, Workspace)>,
    /// Nothing: no request is made
    access: Option<Arc<Access>>,
    /// Set once the control plane was read from the object store instead of its folder
    is_elsewhere: OnceLock<()>,
}

/// Why something could not be read.
#[derive(Clone, Debug)]
pub(crate) enum Unread {
    /// What was asked for is not there
    Absent(Unreadable),
    /// The repository has no such branch
    NoBranch(Unreadable),
    /// The world failed: the network, or a permission
    World(Unreadable),
}

/// A state of a repository that can be read.
enum Opened<'a> {
    Here(&'a Objects),
    Fetched(Objects),
}

impl Deref for Opened<'_> {
    type Target = Objects;

    fn deref(&self) -> &Objects {
        match self {
            Opened::Here(objects) => objects,
            Opened::Fetched(objects) => objects,
        }
    }
}

impl Sources {
    /// Folders come first, then the object store of `workspace`, which is a copy of the repository at its URL,
    /// then the network, if there is access to it.
    pub(crate) fn new(
        folders: Repos,
        workspace: Option<(String, Workspace)>,
        access: Option<Arc<Access>>,
    ) -> Sources {
        Sources { folders, workspace, access, is_elsewhere: OnceLock::new() }
    }

    /// Whether the files of the control plane are those of its folder.
    pub(crate) fn are_in_folder(&self) -> bool {
        self.is_elsewhere.get().is_none()
    }

    /// The control plane in `folder`, at a branch or commit of the repository that it belongs to.
    pub(crate) fn workspace_at(&self, name: &str, folder: &Path) -> Result<Source, Failure> {
        let Some((url, workspace)) = &self.workspace else {
            let text = format!("--control-plane-ref {name}: {} is in no git repository", folder.display());
            return Err(Failure::usage(
                text,
                "use --control-plane with a folder that holds the branch's files",
            ));
        };
        let wanted = match CommitId::new(name) {
            Some(commit) => Wanted::Commit(commit),
            None => Wanted::Branch(name.to_owned()),
        };
        let path = workspace.path_of(folder).unwrap_or_default();
        self.is_elsewhere.get_or_init(|| ());
        let read = || -> Result<Source, Unread> {
            let (objects, commit) = self.open(url, &wanted)?;
            Ok(objects.source(commit, &path, "")?)
        };
        read().map_err(|unread| unread.failure(&format!("--control-plane-ref {name}")))
    }

    /// Reads all of `wants`: each state of each repository once, several at a time.
    pub(crate) fn read(&self, wants: &[Want]) -> Vec<Result<Source, Unread>> {
        let mut of_repository: BTreeMap<(String, &str, Option<&str>), Vec<usize>> = BTreeMap::new();
        let mut results = BTreeMap::new();
        for (index, Want { at, commit, .. }) in wants.iter().enumerate() {
            match self.folders.folder(at) {
                Some(folder) => drop(results.insert(index, folder.and_then(read_folder).map_err(no_folder))),
                None => {
                    let branch = if commit.is_some() { "" } else { &*at.branch };
                    let key = (spelling(&at.repo), branch, commit.as_deref());
                    of_repository.entry(key).or_default().push(index);
                }
            }
        }
        let groups: Vec<Vec<usize>> = of_repository.into_values().collect();
        let progress = Progress::new("repositories", groups.len());
        let read = parallel::map(AT_ONCE, &groups, |indexes| {
            let sources = self.read_repository(indexes.iter().map(|index| &wants[*index]).collect());
            progress.step();
            sources
        });
        for (indexes, sources) in groups.iter().zip(read) {
            results.extend(indexes.iter().copied().zip(sources));
        }
        results.into_values().collect()
    }

    /// The head of a branch, and everything in it.
    pub(crate) fn branch(&self, at: &RepoRef) -> Result<(CommitId, Tree), Unread> {
        let (objects, commit) = self.open(&at.repo, &Wanted::Branch(at.branch.clone()))?;
        Ok((commit, objects.tree(commit)?))
    }

    /// What a branch of a repository holds in a folder, at its head.
    pub(crate) fn source(&self, at: &RepoRef) -> Result<Source, Unread> {
        if let Some(folder) = self.folders.folder(at) {
            return folder.and_then(read_folder).map_err(no_folder);
        }
        let (objects, commit) = self.open(&at.repo, &Wanted::Branch(at.branch.clone()))?;
        Ok(objects.source(commit, &at.path, &prefix(at))?)
    }

    /// The same, for the control plane: its files are not those of its folder then.
    pub(crate) fn elsewhere(&self, at: &RepoRef) -> Result<Source, Unread> {
        self.is_elsewhere.get_or_init(|| ());
        let (objects, commit) = self.open(&at.repo, &Wanted::Branch(at.branch.clone()))?;
        Ok(objects.source(commit, &at.path, "")?)
    }

    /// The same, of the repository itself, with the commit at its head.
    pub(crate) fn head(&self, at: &RepoRef) -> Result<(CommitId, Source), Unread> {
        let (objects, commit) = self.open(&at.repo, &Wanted::Branch(at.branch.clone()))?;
        Ok((commit, objects.source(commit, &at.path, &prefix(at))?))
    }

    /// The folders that stand for repositories.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Folder> {
        self.folders.folders()
    }

    /// Folders of one state of one repository.
    fn read_repository(&self, wants: Vec<&Want>) -> Vec<Result<Source, Unread>> {
        let Want { at, commit, .. } = wants[0];
        let wanted = match commit {
            None => Ok(Wanted::Branch(at.branch.clone())),
            Some(text) => CommitId::new(text)
                .map(Wanted::Commit)
                .ok_or_else(|| absent(format!("`{text}` is no full commit id"))),
        };
        let opened = wanted.and_then(|wanted| self.open(&at.repo, &wanted));
        let source = |want: &Want| {
            let (objects, commit) = opened.as_ref().map_err(Unread::clone)?;
            Ok(objects.source(*commit, &want.at.path, &prefix(&want.at))?)
        };
        wants.into_iter().map(source).collect()
    }

    fn open(&self, url: &str, wanted: &Wanted) -> Result<(Opened<'_>, CommitId), Unread> {
        let is_here = |(here, _): &&(String, Workspace)| comparable(here) == comparable(url);
        let workspace = self.workspace.as_ref().filter(is_here).map(|(_, workspace)| workspace);
        let has = |workspace: &Workspace, commit: CommitId| workspace.objects().contains(commit);
        let Some(access) = &self.access else {
            let found = workspace.and_then(|workspace| {
                let commit = match wanted {
                    Wanted::Commit(commit) => Some(*commit),
                    Wanted::Branch(branch) => workspace.find(branch),
                };
                Some((Opened::Here(workspace.objects()), commit.filter(|commit| has(workspace, *commit))?))
            });
            return found.ok_or_else(|| absent("no folder is given for it".to_owned()));
        };
        let url = git::remote_url(url).map_err(absent)?;
        if let Some(workspace) = workspace {
            let commit = match wanted {
                Wanted::Commit(commit) => Some(*commit),
                // Only where there is something of this branch already, asking for its head can save a fetch.
                Wanted::Branch(branch) if workspace.find(branch).is_some() => {
                    access.ask(&url, |remote| remote.head(branch))?
                }
                Wanted::Branch(_) => None,
            };
            if let Some(commit) = commit.filter(|commit| has(workspace, *commit)) {
                return Ok((Opened::Here(workspace.objects()), commit));
            }
        }
        let (objects, commit) = access.ask(&url, |remote| remote.fetch(wanted))?;
        Ok((Opened::Fetched(objects), commit))
    }
}

impl Unread {
    /// What it is for a run that cannot go on without `what`.
    pub(crate) fn failure(self, what: &str) -> Failure {
        let text = |reason: &str| format!("{what}: {reason}");
        match self {
            Unread::Absent(Unreadable { reason, help, .. })
            | Unread::NoBranch(Unreadable { reason, help, .. }) => {
                Failure::input(text(&reason), help.unwrap_or_default())
            }
            Unread::World(Unreadable { reason, help, .. }) => {
                Failure::world(anyhow::anyhow!(text(&reason)), help.unwrap_or_default())
            }
        }
    }
}

impl From<Unread> for Unreadable {
    fn from(unread: Unread) -> Unreadable {
        match unread {
            Unread::Absent(unreadable) | Unread::NoBranch(unreadable) | Unread::World(unreadable) => {
                unreadable
            }
        }
    }
}

impl From<GitError> for Unread {
    fn from(error: GitError) -> Unread {
        let part = match error.problem {
            GitProblem::NoSuchBranch { .. } => Part::Branch,
            GitProblem::NoSuchFolder(_) => Part::Path,
            _ => Part::Repo,
        };
        let unreadable = Unreadable { part, reason: error.to_string(), help: Some(error.help()) };
        match error.problem {
            GitProblem::NoSuchBranch { .. } => Unread::NoBranch(unreadable),
            GitProblem::NoAccess(_)
            | GitProblem::NoToken(_)
            | GitProblem::NoPlace(_)
            | GitProblem::TooSlow => Unread::World(unreadable),
            _ if error.is_transient() => Unread::World(unreadable),
            _ => Unread::Absent(unreadable),
        }
    }
}

/// Equal texts lead to the same place with the same result.
fn spelling(repo: &str) -> String {
    let url = git::remote_url(repo).map_or_else(|_| repo.to_owned(), |url| url.to_string());
    let url = url.trim_end_matches('/');
    url.strip_suffix(".git").unwrap_or(url).to_owned()
}

fn absent(reason: String) -> Unread {
    Unread::Absent(Unreadable { part: Part::Repo, reason, help: None })
}

fn no_folder(reason: String) -> Unread {
    Unread::Absent(Unreadable { part: Part::Path, reason, help: None })
}

fn read_folder(folder: Folder) -> Result<Source, String> {
    folder.source(&folder.prefix()).map_err(|failure| failure.reason())
}

/// What people see before the paths of files: where they come from.
///
/// Commits are not among it: what people are told of a file stays the same while its content does.
fn prefix(at: &RepoRef) -> String {
    let RepoRef { branch, path, .. } = at;
    let repo = at.shown_repo();
    let repo = repo.split_once("://").map_or(&*repo, |(_, rest)| rest).trim_end_matches(".git");
    let folder = if path.is_root() { String::new() } else { format!("{path}/") };
    format!("{repo}@{branch}:{folder}")
}
