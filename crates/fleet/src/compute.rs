//! From a control plane to the rendered files of every assignment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rayon::prelude::*;

use crate::applies::{Applicability, Condition, conditions};
use crate::checks::{self, Checked, ManifestChecks};
use crate::compose::{self, Config, Layer};
use crate::diagnostic::Diagnostic;
use crate::layout::{self, Package, Placement, Problems};
use crate::objects::{SchemaText, TemplateType};
use crate::path::RepoPath;
use crate::plane::ControlPlane;
use crate::render::{ConfigData, Data, TargetData, Templates};
use crate::schedule::{Assignment, Schedule, schedule};
use crate::tree::{Blob, Tree};
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
    pub packages: Vec<Result<Package, Problems>>,
    checks: ManifestChecks,
}

/// The config of a set of layers, with what the engines see of it.
struct Composed {
    config: Arc<Config>,
    data: ConfigData,
    problems: Problems,
}

/// Computes the files of every assignment.
pub fn compute(plane: ControlPlane, checks: ManifestChecks) -> Outcome {
    let schedule = schedule(&plane);
    let layers = compose::layers(&plane);
    let composer = Composer::new(&plane, &schedule, &layers);
    let config_of = &composer.set_of;
    let composed: Vec<Composed> = composer.sets.par_iter().map(|set| composer.compose(set)).collect();
    let packager = Packager::new(&plane, &schedule, checks);
    let package =
        |(assignment, config): (&Assignment, &usize)| packager.package(assignment, &composed[*config]);
    let packages = schedule.assignments.par_iter().zip(config_of).map(package).collect();
    let configs = config_of.iter().map(|index| composed[*index].config.clone()).collect();
    Outcome { plane, schedule, layers, configs, packages, checks }
}

/// Renders the files of assignments.
struct Packager<'a> {
    environment: &'a str,
    schedule: &'a Schedule,
    templates: Templates,
    targets: Vec<TargetData>,
    checks: ManifestChecks,
}

impl<'a> Packager<'a> {
    fn new(plane: &'a ControlPlane, schedule: &'a Schedule, checks: ManifestChecks) -> Self {
        Packager {
            environment: &plane.environment,
            schedule,
            templates: Templates::new(plane.templates.values()),
            targets: schedule.targets.par_iter().map(TargetData::new).collect(),
            checks,
        }
    }

    fn package(&self, assignment: &Assignment, composed: &Composed) -> Result<Package, Problems> {
        let kind = &self.schedule.cluster_types[assignment.cluster_type as usize];
        let target = &self.schedule.targets[assignment.target as usize];
        let shared = &self.targets[assignment.target as usize];
        let data = Data::new(self.environment, &kind.meta.name, target, shared, &composed.data);
        let folder = format!("{}/{}", kind.meta.name, target.name);
        let is_script = self.templates.content_type(&kind.config_type.name) == Some("sh");
        let config_file = if is_script { "platform-config.sh" } else { "platform-config.yaml" };
        let files = [
            ("reconciler.yaml", &kind.reconciler, TemplateType::Reconciler),
            ("namespace.yaml", &kind.namespace_service, TemplateType::Namespace),
            (config_file, &kind.config_type, TemplateType::Config),
        ];
        let mut problems = composed.problems.clone();
        let mut package = Package::default();
        for (name, template, template_type) in files {
            match self.templates.render(template, template_type, &data) {
                // The other two are written even if they are empty.
                Ok(bytes) if bytes.is_empty() && template_type == TemplateType::Config => {}
                Ok(bytes) => package.add(&folder, name, bytes, self.checks),
                Err(found) => problems.extend(found.into_iter().map(Arc::new)),
            }
        }
        if problems.is_empty() { Ok(package) } else { Err(problems) }
    }
}

impl Outcome {
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

impl Package {
    fn add(&mut self, folder: &str, name: &'static str, bytes: Vec<u8>, checks: ManifestChecks) {
        if checks != ManifestChecks::Off {
            let Checked { objects, problems } = checks::check(&format!("{folder}/{name}"), &bytes);
            self.checked.objects.extend(objects);
            self.checked.problems.extend(problems);
        }
        self.files.insert(name, Blob::file(bytes));
    }
}

/// Which layers and schemas apply to which assignment; equal answers are computed once.
struct Composer<'a> {
    layers: &'a [Layer],
    schemas: BTreeMap<&'a SchemaText, Schema>,
    sets: Vec<Set<'a>>,
    set_of: Vec<usize>,
}

#[derive(PartialEq, Eq, Hash, Clone)]
struct Set<'a> {
    layers: Vec<u32>,
    schemas: Vec<&'a SchemaText>,
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
        let set = |assignment: &Assignment| {
            let Assignment { cluster_type, target, .. } = *assignment;
            let labelled = schemas_apply
                .to(cluster_type, target)
                .into_iter()
                .map(|index| &plane.config_schemas[index as usize].schema);
            let schemas = labelled.chain(&targets[target as usize].schemas).collect();
            Set { layers: layers_apply.to(cluster_type, target), schemas }
        };
        let all: Vec<Set<'a>> = schedule.assignments.par_iter().map(set).collect();
        let mut known: HashMap<Set<'a>, usize> = HashMap::new();
        let mut sets = Vec::new();
        let mut set_of = Vec::with_capacity(all.len());
        for set in all {
            let index = *known.entry(set).or_insert_with_key(|set| {
                sets.push(set.clone());
                sets.len() - 1
            });
            set_of.push(index);
        }
        let texts: BTreeSet<&SchemaText> =
            sets.iter().flat_map(|set: &Set<'a>| set.schemas.iter().copied()).collect();
        let schemas = texts.into_iter().map(|text| (text, Schema::new(text))).collect();
        Composer { layers, schemas, sets, set_of }
    }

    fn compose(&self, set: &Set<'_>) -> Composed {
        let (config, mut problems) = match compose::compose(self.layers, &set.layers) {
            Ok(config) => (config, Vec::new()),
            Err(problem) => (Config::default(), vec![problem]),
        };
        let schemas: Vec<&Schema> = set.schemas.iter().filter_map(|text| self.schemas.get(text)).collect();
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
