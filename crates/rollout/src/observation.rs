//! What one report shows of one Flux configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::commit::CommitId;
use crate::time::Time;

/// What one report shows of one Flux configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Which one
    pub id: ConfigurationId,
    /// Its name, with which those of its kustomizations begin
    pub name: String,
    /// The namespace of its objects in the cluster
    pub namespace: String,
    /// Where it is
    pub cluster: Cluster,
    /// What it follows
    pub source: Source,
    /// What it applies, by key
    pub kustomizations: BTreeMap<String, Kustomization>,
    /// Whether it is told to do nothing
    pub is_suspended: bool,
    /// The commit that its source has fetched; nothing if there is none or it cannot be read
    pub synced: Option<CommitId>,
    /// What Flux says of it as a whole
    pub compliance: Compliance,
    /// Whether the configuration itself is set up
    pub provisioning: Provisioning,
    /// What Flux says of each of its objects
    pub objects: Vec<ObjectStatus>,
    /// What is wrong with setting it up
    pub message: Option<String>,
    /// When the cluster reported this
    pub reported: Option<Time>,
    /// How it was read
    pub channel: Channel,
}

/// A resource id, in small letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigurationId(String);

impl ConfigurationId {
    /// The id of a resource, however it is spelled.
    pub fn new(text: &str) -> ConfigurationId {
        ConfigurationId(text.to_lowercase())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a report was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// From the index over all resources, which lags
    Index,
    /// From the resource itself
    Direct,
}

/// A cluster, and whether it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its resource id, in small letters
    pub id: String,
    /// Its name
    pub name: String,
    /// Whether it is there
    pub connectivity: Connectivity,
}

/// Whether a cluster is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connectivity {
    /// It is
    Connected,
    /// It is not
    Disconnected {
        /// What it is called, such as `Offline` or `Stopped`
        state: String,
        /// When it last was
        last_contact: Option<Time>,
    },
    /// Nothing is known
    Unknown,
}

/// What a configuration follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Whether it is a git repository; others are a bucket, a registry
    pub kind: String,
    /// The repository's URL as it is written there
    pub url: String,
    /// What of the repository
    pub reference: Reference,
    /// How often it is looked at
    pub sync_interval: Duration,
}

/// What of a repository is followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// A branch; without anything it is `master`
    pub branch: Option<String>,
    /// A tag
    pub tag: Option<String>,
    /// The highest version in a range
    pub semver: Option<String>,
    /// A commit
    pub commit: Option<String>,
}

/// A folder that is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kustomization {
    /// The folder, as it is written there: `./drone`, `drone/`, empty for the root
    pub path: String,
    /// Whether it is ready only when what it applied is healthy
    pub waits: Waits,
    /// How often it is applied
    pub sync_interval: Duration,
    /// How soon it is tried again; without it, the sync interval
    pub retry_interval: Option<Duration>,
    /// How long one try may take
    pub timeout: Duration,
}

/// Whether a kustomization waits for what it applied to be healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// It does
    ForHealth,
    /// It does not
    No,
}

/// What Flux says of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectStatus {
    /// Such as `Kustomization`, `GitRepository`, `HelmRelease`
    pub kind: String,
    /// Its name
    pub name: String,
    /// Its namespace
    pub namespace: String,
    /// Its condition Ready
    pub ready: Option<Ready>,
    /// The reason that stands with it, such as `BuildFailed`, `DependencyNotReady`, `Progressing`
    pub reason: String,
    /// The message that stands with it
    pub message: String,
    /// The commit of a message `Applied revision: …`
    pub applied: Option<CommitId>,
}

/// The condition Ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// It is
    True,
    /// It is not
    False,
    /// It is not known yet
    Unknown,
}

/// What Flux says of a configuration as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compliance {
    /// Everything is as it should be
    Compliant,
    /// Something is wrong
    NonCompliant,
    /// Work is under way; also where nothing is said
    Pending,
    /// It is told to do nothing
    Suspended,
    /// It is not known
    Unknown,
    /// A state that this program does not know
    Other(String),
}

/// Whether a configuration is set up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provisioning {
    /// It is
    Succeeded,
    /// It could not be
    Failed,
    /// It was called off
    Canceled,
    /// It will be
    Creating,
    /// It is being changed
    Updating,
    /// It goes away
    Deleting,
    /// A state that this program does not know
    Other(String),
}
