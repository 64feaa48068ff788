//! A change in small parts, each with the name of the tree that it leads to.
//!
//! A part can be sent on its own, and whoever knows the names of all of them can go on where an
//! earlier attempt ended.

use std::collections::BTreeMap;

use crate::tree::{Blob, Changeset, FOLDER, Mode, ObjectId, Tree, TreeEntry};

/// A part has at most this many entries.
const MAX_ENTRIES: usize = 200;
/// A part has at most this many bytes of content, unless a single file has more.
const MAX_BYTES: usize = 1024 * 1024;

/// A part of a change.
#[derive(Clone, Debug)]
pub struct Chunk<'a> {
    /// Files by path; nothing for one that goes
    pub entries: Vec<(&'a str, Option<&'a Blob>)>,
    /// The tree after this part
    pub tree: ObjectId,
}

impl Changeset {
    /// This change of `base` in parts, to be applied one after the other.
    pub fn chunks<'a>(&'a self, base: &'a Tree) -> Vec<Chunk<'a>> {
        let Changeset { added, modified, removed } = self;
        let mut come: BTreeMap<&str, &Blob> = BTreeMap::new();
        come.extend(added.iter().chain(modified).map(|(path, blob)| (&**path, blob)));
        // A file can take the place of a folder, or the other way round, only when that has gone.
        let is_in_the_way = |path: &&String| is_below(path, added) || holds(path, added);
        let (first, other): (Vec<&String>, Vec<&String>) = removed.iter().partition(is_in_the_way);
        let mut others: BTreeMap<&str, Option<&Blob>> = BTreeMap::new();
        others.extend(other.into_iter().map(|path| (&**path, None)));
        others.extend(come.into_iter().map(|(path, blob)| (path, Some(blob))));
        let wait_after = first.len();
        let entries = first.into_iter().map(|path| (&**path, None)).chain(others);
        let mut folder = Folder::new(base);
        let mut chunks = Vec::new();
        let mut part: Vec<(&str, Option<&Blob>)> = Vec::new();
        let mut bytes = 0;
        for (index, (path, blob)) in entries.enumerate() {
            let size = path.len() + blob.map_or(0, Blob::size);
            let is_full = part.len() == MAX_ENTRIES || bytes + size > MAX_BYTES || index == wait_after;
            if is_full && !part.is_empty() {
                chunks.push(Chunk { entries: std::mem::take(&mut part), tree: folder.id() });
                bytes = 0;
            }
            folder.set(path, blob);
            part.push((path, blob));
            bytes += size;
        }
        if !part.is_empty() {
            chunks.push(Chunk { entries: part, tree: folder.id() });
        }
        chunks
    }
}

/// Whether `path` stands below one of `files`.
fn is_below(path: &str, files: &BTreeMap<String, Blob>) -> bool {
    path.match_indices('/').any(|(end, _)| files.contains_key(&path[..end]))
}

/// Whether one of `files` stands below `path`.
fn holds(path: &str, files: &BTreeMap<String, Blob>) -> bool {
    let folder = format!("{path}/");
    files.range(folder.clone()..).next().is_some_and(|(first, _)| first.starts_with(&folder))
}

/// A folder of a tree that is changed step by step; only what changed is named anew.
#[derive(Default)]
struct Folder<'a> {
    entries: BTreeMap<&'a str, Entry<'a>>,
    id: Option<ObjectId>,
}

enum Entry<'a> {
    File(Mode, ObjectId),
    Folder(Folder<'a>),
}

impl<'a> Folder<'a> {
    fn new(tree: &'a Tree) -> Self {
        let mut root = Folder::default();
        tree.files.iter().for_each(|(path, blob)| root.set(path, Some(blob)));
        root
    }

    fn set(&mut self, path: &'a str, blob: Option<&Blob>) {
        self.id = None;
        match (path.split_once('/'), blob) {
            (None, Some(blob)) => drop(self.entries.insert(path, Entry::File(blob.mode, blob.id))),
            (None, None) => drop(self.entries.remove(path)),
            (Some((name, rest)), _) => {
                let entry = self.entries.entry(name).or_insert_with(|| Entry::Folder(Folder::default()));
                if let Entry::File(..) = entry {
                    *entry = Entry::Folder(Folder::default());
                }
                let Entry::Folder(folder) = entry else { return };
                folder.set(rest, blob);
                // Git knows no empty folders.
                if folder.entries.is_empty() {
                    self.entries.remove(name);
                }
            }
        }
    }

    fn id(&mut self) -> ObjectId {
        if let Some(id) = self.id {
            return id;
        }
        let entries = self.entries.iter_mut().map(|(name, entry)| match entry {
            Entry::File(mode, id) => TreeEntry::new(name, mode.octal(), *id),
            Entry::Folder(folder) => TreeEntry::new(name, FOLDER, folder.id()),
        });
        let id = ObjectId::of_tree(entries.collect());
        self.id = Some(id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: impl IntoIterator<Item = (String, String)>) -> Tree {
        let blob = |(path, text): (String, String)| (path, Blob::file(text.into_bytes()));
        Tree { files: paths.into_iter().map(blob).collect() }
    }

    #[test]
    fn each_part_leads_to_the_tree_that_it_names() {
        let path = |number: usize| format!("type-{}/target-{}/a.yaml", number % 7, number);
        let base = tree((0..300).map(|number| (path(number), format!("{number}"))));
        let wanted = tree((100..900).map(|number| (path(number), format!("{}", number / 2))));
        let changes = base.changes_to(&wanted);
        let chunks = changes.chunks(&base);
        assert!(chunks.len() > 3);
        let mut tree = base.clone();
        for Chunk { entries, tree: id } in &chunks {
            assert!(entries.len() <= MAX_ENTRIES);
            for (path, blob) in entries {
                match blob {
                    Some(blob) => drop(tree.files.insert((*path).to_owned(), (*blob).clone())),
                    None => drop(tree.files.remove(*path)),
                }
            }
            assert_eq!(*id, tree.id());
        }
        assert_eq!(tree, wanted);
    }

    #[test]
    fn files_take_the_place_of_folders_and_folders_that_of_files() {
        let files = |paths: &[&str]| tree(paths.iter().map(|path| ((*path).to_owned(), (*path).to_owned())));
        let base = files(&["a/x", "a/y/z", "b", "c"]);
        let wanted = files(&["a", "b/x", "d"]);
        let changes = base.changes_to(&wanted);
        let chunks = changes.chunks(&base);
        let paths = |chunk: &Chunk<'_>| chunk.entries.iter().map(|(path, _)| (*path).to_owned()).collect();
        let paths: Vec<Vec<String>> = chunks.iter().map(paths).collect();
        assert_eq!(paths, [vec!["a/x", "a/y/z", "b"], vec!["a", "b/x", "c", "d"]]);
        assert_eq!(chunks.last().unwrap().tree, wanted.id());
    }

    #[test]
    fn large_files_stand_alone() {
        let large = "x".repeat(MAX_BYTES - 10);
        let files = ["a", "b", "c"].map(|name| (name.to_owned(), large.clone()));
        let (base, wanted) = (Tree::default(), tree(files));
        let changes = base.changes_to(&wanted);
        let sizes: Vec<usize> = changes.chunks(&base).iter().map(|chunk| chunk.entries.len()).collect();
        assert_eq!(sizes, [1, 1, 1]);
        assert!(Changeset::default().chunks(&base).is_empty());
    }
}
