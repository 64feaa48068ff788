//! The branch that a pull request comes from: its name, and whose commit is on it.

use crate::marker::Address;

const ENVIRONMENT: &str = "Kalypso-Environment: ";
const PATH: &str = "Kalypso-Path: ";
const TREE: &str = "Kalypso-Tree: ";

/// A commit as the repository shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its name
    pub id: String,
    /// The name of its tree
    pub tree: String,
    /// The names of its parents
    pub parents: Vec<String>,
    /// Its whole message
    pub message: String,
}

/// A branch and the commit at its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The branch, without `refs/heads/`
    pub branch: String,
    /// The commit
    pub commit: Commit,
}

/// The branch that a pull request to `gitops_branch` comes from; `shared_by` names the GitOpsRepo where two
/// of them would use the same one.
pub fn primary(gitops_branch: &str, shared_by: Option<&str>) -> String {
    match shared_by {
        None => format!("deployment/{gitops_branch}"),
        Some(name) => format!("deployment/{gitops_branch}-{name}"),
    }
}

/// The branch `primary` and what stands in for it when it is taken: `NAME`, `NAME.2`, `NAME.3` …
pub fn alternatives(primary: &str) -> impl Iterator<Item = String> {
    let primary = primary.to_owned();
    (1..).map(move |number| if number == 1 { primary.clone() } else { format!("{primary}.{number}") })
}

/// The message of a commit with this tree.
pub fn message(title: &str, address: &Address, tree: &str) -> String {
    let Address { environment, path } = address;
    format!("{title}\n\n{ENVIRONMENT}{environment}\n{PATH}{path}\n{TREE}{tree}\n")
}

/// Whether a commit was made for `address` and still has the content that it was made with.
pub fn is_ours(commit: &Commit, address: &Address) -> bool {
    is_kalypsos(commit)
        && says(commit, ENVIRONMENT, &address.environment)
        && says(commit, PATH, &address.path)
}

/// Whether a commit was made by a run for whatever address, and still has the content that it was made with.
pub(crate) fn is_kalypsos(commit: &Commit) -> bool {
    commit.parents.len() == 1 && says(commit, TREE, &commit.tree)
}

fn says(commit: &Commit, key: &str, value: &str) -> bool {
    commit.message.lines().any(|line| line.strip_prefix(key).is_some_and(|said| said.trim() == value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(primary("dev", None), "deployment/dev");
        assert_eq!(primary("dev", Some("edge")), "deployment/dev-edge");
        let names: Vec<String> = alternatives("deployment/dev").take(3).collect();
        assert_eq!(names, ["deployment/dev", "deployment/dev.2", "deployment/dev.3"]);
    }

    #[test]
    fn whose_commit() {
        let dev = Address { environment: "dev".into(), path: ".".into() };
        let ours = Commit {
            id: "1".into(),
            tree: "t".into(),
            parents: vec!["0".into()],
            message: message("Update manifests in dev", &dev, "t"),
        };
        assert!(is_ours(&ours, &dev));
        let cases = [
            (Commit { tree: "u".into(), ..ours.clone() }, "amended"),
            (Commit { parents: vec!["0".into(), "9".into()], ..ours.clone() }, "a merge"),
            (Commit { message: "fix".into(), ..ours.clone() }, "someone's own"),
        ];
        for (commit, why) in cases {
            assert!(!is_ours(&commit, &dev), "{why}");
        }
        assert!(!is_ours(&ours, &Address { environment: "stage".into(), ..dev }), "another environment's");
    }
}
