//! Handing over: a workflow of the control plane's repository is started.

use std::collections::BTreeMap;

use rollout::CommitId;

use crate::commands::chain::Chain;

/// Starts the workflow in `file` for an environment; with `commit`, for that one. Why it cannot be names the file.
pub(crate) fn start(
    chain: &Chain,
    file: &str,
    environment: &str,
    commit: Option<&CommitId>,
) -> Result<(), String> {
    let mut inputs = BTreeMap::from([("environment", environment)]);
    inputs.extend(commit.map(|commit| ("commit-id", commit.as_str())));
    let started = chain.access.github.dispatch(&chain.repo, file, &chain.repository.default_branch, &inputs);
    started.map_err(|error| format!("{file}: {error}"))
}
