//! Azure as plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::arm::Gone;
use super::entra::{Application, Job, Token};
use super::fleet::{Cluster, FluxConfiguration};
use super::graph::Remembered;
use super::limits::{AzureLimits, Window};
use super::resource::Record;
use crate::state::GitHub;

/// Everything that Azure knows.
#[derive(Clone, Debug)]
pub(crate) struct AzureState {
    /// The server's address, without a slash at the end.
    pub(crate) url: String,
    pub(super) cloud: Cloud,
    pub(super) tenants: BTreeSet<String>,
    /// By client id.
    pub(super) applications: BTreeMap<String, Application>,
    /// Access tokens.
    pub(super) tokens: BTreeMap<String, Token>,
    /// The workflow job that may ask for identity tokens.
    pub(super) job: Option<Job>,
    /// By id.
    pub(super) subscriptions: BTreeMap<String, Tenancy>,
    /// Simulated clusters, by id in lower case.
    pub(super) clusters: BTreeMap<String, Cluster>,
    /// Resources as they were put there, by id in lower case.
    pub(super) resources: BTreeMap<String, Put>,
    /// Where branches that someone follows have stood, by repository and name.
    pub(super) heads: BTreeMap<String, BTreeMap<String, Vec<Head>>>,
    pub(super) limits: AzureLimits,
    pub(super) gone: Gone,
    /// What each application has asked for: Resource Graph, and Resource Manager.
    pub(super) usage: BTreeMap<(String, Service), Window>,
    pub(super) minted: u64,
    pub(super) remembered: Option<Remembered>,
}

/// Where a branch stands from a moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(super) since: Timestamp,
    pub(super) commit: String,
}

/// A subscription.
#[derive(Clone, Debug)]
pub(crate) struct Tenancy {
    pub(super) name: String,
    pub(super) tenant: String,
    pub(super) record: Arc<Record>,
}

impl Tenancy {
    pub(super) fn new(id: &str, name: &str, tenant: &str) -> Tenancy {
        let record = Arc::new(Record::of_subscription(id, name, tenant));
        Tenancy { name: name.to_owned(), tenant: tenant.to_owned(), record }
    }
}

/// A resource as it was put there.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    pub(super) whole: Value,
    pub(super) record: Arc<Record>,
}

/// Part of Azure that counts requests for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    Graph,
    Manager,
}

/// One of Azure's clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// The one that most have.
    Public,
    /// For the government of the United States.
    UsGovernment,
    /// In China.
    China,
}

impl Cloud {
    /// What access tokens are for.
    pub(super) fn management(self) -> &'static str {
        match self {
            Cloud::Public => "https://management.azure.com",
            Cloud::UsGovernment => "https://management.usgovcloudapi.net",
            Cloud::China => "https://management.chinacloudapi.cn",
        }
    }

    /// What identity tokens of others are for.
    pub(super) fn exchange_audience(self) -> &'static str {
        match self {
            Cloud::Public => "api://AzureADTokenExchange",
            Cloud::UsGovernment => "api://AzureADTokenExchangeUSGov",
            Cloud::China => "api://AzureADTokenExchangeChina",
        }
    }
}

impl AzureState {
    pub(crate) fn new(url: String) -> AzureState {
        AzureState {
            url,
            cloud: Cloud::Public,
            tenants: BTreeSet::from([super::TENANT.to_owned()]),
            applications: BTreeMap::new(),
            tokens: BTreeMap::new(),
            job: None,
            subscriptions: BTreeMap::new(),
            clusters: BTreeMap::new(),
            resources: BTreeMap::new(),
            heads: BTreeMap::new(),
            limits: AzureLimits::default(),
            gone: Gone::default(),
            usage: BTreeMap::new(),
            minted: 0,
            remembered: None,
        }
    }

    /// The same at another address.
    pub(crate) fn moved_to(mut self, url: &str) -> AzureState {
        url.clone_into(&mut self.url);
        for cluster in self.clusters.values_mut() {
            cluster.configurations.values_mut().for_each(FluxConfiguration::forget_rendered);
        }
        self
    }

    /// Takes note of where the branches stand that someone follows.
    pub(crate) fn observe(&mut self, github: &GitHub) {
        for (repository, branches) in &mut self.heads {
            let bare = github.bare(repository);
            for (branch, heads) in branches {
                let Ok(Some(commit)) = bare.branch(branch) else { continue };
                if heads.last().is_none_or(|head| head.commit != commit) {
                    heads.push(Head { since: github.now(), commit });
                }
            }
        }
    }

    /// The application that an access token is for, and the token itself.
    pub(super) fn bearer(&self, token: &str) -> Option<(&Token, &Application)> {
        let token = self.tokens.get(token)?;
        Some((token, self.applications.get(&token.application)?))
    }
}

/// An id that is always the same for a text.
pub(super) fn uuid_of(text: &str) -> String {
    let bytes = digest(&SHA256, text.as_bytes());
    let hex: String = bytes.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
