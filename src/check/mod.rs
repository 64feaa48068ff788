//! Checking a GitOps commit: what is checked → watching clusters → the status of the promoted commit → handing over.
//!
//! ```text
//! subject ──▶ ledger: pending ──▶ watch ──▶ verdict ──▶ ledger: the end ──▶ hand_over ──▶ tell
//!                                 │  ▲
//!               questions ◀───────┘  └── what clusters report
//! ```

pub(crate) mod answers;
pub(crate) mod clusters;
pub(crate) mod hand_over;
pub(crate) mod ledger;
pub(crate) mod others;
pub(crate) mod stale;
pub(crate) mod subject;
pub(crate) mod tell;
#[cfg(test)]
mod trial;
pub(crate) mod watch;
