//! Repositories, their branches, and what lies between two commits.

use serde_json::{Value, json};

use super::Call;
use crate::git::Change;
use crate::reply::{Answer, Refusal, Reply};
use crate::state::Protection;

/// Most commits and files that a comparison shows.
const COMPARED: (usize, usize) = (250, 300);

pub(super) fn get(call: &mut Call<'_>) -> Answer {
    Ok(Reply::ok(call.repository(call.repo()?)))
}

pub(super) fn branch(call: &mut Call<'_>) -> Answer {
    let (repo, bare, name) = (call.repo()?, call.bare(), call.parameter("branch"));
    let head = bare.branch(name)?.ok_or_else(|| Refusal::new(404, "Branch not found"))?;
    let commit = bare.commit(&head)?.ok_or_else(Refusal::not_found)?;
    let address = format!("{}/branches/{name}", call.repo_url(repo));
    Ok(Reply::ok(json!({
        "name": name,
        "commit": call.commit(repo, &commit),
        "_links": { "html": format!("{}/tree/{name}", call.html_url(repo)), "self": address },
        "protected": repo.protections.contains_key(name),
        // What has rules is called protected, but this speaks of the older protection only.
        "protection": { "enabled": repo.protections.get(name) == Some(&Protection::Classic) },
        "protection_url": format!("{address}/protection"),
    })))
}

pub(super) fn compare(call: &mut Call<'_>) -> Answer {
    let (repo, bare) = (call.repo()?, call.bare());
    let (base_name, head_name) =
        call.parameter("basehead").split_once("...").ok_or_else(Refusal::not_found)?;
    let find = |name: &str| -> Result<String, Refusal> {
        let name = name.strip_prefix(&format!("{}:", repo.owner)).unwrap_or(name);
        bare.commit_named(name)?.ok_or_else(Refusal::not_found)
    };
    let (base, head) = (find(base_name)?, find(head_name)?);
    let merge_base = bare.merge_base(&base, &head)?.ok_or_else(|| {
        Refusal::new(404, &format!("No common ancestor between {base_name} and {head_name}."))
    })?;
    let mut ahead = bare.range(&format!("{base}..{head}"))?;
    let behind = bare.range(&format!("{head}..{base}"))?.len();
    let total = ahead.len();
    ahead.reverse();
    let number = |name: &str| call.query(name).and_then(|value| value.parse::<usize>().ok());
    let page = number("page").unwrap_or(1).max(1);
    let size = number("per_page").map_or(COMPARED.0, |size| size.clamp(1, 100));
    let shown: Vec<String> = ahead.into_iter().skip((page - 1) * size).take(size).collect();
    let ends = bare.commits(&[base.clone(), merge_base.clone()])?;
    let [base_commit, merge_base_commit] = ends.as_slice() else { return Err(Refusal::not_found()) };
    let html = format!("{}/compare/{base_name}...{head_name}", call.html_url(repo));
    // Only the first page has files.
    let files = if page == 1 { bare.changes(&merge_base, &head)? } else { Vec::new() };
    let commits = bare.commits(&shown)?;
    Ok(Reply::ok(json!({
        "url": format!("{}/compare/{base_name}...{head_name}", call.repo_url(repo)),
        "html_url": html,
        "permalink_url": html,
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "base_commit": call.commit(repo, base_commit),
        "merge_base_commit": call.commit(repo, merge_base_commit),
        "status": match (total, behind) {
            (0, 0) => "identical",
            (_, 0) => "ahead",
            (0, _) => "behind",
            _ => "diverged",
        },
        "ahead_by": total,
        "behind_by": behind,
        "total_commits": total,
        "commits": commits.iter().map(|commit| call.commit(repo, commit)).collect::<Vec<_>>(),
        "files": files.iter().take(COMPARED.1).map(|change| file(call, &head, change)).collect::<Vec<_>>(),
    })))
}

fn file(call: &Call<'_>, head: &str, change: &Change) -> Value {
    let Change { path, kind, blob, additions, deletions } = change;
    let html = format!("{}/{}", call.github.url, call.key);
    json!({
        "sha": blob,
        "filename": path,
        "status": match kind {
            'A' => "added",
            'D' => "removed",
            _ => "modified",
        },
        "additions": additions,
        "deletions": deletions,
        "changes": additions + deletions,
        "blob_url": format!("{html}/blob/{head}/{path}"),
        "raw_url": format!("{html}/raw/{head}/{path}"),
        "contents_url": format!("{}/repos/{}/contents/{path}?ref={head}", call.api(), call.key),
    })
}
