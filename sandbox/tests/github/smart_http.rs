//! The real `git` against the sandbox.

use crate::client::{TOKEN, git, git_url, sandbox};
use kalypso_sandbox::{Access, Kind, Level, Sandbox, Scope, Visibility};

#[test]
fn one_branch_is_cloned_with_its_last_commit_only() {
    let (sandbox, gitops) = sandbox();
    let head = gitops.commit("dev", &[("a/b", Some("1"))], "Second").unwrap();
    gitops.commit("other", &[("c", Some("2"))], "Other").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = git_url(&sandbox, TOKEN, "contoso/gitops");
    git(folder.path(), &["clone", "--depth=1", "--single-branch", "-b", "dev", &url, "x"]).unwrap();
    let clone = folder.path().join("x");
    assert_eq!(git(&clone, &["log", "--format=%H"]).unwrap(), head);
    assert_eq!(git(&clone, &["branch", "-r"]).unwrap(), "origin/dev");
    let requests = sandbox.requests();
    assert!(requests.iter().all(|request| request.kind == Kind::Git && !request.is_write()));
    let last = requests.last().unwrap();
    assert_eq!((last.token.as_deref(), last.header("git-protocol")), (Some(TOKEN), Some("version=2")));
}

#[test]
fn any_commit_is_fetched_by_its_name() {
    let (sandbox, gitops) = sandbox();
    let first = gitops.head("dev").unwrap().unwrap();
    let gone = gitops.commit("dev", &[("a", Some("1"))], "Second").unwrap();
    gitops.force("dev", &first).unwrap();
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q", "."]).unwrap();
    let url = git_url(&sandbox, TOKEN, "Contoso/GitOps.git");
    git(folder.path(), &["fetch", "-q", "--depth=1", &url, &gone]).unwrap();
    assert_eq!(git(folder.path(), &["rev-parse", "FETCH_HEAD"]).unwrap(), gone);
}

#[test]
fn only_who_may_reads_and_writes() {
    let (sandbox, _gitops) = sandbox();
    let open = sandbox.create_repository("contoso/open", Visibility::Public).unwrap();
    open.commit("main", &[("a", Some("1"))], "First").unwrap();
    sandbox.token("ghs_read", Access::read("contoso/gitops"));
    sandbox.token("ghs_elsewhere", Access::write("contoso/else"));
    sandbox.token("ghs_issues", Access::write("contoso/gitops").with(Scope::Contents, Level::None));
    let folder = tempfile::tempdir().unwrap();
    let table = [
        ("", "contoso/open", "", "everyone reads what is public"),
        (TOKEN, "contoso/open", "", "also with a token for something else"),
        ("", "contoso/gitops", "could not read Username", "no token"),
        ("", "contoso/absent", "could not read Username", "nobody learns what there is"),
        ("ghs_unknown", "contoso/gitops", "Authentication failed", "an unknown token"),
        ("ghs_elsewhere", "contoso/gitops", "not found", "a token for something else"),
        ("ghs_issues", "contoso/gitops", "not found", "a token without contents"),
        ("ghs_read", "contoso/gitops", "", "a token that reads"),
    ];
    for (token, repository, want, why) in table {
        let got = git(folder.path(), &["ls-remote", &git_url(&sandbox, token, repository)]);
        match got {
            Ok(_) => assert_eq!(want, "", "{why}"),
            Err(error) => assert!(!want.is_empty() && error.contains(want), "{why}: {error}"),
        }
    }
}

#[test]
fn whoever_may_write_pushes() {
    let (sandbox, gitops) = sandbox();
    sandbox.token("ghs_read", Access::read("contoso/gitops"));
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["clone", "-b", "dev", &git_url(&sandbox, TOKEN, "contoso/gitops"), "x"]).unwrap();
    let clone = folder.path().join("x");
    std::fs::write(clone.join("new"), "content").unwrap();
    git(&clone, &["add", "new"]).unwrap();
    git(&clone, &["commit", "-q", "-m", "By hand"]).unwrap();
    let refused =
        git(&clone, &["push", &git_url(&sandbox, "ghs_read", "contoso/gitops"), "dev"]).unwrap_err();
    assert!(refused.contains("403"), "{refused}");
    git(&clone, &["push", "-q", "origin", "dev"]).unwrap();
    assert_eq!(gitops.log("dev").unwrap()[0].message, "By hand\n");
    assert!(sandbox.requests().last().unwrap().is_write());
}

#[test]
fn a_redirect_leads_to_another_host() {
    let (sandbox, gitops) = sandbox();
    let elsewhere = Sandbox::start().unwrap();
    let moved = elsewhere.create_repository("fabrikam/moved", Visibility::Public).unwrap();
    let head = moved.commit("dev", &[("a", Some("1"))], "First").unwrap();
    gitops.redirect(301, &format!("{}/fabrikam/moved", elsewhere.url())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let seen =
        git(folder.path(), &["ls-remote", &git_url(&sandbox, TOKEN, "contoso/gitops"), "dev"]).unwrap();
    assert!(seen.starts_with(&head));
    assert_eq!(elsewhere.requests()[0].path, "/fabrikam/moved/info/refs");
}
