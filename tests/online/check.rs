//! A check while it watches clusters: what it waits for, what ends it, and how its status ends.

use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use kalypso_sandbox::azure::{Gone, Life, Trouble, Waits};
use kalypso_sandbox::{Access, At, Fault, Kind, Work};

use super::platform::{Case, TRACKED, gitops_repo};
use super::rollout_platform::{Merged, RolloutPlatform, SUBSCRIPTION};

const PROMOTED: &str = "pending: Promoted";
const DEPLOYING: &str = "pending: Deploying";
const DEPLOYED: &str = "success: Deployed to 1 configuration on 1 cluster, 3 cluster types not observed";
const GRAPH: &str = "/providers/Microsoft.ResourceGraph/resources";

#[test]
fn what_is_synced_and_not_applied_is_waited_for_though_the_state_is_still_compliant() {
    let (world, merged) = merged(&[("drone", applies_after(3))]);
    let ran = world.check_merged(&merged, &[]).succeeded();
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, DEPLOYED]);
    assert!(ran.stdout.contains("not applied, kustomization drone at "), "{}", ran.stdout);
    assert!(!ran.stdout.contains("Non-Compliant"), "{}", ran.stdout);
}

#[test]
fn one_of_several_that_is_not_done_in_time_is_named_with_its_commit_and_message() {
    let waits = Trouble::new("DependencyNotReady", "dependency 'flux-system/infra' is not ready");
    let lives =
        [("drone", Life::default()), ("large", Life::default().fails(waits)), ("small", Life::default())];
    let (world, merged) = merged(&lives);
    let ran = world.check_merged(&merged, &[("timeout", "3s")]);
    assert_eq!((ran.exit, &*ran.outputs["verdict"]), (1, "timeout"), "{}", ran.stderr);
    let failed = "failure: Failed to deploy: 1 of 3 still waiting after 3 s: large-1";
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, failed]);
    assert_eq!((&*ran.outputs["clusters"], &*ran.outputs["clusters-compliant"]), ("3", "2"));
    let (_, open) = ran.summary.split_once("### Not done").expect("what is not done");
    let message = "dependency 'flux-system/infra' is not ready";
    for part in ["`large-1`", &merged.commit[..7], "`large` at no commit", message] {
        assert!(open.contains(part), "{part}: {open}");
    }
    assert!(!open.contains("drone-1"), "{open}");
    assert_eq!(promotes(&world), [""; 0]);
}

#[test]
fn a_token_that_ends_before_the_check_may_is_warned_of() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    let token = "ghs_canary_of_an_app";
    world.sandbox.token(token, Access::read("contoso/gitops").named("follower"));
    let warning = "warning: `gitops-token` is a GitHub App's token: it ends after an hour";
    for (timeout, is_warned) in [("6s", false), ("61m", true)] {
        let ran = world.check_merged(&merged, &[("gitops-token", token), ("timeout", timeout)]).succeeded();
        assert_eq!(ran.stderr.contains(warning), is_warned, "{}", ran.stderr);
    }
}

#[test]
fn a_newer_commit_with_the_same_promoted_commit_satisfies_the_check() {
    let (world, merged) = merged(&[("drone", applies_after(2))]);
    let gitops = world.gitops.clone();
    meanwhile(&world, move || {
        gitops.commit("dev", &[("drone/note", Some("of a config-only merge"))], "config only")?;
        Ok(())
    });
    world.check_merged(&merged, &[]).succeeded();
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, DEPLOYED]);
    assert_eq!(promotes(&world), [next(&merged.promoted)]);
}

#[test]
fn a_newer_commit_with_a_newer_promoted_commit_supersedes_the_check() {
    let (world, merged) = merged(&[("drone", applies_after(3600))]);
    let newer = world.push_anything();
    let (gitops, tracked) = (world.gitops.clone(), format!("{newer}\n"));
    meanwhile(&world, move || {
        gitops.commit("dev", &[(TRACKED, Some(&tracked))], "the next promotion")?;
        Ok(())
    });
    let ran = world.check_merged(&merged, &[]).succeeded();
    assert_eq!(ran.outputs["verdict"], "superseded");
    let superseded = format!("error: Superseded by {}", &newer[..7]);
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, &superseded]);
    assert_eq!(promotes(&world), [""; 0]);
}

#[test]
fn a_newer_commit_that_reverts_it_ends_the_check_as_reverted() {
    let (world, merged) = merged(&[("drone", applies_after(3600))]);
    let before = world.tracked(&merged.before).expect("a commit");
    let (gitops, commit) = (world.gitops.clone(), merged.commit.clone());
    meanwhile(&world, move || gitops.revert("dev", &commit).map(drop));
    let ran = world.check_merged(&merged, &[]).succeeded();
    assert_eq!(ran.outputs["verdict"], "reverted");
    let reverted = format!("error: Reverted by {}", &before[..7]);
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, &reverted]);
    assert!(ran.summary.contains("The next schedule brings the content back"), "{}", ran.summary);
    assert_eq!(promotes(&world), [""; 0]);
}

#[test]
fn a_commit_that_is_named_for_a_branch_that_tracks_none_is_carried_on_past_a_config_only_merge() {
    let (world, mut merged) = merged(&[("drone", applies_after(2))]);
    merged.commit = world.gitops.commit("dev", &[(TRACKED, None)], "nothing is tracked").unwrap();
    let gitops = world.gitops.clone();
    meanwhile(&world, move || {
        gitops.commit("dev", &[("drone/note", Some("of a config-only merge"))], "config only")?;
        Ok(())
    });
    let named = [("promoted-commit-id", &*merged.promoted)];
    let ran = world.check_merged(&merged, &named).succeeded();
    assert_eq!(ran.outputs["verdict"], "compliant");
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, DEPLOYED]);
    assert_eq!(promotes(&world), [next(&merged.promoted)]);
    let said = format!("; promoted commit [`{}`]", &merged.promoted[..7]);
    assert!(ran.summary.contains(&said), "{}", ran.summary);
}

/// A copy of a repository that lags behind shows a branch where it was before.
#[test]
fn a_branch_that_is_shown_where_it_was_before_is_looked_at_again() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    let shown = format!(r#"[{{"ref": "refs/heads/dev", "object": {{"sha": "{}"}}}}]"#, merged.before);
    for look in 1..3 {
        let stale = Fault::Answer { status: 200, headers: vec![], body: shown.clone(), work: Work::Skipped };
        world
            .sandbox
            .fault(At::Matching("GET", "*/gitops/git/matching-refs/heads/dev".to_owned(), look), stale);
    }
    world.check_merged(&merged, &[]).succeeded();
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, DEPLOYED]);
    assert_eq!(promotes(&world), [next(&merged.promoted)]);
}

/// That takes the minute in which a look at a branch may show what was before.
#[test]
fn a_branch_that_is_forced_to_another_history_supersedes_the_check() {
    let (world, merged) = merged(&[("drone", applies_after(3600))]);
    let other = world.gitops.commit("begun-anew", &[("README.md", Some("x"))], "Begin anew").unwrap();
    let (gitops, head) = (world.gitops.clone(), other.clone());
    meanwhile(&world, move || gitops.force("dev", &head));
    let ran = world.check_merged(&merged, &[]).succeeded();
    assert_eq!(ran.outputs["verdict"], "superseded");
    assert!(!ran.stderr.contains("tried again"), "{}", ran.stderr);
    let superseded = format!("error: Superseded by {} on branch dev", &other[..7]);
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, &superseded]);
}

#[test]
fn a_merge_that_not_all_of_github_knows_yet_is_asked_for_again() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    world.gitops.hide(&merged.commit).unwrap();
    let gitops = world.gitops.clone();
    world.sandbox.before(At::Matching("POST", "/api/graphql".to_owned(), 1), move || gitops.reveal());
    let ran = world.check_merged(&merged, &[]).succeeded();
    let said =
        format!("waiting 10 s: GitHub does not know commit {} of contoso/gitops yet\n", &merged.commit[..7]);
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, DEPLOYED]);
    assert_eq!(promotes(&world), [next(&merged.promoted)]);
}

/// A copy of a repository that lags behind says of a new commit that it is not there.
#[test]
fn a_head_that_not_all_of_github_knows_yet_is_asked_for_again() {
    for (method, path, number, why) in [
        ("POST", GRAPH, 2, "neither what it is on top of nor what it tracks is known"),
        ("POST", "/api/graphql", 3, "it is known to be on top, and not what it tracks"),
    ] {
        let (world, merged) = merged(&[("drone", applies_after(3))]);
        let (gitops, shows) = (world.gitops.clone(), world.gitops.clone());
        meanwhile(&world, move || {
            gitops.commit("dev", &[("drone/note", Some("of a config-only merge"))], "config only")?;
            Ok(())
        });
        let gitops = world.gitops.clone();
        world.sandbox.before(At::Matching(method, path.to_owned(), number), move || {
            gitops.hide(&gitops.head("dev")?.unwrap_or_default())
        });
        // So many looks at the branch later.
        let look = At::Matching("GET", "*/git/matching-refs/*".to_owned(), 7);
        world.sandbox.before(look, move || shows.reveal());
        let ran = world.check_merged(&merged, &[("timeout", "30s")]).succeeded();
        let head = world.gitops_head("dev");
        let said = format!(
            "warning: GitHub names commit {} of contoso/gitops, branch dev, and does not find it; it is tried again\n",
            &head[..7]
        );
        assert!(ran.stderr.contains(&said), "{why}: {}", ran.stderr);
        assert_eq!(ran.outputs["verdict"], "compliant", "{why}");
        assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, DEPLOYED], "{why}");
        assert_eq!(promotes(&world), [next(&merged.promoted)], "{why}");
    }
}

#[test]
fn a_late_check_of_a_commit_that_is_not_the_newest_any_more_is_superseded_at_once() {
    let (world, first) = merged(&[("drone", Life::default())]);
    let second = world.bring_anything();
    let ran = world.check_merged(&first, &[]).succeeded();
    assert_eq!(ran.outputs["verdict"], "superseded");
    let superseded = format!("error: Superseded by {}", &second.promoted[..7]);
    assert_eq!(world.statuses(&first.promoted, "dev"), [PROMOTED.to_owned(), superseded]);
    world.check_merged(&second, &[]).succeeded();
    assert_eq!(promotes(&world), [next(&second.promoted)]);
}

#[test]
fn no_configuration_is_a_failure_with_a_diagnosis() {
    let (world, merged) = merged(&[]);
    world.cluster("stage", "drone");
    let ran = world.check_merged(&merged, &[]);
    assert_eq!((ran.exit, &*ran.outputs["verdict"]), (1, "no-clusters"), "{}", ran.stderr);
    let failed = "failure: Failed to deploy: no cluster follows branch dev";
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, failed]);
    let subscription = world.azure.subscription(SUBSCRIPTION).id().to_owned();
    for part in ["stage", &subscription] {
        assert!(ran.summary.contains(part), "what is visible: {part}: {}", ran.summary);
    }
    assert_eq!(promotes(&world), [""; 0]);

    let ran = world.check_merged(&merged, &[("min-clusters", "0")]).succeeded();
    assert_eq!((&*ran.outputs["verdict"], &*ran.outputs["clusters"]), ("compliant", "0"));
    assert_eq!(promotes(&world), [next(&merged.promoted)]);
}

#[test]
fn fewer_clusters_than_required_are_a_failure() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    let ran = world.check_merged(&merged, &[("min-clusters", "2")]);
    assert_eq!((ran.exit, &*ran.outputs["verdict"]), (1, "no-clusters"), "{}", ran.stderr);
    let failed = "failure: Failed to deploy: 1 cluster on branch dev, at least 2 required";
    assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), failed);
}

#[test]
fn a_given_subscription_that_is_not_visible_is_a_failure() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    let visible = world.azure.subscription(SUBSCRIPTION);
    let hidden = world.azure.subscription("hidden");
    world.azure.application(super::rollout_platform::CLIENT).sees(&[&visible]);
    let both = format!("{}, {}", visible.id(), hidden.id());
    let ran = world.check_merged(&merged, &[("azure-subscriptions", &both)]);
    assert_ne!(ran.exit, 0);
    assert!(ran.stderr.contains(hidden.id()) && ran.stderr.contains("help: "), "{}", ran.stderr);
    let statuses = world.statuses(&merged.promoted, "dev");
    assert!(
        statuses.len() == 3 && statuses[2].starts_with("error: The check could not be done: "),
        "{statuses:?}"
    );
    assert_eq!(promotes(&world), [""; 0]);

    world.check_merged(&merged, &[("azure-subscriptions", visible.id())]).succeeded();
    assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), DEPLOYED);
}

#[test]
fn throttling_failing_services_and_expired_tokens_are_waited_out() {
    let (world, merged) = merged(&[("drone", applies_after(6))]);
    let graph = |index| At::Matching("POST", GRAPH.to_owned(), index);
    let throttled =
        Fault::azure_error(429, "RateLimiting", "Please provide below info when asking for support");
    world.sandbox.fault(graph(2), throttled.after(1));
    world.sandbox.fault(graph(3), Fault::azure_error(503, "ServerBusy", "The server is busy"));
    let azure = world.azure.clone();
    world.sandbox.before(graph(4), move || {
        azure.revoke_tokens();
        Ok(())
    });
    // What the client itself does not try again, the check does.
    world.sandbox.fault(graph(5), Fault::azure_error(403, "AuthorizationFailed", "The role comes later"));
    let ran = world.check_merged(&merged, &[("timeout", "30s")]).succeeded();
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, DEPLOYED]);
    assert_eq!(promotes(&world), [next(&merged.promoted)]);
    let sign_ins = ran.requests.iter().filter(|request| request.kind == Kind::Entra).count();
    assert_eq!(sign_ins, 2, "once more when the token was gone");
    assert!(ran.stderr.contains("; it is tried again\n"), "{}", ran.stderr);
}

#[test]
fn what_is_asked_for_too_often_is_not_asked_for_again_before_its_time() {
    let head = "*/contoso/gitops/git/matching-refs/heads/dev";
    let throttled = Fault::azure_error(429, "RateLimiting", "Please slow down.").after(300);
    for (at, fault, path, why) in [
        (At::Matching("POST", GRAPH.to_owned(), 1), throttled, GRAPH, "by Azure"),
        (
            At::Matching("GET", head.to_owned(), 1),
            Fault::retry_after(403, "You have exceeded a rate limit.", 600),
            &head[1..],
            "by GitHub",
        ),
    ] {
        let (world, merged) = merged(&[("drone", applies_after(1))]);
        world.sandbox.fault(at, fault);
        let ran = world.check_merged(&merged, &[]).succeeded();
        assert!(ran.stderr.contains("; it is tried again\n"), "{why}: {}", ran.stderr);
        assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, DEPLOYED], "{why}");
        let refused = ran.requests.iter().position(|it| matches!(it.status, Some(403 | 429)));
        let later = &ran.requests[refused.expect("it is refused") + 1..];
        let again = later.iter().filter(|request| request.path.ends_with(path)).count();
        assert!(again <= 2, "{why}: {again} times, once more when time is over and all rows");
    }
}

#[test]
fn subscriptions_that_cannot_be_looked_up_at_first_are_looked_up_later() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    let throttled = Fault::azure_error(429, "TooManyRequests", "Please slow down.").after(300);
    world.sandbox.fault(At::next("GET", "/subscriptions"), throttled);
    let id = world.azure.subscription(SUBSCRIPTION).id().to_owned();
    let ran = world.check_merged(&merged, &[("azure-subscriptions", &id), ("timeout", "2s")]).succeeded();
    assert!(ran.stderr.contains("warning: cannot list the subscriptions: "), "{}", ran.stderr);
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, DEPLOYED]);
    let asked = ran.requests.iter().filter(|request| request.path == "/subscriptions").count();
    assert_eq!(asked, 2, "once more, and not again when they were seen");
}

#[test]
fn a_configuration_is_gone_only_if_azure_says_that_it_is_not_there() {
    for (code, verdict) in [
        ("InvalidResourceType", "timeout"),
        ("NoRegisteredProviderFound", "timeout"),
        ("NotFound", "timeout"),
        ("ResourceNotFound", "compliant"),
    ] {
        let (world, merged) = merged(&[("drone", Life::default()), ("large", applies_after(3600))]);
        for index in 0..2 {
            let at = At::Matching("GET", "*/fluxconfigurations/*".to_owned(), index);
            world.sandbox.fault(at, Fault::azure_error(404, code, "It could not be found."));
        }
        let ran = world.check_merged(&merged, &[("timeout", "1s")]);
        assert_eq!(ran.outputs["verdict"], verdict, "{code}: {}", ran.stderr);
        let said = format!(
            "connectedclusters/large-1/providers/microsoft.kubernetesconfiguration/fluxconfigurations/gitops-dev: \
                            Azure answered 404: {code}: It could not be found."
        );
        assert_eq!(ran.stderr.contains(&said), verdict == "timeout", "{code}: {}", ran.stderr);
        assert_eq!(ran.summary.contains("it cannot be read now"), verdict == "timeout", "{}", ran.summary);
    }
}

#[test]
fn a_configuration_is_gone_where_its_clusters_list_lacks_it_whatever_azure_says_of_it() {
    for (how, list, verdict, why) in [
        (Gone::Named, None, "compliant", "its code says so"),
        (Gone::Bare, None, "compliant", "the list does"),
        (Gone::Unnamed, None, "compliant", "the list does"),
        (Gone::Bare, Some((404, "NotFound")), "timeout", "nobody knows of such lists"),
        (Gone::Bare, Some((404, "InvalidResourceType")), "timeout", "this one neither"),
        (Gone::Bare, Some((403, "AuthorizationFailed")), "timeout", "it may not be seen"),
    ] {
        let leaves = Life::default().leaves_after(Duration::ZERO).indexed_after(Duration::from_secs(3600));
        let (world, merged) = merged(&[("drone", Life::default()), ("large", leaves)]);
        world.azure.says_gone(how);
        for index in 0..4 {
            let at = At::Matching("GET", "*/fluxconfigurations".to_owned(), index);
            if let Some((status, code)) = list {
                world.sandbox.fault(at, Fault::azure_error(status, code, "No."));
            }
        }
        let ran = world.check_merged(&merged, &[("timeout", "2s")]);
        assert_eq!(ran.outputs["verdict"], verdict, "{how:?}, {why}: {}", ran.stderr);
        let lists = ran.requests.iter().filter(|it| it.path.ends_with("/fluxconfigurations")).count();
        assert_eq!(lists > 0, how != Gone::Named, "{how:?}, {why}: {lists}");
    }
}

#[test]
fn a_cancelled_run_ends_its_status_itself() {
    let (world, merged) = merged(&[("drone", applies_after(3600))]);
    let mut run = world.watching(&merged);
    signal(&run, "INT");
    let status = run.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, "error: Cancelled"]);
    world.finish().succeeded();
    assert_eq!(world.statuses(&merged.promoted, "dev").len(), 3, "there is nothing left to end");
}

#[test]
fn a_run_that_was_killed_is_ended_by_the_end_of_its_step() {
    let (world, merged) = merged(&[("drone", applies_after(3600))]);
    let mut run = world.watching(&merged);
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING]);
    world.finish().succeeded();
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, "error: Cancelled"]);
}

#[test]
fn a_run_whose_runner_is_lost_is_ended_by_the_next_run() {
    let (world, first) = merged(&[("drone", applies_after(3600))]);
    let mut run = world.watching(&first);
    run.kill().unwrap();
    run.wait().unwrap();
    world.control_plane.finish_run(LOST_RUN).unwrap();
    let second = world.bring_anything();
    assert_eq!(
        world.statuses(&first.promoted, "dev"),
        [PROMOTED, DEPLOYING, "error: Cancelled"],
        "promote is a run, too"
    );
    assert_eq!(world.statuses(&second.promoted, "dev"), [PROMOTED]);
}

#[test]
fn a_lost_run_of_a_commit_that_is_far_behind_by_now_is_ended_by_the_next_check() {
    let (world, first) = merged(&[("drone", applies_after(3600))]);
    let mut run = world.watching(&first);
    run.kill().unwrap();
    run.wait().unwrap();
    (0..55).for_each(|_| drop(world.push_anything()));
    let second = world.bring_anything();
    assert_eq!(
        world.statuses(&first.promoted, "dev"),
        [PROMOTED, DEPLOYING],
        "it goes on for all GitHub knows"
    );
    world.control_plane.finish_run(LOST_RUN).unwrap();
    world.cluster("dev", "drone").live(Life::default());
    world.check_merged(&second, &[]).succeeded();
    assert_eq!(world.statuses(&first.promoted, "dev"), [PROMOTED, DEPLOYING, "error: Cancelled"]);
    assert_eq!(world.statuses(&second.promoted, "dev"), [PROMOTED, DEPLOYING, DEPLOYED]);
}

#[test]
fn what_an_environment_has_to_pass_to_is_left_to_the_caller_where_that_is_wished() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    let ran = world.check_merged(&merged, &[("promote", "false")]).succeeded();
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, DEPLOYED]);
    assert_eq!((&*ran.outputs["next-environment"], promotes(&world).len()), ("stage", 0));
    let ran = world.check_merged(&merged, &[("promote-workflow", "")]).succeeded();
    assert_eq!((&*ran.outputs["next-environment"], promotes(&world).len()), ("stage", 0));
    let ran = world.check_merged(&merged, &[("promote", "true")]).succeeded();
    assert_eq!(&*ran.outputs["next-environment"], "stage");
    assert_eq!(promotes(&world), [next(&merged.promoted)], "what is left may be done later");
}

#[test]
fn the_environment_that_follows_is_an_input_or_declared_or_none() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    world.edit("main", ".environments/dev.yaml", "  next: stage\n", "");
    let ran = world.check_merged(&merged, &[("next-environment", "prod")]);
    assert_ne!(ran.exit, 0);
    assert!(ran.stderr.contains("there is no environment `prod`"), "{}", ran.stderr);
    world.check_merged(&merged, &[]).succeeded();
    assert_eq!((promotes(&world), world.statuses(&merged.promoted, "dev").len()), (vec![], 3));
    world.check_merged(&merged, &[("next-environment", "stage")]).succeeded();
    assert_eq!(promotes(&world), [next(&merged.promoted)]);
}

/// GitHub drops outputs that contain a secret.
#[test]
fn a_secret_may_name_the_environment_that_follows_where_nothing_else_does() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    let check = || {
        let pushed = [("environment", "dev"), ("commit-id", &*merged.commit), ("before", &*merged.before)];
        let mut command = world.command_of("checkpromote", &pushed);
        command.env("NEXT_ENVIRONMENT", "stage");
        world.collect_run(command).succeeded()
    };
    let warning =
        "warning: a secret names the next environment, so that no output does\n  help: write `next` into";
    world.edit("main", ".environments/dev.yaml", "  next: stage\n", "");
    let ran = check();
    assert!(ran.stderr.contains(warning), "{}", ran.stderr);
    assert_eq!((&*ran.outputs["next-environment"], promotes(&world)), ("", vec![next(&merged.promoted)]));
    world.edit("main", ".environments/dev.yaml", "spec:\n", "spec:\n  next: stage\n");
    let ran = check();
    assert!(!ran.stderr.contains(warning), "{}", ran.stderr);
}

#[test]
fn a_promotion_that_cannot_be_started_is_said_and_made_up_for_by_the_next_run() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    let dispatch = "*/actions/workflows/promote.yml/dispatches";
    world
        .sandbox
        .fault(At::next("POST", dispatch), Fault::error(403, "Resource not accessible by integration"));
    let ran = world.check_merged(&merged, &[]);
    assert_ne!(ran.exit, 0, "{}", ran.stdout);
    let statuses = world.statuses(&merged.promoted, "dev");
    assert!(
        statuses.last().unwrap().ends_with(", but promote for stage could not be started"),
        "{statuses:?}"
    );
    assert!(statuses.last().unwrap().starts_with("success: Deployed"), "{statuses:?}");
    assert!(ran.stderr.contains("error: promote for stage could not be started: "), "{}", ran.stderr);
    world.check_merged(&merged, &[]).succeeded();
    assert_eq!(promotes(&world), [next(&merged.promoted)]);
}

#[test]
fn what_was_waited_for_is_told_though_its_status_cannot_be_written() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    let refused = Fault::error(403, "Resource not accessible by integration");
    world.sandbox.fault(At::Matching("POST", "*/statuses/*".to_owned(), 1), refused);
    let ran = world.check_merged(&merged, &[]);
    assert_eq!((ran.exit, &*ran.outputs["verdict"]), (3, "compliant"), "{}", ran.stderr);
    assert!(ran.summary.contains("| `drone` | 1 of 1 |"), "{}", ran.summary);
    assert!(ran.stdout.contains("Deployed to 1 configuration on 1 cluster"), "{}", ran.stdout);
    assert!(ran.stderr.contains("error: cannot set the status of a commit"), "{}", ran.stderr);
    assert_eq!(promotes(&world), [""; 0], "what no status says is not handed over");
    world.finish().succeeded();
    assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), "error: Cancelled");
    world.check_merged(&merged, &[]).succeeded();
    assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), DEPLOYED);
    assert_eq!(promotes(&world), [next(&merged.promoted)]);
}

#[test]
fn clusters_are_watched_though_earlier_statuses_cannot_be_read() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    let history = At::Matching("POST", "/api/graphql".to_owned(), 2);
    world.sandbox.fault(history, Fault::error(403, "Resource not accessible by integration"));
    let ran = world.check_merged(&merged, &[]).succeeded();
    assert!(ran.stderr.contains("warning: earlier statuses are left as they are: "), "{}", ran.stderr);
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, DEPLOYED]);
    assert_eq!(promotes(&world), [next(&merged.promoted)]);
}

#[test]
fn one_of_several_gitops_repos_must_be_named() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    let second = gitops_repo("second", &world.gitops.url(), "second", ".");
    world.control_plane.commit("dev", &[("second.yaml", Some(&second))], "a second branch").unwrap();
    let ran = world.check_merged(&merged, &[]);
    assert_eq!((ran.exit, ran.writes()), (2, 0), "{}", ran.stdout);
    let said = "error: which GitOpsRepo of `dev`?\n  help: give --gitops-repo with one of dev, second\n";
    assert_eq!(ran.stderr, said);
    let ran = world.check_merged(&merged, &[("gitops-repo", "third")]);
    assert_eq!(
        (ran.exit, &*ran.stderr),
        (2, "error: `dev` has no GitOpsRepo `third`\n  help: there are dev, second\n")
    );
    world.check_merged(&merged, &[("gitops-repo", "dev")]).succeeded();
    let waits = "pending: Deployed to dev, waiting for second";
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, waits]);
}

#[test]
fn cluster_types_without_a_cluster_are_said_or_refused() {
    let (world, merged) = merged(&[("drone", Life::default()), ("large", Life::default())]);
    let ran = world.check_merged(&merged, &[("require-cluster-types", "true")]);
    assert_eq!((ran.exit, &*ran.outputs["verdict"]), (1, "failed"));
    let failed = "failure: Failed to deploy: 2 cluster types not observed: command-center, small";
    assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), failed);
    let ran = world.check_merged(&merged, &[]).succeeded();
    let deployed = "success: Deployed to 2 configurations on 2 clusters, 2 cluster types not observed";
    assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), deployed);
    assert!(ran.summary.contains("| `small` | not observed |"), "{}", ran.summary);
}

#[test]
fn a_suspended_configuration_is_ignored_waited_for_or_a_failure() {
    let suspended = || Life::default().suspends_after(Duration::ZERO);
    for (how, exit, end) in [
        (
            "",
            0,
            "success: Deployed to 2 configurations on 2 clusters, 2 cluster types not observed, 1 ignored",
        ),
        ("wait", 1, "failure: Failed to deploy: 1 of 3 still waiting after 2 s: drone-2"),
        ("fail", 1, "failure: Failed to deploy: 1 of 3 failed, drone-2: suspended"),
    ] {
        let (world, merged) = merged(&[("drone", Life::default()), ("large", Life::default())]);
        world.named_cluster("drone-2", "dev", "drone").live(suspended());
        let ran = world.check_merged(&merged, &[("on-suspended", how), ("timeout", "2s")]);
        assert_eq!(ran.exit, exit, "{how}: {}", ran.stderr);
        assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), end, "{how}");
    }
    // What is ignored makes no cluster type green.
    let (world, merged) = merged(&[("drone", Life::default()), ("large", suspended())]);
    let ran = world.check_merged(&merged, &[("timeout", "2s")]);
    assert_eq!(ran.exit, 1, "{}", ran.summary);
    assert_eq!(promotes(&world), [""; 0]);
}

#[test]
fn a_cluster_that_is_not_connected_is_waited_for_ignored_or_a_failure() {
    for (how, exit, end) in [
        ("", 1, "failure: Failed to deploy: 1 of 2 still waiting after 2 s: drone-2"),
        (
            "ignore",
            0,
            "success: Deployed to 1 configuration on 1 cluster, 3 cluster types not observed, 1 ignored",
        ),
        ("fail", 1, "failure: Failed to deploy: 1 of 2 failed, drone-2: cluster Offline"),
    ] {
        let world = RolloutPlatform::s1();
        world.cluster("dev", "drone");
        world.named_cluster("drone-2", "dev", "drone");
        world.azure.subscription(SUBSCRIPTION).arc("drone-2").disconnect();
        world.sandbox.advance(Duration::from_secs(2));
        let merged = world.bring_anything();
        let ran = world.check_merged(&merged, &[("on-disconnected", how), ("timeout", "2s")]);
        assert_eq!(ran.exit, exit, "{how}: {}", ran.stderr);
        let statuses = world.statuses(&merged.promoted, "dev");
        assert!(statuses.last().unwrap().starts_with(end), "{how}: {statuses:?}");
        assert!(ran.summary.contains("last contact"), "{how}: {}", ran.summary);
    }
}

#[test]
fn what_is_held_is_said_or_a_failure() {
    let world = RolloutPlatform::new("s2-1-register", &["s2-2-qa-policy"]);
    world.cluster("dev", "dev");
    world.push("s2-4-dev-lacks-a-value");
    world.schedule_in("dev", &[]).succeeded();
    world.merge("dev");
    let merged = world.bring_anything();
    let ran = world.check_merged(&merged, &[("on-held", "fail")]);
    assert_eq!((ran.exit, &*ran.outputs["verdict"]), (1, "failed"), "{}", ran.stderr);
    assert_eq!(
        world.statuses(&merged.promoted, "dev").last().unwrap(),
        "failure: Failed to deploy: 1 deployment target held"
    );
    assert!(ran.summary.contains("basic-inference-dev"), "{}", ran.summary);
    assert_eq!(promotes(&world), [""; 0]);
    world.check_merged(&merged, &[]).succeeded();
    let deployed = "success: Deployed to 1 configuration on 1 cluster, 1 held";
    assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), deployed);
    assert_eq!(promotes(&world).len(), 1);
}

/// A file of more than a megabyte is cut by one of GitHub's interfaces, and empty in another.
#[test]
fn what_is_held_is_found_among_20_000_targets_of_a_cluster_type() {
    let (world, mut merged) = merged(&[("drone", Life::default())]);
    let line = |number: usize| {
        let state = if number == 20_000 { "held" } else { "ok" };
        format!("an-application-of-the-platform-{number:05} application-{number:05} - {state}\n")
    };
    let lines: String = (1..=20_000).map(line).collect();
    assert!(lines.len() > 1 << 20, "{}", lines.len());
    let files = [(".github/tracking/assignments/drone", Some(&*lines)), ("drone/note", Some("of a merge"))];
    merged.commit = world.gitops.commit("dev", &files, "many targets").unwrap();
    let ran = world.check_merged(&merged, &[]).succeeded();
    let deployed = "success: Deployed to 1 configuration on 1 cluster, 1 held, 3 cluster types not observed";
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, deployed]);
    assert!(ran.summary.contains("an-application-of-the-platform-20000"), "{}", ran.summary);
    let blobs = ran.requests.iter().filter(|request| request.path.contains("/git/blobs/"));
    assert_eq!(blobs.count(), 1, "the others are short");
}

#[test]
fn a_promotion_of_which_everything_is_held_is_a_failure() {
    let world = RolloutPlatform::new("s2-1-register", &["s2-2-qa-policy"]);
    world.cluster("dev", "dev");
    world.push("s2-4-dev-lacks-a-value");
    let merged = world.bring_anything();
    let ran = world.check_merged(&merged, &[]);
    assert_eq!((ran.exit, &*ran.outputs["verdict"]), (1, "failed"), "{}", ran.stderr);
    let failed = "failure: Failed to deploy: everything that this promotion changed is held";
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, failed]);
    assert_eq!(promotes(&world), [""; 0]);
}

#[test]
fn what_is_wholly_held_stays_a_failure_after_other_merges() {
    let world = RolloutPlatform::new("s2-1-register", &["s2-2-qa-policy"]);
    world.cluster("dev", "dev");
    world.push("s2-4-dev-lacks-a-value");
    let merged = world.bring_anything();
    let failed = "failure: Failed to deploy: everything that this promotion changed is held";
    assert_eq!(world.check_merged(&merged, &[]).exit, 1);
    let later = [("dev/note", "of a merge that changes configuration"), (".github/note", "of another one")];
    let mut before = merged.commit.clone();
    for (path, text) in later {
        let commit = world.gitops.commit("dev", &[(path, Some(text))], text).unwrap();
        let next = Merged { promoted: merged.promoted.clone(), commit: commit.clone(), before };
        let ran = world.check_merged(&next, &[]);
        assert_eq!((ran.exit, &*ran.outputs["verdict"]), (1, "failed"), "{path}: {}", ran.stderr);
        assert_eq!(world.statuses(&merged.promoted, "dev").last().unwrap(), failed, "{path}");
        before = commit;
    }
    assert_eq!(promotes(&world), [""; 0]);
    let config = Case::new("s2-5-dev-sets-the-value").control_plane().remove("config.yaml");
    let config = String::from_utf8(config.unwrap()).unwrap();
    world.control_plane.commit("dev", &[("config.yaml", Some(&config))], "the value").unwrap();
    world.schedule_in("dev", &[]).succeeded();
    let healed = Merged { promoted: merged.promoted.clone(), commit: world.merge("dev"), before };
    world.check_merged(&healed, &[]).succeeded();
    assert_eq!(promotes(&world).len(), 1, "once nothing is held any more");
}

#[test]
fn a_push_that_begins_a_branch_has_nothing_before_it() {
    let (world, mut merged) = merged(&[("drone", Life::default())]);
    merged.before = "0".repeat(40);
    world.check_merged(&merged, &[]).succeeded();
    assert_eq!(world.statuses(&merged.promoted, "dev"), [PROMOTED, DEPLOYING, DEPLOYED]);
    assert_eq!(promotes(&world), [next(&merged.promoted)]);
}

#[test]
fn without_a_commit_the_head_of_the_branch_is_checked() {
    let (world, merged) = merged(&[("drone", Life::default())]);
    world.checkpromote("dev", &[]).succeeded();
    assert_eq!(promotes(&world), [next(&merged.promoted)]);
    let ran = world.checkpromote("dev", &[("commit-id", &"e".repeat(40))]);
    assert_eq!(ran.exit, 1);
    let said = format!(
        "error: contoso/gitops has no commit {}\n  help: name a commit of its branch dev with --commit-id\n",
        "e".repeat(40)
    );
    assert_eq!(ran.stderr, said);
}

#[test]
fn health_that_is_not_checked_must_be_reported_twice_and_is_said() {
    let (world, merged) = merged(&[]);
    world.cluster("dev", "drone").waits(Waits::No);
    let ran = world.check_merged(&merged, &[("timeout", "2s")]);
    assert_eq!(ran.exit, 1);
    assert!(ran.summary.contains("a second report must show it again"), "{}", ran.summary);
}

/// The number of the run that [`RolloutPlatform::watching`] begins.
const LOST_RUN: u64 = 99;

impl RolloutPlatform {
    /// A check that is under way: it has looked at clusters and waits.
    fn watching(&self, merged: &Merged) -> Child {
        let before = self.sandbox.requests().len();
        self.control_plane.start_run(LOST_RUN).unwrap();
        let inputs = [("environment", "dev"), ("commit-id", &*merged.commit), ("timeout", "60s")];
        let mut command = self.command_of("checkpromote", &inputs);
        command.env("GITHUB_RUN_ID", LOST_RUN.to_string());
        let run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let patience = Instant::now() + Duration::from_secs(60);
        let has_looked =
            || self.sandbox.requests_since(before).iter().filter(|request| request.path == GRAPH).count() > 2;
        while !has_looked() {
            assert!(Instant::now() < patience, "it never looks at clusters");
            sleep(Duration::from_millis(20));
        }
        run
    }
}

/// The tutorial's platform with a commit merged on dev, and a cluster of each of these types.
pub(crate) fn merged(lives: &[(&str, Life)]) -> (RolloutPlatform, Merged) {
    let world = RolloutPlatform::s1();
    let configurations: Vec<_> =
        lives.iter().map(|(cluster_type, life)| (world.cluster("dev", cluster_type), life)).collect();
    let promoted = world.push_anything();
    world.promote_pushed(&promoted).succeeded();
    world.play_last().succeeded();
    let before = world.gitops_head("dev");
    for (configuration, life) in configurations {
        configuration.live(life.clone());
    }
    let commit = world.merge("dev");
    (world, Merged { promoted, commit, before })
}

fn applies_after(seconds: u64) -> Life {
    Life::default().applies_after(Duration::from_secs(seconds))
}

/// Something happens after the check's first looks at the clusters.
fn meanwhile(world: &RolloutPlatform, act: impl FnOnce() -> anyhow::Result<()> + Send + 'static) {
    world.sandbox.before(At::Matching("POST", GRAPH.to_owned(), 2), act);
}

fn signal(run: &Child, name: &str) {
    let id = run.id().to_string();
    let status = std::process::Command::new("kill").args(["-s", name, &id]).status().unwrap();
    assert!(status.success());
}

fn promotes(world: &RolloutPlatform) -> Vec<String> {
    world.dispatches().into_iter().filter(|one| one.starts_with("promote.yml")).collect()
}

fn next(commit: &str) -> String {
    format!("promote.yml commit-id={commit} environment=stage")
}
