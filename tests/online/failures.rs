//! What people are told when a check or a promotion fails: what is wrong, and what to do next; in the log, beside the
//! job, in its summary and on the commit.
//!
//! The texts are those of `tests/online/failures/`, a file for each test. `BLESS=1` writes what the binary says now
//! into the files; then read the difference.

use std::fs;
use std::time::Duration;

use kalypso_sandbox::azure::TENANT;
use kalypso_sandbox::{Access, At, Fault, Level, Protection, Scope};

use super::platform::{CONTROL_PLANE, Ran};
use super::rollout_platform::{CHECKER, CLIENT, FOLLOWER, KEEPER, Merged, RolloutPlatform, SUBSCRIPTION};

/// Another application, or directory, than the one that is known to the cluster's owners.
const STRANGER: &str = "99999999-8888-7777-6666-555555555555";
const SECRET: &str = "client-secret-canary";
const NO_COMMIT: &str = "1234567890123456789012345678901234567890";
const QUERIES: &str = "/providers/Microsoft.ResourceGraph/resources";

/// What is wrong, and a run that finds out; the commit whose status is shown is the merged one.
type Story = (&'static str, fn(&RolloutPlatform, &Merged) -> Ran);

/// A world in which a commit is merged to dev, and has reached its only cluster.
fn merged() -> (RolloutPlatform, Merged) {
    let world = RolloutPlatform::s1();
    let commit = world.push("s1-1-onboard-application");
    let merged = world.bring("dev", &commit);
    world.cluster("dev", "drone");
    (world, merged)
}

/// Plays stories, each in a world of its own, and compares what is told with the texts of a file.
#[track_caller]
fn tell(name: &str, stories: &[Story]) {
    let said: Vec<String> = stories
        .iter()
        .map(|(what, play)| {
            let (world, merged) = merged();
            let ran = play(&world, &merged);
            format!("=== {what}: exit {}\n{}", ran.exit, told(&world, &merged, &ran))
        })
        .collect();
    let file = format!("{}/tests/online/failures/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BLESS").is_some() {
        return fs::write(file, said.join("\n")).expect("the texts");
    }
    let want = fs::read_to_string(file).expect("the texts");
    let parts = |text: &str| text.split("=== ").map(str::to_owned).collect::<Vec<_>>();
    for (said, want) in parts(&said.join("\n")).iter().zip(&parts(&want)) {
        assert!(said == want, "said:\n{said}\nwanted:\n{want}");
    }
    assert_eq!(said.join("\n"), want);
}

/// What a run has told, with names instead of what differs from run to run.
fn told(world: &RolloutPlatform, merged: &Merged, ran: &Ran) -> String {
    let names = names(world);
    let statuses = world.statuses(&merged.promoted, "dev").join("\n");
    // What follows is a picture, and tables.
    let summary = ran.summary.split("```mermaid").next().unwrap_or_default().trim_end();
    let parts =
        [("errors", &*ran.stderr), ("log", &*ran.stdout), ("status", &statuses), ("summary", summary)];
    parts
        .into_iter()
        .map(|(name, text)| {
            let lines = scrubbed(text, &names);
            let lines = lines.lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n");
            format!("{name}:\n{}", lines.collect::<String>())
        })
        .collect()
}

/// What differs from run to run, and the names for it.
fn names(world: &RolloutPlatform) -> Vec<(String, String)> {
    let mut names = vec![
        (world.sandbox.url(), "https://github.com".to_owned()),
        (world.sandbox.url().replace("http://", ""), "github.com".to_owned()),
        (world.azure.url().replace("https://", ""), "azure.com".to_owned()),
    ];
    for (repository, letter) in [(&world.control_plane, 'C'), (&world.gitops, 'G')] {
        let branches = repository.branches().expect("a repository");
        let mut commits = Vec::new();
        for branch in ["main", "dev", "stage", "feature"] {
            let log = branches.contains_key(branch).then(|| repository.log(branch).expect("a branch"));
            commits.extend(log.into_iter().flatten().rev().map(|commit| (branch, commit.sha)));
        }
        for (number, (branch, sha)) in commits.iter().enumerate() {
            let name = format!("{letter}{number}-{branch}");
            names.push((sha.clone(), name.clone()));
            names.push((sha[..7].to_owned(), name));
        }
    }
    names
}

fn scrubbed(text: &str, names: &[(String, String)]) -> String {
    let mut text = names.iter().fold(text.to_owned(), |text, (what, name)| text.replace(what, name));
    // What Azure calls a request, and how long it all took.
    for (start, end, name) in [(" (request ", ")", ""), (". Ended after ", " s.", ". Ended after a while.")] {
        while let Some((before, rest)) =
            text.split_once(start).filter(|(_, rest)| !rest.starts_with("a while"))
        {
            let (_, after) = rest.split_once(end).expect("an end");
            text = format!("{before}{name}{after}");
        }
    }
    text
}

fn check(world: &RolloutPlatform, inputs: &[(&str, &str)]) -> Ran {
    world.checkpromote("dev", inputs)
}

fn promote(world: &RolloutPlatform, environment: &str, commit: &str) -> Ran {
    world.promote(&[("environment", environment), ("commit-id", commit)])
}

/// A check in a job that has no identity.
fn without_identity(world: &RolloutPlatform, inputs: &[(&str, &str)]) -> Ran {
    let mut command = world.command_of("checkpromote", &[&[("environment", "dev")], inputs].concat());
    for name in ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"] {
        command.env_remove(name);
    }
    world.collect_run(command)
}

/// The workflow's token has another level for one scope.
fn limit(world: &RolloutPlatform, scope: Scope, level: Level) {
    for token in [CHECKER, KEEPER] {
        world.sandbox.token(token, Access::write(CONTROL_PLANE).with(scope, level));
    }
}

#[test]
fn who_cannot_sign_in_is_told_what_is_missing() {
    const NOTHING: [(&str, &str); 2] = [("azure-tenant-id", ""), ("azure-client-id", "")];
    tell(
        "sign-in",
        &[
            ("an application that is not in the directory", |world, _| {
                check(world, &[("azure-client-id", STRANGER)])
            }),
            ("an application that trusts nobody", |world, _| {
                world.azure.application(STRANGER);
                check(world, &[("azure-client-id", STRANGER)])
            }),
            ("an application that trusts another branch", |world, _| {
                world.azure.application(STRANGER).trusts("repo:contoso/control-plane:ref:refs/heads/dev");
                check(world, &[("azure-client-id", STRANGER)])
            }),
            ("another audience", |world, _| check(world, &[("azure-audience", "api://Other")])),
            ("a directory that is not there", |world, _| check(world, &[("azure-tenant-id", STRANGER)])),
            ("a secret that has ended", |world, _| {
                world.azure.application(CLIENT).secret_for(SECRET, Duration::from_secs(1));
                world.sandbox.advance(Duration::from_secs(10));
                let credentials =
                    format!(r#"{{"clientId":"{CLIENT}","clientSecret":"{SECRET}","tenantId":"{TENANT}"}}"#);
                check(world, &[&NOTHING[..], &[("azure-credentials", &credentials)]].concat())
            }),
            ("credentials that cannot be read", |world, _| {
                check(world, &[&NOTHING[..], &[("azure-credentials", "{\"clientSecret\": 1}")]].concat())
            }),
            ("a job without an identity", |world, _| without_identity(world, &[])),
            ("nothing to sign in with", |world, _| without_identity(world, &NOTHING)),
        ],
    );
}

#[test]
fn who_sees_too_little_is_told_what_is_missing() {
    const CONFIGURATIONS: &str = "Microsoft.KubernetesConfiguration/fluxConfigurations";
    const CLUSTERS: &str = "Microsoft.Kubernetes/connectedClusters";
    tell(
        "sight",
        &[
            ("no role on anything", |world, _| {
                world.azure.application(CLIENT).sees(&[]);
                check(world, &[])
            }),
            ("no role on what is looked at", |world, _| {
                let said = "The client does not have authorization to perform the action.";
                let refused = Fault::azure_error(403, "AuthorizationFailed", said);
                world.sandbox.fault(At::next("POST", QUERIES), refused);
                check(world, &[])
            }),
            ("no role on configurations", |world, _| {
                world.azure.application(CLIENT).cannot_read(CONFIGURATIONS);
                check(world, &[])
            }),
            ("no role on configurations and clusters", |world, _| {
                world.azure.application(CLIENT).cannot_read(CONFIGURATIONS).cannot_read(CLUSTERS);
                check(world, &[])
            }),
            ("only another subscription is visible", |world, _| {
                world.azure.application(CLIENT).sees(&[&world.azure.subscription("other")]);
                check(world, &[])
            }),
            ("the given subscription is not visible", |world, _| {
                world.azure.application(CLIENT).sees(&[]);
                check(world, &[("azure-subscriptions", world.azure.subscription(SUBSCRIPTION).id())])
            }),
            ("one of the given subscriptions is not visible", |world, _| {
                let (visible, other) =
                    (world.azure.subscription(SUBSCRIPTION), world.azure.subscription("other"));
                let both = format!("{}, {}", visible.id(), other.id());
                world.azure.application(CLIENT).sees(&[&visible]);
                check(world, &[("azure-subscriptions", &both)])
            }),
        ],
    );
}

#[test]
fn why_no_cluster_counts_is_told() {
    tell(
        "clusters",
        &[
            ("there is no configuration", |world, _| {
                world.cluster("dev", "drone").delete();
                check(world, &[])
            }),
            ("clusters follow a repository of a similar name", |world, _| {
                let _ = world.cluster("dev", "drone").url("https://github.com/contoso/gitops-old");
                check(world, &[])
            }),
            ("clusters follow a fork", |world, _| {
                let _ = world.cluster("dev", "drone").url("git@github.com:fabrikam/gitops.git");
                check(world, &[])
            }),
            ("clusters follow another branch", |world, _| {
                let _ = world.cluster("dev", "drone").follows(&world.gitops, "stage");
                check(world, &[])
            }),
            ("clusters name no branch", |world, _| {
                let _ = world.cluster("dev", "drone").without_branch();
                check(world, &[])
            }),
            ("clusters are pinned", |world, _| {
                let _ = world.cluster("dev", "drone").pinned("tag", "v1");
                check(world, &[])
            }),
            ("fewer clusters than are required", |world, _| check(world, &[("min-clusters", "2")])),
        ],
    );
}

#[test]
fn what_is_asked_for_and_is_not_there_is_told() {
    tell(
        "subject",
        &[
            ("an environment that is not declared", |world, _| world.checkpromote("production", &[])),
            ("no environment", |world, _| world.checkpromote("", &[])),
            ("an environment without its branch", |world, _| {
                world.control_plane.delete_branch("dev").unwrap();
                check(world, &[])
            }),
            ("a GitOps branch that is not there", |world, _| {
                world.gitops.delete_branch("dev").unwrap();
                check(world, &[])
            }),
            ("a GitOps commit that is not there", |world, _| check(world, &[("commit-id", NO_COMMIT)])),
            ("a next environment that is not declared", |world, _| {
                check(world, &[("next-environment", "production")])
            }),
        ],
    );
}

#[test]
fn who_may_not_check_is_told_which_permission_is_missing() {
    tell(
        "permissions",
        &[
            ("to read the control plane", |world, _| {
                limit(world, Scope::Contents, Level::None);
                check(world, &[])
            }),
            ("to read the GitOps repository", |world, _| {
                let follower = Access::read("contoso/gitops").with(Scope::Contents, Level::None);
                world.sandbox.token(FOLLOWER, follower);
                check(world, &[])
            }),
            ("to set statuses", |world, _| {
                limit(world, Scope::Statuses, Level::Read);
                check(world, &[])
            }),
            ("to start workflows", |world, _| {
                limit(world, Scope::Actions, Level::Read);
                check(world, &[])
            }),
            ("a workflow that is not there", |world, _| check(world, &[("promote-workflow", "deploy.yml")])),
            ("a workflow that cannot be started", |world, _| {
                let workflow = (".github/workflows/promote.yml", Some("on: push\n"));
                world.control_plane.commit("main", &[workflow], "a workflow").unwrap();
                check(world, &[])
            }),
        ],
    );
}

#[test]
fn why_a_commit_is_not_promoted_is_told() {
    tell(
        "promotion",
        &[
            ("an environment that is not declared", |world, merged| {
                promote(world, "production", &merged.promoted)
            }),
            ("an environment without its branch", |world, _| {
                world.control_plane.delete_branch("dev").unwrap();
                promote(world, "dev", &world.push_anything())
            }),
            ("a commit that is not there", |world, _| promote(world, "dev", NO_COMMIT)),
            ("a commit of another branch", |world, _| {
                let commit = world.control_plane.commit("feature", &[("a", Some("b"))], "a feature").unwrap();
                promote(world, "dev", &commit)
            }),
            ("an older commit", |world, merged| {
                promote(world, "dev", &world.push_anything()).succeeded();
                promote(world, "dev", &merged.promoted)
            }),
            ("a commit that the preceding environment does not have", |world, _| {
                promote(world, "stage", &world.push_anything())
            }),
            ("a commit that is not merged in the preceding environment", |world, merged| {
                promote(world, "stage", &merged.promoted)
            }),
            ("a commit that failed in the preceding environment", |world, merged| {
                world.cluster("dev", "drone").delete();
                assert_eq!(check(world, &[]).exit, 1);
                promote(world, "stage", &merged.promoted)
            }),
            ("a commit whose check was not done in the preceding environment", |world, merged| {
                assert_eq!(check(world, &[("azure-tenant-id", STRANGER)]).exit, 3);
                promote(world, "stage", &merged.promoted)
            }),
            ("a branch that takes no pushes", |world, _| {
                world.control_plane.protect_branch("dev", Protection::PullRequests).unwrap();
                promote(world, "dev", &world.push_anything())
            }),
            ("no permission to write contents", |world, _| {
                limit(world, Scope::Contents, Level::Read);
                promote(world, "dev", &world.push_anything())
            }),
            ("no permission to set statuses", |world, _| {
                limit(world, Scope::Statuses, Level::Read);
                promote(world, "dev", &world.push_anything())
            }),
            ("no permission to start workflows", |world, _| {
                limit(world, Scope::Actions, Level::Read);
                promote(world, "dev", &world.push_anything())
            }),
            ("a workflow that is not there", |world, _| {
                let commit = world.push_anything();
                let inputs =
                    [("environment", "dev"), ("commit-id", &*commit), ("schedule-workflow", "deploy.yml")];
                world.promote(&inputs)
            }),
        ],
    );
}
