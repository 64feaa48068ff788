//! The Action, the workflows that call it and the workflows that teams copy agree with each other and with the binary.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use goyaml::{Limits, Node, NodeKind};
use serde_json::{Map, Value};
use support::{Scratch, files_below};

const MODES: [&str; 3] = ["schedule", "checkpromote", "promote"];
/// Flags that are of no use in a job, which has come to make requests.
const NO_INPUTS: [&str; 1] = ["offline"];
/// Inputs of the Action for which reusable workflows have a value of their own.
const MADE: [&str; 3] = ["mode", "github-token", "report"];
/// Where teams find the reusable workflows.
const OURS: &str = "kalypso-action/kalypso-action/";

#[test]
fn the_inputs_of_the_action_are_the_flags_of_its_modes() {
    let flags: BTreeSet<String> = MODES.into_iter().flat_map(flags).chain(["mode".to_owned()]).collect();
    assert_eq!(keys(&yaml("action.yml")["inputs"]), flags);
}

#[test]
fn the_action_has_a_default_only_where_empty_means_something_else() {
    let scratch = Scratch::new();
    let action = yaml("action.yml");
    let inputs = action["inputs"].as_object().expect("inputs");
    let defaults: BTreeMap<&str, &Value> =
        inputs.iter().filter_map(|(name, input)| Some((&**name, input.get("default")?))).collect();
    let names: Vec<&str> = defaults.keys().copied().collect();
    assert_eq!(names, ["github-token", "promote-workflow", "schedule-workflow"]);
    assert_eq!(defaults["github-token"], "${{ github.token }}");
    for (mode, input) in [("checkpromote", "promote-workflow"), ("promote", "schedule-workflow")] {
        let help = scratch.run(&[mode, "--help"], &[]).stdout;
        let (_, help) = help.split_once(&format!("--{input} ")).expect("the flag");
        let (_, default) = help.split_once("[default: ").expect("its default");
        assert_eq!(default.split_once(']').map(|(default, _)| default), defaults[input].as_str());
    }
}

#[test]
fn the_end_of_a_step_that_was_called_wrongly_is_silent() {
    let scratch = Scratch::new();
    let state = scratch.path("state");
    let state = state.to_str().expect("a path");
    let action = [("GITHUB_ACTIONS", "true"), ("GITHUB_STATE", state), ("INPUT_MODE", "shedule")];
    assert_eq!(scratch.run(&[], &action).exit, 2);
    assert!(fs::read_to_string(state).is_ok_and(|kept| kept.starts_with("started<<")));
    let end = scratch.run(&[], &[&action[..], &[("STATE_started", "true")]].concat());
    assert_eq!((end.exit, &*end.stdout, &*end.stderr), (0, "", ""));
}

#[test]
fn a_reusable_workflow_gives_the_action_what_it_knows() {
    let action = yaml("action.yml");
    for mode in MODES {
        let file = format!(".github/workflows/{mode}.yml");
        let (workflow, text) = (yaml(&file), text(&file));
        assert_eq!(keys(&workflow["on"]), names(&["workflow_call"]), "{file}");
        assert_eq!(workflow["permissions"], Value::Object(Map::new()), "{file}");
        let call = &workflow["on"]["workflow_call"];
        for (context, declared) in [("inputs", &call["inputs"]), ("secrets", &call["secrets"])] {
            let prefix = format!("{context}.");
            let named = text.split(&*prefix).skip(1);
            let is_part = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            let named: BTreeSet<String> =
                named.map(|rest| rest.chars().take_while(|c| is_part(*c)).collect()).collect();
            assert_eq!(named, keys(declared), "{file}: {context}");
        }
        let known: BTreeSet<String> = flags(mode).into_iter().chain(["mode".to_owned()]).collect();
        for step in steps(&workflow).filter(|step| step["uses"] == "$/") {
            assert_eq!(step["with"]["mode"], mode, "{file}");
            let unknown: Vec<String> = keys(&step["with"]).difference(&known).cloned().collect();
            assert!(unknown.is_empty(), "{file}: inputs that {mode} has not: {unknown:?}");
            for (name, value) in step["with"].as_object().expect("inputs") {
                let variable = name.to_uppercase().replace('-', "_");
                let own = [
                    format!("${{{{ inputs.{name} }}}}"),
                    format!("${{{{ secrets.{name} }}}}"),
                    format!("${{{{ inputs.{name} || vars.{variable} }}}}"),
                ];
                let value = value.as_str().expect("a text");
                let is_made = MADE.contains(&&**name) || value == "${{ matrix.environment }}";
                assert!(is_made || own.contains(&value.to_owned()), "{file}: {name} is {value}");
            }
        }
        for (job, declared) in jobs(&workflow) {
            for (name, value) in declared["outputs"].as_object().into_iter().flatten() {
                let value = value.as_str().expect("a text");
                let output = value.strip_prefix("${{ steps.kalypso.outputs.").expect("the action's output");
                let output = output.strip_suffix(" }}").expect("nothing else");
                assert!(action["outputs"].get(output).is_some(), "{file}: {job} has {name} from {output}");
            }
        }
        for (name, output) in call["outputs"].as_object().into_iter().flatten() {
            let job = keys(&workflow["jobs"]).pop_first().expect("a job");
            assert_eq!(output["value"], format!("${{{{ jobs.{job}.outputs.{name} }}}}"), "{file}");
            assert!(workflow["jobs"][&*job]["outputs"].get(name).is_some(), "{file}: {name}");
        }
    }
}

#[test]
fn what_teams_copy_calls_the_reusable_workflows_as_they_want_to_be_called() {
    let mut called = BTreeSet::new();
    for (file, workflow) in copied() {
        for (job, caller) in jobs(&workflow).filter(|(_, job)| job.get("uses").is_some()) {
            let uses = caller["uses"].as_str().expect("a text");
            let path = uses.strip_prefix(OURS).expect("one of ours");
            let path = path.strip_suffix(&format!("@v{}", env!("CARGO_PKG_VERSION")));
            let path = path.unwrap_or_else(|| panic!("{file}: {job} calls another version: {uses}"));
            let callee = yaml(path);
            let call = &callee["on"]["workflow_call"];
            assert!(keys(&caller["with"]).is_subset(&keys(&call["inputs"])), "{file}: inputs of {job}");
            assert!(keys(&caller["secrets"]).is_subset(&keys(&call["secrets"])), "{file}: secrets of {job}");
            let required = call["inputs"].as_object().into_iter().flatten();
            for (name, _) in required.filter(|(_, input)| input["required"] == "true") {
                assert!(caller["with"].get(name).is_some(), "{file}: {job} gives no {name}");
            }
            assert_eq!(caller["permissions"], needed(&callee), "{file}: {job} grants what {path} needs");
            called.insert(path.to_owned());
        }
    }
    assert_eq!(called.len(), MODES.len(), "{called:?}");
}

#[test]
fn workflows_can_be_started_with_what_is_sent() {
    // What the binary sends, what the GitOps repository sends, and what only people give.
    let cases: [(&str, &[&str], &[&str], &[&str]); 3] = [
        ("checkpromote.yml", &[], &["before", "commit-id", "environment"], &["gitops-repo"]),
        ("promote.yml", &["commit-id", "environment"], &[], &["allow-rollback", "skip-check"]),
        ("schedule.yml", &["environment"], &["environment"], &[]),
    ];
    let notify = text("templates/gitops/.github/workflows/notify.yml");
    for (file, binary, gitops, people) in cases {
        let workflow = yaml(&format!("templates/control-plane/main/.github/workflows/{file}"));
        let inputs = &workflow["on"]["workflow_dispatch"]["inputs"];
        assert_eq!(keys(inputs), names(&[binary, gitops, people].concat()), "{file}");
        for (name, input) in inputs.as_object().expect("inputs") {
            let must = (file, &**name) == ("checkpromote.yml", "environment");
            assert_eq!(input.get("required").is_some(), must, "{file}: {name}");
        }
        let command = notify.split("gh workflow run ").find(|command| command.starts_with(file));
        let fields = command.into_iter().flat_map(|command| command.split("--field ").skip(1));
        let fields = fields.filter_map(|field| Some(field.split_once('=')?.0.to_owned()));
        assert_eq!(fields.collect::<BTreeSet<String>>(), names(gitops), "{file}");
    }
}

#[test]
fn the_platform_that_teams_copy_is_valid() {
    let scratch = Scratch::new();
    scratch.write("", &files_below(&root().join("templates/control-plane")));
    for environment in ["dev", "stage"] {
        let flags = [
            "--environment",
            environment,
            "--control-plane",
            environment,
            "--repo=https://github.com/contoso/control-plane=main",
        ];
        let ran = scratch.run(&[&["validate", "--strict"], &flags[..]].concat(), &[]);
        let said = format!("{environment}: 0 errors, 0 warnings\n");
        assert_eq!((ran.exit, &*ran.stdout, &*ran.stderr), (0, &*said, ""));
        let out = format!("out/{environment}");
        let ran = scratch.run(&[&["schedule", "--offline", "--out", &*out], &flags[..]].concat(), &[]);
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
        let made = scratch.read(&out);
        assert!(made.keys().any(|path| path.ends_with("/reconciler.yaml")), "{:?}", made.keys());
    }
}

/// What a caller must grant: the most that any job of the workflow asks for.
fn needed(workflow: &Value) -> Value {
    let mut needed = Map::new();
    for (_, job) in jobs(workflow) {
        for (scope, level) in job["permissions"].as_object().expect("permissions of its own") {
            if needed.get(scope).is_none_or(|level| level == "read") {
                needed.insert(scope.clone(), level.clone());
            }
        }
    }
    Value::Object(needed)
}

/// The workflows that teams copy, by path.
fn copied() -> Vec<(String, Value)> {
    let paths = files_below(&root().join("templates")).into_keys();
    let paths =
        paths.filter(|path| path.contains(".github/workflows/")).map(|path| format!("templates/{path}"));
    let workflows: Vec<(String, Value)> = paths.map(|path| (path.clone(), yaml(&path))).collect();
    assert_eq!(workflows.len(), 6, "{workflows:?}");
    workflows
}

/// The flags of a mode, as it names them itself.
fn flags(mode: &str) -> Vec<String> {
    let said = Scratch::new().run(&[mode, "--no-such-flag"], &[]).stderr;
    let (_, flags) = said.split_once(&format!("the flags of `{mode}` are ")).expect("the flags");
    let flags = flags.lines().next().expect("a line").split(", ");
    let flags = flags.map(|flag| flag.trim_start_matches('-').to_owned());
    flags.filter(|flag| !NO_INPUTS.contains(&&**flag)).collect()
}

fn jobs(workflow: &Value) -> impl Iterator<Item = (&String, &Value)> {
    workflow["jobs"].as_object().expect("jobs").iter()
}

fn steps(workflow: &Value) -> impl Iterator<Item = &Value> {
    jobs(workflow).flat_map(|(_, job)| job["steps"].as_array().expect("steps"))
}

fn keys(mapping: &Value) -> BTreeSet<String> {
    mapping.as_object().into_iter().flat_map(|mapping| mapping.keys().cloned()).collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file with every scalar as the text that it is: GitHub does not read `on` as a boolean.
fn yaml(path: &str) -> Value {
    let (documents, error) = goyaml::parse(&text(path), Limits::default());
    assert_eq!(error, None, "{path}");
    json(&documents[0])
}

fn json(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Scalar { text, .. } => Value::from(&**text),
        NodeKind::Sequence(items) => items.iter().map(json).collect(),
        NodeKind::Mapping(pairs) => pairs
            .iter()
            .map(|(key, value)| (json(key).as_str().expect("a name").to_owned(), json(value)))
            .collect(),
    }
}
