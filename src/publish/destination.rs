//! Where a computed tree goes: a folder, or the branches of the GitOpsRepos; and what each must hold.

use fleet::objects::GitOpsRepo;
use fleet::{Changeset, Outcome, Placement, RepoPath, Snapshot, Tree};
use proposal::Address;
use url::Url;

use super::Mode;
use crate::cli::ScheduleArgs;
use crate::exit::Failure;
use crate::world::World;
use crate::world::access::Access;
use crate::world::git::{self, CommitId};
use crate::world::github::Repo;
use crate::world::out::Out;
use crate::world::sources::Unread;

/// A place for the tree, what it holds, and what it must hold.
pub(crate) struct Destination {
    /// What it is
    pub(crate) place: Place,
    /// The folder in it that is ours
    pub(crate) root: RepoPath,
    /// What it holds
    pub(crate) current: Tree,
    /// What it must hold
    pub(crate) placement: Placement,
    /// What differs
    pub(crate) changes: Changeset,
}

/// A place for the tree.
pub(crate) enum Place {
    /// None: the tree is only computed
    Nowhere,
    /// A folder
    Folder(Out),
    /// A branch, reached by pull requests only
    Branch(GitOpsBranch),
}

/// A branch that clusters follow.
#[derive(Clone, Debug)]
pub(crate) struct GitOpsBranch {
    /// The name of the GitOpsRepo
    pub(crate) name: String,
    /// The repository
    pub(crate) repo: Repo,
    /// The branch
    pub(crate) branch: String,
    /// The commit at its head
    pub(crate) head: CommitId,
    /// The branch that our pull request comes from
    pub(crate) proposed: String,
}

impl GitOpsBranch {
    /// What pull requests to this branch are known by, for the folder `root` of it.
    pub(crate) fn address(&self, environment: &str, root: &RepoPath) -> Address {
        Address { environment: environment.to_owned(), path: root.to_string() }
    }
}

impl Destination {
    /// Makes sure that there are tokens for what a control plane wants to be written, before more is asked.
    pub(crate) fn check(arguments: &ScheduleArgs, world: &World, plane: &Snapshot) -> Result<(), Failure> {
        let (None, Some(access)) = (&arguments.out, &world.access) else { return Ok(()) };
        // What is wrong with the others is told together with everything else.
        let on_server = |repo: &GitOpsRepo| {
            git::remote_url(&repo.at.repo).ok().filter(|url| access.github.repo(url).is_some())
        };
        let urls: Vec<Url> = plane.gitops_repos().filter_map(on_server).collect();
        access.tokens.set_gitops_repositories(&urls);
        access.check_writable(&urls, Mode::of(arguments))
    }

    /// All places for the tree of `outcome`.
    pub(crate) fn all(
        arguments: &ScheduleArgs,
        outcome: &Outcome,
        world: &World,
    ) -> Result<Vec<Destination>, Failure> {
        let repos = &outcome.plane.gitops_repos;
        // A folder stands for the first of them.
        let root = repos.first().map(|repo| repo.at.path.clone()).unwrap_or_default();
        if let Some(out) = &arguments.out {
            let read = [&world.folder].into_iter().chain(world.sources.folders());
            let out = Out::new(out, read)?;
            let current = out.tree()?;
            return Ok(vec![Destination::new(outcome, Place::Folder(out), root, current)]);
        }
        let Some(access) = &world.access else {
            return Ok(vec![Destination::new(outcome, Place::Nowhere, root, Tree::default())]);
        };
        if repos.is_empty() {
            let help = "add a GitOpsRepo to the environment's branch, or write into a folder with --out";
            return Err(Failure::input("no GitOpsRepo says where the manifests go", help));
        }
        let urls = urls(repos, access)?;
        access.check_writable(&urls, Mode::of(arguments))?;
        repos.iter().zip(urls).map(|(repo, url)| of_branch(outcome, world, access, repo, &url)).collect()
    }

    fn new(outcome: &Outcome, place: Place, root: RepoPath, current: Tree) -> Destination {
        let placement = outcome.place(&current, &root);
        let changes = current.changes_to(&placement.tree);
        Destination { place, root, current, placement, changes }
    }

    /// The branch, if it is one.
    pub(crate) fn branch(&self) -> Option<&GitOpsBranch> {
        match &self.place {
            Place::Branch(branch) => Some(branch),
            Place::Folder(_) | Place::Nowhere => None,
        }
    }
}

/// The addresses of the GitOps repositories, which must be on the GitHub server.
fn urls(repos: &[GitOpsRepo], access: &Access) -> Result<Vec<Url>, Failure> {
    let url = |repo: &GitOpsRepo| {
        let wrong = |why: &str, help: &str| {
            Failure::input(format!("GitOpsRepo `{}`: {why}", repo.meta.name), help).at(&repo.meta.location)
        };
        let url = git::remote_url(&repo.at.repo)
            .map_err(|why| wrong(&why, "write it as https://github.com/OWNER/NAME"))?;
        if access.github.repo(&url).is_none() {
            let why = format!("{} is no repository on {}", repo.at.shown_repo(), access.github.server());
            let help = "pull requests are opened on GitHub only: write into a folder with --out, \
                        or set GITHUB_SERVER_URL, GITHUB_API_URL and GITHUB_GRAPHQL_URL";
            return Err(wrong(&why, help));
        }
        Ok(url)
    };
    let urls = repos.iter().map(url).collect::<Result<Vec<Url>, Failure>>()?;
    for (index, (repo, url)) in repos.iter().zip(&urls).enumerate() {
        let covers =
            |other: &GitOpsRepo| other.at.path == repo.at.path || repo.at.path.covers(&other.at.path);
        let is_same_branch = |(other, its): &(&GitOpsRepo, &Url)| {
            access.github.repo(its) == access.github.repo(url) && other.at.branch == repo.at.branch
        };
        let others = repos.iter().zip(&urls).enumerate().filter(|(other, _)| *other != index);
        if let Some((other, _)) =
            others.map(|(_, it)| it).filter(is_same_branch).find(|(other, _)| covers(other))
        {
            let text = format!(
                "the folder of GitOpsRepo `{}` is or holds that of `{}`, so that each would remove what the other writes",
                repo.meta.name, other.meta.name
            );
            let help = "give them folders beside each other, or branches of their own";
            return Err(Failure::input(text, help).at(&repo.meta.location));
        }
    }
    access.tokens.set_gitops_repositories(&urls);
    Ok(urls)
}

fn of_branch(
    outcome: &Outcome,
    world: &World,
    access: &Access,
    repo: &GitOpsRepo,
    url: &Url,
) -> Result<Destination, Failure> {
    let GitOpsRepo { meta, at } = repo;
    let (head, current) = world.sources.branch(at).map_err(|unread| match unread {
        Unread::NoBranch(_) => no_branch(repo),
        other => other.failure(&format!("GitOpsRepo `{}`", meta.name)).at(&meta.location),
    })?;
    let Some(repo) = access.github.repo(url) else { return Err(no_branch(repo)) };
    let is_same = |other: &&GitOpsRepo| {
        let url = git::remote_url(&other.at.repo).ok().and_then(|url| access.github.repo(&url));
        other.at.branch == at.branch && url.as_ref() == Some(&repo)
    };
    let is_shared = outcome.plane.gitops_repos.iter().filter(is_same).count() > 1;
    let proposed = proposal::primary(&at.branch, is_shared.then_some(&*meta.name));
    let name = meta.name.clone();
    let branch = GitOpsBranch { name, repo, branch: at.branch.clone(), head, proposed };
    Ok(Destination::new(outcome, Place::Branch(branch), at.path.clone(), current))
}

fn no_branch(GitOpsRepo { meta, at }: &GitOpsRepo) -> Failure {
    let (repo, branch) = (at.shown_repo(), &at.branch);
    let text = format!("GitOpsRepo `{}`: {repo} has no branch `{branch}`", meta.name);
    let help = format!(
        "make it once, in a clone of that repository: git switch --orphan {branch} && \
         git commit --allow-empty -m 'GitOps branch {branch}' && git push origin {branch}"
    );
    Failure::input(text, help).at(&meta.location)
}
