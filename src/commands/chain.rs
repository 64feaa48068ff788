//! The environments of a control plane: which there are, which follows which, and where each has its branch.

use std::sync::Arc;

use fleet::objects::{Environment, RepoRef};
use fleet::{Diagnostic, RepoPath, Snapshot, Source};

use crate::cli::PlaneArgs;
use crate::exit::Failure;
use crate::world::access::Access;
use crate::world::github::{Repo, Repository};
use crate::world::sources::Unread;
use crate::world::{World, git, terminal};

/// The declared environments, and the repository that declares them.
pub(crate) struct Chain {
    /// The control plane's repository, where commits and statuses go
    pub(crate) repo: Repo,
    /// What is known of it
    pub(crate) repository: Repository,
    /// How it is reached
    pub(crate) access: Arc<Access>,
    /// The environments, by name
    pub(crate) environments: Vec<Environment>,
}

impl Chain {
    /// What the branch declares that the control plane's repository opens with.
    pub(crate) fn read(world: &World) -> Result<Chain, Failure> {
        let access = world.access.clone().ok_or_else(|| {
            Failure::usage(
                "commit statuses are on GitHub, which --offline keeps from being asked",
                "leave it out",
            )
        })?;
        let repo = world.repository.clone().ok_or_else(|| {
            let help = "give --control-plane-repo OWNER/NAME";
            Failure::usage("which repository is the control plane's?", help)
        })?;
        let repository = access.github.repository(&repo)?;
        let at = RepoRef {
            repo: access.github.url(&repo).to_string(),
            branch: repository.default_branch.clone(),
            path: RepoPath::default(),
        };
        let what = format!("the environments of {repo}, branch {}", at.branch);
        let source = world.sources.source(&at).map_err(|unread| unread.failure(&what))?;
        let environments = fleet::environments(&source).map_err(|problems| broken(world, &problems))?;
        Ok(Chain { repo, repository, access, environments })
    }

    /// The declared environment of this name.
    pub(crate) fn environment(&self, name: &str) -> Result<&Environment, Failure> {
        self.environments.iter().find(|environment| environment.meta.name == name).ok_or_else(|| {
            Failure::input(format!("there is no environment `{name}` in {}", self.repo), self.known())
        })
    }

    /// The environment that the arguments name.
    pub(crate) fn asked_for(&self, arguments: &PlaneArgs) -> Result<&Environment, Failure> {
        match &arguments.environment {
            Some(name) => self.environment(name),
            None => Err(Failure::usage(
                "which environment?",
                format!("give --environment NAME; {}", self.known()),
            )),
        }
    }

    /// The one environment that no other names as its next.
    pub(crate) fn first(&self) -> Result<&Environment, Failure> {
        let follows = |environment: &&Environment| self.preceding(&environment.meta.name).next().is_none();
        let firsts: Vec<&Environment> = self.environments.iter().filter(follows).collect();
        match firsts[..] {
            [first] if self.is_linked() || self.environments.len() == 1 => Ok(first),
            _ => {
                let names: Vec<&str> = firsts.iter().map(|environment| &*environment.meta.name).collect();
                let text = match names.is_empty() {
                    true => format!("no environment in {} is the first one", self.repo),
                    false => format!("which environment is the first one: {}?", names.join(", ")),
                };
                let help = format!(
                    "give --environment NAME, or say with `spec.next` which follows which; {}",
                    self.known()
                );
                Err(Failure::usage(text, help))
            }
        }
    }

    /// The environments that name this one as their next.
    pub(crate) fn preceding(&self, name: &str) -> impl Iterator<Item = &Environment> {
        self.environments.iter().filter(move |environment| environment.next.as_deref() == Some(name))
    }

    /// Whether any environment says what follows it.
    pub(crate) fn is_linked(&self) -> bool {
        self.environments.iter().any(|environment| environment.next.is_some())
    }

    /// What an environment's branch holds: in the folder or at the ref that is named, else where the environment says.
    pub(crate) fn branch_of(
        &self,
        environment: &Environment,
        arguments: &PlaneArgs,
        world: &World,
    ) -> Result<Snapshot, Failure> {
        let source: Source = match (&arguments.control_plane_ref, &arguments.control_plane) {
            (Some(name), _) => world.sources.workspace_at(name, world.folder.path())?,
            (None, Some(_)) => world.folder.source("")?,
            (None, None) => {
                let at = &environment.control_plane;
                world.sources.source(at).map_err(|unread| no_branch(environment, unread))?
            }
        };
        Ok(Snapshot::new(&source))
    }

    /// The repository that a pointer of the control plane names.
    pub(crate) fn repo_at(&self, url: &str) -> Result<Repo, Failure> {
        let github = &self.access.github;
        let repo = git::remote_url(url).ok().and_then(|url| github.repo(&url));
        repo.ok_or_else(|| {
            let text = format!("{} is no repository on {}", report::log_line(url), github.server());
            Failure::input(text, "write it as https://github.com/OWNER/NAME")
        })
    }

    /// What the control plane's repository opens with.
    pub(crate) fn root(&self) -> RepoRef {
        RepoRef {
            repo: self.access.github.url(&self.repo).to_string(),
            branch: self.repository.default_branch.clone(),
            path: RepoPath::default(),
        }
    }

    /// The environments in the order in which they follow each other, those that nothing leads to last.
    pub(crate) fn in_order(&self) -> Vec<&Environment> {
        let mut ordered: Vec<&Environment> = Vec::new();
        let starts = self.environments.iter().filter(|it| self.preceding(&it.meta.name).next().is_none());
        for start in starts.chain(&self.environments) {
            let mut at = Some(start);
            while let Some(environment) = at {
                if ordered.iter().any(|it| it.meta.name == environment.meta.name) {
                    break;
                }
                ordered.push(environment);
                let next = environment.next.as_deref();
                at = next.and_then(|next| self.environments.iter().find(|it| it.meta.name == next));
            }
        }
        ordered
    }

    fn known(&self) -> String {
        let names: Vec<&str> = self.environments.iter().map(|environment| &*environment.meta.name).collect();
        match names.is_empty() {
            true => {
                format!("declare it in `.environments/` of the branch {}", self.repository.default_branch)
            }
            false => format!("declared are {}", names.join(", ")),
        }
    }
}

/// Declarations that cannot be used.
fn broken(world: &World, problems: &[Diagnostic]) -> Failure {
    if world.runner.is_action() {
        terminal::say(&report::annotations(problems, |_| None));
    }
    terminal::complain(&report::problems(problems));
    let help = "correct what is named above, then run again";
    Failure::input("the environments cannot be used as they are declared", help)
}

/// An environment whose branch cannot be read.
pub(crate) fn no_branch(environment: &Environment, unread: Unread) -> Failure {
    let name = &environment.meta.name;
    let failure = match unread {
        Unread::NoBranch(_) => {
            let at = &environment.control_plane;
            let text = format!("environment `{name}`: {} has no branch `{}`", at.shown_repo(), at.branch);
            Failure::input(text, "make the branch, or correct `spec.controlPlane.branch`")
        }
        other => other.failure(&format!("environment `{name}`")),
    };
    failure.at(&environment.meta.location)
}
