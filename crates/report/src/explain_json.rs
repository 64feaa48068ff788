//! The answers of `explain`, for scripts.

use std::collections::BTreeMap;

use fleet::explain::{
    Answer, Elsewhere, Explanation, Fate, Judgement, LayerPart, Subject, Term, ValueHistory, json,
};
use fleet::{Condition, Location};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json::ProblemReport;

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplanationReport {
    /// The environment
    pub environment: String,
    /// The deployment target
    pub deployment_target: String,
    /// Its Workload
    pub workload: String,
    /// The team's workspace
    pub workspace: String,
    /// Its labels, as policies see them
    pub labels: BTreeMap<String, String>,
    /// Where it is declared
    pub place: PlaceReport,
    /// What there is to say about it
    pub answer: AnswerReport,
}

/// What can be said about a deployment target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind")]
pub enum AnswerReport {
    /// On all cluster types
    Overview {
        /// The cluster types that it is on
        on: Vec<OnReport>,
        /// Every policy's terms for deployment targets; those that fail least come first
        policies: Vec<JudgementReport>,
        /// The cluster types that lack least, nearest first
        nearest: Vec<NearReport>,
    },
    /// On a cluster type that it is scheduled on
    Scheduled {
        /// The cluster type
        cluster_type: String,
        /// The policies that put it there
        policies: Vec<JudgementReport>,
        /// Why it has no manifests, if it has none
        problems: Vec<ProblemReport>,
        /// The values asked for
        values: Vec<ValueReport>,
        /// ConfigMaps that have the key asked for, but do not apply here
        elsewhere: Vec<ElsewhereReport>,
    },
    /// On a cluster type that it is not scheduled on
    NotScheduled {
        /// The cluster type
        cluster_type: String,
        /// Every policy; those that fail least come first
        policies: Vec<JudgementReport>,
        /// The cluster types that it is on
        on: Vec<String>,
    },
}

/// A cluster type that a target is on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OnReport {
    /// The cluster type
    pub cluster_type: String,
    /// The policies that say so
    pub policies: Vec<String>,
}

/// A cluster type that a target is not on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NearReport {
    /// The cluster type
    pub cluster_type: String,
    /// The policy that is nearest to it
    pub judgement: JudgementReport,
}

/// A policy and how its terms turned out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JudgementReport {
    /// The policy
    pub policy: String,
    /// Where it is declared
    pub place: PlaceReport,
    /// Its terms, as far as they were judged, in the order in which they are written
    pub terms: Vec<TermReport>,
}

/// One term of a policy, applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TermReport {
    /// What it was applied to
    pub subject: SubjectReport,
    /// What it asks for, as `kubectl` takes it
    pub asked: String,
    /// The value that is there
    pub found: Option<String>,
    /// Whether it holds
    pub met: bool,
    /// Where it is written; for a workspace, where its policy is
    pub place: PlaceReport,
}

/// What a term applies to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SubjectReport {
    /// The deployment target
    DeploymentTarget,
    /// The cluster type
    ClusterType,
}

/// A config value and everything that went into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValueReport {
    /// Its key
    pub key: String,
    /// What it came to
    pub value: serde_json::Value,
    /// What each ConfigMap said, in the order in which they apply
    pub layers: Vec<LayerReport>,
}

/// What one ConfigMap said about a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LayerReport {
    /// The ConfigMap
    pub config_map: String,
    /// What it applies to; all of these are met
    pub conditions: Vec<ConditionReport>,
    /// Its own value
    pub value: serde_json::Value,
    /// Where that is written
    pub place: PlaceReport,
    /// What became of it
    pub fate: FateReport,
}

/// What became of a ConfigMap's value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FateReport {
    /// A later one replaced it
    Lost,
    /// Later ones were merged into it
    Merged,
    /// It is the last one
    Won,
}

/// A ConfigMap that has a key, but does not apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ElsewhereReport {
    /// The ConfigMap
    pub config_map: String,
    /// The first of its conditions that is not met
    pub unmet: ConditionReport,
    /// Its own value
    pub value: serde_json::Value,
    /// Where that is written
    pub place: PlaceReport,
}

/// A label that a ConfigMap asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConditionReport {
    /// The label's key
    pub key: String,
    /// The label's value
    pub value: String,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaceReport {
    /// The file
    pub file: String,
    /// Line, from 1
    pub line: u32,
    /// Column in characters, from 1
    pub column: u32,
}

impl ExplanationReport {
    /// The report of an answer.
    pub fn new(explanation: &Explanation<'_>) -> ExplanationReport {
        let Explanation { environment, target, answer } = explanation;
        ExplanationReport {
            environment: (*environment).to_owned(),
            deployment_target: target.name.clone(),
            workload: target.workload.clone(),
            workspace: target.workspace.clone(),
            labels: target.labels.clone(),
            place: PlaceReport::new(&target.location),
            answer: AnswerReport::new(answer),
        }
    }
}

impl AnswerReport {
    fn new(answer: &Answer<'_>) -> AnswerReport {
        match answer {
            Answer::Overview(overview) => AnswerReport::Overview {
                on: overview
                    .on
                    .iter()
                    .map(|(kind, policies)| OnReport {
                        cluster_type: kind.meta.name.clone(),
                        policies: policies.iter().map(|policy| policy.meta.name.clone()).collect(),
                    })
                    .collect(),
                policies: overview.policies.iter().map(JudgementReport::new).collect(),
                nearest: overview
                    .nearest
                    .iter()
                    .map(|(kind, judgement)| NearReport {
                        cluster_type: kind.meta.name.clone(),
                        judgement: JudgementReport::new(judgement),
                    })
                    .collect(),
            },
            Answer::Scheduled(scheduled) => AnswerReport::Scheduled {
                cluster_type: scheduled.cluster_type.meta.name.clone(),
                policies: scheduled.policies.iter().map(JudgementReport::new).collect(),
                problems: scheduled.problems.iter().map(|problem| ProblemReport::new(problem)).collect(),
                values: scheduled.values.iter().map(ValueReport::new).collect(),
                elsewhere: scheduled.elsewhere.iter().map(ElsewhereReport::new).collect(),
            },
            Answer::NotScheduled(not_scheduled) => AnswerReport::NotScheduled {
                cluster_type: not_scheduled.cluster_type.meta.name.clone(),
                policies: not_scheduled.policies.iter().map(JudgementReport::new).collect(),
                on: not_scheduled.on.iter().map(|kind| kind.meta.name.clone()).collect(),
            },
        }
    }
}

impl JudgementReport {
    fn new(judgement: &Judgement<'_>) -> JudgementReport {
        JudgementReport {
            policy: judgement.policy.meta.name.clone(),
            place: PlaceReport::new(&judgement.policy.meta.location),
            terms: judgement.terms.iter().map(TermReport::new).collect(),
        }
    }
}

impl TermReport {
    fn new(term: &Term<'_>) -> TermReport {
        TermReport {
            subject: match term.subject {
                Subject::DeploymentTarget => SubjectReport::DeploymentTarget,
                Subject::ClusterType => SubjectReport::ClusterType,
            },
            asked: term.asked.to_string(),
            found: term.found.map(str::to_owned),
            met: term.is_met,
            place: PlaceReport::new(term.location),
        }
    }
}

impl ValueReport {
    fn new(history: &ValueHistory<'_>) -> ValueReport {
        ValueReport {
            key: history.key.to_owned(),
            value: json(history.value),
            layers: history.layers.iter().map(LayerReport::new).collect(),
        }
    }
}

impl LayerReport {
    fn new(part: &LayerPart<'_>) -> LayerReport {
        LayerReport {
            config_map: part.layer.config_map.clone(),
            conditions: part.layer.conditions.iter().map(ConditionReport::new).collect(),
            value: json(&part.written.value),
            place: PlaceReport::new(&part.written.location),
            fate: match part.fate {
                Fate::Lost => FateReport::Lost,
                Fate::Merged => FateReport::Merged,
                Fate::Won => FateReport::Won,
            },
        }
    }
}

impl ElsewhereReport {
    fn new(elsewhere: &Elsewhere<'_>) -> ElsewhereReport {
        ElsewhereReport {
            config_map: elsewhere.layer.config_map.clone(),
            unmet: ConditionReport::new(elsewhere.unmet),
            value: json(&elsewhere.written.value),
            place: PlaceReport::new(&elsewhere.written.location),
        }
    }
}

impl ConditionReport {
    fn new(condition: &Condition) -> ConditionReport {
        ConditionReport { key: condition.key.clone(), value: condition.value.clone() }
    }
}

impl PlaceReport {
    /// The report of a place.
    pub(crate) fn new(location: &Location) -> PlaceReport {
        PlaceReport { file: location.file.to_string(), line: location.line, column: location.column }
    }
}
