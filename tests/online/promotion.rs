//! Promotion, in all its turns: stories across modes, every step by the real binary.

use std::time::Duration;

use kalypso_sandbox::azure::{Life, Trouble};
use kalypso_sandbox::{At, Fault, Kind, Merge, Protection, Request, State, Status, Work};

use super::platform::{Case, Ran, TRACKED, gitops_repo};
use super::rollout_platform::{Merged, RolloutPlatform};

const PROMOTED: &str = "pending: Promoted";
const DEPLOYING: &str = "pending: Deploying";
const ON_ONE: &str = "success: Deployed to 1 configuration on 1 cluster";
/// The end of a status where command-center, large and small have no cluster.
const THREE_UNSEEN: &str = ", 3 cluster types not observed";

#[test]
fn s1_1_an_application_is_onboarded_and_carried_on_though_nothing_selects_it() {
    let world = onboarded();
    let c1 = world.main();
    assert_eq!(world.promoted("dev"), Some(c1.clone()));
    assert_eq!(world.statuses(&c1, "dev"), [PROMOTED]);
    let pull = world.open_pull("dev").expect("a pull request");
    assert_eq!((&*pull.title, &*pull.labels), (&*title(&c1), &["promoted".to_owned()][..]));
    let changes = world.gitops.changes("dev", &pull.head).unwrap();
    let paths: Vec<&str> = changes.iter().map(|change| &*change.path).collect();
    assert_eq!(paths, [TRACKED], "no policy selects the application");

    world.cluster("dev", "drone");
    let m1 = world.merge("dev");
    world.checkpromote("dev", &[("commit-id", &m1)]).succeeded();
    assert_eq!(world.statuses(&c1, "dev"), [PROMOTED, DEPLOYING, &(ON_ONE.to_owned() + THREE_UNSEEN)]);
    assert_eq!(world.dispatches().last(), Some(&next(&c1)));
}

#[test]
fn s1_3_what_is_deployed_on_dev_goes_on_to_stage_and_s1_4_ends_there() {
    let world = onboarded();
    let c1 = world.main();
    set_branch(&world, "s1-2-schedule-on-dev");
    world.schedule_in("dev", &[]).succeeded();
    let (drone, _) = (world.cluster("dev", "drone"), world.cluster("dev", "large"));
    drone.live(Life::default().applies_after(Duration::from_secs(2)));
    let m1 = world.merge("dev");
    let ran = world.checkpromote("dev", &[("commit-id", &m1)]).succeeded();
    let deployed = "success: Deployed to 2 configurations on 2 clusters, 2 cluster types not observed";
    assert_eq!(world.statuses(&c1, "dev"), [PROMOTED, DEPLOYING, deployed]);
    assert_eq!(
        told(&ran),
        [("verdict", "compliant"), ("clusters", "2"), ("clusters-compliant", "2"), ("next", "stage")]
    );
    assert_eq!(&*ran.outputs["promoted-commit-id"], c1);
    assert!(ran.summary.contains("```mermaid"), "{}", ran.summary);
    assert_eq!(world.dispatches()[1..], [next(&c1)]);

    let ran = world.play_last().succeeded();
    assert_eq!(ran.outputs["commit-id"], world.control_plane.head("stage").unwrap().unwrap());
    assert_eq!(world.promoted("stage"), Some(c1.clone()));
    assert_eq!(world.statuses(&c1, "stage"), [PROMOTED]);
    assert_eq!(world.dispatches()[2..], ["schedule.yml environment=stage"]);

    set_branch(&world, "s1-4-stage");
    world.play_last().succeeded();
    world.named_cluster("drone-1", "stage", "drone");
    world.named_cluster("large-2", "stage", "large");
    let m2 = world.merge("stage");
    let files = world.gitops.files(&m2).unwrap();
    for cluster_type in ["drone", "large"] {
        let folder = format!("{cluster_type}/hello-world-app-uat-test");
        let namespace = String::from_utf8_lossy(&files[&format!("{folder}/namespace.yaml")]).into_owned();
        assert!(namespace.contains(&format!("stage-{cluster_type}-hello-world-app-uat-test")), "{namespace}");
    }
    let ran = world.checkpromote("stage", &[("commit-id", &m2)]).succeeded();
    let deployed = "success: Deployed to 2 configurations on 2 clusters";
    assert_eq!(world.statuses(&c1, "stage"), [PROMOTED, DEPLOYING, deployed]);
    assert_eq!(&*ran.outputs["next-environment"], "");
    assert_eq!(world.dispatches().len(), 3, "no environment follows");
}

#[test]
fn s1_3_what_fails_on_dev_does_not_go_on_to_stage() {
    let world = onboarded();
    let (c0, c1) = (world.promoted("stage"), world.main());
    set_branch(&world, "s1-2-schedule-on-dev");
    world.schedule_in("dev", &[]).succeeded();
    let broken = Trouble::new("ReconciliationFailed", "Deployment/web dry-run failed: image is invalid");
    world.cluster("dev", "drone").live(Life::default().fails(broken));
    world.cluster("dev", "large");
    let m1 = world.merge("dev");
    let ran = world.checkpromote("dev", &[("commit-id", &m1), ("grace", "1s")]);
    let failed = "failure: Failed to deploy: 1 of 2 failed, drone-1: Non-Compliant, ";
    let statuses = world.statuses(&c1, "dev");
    assert_eq!((ran.exit, &statuses[..2]), (1, &[PROMOTED.to_owned(), DEPLOYING.to_owned()][..]));
    assert!(statuses[2].starts_with(failed) && statuses.len() == 3, "{statuses:?}");
    assert!(ran.summary.contains("image is invalid") && ran.summary.contains("drone-1"), "{}", ran.summary);
    assert_eq!(told(&ran)[..2], [("verdict", "failed"), ("clusters", "2")]);
    assert_eq!(world.dispatches().len(), 1, "nothing but schedule");
    assert_eq!(world.promoted("stage"), c0);
    assert_eq!(world.statuses(&c1, "stage"), [""; 0]);
}

#[test]
fn s2_3_one_cluster_follows_both_environments_and_waits_for_the_applications_manifests() {
    let world = RolloutPlatform::new("s2-1-register", &["s2-2-qa-policy"]);
    let absent = |seconds| {
        let trouble = Trouble::new("ArtifactFailed", "kustomization path not found: ./dev");
        Life::default().fails(trouble.until(Duration::from_secs(seconds)))
    };
    let minute = Duration::from_secs(60);
    let timed = |configuration: kalypso_sandbox::azure::Configuration| {
        configuration.timing(minute, Some(Duration::from_secs(3)), Duration::from_secs(3))
    };
    timed(world.named_cluster("edge", "dev", "dev")).live(absent(2));
    timed(world.named_cluster("edge", "qa", "west-us")).live(absent(2));
    let c1 = world.push_anything();
    let merged = world.bring("dev", &c1);
    let ran = world.check_merged(&merged, &[]).succeeded();
    assert_eq!(world.statuses(&c1, "dev"), [PROMOTED, DEPLOYING, ON_ONE]);
    assert!(ran.stdout.contains("Non-Compliant"), "it was broken at first: {}", ran.stdout);
    world.play_last().succeeded();
    world.play_last().succeeded();
    let m2 = world.merge("qa");
    let ran = world.checkpromote("qa", &[("commit-id", &m2)]).succeeded();
    assert_eq!(
        world.statuses(&c1, "qa"),
        [PROMOTED, DEPLOYING, &format!("{ON_ONE}, 1 cluster type not observed")]
    );
    assert!(ran.stdout.contains("Non-Compliant"), "it was broken at first: {}", ran.stdout);
}

#[test]
fn a_push_before_the_merge_is_tracked_by_the_same_pull_request_and_supersedes_the_one_before() {
    let world = onboarded();
    let (c1, first) = (world.main(), world.open_pull("dev").expect("a pull request"));
    let c2 = world.push_anything();
    world.promote_pushed(&c2).succeeded();
    world.play_last().succeeded();
    let pull = world.open_pull("dev").expect("a pull request");
    assert_eq!((pull.number, &*pull.title), (first.number, &*title(&c2)));
    assert_eq!(world.tracked(&pull.head), Some(c2.clone()));
    assert_eq!(world.statuses(&c1, "dev"), [PROMOTED.to_owned(), superseded(&c2)]);
    assert_eq!(world.statuses(&c2, "dev"), [PROMOTED]);
}

#[test]
fn a_promotion_is_found_after_a_squash() {
    found_after(|world| world.merge_as("dev", Merge::Squash));
}

#[test]
fn a_promotion_is_found_after_a_rebase_of_two_commits() {
    found_after(|world| {
        let pull = world.open_pull("dev").expect("a pull request");
        world.gitops.commit(&pull.head, &[("small/note", Some("by hand"))], "a second commit").unwrap();
        world.merge_as("dev", Merge::Rebase)
    });
}

#[test]
fn a_promotion_is_found_after_a_merge_queue() {
    found_after(|world| {
        // A queue builds a branch of its own out of several pull requests, then moves the base there.
        let pull = world.open_pull("dev").expect("a pull request");
        world.gitops.branch("queue", &world.gitops_head("dev")).unwrap();
        world.gitops.commit("queue", &[("small/other", Some("another's"))], "Merge #7").unwrap();
        let number = world.gitops.open_pull(&pull.head, "queue", "queued", "").unwrap();
        let merged = world.gitops.merge_pull(number, Merge::Commit).unwrap();
        world.gitops.force("dev", &merged).unwrap();
        merged
    });
}

#[test]
fn a_promotion_is_found_after_two_merges_in_one_push() {
    found_after(|world| {
        world.merge_as("dev", Merge::Commit);
        world.gitops.commit("dev", &[("small/other", Some("another's"))], "another merge").unwrap()
    });
}

#[test]
fn a_check_that_a_later_one_replaced_in_the_queue_loses_no_promotion() {
    let world = RolloutPlatform::s1();
    world.cluster("dev", "drone");
    let first = world.bring_anything();
    let second = configured(&world, "Dev 2");
    world.check_merged(&second, &[]).succeeded();
    let deployed = ON_ONE.to_owned() + THREE_UNSEEN;
    assert_eq!(world.statuses(&first.promoted, "dev"), [PROMOTED, DEPLOYING, &deployed]);
    assert_eq!(world.dispatches().last(), Some(&next(&first.promoted)));
}

#[test]
fn a_config_only_merge_is_checked_and_promotes_nothing() {
    let world = RolloutPlatform::s1();
    let drone = world.cluster("dev", "drone");
    let first = carried_on(&world);
    let (statuses, dispatches) = (world.status_count(), world.dispatches());
    drone.live(Life::default().applies_after(Duration::from_secs(2)));
    let second = configured(&world, "Dev 2");
    assert_eq!(world.tracked("dev"), Some(first.promoted));
    let ran = world.check_merged(&second, &[]).succeeded();
    assert!(ran.stdout.contains("drone-1") && ran.stdout.contains("not applied"), "it waits: {}", ran.stdout);
    assert_eq!(
        told(&ran),
        [("verdict", "compliant"), ("clusters", "1"), ("clusters-compliant", "1"), ("next", "")]
    );
    assert!(ran.summary.contains("this commit was carried on before"), "{}", ran.summary);
    assert_eq!((world.status_count(), world.dispatches()), (statuses, dispatches));
}

#[test]
fn a_config_only_merge_that_heals_a_failed_check_carries_its_promotion_on() {
    let world = RolloutPlatform::s1();
    let drone = world.cluster("dev", "drone");
    let first = world.bring_anything();
    let broken = Trouble::new("ReconciliationFailed", "ConfigMap/x is invalid").at(&first.commit);
    drone.live(Life::default().fails(broken));
    let ran = world.check_merged(&first, &[("grace", "0")]);
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    let second = configured(&world, "Dev 2");
    world.check_merged(&second, &[]).succeeded();
    let statuses = world.statuses(&first.promoted, "dev");
    assert_eq!(statuses[3..], [DEPLOYING, &(ON_ONE.to_owned() + THREE_UNSEEN)], "{statuses:?}");
    assert_eq!(world.dispatches().last(), Some(&next(&first.promoted)));
}

#[test]
fn a_merge_that_is_reverted_promotes_nothing_and_says_that_it_comes_back() {
    let world = RolloutPlatform::s1();
    world.cluster("dev", "drone");
    carried_on(&world);
    let second = world.bring_anything();
    let revert = world.gitops.revert("dev", &second.commit).unwrap();
    let (statuses, dispatches) = (world.status_count(), world.dispatches());
    let reverted = Merged { commit: revert, before: second.commit, promoted: second.promoted };
    let ran = world.check_merged(&reverted, &[]).succeeded();
    assert_eq!((world.status_count(), world.dispatches()), (statuses, dispatches));
    let said = "nothing is promoted: the merge takes back ";
    assert!(
        ran.summary.contains(said) && ran.summary.contains("the next schedule brings it again"),
        "{}",
        ran.summary
    );
    world.schedule_in("dev", &[]).succeeded();
    let again = world.open_pull("dev").expect("it is proposed again");
    assert_eq!(world.tracked(&again.head), Some(reverted.promoted));
}

#[test]
fn the_merge_of_a_rollback_is_no_revert() {
    let world = RolloutPlatform::s1();
    world.cluster("dev", "drone");
    let first = carried_on(&world);
    let second = world.bring_anything();
    world.check_merged(&second, &[]).succeeded();
    let before = world.gitops_head("dev");
    let back = [("environment", "dev"), ("commit-id", &*first.promoted), ("allow-rollback", "true")];
    world.promote(&back).succeeded();
    world.play_last().succeeded();
    let pull = world.open_pull("dev").expect("a pull request");
    let commit = world.gitops.merge_pull(pull.number, Merge::Squash).unwrap();
    // A check of the newer commit, started again meanwhile, leaves alone what the environment's branch names.
    world.check_merged(&second, &[]).succeeded();
    assert_eq!(world.statuses(&first.promoted, "dev").last().unwrap(), PROMOTED);
    let merged = Merged { commit, before, promoted: first.promoted };
    // Not all of GitHub knows at first where the branch is.
    let shown = format!(r#"[{{"ref": "refs/heads/dev", "object": {{"sha": "{}"}}}}]"#, merged.before);
    let stale = Fault::Answer { status: 200, headers: vec![], body: shown, work: Work::Skipped };
    world.sandbox.fault(At::next("GET", "*/gitops/git/matching-refs/heads/dev"), stale);
    let ran = world.check_merged(&merged, &[]).succeeded();
    assert_eq!(ran.outputs["verdict"], "compliant", "{}", ran.stdout);
    let statuses = world.statuses(&merged.promoted, "dev");
    assert!(statuses.last().unwrap().starts_with("success: Deployed to "), "{statuses:?}");
}

#[test]
fn a_promoted_pull_request_that_was_closed_unmerged_does_not_stand_in_the_next_ones_way() {
    let world = onboarded();
    let c1 = world.main();
    let closed = world.open_pull("dev").expect("a pull request");
    world.gitops.close(closed.number).unwrap();
    world.schedule_in("dev", &[]).succeeded();
    assert_eq!(world.open_pull("dev"), None, "what a person closed stays closed");
    world.cluster("dev", "drone");
    let second = world.bring_anything();
    assert_eq!(world.statuses(&c1, "dev"), [PROMOTED.to_owned(), superseded(&second.promoted)]);
    world.check_merged(&second, &[]).succeeded();
    assert_eq!(world.dispatches().last(), Some(&next(&second.promoted)));
    let closed = world.gitops.pulls().unwrap().into_iter().find(|pull| pull.number == closed.number);
    assert_eq!(closed.map(|pull| (pull.state, pull.merged)), Some((State::Closed, None)));
}

#[test]
fn the_same_commit_promoted_twice_makes_no_commit_and_resets_no_status() {
    let world = RolloutPlatform::s1();
    world.cluster("dev", "drone");
    let c1 = world.push_anything();
    world.promote_pushed(&c1).succeeded();
    let head = world.control_plane.head("dev").unwrap();
    let ran = world.promote_pushed(&c1).succeeded();
    assert_eq!(world.control_plane.head("dev").unwrap(), head);
    assert_eq!((world.statuses(&c1, "dev"), &*ran.outputs["commit-id"]), (vec![PROMOTED.to_owned()], ""));
    assert_eq!(world.dispatches(), ["schedule.yml environment=dev"; 2], "the next step is started again");
    world.play_last().succeeded();
    let m1 = world.merge("dev");
    world.checkpromote("dev", &[("commit-id", &m1)]).succeeded();
    let statuses = world.status_count();
    world.promote_pushed(&c1).succeeded();
    assert_eq!(world.status_count(), statuses, "it stays a success");
}

#[test]
fn by_hand_to_the_second_environment_before_the_first_is_green_is_refused() {
    let world = RolloutPlatform::s1();
    let c0 = world.promoted("stage");
    let c1 = world.push_anything();
    let by_hand = [("environment", "stage"), ("commit-id", &*c1)];
    for (state, said, help) in [
        ("never", "has not been promoted to dev, which comes before stage", "promote it there first"),
        ("pending", "is not deployed yet to dev, which comes before stage", "wait for the check there"),
    ] {
        let ran = world.promote(&by_hand);
        assert_eq!((ran.exit, ran.writes()), (1, 0), "{state}: {}", ran.stdout);
        let text = format!("error: commit {} {said}\n  help: {help}; `skip-check` promotes it", &c1[..7]);
        assert!(ran.stderr.contains(&text), "{state}: {}", ran.stderr);
        assert!(ran.summary.contains("skip-check"), "{}", ran.summary);
        world.promote_pushed(&c1).succeeded();
    }
    assert_eq!(world.promoted("stage"), c0);

    let ran = world.promote(&[&by_hand[..], &[("skip-check", "true")]].concat()).succeeded();
    assert_eq!(world.promoted("stage"), Some(c1.clone()));
    let marked = "pending: Promoted, the check of the preceding environment was skipped";
    assert_eq!(world.statuses(&c1, "stage"), [marked]);
    assert!(
        ran.stderr.contains(&format!("warning: the verdict of dev on {} was passed over", &c1[..7])),
        "{}",
        ran.stderr
    );
    assert_eq!(world.dispatches().last().unwrap(), "schedule.yml environment=stage");
}

#[test]
fn an_older_commit_is_promoted_only_as_a_rollback() {
    let world = RolloutPlatform::s1();
    let (c0, c1) = (world.main(), world.push_anything());
    world.promote_pushed(&c1).succeeded();
    let ran = world.promote(&[("commit-id", &*c0)]);
    let said = format!(
        "error: commit {} is older than {}, which dev has\n  help: promote a newer one, or set `allow-rollback` to go back\n",
        &c0[..7],
        &c1[..7]
    );
    assert_eq!((ran.exit, ran.writes()), (1, 0), "{}", ran.stdout);
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    let ran = world.promote(&[("commit-id", &*c0), ("allow-rollback", "true")]).succeeded();
    assert_eq!(world.promoted("dev"), Some(c0.clone()));
    assert!(ran.stderr.contains("warning: dev goes back to "), "{}", ran.stderr);
    assert_eq!(world.statuses(&c1, "dev"), [PROMOTED.to_owned(), superseded(&c0)]);
    assert_eq!(world.statuses(&c0, "dev"), [PROMOTED]);
}

#[test]
fn what_is_older_than_half_a_commit_id_is_not_guessed() {
    let world = RolloutPlatform::s1();
    let (c0, c1) = (world.main(), world.push_anything());
    world.promote_pushed(&c1).succeeded();
    world.edit("dev", "pointers.yaml", &c1, &c1[..10]);
    let ran = world.promote(&[("commit-id", &*c0)]);
    let said = format!(
        "@dev:pointers.yaml:9:11: error: `{}` is no full commit id, so that nothing tells what is older\n  help: write",
        &c1[..10]
    );
    assert_eq!((ran.exit, ran.writes()), (1, 0), "{}", ran.stdout);
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    assert_eq!(world.promoted("dev").as_deref(), Some(&c1[..10]));
}

#[test]
fn a_promotion_is_carried_on_though_its_own_status_cannot_be_written() {
    let world = RolloutPlatform::s1();
    let c1 = world.push_anything();
    let at = At::next("POST", &format!("*/statuses/{c1}"));
    world.sandbox.fault(at, Fault::error(403, "Resource not accessible by integration"));
    let ran = world.promote_pushed(&c1);
    assert_eq!((ran.exit, world.promoted("dev").as_deref()), (3, Some(&*c1)), "{}", ran.stderr);
    assert_eq!(world.dispatches(), ["schedule.yml environment=dev"]);
    assert_eq!(ran.outputs["promoted-commit-id"], c1);
    let refused = "GitHub answered 403: Resource not accessible by integration";
    assert!(ran.stderr.contains(refused) && ran.stderr.contains("\n  help: "), "{}", ran.stderr);
    let committed = format!("Promoted {} to dev", &c1[..7]);
    assert!(ran.stdout.contains(&committed), "what was done is told: {}", ran.stdout);
    assert!(ran.summary.contains(refused), "{}", ran.summary);
    world.promote_pushed(&c1).succeeded();
    assert_eq!(world.statuses(&c1, "dev"), [PROMOTED], "the next run writes it");
}

#[test]
fn nothing_goes_back_while_its_earlier_success_stands() {
    let world = RolloutPlatform::s1();
    world.cluster("dev", "drone");
    let first = carried_on(&world).promoted;
    let second = world.bring_anything().promoted;
    let back = [("commit-id", &*first), ("allow-rollback", "true")];
    let refused = || Fault::error(403, "Resource not accessible by integration");
    let success = world.statuses(&first, "dev").pop().unwrap();
    assert!(success.starts_with("success: "), "{success}");
    world.sandbox.fault(At::next("POST", &format!("*/statuses/{first}")), refused());
    let ran = world.promote(&back);
    assert_eq!((ran.exit, ran.writes()), (3, 1), "{}", ran.stderr);
    world.sandbox.fault(At::next("POST", "*/git/commits"), refused());
    let ran = world.promote(&back);
    assert_eq!((ran.exit, world.promoted("dev").as_ref()), (3, Some(&second)), "{}", ran.stderr);
    let said = world.statuses(&first, "dev");
    assert_eq!(said[said.len() - 2..], [PROMOTED, &success], "nothing has gone back");
    // Meanwhile a check of what dev still has ends what waits below it.
    let control_plane = world.control_plane.clone();
    let superseded = Status {
        sha: first.clone(),
        context: "dev environment".to_owned(),
        state: "error".to_owned(),
        description: format!("Superseded by {}", &second[..7]),
        target_url: String::new(),
        creator: "github-actions[bot]".to_owned(),
    };
    world.sandbox.before(At::next("POST", "*/git/commits"), move || control_plane.write_status(superseded));
    let at = At::next("POST", "*/dispatches");
    world.sandbox.fault(at, Fault::error(403, "Resource not accessible by integration"));
    assert_eq!(world.promote(&back).exit, 3);
    assert_eq!(world.promoted("dev").as_ref(), Some(&first));
    let statuses = world.statuses(&first, "dev");
    assert_eq!(statuses.last().unwrap(), PROMOTED);
    world.promote(&back).succeeded();
    assert_eq!(world.statuses(&first, "dev"), statuses, "and it stays");
}

#[test]
fn a_promotion_is_carried_on_though_earlier_statuses_cannot_be_ended() {
    let world = RolloutPlatform::s1();
    let c1 = world.push_anything();
    world.promote_pushed(&c1).succeeded();
    let c2 = world.push_anything();
    let forbidden = || Fault::error(403, "Resource not accessible by integration");
    // The status of the second one is written, that of the first one is not.
    world.sandbox.fault(At::next("POST", &format!("*/statuses/{c1}")), forbidden());
    let ran = world.promote_pushed(&c2).succeeded();
    assert_eq!((world.promoted("dev"), world.statuses(&c2, "dev")), (Some(c2), vec![PROMOTED.to_owned()]));
    assert_eq!(world.dispatches(), ["schedule.yml environment=dev"; 2]);
    assert!(ran.stderr.contains("warning: earlier statuses are left as they are: "), "{}", ran.stderr);

    let c3 = world.push_anything();
    world.sandbox.fault(At::next("POST", "/api/graphql"), forbidden());
    let ran = world.promote_pushed(&c3).succeeded();
    assert_eq!(
        (world.promoted("dev"), world.statuses(&c3, "dev")),
        (Some(c3.clone()), vec![PROMOTED.to_owned()])
    );
    assert_eq!(world.dispatches(), ["schedule.yml environment=dev"; 3]);
    assert!(ran.stderr.contains("warning: earlier statuses are left as they are: "), "{}", ran.stderr);
    world.promote_pushed(&c3).succeeded();
    assert_eq!(world.statuses(&c1, "dev").last(), Some(&superseded(&c3)), "the next run ends them");
}

#[test]
fn a_commit_that_is_not_on_the_base_is_refused() {
    let world = RolloutPlatform::s1();
    world.control_plane.branch("feature", &world.main()).unwrap();
    let stray = world.control_plane.commit("feature", &[("docs/notes.md", Some("x"))], "Not merged").unwrap();
    for commit in [&stray, &"f".repeat(40)] {
        let ran = world.promote(&[("commit-id", commit)]);
        let said = format!("error: commit {} is not on branch main\n  help: merge it to main", &commit[..7]);
        assert_eq!((ran.exit, ran.writes()), (1, 0), "{}", ran.stdout);
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    }
}

#[test]
fn only_the_pinned_commit_changes_in_the_environments_branch() {
    let world = RolloutPlatform::s1();
    let before = world.control_plane.files("dev").unwrap();
    let (c0, c1) = (world.main(), world.push_anything());
    let ran = world.promote(&[]).succeeded();
    let after = world.control_plane.files("dev").unwrap();
    let differ: Vec<&String> = after.keys().filter(|path| after.get(*path) != before.get(*path)).collect();
    assert_eq!(differ, ["pointers.yaml"], "the head of main, without a commit given");
    let text = |files: &super::platform::Files| String::from_utf8(files["pointers.yaml"].clone()).unwrap();
    assert_eq!(text(&after), text(&before).replace(&c0, &c1));
    let log = world.control_plane.log("dev").unwrap();
    assert_eq!(log[0].message.trim_end(), format!("Promote {} to dev", &c1[..7]));
    let want = [("commit-id", &*log[0].sha), ("promoted-commit-id", &*c1), ("environment", "dev")];
    assert_eq!(want.map(|(name, _)| (name, &*ran.outputs[name])), want);
}

#[test]
fn a_protected_branch_gets_a_pull_request() {
    let world = RolloutPlatform::s1();
    world.control_plane.protect_branch("dev", Protection::PullRequests).unwrap();
    let c1 = world.push_anything();
    let (c0, ran) = (world.promoted("dev"), world.promote_pushed(&c1).succeeded());
    assert!(ran.stderr.contains("warning: branch dev takes no pushes"), "{}", ran.stderr);
    assert_eq!(world.promoted("dev"), c0);
    let pulls = world.control_plane.pulls().unwrap();
    let [pull] = &pulls[..] else { panic!("{pulls:?}") };
    assert_eq!((&*pull.title, &*pull.base), (&*format!("Promote {} to dev", &c1[..7]), "dev"));
    let proposed = format!("pending: Promotion proposed in #{}", pull.number);
    assert_eq!(world.statuses(&c1, "dev"), [&*proposed]);
    assert!(ran.summary.contains(&format!("{}<br>proposed", &c1[..7])), "{}", ran.summary);
    assert_eq!(world.dispatches(), [""; 0], "what is not there yet cannot be scheduled");

    // Another commit before the merge goes into the same pull request.
    let c2 = world.push_anything();
    world.promote_pushed(&c2).succeeded();
    let pulls = world.control_plane.pulls().unwrap();
    let [pull] = &pulls[..] else { panic!("{pulls:?}") };
    assert_eq!(pull.title, format!("Promote {} to dev", &c2[..7]));
    world.control_plane.merge_pull(pull.number, Merge::Squash).unwrap();
    assert_eq!(world.promoted("dev"), Some(c2.clone()));
    world.promote_pushed(&c2).succeeded();
    assert_eq!(world.statuses(&c1, "dev"), [proposed.clone(), superseded(&c2)]);
    assert_eq!(world.statuses(&c2, "dev"), [&*proposed, PROMOTED], "it is merged");
    assert_eq!(world.dispatches(), ["schedule.yml environment=dev"]);
}

#[test]
fn a_pull_request_is_made_where_it_is_asked_for() {
    let world = RolloutPlatform::s1();
    let (c0, c1) = (world.promoted("dev"), world.push_anything());
    let ran = world.promote(&[("promotion", "pull-request")]).succeeded();
    assert_eq!((world.promoted("dev"), &*ran.stderr), (c0, ""), "no warning");
    let pull = world.control_plane.pulls().unwrap().remove(0);
    world.control_plane.merge_pull(pull.number, Merge::Commit).unwrap();
    assert_eq!(world.promoted("dev"), Some(c1));
}

#[test]
fn what_is_proposed_for_the_next_environment_is_handed_over() {
    let world = RolloutPlatform::s1();
    world.cluster("dev", "drone");
    world.control_plane.protect_branch("stage", Protection::PullRequests).unwrap();
    let merged = carried_on(&world);
    let pull = world.control_plane.pulls().unwrap().remove(0);
    let proposed = format!("pending: Promotion proposed in #{}", pull.number);
    assert_eq!(world.statuses(&merged.promoted, "stage"), [&*proposed]);
    world.control_plane.close(pull.number).unwrap();
    let (statuses, dispatches) = (world.status_count(), world.dispatches());
    let ran = world.check_merged(&merged, &[]).succeeded();
    assert!(ran.summary.contains("this commit was carried on before"), "{}", ran.summary);
    assert_eq!((world.status_count(), world.dispatches()), (statuses, dispatches), "it stays closed");

    // Its check goes on from there when it is merged all the same, and nobody has run `promote` since.
    world.control_plane.reopen(pull.number).unwrap();
    world.control_plane.merge_pull(pull.number, Merge::Squash).unwrap();
    world.cluster("stage", "drone");
    world.schedule_in("stage", &[]).succeeded();
    let commit = world.merge("stage");
    world.checkpromote("stage", &[("commit-id", &commit)]).succeeded();
    let deployed = format!("{ON_ONE}, 1 cluster type not observed");
    assert_eq!(world.statuses(&merged.promoted, "stage"), [&*proposed, DEPLOYING, &deployed]);
}

#[test]
fn what_is_far_behind_is_shown_left_alone_and_ended_like_anything_else() {
    let world = RolloutPlatform::s1();
    world.cluster("dev", "drone");
    let first = carried_on(&world);
    let second = world.push_anything();
    world.promote(&[("commit-id", &second)]).succeeded();
    // More than are read with the branch.
    let third = (0..55).map(|_| world.push_anything()).last().unwrap();
    let shows = |ran: &Ran, commits: [&str; 2], word: &str| {
        let [dev, stage] = commits.map(|commit| &commit[..7]);
        for link in [format!("\"dev<br>{dev}<br>{word}\""), format!("\"stage<br>{stage}<br>Promoted\"")] {
            assert!(ran.summary.contains(&link), "{link}: {}", ran.summary);
        }
        let is_read = |request: &&Request| !request.is_write();
        let queries = ran.requests.iter().filter(|request| request.kind == Kind::GraphQl).filter(is_read);
        let fetches = ran.requests.iter().filter(|request| request.path.ends_with("/info/refs"));
        (queries.count(), fetches.count())
    };

    let ran = world.check_merged(&first, &[]).succeeded();
    assert_eq!(world.statuses(&second, "dev"), [PROMOTED], "it is newer than what is checked");
    assert_eq!(shows(&ran, [&second, &first.promoted], "Promoted"), (4, 3), "one more each for stage");
    let ran = world.promote(&[("commit-id", &third)]).succeeded();
    assert_eq!(world.statuses(&second, "dev"), [PROMOTED.to_owned(), superseded(&third)]);
    assert_eq!(shows(&ran, [&third, &first.promoted], "Promoted"), (2, 3), "one more each for stage");

    // What a promotion that broke off has left to end is ended by the check of its commit.
    world.play_last().succeeded();
    world.merge("dev");
    let fourth = (0..55).map(|_| world.push_anything()).last().unwrap();
    world.sandbox.fault(At::next("POST", "*/statuses/*"), Fault::error(401, "Bad credentials"));
    assert_eq!(world.promote(&[("commit-id", &fourth)]).exit, 3);
    assert_eq!(world.statuses(&third, "dev"), [PROMOTED]);
    world.schedule_in("dev", &[]).succeeded();
    let before = world.gitops_head("dev");
    let merged = Merged { promoted: fourth, commit: world.merge("dev"), before };
    world.check_merged(&merged, &[]).succeeded();
    assert_eq!(world.statuses(&third, "dev"), [PROMOTED.to_owned(), superseded(&merged.promoted)]);
}

#[test]
fn the_first_environment_is_found_or_asked_for() {
    let world = RolloutPlatform::s1();
    let c1 = world.push_anything();
    world.promote(&[]).succeeded();
    assert_eq!(world.promoted("dev"), Some(c1));

    world.edit("main", ".environments/dev.yaml", "  next: stage\n", "");
    let ran = world.promote(&[]);
    assert_eq!((ran.exit, ran.writes()), (2, 0), "{}", ran.stdout);
    assert!(
        ran.stderr.starts_with("error: which environment is the first one: dev, stage?\n  help: give"),
        "{}",
        ran.stderr
    );
    let ran = world.promote(&[("environment", "stage")]).succeeded();
    assert!(
        ran.stderr.contains("warning: no environment names its next one"),
        "the check of the preceding one is skipped: {}",
        ran.stderr
    );
    assert_eq!(world.promoted("stage"), Some(world.main()));
}

#[test]
fn an_environment_that_is_not_declared_is_an_error_that_names_the_declared_ones() {
    let world = RolloutPlatform::s1();
    for mode in ["promote", "checkpromote", "status"] {
        let ran = world.run(mode, &[("environment", "prod")]);
        assert_eq!((ran.exit, ran.writes()), (1, 0), "{mode}: {}", ran.stdout);
        let said = "error: there is no environment `prod` in contoso/control-plane\n  help: declared are dev, stage\n";
        assert_eq!(ran.stderr, said, "{mode}");
    }
    world.control_plane.delete_branch("stage").unwrap();
    for mode in ["promote", "checkpromote", "status"] {
        let ran = world.run(mode, &[("environment", "stage")]);
        assert_eq!((ran.exit, ran.writes()), (1, 0), "{mode}: {}", ran.stdout);
        assert!(ran.stderr.contains("has no branch `stage`"), "{mode}: {}", ran.stderr);
    }
}

#[test]
fn nothing_moves_while_an_environment_is_declared_wrongly() {
    let world = RolloutPlatform::s1();
    let (path, c0) = (".environments/dev.yaml", world.promoted("stage"));
    let files = world.control_plane.files("main").unwrap();
    let good = String::from_utf8(files[path].clone()).unwrap();
    let other = good.replace("branch: dev", "branch: development");
    for (entry, said, help) in [
        (
            (path, &*good.replace("metadata:", "metadata")),
            "@main:.environments/dev.yaml:3:1: error: not YAML",
            "put a colon behind `metadata`",
        ),
        (
            (path, &*good.replace("next: stage", "next: stgae")),
            "dev.yaml:10:9: error: environment `dev` is followed by `stgae`, which is not declared",
            "did you mean `stage`?",
        ),
        (
            (path, &*good.replace("next: stage", "next: dev")),
            "environments follow each other in a circle: dev, dev",
            "remove `spec.next`",
        ),
        (
            (".environments/second.yaml", &*other),
            "second.yaml:4:9: error: the Environment `dev` stands twice with different content",
            "rename or remove",
        ),
    ] {
        let before = world.control_plane.head("main").unwrap().unwrap();
        world.control_plane.commit("main", &[(entry.0, Some(entry.1))], "a slip").unwrap();
        let writes: [(&str, &[(&str, &str)]); 4] = [
            ("promote", &[]),
            ("promote", &[("environment", "stage")]),
            ("checkpromote", &[("environment", "stage")]),
            ("status", &[("environment", "stage")]),
        ];
        for (mode, inputs) in writes {
            let ran = world.run(mode, inputs);
            assert_eq!((ran.exit, ran.writes()), (1, 0), "{said}: {}", ran.stdout);
            let told = "error: the environments cannot be used as they are declared\n  help: correct what";
            for part in [said, help, told] {
                assert!(ran.stderr.contains(part), "{mode}, {part}: {}", ran.stderr);
            }
            assert!(ran.stdout.contains("::error title=kalypso::"), "{}", ran.stdout);
        }
        world.control_plane.force("main", &before).unwrap();
    }
    assert_eq!((world.promoted("dev"), world.promoted("stage")), (c0.clone(), c0));
    assert_eq!(world.status_count(), 0);
}

#[test]
fn environments_may_be_folders_of_one_branch() {
    let world = RolloutPlatform::s1();
    let gitops = world.gitops_head("dev");
    let files = world.control_plane.files("dev").unwrap();
    let files: Vec<(String, String)> = files
        .into_iter()
        .map(|(path, bytes)| (format!("envs/dev/{path}"), String::from_utf8(bytes).unwrap()))
        .collect();
    let mut entries: Vec<(&str, Option<&str>)> =
        files.iter().map(|(path, text)| (&**path, Some(&**text))).collect();
    let declared =
        String::from_utf8(world.control_plane.files("main").unwrap()[".environments/dev.yaml"].clone());
    let declared =
        declared.unwrap().replace("branch: dev", "branch: main").replace("path: \".\"", "path: envs/dev");
    entries.push((".environments/dev.yaml", Some(&declared)));
    let c1 = world.control_plane.commit("main", &entries, "environments are folders").unwrap();
    world.control_plane.delete_branch("dev").unwrap();
    world.promote(&[("environment", "dev"), ("commit-id", &c1)]).succeeded();
    let pinned = &world.control_plane.files("main").unwrap()["envs/dev/pointers.yaml"];
    assert!(String::from_utf8_lossy(pinned).contains(&c1));
    assert_eq!(world.dispatches(), ["schedule.yml environment=dev"]);
    world.cluster("dev", "drone");
    let m1 = world.gitops.commit("dev", &[(TRACKED, Some(&c1))], "a merge").unwrap();
    assert_ne!(gitops, m1);
    world.checkpromote("dev", &[("commit-id", &m1)]).succeeded();
    assert_eq!(world.statuses(&c1, "dev"), [PROMOTED, DEPLOYING, &(ON_ONE.to_owned() + THREE_UNSEEN)]);
    assert_eq!(world.dispatches().last(), Some(&next(&c1)));
    world.status("dev", &[]).succeeded();
}

#[test]
fn a_dry_run_of_either_mode_writes_nothing() {
    let world = RolloutPlatform::s1();
    world.cluster("dev", "drone");
    let c1 = world.push_anything();
    let before = world.sandbox.snapshot().unwrap();
    let ran = world.promote(&[("dry-run", "true")]).succeeded();
    let said = format!("Dry run: {} would be promoted to dev", &c1[..7]);
    assert!(ran.stdout.contains(&said), "{}", ran.stdout);
    assert!(world.sandbox.snapshot().unwrap() == before && ran.writes() == 0);

    let merged = world.bring("dev", &c1);
    let before = world.sandbox.snapshot().unwrap();
    let ran = world.check_merged(&merged, &[("dry-run", "true")]).succeeded();
    assert!(world.sandbox.snapshot().unwrap() == before, "no status, no workflow");
    assert_eq!(told(&ran)[0], ("verdict", "compliant"));
    assert_eq!(&*ran.outputs["next-environment"], "stage");
}

#[test]
fn an_environment_is_found_wherever_its_branches_and_folders_are() {
    let world = RolloutPlatform::s1();
    let url = world.control_plane.url();
    let declared = format!(
        "apiVersion: scheduler.kalypso.io/v1alpha1\nkind: Environment\nmetadata:\n  name: dev\nspec:\n  \
         controlPlane:\n    repo: {url}\n    branch: development\n    path: env\n  next: stage\n"
    );
    let files: Vec<(String, String)> = world
        .control_plane
        .files("dev")
        .unwrap()
        .into_iter()
        .map(|(path, bytes)| (format!("env/{path}"), String::from_utf8(bytes).unwrap()))
        .collect();
    let gitops = gitops_repo("dev", &world.gitops.url(), "live/dev", "clusters/dev");
    let files = files.iter().map(|(path, text)| match text.split_once("---\n") {
        Some((base, _)) if path == "env/pointers.yaml" => (path, format!("{base}---\n{gitops}")),
        _ => (path, text.clone()),
    });
    let files: Vec<(&String, String)> = files.collect();
    let entries: Vec<(&str, Option<&str>)> =
        files.iter().map(|(path, text)| (&***path, Some(&**text))).collect();
    world.control_plane.commit("development", &entries, "another place").unwrap();
    let other = gitops_repo("other", &world.gitops.url(), "stage", ".");
    let other = [("another-environment/pointers.yaml", Some(&*other))];
    world.control_plane.commit("development", &other, "of another environment").unwrap();
    world.control_plane.delete_branch("dev").unwrap();
    world.control_plane.commit("main", &[(".environments/dev.yaml", Some(&*declared))], "it moves").unwrap();
    world.gitops.commit("live/dev", &[("README.md", Some("What runs where.\n"))], "a branch").unwrap();
    let c1 = world.main();
    world.promote_pushed(&c1).succeeded();
    assert_eq!(world.promoted("development"), Some(c1.clone()));
    world.play_last().succeeded();
    let drone = world.azure.subscription("edge").arc("drone-1").configuration("gitops");
    drone.follows(&world.gitops, "live/dev").kustomization("drone", "./clusters/dev/drone");
    assert_eq!(world.open_pull("stage"), None, "other folders are others'");
    let m1 = world.merge("live/dev");
    let tracking = format!("clusters/dev/{TRACKED}");
    assert_eq!(world.gitops.files(&m1).unwrap()[&tracking], c1.as_bytes());
    let ran = world.checkpromote("dev", &[("commit-id", &m1)]).succeeded();
    assert_eq!(
        world.statuses(&c1, "dev"),
        [PROMOTED, DEPLOYING, &(ON_ONE.to_owned() + THREE_UNSEEN)],
        "{}",
        ran.summary
    );
    assert_eq!(world.dispatches().last(), Some(&next(&c1)));
}

/// The tutorial's platform with the application's commit promoted and its pull request open.
fn onboarded() -> RolloutPlatform {
    let world = RolloutPlatform::s1();
    let c1 = world.push("s1-1-onboard-application");
    world.promote_pushed(&c1).succeeded();
    assert_eq!(world.dispatches(), ["schedule.yml environment=dev"]);
    world.play_last().succeeded();
    world
}

/// A commit that is deployed to dev and promoted to stage.
fn carried_on(world: &RolloutPlatform) -> Merged {
    let merged = world.bring_anything();
    world.check_merged(&merged, &[]).succeeded();
    world.play_last().succeeded();
    merged
}

/// A promotion whose pull request comes to dev in some way is carried on, once.
#[track_caller]
fn found_after(merge: impl FnOnce(&RolloutPlatform) -> String) {
    let world = onboarded();
    let (c1, before) = (world.main(), world.gitops_head("dev"));
    world.cluster("dev", "drone");
    let merged = Merged { promoted: c1.clone(), commit: merge(&world), before };
    for _ in 0..2 {
        world.check_merged(&merged, &[]).succeeded();
        let promotes: Vec<String> =
            world.dispatches().into_iter().filter(|one| one.starts_with("promote.yml")).collect();
        assert_eq!(promotes, [next(&c1)]);
        let deployed = ON_ONE.to_owned() + THREE_UNSEEN;
        assert_eq!(world.statuses(&c1, "dev"), [PROMOTED, DEPLOYING, &deployed]);
        if world.promoted("stage") != Some(c1.clone()) {
            world.play_last().succeeded();
        }
    }
}

/// Dev's configuration changes, and its pull request is merged.
fn configured(world: &RolloutPlatform, value: &str) -> Merged {
    let before = world.gitops_head("dev");
    world.edit("dev", "config.yaml", "ENVIRONMENT: Dev", &format!("ENVIRONMENT: {value}"));
    world.schedule_in("dev", &[]).succeeded();
    let pull = world.open_pull("dev").expect("a pull request");
    assert_eq!(pull.labels, [""; 0], "nothing is promoted");
    let commit = world.merge("dev");
    Merged { promoted: world.tracked(&commit).expect("a commit"), commit, before }
}

/// The environment's branch becomes that of a golden case.
fn set_branch(world: &RolloutPlatform, case: &str) {
    let case = Case::new(case);
    world.set_branch_of(&case.environment(), case.control_plane());
}

/// What the outputs of a check say.
fn told(ran: &Ran) -> [(&'static str, &str); 4] {
    ["verdict", "clusters", "clusters-compliant", "next"].map(|name| match name {
        "next" => (name, &*ran.outputs["next-environment"]),
        name => (name, &*ran.outputs[name]),
    })
}

fn title(commit: &str) -> String {
    format!("Update manifests in dev: promote {}", &commit[..7])
}

fn superseded(by: &str) -> String {
    format!("error: Superseded by {}", &by[..7])
}

/// The workflow that promotes a commit to stage.
fn next(commit: &str) -> String {
    format!("promote.yml commit-id={commit} environment=stage")
}
