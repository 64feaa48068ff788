//! Checks from their first step to their verdict, in a world that is told what to show.
#![allow(clippy::unwrap_used, reason = "what helps a test ends with it")]

#[path = "stories/branch.rs"]
mod branch;
#[path = "stories/done.rs"]
mod done;
#[path = "stories/failures.rs"]
mod failures;
#[path = "stories/gone.rs"]
mod gone;
#[path = "stories/hindrances.rs"]
mod hindrances;
#[path = "stories/members.rs"]
mod members;
#[path = "stories/rows.rs"]
mod rows;
#[path = "stories/time.rs"]
mod time;
#[path = "stories/world.rs"]
mod world;
