//! `kalypso validate`: everything that can be wrong with a control plane, without writing anything.

use fleet::{Diagnostic, ManifestChecks, RepoPath, Severity, Tree};

use super::load;
use crate::cli::ValidateArgs;
use crate::exit::{Exit, Failure};
use crate::world::{World, terminal};

/// Checks a control plane.
pub(crate) fn run(arguments: &ValidateArgs) -> Result<Exit, Failure> {
    let plane = load::plane(&arguments.plane, &World::offline(&arguments.plane)?)?;
    let environment = plane.environment.clone();
    let texts = plane.texts.clone();
    let mut problems = if plane.problems.iter().any(Diagnostic::is_error) {
        plane.problems
    } else {
        let outcome = fleet::compute(plane, ManifestChecks::Error);
        let placement = outcome.place(&Tree::default(), &RepoPath::default());
        let held =
            placement.held.iter().flat_map(|held| held.problems.iter().map(|problem| (**problem).clone()));
        let mut problems: Vec<Diagnostic> =
            outcome.problems().cloned().chain(held).chain(placement.problems.clone()).collect();
        problems.extend(outcome.without_effect());
        problems
    };
    if arguments.strict {
        problems.iter_mut().for_each(|problem| problem.severity = Severity::Error);
    }
    problems.sort();
    problems.dedup();
    terminal::complain_of(&problems, &texts);
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    let warnings = problems.len() - errors;
    let counts = (report::counted(errors, "error"), report::counted(warnings, "warning"));
    terminal::say(&format!("{environment}: {}, {}\n", counts.0, counts.1));
    Ok(if errors > 0 { Exit::Input } else { Exit::Done })
}
