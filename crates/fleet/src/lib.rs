//! From what platform teams wrote to what the GitOps branch must hold.
//!
//! Pure: no I/O, no clock, no environment, no knowledge of git, GitHub or Azure. The shell reads what
//! [`Snapshot::wants`] names, calls [`compute`], and carries out the difference between a branch's
//! [`Tree`] and the [`Placement`] for it.

mod applies;
mod builtin;
pub mod checks;
pub mod compose;
mod compute;
mod diagnostic;
mod environments;
pub mod explain;
mod inputs;
mod json_text;
pub mod labels;
mod layout;
pub mod objects;
mod package;
mod parse;
mod path;
pub mod plane;
pub mod promotion;
mod render;
pub mod schedule;
mod snapshot;
mod source;
mod syntax_error;
pub mod tracking;
mod tree;
mod upload;
mod validate;
mod verdict;
mod without_effect;

pub use applies::Condition;
pub use checks::ManifestChecks;
pub use compute::{Outcome, compute};
pub use diagnostic::{Diagnostic, FileName, Location, Severity};
pub use environments::environments;
pub use inputs::Inputs;
pub use layout::{Held, Placement, Problems};
pub use objects::RepoRef;
pub use package::Package;
pub use path::RepoPath;
pub use plane::ControlPlane;
pub use snapshot::{Part, Role, Snapshot, Unreadable, Want};
pub use source::{ENVIRONMENTS, FileContent, MAX_FILE_BYTES, Source, Texts, is_of_interest, would_read};
pub use tree::{Blob, Changeset, Family, Mode, ObjectId, Tree};
pub use upload::Chunk;
pub use verdict::{FailurePolicy, Verdict};
