//! The real binary against the sandbox: a GitHub-compatible server with real repositories.
//!
//! What a test looks at is the state that a run leaves in the world. After every run [`platform`] also makes sure
//! that the sandbox knew every request, and that no token is anywhere but where it belongs.

#![allow(clippy::unwrap_used, reason = "what helps a test ends with it")]

mod action;
mod cancellation;
mod check;
mod container;
mod cost;
mod every_request;
mod failures;
mod faults;
mod platform;
mod promotion;
mod pull_request;
mod reading;
mod reference;
mod rollout_cost;
mod rollout_faults;
mod rollout_platform;
mod rollout_secrets;
mod scenarios;
mod secrets;
mod several;
mod status;
mod tutorial;
mod workflows;
