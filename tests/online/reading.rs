//! Where repositories are read from, with which token, and what happens when one cannot be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use kalypso_sandbox::{Access, At, Fault, Repository, Request, Sandbox, State, Visibility, app_key};

use super::platform::{Platform, READER, Ran, TRACKED, WRITER};

const CASE: &str = "s1-0-baseline";
const BRANCH: &str = "deployment/dev";
const GROUP: &str = "scheduler.kalypso.io/v1alpha1";
/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:1";

#[test]
fn many_repositories_are_fetched_once_each() {
    let platform = Platform::new(CASE);
    let names: Vec<String> = (0..20).map(|n| format!("contoso/app-{n:02}")).collect();
    let mut reader = Access::read("contoso/control-plane").and("contoso/svc-src");
    let mut registered = Vec::new();
    for name in &names {
        let (_, app) = name.split_once('/').unwrap();
        application(&platform.sandbox, name, app);
        reader = reader.and(name);
        registered.push(at(app, &platform, name));
    }
    // A second folder of one, and a second branch of another.
    let [one, other] = ["contoso/app-00", "contoso/app-01"].map(|name| platform.sandbox.repository(name));
    one.commit("main", &[("second/workload.yaml", Some(&workload("second-folder")))], "more").unwrap();
    other.commit("next", &[("workload.yaml", Some(&workload("second-branch")))], "more").unwrap();
    registered[0].path = "app";
    registered.push(Registered { path: "second", ..at("second-folder", &platform, "contoso/app-00.git") });
    registered.push(Registered { branch: "next", ..at("second-branch", &platform, "contoso/app-01") });
    one.commit("main", &[("workload.yaml", None), ("app/workload.yaml", Some(&workload("app-00")))], "moved")
        .unwrap();
    platform.sandbox.token(READER, reader);
    register(&platform, &registered);
    let ran = platform.schedule(&[]).succeeded();
    let wanted: BTreeSet<String> = registered.iter().map(|it| format!("{}-one", it.name)).collect();
    assert_eq!(targets(&ran), wanted);
    for name in &names {
        // Each state of a repository: who is there, what it has, what that holds.
        let states = if name == "contoso/app-01" { 2 } else { 1 };
        let asked = |request: &&Request| {
            request.path.trim_start_matches('/').replace(".git/", "/").starts_with(&format!("{name}/"))
        };
        assert_eq!(ran.requests.iter().filter(asked).count(), 3 * states, "{name}");
    }
}

#[test]
fn the_base_is_read_at_its_commit_or_the_head_of_its_branch() {
    let platform = Platform::new(CASE);
    let pinned = platform.control_plane.head("main").unwrap().unwrap();
    let head = platform.edit("main", "templates.yaml", "someLabel: some-value", "someLabel: newer");
    let namespace = |branch: &str| {
        let files = platform.gitops.files(branch).unwrap();
        String::from_utf8(files["large/observability-prometheus/namespace.yaml"].clone()).unwrap()
    };
    platform.schedule(&[]).succeeded();
    assert!(namespace(BRANCH).contains("someLabel: some-value"), "at its commit");
    assert_eq!(platform.gitops.files(BRANCH).unwrap()[TRACKED], pinned.as_bytes());

    platform.edit("dev", "pointers.yaml", &format!("commit: {pinned}"), &format!("commit: {head}"));
    platform.schedule(&[]).succeeded();
    assert!(namespace(BRANCH).contains("someLabel: newer"), "at another one");
    assert_eq!(platform.gitops.files(BRANCH).unwrap()[TRACKED], head.as_bytes());

    platform.edit("main", "templates.yaml", "someLabel: newer", "someLabel: newest");
    platform.edit("dev", "pointers.yaml", &format!("commit: {head}"), "");
    platform.schedule(&[]).succeeded();
    assert!(namespace(BRANCH).contains("someLabel: newest"), "without one, at the head");
    assert!(!platform.gitops.files(BRANCH).unwrap().contains_key(TRACKED), "and nothing is promoted");
}

#[test]
fn what_is_fetched_is_kept_in_the_home_where_no_other_folder_can_be_written() {
    let platform = Platform::new(CASE);
    let workspace = platform.checkout("dev");
    let (nowhere, home) = (platform.file("nowhere"), platform.file("home"));
    fs::create_dir(&home).unwrap();
    let schedule = |home: &Path| {
        let mut command = platform.command(&workspace, "dev", &[("environment", "dev")]);
        command.env("TMPDIR", &nowhere).env("HOME", home);
        platform.collect(command)
    };
    let ran = schedule(&nowhere);
    assert_eq!((ran.exit, ran.writes()), (3, 0), "{}", ran.stderr);
    let want = format!("there is no place to keep {}: No such file", platform.control_plane.url());
    assert!(ran.stderr.contains(&want), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("help: have TMPDIR or HOME name a folder that can be written\n"),
        "{}",
        ran.stderr
    );
    schedule(&home).succeeded();
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0, "nothing is left there");
}

#[test]
fn an_application_that_cannot_be_reached_is_held_and_keeps_its_folders() {
    const CASE: &str = "unreachable-with-tracking";
    let refused = |platform: &Platform| {
        let path = "platform.yaml";
        platform.edit(
            "dev",
            path,
            &format!("{}/contoso/app-src", platform.sandbox.url()),
            &format!("{NOBODY}/o/r"),
        );
    };
    let faulty = |platform: &Platform, fault: Fault| {
        application(&platform.sandbox, "contoso/app-src", "app");
        platform.sandbox.token(READER, Access::read("contoso/app-src").and("contoso/svc-src"));
        // It is asked three times before that is believed.
        fail(platform, "/contoso/app-src", 3, &fault);
    };
    type Break<'a> = &'a (dyn Fn(&Platform) + Sync);
    let cases: [(&str, Break<'_>); 4] = [
        ("contoso/app-src does not exist, or may not be read with the token that is given for it", &|_| ()),
        ("contoso/app-src cannot be reached: it answers 500 Internal Server Error", &|it| {
            faulty(it, Fault::error(500, "x"))
        }),
        ("contoso/app-src cannot be reached: ", &|it| faulty(it, Fault::Refuse)),
        ("127.0.0.1:1/o/r cannot be reached: Connection refused (os error 111)", &refused),
    ];
    // Each waits before it asks again: side by side that takes as long as one.
    std::thread::scope(|scope| {
        for (why, broken) in cases {
            scope.spawn(move || {
                let platform = Platform::new(CASE);
                broken(&platform);
                let ran = platform.schedule(&[]).succeeded();
                assert_eq!(ran.outputs["held"], "2", "{why}");
                assert_eq!(platform.gitops.files(BRANCH).unwrap(), platform.expected(CASE), "{why}");
                let issues = platform.gitops.issues().unwrap();
                let [issue] = &issues[..] else { panic!("{why}: {issues:?}") };
                assert_eq!(issue.title, "Can't generate manifests for registration app in dev", "{why}");
                assert!(issue.body.contains(why), "{why}: {}", issue.body);
                assert!(ran.stderr.contains(why), "{why}: {}", ran.stderr);
            });
        }
    });
}

#[test]
fn without_its_base_nothing_is_said_about_an_environment() {
    // Twice three times: the base, and the environments that it declares.
    let faulty = |platform: &Platform| fail(platform, "/contoso/control-plane", 6, &Fault::error(502, "x"));
    let elsewhere = |platform: &Platform, url: &str| {
        let here = format!("repo: {}/contoso/control-plane", platform.sandbox.url());
        platform.edit("dev", "pointers.yaml", &here, &format!("repo: {url}"));
    };
    type Break<'a> = &'a (dyn Fn(&Platform) + Sync);
    let cases: [(&str, i32, Break<'_>); 7] = [
        (
            "may not be read with the token that is given for it\n  help: check the URL; the token needs `contents: read` there and must not have expired\n",
            3,
            &|it| it.sandbox.token(READER, Access::read("contoso/svc-src")),
        ),
        ("may not be read with the token that is given for it\n", 3, &|it| it.sandbox.revoke(READER)),
        (
            "may not be read without a token\n  help: check the URL, or give a token for it with `repo-tokens`\n",
            3,
            &|it| elsewhere(it, &format!("{}/fabrikam/base", it.sandbox.url())),
        ),
        (
            "cannot be reached: it answers 502 Bad Gateway\n  help: run again; if it stays so, check the host and the proxy\n",
            3,
            &faulty,
        ),
        ("cannot be reached: Connection refused (os error 111)\n", 3, &|it| {
            elsewhere(it, &format!("{NOBODY}/o/r"))
        }),
        ("has no commit 1111111111111111111111111111111111111111", 1, &|it| {
            drop(it.edit(
                "dev",
                "pointers.yaml",
                "  commit: ",
                "  commit: '1111111111111111111111111111111111111111' # ",
            ))
        }),
        ("has no branch `mian`\n  help: correct the name, or push the branch; there are: ", 1, &|it| {
            it.edit("dev", "pointers.yaml", "branch: main", "branch: mian");
            it.edit("dev", "pointers.yaml", "  commit: ", "  # commit: ");
        }),
    ];
    std::thread::scope(|scope| {
        for (why, exit, broken) in cases {
            scope.spawn(move || {
                let platform = Platform::new(CASE);
                broken(&platform);
                let world = platform.sandbox.snapshot().unwrap();
                let ran = platform.schedule(&[]);
                assert_eq!((ran.exit, ran.writes()), (exit, 0), "{why}: {}", ran.stderr);
                let part = if why.starts_with("has no branch") { "7:11" } else { "6:9" };
                assert!(
                    ran.stderr.contains(why) && ran.stderr.contains(&format!("pointers.yaml:{part}: ")),
                    "{why}: {}",
                    ran.stderr
                );
                assert_eq!(platform.sandbox.snapshot().unwrap(), world, "{why}");
            });
        }
    });
}

#[test]
fn a_redirect_is_followed_on_the_same_host_only_and_the_token_stays_where_it_belongs() {
    let (platform, other) = (Platform::new(CASE), Sandbox::start().unwrap());
    let url = platform.sandbox.url();
    let moved = |name: &str, to: &str| {
        let repository = platform.sandbox.create_repository(name, Visibility::Private).unwrap();
        repository.redirect(301, to).unwrap();
    };
    application(&platform.sandbox, "contoso/renamed-to", "renamed");
    application(&platform.sandbox, "fabrikam/given-to", "given").set_visibility(Visibility::Public).unwrap();
    application(&other, "contoso/away", "away").set_visibility(Visibility::Public).unwrap();
    moved("contoso/renamed", &format!("{url}/contoso/renamed-to"));
    moved("contoso/given", &format!("{url}/fabrikam/given-to"));
    moved("contoso/away", &format!("{}/contoso/away", other.url()));
    moved("contoso/around", &format!("{url}/contoso/around"));
    let names = ["renamed", "given", "away", "around"].map(|name| (name, format!("contoso/{name}")));
    platform.sandbox.token(
        READER,
        Access::read("contoso/control-plane").and("contoso/svc-src").and("contoso/renamed-to"),
    );
    register(&platform, &names.each_ref().map(|(name, full)| at(name, &platform, full)));
    let ran = platform.schedule(&[]).succeeded();
    assert_eq!(targets(&ran), BTreeSet::from(["given-one", "renamed-one"].map(str::to_owned)));
    assert!(other.requests().is_empty(), "{:?}", other.requests());
    assert_eq!(sent(&ran, "/fabrikam/given-to/"), BTreeSet::from([None]));
    assert_eq!(sent(&ran, "/contoso/renamed-to/"), BTreeSet::from([Some(READER.to_owned())]));
    for said in [
        "/contoso/away is not read: it leads to 127.0.0.1, which is not followed\n  help: write the URL that it has now, as https://host/owner/repository",
        "/contoso/around is not read: it leads from one place to the next",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
}

#[test]
fn what_is_no_https_url_is_refused_without_being_asked() {
    let platform = Platform::new(CASE);
    let address = platform.sandbox.url().replace("http://", "");
    let cases = [
        ("file", "file:///etc".to_owned(), "`file:` is not supported; write https://host/owner/repository"),
        ("ext", "'ext::sh -c id'".to_owned(), "a repository's URL must not contain ` `"),
        ("ext-2", "ext::id".to_owned(), "`ext::id` is no URL; write https://host/owner/repository"),
        ("option", "'-x'".to_owned(), "`-x` is no URL; write https://host/owner/repository"),
        ("option-2", "'--upload-pack=id'".to_owned(), "`--upload-pack=id` is no URL"),
        ("option-3", "ssh://-oProxyCommand=id/o/r".to_owned(), "`-oProxyCommand=id/o/r` is no URL"),
        ("path", "/etc".to_owned(), "`/etc` is no URL"),
        (
            "clear",
            "http://github.example/o/r".to_owned(),
            "http://github.example/o/r is not encrypted; write https://",
        ),
        ("git", "git://github.example/o/r".to_owned(), "`git:` is not supported"),
        (
            "secret",
            format!("http://x:{READER}@{address}/contoso/svc-src"),
            "the URL has a password in it; write it without, and give the token with `repo-tokens`",
        ),
    ];
    register(
        &platform,
        &cases.each_ref().map(|(name, url, _)| Registered {
            name,
            url: url.clone(),
            branch: "main",
            path: ".",
        }),
    );
    let ran = platform.schedule(&[]).succeeded();
    assert_eq!(targets(&ran), BTreeSet::new());
    for (name, _, why) in &cases {
        let said = format!("error: the repository of workload registration `{name}` cannot be read: {why}");
        assert!(ran.stderr.contains(&said), "{said}: {}", ran.stderr);
    }
    assert_eq!(
        platform.gitops.issues().unwrap().iter().filter(|issue| issue.state == State::Open).count(),
        cases.len()
    );
    assert!(ran.requests.iter().all(|request| !request.path.contains("/svc-src/")), "nothing is read there");

    for (kind, old) in [("base", "contoso/control-plane"), ("GitOpsRepo", "contoso/gitops")] {
        for (_, url, why) in &cases {
            let platform = Platform::new(CASE);
            let old = format!("repo: {}/{old}", platform.sandbox.url());
            platform.edit("dev", "pointers.yaml", &old, &format!("repo: {url}"));
            let ran = platform.schedule(&[]);
            assert_eq!((ran.exit, ran.writes()), (1, 0), "{kind} {url}: {}", ran.stderr);
            let why = why.replace(READER, "");
            assert!(
                ran.stderr.contains(&why) && ran.stderr.contains("pointers.yaml:"),
                "{kind} {url}: {}",
                ran.stderr
            );
        }
    }
}

#[test]
fn what_ssh_is_given_is_asked_over_https() {
    let platform = Platform::new(CASE);
    // Loopback has no server for https here: the error shows where it was looked for.
    let cases = [
        ("scp", "git@127.0.0.1:contoso/scp.git", "https://127.0.0.1/contoso/scp.git cannot be reached: "),
        ("url", "ssh://git@127.0.0.1:2222/contoso/url", "https://127.0.0.1/contoso/url cannot be reached: "),
    ];
    register(
        &platform,
        &cases.map(|(name, url, _)| Registered { name, url: url.to_owned(), branch: "main", path: "." }),
    );
    let ran = platform.schedule(&[]).succeeded();
    for (_, _, said) in cases {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
}

#[test]
fn a_token_is_sent_to_its_prefix_only() {
    const TEAM: &str = "ghp_canary_of_a_team";
    const OTHER: &str = "ghp_canary_of_another_host";
    let (platform, other) = (Platform::new(CASE), Sandbox::start().unwrap());
    let (url, there) = (platform.sandbox.url(), other.url());
    for name in ["contoso/app", "fabrikam/app", "fabrikam/app-2", "contoso-2/app"] {
        application(&platform.sandbox, name, &name.replace('/', "-"));
    }
    platform.sandbox.repository("contoso-2/app").set_visibility(Visibility::Public).unwrap();
    for name in ["contoso/app", "fabrikam/app"] {
        application(&other, name, &format!("other-{}", name.replace('/', "-")));
    }
    other.repository("contoso/app").set_visibility(Visibility::Public).unwrap();
    platform
        .sandbox
        .token(READER, Access::read("contoso/control-plane").and("contoso/svc-src").and("contoso/app"));
    platform.sandbox.token(TEAM, Access::read("fabrikam/app").and("fabrikam/app-2"));
    other.token(OTHER, Access::read("fabrikam/app"));
    let names = ["contoso/app", "fabrikam/app", "fabrikam/app-2", "contoso-2/app"];
    let mut registered = names.map(|full| (full.replace('/', "-"), format!("{url}/{full}"))).to_vec();
    registered.extend(
        ["contoso/app", "fabrikam/app"]
            .map(|full| (format!("other-{}", full.replace('/', "-")), format!("{there}/{full}"))),
    );
    let registered: Vec<Registered<'_>> = registered
        .iter()
        .map(|(name, url)| Registered { name, url: url.clone(), branch: "main", path: "." })
        .collect();
    register(&platform, &registered);
    let tokens = format!("{url}/contoso={READER}\n{url}/fabrikam/app={TEAM}\n{there}/fabrikam={OTHER}");
    let ran = platform.schedule(&[("repo-tokens", &tokens)]).succeeded();
    let some = |token: &str| BTreeSet::from([Some(token.to_owned())]);
    for (prefix, want) in [
        ("/contoso/control-plane/", some(READER)),
        ("/contoso/app/", some(READER)),
        ("/fabrikam/app/", some(TEAM)),
        ("/fabrikam/app-2/", BTreeSet::from([None])),
        ("/contoso-2/app/", BTreeSet::from([None])),
        ("/contoso/gitops/", some(WRITER)),
        ("/api/", some(WRITER)),
    ] {
        assert_eq!(sent(&ran, prefix), want, "{prefix}");
    }
    let to_other: BTreeSet<(String, Option<String>)> = other
        .requests()
        .into_iter()
        .map(|it| (it.path.split("/app/").next().unwrap().to_owned(), it.token))
        .collect();
    let want = [("/contoso".to_owned(), None), ("/fabrikam".to_owned(), Some(OTHER.to_owned()))];
    assert_eq!(to_other, want.into());
    let wanted = [
        "contoso-2-app-one",
        "contoso-app-one",
        "fabrikam-app-one",
        "other-contoso-app-one",
        "other-fabrikam-app-one",
    ];
    assert_eq!(targets(&ran), wanted.map(str::to_owned).into());
    assert!(
        ran.stderr.contains("/fabrikam/app-2 does not exist, or may not be read without a token"),
        "{}",
        ran.stderr
    );
    for token in [READER, WRITER, TEAM, OTHER] {
        assert_eq!((platform.sandbox.leaks(token), other.leaks(token)), (vec![], vec![]));
    }
    assert!(other.violations().is_empty());
}

#[test]
fn what_everyone_may_read_needs_no_token() {
    let platform = Platform::new(CASE);
    for name in ["contoso/control-plane", "contoso/svc-src", "contoso/gitops"] {
        platform.sandbox.repository(name).set_visibility(Visibility::Public).unwrap();
    }
    let none = [("github-token", ""), ("gitops-token", ""), ("repo-tokens", ""), ("dry-run", "true")];
    let ran = platform.schedule(&none).succeeded();
    assert_eq!(ran.outputs["assignments"], "1");
    assert_eq!(sent(&ran, "/"), BTreeSet::from([None]));
    assert_eq!(ran.masks, BTreeSet::new());
}

#[test]
fn a_github_app_makes_one_token_for_each_owner() {
    let platform = Platform::new(CASE);
    let key = app_key::public_key().unwrap();
    for owner in ["contoso", "fabrikam"] {
        platform.sandbox.app(7, "contoso-fleet", owner, &key);
    }
    for name in ["contoso/app", "contoso/app-2", "fabrikam/app", "fabrikam/app-2", "woodgrove/app"] {
        application(&platform.sandbox, name, &name.replace('/', "-"));
    }
    platform.sandbox.repository("woodgrove/app").set_visibility(Visibility::Public).unwrap();
    let names = ["contoso/app", "contoso/app-2", "fabrikam/app", "fabrikam/app-2", "woodgrove/app"];
    let named = names.map(|full| (full.replace('/', "-"), full));
    register(&platform, &named.each_ref().map(|(name, full)| at(name, &platform, full)));
    let ran = platform.schedule(&app("7", app_key::PRIVATE_KEY)).succeeded();
    assert_eq!(targets(&ran).len(), 5);
    assert_eq!(platform.gitops.pulls().unwrap()[0].author, "contoso-fleet[bot]");
    let minted: Vec<&Request> =
        ran.requests.iter().filter(|it| it.path.ends_with("/access_tokens")).collect();
    assert_eq!(minted.len(), 2, "{minted:#?}");
    let one = |prefix: &str| {
        let tokens = sent(&ran, prefix);
        let token = tokens.first().cloned().flatten().unwrap_or_else(|| panic!("{prefix}: {tokens:?}"));
        assert!(tokens.len() == 1 && token.starts_with("ghs_sandbox"), "{prefix}: {tokens:?}");
        token
    };
    let (contoso, fabrikam) = (one("/contoso/"), one("/fabrikam/"));
    assert_ne!(contoso, fabrikam);
    assert_eq!(sent(&ran, "/woodgrove/"), BTreeSet::from([None]), "it is not installed there");
    assert_eq!(one("/api/v3/repos/contoso/gitops/git/"), contoso);
    let lines: Vec<&str> = app_key::PRIVATE_KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    for secret in lines.iter().copied().chain([&*contoso, &*fabrikam]) {
        assert!(ran.masks.contains(secret), "{secret} is not masked");
        assert_eq!(platform.sandbox.leaks(secret), Vec::<String>::new());
        let report = ran.report.as_ref().unwrap().to_string();
        for text in [&ran.stdout, &ran.stderr, &ran.summary, &report] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    let again = platform.schedule(&app("7", app_key::PRIVATE_KEY)).succeeded();
    assert_eq!(again.writes(), 0);
}

#[test]
fn an_app_that_cannot_be_used_says_why() {
    let platform = Platform::new(CASE);
    platform.sandbox.app(7, "contoso-fleet", "contoso", &app_key::public_key().unwrap());
    let ran = platform.schedule(&app("7", "canary of a key"));
    assert_eq!((ran.exit, ran.requests.len()), (2, 0), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: `app-private-key` cannot be used: "), "{}", ran.stderr);
    assert!(!ran.stderr.contains("canary of a key"), "{}", ran.stderr);

    let ran = platform.schedule(&app("8", app_key::PRIVATE_KEY));
    assert_eq!((ran.exit, ran.writes()), (3, 0), "{}", ran.stderr);
    assert!(ran.stderr.contains("GitHub answered 401: Integration not found"), "{}", ran.stderr);
    let help = "\n  help: check that `app-private-key` is a key of the App that `app-id` names\n";
    assert!(ran.stderr.ends_with(help), "{}", ran.stderr);
}

#[test]
fn a_token_that_has_ended_is_said() {
    let platform = Platform::new(CASE);
    platform.sandbox.revoke(WRITER);
    let ran = platform.schedule(&[]);
    assert_eq!((ran.exit, ran.writes()), (3, 0));
    let said = "/contoso/gitops does not exist, or may not be read with the token that is given for it\n  help: check the URL; the token needs `contents: read` there and must not have expired\n";
    assert!(
        ran.stderr.ends_with(said) && ran.stderr.contains("pointers.yaml:14:9: error: GitOpsRepo `dev`: "),
        "{}",
        ran.stderr
    );

    // It may also end in the middle of a run.
    let platform = Platform::new(CASE);
    platform.sandbox.fault(At::Write(0), Fault::error(401, "Bad credentials"));
    let ran = platform.schedule(&[]);
    assert_eq!(ran.exit, 3);
    assert!(
        ran.stderr.contains("GitHub answered 401: Bad credentials")
            && ran.stderr.ends_with("is the right one and has not ended\n"),
        "{}",
        ran.stderr
    );
    assert_eq!(platform.gitops.pulls().unwrap(), [], "nothing is half done");
    assert_eq!(platform.gitops.branches().unwrap().len(), 1);
}

/// A registration of a Workload of the same name.
struct Registered<'a> {
    name: &'a str,
    url: String,
    branch: &'a str,
    path: &'a str,
}

/// A registration of a repository in the sandbox.
fn at<'a>(name: &'a str, platform: &Platform, full_name: &str) -> Registered<'a> {
    Registered { name, url: format!("{}/{full_name}", platform.sandbox.url()), branch: "main", path: "." }
}

/// A private repository that holds a Workload with one target.
fn application(sandbox: &Sandbox, full_name: &str, name: &str) -> Repository {
    let repository = sandbox.create_repository(full_name, Visibility::Private).expect("it is there");
    repository
        .commit("main", &[("workload.yaml", Some(&workload(name)))], "an application")
        .expect("it is there");
    repository
}

fn workload(name: &str) -> String {
    format!(
        "apiVersion: {GROUP}\nkind: Workload\nmetadata:\n  name: {name}\nspec:\n  deploymentTargets:\n  - name: one\n    \
         environment: dev\n    labels: {{ bulk: 'yes' }}\n    manifests: {{ repo: r, branch: b, path: p }}\n"
    )
}

/// Registers these instead of what is registered, and schedules all of them on `large`.
fn register(platform: &Platform, registered: &[Registered<'_>]) {
    let texts: BTreeMap<String, String> = registered
        .iter()
        .map(|Registered { name, url, branch, path }| {
            let text = format!(
                "apiVersion: {GROUP}\nkind: WorkloadRegistration\nmetadata:\n  name: {name}\nspec:\n  workload:\n    \
                 repo: {url}\n    branch: {branch}\n    path: {path}\n  workspace: team\n"
            );
            (format!("workloads/{name}.yaml"), text)
        })
        .collect();
    let mut files: Vec<(&str, Option<&str>)> =
        texts.iter().map(|(path, text)| (&**path, Some(&**text))).collect();
    files.push(("workloads/platform-svc.yaml", None));
    platform.control_plane.commit("main", &files, "applications").expect("it is there");
    platform.edit("dev", "scheduling.yaml", "    workspace: platform-team\n", "");
    platform.edit("dev", "scheduling.yaml", "stack: observability", "bulk: 'yes'");
    platform.set_control_plane(platform.control_plane.files("dev").expect("the branch"));
}

/// Lets a repository fail the next few times.
fn fail(platform: &Platform, repository: &str, times: usize, fault: &Fault) {
    let at = |index| At::Matching("GET", format!("{repository}/info/refs"), index);
    (0..times).for_each(|index| platform.sandbox.fault(at(index), fault.clone()));
}

/// The deployment targets that are assigned.
fn targets(ran: &Ran) -> BTreeSet<String> {
    let assigned =
        ran.report.as_ref().expect("it is there")["assignments"].as_array().expect("it is there").clone();
    assigned.iter().map(|it| it["deploymentTarget"].as_str().expect("it is there").to_owned()).collect()
}

/// The tokens that were sent to paths that begin so.
fn sent(ran: &Ran, prefix: &str) -> BTreeSet<Option<String>> {
    let there = ran.requests.iter().filter(|it| it.path.starts_with(prefix));
    there.map(|request| request.token.clone()).collect()
}

/// The inputs of a run with a GitHub App and no other token.
fn app<'a>(id: &'a str, key: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("github-token", ""),
        ("gitops-token", ""),
        ("repo-tokens", ""),
        ("app-id", id),
        ("app-private-key", key),
    ]
}
