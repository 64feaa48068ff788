//! The objects of a control plane, after they were read: typed, complete, each with its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use goyaml::Node;

use crate::diagnostic::{FileName, Location};
use crate::labels::{Labels, Selector};
use crate::path::RepoPath;

/// The API group of all our kinds.
pub const GROUP: &str = "scheduler.kalypso.io";
/// The one version of it.
pub const VERSION: &str = "v1alpha1";

/// The label that makes a ConfigMap platform configuration.
pub(crate) const PLATFORM_CONFIG: &str = "platform-config";
/// What the names of ConfigMaps made from Azure App Configuration begin with.
pub(crate) const AZURE_APP_CONFIG: &str = "azure-app-config";

/// Where the labels of an object are written, by key.
pub type LabelPlaces = BTreeMap<String, LabelPlace>;

/// Where a label is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelPlace {
    /// Its key
    pub key: Location,
    /// Its value
    pub value: Location,
}

/// What every object has.
#[derive(Clone, Debug)]
pub struct Meta {
    /// `metadata.name`
    pub name: String,
    /// `metadata.labels`
    pub labels: Labels,
    /// Where each label is written
    pub label_places: LabelPlaces,
    /// Where the name is written
    pub location: Location,
}

/// A branch of a repository, and a folder in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RepoRef {
    /// URL of the repository
    pub repo: String,
    /// Branch
    pub branch: String,
    /// Folder
    pub path: RepoPath,
}

impl RepoRef {
    /// The URL without a user's name and password, as it may be shown.
    pub fn shown_repo(&self) -> String {
        let (scheme, rest) = match self.repo.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest),
            None => (String::new(), &*self.repo),
        };
        let end = rest.find('/').unwrap_or(rest.len());
        let user = rest[..end].rfind('@').map_or(0, |at| at + 1);
        scheme + &rest[user..]
    }
}

/// Where the parts of a pointer to a repository are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoPlaces {
    /// `repo`
    pub repo: Location,
    /// `branch`
    pub branch: Location,
    /// `path`
    pub path: Location,
}

/// An environment, declared in the base.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Name, labels, place
    pub meta: Meta,
    /// Where its control plane is
    pub control_plane: RepoRef,
    /// The environment that follows it
    pub next: Option<String>,
}

/// A pointer to a base: objects that several environments share.
#[derive(Clone, Debug)]
pub struct BaseRepo {
    /// Name, labels, place
    pub meta: Meta,
    /// Where it is
    pub at: RepoRef,
    /// Where that is written
    pub places: RepoPlaces,
    /// The promoted commit; without one, the branch's head counts
    pub commit: Option<String>,
}

/// A branch that clusters follow.
#[derive(Clone, Debug)]
pub struct GitOpsRepo {
    /// Name, labels, place
    pub meta: Meta,
    /// Where it is
    pub at: RepoRef,
}

/// A kind of cluster that workloads can be scheduled on.
#[derive(Clone, Debug)]
pub struct ClusterType {
    /// Name, labels, place
    pub meta: Meta,
    /// Name of the template for the reconciler
    pub reconciler: TemplateRef,
    /// Name of the template for the namespace
    pub namespace_service: TemplateRef,
    /// Name of the template for the platform config
    pub config_type: TemplateRef,
}

impl ClusterType {
    /// Its templates, in the order of [`TemplateType`].
    pub fn templates(&self) -> [&TemplateRef; 3] {
        [&self.reconciler, &self.namespace_service, &self.config_type]
    }
}

/// A template's name where a cluster type asks for it.
#[derive(Clone, Debug)]
pub struct TemplateRef {
    /// The name
    pub name: String,
    /// Where it is asked for
    pub location: Location,
}

/// What a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TemplateType {
    /// `reconciler.yaml`
    Reconciler,
    /// `namespace.yaml`
    Namespace,
    /// `platform-config.yaml` or `.sh`
    Config,
}

/// The language of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Go's text/template with sprig
    Go,
    /// Jinja
    Jinja,
}

/// Manifests to be rendered for every assignment.
#[derive(Clone, Debug)]
pub struct Template {
    /// Name, labels, place
    pub meta: Meta,
    /// What it is for
    pub kind: TemplateType,
    /// `spec.contentType`
    pub content_type: Option<String>,
    /// Its language
    pub engine: Engine,
    /// Each as text, or as a YAML object to be rendered value by value
    pub manifests: Vec<Manifest>,
    /// The file that it stands in
    pub file: FileName,
}

/// Templates are equal if they render equally; their names and places make no difference.
impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        (self.engine, &self.content_type, &self.manifests)
            == (other.engine, &other.content_type, &other.manifests)
    }
}

/// One manifest of a template.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// As it is written: a scalar is template text, a mapping is rendered value by value
    pub node: Node,
}

/// Platform configuration for whatever its labels match.
#[derive(Clone, Debug)]
pub struct ConfigMap {
    /// Name, labels, place
    pub meta: Meta,
    /// Values with their places
    pub data: BTreeMap<String, ConfigText>,
}

/// A value of a ConfigMap, before it is read as YAML.
#[derive(Clone, Debug)]
pub struct ConfigText {
    /// The text
    pub text: Arc<str>,
    /// Where its key is written
    pub location: Location,
}

/// A JSON Schema for the config of whatever its labels match.
#[derive(Clone, Debug)]
pub struct ConfigSchema {
    /// Name, labels, place
    pub meta: Meta,
    /// The schema
    pub schema: SchemaText,
}

/// The text of a JSON Schema and where it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaText {
    /// JSON
    pub text: Arc<str>,
    /// What people call it: `ConfigSchema base`, `workload app`
    pub source: String,
    /// Where it is written
    pub location: Location,
    /// Where its first character is written, if the others stand below and behind it
    pub(crate) begin: Option<Location>,
}

impl SchemaText {
    /// The place of a line and column of the text, as exact as the way of writing it allows.
    pub(crate) fn place(&self, line: u32, column: u32) -> Location {
        match &self.begin {
            Some(Location { file, line: first, column: left }) => Location {
                file: file.clone(),
                line: first.saturating_add(line.saturating_sub(1)),
                column: left.saturating_add(column.saturating_sub(1)),
            },
            None => self.location.clone(),
        }
    }
}

/// Which deployment targets go to which cluster types.
#[derive(Clone, Debug)]
pub struct SchedulingPolicy {
    /// Name, labels, place
    pub meta: Meta,
    /// The workspace that targets must be of
    pub workspace: Option<String>,
    /// Where that is written; the policy's name if it is not
    pub workspace_place: Location,
    /// What it asks of deployment targets
    pub targets: Selector,
    /// What it asks of cluster types
    pub cluster_types: Selector,
}

/// Where an application keeps its Workload.
#[derive(Clone, Debug)]
pub struct WorkloadRegistration {
    /// Name, labels, place
    pub meta: Meta,
    /// The application's repository
    pub workload: RepoRef,
    /// Where that is written
    pub places: RepoPlaces,
    /// The team's workspace
    pub workspace: String,
    /// Where that is written
    pub workspace_place: Location,
}

/// What an application wants deployed.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Name, labels, place
    pub meta: Meta,
    /// Its deployment targets, of all environments
    pub targets: Vec<WorkloadTarget>,
    /// Schemas for the config of all its targets
    pub schemas: Vec<SchemaText>,
}

/// A deployment target as a Workload declares it.
#[derive(Clone, Debug)]
pub struct WorkloadTarget {
    /// Its name inside the Workload
    pub name: String,
    /// Where that is written
    pub location: Location,
    /// Its labels
    pub labels: Labels,
    /// Where each label is written
    pub label_places: LabelPlaces,
    /// The environment that it is for
    pub environment: String,
    /// Where that is written
    pub environment_place: Location,
    /// Where its manifests are: `repo`, `branch`, `path` by convention
    pub manifests: BTreeMap<String, String>,
    /// Schemas for its config
    pub schemas: Vec<SchemaText>,
}

/// One object of any of our kinds.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each variant is the kind of its name")]
pub enum Object {
    Environment(Environment),
    BaseRepo(BaseRepo),
    GitOpsRepo(GitOpsRepo),
    ClusterType(ClusterType),
    Template(Template),
    ConfigMap(ConfigMap),
    ConfigSchema(ConfigSchema),
    SchedulingPolicy(SchedulingPolicy),
    WorkloadRegistration(WorkloadRegistration),
    Workload(Workload),
}

impl Object {
    /// The kind, as it is written in YAML.
    pub fn kind(&self) -> &'static str {
        match self {
            Object::Environment(_) => "Environment",
            Object::BaseRepo(_) => "BaseRepo",
            Object::GitOpsRepo(_) => "GitOpsRepo",
            Object::ClusterType(_) => "ClusterType",
            Object::Template(_) => "Template",
            Object::ConfigMap(_) => "ConfigMap",
            Object::ConfigSchema(_) => "ConfigSchema",
            Object::SchedulingPolicy(_) => "SchedulingPolicy",
            Object::WorkloadRegistration(_) => "WorkloadRegistration",
            Object::Workload(_) => "Workload",
        }
    }

    /// What every object has.
    pub fn meta(&self) -> &Meta {
        match self {
            Object::Environment(Environment { meta, .. })
            | Object::BaseRepo(BaseRepo { meta, .. })
            | Object::GitOpsRepo(GitOpsRepo { meta, .. })
            | Object::ClusterType(ClusterType { meta, .. })
            | Object::Template(Template { meta, .. })
            | Object::ConfigMap(ConfigMap { meta, .. })
            | Object::ConfigSchema(ConfigSchema { meta, .. })
            | Object::SchedulingPolicy(SchedulingPolicy { meta, .. })
            | Object::WorkloadRegistration(WorkloadRegistration { meta, .. })
            | Object::Workload(Workload { meta, .. }) => meta,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_shown_without_users() {
        for (repo, want) in [
            ("https://github.com/o/r", "https://github.com/o/r"),
            ("https://secret@github.com/o/r", "https://github.com/o/r"),
            ("https://me:secret@github.com/o/r@v1", "https://github.com/o/r@v1"),
            ("https://me:sec@ret@github.com", "https://github.com"),
            ("git@github.com:o/r.git", "github.com:o/r.git"),
            ("", ""),
        ] {
            let at = RepoRef { repo: repo.to_owned(), branch: String::new(), path: RepoPath::default() };
            assert_eq!(at.shown_repo(), want, "{repo}");
        }
    }
}
