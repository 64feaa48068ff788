//! `kalypso`: arguments → mode → exit code.

mod cli;
mod commands;
mod exit;
mod publish;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match cli::arguments(std::env::args_os().skip(1), std::env::vars_os()) {
        Ok(arguments) => arguments,
        Err(failure) => return failure.report().into(),
    };
    match cli::parse(arguments) {
        Ok(command) => commands::run(command).unwrap_or_else(|failure| failure.report()).into(),
        Err(usage) => usage.exit(),
    }
}
