//! Bare repositories, through the `git` binary.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use anyhow::{Context, Result, bail, ensure};

/// The name of no object.
pub(crate) const ZEROS: &str = "0000000000000000000000000000000000000000";

/// What every repository here is told: what GitHub allows, and nothing that would do work behind our back.
const CONFIG: &str = "\
[core]
\trepositoryformatversion = 0
\tbare = true
\tfsync = none
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
[http]
\treceivepack = true
[gc]
\tauto = 0
[receive]
\tautogc = false
";

/// Where `git` is: a program that is not looked for is started without a copy of this process being made first.
static GIT: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join("git"));
    places.find(|place| place.is_file()).unwrap_or_else(|| PathBuf::from("git"))
});

/// One bare repository.
#[derive(Clone, Debug)]
pub(crate) struct Bare {
    folder: PathBuf,
}

/// A commit as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its name.
    pub sha: String,
    /// The name of its tree.
    pub tree: String,
    /// Names of the commits that it follows.
    pub parents: Vec<String>,
    /// The text, as it was given.
    pub message: String,
    /// Who wrote it.
    pub author: Signature,
    /// Who committed it.
    pub committer: Signature,
}

/// Who, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Name of the person or robot.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// Seconds since 1970.
    pub seconds: i64,
}

/// What became of a path between two commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: String,
    /// `A`dded, `M`odified, `D`eleted or changed in `T`ype.
    pub kind: char,
    /// The blob that is there now, or was there if it is deleted.
    pub blob: String,
    /// Lines that came.
    pub additions: u64,
    /// Lines that went.
    pub deletions: u64,
}

/// An entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeEntry {
    pub(crate) mode: String,
    pub(crate) kind: String,
    pub(crate) sha: String,
    pub(crate) size: Option<u64>,
    pub(crate) path: String,
}

/// What to put at a path of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Put<'a> {
    /// A file with this content.
    Content { mode: &'a str, bytes: &'a [u8] },
    /// An object that is there already.
    Object { mode: &'a str, sha: &'a str },
    /// Nothing: what is there goes.
    Nothing,
}

/// A branch or tag to move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefUpdate {
    pub(crate) name: String,
    /// Where it must stand; zeros: it must not exist; none: wherever it stands.
    pub(crate) before: Option<String>,
    /// Where it goes; zeros: it is deleted.
    pub(crate) after: String,
}

/// How [`Bare::update_refs`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// All of them moved.
    All,
    /// One did not stand where it had to; none moved.
    None,
}

impl Bare {
    /// The repository in a folder.
    pub(crate) fn at(folder: PathBuf) -> Bare {
        Bare { folder }
    }

    /// Makes the repository, empty.
    ///
    /// By hand, since a test suite makes thousands and `git init` is the slowest of all that they do.
    pub(crate) fn init(&self, default_branch: &str) -> Result<()> {
        std::fs::create_dir_all(self.folder.join("objects"))?;
        std::fs::create_dir_all(self.folder.join("refs/heads"))?;
        std::fs::write(self.folder.join("HEAD"), format!("ref: refs/heads/{default_branch}\n"))?;
        std::fs::write(self.folder.join("config"), CONFIG)?;
        Ok(())
    }

    /// Points `HEAD` at another branch.
    pub(crate) fn set_default_branch(&self, branch: &str) -> Result<()> {
        std::fs::write(self.folder.join("HEAD"), format!("ref: refs/heads/{branch}\n"))?;
        Ok(())
    }

    /// A `git` command on this repository that knows nothing of the machine's own configuration.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&*GIT);
        command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", &self.folder)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_DIR", &self.folder)
            .env("LC_ALL", "C")
            .current_dir(&self.folder);
        command
    }

    /// References whose full names begin with a text, with what they point at.
    ///
    /// From their files, since nothing packs them here and they are asked for most often.
    pub(crate) fn refs(&self, prefix: &str) -> Result<BTreeMap<String, String>> {
        let mut refs = BTreeMap::new();
        collect_refs(&self.folder.join("refs"), "refs", &mut refs)?;
        refs.retain(|name, _| name.starts_with(prefix));
        Ok(refs)
    }

    /// Where a reference of this full name stands.
    pub(crate) fn reference(&self, name: &str) -> Result<Option<String>> {
        Ok(self.refs(name)?.remove(name))
    }

    /// Where a branch stands.
    pub(crate) fn branch(&self, branch: &str) -> Result<Option<String>> {
        self.reference(&format!("refs/heads/{branch}"))
    }

    /// The commit that a name of any form means: a commit, a branch, a tag, a full reference.
    pub(crate) fn commit_named(&self, name: &str) -> Result<Option<String>> {
        self.named(&format!("{name}^{{commit}}"))
    }

    /// The tree that a name of any form means.
    pub(crate) fn tree_named(&self, name: &str) -> Result<Option<String>> {
        self.named(&format!("{name}^{{tree}}"))
    }

    /// The object that a name of any form means, such as `main:folder/file`.
    pub(crate) fn object_named(&self, name: &str) -> Result<Option<String>> {
        self.named(name)
    }

    fn named(&self, wanted: &str) -> Result<Option<String>> {
        let out = self.output(&["rev-parse", "--verify", "--quiet", "--end-of-options", wanted], b"")?;
        Ok(out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned()))
    }

    /// What kind of object each name is, if it is there at all.
    pub(crate) fn kinds(&self, names: &[&str]) -> Result<Vec<Option<String>>> {
        // A line is a name: what has several names nothing.
        let names: Vec<&str> =
            names.iter().map(|name| if name.contains('\n') { ZEROS } else { *name }).collect();
        let out = self.run(&["cat-file", "--batch-check=%(objecttype)"], lines(&names).as_bytes())?;
        let out = String::from_utf8_lossy(&out).into_owned();
        Ok(out.lines().map(|kind| (!kind.ends_with(" missing")).then(|| kind.to_owned())).collect())
    }

    /// The content of each object that is there.
    pub(crate) fn objects(&self, names: &[&str]) -> Result<Vec<Option<Vec<u8>>>> {
        let typed = self.typed_objects(names)?;
        Ok(typed.into_iter().map(|object| object.map(|(_, content)| content)).collect())
    }

    /// The same, each with its kind.
    fn typed_objects(&self, names: &[&str]) -> Result<Vec<Option<(String, Vec<u8>)>>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let out = self.run(&["cat-file", "--batch=%(objectsize) %(objecttype)"], lines(names).as_bytes())?;
        let mut rest = out.as_slice();
        let mut objects = Vec::with_capacity(names.len());
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 1..];
            let typed =
                head.split_once(' ').and_then(|(size, kind)| Some((size.parse::<usize>().ok()?, kind)));
            let Some((size, kind)) = typed else {
                objects.push(None);
                continue;
            };
            ensure!(rest.len() > size, "git cat-file ended early");
            objects.push(Some((kind.to_owned(), rest[..size].to_vec())));
            rest = &rest[size + 1..];
        }
        Ok(objects)
    }

    /// Commits by their names; one that is not there, or is no commit, is an error.
    pub(crate) fn commits(&self, names: &[String]) -> Result<Vec<CommitInfo>> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let objects = self.objects(&names)?;
        names
            .iter()
            .zip(objects)
            .map(|(sha, object)| {
                let object = object.with_context(|| format!("no object {sha}"))?;
                read_commit(sha, &String::from_utf8_lossy(&object))
                    .with_context(|| format!("{sha} is no commit"))
            })
            .collect()
    }

    /// One commit, if there is one of that name.
    pub(crate) fn commit(&self, sha: &str) -> Result<Option<CommitInfo>> {
        let object = self.typed_objects(&[sha])?.pop().flatten().filter(|(kind, _)| kind == "commit");
        Ok(object.and_then(|(_, content)| read_commit(sha, &String::from_utf8_lossy(&content))))
    }

    /// Names of the commits that a revision range holds, newest first, as `git rev-list` takes it.
    pub(crate) fn range(&self, range: &str) -> Result<Vec<String>> {
        Ok(self.text(&["rev-list", "--topo-order", range, "--"])?.lines().map(str::to_owned).collect())
    }

    /// The commits up to one that changed a path, as the history of a file shows them, the newest first.
    pub(crate) fn changes_of(&self, commit: &str, path: &str) -> Result<Vec<String>> {
        let out = self.text(&["rev-list", "--topo-order", commit, "--", &format!(":(literal){path}")])?;
        Ok(out.lines().map(str::to_owned).collect())
    }

    /// The entries of a tree, or of all trees below it too.
    pub(crate) fn tree(&self, name: &str, depth: Depth) -> Result<Vec<TreeEntry>> {
        let out = match depth {
            Depth::One => self.run(&["ls-tree", "-z", "-l", name], b"")?,
            Depth::All => self.run(&["ls-tree", "-z", "-l", "-r", "-t", name], b"")?,
        };
        out.split(|byte| *byte == 0).filter(|line| !line.is_empty()).map(read_tree_entry).collect()
    }

    /// Every file of a tree with its content.
    pub(crate) fn files(&self, name: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut entries = self.tree(name, Depth::All)?;
        entries.retain(|entry| entry.kind == "blob");
        let names: Vec<&str> = entries.iter().map(|entry| entry.sha.as_str()).collect();
        let blobs = self.objects(&names)?;
        Ok(entries
            .into_iter()
            .zip(blobs)
            .map(|(entry, bytes)| (entry.path, bytes.unwrap_or_default()))
            .collect())
    }

    /// Writes an object of a kind.
    pub(crate) fn write(&self, kind: &str, content: &[u8]) -> Result<String> {
        let out = self.run(&["hash-object", "-t", kind, "-w", "--stdin"], content)?;
        Ok(String::from_utf8_lossy(&out).trim().to_owned())
    }

    /// Writes a tree: a base, if any, with something else at some paths.
    ///
    /// `fast-import` reads and writes only the folders that change, in one process for any number of paths.
    /// It builds trees for commits only, so there is one, whose reference goes in the same breath.
    pub(crate) fn write_tree(&self, base: Option<&str>, entries: &[(&str, Put<'_>)]) -> Result<String> {
        let mut script = b"commit refs/sandbox/tree\ncommitter sandbox <> 0 +0000\ndata 0\n".to_vec();
        if let Some(base) = base {
            script.extend(format!("M 040000 {base} \"\"\n").bytes());
        }
        for (path, put) in entries {
            write_put(&mut script, path, put);
        }
        script.extend(format!("ls \"\"\n\nreset refs/sandbox/tree\nfrom {ZEROS}\n\n").bytes());
        let out = self.run(&["fast-import", "--quiet", "--force"], &script)?;
        let out = String::from_utf8_lossy(&out).into_owned();
        match out.split_whitespace().nth(2) {
            Some(sha) if out.starts_with("040000 tree") => Ok(sha.to_owned()),
            // Nothing is left of it: fast-import has no line for a root without entries.
            _ => self.write("tree", b""),
        }
    }

    /// Puts a commit on top of a branch, which begins with it if it is not there.
    pub(crate) fn commit_on(
        &self,
        branch: &str,
        entries: &[(&str, Put<'_>)],
        message: &str,
        author: &Signature,
    ) -> Result<String> {
        let Signature { name, email, seconds } = author;
        let mut script = format!(
            "commit refs/heads/{branch}\nmark :1\ncommitter {name} <{email}> {seconds} +0000\ndata {}\n{message}\n",
            message.len()
        )
        .into_bytes();
        if let Some(head) = self.branch(branch)? {
            script.extend(format!("from {head}\n").bytes());
        }
        for (path, put) in entries {
            write_put(&mut script, path, put);
        }
        script.extend(b"\nget-mark :1\n");
        let out = self.run(&["fast-import", "--quiet"], &script)?;
        Ok(String::from_utf8_lossy(&out).trim().to_owned())
    }

    /// Writes a commit whose tree and parents are there.
    pub(crate) fn write_commit(
        &self,
        tree: &str,
        parents: &[String],
        message: &str,
        author: &Signature,
        committer: &Signature,
    ) -> Result<String> {
        let mut text = format!("tree {tree}\n");
        for parent in parents {
            text += &format!("parent {parent}\n");
        }
        for (role, Signature { name, email, seconds }) in [("author", author), ("committer", committer)] {
            text += &format!("{role} {name} <{email}> {seconds} +0000\n");
        }
        text += "\n";
        text += message;
        self.write("commit", text.as_bytes())
    }

    /// Moves references, all of them or none.
    pub(crate) fn update_refs(&self, updates: &[RefUpdate]) -> Result<Moved> {
        let mut script = String::new();
        for RefUpdate { name, before, after } in updates {
            script += &match before {
                Some(before) => format!("update {name} {after} {before}\n"),
                None => format!("update {name} {after}\n"),
            };
        }
        let out = self.output(&["update-ref", "--no-deref", "--stdin"], script.as_bytes())?;
        Ok(if out.status.success() { Moved::All } else { Moved::None })
    }

    /// Whether one commit is the other, or comes before it.
    pub(crate) fn is_ancestor(&self, old: &str, new: &str) -> Result<bool> {
        Ok(self.output(&["merge-base", "--is-ancestor", old, new], b"")?.status.success())
    }

    /// The commit that two have in common.
    pub(crate) fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>> {
        let out = self.output(&["merge-base", one, other], b"")?;
        Ok(out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned()))
    }

    /// What differs between two commits or trees.
    pub(crate) fn changes(&self, from: &str, to: &str) -> Result<Vec<Change>> {
        let out =
            self.run(&["diff-tree", "-r", "-z", "--no-renames", "--raw", "--numstat", from, to], b"")?;
        read_changes(&String::from_utf8_lossy(&out))
    }

    /// The tree of two commits merged, unless they contradict one another.
    pub(crate) fn merge(&self, base: Option<&str>, ours: &str, theirs: &str) -> Result<Option<String>> {
        let base = base.map(|base| format!("--merge-base={base}"));
        let mut arguments = vec!["merge-tree", "--write-tree"];
        arguments.extend(base.as_deref());
        arguments.extend([ours, theirs]);
        let out = self.output(&arguments, b"")?;
        match out.status.code() {
            Some(0) => Ok(Some(String::from_utf8_lossy(&out.stdout).trim().to_owned())),
            Some(1) => Ok(None),
            _ => bail!("git merge-tree: {}", String::from_utf8_lossy(&out.stderr)),
        }
    }

    /// Copies the repository to another place; objects, which never change, are shared.
    pub(crate) fn copy_to(&self, other: &Bare) -> Result<()> {
        copy_folder(&self.folder, &other.folder, Sharing::Nothing)
    }

    fn text(&self, arguments: &[&str]) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.run(arguments, b"")?).into_owned())
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>> {
        let out = self.output(arguments, input)?;
        ensure!(
            out.status.success(),
            "git {}: {}",
            arguments.first().copied().unwrap_or_default(),
            String::from_utf8_lossy(&out.stderr).trim()
        );
        Ok(out.stdout)
    }

    fn output(&self, arguments: &[&str], input: &[u8]) -> Result<Output> {
        let mut command = self.command();
        command.args(arguments);
        feed(command, input)
    }
}

/// How far down [`Bare::tree`] looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    One,
    All,
}

/// Runs a command with an input, however much it says before it has read all of it.
pub(crate) fn feed(mut command: Command, input: &[u8]) -> Result<Output> {
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    let mut child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("the program `git` is needed and cannot be started")?;
    let pipe = child.stdin.take();
    std::thread::scope(|scope| {
        // A command that ends early closes the pipe: what it says then is the error, not this.
        scope.spawn(move || pipe.map(|mut pipe| pipe.write_all(input)));
        child.wait_with_output().context("git")
    })
}

/// Every reference below a folder, whose name begins with that of the folder.
fn collect_refs(folder: &Path, name: &str, refs: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect_refs(&entry.path(), &name, refs)?;
        } else if !name.ends_with(".lock") {
            refs.insert(name, std::fs::read_to_string(entry.path())?.trim().to_owned());
        }
    }
    Ok(())
}

fn lines(names: &[&str]) -> String {
    names.iter().map(|name| format!("{name}\n")).collect()
}

fn write_put(script: &mut Vec<u8>, path: &str, put: &Put<'_>) {
    let path = quoted(path);
    match put {
        Put::Content { mode, bytes } => {
            script.extend(format!("M {mode} inline {path}\ndata {}\n", bytes.len()).bytes());
            script.extend_from_slice(bytes);
            script.push(b'\n');
        }
        Put::Object { mode, sha } => script.extend(format!("M {mode} {sha} {path}\n").bytes()),
        Put::Nothing => script.extend(format!("D {path}\n").bytes()),
    }
}

fn quoted(path: &str) -> String {
    let escaped = path.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

fn read_commit(sha: &str, text: &str) -> Option<CommitInfo> {
    let (head, message) = text.split_once("\n\n")?;
    let value = |key: &str| head.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    Some(CommitInfo {
        sha: sha.to_owned(),
        tree: value("tree")?.to_owned(),
        parents: head.lines().filter_map(|line| line.strip_prefix("parent ")).map(str::to_owned).collect(),
        message: message.to_owned(),
        author: read_signature(value("author")?)?,
        committer: read_signature(value("committer")?)?,
    })
}

fn read_signature(text: &str) -> Option<Signature> {
    let (name, rest) = text.split_once('<')?;
    let (email, rest) = rest.split_once("> ")?;
    let seconds = rest.split(' ').next()?.parse().ok()?;
    Some(Signature { name: name.trim_end().to_owned(), email: email.to_owned(), seconds })
}

/// Reads `<mode> <type> <sha> <size>\t<path>`.
fn read_tree_entry(line: &[u8]) -> Result<TreeEntry> {
    let line = String::from_utf8_lossy(line);
    let (head, path) = line.split_once('\t').context("git ls-tree: a line without a path")?;
    let mut fields = head.split_whitespace();
    let mut field = || fields.next().map(str::to_owned).context("git ls-tree: a line without all fields");
    Ok(TreeEntry {
        mode: field()?,
        kind: field()?,
        sha: field()?,
        size: field()?.parse().ok(),
        path: path.to_owned(),
    })
}

/// Reads `:<mode> <mode> <sha> <sha> <kind>\0<path>\0` for each, then `<added>\t<deleted>\t<path>\0` for each.
fn read_changes(out: &str) -> Result<Vec<Change>> {
    let mut changes: Vec<Change> = Vec::new();
    let mut fields = out.split_terminator('\0');
    while let Some(field) = fields.next() {
        if let Some(raw) = field.strip_prefix(':') {
            let raw: Vec<&str> = raw.split(' ').collect();
            let [_, _, old, new, kind] = raw.as_slice() else { bail!("git diff-tree: {field}") };
            let path = fields.next().context("git diff-tree: a change without a path")?.to_owned();
            let blob = if *new == ZEROS { old } else { new };
            let kind = kind.chars().next().unwrap_or('?');
            changes.push(Change { path, kind, blob: (*blob).to_owned(), additions: 0, deletions: 0 });
        } else {
            let mut parts = field.splitn(3, '\t');
            // Binary files have `-` for both.
            let mut count = || parts.next().and_then(|count| count.parse().ok()).unwrap_or(0);
            let (additions, deletions) = (count(), count());
            let path = parts.next().unwrap_or_default();
            if let Some(change) = changes.iter_mut().find(|change| change.path == path) {
                (change.additions, change.deletions) = (additions, deletions);
            }
        }
    }
    Ok(changes)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    Nothing,
    Objects,
}

fn copy_folder(from: &Path, to: &Path, sharing: Sharing) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            let objects = entry.file_name() == OsStr::new("objects");
            copy_folder(&source, &target, if objects { Sharing::Objects } else { sharing })?;
        } else if sharing == Sharing::Objects {
            std::fs::hard_link(&source, &target)?;
        } else {
            std::fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare() -> (tempfile::TempDir, Bare) {
        let folder = tempfile::tempdir().unwrap();
        let bare = Bare::at(folder.path().join("x.git"));
        bare.init("main").unwrap();
        (folder, bare)
    }

    fn somebody() -> Signature {
        Signature { name: "Ada".to_owned(), email: "ada@contoso.example".to_owned(), seconds: 1_700_000_000 }
    }

    fn file(text: &str) -> Put<'_> {
        Put::Content { mode: "100644", bytes: text.as_bytes() }
    }

    #[test]
    fn commits_are_read_as_they_were_written() {
        let (_folder, bare) = bare();
        let first = bare.commit_on("a/b", &[("x \"y\"/z", file("1\n"))], "one\n\ntwo", &somebody()).unwrap();
        let second =
            bare.commit_on("a/b", &[("w", file("")), ("x \"y\"/z", Put::Nothing)], "", &somebody()).unwrap();
        let head = bare.commit(&second).unwrap().unwrap();
        assert_eq!(head.parents, std::slice::from_ref(&first));
        assert_eq!(head.author, somebody());
        assert_eq!(bare.commit(&first).unwrap().unwrap().message, "one\n\ntwo");
        assert_eq!(bare.files(&second).unwrap(), [("w".to_owned(), Vec::new())].into());
        let changes = bare.changes(&first, &second).unwrap();
        let kinds: Vec<(char, &str, u64)> =
            changes.iter().map(|change| (change.kind, change.path.as_str(), change.deletions)).collect();
        assert_eq!(kinds, [('A', "w", 0), ('D', "x \"y\"/z", 1)]);
        assert_eq!(bare.range("a/b").unwrap(), [second, first]);
    }

    #[test]
    fn trees_are_made_of_a_base_and_what_differs() {
        let (_folder, bare) = bare();
        let base = bare.write_tree(None, &[("a/b", file("1")), ("c", file("2"))]).unwrap();
        let blob = bare.write("blob", b"2").unwrap();
        let object = |mode| Put::Object { mode, sha: &blob };
        type Row<'a> = (&'a [(&'a str, Put<'a>)], &'a [&'a str], &'a str);
        let table: &[Row<'_>] = &[
            (&[], &["a/b 100644", "c 100644"], "nothing differs"),
            (&[("a/b", Put::Nothing)], &["c 100644"], "an empty folder goes"),
            (&[("a", file("x"))], &["a 100644", "c 100644"], "a file replaces a folder"),
            (&[("c/d", object("100755"))], &["a/b 100644", "c/d 100755"], "a folder replaces a file"),
            (&[("a/b", Put::Nothing), ("c", Put::Nothing)], &[], "nothing is left"),
        ];
        for (entries, want, why) in table {
            let tree = bare.write_tree(Some(&base), entries).unwrap();
            let mut got = bare.tree(&tree, Depth::All).unwrap();
            got.retain(|entry| entry.kind == "blob");
            let got: Vec<String> = got.iter().map(|entry| format!("{} {}", entry.path, entry.mode)).collect();
            assert_eq!(got, *want, "{why}");
        }
        assert!(bare.refs("refs/").unwrap().is_empty(), "no reference is left behind");
    }

    #[test]
    fn references_move_only_from_where_they_stand() {
        let (_folder, bare) = bare();
        let one = bare.commit_on("main", &[], "one", &somebody()).unwrap();
        let two = bare.commit_on("main", &[], "two", &somebody()).unwrap();
        let table = [
            (Some(ZEROS), two.as_str(), Moved::None, "it exists"),
            (Some(one.as_str()), two.as_str(), Moved::None, "it stands elsewhere"),
            (Some(two.as_str()), one.as_str(), Moved::All, "it stands there"),
            (None, two.as_str(), Moved::All, "wherever it stands"),
            (Some(two.as_str()), ZEROS, Moved::All, "it is deleted"),
            (Some(ZEROS), two.as_str(), Moved::All, "it does not exist"),
        ];
        for (before, after, want, why) in table {
            let update = RefUpdate {
                name: "refs/heads/main".to_owned(),
                before: before.map(str::to_owned),
                after: after.to_owned(),
            };
            assert_eq!(bare.update_refs(&[update]).unwrap(), want, "{why}");
        }
    }
}
