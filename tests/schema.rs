//! The published JSON Schema of the report: it is the code's, and real reports keep to it.

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{Scratch, files_below};

#[test]
fn the_published_schema_is_the_codes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/report.schema.json");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, report::report_schema()).expect("the schema");
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == report::report_schema(),
        "docs/report.schema.json is out of date; BLESS=1 writes it"
    );
}

/// A change of the example, how the run must end, and what the report must have of it.
#[test]
fn reports_of_the_example_are_valid() {
    let schema: Value = serde_json::from_str(&report::report_schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let examples = files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"));
    let large = "control-plane/cluster-types/large.yaml";
    let cases = [
        (
            None,
            0,
            ["/assignments/0/files/0", "/changes/0/path", "/clusterTypes/0", "/promotedCommit"],
            "the example",
        ),
        (
            Some(("reconciler: argocd", "reconciler: gone")),
            0,
            [
                "/held/0/problems/0/line",
                "/held/0/problems/0/help",
                "/held/0/problems/0/file",
                "/held/0/clusterType",
            ],
            "something is held",
        ),
        (
            Some(("name: large", "name: 5")),
            1,
            ["/problems/0/message", "/problems/0/file", "/problems/0/column", "/problems/0/severity"],
            "a refused control plane",
        ),
    ];
    for (edit, exit, there, why) in cases {
        let scratch = Scratch::new();
        scratch.write("", &examples);
        if let Some((old, new)) = edit {
            let text = String::from_utf8(examples[large].clone()).unwrap();
            assert!(text.contains(old), "{large} has {old}");
            scratch.write("", &[(large.to_owned(), text.replace(old, new).into_bytes())].into());
        }
        let ran = scratch.run(
            &[
                "schedule",
                "--offline",
                "--environment",
                "dev",
                "--control-plane",
                "control-plane",
                "--repo",
                "https://github.com/contoso/control-plane=base",
                "--repo",
                "https://github.com/contoso/applications=applications",
                "--out",
                "out",
                "--report",
                "report.json",
            ],
            &[],
        );
        assert_eq!(ran.exit, exit, "{why}: {}", ran.stderr);
        let report: Value = serde_json::from_slice(&scratch.read("")["report.json"]).unwrap();
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{why}");
        for place in there {
            assert!(report.pointer(place).is_some_and(|value| !value.is_null()), "{why} has {place}");
        }
    }
    for broken in [serde_json::json!({}), serde_json::json!({"environment": 5})] {
        assert!(!validator.is_valid(&broken), "the schema asks for something: {broken}");
    }
}
