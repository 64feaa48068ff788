//! A check that is called off ends its status, itself or by what the runner starts after it; and no other run's.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use kalypso_sandbox::azure::Life;
use kalypso_sandbox::{Access, At, Fault, Level, Scope, Visibility};

use super::platform::{CONTROL_PLANE, READER, Ran, outputs, told_to_hide};
use super::rollout_platform::{Merged, RolloutPlatform};

/// Longer than any test waits.
const AN_HOUR: Duration = Duration::from_secs(3600);
/// Nothing is that late.
const PATIENCE: Duration = Duration::from_secs(60);
const STATUSES: &str = "/api/v3/repos/contoso/control-plane/statuses/*";
const DISPATCHES: &str = "*/promote.yml/dispatches";
const QUERIES: &str = "/providers/Microsoft.ResourceGraph/resources";
/// What runs at most as long as a test.
const RUN: u64 = 7_001;

pub(crate) const INTERRUPT: &str = "INT";
pub(crate) const TERMINATE: &str = "TERM";

/// A check that runs.
pub(crate) struct Running<'a> {
    world: &'a RolloutPlatform,
    pub(crate) child: Child,
}

/// How one ended.
pub(crate) struct Ended {
    pub(crate) exit: Option<i32>,
    /// What it complains of
    pub(crate) stderr: String,
}

/// Whether the run of a process that is gone goes on, as far as GitHub knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunState {
    Over,
    Going,
}

/// A world in which a merged commit reaches its clusters after a while, if ever.
pub(crate) fn world(life: Life) -> (RolloutPlatform, Merged) {
    let world = RolloutPlatform::s1();
    let commit = world.push("s1-1-onboard-application");
    world.promote(&[("environment", "dev"), ("commit-id", &commit)]).succeeded();
    world.play_last().succeeded();
    world.cluster("dev", "drone").live(life);
    let before = world.gitops_head("dev");
    let merged = Merged { promoted: commit, commit: world.merge("dev"), before };
    (world, merged)
}

pub(crate) fn never() -> Life {
    Life::default().syncs_after(AN_HOUR)
}

impl<'a> Running<'a> {
    /// Starts the check of what is merged.
    fn start(world: &'a RolloutPlatform, merged: &Merged) -> Running<'a> {
        Running::spawn(world, long_check(world, merged))
    }

    /// Starts a command that checks.
    pub(crate) fn spawn(world: &'a RolloutPlatform, mut command: Command) -> Running<'a> {
        world.control_plane.start_run(RUN).expect("a run");
        command.env("GITHUB_RUN_ID", RUN.to_string()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running { world, child: command.spawn().expect("it starts") }
    }

    /// Goes on when it waits for clusters: then it says what for.
    pub(crate) fn waits(&mut self) {
        let stdout = self.child.stdout.as_mut().expect("a pipe");
        let mut lines = BufReader::new(stdout).lines().map(|line| line.expect("a text"));
        assert!(lines.any(|line| !line.starts_with("::")), "it ended");
    }

    pub(crate) fn ends(mut self) -> Ended {
        let mut stderr = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("a text");
        let exit = self.child.wait().expect("it ended").code();
        self.world.control_plane.finish_run(RUN).expect("a run");
        let (_, stderr) = told_to_hide(&stderr);
        Ended { exit, stderr }
    }
}

/// The check of what is merged, which looks at the clusters once an hour.
pub(crate) fn long_check(world: &RolloutPlatform, merged: &Merged) -> Command {
    let inputs =
        [("environment", "dev"), ("commit-id", &*merged.commit), ("timeout", "1h"), ("poll-interval", "1h")];
    world.command_of("checkpromote", &inputs)
}

/// Sends a signal as a runner does.
pub(crate) fn send(signal: &str, process: u32) {
    let kill = format!("kill -{signal} {process}");
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
}

/// Has the runner call the process off that makes a request, before it is answered; the answer waits for its end.
fn cancel_at(world: &RolloutPlatform, at: At) -> mpsc::Sender<u32> {
    let (tell, told) = mpsc::channel::<u32>();
    world.sandbox.before(at, move || {
        let process = told.recv_timeout(PATIENCE)?;
        send(INTERRUPT, process);
        // The process is gone when its number is.
        while fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    });
    tell
}

/// Waits until so many statuses have been set, for whoever asked may be gone.
fn settled(world: &RolloutPlatform, count: usize, merged: &Merged) {
    for _ in 0..PATIENCE.as_millis() / 5 {
        if world.statuses(&merged.promoted, "dev").len() >= count {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn finish(world: &RolloutPlatform) -> Ran {
    world.collect(end_of_step(world))
}

/// What the runner starts after the step.
pub(crate) fn end_of_step(world: &RolloutPlatform) -> Command {
    let kept = outputs(&fs::read_to_string(world.file("state")).unwrap_or_default());
    let mut command = world.command_of("checkpromote", &[("environment", "dev")]);
    command.env("GITHUB_RUN_ID", RUN.to_string());
    command.envs(kept.iter().map(|(name, value)| (format!("STATE_{name}"), value)));
    command
}

/// When everything has arrived, a run of the same says so.
#[track_caller]
fn next_run_ends_well(world: &RolloutPlatform, merged: &Merged) {
    world.cluster("dev", "drone").live(Life::default());
    world.check_merged(merged, &[]).succeeded();
    let statuses = world.statuses(&merged.promoted, "dev");
    assert_eq!(
        statuses.last().unwrap(),
        "success: Deployed to 1 configuration on 1 cluster, 3 cluster types not observed"
    );
    let promotion = format!("promote.yml commit-id={} environment=stage", merged.promoted);
    assert_eq!(world.dispatches().last(), Some(&promotion));
}

#[test]
fn a_check_that_waits_is_called_off() {
    for signal in [INTERRUPT, TERMINATE] {
        let (world, merged) = world(never());
        let mut check = Running::start(&world, &merged);
        check.waits();
        send(signal, check.child.id());
        let Ended { exit, stderr } = check.ends();
        assert_eq!((exit, &*stderr), (Some(130), "cancelled\n"), "{signal}");
        let want = ["pending: Promoted", "pending: Deploying", "error: Cancelled"];
        assert_eq!(world.statuses(&merged.promoted, "dev"), want, "{signal}");
        finish(&world).succeeded();
        assert_eq!(world.statuses(&merged.promoted, "dev"), want, "{signal}: nothing is left to say");
        next_run_ends_well(&world, &merged);
    }
}

#[test]
fn a_check_is_called_off_while_a_request_is_not_answered() {
    let (world, merged) = world(never());
    world.sandbox.fault(At::next("POST", QUERIES), Fault::Stall(AN_HOUR));
    let (said, hears) = mpsc::channel();
    world.sandbox.before(At::next("POST", QUERIES), move || Ok(said.send(())?));
    let check = Running::start(&world, &merged);
    hears.recv_timeout(PATIENCE).unwrap();
    send(INTERRUPT, check.child.id());
    let Ended { exit, stderr } = check.ends();
    assert_eq!((exit, &*stderr), (Some(130), "cancelled\n"));
    let want = ["pending: Promoted", "pending: Deploying", "error: Cancelled"];
    assert_eq!(world.statuses(&merged.promoted, "dev"), want);
    next_run_ends_well(&world, &merged);
}

/// The process says that it is cancelled, and only then its beginning reaches GitHub.
#[test]
fn what_overtakes_the_last_word_is_ended_after_the_step() {
    let (world, merged) = world(never());
    let cancel = cancel_at(&world, At::next("POST", STATUSES));
    let check = Running::start(&world, &merged);
    cancel.send(check.child.id()).unwrap();
    assert_eq!(check.ends().exit, Some(130));
    settled(&world, 3, &merged);
    let want = ["pending: Promoted", "error: Cancelled", "pending: Deploying"];
    assert_eq!(world.statuses(&merged.promoted, "dev"), want);
    finish(&world).succeeded();
    assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), "error: Cancelled");
    next_run_ends_well(&world, &merged);
}

#[test]
fn a_verdict_that_is_said_stays() {
    let done = "success: Deployed to 1 configuration on 1 cluster, 3 cluster types not observed";
    let want = ["pending: Promoted", "pending: Deploying", done];
    for (at, why) in [
        (At::Matching("POST", STATUSES.to_owned(), 1), "while it is said"),
        (At::next("POST", DISPATCHES), "before the next environment's promotion is started"),
    ] {
        let (world, merged) = world(Life::default());
        if at == At::next("POST", DISPATCHES) {
            world.sandbox.fault(at.clone(), Fault::Refuse);
        }
        let cancel = cancel_at(&world, at);
        let check = Running::start(&world, &merged);
        cancel.send(check.child.id()).unwrap();
        assert_eq!(check.ends().exit, Some(130), "{why}");
        settled(&world, 3, &merged);
        assert_eq!(world.statuses(&merged.promoted, "dev"), want, "{why}");
        finish(&world).succeeded();
        assert_eq!(world.statuses(&merged.promoted, "dev"), want, "{why}: nothing is left to say");
        next_run_ends_well(&world, &merged);
    }
}

#[test]
fn after_a_step_that_was_killed_the_runner_has_its_status_ended() {
    let (world, merged) = world(never());
    let mut check = Running::start(&world, &merged);
    check.waits();
    send("KILL", check.child.id());
    assert_eq!(check.ends().exit, None);
    let deploying = ["pending: Promoted", "pending: Deploying"];
    assert_eq!(world.statuses(&merged.promoted, "dev"), deploying);
    let ran = finish(&world).succeeded();
    assert_eq!(ran.writes(), 1);
    assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), "error: Cancelled");
    next_run_ends_well(&world, &merged);
}

#[test]
fn the_end_of_a_step_leaves_alone_what_another_run_has_begun() {
    let (world, merged) = world(never());
    let mut check = Running::start(&world, &merged);
    check.waits();
    send("KILL", check.child.id());
    check.ends();
    let kept = fs::read(world.file("state")).unwrap();
    // A newer run of the same begins meanwhile, and ends what the other one has left.
    let mut newer = world.command_of(
        "checkpromote",
        &[("environment", "dev"), ("commit-id", &merged.commit), ("timeout", "1h"), ("poll-interval", "1h")],
    );
    world.control_plane.start_run(RUN + 1).unwrap();
    newer.env("GITHUB_RUN_ID", (RUN + 1).to_string()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut newer = Running { world: &world, child: newer.spawn().unwrap() };
    newer.waits();
    let want = ["pending: Promoted", "pending: Deploying", "error: Cancelled", "pending: Deploying"];
    assert_eq!(world.statuses(&merged.promoted, "dev"), want);
    fs::write(world.file("state"), kept).unwrap();
    finish(&world).succeeded();
    assert_eq!(world.statuses(&merged.promoted, "dev"), want, "it is not its own");
    send(INTERRUPT, newer.child.id());
    assert_eq!(newer.ends().exit, Some(130));
    assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), "error: Cancelled");
}

#[test]
fn a_step_that_began_nothing_has_no_end() {
    let (world, merged) = world(Life::default());
    world.check_merged(&merged, &[]).succeeded();
    let count = world.status_count();
    for (state, why) in [
        (fs::read_to_string(world.file("state")).unwrap(), "it has ended itself"),
        ("started<<end\ntrue\nend\n".to_owned(), "it wrote no status"),
        ("started<<end\ntrue\nend\npending_status<<end\n{\nend\n".to_owned(), "what it kept is damaged"),
    ] {
        fs::write(world.file("state"), state).unwrap();
        let ran = finish(&world).succeeded();
        assert_eq!((ran.requests.len(), &*ran.stdout, &*ran.summary), (0, "", ""), "{why}");
        assert_eq!(world.status_count(), count, "{why}");
    }
}

#[test]
fn what_an_older_run_has_left_is_ended_by_the_next_one_unless_that_run_goes_on() {
    for (mode, state, want) in [
        ("checkpromote", RunState::Over, "error: Cancelled"),
        ("promote", RunState::Over, "error: Cancelled"),
        ("checkpromote", RunState::Going, "pending: Deploying"),
        ("promote", RunState::Going, "pending: Deploying"),
    ] {
        let (world, first) = world(never());
        let second = world.push_anything();
        world.promote(&[("environment", "dev"), ("commit-id", &second)]).succeeded();
        let mut check = Running::start(&world, &first);
        check.waits();
        send("KILL", check.child.id());
        check.ends();
        if state == RunState::Going {
            world.control_plane.start_run(RUN).unwrap();
        }
        assert_eq!(world.statuses(&second, "dev"), ["pending: Promoted"], "it is not merged yet");
        world.cluster("dev", "drone").live(Life::default());
        if mode == "promote" {
            let third = world.push_anything();
            world.promote(&[("environment", "dev"), ("commit-id", &third)]).succeeded();
        } else {
            world.play_last().succeeded();
            let commit = world.merge("dev");
            world.checkpromote("dev", &[("commit-id", &commit)]).succeeded();
        }
        let what = format!("{mode}, {state:?}");
        assert_eq!(world.statuses(&first.promoted, "dev").last().unwrap(), want, "{what}");
    }
}

/// Where workflows are in another repository than the control plane, so are their runs.
#[test]
fn what_a_run_of_another_repository_has_left_is_ended_if_that_run_is_known_to_be_over() {
    const WORKFLOWS: &str = "contoso/workflows";
    const TOKEN: &str = "ghp_canary_of_the_workflows";
    let (world, merged) = world(never());
    let workflows = world.sandbox.create_repository(WORKFLOWS, Visibility::Private).unwrap();
    let url = world.sandbox.url();
    let tokens = format!("{url}/contoso={READER}\n{url}/{WORKFLOWS}={TOKEN}");
    let there = |mode: &str, inputs: &[(&str, &str)]| {
        let given = [("control-plane-repo", CONTROL_PLANE), ("repo-tokens", &tokens)];
        let mut command = world.command_of(mode, &[inputs, &given].concat());
        command.env("GITHUB_REPOSITORY", WORKFLOWS);
        command
    };
    let inputs =
        [("environment", "dev"), ("commit-id", &*merged.commit), ("timeout", "1h"), ("poll-interval", "1h")];
    let mut command = there("checkpromote", &inputs);
    command.env("GITHUB_RUN_ID", RUN.to_string()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut check = Running { world: &world, child: command.spawn().unwrap() };
    check.waits();
    send("KILL", check.child.id());
    check.child.wait().unwrap();
    // The number says nothing in the control plane.
    world.control_plane.start_run(RUN).unwrap();
    world.control_plane.finish_run(RUN).unwrap();
    let newer = world.push_anything();
    let saved = world.sandbox.save().unwrap();

    let (going, cancelled) = ("pending: Deploying", "error: Cancelled");
    let reads = || Access::read(WORKFLOWS);
    let starts = |over: RunState| {
        workflows.start_run(RUN).unwrap();
        if over == RunState::Over {
            workflows.finish_run(RUN).unwrap();
        }
    };
    for (access, run, want, said, why) in [
        (reads(), Some(RunState::Going), going, None, "it goes on"),
        (reads(), Some(RunState::Over), cancelled, None, "it is over"),
        (reads(), None, cancelled, None, "it is gone"),
        (Access::read("contoso/gitops"), Some(RunState::Over), going, None, "nobody knows"),
        (
            reads().with(Scope::Actions, Level::None),
            Some(RunState::Over),
            going,
            Some("help: grant the token `actions: read` on contoso/workflows"),
            "nobody may know",
        ),
    ] {
        world.sandbox.restore(&saved).unwrap();
        world.sandbox.token(TOKEN, access);
        run.into_iter().for_each(starts);
        let promote = there("promote", &[("environment", "dev"), ("commit-id", &newer)]);
        let ran = world.collect_run(promote).succeeded();
        assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), want, "{why}");
        let warning = "warning: cannot read a workflow run in contoso/workflows: GitHub answered 403";
        assert_eq!(ran.stderr.contains(warning), said.is_some(), "{why}: {}", ran.stderr);
        assert!(said.is_none_or(|said| ran.stderr.contains(said)), "{why}: {}", ran.stderr);
        assert_eq!(world.sandbox.leaks(TOKEN), [""; 0]);
    }
}

#[test]
fn what_waits_for_its_merge_stays_promoted() {
    let (world, first) = world(Life::default());
    let second = world.push_anything();
    world.promote(&[("environment", "dev"), ("commit-id", &second)]).succeeded();
    world.check_merged(&first, &[]).succeeded();
    assert!(world.statuses(&first.promoted, "dev").last().unwrap().starts_with("success: "));
    assert_eq!(world.statuses(&second, "dev"), ["pending: Promoted"]);
}
