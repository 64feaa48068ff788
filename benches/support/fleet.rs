//! The objects of a made-up fleet: regions of cluster types, applications in tiers, and a policy for each tier.

use super::random::Random;
use super::templates::TEMPLATES;
use super::{ENVIRONMENT, Files};

/// How many objects there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Cluster types
    pub(crate) cluster_types: usize,
    /// Workloads, each with one deployment target of this environment
    pub(crate) workloads: usize,
    /// Scheduling policies
    pub(crate) policies: usize,
    /// ConfigMaps
    pub(crate) config_maps: usize,
    /// ConfigSchemas
    pub(crate) schemas: usize,
    /// Cluster types that a deployment target is scheduled on
    pub(crate) spread: usize,
}

const CLUSTER_SIZES: [&str; 3] = ["small", "medium", "large"];
const SCALARS: [&str; 9] =
    ["DATABASE_URL", "LOG_LEVEL", "MODE", "OWNER", "REGION", "REPLICAS", "RETRIES", "TIMEOUT", "WELCOME"];
const STRUCTURES: [&str; 5] = ["ENDPOINTS", "FEATURES", "LIMITS", "QUEUES", "TAGS"];
/// ConfigMaps that apply everywhere.
const GLOBAL: usize = 3;
/// A file holds at most this many objects.
const OBJECTS_PER_FILE: usize = 1_000;

impl Size {
    /// Deployment targets times the cluster types of each.
    pub(crate) fn assignments(&self) -> usize {
        self.workloads * self.spread
    }

    /// The files of the fleet's control plane.
    pub(crate) fn files(&self) -> Files {
        let mut files = Files::new();
        let mut add = |kind: &str, objects: Vec<String>| {
            for (chunk, number) in objects.chunks(OBJECTS_PER_FILE).zip(0..) {
                files.insert(format!("{kind}-{number:02}.yaml"), chunk.join("---\n"));
            }
        };
        let mut random = Random::new(7);
        add("cluster-types", (0..self.cluster_types).map(|index| self.cluster_type(index)).collect());
        add("policies", (0..self.policies).map(|index| self.policy(index)).collect());
        add("workloads", (0..self.workloads).map(|index| self.workload(index)).collect());
        add("registrations", (0..self.workloads).map(registration).collect());
        add("config-maps", (0..self.config_maps).map(|index| self.config_map(index, &mut random)).collect());
        add("schemas", (0..self.schemas).map(schema).collect());
        add("templates", TEMPLATES.map(|(name, spec)| ours("Template", name, &[]) + spec).to_vec());
        let repo = "spec: {repo: https://git.example/gitops, branch: dev, path: .}\n";
        add("gitops-repos", vec![ours("GitOpsRepo", ENVIRONMENT, &[]) + repo]);
        files
    }

    fn regions(&self) -> usize {
        (self.cluster_types / self.spread).max(1)
    }

    fn cluster_type(&self, index: usize) -> String {
        let labels = [
            ("region", format!("r{:03}", index % self.regions())),
            ("size", CLUSTER_SIZES[index % 3].to_owned()),
            ("restricted", format!("\"{}\"", index.is_multiple_of(5))),
            ("edge", format!("\"{}\"", index.is_multiple_of(7))),
        ];
        let reconciler = ["flux", "argo"][index / 3 % 2];
        let config = ["values", "values", "exports", "digest"][index % 4];
        ours("ClusterType", &format!("ct-{index:04}"), &labels)
            + &format!(
                "spec:\n  reconciler: {reconciler}\n  namespaceService: plain\n  configType: {config}\n"
            )
    }

    /// A tier goes to a region, which can be said in four ways.
    fn policy(&self, index: usize) -> String {
        let region = format!("r{:03}", index % self.regions());
        let selector = match index % 4 {
            0 => format!("matchLabels: {{region: {region}}}"),
            1 => format!("matchExpressions: [{{key: region, operator: In, values: [{region}, nowhere]}}]"),
            2 => format!(
                "matchLabels: {{region: {region}}}, \
                 matchExpressions: [{{key: size, operator: NotIn, values: [tiny]}}]"
            ),
            _ => format!(
                "matchExpressions: [{{key: region, operator: In, values: [{region}]}}, \
                 {{key: edge, operator: Exists}}, {{key: retired, operator: DoesNotExist}}]"
            ),
        };
        ours("SchedulingPolicy", &format!("policy-{index:04}"), &[])
            + &format!(
                "spec:\n  deploymentTargetSelector:\n    labelSelector: {{matchLabels: {{tier: t{index:04}}}}}\n  \
                 clusterTypeSelector:\n    labelSelector: {{{selector}}}\n"
            )
    }

    fn workload(&self, index: usize) -> String {
        let labels = [
            ("type", ["service", "application", "application", "job"][index % 4].to_owned()),
            ("family", format!("f{}", index % 10)),
            ("tier", format!("t{:04}", index % self.policies)),
        ];
        let target = |name: &str, environment: &str| {
            format!(
                "  - name: {name}\n    labels: {{purpose: {name}, canary: \"{}\"}}\n    environment: {environment}\n    \
                 manifests:\n      repo: https://git.example/app-{index:05}-manifests\n      \
                 branch: {environment}\n      path: ./{name}\n",
                index.is_multiple_of(2)
            )
        };
        ours("Workload", &format!("app-{index:05}"), &labels)
            + "spec:\n  deploymentTargets:\n"
            + &target("main", ENVIRONMENT)
            + &target("trial", "stage")
    }

    fn config_map(&self, index: usize, random: &mut Random) -> String {
        let group = index / 8;
        let region = format!("r{:03}", group % self.regions());
        let size = CLUSTER_SIZES[group % 3].to_owned();
        let app = format!("app-{:05}", group % self.workloads);
        let applies_to = match index % 8 {
            _ if index < GLOBAL => vec![],
            0 => vec![("region", region), ("edge", "\"true\"".to_owned())],
            1 => vec![("region", region)],
            2 => vec![("cluster-type", format!("ct-{:04}", group % self.cluster_types))],
            3 => vec![("workload", app)],
            4 => vec![("deployment-target", format!("{app}-main"))],
            5 => vec![("size", size), ("family", format!("f{}", group % 10))],
            6 => vec![("size", size), ("restricted", "\"true\"".to_owned())],
            _ => vec![("type", "service".to_owned()), ("purpose", "main".to_owned())],
        };
        let labels: Vec<_> =
            [("platform-config", "\"true\"".to_owned())].into_iter().chain(applies_to).collect();
        // The order of names decides who wins, and must not be the order of kinds.
        let name = format!("config-{:03}-{index:04}", random.below(1_000));
        let mut text = object("v1", "ConfigMap", &name, &labels) + "data:\n";
        for key in random.some_of(4, &SCALARS) {
            text += &format!("  {key}: \"{}\"\n", scalar(random));
        }
        for key in random.some_of(2, &STRUCTURES) {
            text += &format!("  {key}: |\n{}", structure(random));
        }
        text
    }
}

fn registration(index: usize) -> String {
    ours("WorkloadRegistration", &format!("app-{index:05}"), &[])
        + &format!(
            "spec:\n  workload: {{repo: https://git.example/app-{index:05}, branch: main, path: .}}\n  \
             workspace: team-{}\n",
            index % 7
        )
}

fn schema(index: usize) -> String {
    let labels = [("size", CLUSTER_SIZES[index % 3].to_owned())];
    let labels = if index == 0 { &[] } else { &labels[..] };
    ours("ConfigSchema", &format!("schema-{index}"), labels)
        + "spec:\n  schema: |\n    {\"type\": \"object\", \"properties\": {\n      \
           \"REPLICAS\": {\"type\": [\"number\", \"string\"]},\n      \
           \"OWNER\": {\"type\": [\"number\", \"string\", \"boolean\"]},\n      \
           \"REGION\": {\"minLength\": 0}}}\n"
}

fn scalar(random: &mut Random) -> String {
    match random.below(8) {
        0 => format!("mysql://db-{}.internal:3306/main", random.below(99)),
        1 | 2 => random.below(10_000).to_string(),
        3 => random.one_of(&["true", "false"]).to_owned(),
        4 => format!("'quoted {}'", random.below(9)),
        5 => "2.75".to_owned(),
        6 => format!("first line {}\\nsecond line\\n", random.below(9)),
        _ => format!("søme wörds {}", random.below(99)),
    }
}

/// A map, a list of named maps, or a list of texts.
fn structure(random: &mut Random) -> String {
    match random.below(3) {
        0 => {
            let keys = random.some_of(3, &["cpu", "disk", "gpu", "memory", "network"]);
            let entries = keys.iter().map(|key| format!("    {key}: {}\n", random.below(100)));
            let entries: String = entries.collect();
            entries + &format!("    inner:\n      first: {}\n      second: some text\n", random.below(9))
        }
        1 => {
            let names = random.some_of(2, &["alpha", "beta", "gamma", "delta"]);
            let item = |name: &&str| {
                format!(
                    "    - name: {name}\n      size: {}\n      options: {{retry: {}}}\n",
                    random.below(1_000),
                    random.one_of(&["true", "false"])
                )
            };
            names.iter().map(item).collect()
        }
        _ => (0..3).map(|_| format!("    - item-{}\n", random.below(20))).collect(),
    }
}

/// The beginning of an object of Kalypso's own kinds.
fn ours(kind: &str, name: &str, labels: &[(&str, String)]) -> String {
    object("scheduler.kalypso.io/v1alpha1", kind, name, labels)
}

fn object(version: &str, kind: &str, name: &str, labels: &[(&str, String)]) -> String {
    let mut text = format!("apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n");
    if !labels.is_empty() {
        text += "  labels:\n";
        text.extend(labels.iter().map(|(key, value)| format!("    {key}: {value}\n")));
    }
    text
}
