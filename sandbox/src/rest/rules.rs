//! What rule sets demand of a branch.

use serde_json::{Value, json};

use super::Call;
use crate::reply::Answer;
use crate::state::Protection;

pub(super) fn of_branch(call: &mut Call<'_>) -> Answer {
    let repo = call.repo()?;
    let rules = repo.protections.get(call.parameter("branch")).map_or(Vec::new(), |it| rules(*it));
    let source = repo.full_name();
    call.page(rules, |mut rule| {
        rule["ruleset_source_type"] = "Repository".into();
        rule["ruleset_source"] = source.clone().into();
        rule["ruleset_id"] = 1.into();
        rule
    })
}

fn rules(protection: Protection) -> Vec<Value> {
    match protection {
        Protection::PullRequests => vec![json!({
            "type": "pull_request",
            "parameters": {
                "dismiss_stale_reviews_on_push": false,
                "require_code_owner_review": false,
                "require_last_push_approval": false,
                "required_approving_review_count": 1,
                "required_review_thread_resolution": false,
            },
        })],
        Protection::Updates => {
            vec![json!({ "type": "update", "parameters": { "update_allows_fetch_and_merge": false } })]
        }
        Protection::StatusChecks => vec![json!({
            "type": "required_status_checks",
            "parameters": {
                "required_status_checks": [{ "context": "build" }],
                "strict_required_status_checks_policy": false,
            },
        })],
        Protection::NoForce => vec![json!({ "type": "deletion" }), json!({ "type": "non_fast_forward" })],
        // The older protection is none of their business.
        Protection::Classic => Vec::new(),
    }
}
