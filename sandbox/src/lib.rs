//! The world that kalypso works in, on loopback.
//!
//! ```text
//!            REST  ──▶ rest      ─┐                ┌─▶ state   (issues, pull requests, tokens: plain data)
//! request ▶ server ──▶ graphql   ─┼─▶ may it? ─▶ ──┤
//!   faults ──┘ git ──▶ smart_http ┘  tokens,       └─▶ git     (real bare repositories, real `git`)
//!                                    limits
//! ```
//!
//! A [`Sandbox`] is a GitHub-compatible server with real git repositories behind it, laid out as GitHub Enterprise
//! Server is. Its state is plain data, what a token may do and how often is enforced as GitHub does, and anything
//! can be told to go wrong at any request. What it does not know is recorded: see [`Sandbox::violations`].
//!
//! ```
//! use kalypso_sandbox::{Access, Sandbox, Visibility};
//!
//! # fn main() -> anyhow::Result<()> {
//! let sandbox = Sandbox::start()?;
//! let gitops = sandbox.create_repository("contoso/gitops", Visibility::Private)?;
//! gitops.commit("dev", &[("README.md", Some("What runs where.\n"))], "First commit")?;
//! sandbox.token("ghs_gitops", Access::write("contoso/gitops"));
//! assert_eq!(gitops.log("dev")?.len(), 1);
//! assert!(sandbox.violations().is_empty());
//! # Ok(())
//! # }
//! ```

pub mod app_key;
pub mod azure;
mod faults;
mod git;
mod graphql;
mod limits;
pub mod openapi;
pub mod platform;
mod reply;
mod repository;
mod rest;
mod sandbox;
mod server;
mod smart_http;
mod state;
mod tokens;
mod told;
pub mod tutorial;
mod world;

pub use faults::{At, Fault, Work};
pub use git::{Change, CommitInfo, Signature};
pub use limits::Limits;
pub use repository::{Comment, Issue, Pull, Repository, Status};
pub use sandbox::{Sandbox, Saved};
pub use server::{Kind, Request};
pub use state::{Dispatch, Issues, Merge, Protection, State, Visibility};
pub use tokens::{Access, Level, Scope};
pub use world::{Branch, Contents, Conversation, World};
