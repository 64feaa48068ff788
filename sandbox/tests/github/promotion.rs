//! What a promotion asks of GitHub: files, comparisons, workflows, rules, and what stands where.

use std::collections::BTreeMap;

use kalypso_sandbox::{Access, Dispatch, Level, Merge, Protection, Repository, Sandbox, Scope};
use serde_json::{Value, json};

use crate::client::{Answer, TOKEN, git, git_url, graphql, sandbox, send, update_refs};

const REPO: &str = "/repos/contoso/gitops";

fn get(sandbox: &Sandbox, path: &str) -> Answer {
    send(sandbox, TOKEN, "GET", &format!("{REPO}{path}"), Value::Null)
}

fn post(sandbox: &Sandbox, path: &str, body: Value) -> Answer {
    send(sandbox, TOKEN, "POST", &format!("{REPO}{path}"), body)
}

fn head(repository: &Repository, branch: &str) -> String {
    repository.head(branch).expect("a repository").expect("a branch")
}

#[test]
fn files_and_folders_are_read_at_a_commit() {
    let (sandbox, gitops) = sandbox();
    let large = "x".repeat(1_000_001);
    let files = [
        ("a b/c.yaml", Some("c: 1\n")),
        ("a b/d/e", Some("")),
        ("large", Some(&*large)),
        ("empty", Some("")),
    ];
    let first = gitops.commit("dev", &files, "Files").unwrap();
    gitops.commit_mode("dev", "link", "120000", b"empty").unwrap();
    gitops.commit("dev", &[("a b/c.yaml", Some("c: 2\n"))], "Later").unwrap();
    let read = |path: &str| get(&sandbox, &format!("/contents/{path}"));
    let table = [
        (format!("a%20b/c.yaml?ref={first}"), "file", "YzogMQo=\n", "at a commit"),
        ("a%20b/c.yaml?ref=dev".to_owned(), "file", "YzogMgo=\n", "at a branch"),
        ("empty?ref=dev".to_owned(), "file", "", "nothing in it"),
        ("large?ref=dev".to_owned(), "file", "", "too much for an answer"),
        ("link?ref=dev".to_owned(), "symlink", "", "a link"),
    ];
    for (path, kind, content, why) in table {
        let answer = read(&path);
        assert_eq!(
            (answer.status, answer.body["type"].as_str()),
            (200, Some(kind)),
            "{why}: {}",
            answer.body
        );
        assert_eq!(answer.body["content"].as_str().unwrap_or_default(), content, "{why}");
    }
    assert_eq!(read("large?ref=dev").body["encoding"], "none");
    let folder = read("a%20b?ref=dev").body;
    let names: Vec<_> =
        folder.as_array().unwrap().iter().map(|entry| (&entry["path"], &entry["type"])).collect();
    assert_eq!(names, [(&json!("a b/c.yaml"), &json!("file")), (&json!("a b/d"), &json!("dir"))]);
    for (path, why) in
        [("b?ref=dev", "no such file"), ("a?ref=nowhere", "no such branch"), ("x/y?ref=dev", "no folder")]
    {
        assert_eq!(read(path).status, 404, "{why}");
    }
    assert_eq!(sandbox.violations(), [""; 0]);
}

const FILE: &str = "query($owner: String!, $name: String!, $file: String!) {
    repository(owner: $owner, name: $name) { object(expression: $file) {
        ... on Blob { oid text isTruncated }
    } }
}";

#[test]
fn a_long_file_is_cut_by_one_interface_and_whole_in_the_other() {
    let (sandbox, gitops) = sandbox();
    // Half of a character is in the last one of 524,288 bytes.
    let long = format!("x{}", "é".repeat(300_000));
    gitops.commit("dev", &[("long", Some(&long)), ("short", Some("x"))], "Files").unwrap();
    gitops.commit_mode("dev", "binary", "100644", &[0xff, 0]).unwrap();
    let read = |file: &str| {
        let variables = json!({ "owner": "contoso", "name": "gitops", "file": format!("dev:{file}") });
        graphql(&sandbox, TOKEN, FILE, variables).body["data"]["repository"]["object"].clone()
    };
    let table = [
        ("long", json!(long[..524_287]), true, 600_001),
        ("short", json!("x"), false, 1),
        ("binary", Value::Null, false, 2),
    ];
    for (file, text, is_truncated, size) in table {
        let object = read(file);
        assert_eq!((object["text"] == text, &object["isTruncated"]), (true, &json!(is_truncated)), "{file}");
        let blob = get(&sandbox, &format!("/git/blobs/{}", object["oid"].as_str().unwrap()));
        assert_eq!((blob.status, &blob.body["size"]), (200, &json!(size)), "{file}");
    }
    assert_eq!(get(&sandbox, &format!("/git/blobs/{}", head(&gitops, "dev"))).status, 404, "no file");
    assert_eq!(sandbox.violations(), [""; 0]);
}

#[test]
fn a_copy_that_lags_behind_names_a_commit_and_does_not_find_it() {
    let (sandbox, gitops) = sandbox();
    let first = head(&gitops, "dev");
    let second = gitops.commit("dev", &[("a", Some("1"))], "Second").unwrap();
    let variables = json!({ "owner": "contoso", "name": "gitops", "file": second });
    let statuses = || {
        let paths = [
            format!("/git/commits/{second}"),
            format!("/compare/{first}...{second}"),
            format!("/git/commits/{first}"),
        ];
        paths.map(|path| get(&sandbox, &path).status)
    };
    gitops.hide(&second).unwrap();
    assert_eq!(get(&sandbox, "/git/matching-refs/heads/dev").body[0]["object"]["sha"], *second);
    assert_eq!(statuses(), [404, 404, 200]);
    let object = graphql(&sandbox, TOKEN, FILE, variables).body["data"]["repository"]["object"].clone();
    assert_eq!(object, Value::Null);
    gitops.reveal().unwrap();
    assert_eq!(statuses(), [200; 3]);
}

#[test]
fn comparisons_come_in_pages() {
    let (sandbox, gitops) = sandbox();
    let first = head(&gitops, "dev");
    gitops.branch("other", &first).unwrap();
    for number in ["1", "2", "3"] {
        gitops.commit("dev", &[(number, Some(number))], number).unwrap();
    }
    gitops.commit("other", &[("4", Some("4"))], "4").unwrap();
    gitops.commit("island", &[("5", Some("5"))], "5").unwrap();
    let dev = head(&gitops, "dev");
    let table = [
        (format!("{first}...dev"), "ahead", 3, 0),
        (format!("dev...{first}"), "behind", 0, 3),
        (format!("{dev}...dev"), "identical", 0, 0),
        ("dev...other".to_owned(), "diverged", 1, 3),
    ];
    for (basehead, status, ahead, behind) in table {
        let body = get(&sandbox, &format!("/compare/{basehead}?per_page=1")).body;
        let got = (&body["status"], &body["ahead_by"], &body["behind_by"]);
        assert_eq!(got, (&json!(status), &json!(ahead), &json!(behind)), "{basehead}");
        assert_eq!(body["commits"].as_array().unwrap().len(), ahead.min(1), "{basehead}");
    }
    let later = get(&sandbox, &format!("/compare/{first}...dev?per_page=2&page=2")).body;
    assert_eq!((later["commits"][0]["sha"].as_str(), &later["files"]), (Some(&*dev), &json!([])));
    let island = get(&sandbox, "/compare/dev...island");
    assert_eq!(island.brief(), (404, "No common ancestor between dev and island.".to_owned()));
    assert_eq!(get(&sandbox, &format!("/compare/{}...dev", "1".repeat(40))).status, 404);
    assert_eq!(sandbox.violations(), [""; 0]);
}

#[test]
fn workflows_are_asked_to_run() {
    let (sandbox, gitops) = sandbox();
    let workflow =
        "on:\n  workflow_dispatch:\n    inputs:\n      environment: {required: true}\n      before:\n";
    let files = [
        (".github/workflows/checkpromote.yml", Some(workflow)),
        (".github/workflows/push.yml", Some("on: push\n")),
    ];
    gitops.commit("main", &files, "Workflows").unwrap();
    sandbox.token("ghs_reads", Access::write("contoso/gitops").with(Scope::Actions, Level::Read));
    let inputs = json!({ "environment": "dev" });
    let table = [
        ("checkpromote.yml", json!({ "ref": "main", "inputs": inputs }), 204, "", "as it wants it"),
        (
            "checkpromote.yml",
            json!({ "ref": "main", "inputs": { "environment": "dev", "x": "1", "y": "" } }),
            422,
            "Unexpected inputs provided: [\"x\", \"y\"]",
            "inputs that it does not declare",
        ),
        (
            "checkpromote.yml",
            json!({ "ref": "main" }),
            422,
            "Required input 'environment' not provided",
            "too little",
        ),
        (
            "checkpromote.yml",
            json!({ "ref": "nowhere", "inputs": inputs }),
            422,
            "No ref found for: nowhere",
            "no branch",
        ),
        (
            "checkpromote.yml",
            json!({ "ref": "dev", "inputs": inputs }),
            422,
            "Workflow does not have 'workflow_dispatch' trigger",
            "not on that branch",
        ),
        (
            "push.yml",
            json!({ "ref": "main" }),
            422,
            "Workflow does not have 'workflow_dispatch' trigger",
            "another trigger",
        ),
        ("other.yml", json!({ "ref": "main" }), 404, "Not Found", "no such workflow"),
    ];
    for (workflow, body, status, message, why) in table {
        let answer = post(&sandbox, &format!("/actions/workflows/{workflow}/dispatches"), body);
        assert_eq!(answer.brief(), (status, message.to_owned()), "{why}");
    }
    let path = format!("{REPO}/actions/workflows/checkpromote.yml/dispatches");
    let body = json!({ "ref": "main", "inputs": inputs });
    assert_eq!(send(&sandbox, "ghs_reads", "POST", &path, body).status, 403);
    let details = json!({ "ref": "main", "inputs": inputs, "return_run_details": true });
    let told = post(&sandbox, "/actions/workflows/checkpromote.yml/dispatches", details);
    let id = told.body["workflow_run_id"].as_u64().expect("a number");
    let dispatch = Dispatch {
        workflow: "checkpromote.yml".to_owned(),
        branch: "main".to_owned(),
        inputs: BTreeMap::from([("environment".to_owned(), "dev".to_owned())]),
        by: "github-actions[bot]".to_owned(),
    };
    assert_eq!(gitops.dispatches().unwrap(), [dispatch.clone(), dispatch.clone()]);
    let world = sandbox.snapshot().unwrap();
    assert_eq!(world.repositories["contoso/gitops"].dispatches, [dispatch.clone(), dispatch]);

    gitops.start_run(7).unwrap();
    let shown = |id: u64| get(&sandbox, &format!("/actions/runs/{id}"));
    let state = |id: u64| {
        let body = shown(id).body;
        (body["status"].clone(), body["conclusion"].clone())
    };
    assert_eq!(state(7), (json!("in_progress"), Value::Null));
    assert_eq!(state(id), (json!("in_progress"), Value::Null));
    gitops.finish_run(7).unwrap();
    assert_eq!(state(7), (json!("completed"), json!("success")));
    assert_eq!(shown(8).status, 404);
    assert_eq!(sandbox.violations(), [""; 0]);
}

#[test]
fn rules_hold_for_tokens() {
    let through_pulls = "Changes must be made through a pull request.";
    let table = [
        (Protection::PullRequests, vec!["pull_request"], through_pulls, through_pulls),
        (Protection::Updates, vec!["update"], "Cannot update", "Cannot update"),
        (Protection::StatusChecks, vec!["required_status_checks"], "status check", "status check"),
        (Protection::NoForce, vec!["deletion", "non_fast_forward"], "", "Cannot force-push"),
        (Protection::Classic, vec![], through_pulls, through_pulls),
    ];
    for (protection, rules, plain, forced) in table {
        let (sandbox, gitops) = sandbox();
        let first = head(&gitops, "dev");
        gitops.commit("next/dev", &[("a", Some("1"))], "Island").unwrap();
        let (island, id) = (head(&gitops, "next/dev"), get(&sandbox, "").body["node_id"].clone());
        let next = gitops.commit("dev", &[("a", Some("1"))], "Next").unwrap();
        gitops.force("dev", &first).unwrap();
        gitops.protect_branch("dev", protection).unwrap();
        gitops.protect_branch("fresh", protection).unwrap();

        let shown = get(&sandbox, "/rules/branches/dev").body;
        let types: Vec<_> =
            shown.as_array().unwrap().iter().map(|rule| rule["type"].as_str().unwrap()).collect();
        assert_eq!(types, rules, "{protection:?}");
        let branch = get(&sandbox, "/branches/dev").body;
        let classic = protection == Protection::Classic;
        assert_eq!((&branch["protected"], &branch["protection"]["enabled"]), (&json!(true), &json!(classic)));
        assert_eq!(get(&sandbox, "/branches/next/dev").body["protected"], false);
        assert_eq!(get(&sandbox, "/rules/branches/next/dev").body, json!([]));

        let push = |branch: &str, to: &str, force: bool| {
            let name = format!("refs/heads/{branch}");
            let update = json!([{ "name": name, "afterOid": to, "force": force }]);
            let error =
                update_refs(&sandbox, TOKEN, id.as_str().unwrap(), update).body["errors"][0]["message"]
                    .clone();
            error.as_str().unwrap_or_default().to_owned()
        };
        let patch = |to: &str, force: bool| {
            let body = json!({ "sha": to, "force": force });
            send(&sandbox, TOKEN, "PATCH", &format!("{REPO}/git/refs/heads/dev"), body).brief().1
        };
        let fits = |got: String, want: &str| {
            let fits = if want.is_empty() { got.is_empty() } else { got.contains(want) };
            assert!(fits, "{protection:?}: {got:?} instead of {want:?}");
        };
        fits(push("dev", &next, false), plain);
        gitops.force("dev", &first).unwrap();
        fits(patch(&next, false), plain);
        gitops.force("dev", &first).unwrap();
        fits(push("dev", &island, true), forced);
        fits(patch(&island, true), forced);
        let deleted = send(&sandbox, TOKEN, "DELETE", &format!("{REPO}/git/refs/heads/dev"), Value::Null);
        fits(deleted.brief().1, forced);
        fits(push("fresh", &first, false), "");
        assert_eq!(head(&gitops, "dev"), first, "{protection:?}");

        let folder = tempfile::tempdir().unwrap();
        let url = git_url(&sandbox, TOKEN, "contoso/gitops");
        git(folder.path(), &["clone", "-q", "-b", "dev", &url, "x"]).unwrap();
        let clone = folder.path().join("x");
        git(&clone, &["commit", "-q", "--allow-empty", "-m", "Empty"]).unwrap();
        let pushed = git(&clone, &["push", "-q", "origin", "dev"]);
        assert_eq!(pushed.is_ok(), plain.is_empty(), "{protection:?}: {pushed:?}");
        assert_eq!(sandbox.violations(), [""; 0]);
    }
}

const LANDING: &str = "query($owner: String!, $name: String!, $commit: GitObjectID!) {
    repository(owner: $owner, name: $name) { object(oid: $commit) { ... on Commit {
        history(first: 1, path: \"live/*\") { nodes { oid parents(first: 1) { nodes { oid } } } }
    } } }
}";

#[test]
fn the_commit_that_changed_a_file_is_found_behind_merges() {
    let (sandbox, gitops) = sandbox();
    let before = head(&gitops, "dev");
    gitops.branch("change", &before).unwrap();
    let change = gitops.commit("change", &[("live/*", Some("1"))], "Change").unwrap();
    gitops.commit("dev", &[("live/other", Some("2"))], "Meanwhile").unwrap();
    let number = gitops.open_pull("change", "dev", "Change", "").unwrap();
    let merged = gitops.merge_pull(number, Merge::Commit).unwrap();
    let later = gitops.commit("dev", &[("b", Some("3"))], "Later").unwrap();
    let node = json!({ "oid": change, "parents": { "nodes": [{ "oid": before }] } });
    for (commit, want, why) in [
        (&later, json!([node]), "later"),
        (&merged, json!([node]), "a merge"),
        (&before, json!([]), "before"),
    ] {
        let variables = json!({ "owner": "contoso", "name": "gitops", "commit": commit });
        let body = graphql(&sandbox, TOKEN, LANDING, variables).body;
        assert_eq!(body["data"]["repository"]["object"]["history"]["nodes"], want, "{why}");
    }
    assert_eq!(sandbox.violations(), [""; 0]);
}

const HISTORY: &str = "query($owner: String!, $name: String!, $branch: String!) {
    repository(owner: $owner, name: $name) { ref(qualifiedName: $branch) { target { ... on Commit {
        history(first: 2) { nodes {
            oid messageHeadline committedDate
            status { contexts { context state description targetUrl createdAt } }
        } }
    } } } }
}";

#[test]
fn the_latest_commits_are_read_with_their_statuses() {
    let (sandbox, gitops) = sandbox();
    sandbox.stop_clock(1_800_000_000);
    gitops.commit("dev", &[("a", Some("1"))], "Second\n\nMore of it.").unwrap();
    let third = gitops.commit("dev", &[("a", Some("2"))], "Third").unwrap();
    for (context, state) in [("dev environment", "pending"), ("x", "error"), ("dev environment", "success")] {
        let body = json!({ "context": context, "state": state, "target_url": "https://ci.example/1" });
        post(&sandbox, &format!("/statuses/{third}"), body);
    }
    assert_eq!(gitops.statuses_of(&third).unwrap()[0].state, "success");
    let variables = |name: &str, branch: &str| json!({ "owner": "Contoso", "name": name, "branch": branch });
    let read = |name, branch| graphql(&sandbox, TOKEN, HISTORY, variables(name, branch)).body;
    let nodes = &read("GitOps", "refs/heads/dev")["data"]["repository"]["ref"]["target"]["history"]["nodes"];
    let time = "2027-01-15T08:00:00Z";
    let context = |context: &str, state: &str| {
        json!({ "context": context, "state": state, "description": null,
            "targetUrl": "https://ci.example/1", "createdAt": time })
    };
    assert_eq!(nodes[0]["oid"], *third);
    assert_eq!(
        nodes[0]["status"]["contexts"],
        json!([context("dev environment", "SUCCESS"), context("x", "ERROR")])
    );
    let second = json!({ "messageHeadline": "Second", "committedDate": time, "status": null });
    for (name, value) in second.as_object().unwrap() {
        assert_eq!(nodes[1][name], *value, "{name}");
    }
    assert_eq!(nodes.as_array().unwrap().len(), 2);
    assert_eq!(read("gitops", "refs/heads/nowhere")["data"]["repository"], json!({ "ref": null }));
    assert_eq!(read("nothing", "refs/heads/dev")["errors"][0]["type"], "NOT_FOUND");
    sandbox.token("ghs_no", Access::write("contoso/gitops").with(Scope::Statuses, Level::None));
    let refused = graphql(&sandbox, "ghs_no", HISTORY, variables("gitops", "refs/heads/dev")).body;
    assert_eq!(refused["errors"][0]["type"], "FORBIDDEN");
    assert!(sandbox.requests().last().is_some_and(|request| !request.is_write()));
    assert_eq!(sandbox.violations(), [""; 0]);

    let unknown = graphql(&sandbox, TOKEN, "query { viewer { login } }", Value::Null).body;
    assert_eq!(unknown["errors"][0]["message"], "Field 'viewer' doesn't exist on type 'Query'");
    assert_eq!(sandbox.violations().len(), 1);
}

#[test]
fn a_commit_is_taken_back() {
    let (_sandbox, gitops) = sandbox();
    let bad = gitops.commit("dev", &[("a", Some("1")), ("README.md", None)], "Bad").unwrap();
    gitops.commit("dev", &[("b", Some("2"))], "Good").unwrap();
    let revert = gitops.revert("dev", &bad).unwrap();
    let files = gitops.files("dev").unwrap();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["README.md", "b"]);
    let log = gitops.log("dev").unwrap();
    assert_eq!((log[0].sha.as_str(), log[0].message.lines().next()), (&*revert, Some("Revert \"Bad\"")));
}
