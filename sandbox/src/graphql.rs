//! The GraphQL interface: one mutation.

use serde_json::{Value, json};

use crate::git::{Moved, RefUpdate, ZEROS};
use crate::limits::Cost;
use crate::reply::{Refusal, Reply};
use crate::rest::{Asker, admit_token, node_id};
use crate::state::GitHub;
use crate::tokens::{Credential, Level, Scope};

/// What GraphQL answers with status 200 and a list of errors.
struct Refused {
    kind: &'static str,
    message: String,
}

/// Answers a request; the other value says what about it is not known here.
pub(crate) fn answer(github: &mut GitHub, credential: &Credential, body: &[u8]) -> (Reply, Vec<String>) {
    let (asker, rate) = match admit_token(github, credential, Cost::Write) {
        Ok(admitted) => admitted,
        Err(refusal) => return (refusal.into(), Vec::new()),
    };
    if let Asker::Anonymous = asker {
        return (Refusal::new(401, "This endpoint requires you to be authenticated.").into(), Vec::new());
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let query = body["query"].as_str().unwrap_or_default();
    if !query.trim_start().starts_with("mutation") || !query.contains("updateRefs") {
        let violation =
            format!("the sandbox knows one GraphQL mutation, updateRefs, and this is another text: {query}");
        return (errors("PARSE_ERROR", &violation).with_rate("graphql", rate), vec![violation]);
    }
    let reply = match update_refs(github, &asker, &body["variables"]) {
        Ok(()) => Reply::ok(json!({ "data": { "updateRefs": { "clientMutationId": null } } })),
        Err(Refused { kind, message }) => errors(kind, &message),
    };
    (reply.with_rate("graphql", rate), Vec::new())
}

/// Moves references by compare-and-set, all of them or none.
fn update_refs(github: &mut GitHub, asker: &Asker, variables: &Value) -> Result<(), Refused> {
    // The input as one variable, or its parts as variables of their own.
    let input = variables.get("input").unwrap_or(variables);
    let id = input["repositoryId"].as_str().unwrap_or_default();
    let not_found = || Refused {
        kind: "NOT_FOUND",
        message: format!("Could not resolve to a node with the global id of '{id}'"),
    };
    let (key, repo) =
        github.repositories.iter().find(|(_, repo)| node_id("R", repo.id) == id).ok_or_else(not_found)?;
    let grant = match asker {
        Asker::Token(token) => github.grants.get(token),
        Asker::Anonymous | Asker::App(_) => None,
    };
    let grant = grant.filter(|grant| grant.covers(&repo.owner.to_lowercase(), key)).ok_or_else(not_found)?;
    if grant.level(Scope::Contents) < Level::Write {
        return Err(Refused {
            kind: "FORBIDDEN",
            message: "Resource not accessible by integration".to_owned(),
        });
    }
    let bare = github.bare(key);
    let mut updates = Vec::new();
    for update in input["refUpdates"].as_array().into_iter().flatten() {
        let text = |name: &str| update[name].as_str().map(str::to_owned);
        let (Some(name), Some(after)) = (text("name"), text("afterOid")) else {
            return Err(unprocessable("refUpdates need a name and an afterOid".to_owned()));
        };
        if !name.starts_with("refs/") {
            return Err(unprocessable(format!("{name} is not a full reference name")));
        }
        let stands = bare.reference(&name).map_err(failed)?;
        let there = after == ZEROS || bare.kinds(&[&after]).map_err(failed)? == [Some("commit".to_owned())];
        if !there {
            return Err(unprocessable(format!("{after} is not a commit of this repository")));
        }
        if let (Some(stands), true) = (&stands, after != ZEROS && update["force"] != true)
            && !bare.is_ancestor(stands, &after).map_err(failed)?
        {
            return Err(unprocessable(format!("{name} cannot be updated: not a fast forward")));
        }
        updates.push(RefUpdate { name, before: text("beforeOid"), after });
    }
    if updates.is_empty() {
        return Err(unprocessable("refUpdates must not be empty".to_owned()));
    }
    match bare.update_refs(&updates).map_err(failed)? {
        Moved::All => Ok(()),
        Moved::None => Err(Refused {
            kind: "STALE_DATA",
            message: "Reference cannot be updated: it does not stand at its beforeOid. Fetch and try again."
                .to_owned(),
        }),
    }
}

fn unprocessable(message: String) -> Refused {
    Refused { kind: "UNPROCESSABLE", message }
}

fn failed(error: anyhow::Error) -> Refused {
    Refused { kind: "INTERNAL", message: format!("{}: {error:#}", crate::reply::SANDBOX_FAILED) }
}

fn errors(kind: &str, message: &str) -> Reply {
    Reply::ok(json!({
        "data": { "updateRefs": null },
        "errors": [{ "type": kind, "path": ["updateRefs"], "message": message }],
    }))
}
