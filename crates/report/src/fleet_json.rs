//! How a fleet stands, as JSON: stable, for scripts.

use rollout::{Connectivity, Standing, State, Time};
use schemars::{JsonSchema, schema_for};
use serde::{Deserialize, Serialize};

use crate::check::without_user;
use crate::fleet_status::{Counts, FleetStatus};
use crate::standing::{applied, compliance_word, messages, provisioning_word, reason};

/// How the fleet of an environment stands, at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FleetReport {
    /// The environment
    pub environment: String,
    /// The GitOps repository
    pub repository: String,
    /// The GitOps branch
    pub branch: String,
    /// The commit of the branch that clusters must apply
    pub commit: String,
    /// The commit of the control plane that the branch tracks there
    pub promoted_commit: Option<String>,
    /// How many configurations are in which state
    pub counts: CountsReport,
    /// On how many clusters they are
    pub clusters: usize,
    /// The same by cluster type
    pub cluster_types: Vec<ClusterTypeStatus>,
    /// Each configuration that follows the repository
    pub configurations: Vec<ConfigurationReport>,
}

/// How many configurations are in which state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CountsReport {
    /// They have shown that they applied the commit
    pub done: usize,
    /// Those of the done whose health nobody checks
    pub health_unchecked: usize,
    /// Something is wrong
    pub failing: usize,
    /// They have not shown it yet
    pub waiting: usize,
    /// They do not count now
    pub ignored: usize,
}

/// How the configurations of a cluster type stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterTypeStatus {
    /// The cluster type; nothing for configurations that apply none of the tree
    pub name: Option<String>,
    /// Whether there is a configuration that applies it
    pub observed: bool,
    /// How many are in which state
    pub counts: CountsReport,
}

/// How a configuration stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationReport {
    /// Its resource id, in small letters
    pub id: String,
    /// Its name
    pub name: String,
    /// The name of its cluster
    pub cluster: String,
    /// The resource id of its cluster, in small letters
    pub cluster_id: String,
    /// The cluster types that it applies
    pub cluster_types: Vec<String>,
    /// How it stands
    pub state: StateReport,
    /// Why, in words
    pub reason: String,
    /// What Flux says of it as a whole
    pub compliance: String,
    /// Whether it is set up
    pub provisioning: String,
    /// The commit that its source has fetched
    pub synced_commit: Option<String>,
    /// What its kustomizations have applied
    pub kustomizations: Vec<KustomizationReport>,
    /// What it says of what is not right
    pub messages: Vec<String>,
    /// When it reported this
    pub reported: Option<String>,
    /// Whether its cluster is connected, as far as it is known
    pub connected: Option<bool>,
    /// When a cluster that is not connected last was
    pub last_contact: Option<String>,
}

/// What a kustomization has applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KustomizationReport {
    /// Its name in the configuration
    pub name: String,
    /// The commit that it shows as applied
    pub applied_commit: Option<String>,
}

/// How a configuration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StateReport {
    /// It has shown that it applied the commit
    Done,
    /// It has not yet
    Waiting,
    /// Something is wrong
    Failing,
    /// It does not count now
    Ignored,
    /// It never counts
    NotCounted,
}

impl FleetReport {
    /// The report of a fleet.
    pub fn new(fleet: &FleetStatus<'_>) -> FleetReport {
        let target = fleet.target;
        let kinds = fleet.counts_by_type().into_iter().map(|(name, counts)| ClusterTypeStatus {
            name: (!name.is_empty()).then(|| name.to_owned()),
            observed: !fleet.unobserved.contains(name),
            counts: CountsReport::new(&counts),
        });
        FleetReport {
            environment: fleet.environment.to_owned(),
            repository: without_user(&target.repository),
            branch: target.branch.clone(),
            commit: target.commit.to_string(),
            promoted_commit: fleet.promoted().map(ToString::to_string),
            counts: CountsReport::new(&fleet.counts()),
            clusters: fleet.clusters(|state| !matches!(state, State::NotCounted(_))),
            cluster_types: kinds.collect(),
            configurations: fleet.standings.iter().map(ConfigurationReport::new).collect(),
        }
    }
}

impl CountsReport {
    fn new(counts: &Counts) -> CountsReport {
        let Counts { done, unchecked, failing, waiting, ignored, times: _ } = *counts;
        CountsReport { done, health_unchecked: unchecked, failing, waiting, ignored }
    }
}

impl ConfigurationReport {
    fn new(standing: &Standing<'_>) -> ConfigurationReport {
        let observation = standing.observation;
        let kustomizations = applied(observation).into_iter().map(|(name, commit)| KustomizationReport {
            name: name.to_owned(),
            applied_commit: commit.map(ToString::to_string),
        });
        let (connected, last_contact) = match &observation.cluster.connectivity {
            Connectivity::Connected => (Some(true), None),
            Connectivity::Disconnected { last_contact, .. } => (Some(false), *last_contact),
            Connectivity::Unknown => (None, None),
        };
        ConfigurationReport {
            id: observation.id.as_str().to_owned(),
            name: observation.name.clone(),
            cluster: observation.cluster.name.clone(),
            cluster_id: observation.cluster.id.clone(),
            cluster_types: standing.cluster_types.iter().cloned().collect(),
            state: StateReport::new(&standing.state),
            reason: reason(standing),
            compliance: compliance_word(&observation.compliance).to_owned(),
            provisioning: provisioning_word(&observation.provisioning).to_owned(),
            synced_commit: observation.synced.as_ref().map(ToString::to_string),
            kustomizations: kustomizations.collect(),
            messages: messages(observation),
            reported: observation.reported.and_then(printed),
            connected,
            last_contact: last_contact.and_then(printed),
        }
    }
}

impl StateReport {
    fn new(state: &State) -> StateReport {
        match state {
            State::Done { .. } => StateReport::Done,
            State::Waiting(_) => StateReport::Waiting,
            State::Failing { .. } => StateReport::Failing,
            State::Ignored(_) => StateReport::Ignored,
            State::NotCounted(_) => StateReport::NotCounted,
        }
    }
}

/// As RFC 3339 writes it, in UTC; nothing beyond the year 9999.
fn printed(time: Time) -> Option<String> {
    let seconds = i64::try_from(time.0).ok()?;
    jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

/// The JSON Schema of the report, as it is published.
pub fn fleet_schema() -> String {
    // A schema is plain JSON: it always prints.
    serde_json::to_string_pretty(&schema_for!(FleetReport)).unwrap_or_default() + "\n"
}
