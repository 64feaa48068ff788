//! The files of an assignment.

use std::sync::Arc;

use rayon::prelude::*;

use crate::checks::{self, Checked, LONGEST_NAMESPACE, ManifestChecks};
use crate::compute::Composed;
use crate::diagnostic::{Diagnostic, Location};
use crate::inputs::Inputs;
use crate::layout::Problems;
use crate::objects::TemplateType;
use crate::plane::ControlPlane;
use crate::render::{Data, TargetData, Templates};
use crate::schedule::{Assignment, Schedule};
use crate::tree::{Blob, Family};

/// The rendered files of an assignment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// File names and contents
    pub files: Vec<(&'static str, Blob)>,
    /// What the manifest checks found in them
    pub checked: Checked,
}

/// Renders the files of assignments.
pub(crate) struct Packager<'a> {
    schedule: &'a Schedule,
    templates: Templates,
    targets: Vec<TargetData>,
    /// For each cluster type, that of each of its files
    families: Vec<[Family; 3]>,
    checks: ManifestChecks,
}

impl<'a> Packager<'a> {
    pub(crate) fn new(plane: &'a ControlPlane, schedule: &'a Schedule, checks: ManifestChecks) -> Self {
        Packager {
            schedule,
            templates: Templates::new(plane.templates.values()),
            targets: schedule.targets.par_iter().map(TargetData::new).collect(),
            families: schedule.cluster_types.iter().map(|_| Default::default()).collect(),
            checks,
        }
    }

    /// The files of an assignment; or every problem on the way, those of its config first.
    pub(crate) fn package(
        &self,
        assignment: &Assignment,
        inputs: Inputs<'_>,
        composed: &Composed,
    ) -> Result<Package, Problems> {
        let data = Data::new(inputs, &self.targets[assignment.target as usize], &composed.data);
        let place = &self.schedule.targets[assignment.target as usize].location;
        let kind = &self.schedule.cluster_types[assignment.cluster_type as usize];
        let families = &self.families[assignment.cluster_type as usize];
        let folder = format!("{}/{}", inputs.cluster_type, inputs.deployment_target);
        let [_, _, config_template] = inputs.templates;
        let is_script = config_template.is_some_and(|it| it.content_type.as_deref() == Some("sh"));
        let config_file = if is_script { "platform-config.sh" } else { "platform-config.yaml" };
        let names = ["reconciler.yaml", "namespace.yaml", config_file];
        let types = [TemplateType::Reconciler, TemplateType::Namespace, TemplateType::Config];
        let mut problems = composed.problems.clone();
        let mut package = Package { files: Vec::with_capacity(names.len()), checked: Checked::default() };
        let files = names.into_iter().zip(families);
        for ((template, template_type), (name, family)) in kind.templates().into_iter().zip(types).zip(files)
        {
            match self.templates.render(template, template_type, &data) {
                // The other two are written even if they are empty.
                Ok(bytes) if bytes.is_empty() && template_type == TemplateType::Config => {}
                Ok(bytes) => {
                    let origin =
                        |text: &str, problem| self.origin(&template.name, (&data, place), text, problem);
                    package.files.push((name, family.file(&bytes)));
                    package.check(&format!("{folder}/{name}"), &bytes, self.checks, origin);
                }
                Err(found) => problems.extend(found.into_iter().map(Arc::new)),
            }
        }
        if problems.is_empty() { Ok(package) } else { Err(problems) }
    }

    /// A problem of a rendered file, at the place that people have to change; that of a namespace's name also
    /// tells where the deployment target is named.
    fn origin(
        &self,
        template: &str,
        (data, target): (&Data<'_>, &Location),
        text: &str,
        problem: Diagnostic,
    ) -> Diagnostic {
        let Some(Location { line, column, .. }) = problem.location.clone() else { return problem };
        let problem = match self.templates.origin(template, text, line, column) {
            Some(place) => problem.at(place),
            None => problem,
        };
        let written = text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
        if data.namespace().len() <= LONGEST_NAMESPACE || !written.contains(data.namespace()) {
            return problem;
        }
        let help = problem.help.clone().unwrap_or_default();
        problem.help(format!("{help}; the deployment target is named at {target}")).related(target)
    }
}

impl Package {
    fn check(
        &mut self,
        path: &str,
        bytes: &[u8],
        checks: ManifestChecks,
        origin: impl Fn(&str, Diagnostic) -> Diagnostic,
    ) {
        if checks != ManifestChecks::Off {
            let Checked { objects, problems } = checks::check(path, bytes);
            self.checked.objects.extend(objects);
            let text = String::from_utf8_lossy(bytes);
            self.checked.problems.extend(problems.into_iter().map(|problem| origin(&text, problem)));
        }
    }
}
