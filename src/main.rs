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
    let arguments = match cli::arguments(std::env::args_os().skip(1), std::env::vars_os()) {
        Ok(arguments) => arguments,
        Err(failure) => return failure.report().into(),
    };
    match cli::parse(arguments) {
        Ok(command) => run(command).unwrap_or_else(|failure| failure.report()).into(),
        Err(usage) => usage.exit(),
    }
}

fn run(command: cli::Command) -> Result<exit::Exit, exit::Failure> {
    runner::remember_start()?;
    commands::run(command, &Interrupt::listen())
}
