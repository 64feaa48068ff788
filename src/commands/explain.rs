//! `kalypso explain`: why a target is where it is, and how its config came about.

use fleet::explain::Question;
use fleet::{Diagnostic, ManifestChecks};
use report::ExplanationReport;

use super::load;
use crate::cli::{ExplainArgs, Format};
use crate::exit::{Exit, Failure};

/// Answers one question.
pub(crate) fn run(arguments: &ExplainArgs) -> Result<Exit, Failure> {
    let plane = load::control_plane(&arguments.plane)?;
    if plane.problems.iter().any(Diagnostic::is_error) {
        eprint!("{}", report::problems(plane.problems.iter()));
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
            eprint!("{}", report::problems([&unknown].into_iter()));
            return Ok(Exit::Usage);
        }
    };
    match arguments.format {
        Format::Text => print!("{}", report::explanation(&explanation)),
        Format::Json => {
            let json = serde_json::to_string_pretty(&ExplanationReport::new(&explanation));
            println!("{}", json.map_err(|error| Failure::world(error, "please report this"))?);
        }
    }
    Ok(Exit::Done)
}
