//! The content of a branch: files by path, and git's names for them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use sha1::{Digest, Sha1};

/// Git's name of a blob or a tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 20]);

/// What kind of file an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// A file
    File,
    /// A file that may be executed
    Executable,
    /// A symbolic link; its content is the target
    Link,
    /// A commit of another repository
    Submodule,
}

/// A file of a tree.
#[derive(Clone)]
pub struct Blob {
    /// What kind of file
    pub mode: Mode,
    /// Git's name of the content
    pub id: ObjectId,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Whole(Arc<[u8]>),
    Alike(Arc<Alike>),
}

/// What a content adds to another one.
struct Alike {
    first: Arc<[u8]>,
    size: usize,
    packed: Box<[u8]>,
}

/// Files that are much alike: of each it is kept what it adds to the first.
#[derive(Debug, Default)]
pub struct Family {
    first: OnceLock<Arc<[u8]>>,
}

/// Files by path, `/` between the parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The files
    pub files: BTreeMap<String, Blob>,
}

/// What turns one tree into another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changeset {
    /// Files that are new
    pub added: BTreeMap<String, Blob>,
    /// Files with another content or mode
    pub modified: BTreeMap<String, Blob>,
    /// Files that go
    pub removed: Vec<String>,
}

impl ObjectId {
    /// The name git gives to `bytes` as a blob.
    pub fn of_blob(bytes: &[u8]) -> ObjectId {
        ObjectId::of("blob", bytes)
    }

    /// The name git gives to the tree of these entries.
    pub(crate) fn of_tree(mut entries: Vec<TreeEntry>) -> ObjectId {
        entries.sort();
        let content: Vec<u8> = entries.into_iter().flat_map(|TreeEntry { bytes, .. }| bytes).collect();
        ObjectId::of("tree", &content)
    }

    fn of(kind: &str, bytes: &[u8]) -> ObjectId {
        let mut hash = Sha1::new();
        hash.update(format!("{kind} {}\0", bytes.len()));
        hash.update(bytes);
        ObjectId(hash.finalize().into())
    }
}

impl From<[u8; 20]> for ObjectId {
    fn from(bytes: [u8; 20]) -> ObjectId {
        ObjectId(bytes)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Mode {
    /// As git writes it.
    pub fn octal(self) -> &'static str {
        match self {
            Mode::File => "100644",
            Mode::Executable => "100755",
            Mode::Link => "120000",
            Mode::Submodule => "160000",
        }
    }
}

impl Blob {
    /// A file of any kind, with the name that git has for its content.
    pub fn new(mode: Mode, id: ObjectId, bytes: impl Into<Arc<[u8]>>) -> Blob {
        Blob { mode, id, content: Content::Whole(bytes.into()) }
    }

    /// An ordinary file.
    pub fn file(bytes: impl Into<Arc<[u8]>>) -> Blob {
        let bytes = bytes.into();
        Blob::new(Mode::File, ObjectId::of_blob(&bytes), bytes)
    }

    /// The content.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match &self.content {
            Content::Whole(bytes) => Cow::Borrowed(bytes),
            Content::Alike(alike) => Cow::Owned(alike.bytes()),
        }
    }

    /// How many bytes the content has.
    pub fn size(&self) -> usize {
        match &self.content {
            Content::Whole(bytes) => bytes.len(),
            Content::Alike(alike) => alike.size,
        }
    }
}

/// Git's name says everything about the content.
impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        (self.mode, self.id) == (other.mode, other.id)
    }
}

impl Eq for Blob {}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.mode.octal(), self.id)
    }
}

impl Family {
    /// An ordinary file of this family.
    pub fn file(&self, bytes: &[u8]) -> Blob {
        let first = self.first.get_or_init(|| bytes.into());
        let packed = lz4_flex::block::compress_with_dict(bytes, first).into();
        let alike = Alike { first: first.clone(), size: bytes.len(), packed };
        let content = Content::Alike(Arc::new(alike));
        Blob { mode: Mode::File, id: ObjectId::of_blob(bytes), content }
    }
}

impl Alike {
    fn bytes(&self) -> Vec<u8> {
        let Alike { first, size, packed } = self;
        lz4_flex::block::decompress_with_dict(packed, *size, first).expect("it was packed here")
    }
}

impl Tree {
    /// Git's name of this tree.
    pub fn id(&self) -> ObjectId {
        let files: Vec<(&str, &Blob)> = self.files.iter().map(|(path, blob)| (&**path, blob)).collect();
        tree_id(&files, 0)
    }

    /// The files below `folder`, with their paths inside it.
    pub fn below<'a>(&'a self, folder: &str) -> impl Iterator<Item = (&'a str, &'a Blob)> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let length = prefix.len();
        self.files
            .range(prefix.clone()..)
            .take_while(move |(path, _)| path.starts_with(&prefix))
            .map(move |(path, blob)| (&path[length..], blob))
    }

    /// What turns `self` into `wanted`.
    pub fn changes_to(&self, wanted: &Tree) -> Changeset {
        let mut changes = Changeset::default();
        for (path, blob) in &wanted.files {
            match self.files.get(path) {
                Some(current) if (current.id, current.mode) == (blob.id, blob.mode) => {}
                Some(_) => drop(changes.modified.insert(path.clone(), blob.clone())),
                None => drop(changes.added.insert(path.clone(), blob.clone())),
            }
        }
        changes.removed =
            self.files.keys().filter(|path| !wanted.files.contains_key(*path)).cloned().collect();
        changes
    }

    /// This tree after `changes`.
    pub fn with(mut self, changes: &Changeset) -> Tree {
        let Changeset { added, modified, removed } = changes;
        removed.iter().for_each(|path| drop(self.files.remove(path)));
        self.files.extend(added.iter().chain(modified).map(|(path, blob)| (path.clone(), blob.clone())));
        self
    }
}

impl Changeset {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        let Changeset { added, modified, removed } = self;
        added.is_empty() && modified.is_empty() && removed.is_empty()
    }
}

/// The name of the tree of `files`, whose paths all agree in their first `depth` bytes.
fn tree_id(files: &[(&str, &Blob)], depth: usize) -> ObjectId {
    let name = |path: &'_ str| path[depth..].find('/').map_or(path.len(), |end| depth + end);
    let mut entries = Vec::new();
    for group in files.chunk_by(|(a, _), (b, _)| a[depth..name(a)] == b[depth..name(b)]) {
        let (path, blob) = group[0];
        let end = name(path);
        let (mode, id) = match end < path.len() {
            true => (FOLDER, tree_id(group, end + 1)),
            false => (blob.mode.octal(), blob.id),
        };
        entries.push(TreeEntry::new(&path[depth..end], mode, id));
    }
    ObjectId::of_tree(entries)
}

/// How git writes the mode of a folder.
pub(crate) const FOLDER: &str = "40000";

/// A line of a tree as git stores it, in git's order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TreeEntry {
    /// Git sorts folders as if their names ended in a slash
    key: Vec<u8>,
    bytes: Vec<u8>,
}

impl TreeEntry {
    /// An entry of this name, without any folder in it.
    pub(crate) fn new(name: &str, mode: &str, ObjectId(id): ObjectId) -> TreeEntry {
        let mut key = name.as_bytes().to_vec();
        key.extend((mode == FOLDER).then_some(b'/'));
        let bytes = [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &id].concat();
        TreeEntry { key, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        Tree {
            files: files.iter().map(|(path, text)| (path.to_string(), Blob::file(text.as_bytes()))).collect(),
        }
    }

    #[test]
    fn names_are_gits() {
        // Asked of git: `git write-tree` after adding the same files.
        assert_eq!(Tree::default().id().to_string(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
        assert_eq!(ObjectId::of_blob(b"hello\n").to_string(), "ce013625030ba8dba906f756967f9e9ca394464a");
        let tree = tree(&[("a.b/c", "1\n"), ("a/b", "2\n"), ("a-b", "3\n"), ("z", "")]);
        assert_eq!(tree.id().to_string(), "21ec54a8c4c926d5c95a12dd39dbc6e5ba62b50f");
    }

    #[test]
    fn families_give_back_what_they_were_given() {
        let long: String = (0..40_000).map(|number| format!("{number}\n")).collect();
        let texts = ["name: a\n", "name: b\n", "", "x", &long, "name: a\n", &long[1..], &long[..70_000]];
        for first in texts {
            let family = Family::default();
            for text in [first].into_iter().chain(texts) {
                let file = family.file(text.as_bytes());
                assert_eq!(file.bytes(), text.as_bytes());
                assert_eq!((file.size(), &file), (text.len(), &Blob::file(text.as_bytes())));
            }
        }
    }

    fn any_tree() -> impl Strategy<Value = Tree> {
        let path = "[a-c](/[a-c.-]{1,2}){0,2}x";
        proptest::collection::btree_map(path, "[ab]{0,2}", 0..12).prop_map(|files| Tree {
            files: files.into_iter().map(|(path, text)| (path, Blob::file(text.into_bytes()))).collect(),
        })
    }

    proptest! {
        #[test]
        fn applying_the_difference_gives_the_other(a in any_tree(), b in any_tree()) {
            let changes = a.changes_to(&b);
            prop_assert_eq!(changes.is_empty(), a == b);
            prop_assert_eq!(a.with(&changes), b);
        }
    }
}
