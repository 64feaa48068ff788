//! `kalypso completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Exit, Failure};

/// Prints completions for `shell`.
pub(crate) fn run(shell: Shell) -> Result<Exit, Failure> {
    clap_complete::generate(shell, &mut Cli::command(), "kalypso", &mut std::io::stdout());
    Ok(Exit::Done)
}
