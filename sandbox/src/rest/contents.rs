//! Files and folders at a commit.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::Call;
use super::shapes::path;
use crate::git::{Depth, TreeEntry};
use crate::reply::{Answer, Refusal, Reply};

/// A larger file comes without its content.
const MAX_BYTES: u64 = 1_000_000;

/// More entries of a folder are not shown.
const MAX_ENTRIES: usize = 1_000;

pub(super) fn get(call: &mut Call<'_>) -> Answer {
    let (repo, bare, wanted) = (call.repo()?, call.bare(), call.parameter("path").trim_matches('/'));
    let name = call.query("ref").unwrap_or(&repo.default_branch);
    let commit = bare
        .commit_named(name)?
        .ok_or_else(|| Refusal::new(404, &format!("No commit found for the ref {name}")))?;
    let (folder, file) = wanted.rsplit_once('/').unwrap_or(("", wanted));
    let within = format!("{commit}:{folder}");
    let is_folder = bare.kinds(&[&within])? == [Some("tree".to_owned())];
    let beside = if is_folder { bare.tree(&within, Depth::One)? } else { Vec::new() };
    let entry = beside.into_iter().find(|entry| entry.path == file).ok_or_else(Refusal::not_found)?;
    if entry.kind == "tree" {
        let entries = bare.tree(&entry.sha, Depth::One)?;
        let below = entries.iter().take(MAX_ENTRIES);
        let below = below.map(|entry| shape(call, name, &format!("{wanted}/{}", entry.path), entry));
        return Ok(Reply::ok(below.collect()));
    }
    let mut body = shape(call, name, wanted, &entry);
    let bytes = bare.objects(&[&entry.sha])?.pop().flatten().unwrap_or_default();
    match (entry.mode.as_str(), entry.size.unwrap_or_default()) {
        ("160000", _) => body["submodule_git_url"] = call.html_url(repo).into(),
        ("120000", _) => body["target"] = String::from_utf8_lossy(&bytes).into(),
        (_, size) => {
            let (content, encoding) =
                if size > MAX_BYTES { (String::new(), "none") } else { (lines(&bytes), "base64") };
            body["content"] = content.into();
            body["encoding"] = encoding.into();
        }
    }
    Ok(Reply::ok(body))
}

fn shape(call: &Call<'_>, name: &str, at: &str, entry: &TreeEntry) -> Value {
    let TreeEntry { mode, kind, sha, size, path: _ } = entry;
    let html = format!("{}/{}", call.github.url, call.key);
    let address = format!("{}/repos/{}", call.api(), call.key);
    let kind_of = match (kind.as_str(), mode.as_str()) {
        ("tree", _) => "dir",
        ("commit", _) => "submodule",
        (_, "120000") => "symlink",
        _ => "file",
    };
    let url = format!("{address}/contents/{}?ref={}", path(at), path(name));
    let git_url = format!("{address}/git/{kind}s/{sha}");
    let html_url = format!("{html}/{kind}/{}/{}", path(name), path(at));
    json!({
        "type": kind_of,
        "name": at.rsplit('/').next().unwrap_or(at),
        "path": at,
        "sha": sha,
        "size": size.unwrap_or_default(),
        "url": url,
        "git_url": git_url,
        "html_url": html_url,
        "download_url": (kind == "blob").then(|| format!("{html}/raw/{}/{}", path(name), path(at))),
        "_links": { "self": url, "git": git_url, "html": html_url },
    })
}

/// Base64 in lines, as GitHub writes it.
pub(super) fn lines(bytes: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(bytes);
    text.as_bytes().chunks(60).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect()
}
