//! Whole documents about small platforms, compared with what a person should read.
//!
//! A case is a platform before and after an edit: what it asked for before is what the branch holds.

mod html;

use std::collections::BTreeMap;

use fleet::{
    Changeset, ControlPlane, FileContent, ManifestChecks, Outcome, Placement, RepoPath, Role, Snapshot,
    Source, Tree, Unreadable, compute,
};
use report::{BranchSummary, Changes, Link, Links, SourceLink, Summary};

const PLATFORM: &str = include_str!("platform.yaml");

/// A platform whose branch holds what an earlier one asked for.
struct Case {
    outcome: Outcome,
    current: Tree,
    placement: Placement,
    changes: Changeset,
}

impl Case {
    fn new(before: &str, after: &str) -> Case {
        let root = RepoPath::default();
        let current = match before {
            "" => Tree::default(),
            text => compute(plane(text), ManifestChecks::Error).place(&Tree::default(), &root).tree,
        };
        let outcome = compute(plane(after), ManifestChecks::Error);
        let placement = outcome.place(&current, &root);
        let changes = current.changes_to(&placement.tree);
        Case { outcome, current, placement, changes }
    }

    fn changes(&self) -> Changes {
        let root = RepoPath::default();
        Changes::new(&self.outcome, &self.placement, &self.current, &root, &self.changes)
    }
}

fn plane(text: &str) -> ControlPlane {
    let source = |prefix: &str, files: &[(&str, &str)]| Source {
        prefix: prefix.into(),
        files: files
            .iter()
            .map(|(path, text)| (path.to_string(), FileContent::Bytes(text.as_bytes().into())))
            .collect::<BTreeMap<_, _>>(),
    };
    let mut snapshot = Snapshot::new(&source("", &[("platform.yaml", text)]));
    loop {
        let wants = snapshot.wants();
        if wants.is_empty() {
            break;
        }
        for want in wants {
            let read = match want.role {
                Role::Registration(_) => Err(Unreadable {
                    part: fleet::Part::Repo,
                    reason: "it does not answer".into(),
                    help: None,
                }),
                _ => Ok(source("base/", &[])),
            };
            snapshot.add(&want, read);
        }
    }
    let plane = snapshot.control_plane("dev");
    assert!(!plane.problems.iter().any(fleet::Diagnostic::is_error), "{:?}", plane.problems);
    plane
}

/// The platform after each `(old, new)` was replaced.
fn edited(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(PLATFORM.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    })
}

fn links() -> Links {
    let source = |name: &str, commit: &str| SourceLink {
        url: format!("https://github.com/contoso/{name}"),
        branch: "dev".into(),
        commit: Some(commit.into()),
        path: RepoPath::new("envs/dev").expect("a path"),
    };
    Links {
        control_plane: Some(source("platform", "abcdef1234567890abcdef1234567890abcdef12")),
        base: Some(SourceLink {
            branch: "main".into(),
            ..source("platform", "2222222222222222222222222222222222222222")
        }),
        report: Some("kalypso.json".into()),
        run: Some("https://github.com/contoso/platform/actions/runs/1".into()),
    }
}

/// Branch, title, body, then every issue: everything that people read of a run.
fn texts(case: &Case) -> String {
    let document = report::pull_request(&case.changes(), "dev", None, &links());
    let mut text = format!("# {}\n\n{}", document.title, document.body);
    for issue in report::issues(&case.outcome, &case.placement) {
        text += &format!("\n# {}\n\n{}", issue.title, issue.body);
    }
    text
}

const COMMIT: &str = "commit: 111111111111111111111111111111111111111b";
const NEXT_COMMIT: &str = "commit: 222222222222222222222222222222222222222b";
const LISTS: &str = "  LOGGING: |\n    level: debug\n    sinks: [a]\n  REGION: West US";

#[test]
fn documents() {
    type Edits<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Edits<'_>, Edits<'_>, &str, &str); 6] = [
        (
            &[("labels: {purpose: functional-test}", "labels: {purpose: none}")],
            &[],
            include_str!("documents/onboard.md"),
            "onboard",
        ),
        (&[], &[("mysql://west:8806", "mysql://west-2:8806")], include_str!("documents/value.md"), "value"),
        (
            &[],
            &[
                (COMMIT, NEXT_COMMIT),
                ("  REGION: West US", LISTS),
                ("path: ./functional-test", "path: ./test"),
            ],
            include_str!("documents/promote.md"),
            "promote",
        ),
        (
            &[],
            &[("# schema", r#"configSchemas: ['{"required": ["inference_url"]}']"#)],
            include_str!("documents/held.md"),
            "held",
        ),
        (
            &[],
            &[("reconciler: arc-flux", "reconciler: broken")],
            include_str!("documents/template.md"),
            "template",
        ),
        (
            &[],
            &[
                ("labels: {purpose: performance-test}", "labels: {purpose: none}"),
                ("name: drone,", "name: glider,"),
            ],
            include_str!("documents/removed.md"),
            "removed",
        ),
    ];
    for (before, after, want, name) in cases {
        let got = texts(&Case::new(&edited(before), &edited(after)));
        assert_eq!(got, want, "documents/{name}.md, as it should be:\n{got}\n=== end of documents/{name}.md");
    }
}

#[test]
fn a_summary() {
    let edits = [("mysql://west:8806", "mysql://west-2:8806"), ("reconciler: argocd", "reconciler: broken")];
    let case = Case::new(PLATFORM, &edited(&edits));
    let changes = case.changes();
    let summary = Summary {
        outcome: &case.outcome,
        branches: vec![BranchSummary {
            name: "dev".into(),
            placement: &case.placement,
            changes: &changes,
            pull_request: Some(Link {
                text: "contoso/gitops#1".into(),
                url: "https://github.com/contoso/gitops/pull/1".into(),
            }),
        }],
        issues: vec![],
        steps: Some(vec!["create the branch deployment/dev".into(), "open a pull request".into()]),
        links: links(),
    };
    let got = report::summary(&summary);
    assert_eq!(
        got,
        include_str!("documents/summary.md"),
        "documents/summary.md, as it should be:\n{got}\n=== end of documents/summary.md"
    );
}

#[test]
fn what_is_compared() {
    let case = Case::new(PLATFORM, &edited(&[("mysql://west:8806", "mysql://west-2:8806")]));
    let of_run = |run: &str| {
        let links =
            Links { run: Some(format!("https://github.com/contoso/platform/actions/runs/{run}")), ..links() };
        report::pull_request(&case.changes(), "dev", None, &links)
    };
    let (first, second) = (of_run("1"), of_run("2"));
    assert_eq!(first.digest, second.digest, "another run says the same");
    assert_ne!(first.body, second.body, "but it is linked");
    let replaced = report::pull_request(&case.changes(), "dev", Some("deployment/dev"), &links());
    assert_ne!(replaced.digest, first.digest, "a note is news");
    assert!(
        replaced.body.contains("> This branch replaces `deployment/dev`, which has"),
        "{}",
        replaced.body
    );
}

/// A platform with one Workload for each of `names`, which all run on `kinds` cluster types.
fn fleet(names: &[&str], targets: usize, kinds: usize, more: &str) -> String {
    let mut text = format!("{more}\n---\n");
    for index in 0..kinds {
        text += &format!(
            "apiVersion: scheduler.kalypso.io/v1alpha1\nkind: ClusterType\nmetadata: {{name: kind-{index}}}\n\
             spec: {{reconciler: flux, namespaceService: default}}\n---\n"
        );
    }
    text += "apiVersion: scheduler.kalypso.io/v1alpha1\nkind: SchedulingPolicy\nmetadata: {name: everywhere}\nspec: {deploymentTargetSelector: {}, clusterTypeSelector: {}}\n---\n";
    for name in names {
        text += &format!(
            "apiVersion: scheduler.kalypso.io/v1alpha1\nkind: Workload\nmetadata: {{name: {name}, labels: {{app: {name}}}}}\nspec:\n  deploymentTargets:\n"
        );
        for index in 0..targets {
            text += &format!(
                "    - {{name: t{index}, environment: dev, labels: {{number: n{index}}}, manifests: {{}}}}\n"
            );
        }
        text += "---\n";
    }
    text
}

fn template(text: &str) -> String {
    format!(
        "apiVersion: scheduler.kalypso.io/v1alpha1\nkind: Template\nmetadata: {{name: flux}}\n\
         spec:\n  type: reconciler\n  manifests:\n    - |\n      {text}\n"
    )
}

fn schema(labels: &str, key: &str) -> String {
    format!(
        "---\napiVersion: scheduler.kalypso.io/v1alpha1\nkind: ConfigSchema\nmetadata: {{name: s-{}, labels: {{{labels}}}}}\n\
         spec:\n  schema: '{{\"required\": [\"{key}\"]}}'\n",
        key.to_lowercase()
    )
}

const GOOD: &str = "{apiVersion: v1, kind: X, metadata: {name: '{{ .Namespace }}'}}";

#[test]
fn one_issue_for_each_cause() {
    let registration = "---\napiVersion: scheduler.kalypso.io/v1alpha1\nkind: WorkloadRegistration\nmetadata: {name: far}\n\
                        spec: {workspace: w, workload: {repo: 'https://github.com/contoso/far', branch: main, path: .}}\n";
    let value = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, labels: {platform-config: 'true'}}\ndata: {NUMBER: '5'}\n\
                 ---\napiVersion: scheduler.kalypso.io/v1alpha1\nkind: ConfigSchema\nmetadata: {name: s}\nspec:\n  schema: '{\"properties\": {\"NUMBER\": {\"type\": \"number\", \"maximum\": 1}}}'\n";
    let good = template(GOOD);
    let cases: [(String, &[&str], &str); 12] = [
        (fleet(&["a"], 3, 2, &good), &[], "nothing is held"),
        (
            fleet(&["a", "b"], 50, 10, &template("{{ .Nothing }}")),
            &["template flux"],
            "1,000 targets of one broken template",
        ),
        (
            fleet(&["a", "b"], 3, 2, &template("{{ fail .DeploymentTargetName }}")),
            &["template flux"],
            "a message that differs from target to target",
        ),
        (
            fleet(
                &["a", "b"],
                3,
                2,
                &template("{{ if eq .Workload \"a\" }}{{ fail \"x\" }}{{ else }}{{ fail \"y\" }}{{ end }}"),
            ),
            &["workload a", "workload b"],
            "two expressions that fail",
        ),
        (
            fleet(&["a", "b"], 3, 2, ""),
            &["template flux"],
            "a template that is missing, asked for in many places",
        ),
        (
            fleet(&["a", "b"], 3, 5, &(good.clone() + &schema("", "KEY"))),
            &["workload a", "workload b"],
            "two applications that lack the same value",
        ),
        (
            fleet(&["a"], 3, 5, &(good.clone() + &schema("", "KEY"))),
            &["workload a"],
            "one application that lacks a value, in 3 targets and 5 cluster types",
        ),
        (
            fleet(&["a"], 1, 5, &(good.clone() + &schema("", "KEY"))),
            &["a-t0"],
            "one target that lacks a value",
        ),
        (
            fleet(&["a", "b"], 2, 2, &(good.clone() + value)),
            &["8 deployment targets"],
            "one value that breaks a rule, for everybody",
        ),
        (
            fleet(&["a"], 1, 1, &(good.clone() + registration)),
            &["registration far"],
            "a repository that does not answer",
        ),
        (
            fleet(
                &["a", "b"],
                2,
                2,
                &template("{apiVersion: v1, kind: X, metadata: {name: 'X_{{ .Namespace }}'}}"),
            ),
            &["template flux"],
            "names that are no names, different ones",
        ),
        (
            fleet(&["a", "b"], 2, 2, &template("{apiVersion: v1, kind: X, metadata: {name: same}}")),
            &["template flux"],
            "names that are the same",
        ),
    ];
    for (text, want, why) in cases {
        let case = Case::new("", &text);
        let issues = report::issues(&case.outcome, &case.placement);
        let subjects: Vec<&str> = issues
            .iter()
            .filter_map(|issue| {
                issue.title.strip_prefix("Can't generate manifests for ")?.strip_suffix(" in dev")
            })
            .collect();
        assert_eq!(subjects, want, "{why}: {issues:#?}");
    }
}

#[test]
fn a_cause_keeps_its_key() {
    let keys = |text: &str| -> Vec<String> {
        let case = Case::new("", text);
        report::issues(&case.outcome, &case.placement).into_iter().map(|issue| issue.key).collect()
    };
    let broken = template("{{ fail .DeploymentTargetName }}");
    let lacking = template(GOOD) + &schema("", "KEY");
    for text in [&broken, &lacking] {
        let few = keys(&fleet(&["a"], 1, 1, text));
        assert_eq!(few.len(), 1);
        assert_eq!(few, keys(&fleet(&["a"], 3, 2, text)), "more targets");
        assert_eq!(few, keys(&fleet(&["a"], 1, 1, &format!("# a comment\n{text}"))), "another line");
    }
    let (broken, lacking) = (keys(&fleet(&["a"], 1, 1, &broken)), keys(&fleet(&["a"], 1, 1, &lacking)));
    assert_ne!(broken, lacking, "another cause");
}

#[test]
fn what_a_reviewer_must_not_overlook() {
    let text = |names: &[&str], targets, kinds| fleet(names, targets, kinds, &template(GOOD));
    let cases: [(String, String, &[&str], &str); 5] = [
        (
            text(&["a", "b"], 10, 1),
            text(&["a"], 10, 1),
            &["**10 of 20 deployment targets are removed.**"],
            "ten, and more than a third",
        ),
        (text(&["a"], 30, 1), text(&["a"], 20, 1), &[], "ten, but only a third"),
        (text(&["a"], 14, 1), text(&["a"], 5, 1), &[], "more than a third, but fewer than ten"),
        (
            text(&["a"], 2, 2),
            text(&["a"], 2, 1),
            &["`kind-1` loses all 2 deployment targets."],
            "a whole cluster type",
        ),
        (text(&["a"], 1, 1), text(&["b"], 1, 1), &[], "one goes, one comes"),
    ];
    for (before, after, want, why) in cases {
        let document = report::pull_request(&Case::new(&before, &after).changes(), "dev", None, &links());
        let alarms: Vec<&str> = document.body.lines().filter_map(|line| line.strip_prefix("> - ")).collect();
        assert_eq!(alarms, want, "{why}");
    }
}

#[test]
fn documents_are_never_too_long() {
    let names: Vec<String> = (0..40).map(|index| format!("application-with-a-long-name-{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let config = |value: &str| {
        let keys: String = (0..60).map(|index| format!("  KEY_{index}: '{value}{index}'\n")).collect();
        let own = |name: &&str| {
            format!(
                "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c-{name}, labels: {{platform-config: 'true', app: {name}}}}}\ndata:\n  OWN: '{name} {value}'\n{keys}"
            )
        };
        names.iter().map(own).collect::<String>()
    };
    let text = |value: &str, manifest: &str| fleet(&names, 10, 5, &(template(manifest) + &config(value)));
    let case = Case::new(&text(&"old ".repeat(80), GOOD), &text(&"new ".repeat(80), GOOD));
    let changes = case.changes();
    assert!(changes.values.len() > 1000 || changes.values.len() == 40 + 60, "{}", changes.values.len());
    let document = report::pull_request(&changes, "dev", None, &links());
    assert!(document.body.len() <= report::MAX_DOCUMENT, "{}", document.body.len());
    assert!(document.body.len() > report::MAX_DOCUMENT / 2, "the room is used");
    assert!(
        document.body.contains("left out here; the run's report `kalypso.json` names all."),
        "{}",
        document.body
    );
    assert!(document.title.chars().count() <= 120);

    let case = Case::new(
        &text("old", GOOD),
        &text("new", "{{ fail (printf \"%s %s\" .Namespace .ConfigData.OWN) }}"),
    );
    let issues = report::issues(&case.outcome, &case.placement);
    assert_eq!(issues.len(), 1);
    assert!(issues[0].body.len() <= report::MAX_DOCUMENT);
    assert!(issues[0].body.contains("more are left out here"), "{}", issues[0].body);
    let many = vec![issues[0].clone(); 5_000];
    assert!(report::overview("dev", &many).body.len() <= report::MAX_DOCUMENT);

    let changes = case.changes();
    let branch = BranchSummary {
        name: "dev".into(),
        placement: &case.placement,
        changes: &changes,
        pull_request: None,
    };
    let summary = Summary {
        outcome: &case.outcome,
        branches: vec![branch; 20],
        issues: vec![Link { text: "x".repeat(300), url: "https://github.com/contoso".into() }; 10_000],
        steps: Some(vec!["y".repeat(300); 10_000]),
        links: links(),
    };
    let text = report::summary(&summary);
    assert!(text.len() < 1_000_000, "{}", text.len());
    assert!(text.contains("12 more branches are left out here"));
}

/// Whatever stands in names, values and messages, people see it as code and nothing else comes of it.
#[test]
fn hostile_text_stays_text() {
    let evil = "evil @everyone #1 ![x](https://evil.example/x) <img src=x> </details> ::add-mask::x |a| ``` \u{1b}[31m";
    let yaml = serde_json::to_string(evil).expect("text is JSON");
    let config = |value: &str| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, labels: {{platform-config: 'true'}}}}\ndata:\n  KEY: {value}\n  LONG: {}\n",
            value.replacen("evil", "two\\nlines evil", 1)
        )
    };
    let text = |value: &str| fleet(&["a"], 1, 1, &(template(GOOD) + &config(value)));
    let failing = fleet(&["a"], 1, 1, &(template("{{ fail .ConfigData.LONG }}") + &config(&yaml)));
    for case in [Case::new(&text("\"evil\""), &text(&yaml)), Case::new("", &failing)] {
        let changes = case.changes();
        let document = report::pull_request(&changes, "@evil", Some("<evil>"), &links());
        let branch = BranchSummary {
            name: evil.into(),
            placement: &case.placement,
            changes: &changes,
            pull_request: None,
        };
        let summary = Summary {
            outcome: &case.outcome,
            branches: vec![branch],
            issues: vec![Link { text: evil.into(), url: "javascript:evil".into() }],
            steps: Some(vec![evil.into()]),
            links: links(),
        };
        let mut texts = vec![document.body, report::summary(&summary)];
        texts.extend(report::issues(&case.outcome, &case.placement).into_iter().map(|issue| issue.body));
        for text in texts {
            assert!(text.contains("evil"), "it is shown: {text}");
            let html = html::outside_of_code(&text);
            for word in ["evil", "everyone", "<img", "add-mask", "\u{1b}"] {
                assert!(!html.contains(word), "{word} in {html}");
            }
            assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
        }
    }
}
