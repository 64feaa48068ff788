//! One file for each mode.

mod completions;
mod explain;
mod load;
mod schedule;
mod validate;

use crate::cli::Command;
use crate::exit::{Exit, Failure};

/// Carries out a command.
pub(crate) fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Schedule(arguments) => schedule::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Completions { shell } => completions::run(shell),
    }
}
