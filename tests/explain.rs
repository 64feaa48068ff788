//! `kalypso explain` on the example platform: the exact text of a session at the terminal.
//!
//! `tests/explain.txt` is that session: lines `$ kalypso explain …`, each followed by all that the binary
//! says, and by `[code]` if it exits with another code than 0. `BLESS=1` rewrites it.

use std::fs;
use std::path::Path;
use std::process::Command;

const PROMPT: &str = "$ kalypso explain ";
const SOURCES: [&str; 8] = [
    "--environment",
    "dev",
    "--control-plane",
    "examples/control-plane",
    "--repo",
    "https://github.com/contoso/control-plane=examples/base",
    "--repo",
    "https://github.com/contoso/applications=examples/applications",
];

/// What the binary says on both streams, and how it exits.
fn said(arguments: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_kalypso"))
        .arg("explain")
        .args(SOURCES)
        .args(arguments.split_whitespace())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .output()
        .expect("the binary starts");
    let mut text = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
    let code = output.status.code().expect("it ends by itself");
    if code != 0 {
        text += &format!("[{code}]\n");
    }
    text
}

#[test]
fn session() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain.txt");
    let want = fs::read_to_string(&path).expect("the session");
    let questions: Vec<&str> = want.lines().filter_map(|line| line.strip_prefix(PROMPT)).collect();
    assert!(!questions.is_empty(), "there are questions");
    let answers = questions.iter().map(|question| format!("{PROMPT}{question}\n{}", said(question)));
    let now = answers.collect::<Vec<_>>().join("\n");
    if std::env::var_os("BLESS").is_some() {
        return fs::write(&path, &now).expect("the session");
    }
    assert!(now == want, "the session is now\n{now}");
}

#[test]
fn the_json_answers_the_same() {
    let json: serde_json::Value =
        serde_json::from_str(&said("--format json hello-world-app-functional-test drone REGION"))
            .expect("JSON");
    let parts = [
        ("/answer/kind", "scheduled"),
        ("/answer/clusterType", "drone"),
        ("/answer/policies/0/policy", "functional-test-policy"),
        ("/answer/policies/0/terms/0/asked", "workspace=kaizen-app-team"),
        ("/answer/values/0/value", "East US"),
        ("/answer/values/0/layers/0/configMap", "east-us-config"),
        ("/answer/values/0/layers/0/place/file", "config/east-us-config.yaml"),
        ("/answer/values/0/layers/0/fate", "won"),
        ("/answer/elsewhere/0/unmet/value", "west-us"),
    ];
    for (pointer, want) in parts {
        assert_eq!(json.pointer(pointer).and_then(|value| value.as_str()), Some(want), "{pointer}");
    }
}
