//! Whether computed trees may be published.

use crate::compute::Outcome;
use crate::diagnostic::Diagnostic;
use crate::layout::Placement;

/// What one application's problem does to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    /// What has a problem is held, the rest goes on
    Hold,
    /// Nothing is published if anything has a problem
    Block,
}

/// Whether trees may be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They may, and everything in them is what the control plane asks for
    Whole,
    /// They may, but something in them is held
    WithHolds,
    /// They may not, for this reason
    Refused(&'static str),
}

impl Outcome {
    /// Whether what this outcome gives for its branches may be published.
    pub fn verdict<'a>(
        &self,
        placements: impl IntoIterator<Item = &'a Placement>,
        policy: FailurePolicy,
    ) -> Verdict {
        let mut is_whole = !self.problems().any(Diagnostic::is_error);
        for placement in placements {
            if placement.problems.iter().any(Diagnostic::is_error) {
                return Verdict::Refused("the GitOps branch cannot take this tree");
            }
            is_whole &= placement.held.is_empty();
        }
        match (is_whole, policy) {
            (true, _) => Verdict::Whole,
            (false, FailurePolicy::Hold) => Verdict::WithHolds,
            (false, FailurePolicy::Block) => {
                Verdict::Refused("something would be held, and --failure-policy is block")
            }
        }
    }
}
