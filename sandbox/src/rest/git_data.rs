//! References, commits, trees and blobs.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::contents::lines;
use super::shapes::path;
use super::{Asker, Call, node_id};
use crate::git::{Bare, Depth, Moved, Put, RefUpdate, Signature, TreeEntry, ZEROS};
use crate::reply::{Answer, Refusal, Reply};
use crate::state::Repo;

pub(super) fn get_ref(call: &mut Call<'_>) -> Answer {
    let name = format!("refs/{}", call.parameter("ref"));
    let sha = call.bare().reference(&name)?.ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(reference(call, call.repo()?, &name, &sha)))
}

pub(super) fn matching_refs(call: &mut Call<'_>) -> Answer {
    let repo = call.repo()?;
    let refs = call.bare().refs(&format!("refs/{}", call.parameter("ref")))?;
    Ok(Reply::ok(refs.iter().map(|(name, sha)| reference(call, repo, name, sha)).collect()))
}

pub(super) fn create_ref(call: &mut Call<'_>) -> Answer {
    let (name, sha) = (call.required("ref")?.to_owned(), call.required("sha")?.to_owned());
    if !name.starts_with("refs/") || name.matches('/').count() < 2 {
        return Err(Refusal::new(422, "Reference name must start with 'refs/'."));
    }
    if call.bare().kinds(&[&sha])? == [None] {
        return Err(Refusal::new(422, "Object does not exist"));
    }
    let update = RefUpdate { name: name.clone(), before: Some(ZEROS.to_owned()), after: sha.clone() };
    match call.bare().update_refs(&[update])? {
        Moved::None => Err(Refusal::new(422, "Reference already exists")),
        Moved::All => Ok(Reply::created(reference(call, call.repo()?, &name, &sha))),
    }
}

pub(super) fn update_ref(call: &mut Call<'_>) -> Answer {
    let name = format!("refs/{}", call.parameter("ref"));
    let (bare, sha) = (call.bare(), call.required("sha")?);
    let stands = bare.reference(&name)?.ok_or_else(|| Refusal::new(422, "Reference does not exist"))?;
    if bare.kinds(&[sha])? != [Some("commit".to_owned())] {
        return Err(Refusal::new(422, "Object does not exist"));
    }
    if call.body["force"] != true && !bare.is_ancestor(&stands, sha)? {
        return Err(Refusal::new(422, "Update is not a fast forward"));
    }
    call.check_rules(&name, sha)?;
    bare.update_refs(&[RefUpdate { name: name.clone(), before: None, after: sha.to_owned() }])?;
    Ok(Reply::ok(reference(call, call.repo()?, &name, sha)))
}

pub(super) fn delete_ref(call: &mut Call<'_>) -> Answer {
    let name = format!("refs/{}", call.parameter("ref"));
    let bare = call.bare();
    let stands = bare.reference(&name)?.ok_or_else(|| Refusal::new(422, "Reference does not exist"))?;
    call.check_rules(&name, ZEROS)?;
    bare.update_refs(&[RefUpdate { name, before: Some(stands), after: ZEROS.to_owned() }])?;
    Ok(Reply::no_content())
}

pub(super) fn get_blob(call: &mut Call<'_>) -> Answer {
    let sha = call.parameter("sha");
    if call.bare().kinds(&[sha])? != [Some("blob".to_owned())] {
        return Err(Refusal::not_found());
    }
    let bytes = call.bare().objects(&[sha])?.pop().flatten().ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(json!({
        "sha": sha,
        "node_id": node_id("B", sha),
        "size": bytes.len(),
        "url": format!("{}/git/blobs/{sha}", call.repo_url(call.repo()?)),
        "content": lines(&bytes),
        "encoding": "base64",
    })))
}

pub(super) fn create_blob(call: &mut Call<'_>) -> Answer {
    let content = call.required("content")?;
    let content = match call.text("encoding") {
        Some("base64") => BASE64_STANDARD
            .decode(content.replace(['\n', '\r'], ""))
            .map_err(|_| Refusal::new(422, "content is not valid Base64"))?,
        _ => content.as_bytes().to_vec(),
    };
    let sha = call.bare().write("blob", &content)?;
    let url = format!("{}/git/blobs/{sha}", call.repo_url(call.repo()?));
    Ok(Reply::created(json!({ "sha": sha, "url": url })))
}

pub(super) fn get_tree(call: &mut Call<'_>) -> Answer {
    let (repo, bare) = (call.repo()?, call.bare());
    let depth = if call.query("recursive").is_some() { Depth::All } else { Depth::One };
    let sha = bare.tree_named(call.parameter("sha"))?.ok_or_else(Refusal::not_found)?;
    let entries = bare.tree(&sha, depth)?;
    let most = match depth {
        Depth::All => call.github.limits.recursive_entries,
        Depth::One => usize::MAX,
    };
    Ok(Reply::ok(tree(call, repo, &sha, &entries, most)))
}

pub(super) fn create_tree(call: &mut Call<'_>) -> Answer {
    let (repo, bare) = (call.repo()?, call.bare());
    let list = call.body["tree"].as_array().filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| Refusal::new(422, "Invalid tree info"))?;
    let limits = &call.github.limits;
    if list.len() > limits.tree_entries || call.body.to_string().len() > limits.tree_bytes {
        return Err(Refusal::new(
            limits.timeout_status,
            "Sorry, your request timed out. It's likely that your input was too large to process.",
        ));
    }
    let base = call.text("base_tree");
    if let Some(base) = base {
        // A commit is taken too, for its tree.
        if bare.tree_named(base)?.is_none() {
            return Err(Refusal::new(422, "base_tree is not a valid tree oid"));
        }
    }
    let base = base.map(|base| bare.tree_named(base)).transpose()?.flatten();
    let entries = list.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    check_objects(&bare, &entries)?;
    check_deletions(&bare, base.as_deref(), &entries)?;
    let sha = bare.write_tree(base.as_deref(), &entries)?;
    let written = bare.tree(&sha, Depth::One)?;
    Ok(Reply::created(tree(call, repo, &sha, &written, usize::MAX)))
}

pub(super) fn get_commit(call: &mut Call<'_>) -> Answer {
    let commit = call.bare().commit(call.parameter("sha"))?.ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(call.git_commit(call.repo()?, &commit)))
}

pub(super) fn create_commit(call: &mut Call<'_>) -> Answer {
    let (bare, message) = (call.bare(), call.required("message")?.to_owned());
    let tree = call.required("tree")?.to_owned();
    let parents = call.texts("parents").unwrap_or_default();
    let names: Vec<&str> = [&tree].into_iter().chain(&parents).map(String::as_str).collect();
    let kinds = bare.kinds(&names)?;
    if kinds[0].as_deref() != Some("tree") {
        return Err(Refusal::new(422, "Tree SHA does not exist"));
    }
    if kinds[1..].iter().any(|kind| kind.as_deref() != Some("commit")) {
        return Err(Refusal::new(422, "Parent SHA does not exist or is not a commit object"));
    }
    let own = call.github.signature(&call.login());
    let author = signature(&call.body["author"], &own)?;
    let committer = match &call.body["committer"] {
        Value::Null => author.clone(),
        given => signature(given, &own)?,
    };
    let signs = match &call.asker {
        Asker::Token(token) => call.github.grants.get(token).is_some_and(|grant| grant.signs_commits()),
        Asker::Anonymous | Asker::App(_) => false,
    };
    let verified = signs && call.body["author"].is_null() && call.body["committer"].is_null();
    let sha = bare.write_commit(&tree, &parents, &message, &author, &committer)?;
    if verified {
        call.repo_mut()?.verified.insert(sha.clone());
    }
    let commit = bare.commit(&sha)?.ok_or_else(Refusal::not_found)?;
    Ok(Reply::created(call.git_commit(call.repo()?, &commit)))
}

fn reference(call: &Call<'_>, repo: &Repo, name: &str, sha: &str) -> Value {
    let address = call.repo_url(repo);
    json!({
        "ref": name,
        "node_id": node_id("REF", format!("{}:{name}", repo.id)),
        "url": format!("{address}/git/{}", path(name)),
        "object": { "type": "commit", "sha": sha, "url": format!("{address}/git/commits/{sha}") },
    })
}

fn tree(call: &Call<'_>, repo: &Repo, sha: &str, entries: &[TreeEntry], most: usize) -> Value {
    let address = call.repo_url(repo);
    let shape = |entry: &TreeEntry| {
        let TreeEntry { mode, kind, sha, size, path } = entry;
        let mut shape = json!({ "path": path, "mode": mode, "type": kind, "sha": sha });
        if let Some(size) = size {
            shape["size"] = (*size).into();
        }
        match kind.as_str() {
            "blob" => shape["url"] = format!("{address}/git/blobs/{sha}").into(),
            "tree" => shape["url"] = format!("{address}/git/trees/{sha}").into(),
            // A submodule's commit is in another repository.
            _ => {}
        }
        shape
    };
    json!({
        "sha": sha,
        "url": format!("{address}/git/trees/{sha}"),
        "tree": entries.iter().take(most).map(shape).collect::<Vec<_>>(),
        "truncated": entries.len() > most,
    })
}

/// Reads an entry of a tree that is to be written.
fn entry(entry: &Value) -> Result<(&str, Put<'_>), Refusal> {
    let path = entry["path"].as_str().unwrap_or_default();
    let malformed = |part: &str| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git");
    if path.split('/').any(malformed) || path.contains('\0') {
        return Err(Refusal::new(422, "tree.path contains a malformed path component"));
    }
    let mode = entry["mode"].as_str().unwrap_or_default();
    let put = match (&entry["sha"], entry["content"].as_str()) {
        (Value::String(sha), None) => Put::Object { mode, sha },
        (Value::Null, Some(content)) => Put::Content { mode, bytes: content.as_bytes() },
        (Value::Null, None) if entry.get("sha").is_some() => return Ok((path, Put::Nothing)),
        (Value::Null, None) => return Err(Refusal::new(422, "Must supply either tree.sha or tree.content.")),
        _ => return Err(Refusal::new(422, "Must supply tree.sha or tree.content, not both.")),
    };
    match mode {
        "100644" | "100755" | "120000" | "040000" | "160000" => Ok((path, put)),
        _ => Err(Refusal::new(422, "tree.mode must be one of 100644, 100755, 040000, 160000, 120000")),
    }
}

fn check_objects(bare: &Bare, entries: &[(&str, Put<'_>)]) -> Result<(), Refusal> {
    let wanted: Vec<(&str, &str)> = entries
        .iter()
        .filter_map(|(_, put)| match put {
            // A submodule's commit is in another repository.
            Put::Object { mode: "160000", .. } => None,
            Put::Object { mode: "040000", sha } => Some(("tree", *sha)),
            Put::Object { sha, .. } => Some(("blob", *sha)),
            Put::Content { .. } | Put::Nothing => None,
        })
        .collect();
    let names: Vec<&str> = wanted.iter().map(|(_, sha)| *sha).collect();
    if names.is_empty() {
        return Ok(());
    }
    for ((kind, sha), there) in wanted.iter().zip(bare.kinds(&names)?) {
        if there.as_deref() != Some(kind) {
            return Err(Refusal::new(422, &format!("tree.sha {sha} is not a valid {kind}")));
        }
    }
    Ok(())
}

/// What is not there cannot be deleted.
fn check_deletions(bare: &Bare, base: Option<&str>, entries: &[(&str, Put<'_>)]) -> Result<(), Refusal> {
    let gone = entries.iter().filter(|(_, put)| *put == Put::Nothing).map(|(path, _)| *path);
    let names: Vec<String> = gone.map(|path| format!("{}:{path}", base.unwrap_or(ZEROS))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if !names.is_empty() && bare.kinds(&names)?.contains(&None) {
        return Err(Refusal::new(422, "GitRPC::BadObjectState"));
    }
    Ok(())
}

fn signature(given: &Value, own: &Signature) -> Result<Signature, Refusal> {
    if given.is_null() {
        return Ok(own.clone());
    }
    let given: BTreeMap<&str, &str> = given
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect();
    let (Some(name), Some(email)) = (given.get("name"), given.get("email")) else {
        return Err(Refusal::new(422, "Invalid request.\n\n\"email\", \"name\" weren't supplied."));
    };
    let seconds = match given.get("date") {
        None => own.seconds,
        Some(date) => {
            let date: Timestamp =
                date.parse().map_err(|_| Refusal::new(422, "Invalid request.\n\nInvalid date."))?;
            date.as_second()
        }
    };
    Ok(Signature { name: (*name).to_owned(), email: (*email).to_owned(), seconds })
}
