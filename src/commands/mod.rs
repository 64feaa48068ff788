//! One file for each mode.

pub(crate) mod chain;
mod checkpromote;
mod completions;
mod explain;
mod finish;
mod load;
mod promote;
mod schedule;
mod status;
mod validate;

use crate::cli::Command;
use crate::exit::{Exit, Failure};
use crate::world::interrupt::Interrupt;

/// Carries out a command.
pub(crate) fn run(command: Command, interrupt: &Interrupt) -> Result<Exit, Failure> {
    match command {
        Command::Schedule(arguments) => schedule::run(&arguments),
        Command::Checkpromote(arguments) => checkpromote::run(&arguments, interrupt),
        Command::Promote(arguments) => promote::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Completions { shell } => completions::run(shell),
        Command::Finish(arguments) => finish::run(&arguments),
    }
}
