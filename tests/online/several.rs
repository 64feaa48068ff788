//! Several at once: branches that clusters of one environment follow, and environments before the same next one.

use std::fs;
use std::time::Duration;

use kalypso_sandbox::azure::{Life, Trouble};
use kalypso_sandbox::{At, Fault, Repository, Request, Status};

use super::cancellation::{INTERRUPT, Running, end_of_step, never, send};
use super::platform::{Ran, gitops_repo};
use super::rollout_platform::RolloutPlatform;

const PROMOTED: &str = "pending: Promoted";
const DEPLOYING: &str = "pending: Deploying";
const DEPLOYED: &str = "success: Deployed to 1 configuration on 1 cluster, 3 cluster types not observed";
const ONE: &str = "pending: Deployed to dev, waiting for west";
const BOTH: &str =
    "success: Deployed to dev (3 cluster types not observed), west (3 cluster types not observed)";
const CANCELLED: &str = "error: Cancelled";
const QUERIES: &str = "/providers/Microsoft.ResourceGraph/resources";

#[test]
fn a_commit_goes_on_when_every_branch_has_it() {
    let (world, c1) = split();
    let ran = check(&world, "dev").succeeded();
    assert_eq!(statuses(&world, &c1), [PROMOTED, ONE]);
    assert_eq!(of_branch(&world, &c1, "dev"), [DEPLOYING, DEPLOYED]);
    assert_eq!(promotes(&world), [""; 0]);
    assert_eq!((&*ran.outputs["verdict"], &*ran.outputs["next-environment"]), ("compliant", ""));
    let said = "what follows is started when the checks of these have succeeded, too: `west`";
    assert!(ran.summary.contains(said), "{}", ran.summary);
    assert_eq!(world.promote(&[("environment", "stage"), ("commit-id", &*c1)]).exit, 1, "not by hand either");

    let ran = check(&world, "west").succeeded();
    assert_eq!(statuses(&world, &c1), [PROMOTED, ONE, BOTH]);
    assert_eq!(of_branch(&world, &c1, "west"), [DEPLOYING, DEPLOYED]);
    assert_eq!((promotes(&world), &*ran.outputs["next-environment"]), (vec![next(&c1)], "stage"));
    world.play_last().succeeded();
    assert_eq!(world.promoted("stage"), Some(c1));
    let count = world.status_count();
    for branch in ["dev", "west"] {
        check(&world, branch).succeeded();
    }
    assert_eq!((world.status_count(), promotes(&world).len()), (count, 1), "it is done");
}

#[test]
fn a_commit_that_fails_on_one_branch_does_not_go_on() {
    let (world, c1) = split();
    let broken = Trouble::new("ReconciliationFailed", "image is invalid");
    let west = world.named_cluster("west-1", "west", "drone");
    west.clone().live(Life::default().fails(broken));
    let failed =
        |statuses: Vec<String>| statuses.last().unwrap().starts_with("failure: Failed to deploy: 1 of 1");
    let west_fails = || assert_eq!(world.run("checkpromote", &inputs("west", &[("grace", "0")])).exit, 1);
    west_fails();
    assert!(failed(statuses(&world, &c1)), "{:?}", statuses(&world, &c1));
    check(&world, "dev").succeeded();
    assert!(failed(statuses(&world, &c1)), "the failure stands: {:?}", statuses(&world, &c1));
    west_fails();
    assert!(failed(of_branch(&world, &c1, "west")));
    assert_eq!(promotes(&world), [""; 0]);
    west.live(Life::default());
    world.sandbox.advance(Duration::from_secs(2));
    check(&world, "west").succeeded();
    assert_eq!(statuses(&world, &c1).last().unwrap(), BOTH);
    assert_eq!(promotes(&world), [next(&c1)], "what is healed goes on");
}

#[test]
fn whatever_is_not_written_is_made_good_by_another_check() {
    // Deploying, the branch's end, the environment's, and the next step.
    for (at, done) in [("*/statuses/*", 1), ("*/statuses/*", 2), ("*/dispatches", 0)] {
        let (world, c1) = split();
        check(&world, "dev").succeeded();
        world.sandbox.fault(At::Matching("POST", at.to_owned(), done), Fault::error(403, "Forbidden"));
        assert_eq!(check(&world, "west").exit, 3, "{at} {done}");
        assert_eq!(promotes(&world), [""; 0], "{at} {done}");
        world.finish().succeeded();
        check(&world, "west").succeeded();
        assert_eq!(statuses(&world, &c1).last().unwrap(), BOTH, "{at} {done}");
        assert_eq!(promotes(&world), [next(&c1)], "{at} {done}");
    }
}

/// Whoever ends the check's status ends that of the environment, too: the process itself, the end of its step, or the
/// check of another branch.
#[test]
fn a_check_that_is_called_off_ends_the_status_of_the_environment() {
    for by in [INTERRUPT, "the end of the step", "another check"] {
        let (world, c1) = split();
        let west = world.named_cluster("west-1", "west", "drone");
        west.clone().live(never());
        let hours = [("timeout", "1h"), ("poll-interval", "1h")];
        let mut check = Running::spawn(&world, world.command_of("checkpromote", &inputs("west", &hours)));
        check.waits();
        send(if by == INTERRUPT { INTERRUPT } else { "KILL" }, check.child.id());
        check.ends();
        if by == "the end of the step" {
            assert_eq!(statuses(&world, &c1), [PROMOTED], "{by}");
            world.collect(end_of_step(&world)).succeeded();
        }
        if by != "another check" {
            assert_eq!(of_branch(&world, &c1, "west"), [DEPLOYING, CANCELLED], "{by}");
            assert_eq!(statuses(&world, &c1), [PROMOTED, CANCELLED], "{by}");
        }
        check_succeeds(&world, "dev");
        assert_eq!(of_branch(&world, &c1, "west"), [DEPLOYING, CANCELLED], "{by}");
        assert_eq!(statuses(&world, &c1), [PROMOTED, CANCELLED], "{by}: it stands");
        west.live(Life::default());
        world.sandbox.advance(Duration::from_secs(2));
        check_succeeds(&world, "west");
        assert_eq!(statuses(&world, &c1), [PROMOTED, CANCELLED, BOTH], "{by}");
        assert_eq!(promotes(&world), [next(&c1)], "{by}");
    }
}

#[test]
fn the_end_of_a_step_leaves_alone_what_its_run_has_said_of_the_environment() {
    let (world, c1) = split();
    check_succeeds(&world, "dev");
    // As if the process had been killed before it noted that there is nothing to end.
    let kept = fs::read_to_string(world.file("state")).unwrap();
    let (kept, _) = kept.rsplit_once("pending_status<<").unwrap();
    fs::write(world.file("state"), kept).unwrap();
    world.finish().succeeded();
    assert_eq!(statuses(&world, &c1), [PROMOTED, ONE]);
    assert_eq!(of_branch(&world, &c1, "dev"), [DEPLOYING, DEPLOYED]);
}

#[test]
fn a_check_that_cannot_be_done_ends_the_status_of_the_environment() {
    let (world, c1) = split();
    check_succeeds(&world, "dev");
    let forbidden = Fault::azure_error(403, "AuthorizationFailed", "No role.");
    world.sandbox.fault(At::next("POST", QUERIES), forbidden);
    assert_eq!(check(&world, "west").exit, 3);
    let undone =
        |statuses: Vec<String>| statuses.last().unwrap().starts_with("error: The check could not be done: ");
    assert!(undone(of_branch(&world, &c1, "west")), "{:?}", of_branch(&world, &c1, "west"));
    assert!(undone(statuses(&world, &c1)), "{:?}", statuses(&world, &c1));
    check_succeeds(&world, "west");
    assert_eq!(statuses(&world, &c1).last().unwrap(), BOTH);
}

/// Three of others; its own twice; the environment's three times while another branch's check ends, and once more where
/// nothing could be started.
#[test]
fn a_check_of_one_of_several_branches_writes_nine_statuses_at_most() {
    let (world, c1) = split();
    let write = |control_plane: &Repository, sha: &str, branch: &str, run: u64, said: (&str, &str)| {
        control_plane.write_status(Status {
            sha: sha.to_owned(),
            context: format!("dev environment / {branch}"),
            state: said.0.to_owned(),
            description: said.1.to_owned(),
            target_url: format!("{}/actions/runs/{run}", control_plane.url()),
            creator: "github-actions[bot]".to_owned(),
        })
    };
    for number in 10..17 {
        world.control_plane.start_run(number).unwrap();
        let sha = world.push_anything();
        write(&world.control_plane, &sha, "west", number, ("pending", "Deploying")).unwrap();
        world.control_plane.finish_run(number).unwrap();
    }
    // The first three are of this run's own context.
    for (index, said) in [(2, ("pending", "Deploying, later")), (3, ("success", "Deployed to 1, 2 held"))] {
        let (control_plane, sha) = (world.control_plane.clone(), c1.clone());
        let at = At::Matching("POST", format!("*/statuses/{c1}"), index);
        world.sandbox.before(at, move || write(&control_plane, &sha, "dev", 20, said));
    }
    world.control_plane.start_run(20).unwrap();
    let dispatch = At::next("POST", "*/actions/workflows/promote.yml/dispatches");
    world.sandbox.fault(dispatch, Fault::error(403, "Resource not accessible by integration"));
    let ran = check(&world, "west");
    assert_eq!(ran.exit, 3, "{}", ran.stderr);
    let said =
        "success: Deployed to 1 configuration on 1 cluster, but promote for stage could not be started";
    let waits = "pending: Deployed to west, waiting for dev";
    let both = "success: Deployed to dev (2 held), west (3 cluster types not observed)";
    assert_eq!(statuses(&world, &c1), [PROMOTED, waits, waits, both, said]);
    let is_status = |request: &&Request| request.is_write() && request.path.contains("/statuses/");
    assert_eq!(ran.requests.iter().filter(is_status).count(), 9);
}

#[test]
fn what_a_branch_had_before_it_was_taken_back_does_not_count() {
    let (world, c1) = split();
    let merged = world.gitops_head("dev");
    check(&world, "dev").succeeded();
    world.gitops.revert("dev", &merged).unwrap();
    check(&world, "west").succeeded();
    assert_eq!(statuses(&world, &c1).last().unwrap(), "pending: Deployed to west, waiting for dev");
    assert_eq!(promotes(&world), [""; 0], "dev does not have it any more");
}

#[test]
fn what_a_branch_had_before_a_rollback_does_not_count() {
    let (world, c1) = split();
    check(&world, "dev").succeeded();
    check(&world, "west").succeeded();
    let c2 = world.push_anything();
    bring(&world, &[("commit-id", &c2)]);
    assert_eq!(statuses(&world, &c2), [PROMOTED]);
    bring(&world, &[("commit-id", &c1), ("allow-rollback", "true")]);
    check(&world, "dev").succeeded();
    assert_eq!(statuses(&world, &c1)[3..], [PROMOTED, ONE], "west has yet to go back");
}

#[test]
fn what_some_branches_have_is_superseded_by_a_newer_commit() {
    let (world, c1) = split();
    check(&world, "dev").succeeded();
    let c2 = world.push_anything();
    bring(&world, &[("commit-id", &c2)]);
    let superseded = format!("error: Superseded by {}", &c2[..7]);
    assert_eq!(statuses(&world, &c1), [PROMOTED, ONE, &superseded]);
    check(&world, "west").succeeded();
    check(&world, "dev").succeeded();
    assert_eq!(statuses(&world, &c2).last().unwrap(), BOTH);
    assert_eq!(promotes(&world), [next(&c2)]);
}

/// More is left than one run ends; what tells that the environment's status is left goes last.
#[test]
fn what_many_branches_have_left_open_is_ended_with_the_environments_status() {
    let (world, c1) = split();
    let page = format!("{}/actions/runs/404", world.control_plane.url());
    let contexts =
        ["dev environment", "dev environment / dev", "dev environment / north", "dev environment / west"];
    for context in contexts {
        let (state, description) = ("pending".to_owned(), "Deploying".to_owned());
        let (target_url, creator) = (page.clone(), "github-actions[bot]".to_owned());
        let (sha, context) = (c1.clone(), context.to_owned());
        let status = Status { sha, context, state, description, target_url, creator };
        world.control_plane.write_status(status).unwrap();
    }
    let open = || {
        let statuses = world.control_plane.statuses_of(&c1).unwrap();
        let newest = |context: &&str| statuses.iter().find(|status| status.context == *context).unwrap();
        contexts.into_iter().filter(|context| newest(context).state == "pending").collect::<Vec<_>>()
    };
    let dry = [("environment", "dev"), ("commit-id", &*c1)];
    world.promote(&dry).succeeded();
    assert_eq!(open(), ["dev environment / dev"]);
    world.promote(&dry).succeeded();
    assert_eq!(open(), [""; 0]);
}

#[test]
fn a_commit_goes_on_when_every_environment_before_the_next_one_has_it() {
    let world = RolloutPlatform::s1();
    let prod =
        String::from_utf8(world.control_plane.files("main").unwrap()[".environments/stage.yaml"].clone());
    let prod = prod.unwrap().replace("stage", "prod");
    world.control_plane.branch("prod", &world.control_plane.head("stage").unwrap().unwrap()).unwrap();
    world.control_plane.commit("main", &[(".environments/prod.yaml", Some(&prod))], "a third one").unwrap();
    world.edit("main", ".environments/dev.yaml", "next: stage", "next: prod");
    let c1 = world.edit("main", ".environments/stage.yaml", "path: \".\"", "path: \".\"\n  next: prod");
    let ran = world.promote(&[]);
    assert!(ran.stderr.contains("which environment is the first one: dev, stage?"), "{}", ran.stderr);
    let prod = [("environment", "prod"), ("commit-id", &*c1)];
    let missing = |names: &[&str]| {
        let ran = world.promote(&prod);
        assert_eq!((ran.exit, ran.writes()), (1, 0), "{}", ran.stdout);
        let before = ran.stderr.matches("which comes before prod").count();
        assert_eq!(before, names.len(), "{}", ran.stderr);
        for name in names {
            assert!(ran.stderr.contains(&format!(" {name}, which comes before prod")), "{}", ran.stderr);
        }
    };
    missing(&["dev", "stage"]);
    for environment in ["dev", "stage"] {
        world.named_cluster(&format!("{environment}-1"), environment, "drone");
        world.bring(environment, &c1);
    }
    let ran = world.checkpromote("dev", &[]).succeeded();
    assert!(world.statuses(&c1, "dev").last().unwrap().starts_with("success: Deployed to 1"));
    assert_eq!((promotes(&world).len(), &*ran.outputs["next-environment"]), (0, ""));
    let said = "when the checks of these have succeeded, too: `stage`";
    assert!(ran.summary.contains(said), "{}", ran.summary);
    missing(&["stage"]);
    world.checkpromote("stage", &[]).succeeded();
    assert_eq!(promotes(&world), [format!("promote.yml commit-id={c1} environment=prod")]);
    world.play_last().succeeded();
    assert_eq!(world.promoted("prod"), Some(c1));
}

/// The tutorial's platform with a second branch for dev, and a commit merged to both, which have a cluster each.
fn split() -> (RolloutPlatform, String) {
    let world = RolloutPlatform::s1();
    world.gitops.branch("west", &world.gitops_head("dev")).unwrap();
    let west = gitops_repo("west", &world.gitops.url(), "west", ".");
    world.control_plane.commit("dev", &[("west.yaml", Some(&west))], "a second branch").unwrap();
    world.cluster("dev", "drone");
    world.named_cluster("west-1", "west", "drone");
    let c1 = world.push_anything();
    bring(&world, &[("commit-id", &c1)]);
    (world, c1)
}

/// Brings a commit to both branches of dev.
fn bring(world: &RolloutPlatform, commit: &[(&str, &str)]) {
    world.promote(&[&[("environment", "dev")], commit].concat()).succeeded();
    world.play_last().succeeded();
    for branch in ["dev", "west"] {
        world.merge(branch);
    }
}

fn inputs<'i>(branch: &'i str, more: &[(&'i str, &'i str)]) -> Vec<(&'i str, &'i str)> {
    [&[("environment", "dev"), ("gitops-repo", branch)], more].concat()
}

#[track_caller]
fn check_succeeds(world: &RolloutPlatform, branch: &str) {
    check(world, branch).succeeded();
}

fn check(world: &RolloutPlatform, branch: &str) -> Ran {
    world.run("checkpromote", &inputs(branch, &[]))
}

/// The statuses of dev.
fn statuses(world: &RolloutPlatform, commit: &str) -> Vec<String> {
    world.statuses(commit, "dev")
}

/// The statuses of one of its branches.
fn of_branch(world: &RolloutPlatform, commit: &str, branch: &str) -> Vec<String> {
    let context = format!("dev environment / {branch}");
    let mut statuses = world.control_plane.statuses().unwrap();
    statuses.retain(|status| status.sha == commit && status.context == context);
    statuses.iter().map(|status| format!("{}: {}", status.state, status.description)).collect()
}

fn promotes(world: &RolloutPlatform) -> Vec<String> {
    world.dispatches().into_iter().filter(|one| one.starts_with("promote.yml")).collect()
}

fn next(commit: &str) -> String {
    format!("promote.yml commit-id={commit} environment=stage")
}
