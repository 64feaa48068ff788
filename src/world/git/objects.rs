//! A store of objects: the files of a commit, as a source or as a whole tree.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fleet::{Blob, FileContent, MAX_FILE_BYTES, Mode, RepoPath, Source, Tree};
use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::objs::tree::EntryKind;
use gix::objs::{Exists, FindExt, FindHeader};
use rayon::prelude::*;
use tempfile::TempDir;

use super::{CommitId, GitError, GitProblem};

/// Folders may be nested this deep.
const MAX_DEPTH: usize = 64;
/// This many files may matter in one source.
const MAX_FILES: usize = 200_000;
/// A tree may have this many entries, folders included: a few small objects can spell out billions.
const MAX_ENTRIES: usize = 2_000_000;
/// The files that are read from one commit may have this many bytes together.
const MAX_BYTES: u64 = 4 << 30;
/// One object may have this many bytes: it is unpacked in memory.
pub(super) const MAX_OBJECT_BYTES: usize = 512 << 20;
/// A link may name a path of this many bytes, as on disk.
const MAX_LINK_BYTES: usize = 4096;
/// A path may lead through this many links.
const MAX_LINKS: usize = 40;

/// The objects of a repository, complete or not.
pub(crate) struct Objects {
    repository: String,
    store: Arc<gix::odb::Store>,
    coverage: Coverage,
    /// Goes with the last use of a store that was fetched
    _folder: Option<TempDir>,
}

/// Which objects a store has of the commits that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coverage {
    /// All
    Full,
    /// Those that were asked for so far
    Partial,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Objects({})", self.repository)
    }
}

impl Objects {
    /// Opens the store at `path` of a repository that people know as `repository`.
    pub(super) fn open(
        repository: String,
        path: &Path,
        coverage: Coverage,
        folder: Option<TempDir>,
    ) -> Result<Objects, GitError> {
        let options = gix::odb::store::init::Options {
            alloc_limit_bytes: Some(MAX_OBJECT_BYTES),
            ..gix::odb::store::init::Options::default()
        };
        match gix::odb::at_opts(path, gix::hash::Kind::Sha1, None, options) {
            Ok(handle) => Ok(Objects { repository, store: handle.store(), coverage, _folder: folder }),
            Err(error) => Err(GitError { repository, problem: GitProblem::Unusable(error.to_string()) }),
        }
    }

    /// Whether a commit can be read. Its history need not be there, and in a partial clone its files may not.
    pub(crate) fn contains(&self, commit: CommitId) -> bool {
        let mut reading = self.reading();
        let Ok(root) = reading.root(commit) else { return false };
        match self.coverage {
            Coverage::Full => reading.entries(root).is_ok(),
            Coverage::Partial => reading.files(root).is_ok_and(|files| {
                files.iter().all(|(_, mode, id)| *mode == Mode::Submodule || reading.handle.exists(id))
            }),
        }
    }

    /// What is in the folder `path` of a commit and may count; people see `prefix` before the path of each file.
    ///
    /// The same as a checkout of the commit would give.
    pub(crate) fn source(&self, commit: CommitId, path: &RepoPath, prefix: &str) -> Result<Source, GitError> {
        let mut reading = self.reading();
        let root = reading.root(commit)?;
        let folder = reading.folder(root, path)?;
        let mut found = Found::default();
        reading.find(root, folder, path, "", 0, &mut found)?;
        let Found { mut files, blobs, entries: _ } = found;
        let contents = self.contents(blobs.iter().map(|(_, id)| *id), Some(MAX_FILE_BYTES as u64))?;
        files.extend(blobs.into_iter().map(|(path, id)| (path, contents[&id].clone())));
        Ok(Source { prefix: prefix.into(), files })
    }

    /// The folder that goes with it.
    #[cfg(test)]
    pub(super) fn place(&self) -> Option<&Path> {
        self._folder.as_ref().map(TempDir::path)
    }

    /// Every file of a commit.
    pub(crate) fn tree(&self, commit: CommitId) -> Result<Tree, GitError> {
        let mut reading = self.reading();
        let root = reading.root(commit)?;
        let files = reading.files(root)?;
        let is_blob = |mode: Mode| mode != Mode::Submodule;
        let blobs = files.iter().filter(|(_, mode, _)| is_blob(*mode)).map(|(_, _, id)| *id);
        let contents = self.contents(blobs, None)?;
        let blob = |(path, mode, id): (String, Mode, ObjectId)| {
            let bytes = match contents.get(&id).filter(|_| is_blob(mode)) {
                Some(FileContent::Bytes(bytes)) => bytes.clone(),
                Some(_) => return Err(self.unusable(format!("`{path}` is missing in its objects ({id})"))),
                None => [].into(),
            };
            Ok((path, Blob::new(mode, name(&id), bytes)))
        };
        Ok(Tree { files: files.into_iter().map(blob).collect::<Result<_, GitError>>()? })
    }

    /// The contents of blobs, each read once, those over `limit` not at all.
    fn contents(
        &self,
        blobs: impl Iterator<Item = ObjectId>,
        limit: Option<u64>,
    ) -> Result<HashMap<ObjectId, FileContent>, GitError> {
        let mut blobs: Vec<ObjectId> = blobs.collect();
        blobs.sort_unstable();
        blobs.dedup();
        let total = AtomicU64::new(0);
        let read = |reading: &mut Reading<'_>, id: ObjectId| {
            let size = match reading.handle.try_header(&id) {
                Ok(Some(header)) => header.size,
                Ok(None) => return Ok((id, FileContent::Unreadable("its content is not there".to_owned()))),
                Err(error) => return Ok((id, FileContent::Unreadable(sentence(&error)))),
            };
            if limit.is_some_and(|limit| size > limit) {
                return Ok((id, FileContent::TooLarge(size)));
            }
            if total.fetch_add(size, Ordering::Relaxed) + size > MAX_BYTES {
                return Err(self.too_large(format!("its files have more than {MAX_BYTES} bytes")));
            }
            let content = match reading.handle.find_blob(&id, &mut reading.buffer) {
                Ok(blob) => FileContent::Bytes(blob.data.into()),
                Err(error) => FileContent::Unreadable(sentence(&error)),
            };
            Ok((id, content))
        };
        blobs.into_par_iter().map_init(|| self.reading(), read).collect()
    }

    fn reading(&self) -> Reading<'_> {
        Reading { objects: self, handle: self.store.to_cache(), buffer: Vec::new() }
    }

    fn error(&self, problem: GitProblem) -> GitError {
        GitError { repository: self.repository.clone(), problem }
    }

    fn unusable(&self, why: impl Into<String>) -> GitError {
        self.error(GitProblem::Unusable(why.into()))
    }

    fn too_large(&self, why: impl Into<String>) -> GitError {
        self.error(GitProblem::TooLarge(why.into()))
    }
}

/// What may count in a folder: what is known from its name alone, and what must be read.
#[derive(Default)]
struct Found {
    files: BTreeMap<String, FileContent>,
    blobs: Vec<(String, ObjectId)>,
    /// Entries that were looked at, folders included
    entries: usize,
}

/// One thread's way into a store.
struct Reading<'a> {
    objects: &'a Objects,
    handle: gix::odb::Handle,
    buffer: Vec<u8>,
}

struct Entry {
    name: BString,
    kind: EntryKind,
    id: ObjectId,
}

impl Reading<'_> {
    fn root(&mut self, commit: CommitId) -> Result<ObjectId, GitError> {
        let no_commit = || self.objects.error(GitProblem::NoSuchCommit(commit));
        let mut commits =
            self.handle.find_commit_iter(&commit.0, &mut self.buffer).map_err(|_| no_commit())?;
        commits.tree_id().map_err(|error| self.objects.unusable(sentence(&error)))
    }

    fn entries(&mut self, tree: ObjectId) -> Result<Vec<Entry>, GitError> {
        let unusable = |error: gix::Error| self.objects.unusable(sentence(&error));
        let tree = self.handle.find_tree_iter(&tree, &mut self.buffer).map_err(unusable)?;
        tree.map(|entry| {
            let entry = entry.map_err(unusable)?;
            let is_path =
                matches!(entry.filename.as_bytes(), b"" | b"." | b"..") || entry.filename.contains(&b'/');
            if is_path {
                return Err(self.objects.unusable(format!("`{}` is no name of a file", entry.filename)));
            }
            Ok(Entry { name: entry.filename.to_owned(), kind: entry.mode.kind(), id: entry.oid.to_owned() })
        })
        .collect()
    }

    fn entry(&mut self, tree: ObjectId, name: &str) -> Result<Option<Entry>, GitError> {
        Ok(self.entries(tree)?.into_iter().find(|entry| entry.name == name))
    }

    /// The folder that a pointer names.
    fn folder(&mut self, root: ObjectId, path: &RepoPath) -> Result<ObjectId, GitError> {
        let mut folder = root;
        let mut seen = String::new();
        for part in path.as_str().split('/').filter(|part| !part.is_empty()) {
            seen = join(&seen, part);
            let why = match self.entry(folder, part)? {
                Some(Entry { kind: EntryKind::Tree, id, .. }) => {
                    folder = id;
                    continue;
                }
                Some(Entry { kind: EntryKind::Link, .. }) => {
                    format!("`{seen}` is a symbolic link, which is not followed")
                }
                Some(Entry { kind: EntryKind::Commit, .. }) => {
                    format!("`{seen}` is a submodule, which is not followed")
                }
                Some(_) => format!("`{seen}` is no folder"),
                None => format!("there is no folder `{path}`"),
            };
            return Err(self.objects.error(GitProblem::NoSuchFolder(why)));
        }
        Ok(folder)
    }

    /// What may count in `folder`, which is `inside` the folder `base` of the repository.
    fn find(
        &mut self,
        root: ObjectId,
        folder: ObjectId,
        base: &RepoPath,
        inside: &str,
        depth: usize,
        found: &mut Found,
    ) -> Result<(), GitError> {
        for entry in self.entries(folder)? {
            found.entries += 1;
            if found.entries > MAX_ENTRIES {
                return Err(self
                    .objects
                    .too_large(format!("there are more than {MAX_ENTRIES} files and folders")));
            }
            let Ok(name) = entry.name.to_str() else {
                let lossy = entry.name.to_str_lossy();
                if lossy.ends_with(".yaml") || lossy.ends_with(".yml") {
                    let reason = "its name is not UTF-8".to_owned();
                    found.files.insert(join(inside, &lossy), FileContent::Unreadable(reason));
                }
                continue;
            };
            let path = join(inside, name);
            match entry.kind {
                EntryKind::Tree | EntryKind::Commit => {
                    if name.starts_with('.') && path != fleet::ENVIRONMENTS {
                        continue;
                    }
                    if depth == MAX_DEPTH {
                        let reason = format!("it is nested more than {MAX_DEPTH} folders deep");
                        found.files.insert(path, FileContent::Unreadable(reason));
                    } else if entry.kind == EntryKind::Tree {
                        self.find(root, entry.id, base, &path, depth + 1, found)?;
                    }
                }
                EntryKind::Link => {
                    let is_hidden = name.starts_with('.');
                    if fleet::is_of_interest(&path)
                        || (!is_hidden && self.leads_to_folder(root, &base.join(&path)))
                    {
                        found.files.insert(path, FileContent::Link);
                    }
                }
                EntryKind::Blob | EntryKind::BlobExecutable => {
                    if fleet::is_of_interest(&path) {
                        found.blobs.push((path, entry.id));
                    }
                }
            }
            if found.files.len() + found.blobs.len() > MAX_FILES {
                return Err(self.objects.too_large(format!("there are more than {MAX_FILES} files")));
            }
        }
        Ok(())
    }

    /// Whether the link at `path` leads to a folder of the repository.
    fn leads_to_folder(&mut self, root: ObjectId, path: &str) -> bool {
        let mut left: Vec<String> = path.rsplit('/').map(str::to_owned).collect();
        let mut folders = vec![root];
        let mut links = 0;
        while let Some(part) = left.pop() {
            match &*part {
                "" | "." => continue,
                ".." => {
                    folders.pop();
                    continue;
                }
                _ => {}
            }
            let Some(folder) = folders.last().copied() else { return false };
            match self.entry(folder, &part) {
                Ok(Some(Entry { kind: EntryKind::Tree, id, .. })) => folders.push(id),
                // An empty folder where it is not checked out.
                Ok(Some(Entry { kind: EntryKind::Commit, .. })) => return left.is_empty(),
                Ok(Some(Entry { kind: EntryKind::Link, id, .. })) if links < MAX_LINKS => {
                    links += 1;
                    let Ok(target) = self.handle.find_blob(&id, &mut self.buffer) else { return false };
                    let Ok(target) = target.data.to_str() else { return false };
                    if target.starts_with('/') || target.len() > MAX_LINK_BYTES {
                        return false;
                    }
                    left.extend(target.rsplit('/').map(str::to_owned));
                }
                _ => return false,
            }
        }
        !folders.is_empty()
    }

    /// Everything in a tree but folders.
    fn files(&mut self, root: ObjectId) -> Result<Vec<(String, Mode, ObjectId)>, GitError> {
        let mut files = Vec::new();
        let mut left = vec![(String::new(), root, 0)];
        let mut seen = 0;
        while let Some((inside, folder, depth)) = left.pop() {
            let entries = self.entries(folder)?;
            seen += entries.len();
            if seen > MAX_ENTRIES || depth > MAX_DEPTH {
                return Err(self.objects.too_large(format!(
                    "there are more than {MAX_ENTRIES} files, or folders nested more than {MAX_DEPTH} deep"
                )));
            }
            for entry in entries {
                let name = entry.name.to_str().map_err(|_| {
                    let path = join(&inside, &entry.name.to_str_lossy());
                    self.objects.unusable(format!("the name of `{}` is not UTF-8", path.escape_debug()))
                })?;
                let path = join(&inside, name);
                let mode = match entry.kind {
                    EntryKind::Tree => {
                        left.push((path, entry.id, depth + 1));
                        continue;
                    }
                    EntryKind::Blob => Mode::File,
                    EntryKind::BlobExecutable => Mode::Executable,
                    EntryKind::Link => Mode::Link,
                    EntryKind::Commit => Mode::Submodule,
                };
                files.push((path, mode, entry.id));
            }
        }
        Ok(files)
    }
}

fn name(id: &ObjectId) -> fleet::ObjectId {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(id.as_bytes());
    fleet::ObjectId::from(bytes)
}

/// What an error of the library says, on one line of bounded length.
pub(super) fn sentence(error: &gix::Error) -> String {
    let mut reasons: Vec<String> = error.iter_errors().map(ToString::to_string).collect();
    reasons.dedup();
    let line = reasons.join(": ");
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::world::folder::Folder;
    use crate::world::git::Workspace;
    use crate::world::git::trial::{git, repository};

    /// What a checkout holds, and what its commit does.
    fn both(path: &Path, inside: &str) -> (BTreeMap<String, FileContent>, BTreeMap<String, FileContent>) {
        let commit = CommitId::new(&git(path, &["rev-parse", "HEAD"])).unwrap();
        let workspace = Workspace::discover(path).unwrap().unwrap();
        let source = workspace.objects().source(commit, &RepoPath::new(inside).unwrap(), "x/").unwrap();
        assert_eq!(&*source.prefix, "x/");
        let disk = Folder::new(&path.join(inside), "").unwrap().source("x/").unwrap();
        (source.files, disk.files)
    }

    #[test]
    #[cfg(unix)]
    fn a_commit_reads_like_its_checkout() {
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::fs::symlink;

        let folder = repository();
        let at = |path: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        };
        for (path, text) in [
            ("a.yaml", "a: 1"),
            ("b/c.yml", "b: 1"),
            ("b/.sourceignore", "x"),
            ("b/data.json", "{}"),
            ("b/readme.md", "nothing"),
            ("b/.hidden/d.yaml", "d: 1"),
            ("b/.dot.yaml", "e: 1"),
            (".github/f.yaml", "f: 1"),
            (".environments/dev.yaml", "g: 1"),
            ("b/.environments/dev.yaml", "h: 1"),
            ("empty.yaml", ""),
            ("real/kustomization.yaml", "resources: []"),
        ] {
            fs::write(at(path), text).unwrap();
        }
        fs::write(at("huge.yaml"), vec![b'#'; MAX_FILE_BYTES + 1]).unwrap();
        fs::write(at("most.yaml"), vec![b'#'; MAX_FILE_BYTES]).unwrap();
        fs::write(at("binary.yaml"), [0, 255, 10]).unwrap();
        for (link, target) in [
            ("l/file.yaml", "../a.yaml"),
            ("l/folder", "../b"),
            ("l/through", "again/../folder"),
            ("l/again", "./folder/"),
            ("l/root", ".."),
            ("l/broken", "../nowhere"),
            ("l/broken.yaml", "../nowhere"),
            ("l/text", "../b/readme.md"),
            ("l/round", "round"),
            ("l/.hidden", "../b"),
            ("l/to-module", "../module"),
        ] {
            symlink(target, at(link)).unwrap();
        }
        let odd = std::ffi::OsStr::from_bytes(b"odd\xff.yaml");
        fs::write(folder.path().join(odd), "x: 1").unwrap();
        let head = git(folder.path(), &["rev-parse", "HEAD"]);
        git(folder.path(), &["add", "-A"]);
        let module = format!("160000,{head},module");
        git(folder.path(), &["update-index", "--add", "--cacheinfo", &module]);
        git(folder.path(), &["commit", "-q", "-m", "files"]);
        fs::create_dir(folder.path().join("module")).unwrap();

        for inside in ["", "b", "l", ".environments", "b/.hidden"] {
            let (commit, disk) = both(folder.path(), inside);
            assert_eq!(commit.keys().collect::<Vec<_>>(), disk.keys().collect::<Vec<_>>(), "{inside}");
            assert_eq!(commit, disk, "{inside}");
        }
        let (files, _) = both(folder.path(), "");
        assert_eq!(files["l/folder"], FileContent::Link);
        assert_eq!(files["huge.yaml"], FileContent::TooLarge(MAX_FILE_BYTES as u64 + 1));
        assert!(!files.contains_key("l/text"));
    }

    #[test]
    #[cfg(unix)]
    fn folders_that_are_none() {
        let folder = repository();
        std::os::unix::fs::symlink(".", folder.path().join("link")).unwrap();
        git(folder.path(), &["add", "-A"]);
        let head = git(folder.path(), &["rev-parse", "HEAD"]);
        git(folder.path(), &["update-index", "--add", "--cacheinfo", &format!("160000,{head},module")]);
        git(folder.path(), &["commit", "-q", "-m", "odd"]);
        let workspace = Workspace::discover(folder.path()).unwrap().unwrap();
        let commit = workspace.find("main").unwrap();
        let cases = [
            ("link", "`link` is a symbolic link, which is not followed"),
            ("link/x", "`link` is a symbolic link, which is not followed"),
            ("module", "`module` is a submodule, which is not followed"),
            ("README.md", "`README.md` is no folder"),
            ("gone/deeper", "there is no folder `gone/deeper`"),
        ];
        for (path, want) in cases {
            let got = workspace.objects().source(commit, &RepoPath::new(path).unwrap(), "").unwrap_err();
            assert_eq!(got.problem, GitProblem::NoSuchFolder(want.to_owned()), "{path}");
        }
        let unknown = CommitId::new(&"1".repeat(40)).unwrap();
        let got = workspace.objects().source(unknown, &RepoPath::default(), "").unwrap_err();
        assert_eq!(got.problem, GitProblem::NoSuchCommit(unknown));
    }

    #[test]
    #[cfg(unix)]
    fn whole_trees_have_gits_names() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = repository();
        for (path, text) in
            [("a.b/c", "1\n"), ("a/b", "2\n"), ("a-b", "3\n"), (".hidden/x", ""), ("run", "#!")]
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::set_permissions(folder.path().join("run"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("a/b", folder.path().join("link")).unwrap();
        git(folder.path(), &["add", "-A"]);
        let head = git(folder.path(), &["rev-parse", "HEAD"]);
        git(folder.path(), &["update-index", "--add", "--cacheinfo", &format!("160000,{head},module")]);
        git(folder.path(), &["commit", "-q", "-m", "files"]);
        for packed in [false, true] {
            if packed {
                git(folder.path(), &["gc", "-q"]);
            }
            let workspace = Workspace::discover(folder.path()).unwrap().unwrap();
            let tree = workspace.objects().tree(workspace.find("main").unwrap()).unwrap();
            assert_eq!(tree.id().to_string(), git(folder.path(), &["rev-parse", "HEAD^{tree}"]));
            let kinds: Vec<(&str, Mode)> =
                tree.files.iter().map(|(path, blob)| (&**path, blob.mode)).collect();
            let want = [
                (".hidden/x", Mode::File),
                ("README.md", Mode::File),
                ("a-b", Mode::File),
                ("a.b/c", Mode::File),
                ("a/b", Mode::File),
                ("link", Mode::Link),
                ("module", Mode::Submodule),
                ("run", Mode::Executable),
            ];
            assert_eq!(kinds, want);
            assert_eq!(tree.files["module"].id.to_string(), head);
            assert_eq!(&*tree.files["link"].bytes(), b"a/b");
            for blob in tree.files.values().filter(|blob| blob.mode != Mode::Submodule) {
                assert_eq!(blob.id, fleet::ObjectId::of_blob(&blob.bytes()));
            }
        }
    }

    #[test]
    fn trees_that_make_no_sense() {
        let folder = repository();
        let blob = git(folder.path(), &["rev-parse", "HEAD:README.md"]);
        let tree = |entries: &[(&str, &str, &[u8])]| {
            let id = |hex: &str| gix::ObjectId::from_hex(hex.as_bytes()).unwrap();
            let entry = |(mode, name, id): (&str, &[u8], ObjectId)| {
                [mode.as_bytes(), b" ", name, b"\0", id.as_bytes()].concat()
            };
            let bytes: Vec<u8> =
                entries.iter().flat_map(|(mode, hex, name)| entry((mode, name, id(hex)))).collect();
            let file = folder.path().join("tree");
            fs::write(&file, bytes).unwrap();
            git(folder.path(), &["hash-object", "-t", "tree", "--literally", "-w", "tree"])
        };
        let commit =
            |tree: &str| CommitId::new(&git(folder.path(), &["commit-tree", tree, "-m", "x"])).unwrap();
        let missing = "1".repeat(40);
        // Ten times ten times ten … files, from a few objects.
        let bomb = (0..9).fold(blob.clone(), |below, level| {
            let mode = if level == 0 { "100644" } else { "40000" };
            let names: Vec<String> = (0..10).map(|name| name.to_string()).collect();
            tree(&names.iter().map(|name| (mode, &*below, name.as_bytes())).collect::<Vec<_>>())
        });
        let cases = [
            (tree(&[("100644", &blob, b"..")]), "`..` is no name of a file"),
            (tree(&[("100644", &blob, b"a/../../b")]), "`a/../../b` is no name of a file"),
            (tree(&[("40000", &missing, b"a")]), "could not be found"),
            (tree(&[("100644", &missing, b"a.yaml")]), "`a.yaml` is missing"),
            (tree(&[("100644", &blob, b"odd\xff")]), "is not UTF-8"),
            (bomb, "there are more than 2000000 files"),
        ];
        for (tree, want) in cases {
            let workspace = Workspace::discover(folder.path()).unwrap().unwrap();
            let got = workspace.objects().tree(commit(&tree)).unwrap_err().to_string();
            assert!(got.contains(want), "{got} should contain {want}");
        }
    }
}
