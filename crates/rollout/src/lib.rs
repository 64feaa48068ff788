//! Whether a commit is deployed, and what may be promoted.
//!
//! Pure: what clusters report comes in as [`Observation`]s, what is known of commits as [`Answer`]s, the time as an
//! argument; out come the [`Next`] thing to do, and at the end a [`Verdict`]. What is not shown counts as not done.
//!
//! ```text
//!            ┌──────────── Next::Ask ───▶ answer ────┐
//! Rollout ───┼──────────── Next::Read ──▶ polled, observed, read_directly, finished ─┐
//!    ▲       ├──────────── Next::Wait ──▶ sleep ─────┤                               │
//!    │       └──────────── Next::End ───▶ Verdict    │                               │
//!    └───────────────────────────────────────────────┴───────────────────────────────┘
//! ```

mod commit;
mod configuration;
mod evidence;
mod known;
mod lineage;
mod observation;
mod policy;
mod promotion;
mod proof;
mod question;
mod repository;
mod rollout;
mod round;
mod standing;
mod tally;
mod time;
mod trouble;
mod verdict;

pub use commit::CommitId;
pub use observation::{
    Channel, Cluster, Compliance, ConfigurationId, Connectivity, Kustomization, ObjectStatus, Observation,
    Provisioning, Ready, Reference, Source, Waits,
};
pub use policy::{Grace, OnTrouble, Policy, Target, Unobserved};
pub use promotion::{Admission, Admitted, Due, Facts, NextMark, Refusal, StatusState, admit, due};
pub use proof::{Health, Missing, Proof, prove};
pub use question::{Answer, Question, Relation};
pub use repository::is_same_repository;
pub use rollout::{Direct, Next, Read, Rollout};
pub use standing::{NotCounted, Standing, State, WhyIgnored, WhyWaiting};
pub use tally::{Glance, Group, Tally};
pub use time::Time;
pub use verdict::{Failure, Verdict};
