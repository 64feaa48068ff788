//! The image as GitHub's runner starts it: with its folders, variables and signals, as root and as little as possible.
//!
//! `tests/container/run` builds the image and runs these.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use kalypso_sandbox::At;
use kalypso_sandbox::azure::Life;

use super::action::{RUNNER, give_away};
use super::cancellation::{
    Ended, INTERRUPT, Running, TERMINATE, end_of_step, long_check, never, send, world,
};
use super::platform::Ran;
use super::rollout_platform::RolloutPlatform;

/// How often a start is measured.
const STARTS: usize = 5;

/// What the process in the container may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum User {
    /// It is root, as GitHub demands
    Root,
    /// It is the owner of the job's folders, without capabilities, and the image cannot be written
    Hardened,
}

const USERS: [User; 2] = [User::Root, User::Hardened];

#[test]
#[ignore = "needs an image: tests/container/run"]
fn a_change_is_promoted_scheduled_and_checked() {
    for user in USERS {
        let world = RolloutPlatform::s1();
        world.cluster("dev", "drone").live(Life::default());
        let commit = world.push("s1-1-onboard-application");
        run(&world, user, "promote", &[("environment", "dev"), ("commit-id", &commit)]).succeeded();
        assert_eq!(world.promoted("dev"), Some(commit.clone()), "{user:?}");

        let report = ("report", "report.json");
        let ran = run(&world, user, "schedule", &[("environment", "dev"), report]).succeeded();
        assert_eq!(ran.outputs["changed"], "true", "{user:?}");
        let report = world.file("workspace").join("report.json");
        let owner = fs::metadata(report).expect("the report").uid();
        assert_eq!(
            owner,
            owner_of(&world.file("workspace")),
            "{user:?}: the steps that follow can change it"
        );
        let before = world.gitops_head("dev");
        let merged = world.merge("dev");
        assert_eq!(world.tracked("dev"), Some(commit.clone()), "{user:?}");

        let inputs = [("environment", "dev"), ("commit-id", &*merged), ("before", &*before)];
        let ran = run(&world, user, "checkpromote", &inputs).succeeded();
        assert_eq!(ran.outputs["verdict"], "compliant", "{user:?}");
        assert!(ran.summary.contains("`drone`"), "{user:?}: {}", ran.summary);
        let deployed = "success: Deployed to 1 configuration on 1 cluster, 3 cluster types not observed";
        assert_eq!(world.statuses(&commit, "dev"), ["pending: Promoted", "pending: Deploying", deployed]);

        run(&world, user, "promote", &[("environment", "stage"), ("commit-id", &commit)]).succeeded();
        assert_eq!(world.promoted("stage"), Some(commit.clone()), "{user:?}");
        let next = format!("promote.yml commit-id={commit} environment=stage");
        let started = ["schedule.yml environment=dev", &next, "schedule.yml environment=stage"];
        assert_eq!(world.dispatches(), started, "{user:?}");
    }
}

#[test]
#[ignore = "needs an image: tests/container/run"]
fn process_1_ends_its_status_when_it_is_called_off() {
    for (user, signal) in USERS.into_iter().flat_map(|user| [(user, INTERRUPT), (user, TERMINATE)]) {
        let (world, merged) = world(never());
        let mut check = Running::spawn(&world, contained(&world, &long_check(&world, &merged), user));
        check.waits();
        // The engine's client passes it on.
        send(signal, check.child.id());
        let Ended { exit, stderr } = check.ends();
        assert_eq!((exit, &*stderr), (Some(130), "cancelled\n"), "{user:?}, {signal}");
        let want = ["pending: Promoted", "pending: Deploying", "error: Cancelled"];
        assert_eq!(world.statuses(&merged.promoted, "dev"), want, "{user:?}, {signal}");
        let ran = world.collect(contained(&world, &end_of_step(&world), user)).succeeded();
        assert_eq!(ran.writes(), 0, "{user:?}, {signal}: nothing is left to say");
    }
}

#[test]
#[ignore = "needs an image: tests/container/run"]
fn after_a_container_that_was_killed_the_runner_has_its_status_ended() {
    for user in USERS {
        let (world, merged) = world(never());
        let mut check = Running::spawn(&world, contained(&world, &long_check(&world, &merged), user));
        check.waits();
        let container = engine(&["ps", "--quiet", "--filter", &format!("label={}", label(&world))]);
        engine(&["kill", "--signal", "KILL", &container]);
        assert_eq!(check.ends().exit, Some(137), "{user:?}");
        let deploying = ["pending: Promoted", "pending: Deploying"];
        assert_eq!(world.statuses(&merged.promoted, "dev"), deploying, "{user:?}");
        world.collect(contained(&world, &end_of_step(&world), user)).succeeded();
        assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), "error: Cancelled", "{user:?}");
    }
}

/// Printed, not asserted: it is another time on every machine.
#[test]
#[ignore = "needs an image: tests/container/run"]
fn the_time_from_its_start_to_the_first_request_is_told() {
    let (world, merged) = world(Life::default());
    let binary = world.file("kalypso");
    let container = engine(&["create", &image()]);
    engine(&["cp", &format!("{container}:/kalypso"), binary.to_str().expect("a path")]);
    engine(&["rm", &container]);
    let inputs = [("environment", "dev"), ("commit-id", &*merged.promoted), ("dry-run", "true")];
    let check = [("environment", "dev"), ("commit-id", &*merged.commit), ("dry-run", "true")];
    for (mode, inputs) in
        [("schedule", &[inputs[0], inputs[2]][..]), ("promote", &inputs), ("checkpromote", &check)]
    {
        let mut times: Vec<Duration> =
            (0..STARTS).map(|_| first_request(&world, &binary, mode, inputs)).collect();
        times.sort();
        println!("{mode}: {:.1} ms to the first request", times[STARTS / 2].as_secs_f64() * 1e3);
    }
}

/// How long a binary takes to ask for something.
fn first_request(world: &RolloutPlatform, binary: &Path, mode: &str, inputs: &[(&str, &str)]) -> Duration {
    let usual = world.command_of(mode, inputs);
    let mut command = Command::new(binary);
    command.args(usual.get_args()).env_clear().envs(variables(&usual));
    command.current_dir(usual.get_current_dir().expect("a workspace"));
    let (tell, told) = mpsc::channel();
    world.sandbox.before(At::next("", "*"), move || Ok(tell.send(Instant::now())?));
    let start = Instant::now();
    world.collect(command).succeeded();
    told.recv().expect("a request").duration_since(start)
}

/// Runs a mode in the image, as a job on `main`, to the end of its run.
fn run(world: &RolloutPlatform, user: User, mode: &str, inputs: &[(&str, &str)]) -> Ran {
    world.collect_run(contained(world, &world.command_of(mode, inputs), user))
}

/// A command in the image, started as the runner does it.
fn contained(world: &RolloutPlatform, command: &Command, user: User) -> Command {
    let [workspace, home, workflow, bundle, files] =
        ["workspace", "home", "workflow", "ca.pem", ""].map(|name| world.file(name));
    let mut variables = variables(command);
    if let Some(trusted) = variables.remove("SSL_CERT_FILE") {
        fs::copy(trusted, &bundle).expect("a certificate");
        variables.insert("INPUT_CA-BUNDLE".to_owned(), bundle.to_str().expect("a path").to_owned());
    }
    for folder in [&home, &workflow] {
        fs::create_dir_all(folder).expect("a folder");
    }
    fs::write(workflow.join("event.json"), "{}").expect("a file");
    give_away(&files, RUNNER);

    let mounts = [
        (&workspace, "/github/workspace"),
        (&home, "/github/home"),
        (&workflow, "/github/workflow"),
        (&files, "/github/file_commands/"),
    ];
    let inside = |value: String| {
        mounts
            .iter()
            .fold(value, |value, (outside, inside)| value.replace(outside.to_str().expect("a path"), inside))
    };
    let mut container = Command::new(program());
    container.args(["run", "--rm", "--network", "host", "--workdir", "/github/workspace"]);
    container.args(["--label", &label(world)]);
    for (outside, inside) in mounts {
        container.arg("-v").arg(format!("{}:{inside}", outside.display()));
    }
    if user == User::Hardened {
        container.args(["--user", &owner_of(&workspace).to_string(), "--read-only", "--cap-drop", "ALL"]);
        container.args(["--security-opt", "no-new-privileges"]);
        if program().ends_with("podman") {
            // Docker has no other place for files then.
            container.arg("--read-only-tmpfs=false");
        }
    }
    container.args(["-e", "GITHUB_ACTIONS=true", "-e", "CI=true", "-e", "HOME=/github/home"]);
    container.args(["-e", "GITHUB_EVENT_PATH=/github/workflow/event.json"]);
    // Inputs that are not set arrive, too.
    container.args(["-e", "INPUT_DRY-RUN=", "-e", "INPUT_OUT="]);
    for (name, value) in variables {
        // The client's own variables have the values, so that no list of processes shows them.
        container.args(["-e", &name]).env(name, inside(value));
    }
    container.arg(image()).args(command.get_args());
    container
}

/// What a command sets.
fn variables(command: &Command) -> BTreeMap<String, String> {
    let text = |text: &OsStr| text.to_str().expect("a text").to_owned();
    command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect()
}

/// What the containers of a world can be found by.
fn label(world: &RolloutPlatform) -> String {
    format!("world={}", world.file("").display())
}

fn owner_of(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").uid()
}

fn image() -> String {
    env::var("KALYPSO_IMAGE").expect("tests/container/run names the image")
}

/// The container engine's program.
fn program() -> String {
    env::var("KALYPSO_ENGINE").expect("tests/container/run names the engine")
}

/// Has the container engine do something; gives what it prints.
fn engine(arguments: &[&str]) -> String {
    let done = Command::new(program()).args(arguments).output().expect("the engine starts");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("a text").trim().to_owned()
}
