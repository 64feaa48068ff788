//! What users walk through, as stories; and every golden case once more, for real.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use kalypso_sandbox::{Access, Change, Merge, Pull, Repository, State, Visibility};

use super::platform::{Case, Files, Platform, READER, Ran, TRACKED, WRITER, gitops_repo};

/// What a step of a story must bring.
struct Step {
    /// The golden case that the world becomes
    case: &'static str,
    /// The end of the pull request's title
    title: &'static str,
    labels: &'static [&'static str],
    /// What the pull request changes, besides the tracked assignments
    changes: &'static [&'static str],
}

#[test]
fn s1_an_application_is_onboarded_and_scheduled_on_dev() {
    let platform = walk(&[
        Step {
            case: "s1-0-baseline",
            title: "promote COMMIT, 1 target added, 4 cluster types added",
            labels: &["promoted"],
            changes: &[
                "A .github/tracking/Promoted_Commit_Id",
                "A command-center/README.md",
                "A drone/README.md",
                "A large/README.md",
                "A large/observability-prometheus/namespace.yaml",
                "A large/observability-prometheus/platform-config.yaml",
                "A large/observability-prometheus/reconciler.yaml",
                "A small/README.md",
            ],
        },
        Step {
            case: "s1-1-onboard-application",
            title: "promote COMMIT",
            labels: &["promoted"],
            changes: &["M .github/tracking/Promoted_Commit_Id +1 -1"],
        },
        Step {
            case: "s1-2-schedule-on-dev",
            title: "2 targets added",
            labels: &[],
            changes: &[
                "A drone/hello-world-app-functional-test/namespace.yaml",
                "A drone/hello-world-app-functional-test/platform-config.yaml",
                "A drone/hello-world-app-functional-test/reconciler.yaml",
                "A large/hello-world-app-performance-test/namespace.yaml",
                "A large/hello-world-app-performance-test/platform-config.yaml",
                "A large/hello-world-app-performance-test/reconciler.yaml",
            ],
        },
    ]);
    assert_eq!(platform.gitops.issues().unwrap(), []);
}

#[test]
fn s1_a_platform_value_and_a_cluster_type_change_on_stage_only() {
    let platform = walk(&[
        Step {
            case: "s1-3-promoted-to-stage",
            title: "promote COMMIT, 2 cluster types added",
            labels: &["promoted"],
            changes: &["A .github/tracking/Promoted_Commit_Id", "A drone/README.md", "A large/README.md"],
        },
        Step {
            case: "s1-4-stage",
            title: "2 targets added",
            labels: &[],
            changes: &[
                "A drone/hello-world-app-uat-test/namespace.yaml",
                "A drone/hello-world-app-uat-test/platform-config.yaml",
                "A drone/hello-world-app-uat-test/reconciler.yaml",
                "A large/hello-world-app-uat-test/namespace.yaml",
                "A large/hello-world-app-uat-test/platform-config.yaml",
                "A large/hello-world-app-uat-test/reconciler.yaml",
            ],
        },
        Step {
            case: "s1-5-change-platform-value",
            title: "DATABASE_URL in large",
            labels: &[],
            changes: &["M large/hello-world-app-uat-test/platform-config.yaml +1 -1"],
        },
        Step {
            case: "s1-6-add-cluster-type",
            title: "1 target added, cluster type small added",
            labels: &[],
            changes: &[
                "A small/README.md",
                "A small/hello-world-app-uat-test/namespace.yaml",
                "A small/hello-world-app-uat-test/platform-config.yaml",
                "A small/hello-world-app-uat-test/reconciler.yaml",
            ],
        },
    ]);
    let branches: Vec<String> = platform.gitops.branches().unwrap().into_keys().collect();
    assert_eq!(branches, ["deployment/stage", "stage"], "nothing of dev");
}

#[test]
fn s2_each_environment_has_its_own_issue_until_its_value_is_set() {
    let platform = Platform::new("s2-1-register");
    let sample = |environment| format!("Can't generate manifests for registration sample in {environment}");
    let target =
        |environment| format!("Can't generate manifests for basic-inference-{environment} in {environment}");
    merged(
        &platform,
        &Step {
            case: "s2-1-register",
            title: "promote COMMIT, 1 target added, cluster type dev added",
            labels: &["promoted"],
            changes: &[
                "A .github/tracking/Promoted_Commit_Id",
                "A dev/README.md",
                "A dev/basic-inference-dev/namespace.yaml",
                "A dev/basic-inference-dev/platform-config.yaml",
                "A dev/basic-inference-dev/reconciler.yaml",
            ],
        },
    );
    assert_eq!(open_issues(&platform), [sample("dev")], "the missing repository prevents nothing");
    merged(
        &platform,
        &Step {
            case: "s2-2-qa-no-policy",
            title: "promote COMMIT, 2 cluster types added",
            labels: &["promoted"],
            changes: &["A .github/tracking/Promoted_Commit_Id", "A east-us/README.md", "A west-us/README.md"],
        },
    );
    merged(
        &platform,
        &Step {
            case: "s2-2-qa-policy",
            title: "1 target added",
            labels: &[],
            changes: &[
                "A west-us/basic-inference-qa/namespace.yaml",
                "A west-us/basic-inference-qa/platform-config.yaml",
                "A west-us/basic-inference-qa/reconciler.yaml",
            ],
        },
    );
    assert_eq!(open_issues(&platform), [sample("dev"), sample("qa")]);
    // The application asks for a value that nobody sets. In dev nobody merges what that changes in tracking.
    let held = proposed(
        &platform,
        &Step { case: "s2-4-dev-lacks-a-value", title: "1 target held", labels: &[], changes: &[] },
    );
    merged(
        &platform,
        &Step { case: "s2-4-qa-lacks-a-value", title: "1 target held", labels: &[], changes: &[] },
    );
    assert_eq!(open_issues(&platform), [sample("dev"), sample("qa"), target("dev"), target("qa")]);
    let set_in_dev = Step {
        case: "s2-5-dev-sets-the-value",
        title: "inference_url in dev",
        labels: &[],
        changes: &["M dev/basic-inference-dev/platform-config.yaml +1 -0"],
    };
    assert_eq!(merged(&platform, &set_in_dev), held.number, "the same pull request");
    assert_eq!(open_issues(&platform), [sample("dev"), sample("qa"), target("qa")]);
    merged(
        &platform,
        &Step {
            case: "s2-6-qa-sets-it-by-region",
            title: "inference_url in west-us",
            labels: &[],
            changes: &["M west-us/basic-inference-qa/platform-config.yaml +1 -0"],
        },
    );
    assert_eq!(open_issues(&platform), [sample("dev"), sample("qa")]);
    let there = platform.sandbox.create_repository("contoso/no-such-repository", Visibility::Public).unwrap();
    there.commit("main", &[("README.md", Some("A sample.\n"))], "Begin").unwrap();
    for environment in ["dev", "qa"] {
        platform.schedule_in(environment, &[]).succeeded();
    }
    for issue in platform.gitops.issues().unwrap() {
        let [comment] = &issue.comments[..] else { panic!("{}: {:?}", issue.title, issue.comments) };
        let environment = issue.title.rsplit(' ').next().unwrap();
        let said = format!("Solved: nothing is held in environment `{environment}` for this cause any more.");
        assert_eq!(
            (issue.state, comment.body.lines().next()),
            (State::Closed, Some(&*said)),
            "{}",
            issue.title
        );
    }
    assert_eq!(platform.gitops.issues().unwrap().len(), 4, "none was opened twice");
}

#[test]
fn s3_a_new_environment_is_filled_by_its_first_pull_request() {
    walk(&[Step {
        case: "s3-new-environment",
        title: "promote COMMIT, 2 targets added, 2 cluster types added",
        labels: &["promoted"],
        changes: &[
            "A .github/tracking/Promoted_Commit_Id",
            "A drone/README.md",
            "A drone/hello-world-app-uat-test/namespace.yaml",
            "A drone/hello-world-app-uat-test/platform-config.yaml",
            "A drone/hello-world-app-uat-test/reconciler.yaml",
            "A large/README.md",
            "A large/hello-world-app-uat-test/namespace.yaml",
            "A large/hello-world-app-uat-test/platform-config.yaml",
            "A large/hello-world-app-uat-test/reconciler.yaml",
        ],
    }]);
}

#[test]
fn s3_a_gitops_branch_that_is_missing_is_made_as_the_message_says() {
    let platform = Platform::new("s3-new-environment");
    platform.gitops.delete_branch("stage").unwrap();
    let ran = platform.schedule(&[]);
    let url = platform.gitops.url();
    let said = format!(
        "pointers.yaml:14:9: error: GitOpsRepo `stage`: {url} has no branch `stage`\n  \
         help: make it once, in a clone of that repository: git switch --orphan stage && \
         git commit --allow-empty -m 'GitOps branch stage' && git push origin stage\n"
    );
    assert_eq!((ran.exit, ran.writes(), &*ran.stderr), (1, 0, &*said));
    assert!(platform.gitops.branches().unwrap().is_empty());

    platform.gitops.commit("stage", &[], "GitOps branch stage").unwrap();
    platform.schedule(&[]).succeeded();
    let pull = open_pull(&platform.gitops, "stage").expect("a pull request");
    let mut expected = platform.expected("s3-new-environment");
    expected.retain(|path, _| path != "README.md" && !path.starts_with(".github/workflows/"));
    assert_same("an empty branch", &platform.gitops.files(&pull.head).unwrap(), &expected);
}

#[test]
fn s3_a_branch_without_its_environment_is_an_error_that_names_the_declared_ones() {
    let platform = Platform::new("s3-branch-without-environment");
    let ran = platform.schedule(&[]);
    let said = "error: no environment is called `prod`; declared are dev, stage\n  \
                help: declare it in `.environments/` of the base\n\
                error: the control plane has 1 error; nothing is written\n";
    assert_eq!((ran.exit, ran.writes(), &*ran.stderr), (1, 0, said));
    assert!(
        ran.summary.contains("no environment is called `prod`; declared are dev, stage"),
        "{}",
        ran.summary
    );
    assert_eq!(platform.gitops.pulls().unwrap(), []);
}

#[test]
fn s3_the_operators_branch_loses_stale_files_and_keeps_its_manifests() {
    walk(&[Step {
        case: "s3-upgrade-from-operator",
        title: "2 targets changed",
        labels: &[],
        changes: &[
            "D drone/hello-world-app-functional-test/config.yaml",
            "D large/observability-prometheus/config.yaml",
        ],
    }]);
}

/// A GitOpsRepo, and the branch that its pull request comes from.
struct Target {
    name: &'static str,
    repository: &'static str,
    branch: &'static str,
    path: &'static str,
    proposed: &'static str,
}

#[test]
fn several_gitops_repos_get_the_same_content_by_pull_requests_of_their_own() {
    let two = |one: Target, other: Target| several_gitops_repos(&[one, other]);
    two(
        Target {
            name: "dev",
            repository: "contoso/gitops",
            branch: "dev",
            path: ".",
            proposed: "deployment/dev",
        },
        Target {
            name: "edge",
            repository: "contoso/edge",
            branch: "main",
            path: "apps/dev",
            proposed: "deployment/main",
        },
    );
    two(
        Target {
            name: "dev",
            repository: "contoso/gitops",
            branch: "dev",
            path: ".",
            proposed: "deployment/dev",
        },
        Target {
            name: "edge",
            repository: "contoso/gitops",
            branch: "dev-edge",
            path: ".",
            proposed: "deployment/dev-edge",
        },
    );
    two(
        Target {
            name: "east",
            repository: "contoso/gitops",
            branch: "dev",
            path: "clusters/east",
            proposed: "deployment/dev-east",
        },
        Target {
            name: "west",
            repository: "contoso/gitops",
            branch: "dev",
            path: "clusters/west",
            proposed: "deployment/dev-west",
        },
    );
}

/// Their pull requests are merged one after another; what is still open is rebuilt where its branch moved on.
fn several_gitops_repos(targets: &[Target]) {
    let case = "s2-1-register";
    let platform = Platform::new(case);
    let url = platform.sandbox.url();
    let pointers = platform.control_plane.files("dev").unwrap().remove("pointers.yaml").unwrap();
    let mut pointers = String::from_utf8(pointers).unwrap();
    pointers.truncate(pointers.find("---").unwrap());
    let mut access = Access::write("contoso/gitops");
    for Target { name, repository, branch, path, .. } in targets {
        pointers += &format!("---\n{}", gitops_repo(name, &format!("{url}/{repository}"), branch, path));
        if *repository != "contoso/gitops" {
            platform.sandbox.create_repository(repository, Visibility::Private).unwrap();
            access = access.and(repository);
        }
        let target = platform.sandbox.repository(repository);
        target.commit(branch, &[("README.md", Some("What runs where.\n"))], "Begin").unwrap();
    }
    platform.sandbox.token(WRITER, access.named("writer"));
    platform
        .control_plane
        .commit("dev", &[("pointers.yaml", Some(&pointers))], "Another GitOpsRepo")
        .unwrap();
    let expected = platform.expected(case);
    for merged in 0..=targets.len() {
        let ran = platform.schedule(&[]).succeeded();
        assert_eq!(ran.outputs["changed"], (merged < targets.len()).to_string());
        let mut listed = Vec::new();
        for Target { repository, branch, path, proposed, .. } in &targets[merged..] {
            let target = platform.sandbox.repository(repository);
            let mut pulls = target.pulls().unwrap();
            pulls.retain(|pull| pull.state == State::Open && pull.head == *proposed);
            let [pull] = &pulls[..] else { panic!("one pull request from {proposed}: {pulls:?}") };
            assert_eq!((pull.base.as_str(), &pull.labels[..]), (*branch, &["promoted".to_owned()][..]));
            let mut wanted = target.files(branch).unwrap();
            wanted.extend(expected.iter().map(|(file, bytes)| {
                (format!("{path}/{file}").trim_start_matches("./").to_owned(), bytes.clone())
            }));
            assert_same(proposed, &target.files(proposed).unwrap(), &wanted);
            assert_eq!(target.log(proposed).unwrap()[0].parents, [target.head(branch).unwrap().unwrap()]);
            listed.push(serde_json::json!({
                "number": pull.number, "url": format!("{url}/{repository}/pull/{}", pull.number)
            }));
        }
        assert_eq!(ran.outputs["pull-requests"], serde_json::Value::from(listed).to_string());
        if let Some(Target { repository, proposed, .. }) = targets.get(merged) {
            let target = platform.sandbox.repository(repository);
            let pulls = target.pulls().unwrap();
            let pull = pulls.iter().find(|pull| pull.head == *proposed).unwrap();
            target.merge_pull(pull.number, Merge::Commit).unwrap();
        }
    }
    let mut repositories: Vec<&str> = targets.iter().map(|target| target.repository).collect();
    repositories.dedup();
    for repository in repositories {
        let issues = platform.sandbox.repository(repository).issues().unwrap();
        let titles: Vec<&str> = issues.iter().map(|issue| &*issue.title).collect();
        assert_eq!(titles, ["Can't generate manifests for registration sample in dev"], "{repository}");
    }
    assert_eq!(platform.schedule(&[]).succeeded().writes(), 0);
}

#[test]
fn an_environment_may_be_named_differently_from_its_branch() {
    let platform = Platform::new("s1-0-baseline");
    let services = platform.sandbox.repository("contoso/svc-src");
    edit(&services, "main", "workloads/observability.yaml", "environment: dev", "environment: development");
    let old = platform.control_plane.head("main").unwrap().unwrap();
    edit(&platform.control_plane, "main", ".environments/dev.yaml", "name: dev", "name: development");
    let new = platform.control_plane.head("main").unwrap().unwrap();
    edit(&platform.control_plane, "dev", "pointers.yaml", &old, &new);

    platform.action("dev", &[]).succeeded();
    let pull = open_pull(&platform.gitops, "dev").expect("a pull request");
    let title =
        format!("Update manifests in dev: promote {}, 1 target added, 4 cluster types added", &new[..7]);
    assert_eq!((&*pull.head, &*pull.title), ("deployment/dev", &*title));
    let namespace = "large/observability-prometheus/namespace.yaml";
    let text =
        String::from_utf8(platform.gitops.files(&pull.head).unwrap().remove(namespace).unwrap()).unwrap();
    assert!(text.contains("name: development-large-observability-prometheus\n"), "{text}");

    let other = platform.action("dev", &[("environment", "dev")]);
    assert_eq!((other.exit, other.writes()), (1, 0));
    let said = "@main:.environments/dev.yaml:4:9: error: no environment is called `dev`; declared are development, stage\n  \
                help: its branch is that of `development`: rename that one, or name it\n";
    assert!(other.stderr.contains(said), "{}", other.stderr);
}

#[test]
fn one_repository_may_hold_control_plane_workloads_and_manifests() {
    let platform = Platform::new("s1-0-baseline");
    let (repository, sandbox) = (&platform.control_plane, &platform.sandbox);
    let workload = sandbox.repository("contoso/svc-src").files("main").unwrap();
    let workload = std::str::from_utf8(&workload["workloads/observability.yaml"]).unwrap();
    let old = repository.head("main").unwrap().unwrap();
    repository
        .commit("main", &[("apps/observability.yaml", Some(workload))], "Bring the Workload here")
        .unwrap();
    edit(repository, "main", "workloads/platform-svc.yaml", "name: platform-svc", "name: observability");
    let new = repository.head("main").unwrap().unwrap();
    edit(repository, "dev", "pointers.yaml", &old, &new);
    edit(
        repository,
        "dev",
        "pointers.yaml",
        "contoso/gitops\n  branch: dev",
        "contoso/control-plane\n  branch: gitops/dev",
    );
    repository.commit("gitops/dev", &[("README.md", Some("What runs where.\n"))], "Begin").unwrap();
    sandbox.token(READER, Access::write("contoso/control-plane").named("reader"));

    let ran = platform.schedule(&[("gitops-token", "")]).succeeded();
    let pull = open_pull(repository, "gitops/dev").expect("a pull request");
    assert_eq!(pull.head, "deployment/gitops/dev");
    let mut wanted = platform.expected("s1-0-baseline");
    wanted.insert("README.md".to_owned(), b"What runs where.\n".to_vec());
    let tracked = b"observability-prometheus observability observability ok\n";
    wanted.insert(".github/tracking/assignments/large".to_owned(), tracked.to_vec());
    assert_same("one repository", &repository.files(&pull.head).unwrap(), &wanted);
    let elsewhere = ran.requests.iter().filter(|request| !request.path.contains("contoso/control-plane"));
    let elsewhere: Vec<&str> = elsewhere.map(|request| &*request.path).collect();
    assert_eq!(elsewhere, ["/api/graphql"]);
}

/// Scheduling for real gives the bytes that scheduling into a folder gives. There is no case that cannot be run so.
#[test]
fn every_golden_case_gives_the_same_tree_as_offline() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut cases: Vec<String> = fs::read_dir(root).unwrap().map(name).collect();
    cases.sort();
    assert!(cases.len() > 40, "{cases:?}");
    let left = Mutex::new(cases.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = { left.lock().unwrap().next() } {
                    same_as_offline(&case);
                }
            });
        }
    });
}

fn same_as_offline(name: &str) {
    let case = Case::new(name);
    let platform = Platform::new(name);
    let branch = &*platform.environment;
    let read = |file: &str| fs::read_to_string(case.folder.join(file)).unwrap_or_default();
    let after = read("after");
    if !after.is_empty() {
        platform.set_gitops(branch, &platform.tree_of(&case, &format!("../{}/expected", after.trim())));
    }
    let before = platform.gitops.files(branch).unwrap();
    let expected = expected(&platform, name, branch);
    let inputs: Vec<(&str, &str)> = case.arguments().filter(|(name, _)| *name != "repo").collect();
    let ran = platform.schedule(&inputs);
    let exit = read("expected-exit");
    assert_eq!(
        ran.exit.to_string(),
        if exit.is_empty() { "0" } else { exit.trim() },
        "{name}: {}",
        ran.stderr
    );
    assert_eq!(held(&ran), held_offline(&read("expected-held")), "{name}");
    assert_eq!(platform.gitops.files(branch).unwrap(), before, "{name}: nobody has merged");
    let pull = open_pull(&platform.gitops, branch);
    let proposed = pull.as_ref().map_or(branch, |pull| &pull.head);
    assert_same(name, &platform.gitops.files(proposed).unwrap(), &expected);
    assert_eq!(pull.is_some(), expected != before, "{name}: a pull request");
    let promotes = expected.get(TRACKED) != before.get(TRACKED);
    assert_eq!(pull.is_some_and(|pull| pull.labels == ["promoted"]), promotes, "{name}: the label");
    let again = platform.schedule(&inputs);
    assert_eq!((again.exit, again.writes()), (ran.exit, 0), "{name}: {}", again.stdout);
}

/// Walks through a story in one environment, merging every pull request.
fn walk(story: &[Step]) -> Platform {
    let platform = Platform::new(story[0].case);
    for step in story {
        merged(&platform, step);
    }
    platform
}

/// Takes a step and merges its pull request; the next run then writes nothing.
#[track_caller]
fn merged(platform: &Platform, step: &Step) -> u64 {
    let pull = proposed(platform, step);
    platform.gitops.merge_pull(pull.number, Merge::Squash).unwrap();
    let settled = platform.schedule_in(&pull.base, &[]).succeeded();
    assert_eq!((settled.writes(), &*settled.outputs["changed"]), (0, "false"), "{}", step.case);
    pull.number
}

/// Takes a step; the pull request has exactly its changes, and brings the tree that its case expects.
#[track_caller]
fn proposed(platform: &Platform, Step { case, title, labels, changes }: &Step) -> Pull {
    platform.go_on_as(case);
    let environment = Case::new(case).environment();
    platform.schedule_in(&environment, &[]).succeeded();
    let pull = open_pull(&platform.gitops, &environment).unwrap_or_else(|| panic!("{case}: a pull request"));
    let base = platform.control_plane.head("main").unwrap().unwrap();
    let title = format!("Update manifests in {environment}: {}", title.replace("COMMIT", &base[..7]));
    assert_eq!(pull.title, title, "{case}");
    assert_eq!(pull.labels, *labels, "{case}");
    assert_eq!(changed(&platform.gitops, &pull), *changes, "{case}");
    assert_same(case, &platform.gitops.files(&pull.head).unwrap(), &expected(platform, case, &environment));
    pull
}

/// What a case expects of a GitOps branch, beside the one file in it that people have written.
fn expected(platform: &Platform, case: &str, branch: &str) -> Files {
    let mut files = platform.expected(case);
    let theirs = platform.gitops.files(branch).unwrap();
    files.extend(theirs.into_iter().filter(|(path, _)| path == "README.md"));
    files
}

/// What a pull request changes, besides the tracked assignments, which follow along.
fn changed(repository: &Repository, pull: &Pull) -> Vec<String> {
    let mut changes = repository.changes(&pull.base, &pull.head).unwrap();
    changes.retain(|change| !change.path.starts_with(".github/tracking/assignments/"));
    let line = |change: Change| match change {
        Change { kind: 'M', path, additions, deletions, .. } => format!("M {path} +{additions} -{deletions}"),
        Change { kind, path, .. } => format!("{kind} {path}"),
    };
    changes.into_iter().map(line).collect()
}

/// Titles of the open issues.
fn open_issues(platform: &Platform) -> Vec<String> {
    let open = platform.gitops.issues().unwrap().into_iter().filter(|issue| issue.state == State::Open);
    open.map(|issue| issue.title).collect()
}

/// Targets that the report calls held, with their cluster types.
fn held(ran: &Ran) -> BTreeSet<String> {
    let report = ran.report.as_ref().expect("a report");
    let text = |held: &serde_json::Value, key: &str| held[key].as_str().expect("a name").to_owned();
    let held = report["held"].as_array().expect("a list").iter();
    held.map(|held| format!("{} {}", text(held, "deploymentTarget"), text(held, "clusterType"))).collect()
}

/// The same in a golden case, where the reasons follow.
fn held_offline(text: &str) -> BTreeSet<String> {
    text.lines().map(|line| line.split_once(':').expect("a reason").0.to_owned()).collect()
}

/// The open pull request to a branch; there is never more than one.
#[track_caller]
fn open_pull(repository: &Repository, base: &str) -> Option<Pull> {
    let mut pulls = repository.pulls().unwrap();
    pulls.retain(|pull| pull.state == State::Open && pull.base == base);
    assert!(pulls.len() < 2, "{pulls:?}");
    pulls.pop()
}

/// Says which files differ instead of printing both trees.
#[track_caller]
fn assert_same(what: &str, actual: &Files, expected: &Files) {
    let paths: BTreeSet<&String> = actual.keys().chain(expected.keys()).collect();
    let text = |files: &Files, path| files.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    for path in paths {
        assert_eq!(text(actual, path), text(expected, path), "{what}: {path}");
    }
}

/// Somebody's own commit that replaces a text in a file.
fn edit(repository: &Repository, branch: &str, path: &str, old: &str, new: &str) {
    let files = repository.files(branch).unwrap();
    let text = std::str::from_utf8(&files[path]).unwrap();
    assert!(text.contains(old), "{path} has {old}");
    repository.commit(branch, &[(path, Some(&text.replace(old, new)))], "an edit").unwrap();
}
