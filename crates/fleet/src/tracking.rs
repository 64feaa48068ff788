//! What a GitOps branch remembers of the runs that wrote it: `.github/tracking/`.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::path::RepoPath;
use crate::tree::Tree;

/// A target's folder, as the branch remembers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackedFolder {
    /// Its Workload, if it is known
    pub workload: Option<String>,
    /// The registration of its Workload, if there is one
    pub registration: Option<String>,
    /// Whether its content is up to date
    pub state: State,
}

/// Whether the content of a folder is what its control plane asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It is
    #[default]
    Ok,
    /// It is older, for a problem forbids to renew it
    Held,
}

impl TrackedFolder {
    /// Whether it says whose folder it is.
    pub fn is_known(&self) -> bool {
        self.workload.is_some() || self.registration.is_some()
    }
}

/// The file that holds the promoted commit.
pub fn promoted_commit_file(root: &RepoPath) -> String {
    root.join(".github/tracking/Promoted_Commit_Id")
}

/// The folder with one file for each cluster type.
pub fn folder(root: &RepoPath) -> String {
    root.join(".github/tracking/assignments")
}

/// The file of a cluster type.
pub fn file(root: &RepoPath, cluster_type: &str) -> String {
    format!("{}/{cluster_type}", folder(root))
}

/// What the branch remembers of a cluster type's folders; lines that are none of ours are passed over.
pub fn read(tree: &Tree, root: &RepoPath, cluster_type: &str) -> BTreeMap<String, TrackedFolder> {
    let Some(blob) = tree.files.get(&file(root, cluster_type)) else { return BTreeMap::new() };
    read_text(&String::from_utf8_lossy(&blob.bytes()))
}

/// The same, from the text of a cluster type's file.
pub fn read_text(text: &str) -> BTreeMap<String, TrackedFolder> {
    text.lines().filter_map(line).collect()
}

fn line(text: &str) -> Option<(String, TrackedFolder)> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let &[target, workload, registration, state] = &parts[..] else { return None };
    let known = |text: &str| (text != "-").then(|| text.to_owned());
    let state = match state {
        "ok" => State::Ok,
        "held" => State::Held,
        _ => return None,
    };
    Some((
        target.to_owned(),
        TrackedFolder { workload: known(workload), registration: known(registration), state },
    ))
}

/// The text of a cluster type's file.
pub fn print(folders: &BTreeMap<String, TrackedFolder>) -> String {
    let mut text = String::new();
    for (target, TrackedFolder { workload, registration, state }) in folders {
        let known = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
        let state = match state {
            State::Ok => "ok",
            State::Held => "held",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{target} {} {} {state}", known(workload), known(registration));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Blob;

    #[test]
    fn what_is_printed_is_read() {
        let root = RepoPath::new("apps").unwrap();
        let folders = BTreeMap::from([
            (
                "a-x".to_owned(),
                TrackedFolder {
                    workload: Some("a".into()),
                    registration: Some("r".into()),
                    state: State::Ok,
                },
            ),
            (
                "b-x".to_owned(),
                TrackedFolder { workload: Some("b".into()), registration: None, state: State::Held },
            ),
            ("old".to_owned(), TrackedFolder { workload: None, registration: None, state: State::Held }),
        ]);
        let text = print(&folders);
        assert_eq!(text, "a-x a r ok\nb-x b - held\nold - - held\n");
        let mut tree = Tree::default();
        let odd = format!("{text}# a comment of three words\nx y z maybe\n");
        tree.files.insert("apps/.github/tracking/assignments/large".into(), Blob::file(odd.into_bytes()));
        assert_eq!(read(&tree, &root, "large"), folders);
        assert_eq!(read(&tree, &root, "small"), BTreeMap::new());
    }
}
