//! What proves that a configuration is done.

use crate::commit::CommitId;
use crate::observation::{Compliance, Observation, Provisioning};

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
pub fn prove(_observation: &Observation, _is_accepted: impl Fn(&CommitId) -> bool) -> Proof {
    unimplemented!()
}
