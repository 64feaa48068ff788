//! Which deployment target goes to which cluster type, and because of which policies.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Location};
use crate::labels::Labels;
use crate::objects::{ClusterType, SchedulingPolicy, SchemaText};
use crate::plane::{ControlPlane, RegisteredWorkload, Unavailable};

/// A deployment target of this environment.
#[derive(Clone, Debug)]
pub struct DeploymentTarget {
    /// `<workload>-<target>`
    pub name: String,
    /// Its Workload
    pub workload: String,
    /// The registration of its Workload
    pub registration: Option<String>,
    /// The team's workspace
    pub workspace: String,
    /// The target's labels, overwritten by the Workload's, overwritten by `workload` and `workspace`
    pub labels: Labels,
    /// Where its manifests are
    pub manifests: BTreeMap<String, String>,
    /// The target's schemas, then the Workload's
    pub schemas: Vec<SchemaText>,
    /// Where it is declared
    pub location: Location,
}

/// One deployment target on one cluster type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Index into the schedule's cluster types
    pub cluster_type: u32,
    /// Index into the schedule's targets
    pub target: u32,
    /// Indexes into the control plane's policies: every one that gives this assignment
    pub policies: Vec<u32>,
}

/// All assignments of an environment.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    /// Cluster types by name
    pub cluster_types: Vec<ClusterType>,
    /// Targets by name
    pub targets: Vec<DeploymentTarget>,
    /// By cluster type, then by target
    pub assignments: Vec<Assignment>,
    /// Workloads that bring nothing new, because another one took the name of a target
    pub colliding: Vec<Unavailable>,
}

impl Schedule {
    /// The index of the assignment of these names.
    pub fn assignment(&self, cluster_type: &str, target: &str) -> Option<usize> {
        let kind = self.cluster_types.binary_search_by(|it| (*it.meta.name).cmp(cluster_type)).ok()?;
        let target = self.targets.binary_search_by(|it| (*it.name).cmp(target)).ok()?;
        let place = |it: &Assignment| (it.cluster_type as usize, it.target as usize);
        self.assignments.binary_search_by_key(&(kind, target), place).ok()
    }
}

/// Applies every policy to every target and cluster type.
pub fn schedule(plane: &ControlPlane) -> Schedule {
    let (targets, colliding) = targets(plane);
    let cluster_types: Vec<ClusterType> = plane.cluster_types.values().cloned().collect();
    let mut given: Vec<(u32, u32, u32)> = Vec::new();
    for (policy, index) in plane.policies.iter().zip(0..) {
        let selected_types = indexes(&cluster_types, |kind| policy.cluster_types.matches(&kind.meta.labels));
        for target in indexes(&targets, |target| selects(policy, target)) {
            given.extend(selected_types.iter().map(|kind| (*kind, target, index)));
        }
    }
    given.sort_unstable();
    let assignments = given
        .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .map(|group| Assignment {
            cluster_type: group[0].0,
            target: group[0].1,
            policies: group.iter().map(|(_, _, policy)| *policy).collect(),
        })
        .collect();
    Schedule { cluster_types, targets, assignments, colliding }
}

/// Whether a policy selects a target, by workspace and labels.
pub fn selects(policy: &SchedulingPolicy, target: &DeploymentTarget) -> bool {
    policy.workspace.as_ref().is_none_or(|workspace| *workspace == target.workspace)
        && policy.targets.matches(&target.labels)
}

fn indexes<T>(items: &[T], wanted: impl Fn(&T) -> bool) -> Vec<u32> {
    items.iter().zip(0..).filter(|(item, _)| wanted(item)).map(|(_, index)| index).collect()
}

/// The targets of this environment by name; of two Workloads that make the same name, the first by name keeps it.
fn targets(plane: &ControlPlane) -> (Vec<DeploymentTarget>, Vec<Unavailable>) {
    let mut targets: BTreeMap<String, DeploymentTarget> = BTreeMap::new();
    let mut colliding = Vec::new();
    for registered in plane.workloads.values() {
        let own = targets_of(registered, &plane.environment);
        let problems: Vec<Diagnostic> = own
            .iter()
            .filter_map(|target| {
                let first = targets.get(&target.name)?;
                let text = format!(
                    "the deployment target `{}` is also made by Workload `{}` at {}",
                    target.name, first.workload, first.location
                );
                let problem = Diagnostic::error(text).help("rename one of the two targets");
                Some(problem.at(target.location.clone()).related(&first.location))
            })
            .collect();
        if problems.is_empty() {
            targets.extend(own.into_iter().map(|target| (target.name.clone(), target)));
        } else {
            let workload = Some(registered.workload.meta.name.clone());
            colliding.push(Unavailable { registration: registered.registration.clone(), workload, problems });
        }
    }
    (targets.into_values().collect(), colliding)
}

fn targets_of(registered: &RegisteredWorkload, environment: &str) -> Vec<DeploymentTarget> {
    let workload = &registered.workload;
    let name = &workload.meta.name;
    let mut shared = workload.meta.labels.clone();
    if let (true, Some(registration)) = (registered.by_registration, &registered.registration) {
        shared.insert("kustomize.toolkit.fluxcd.io/name".into(), format!("{environment}-{registration}"));
        shared.insert("kustomize.toolkit.fluxcd.io/namespace".into(), "flux-system".into());
    }
    shared.insert("workload".into(), name.clone());
    shared.insert("workspace".into(), registered.workspace.clone());
    let of_environment = workload.targets.iter().filter(|target| target.environment == environment);
    of_environment
        .map(|target| {
            let mut labels = target.labels.clone();
            labels.extend(shared.iter().map(|(key, value)| (key.clone(), value.clone())));
            DeploymentTarget {
                name: format!("{name}-{}", target.name),
                workload: name.clone(),
                registration: registered.registration.clone(),
                workspace: registered.workspace.clone(),
                labels,
                manifests: target.manifests.clone(),
                schemas: target.schemas.iter().chain(&workload.schemas).cloned().collect(),
                location: target.location.clone(),
            }
        })
        .collect()
}
