//! What is legal but hardly meant: a policy that selects nothing, a template or config that applies to nothing.

use std::collections::BTreeSet;

use crate::applies::{Condition, conditions};
use crate::compute::Outcome;
use crate::diagnostic::{Diagnostic, Location, did_you_mean, nearest, slip_of, some_of};
use crate::json_text;
use crate::labels::{Labels, Operator, Requirement, Selector};
use crate::objects::{
    ClusterType, LabelPlace, LabelPlaces, Meta, PLATFORM_CONFIG, SchedulingPolicy, TemplateRef, TemplateType,
};
use crate::schedule::{DeploymentTarget, selects};
use crate::source::scalar;

/// What selectors look at, with the places of its labels.
struct Labelled<'a> {
    labels: &'a Labels,
    places: Vec<&'a LabelPlaces>,
}

impl Labelled<'_> {
    fn place(&self, key: &str) -> Option<&LabelPlace> {
        self.places.iter().find_map(|places| places.get(key))
    }
}

impl Outcome {
    /// Warnings about objects that change nothing in this environment, or not what they were meant to change.
    pub fn without_effect(&self) -> Vec<Diagnostic> {
        let mut warnings = Vec::new();
        warnings.extend(self.template_types());
        warnings.extend(self.undeclared_environments());
        warnings.extend(self.misspelt_keys());
        warnings.extend(self.misspelt_references());
        // What could not be read may be what the others are for.
        let is_whole = self.plane.ignored == 0
            && self.plane.unavailable.is_empty()
            && self.schedule.colliding.is_empty();
        if is_whole {
            warnings.extend(self.plane.policies.iter().flat_map(|policy| self.idle_policy(policy)));
            warnings.extend(self.idle_templates());
            warnings.extend(self.idle_config());
            warnings.extend(self.idle_schemas());
            warnings.extend(self.unmarked_config());
        }
        warnings
    }

    fn idle_policy(&self, policy: &SchedulingPolicy) -> Vec<Diagnostic> {
        let kinds: Vec<Labelled<'_>> = self
            .schedule
            .cluster_types
            .iter()
            .map(|kind| Labelled { labels: &kind.meta.labels, places: vec![&kind.meta.label_places] })
            .collect();
        let mut warnings = Vec::new();
        if !kinds.is_empty() && !kinds.iter().any(|kind| policy.cluster_types.matches(kind.labels)) {
            warnings.push(nothing_has(&policy.cluster_types, "cluster type", &kinds, &policy.meta.location));
        }
        let targets = &self.schedule.targets;
        if targets.is_empty() || targets.iter().any(|target| selects(policy, target)) {
            return warnings;
        }
        let workspaces: BTreeSet<&str> = targets.iter().map(|target| &*target.workspace).collect();
        warnings.push(match &policy.workspace {
            Some(workspace) if !workspaces.contains(&**workspace) => {
                let text = format!(
                    "policy `{}` selects nothing: no deployment target is of workspace `{workspace}`",
                    policy.meta.name
                );
                let known = || format!("workspaces in use: {}", some_of(workspaces.iter().copied()));
                let problem = Diagnostic::warning(text).at(policy.workspace_place.clone());
                match nearest(workspace, workspaces.iter().copied()) {
                    Some(near) => meant(problem, near, self.workspace_place(near)),
                    None => problem.help(known()),
                }
            }
            _ => {
                let targets: Vec<Labelled<'_>> = targets.iter().map(|target| self.labelled(target)).collect();
                nothing_has(&policy.targets, "deployment target", &targets, &policy.meta.location)
            }
        });
        warnings
    }

    fn labelled<'a>(&'a self, target: &'a DeploymentTarget) -> Labelled<'a> {
        let workload = self.plane.workloads.get(&target.workload).map(|registered| &registered.workload);
        let own = workload.iter().flat_map(|it| &it.targets).filter(|it| it.location == target.location);
        let shared = workload.iter().map(|workload| &workload.meta.label_places);
        Labelled { labels: &target.labels, places: own.map(|it| &it.label_places).chain(shared).collect() }
    }

    fn workspace_place(&self, workspace: &str) -> Option<&Location> {
        let registrations = self.plane.registrations.values();
        registrations.filter(|it| it.workspace == workspace).map(|it| &it.workspace_place).next()
    }

    /// A cluster type may ask for a template of any type; hardly anybody means to.
    fn template_types(&self) -> Vec<Diagnostic> {
        let wrong = |(wanted, kind): (&TemplateRef, TemplateType)| {
            let template = self.plane.templates.get(&wanted.name).filter(|template| template.kind != kind)?;
            let text = format!(
                "a {} template is asked for here, but `{}` is a {} template",
                kind.word(),
                wanted.name,
                template.kind.word()
            );
            let fitting = self.plane.templates.values().filter(|template| template.kind == kind);
            let names = some_of(fitting.map(|template| &*template.meta.name));
            let problem = Diagnostic::warning(text).help(format!("{} templates are {names}", kind.word()));
            Some(problem.at(wanted.location.clone()).related(&template.meta.location))
        };
        let types = [TemplateType::Reconciler, TemplateType::Namespace, TemplateType::Config];
        let wanted =
            self.schedule.cluster_types.iter().flat_map(|kind| kind.templates().into_iter().zip(types));
        wanted.filter_map(wrong).collect()
    }

    /// Deployment targets for environments that nobody declared.
    fn undeclared_environments(&self) -> Vec<Diagnostic> {
        let declared: BTreeSet<&str> =
            self.plane.environments.iter().map(|environment| &*environment.meta.name).collect();
        if declared.is_empty() {
            return Vec::new();
        }
        let targets = self.plane.workloads.values().flat_map(|registered| &registered.workload.targets);
        let undeclared = targets.filter(|target| !declared.contains(&*target.environment));
        undeclared
            .map(|target| {
                let text = format!(
                    "deployment target `{}` is for `{}`, which is no declared environment",
                    target.name, target.environment
                );
                let known = || format!("declared are {}", some_of(declared.iter().copied()));
                let help = did_you_mean(&target.environment, declared.iter().copied()).unwrap_or_else(known);
                Diagnostic::warning(text).help(help).at(target.environment_place.clone())
            })
            .collect()
    }

    /// Keys of config that are nearly those of a schema, and in none.
    fn misspelt_keys(&self) -> Vec<Diagnostic> {
        let registered = self.plane.workloads.values().map(|registered| &registered.workload);
        let of_workloads = registered
            .flat_map(|it| it.schemas.iter().chain(it.targets.iter().flat_map(|target| &target.schemas)));
        let schemas = self.plane.config_schemas.iter().map(|schema| &schema.schema).chain(of_workloads);
        let known: BTreeSet<String> = schemas.flat_map(json_text::properties).collect();
        let values = self.layers.iter().flat_map(|layer| &layer.values);
        let set: BTreeSet<&str> =
            self.layers.iter().flat_map(|it| it.values.keys()).map(String::as_str).collect();
        let unset: Vec<&str> = known.iter().map(String::as_str).filter(|name| !set.contains(name)).collect();
        let unknown = values.filter(|(key, _)| !known.contains(*key));
        unknown
            .filter_map(|(key, value)| {
                let near = slip_of(key, unset.iter().copied())?;
                let text = format!("the config key `{key}` is in no schema, where `{near}` is");
                let problem = Diagnostic::warning(text).help(format!("did you mean `{near}`?"));
                Some(problem.at(value.location.clone()))
            })
            .collect()
    }

    /// Names of config that templates ask for, and that are nearly those of values.
    fn misspelt_references(&self) -> Vec<Diagnostic> {
        let known: BTreeSet<&str> =
            self.layers.iter().flat_map(|layer| layer.values.keys()).map(String::as_str).collect();
        let mut warnings = Vec::new();
        for template in self.plane.templates.values().filter(|template| !template.is_built_in()) {
            for node in template.manifests.iter().map(|manifest| &manifest.node) {
                for (name, line, column) in scalar(node).into_iter().flat_map(config_references) {
                    let near = slip_of(name, known.iter().copied()).filter(|_| !known.contains(name));
                    if let Some(near) = near {
                        let text = format!(
                            "no ConfigMap has `{name}`, which template `{}` asks for",
                            template.meta.name
                        );
                        let place = Location::new(&template.file, node.locate(line, column));
                        let problem = Diagnostic::warning(text).help(format!("did you mean `{near}`?"));
                        warnings.push(problem.at(place));
                    }
                }
            }
        }
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
        if self.schedule.assignments.is_empty() {
            return Vec::new();
        }
        let mut warnings = Vec::new();
        for (layer, index) in self.layers.iter().zip(0..) {
            let Some(value) = layer.values.values().next().filter(|_| !used.contains(&index)) else {
                continue;
            };
            let map = self.plane.config_maps.iter().find(|map| map.meta.name == layer.config_map);
            let places = map.map(|map| &map.meta.label_places);
            let what = format!("ConfigMap `{}`", layer.config_map);
            warnings.push(self.applies_to_nothing(&what, &layer.conditions, places, &value.location));
        }
        warnings
    }

    fn idle_schemas(&self) -> Vec<Diagnostic> {
        let (kinds, targets) = (&self.schedule.cluster_types, &self.schedule.targets);
        if self.schedule.assignments.is_empty() {
            return Vec::new();
        }
        let mut warnings = Vec::new();
        for schema in &self.plane.config_schemas {
            let conditions = conditions(&schema.meta.labels);
            let applies = self.schedule.assignments.iter().any(|assignment| {
                let kind = &kinds[assignment.cluster_type as usize];
                let target = &targets[assignment.target as usize];
                conditions.iter().all(|it| it.is_met_by_cluster_type(kind) || it.is_met_by_target(target))
            });
            if !applies {
                let what = format!("ConfigSchema `{}`", schema.meta.name);
                let places = Some(&schema.meta.label_places);
                warnings.push(self.applies_to_nothing(&what, &conditions, places, &schema.meta.location));
            }
        }
        warnings
    }

    fn applies_to_nothing(
        &self,
        what: &str,
        conditions: &[Condition],
        places: Option<&LabelPlaces>,
        otherwise: &Location,
    ) -> Diagnostic {
        let Some(Condition { key, value }) = conditions.iter().find(|condition| !self.is_met(condition))
        else {
            let text = format!("{what} applies to nothing: no assignment meets all of its labels");
            return Diagnostic::warning(text).help("correct its labels, or remove it").at(otherwise.clone());
        };
        let place = places.and_then(|places| places.get(key));
        let values = self.values_of(key);
        let keys = self.condition_keys();
        let usual = || "correct its labels, or remove it".to_owned();
        let (place, help) = match values.is_empty() {
            true => (place.map(|place| &place.key), did_you_mean(key, keys).unwrap_or_else(usual)),
            false => (place.map(|place| &place.value), did_you_mean(value, values).unwrap_or_else(usual)),
        };
        let text = format!("{what} applies to nothing: nothing here has `{key}: {value}`");
        Diagnostic::warning(text).help(help).at(place.unwrap_or(otherwise).clone())
    }

    /// Whether anything at all meets a condition.
    fn is_met(&self, condition: &Condition) -> bool {
        let (kinds, targets) = (&self.schedule.cluster_types, &self.schedule.targets);
        kinds.iter().any(|kind| condition.is_met_by_cluster_type(kind))
            || targets.iter().any(|target| condition.is_met_by_target(target))
    }

    /// The values of what conditions on `key` look at.
    fn values_of(&self, key: &str) -> BTreeSet<&str> {
        let (kinds, targets) = (&self.schedule.cluster_types, &self.schedule.targets);
        match key {
            "cluster-type" => kinds.iter().map(|kind| &*kind.meta.name).collect(),
            "deployment-target" => targets.iter().map(|target| &*target.name).collect(),
            _ => {
                let labels = kinds.iter().map(|kind| &kind.meta.labels);
                let labels = labels.chain(targets.iter().map(|target| &target.labels));
                labels.filter_map(|labels| labels.get(key)).map(String::as_str).collect()
            }
        }
    }

    fn condition_keys(&self) -> BTreeSet<&str> {
        let kinds = self.schedule.cluster_types.iter().map(|kind| &kind.meta.labels);
        let labels = kinds.chain(self.schedule.targets.iter().map(|target| &target.labels));
        let names = ["cluster-type", "deployment-target"];
        labels.flat_map(|labels| labels.keys()).map(String::as_str).chain(names).collect()
    }

    /// ConfigMaps that would apply here, if they had the label which makes them platform config.
    fn unmarked_config(&self) -> Vec<Diagnostic> {
        let would_apply = |meta: &&Meta| {
            let conditions = conditions(&meta.labels);
            conditions.iter().any(|condition| !condition.value.is_empty())
                && conditions.iter().all(|condition| self.is_met(condition))
        };
        let unmarked = self.plane.unmarked.iter().filter(would_apply);
        unmarked
            .map(|meta| {
                let text = format!(
                    "the ConfigMap `{}` has labels of this platform, and is no platform config",
                    meta.name
                );
                Diagnostic::warning(text)
                    .help(format!("add the label `{PLATFORM_CONFIG}: \"true\"`, if it is meant to apply"))
                    .at(meta.location.clone())
            })
            .collect()
    }
}

/// The names behind `.ConfigData.` and `config_data.`, with line and column of the whole.
fn config_references(text: &str) -> Vec<(&str, u32, u32)> {
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        for data in [".ConfigData.", "config_data."] {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let whole =
                |(start, _): &(usize, &str)| data.starts_with('.') || !line[..*start].ends_with(is_part);
            for (start, _) in line.match_indices(data).filter(whole) {
                let rest = &line[start + data.len()..];
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                found.push((&rest[..end], number, line[..start].chars().count() as u32 + 1));
            }
        }
    }
    found
}

/// Says which term of a selector fails everywhere, and what values there are.
fn nothing_has(selector: &Selector, thing: &str, things: &[Labelled<'_>], fallback: &Location) -> Diagnostic {
    let fails_everywhere = |term: &&Requirement| !things.iter().any(|it| term.matches(it.labels));
    let Some(term) = selector.requirements.iter().find(fails_everywhere) else {
        let text = format!("no {thing} meets all of the selector's terms at once");
        return Diagnostic::warning(text)
            .help("each term alone is met; loosen one of them")
            .at(fallback.clone());
    };
    let problem = Diagnostic::warning(format!("no {thing} has {term}")).at(term.location.clone());
    let values: BTreeSet<&str> =
        things.iter().filter_map(|it| it.labels.get(&term.key)).map(String::as_str).collect();
    let keys: BTreeSet<&str> = things.iter().flat_map(|it| it.labels.keys()).map(String::as_str).collect();
    if values.is_empty() {
        return match nearest(&term.key, keys.iter().copied()) {
            Some(near) => {
                let place = things.iter().find_map(|it| it.place(near));
                meant(problem, near, place.map(|place| &place.key))
            }
            None => problem.help(format!("labels in use: {}", some_of(keys))),
        };
    }
    match &term.operator {
        Operator::In(wanted) => {
            match wanted.iter().find_map(|wanted| nearest(wanted, values.iter().copied())) {
                Some(near) => {
                    let has =
                        |it: &&Labelled<'_>| it.labels.get(&term.key).is_some_and(|value| value == near);
                    let place = things.iter().filter(has).find_map(|it| it.place(&term.key));
                    meant(problem, near, place.map(|place| &place.value))
                }
                None => problem.help(format!("values of {} in use: {}", term.key, some_of(values))),
            }
        }
        Operator::NotIn(_) => problem.help(format!("values of {} in use: {}", term.key, some_of(values))),
        _ => problem.help(format!("labels in use: {}", some_of(keys))),
    }
}

/// Asks for the name that is near, and shows where it is written: either of the two may be the slip.
fn meant(problem: Diagnostic, near: &str, place: Option<&Location>) -> Diagnostic {
    match place {
        Some(place) => problem.help(format!("did you mean `{near}`, as at {place}?")).related(place),
        None => problem.help(format!("did you mean `{near}`?")),
    }
}
