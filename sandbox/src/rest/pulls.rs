//! Pull requests.

use serde_json::json;

use super::Call;
use crate::reply::{Answer, Refusal, Reply};
use crate::state::{Merge, PullPart, State, Thread, Unmergeable};

const RESOURCE: &str = "PullRequest";

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    call.github.refresh_pulls(&call.key)?;
    let repo = call.repo()?;
    let head = call.query("head");
    let fits = |thread: &&Thread| {
        let Some(pull) = &thread.pull else { return false };
        // A head without its owner is no filter at all, as on GitHub.
        let head_fits = head
            .filter(|head| head.contains(':'))
            .is_none_or(|head| head == format!("{}:{}", repo.owner, pull.head));
        head_fits
            && call.query("base").is_none_or(|base| base == pull.base)
            && super::issues::state_fits(call.query("state"), thread.state)
    };
    let mut threads: Vec<&Thread> = repo.threads.values().filter(fits).collect();
    super::issues::sort(call, &mut threads);
    let pulls = threads.into_iter().map(|thread| call.pull(repo, thread)).collect::<Result<_, _>>()?;
    call.page(pulls, |pull| pull)
}

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let title = call.title(RESOURCE)?;
    let title = title.ok_or_else(|| {
        Refusal::invalid(json!({ "resource": RESOURCE, "code": "missing_field", "field": "title" }))
    })?;
    let body = call.body_text(RESOURCE)?;
    let owner = call.repo()?.owner.clone();
    let head = call.required("head")?;
    let head = head.strip_prefix(&format!("{owner}:")).unwrap_or(head).to_owned();
    let base = call.required("base")?.to_owned();
    let (author, number, id) = (call.login(), call.repo()?.next_number(), call.github.next_id());
    call.github.refresh_pulls(&call.key)?;
    let pull = ends(call, head, base, number)?;
    let now = call.github.now();
    let thread = Thread {
        id,
        number,
        title,
        body,
        state: State::Open,
        state_reason: None,
        labels: Default::default(),
        comments: Vec::new(),
        author,
        created: now,
        updated: now,
        closed: None,
        pull: Some(pull),
    };
    let answer = call.whole_pull(call.repo()?, &thread)?;
    call.repo_mut()?.threads.insert(number, thread);
    Ok(Reply::created(answer))
}

pub(super) fn get(call: &mut Call<'_>) -> Answer {
    call.github.refresh_pulls(&call.key)?;
    let (repo, number) = (call.repo()?, call.number()?);
    let thread = repo.threads.get(&number).ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(call.whole_pull(repo, thread)?))
}

pub(super) fn update(call: &mut Call<'_>) -> Answer {
    call.github.refresh_pulls(&call.key)?;
    let number = call.number()?;
    let (title, body, now) = (call.title(RESOURCE)?, call.body_text(RESOURCE)?, call.github.now());
    let thread = call.repo()?.threads.get(&number).ok_or_else(Refusal::not_found)?;
    let (state, pull) = (thread.state, thread.pull.clone().ok_or_else(Refusal::not_found)?);
    let reopened = state == State::Closed && call.text("state") == Some("open");
    if reopened && pull.merged.is_some() {
        return Err(Refusal::custom(
            RESOURCE,
            "state",
            "state cannot be changed. The pull request cannot be reopened.",
        ));
    }
    let base = call.text("base").unwrap_or(&pull.base).to_owned();
    let moved = (reopened || base != pull.base).then(|| ends(call, pull.head, base, number)).transpose()?;
    let closed = call.text("state") == Some("closed") && state == State::Open;
    let thread = call.repo_mut()?.threads.get_mut(&number).ok_or_else(Refusal::not_found)?;
    thread.title = title.unwrap_or_else(|| thread.title.clone());
    thread.body = body.or_else(|| thread.body.clone());
    thread.pull = moved.or_else(|| thread.pull.clone());
    thread.updated = now;
    if closed {
        thread.close(now);
    } else if reopened {
        thread.reopen(now);
    }
    let repo = call.repo()?;
    let thread = repo.threads.get(&number).ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(call.whole_pull(repo, thread)?))
}

pub(super) fn merge(call: &mut Call<'_>) -> Answer {
    call.github.refresh_pulls(&call.key)?;
    let number = call.number()?;
    let thread = call.repo()?.threads.get(&number).ok_or_else(Refusal::not_found)?;
    let pull = thread.pull.as_ref().ok_or_else(Refusal::not_found)?;
    if call.text("sha").is_some_and(|sha| sha != pull.head_sha) {
        return Err(Refusal::new(409, "Head branch was modified. Review and try the merge again."));
    }
    let how = match call.text("merge_method") {
        None | Some("merge") => Merge::Commit,
        Some("squash") => Merge::Squash,
        Some("rebase") => Merge::Rebase,
        Some(_) => return Err(Refusal::new(422, "Invalid request.\n\nInvalid merge_method.")),
    };
    let login = call.login();
    match call.github.merge(&call.key, number, how, &login)? {
        Ok(sha) => {
            let message = "Pull Request successfully merged";
            Ok(Reply::ok(json!({ "sha": sha, "merged": true, "message": message })))
        }
        Err(Unmergeable::Closed | Unmergeable::Conflict) => {
            Err(Refusal::new(405, "Pull Request is not mergeable"))
        }
    }
}

/// The ends of a pull request, unless GitHub would not open it between them.
fn ends(call: &Call<'_>, head: String, base: String, number: u64) -> Result<PullPart, Refusal> {
    let (repo, bare) = (call.repo()?, call.bare());
    let stands = |field: &str, branch: &str| -> Result<String, Refusal> {
        let invalid = || Refusal::invalid(json!({ "resource": RESOURCE, "field": field, "code": "invalid" }));
        bare.branch(branch)?.ok_or_else(invalid)
    };
    let (head_sha, base_sha) = (stands("head", &head)?, stands("base", &base)?);
    let twin = |thread: &&Thread| {
        let same = thread.pull.as_ref().is_some_and(|pull| pull.head == head && pull.base == base);
        same && thread.state == State::Open && thread.number != number
    };
    let custom = |message: String| {
        Refusal::invalid(json!({ "resource": RESOURCE, "code": "custom", "message": message }))
    };
    if repo.threads.values().any(|thread| twin(&thread)) {
        return Err(custom(format!("A pull request already exists for {}:{head}.", repo.owner)));
    }
    match bare.merge_base(&base_sha, &head_sha)? {
        None => Err(custom(format!("The {head} branch has no history in common with {base}"))),
        Some(common) if common == head_sha => Err(custom(format!("No commits between {base} and {head}"))),
        Some(_) => Ok(PullPart { head, base, head_sha, base_sha, merged: None }),
    }
}
