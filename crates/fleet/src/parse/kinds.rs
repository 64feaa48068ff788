//! One function for each kind: which fields it has and what they must be.

use std::collections::BTreeMap;

use goyaml::{Node, NodeKind};

use super::fields::{Fields, Reader, Text};
use super::slips;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::json_text;
use crate::labels::{self, Labels, Operator, Requirement, Selector};
use crate::objects::*;
use crate::path::RepoPath;

/// The object of `kind` that `node` holds; what is wrong goes to the reader.
pub(super) fn object(reader: &mut Reader<'_>, kind: &str, node: &Node) -> Option<Object> {
    let mut fields = reader.fields(node, "")?;
    fields.ignore(&["apiVersion", "kind", "status"]);
    let meta = meta(reader, &mut fields);
    if kind == "ConfigMap" {
        let data = config_data(reader, &mut fields);
        fields.ignore(&["binaryData", "immutable"]);
        reader.finish(fields);
        return Some(Object::ConfigMap(ConfigMap { meta: meta?, data }));
    }
    let spec = reader.required(&mut fields, "spec");
    reader.finish(fields);
    let mut spec = reader.fields(spec?, "spec")?;
    let object = match kind {
        "Environment" => environment(reader, meta, &mut spec).map(Object::Environment),
        "BaseRepo" => base_repo(reader, meta, &mut spec).map(Object::BaseRepo),
        "GitOpsRepo" => repo_ref(reader, &mut spec)
            .and_then(|(at, _)| Some(Object::GitOpsRepo(GitOpsRepo { meta: meta?, at }))),
        "ClusterType" => cluster_type(reader, meta, &mut spec).map(Object::ClusterType),
        "Template" => template(reader, meta, &mut spec).map(Object::Template),
        "ConfigSchema" => config_schema(reader, meta, &mut spec).map(Object::ConfigSchema),
        "SchedulingPolicy" => scheduling_policy(reader, meta, &mut spec).map(Object::SchedulingPolicy),
        "WorkloadRegistration" => registration(reader, meta, &mut spec).map(Object::WorkloadRegistration),
        "Workload" => workload(reader, meta, &mut spec).map(Object::Workload),
        _ => None,
    };
    reader.finish(spec);
    object
}

fn meta(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<Meta> {
    let node = reader.required(fields, "metadata")?;
    let mut metadata = reader.fields(node, "metadata")?;
    metadata.ignore(&[
        "namespace",
        "annotations",
        "generateName",
        "creationTimestamp",
        "uid",
        "resourceVersion",
        "generation",
        "finalizers",
        "ownerReferences",
        "managedFields",
    ]);
    let (labels, label_places) = labels_of(reader, &mut metadata);
    let name = name(reader, &mut metadata, "name");
    reader.finish(metadata);
    let name = name?;
    Some(Meta { name: name.text.to_string(), labels, label_places, location: name.location })
}

fn name(reader: &mut Reader<'_>, fields: &mut Fields<'_>, field: &'static str) -> Option<Text> {
    let name = reader.required_text(fields, field)?;
    let problem = labels::name_error(&name.text);
    wrong(reader, &name, problem).then_some(name)
}

/// Reports `problem` where `text` stands; whether there was none.
fn wrong(reader: &mut Reader<'_>, text: &Text, problem: Option<String>) -> bool {
    let Some(problem) = problem else { return true };
    let mark = goyaml::Mark { line: text.location.line, column: text.location.column, offset: 0 };
    reader.problem(mark, Diagnostic::error(problem).help("choose another one"));
    false
}

/// Labels, and where each is written.
fn labels_of(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> (Labels, LabelPlaces) {
    let path = fields.path_of("labels");
    let (mut labels, mut places) = (Labels::new(), LabelPlaces::new());
    let Some(node) = fields.take("labels") else { return (labels, places) };
    slips::without_value(reader, node, &path);
    for (key, (mark, value)) in reader.strings(node, &path) {
        if let Some(problem) = labels::key_error(&key) {
            reader.problem(mark, Diagnostic::error(problem).help("rename the label"));
        }
        let problem = labels::value_error(&value.text);
        wrong(reader, &value, problem);
        let place = LabelPlace { key: reader.location(mark), value: value.location };
        places.insert(key.clone(), place);
        labels.insert(key, value.text.to_string());
    }
    (labels, places)
}

fn config_data(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> BTreeMap<String, ConfigText> {
    let Some(node) = fields.take("data") else { return BTreeMap::new() };
    slips::without_value(reader, node, "data");
    slips::broken_structures(reader, node);
    let mut data = BTreeMap::new();
    for (key, (mark, value)) in reader.strings(node, "data") {
        let is_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if key.len() > 253 || !key.bytes().all(is_key) || matches!(&*key, "" | "." | "..") {
            let problem = Diagnostic::error(format!("`{key}` cannot be a key of a ConfigMap"));
            reader.problem(mark, problem.help("use letters, digits, `-`, `_` and `.`"));
        }
        data.insert(key, ConfigText { text: value.text, location: reader.location(mark) });
    }
    data
}

fn repo_ref(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<(RepoRef, RepoPlaces)> {
    let repo = reader.required_text(fields, "repo");
    let branch = reader.required_text(fields, "branch");
    let path = reader.required_text(fields, "path");
    if let Some(repo) = &repo {
        slips::address(reader, repo);
    }
    let (repo, branch, path) = (repo?, branch?, path?);
    let places = RepoPlaces {
        repo: repo.location.clone(),
        branch: branch.location.clone(),
        path: path.location.clone(),
    };
    let path = match RepoPath::new(&path.text) {
        Ok(path) => path,
        Err(problem) => {
            wrong(reader, &path, Some(problem));
            RepoPath::default()
        }
    };
    Some((RepoRef { repo: repo.text.to_string(), branch: branch.text.to_string(), path }, places))
}

fn nested_repo_ref(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'_>,
    field: &'static str,
) -> Option<(RepoRef, RepoPlaces)> {
    let path = fields.path_of(field);
    let node = reader.required(fields, field)?;
    let mut inner = reader.fields(node, &path)?;
    let at = repo_ref(reader, &mut inner);
    reader.finish(inner);
    at
}

fn environment(reader: &mut Reader<'_>, meta: Option<Meta>, spec: &mut Fields<'_>) -> Option<Environment> {
    let control_plane = nested_repo_ref(reader, spec, "controlPlane");
    let next = reader.optional_text(spec, "next").map(|next| next.text.to_string());
    Some(Environment { meta: meta?, control_plane: control_plane?.0, next })
}

fn base_repo(reader: &mut Reader<'_>, meta: Option<Meta>, spec: &mut Fields<'_>) -> Option<BaseRepo> {
    let at = repo_ref(reader, spec);
    let commit = reader.optional_text(spec, "commit").filter(|commit| !commit.text.is_empty());
    if let Some(commit) = commit.as_ref().filter(|commit| !is_full_commit_id(&commit.text)) {
        let text = format!("`{}` is no full commit id", commit.text);
        let mark = goyaml::Mark { line: commit.location.line, column: commit.location.column, offset: 0 };
        reader.problem(mark, Diagnostic::warning(text).help("write all of its 40 hexadecimal digits"));
    }
    let (at, places) = at?;
    Some(BaseRepo { meta: meta?, at, places, commit: commit.map(|commit| commit.text.to_string()) })
}

/// Whether a text names a commit in a way that no other commit can get.
pub(crate) fn is_full_commit_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit()) && matches!(text.len(), 40 | 64)
}

fn cluster_type(reader: &mut Reader<'_>, meta: Option<Meta>, spec: &mut Fields<'_>) -> Option<ClusterType> {
    let template = |text: Text| TemplateRef { name: text.text.to_string(), location: text.location };
    let reconciler = reader.required_text(spec, "reconciler").map(template);
    let namespace_service = reader.required_text(spec, "namespaceService").map(template);
    let config_type = reader.optional_text(spec, "configType").map(template);
    let meta = meta?;
    let absent = || TemplateRef { name: "configmap".into(), location: meta.location.clone() };
    Some(ClusterType {
        reconciler: reconciler?,
        namespace_service: namespace_service?,
        config_type: config_type.unwrap_or_else(absent),
        meta,
    })
}

/// One of a few words; anything else is a problem that names them.
fn word<T: Copy>(reader: &mut Reader<'_>, text: &Text, path: &str, words: &[(&'static str, T)]) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == &*text.text);
    if found.is_none() {
        let names = || words.iter().map(|(word, _)| *word);
        let mark = goyaml::Mark { line: text.location.line, column: text.location.column, offset: 0 };
        let help = did_you_mean(&text.text, names())
            .unwrap_or_else(|| format!("use one of {}", names().collect::<Vec<_>>().join(", ")));
        reader.problem(mark, Diagnostic::error(format!("unknown `{path}`: `{}`", text.text)).help(help));
    }
    found.map(|(_, value)| *value)
}

/// What is used in templates of config; anything but `sh` gives YAML.
fn meant_content_type(text: &str) -> Option<&'static str> {
    match text {
        "bash" | "hs" | "script" | "shell" | "zsh" => Some("sh"),
        "ymal" | "yalm" | "yml" => Some("yaml"),
        _ => None,
    }
}

fn template(reader: &mut Reader<'_>, meta: Option<Meta>, spec: &mut Fields<'_>) -> Option<Template> {
    let kinds = [
        ("reconciler", TemplateType::Reconciler),
        ("namespace", TemplateType::Namespace),
        ("config", TemplateType::Config),
    ];
    let engines = [("go", Engine::Go), ("jinja", Engine::Jinja)];
    let kind = reader.required_text(spec, "type").and_then(|text| word(reader, &text, "spec.type", &kinds));
    let content_type = reader.optional_text(spec, "contentType");
    if let Some((text, meant)) =
        content_type.as_ref().and_then(|text| Some((text, meant_content_type(&text.text)?)))
    {
        let problem =
            Diagnostic::warning(format!("`spec.contentType` `{}` means the same as none", text.text));
        let help = format!("did you mean `{meant}`?");
        let mark = goyaml::Mark { line: text.location.line, column: text.location.column, offset: 0 };
        reader.problem(mark, problem.help(help));
    }
    let content_type = content_type.map(|text| text.text.to_string());
    let engine = match reader.optional_text(spec, "engine") {
        Some(text) => word(reader, &text, "spec.engine", &engines),
        None => Some(Engine::Go),
    };
    let node = reader.required(spec, "manifests");
    let items = node.map_or(&[][..], |node| reader.list(node, "spec.manifests"));
    let mut manifests = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("spec.manifests[{index}]");
        let usable = match item.kind {
            NodeKind::Mapping(_) => slips::is_object(reader, item),
            _ => reader.text(item, &path).is_some(),
        };
        if engine == Some(Engine::Go) {
            slips::foreign_statement(reader, item);
        }
        if usable {
            manifests.push(Manifest { node: item.clone() });
        }
    }
    Some(Template {
        meta: meta?,
        kind: kind?,
        content_type,
        engine: engine?,
        manifests,
        file: reader.file.clone(),
    })
}

fn config_schema(reader: &mut Reader<'_>, meta: Option<Meta>, spec: &mut Fields<'_>) -> Option<ConfigSchema> {
    let node = reader.required(spec, "schema");
    let meta = meta?;
    let schema = schema(reader, node?, "spec.schema", format!("ConfigSchema {}", meta.name))?;
    Some(ConfigSchema { meta, schema })
}

fn schema(reader: &mut Reader<'_>, node: &Node, path: &str, source: String) -> Option<SchemaText> {
    let text = reader.text(node, path)?;
    let (begin, second) = (node.locate(1, 1), node.locate(2, 1));
    let is_block = second.line > begin.line;
    let begin = (is_block || !text.text.contains('\n')).then(|| reader.location(begin));
    let schema = SchemaText { text: text.text, source, location: text.location, begin };
    for misspelt in json_text::misspelt_keywords(&schema.text) {
        let problem =
            Diagnostic::warning(format!("the schema has `{}`, which no rule is called", misspelt.name));
        let place = schema.place(misspelt.place.line, misspelt.place.column);
        reader.push(problem.help(format!("did you mean `{}`?", misspelt.meant)).at(place));
    }
    Some(schema)
}

fn scheduling_policy(
    reader: &mut Reader<'_>,
    meta: Option<Meta>,
    spec: &mut Fields<'_>,
) -> Option<SchedulingPolicy> {
    let targets = selection(reader, spec, "deploymentTargetSelector", HasWorkspace::Yes);
    let cluster_types = selection(reader, spec, "clusterTypeSelector", HasWorkspace::No);
    let ((workspace, targets), (_, cluster_types)) = (targets?, cluster_types?);
    let meta = meta?;
    let workspace_place = workspace.as_ref().map_or(&meta.location, |text| &text.location).clone();
    let workspace = workspace.map(|text| text.text.to_string());
    Some(SchedulingPolicy { meta, workspace, workspace_place, targets, cluster_types })
}

#[derive(PartialEq)]
enum HasWorkspace {
    Yes,
    No,
}

fn selection(
    reader: &mut Reader<'_>,
    spec: &mut Fields<'_>,
    field: &'static str,
    has_workspace: HasWorkspace,
) -> Option<(Option<Text>, Selector)> {
    let path = spec.path_of(field);
    let node = reader.required(spec, field)?;
    let mut fields = reader.fields(node, &path)?;
    let workspace = match has_workspace {
        HasWorkspace::Yes => reader.optional_text(&mut fields, "workspace"),
        HasWorkspace::No => None,
    };
    let selector = match fields.take("labelSelector") {
        Some(node) => selector(reader, node, &format!("{path}.labelSelector")),
        None => Selector::default(),
    };
    for misplaced in ["matchLabels", "matchExpressions"] {
        if let Some(mark) = fields.take(misplaced).and_then(|_| fields.place(misplaced)) {
            let problem = Diagnostic::error(format!(
                "`{misplaced}` stands directly under `{path}`, where it selects nothing"
            ));
            reader.problem(mark, problem.help(format!("put it under `{path}.labelSelector`")));
        }
    }
    reader.finish(fields);
    Some((workspace.filter(|workspace| !workspace.text.is_empty()), selector))
}

fn selector(reader: &mut Reader<'_>, node: &Node, path: &str) -> Selector {
    let mut selector = Selector::default();
    let Some(mut fields) = reader.fields(node, path) else { return selector };
    if let Some(node) = fields.take("matchLabels") {
        let path = format!("{path}.matchLabels");
        null_values(reader, node, &path);
        for (key, (mark, value)) in reader.strings(node, &path) {
            let problem = labels::key_error(&key).or_else(|| labels::value_error(&value.text));
            if let Some(problem) = problem {
                reader.problem(mark, Diagnostic::error(problem).help("no object can have this label"));
            }
            let operator = Operator::In(vec![value.text.to_string()]);
            selector.requirements.push(Requirement { key, operator, location: reader.location(mark) });
        }
    }
    if let Some(node) = fields.take("matchExpressions") {
        let path = format!("{path}.matchExpressions");
        for (index, item) in reader.list(node, &path).iter().enumerate() {
            selector.requirements.extend(expression(reader, item, &format!("{path}[{index}]")));
        }
    }
    for (name, mark) in fields.unknown_fields() {
        let known = did_you_mean(name, ["matchLabels", "matchExpressions"]);
        let help = known.unwrap_or_else(|| format!("put it under `{path}.matchLabels`"));
        let problem = format!("`{name}` stands directly under `{path}`, where it selects nothing");
        reader.problem(mark, Diagnostic::error(problem).help(help));
    }
    selector
}

/// A label without a value would silently select more than was meant.
fn null_values(reader: &mut Reader<'_>, node: &Node, path: &str) {
    for (name, mark) in slips::absent_values(node) {
        let problem = Diagnostic::error(format!("`{path}.{name}` has no value"));
        reader.problem(mark, problem.help("give it one, or use `matchExpressions` with `Exists`"));
    }
}

#[derive(Clone, Copy, PartialEq)]
enum OperatorName {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

fn expression(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Requirement> {
    let names = [
        ("In", OperatorName::In),
        ("NotIn", OperatorName::NotIn),
        ("Exists", OperatorName::Exists),
        ("DoesNotExist", OperatorName::DoesNotExist),
    ];
    let mut fields = reader.fields(node, path)?;
    let start = fields.start();
    let key = reader.required_text(&mut fields, "key");
    if let Some(key) = &key {
        let problem = labels::key_error(&key.text);
        wrong(reader, key, problem);
    }
    let operator_path = fields.path_of("operator");
    let operator = reader.required_text(&mut fields, "operator");
    let operator = operator.and_then(|text| word(reader, &text, &operator_path, &names));
    let values_path = fields.path_of("values");
    let mut values = Vec::new();
    let mut has_values = false;
    if let Some(node) = fields.take("values") {
        has_values = !matches!(&node.kind, NodeKind::Sequence(items) if items.is_empty());
        for (index, item) in reader.list(node, &values_path).iter().enumerate() {
            if let Some(value) = reader.text(item, &format!("{values_path}[{index}]")) {
                let problem = labels::value_error(&value.text);
                wrong(reader, &value, problem);
                values.push(value.text.to_string());
            }
        }
    }
    reader.finish(fields);
    let operator = operator?;
    let needs_values = matches!(operator, OperatorName::In | OperatorName::NotIn);
    if needs_values != has_values {
        let (what, help) = match needs_values {
            true => ("needs values", "add `values: […]`, or use `Exists`"),
            false => ("takes no values", "remove `values`, or use `In`"),
        };
        let name = names.iter().find(|(_, name)| *name == operator).map_or("", |(name, _)| name);
        reader.problem(start, Diagnostic::error(format!("`{path}`: the operator {name} {what}")).help(help));
    }
    let operator = match operator {
        OperatorName::In => Operator::In(values),
        OperatorName::NotIn => Operator::NotIn(values),
        OperatorName::Exists => Operator::Exists,
        OperatorName::DoesNotExist => Operator::DoesNotExist,
    };
    let key = key?;
    Some(Requirement { key: key.text.to_string(), operator, location: key.location })
}

fn registration(
    reader: &mut Reader<'_>,
    meta: Option<Meta>,
    spec: &mut Fields<'_>,
) -> Option<WorkloadRegistration> {
    let workload = nested_repo_ref(reader, spec, "workload");
    let workspace = reader.required_text(spec, "workspace");
    if let Some(workspace) = &workspace {
        let problem = labels::value_error(&workspace.text);
        wrong(reader, workspace, problem);
    }
    let (workload, places) = workload?;
    let Text { text, location } = workspace?;
    Some(WorkloadRegistration {
        meta: meta?,
        workload,
        places,
        workspace: text.to_string(),
        workspace_place: location,
    })
}

fn workload(reader: &mut Reader<'_>, meta: Option<Meta>, spec: &mut Fields<'_>) -> Option<Workload> {
    let owner = meta.as_ref().map_or_else(String::new, |meta| meta.name.clone());
    let schemas = schemas(reader, spec, &format!("workload {owner}"));
    let items =
        spec.take("deploymentTargets").map_or(&[][..], |node| reader.list(node, "spec.deploymentTargets"));
    let mut targets: Vec<WorkloadTarget> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(target) = target(reader, item, &owner, index) else { continue };
        if let Some(first) = targets.iter().find(|other| other.name == target.name) {
            let problem = Diagnostic::error(format!(
                "the deployment target `{}` stands here a second time",
                target.name
            ))
            .help(format!("rename it; the first one is at {}", first.location))
            .related(&first.location);
            let place =
                goyaml::Mark { line: target.location.line, column: target.location.column, offset: 0 };
            reader.problem(place, problem);
        }
        targets.push(target);
    }
    Some(Workload { meta: meta?, targets, schemas })
}

fn target(reader: &mut Reader<'_>, node: &Node, workload: &str, index: usize) -> Option<WorkloadTarget> {
    let path = format!("spec.deploymentTargets[{index}]");
    let mut fields = reader.fields(node, &path)?;
    let name = name(reader, &mut fields, "name");
    let (labels, label_places) = labels_of(reader, &mut fields);
    let environment = reader.required_text(&mut fields, "environment");
    let manifests_path = fields.path_of("manifests");
    let manifests =
        reader.required(&mut fields, "manifests").map(|node| reader.strings(node, &manifests_path));
    slips::misspelt_manifests(reader, manifests.iter().flatten());
    let target = name.as_ref().map_or("", |name| &name.text);
    let schemas = schemas(reader, &mut fields, &format!("deployment target {target} of workload {workload}"));
    reader.finish(fields);
    let (name, environment) = (name?, environment?);
    let full_name = format!("{workload}-{}", name.text);
    if full_name.len() > 253 {
        wrong(reader, &name, Some(format!("`{full_name}` is too long for a name: at most 253 characters")));
    }
    Some(WorkloadTarget {
        name: name.text.to_string(),
        location: name.location,
        labels,
        label_places,
        environment: environment.text.to_string(),
        environment_place: environment.location,
        manifests: manifests?.into_iter().map(|(key, (_, value))| (key, value.text.to_string())).collect(),
        schemas,
    })
}

fn schemas(reader: &mut Reader<'_>, fields: &mut Fields<'_>, source: &str) -> Vec<SchemaText> {
    let path = fields.path_of("configSchemas");
    let Some(node) = fields.take("configSchemas") else { return Vec::new() };
    let items = reader.list(node, &path);
    let read = |(index, item)| schema(reader, item, &format!("{path}[{index}]"), source.to_owned());
    items.iter().enumerate().filter_map(read).collect()
}
