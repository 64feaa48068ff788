//! From a control plane to the rendered files of every assignment.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rayon::prelude::*;

use crate::applies::{Applicability, Condition, conditions};
use crate::checks::ManifestChecks;
use crate::compose::{self, Config, Layer};
use crate::diagnostic::Diagnostic;
use crate::inputs::Inputs;
use crate::layout::{self, Placement, Problems};
use crate::objects::SchemaText;
use crate::package::{Package, Packager};
use crate::path::RepoPath;
use crate::plane::ControlPlane;
use crate::render::ConfigData;
use crate::schedule::{Assignment, Schedule, schedule};
use crate::tree::Tree;
use crate::validate::{Schema, validate};

/// Everything that an environment's control plane asks for.
#[derive(Debug)]
pub struct Outcome {
    /// The control plane
    pub plane: ControlPlane,
    /// Which target goes where, and why
    pub schedule: Schedule,
    /// The layers of platform config
    pub layers: Vec<Layer>,
    /// The config of each assignment; equal sets of layers share one
    pub configs: Vec<Arc<Config>>,
    /// The files of each assignment, or why it has none
    pub packages: Vec<Result<Arc<Package>, Problems>>,
    checks: ManifestChecks,
}

/// The config of a set of layers, with what the engines see of it.
pub(crate) struct Composed {
    config: Arc<Config>,
    pub(crate) data: ConfigData,
    pub(crate) problems: Problems,
}

/// Computes the files of every assignment.
pub fn compute(plane: ControlPlane, checks: ManifestChecks) -> Outcome {
    outcome(plane, checks, |_| None)
}

fn outcome<'a>(
    plane: ControlPlane,
    checks: ManifestChecks,
    known: impl Fn(&Inputs<'_>) -> Option<&'a Arc<Package>> + Sync,
) -> Outcome {
    let schedule = schedule(&plane);
    let layers = compose::layers(&plane);
    let composer = Composer::new(&plane, &schedule, &layers);
    let config_of = &composer.set_of;
    let composed: Vec<Composed> = composer.sets.par_iter().map(|set| composer.compose(set)).collect();
    let packager = Packager::new(&plane, &schedule, checks);
    let package = |(assignment, config): (&Assignment, &usize)| {
        let composed = &composed[*config];
        let inputs = Inputs::new(&plane, &schedule, assignment, &composed.config);
        match known(&inputs).filter(|_| composed.problems.is_empty()) {
            Some(package) => Ok(package.clone()),
            None => packager.package(assignment, inputs, composed).map(Arc::new),
        }
    };
    let packages = schedule.assignments.par_iter().zip(config_of).map(package).collect();
    let configs = config_of.iter().map(|index| composed[*index].config.clone()).collect();
    Outcome { plane, schedule, layers, configs, packages, checks }
}

impl Outcome {
    /// Computes another control plane; packages of equal inputs are taken over.
    pub fn recompute(&self, plane: ControlPlane) -> Outcome {
        outcome(plane, self.checks, |inputs| {
            let index = self.schedule.assignment(inputs.cluster_type, inputs.deployment_target)?;
            // Problems have places, which are no part of the inputs.
            let package = self.packages[index].as_ref().ok().filter(|it| it.checked.problems.is_empty())?;
            (self.inputs(index) == *inputs).then_some(package)
        })
    }

    /// What the files of an assignment (by its index) are made of.
    pub fn inputs(&self, assignment: usize) -> Inputs<'_> {
        let config = &self.configs[assignment];
        Inputs::new(&self.plane, &self.schedule, &self.schedule.assignments[assignment], config)
    }

    /// What a branch that holds `current` must hold below `path`.
    pub fn place(&self, current: &Tree, path: &RepoPath) -> Placement {
        layout::place(&self.plane, &self.schedule, &self.packages, current, path, self.checks)
    }

    /// Problems that are no assignment's: warnings of the control plane, applications that cannot be read.
    pub fn problems(&self) -> impl Iterator<Item = &Diagnostic> {
        let applications = self.plane.unavailable.iter().chain(&self.schedule.colliding);
        self.plane.problems.iter().chain(applications.flat_map(|it| &it.problems))
    }
}

/// Which layers and schemas apply to which assignment; equal answers are computed once.
struct Composer<'a> {
    layers: &'a [Layer],
    schemas: Vec<Schema>,
    sets: Vec<Set>,
    set_of: Vec<usize>,
}

/// Indexes of layers and of schemas.
#[derive(PartialEq, Eq, Hash, Clone)]
struct Set {
    layers: Vec<u32>,
    schemas: Vec<u32>,
}

impl<'a> Composer<'a> {
    fn new(plane: &'a ControlPlane, schedule: &'a Schedule, layers: &'a [Layer]) -> Self {
        let (kinds, targets) = (&schedule.cluster_types, &schedule.targets);
        let of_layers: Vec<&[Condition]> = layers.iter().map(|layer| &*layer.conditions).collect();
        let layers_apply = Applicability::new(&of_layers, kinds, targets);
        let of_schemas: Vec<Vec<Condition>> =
            plane.config_schemas.iter().map(|it| conditions(&it.meta.labels)).collect();
        let of_schemas: Vec<&[Condition]> = of_schemas.iter().map(|it| &**it).collect();
        let schemas_apply = Applicability::new(&of_schemas, kinds, targets);
        let mut texts = Texts::default();
        let labelled: Vec<u32> = plane.config_schemas.iter().map(|it| texts.index(&it.schema)).collect();
        let own: Vec<Vec<u32>> =
            targets.iter().map(|target| target.schemas.iter().map(|it| texts.index(it)).collect()).collect();
        let set = |assignment: &Assignment| {
            let Assignment { cluster_type, target, .. } = *assignment;
            let schemas = schemas_apply.to(cluster_type, target).into_iter();
            let schemas = schemas.map(|index| labelled[index as usize]);
            Set {
                layers: layers_apply.to(cluster_type, target),
                schemas: schemas.chain(own[target as usize].iter().copied()).collect(),
            }
        };
        let all: Vec<Set> = schedule.assignments.par_iter().map(set).collect();
        let mut known: HashMap<Set, usize> = HashMap::new();
        let mut sets = Vec::new();
        let mut set_of = Vec::with_capacity(all.len());
        for set in all {
            let index = *known.entry(set).or_insert_with_key(|set| {
                sets.push(set.clone());
                sets.len() - 1
            });
            set_of.push(index);
        }
        let schemas = texts.all.into_par_iter().map(Schema::new).collect();
        Composer { layers, schemas, sets, set_of }
    }

    fn compose(&self, set: &Set) -> Composed {
        let (config, mut problems) = match compose::compose(self.layers, &set.layers) {
            Ok(config) => (config, Vec::new()),
            Err(problem) => (Config::default(), vec![problem]),
        };
        let schemas: Vec<&Schema> = set.schemas.iter().map(|index| &self.schemas[*index as usize]).collect();
        if problems.is_empty() {
            problems = validate(&config, self.layers, &schemas);
        }
        let config = Arc::new(config);
        Composed {
            data: ConfigData::new(config.clone()),
            config,
            problems: problems.into_iter().map(Arc::new).collect(),
        }
    }
}

/// The texts of schemas, equal ones once.
#[derive(Default)]
struct Texts<'a> {
    all: Vec<&'a SchemaText>,
    known: BTreeMap<&'a SchemaText, u32>,
}

impl<'a> Texts<'a> {
    fn index(&mut self, text: &'a SchemaText) -> u32 {
        *self.known.entry(text).or_insert_with(|| {
            self.all.push(text);
            self.all.len() as u32 - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Snapshot;
    use crate::source::{FileContent, Source};

    const PLANE: &str = "
apiVersion: scheduler.kalypso.io/v1alpha1
kind: ClusterType
metadata: {name: east, labels: {region: east}}
spec: {reconciler: arc-flux, namespaceService: default, configType: configmap}
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: ClusterType
metadata: {name: west, labels: {region: west}}
spec: {reconciler: own, namespaceService: default, configType: configmap}
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: Template
metadata: {name: own}
spec:
  type: reconciler
  manifests: ['{apiVersion: v1, kind: Own, metadata: {name: {{ .DeploymentTargetName }}}}']
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: SchedulingPolicy
metadata: {name: everywhere}
spec: {deploymentTargetSelector: {}, clusterTypeSelector: {}}
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: Workload
metadata: {name: app}
spec:
  deploymentTargets:
  - {name: a, environment: dev, labels: {tier: one}, manifests: {repo: r, branch: b, path: ./a}}
  - {name: b, environment: dev, labels: {tier: two}, manifests: {repo: r, branch: b, path: ./b}}
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: ConfigSchema
metadata: {name: limits}
spec: {schema: '{\"properties\": {\"REPLICAS\": {\"type\": \"number\", \"maximum\": 9}}}'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a-everywhere, labels: {platform-config: \"true\"}}
data: {REPLICAS: \"1\", LEVEL: info}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b-east, labels: {platform-config: \"true\", region: east}}
data: {REPLICAS: \"2\"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c-two, labels: {platform-config: \"true\", tier: two}}
data: {REPLICAS: \"3\"}
";

    fn plane(text: &str) -> ControlPlane {
        let files = [("all.yaml".to_owned(), FileContent::Bytes(text.as_bytes().into()))];
        Snapshot::new(&Source { prefix: "".into(), files: files.into() }).control_plane("dev")
    }

    #[test]
    fn only_what_a_change_reaches_is_rendered_anew() {
        let [east_a, east_b, west_a, west_b] = ["east/app-a", "east/app-b", "west/app-a", "west/app-b"];
        let all = [east_a, east_b, west_a, west_b];
        let cases: [(&str, &str, &[&str], &str); 13] = [
            ("", "", &[], "nothing changed"),
            ("info", "debug", &all, "a value that all have"),
            ("\"1\"", "\"7\"", &[west_a], "a value that others override"),
            ("\"2\"", "\"7\"", &[east_a], "a value for a cluster type"),
            ("\"3\"", "\"7\"", &[east_b, west_b], "a value for a target"),
            ("b-east", "d-east", &[east_b], "the order of ConfigMaps"),
            ("kind: Own", "kind: Owner", &[west_a, west_b], "a template"),
            ("{region: east}", "{region: east, x: y}", &[], "a label that nothing asks for"),
            ("tier: one", "tier: uno", &[east_a, west_a], "a label of a target, which templates see"),
            ("path: ./b", "path: ./c", &[east_b, west_b], "a path that templates see"),
            ("reconciler: own", "reconciler: argocd", &[west_a, west_b], "another template"),
            ("maximum\": 9", "maximum\": 8", &[], "a rule that is kept"),
            ("\nspec", "\n# further down\nspec", &[], "places"),
        ];
        for checks in [ManifestChecks::Off, ManifestChecks::Error] {
            let before = compute(plane(PLANE), checks);
            assert_eq!(before.packages.iter().flatten().count(), all.len());
            for (old, new, want, why) in cases {
                assert!(PLANE.contains(old), "{why}");
                let after = before.recompute(plane(&PLANE.replace(old, new)));
                let is_old = |package| before.packages.iter().flatten().any(|it| Arc::ptr_eq(it, package));
                let made = |index: &usize| after.packages[*index].as_ref().is_ok_and(|it| !is_old(it));
                let name = |index: usize| {
                    let Inputs { cluster_type, deployment_target, .. } = after.inputs(index);
                    format!("{cluster_type}/{deployment_target}")
                };
                let got: Vec<String> = (0..after.packages.len()).filter(made).map(name).collect();
                assert_eq!(got, want, "{why}");
            }
        }
    }

    #[test]
    fn files_are_not_taken_over_where_a_problem_arose() {
        let before = compute(plane(PLANE), ManifestChecks::Error);
        let after = before.recompute(plane(&PLANE.replace("maximum\": 9", "maximum\": 2")));
        let is_ok: Vec<bool> = after.packages.iter().map(Result::is_ok).collect();
        assert_eq!(is_ok, [true, false, true, false], "schema errors are no inputs, and count all the same");
        let again = after.recompute(plane(PLANE));
        assert_eq!(again.packages, before.packages);
    }
}
