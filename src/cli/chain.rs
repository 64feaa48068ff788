//! Flags of what follows a commit through the environments.

use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use jiff::SignedDuration;
use rollout::{CommitId, Grace, OnTrouble};

use super::plane::environment;
use super::{AccessArgs, Format, PlaneArgs, Secret};

/// Who asks Azure, and where.
#[derive(Debug, Args)]
pub(crate) struct AzureArgs {
    /// The tenant of the identity that a workflow's token stands for
    #[arg(long, value_name = "ID", requires = "azure_client_id")]
    pub(crate) azure_tenant_id: Option<String>,

    /// The application that a workflow's token stands for
    #[arg(long, value_name = "ID", requires = "azure_tenant_id")]
    pub(crate) azure_client_id: Option<String>,

    /// The audience of a workflow's token [default: the cloud's own]
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) azure_audience: Option<String>,

    /// A service principal with a secret, as JSON; federation needs no secret
    #[arg(long, value_name = "JSON")]
    pub(crate) azure_credentials: Option<Secret>,

    /// The subscriptions to look at, separated by commas or lines [default: all that are visible]
    #[arg(long, value_name = "IDS", value_parser = list)]
    pub(crate) azure_subscriptions: Option<List>,

    /// The cloud
    #[arg(long, value_name = "CLOUD", default_value = "public")]
    pub(crate) azure_cloud: AzureCloud,

    /// The address of Azure Resource Manager [default: the cloud's own]
    #[arg(long, value_name = "URL")]
    pub(crate) azure_resource_manager_url: Option<String>,
}

/// One of Azure's clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AzureCloud {
    /// Everywhere
    Public,
    /// For the government of the United States
    Usgovernment,
    /// In China
    China,
}

/// Names, separated by commas or lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List(pub(crate) Vec<String>);

/// Flags of `checkpromote`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) plane: PlaneArgs,

    #[command(flatten)]
    pub(crate) access: AccessArgs,

    #[command(flatten)]
    pub(crate) azure: AzureArgs,

    /// Decide and say everything, write nothing
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) dry_run: bool,

    /// The GitOps commit to check [default: the head of its branch]
    #[arg(long, value_name = "SHA", value_parser = commit)]
    pub(crate) commit_id: Option<CommitId>,

    /// The GitOps commit before the push that is checked, to know a revert
    #[arg(long, value_name = "SHA", value_parser = commit)]
    pub(crate) before: Option<CommitId>,

    /// The promoted commit [default: what the GitOps commit tracks]
    #[arg(long, value_name = "SHA", value_parser = commit)]
    pub(crate) promoted_commit_id: Option<CommitId>,

    /// The GitOpsRepo to check, where there are several
    #[arg(long, value_name = "NAME")]
    pub(crate) gitops_repo: Option<String>,

    /// The environment to promote to afterwards [default: the Environment's `next`]
    #[arg(long, value_name = "NAME", value_parser = environment)]
    pub(crate) next_environment: Option<String>,

    /// Whether to promote when the check succeeds
    #[arg(long, num_args = 0..=1, default_value_t = true, default_missing_value = "true", value_name = "BOOL", action = ArgAction::Set)]
    pub(crate) promote: bool,

    /// How long clusters have to apply the commit
    #[arg(long, value_name = "DURATION", default_value = "60m", value_parser = duration)]
    pub(crate) timeout: Duration,

    /// The time between two looks at the clusters
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    pub(crate) poll_interval: Duration,

    /// How long a configuration must stay Non-Compliant to have failed: a duration, or `auto` for its own intervals
    #[arg(long, value_name = "DURATION", default_value = "auto", value_parser = grace)]
    pub(crate) grace: Grace,

    /// Fewer clusters than this are a failure
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) min_clusters: usize,

    /// What a suspended configuration means
    #[arg(long, value_name = "HOW", default_value = "ignore")]
    pub(crate) on_suspended: Trouble,

    /// What a cluster that cannot be reached means
    #[arg(long, value_name = "HOW", default_value = "wait")]
    pub(crate) on_disconnected: Trouble,

    /// What held deployment targets mean
    #[arg(long, value_name = "HOW", default_value = "promote")]
    pub(crate) on_held: OnHeld,

    /// Fail if a cluster type has no configuration that follows the branch
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) require_cluster_types: bool,

    /// The workflow that promotes to the next environment; empty: none
    #[arg(long, value_name = "FILE", default_value = "promote.yml")]
    pub(crate) promote_workflow: String,
}

/// What is done about a configuration that cannot get there by itself.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Trouble {
    /// It does not count, as long as others of its cluster type do
    Ignore,
    /// It is waited for
    Wait,
    /// It has failed
    Fail,
}

impl From<Trouble> for OnTrouble {
    fn from(trouble: Trouble) -> OnTrouble {
        match trouble {
            Trouble::Ignore => OnTrouble::Ignore,
            Trouble::Wait => OnTrouble::Wait,
            Trouble::Fail => OnTrouble::Fail,
        }
    }
}

/// What held deployment targets mean for a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnHeld {
    /// The rest is promoted
    Promote,
    /// The check fails
    Fail,
}

/// Flags of `promote`.
#[derive(Debug, Args)]
pub(crate) struct PromoteArgs {
    #[command(flatten)]
    pub(crate) plane: PlaneArgs,

    #[command(flatten)]
    pub(crate) access: AccessArgs,

    /// Decide and say everything, write nothing
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) dry_run: bool,

    /// The commit to promote [default: the pushed commit, else the head of the base branch]
    #[arg(long, value_name = "SHA", value_parser = commit)]
    pub(crate) commit_id: Option<CommitId>,

    /// Promote a commit that is older than the one that is promoted now
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) allow_rollback: bool,

    /// Promote a commit that the preceding environment has not shown to be deployed
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) skip_check: bool,

    /// How the environment's branch is changed
    #[arg(long, value_name = "HOW", default_value = "push")]
    pub(crate) promotion: Promotion,

    /// The workflow that schedules afterwards; empty: none
    #[arg(long, value_name = "FILE", default_value = "schedule.yml")]
    pub(crate) schedule_workflow: String,
}

/// How an environment's branch is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Promotion {
    /// At once, where the branch allows it
    Push,
    /// By a pull request
    PullRequest,
}

/// Flags of `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) plane: PlaneArgs,

    #[command(flatten)]
    pub(crate) access: AccessArgs,

    #[command(flatten)]
    pub(crate) azure: AzureArgs,

    /// The GitOps commit to compare with [default: the head of its branch]
    #[arg(long, value_name = "SHA", value_parser = commit)]
    pub(crate) commit_id: Option<CommitId>,

    /// The GitOpsRepo to look at, where there are several
    #[arg(long, value_name = "NAME")]
    pub(crate) gitops_repo: Option<String>,

    /// How to write the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

/// Flags of what follows a step that was cancelled.
#[derive(Debug, Args)]
pub(crate) struct FinishArgs {
    #[command(flatten)]
    pub(crate) plane: PlaneArgs,

    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

fn commit(text: &str) -> Result<CommitId, String> {
    CommitId::new(text.trim()).ok_or_else(|| "write all 40 digits of a commit's name".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let read = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    read.ok_or_else(|| "write a duration such as 90s, 30m or 1h30m".to_owned())
}

fn grace(text: &str) -> Result<Grace, String> {
    match text {
        "auto" => Ok(Grace::Auto),
        "0" => Ok(Grace::Fixed(Duration::ZERO)),
        other => duration(other).map(Grace::Fixed),
    }
}

fn list(text: &str) -> Result<List, String> {
    let names = text.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty());
    Ok(List(names.map(str::to_owned).collect()))
}
