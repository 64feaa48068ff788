//! Whatever goes wrong at any request of a check or a promotion: the runs that follow bring it to the same end.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use kalypso_sandbox::azure::{IndexStatuses, Life, Trouble};
use kalypso_sandbox::{At, Fault, Kind, Request, Saved};

use super::every_request::{self, PATIENCE, cases, in_lanes};
use super::platform::{CONTROL_PLANE, Ran};
use super::rollout_platform::{Merged, RolloutPlatform};

/// So many sandboxes are used at once.
const LANES: usize = 2;
/// Runs that are killed: one before a turn begins, and one that does it.
const BEFORE: u64 = 9_001;
const KILLED: u64 = 9_002;
/// So many more runs may be needed to make good what went wrong.
const MORE_RUNS: usize = 2;

/// What a run has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Every cluster has it: the status is set, and the next environment's promotion started
    Arrives,
    /// A cluster cannot apply it
    Fails,
    /// A commit is promoted by a push
    Promotes,
}

const TURNS: [Turn; 3] = [Turn::Arrives, Turn::Fails, Turn::Promotes];

/// A sandbox, and for each turn the world in which it begins.
struct Stage {
    world: RolloutPlatform,
    merged: Merged,
    /// What comes after it
    newer: String,
    scenes: Vec<Scene>,
}

/// A world in which a run has something to do.
struct Scene {
    start: Saved,
    /// What an undisturbed run makes of it
    wanted: End,
    exit: i32,
    /// What it asks for
    requests: Vec<Request>,
}

/// What counts of a world: not how often something was said or asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct End {
    /// The newest state and text of each commit in each context
    statuses: BTreeMap<(String, String), (String, String)>,
    /// Workflows that were started, with what they were told
    dispatches: BTreeSet<String>,
    /// Each branch of the control plane, with its tree and how many commits led to it
    branches: BTreeMap<String, (String, usize)>,
}

/// What a fault leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The same run gets over it
    Passes,
    /// The run may end with an error; those that follow make it good
    Ends,
    /// It may also believe what is wrong: what GitHub refuses to show looks like what is not there
    Misleads,
}

fn faults(kind: Kind) -> [(Fault, Then); 11] {
    let error = |status: u16, code: &str, message: &str| match kind {
        Kind::Rest | Kind::GraphQl | Kind::Git => Fault::error(status, message),
        Kind::IdentityToken | Kind::Entra | Kind::ResourceManager | Kind::ResourceGraph => {
            Fault::azure_error(status, code, message)
        }
    };
    let refused = match kind {
        Kind::Rest | Kind::GraphQl | Kind::Git => Then::Misleads,
        Kind::IdentityToken | Kind::Entra | Kind::ResourceManager | Kind::ResourceGraph => Then::Ends,
    };
    [
        (error(401, "InvalidAuthenticationToken", "Bad credentials"), refused),
        (error(403, "AuthorizationFailed", "Resource not accessible by integration"), refused),
        (error(404, "InvalidResourceType", "Not Found"), refused),
        (error(409, "Conflict", "Git Repository is empty."), refused),
        (error(422, "Unprocessable", "Validation Failed"), refused),
        (error(429, "RateLimiting", "You have exceeded a secondary rate limit.").after(0), Then::Passes),
        (error(500, "InternalServerError", "Server Error"), Then::Passes),
        (error(502, "BadGateway", "Server Error"), Then::Passes),
        (Fault::Refuse, Then::Passes),
        (Fault::LoseReply, Then::Passes),
        (Fault::HalfBody, Then::Passes),
    ]
}

/// What is killed leaves a run behind that is over: the next one ends its status, and goes on where it stopped.
#[test]
fn a_check_or_promotion_may_be_killed_at_every_request() {
    at_every_request(&TURNS, |stage, turn, index| {
        let scene = stage.scene(turn);
        // After a read the next run finds what it finds before the write that follows.
        if !scene.requests[index].is_write() && !is_thorough() {
            return;
        }
        for fault in [Some(Fault::Refuse), None] {
            let what = format!("{}, killed, {fault:?}", stage.what(turn, index));
            if !stage.kill_at(turn, index, fault) {
                // How often clusters are asked depends on how fast the machine is.
                assert!(4 * index >= 3 * scene.requests.len(), "{what}: nothing was asked");
                continue;
            }
            let ran = stage.run(turn);
            assert_eq!((ran.exit, stage.end()), (scene.exit, scene.wanted.clone()), "{what}: {ran:#?}");
            stage.next_runs_do_nothing_twice(turn, &what);
        }
    });
}

/// A reply that is wrong or lost is got over by the same run, or ends it with an error and its status.
#[test]
fn a_check_or_promotion_gets_over_every_fault() {
    at_every_request(&TURNS, |stage, turn, index| {
        let scene = stage.scene(turn);
        for (fault, then) in stage.faults_at(turn, index) {
            let what = format!("{}: {fault:?}", stage.what(turn, index));
            stage.begin(turn);
            stage.world.sandbox.fault(At::Index(index), fault);
            let ran = stage.run(turn);
            if then == Then::Passes || then == Then::Ends && ran.exit == 0 {
                assert_eq!((ran.exit, stage.end()), (scene.exit, scene.wanted.clone()), "{what}: {ran:#?}");
                continue;
            }
            if ran.exit != 0 {
                assert!(
                    ran.stderr.contains("error: ") && ran.stderr.contains("\n  help: "),
                    "{what}: {ran:#?}"
                );
            }
            let goes_on = |(_, text): &(String, String)| text.starts_with("Deploying");
            let statuses = stage.end().statuses;
            let own = statuses.iter().filter(|((sha, _), _)| *sha == stage.commit(turn));
            assert!(!own.map(|(_, status)| status).any(goes_on), "{what}: {statuses:#?}");
            let mut more = 0..MORE_RUNS;
            while stage.end() != scene.wanted && more.next().is_some() {
                stage.run(turn);
            }
            assert_eq!(stage.end(), scene.wanted, "{what}: {ran:#?}");
        }
    });
}

/// Tries every request of the undisturbed runs, in several sandboxes at once.
fn at_every_request(turns: &[Turn], check: impl Fn(&Stage, Turn, usize) + Sync) {
    let check = &check;
    in_lanes(LANES, Stage::new, |stage| {
        let cases = cases(turns, |turn| stage.scene(turn).requests.len());
        (cases.len(), move |stage: &Stage, number: usize| check(stage, cases[number].0, cases[number].1))
    });
}

/// With `EVERY_ROLLOUT_FAULT=1`, which takes many minutes, every request is tried with everything; else a choice of it.
fn is_thorough() -> bool {
    std::env::var_os("EVERY_ROLLOUT_FAULT").is_some()
}

impl Stage {
    /// The first commit was checked when its process ended; the second one is merged; the third one is there.
    fn new() -> Stage {
        let world = RolloutPlatform::s1();
        let first = world.bring("dev", &world.push("s1-1-onboard-application"));
        world.cluster("dev", "drone");
        let reporting = Life::default().index_statuses(IndexStatuses::Dropped);
        world.cluster("dev", "large").live(reporting);
        let second = world.push_anything();
        world.promote(&[("commit-id", &second)]).succeeded();
        let mut stage = Stage { world, merged: first, newer: second, scenes: Vec::new() };
        let signs_in = At::next("GET", "/actions/identity-token");
        assert!(stage.kill(BEFORE, Turn::Arrives, signs_in, Some(Fault::Refuse)));
        let Stage { world, merged, newer, .. } = &mut stage;
        world.play_last().succeeded();
        let before = merged.commit.clone();
        *merged = Merged { promoted: newer.clone(), commit: world.merge("dev"), before };
        *newer = world.push_anything();
        let start = world.sandbox.save().expect("the sandbox");
        for turn in TURNS {
            stage.world.sandbox.restore(&start).expect("the sandbox");
            if turn == Turn::Fails {
                let trouble = Trouble::new("HealthCheckFailed", "a deployment is not ready");
                stage.world.cluster("dev", "drone").live(Life::default().fails(trouble));
            }
            let start = stage.world.sandbox.save().expect("the sandbox");
            // Requests are counted from there.
            stage.world.sandbox.restore(&start).expect("the sandbox");
            let Ran { exit, requests, .. } = stage.run(turn);
            let wanted = stage.end();
            let is_open = |(_, text): &(String, String)| text.starts_with("Deploying");
            assert!(!wanted.statuses.values().any(is_open), "nothing is left open: {wanted:#?}");
            stage.scenes.push(Scene { start, wanted, exit, requests });
        }
        stage
    }

    fn scene(&self, turn: Turn) -> &Scene {
        &self.scenes[turn as usize]
    }

    /// Goes back to the world in which a turn begins.
    fn begin(&self, turn: Turn) {
        self.world.sandbox.restore(&self.scene(turn).start).expect("the sandbox");
    }

    /// The commit that a turn is about.
    fn commit(&self, turn: Turn) -> &str {
        match turn {
            Turn::Arrives | Turn::Fails => &self.merged.promoted,
            Turn::Promotes => &self.newer,
        }
    }

    fn inputs(&self, turn: Turn) -> (&'static str, Vec<(&'static str, &str)>) {
        let Stage { merged, newer, .. } = self;
        match turn {
            Turn::Promotes => ("promote", vec![("environment", "dev"), ("commit-id", newer)]),
            Turn::Arrives | Turn::Fails => {
                let merged = [("commit-id", &*merged.commit), ("before", &merged.before)];
                let given = [("environment", "dev"), ("grace", "0s")];
                ("checkpromote", [given, merged].concat())
            }
        }
    }

    /// A step of a job, and what the runner starts after it.
    fn run(&self, turn: Turn) -> Ran {
        let (mode, inputs) = self.inputs(turn);
        let ran = self.world.run(mode, &inputs);
        if mode == "checkpromote" {
            let count = self.world.status_count();
            self.world.finish().succeeded();
            let more = self.world.status_count() - count;
            assert!(more == 0 || ran.exit == 3, "after a step that has ended nothing is left to say");
        }
        ran
    }

    /// Begins a turn, and ends its process when the sandbox has a request of it.
    ///
    /// Tells whether there was such a request.
    fn kill_at(&self, turn: Turn, index: usize, fault: Option<Fault>) -> bool {
        self.begin(turn);
        let is_done = fault.is_none();
        let is_killed = self.kill(KILLED, turn, At::Index(index), fault);
        if is_killed && is_done {
            self.settle(index);
        }
        is_killed
    }

    fn kill(&self, number: u64, turn: Turn, at: At, fault: Option<Fault>) -> bool {
        let (mode, inputs) = self.inputs(turn);
        let Stage { world, .. } = self;
        world.control_plane.start_run(number).expect("a run");
        let mut command = world.command_of(mode, &inputs);
        command.env("GITHUB_RUN_ID", number.to_string());
        let is_killed = every_request::kill_at(&world.sandbox, at, fault, &mut command);
        world.control_plane.finish_run(number).expect("a run");
        is_killed
    }

    /// Waits until the sandbox has done what a request asks for whose client is gone.
    fn settle(&self, index: usize) {
        let until = Instant::now() + PATIENCE;
        while self.world.sandbox.requests()[index].status.is_none() {
            assert!(Instant::now() < until, "request {index} is never done");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whatever was started twice promotes once, and another run of the same has nothing more to do.
    fn next_runs_do_nothing_twice(&self, turn: Turn, what: &str) {
        if turn != Turn::Arrives {
            return;
        }
        let commits = |branch: &str| self.world.control_plane.log(branch).expect("a branch").len();
        let before = commits("stage");
        let started = self.world.control_plane.dispatches().expect("a repository");
        for dispatch in started.iter().filter(|dispatch| dispatch.workflow == "promote.yml") {
            self.world.play(dispatch).succeeded();
        }
        assert_eq!(commits("stage"), before + 1, "{what}");
    }

    /// The faults to try at a request: two, so that requests of one kind get different ones.
    fn faults_at(&self, turn: Turn, index: usize) -> Vec<(Fault, Then)> {
        let request = &self.scene(turn).requests[index];
        let faults = faults(request.kind);
        if is_thorough() {
            return faults.into();
        }
        let before: usize = TURNS[..turn as usize].iter().map(|turn| self.scene(*turn).requests.len()).sum();
        let is_lost = |fault: &Fault| *fault == Fault::LoseReply && request.is_write();
        let is_here = |(number, (fault, _)): &(usize, (Fault, Then))| {
            *number == (before + index) % faults.len() || is_lost(fault)
        };
        faults.iter().cloned().enumerate().filter(is_here).map(|(_, fault)| fault).collect()
    }

    fn end(&self) -> End {
        let Stage { world, .. } = self;
        let statuses = world.control_plane.statuses().expect("a repository");
        let mut contents = world.sandbox.snapshot().expect("the sandbox").repositories;
        let branches = contents.remove(CONTROL_PLANE).expect("the control plane").branches.into_iter();
        let commits = |branch: &str| world.control_plane.log(branch).expect("a branch").len();
        End {
            statuses: statuses
                .into_iter()
                .map(|status| ((status.sha, status.context), (status.state, status.description)))
                .collect(),
            dispatches: world.dispatches().into_iter().collect(),
            branches: branches.map(|(name, branch)| (name.clone(), (branch.tree, commits(&name)))).collect(),
        }
    }

    fn what(&self, turn: Turn, index: usize) -> String {
        let Request { method, path, .. } = &self.scene(turn).requests[index];
        format!("{turn:?}, request {index}, {method} {path}")
    }
}
