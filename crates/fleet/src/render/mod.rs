//! Templates over the data of an assignment.

mod go;
mod jinja;
mod object;
mod origin;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use goyaml::NodeKind;

use crate::compose::Config;
use crate::diagnostic::{Diagnostic, Location, did_you_mean};
use crate::inputs::Inputs;
use crate::objects::{Engine, Template, TemplateRef, TemplateType};
use crate::schedule::DeploymentTarget;

/// All templates of a control plane, each parsed once.
#[derive(Debug)]
pub(crate) struct Templates {
    programs: BTreeMap<String, Compiled>,
}

#[derive(Debug)]
struct Compiled {
    template: Template,
    manifests: Vec<Result<Program, Diagnostic>>,
}

/// A manifest ready to be rendered.
#[derive(Debug)]
enum Program {
    Go(Box<go::Program>),
    Jinja(Box<jinja::Program>),
    Object(object::Program),
}

/// What templates see of an assignment; in the form of an engine once one asks for it.
#[derive(Debug)]
pub(crate) struct Data<'a> {
    inputs: Inputs<'a>,
    namespace: String,
    shared: &'a TargetData,
    config: &'a ConfigData,
    go: OnceCell<gotmpl::Value>,
    jinja: OnceCell<minijinja::Value>,
}

/// The config of an assignment; shared by all assignments that have it.
#[derive(Debug)]
pub(crate) struct ConfigData {
    config: Arc<Config>,
    go: OnceLock<gotmpl::Value>,
    jinja: OnceLock<minijinja::Value>,
}

/// Labels and manifests of a target in the form of each engine; shared by all its assignments.
#[derive(Clone, Debug)]
pub(crate) struct TargetData {
    labels: (gotmpl::Value, minijinja::Value),
    manifests: (gotmpl::Value, minijinja::Value),
}

impl ConfigData {
    /// The values of `config`.
    pub(crate) fn new(config: Arc<Config>) -> ConfigData {
        ConfigData { config, go: OnceLock::new(), jinja: OnceLock::new() }
    }

    fn go(&self) -> &gotmpl::Value {
        self.go.get_or_init(|| go::config(&self.config))
    }

    fn jinja(&self) -> &minijinja::Value {
        self.jinja.get_or_init(|| jinja::config(&self.config))
    }
}

impl TargetData {
    /// The labels and manifests of `target`.
    pub(crate) fn new(target: &DeploymentTarget) -> TargetData {
        let both = |strings| (go::strings(strings), jinja::strings(strings));
        TargetData { labels: both(&target.labels), manifests: both(&target.manifests) }
    }
}

impl<'a> Data<'a> {
    /// What the templates see of `inputs`; labels, manifests and config in the forms of the engines.
    pub(crate) fn new(inputs: Inputs<'a>, shared: &'a TargetData, config: &'a ConfigData) -> Self {
        let Inputs { environment, cluster_type, deployment_target, .. } = inputs;
        let namespace = format!("{environment}-{cluster_type}-{deployment_target}");
        Data { inputs, namespace, shared, config, go: OnceCell::new(), jinja: OnceCell::new() }
    }

    /// The name of the assignment's namespace.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    fn texts(&self) -> [TextField<'_>; 6] {
        [
            ("DeploymentTargetName", "deployment_target_name", self.inputs.deployment_target),
            ("Namespace", "namespace", &self.namespace),
            ("Environment", "environment", self.inputs.environment),
            ("Workspace", "workspace", self.inputs.workspace),
            ("Workload", "workload", self.inputs.workload),
            ("ClusterType", "cluster_type", self.inputs.cluster_type),
        ]
    }

    fn go(&self) -> &gotmpl::Value {
        self.go.get_or_init(|| go::data(self.texts(), self.shared, self.config))
    }

    fn jinja(&self) -> &minijinja::Value {
        self.jinja.get_or_init(|| jinja::data(self.texts(), self.shared, self.config))
    }
}

/// The name of an engine's field in Go, in Jinja, and its text.
type TextField<'a> = (&'static str, &'static str, &'a str);

impl Templates {
    /// Parses every template; what is wrong with one is told where it is used.
    pub(crate) fn new<'a>(templates: impl Iterator<Item = &'a Template>) -> Templates {
        let compile = |template: &Template| {
            let manifests =
                (0..template.manifests.len()).map(|index| Program::new(template, index)).collect();
            (template.meta.name.clone(), Compiled { template: template.clone(), manifests })
        };
        Templates { programs: templates.map(compile).collect() }
    }

    /// The text of the file that a template makes, joined from its manifests; or every problem on the way.
    pub(crate) fn render(
        &self,
        wanted: &TemplateRef,
        kind: TemplateType,
        data: &Data<'_>,
    ) -> Result<Vec<u8>, Vec<Diagnostic>> {
        let compiled = self.programs.get(&wanted.name).ok_or_else(|| vec![self.missing(wanted, kind)])?;
        let mut file = Vec::new();
        let mut problems = Vec::new();
        for (index, manifest) in compiled.manifests.iter().enumerate() {
            let rendered = match manifest {
                Ok(program) => program.render(&compiled.template, index, data),
                Err(problem) => Err(problem.clone()),
            };
            match rendered {
                Ok(text) if text.is_empty() => {}
                Ok(text) => join(&mut file, &text),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(file) } else { Err(problems) }
    }

    /// The place in the template `name` that made this line and column of `output`, if its text tells.
    pub(crate) fn origin(&self, name: &str, output: &str, line: u32, column: u32) -> Option<Location> {
        let template = &self.programs.get(name)?.template;
        // What is part of the program nobody can change.
        if template.is_built_in() { None } else { origin::origin(template, output, line, column) }
    }

    fn missing(&self, wanted: &TemplateRef, kind: TemplateType) -> Diagnostic {
        let of_kind =
            || self.programs.values().filter(|it| it.template.kind == kind).map(|it| &*it.template.meta.name);
        let help = did_you_mean(&wanted.name, of_kind()).unwrap_or_else(|| {
            format!("{} templates are {}", kind.word(), crate::diagnostic::some_of(of_kind()))
        });
        let text = match &*wanted.name {
            "" => "the name of the template is empty".to_owned(),
            name => format!("there is no template `{name}`"),
        };
        Diagnostic::error(text).help(help).at(wanted.location.clone())
    }
}

impl TemplateType {
    /// As it is written in YAML.
    pub fn word(self) -> &'static str {
        match self {
            TemplateType::Reconciler => "reconciler",
            TemplateType::Namespace => "namespace",
            TemplateType::Config => "config",
        }
    }
}

/// Manifests are joined by `---`, which begins a line.
fn join(file: &mut Vec<u8>, text: &[u8]) {
    if !file.is_empty() {
        if !file.ends_with(b"\n") {
            file.push(b'\n');
        }
        file.extend_from_slice(b"---\n");
    }
    file.extend_from_slice(text);
}

impl Program {
    fn new(template: &Template, index: usize) -> Result<Program, Diagnostic> {
        let place = Place { template, index };
        match (&template.manifests[index].node.kind, template.engine) {
            (NodeKind::Scalar { text, .. }, Engine::Go) => {
                go::Program::new(text, &place).map(Box::new).map(Program::Go)
            }
            (NodeKind::Scalar { text, .. }, Engine::Jinja) => {
                jinja::Program::new(text, &place).map(Box::new).map(Program::Jinja)
            }
            _ => object::Program::new(&place).map(Program::Object),
        }
    }

    fn render(&self, template: &Template, index: usize, data: &Data<'_>) -> Result<Vec<u8>, Diagnostic> {
        let place = Place { template, index };
        match self {
            Program::Go(program) => program.render(data.go(), &place),
            Program::Jinja(program) => program.render(data.jinja(), &place),
            Program::Object(program) => program.render(data, &place),
        }
    }
}

/// A manifest of a template, to say where something is wrong.
struct Place<'a> {
    template: &'a Template,
    index: usize,
}

impl Place<'_> {
    /// A problem at a line and column of the manifest's text.
    fn problem(&self, node: &goyaml::Node, line: u32, column: u32, message: &str) -> Diagnostic {
        let mark = node.locate(line, column);
        self.named(message).at(Location::new(&self.template.file, mark))
    }

    /// A problem that is no line's fault.
    fn whole(&self, node: &goyaml::Node, message: &str) -> Diagnostic {
        self.named(message).at(Location::new(&self.template.file, node.start))
    }

    fn node(&self) -> &goyaml::Node {
        &self.template.manifests[self.index].node
    }

    fn named(&self, message: &str) -> Diagnostic {
        Diagnostic::error(format!(
            "template `{}`, manifest {}: {message}",
            self.template.meta.name, self.index
        ))
    }
}
