//! Workflow files as values, in which every scalar is the text that it is: GitHub does not read `on` as a boolean.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail, ensure};
use goyaml::{Limits, Node, NodeKind};
use kalypso_sandbox::{Access, Level, Scope};
use serde_json::Value;

use super::expression::plain;

/// What jobs are granted, or tokens of an App: a level for each scope, as GitHub names it.
pub(crate) type Permissions = BTreeMap<String, Level>;

/// Reads the first document of a file.
pub(crate) fn yaml(text: &str) -> Result<Value> {
    let (documents, error) = goyaml::parse(text, Limits::default());
    if let Some(error) = error {
        bail!("{}", error.message);
    }
    Ok(documents.first().map(json).unwrap_or_default())
}

fn json(node: &Node) -> Value {
    match &node.kind {
        // Nothing at all, or a text without anything in it, which count as the same here.
        NodeKind::Scalar { text, .. } if text.is_empty() => Value::Null,
        NodeKind::Scalar { text, .. } => Value::from(&**text),
        NodeKind::Sequence(items) => items.iter().map(json).collect(),
        NodeKind::Mapping(pairs) => {
            pairs.iter().filter_map(|(key, value)| Some((plain(&json(key)).ok()?, json(value)))).collect()
        }
    }
}

/// A mapping has no other keys.
pub(crate) fn known(mapping: &Value, keys: &[&str]) -> Result<()> {
    let others: Vec<&str> = names(mapping).into_iter().filter(|name| !keys.contains(name)).collect();
    ensure!(others.is_empty(), "{others:?} is not known here");
    Ok(())
}

pub(crate) fn entries(mapping: &Value) -> impl Iterator<Item = (&String, &Value)> {
    mapping.as_object().into_iter().flatten()
}

pub(crate) fn names(mapping: &Value) -> Vec<&str> {
    entries(mapping).map(|(name, _)| &**name).collect()
}

/// One text or several.
pub(crate) fn list(value: &Value) -> Vec<String> {
    let texts = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    texts.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// The permissions of a job: its own, else those of its workflow.
pub(crate) fn permissions(workflow: &Value, job: &Value) -> Result<Permissions> {
    let all = workflow.get("permissions").context("a workflow without permissions may have all of them")?;
    let own = job.get("permissions").unwrap_or(all);
    entries(own)
        .map(|(scope, value)| Ok((scope.clone(), level(value.as_str().unwrap_or_default())?)))
        .collect()
}

pub(crate) fn level(text: &str) -> Result<Level> {
    [Level::None, Level::Read, Level::Write]
        .into_iter()
        .find(|level| level.name() == text)
        .ok_or_else(|| anyhow!("`{text}` is no level"))
}

/// What a token allows that has these permissions in a repository, and no others.
pub(crate) fn access(repository: &str, permissions: &Permissions) -> Result<Access> {
    let nothing = |access: Access, scope| access.with(scope, Level::None);
    let access = Scope::ALL.into_iter().fold(Access::read(repository), nothing);
    let mut access = access.with(Scope::Metadata, Level::Read);
    for (name, level) in permissions {
        let scope = Scope::ALL.into_iter().find(|scope| scope.name().replace('_', "-") == *name);
        access = match (scope, &**name) {
            (Some(scope), _) => access.with(scope, *level),
            // GitHub's own business: the runner gives it to the job.
            (None, "id-token") => access,
            (None, _) => bail!("permission {name} is not known here"),
        };
    }
    Ok(access)
}
