//! GitHub as plain data: a state that one can hold in the hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};

use crate::git::{Bare, CommitInfo, RefUpdate, Signature, ZEROS};
use crate::limits::{Limits, Usage};
use crate::tokens::{App, Grant};

/// Everything that the server knows, apart from the content of the repositories.
#[derive(Clone, Debug)]
pub(crate) struct GitHub {
    /// The server's address, without a slash at the end.
    pub(crate) url: String,
    /// Where the bare repositories are.
    pub(crate) folder: PathBuf,
    /// By full name in lower case.
    pub(crate) repositories: BTreeMap<String, Repo>,
    pub(crate) grants: BTreeMap<String, Grant>,
    pub(crate) apps: Vec<App>,
    pub(crate) limits: Limits,
    pub(crate) usage: BTreeMap<String, Usage>,
    pub(crate) clock: Clock,
    last_id: u64,
}

/// What time it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    /// The machine's own time, moved by so much.
    Running(SignedDuration),
    /// Always this.
    Standing(Timestamp),
}

/// Who may see a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Everyone.
    Public,
    /// Those with a token for it.
    Private,
}

/// Whether a repository has issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issues {
    /// It has.
    Enabled,
    /// It has not: 410 for whoever asks.
    Disabled,
}

/// A repository.
#[derive(Clone, Debug)]
pub(crate) struct Repo {
    pub(crate) id: u64,
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) visibility: Visibility,
    pub(crate) issues: Issues,
    pub(crate) default_branch: String,
    /// Issues and pull requests, by their number.
    pub(crate) threads: BTreeMap<u64, Thread>,
    pub(crate) labels: BTreeSet<String>,
    /// In the order in which they came.
    pub(crate) statuses: Vec<Status>,
    /// Commits that GitHub signed.
    pub(crate) verified: BTreeSet<String>,
    pub(crate) redirect: Option<Redirect>,
    /// Commits that branches name and that are not found by their own names.
    pub(crate) hidden: BTreeSet<String>,
    /// Branches that have rules.
    pub(crate) protections: BTreeMap<String, Protection>,
    /// In the order in which they came.
    pub(crate) dispatches: Vec<Dispatch>,
    pub(crate) runs: BTreeMap<u64, Run>,
    pub(crate) created: Timestamp,
}

/// Where a repository's requests are sent instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirect {
    pub(crate) status: u16,
    /// The address of the repository there, as people write it.
    pub(crate) to: String,
}

/// An issue, or a pull request.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub(crate) id: u64,
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    pub(crate) state: State,
    pub(crate) state_reason: Option<String>,
    pub(crate) labels: BTreeSet<String>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) author: String,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) closed: Option<Timestamp>,
    pub(crate) pull: Option<PullPart>,
}

/// What a pull request has on top of an issue.
#[derive(Clone, Debug)]
pub(crate) struct PullPart {
    pub(crate) head: String,
    pub(crate) base: String,
    /// Where the head stands, or stood when the pull request was closed.
    pub(crate) head_sha: String,
    /// Where the base stands, or stood when the pull request was closed.
    pub(crate) base_sha: String,
    pub(crate) merged: Option<Merged>,
}

/// How a pull request was merged.
#[derive(Clone, Debug)]
pub(crate) struct Merged {
    pub(crate) sha: String,
    pub(crate) at: Timestamp,
    pub(crate) by: String,
}

/// Open or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Someone has still to do something.
    Open,
    /// It is done, or given up.
    Closed,
}

/// A comment on an issue or pull request.
#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) created: Timestamp,
}

/// A status of a commit.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) id: u64,
    pub(crate) sha: String,
    pub(crate) state: String,
    pub(crate) context: String,
    pub(crate) description: Option<String>,
    pub(crate) target_url: Option<String>,
    pub(crate) creator: String,
    pub(crate) created: Timestamp,
}

/// The rules that a branch has for whoever moves it with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// A rule set: by pull requests only.
    PullRequests,
    /// A rule set: only by those whom it names.
    Updates,
    /// A rule set: only to commits that passed a check.
    StatusChecks,
    /// A rule set: never by force, and it stays.
    NoForce,
    /// The older branch protection: by pull requests only.
    Classic,
}

/// A workflow that was asked to run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dispatch {
    /// The name of its file.
    pub workflow: String,
    /// The branch that it runs on.
    pub branch: String,
    /// Its inputs.
    pub inputs: BTreeMap<String, String>,
    /// Who asked.
    pub by: String,
}

/// A run of a workflow.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) started: Timestamp,
    pub(crate) finished: Option<Timestamp>,
}

/// How a pull request's commits come to its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// By a commit that has both as parents.
    Commit,
    /// As one new commit.
    Squash,
    /// As new commits, one for each.
    Rebase,
}

/// What a pull request cannot be merged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmergeable {
    Closed,
    Conflict,
}

impl GitHub {
    pub(crate) fn new(url: String, folder: PathBuf) -> GitHub {
        GitHub {
            url,
            folder,
            repositories: BTreeMap::new(),
            grants: BTreeMap::new(),
            apps: Vec::new(),
            limits: Limits::default(),
            usage: BTreeMap::new(),
            clock: Clock::Running(SignedDuration::ZERO),
            last_id: 1_000,
        }
    }

    /// The time in whole seconds, as GitHub writes it.
    pub(crate) fn now(&self) -> Timestamp {
        let now = match self.clock {
            Clock::Running(offset) => Timestamp::now() + offset,
            Clock::Standing(time) => time,
        };
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    pub(crate) fn advance(&mut self, span: SignedDuration) {
        self.clock = match self.clock {
            Clock::Running(offset) => Clock::Running(offset + span),
            Clock::Standing(time) => Clock::Standing(time + span),
        };
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(crate) fn bare(&self, full_name: &str) -> Bare {
        Bare::at(self.folder.join(format!("{full_name}.git")))
    }

    pub(crate) fn create_repository(&mut self, full_name: &str, visibility: Visibility) -> Result<()> {
        let key = full_name.to_lowercase();
        let (owner, name) = full_name.split_once('/').unwrap_or(("contoso", full_name));
        let repo = Repo {
            id: self.next_id(),
            owner: owner.to_owned(),
            name: name.to_owned(),
            visibility,
            issues: Issues::Enabled,
            default_branch: "main".to_owned(),
            threads: BTreeMap::new(),
            labels: BTreeSet::new(),
            statuses: Vec::new(),
            verified: BTreeSet::new(),
            redirect: None,
            hidden: BTreeSet::new(),
            protections: BTreeMap::new(),
            dispatches: Vec::new(),
            runs: BTreeMap::new(),
            created: self.now(),
        };
        self.bare(&key).init(&repo.default_branch)?;
        self.repositories.insert(key, repo);
        Ok(())
    }

    /// Why the rules of a repository keep a token from moving a reference there, if they do.
    ///
    /// They are about branches that are there: one that they would hold for can be begun.
    pub(crate) fn rule_against(&self, key: &str, name: &str, after: &str) -> Result<Option<&'static str>> {
        let branch = name.strip_prefix("refs/heads/").unwrap_or_default();
        let protection = self.repositories.get(key).and_then(|repo| repo.protections.get(branch));
        let bare = self.bare(key);
        let (Some(protection), Some(stands)) = (protection, bare.reference(name)?) else { return Ok(None) };
        let is_forward = after != ZEROS && bare.is_ancestor(&stands, after)?;
        let is_allowed = *protection == Protection::NoForce && is_forward;
        Ok((!is_allowed).then(|| protection.refusal()))
    }

    /// How commits, merges and robots of this login sign.
    pub(crate) fn signature(&self, login: &str) -> Signature {
        Signature {
            name: login.to_owned(),
            email: format!("{login}@users.noreply.github.example"),
            seconds: self.now().as_second(),
        }
    }

    /// Brings open pull requests up to where their branches stand now.
    ///
    /// As on GitHub: without its head or base a pull request is closed; one whose head has come into its base is
    /// merged, or closed if it was the head that went there.
    pub(crate) fn refresh_pulls(&mut self, key: &str) -> Result<()> {
        let (bare, now) = (self.bare(key), self.now());
        let Some(repo) = self.repositories.get_mut(key) else { return Ok(()) };
        if !repo.threads.values().any(|thread| thread.state == State::Open && thread.pull.is_some()) {
            return Ok(());
        }
        let branches = bare.refs("refs/heads/")?;
        for thread in repo.threads.values_mut().filter(|thread| thread.state == State::Open) {
            let Some(pull) = &mut thread.pull else { continue };
            let stands = |branch: &str| branches.get(&format!("refs/heads/{branch}")).cloned();
            let (Some(head), Some(base)) = (stands(&pull.head), stands(&pull.base)) else {
                thread.close(now);
                continue;
            };
            if head == pull.head_sha && base == pull.base_sha {
                continue;
            }
            let landed = bare.is_ancestor(&head, &base)?;
            if landed && head == pull.head_sha {
                pull.merged = Some(Merged { sha: base.clone(), at: now, by: "somebody".to_owned() });
            }
            (pull.head_sha, pull.base_sha) = (head, base);
            thread.updated = now;
            if landed {
                thread.close(now);
            }
        }
        Ok(())
    }

    /// Merges a pull request, and gives the commit that its base then stands at.
    pub(crate) fn merge(
        &mut self,
        key: &str,
        number: u64,
        how: Merge,
        by: &str,
    ) -> Result<Result<String, Unmergeable>> {
        self.refresh_pulls(key)?;
        let (bare, now, signature) = (self.bare(key), self.now(), self.signature(by));
        let open = self
            .repositories
            .get(key)
            .and_then(|repo| repo.threads.get(&number))
            .filter(|thread| thread.state == State::Open);
        let Some((thread, pull)) = open.and_then(|thread| Some((thread, thread.pull.clone()?))) else {
            return Ok(Err(Unmergeable::Closed));
        };
        let title = format!("{} (#{number})", thread.title);
        let Some(sha) = merged(&bare, &pull, how, &title, &signature)? else {
            return Ok(Err(Unmergeable::Conflict));
        };
        let update = RefUpdate {
            name: format!("refs/heads/{}", pull.base),
            before: Some(pull.base_sha.clone()),
            after: sha.clone(),
        };
        bare.update_refs(&[update])?;
        if let Some(thread) = self.repositories.get_mut(key).and_then(|repo| repo.threads.get_mut(&number)) {
            if let Some(pull) = &mut thread.pull {
                pull.merged = Some(Merged { sha: sha.clone(), at: now, by: by.to_owned() });
            }
            thread.close(now);
        }
        Ok(Ok(sha))
    }
}

impl Repo {
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// Whether a text names a commit that is not found.
    pub(crate) fn hides(&self, text: &str) -> bool {
        self.hidden.iter().any(|commit| text.contains(commit))
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.threads.last_key_value().map_or(1, |(number, _)| number + 1)
    }
}

impl Protection {
    /// What GitHub says to whoever breaks the rules.
    fn refusal(self) -> &'static str {
        match self {
            Protection::PullRequests => {
                "Repository rule violations found\n\nChanges must be made through a pull request.\n\n"
            }
            Protection::Updates => {
                "Repository rule violations found\n\nCannot update this protected ref.\n\n"
            }
            Protection::StatusChecks => {
                "Repository rule violations found\n\nRequired status check \"build\" is expected.\n\n"
            }
            Protection::NoForce => "Repository rule violations found\n\nCannot force-push to this branch\n\n",
            Protection::Classic => "Changes must be made through a pull request.",
        }
    }

    /// Whether a plain push is refused too.
    pub(crate) fn refuses_pushes(self) -> bool {
        self != Protection::NoForce
    }
}

impl Thread {
    pub(crate) fn close(&mut self, now: Timestamp) {
        self.state = State::Closed;
        self.closed = Some(now);
        self.updated = now;
    }

    pub(crate) fn reopen(&mut self, now: Timestamp) {
        self.state = State::Open;
        self.state_reason = None;
        self.closed = None;
        self.updated = now;
    }
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Closed => "closed",
        }
    }
}

/// Writes the commits of a merge, unless the branches contradict one another.
fn merged(
    bare: &Bare,
    pull: &PullPart,
    how: Merge,
    title: &str,
    signature: &Signature,
) -> Result<Option<String>> {
    let PullPart { base_sha: base, head_sha: head, .. } = pull;
    if how == Merge::Rebase {
        return rebased(bare, base, head, signature);
    }
    let Some(tree) = bare.merge(None, base, head)? else { return Ok(None) };
    let parents = match how {
        Merge::Commit => vec![base.clone(), head.clone()],
        Merge::Squash | Merge::Rebase => vec![base.clone()],
    };
    bare.write_commit(&tree, &parents, title, signature, signature).map(Some)
}

fn rebased(bare: &Bare, base: &str, head: &str, signature: &Signature) -> Result<Option<String>> {
    let mut names = bare.range(&format!("{base}..{head}"))?;
    names.reverse();
    let mut onto = base.to_owned();
    for CommitInfo { sha, parents, message, author, .. } in bare.commits(&names)? {
        let parent = parents.first().map_or(ZEROS, String::as_str);
        let Some(tree) = bare.merge(Some(parent), &onto, &sha)? else { return Ok(None) };
        onto = bare.write_commit(&tree, &[onto], &message, &author, signature)?;
    }
    Ok(Some(onto))
}
