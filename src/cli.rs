//! The command line; in a GitHub Action, every flag also reads the input of its name.

#[cfg(test)]
mod reference;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use fleet::{FailurePolicy, ManifestChecks};
use jiff::SignedDuration;
use rollout::{CommitId, Grace, OnTrouble};

use crate::exit::Failure;
use crate::world::runner::STARTED;

/// Computes, from what platform and application teams wrote, the manifests that every type of cluster must hold.
#[derive(Debug, Parser)]
#[command(name = "kalypso", version, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compute an environment's manifests and write what differs
    Schedule(ScheduleArgs),
    /// Wait until clusters have applied a GitOps commit, then hand over to the next environment
    Checkpromote(CheckArgs),
    /// Write a promoted commit into an environment, and have it scheduled
    Promote(PromoteArgs),
    /// Show how the clusters of an environment stand now
    Status(StatusArgs),
    /// Check a control plane without writing anything
    Validate(ValidateArgs),
    /// Say why a deployment target is where it is, and how its config came about
    Explain(ExplainArgs),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// End what an Action's step that was cancelled left open
    #[command(hide = true)]
    Finish(FinishArgs),
}

/// Where a control plane is read from.
#[derive(Debug, Args)]
pub(crate) struct PlaneArgs {
    /// The environment [default: to promote, the first one; to schedule in an Action, the one whose branch runs]
    #[arg(long, value_name = "NAME", value_parser = environment)]
    pub(crate) environment: Option<String>,

    /// Folder with the content of the environment's branch [default: the workspace in an Action, else .]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) control_plane: Option<PathBuf>,

    /// Read this branch or commit of the folder's repository instead of its files
    #[arg(long, value_name = "REF")]
    pub(crate) control_plane_ref: Option<String>,

    /// Read this repository from a folder; once for each repository
    #[arg(long = "repo", value_name = "URL=FOLDER", value_parser = repo_folder)]
    pub(crate) repos: Vec<RepoFolder>,
}

/// Who reads and writes repositories, and how.
#[derive(Debug, Args)]
pub(crate) struct AccessArgs {
    /// The control plane's repository: OWNER/NAME [default: GITHUB_REPOSITORY, else the folder's origin]
    #[arg(long, value_name = "OWNER/NAME", value_parser = repository)]
    pub(crate) control_plane_repo: Option<String>,

    /// Token for the control plane's repository
    #[arg(long, value_name = "TOKEN")]
    pub(crate) github_token: Option<Secret>,

    /// Token for the GitOps repositories, or lines URL-PREFIX=TOKEN [default: --github-token]
    #[arg(long, value_name = "TOKEN")]
    pub(crate) gitops_token: Option<Secret>,

    /// Tokens for the repositories of applications and bases: lines URL-PREFIX=TOKEN
    #[arg(long, value_name = "LINES")]
    pub(crate) repo_tokens: Option<Secret>,

    /// A GitHub App that makes the tokens
    #[arg(long, value_name = "ID", requires = "app_private_key")]
    pub(crate) app_id: Option<String>,

    /// The App's private key, as PEM text
    #[arg(long, value_name = "PEM", requires = "app_id")]
    pub(crate) app_private_key: Option<Secret>,

    /// More certificates to trust, as a PEM file
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,

    /// Make no request at all: what no folder is given for cannot be read
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) offline: bool,
}

/// A text that must not be seen.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret(text.trim().to_owned())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

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

/// A repository that is read from a folder.
#[derive(Clone, Debug)]
pub(crate) struct RepoFolder {
    pub(crate) url: String,
    pub(crate) folder: PathBuf,
}

fn repo_folder(text: &str) -> Result<RepoFolder, String> {
    match text.split_once('=') {
        Some((url, folder)) if !url.is_empty() && !folder.is_empty() => {
            Ok(RepoFolder { url: url.trim().to_owned(), folder: folder.trim().into() })
        }
        _ => Err("write URL=FOLDER, such as https://github.com/contoso/app=../app".to_owned()),
    }
}

fn repository(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('/').collect();
    let is_name = |part: &&str| {
        !part.is_empty()
            && !matches!(*part, "." | "..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match parts.len() == 2 && parts.iter().all(is_name) {
        true => Ok(text.to_owned()),
        false => Err("write OWNER/NAME, such as contoso/control-plane".to_owned()),
    }
}

fn environment(name: &str) -> Result<String, String> {
    match fleet::labels::name_error(name) {
        None => Ok(name.to_owned()),
        Some(problem) => Err(problem),
    }
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

/// The command of these arguments, or what to print instead.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Command, clap::Error> {
    let mut command = Cli::command();
    let mode = arguments.first().and_then(|name| command.find_subcommand(name)).cloned();
    let matches = command
        .try_get_matches_from_mut([OsString::from("kalypso")].into_iter().chain(arguments))
        .map_err(|error| with_valid_names(error, &command, mode.as_ref()))?;
    Ok(Cli::from_arg_matches(&matches)?.command)
}

/// An unknown mode or flag is answered with those that there are.
fn with_valid_names(
    mut error: clap::Error,
    command: &clap::Command,
    mode: Option<&clap::Command>,
) -> clap::Error {
    let valid = match (error.kind(), mode) {
        (ErrorKind::InvalidSubcommand, _) => {
            let shown = command.get_subcommands().filter(|mode| !mode.is_hide_set());
            let names: Vec<&str> = shown.map(clap::Command::get_name).collect();
            format!("the modes are {}", names.join(", "))
        }
        (ErrorKind::UnknownArgument, Some(mode)) => {
            let flags: Vec<String> = flags(mode).map(|flag| format!("--{flag}")).collect();
            format!("the flags of `{}` are {}", mode.get_name(), flags.join(", "))
        }
        _ => return error,
    };
    let mut tips = match error.remove(ContextKind::Suggested) {
        Some(ContextValue::StyledStrs(tips)) => tips,
        _ => Vec::new(),
    };
    tips.push(valid.into());
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    error
}

fn flags(mode: &clap::Command) -> impl Iterator<Item = &str> {
    mode.get_arguments().filter_map(|argument| argument.get_long())
}

/// The arguments as given, and for flags that are not, the Action's inputs. Empty ones count as absent.
/// In an Action, an input that no mode knows is an error.
pub(crate) fn arguments(
    given: impl Iterator<Item = OsString>,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<OsString>, Failure> {
    let command = Cli::command();
    let mut arguments: Vec<OsString> = Vec::new();
    for argument in given {
        // An Action passes what is not set as an empty text, which takes the flag before it along.
        match argument.is_empty() && !arguments.last().is_some_and(may_be_empty) {
            true => drop(arguments.pop_if(|last| wants_value(&command, last))),
            false => arguments.push(argument),
        }
    }
    let environment: BTreeMap<String, String> = environment
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let inputs: BTreeMap<String, &str> = environment
        .iter()
        .filter_map(|(name, value)| Some((input_name(name)?, value.as_str())))
        .filter(|(name, value)| !value.is_empty() || MAY_BE_EMPTY.contains(&&**name))
        .collect();
    if environment.get("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        refuse_unknown(&inputs, &command)?;
    }
    if environment.contains_key(&format!("STATE_{STARTED}")) {
        // What follows a step is started with the same inputs; only what the step has kept tells them apart.
        arguments = vec!["finish".into()];
    }
    if let (true, Some(mode)) = (arguments.is_empty(), inputs.get("mode")) {
        arguments.push(mode.into());
    }
    let Some(mode) = arguments.first().and_then(|name| command.find_subcommand(name)) else {
        return Ok(arguments);
    };
    for argument in mode.get_arguments() {
        let Some(name) = argument.get_long() else { continue };
        let flag = format!("--{name}");
        let is_given = |argument: &OsString| {
            argument.to_str().is_some_and(|text| text == flag || text.starts_with(&format!("{flag}=")))
        };
        let Some(value) = inputs.get(name).filter(|_| !arguments.iter().any(is_given)) else { continue };
        if let ArgAction::Append = argument.get_action() {
            let lines = value.lines().map(str::trim).filter(|line| !line.is_empty());
            arguments.extend(lines.map(|line| format!("{flag}={line}").into()));
        } else {
            arguments.push(format!("{flag}={}", value.trim()).into());
        }
    }
    Ok(arguments)
}

/// Flags of which an empty value is one: no workflow at all.
const MAY_BE_EMPTY: [&str; 2] = ["promote-workflow", "schedule-workflow"];

fn may_be_empty(argument: &OsString) -> bool {
    argument
        .to_str()
        .and_then(|text| text.strip_prefix("--"))
        .is_some_and(|name| MAY_BE_EMPTY.contains(&name))
}

/// The flag that an input stands for. Where a shell cannot set a name with `-`, it may stand there with `_`.
fn input_name(variable: &str) -> Option<String> {
    Some(variable.strip_prefix("INPUT_")?.to_lowercase().replace('_', "-"))
}

/// Whether an argument is a flag whose value has to follow.
fn wants_value(command: &clap::Command, argument: &OsString) -> bool {
    let Some(name) = argument.to_str().and_then(|text| text.strip_prefix("--")) else { return false };
    let takes_one = |flag: &clap::Arg| flag.get_action().takes_values() && !flag.is_require_equals_set();
    let mut flags = command.get_subcommands().flat_map(clap::Command::get_arguments);
    flags.any(|flag| flag.get_long() == Some(name) && takes_one(flag))
}

fn refuse_unknown(inputs: &BTreeMap<String, &str>, command: &clap::Command) -> Result<(), Failure> {
    let known: BTreeSet<&str> = command.get_subcommands().flat_map(flags).chain(["mode"]).collect();
    let Some(unknown) = inputs.keys().find(|name| !known.contains(name.as_str())) else { return Ok(()) };
    let known = known.into_iter().collect::<Vec<_>>().join(", ");
    Err(Failure::usage(format!("unknown input `{unknown}`"), format!("the inputs are {known}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(given: &[&str], inputs: &[(&str, &str)]) -> Vec<String> {
        let given = given.iter().map(OsString::from);
        let inputs = inputs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        arguments(given, inputs)
            .unwrap()
            .into_iter()
            .map(|argument| argument.into_string().unwrap())
            .collect()
    }

    #[test]
    fn inputs_become_flags() {
        let cases: [(&[&str], &[(&str, &str)], &[&str], &str); 7] = [
            (
                &[""],
                &[("INPUT_MODE", "schedule"), ("INPUT_OUT", "gitops")],
                &["schedule", "--out=gitops"],
                "all from inputs",
            ),
            (&["schedule", "--out", "a"], &[("INPUT_OUT", "b")], &["schedule", "--out", "a"], "a flag wins"),
            (&["schedule"], &[("INPUT_OUT", ""), ("OUT", "x")], &["schedule"], "an empty input is absent"),
            (&["schedule", "--out", "", "--strict"], &[], &["schedule", "--strict"], "an empty value, too"),
            (&["schedule", "--dry-run", ""], &[], &["schedule", "--dry-run"], "a flag without a value stays"),
            (
                &["schedule"],
                &[("INPUT_REPO", "a=b\n\n c=d \n")],
                &["schedule", "--repo=a=b", "--repo=c=d"],
                "several lines",
            ),
            (&["validate"], &[("INPUT_OUT", "b")], &["validate"], "another mode's input"),
        ];
        for (given, inputs, want, why) in cases {
            assert_eq!(run(given, inputs), want, "{why}");
        }
    }

    #[test]
    fn an_unknown_input_is_refused_in_an_action() {
        let action = |name: &str| {
            let inputs = [("GITHUB_ACTIONS", "true"), (name, "x")];
            let inputs = inputs.map(|(name, value)| (OsString::from(name), OsString::from(value)));
            arguments([OsString::from("schedule")].into_iter(), inputs.into_iter())
        };
        assert!(action("INPUT_ENVIROMENT").is_err());
        assert!(action("INPUT_STRICT").is_ok(), "another mode's input is known");
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
