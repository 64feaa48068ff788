//! Clusters that follow branches of the sandbox's own repositories.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::life::{Circumstances, Life, Report, View};
use super::resource::{self, Record};
use super::state::{AzureState, Head};
use crate::state::GitHub;

/// A cluster.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: ClusterKind,
    pub(super) subscription: String,
    pub(super) made: Timestamp,
    /// When its connection ends, and when it comes back.
    pub(super) silence: Option<(Timestamp, Option<Timestamp>)>,
    /// By name in lower case.
    pub(super) configurations: BTreeMap<String, FluxConfiguration>,
    rendered: Option<(Contact, Arc<Record>)>,
}

/// What kind of cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClusterKind {
    Arc,
    Aks,
}

/// Whether a cluster is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contact {
    /// It was heard of then.
    Connected(Timestamp),
    /// It was not heard of since.
    Lost(Timestamp),
}

/// A Flux configuration of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct FluxConfiguration {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) source: Source,
    /// By key.
    pub(super) kustomizations: BTreeMap<String, Kustomization>,
    pub(super) life: Life,
    pub(super) made: Timestamp,
    pub(super) told: Timestamp,
    rendered: Option<(Report, Arc<Record>)>,
}

/// What a configuration follows.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// Full name of a repository, in lower case.
    pub(super) repository: String,
    pub(super) branch: String,
    /// The repository's URL, where it is written in a way of its own.
    pub(super) url: Option<String>,
    /// What of the repository, where it is not the branch.
    pub(super) pin: Option<(&'static str, String)>,
    /// Whether the branch is named.
    pub(super) naming: Naming,
    pub(super) interval: Option<Duration>,
}

/// Whether a configuration names the branch that it follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Naming {
    #[default]
    Named,
    /// Then it follows `master`.
    Unnamed,
}

/// A folder that is applied.
#[derive(Clone, Debug)]
pub(super) struct Kustomization {
    pub(super) path: String,
    pub(super) waits: Waits,
    pub(super) interval: Option<Duration>,
    pub(super) retry: Option<Duration>,
    pub(super) timeout: Option<Duration>,
}

/// Whether a kustomization waits for what it applied to be healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// It does.
    ForHealth,
    /// It does not.
    No,
}

impl Cluster {
    pub(super) fn new(subscription: &str, name: &str, kind: ClusterKind, made: Timestamp) -> Cluster {
        let provider = match kind {
            ClusterKind::Arc => "Microsoft.Kubernetes/connectedClusters",
            ClusterKind::Aks => "Microsoft.ContainerService/managedClusters",
        };
        Cluster {
            id: format!("/subscriptions/{subscription}/resourceGroups/fleet/providers/{provider}/{name}"),
            name: name.to_owned(),
            kind,
            subscription: subscription.to_owned(),
            made,
            silence: None,
            configurations: BTreeMap::new(),
            rendered: None,
        }
    }

    /// Whether it is there at a moment.
    pub(super) fn contact(&self, now: Timestamp) -> Contact {
        match self.silent(now) {
            Some(since) => Contact::Lost(since),
            None => {
                let since = now.duration_since(self.made).as_secs();
                Contact::Connected(self.made + SignedDuration::from_secs(since - since % HEARTBEAT_SECONDS))
            }
        }
    }

    /// When it was heard of last, if it is not heard of at a moment.
    fn silent(&self, now: Timestamp) -> Option<Timestamp> {
        self.silence.filter(|(from, to)| *from <= now && to.is_none_or(|to| now < to)).map(|(from, _)| from)
    }
}

/// How often a cluster that is there is heard of.
const HEARTBEAT_SECONDS: i64 = 300;

/// What stands between the id of a cluster and the name of a configuration.
const CONFIGURATIONS: &str = "/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/";

impl FluxConfiguration {
    pub(super) fn new(cluster: &Cluster, name: &str, now: Timestamp) -> FluxConfiguration {
        FluxConfiguration {
            id: format!("{}{CONFIGURATIONS}{name}", cluster.id),
            name: name.to_owned(),
            namespace: "flux-system".to_owned(),
            source: Source::default(),
            kustomizations: BTreeMap::new(),
            life: Life::default(),
            made: now,
            told: now,
            rendered: None,
        }
    }

    pub(super) fn forget_rendered(&mut self) {
        self.rendered = None;
    }

    /// What was reported by now, on a cluster that has been silent since then, if it is.
    fn report(&self, view: View, now: Timestamp, silent: Option<Timestamp>, heads: &Heads) -> Option<Report> {
        let Source { repository, branch, .. } = &self.source;
        let followed = heads.get(repository).and_then(|branches| branches.get(branch));
        let circumstances = Circumstances {
            made: self.made,
            told: self.told,
            silent,
            heads: followed.map_or(&[], Vec::as_slice),
            kustomizations: self.kustomizations.keys().map(String::as_str).collect(),
        };
        self.life.report(view, now, &circumstances)
    }
}

/// Where branches have stood, by repository and name.
type Heads = BTreeMap<String, BTreeMap<String, Vec<Head>>>;

impl AzureState {
    /// Every resource as Resource Graph has it.
    pub(super) fn index(&mut self, github: &GitHub) -> Vec<Arc<Record>> {
        let now = github.now();
        let AzureState { clusters, resources, heads, subscriptions, .. } = self;
        let mut all: Vec<Arc<Record>> = resources.values().map(|put| put.record.clone()).collect();
        all.extend(subscriptions.values().map(|one| one.record.clone()));
        for cluster in clusters.values_mut() {
            let tenant = subscriptions.get(&cluster.subscription).map_or(super::TENANT, |one| &one.tenant);
            let contact = cluster.contact(now);
            let record = match cluster.rendered.take() {
                Some((rendered, record)) if rendered == contact => record,
                _ => Arc::new(Record::of(&resource::cluster(cluster, contact), tenant)),
            };
            cluster.rendered = Some((contact, record.clone()));
            all.push(record);
            let silent = cluster.silent(now);
            for configuration in cluster.configurations.values_mut() {
                let Some(report) = configuration.report(View::Index, now, silent, heads) else { continue };
                let record = match configuration.rendered.take() {
                    Some((rendered, record)) if rendered == report => record,
                    _ => {
                        let whole = resource::configuration(configuration, &report, View::Index, &github.url);
                        Arc::new(Record::of(&whole, tenant))
                    }
                };
                configuration.rendered = Some((report, record.clone()));
                all.push(record);
            }
        }
        all
    }

    /// A resource as Resource Manager has it; the id is in lower case.
    pub(super) fn resource(&self, github: &GitHub, id: &str) -> Option<Value> {
        let now = github.now();
        if let Some(put) = self.resources.get(id) {
            return Some(put.whole.clone());
        }
        let Some((cluster, name)) = id.split_once(&CONFIGURATIONS.to_lowercase()) else {
            let cluster = self.clusters.get(id)?;
            return Some(resource::cluster(cluster, cluster.contact(now)));
        };
        let cluster = self.clusters.get(cluster)?;
        let configuration = cluster.configurations.get(name)?;
        let report = configuration.report(View::Direct, now, cluster.silent(now), &self.heads)?;
        Some(resource::configuration(configuration, &report, View::Direct, &github.url))
    }

    /// The configurations of a cluster as Resource Manager has them; the id is in lower case.
    pub(super) fn configurations(&self, github: &GitHub, cluster: &str) -> Vec<Value> {
        let below = format!("{cluster}{}", CONFIGURATIONS.to_lowercase());
        let made = self.clusters.get(cluster).into_iter().flat_map(|it| it.configurations.keys());
        let made = made.map(|name| format!("{below}{name}"));
        let put = self.resources.keys().filter(|id| id.starts_with(&below)).cloned();
        let ids: BTreeSet<String> = made.chain(put).collect();
        ids.iter().filter_map(|id| self.resource(github, id)).collect()
    }
}
