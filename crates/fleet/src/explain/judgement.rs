//! A policy applied to a deployment target, a cluster type, or both: how each of its terms turns out.

use std::fmt;

use crate::diagnostic::Location;
use crate::labels::{Labels, Requirement};
use crate::objects::{ClusterType, SchedulingPolicy};
use crate::schedule::DeploymentTarget;

/// A policy and how each of its terms turned out.
#[derive(Debug)]
pub struct Judgement<'a> {
    /// The policy
    pub policy: &'a SchedulingPolicy,
    /// Its terms, as far as they were judged, in the order in which they are written
    pub terms: Vec<Term<'a>>,
}

/// One term of a policy, applied.
#[derive(Debug)]
pub struct Term<'a> {
    /// What it was applied to
    pub subject: Subject,
    /// What it asks for
    pub asked: Asked<'a>,
    /// The value that is there
    pub found: Option<&'a str>,
    /// Whether it holds
    pub is_met: bool,
    /// Where it is written; for a workspace, where its policy is
    pub location: &'a Location,
}

/// What a term applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The deployment target
    DeploymentTarget,
    /// The cluster type
    ClusterType,
}

/// What a term asks for.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// A workspace
    Workspace(&'a str),
    /// Something of a label
    Label(&'a Requirement),
}

impl<'a> Judgement<'a> {
    /// Applies the policy's terms for deployment targets, for cluster types, or both.
    pub(super) fn new(
        policy: &'a SchedulingPolicy,
        target: Option<&'a DeploymentTarget>,
        kind: Option<&'a ClusterType>,
    ) -> Judgement<'a> {
        let mut terms = Vec::new();
        if let Some(target) = target {
            terms.extend(policy.workspace.as_ref().map(|workspace| Term {
                subject: Subject::DeploymentTarget,
                asked: Asked::Workspace(workspace),
                found: Some(&target.workspace),
                is_met: *workspace == target.workspace,
                location: &policy.meta.location,
            }));
            let requirements = policy.targets.requirements.iter();
            terms.extend(requirements.map(|it| Term::new(Subject::DeploymentTarget, it, &target.labels)));
        }
        if let Some(kind) = kind {
            let requirements = policy.cluster_types.requirements.iter();
            terms.extend(requirements.map(|it| Term::new(Subject::ClusterType, it, &kind.meta.labels)));
        }
        Judgement { policy, terms }
    }

    /// The terms that fail, in the order in which they are written.
    pub fn failing(&self) -> impl Iterator<Item = &Term<'a>> {
        self.terms.iter().filter(|term| !term.is_met)
    }

    /// How many terms fail.
    pub fn failing_count(&self) -> usize {
        self.failing().count()
    }
}

impl<'a> Term<'a> {
    fn new(subject: Subject, requirement: &'a Requirement, labels: &'a Labels) -> Term<'a> {
        Term {
            subject,
            asked: Asked::Label(requirement),
            found: labels.get(&requirement.key).map(String::as_str),
            is_met: requirement.matches(labels),
            location: &requirement.location,
        }
    }
}

impl Asked<'_> {
    /// The label's key, or `workspace`.
    pub fn key(&self) -> &str {
        match self {
            Asked::Workspace(_) => "workspace",
            Asked::Label(requirement) => &requirement.key,
        }
    }
}

/// As `kubectl` takes it.
impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asked::Workspace(workspace) => write!(f, "workspace={workspace}"),
            Asked::Label(requirement) => requirement.fmt(f),
        }
    }
}

/// The policy that fails least on a cluster type, and in how many terms.
///
/// `judged` starts with the policies that fail least on the target, so that few have to be looked at.
pub(super) fn nearest_policy<'a>(
    judged: &[Judgement<'a>],
    kind: &ClusterType,
) -> Option<(usize, &'a SchedulingPolicy)> {
    let mut best: Option<(usize, &SchedulingPolicy)> = None;
    for judgement in judged {
        let on_target = judgement.failing_count();
        if best.is_some_and(|(least, _)| least <= on_target) {
            break;
        }
        let terms = &judgement.policy.cluster_types.requirements;
        let on_kind = terms.iter().filter(|term| !term.matches(&kind.meta.labels)).count();
        if best.is_none_or(|(least, _)| on_target + on_kind < least) {
            best = Some((on_target + on_kind, judgement.policy));
        }
    }
    best
}
