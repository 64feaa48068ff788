//! Bringing a tree to GitHub: only what differs, in small parts, each verified by the name of the tree that
//! it leads to. What an interrupted upload has brought already is found again by these names.

use fleet::{Blob, Chunk, Mode, ObjectId, Tree};

use super::{Change, Trouble};
use crate::world::github::{Entry, Github, Kind, Oid, Repo};
use crate::world::terminal::Progress;

type Part<'a> = [(&'a str, Option<&'a Blob>)];

/// Uploads what `change` brings; the name of the whole tree.
pub(super) fn upload(github: &Github, repo: &Repo, change: &Change<'_>) -> Result<Oid, Trouble> {
    let chunks = change.changes.chunks(change.base);
    let done = already_there(github, repo, &chunks)?;
    let mut tree = match done.checked_sub(1) {
        None => change.base.id(),
        Some(last) => chunks[last].tree,
    };
    let progress = Progress::new("uploads", chunks.len() - done);
    for chunk in &chunks[done..] {
        let base = (tree != Tree::default().id()).then(|| Oid::from(tree));
        let got = send(github, repo, base, &chunk.entries)?;
        if got != Oid::from(chunk.tree) {
            let text = format!("GitHub made the tree {got} of an upload that should give {}", chunk.tree);
            return Err(Trouble::wrong(text));
        }
        tree = chunk.tree;
        progress.step();
    }
    Ok(Oid::from(tree))
}

/// How many of `chunks` an earlier attempt has brought: they were sent in this order, so that those which are
/// there come first.
fn already_there(github: &Github, repo: &Repo, chunks: &[Chunk<'_>]) -> Result<usize, Trouble> {
    let is_there = |index: usize| {
        github.has_tree(repo, &Oid::from(chunks[index].tree)).map_err(|error| Trouble::Failed(error.into()))
    };
    // A single part is sent anew faster than it is looked for.
    if chunks.len() < 2 || !is_there(0)? {
        return Ok(0);
    }
    let (mut there, mut step) = (0, 1);
    while there + step < chunks.len() && is_there(there + step)? {
        there += step;
        step *= 2;
    }
    let mut missing = (there + step).min(chunks.len());
    while missing - there > 1 {
        let middle = there + (missing - there) / 2;
        if is_there(middle)? { there = middle } else { missing = middle }
    }
    Ok(there + 1)
}

/// Sends a part; what takes GitHub too long is sent in halves.
fn send(github: &Github, repo: &Repo, base: Option<Oid>, part: &Part<'_>) -> Result<Oid, Trouble> {
    let uploaded = part.iter().map(|(path, blob)| Uploaded::new(github, repo, path, *blob));
    let uploaded: Vec<Uploaded<'_>> = uploaded.collect::<Result<_, _>>()?;
    let entries: Vec<Entry<'_>> = uploaded.iter().map(Uploaded::entry).collect();
    match github.create_tree(repo, base.as_ref(), &entries) {
        Err(error) if *error.kind() == Kind::TimedOut && part.len() > 1 => {
            let (first, second) = part.split_at(part.len() / 2);
            let middle = send(github, repo, base, first)?;
            send(github, repo, Some(middle), second)
        }
        result => result.map_err(|error| Trouble::Failed(error.into())),
    }
}

/// An entry of a part, its content brought on its own if it cannot stand in the part.
enum Uploaded<'a> {
    Text { path: &'a str, mode: Mode, text: String },
    Blob { path: &'a str, mode: Mode, id: Oid },
    Nothing { path: &'a str },
}

impl<'a> Uploaded<'a> {
    fn new(github: &Github, repo: &Repo, path: &'a str, blob: Option<&'a Blob>) -> Result<Self, Trouble> {
        let Some(blob) = blob else { return Ok(Uploaded::Nothing { path }) };
        let (mode, id) = (blob.mode, blob.id);
        if mode == Mode::Submodule {
            return Ok(Uploaded::Blob { path, mode, id: Oid::from(id) });
        }
        match String::from_utf8(blob.bytes().into_owned()) {
            Ok(text) => Ok(Uploaded::Text { path, mode, text }),
            Err(error) => {
                let got = github.create_blob(repo, error.as_bytes());
                let got = got.map_err(|error| Trouble::Failed(error.into()))?;
                verify(&got, id, path)?;
                Ok(Uploaded::Blob { path, mode, id: got })
            }
        }
    }

    fn entry(&self) -> Entry<'_> {
        match self {
            Uploaded::Text { path, mode, text } => Entry::Text { path, mode: *mode, text },
            Uploaded::Blob { path, mode, id } => Entry::Blob { path, mode: *mode, id },
            Uploaded::Nothing { path } => Entry::Nothing { path },
        }
    }
}

fn verify(got: &Oid, wanted: ObjectId, path: &str) -> Result<(), Trouble> {
    if *got == Oid::from(wanted) {
        return Ok(());
    }
    Err(Trouble::wrong(format!("GitHub stored {path} as {got}, though its content is {wanted}")))
}
