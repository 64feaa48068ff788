//! The control plane of one environment: all its objects, each once.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::objects::*;
use crate::source::Texts;

/// The BaseRepo whose commit is promoted.
pub(crate) const PROMOTED_BASE: &str = "main";

/// Objects of the environment's branch, of its bases, and the Workloads that registrations brought.
#[derive(Clone, Debug, Default)]
pub struct ControlPlane {
    /// The environment that this is the control plane of
    pub environment: String,
    /// All declared environments
    pub environments: Vec<Environment>,
    /// Pointers to bases, by name
    pub base_repos: Vec<BaseRepo>,
    /// Branches that clusters follow, by name
    pub gitops_repos: Vec<GitOpsRepo>,
    /// Cluster types by name
    pub cluster_types: BTreeMap<String, ClusterType>,
    /// Templates by name
    pub templates: BTreeMap<String, Template>,
    /// Platform configuration, by name
    pub config_maps: Vec<ConfigMap>,
    /// Schemas, by name
    pub config_schemas: Vec<ConfigSchema>,
    /// Policies, by name
    pub policies: Vec<SchedulingPolicy>,
    /// Registrations by name
    pub registrations: BTreeMap<String, WorkloadRegistration>,
    /// Workloads by name
    pub workloads: BTreeMap<String, RegisteredWorkload>,
    /// Applications of which we do not know what they want
    pub unavailable: Vec<Unavailable>,
    /// ConfigMaps that are no platform configuration, for want of its label
    pub unmarked: Vec<Meta>,
    /// How many files and objects count for nothing, and were hardly meant to
    pub ignored: usize,
    /// The files that it was read from, to show their lines
    pub texts: Texts,
    /// What is wrong with the control plane itself; an error stops the run
    pub problems: Vec<Diagnostic>,
}

/// A Workload and how it came here.
#[derive(Clone, Debug)]
pub struct RegisteredWorkload {
    /// The Workload
    pub workload: Workload,
    /// The registration that gives its workspace
    pub registration: Option<String>,
    /// Whether the registration also brought it (else it stands in the control plane)
    pub by_registration: bool,
    /// The workspace; empty without a registration
    pub workspace: String,
}

/// An application whose wishes cannot be read, so that what it has must stay.
#[derive(Clone, Debug)]
pub struct Unavailable {
    /// Its registration
    pub registration: Option<String>,
    /// Its Workload, if only that one is broken
    pub workload: Option<String>,
    /// Why
    pub problems: Vec<Diagnostic>,
}

impl ControlPlane {
    /// The commit that is promoted into this environment.
    pub fn promoted_commit(&self) -> Option<&str> {
        self.promoted_base()?.commit.as_deref()
    }

    /// The base whose commit is promoted.
    pub fn promoted_base(&self) -> Option<&BaseRepo> {
        self.base_repos.iter().find(|base| base.meta.name == PROMOTED_BASE)
    }

    /// Puts everything into the order of names, so that the order of files never matters.
    pub(crate) fn sort(&mut self) {
        fn by_name<T>(items: &mut [T], meta: fn(&T) -> &Meta) {
            items.sort_by(|a, b| meta(a).name.cmp(&meta(b).name));
        }
        by_name(&mut self.environments, |item| &item.meta);
        by_name(&mut self.base_repos, |item| &item.meta);
        by_name(&mut self.gitops_repos, |item| &item.meta);
        by_name(&mut self.config_maps, |item| &item.meta);
        by_name(&mut self.config_schemas, |item| &item.meta);
        by_name(&mut self.policies, |item| &item.meta);
        self.unavailable.sort_by(|a, b| {
            (&a.registration, &a.workload, &a.problems).cmp(&(&b.registration, &b.workload, &b.problems))
        });
    }
}
