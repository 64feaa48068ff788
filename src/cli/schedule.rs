//! Flags of what computes an environment's manifests.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use fleet::{FailurePolicy, ManifestChecks};

use super::{AccessArgs, PlaneArgs};

/// Flags of `schedule`.
#[derive(Debug, Args)]
pub(crate) struct ScheduleArgs {
    #[command(flatten)]
    pub(crate) plane: PlaneArgs,

    #[command(flatten)]
    pub(crate) access: AccessArgs,

    /// Decide and say everything, write nothing
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) dry_run: bool,

    /// Write the tree into this folder instead of a pull request, for example a checkout of the GitOps branch
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,

    /// Write what was decided as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// What to do about a manifest that cannot be applied
    #[arg(long, value_name = "HOW", default_value = "error")]
    pub(crate) manifest_checks: Checks,

    /// What one application's problem does to the others
    #[arg(long, value_name = "HOW", default_value = "hold")]
    pub(crate) failure_policy: OnFailure,

    /// Exit with 1 if anything is held
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) fail_on_held: bool,
}

/// Flags of `validate`.
#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    pub(crate) plane: PlaneArgs,

    /// Treat warnings, such as an unknown field, as errors
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) strict: bool,
}

/// Flags of `explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) plane: PlaneArgs,

    /// The deployment target: WORKLOAD-TARGET
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,

    /// A cluster type: why it is there or not [default: all of them, in short]
    #[arg(value_name = "CLUSTER-TYPE")]
    pub(crate) cluster_type: Option<String>,

    /// A key of the config there: where its value comes from [default: all of them]
    #[arg(value_name = "KEY")]
    pub(crate) key: Option<String>,

    /// How to write the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

/// `text` or `json`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For scripts
    Json,
}

/// `error`, `warn` or `off`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Checks {
    /// Hold its assignment
    Error,
    /// Warn
    Warn,
    /// Do not look
    Off,
}

impl From<Checks> for ManifestChecks {
    fn from(checks: Checks) -> ManifestChecks {
        match checks {
            Checks::Error => ManifestChecks::Error,
            Checks::Warn => ManifestChecks::Warn,
            Checks::Off => ManifestChecks::Off,
        }
    }
}

/// `hold` or `block`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OnFailure {
    /// Hold what has a problem, go on with the rest
    Hold,
    /// Write nothing if anything has a problem
    Block,
}

impl From<OnFailure> for FailurePolicy {
    fn from(policy: OnFailure) -> FailurePolicy {
        match policy {
            OnFailure::Hold => FailurePolicy::Hold,
            OnFailure::Block => FailurePolicy::Block,
        }
    }
}
