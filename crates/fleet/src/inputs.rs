//! What the files of an assignment are made of.

use std::collections::BTreeMap;

use crate::compose::Config;
use crate::labels::Labels;
use crate::objects::Template;
use crate::plane::ControlPlane;
use crate::schedule::{Assignment, Schedule};

/// All that the files of an assignment are made of: equal inputs give equal files.
///
/// Places are no part of it, nor are schemas, which only decide whether there are files at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inputs<'a> {
    /// The environment
    pub environment: &'a str,
    /// The name of the cluster type
    pub cluster_type: &'a str,
    /// The name of the deployment target
    pub deployment_target: &'a str,
    /// Its Workload
    pub workload: &'a str,
    /// The team's workspace
    pub workspace: &'a str,
    /// The target's labels
    pub labels: &'a Labels,
    /// Where its manifests are
    pub manifests: &'a BTreeMap<String, String>,
    /// The templates of the reconciler, the namespace and the platform config, where they exist
    pub templates: [Option<&'a Template>; 3],
    /// The platform config
    pub config: &'a Config,
}

impl<'a> Inputs<'a> {
    pub(crate) fn new(
        plane: &'a ControlPlane,
        schedule: &'a Schedule,
        assignment: &Assignment,
        config: &'a Config,
    ) -> Self {
        let kind = &schedule.cluster_types[assignment.cluster_type as usize];
        let target = &schedule.targets[assignment.target as usize];
        Inputs {
            environment: &plane.environment,
            cluster_type: &kind.meta.name,
            deployment_target: &target.name,
            workload: &target.workload,
            workspace: &target.workspace,
            labels: &target.labels,
            manifests: &target.manifests,
            templates: kind.templates().map(|template| plane.templates.get(&template.name)),
            config,
        }
    }
}
