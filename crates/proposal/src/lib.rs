//! What a repository must be asked for, so that people can review what was computed: one pull request,
//! and an issue for every cause of a hold.
//!
//! Pure: what was computed and what the repository shows in, [`Step`]s out. Carrying them out twice, or
//! after being interrupted anywhere, leads to the same state: each step is derived anew from what is there.

mod branch;
mod issues;
mod marker;
mod pull;
mod step;

pub use branch::{Commit, Head, alternatives, is_ours, message, primary};
pub use issues::{Issue, IssueText, is_our_issue, issue_steps};
pub use marker::Address;
pub use pull::{Decision, Pull, PullState, Repository, Text, Wanted, pull_steps};
pub use step::Step;

/// The label of pull requests that move the promoted commit.
pub const PROMOTED: &str = "promoted";
/// The label of our issues.
pub const ISSUE_LABEL: &str = "kalypso";
