//! `kalypso validate`: everything that can be wrong with a control plane, without writing anything.

use fleet::{Diagnostic, ManifestChecks, RepoPath, Tree};

use super::load;
use crate::cli::ValidateArgs;
use crate::exit::{Exit, Failure};

/// Checks a control plane.
pub(crate) fn run(arguments: &ValidateArgs) -> Result<Exit, Failure> {
    let plane = load::control_plane(&arguments.plane)?;
    let problems = if plane.problems.iter().any(Diagnostic::is_error) {
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
    let mut problems = problems;
    problems.sort();
    problems.dedup();
    eprint!("{}", report::problems(problems.iter()));
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    let warnings = problems.len() - errors;
    println!(
        "{}: {}, {}",
        arguments.plane.environment,
        report::counted(errors, "error"),
        report::counted(warnings, "warning")
    );
    let fails = errors > 0 || (arguments.strict && warnings > 0);
    Ok(if fails { Exit::Input } else { Exit::Done })
}
