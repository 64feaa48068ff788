//! `kalypso completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Exit, Failure};
use crate::world::terminal;

/// Prints completions for `shell`.
pub(crate) fn run(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kalypso", &mut script);
    terminal::say(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
