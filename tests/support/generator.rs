//! Small random control planes, the same for the same seed.

use super::support::Files;

/// A fast generator of random numbers (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    /// Whether something happens that does so in `percent` of all cases.
    pub(crate) fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn one_of<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

const REGIONS: [&str; 3] = ["east", "west", "north"];
const SIZES: [&str; 2] = ["small", "large"];
const PURPOSES: [&str; 3] = ["test", "load", "live"];
const TEMPLATES: &str = include_str!("templates.yaml");

/// A cluster type, whose fields the properties change.
#[derive(Clone)]
pub(crate) struct ClusterType {
    pub(crate) name: String,
    pub(crate) region: &'static str,
    size: &'static str,
    pub(crate) reconciler: &'static str,
    config: &'static str,
}

/// A Workload, of an application (`app-0`) or of the control plane itself.
struct Workload {
    name: String,
    app: Option<String>,
    document: String,
}

/// A control plane with its base and its applications.
pub(crate) struct Fleet {
    pub(crate) cluster_types: Vec<ClusterType>,
    workloads: Vec<Workload>,
    plane: Vec<String>,
    base: Vec<String>,
}

fn object(kind: &str, name: &str, rest: &str) -> String {
    format!("apiVersion: scheduler.kalypso.io/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\n{rest}")
}

/// The URL of the repository that is read from the folder of this name.
pub(crate) fn url(folder: &str) -> String {
    format!("https://github.com/contoso/{folder}")
}

impl ClusterType {
    fn new(random: &mut Random, index: usize) -> ClusterType {
        ClusterType {
            name: format!("ct-{index}"),
            region: random.one_of(&REGIONS),
            size: random.one_of(&SIZES),
            reconciler: random.one_of(&["flux", "argo", "older"]),
            config: random.one_of(&["values", "settings", "script"]),
        }
    }

    fn document(&self) -> String {
        let ClusterType { name, region, size, reconciler, config } = self;
        let rest = format!(
            "  labels: {{region: {region}, size: {size}}}\nspec: {{reconciler: {reconciler}, namespaceService: namespace, configType: {config}}}\n"
        );
        object("ClusterType", name, &rest)
    }
}

impl Workload {
    fn new(random: &mut Random, index: usize) -> Workload {
        let name = format!("w-{index}");
        let mut rest = String::from("spec:\n  deploymentTargets:\n");
        for target in 0..=random.below(3) {
            let environment = random.one_of(&["dev", "dev", "stage"]);
            let (purpose, tier) = (random.one_of(&PURPOSES), random.below(3));
            rest += &format!(
                "  - name: t{target}\n    environment: {environment}\n    labels: {{purpose: {purpose}, tier: \"{tier}\"}}\n    manifests: {{repo: r, branch: b, path: ./{target}}}\n"
            );
        }
        if random.happens(15) {
            rest += "  configSchemas:\n  - '{\"properties\": {\"K0\": {\"type\": \"integer\", \"maximum\": 40}}}'\n";
        }
        let app = random.happens(80).then(|| format!("app-{index}"));
        Workload { document: object("Workload", &name, &rest), name, app }
    }
}

impl Fleet {
    pub(crate) fn new(seed: u64) -> Fleet {
        let random = &mut Random::new(seed);
        let mut indexes: Vec<usize> = (0..6).collect();
        random.shuffle(&mut indexes);
        let cluster_types =
            (0..2 + random.below(4)).map(|at| ClusterType::new(random, indexes[at])).collect();
        random.shuffle(&mut indexes);
        let workloads: Vec<Workload> =
            (0..2 + random.below(4)).map(|at| Workload::new(random, indexes[at])).collect();
        let mut plane = vec![
            object(
                "BaseRepo",
                "main",
                &format!("spec: {{repo: \"{}\", branch: main, path: .}}\n", url("base")),
            ),
            object(
                "GitOpsRepo",
                "dev",
                &format!("spec: {{repo: \"{}\", branch: dev, path: .}}\n", url("gitops")),
            ),
        ];
        let mut base: Vec<String> = TEMPLATES.split("---\n").map(str::to_owned).collect();
        for app in workloads.iter().filter_map(|workload| workload.app.as_ref()) {
            let workspace = random.one_of(&["red", "blue"]);
            let spec = format!(
                "spec:\n  workload: {{repo: \"{}\", branch: main, path: .}}\n  workspace: {workspace}\n",
                url(app)
            );
            base.push(object("WorkloadRegistration", app, &spec));
        }
        plane.extend((0..1 + random.below(4)).map(|index| policy(random, index)));
        for index in 0..random.below(9) {
            let map = config_map(random, index, &workloads);
            if random.happens(50) { plane.push(map) } else { base.push(map) }
        }
        if random.happens(60) {
            plane.push(azure_config(random));
        }
        if random.happens(40) {
            let labels = format!("  labels: {{region: {}}}\n", random.one_of(&REGIONS));
            let schema = "spec:\n  schema: '{\"properties\": {\"K1\": {\"maximum\": 50}}}'\n";
            base.push(object("ConfigSchema", "limits", &(labels + schema)));
        }
        Fleet { cluster_types, workloads, plane, base }
    }

    /// The folders of the repositories that are read, beside the control plane's.
    pub(crate) fn repositories(&self) -> Vec<&str> {
        std::iter::once("base")
            .chain(self.workloads.iter().filter_map(|workload| workload.app.as_deref()))
            .collect()
    }

    /// The registration of a Workload, `-` if there is none: as tracking writes it.
    pub(crate) fn registration(&self, workload: &str) -> &str {
        let found = self.workloads.iter().find(|it| it.name == workload);
        found.and_then(|it| it.app.as_deref()).unwrap_or("-")
    }

    /// The files of all repositories: documents in a random order, in files with random names.
    pub(crate) fn files(&self, seed: u64) -> Files {
        let random = &mut Random::new(seed);
        let mut plane = self.plane.clone();
        plane.extend(self.cluster_types.iter().map(ClusterType::document));
        plane.extend(self.workloads.iter().filter(|it| it.app.is_none()).map(|it| it.document.clone()));
        let mut files = Files::new();
        for (folder, documents) in [("plane", plane), ("base", self.base.clone())] {
            arrange(random, folder, documents, &mut files);
        }
        for workload in &self.workloads {
            if let Some(app) = &workload.app {
                arrange(random, app, vec![workload.document.clone()], &mut files);
            }
        }
        files
    }
}

fn arrange(random: &mut Random, folder: &str, mut documents: Vec<String>, files: &mut Files) {
    random.shuffle(&mut documents);
    for document in documents {
        let (inner, name) = (random.one_of(&["", "a/", "b/c/", "z/"]), random.below(12));
        let file = files.entry(format!("{folder}/{inner}{name}.yaml")).or_default();
        if !file.is_empty() {
            file.extend_from_slice(random.one_of(&["---\n", "---\n# next\n", "\n---\n\n"]).as_bytes());
        }
        file.extend_from_slice(document.as_bytes());
    }
}

fn policy(random: &mut Random, index: usize) -> String {
    let workspace = if random.happens(30) { "    workspace: red\n" } else { "" };
    let purpose = random.one_of(&PURPOSES);
    let targets = random
        .one_of(&[
            &*format!("{{matchLabels: {{purpose: {purpose}}}}}"),
            &*format!("{{matchExpressions: [{{key: purpose, operator: NotIn, values: [{purpose}]}}]}}"),
            "{}",
        ])
        .to_owned();
    let region = random.one_of(&REGIONS);
    let kinds = random
        .one_of(&[
            &*format!("{{matchLabels: {{region: {region}}}}}"),
            &*format!("{{matchExpressions: [{{key: region, operator: In, values: [{region}, east]}}]}}"),
            "{matchExpressions: [{key: size, operator: Exists}]}",
        ])
        .to_owned();
    let spec = format!(
        "spec:\n  deploymentTargetSelector:\n{workspace}    labelSelector: {targets}\n  clusterTypeSelector:\n    labelSelector: {kinds}\n"
    );
    object("SchedulingPolicy", &format!("p-{index}"), &spec)
}

fn config_map(random: &mut Random, index: usize, workloads: &[Workload]) -> String {
    let mut labels = String::from("platform-config: \"true\"");
    if random.happens(40) {
        labels += &format!(", region: {}", random.one_of(&REGIONS));
    }
    if random.happens(30) {
        labels += &format!(", purpose: {}", random.one_of(&PURPOSES));
    }
    if random.happens(20) {
        labels += &format!(", workload: {}", workloads[random.below(workloads.len())].name);
    }
    if random.happens(20) {
        labels += &format!(", cluster-type: ct-{}", random.below(6));
    }
    let data: String = (0..4)
        .filter(|_| random.happens(60))
        .collect::<Vec<_>>()
        .into_iter()
        .map(|key| format!("  K{key}: {}\n", value(random, key)))
        .collect();
    let data = if data.is_empty() { "  {}\n".to_owned() } else { data };
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c-{index}\n  labels: {{{labels}}}\ndata:\n{data}"
    )
}

fn azure_config(random: &mut Random) -> String {
    let mut keys = vec![
        format!("region.{}.K0", random.one_of(&REGIONS)),
        format!("size.{}.K0", random.one_of(&SIZES)),
        "K3".to_owned(),
    ];
    keys.push(format!("region.{}.size.{}.K2", random.one_of(&REGIONS), random.one_of(&SIZES)));
    let data: String = keys.iter().map(|key| format!("  {key}: {}\n", value(random, 2))).collect();
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: azure-app-config\ndata:\n{data}")
}

/// The text of a config value, quoted for YAML: text and numbers for the keys 0 and 1, structures for the others.
fn value(random: &mut Random, key: usize) -> String {
    let (a, b) = (random.below(60), random.below(4));
    let text = match (key, random.below(4)) {
        (0 | 1, 0) => format!("v{a}"),
        (0 | 1, _) => a.to_string(),
        (2, 0) => format!("{{level: v{b}, deep: {{x{b}: {a}, on: yes}}}}"),
        (2, 1) => format!("{{list: [{a}, {{name: n{b}, v: {a}}}], deep: {{x1: {a}}}}}"),
        (2, _) => format!("{{deep: {{x{b}: [{a}], y: '{a}'}}}}"),
        (_, 0) => format!("[{a}, v{b}]"),
        (_, 1) => format!("[{{name: n{b}, k{b}: {a}, in: {{p: {a}}}}}, {{name: n1, list: [{b}]}}]"),
        (_, 2) => format!("[{{k: {a}}}, {{name: n{b}}}, 010]"),
        _ => format!("plain {a}"),
    };
    format!("\"{text}\"")
}
