//! What is checked: a GitOps commit, the promoted commit that it carries, and whether there is something to carry on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fleet::objects::{Environment, GitOpsRepo};
use fleet::tracking::{self, State};
use fleet::{RepoPath, Snapshot};
use rollout::{CommitId, Due, Facts, NextMark, Relation, StatusState};
use url::Url;

use super::answers::relation;
use super::ledger::{Contexts, context};
use crate::cli::{CheckArgs, StatusArgs};
use crate::commands::chain::Chain;
use crate::exit::Failure;
use crate::world::access::Access;
use crate::world::git;
use crate::world::github::{Github, Landing, Oid, Places, Repo, Status, Tracking};
use crate::world::runner;

/// All of GitHub knows a new commit within this time.
const LAG: Duration = Duration::from_secs(60);
/// Until then it is asked for so often.
const AGAIN: Duration = Duration::from_secs(10);

/// The secret of a GitHub environment that named the next one before `spec.next` did.
const NEXT_ENVIRONMENT: &str = "NEXT_ENVIRONMENT";

/// What is checked.
pub(crate) struct Subject {
    /// The environment
    pub(crate) environment: String,
    /// The branch that clusters follow
    pub(crate) gitops: GitOps,
    /// The environment's other branches, which other clusters follow
    pub(crate) others: Vec<GitOps>,
    /// The commit that clusters must apply
    pub(crate) commit: CommitId,
    /// What it says of itself
    pub(crate) contents: Contents,
}

/// A branch that clusters follow.
pub(crate) struct GitOps {
    /// Its GitOpsRepo
    pub(crate) name: String,
    /// The repository
    pub(crate) repo: Repo,
    /// Its URL as the control plane has it
    pub(crate) url: String,
    /// The branch
    pub(crate) branch: String,
    /// The folder that holds those of cluster types
    pub(crate) root: RepoPath,
}

/// What a GitOps commit says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    /// The commit of the control plane that it carries
    pub(crate) promoted: Option<CommitId>,
    /// The folders of cluster types, each with the name of its content
    pub(crate) folders: BTreeMap<String, Oid>,
    /// What is held: cluster type and deployment target
    pub(crate) held: BTreeSet<(String, String)>,
}

/// What carrying on is about.
pub(crate) struct Promotion {
    /// The promoted commit; nothing where none is tracked
    pub(crate) commit: Option<CommitId>,
    /// Whether there is something to carry on
    pub(crate) due: Due,
    /// Its newest status for this environment
    own: Option<StatusState>,
    /// The environment that follows
    pub(crate) next: Option<String>,
    /// Whether only a secret names it
    pub(crate) is_next_secret: bool,
    /// Whether all that this promotion changed is held
    pub(crate) is_all_held: bool,
    /// What the GitOps branch carried before, and what it carries by now
    pub(crate) others: Vec<CommitId>,
}

/// Which commit of which branch is asked for.
pub(crate) struct Asked<'a> {
    gitops_repo: Option<&'a str>,
    commit: Option<&'a CommitId>,
    /// What the branch had before it, which only a push tells
    before: Option<&'a CommitId>,
}

impl<'a> From<&'a CheckArgs> for Asked<'a> {
    fn from(arguments: &'a CheckArgs) -> Asked<'a> {
        Asked {
            gitops_repo: arguments.gitops_repo.as_deref(),
            commit: arguments.commit_id.as_ref(),
            before: arguments.before.as_ref(),
        }
    }
}

impl<'a> From<&'a StatusArgs> for Asked<'a> {
    fn from(arguments: &'a StatusArgs) -> Asked<'a> {
        Asked {
            gitops_repo: arguments.gitops_repo.as_deref(),
            commit: arguments.commit_id.as_ref(),
            before: None,
        }
    }
}

impl Subject {
    /// The commit that is asked for, in the branch that the environment's `branch` points to.
    pub(crate) fn find(
        chain: &Chain,
        environment: &Environment,
        branch: &Snapshot,
        asked: &Asked<'_>,
    ) -> Result<Subject, Failure> {
        let (gitops, others) = branches(chain, environment, branch, asked.gitops_repo)?;
        let github = &chain.access.github;
        let commit = match asked.commit {
            Some(commit) => commit.clone(),
            None => head(github, &gitops)?,
        };
        let contents = match asked {
            // A push and the branch tell of a commit before all of GitHub does.
            Asked { commit: None, .. } | Asked { before: Some(_), .. } => {
                Contents::awaited(&chain.access, &gitops, &commit)?
            }
            Asked { commit: Some(_), before: None, .. } => Contents::at(github, &gitops, &commit)?,
        };
        let contents = contents.ok_or_else(|| {
            if asked.commit.is_none() {
                return lags(&gitops, &commit);
            }
            let text = format!("{} has no commit {commit}", gitops.repo);
            Failure::input(text, format!("name a commit of its branch {} with --commit-id", gitops.branch))
        })?;
        Ok(Subject { environment: environment.meta.name.clone(), gitops, others, commit, contents })
    }

    /// The contexts of the statuses that its check writes.
    pub(crate) fn contexts(&self) -> Contexts {
        match self.others.is_empty() {
            true => Contexts::of_environment(&self.environment),
            false => Contexts::of_branch(&self.environment, &self.gitops.name),
        }
    }

    /// What is checked, for the rules of the check.
    pub(crate) fn target(&self) -> rollout::Target {
        rollout::Target {
            repository: self.gitops.url.clone(),
            branch: self.gitops.branch.clone(),
            root: self.gitops.root.to_string(),
            cluster_types: self.contents.folders.keys().cloned().collect(),
            commit: self.commit.clone(),
            promoted: self.contents.promoted.clone(),
        }
    }
}

/// The commit that a GitOps branch stands at.
pub(crate) fn head(github: &Github, gitops: &GitOps) -> Result<CommitId, Failure> {
    let head = github.head(&gitops.repo, &format!("refs/heads/{}", gitops.branch))?;
    let head = head.and_then(|head| CommitId::new(head.as_str()));
    head.ok_or_else(|| {
        let text = format!("{} has no branch `{}`", gitops.repo, gitops.branch);
        Failure::input(text, "make it, and have `schedule` open its first pull request")
    })
}

/// A commit that one part of GitHub names and another one does not know yet: that is no news of the commit.
pub(crate) fn lags(gitops: &GitOps, commit: &CommitId) -> Failure {
    let text = format!(
        "GitHub names commit {} of {}, branch {}, and does not find it",
        commit.short(),
        gitops.repo,
        gitops.branch
    );
    let help = "run again: it takes a moment until all of GitHub knows a new commit";
    Failure::world(anyhow::anyhow!(text), help).passing()
}

/// The branch that is meant, and the environment's other ones.
fn branches(
    chain: &Chain,
    environment: &Environment,
    branch: &Snapshot,
    named: Option<&str>,
) -> Result<(GitOps, Vec<GitOps>), Failure> {
    let mut repos: Vec<&GitOpsRepo> = branch.gitops_repos().collect();
    repos.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
    let names = repos.iter().map(|repo| &*repo.meta.name).collect::<Vec<_>>().join(", ");
    let name = &environment.meta.name;
    let meant = match (named, &repos[..]) {
        (None, [_]) => 0,
        (_, []) => {
            let text = format!("no GitOpsRepo on the branch of `{name}` says what clusters follow");
            return Err(Failure::input(text, "add a GitOpsRepo to the environment's branch"));
        }
        (None, _) => {
            let text = format!("which GitOpsRepo of `{name}`?");
            return Err(Failure::usage(text, format!("give --gitops-repo with one of {names}")));
        }
        (Some(named), repos) => repos.iter().position(|repo| repo.meta.name == named).ok_or_else(|| {
            Failure::usage(format!("`{name}` has no GitOpsRepo `{named}`"), format!("there are {names}"))
        })?,
    };
    let access = &chain.access;
    let found: Vec<(Url, GitOps)> =
        repos.iter().map(|repo| gitops(&access.github, repo)).collect::<Result<_, _>>()?;
    let (urls, mut all): (Vec<Url>, Vec<GitOps>) = found.into_iter().unzip();
    access.tokens.set_gitops_repositories(&urls);
    Ok((all.remove(meant), all))
}

/// Where a GitOpsRepo is.
fn gitops(github: &Github, GitOpsRepo { meta, at }: &GitOpsRepo) -> Result<(Url, GitOps), Failure> {
    let url = git::remote_url(&at.repo).ok();
    let repo = url.as_ref().and_then(|url| github.repo(url));
    let (Some(address), Some(repo)) = (url, repo) else {
        let (name, url) = (&meta.name, at.shown_repo());
        let text = format!("GitOpsRepo `{name}`: {url} is no repository on {}", github.server());
        return Err(Failure::input(text, "write it as https://github.com/OWNER/NAME").at(&meta.location));
    };
    let (name, branch, root) = (meta.name.clone(), at.branch.clone(), at.path.clone());
    Ok((address, GitOps { name, repo, url: at.shown_repo(), branch, root }))
}

impl Contents {
    /// What a commit says of itself; nothing if there is no such commit.
    pub(crate) fn at(
        github: &Github,
        gitops: &GitOps,
        commit: &CommitId,
    ) -> Result<Option<Contents>, Failure> {
        let (promoted, assignments) =
            (tracking::promoted_commit_file(&gitops.root), tracking::folder(&gitops.root));
        let root = gitops.root.to_string();
        let root = if gitops.root.is_root() { "" } else { &*root };
        let places = Places { root, promoted: &promoted, assignments: &assignments };
        let tracking = github.tracking(&gitops.repo, &oid(commit)?, places)?;
        Ok(tracking.map(Contents::of))
    }

    /// The same of a commit that may be so new that not all of GitHub knows it.
    fn awaited(access: &Access, gitops: &GitOps, commit: &CommitId) -> Result<Option<Contents>, Failure> {
        let end = access.clock.now() + LAG;
        loop {
            let contents = Contents::at(&access.github, gitops, commit)?;
            if contents.is_some() || access.clock.now() >= end {
                return Ok(contents);
            }
            let why = format!("GitHub does not know commit {} of {} yet", commit.short(), gitops.repo);
            access.clock.sleep(AGAIN, &why);
        }
    }

    /// The same of a commit that GitHub has named itself.
    pub(crate) fn known(access: &Access, gitops: &GitOps, commit: &CommitId) -> Result<Contents, Failure> {
        Contents::awaited(access, gitops, commit)?.ok_or_else(|| lags(gitops, commit))
    }

    fn of(Tracking { folders, promoted, assignments }: Tracking) -> Contents {
        let held = |(cluster_type, text): (String, String)| {
            let folders = tracking::read_text(&text).into_iter();
            let held = folders.filter(|(_, folder)| folder.state == State::Held);
            held.map(move |(target, _)| (cluster_type.clone(), target)).collect::<Vec<_>>()
        };
        Contents {
            promoted: promoted.and_then(|text| CommitId::new(text.trim())),
            folders: folders.into_iter().filter(|(name, _)| !name.starts_with('.')).collect(),
            held: assignments.into_iter().flat_map(held).collect(),
        }
    }
}

impl Promotion {
    /// What carrying on is about, in an environment whose branch names the commit `pinned`.
    pub(crate) fn find(
        chain: &Chain,
        environment: &Environment,
        pinned: Option<&CommitId>,
        subject: &Subject,
        arguments: &CheckArgs,
    ) -> Result<Promotion, Failure> {
        let (github, gitops) = (&chain.access.github, &subject.gitops);
        let named = arguments.next_environment.clone().or_else(|| environment.next.clone());
        let name = &environment.meta.name;
        // Where a chain is declared, what has no next environment is its end.
        let secret =
            || runner::variable(NEXT_ENVIRONMENT).filter(|secret| !chain.is_linked() && secret != name);
        let is_next_secret = named.is_none() && secret().is_some();
        let next = named.or_else(secret);
        next.as_deref().map(|next| chain.environment(next)).transpose()?;
        let tracked = subject.contents.promoted.clone();
        let commit = arguments.promoted_commit_id.clone().or(tracked);
        let given = arguments.before.as_ref().filter(|before| !is_nothing(before));
        let before = match given {
            Some(before) => Contents::at(github, gitops, before)?,
            None => None,
        };
        let Some(promoted) = &commit else {
            let (due, others) = (Due::Untracked, Vec::new());
            return Ok(Promotion {
                commit,
                due,
                own: None,
                next,
                is_next_secret,
                is_all_held: false,
                others,
            });
        };
        let statuses = github.statuses(&chain.repo, &oid(promoted)?)?;
        let stands = |other: Option<CommitId>| -> Result<Option<(CommitId, Relation)>, Failure> {
            let relation = |other: CommitId| {
                let relation = relation(github, &chain.repo, promoted, &other)?;
                Ok((other, relation))
            };
            other.map(relation).transpose()
        };
        let head = head(github, gitops)?;
        // GitHub may still name a head that is older than the commit.
        let of_head = match relation(github, &gitops.repo, &head, &subject.commit)? {
            Relation::Same | Relation::Ancestor => None,
            Relation::Descendant | Relation::Diverged | Relation::Missing => {
                Contents::known(&chain.access, gitops, &head)?.promoted
            }
        };
        let tracked_before = before.as_ref().and_then(|contents| contents.promoted.clone());
        let others = tracked_before.iter().chain(&of_head).cloned().collect();
        let own = newest(&statuses, &environment.meta.name).map(|status| status.state);
        let due = rollout::due(&Facts {
            promoted: commit.clone(),
            own,
            next: match &next {
                None => NextMark::NoNext,
                Some(next) if newest(&statuses, next).is_some() => NextMark::Marked,
                Some(_) => NextMark::Unmarked,
            },
            // What the environment's own branch names is no revert: somebody has promoted an older commit.
            before: stands(tracked_before.filter(|_| pinned != Some(promoted)))?,
            head: stands(of_head)?,
        });
        let is_all_held = due == Due::Yes && is_all_held(&chain.access, subject)?;
        Ok(Promotion { commit, due, own, next, is_next_secret, is_all_held, others })
    }

    /// Whether the commit is handed over when the check succeeds.
    pub(crate) fn is_due(&self) -> bool {
        self.due == Due::Yes
    }

    /// Whether the check writes statuses: for what is carried on, and for what still looks as if it were.
    pub(crate) fn has_status(&self) -> bool {
        match self.due {
            Due::Yes => true,
            Due::Superseded(_) => self.own == Some(StatusState::Pending),
            Due::Done | Due::Untracked | Due::Reverts(_) => false,
        }
    }
}

/// The newest status for an environment.
pub(crate) fn newest<'s>(statuses: &'s [Status], environment: &str) -> Option<&'s Status> {
    let context = context(environment);
    statuses.iter().find(|status| status.context == context)
}

/// Whether all that the promotion changed is held: then nothing of it has reached clusters.
///
/// What counts is the commit that brought it, whatever was merged since.
fn is_all_held(access: &Access, Subject { gitops, commit, contents, .. }: &Subject) -> Result<bool, Failure> {
    if contents.held.is_empty() || contents.promoted.is_none() {
        return Ok(false);
    }
    let file = tracking::promoted_commit_file(&gitops.root);
    let landing = access.github.landing(&gitops.repo, &oid(commit)?, &file)?;
    let Landing { commit: landed, parent } = landing.ok_or_else(|| lags(gitops, commit))?;
    let at = |commit: &CommitId| Contents::known(access, gitops, commit);
    let (landed, before) = (at(&landed)?, parent.as_ref().map(at).transpose()?.unwrap_or_default());
    let mut brought = landed.held.difference(&before.held).peekable();
    let brings_holds = brought.peek().is_some();
    Ok(brings_holds && landed.folders == before.folders && brought.all(|held| contents.held.contains(held)))
}

/// What a push that makes a branch has as its commit before.
fn is_nothing(commit: &CommitId) -> bool {
    commit.as_str().bytes().all(|digit| digit == b'0')
}

/// The same commit, for GitHub.
pub(crate) fn oid(commit: &CommitId) -> Result<Oid, Failure> {
    let help = "this is a fault of the program: please report it";
    Oid::new(commit.as_str()).ok_or_else(|| Failure::input(format!("{commit} is no commit"), help))
}
