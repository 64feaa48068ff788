//! Statuses of commits.

use super::Call;
use crate::limits::DESCRIPTION_CHARACTERS;
use crate::reply::{Answer, Refusal, Reply};
use crate::state::Status;

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let repo = call.repo()?;
    let sha = call.bare().commit_named(call.parameter("ref"))?.ok_or_else(Refusal::not_found)?;
    let newest_first: Vec<&Status> = repo.statuses.iter().rev().filter(|status| status.sha == sha).collect();
    call.page(newest_first, |status| call.status(repo, status))
}

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let (repo, sha) = (call.repo()?, call.parameter("sha").to_owned());
    if call.bare().kinds(&[&sha])? != [Some("commit".to_owned())] {
        return Err(Refusal::new(422, &format!("No commit found for SHA: {sha}")));
    }
    let state = call.required("state")?.to_owned();
    if !["error", "failure", "pending", "success"].contains(&state.as_str()) {
        return Err(Refusal::custom("Status", "state", "State is not included in the list"));
    }
    let description = call.text("description").map(str::to_owned);
    if description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_CHARACTERS) {
        let message = format!("Description is too long (maximum is {DESCRIPTION_CHARACTERS} characters)");
        return Err(Refusal::custom("Status", "description", &message));
    }
    let context = call.text("context").unwrap_or("default").to_owned();
    let before = repo.statuses.iter().filter(|status| status.sha == sha && status.context == context).count();
    if before >= call.github.limits.statuses {
        let message = "This SHA and context has reached the maximum number of statuses.";
        return Err(Refusal::custom("Status", "base", message));
    }
    let status = Status {
        id: call.github.next_id(),
        sha,
        state,
        context,
        description,
        target_url: call.text("target_url").map(str::to_owned),
        creator: call.login(),
        created: call.github.now(),
    };
    call.repo_mut()?.statuses.push(status.clone());
    Ok(Reply::created(call.status(call.repo()?, &status)))
}
