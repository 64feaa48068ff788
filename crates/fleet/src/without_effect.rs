//! What is legal but without effect: a policy that selects nothing, a template or config that applies to nothing.

use std::collections::BTreeSet;

use crate::compute::Outcome;
use crate::diagnostic::{Diagnostic, Location, some_of};
use crate::labels::{Labels, Operator, Requirement, Selector};
use crate::objects::{ClusterType, SchedulingPolicy};
use crate::schedule::selects;

impl Outcome {
    /// Warnings about objects that change nothing in this environment.
    pub fn without_effect(&self) -> Vec<Diagnostic> {
        let mut warnings = Vec::new();
        warnings.extend(self.plane.policies.iter().flat_map(|policy| self.idle_policy(policy)));
        warnings.extend(self.idle_templates());
        warnings.extend(self.idle_config());
        warnings
    }

    fn idle_policy(&self, policy: &SchedulingPolicy) -> Vec<Diagnostic> {
        let kinds: Vec<&Labels> = self.schedule.cluster_types.iter().map(|kind| &kind.meta.labels).collect();
        let targets: Vec<&Labels> = self.schedule.targets.iter().map(|target| &target.labels).collect();
        let mut warnings = Vec::new();
        if !kinds.is_empty() && !kinds.iter().any(|labels| policy.cluster_types.matches(labels)) {
            warnings.push(nothing_has(&policy.cluster_types, "cluster type", &kinds, &policy.meta.location));
        }
        if targets.is_empty() || self.schedule.targets.iter().any(|target| selects(policy, target)) {
            return warnings;
        }
        let workspaces: BTreeSet<&str> =
            self.schedule.targets.iter().map(|target| &*target.workspace).collect();
        warnings.push(match &policy.workspace {
            Some(workspace) if !workspaces.contains(&**workspace) => {
                let text = format!(
                    "policy `{}` selects nothing: no deployment target is of workspace `{workspace}`",
                    policy.meta.name
                );
                let help = format!("workspaces in use: {}", some_of(workspaces));
                Diagnostic::warning(text).help(help).at(policy.meta.location.clone())
            }
            _ => nothing_has(&policy.targets, "deployment target", &targets, &policy.meta.location),
        });
        warnings
    }

    fn idle_templates(&self) -> Vec<Diagnostic> {
        let kinds = || self.schedule.cluster_types.iter();
        let used: BTreeSet<&str> =
            kinds().flat_map(ClusterType::templates).map(|template| &*template.name).collect();
        let idle = self
            .plane
            .templates
            .values()
            .filter(|template| !template.is_built_in() && !used.contains(&*template.meta.name));
        idle.map(|template| {
            let text = format!(
                "no cluster type uses the {} template `{}`",
                template.kind.word(),
                template.meta.name
            );
            Diagnostic::warning(text)
                .help("name it in a cluster type, or remove it")
                .at(template.meta.location.clone())
        })
        .collect()
    }

    fn idle_config(&self) -> Vec<Diagnostic> {
        let used: BTreeSet<u32> = self
            .configs
            .iter()
            .flat_map(|config| config.values.values())
            .flat_map(|value| value.layers.iter().copied())
            .collect();
        let (kinds, targets) = (&self.schedule.cluster_types, &self.schedule.targets);
        if self.schedule.assignments.is_empty() {
            return Vec::new();
        }
        let mut warnings = Vec::new();
        for (layer, index) in self.layers.iter().zip(0..) {
            let Some(value) = layer.values.values().next().filter(|_| !used.contains(&index)) else {
                continue;
            };
            let is_met = |condition: &&crate::applies::Condition| {
                kinds.iter().any(|kind| condition.is_met_by_cluster_type(kind))
                    || targets.iter().any(|target| condition.is_met_by_target(target))
            };
            let unmet = layer.conditions.iter().find(|condition| !is_met(condition));
            let why = match unmet {
                Some(condition) => format!(": nothing here has `{}: {}`", condition.key, condition.value),
                None => ": no assignment meets all of its labels".to_owned(),
            };
            let text = format!("ConfigMap `{}` applies to nothing{why}", layer.config_map);
            warnings.push(
                Diagnostic::warning(text).help("correct its labels, or remove it").at(value.location.clone()),
            );
        }
        warnings
    }
}

/// Says which term of a selector fails everywhere, and what values there are.
fn nothing_has(selector: &Selector, thing: &str, labels: &[&Labels], fallback: &Location) -> Diagnostic {
    let fails_everywhere = |term: &&Requirement| !labels.iter().any(|labels| term.matches(labels));
    let Some(term) = selector.requirements.iter().find(fails_everywhere) else {
        let text = format!("no {thing} meets all of the selector's terms at once");
        return Diagnostic::warning(text)
            .help("each term alone is met; loosen one of them")
            .at(fallback.clone());
    };
    let values: BTreeSet<&str> =
        labels.iter().filter_map(|labels| labels.get(&term.key)).map(String::as_str).collect();
    let keys: BTreeSet<&str> = labels.iter().flat_map(|labels| labels.keys()).map(String::as_str).collect();
    let help = match (&term.operator, values.is_empty()) {
        (Operator::In(_) | Operator::NotIn(_), false) => {
            format!("values of {} in use: {}", term.key, some_of(values))
        }
        _ => format!("labels in use: {}", some_of(keys)),
    };
    Diagnostic::warning(format!("no {thing} has {term}")).help(help).at(term.location.clone())
}
