//! What clients of the REST and GraphQL interfaces get.

use std::time::Duration;

use kalypso_sandbox::{Access, Issues, Level, Limits, Merge, Repository, Sandbox, Scope, State, Visibility};
use serde_json::{Value, json};

use crate::client::{Answer, TOKEN, builder, sandbox, send, update_refs};

const REPO: &str = "/repos/contoso/gitops";
const ZEROS: &str = "0000000000000000000000000000000000000000";
const NOBODY: &str = "1111111111111111111111111111111111111111";

fn get(sandbox: &Sandbox, path: &str) -> Answer {
    send(sandbox, TOKEN, "GET", &format!("{REPO}{path}"), Value::Null)
}

fn post(sandbox: &Sandbox, path: &str, body: Value) -> Answer {
    send(sandbox, TOKEN, "POST", &format!("{REPO}{path}"), body)
}

fn patch(sandbox: &Sandbox, path: &str, body: Value) -> Answer {
    send(sandbox, TOKEN, "PATCH", &format!("{REPO}{path}"), body)
}

/// A branch `next` that is one commit ahead of `dev`.
fn ahead(gitops: &Repository) -> String {
    let head = gitops.head("dev").ok().flatten().expect("a branch");
    gitops.branch("next", &head).expect("a branch");
    gitops.commit("next", &[("drone/a.yaml", Some("a: 1\n"))], "Next").expect("a commit")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_change_is_published_as_github_wants_it() {
    let (sandbox, gitops) = sandbox();
    let repository = get(&sandbox, "");
    assert_eq!(repository.body["full_name"], "contoso/gitops");
    assert_eq!(repository.body["permissions"]["push"], true);
    let head = text(&get(&sandbox, "/git/ref/heads/dev").body["object"]["sha"]);
    let commit = get(&sandbox, &format!("/git/commits/{head}"));
    let base = text(&commit.body["tree"]["sha"]);
    let blob = post(&sandbox, "/git/blobs", json!({ "content": "YQo=", "encoding": "base64" }));
    let entries = json!([
        { "path": "drone/a.yaml", "mode": "100644", "type": "blob", "sha": blob.body["sha"] },
        { "path": "drone/b.yaml", "mode": "100755", "type": "blob", "content": "b\n" },
        { "path": "README.md", "mode": "100644", "type": "blob", "sha": null },
    ]);
    let tree = post(&sandbox, "/git/trees", json!({ "base_tree": base, "tree": entries }));
    assert_eq!(tree.status, 201, "{}", tree.body);
    let listed = get(&sandbox, &format!("/git/trees/{}?recursive=1", text(&tree.body["sha"])));
    assert_eq!(listed.body["truncated"], false);
    assert_eq!(listed.body["tree"].as_array().unwrap().len(), 3);
    let made = post(
        &sandbox,
        "/git/commits",
        json!({ "message": "Update", "tree": tree.body["sha"], "parents": [head] }),
    );
    assert_eq!(made.body["verification"]["verified"], true);
    let sha = text(&made.body["sha"]);
    let id = text(&repository.body["node_id"]);
    let update =
        json!([{ "name": "refs/heads/deployment/dev", "beforeOid": ZEROS, "afterOid": sha, "force": false }]);
    let moved = update_refs(&sandbox, TOKEN, &id, update.clone());
    assert_eq!(moved.body, json!({ "data": { "updateRefs": { "clientMutationId": null } } }));
    let stale = update_refs(&sandbox, TOKEN, &id, update);
    assert_eq!((stale.status, text(&stale.body["errors"][0]["type"])), (200, "STALE_DATA".to_owned()));
    let pull = post(
        &sandbox,
        "/pulls",
        json!({ "title": "Update", "head": "deployment/dev", "base": "dev", "body": "b" }),
    );
    assert_eq!(pull.status, 201, "{}", pull.body);
    assert_eq!((&pull.body["changed_files"], &pull.body["commits"]), (&json!(3), &json!(1)));
    let labels = post(&sandbox, "/issues/1/labels", json!({ "labels": ["promoted"] }));
    assert_eq!(labels.body[0]["name"], "promoted");
    let found = get(&sandbox, "/pulls?head=contoso:deployment/dev&state=open&base=dev");
    assert_eq!(found.body[0]["number"], 1);

    let files = gitops.files("deployment/dev").unwrap();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["drone/a.yaml", "drone/b.yaml"]);
    assert!(gitops.is_verified(&sha).unwrap());
    let pulls = gitops.pulls().unwrap();
    assert_eq!(
        (pulls[0].labels.as_slice(), pulls[0].state),
        (["promoted".to_owned()].as_slice(), State::Open)
    );
    assert_eq!(pulls[0].author, "github-actions[bot]");
    assert_eq!(sandbox.violations(), [""; 0]);
}

#[test]
fn trees_are_refused_as_github_refuses_them() {
    let (sandbox, gitops) = sandbox();
    let base = gitops.tree("dev").unwrap().unwrap();
    let file = |path: &str| json!({ "path": path, "mode": "100644", "type": "blob", "content": "x" });
    let object = |sha: Value| json!({ "path": "a", "mode": "100644", "type": "blob", "sha": sha });
    let many: Vec<Value> = (0..251).map(|number| file(&format!("{number}"))).collect();
    let table = [
        (json!({ "base_tree": base, "tree": [file("a/b")] }), 201, "", "a file"),
        (
            json!({ "base_tree": base, "tree": [object(Value::Null)] }),
            422,
            "GitRPC::BadObjectState",
            "nothing there",
        ),
        (
            json!({ "base_tree": NOBODY, "tree": [file("a")] }),
            422,
            "base_tree is not a valid tree oid",
            "no such base",
        ),
        (json!({ "tree": [] }), 422, "Invalid tree info", "nothing at all"),
        (
            json!({ "tree": [file("a/../b")] }),
            422,
            "tree.path contains a malformed path component",
            "upwards",
        ),
        (
            json!({ "tree": [file(".git/config")] }),
            422,
            "tree.path contains a malformed path component",
            "git's own",
        ),
        (json!({ "base_tree": base, "tree": many }), 502, "Sorry, your request timed out", "too many"),
    ];
    for (body, status, message, why) in table {
        let got = post(&sandbox, "/git/trees", body).brief();
        assert_eq!(got.0, status, "{why}: {got:?}");
        assert!(got.1.starts_with(message), "{why}: {got:?}");
    }
    let unknown = post(&sandbox, "/git/trees", json!({ "tree": [object(json!(NOBODY))] }));
    assert_eq!(unknown.brief(), (422, format!("tree.sha {NOBODY} is not a valid blob")));

    sandbox.set_limits(Limits {
        timeout_status: 422,
        tree_entries: 1,
        recursive_entries: 2,
        ..Limits::default()
    });
    let timeout = post(&sandbox, "/git/trees", json!({ "tree": [file("a"), file("b")] }));
    assert_eq!(timeout.status, 422);
    gitops.commit("dev", &[("a/b", Some("")), ("c", Some(""))], "More").unwrap();
    let listed = get(&sandbox, "/git/trees/dev?recursive=true");
    assert_eq!(
        (listed.body["truncated"].as_bool(), listed.body["tree"].as_array().unwrap().len()),
        (Some(true), 2)
    );
}

#[test]
fn references_are_made_moved_and_deleted() {
    let (sandbox, gitops) = sandbox();
    let first = gitops.head("dev").unwrap().unwrap();
    let next = ahead(&gitops);
    gitops.commit("dev", &[("c", Some("1"))], "Elsewhere").unwrap();
    let table = [
        ("POST", "/git/refs", json!({ "ref": "refs/heads/x/y", "sha": first }), 201, ""),
        (
            "POST",
            "/git/refs",
            json!({ "ref": "refs/heads/x/y", "sha": first }),
            422,
            "Reference already exists",
        ),
        ("POST", "/git/refs", json!({ "ref": "refs/heads/z", "sha": NOBODY }), 422, "Object does not exist"),
        ("PATCH", "/git/refs/heads/x/y", json!({ "sha": next }), 200, ""),
        ("PATCH", "/git/refs/heads/dev", json!({ "sha": next }), 422, "Update is not a fast forward"),
        ("PATCH", "/git/refs/heads/dev", json!({ "sha": next, "force": true }), 200, ""),
        ("PATCH", "/git/refs/heads/nope", json!({ "sha": next }), 422, "Reference does not exist"),
        ("DELETE", "/git/refs/heads/x/y", Value::Null, 204, ""),
    ];
    for (method, path, body, status, message) in table {
        let got = send(&sandbox, TOKEN, method, &format!("{REPO}{path}"), body.clone());
        assert_eq!(got.brief(), (status, message.to_owned()), "{method} {path} {body}");
    }
    let names = |prefix: &str| -> Vec<String> {
        let list = get(&sandbox, &format!("/git/matching-refs/{prefix}")).body;
        list.as_array().unwrap().iter().map(|item| text(&item["ref"])).collect()
    };
    assert_eq!(names("heads/ne"), ["refs/heads/next"]);
    assert_eq!(names("heads/").len(), 2);
    assert_eq!(get(&sandbox, "/git/ref/heads/ne").status, 404);
    let comparison = get(&sandbox, &format!("/compare/{first}...next"));
    assert_eq!((&comparison.body["status"], &comparison.body["ahead_by"]), (&json!("ahead"), &json!(1)));
    assert_eq!(comparison.body["files"][0]["status"], "added");
    assert_eq!(get(&sandbox, "/branches/next").body["commit"]["sha"], *next);
    assert_eq!(get(&sandbox, "/branches/nope").status, 404);
    assert_eq!(sandbox.violations(), [""; 0]);
}

#[test]
fn references_move_together_or_not_at_all() {
    let (sandbox, gitops) = sandbox();
    let id = text(&get(&sandbox, "").body["node_id"]);
    let first = gitops.head("dev").unwrap().unwrap();
    let next = ahead(&gitops);
    let update = |name: &str, before: &str, after: &str, force: bool| {
        let name = format!("refs/heads/{name}");
        json!({ "name": name, "beforeOid": before, "afterOid": after, "force": force })
    };
    let table = [
        (vec![update("dev", &next, &first, true)], "STALE_DATA", "it stands elsewhere"),
        (
            vec![update("new", ZEROS, &next, false), update("dev", ZEROS, &next, false)],
            "STALE_DATA",
            "one of two",
        ),
        (vec![update("next", &next, &first, false)], "UNPROCESSABLE", "backwards without force"),
        (vec![update("new", ZEROS, NOBODY, false)], "UNPROCESSABLE", "no such commit"),
        (
            vec![update("new", ZEROS, &next, false), update("next", &next, ZEROS, false)],
            "",
            "one comes, one goes",
        ),
    ];
    for (updates, want, why) in table {
        let before = gitops.branches().unwrap();
        let got = update_refs(&sandbox, TOKEN, &id, json!(updates));
        assert_eq!((got.status, text(&got.body["errors"][0]["type"])), (200, want.to_owned()), "{why}");
        assert_eq!(gitops.branches().unwrap() == before, !want.is_empty(), "{why}");
    }
    sandbox.token("ghs_read", Access::read("contoso/gitops"));
    let update = json!([update("x", ZEROS, &next, false)]);
    let kind = |token: &str, id: &str| {
        text(&update_refs(&sandbox, token, id, update.clone()).body["errors"][0]["type"])
    };
    assert_eq!(kind("ghs_read", &id), "FORBIDDEN");
    assert_eq!(kind(TOKEN, "R_none"), "NOT_FOUND");
    assert_eq!(update_refs(&sandbox, "", &id, update).status, 401);
}

#[test]
fn pull_requests_need_something_to_bring() {
    let (sandbox, gitops) = sandbox();
    ahead(&gitops);
    let open = |head: &str, base: &str| {
        post(&sandbox, "/pulls", json!({ "title": "T", "head": head, "base": base })).brief()
    };
    assert_eq!(open("dev", "next"), (422, "No commits between next and dev".to_owned()));
    assert_eq!(open("nope", "dev"), (422, "Validation Failed".to_owned()));
    assert_eq!(open("next", "nope"), (422, "Validation Failed".to_owned()));
    assert_eq!(open("next", "dev").0, 201);
    let twin = "A pull request already exists for contoso:next.".to_owned();
    assert_eq!(open("contoso:next", "dev"), (422, twin.clone()));
    let long = "ä".repeat(65_537);
    let refused = patch(&sandbox, "/pulls/1", json!({ "body": long }));
    assert_eq!(refused.brief(), (422, "body is too long (maximum is 65536 characters)".to_owned()));
    assert_eq!(patch(&sandbox, "/pulls/1", json!({ "body": long[2..], "title": "U" })).status, 200);
    assert_eq!(patch(&sandbox, "/pulls/1", json!({ "state": "closed" })).body["state"], "closed");
    assert_eq!(open("next", "dev").0, 201);
    assert_eq!(patch(&sandbox, "/pulls/1", json!({ "state": "open" })).brief(), (422, twin));
    assert_eq!(sandbox.violations(), [""; 0]);
}

#[test]
fn pull_requests_follow_their_branches() {
    let how = [("merge", Merge::Commit, 2), ("squash", Merge::Squash, 1), ("rebase", Merge::Rebase, 1)];
    for (method, _, parents) in how {
        let (sandbox, gitops) = sandbox();
        let next = ahead(&gitops);
        gitops.commit("dev", &[("other", Some("1"))], "Elsewhere").unwrap();
        gitops.open_pull("next", "dev", "Bring it", "").unwrap();
        let path = format!("{REPO}/pulls/1/merge");
        let stale = send(&sandbox, TOKEN, "PUT", &path, json!({ "sha": NOBODY, "merge_method": method }));
        assert_eq!(stale.status, 409);
        let merged = send(&sandbox, TOKEN, "PUT", &path, json!({ "sha": next, "merge_method": method }));
        assert_eq!(merged.status, 200, "{}", merged.body);
        let log = gitops.log("dev").unwrap();
        assert_eq!(
            (log[0].parents.len(), log[0].sha.as_str()),
            (parents, merged.body["sha"].as_str().unwrap())
        );
        assert_eq!(gitops.files("dev").unwrap().len(), 3);
        assert!(gitops.pulls().unwrap()[0].merged.is_some());
        assert_eq!(send(&sandbox, TOKEN, "PUT", &path, json!({})).status, 405);
        assert_eq!(get(&sandbox, "/pulls/1").body["merged"], true);
        assert_eq!(sandbox.violations(), [""; 0]);
    }

    let (_sandbox, gitops) = sandbox();
    let next = ahead(&gitops);
    for _ in 0..2 {
        gitops.open_pull("next", "dev", "Bring it", "").unwrap();
    }
    gitops.close(1).unwrap();
    gitops.force("dev", &next).unwrap();
    let merged = |number: usize| gitops.pulls().unwrap()[number].merged.is_some();
    assert_eq!([merged(0), merged(1)], [false, true], "a push brought the second one");
    gitops.commit("next", &[("d", Some("1"))], "More").unwrap();
    gitops.open_pull("next", "dev", "More", "").unwrap();
    gitops.delete_branch("next").unwrap();
    assert_eq!(gitops.pulls().unwrap()[2].state, State::Closed, "without its branch it is closed");
    gitops.commit("a", &[("README.md", Some("a"))], "Own beginning").unwrap();
}

#[test]
fn lists_come_in_pages() {
    let (sandbox, gitops) = sandbox();
    for number in 0..101 {
        gitops.open_issue(&format!("Issue {number}"), "").unwrap();
    }
    gitops.label(7, "kalypso").unwrap();
    ahead(&gitops);
    gitops.open_pull("next", "dev", "A pull request", "").unwrap();
    let first = get(&sandbox, "/issues?per_page=1000&state=all");
    assert_eq!(first.body.as_array().unwrap().len(), 100);
    assert!(first.body[0]["pull_request"]["url"].is_string());
    let next = format!("<{}{REPO}/issues?per_page=1000&state=all&page=2>; rel=\"next\"", sandbox.api_url());
    assert!(first.header("link").starts_with(&next), "{}", first.header("link"));
    let last = get(&sandbox, "/issues?per_page=100&page=2");
    assert_eq!(last.body.as_array().unwrap().len(), 2);
    assert!(last.header("link").contains("rel=\"prev\"") && !last.header("link").contains("rel=\"next\""));
    assert_eq!(get(&sandbox, "/issues").body.as_array().unwrap().len(), 30);
    let labelled = get(&sandbox, "/issues?labels=kalypso");
    assert_eq!((labelled.body[0]["number"].as_u64(), labelled.header("link")), (Some(7), ""));
    let oldest = get(&sandbox, "/issues?sort=created&direction=asc&per_page=1");
    assert_eq!(oldest.body[0]["number"], 1);
}

#[test]
fn issues_are_opened_changed_commented_and_turned_off() {
    let (sandbox, gitops) = sandbox();
    let opened = post(&sandbox, "/issues", json!({ "title": "Held", "body": "b", "labels": ["kalypso"] }));
    assert_eq!((opened.status, &opened.body["number"]), (201, &json!(1)));
    assert_eq!(post(&sandbox, "/issues", json!({ "title": " " })).status, 422);
    let long = "x".repeat(65_537);
    assert_eq!(post(&sandbox, "/issues", json!({ "title": "T", "body": long })).status, 422);
    assert_eq!(post(&sandbox, "/issues/1/comments", json!({ "body": "Resolved" })).status, 201);
    assert_eq!(get(&sandbox, "/issues/1/comments").body[0]["body"], "Resolved");
    assert_eq!(post(&sandbox, "/issues/1/labels", json!({ "labels": ["other one"] })).status, 200);
    let path = format!("{REPO}/issues/1/labels/other%20one");
    assert_eq!(send(&sandbox, TOKEN, "DELETE", &path, Value::Null).status, 200);
    assert_eq!(send(&sandbox, TOKEN, "DELETE", &path, Value::Null).status, 404);
    let closed = patch(&sandbox, "/issues/1", json!({ "state": "closed", "state_reason": "completed" }));
    assert_eq!(
        (&closed.body["state"], &closed.body["state_reason"]),
        (&json!("closed"), &json!("completed"))
    );
    let issue = &gitops.issues().unwrap()[0];
    assert_eq!(
        (issue.state, issue.comments.len(), issue.labels.as_slice()),
        (State::Closed, 1, ["kalypso".to_owned()].as_slice())
    );

    ahead(&gitops);
    gitops.open_pull("next", "dev", "A pull request", "").unwrap();
    gitops.set_issues(Issues::Disabled).unwrap();
    assert_eq!(get(&sandbox, "").body["has_issues"], false);
    assert_eq!(get(&sandbox, "/issues").status, 410);
    assert_eq!(post(&sandbox, "/issues", json!({ "title": "T" })).status, 410);
    assert_eq!(post(&sandbox, "/issues/2/labels", json!({ "labels": ["promoted"] })).status, 200);
    assert_eq!(post(&sandbox, "/issues/2/comments", json!({ "body": "Still here" })).status, 201);
    assert_eq!(sandbox.violations(), [""; 0]);
}

#[test]
fn statuses_are_set_and_run_out() {
    let (sandbox, gitops) = sandbox();
    sandbox.set_limits(Limits { statuses: 2, ..Limits::default() });
    let head = gitops.head("dev").unwrap().unwrap();
    let path = format!("/statuses/{head}");
    let set = |context: &str, description: &str| {
        let body = json!({ "state": "pending", "context": context, "description": description });
        post(&sandbox, &path, body).status
    };
    assert_eq!([set("a", "1"), set("a", "2"), set("a", "3"), set("b", "4")], [201, 201, 422, 201]);
    assert_eq!(set("c", &"x".repeat(141)), 422);
    assert_eq!(post(&sandbox, &format!("/statuses/{NOBODY}"), json!({ "state": "error" })).status, 422);
    let listed = get(&sandbox, "/commits/heads/dev/statuses?per_page=2");
    let descriptions: Vec<String> =
        listed.body.as_array().unwrap().iter().map(|item| text(&item["description"])).collect();
    assert_eq!(descriptions, ["4", "2"], "newest first");
    assert_eq!(gitops.statuses().unwrap().len(), 3);
    assert_eq!(sandbox.violations(), [""; 0]);
}

#[test]
fn only_who_may_gets_something() {
    let (sandbox, _gitops) = sandbox();
    let open = sandbox.create_repository("contoso/open", Visibility::Public).unwrap();
    open.commit("main", &[("a", Some("1"))], "First").unwrap();
    sandbox.token("ghs_read", Access::read("contoso/gitops"));
    sandbox.token("ghs_elsewhere", Access::write("contoso/else"));
    sandbox.token("ghs_short", Access::write("contoso/gitops").valid_for(Duration::from_secs(60)));
    sandbox.token("ghs_issues", Access::read("contoso/gitops").with(Scope::Issues, Level::Write));
    sandbox.token("ghs_pulls", Access::write("contoso/gitops").with(Scope::Issues, Level::None));
    let issue = || json!({ "title": "T" });
    let (repo, issues) = (REPO, "/repos/contoso/gitops/issues");
    let table = [
        ("", "GET", "/repos/contoso/open", Value::Null, 200, "", "everyone reads what is public"),
        ("", "GET", repo, Value::Null, 404, "Not Found", "no token"),
        ("", "POST", "/repos/contoso/open/issues", issue(), 401, "Requires authentication", "nobody writes"),
        (
            "ghs_unknown",
            "GET",
            "/repos/contoso/open",
            Value::Null,
            401,
            "Bad credentials",
            "an unknown token",
        ),
        ("ghs_elsewhere", "GET", repo, Value::Null, 404, "Not Found", "a token for something else"),
        ("ghs_read", "GET", issues, Value::Null, 200, "", "a token that reads"),
        (
            "ghs_read",
            "POST",
            issues,
            issue(),
            403,
            "Resource not accessible by integration",
            "it writes nothing",
        ),
        ("ghs_issues", "POST", issues, issue(), 201, "", "it writes issues"),
        (
            "ghs_issues",
            "POST",
            "/repos/contoso/gitops/git/blobs",
            json!({ "content": "" }),
            403,
            "Resource not accessible by integration",
            "but no contents",
        ),
        (
            "ghs_pulls",
            "GET",
            "/repos/contoso/gitops/issues/1",
            Value::Null,
            403,
            "Resource not accessible by integration",
            "an issue is no pull request",
        ),
        ("ghs_short", "GET", repo, Value::Null, 200, "", "in time"),
    ];
    for (token, method, path, body, status, message, why) in table {
        let got = send(&sandbox, token, method, path, body);
        assert_eq!(got.brief(), (status, message.to_owned()), "{why}");
        assert!(!got.header("x-ratelimit-remaining").is_empty(), "{why}");
    }
    let refused = send(&sandbox, "ghs_read", "POST", issues, issue());
    assert_eq!(refused.header("x-accepted-github-permissions"), "issues=write");
    assert!(!refused.header("x-github-request-id").is_empty());
    sandbox.advance(Duration::from_secs(61));
    assert_eq!(
        send(&sandbox, "ghs_short", "GET", repo, Value::Null).brief(),
        (401, "Bad credentials".to_owned())
    );
    assert_eq!(sandbox.violations(), [""; 0]);
}

#[test]
fn a_token_has_only_so_much() {
    let (sandbox, _gitops) = sandbox();
    sandbox.stop_clock(1_700_000_000);
    sandbox.token("ghs_few", Access::read("contoso/gitops").requests_per_hour(2));
    let ask = || send(&sandbox, "ghs_few", "GET", REPO, Value::Null);
    let (first, _, third) = (ask(), ask(), ask());
    assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")), ("2", "1"));
    assert_eq!((third.status, third.header("x-ratelimit-remaining")), (403, "0"));
    assert_eq!(third.header("x-ratelimit-reset"), "1700003600");
    sandbox.advance(Duration::from_secs(3600));
    assert_eq!(ask().status, 200);

    sandbox.set_limits(Limits { writes_per_minute: 1, secondary_status: 429, ..Limits::default() });
    let write = || post(&sandbox, "/issues", json!({ "title": "T" }));
    assert_eq!(write().status, 201);
    sandbox.advance(Duration::from_secs(20));
    let refused = write();
    assert_eq!((refused.status, refused.header("retry-after")), (429, "40"));
    assert!(refused.brief().1.contains("secondary rate limit"));
    sandbox.advance(Duration::from_secs(40));
    assert_eq!(write().status, 201);
}

#[test]
fn a_moved_repository_says_where_it_went() {
    let (sandbox, gitops) = sandbox();
    gitops.redirect(301, "http://localhost:1/fabrikam/moved").unwrap();
    let moved = get(&sandbox, "/git/ref/heads/dev");
    let there = "http://localhost:1/api/v3/repos/fabrikam/moved/git/ref/heads/dev";
    assert_eq!((moved.status, moved.header("location")), (301, there));
    assert_eq!(get(&sandbox, "").header("location"), "http://localhost:1/api/v3/repos/fabrikam/moved");
    assert_eq!(sandbox.violations(), [""; 0]);
}

#[test]
fn what_is_not_known_is_noted() {
    let (sandbox, _gitops) = sandbox();
    assert_eq!(get(&sandbox, "/zen").status, 404);
    let unknown = builder().no_proxy().user_agent("tests").build().unwrap();
    let answer = unknown.get(format!("{}{REPO}", sandbox.api_url())).bearer_auth(TOKEN).send().unwrap();
    assert_eq!(answer.status(), 200);
    get(&sandbox, "/pulls?state=opened");
    let body = json!({ "query": "query { viewer { login } }" });
    unknown.post(sandbox.graphql_url()).bearer_auth(TOKEN).json(&body).send().unwrap();
    let violations = sandbox.violations();
    let wanted = ["no such route", "X-GitHub-Api-Version", "state", "viewer"];
    assert_eq!(violations.len(), wanted.len(), "{violations:#?}");
    for (violation, want) in violations.iter().zip(wanted) {
        assert!(violation.contains(want), "{violation}");
    }
}
