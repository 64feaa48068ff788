//! Issues, and what pull requests share with them: comments and labels.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::json;

use super::{Asker, Call};
use crate::reply::{Answer, Refusal, Reply};
use crate::state::{Comment, Issues, State, Thread};
use crate::tokens::{Level, Scope};

const RESOURCE: &str = "Issue";

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    call.github.refresh_pulls(&call.key)?;
    enabled(call)?;
    let repo = call.repo()?;
    let labels: Vec<&str> = call.query("labels").into_iter().flat_map(|labels| labels.split(',')).collect();
    let fits = |thread: &&Thread| {
        labels.iter().all(|label| thread.labels.contains(*label))
            && call.query("creator").is_none_or(|creator| creator == thread.author)
            && state_fits(call.query("state"), thread.state)
    };
    let mut threads: Vec<&Thread> = repo.threads.values().filter(fits).collect();
    sort(call, &mut threads);
    call.page(threads, |thread| call.issue(repo, thread))
}

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    enabled(call)?;
    let title = call.title(RESOURCE)?;
    let title = title.ok_or_else(|| {
        Refusal::invalid(json!({ "resource": RESOURCE, "code": "missing_field", "field": "title" }))
    })?;
    let (body, author, now) = (call.body_text(RESOURCE)?, call.login(), call.github.now());
    let labels: BTreeSet<String> = call.texts("labels").into_iter().flatten().collect();
    let (id, number) = (call.github.next_id(), call.repo()?.next_number());
    let thread = Thread {
        id,
        number,
        title,
        body,
        state: State::Open,
        state_reason: None,
        labels: labels.clone(),
        comments: Vec::new(),
        author,
        created: now,
        updated: now,
        closed: None,
        pull: None,
    };
    let repo = call.repo_mut()?;
    repo.labels.extend(labels);
    repo.threads.insert(number, thread.clone());
    Ok(Reply::created(call.issue(call.repo()?, &thread)))
}

pub(super) fn get(call: &mut Call<'_>) -> Answer {
    call.github.refresh_pulls(&call.key)?;
    let thread = thread(call, Level::Read)?;
    Ok(Reply::ok(call.issue(call.repo()?, thread)))
}

pub(super) fn update(call: &mut Call<'_>) -> Answer {
    let (title, body, now) = (call.title(RESOURCE)?, call.body_text(RESOURCE)?, call.github.now());
    let number = thread(call, Level::Write)?.number;
    let labels: Option<BTreeSet<String>> = call.texts("labels").map(|labels| labels.into_iter().collect());
    let (state, reason) =
        (call.text("state").map(str::to_owned), call.text("state_reason").map(str::to_owned));
    let repo = call.repo_mut()?;
    repo.labels.extend(labels.clone().into_iter().flatten());
    let thread = repo.threads.get_mut(&number).ok_or_else(Refusal::not_found)?;
    thread.title = title.unwrap_or_else(|| thread.title.clone());
    thread.body = body.or_else(|| thread.body.clone());
    thread.labels = labels.unwrap_or_else(|| thread.labels.clone());
    thread.updated = now;
    match (state.as_deref(), thread.state) {
        (Some("closed"), State::Open) => {
            thread.close(now);
            thread.state_reason = Some(reason.unwrap_or_else(|| "completed".to_owned()));
        }
        (Some("open"), State::Closed) => thread.reopen(now),
        _ => {}
    }
    let repo = call.repo()?;
    let thread = repo.threads.get(&number).ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(call.issue(repo, thread)))
}

pub(super) fn comments(call: &mut Call<'_>) -> Answer {
    let (repo, thread) = (call.repo()?, thread(call, Level::Read)?);
    call.page(thread.comments.iter().collect(), |comment| call.comment(repo, thread, comment))
}

pub(super) fn comment(call: &mut Call<'_>) -> Answer {
    let number = thread(call, Level::Write)?.number;
    let body = call.body_text("IssueComment")?.filter(|body| !body.trim().is_empty());
    let body = body.ok_or_else(|| {
        Refusal::invalid(json!({ "resource": "IssueComment", "code": "missing_field", "field": "body" }))
    })?;
    let comment =
        Comment { id: call.github.next_id(), author: call.login(), body, created: call.github.now() };
    let thread = call.repo_mut()?.threads.get_mut(&number).ok_or_else(Refusal::not_found)?;
    thread.comments.push(comment.clone());
    thread.updated = comment.created;
    let repo = call.repo()?;
    let thread = repo.threads.get(&number).ok_or_else(Refusal::not_found)?;
    Ok(Reply::created(call.comment(repo, thread, &comment)))
}

pub(super) fn add_labels(call: &mut Call<'_>) -> Answer {
    let (number, now) = (thread(call, Level::Write)?.number, call.github.now());
    let labels = call.texts("labels").filter(|labels| !labels.is_empty());
    let labels =
        labels.ok_or_else(|| Refusal::new(422, "Invalid request.\n\n\"labels\" wasn't supplied."))?;
    let repo = call.repo_mut()?;
    repo.labels.extend(labels.iter().cloned());
    let thread = repo.threads.get_mut(&number).ok_or_else(Refusal::not_found)?;
    thread.labels.extend(labels);
    thread.updated = now;
    labels_of(call, number)
}

pub(super) fn remove_label(call: &mut Call<'_>) -> Answer {
    let (number, now) = (thread(call, Level::Write)?.number, call.github.now());
    let name = call.parameter("name").to_owned();
    let thread = call.repo_mut()?.threads.get_mut(&number).ok_or_else(Refusal::not_found)?;
    if !thread.labels.remove(&name) {
        return Err(Refusal::new(404, "Label does not exist"));
    }
    thread.updated = now;
    labels_of(call, number)
}

pub(super) fn state_fits(wanted: Option<&str>, state: State) -> bool {
    match wanted {
        Some("all") => true,
        wanted => wanted.unwrap_or("open") == state.name(),
    }
}

/// Newest first, unless asked for otherwise.
pub(super) fn sort(call: &Call<'_>, threads: &mut [&Thread]) {
    match call.query("sort") {
        Some("updated") => threads.sort_by_key(|thread| Reverse((thread.updated, thread.number))),
        Some("comments" | "popularity") => threads.sort_by_key(|thread| Reverse(thread.comments.len())),
        _ => threads.sort_by_key(|thread| Reverse(thread.number)),
    }
    if call.query("direction") == Some("asc") {
        threads.reverse();
    }
}

fn labels_of(call: &Call<'_>, number: u64) -> Answer {
    let repo = call.repo()?;
    let thread = repo.threads.get(&number).ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(call.labels(repo, thread).into()))
}

/// The issue or pull request that is asked for, if the token is for its kind.
fn thread<'a>(call: &'a Call<'_>, level: Level) -> Result<&'a Thread, Refusal> {
    let thread = call.repo()?.threads.get(&call.number()?).ok_or_else(Refusal::not_found)?;
    if thread.pull.is_some() {
        return Ok(thread);
    }
    enabled(call)?;
    let allowed = match &call.asker {
        Asker::Token(token) => {
            call.github.grants.get(token).is_some_and(|grant| grant.level(Scope::Issues) >= level)
        }
        // The way here was open only because everyone may read.
        Asker::Anonymous | Asker::App(_) => true,
    };
    if !allowed {
        let needed = format!("issues={}", level.name());
        return Err(Refusal::new(403, "Resource not accessible by integration")
            .with("x-accepted-github-permissions", needed));
    }
    Ok(thread)
}

fn enabled(call: &Call<'_>) -> Result<(), Refusal> {
    match call.repo()?.issues {
        Issues::Enabled => Ok(()),
        Issues::Disabled => Err(Refusal::new(410, "Issues has been disabled in this repository.")),
    }
}
