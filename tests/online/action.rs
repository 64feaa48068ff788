//! As a job of GitHub Actions sees it: inputs, outputs, log, annotations, summary, the workspace. And as a person does.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::Command;

use goyaml::Value as Yaml;
use serde_json::{Value, json};

use super::platform::{Platform, READER, Ran, WRITER};
use super::rollout_platform::RolloutPlatform;

const CASE: &str = "s1-0-baseline";
const BRANCH: &str = "deployment/dev";
const GROUP: &str = "scheduler.kalypso.io/v1alpha1";
/// GitHub drops a longer summary.
const MAX_SUMMARY: usize = 1 << 20;
/// The user that owns the workspace of a hosted runner.
pub(crate) const RUNNER: u32 = 1001;

#[test]
fn unknown_inputs_modes_and_values_are_refused_with_the_valid_ones() {
    let platform = Platform::new(CASE);
    for (input, exit, want) in [
        (
            ("manifest-cheks", "off"),
            2,
            "error: unknown input `manifest-cheks`\n  help: the inputs are allow-rollback, app-id, app-private-key, ",
        ),
        (("mode", "shedule"), 2, "the modes are schedule, checkpromote, promote, status, validate, explain"),
        (("failure-policy", "stop"), 2, "[possible values: hold, block]"),
        (("dry-run", "perhaps"), 2, "[possible values: true, false]"),
        (("environment", "Dev!"), 2, "for '--environment <NAME>'"),
        (("control-plane-repo", "contoso"), 2, "write OWNER/NAME, such as contoso/control-plane"),
        (("app-id", "7"), 2, "--app-private-key"),
        (("control-plane", "nowhere"), 2, "error: --control-plane nowhere does not exist\n"),
        (("report", "no/such/folder/report.json"), 3, "error: cannot write no/such/folder/report.json: "),
    ] {
        let ran = platform.schedule(&[input]);
        assert_eq!(ran.exit, exit, "{input:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(want), "{input:?}: {}", ran.stderr);
        assert!(ran.requests.is_empty() && ran.outputs.is_empty(), "{input:?}: {ran:?}");
    }
    let unset = [
        "manifest-checks",
        "failure-policy",
        "fail-on-held",
        "dry-run",
        "out",
        "control-plane",
        "repo",
        "ca-bundle",
    ];
    let ran = platform.schedule(&unset.map(|name| (name, ""))).succeeded();
    assert_eq!(ran.outputs["changed"], "true", "an input that is not set means its default");
}

#[test]
fn every_output_is_set() {
    let outputs = |ran: &Ran, unlike: &[&str]| -> Value {
        let shown = ran.outputs.iter().filter(|(name, _)| !unlike.contains(&&***name));
        shown.map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect()
    };
    let platform = Platform::new(CASE);
    let tree = |branch: &str| platform.gitops.tree(branch).unwrap().unwrap();
    let planned = platform.schedule(&[("dry-run", "true")]).succeeded();
    let ran = platform.schedule(&[]).succeeded();
    let number = platform.gitops.pulls().unwrap()[0].number;
    let url = format!("{}/contoso/gitops/pull/{number}", platform.sandbox.url());
    let want = json!({
        "changed": "true",
        "tree-id": tree(BRANCH),
        "assignments": "1",
        "held": "0",
        "pull-request-number": number.to_string(),
        "pull-request-url": url,
        "pull-requests": json!([{ "number": number, "url": url }]).to_string(),
        "environments": r#"["dev","stage"]"#,
    });
    assert_eq!(outputs(&ran, &["report"]), want);
    assert!(ran.outputs["report"].ends_with("/report.json") && ran.report.is_some());
    let pull = ["pull-request-number", "pull-request-url", "pull-requests"];
    assert_eq!(outputs(&planned, &pull), outputs(&ran, &pull), "a dry run knows the rest");
    assert_eq!(pull.map(|name| &*planned.outputs[name]), ["", "", "[]"]);

    let platform = Platform::new("s2-4-dev-lacks-a-value");
    let ran = platform.schedule(&[("report", "")]).succeeded();
    assert_eq!(["held", "report"].map(|name| &*ran.outputs[name]), ["1", ""]);
    let ran = platform.schedule(&[("fail-on-held", "true")]);
    assert_eq!((ran.exit, &*ran.outputs["held"]), (1, "1"));
}

#[test]
fn the_action_declares_every_output() {
    let action = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml")).unwrap();
    let Yaml::Map(action) = goyaml::read(&action).unwrap() else { panic!("{action}") };
    let Some(Yaml::Map(outputs)) = action.get(&Yaml::from("outputs")) else { panic!("{action:?}") };
    let declared: BTreeSet<String> = outputs.keys().map(|name| name.as_str().unwrap().to_owned()).collect();
    let world = RolloutPlatform::s1();
    let inputs = [("environment", "dev"), ("min-clusters", "0")];
    let runs = ["schedule", "promote", "checkpromote"].map(|mode| world.run(mode, &inputs).succeeded());
    let set: BTreeSet<String> = runs.into_iter().flat_map(|ran| ran.outputs.into_keys()).collect();
    assert_eq!(set, declared);
}

#[test]
fn secrets_are_masked_before_the_first_other_line() {
    let platform = Platform::new(CASE);
    platform.control_plane.commit("dev", &[("odd.yaml", Some(&odd(1)))], "a warning").unwrap();
    let workspace = platform.checkout("dev");
    let path = workspace.join(".log");
    let log = File::create(&path).unwrap();
    let tokens = format!("{}/contoso={READER}\nhttps://example.com=third-secret", platform.sandbox.url());
    let inputs = [("environment", "dev"), ("repo-tokens", &*tokens)];
    let mut command = platform.command(&workspace, "dev", &inputs);
    command.stdout(log.try_clone().unwrap()).stderr(log);
    platform.collect(command).succeeded();
    let log = fs::read_to_string(path).unwrap();
    let is_mask = |line: &&str| line.starts_with("::add-mask::");
    let masks: BTreeSet<&str> = log.lines().take_while(is_mask).collect();
    let want = [READER, WRITER, "third-secret"].map(|secret| format!("::add-mask::{secret}"));
    assert_eq!(masks, want.iter().map(String::as_str).collect());
    assert!(!log.lines().skip_while(is_mask).any(|line| is_mask(&line)), "{log}");
    assert!(log.contains("odd.yaml:2:7: warning: "), "both streams are seen: {log}");
}

#[test]
fn annotations_stand_at_files_of_the_control_plane_only() {
    let platform = Platform::new(CASE);
    for branch in ["dev", "main"] {
        platform.control_plane.commit(branch, &[("odd.yaml", Some(&odd(1)))], "a warning").unwrap();
    }
    platform.edit("dev", "pointers.yaml", "  commit: ", "  # commit: ");
    let ran = platform.schedule(&[]).succeeded();
    let host = platform.sandbox.url().replace("http://", "");
    let lines = annotations(&ran.stdout, "warning");
    let [own, base] = &lines[..] else { panic!("{lines:?}") };
    assert!(
        own.starts_with("::warning file=odd.yaml,line=2,col=7,title=kalypso::unknown kind `Odd`"),
        "{own}"
    );
    assert!(
        base.starts_with(&format!(
            "::warning title=kalypso::{host}/contoso/control-plane@main:odd.yaml:2:7: "
        )),
        "{base}"
    );
    assert!(ran.stderr.starts_with("odd.yaml:2:7: warning: unknown kind `Odd`"), "{}", ran.stderr);

    let workspace = platform.checkout("dev");
    fs::create_dir(workspace.join("sub")).unwrap();
    for file in ["odd.yaml", "pointers.yaml", "scheduling.yaml", "config.yaml", "cluster-types.yaml"] {
        fs::rename(workspace.join(file), workspace.join("sub").join(file)).unwrap();
    }
    let inputs = [("environment", "dev"), ("control-plane", "sub")];
    let ran = platform.run_in(&workspace, "dev", &inputs).succeeded();
    assert!(
        ran.stdout.contains("::warning file=sub/odd.yaml,line=2,col=7,title=kalypso::"),
        "{}",
        ran.stdout
    );
}

#[test]
fn ten_annotations_a_kind_and_the_last_says_how_many_more() {
    let platform = Platform::new(CASE);
    let wrong: String = (0..12).map(|n| policy(&format!("p{n}"), "matchLabels: [no, map]")).collect();
    let files = [("wrong.yaml", Some(&*wrong)), ("odd.yaml", Some(&*odd(23)))];
    platform.control_plane.commit("dev", &files, "mistakes").unwrap();
    let ran = platform.schedule(&[]);
    assert_eq!((ran.exit, ran.writes(), ran.outputs.len()), (1, 0, 0));
    for (kind, rest) in [
        ("error", "::error title=kalypso::3 more errors"),
        ("warning", "::warning title=kalypso::14 more warnings"),
    ] {
        let lines = annotations(&ran.stdout, kind);
        assert_eq!(lines.len(), 10, "{lines:?}");
        assert!(lines[..9].iter().all(|line| line.contains(".yaml,line=")), "{lines:?}");
        assert_eq!(lines[9], format!("{rest}: the log and the job summary name them"));
    }
    assert_eq!(
        ran.stderr.lines().filter(|line| line.starts_with("wrong.yaml:")).count(),
        12,
        "all: {}",
        ran.stderr
    );
    assert!(
        ran.stderr.ends_with("error: the control plane has 12 errors; nothing is written\n"),
        "{}",
        ran.stderr
    );
    assert!(ran.summary.contains("The control plane has **12 errors**"), "{}", ran.summary);
    assert_eq!(platform.gitops.branches().unwrap().len(), 1);
}

#[test]
fn the_log_has_a_group_for_every_branch() {
    let ran = Platform::new(CASE).schedule(&[]).succeeded();
    let is_shown = |line: &&str| line.starts_with("::");
    let commands: Vec<&str> = ran.stdout.lines().filter(is_shown).collect();
    assert_eq!(commands, ["::group::contoso/gitops dev (.)", "::endgroup::"]);
    assert!(ran.stdout.ends_with("::endgroup::\n"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("\nopen a pull request from deployment/dev to dev: Update manifests in dev: ")
    );
}

#[test]
fn a_branch_that_is_no_environments_tells_the_environments_only() {
    let platform = Platform::new(CASE);
    platform.control_plane.branch("feature", &platform.control_plane.head("main").unwrap().unwrap()).unwrap();
    for branch in ["main", "feature"] {
        let ran = platform.action(branch, &[]).succeeded();
        let outputs: Vec<(&str, &str)> =
            ran.outputs.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(outputs, [("environments", r#"["dev","stage"]"#)]);
        assert!(ran.requests.is_empty() && ran.report.is_none(), "{branch}: {:?}", ran.requests);
        assert!(
            ran.stdout.ends_with("this branch is no environment's; declared are dev, stage\n"),
            "{}",
            ran.stdout
        );
    }
    assert_eq!(platform.gitops.pulls().unwrap(), []);
    // Only an Action has a branch that runs.
    let workspace = platform.checkout("main");
    let mut command = platform.command(&workspace, "main", &[]);
    let ran = platform.collect(std::mem::replace(command.env_remove("GITHUB_ACTIONS"), Command::new("true")));
    assert_eq!(ran.exit, 2);
    assert_eq!(
        ran.stderr,
        "error: which environment?\n  help: give --environment NAME; declared are dev, stage\n"
    );
}

#[test]
fn the_environment_is_that_of_the_branch() {
    let platform = Platform::new(CASE);
    let ran = platform.action("dev", &[]).succeeded();
    assert_eq!(ran.report.unwrap()["environment"], "dev");
    assert_eq!(platform.gitops.pulls().unwrap().len(), 1);

    // An environment may have another name than its branch.
    let platform = Platform::new(CASE);
    platform.edit("main", ".environments/dev.yaml", "branch: dev", "branch: env/one");
    let dev = platform.control_plane.head("dev").unwrap().unwrap();
    platform.control_plane.branch("env/one", &dev).unwrap();
    platform.control_plane.delete_branch("dev").unwrap();
    let planned = platform.action("env/one", &[("dry-run", "true")]).succeeded();
    assert_eq!(planned.report.unwrap()["environment"], "dev");
    // A timer's job on `main` finds that branch, too.
    let workspace = platform.clone_of("main");
    let ran = platform.run_in(&workspace, "main", &[("environment", "dev")]).succeeded();
    assert_eq!(ran.outputs["tree-id"], planned.outputs["tree-id"]);
    assert_eq!(platform.gitops.pulls().unwrap()[0].head, BRANCH);
}

#[test]
fn a_timers_job_on_main_reads_the_environments_branch_without_a_checkout() {
    for (owner, why) in [(None, "our own clone"), (Some(RUNNER), "another user's")] {
        let platform = Platform::new(CASE);
        let workspace = platform.clone_of("main");
        if let Some(owner) = owner {
            give_away(&workspace, owner);
        }
        let before = listing(&workspace);
        let ran = platform.run_in(&workspace, "main", &[("environment", "dev")]).succeeded();
        assert_eq!(ran.outputs["changed"], "true", "{why}");
        let mut expected = platform.expected(CASE);
        expected.insert("README.md".to_owned(), b"What runs where.\n".to_vec());
        assert_eq!(platform.gitops.files(BRANCH).unwrap(), expected, "{why}");
        assert_eq!(listing(&workspace), before, "{why}: nothing is checked out");
        let fetched = |repo: &str| {
            let path = format!("/contoso/{repo}/git-upload-pack");
            ran.requests.iter().filter(|it| it.path == path).count()
        };
        // One to list the branch, one to fetch it; the base is the clone's own.
        assert_eq!(
            fetched("control-plane"),
            3,
            "{why}: {:#?}",
            ran.requests.iter().map(|it| (&it.method, &it.path)).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_branch_or_commit_is_read_where_it_is_named() {
    let platform = Platform::new(CASE);
    let first = platform.control_plane.head("dev").unwrap().unwrap();
    platform.edit("dev", "config.yaml", "East US", "East US 2");
    platform.edit("dev", "config.yaml", "West US", "West US 2");
    let workspace = platform.clone_of("main");
    let config = "large/observability-prometheus/platform-config.yaml";
    for (name, want) in [("dev", "REGION: West US 2\n"), (&*first, "REGION: West US\n")] {
        let inputs = [("environment", "dev"), ("control-plane-ref", name)];
        platform.run_in(&workspace, "main", &inputs).succeeded();
        let files = platform.gitops.files(BRANCH).unwrap();
        assert!(String::from_utf8_lossy(&files[config]).contains(want), "{name}");
    }
    for (name, exit, want) in [
        ("nowhere", 1, "has no branch `nowhere`\n  help: correct the name, or push the branch"),
        (&*"1".repeat(40), 1, "has no commit 1111"),
    ] {
        let inputs = [("environment", "dev"), ("control-plane-ref", name)];
        let ran = platform.run_in(&workspace, "main", &inputs);
        assert_eq!((ran.exit, ran.writes()), (exit, 0), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("error: --control-plane-ref {name}: ")), "{}", ran.stderr);
        assert!(ran.stderr.contains(want), "{}", ran.stderr);
    }
    // Without a repository there is nothing to read it from.
    let ran = platform.action("main", &[("environment", "dev"), ("control-plane-ref", "dev")]);
    assert_eq!((ran.exit, ran.requests.len()), (2, 0), "{}", ran.stderr);
}

#[test]
fn a_dry_run_says_everything_and_writes_nothing() {
    let platform = Platform::new(CASE);
    let world = platform.sandbox.snapshot().unwrap();
    let ran = platform.schedule(&[("dry-run", "true")]).succeeded();
    assert_eq!(ran.writes(), 0);
    assert_eq!(platform.sandbox.snapshot().unwrap(), world);
    let head = &platform.gitops.head("dev").unwrap().unwrap()[..7];
    let steps = [
        format!("create branch {BRANCH} with one commit on top of {head}"),
        format!("open a pull request from {BRANCH} to dev: Update manifests in dev: "),
    ];
    for step in &steps {
        assert!(ran.stdout.contains(&format!("\nwould {step}")), "{step}: {}", ran.stdout);
    }
    let (before, report) = ran.summary.split_once("### Dry run: these steps would be taken\n").unwrap();
    assert!(before.starts_with("## `dev`: 4 cluster types, 1 assignment, 0 held"), "{before}");
    for said in steps
        .iter()
        .map(String::as_str)
        .chain(["`observability-prometheus`", "`command-center`, `drone`, `small`: **new cluster type**"])
    {
        assert!(report.contains(said), "{said}: {report}");
    }
    let real = platform.schedule(&[]).succeeded();
    let done = |text: &str| text.replace("would ", "");
    for step in steps {
        assert!(done(&real.stdout).contains(&step), "the real run does what was said: {step}");
    }
    assert!(
        !real.summary.contains("Dry run") && real.summary.contains("`observability-prometheus`"),
        "{}",
        real.summary
    );
}

#[test]
fn a_summary_of_thousands_stays_below_what_github_drops() {
    let platform = Platform::new(CASE);
    let types: String = (0..50).map(|n| cluster_type(&format!("type-{n:02}"))).collect();
    let target = |n| {
        format!(
            "  - name: target-{n:03}\n    environment: dev\n    labels: {{ bulk: 'yes' }}\n    manifests: {{ repo: r, branch: b, path: p }}\n"
        )
    };
    let targets: String = (0..100).map(target).collect();
    let workload = format!(
        "apiVersion: {GROUP}\nkind: Workload\nmetadata:\n  name: bulk\nspec:\n  deploymentTargets:\n{targets}"
    );
    let files = [
        ("cluster-types.yaml", Some(&*types)),
        ("scheduling.yaml", Some(&*policy("everywhere", "matchLabels: { bulk: 'yes' }"))),
        ("bulk.yaml", Some(&*workload)),
        ("odd.yaml", Some(&*odd(1_000))),
    ];
    platform.control_plane.commit("dev", &files, "a fleet").unwrap();
    let ran = platform.schedule(&[("dry-run", "true")]).succeeded();
    assert_eq!(ran.outputs["assignments"], "5000");
    assert!(ran.summary.len() < MAX_SUMMARY, "{} bytes", ran.summary.len());
    assert!(ran.summary.contains("<details><summary>5000 assignments</summary>"), "they are folded");
    let (_, assignments) = ran.summary.split_once("### Assignments").unwrap();
    let rows = assignments.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows + left_out(assignments), 5_000);
    let (_, problems) = ran.summary.split_once("### Problems").unwrap();
    let problems = problems.split("### ").next().unwrap();
    let shown = problems.matches("odd.yaml:").count();
    assert!(
        shown > 12 && problems.contains(&format!("<details><summary>{} more</summary>", shown - 12)),
        "{shown}"
    );
    assert_eq!(shown + left_out(problems), 1_000);
    if left_out(problems) + left_out(assignments) > 0 {
        assert!(ran.summary.contains("the run's report `report.json` names all"), "where the rest is");
    }
    let report = ran.report.unwrap();
    let count = |key: &str| report[key].as_array().unwrap().len();
    assert_eq!((count("assignments"), count("problems")), (5_000, 1_000));
    assert_eq!(annotations(&ran.stdout, "warning").len(), 10);
    assert!(ran.stdout.contains("::warning title=kalypso::991 more warnings: "));
}

#[test]
fn what_is_written_into_the_workspace_belongs_to_its_owner() {
    let platform = Platform::new(CASE);
    let workspace = platform.checkout("dev");
    if !give_away(&workspace, RUNNER) {
        return;
    }
    let inputs = [("environment", "dev"), ("out", ".out/dev"), ("report", "report.json")];
    let ran = platform.run_in(&workspace, "dev", &inputs).succeeded();
    assert_eq!(ran.calls(), 0, "a folder needs no pull request");
    let expected = platform.expected(CASE);
    let out = workspace.join(".out/dev");
    for (path, bytes) in &expected {
        assert_eq!(fs::read(out.join(path)).unwrap(), *bytes, "{path}");
    }
    let written = listing(&workspace);
    assert!(written.iter().any(|(path, _)| path == "report.json"));
    assert!(written.iter().any(|(path, _)| path == ".out"), "{written:?}");
    for (path, owner) in &written {
        assert_eq!(*owner, (RUNNER, RUNNER), "{path}");
    }
    // What is replaced, too; and what is not ours to give stays as it is.
    let readme = out.join("large/observability-prometheus/namespace.yaml");
    fs::write(&readme, "old").unwrap();
    chown(&readme, Some(0), Some(0)).unwrap();
    platform.run_in(&workspace, "dev", &inputs).succeeded();
    assert_eq!(fs::metadata(&readme).unwrap().uid(), RUNNER);
}

#[test]
fn a_person_sees_no_commands_of_a_runner() {
    let platform = Platform::new(CASE);
    platform.control_plane.commit("dev", &[("odd.yaml", Some(&odd(12)))], "warnings").unwrap();
    let workspace = platform.checkout("dev");
    let mut command = platform.command(&workspace, "dev", &[("environment", "dev")]);
    for name in
        ["GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "GITHUB_REF_NAME"]
    {
        command.env_remove(name);
    }
    let ran = platform.collect(command).succeeded();
    for line in ran.stdout.lines().chain(ran.stderr.lines()) {
        assert!(!line.starts_with("::"), "{line}");
    }
    assert!(ran.outputs.is_empty() && ran.summary.is_empty());
    assert!(
        ran.stdout.starts_with("contoso/gitops dev (.)\ndev: 4 cluster types, 1 assignment, nothing held\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.stderr.matches("warning: ").count(), 12, "all are told");
    assert_eq!(platform.gitops.pulls().unwrap().len(), 1, "and the same is done");
}

#[test]
fn without_a_token_that_may_write_nothing_is_asked() {
    let workflow = "ghs_canary_of_the_workflow";
    let platform = Platform::new(CASE);
    let url = format!("{}/contoso/gitops", platform.sandbox.url());
    for (github, gitops, want) in [
        (
            workflow,
            "",
            format!(
                "error: {url}: the token looks like the workflow's own, which reaches no other repository\n  help: give a token of its own with gitops-token (also if it is a GitHub App's), or an App with app-id and app-private-key\n"
            ),
        ),
        (
            "",
            "",
            format!(
                "error: no token is given for the GitOps repository {url}\n  help: give one with --gitops-token (contents, pull requests and issues: write), or use --dry-run or --out\n"
            ),
        ),
        (
            READER,
            "https://example.com=elsewhere",
            format!(
                "error: no token is given for the GitOps repository {url}\n  help: give one with --gitops-token (contents, pull requests and issues: write), or use --dry-run or --out\n"
            ),
        ),
    ] {
        let ran =
            platform.schedule(&[("github-token", github), ("gitops-token", gitops), ("repo-tokens", "")]);
        assert_eq!((ran.exit, &*ran.stderr), (2, &*want));
        assert_eq!(ran.requests.len(), 0, "{:#?}", ran.requests);
    }
}

/// Has everything below `folder` belong to another user, which only root can do.
pub(crate) fn give_away(folder: &Path, owner: u32) -> bool {
    let give = |path: &Path| chown(path, Some(owner), Some(owner)).is_ok();
    let given = give(folder) && listing(folder).iter().all(|(path, _)| give(&folder.join(path)));
    if !given {
        eprintln!("NOT TESTED: only root can give {} to another user", folder.display());
    }
    given
}

/// Every file and folder below `folder`, with its owner and group.
fn listing(folder: &Path) -> Vec<(String, (u32, u32))> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let entry = entry.expect("an entry");
            let metadata = entry.metadata().expect("its metadata");
            let path = entry.path();
            let name =
                path.strip_prefix(folder).expect("it is there").to_str().expect("it is there").to_owned();
            found.push((name, (metadata.uid(), metadata.gid())));
            left.extend(metadata.is_dir().then_some(path));
        }
    }
    found.sort();
    found
}

fn annotations<'a>(log: &'a str, kind: &str) -> Vec<&'a str> {
    let command = format!("::{kind} ");
    log.lines().filter(|line| line.starts_with(&command)).collect()
}

/// What a section says that it leaves out.
fn left_out(section: &str) -> usize {
    let line = section.lines().find(|line| line.contains("left out here"));
    line.map_or(0, |line| {
        line.trim_start_matches('_').split(' ').next().expect("it is there").parse().expect("a number")
    })
}

/// So many documents that each bring a warning.
fn odd(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "apiVersion: {GROUP}\nkind: Odd\nmetadata:\n  name: odd-{n}\n---");
        text
    })
}

fn policy(name: &str, selector: &str) -> String {
    format!(
        "apiVersion: {GROUP}\nkind: SchedulingPolicy\nmetadata:\n  name: {name}\nspec:\n  deploymentTargetSelector:\n    \
         labelSelector:\n      {selector}\n  clusterTypeSelector:\n    labelSelector: {{}}\n---\n"
    )
}

fn cluster_type(name: &str) -> String {
    format!(
        "apiVersion: {GROUP}\nkind: ClusterType\nmetadata:\n  name: {name}\nspec:\n  reconciler: arc-flux\n  \
         namespaceService: default\n  configType: configmap\n---\n"
    )
}
