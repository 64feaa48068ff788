//! How a check ends.

use std::collections::BTreeSet;

use crate::commit::CommitId;
use crate::observation::ConfigurationId;

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every configuration has shown that it applied the commit
    Compliant,
    /// Something has failed
    Failed(Failure),
    /// Time is over
    Timeout,
    /// There are fewer clusters than there must be
    NoClusters {
        /// How many there are
        seen: usize,
    },
    /// A newer commit has taken its place, or it is no longer on the branch
    Superseded {
        /// The head of the GitOps branch
        head: CommitId,
        /// What is promoted there, if that is something else
        by: Option<CommitId>,
    },
    /// The branch went back to an older promoted commit
    Reverted {
        /// The head of the GitOps branch
        head: CommitId,
        /// What is promoted there
        by: Option<CommitId>,
    },
}

/// What has failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Configurations
    pub configurations: BTreeSet<ConfigurationId>,
    /// Cluster types that must be observed and are not
    pub unobserved: BTreeSet<String>,
}
