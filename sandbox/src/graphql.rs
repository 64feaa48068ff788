//! The GraphQL interface: one mutation, and what can be read of the commits of a branch.

mod history;

use serde_json::{Value, json};

use crate::git::{Moved, RefUpdate, ZEROS};
use crate::limits::Cost;
use crate::reply::{Refusal, Reply};
use crate::rest::{Asker, admit_token, node_id};
use crate::state::{GitHub, Repo};
use crate::tokens::{Credential, Grant, Level, Scope};

/// What GraphQL answers with status 200 and a list of errors.
struct Refused {
    kind: &'static str,
    message: String,
}

/// Whether a request's body would change something.
pub(crate) fn is_mutation(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["query"].as_str().is_none_or(|query| query.trim_start().starts_with("mutation"))
}

/// Answers a request; the other value says what about it is not known here.
pub(crate) fn answer(github: &mut GitHub, credential: &Credential, body: &[u8]) -> (Reply, Vec<String>) {
    let cost = if is_mutation(body) { Cost::Write } else { Cost::Read };
    let (asker, rate) = match admit_token(github, credential, cost) {
        Ok(admitted) => admitted,
        Err(refusal) => return (refusal.into(), Vec::new()),
    };
    if let Asker::Anonymous = asker {
        return (Refusal::new(401, "This endpoint requires you to be authenticated.").into(), Vec::new());
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let query = body["query"].as_str().unwrap_or_default();
    let variables = &body["variables"];
    let (field, answer) = if cost == Cost::Read {
        ("repository", history::answer(github, &asker, query, variables))
    } else if query.contains("updateRefs") {
        let done = json!({ "updateRefs": { "clientMutationId": null } });
        ("updateRefs", update_refs(github, &asker, variables).map(|()| done))
    } else {
        (
            "",
            Err(unknown(
                "the sandbox knows one GraphQL mutation, updateRefs, and this is another".to_owned(),
            )),
        )
    };
    let (reply, violations) = match answer {
        Ok(data) => (Reply::ok(json!({ "data": data })), Vec::new()),
        Err(Refused { kind, message }) => {
            let violation = (kind == UNKNOWN).then(|| format!("{message}: {query}"));
            (errors(field, kind, &message), violation.into_iter().collect())
        }
    };
    (reply.with_rate("graphql", rate), violations)
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
    let grant = grant(github, asker, key, repo).ok_or_else(not_found)?;
    if grant.level(Scope::Contents) < Level::Write {
        return Err(forbidden());
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
        if let Some(rule) = github.rule_against(key, &name, &after).map_err(failed)? {
            return Err(unprocessable(rule.to_owned()));
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

/// What a token may do in a repository, if it may see it.
fn grant<'a>(github: &'a GitHub, asker: &Asker, key: &str, repo: &Repo) -> Option<&'a Grant> {
    let grant = match asker {
        Asker::Token(token) => github.grants.get(token),
        Asker::Anonymous | Asker::App(_) => None,
    };
    grant.filter(|grant| grant.covers(&repo.owner.to_lowercase(), key))
}

/// The kind of error for what GitHub, or this sandbox, does not know.
const UNKNOWN: &str = "undefinedField";

fn unknown(message: String) -> Refused {
    Refused { kind: UNKNOWN, message }
}

fn forbidden() -> Refused {
    Refused { kind: "FORBIDDEN", message: "Resource not accessible by integration".to_owned() }
}

fn unprocessable(message: String) -> Refused {
    Refused { kind: "UNPROCESSABLE", message }
}

fn failed(error: anyhow::Error) -> Refused {
    Refused { kind: "INTERNAL", message: format!("{}: {error:#}", crate::reply::SANDBOX_FAILED) }
}

fn errors(field: &str, kind: &str, message: &str) -> Reply {
    Reply::ok(json!({
        "data": { field: null },
        "errors": [{ "type": kind, "path": [field], "message": message }],
    }))
}
