//! What a run costs, in requests; and uploads that are slow, cut short, or answered wrongly.

use std::time::Duration;

use kalypso_sandbox::{At, Fault, Issue, Limits, Merge, Request, State, Work};
use serde_json::{Value, json};

use super::platform::{Platform, Ran};

const CASE: &str = "s1-0-baseline";
const BRANCH: &str = "deployment/dev";
/// How many entries a part of an upload has at most.
const PART: usize = 200;
/// What stands for a name of an object that GitHub never had.
const WRONG: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// Groups of deployment targets.
const GROUPS: [&str; 3] = ["a", "b", "c"];
/// A manifest that is not UTF-8 is held, unless nobody checks.
const UNCHECKED: [(&str, &str); 1] = [("manifest-checks", "off")];

#[test]
fn twelve_calls_and_one_for_every_200_changed_files() {
    // The tracked commit is one more file that changes.
    let groups = [199, 1, 799];
    let platform = Platform::new(CASE);
    set_targets(&platform, groups, [0, 0, 0]);
    let files = check_cost(&platform);
    assert!(files > 3 * 999, "{files}");
    merge(&platform);
    let saved = platform.sandbox.save().unwrap();
    for (changed, values) in [(1, [0, 0, 0]), (200, [1, 0, 0]), (201, [1, 1, 0]), (1000, [1, 1, 1])] {
        platform.sandbox.restore(&saved).unwrap();
        for (round, what) in [(1, "the pull request is opened"), (2, "it is updated")] {
            set_targets(&platform, groups, values.map(|value| value * round));
            promote(&platform);
            assert_eq!(check_cost(&platform), changed, "{what}");
        }
    }
    assert_eq!(platform.schedule(&[]).succeeded().writes(), 0, "nothing changed since");
}

#[test]
fn a_template_that_holds_1000_targets_is_one_issue() {
    let platform = Platform::new(CASE);
    set_targets(&platform, [999, 0, 0], [0, 0, 0]);
    let (good, broken) = ("workload: {{ .Workload }}", "workload: {{ fail \"broken\" }}");
    let run = |old, new| {
        platform.edit("main", "templates.yaml", old, new);
        promote(&platform);
        platform.schedule(&[]).succeeded()
    };
    let ran = run(good, broken);
    assert_eq!((&*ran.outputs["held"], issue_writes(&ran)), ("1000", 1));
    let opened = issues(&platform, State::Open);
    assert_eq!(opened.len(), 1);
    assert!(opened[0].title.contains("template default"), "{}", opened[0].title);
    assert_eq!(platform.schedule(&[]).succeeded().writes(), 0);

    assert_eq!(issue_writes(&run(broken, good)), 2, "a comment, and closed");
    let closed = issues(&platform, State::Closed);
    assert_eq!((closed.len(), closed[0].number, closed[0].comments.len()), (1, opened[0].number, 1));
}

#[test]
fn many_causes_come_by_twenty_writes_a_run() {
    let platform = Platform::new(CASE);
    let mut objects = object(
        "ConfigSchema",
        "team",
        "  labels: {size: small}\nspec:\n  schema: '{\"required\": [\"TEAM\"]}'\n",
    );
    for number in 0..50 {
        objects += &workload(&format!("app-{number:02}"), [1, 0, 0]);
    }
    commit(&platform, &(objects + &policy()));
    let is_overview = |issue: &&Issue| issue.body.contains(" key=overview ");
    let runs = || -> Vec<usize> {
        let run = || {
            // GitHub takes 80 writes a minute, of all runs together.
            platform.sandbox.advance(Duration::from_secs(60));
            let ran = platform.schedule(&[]).succeeded();
            let open = issues(&platform, State::Open);
            let (overviews, own): (Vec<&Issue>, Vec<&Issue>) =
                open.iter().partition(|issue| is_overview(issue));
            let wanted: usize = ran.outputs["held"].parse().expect("a number");
            let listed: usize =
                overviews.iter().map(|issue| issue.body.matches("\n- `Can't generate").count()).sum();
            assert_eq!(listed, wanted.saturating_sub(own.len()), "the rest of {wanted}: {overviews:?}");
            assert_eq!(overviews.len(), usize::from(listed > 0));
            issue_writes(&ran)
        };
        std::iter::repeat_with(run).take_while(|writes| *writes > 0).collect()
    };
    assert_eq!(
        runs(),
        [20, 20, 14],
        "19 and the overview, 19 and the overview, 12 and the overview is closed"
    );
    let mut titles: Vec<String> =
        issues(&platform, State::Open).into_iter().map(|issue| issue.title).collect();
    titles.sort();
    let wanted = |number| format!("Can't generate manifests for app-{number:02}-a0 in dev");
    assert_eq!(titles, (0..50).map(wanted).collect::<Vec<_>>());
    let closed = issues(&platform, State::Closed);
    assert_eq!((closed.len(), is_overview(&&closed[0]), closed[0].comments.len()), (1, true, 1));

    platform.edit("dev", "config.yaml", "ENVIRONMENT: Dev\n", "ENVIRONMENT: Dev\n  TEAM: red\n");
    assert_eq!(runs(), [20; 5], "each is a comment, and closed");
    assert_eq!(issues(&platform, State::Open), []);
    assert!(issues(&platform, State::Closed).iter().all(|issue| issue.comments.len() == 1));
}

#[test]
fn what_takes_github_too_long_is_sent_in_halves() {
    let usual = Limits::default();
    for (limits, why) in [
        (Limits { tree_entries: 60, timeout_status: 502, ..usual.clone() }, "a gateway gave up"),
        (Limits { tree_entries: 60, timeout_status: 422, ..usual.clone() }, "GitHub said so"),
        (Limits { tree_bytes: 20_000, ..usual }, "too many bytes"),
    ] {
        let platform = Platform::new(CASE);
        platform.sandbox.set_limits(limits);
        set_targets(&platform, [100, 0, 0], [0, 0, 0]);
        let ran = platform.schedule(&[]).succeeded();
        check_pull(&platform, &ran);
        let sent: Vec<&Request> = trees(&ran).collect();
        let refused = sent.iter().filter(|request| request.status != Some(201)).count();
        let files = platform.gitops.changes("dev", BRANCH).unwrap().len();
        assert_eq!((refused > 0, entries(&ran)), (true, files), "{why}");
        assert_eq!(platform.schedule(&[]).succeeded().writes(), 0, "{why}");
    }
}

#[test]
fn an_upload_that_was_cut_short_goes_on_where_it_ended() {
    let platform = Platform::new(CASE);
    set_targets(&platform, [330, 0, 0], [0, 0, 0]);
    let saved = platform.sandbox.save().unwrap();
    let parts = trees(&platform.schedule(&[]).succeeded()).count();
    let wanted = platform.gitops.tree(BRANCH).unwrap();
    assert_eq!(parts, 5);
    for sent in 0..parts {
        platform.sandbox.restore(&saved).unwrap();
        let next = At::Matching("POST", "*/git/trees".to_owned(), sent);
        platform.sandbox.fault(next, Fault::error(401, "Bad credentials"));
        let cut = platform.schedule(&[]);
        assert_eq!((cut.exit, trees(&cut).count()), (3, sent + 1));
        assert_eq!(platform.gitops.head(BRANCH).unwrap(), None);
        let again = platform.schedule(&[]).succeeded();
        assert_eq!(trees(&again).count(), parts - sent, "{sent} were there");
        check_pull(&platform, &again);
        assert_eq!(platform.gitops.tree(BRANCH).unwrap(), wanted);
    }
}

#[test]
fn an_object_that_github_names_otherwise_ends_the_run_before_a_branch_moves() {
    let platform = Platform::new(CASE);
    set_odd_cluster_type(&platform);
    let new = platform.sandbox.save().unwrap();
    platform.schedule(&UNCHECKED).succeeded();
    promote(&platform);
    let opened = platform.sandbox.save().unwrap();
    for (path, said) in [
        ("*/git/trees", format!("error: GitHub made the tree {WRONG} of an upload that should give ")),
        (
            "*/git/blobs",
            format!("error: GitHub stored odd/app-a0/platform-config.sh as {WRONG}, though its content is "),
        ),
    ] {
        for (saved, why) in [(&new, "nothing is there yet"), (&opened, "the pull request is open")] {
            platform.sandbox.restore(saved).unwrap();
            let before = platform.sandbox.snapshot().unwrap();
            platform.sandbox.fault(At::next("POST", path), answer(json!({ "sha": WRONG, "tree": [] })));
            let ran = platform.schedule(&UNCHECKED);
            let help = "; what was sent is not used\n  help: run again; if it stays so, please report it\n";
            assert!(ran.stderr.contains(&said) && ran.stderr.contains(help), "{}", ran.stderr);
            assert_eq!(ran.exit, 3, "{why}");
            let is_commit = |request: &Request| request.is_write() && request.path.ends_with("/git/commits");
            assert!(!ran.requests.iter().any(is_commit), "{why}");
            assert_eq!(platform.sandbox.snapshot().unwrap(), before, "{why}");
            check_pull(&platform, &platform.schedule(&UNCHECKED).succeeded());
        }
    }
}

#[test]
fn what_is_not_utf_8_comes_as_it_is() {
    let platform = Platform::new(CASE);
    set_odd_cluster_type(&platform);
    let ran = platform.schedule(&UNCHECKED).succeeded();
    check_pull(&platform, &ran);
    assert_eq!(platform.gitops.files(BRANCH).unwrap()["odd/app-a0/platform-config.sh"], [0xff, 0, b'\n']);
    let blobs = ran.requests.iter().filter(|request| request.path.ends_with("/git/blobs"));
    assert_eq!(blobs.count(), 1, "all others are texts");
}

#[test]
fn files_go_and_get_their_modes_back_and_what_people_have_stays() {
    let platform = Platform::new(CASE);
    platform.schedule(&[]).succeeded();
    merge(&platform);
    let gitops = &platform.gitops;
    let folder = "large/observability-prometheus";
    let config = gitops.files("dev").unwrap()[&format!("{folder}/platform-config.yaml")].clone();
    let people_have = |branch: &str| {
        // Its content is the right one, so that it is left alone.
        gitops.commit_mode(branch, &format!("{folder}/platform-config.yaml"), "100755", &config).unwrap();
        gitops.commit_mode(branch, "link", "120000", b"large/README.md").unwrap();
        gitops.commit_mode(branch, ".tools/run", "100755", b"#!/bin/sh\n").unwrap();
    };
    gitops.branch("wanted", &gitops.head("dev").unwrap().unwrap()).unwrap();
    people_have("wanted");
    people_have("dev");
    gitops.commit_mode("dev", &format!("{folder}/reconciler.yaml"), "100755", b"a: 1\n").unwrap();
    gitops.commit_mode("dev", &format!("{folder}/namespace.yaml"), "120000", b"reconciler.yaml").unwrap();
    gitops.commit("dev", &[("large/gone/reconciler.yaml", Some("a: 1\n"))], "Nobody asks for it").unwrap();
    let ran = platform.schedule(&[]).succeeded();
    check_pull(&platform, &ran);
    assert_eq!(entries(&ran), 3);
    assert_eq!(gitops.tree(BRANCH).unwrap(), gitops.tree("wanted").unwrap());
}

/// Has the control plane schedule targets in three groups of these sizes, where a value of each group stands in
/// one file of each of its targets.
fn set_targets(platform: &Platform, groups: [usize; 3], values: [usize; 3]) {
    let mut objects = workload("app", groups) + &policy();
    for (group, value) in GROUPS.iter().zip(values) {
        let name = format!("group-{group}");
        objects += &format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  \
             labels: {{platform-config: \"true\", group: {group}}}\ndata: {{VALUE: \"{value}\"}}\n"
        );
    }
    commit(platform, &objects);
}

/// Has the control plane schedule a target on a cluster type whose config is not UTF-8.
fn set_odd_cluster_type(platform: &Platform) {
    let cluster_type =
        "  labels: {size: small}\nspec: {reconciler: argocd, namespaceService: default, configType: odd}\n";
    let template =
        "spec:\n  type: config\n  contentType: sh\n  manifests:\n  - |\n    {{ b64dec \"/wA=\" }}\n";
    let odd = object("ClusterType", "odd", cluster_type) + &object("Template", "odd", template);
    commit(platform, &(workload("app", [1, 0, 0]) + &policy() + &odd));
}

fn workload(name: &str, groups: [usize; 3]) -> String {
    let mut spec = "spec:\n  deploymentTargets:\n".to_owned();
    for (group, count) in GROUPS.iter().zip(groups) {
        for number in 0..count {
            spec += &format!(
                "  - name: {group}{number}\n    environment: dev\n    labels: {{group: {group}}}\n    \
                 manifests: {{repo: https://github.com/contoso/app-gitops, branch: dev, path: ./x}}\n"
            );
        }
    }
    object("Workload", name, &spec)
}

fn policy() -> String {
    let spec = "spec:\n  deploymentTargetSelector:\n    labelSelector: {matchExpressions: [{key: group, operator: Exists}]}\n  \
                clusterTypeSelector:\n    labelSelector: {matchLabels: {size: small}}\n";
    object("SchedulingPolicy", "many", spec)
}

fn object(kind: &str, name: &str, rest: &str) -> String {
    format!("---\napiVersion: scheduler.kalypso.io/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\n{rest}")
}

fn commit(platform: &Platform, objects: &str) {
    platform.control_plane.commit("dev", &[("many.yaml", Some(objects))], "More").expect("a commit");
}

/// Has the environment be at a new commit of its base.
fn promote(platform: &Platform) {
    let pointers = platform.control_plane.files("dev").expect("the branch")["pointers.yaml"].clone();
    let pointers = String::from_utf8(pointers).expect("a text");
    let (_, old) = pointers.split_once("commit: ").expect("a pinned base");
    let old = old.lines().next().expect("a line");
    let new = platform.control_plane.commit("main", &[("notes.md", Some(old))], "Go on").expect("a commit");
    platform.edit("dev", "pointers.yaml", old, &new);
}

/// Runs, within the calls that the changed files may cost; tells how many files were sent.
fn check_cost(platform: &Platform) -> usize {
    let ran = platform.schedule(&[]).succeeded();
    check_pull(platform, &ran);
    let (sent, parts) = (entries(&ran), trees(&ran).count());
    assert_eq!(parts, sent.div_ceil(PART), "{sent} files");
    assert!(ran.calls() <= 12 + parts, "{} calls for {sent} files", ran.calls());
    sent
}

/// The open pull request brings what was computed, as one commit.
fn check_pull(platform: &Platform, ran: &Ran) {
    let commit = &platform.gitops.log(BRANCH).expect("our branch")[0];
    assert_eq!(commit.tree, ran.outputs["tree-id"]);
    assert_eq!(commit.parents, [platform.gitops.head("dev").expect("a repository").expect("a branch")]);
    let pulls = platform.gitops.pulls().expect("a repository");
    let open: Vec<_> = pulls.iter().filter(|pull| pull.state == State::Open).collect();
    assert_eq!((open.len(), open[0].number.to_string()), (1, ran.outputs["pull-request-number"].clone()));
}

fn merge(platform: &Platform) {
    let pulls = platform.gitops.pulls().expect("a repository");
    let open = pulls.iter().find(|pull| pull.state == State::Open).expect("an open pull request");
    platform.gitops.merge_pull(open.number, Merge::Squash).expect("no conflict");
}

/// Requests that upload a part.
fn trees(ran: &Ran) -> impl Iterator<Item = &Request> {
    let is_one = |request: &&Request| request.method == "POST" && request.path.ends_with("/git/trees");
    ran.requests.iter().filter(is_one)
}

/// How many entries arrived.
fn entries(ran: &Ran) -> usize {
    let arrived = trees(ran).filter(|request| request.status == Some(201));
    let count = |request: &Request| {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        body["tree"].as_array().expect("entries").len()
    };
    arrived.map(count).sum()
}

/// How often issues were written; a pull request's labels are set in the same place.
fn issue_writes(ran: &Ran) -> usize {
    let is_of_issues =
        |request: &&Request| request.path.contains("/issues") && !request.path.contains("/labels");
    ran.requests.iter().filter(|request| request.is_write()).filter(is_of_issues).count()
}

fn issues(platform: &Platform, state: State) -> Vec<Issue> {
    platform.gitops.issues().expect("a repository").into_iter().filter(|issue| issue.state == state).collect()
}

/// Another answer than the right one; what was asked for is not done.
fn answer(body: Value) -> Fault {
    Fault::Answer { status: 201, headers: Vec::new(), body: body.to_string(), work: Work::Skipped }
}
