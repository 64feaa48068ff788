//! Workflows and their runs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use yaml_rust2::{Yaml, YamlLoader};

use super::{Call, node_id};
use crate::reply::{Answer, Refusal, Reply};
use crate::state::{Dispatch, Run};

/// Where GitHub looks for workflows.
const WORKFLOWS: &str = ".github/workflows";

/// What a workflow says about being asked to run.
struct Trigger {
    inputs: BTreeSet<String>,
    required: BTreeSet<String>,
}

pub(super) fn dispatch(call: &mut Call<'_>) -> Answer {
    let (repo, bare) = (call.repo()?, call.bare());
    let workflow = call.parameter("workflow").to_owned();
    let file = format!("{WORKFLOWS}/{workflow}");
    let read = |branch: &str| -> Result<Option<String>, Refusal> {
        let object = bare.objects(&[&format!("refs/heads/{branch}:{file}")])?.pop().flatten();
        Ok(object.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    };
    // A workflow is known once it is on the default branch.
    read(&repo.default_branch)?.ok_or_else(Refusal::not_found)?;
    let branch = call.required("ref")?;
    let branch = branch.strip_prefix("refs/heads/").unwrap_or(branch).to_owned();
    if bare.branch(&branch)?.is_none() {
        return Err(Refusal::new(422, &format!("No ref found for: {branch}")));
    }
    let text = read(&branch)?.unwrap_or_default();
    let trigger = Trigger::read(&text)
        .ok_or_else(|| Refusal::new(422, "Workflow does not have 'workflow_dispatch' trigger"))?;
    let inputs = inputs(&call.body["inputs"]);
    trigger.check(&inputs)?;
    let dispatch = Dispatch { workflow, branch, inputs, by: call.login() };
    call.repo_mut()?.dispatches.push(dispatch);
    if call.body["return_run_details"] != true {
        return Ok(Reply::no_content());
    }
    let id = call.github.next_id();
    let started = call.github.now();
    call.repo_mut()?.runs.insert(id, Run { started, finished: None });
    let repo = call.repo()?;
    Ok(Reply::ok(json!({
        "workflow_run_id": id,
        "run_url": format!("{}/actions/runs/{id}", call.repo_url(repo)),
        "html_url": format!("{}/actions/runs/{id}", call.html_url(repo)),
    })))
}

pub(super) fn run(call: &mut Call<'_>) -> Answer {
    let (repo, id) = (call.repo()?, call.number()?);
    let Run { started, finished } = repo.runs.get(&id).ok_or_else(Refusal::not_found)?;
    let sha = call.bare().branch(&repo.default_branch)?.unwrap_or_default();
    let address = format!("{}/actions/runs/{id}", call.repo_url(repo));
    let mut body = json!({
        "id": id,
        "node_id": node_id("WFR", id),
        "name": "checkpromote",
        "head_branch": repo.default_branch,
        "head_sha": sha,
        "path": format!("{WORKFLOWS}/checkpromote.yml"),
        "display_title": "checkpromote",
        "run_number": 1,
        "event": "workflow_dispatch",
        "status": if finished.is_some() { "completed" } else { "in_progress" },
        "conclusion": finished.map(|_| "success"),
        "workflow_id": 1,
        "url": address,
        "html_url": format!("{}/actions/runs/{id}", call.html_url(repo)),
        "pull_requests": [],
        "created_at": started.to_string(),
        "updated_at": finished.unwrap_or(*started).to_string(),
        "check_suite_url": format!("{}/check-suites/{id}", call.repo_url(repo)),
        "workflow_url": format!("{}/actions/workflows/1", call.repo_url(repo)),
        "head_commit": null,
        "repository": call.repository(repo),
        "head_repository": call.repository(repo),
    });
    for part in ["jobs", "logs", "cancel", "rerun", "artifacts"] {
        body[format!("{part}_url")] = format!("{address}/{part}").into();
    }
    Ok(Reply::ok(body))
}

impl Trigger {
    /// Reads a workflow, if it can be asked to run.
    fn read(text: &str) -> Option<Trigger> {
        let documents = YamlLoader::load_from_str(text).ok()?;
        let on = &documents.first()?["on"];
        let named = |event: &Yaml| event.as_str() == Some("workflow_dispatch");
        let bare = Trigger { inputs: BTreeSet::new(), required: BTreeSet::new() };
        match on {
            Yaml::String(_) => named(on).then_some(bare),
            Yaml::Array(events) => events.iter().any(named).then_some(bare),
            Yaml::Hash(events) => {
                let (_, event) = events.iter().find(|(name, _)| named(name))?;
                let declared = event["inputs"].as_hash().into_iter().flatten();
                let declared: Vec<(String, &Yaml)> =
                    declared.filter_map(|(name, input)| Some((name.as_str()?.to_owned(), input))).collect();
                let is_required = |input: &Yaml| {
                    input["required"].as_bool() == Some(true) && input["default"].is_badvalue()
                };
                Some(Trigger {
                    required: declared
                        .iter()
                        .filter(|(_, input)| is_required(input))
                        .map(|(name, _)| name.clone())
                        .collect(),
                    inputs: declared.into_iter().map(|(name, _)| name).collect(),
                })
            }
            _ => None,
        }
    }

    fn check(&self, given: &BTreeMap<String, String>) -> Result<(), Refusal> {
        let unexpected: Vec<&String> = given.keys().filter(|name| !self.inputs.contains(*name)).collect();
        if !unexpected.is_empty() {
            return Err(Refusal::new(422, &format!("Unexpected inputs provided: {unexpected:?}")));
        }
        match self.required.iter().find(|name| given.get(*name).is_none_or(String::is_empty)) {
            Some(missing) => Err(Refusal::new(422, &format!("Required input '{missing}' not provided"))),
            None => Ok(()),
        }
    }
}

fn inputs(given: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    given.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflows_say_whether_they_can_be_asked_to_run() {
        let table: &[(&str, Option<(&[&str], &[&str])>, &str)] = &[
            ("on: workflow_dispatch", Some((&[], &[])), "one event"),
            ("on: [push, workflow_dispatch]", Some((&[], &[])), "one of a list"),
            ("on:\n  workflow_dispatch:\n  push:\n", Some((&[], &[])), "without anything"),
            (
                "on:\n  workflow_dispatch:\n    inputs:\n      environment: {required: true}\n      before:\n",
                Some((&["before", "environment"], &["environment"])),
                "with inputs",
            ),
            (
                "on:\n  workflow_dispatch:\n    inputs:\n      a: {required: true, default: x}\n",
                Some((&["a"], &[])),
                "a default is enough",
            ),
            ("on: push", None, "another event"),
            ("{", None, "no YAML"),
            ("", None, "nothing"),
        ];
        for (text, want, why) in table {
            let got = Trigger::read(text).map(|it| (it.inputs, it.required));
            let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
            assert_eq!(got, want.map(|(inputs, required)| (set(inputs), set(required))), "{why}");
        }
    }
}
