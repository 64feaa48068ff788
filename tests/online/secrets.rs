//! Whatever people wrote stays text, and no token goes where it does not belong; above all when something fails.

use std::collections::BTreeMap;

use kalypso_sandbox::{At, Fault, Kind, Merge, Repository, Sandbox, Work};

use super::platform::{Platform, READER, Ran, WRITER, gitops_repo};

const CASE: &str = "s1-0-baseline";
const CONFIG: &str = "config.yaml";
const GROUP: &str = "scheduler.kalypso.io/v1alpha1";
/// What every hostile text has in it, and nothing else.
const CANARY: &str = "h0stile";
/// Longer than anyone reads.
const LONG: usize = 100_000;

/// Everything that means something to a runner, a terminal or GitHub.
fn hostile() -> String {
    let lines = [
        "h0stile",
        "::add-mask::h0stile",
        "  ::set-output name=changed::h0stile",
        "##[stop-commands]h0stile",
        "@everyone-h0stile #1 contoso/gitops#1 https://h0stile.example/a www.h0stile.example",
        "[h0stile](https://h0stile.example/l) ![h0stile](https://h0stile.example/i.png) [h0stile]: x",
        "<img src=h0stile> </details></code></pre> <!-- kalypso pull h0stile -->",
        "| h0stile | `h0stile` ``h0stile``",
        "```",
        "h0stile",
        "~~~",
        "## h0stile",
        "\u{1b}[31mh0stile\u{1b}[0m \u{202e}h0stile\u{200b}\r::error::h0stile",
        "end-of-value",
        "held<<h0stile",
    ];
    lines.join("\n") + &"h0stile ".repeat(LONG / 8)
}

#[test]
fn hostile_values_stay_text_in_log_summary_and_pull_request() {
    let platform = Platform::new(CASE);
    let (evil, short) = (json(&hostile()), json(&hostile()[..900]));
    let files = platform.control_plane.files("dev").unwrap();
    let config = String::from_utf8(files[CONFIG].clone()).unwrap();
    platform.schedule(&[]).succeeded();
    platform.gitops.merge_pull(1, Merge::Squash).unwrap();

    let changed = config.replace("REGION: West US\n", &format!("REGION: {short}\n  {}: {evil}\n", "LONG"));
    platform.control_plane.commit("dev", &[(CONFIG, Some(&changed))], "values").unwrap();
    // The application names odd places, too; its reconciler shows them.
    let application = platform.sandbox.repository("contoso/svc-src");
    let files = application.files("main").unwrap();
    let path = "workloads/observability.yaml";
    let text = String::from_utf8(files[path].clone()).unwrap().replace("./prometheus", &short);
    application.commit("main", &[(path, Some(&text))], "manifests").unwrap();
    for dry in ["true", "false"] {
        let ran = platform.schedule(&[("dry-run", dry), ("manifest-checks", "off")]).succeeded();
        harmless(&platform, &ran);
        assert!(ran.summary.contains(CANARY), "it is shown: {}", ran.summary);
    }
    let pull = platform.gitops.pulls().unwrap().pop().unwrap();
    assert!(pull.body.contains("`REGION`") && pull.body.contains(CANARY), "it is shown: {}", pull.body);
}

#[test]
fn hostile_messages_and_names_stay_text_in_log_summary_and_issues() {
    let platform = Platform::new(CASE);
    let evil = json(&hostile());
    let branch = "`h0stile`-@everyone-#1-<img>-!(x)";
    let application = platform.sandbox.repository("contoso/svc-src");
    let head = application.head("main").unwrap().unwrap();
    application.branch(branch, &head).unwrap();
    let odd = format!("apiVersion: {GROUP}\nkind: Odd\nmetadata: {{ name: odd }}\n");
    let failing = format!(
        "apiVersion: {GROUP}\nkind: Template\nmetadata: {{ name: failing }}\nspec:\n  type: reconciler\n  manifests:\n  \
         - '{{{{ fail .ConfigData.MESSAGE }}}}'\n"
    );
    let schema = json(&format!(r#"{{"type": "object", "properties": {{"REGION": {{"const": {evil}}}}}}}"#));
    let schema = format!(
        "apiVersion: {GROUP}\nkind: ConfigSchema\nmetadata: {{ name: odd, labels: {{ cluster-type: small }} }}\nspec:\n  schema: {schema}\n"
    );
    let registration = |name: &str, branch: &str| {
        let url = application.url();
        format!(
            "apiVersion: {GROUP}\nkind: WorkloadRegistration\nmetadata: {{ name: {name} }}\nspec:\n  workload:\n    repo: {url}\n    \
             branch: {}\n    path: .\n  workspace: team\n",
            json(branch)
        )
    };
    let config = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: message, labels: {{ platform-config: 'true' }} }}\ndata: {{ MESSAGE: {evil} }}\n"
    );
    let files = [
        ("@everyone `h0stile` <img src=h0stile> ::add-mask::h0stile.yaml", &*odd),
        ("::add-mask::h0stile,line=1.yaml", &odd),
        ("##[stop-commands]h0stile.yaml", &odd),
        ("a\n::add-mask::h0stile\n\u{1b}[31m.yaml", &odd),
        ("failing.yaml", &failing),
        ("schema.yaml", &schema),
        ("message.yaml", &config),
        ("near.yaml", &registration("near", &branch.replace("h0stile", "h0stile2"))),
    ];
    platform.control_plane.commit("dev", &files.map(|(path, text)| (path, Some(text))), "oddities").unwrap();
    platform.edit("dev", "cluster-types.yaml", "reconciler: argocd", "reconciler: failing");
    platform.edit("dev", "scheduling.yaml", "        size: large", "        region: west-us");
    for inputs in [&[("dry-run", "true")][..], &[], &[("failure-policy", "block")]] {
        let ran = platform.schedule(inputs);
        assert_eq!(ran.exit, i32::from(inputs == [("failure-policy", "block")]), "{}", ran.stderr);
        harmless(&platform, &ran);
        assert!(ran.stderr.contains(CANARY) && ran.summary.contains(CANARY), "it is shown: {}", ran.stderr);
    }
    let issues = platform.gitops.issues().unwrap();
    let shown =
        |what: &str| issues.iter().any(|issue| issue.body.contains(what) && issue.body.contains(CANARY));
    for what in ["near.yaml:", "there are: ", "failing.yaml:", "schema.yaml:"] {
        assert!(shown(what), "{what}: {issues:#?}");
    }

    // In a control plane that is wrong, and in errors that end a run.
    let wrong = format!(
        "apiVersion: {GROUP}\nkind: ClusterType\nmetadata: {{ name: {evil} }}\nspec: {{ reconciler: [1] }}\n"
    );
    platform.control_plane.commit("dev", &[("a\n::add-mask::h0stile.yaml", Some(&wrong))], "wrong").unwrap();
    let ran = platform.schedule(&[]);
    assert_eq!(ran.exit, 1);
    harmless(&platform, &ran);
    let pointers = "a\n::add-mask::h0stile\n##[error]pointers.yaml";
    let text =
        String::from_utf8(platform.control_plane.files("dev").unwrap()["pointers.yaml"].clone()).unwrap();
    let gone = text.replace("contoso/control-plane", "contoso/h0stile");
    platform
        .control_plane
        .commit("dev", &[("pointers.yaml", None), (pointers, Some(&gone))], "a base that is gone")
        .unwrap();
    let ran = platform.schedule(&[]);
    assert_eq!(ran.exit, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("pointers.yaml:6:9: error: the base: "), "{}", ran.stderr);
    harmless(&platform, &ran);
}

#[test]
fn hostile_branches_and_answers_stay_text() {
    let platform = Platform::new(CASE);
    let branch = "dev-`h0stile`-@everyone-#1-<img>-!(x)";
    let head = platform.gitops.head("dev").unwrap().unwrap();
    platform.gitops.branch(branch, &head).unwrap();
    let pointers =
        String::from_utf8(platform.control_plane.files("dev").unwrap()["pointers.yaml"].clone()).unwrap();
    let (base, _) = pointers.split_once("---").unwrap();
    let text = format!("{base}---\n{}", gitops_repo("dev", &platform.gitops.url(), &json(branch), "."));
    platform.control_plane.commit("dev", &[("pointers.yaml", Some(&text))], "another branch").unwrap();
    let ran = platform.schedule(&[]).succeeded();
    harmless(&platform, &ran);
    let pulls = platform.gitops.pulls().unwrap();
    assert_eq!((pulls.len(), &*pulls[0].base), (1, branch));
    assert!(
        pulls[0].title.starts_with("Update manifests in ``dev-`h0stile`-@everyone")
            && ran.summary.contains(CANARY),
        "{}",
        pulls[0].title
    );

    let platform = Platform::new(CASE);
    for status in [401, 403, 404, 422] {
        let pulls = At::next("GET", "/api/v3/repos/contoso/gitops/pulls");
        platform.sandbox.fault(pulls, Fault::error(status, &hostile()));
        let ran = platform.schedule(&[]);
        assert_eq!(ran.exit, 3, "{status}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("GitHub answered {status}: ")), "{}", ran.stderr);
        harmless(&platform, &ran);
    }
}

#[test]
fn a_run_that_fails_shows_no_token() {
    let other = Sandbox::start().unwrap();
    let away = |status: u16| Fault::Answer {
        status,
        headers: vec![("location".to_owned(), format!("{}/api/v3/repos/contoso/gitops", other.url()))],
        body: String::new(),
        work: Work::Skipped,
    };
    // What a proxy answers that shows what it was sent.
    let echo = |status: u16| Fault::error(status, &format!("no: Authorization: Bearer {WRITER}"));
    let api = |method: &'static str| At::next(method, "/api/*");
    let git = |name: &str| At::next("GET", &format!("/contoso/{name}/info/refs"));
    let cases = [
        (
            git("control-plane"),
            Fault::error(401, "x"),
            3,
            "may not be read with the token that is given for it",
        ),
        (git("gitops"), Fault::error(404, "x"), 3, "may not be read with the token that is given for it"),
        (git("gitops"), away(301), 1, "it leads to 127.0.0.1, which is not followed"),
        (git("gitops"), echo(403), 3, "may not be read with the token that is given for it"),
        (api("GET"), away(301), 3, "it redirects to another server, "),
        (api("POST"), away(307), 3, "it redirects to another server, "),
        (api("GET"), Fault::error(401, "Bad credentials"), 3, "GitHub answered 401: Bad credentials"),
        (api("GET"), echo(403), 3, "GitHub answered 403: no: Authorization: Bearer ***"),
        (api("POST"), echo(422), 3, "GitHub answered 422: no: Authorization: Bearer ***"),
    ];
    for (at, fault, exit, want) in cases {
        let platform = Platform::new(CASE);
        platform.sandbox.fault(at.clone(), fault);
        let ran = platform.schedule(&[]);
        assert_eq!(ran.exit, exit, "{at:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(want), "{at:?}: {}", ran.stderr);
        harmless(&platform, &ran);
        platform.schedule(&[]).succeeded();
    }
    assert!(other.requests().is_empty(), "{:?}", other.requests());
}

#[test]
fn lines_that_are_no_tokens_are_refused_without_being_shown() {
    let platform = Platform::new(CASE);
    let secret = format!("https://x:{READER}@github.com/contoso=x");
    let lines = format!("https://github.com/a={READER}\nhttps://github.com/b {WRITER}");
    let clear = format!("http://github.com/contoso={READER}");
    let two = format!("{WRITER} {READER}");
    let query = format!("https://github.com/?t={READER}");
    for (input, value, want) in [
        (
            "repo-tokens",
            READER,
            "error: `repo-tokens`, line 1: there is no `=` between a prefix and a token\n",
        ),
        (
            "repo-tokens",
            &*lines,
            "error: `repo-tokens`, line 2: there is no `=` between a prefix and a token\n",
        ),
        (
            "repo-tokens",
            &*secret,
            "error: `repo-tokens`, line 1: the prefix may consist of scheme, host and path only\n",
        ),
        (
            "repo-tokens",
            &*query,
            "error: `repo-tokens`, line 1: the prefix may consist of scheme, host and path only\n",
        ),
        (
            "repo-tokens",
            &*clear,
            "error: `repo-tokens`, line 1: the prefix must begin with https://, so that nobody reads the token on the way\n",
        ),
        (
            "gitops-token",
            &*two,
            "error: `gitops-token` holds a space, a line end or another character that no token has\n",
        ),
        (
            "github-token",
            &*two,
            "error: `github-token` holds a space, a line end or another character that no token has\n",
        ),
        ("app-private-key", READER, "--app-id"),
    ] {
        let ran = platform.schedule(&[(input, value)]);
        assert_eq!((ran.exit, ran.requests.len()), (2, 0), "{input}: {}", ran.stderr);
        assert!(ran.stderr.contains(want), "{input}: {}", ran.stderr);
        harmless(&platform, &ran);
    }
}

#[test]
fn a_token_that_was_pasted_into_a_url_is_not_shown() {
    // As a password it is refused, as a user's name it does not count.
    for (user, exit) in [(format!("x:{READER}@"), 1), (format!("{READER}@"), 0)] {
        for name in ["control-plane", "gitops", "svc-src"] {
            let platform = Platform::new(CASE);
            let url = |user: &str| {
                platform.sandbox.url().replace("http://", &format!("http://{user}")) + "/contoso/" + name
            };
            let (branch, path) = match name {
                "svc-src" => ("main", "workloads/platform-svc.yaml"),
                _ => ("dev", "pointers.yaml"),
            };
            let old = format!("repo: {}\n", url(""));
            let new = format!("repo: {}\n", url(&user));
            platform.edit(branch, path, &old, &new);
            platform.edit(
                "main",
                ".environments/dev.yaml",
                &format!("repo: {}/", platform.sandbox.url()),
                &format!("repo: {}/", platform.sandbox.url().replace("http://", &format!("http://{user}"))),
            );
            platform
                .control_plane
                .commit(
                    "main",
                    &[(
                        "odd.yaml",
                        Some("apiVersion: scheduler.kalypso.io/v1alpha1\nkind: Odd\nmetadata: { name: x }\n"),
                    )],
                    "a warning",
                )
                .unwrap();
            platform.set_control_plane(platform.control_plane.files("dev").unwrap());
            let ran = platform.schedule(&[]);
            // What an application has wrong holds the application only.
            let exit = if name == "svc-src" { 0 } else { exit };
            assert_eq!(ran.exit, exit, "{name} {user}: {}", ran.stderr);
            assert_eq!(
                ran.stderr.contains("the URL has a password in it; write it without"),
                user.starts_with("x:"),
                "{}",
                ran.stderr
            );
            harmless(&platform, &ran);
        }
    }
}

#[test]
fn a_branch_that_is_not_there_shows_no_token() {
    let platform = Platform::new(CASE);
    let url = platform.sandbox.url().replace("http://", &format!("http://{WRITER}@"));
    platform.edit(
        "dev",
        "pointers.yaml",
        &format!("{}/contoso/gitops\n  branch: dev", platform.sandbox.url()),
        &format!("{url}/contoso/gitops\n  branch: nowhere"),
    );
    let ran = platform.schedule(&[]);
    assert_eq!(ran.exit, 1);
    let want = format!(
        "GitOpsRepo `dev`: {}/contoso/gitops has no branch `nowhere`\n  help: make it once, in a clone of that repository: git switch --orphan nowhere",
        platform.sandbox.url()
    );
    assert!(ran.stderr.contains(&want), "{}", ran.stderr);
    harmless(&platform, &ran);
}

/// Nothing that a run told or made does anything but be read, and no token is in it.
#[track_caller]
fn harmless(platform: &Platform, ran: &Ran) {
    assert!(ran.masks.iter().all(|mask| [READER, WRITER].contains(&&**mask)), "{:?}", ran.masks);
    for line in ran.stdout.lines().chain(ran.stderr.lines()) {
        assert!(!line.trim_start().starts_with("::") || is_ours(line), "a runner would obey: {line:.300}");
        // What is one command already is not read as another.
        assert!(!line.contains("##[") || is_ours(line), "a runner would obey: {line:.300}");
        assert!(!line.contains(|c: char| c.is_control() || "\u{202e}\u{200b}".contains(c)), "{line:.300}");
        assert!(line.chars().count() < 4_000, "{} characters: {line:.300}", line.chars().count());
    }
    let known = [
        "assignments",
        "changed",
        "environments",
        "held",
        "pull-request-number",
        "pull-request-url",
        "pull-requests",
        "report",
        "tree-id",
    ];
    assert!(
        ran.outputs.iter().all(|(name, value)| known.contains(&&**name) && !value.contains(CANARY)),
        "{:?}",
        ran.outputs
    );
    let mut documents = vec![("the summary".to_owned(), ran.summary.clone())];
    for pull in platform.gitops.pulls().expect("pull requests") {
        documents.push((format!("the title of #{}", pull.number), pull.title));
        documents.push((format!("pull request #{}", pull.number), pull.body));
        documents
            .extend(pull.comments.into_iter().map(|it| (format!("a comment on #{}", pull.number), it.body)));
    }
    for issue in platform.gitops.issues().expect("issues") {
        documents.push((format!("the title of #{}", issue.number), issue.title));
        documents.push((format!("issue #{}", issue.number), issue.body));
        documents.extend(
            issue.comments.into_iter().map(|it| (format!("a comment on #{}", issue.number), it.body)),
        );
    }
    for (place, text) in &documents {
        let html = outside_of_code(text);
        for word in [CANARY, "everyone", "<img", "add-mask", "stop-commands"] {
            assert!(!html.contains(word), "{word} in {place}: {html:.3000}");
        }
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{place}: {text:.3000}");
    }
    let told = documents.iter().map(|(_, text)| text.clone()).chain(written(&platform.gitops));
    for text in told {
        assert!(!text.contains(READER) && !text.contains(WRITER), "a token is shown: {text:.3000}");
    }
    let to_git = ran.requests.iter().filter(|it| it.kind == Kind::Git).map(|it| it.token.as_deref());
    assert!(to_git.flatten().all(|token| [READER, WRITER].contains(&token)));
    let writer = ran.requests.iter().filter(|request| request.token.as_deref() == Some(WRITER));
    for request in writer {
        let is_there = request.path.contains("/contoso/gitops/")
            || request.path.ends_with("/contoso/gitops")
            || request.kind == Kind::GraphQl;
        assert!(is_there, "the token does not belong to {}", request.path);
    }
}

/// The commands that a runner is to obey.
fn is_ours(line: &str) -> bool {
    let is_annotation = ["error", "warning"].iter().any(|kind| {
        let rest = line.strip_prefix(&format!("::{kind} "));
        rest.and_then(|rest| rest.split_once("::"))
            .is_some_and(|(properties, _)| properties.ends_with("title=kalypso"))
    });
    is_annotation || line == "::endgroup::" || line.starts_with("::group::contoso/gitops ")
}

/// Messages and files of all branches.
fn written(repository: &Repository) -> Vec<String> {
    let mut texts = Vec::new();
    for (branch, _) in repository.branches().expect("branches") {
        texts.extend(repository.log(&branch).expect("commits").into_iter().map(|commit| commit.message));
        let files: BTreeMap<String, Vec<u8>> = repository.files(&branch).expect("the branch");
        texts.extend(files.into_iter().map(|(path, bytes)| path + &String::from_utf8_lossy(&bytes)));
    }
    texts
}

/// What GitHub makes of a text, without what it shows as code.
fn outside_of_code(text: &str) -> String {
    let mut options = comrak::Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.render.r#unsafe = true;
    let html = comrak::markdown_to_html(text, &options);
    let mut parts = html.split("<code");
    let mut outside = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|part| outside += part.split_once("</code>").map_or(part, |(_, after)| after));
    outside
}

fn json(text: &str) -> String {
    serde_json::to_string(text).expect("text is JSON")
}
