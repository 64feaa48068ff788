//! What is checked, and by which rules.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::commit::CommitId;
use crate::observation::{Observation, Provisioning, Reference};
use crate::repository::is_same_repository;
use crate::standing::NotCounted;

/// What is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The GitOps repository's URL
    pub repository: String,
    /// The GitOps branch
    pub branch: String,
    /// The folder of the branch in which cluster types have theirs; empty for the root
    pub root: String,
    /// The cluster types that have a folder there
    pub cluster_types: BTreeSet<String>,
    /// The commit that clusters must apply
    pub commit: CommitId,
    /// What `Promoted_Commit_Id` holds there
    pub promoted: Option<CommitId>,
}

/// How a configuration stands to the branch that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Following {
    Branch,
    NotCounted(NotCounted),
    Elsewhere,
}

impl Target {
    /// How a configuration with this source stands to the branch.
    pub(crate) fn following(
        &self,
        kind: &str,
        url: &str,
        reference: &Reference,
        provisioning: &Provisioning,
    ) -> Following {
        let Reference { branch, tag, semver, commit } = reference;
        let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let is_pinned = [tag, semver, commit].into_iter().any(given);
        let branch = branch.as_ref().filter(|branch| !branch.is_empty());
        let is_ours = match branch {
            Some(branch) => *branch == self.branch,
            None => is_pinned || self.branch == "master",
        };
        if !is_same_repository(url, &self.repository) {
            Following::Elsewhere
        } else if !kind.eq_ignore_ascii_case("GitRepository") {
            Following::NotCounted(NotCounted::OtherSource)
        } else if !is_ours {
            Following::Elsewhere
        } else if is_pinned {
            Following::NotCounted(NotCounted::Pinned)
        } else if *provisioning == Provisioning::Deleting {
            Following::NotCounted(NotCounted::Deleting)
        } else {
            Following::Branch
        }
    }

    /// How a configuration stands to the branch.
    pub(crate) fn following_of(&self, observation: &Observation) -> Following {
        let source = &observation.source;
        self.following(&source.kind, &source.url, &source.reference, &observation.provisioning)
    }

    /// The cluster types whose folders a configuration applies.
    pub(crate) fn cluster_types(&self, observation: &Observation) -> BTreeSet<String> {
        let paths = observation.kustomizations.values().map(|kustomization| kustomization.path.as_str());
        paths.filter_map(|path| self.cluster_type(path)).cloned().collect()
    }

    fn cluster_type(&self, path: &str) -> Option<&String> {
        let mut folders = folders_in(path);
        let is_below = folders_in(&self.root).all(|folder| folders.next() == Some(folder));
        folders.next().filter(|_| is_below).and_then(|folder| self.cluster_types.get(folder))
    }
}

fn folders_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').map(str::trim).filter(|folder| !matches!(*folder, "" | "."))
}

/// The rules of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long clusters have
    pub timeout: Duration,
    /// The time between two polls
    pub poll_interval: Duration,
    /// How long a failure must last
    pub grace: Grace,
    /// Fewer clusters are a failure
    pub min_clusters: usize,
    /// What a configuration that is told to do nothing means
    pub on_suspended: OnTrouble,
    /// What a cluster that is not there means
    pub on_disconnected: OnTrouble,
    /// What a cluster type without any configuration means
    pub on_unobserved: Unobserved,
}

/// How long a configuration must stay Non-Compliant to have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// Its largest retry interval, else sync interval, and timeout
    Auto,
    /// So long; zero: at once
    Fixed(Duration),
}

/// What is done about a configuration that cannot get there by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTrouble {
    /// It does not count, as long as others of its cluster type do
    Ignore,
    /// It is waited for
    Wait,
    /// It has failed
    Fail,
}

/// What a cluster type of the tree without any configuration means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unobserved {
    /// It is said
    Said,
    /// The check fails
    Refused,
}
