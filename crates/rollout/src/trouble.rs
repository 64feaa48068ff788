//! What keeps a configuration from getting there, and for how long it may.

use std::time::Duration;

use crate::observation::{Compliance, Connectivity, Observation, Provisioning, Ready};
use crate::policy::{Grace, OnTrouble, Policy};
use crate::proof::statuses;
use crate::standing::{WhyIgnored, WhyWaiting};

/// What is broken in the files themselves does not heal by trying again.
const BUILD_FAILURE_GRACE: Duration = Duration::from_secs(2 * 60);

/// Why a configuration cannot get there by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    Suspended,
    Disconnected,
}

impl Hindrance {
    pub(crate) fn waiting(self) -> WhyWaiting {
        match self {
            Hindrance::Suspended => WhyWaiting::Suspended,
            Hindrance::Disconnected => WhyWaiting::Disconnected,
        }
    }

    pub(crate) fn ignored(self) -> WhyIgnored {
        match self {
            Hindrance::Suspended => WhyIgnored::Suspended,
            Hindrance::Disconnected => WhyIgnored::Disconnected,
        }
    }
}

/// What hinders a configuration, and what is done about it; of two the one that ends the wait sooner.
pub(crate) fn hindrance(observation: &Observation, policy: &Policy) -> Option<(Hindrance, OnTrouble)> {
    let is_suspended = observation.is_suspended || observation.compliance == Compliance::Suspended;
    let is_disconnected = matches!(observation.cluster.connectivity, Connectivity::Disconnected { .. });
    let suspended = is_suspended.then_some((Hindrance::Suspended, policy.on_suspended));
    let disconnected = is_disconnected.then_some((Hindrance::Disconnected, policy.on_disconnected));
    let hindrances = suspended.into_iter().chain(disconnected);
    hindrances.min_by_key(|(_, action)| match action {
        OnTrouble::Fail => 0,
        OnTrouble::Ignore => 1,
        OnTrouble::Wait => 2,
    })
}

/// How long something may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// So long
    For(Duration),
    /// As long as there is time
    Endless,
}

/// How long what is wrong with a configuration that has `Synced` so may last; nothing if nothing is wrong.
pub(crate) fn patience(observation: &Observation, synced: Synced, policy: &Policy) -> Option<Patience> {
    let grace = match policy.grace {
        Grace::Fixed(grace) => grace,
        Grace::Auto => auto_grace(observation),
    };
    let is_noncompliant = synced == Synced::Accepted && observation.compliance == Compliance::NonCompliant;
    if is_noncompliant && is_build_failure(observation) {
        Some(Patience::For(grace.min(BUILD_FAILURE_GRACE)))
    } else if observation.provisioning == Provisioning::Failed {
        Some(Patience::For(grace))
    } else if is_noncompliant && is_in_progress(observation) {
        Some(Patience::Endless)
    } else {
        is_noncompliant.then_some(Patience::For(grace))
    }
}

/// Whether a commit that counts is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Synced {
    Accepted,
    Other,
}

/// The time in which Flux tries everything once more.
fn auto_grace(observation: &Observation) -> Duration {
    let kustomizations = observation.kustomizations.values();
    let tries = kustomizations.map(|kustomization| {
        kustomization
            .retry_interval
            .unwrap_or(kustomization.sync_interval)
            .saturating_add(kustomization.timeout)
    });
    tries.max().unwrap_or_default()
}

fn is_build_failure(observation: &Observation) -> bool {
    let own = observation.kustomizations.keys().flat_map(|key| statuses(observation, key));
    own.filter(|status| status.ready != Some(Ready::True)).any(|status| status.reason == "BuildFailed")
}

/// Whether every kustomization that is not ready waits for something or is at work.
fn is_in_progress(observation: &Observation) -> bool {
    let mut waiting = observation
        .objects
        .iter()
        .filter(|object| object.kind == "Kustomization" && object.ready != Some(Ready::True))
        .peekable();
    waiting.peek().is_some()
        && waiting.all(|object| matches!(object.reason.as_str(), "DependencyNotReady" | "Progressing"))
}
