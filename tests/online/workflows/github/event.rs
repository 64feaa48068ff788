//! What starts workflows, and which.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use kalypso_sandbox::Request;
use serde_json::{Map, Value};

use super::super::syntax::{entries, known, list};
use super::{Source, WORKFLOWS};

/// Something that starts the workflows of a branch.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) repository: &'static str,
    pub(super) branch: String,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Push { before: String },
    Dispatch { workflow: String, inputs: BTreeMap<String, String> },
    Timer,
}

impl Event {
    /// Whether it starts a workflow that is in its branch.
    pub(super) fn starts(&self, source: &Source) -> Result<bool> {
        let on = &source.document["on"];
        known(on, &["push", "schedule", "workflow_dispatch"])?;
        Ok(match &self.kind {
            Kind::Push { .. } => {
                known(&on["push"], &["branches"])?;
                let branches = list(&on["push"]["branches"]);
                ensure!(!branches.iter().any(|it| it.contains(['*', '!', '?', '['])), "{branches:?}");
                on.get("push").is_some() && (branches.is_empty() || branches.contains(&self.branch))
            }
            Kind::Dispatch { workflow, .. } => {
                source.place.path == format!("{WORKFLOWS}{workflow}") && on.get("workflow_dispatch").is_some()
            }
            Kind::Timer => {
                on["schedule"].as_array().into_iter().flatten().any(|time| time["cron"].is_string())
            }
        })
    }

    /// The context `inputs`: what is declared, given or not, where somebody could give it.
    pub(super) fn inputs(&self, source: &Source) -> Result<Value> {
        let declared = &source.document["on"]["workflow_dispatch"]["inputs"];
        let given = match &self.kind {
            Kind::Dispatch { inputs, .. } => Some(inputs),
            Kind::Push { .. } | Kind::Timer => None,
        };
        let mut all = Map::new();
        for (name, input) in entries(declared) {
            let value = given.map(|given| given.get(name).map_or("", String::as_str));
            let value = match (value, input["type"].as_str()) {
                (None, _) => Value::Null,
                (Some(value), Some("string")) => value.into(),
                (Some(value), Some("boolean")) => (value == "true").into(),
                (_, other) => bail!("{name}: type {other:?} is not known here"),
            };
            all.insert(name.clone(), value);
        }
        for name in given.into_iter().flat_map(BTreeMap::keys) {
            ensure!(all.contains_key(name), "{name} is not declared");
        }
        Ok(all.into())
    }

    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Push { .. } => "push",
            Kind::Dispatch { .. } => "workflow_dispatch",
            Kind::Timer => "schedule",
        }
    }

    /// What a run is called: the file that runs, and on what.
    pub(super) fn title(&self, source: &Source) -> String {
        let (_, repository) = source.place.repository.split_once('/').unwrap_or_default();
        let file = source.place.path.strip_prefix(WORKFLOWS).unwrap_or(&source.place.path);
        let inputs = match &self.kind {
            Kind::Dispatch { inputs, .. } => {
                inputs.iter().map(|(name, value)| format!(" {name}={value}")).collect()
            }
            Kind::Push { .. } | Kind::Timer => String::new(),
        };
        format!("{repository} {}: {file} on {}{inputs}", source.place.branch, self.name())
    }
}

/// Whether a request moved a branch.
pub(super) fn moves(request: &Request, branch: &str) -> bool {
    let path = format!("heads/{branch}");
    let body = String::from_utf8_lossy(&request.body);
    request.is_write()
        && request.status.is_some_and(|status| status < 400)
        && (request.path.ends_with(&path) || body.contains(&format!("\"refs/{path}\"")))
}
