//! What proves that a configuration is done.

use crate::commit::CommitId;
use crate::observation::{Compliance, ObjectStatus, Observation, Provisioning, Ready, Waits};

/// What a report proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The commit is applied
    Proven(Health),
    /// It is not shown to be
    Unproven(Missing),
}

/// Whether what was applied is known to be healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is
    Checked,
    /// A kustomization does not wait for it
    Unchecked,
}

/// The first thing that a report does not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The source has fetched another commit, or none
    Synced(Option<CommitId>),
    /// There is no kustomization that could apply anything
    Kustomizations,
    /// There is no status of this kustomization
    Status(String),
    /// This kustomization is not ready
    Ready(String),
    /// This kustomization shows another commit as applied, or none
    Applied(String, Option<CommitId>),
    /// Not everything is as it should be
    Compliant(Compliance),
    /// The configuration is not set up
    Provisioned(Provisioning),
}

/// What `observation` proves about the commits that `is_accepted` names: the one that is checked and those that count
/// for it.
pub fn prove(observation: &Observation, is_accepted: impl Fn(&CommitId) -> bool) -> Proof {
    match show(observation, is_accepted) {
        Ok(()) => Proof::Proven(health(observation)),
        Err(missing) => Proof::Unproven(missing),
    }
}

/// What Flux says of the kustomization of this key.
pub(crate) fn statuses<'a>(
    observation: &'a Observation,
    key: &str,
) -> impl Iterator<Item = &'a ObjectStatus> {
    let name = format!("{}-{key}", observation.name);
    observation.objects.iter().filter(move |object| {
        object.kind == "Kustomization" && object.name == name && object.namespace == observation.namespace
    })
}

fn show(observation: &Observation, is_accepted: impl Fn(&CommitId) -> bool) -> Result<(), Missing> {
    if !observation.synced.as_ref().is_some_and(&is_accepted) {
        return Err(Missing::Synced(observation.synced.clone()));
    }
    if observation.kustomizations.is_empty() {
        return Err(Missing::Kustomizations);
    }
    for key in observation.kustomizations.keys() {
        if statuses(observation, key).next().is_none() {
            return Err(Missing::Status(key.clone()));
        }
        for status in statuses(observation, key) {
            if status.ready != Some(Ready::True) {
                return Err(Missing::Ready(key.clone()));
            }
            if !status.applied.as_ref().is_some_and(&is_accepted) {
                return Err(Missing::Applied(key.clone(), status.applied.clone()));
            }
        }
    }
    if observation.compliance != Compliance::Compliant {
        return Err(Missing::Compliant(observation.compliance.clone()));
    }
    if observation.provisioning != Provisioning::Succeeded {
        return Err(Missing::Provisioned(observation.provisioning.clone()));
    }
    Ok(())
}

fn health(observation: &Observation) -> Health {
    let waits =
        observation.kustomizations.values().all(|kustomization| kustomization.waits == Waits::ForHealth);
    if waits { Health::Checked } else { Health::Unchecked }
}
