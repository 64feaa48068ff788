//! What the stages of the core cost on a fleet of 4,000 assignments, and the engines on one manifest.

mod support;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use fleet::compose;
use fleet::schedule::schedule;
use fleet::{ManifestChecks, RepoPath, Tree};
use gotmpl::{Limits, Str, Template, Value};
use support::Size;

const FLEET: Size =
    Size { cluster_types: 200, workloads: 200, policies: 20, config_maps: 150, schemas: 3, spread: 20 };

const MANIFEST: &str = r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: platform-config
  namespace: {{ .Namespace | trunc 63 | trimSuffix "-" }}
  labels: {environment: {{ .Environment }}, workload: {{ .Workload | quote }}}
data:
{{- range $key, $value := .ConfigData }}
  {{ $key | lower }}: {{ $value | toString | quote }}
{{- end }}
"#;

const CONFIG: &str = "
REPLICAS: '3'
LOG_LEVEL: info
DATABASE_URL: mysql://db-1.internal:3306/main
WELCOME: |
  first line
  second line
LIMITS: {cpu: 2, memory: 4Gi, inner: {first: yes, second: 010}}
QUEUES:
- {name: alpha, size: 100, options: {retry: true}}
- {name: beta, size: 200, options: {retry: false}}
";

fn stages(criterion: &mut Criterion) {
    let source = support::source(&FLEET.files());
    let plane = support::control_plane(&source);
    let mut group = criterion.benchmark_group("fleet of 4,000 assignments");
    group.sample_size(20);
    group.bench_function("parse", |bencher| bencher.iter(|| support::control_plane(black_box(&source))));
    group.bench_function("schedule", |bencher| bencher.iter(|| schedule(black_box(&plane))));
    let layers = compose::layers(&plane);
    let all: Vec<u32> = (0..layers.len() as u32).collect();
    group.bench_function("compose every layer into one", |bencher| {
        bencher.iter(|| compose::compose(black_box(&layers), black_box(&all)));
    });
    for (name, checks) in [("checks off", ManifestChecks::Off), ("checks on", ManifestChecks::Error)] {
        group.bench_function(format!("compute, {name}"), |bencher| {
            bencher.iter_batched(
                || plane.clone(),
                |plane| fleet::compute(plane, checks),
                BatchSize::PerIteration,
            );
        });
        let outcome = fleet::compute(plane.clone(), checks);
        group.bench_function(format!("place and name, {name}"), |bencher| {
            bencher.iter(|| outcome.place(&Tree::default(), &RepoPath::default()).tree.id());
        });
    }
    group.finish();
}

fn engines(criterion: &mut Criterion) {
    let config = goyaml::read(CONFIG).expect("YAML");
    let field = |name: &str, value: Value| (Str::from(name), value);
    let data = Value::dict(
        [
            field("Namespace", "dev-large-app-main".into()),
            field("Environment", "dev".into()),
            field("Workload", "app".into()),
            field("ConfigData", Value::from_yaml(&config)),
        ]
        .into_iter()
        .collect(),
    );
    let template = Template::parse(MANIFEST).expect("a template");
    template.render(&data, Limits::default()).expect("it renders");
    let mut group = criterion.benchmark_group("one manifest");
    group.bench_function("parse its template", |bencher| {
        bencher.iter(|| Template::parse(black_box(MANIFEST)));
    });
    group.bench_function("render it", |bencher| {
        bencher.iter(|| template.render(black_box(&data), Limits::default()));
    });
    group
        .bench_function("toYaml of its config", |bencher| bencher.iter(|| goyaml::print(black_box(&config))));
    group.bench_function("read its config as YAML", |bencher| {
        bencher.iter(|| goyaml::read(black_box(CONFIG)));
    });
    group.finish();
}

criterion_group!(benches, stages, engines);
criterion_main!(benches);
