//! The JSON report of a run: stable, for scripts and for the steps that follow.

use std::collections::BTreeMap;

use fleet::{Changeset, Diagnostic, Outcome, Placement, RepoPath, Severity};
use schemars::{JsonSchema, schema_for};
use serde::{Deserialize, Serialize};

use crate::explain_json::PlaceReport;

/// What a run decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The environment that was computed
    pub environment: String,
    /// The commit of the base that is promoted into it
    pub promoted_commit: Option<String>,
    /// Names of all cluster types
    pub cluster_types: Vec<String>,
    /// What is scheduled where, held assignments included
    pub assignments: Vec<AssignmentReport>,
    /// What keeps its present content, and why
    pub held: Vec<HeldReport>,
    /// Everything else that was found
    pub problems: Vec<ProblemReport>,
    /// Files that differ from what was there
    pub changes: Vec<ChangeReport>,
    /// The branches that clusters follow; `held` and `changes` speak of the first
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub git_ops_repos: Vec<GitOpsRepoReport>,
}

/// A branch that clusters follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitOpsRepoReport {
    /// The name of the GitOpsRepo
    pub name: String,
    /// The repository: OWNER/NAME
    pub repo: String,
    /// The branch
    pub branch: String,
    /// The folder in it
    pub path: String,
    /// Git's name of the tree that the branch must hold
    pub tree_id: String,
    /// The page of the open pull request that brings it
    pub pull_request: Option<String>,
}

/// A deployment target on a cluster type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssignmentReport {
    /// The deployment target
    pub deployment_target: String,
    /// Its Workload
    pub workload: String,
    /// The team's workspace
    pub workspace: String,
    /// The cluster type
    pub cluster_type: String,
    /// The namespace that templates are given
    pub namespace: String,
    /// The policies that give this assignment
    pub policies: Vec<String>,
    /// The files that it has in the tree
    pub files: Vec<String>,
}

/// Something that keeps its present content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldReport {
    /// The deployment target
    pub deployment_target: String,
    /// The cluster type
    pub cluster_type: String,
    /// Why
    pub problems: Vec<ProblemReport>,
}

/// A problem: where, what, and the next move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemReport {
    /// How bad it is
    pub severity: SeverityReport,
    /// What is wrong
    pub message: String,
    /// The file
    pub file: Option<String>,
    /// Line, from 1
    pub line: Option<u32>,
    /// Column in characters, from 1
    pub column: Option<u32>,
    /// What to do next
    pub help: Option<String>,
    /// Another place that `message` or `help` names
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related: Option<PlaceReport>,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SeverityReport {
    /// Something cannot be done as it is written
    Error,
    /// It works, but hardly as it was meant
    Warning,
}

/// A file that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeReport {
    /// Its path in the branch
    pub path: String,
    /// What happens to it
    pub change: ChangeKind,
}

/// What happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// It is new
    Added,
    /// Its content changes
    Modified,
    /// It goes
    Removed,
}

impl Report {
    /// The report of a computed environment and its place below `root` of a branch.
    pub fn new(outcome: &Outcome, placement: &Placement, root: &RepoPath, changes: &Changeset) -> Report {
        let (plane, schedule) = (&outcome.plane, &outcome.schedule);
        let assignments = schedule.assignments.iter().map(|assignment| {
            let target = &schedule.targets[assignment.target as usize];
            let kind = &schedule.cluster_types[assignment.cluster_type as usize].meta.name;
            let folder = root.join(&format!("{kind}/{}", target.name));
            let files = placement.tree.below(&folder).map(|(name, _)| format!("{folder}/{name}")).collect();
            AssignmentReport {
                deployment_target: target.name.clone(),
                workload: target.workload.clone(),
                workspace: target.workspace.clone(),
                cluster_type: kind.clone(),
                namespace: format!("{}-{kind}-{}", plane.environment, target.name),
                policies: assignment
                    .policies
                    .iter()
                    .map(|index| plane.policies[*index as usize].meta.name.clone())
                    .collect(),
                files,
            }
        });
        let held = placement.held.iter().map(|held| HeldReport {
            deployment_target: held.deployment_target.clone(),
            cluster_type: held.cluster_type.clone(),
            problems: held.problems.iter().map(|problem| ProblemReport::new(problem)).collect(),
        });
        Report {
            assignments: assignments.collect(),
            held: held.collect(),
            changes: changes_of(changes),
            ..Report::of_problems(outcome, outcome.problems().chain(&placement.problems))
        }
    }

    fn of_problems<'a>(outcome: &Outcome, problems: impl Iterator<Item = &'a Diagnostic>) -> Report {
        Report {
            promoted_commit: outcome.plane.promoted_commit().map(str::to_owned),
            cluster_types: outcome.plane.cluster_types.keys().cloned().collect(),
            ..Report::failed(&outcome.plane.environment, problems)
        }
    }

    /// The report of a run that ended on problems of its input.
    pub fn failed<'a>(environment: &str, problems: impl Iterator<Item = &'a Diagnostic>) -> Report {
        Report {
            environment: environment.to_owned(),
            promoted_commit: None,
            cluster_types: Vec::new(),
            assignments: Vec::new(),
            held: Vec::new(),
            problems: problems.map(ProblemReport::new).collect(),
            changes: Vec::new(),
            git_ops_repos: Vec::new(),
        }
    }
}

impl ProblemReport {
    pub(crate) fn new(problem: &Diagnostic) -> ProblemReport {
        let location = problem.location.as_ref();
        ProblemReport {
            severity: match problem.severity {
                Severity::Error => SeverityReport::Error,
                Severity::Warning => SeverityReport::Warning,
            },
            message: problem.message.clone(),
            file: location.map(|location| location.file.to_string()),
            line: location.map(|location| location.line),
            column: location.map(|location| location.column),
            help: problem.help.clone(),
            related: problem.related.as_deref().map(PlaceReport::new),
        }
    }
}

fn changes_of(changes: &Changeset) -> Vec<ChangeReport> {
    let Changeset { added, modified, removed } = changes;
    let mut kinds: BTreeMap<&String, ChangeKind> = BTreeMap::new();
    kinds.extend(added.keys().map(|path| (path, ChangeKind::Added)));
    kinds.extend(modified.keys().map(|path| (path, ChangeKind::Modified)));
    kinds.extend(removed.iter().map(|path| (path, ChangeKind::Removed)));
    kinds.into_iter().map(|(path, change)| ChangeReport { path: path.clone(), change }).collect()
}

/// The JSON Schema of the report, as it is published.
pub fn report_schema() -> String {
    // A schema is plain JSON: it always prints.
    serde_json::to_string_pretty(&schema_for!(Report)).unwrap_or_default() + "\n"
}
