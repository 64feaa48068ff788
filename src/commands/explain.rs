//! `kalypso explain`: why a target is where it is, and how its config came about.

use fleet::explain::Question;
use fleet::{Diagnostic, ManifestChecks};
use report::ExplanationReport;

use super::load;
use crate::cli::{ExplainArgs, Format};
use crate::exit::{Exit, Failure};
use crate::world::{World, terminal};

/// Answers one question.
pub(crate) fn run(arguments: &ExplainArgs) -> Result<Exit, Failure> {
    let plane = load::plane(&arguments.plane, &World::offline(&arguments.plane)?)?;
    if plane.problems.iter().any(Diagnostic::is_error) {
        terminal::complain_of(&plane.problems, &plane.texts);
        return Ok(Exit::Input);
    }
    let outcome = fleet::compute(plane, ManifestChecks::Off);
    let question = Question {
        target: &arguments.target,
        cluster_type: arguments.cluster_type.as_deref(),
        key: arguments.key.as_deref(),
    };
    let explanation = match outcome.explain(&question) {
        Ok(explanation) => explanation,
        Err(unknown) => {
            terminal::complain(&report::problems([&unknown]));
            return Ok(Exit::Usage);
        }
    };
    match arguments.format {
        Format::Text => terminal::say(&report::explanation(&explanation)),
        Format::Json => terminal::say(&terminal::json(&ExplanationReport::new(&explanation))?),
    }
    Ok(Exit::Done)
}
