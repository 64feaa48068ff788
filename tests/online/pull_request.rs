//! The life of the pull request: opened, kept current, rebuilt, closed; and what is not ours.

use kalypso_sandbox::{Merge, State};

use super::platform::Platform;

const BRANCH: &str = "deployment/dev";

#[test]
fn opened_once_and_left_alone_when_nothing_changes() {
    let platform = Platform::new("s1-0-baseline");
    let ran = platform.schedule(&[]).succeeded();
    let pulls = platform.gitops.pulls().unwrap();
    let [pull] = &pulls[..] else { panic!("one pull request: {pulls:?}") };
    assert_eq!((pull.head.as_str(), pull.base.as_str(), pull.state), (BRANCH, "dev", State::Open));
    assert_eq!(pull.labels, ["promoted"]);
    let mut expected = platform.expected("s1-0-baseline");
    expected.insert("README.md".to_owned(), b"What runs where.\n".to_vec());
    assert_eq!(platform.gitops.files(BRANCH).unwrap(), expected);
    let log = platform.gitops.log(BRANCH).unwrap();
    assert_eq!(log[0].parents, [platform.gitops.head("dev").unwrap().unwrap()], "one commit on top");
    assert_eq!(ran.outputs["changed"], "true");
    assert_eq!(ran.outputs["pull-request-number"], pull.number.to_string());
    assert_eq!(Some(&ran.outputs["tree-id"]), platform.gitops.tree(BRANCH).unwrap().as_ref());
    assert!(ran.calls() <= 12 + 1, "{} calls", ran.calls());

    let again = platform.schedule(&[]).succeeded();
    assert_eq!(again.writes(), 0);
    assert_eq!(platform.gitops.pulls().unwrap(), pulls);

    platform.gitops.merge_pull(pull.number, Merge::Squash).unwrap();
    let merged = platform.schedule(&[]).succeeded();
    assert_eq!((merged.writes(), &*merged.outputs["changed"]), (0, "false"));
}
