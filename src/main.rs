//! `kalypso`: arguments → mode → exit code.

mod check;
mod cli;
mod commands;
mod exit;
mod publish;
mod world;

use std::process::ExitCode;

use crate::world::interrupt::Interrupt;
use crate::world::runner;

fn main() -> ExitCode {
    // First of all: the end of an Action's step must not take a step that was called wrongly for one still to come.
    let arguments = runner::remember_start()
        .and_then(|()| cli::arguments(std::env::args_os().skip(1), std::env::vars_os()));
    let command = match arguments.map(cli::parse) {
        Ok(Ok(command)) => command,
        Ok(Err(usage)) => usage.exit(),
        Err(failure) => return failure.report().into(),
    };
    commands::run(command, &Interrupt::listen()).unwrap_or_else(|failure| failure.report()).into()
}
