//! The command line; in a GitHub Action, every flag also reads the input of its name.

mod chain;
mod inputs;
mod plane;
#[cfg(test)]
mod reference;
mod schedule;

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use self::chain::{
    AzureArgs, AzureCloud, CheckArgs, FinishArgs, OnHeld, PromoteArgs, Promotion, StatusArgs,
};
pub(crate) use self::inputs::arguments;
pub(crate) use self::plane::{AccessArgs, PlaneArgs, RepoFolder, Secret};
pub(crate) use self::schedule::{ExplainArgs, Format, ScheduleArgs, ValidateArgs};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
