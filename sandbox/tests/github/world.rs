//! The world as a whole: the example platform, going back, and comparing.

use kalypso_sandbox::{Merge, Sandbox, platform};
use serde_json::json;

use crate::client::{TOKEN, sandbox, send};

#[test]
fn a_world_is_put_aside_and_gone_back_to() {
    let (sandbox, gitops) = sandbox();
    let saved = sandbox.save().unwrap();
    let before = sandbox.snapshot().unwrap();
    let head = gitops.head("dev").unwrap();
    for _ in 0..2 {
        gitops.commit("dev", &[("a", Some("1"))], "More").unwrap();
        gitops.delete_branch("dev").unwrap();
        let opened = send(&sandbox, TOKEN, "POST", "/repos/contoso/gitops/issues", json!({ "title": "T" }));
        assert_eq!(opened.body["number"], 1);
        assert_ne!(sandbox.snapshot().unwrap(), before);
        sandbox.restore(&saved).unwrap();
        assert_eq!(sandbox.snapshot().unwrap(), before);
        assert_eq!((gitops.head("dev").unwrap(), sandbox.requests().len()), (head.clone(), 0));
    }
    let copy = sandbox.duplicate().unwrap();
    assert_eq!(copy.snapshot().unwrap(), before);
    assert_ne!(copy.url(), sandbox.url());
    let answer = send(&copy, TOKEN, "GET", "/repos/contoso/gitops/git/ref/heads/dev", json!(null));
    assert_eq!(answer.body["object"]["sha"].as_str(), head.as_deref());
}

#[test]
fn the_same_done_at_another_time_is_the_same_world() {
    let world = |seconds: i64, message: &str| {
        let (sandbox, gitops) = sandbox();
        sandbox.stop_clock(seconds);
        gitops.branch("next", &gitops.head("dev").unwrap().unwrap()).unwrap();
        gitops.commit("next", &[("a", Some("1"))], message).unwrap();
        let number = gitops.open_pull("next", "dev", "T", "").unwrap();
        gitops.merge_pull(number, Merge::Squash).unwrap();
        (sandbox.snapshot().unwrap(), gitops.head("dev").unwrap())
    };
    let (one, other, different) = (world(1, "M"), world(2, "M"), world(1, "N"));
    assert_eq!(one.0, other.0);
    assert_ne!(one.1, other.1, "its commits have other names");
    assert_ne!(one.0, different.0);
}

#[test]
fn the_example_platform_names_the_sandbox() {
    let sandbox = Sandbox::start().unwrap();
    let platform = platform::create(&sandbox, platform::Chapter::Whole).unwrap();
    let base = platform.control_plane.head("main").unwrap().unwrap();
    let dev = platform.control_plane.files("dev").unwrap();
    let pointer = String::from_utf8(dev["base-repo.yaml"].clone()).unwrap();
    assert!(pointer.contains(&format!("repo: {}\n", platform.control_plane.url())), "{pointer}");
    assert!(pointer.contains(&format!("commit: {base}\n")), "{pointer}");
    let branches: Vec<_> = [&platform.control_plane, &platform.applications, &platform.gitops]
        .map(|repository| repository.branches().unwrap().into_keys().collect::<Vec<_>>())
        .into();
    assert_eq!(branches, [vec!["dev", "main", "stage"], vec!["main"], vec!["dev", "stage"]]);
    let main = platform.control_plane.files("main").unwrap();
    assert!(main.contains_key(".environments/dev.yaml"));
}
