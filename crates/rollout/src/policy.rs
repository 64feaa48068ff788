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

#[cfg(test)]
mod tests {
    use super::*;

    fn target(branch: &str, root: &str) -> Target {
        Target {
            repository: "https://github.com/org/gitops".to_owned(),
            branch: branch.to_owned(),
            root: root.to_owned(),
            cluster_types: ["drone", "large"].map(str::to_owned).into(),
            commit: CommitId::new(&"1".repeat(40)).unwrap(),
            promoted: None,
        }
    }

    #[test]
    fn following() {
        let text = |text: &str| Some(text.to_owned());
        let none = Reference::default();
        let dev = Reference { branch: text("dev"), ..none.clone() };
        let not_counted = Following::NotCounted;
        let url = "git@github.com:Org/GitOps.git";
        let git = "GitRepository";
        let cases = [
            (git, url, dev.clone(), Following::Branch, "the branch"),
            ("gitrepository", url, dev.clone(), Following::Branch, "another spelling"),
            (
                git,
                url,
                Reference { branch: text("stage"), ..none.clone() },
                Following::Elsewhere,
                "another branch",
            ),
            (git, url, Reference { branch: text("Dev"), ..none.clone() }, Following::Elsewhere, "capitals"),
            (git, url, none.clone(), Following::Elsewhere, "nothing is `master`"),
            (
                git,
                url,
                Reference { branch: text(""), ..none.clone() },
                Following::Elsewhere,
                "so is an empty one",
            ),
            (git, "https://github.com/org/other", dev.clone(), Following::Elsewhere, "another repository"),
            ("Bucket", "https://github.com/org/other", dev.clone(), Following::Elsewhere, "neither"),
            ("Bucket", url, none.clone(), not_counted(NotCounted::OtherSource), "no git"),
            (
                git,
                url,
                Reference { tag: text("v1"), ..none.clone() },
                not_counted(NotCounted::Pinned),
                "a tag",
            ),
            (
                git,
                url,
                Reference { semver: text(">=1"), ..none.clone() },
                not_counted(NotCounted::Pinned),
                "a range",
            ),
            (
                git,
                url,
                Reference { commit: text("1"), ..dev.clone() },
                not_counted(NotCounted::Pinned),
                "a commit of the branch",
            ),
            (
                git,
                url,
                Reference { commit: text("1"), branch: text("stage"), ..none.clone() },
                Following::Elsewhere,
                "a commit of another branch",
            ),
            (git, url, Reference { tag: text(""), ..dev.clone() }, Following::Branch, "an empty tag is none"),
        ];
        for (kind, url, reference, want, why) in cases {
            let given = target("dev", "").following(kind, url, &reference, &Provisioning::Succeeded);
            assert_eq!(given, want, "{why}");
        }
        let master = target("master", "");
        let states = [
            (Provisioning::Succeeded, Following::Branch),
            (Provisioning::Failed, Following::Branch),
            (Provisioning::Deleting, not_counted(NotCounted::Deleting)),
        ];
        for (provisioning, want) in states {
            assert_eq!(master.following(git, url, &none, &provisioning), want, "{provisioning:?}");
        }
    }

    #[test]
    fn cluster_types() {
        let cases = [
            ("", "drone", Some("drone"), "the folder"),
            ("", "./drone/", Some("drone"), "as it is often written"),
            ("", "/drone", Some("drone"), "from the root"),
            ("", "drone/deeper", Some("drone"), "a part of it"),
            ("", "./", None, "the root itself"),
            ("", "", None, "nothing"),
            ("", "other/drone", None, "a folder of another name"),
            ("", "drones", None, "a name that begins alike"),
            (".", "drone", Some("drone"), "the root as a dot"),
            ("./clusters/", "clusters/drone", Some("drone"), "below the root"),
            ("a/b", "./a/b/large", Some("large"), "far below"),
            ("a/b", "a/large", None, "beside the root"),
            ("a/b", "a/b", None, "the root"),
            ("a", "drone", None, "outside"),
            ("drone", "drone", None, "the root has the name of a cluster type"),
        ];
        for (root, path, want, why) in cases {
            let target = target("dev", root);
            assert_eq!(target.cluster_type(path).map(String::as_str), want, "{why}");
        }
    }
}
