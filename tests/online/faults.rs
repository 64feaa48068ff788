//! Whatever goes wrong, and whoever acts, between any two requests of a run: it ends in the same state.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use kalypso_sandbox::{At, Fault, Kind, Pull, Request, Saved, State, World};

use super::every_request::{self, PATIENCE, cases, in_lanes};
use super::platform::{Files, Platform, Ran};

const CASE: &str = "s2-5-dev-sets-the-value";
const BRANCH: &str = "deployment/dev";
const BESIDE: &str = "deployment/dev.2";
/// So many sandboxes are used at once.
const LANES: usize = 3;

/// What the environment asks for, and with it what a run has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Nothing is proposed yet: a pull request with a label, and two issues
    Opens,
    /// They are there: another commit and text, no label, and an issue that says more
    Updates,
    /// They are there, and nothing differs any more: closed, but for an issue that is left alone
    Closes,
}

const TURNS: [Turn; 3] = [Turn::Opens, Turn::Updates, Turn::Closes];

/// A sandbox, and for each turn the world in which it begins.
struct Stage {
    platform: Platform,
    /// The environment as each turn has it, and what it is built on
    folder: tempfile::TempDir,
    scenes: [Scene; 3],
}

/// A world in which a run has something to do.
struct Scene {
    start: Saved,
    /// What an undisturbed run makes of it
    wanted: World,
    /// What it asks for
    requests: Vec<Request>,
}

/// What a fault leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The same run gets over it
    Passes,
    /// The run may end with an error
    Ends,
}

/// What GitHub's API says when a request takes it too long, which is not permanent.
const TOO_SLOW: &str = "Sorry, your request timed out. It's likely that your request was too large.";

fn faults() -> [(Fault, Then); 12] {
    [
        (Fault::error(401, "Bad credentials"), Then::Ends),
        (Fault::error(403, "Resource not accessible by personal access token"), Then::Ends),
        (Fault::error(404, "Not Found"), Then::Ends),
        (Fault::error(409, "Git Repository is empty."), Then::Ends),
        (Fault::error(422, "Validation Failed"), Then::Ends),
        (Fault::error(422, TOO_SLOW), Then::Passes),
        (Fault::retry_after(429, "You have exceeded a secondary rate limit.", 0), Then::Passes),
        (Fault::error(500, "Server Error"), Then::Passes),
        (Fault::error(502, "Server Error"), Then::Passes),
        (Fault::Refuse, Then::Passes),
        (Fault::LoseReply, Then::Passes),
        (Fault::HalfBody, Then::Passes),
    ]
}

/// A run that is killed is completed by the next one. A reply that is wrong or lost is got over by the same run, or
/// ends it with an error, as if it were killed there.
#[test]
fn every_request_may_be_the_last_or_go_wrong_once() {
    at_every_request(&TURNS, |stage, turn, index| {
        let what = stage.what(turn, index);
        let Scene { wanted, requests, .. } = stage.scene(turn);
        stage.kill_at(turn, index);
        let killed = stage.state();
        // Reads leave the world as it is: after the next one, the next run would find the same.
        if requests[index].is_write() {
            stage.run(turn).succeeded();
            assert_eq!(stage.state(), *wanted, "{what}: killed");
        }
        for (fault, then) in stage.faults_at(turn, index) {
            let what = format!("{what}: {fault:?}");
            stage.begin(turn);
            let is_git = requests[index].kind == Kind::Git;
            let then = if is_git && fault == Fault::error(422, TOO_SLOW) { Then::Ends } else { then };
            stage.platform.sandbox.fault(At::Index(index), fault);
            let ran = stage.run(turn);
            if ran.exit == 0 {
                // What an application's repository answers is told in an issue.
                if is_git && then == Then::Ends && stage.state() != *wanted {
                    stage.run(turn).succeeded();
                }
                assert_eq!(stage.state(), *wanted, "{what}");
            } else {
                assert_eq!(then, Then::Ends, "{what}: {}", ran.stderr);
                assert!(ran.exit == 3 || (is_git && ran.exit == 1), "{what}: {}", ran.exit);
                let (_, error) = ran.stderr.rsplit_once("error: ").expect(&what);
                assert!(error.contains("\n  help: "), "{what}: {}", ran.stderr);
                assert_eq!(stage.state(), killed, "{what}");
            }
        }
    });
}

#[test]
fn a_request_that_is_not_answered_is_made_again() {
    let longer_than_anyone_waits = 2 * PATIENCE;
    thread::scope(|scope| {
        for path in ["*/git-upload-pack", "*/git/trees", "*/graphql", "*/pulls"] {
            scope.spawn(move || {
                let stage = Stage::new();
                stage.begin(Turn::Opens);
                stage.platform.sandbox.fault(At::next("POST", path), Fault::Stall(longer_than_anyone_waits));
                stage.run(Turn::Opens).succeeded();
                assert_eq!(stage.state(), stage.scene(Turn::Opens).wanted, "{path}");
            });
        }
    });
}

#[test]
fn of_two_runs_at_once_one_is_in_force_in_full() {
    in_lanes(LANES, Stage::new, |stage| {
        let mut cases = Vec::new();
        for (world, [one, other]) in
            [(Turn::Opens, [Turn::Opens, Turn::Updates]), (Turn::Updates, [Turn::Updates, Turn::Closes])]
        {
            let alone = [one, other].map(|turn| {
                stage.begin(world);
                let ran = stage.run(turn).succeeded();
                (in_force(stage.state()), ran.requests)
            });
            let ends = [alone[0].0.clone(), alone[1].0.clone()];
            for (outer, inner, (_, requests)) in [(one, other, &alone[0]), (other, one, &alone[1])] {
                // Before that, the one only reads what the other does not change.
                let first = requests.iter().rposition(|request| request.kind == Kind::Git).expect("a fetch");
                cases.extend((first..requests.len()).map(|index| (world, outer, inner, index, ends.clone())));
            }
        }
        (cases.len(), move |stage: &Stage, number: usize| {
            let (world, outer, inner, index, ends) = &cases[number];
            stage.begin(*world);
            let mut run = stage.command(*inner);
            for name in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "INPUT_REPORT"] {
                run.env(name, stage.folder.path().join(name));
            }
            stage.platform.sandbox.before(At::Index(*index), move || {
                let status = run.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
                anyhow::ensure!(status.success(), "the run within: {status}");
                Ok(())
            });
            stage.run(*outer).succeeded();
            let state = in_force(stage.state());
            let what = format!("{inner:?} within {outer:?}, before request {index}");
            assert!(ends.contains(&state), "{what}: {state:#?}");
        })
    });
}

#[test]
fn a_commit_of_someone_else_survives_wherever_it_lands() {
    at_every_request(&TURNS, |stage, turn, index| {
        let what = stage.what(turn, index);
        stage.begin(turn);
        let gitops = stage.platform.gitops.clone();
        let (said, hears) = mpsc::channel();
        stage.platform.sandbox.before(At::Index(index), move || {
            if gitops.head(BRANCH)?.is_none() {
                gitops.branch(BRANCH, &gitops.head("dev")?.unwrap_or_default())?;
            }
            said.send(gitops.commit(BRANCH, &[("theirs.txt", Some("theirs\n"))], "theirs")?)?;
            Ok(())
        });
        let ran = stage.run(turn);
        let theirs = hears.recv_timeout(PATIENCE).unwrap();
        assert_eq!(ran.exit, 0, "{what}: {}", ran.stderr);
        let ran = stage.run(turn).succeeded();
        let gitops = &stage.platform.gitops;
        assert_eq!(gitops.head(BRANCH).unwrap(), Some(theirs), "{what}");
        let ours = pulls(stage).into_iter().filter(|pull| pull.head == BESIDE).collect::<Vec<_>>();
        if turn != Turn::Closes {
            let [pull] = &ours[..] else { panic!("{what}: {ours:?}") };
            assert_eq!(pull.state, State::Open, "{what}");
            assert!(pull.body.contains(BRANCH), "{what}: {}", pull.body);
            assert!(ran.stdout.contains("note: "), "{what}: {}", ran.stdout);
            one_commit_on_top(stage, pull, &what);
        } else {
            assert_eq!(ours, [], "{what}");
        }
    });
}

#[test]
fn a_gitops_branch_that_moves_on_is_followed() {
    at_every_request(&TURNS[..2], |stage, turn, index| {
        let what = stage.what(turn, index);
        stage.begin(turn);
        let gitops = stage.platform.gitops.clone();
        stage.platform.sandbox.before(At::Index(index), move || {
            gitops.commit("dev", &[("theirs.txt", Some("theirs\n"))], "theirs").map(drop)
        });
        stage.run(turn).succeeded();
        stage.run(turn).succeeded();
        let [pull] = &pulls(stage)[..] else { panic!("{what}: one pull request") };
        assert_eq!((&*pull.head, pull.state), (BRANCH, State::Open), "{what}");
        one_commit_on_top(stage, pull, &what);
        assert!(stage.platform.gitops.files(BRANCH).unwrap().contains_key("theirs.txt"), "{what}");
    });
}

/// Nothing but our one commit stands between the GitOps branch and the pull request's.
#[track_caller]
fn one_commit_on_top(stage: &Stage, pull: &Pull, what: &str) {
    let gitops = &stage.platform.gitops;
    let log = gitops.log(&pull.head).expect("the sandbox");
    assert_eq!(log[0].parents, [gitops.head("dev").expect("a repository").expect("a branch")], "{what}");
}

fn pulls(stage: &Stage) -> Vec<Pull> {
    stage.platform.gitops.pulls().expect("the sandbox")
}

/// What counts of a world: what is open, and the branches that this is about.
fn in_force(mut world: World) -> World {
    for contents in world.repositories.values_mut() {
        contents.conversations.retain(|it| it.state == State::Open);
        let heads: Vec<String> =
            contents.conversations.iter().filter_map(|it| Some(it.branches.clone()?.0)).collect();
        contents.branches.retain(|name, _| !name.starts_with("deployment/") || heads.contains(name));
    }
    world
}

/// Tries every request of the undisturbed runs, in several sandboxes at once.
fn at_every_request(turns: &[Turn], check: impl Fn(&Stage, Turn, usize) + Sync) {
    let check = &check;
    in_lanes(LANES, Stage::new, |stage| {
        let cases = cases(turns, |turn| stage.scene(turn).requests.len());
        (cases.len(), move |stage: &Stage, number: usize| check(stage, cases[number].0, cases[number].1))
    });
}

impl Stage {
    fn new() -> Stage {
        let platform = Platform::new(CASE);
        platform.set_gitops("dev", &platform.expected(CASE));
        let folder = tempfile::tempdir().expect("a folder");
        let keep = |files: Files, name: &str| write(&folder.path().join(name), &files);
        let environment = || platform.control_plane.files("dev").expect("the sandbox");
        let workload = platform.sandbox.repository("contoso/basic-inference");
        keep(workload.files("main").expect("the sandbox"), "basic-inference");
        keep(platform.control_plane.files("main").expect("the sandbox"), "base");
        keep(environment(), "Closes");
        let old = platform.control_plane.head("main").expect("a repository").expect("a branch");
        let new = platform
            .control_plane
            .commit("main", &[("about.txt", Some("new\n"))], "new")
            .expect("the sandbox");
        platform.edit("dev", "config.yaml", "inference_url", "another_url");
        platform.edit("dev", "pointers.yaml", &old, &new);
        add_cluster_type(&platform, "edge");
        keep(environment(), "Opens");
        platform.edit("dev", "pointers.yaml", &new, &old);
        add_cluster_type(&platform, "far");
        keep(environment(), "Updates");
        let (first, opens) = Scene::play(&platform, folder.path(), Turn::Opens);
        let (second, updates) = Scene::play(&platform, folder.path(), Turn::Updates);
        platform.sandbox.restore(&second).expect("the sandbox");
        let (third, closes) = Scene::play(&platform, folder.path(), Turn::Closes);
        let scene = |start, (wanted, requests)| Scene { start, wanted, requests };
        let scenes = [scene(first, opens), scene(second, updates), scene(third, closes)];
        Stage { platform, folder, scenes }
    }

    fn scene(&self, turn: Turn) -> &Scene {
        &self.scenes[turn as usize]
    }

    /// Goes back to the world in which a turn begins.
    fn begin(&self, turn: Turn) {
        self.platform.sandbox.restore(&self.scene(turn).start).expect("the sandbox");
    }

    fn run(&self, turn: Turn) -> Ran {
        self.platform.collect(self.command(turn))
    }

    fn command(&self, turn: Turn) -> Command {
        command(&self.platform, self.folder.path(), turn)
    }

    fn state(&self) -> World {
        self.platform.sandbox.snapshot().expect("the sandbox")
    }

    /// Begins a turn, and ends the process when the sandbox has a request of it and before it acts on it.
    fn kill_at(&self, turn: Turn, index: usize) {
        self.begin(turn);
        let (sandbox, at) = (&self.platform.sandbox, At::Index(index));
        assert!(every_request::kill_at(sandbox, at, Some(Fault::Refuse), &mut self.command(turn)));
    }

    /// The faults to try at a request. Requests of one shape share them, but each that writes loses its reply;
    /// with `EVERY_FAULT=1`, which takes minutes, every request gets all of them.
    fn faults_at(&self, turn: Turn, index: usize) -> Vec<(Fault, Then)> {
        if std::env::var_os("EVERY_FAULT").is_some() {
            return faults().into();
        }
        let request = &self.scene(turn).requests[index];
        let all = TURNS.iter().flat_map(|turn| {
            let requests = self.scene(*turn).requests.iter().enumerate();
            requests.map(|(index, request)| (*turn, index, request))
        });
        let alike: Vec<(Turn, usize)> = all
            .filter(|(_, _, other)| shape(other) == shape(request))
            .map(|(turn, index, _)| (turn, index))
            .collect();
        let place = alike.iter().position(|it| *it == (turn, index)).expect("it is like itself");
        let is_lost = |fault: &Fault| *fault == Fault::LoseReply && request.is_write();
        let is_here = |(number, (fault, _)): &(usize, (Fault, Then))| {
            number % alike.len() == place % faults().len() || is_lost(fault)
        };
        faults().into_iter().enumerate().filter(is_here).map(|(_, fault)| fault).collect()
    }

    fn what(&self, turn: Turn, index: usize) -> String {
        let Request { method, path, .. } = &self.scene(turn).requests[index];
        format!("{turn:?}, request {index}, {method} {path}")
    }
}

impl Scene {
    /// The world as it is, and what a run makes of it.
    fn play(platform: &Platform, folder: &Path, turn: Turn) -> (Saved, (World, Vec<Request>)) {
        let start = platform.sandbox.save().expect("the sandbox");
        // Requests are counted from there.
        platform.sandbox.restore(&start).expect("the sandbox");
        let ran = platform.collect(command(platform, folder, turn)).succeeded();
        (start, (platform.sandbox.snapshot().expect("the sandbox"), ran.requests))
    }
}

/// A run for a turn; only what it must ask the network for is asked for.
fn command(platform: &Platform, folder: &Path, turn: Turn) -> Command {
    let at = |name: &str, at: &str| {
        format!("{}/contoso/{name}={}\n", platform.sandbox.url(), folder.join(at).display())
    };
    let repos = at("control-plane", "base") + &at("basic-inference", "basic-inference");
    let inputs = [("environment", "dev"), ("repo", &*repos)];
    platform.command(&folder.join(format!("{turn:?}")), "dev", &inputs)
}

/// What a request asks for, whatever its object.
fn shape(request: &Request) -> (&str, Vec<&str>) {
    let is_name = |part: &&str| !part.contains(|c: char| c.is_ascii_digit());
    (&request.method, request.path.split('/').filter(is_name).collect())
}

fn add_cluster_type(platform: &Platform, name: &str) {
    let text = format!(
        "apiVersion: scheduler.kalypso.io/v1alpha1\nkind: ClusterType\nmetadata:\n  name: {name}\n\
         spec:\n  reconciler: arc-flux\n  namespaceService: default\n"
    );
    let path = format!("{name}.yaml");
    platform.control_plane.commit("dev", &[(&path, Some(&text))], "a cluster type").expect("the sandbox");
}

fn write(folder: &Path, files: &Files) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
}
