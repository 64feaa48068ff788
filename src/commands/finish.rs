//! `kalypso finish`: the end of an Action's step, which comes even if the step was cancelled.

use crate::check::ledger;
use crate::cli::FinishArgs;
use crate::exit::{Exit, Failure};
use crate::world::World;

/// Ends the status that the step left open.
pub(crate) fn run(arguments: &FinishArgs) -> Result<Exit, Failure> {
    let Some(entry) = ledger::left_open() else { return Ok(Exit::Done) };
    let world = World::new(&arguments.plane, Some(&arguments.access))?;
    if let Some(access) = &world.access {
        entry.end_if_open(access)?;
    }
    Ok(Exit::Done)
}
