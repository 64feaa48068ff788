//! `kalypso schedule`: control plane → assignments → tree → what differs.

use fleet::{Diagnostic, Outcome, Placement, RepoPath};
use report::Report;

use super::load::{self, Loaded};
use crate::cli::{FailurePolicy, ScheduleArgs};
use crate::exit::{Exit, Failure};
use crate::world::{file, out::Out, terminal};

/// Computes an environment and writes what differs.
pub(crate) fn run(arguments: &ScheduleArgs) -> Result<Exit, Failure> {
    arguments.report.as_deref().map(file::check).transpose()?;
    let Loaded { plane, folders } = load::control_plane(&arguments.plane)?;
    let out = arguments.out.as_deref().map(|out| Out::new(out, &folders)).transpose()?;
    if plane.problems.iter().any(Diagnostic::is_error) {
        return refuse(arguments, plane.problems.iter());
    }
    let outcome = fleet::compute(plane, arguments.manifest_checks.into());
    let root = root(&outcome);
    let current = out.as_ref().map(Out::tree).transpose()?.unwrap_or_default();
    let placement = outcome.place(&current, &root);
    let changes = current.changes_to(&placement.tree);

    let verdict = verdict(arguments, &outcome, &placement);
    if let (Verdict::Publish(_), Some(out)) = (&verdict, &out) {
        out.write(&changes)?;
    }
    write_report(arguments, &Report::new(&outcome, &placement, &root, &changes))?;
    let mut problems: Vec<&Diagnostic> = outcome.problems().chain(&placement.problems).collect();
    problems.sort();
    terminal::complain(&report::problems(problems));
    terminal::say(&report::schedule(&outcome, &placement, &changes));
    Ok(match verdict {
        Verdict::Publish(exit) => exit,
        Verdict::Refuse(why) => {
            terminal::complain(&format!("error: {why}; nothing is written\n"));
            Exit::Input
        }
    })
}

/// Whether the tree may be published, and how the run ends.
enum Verdict {
    Publish(Exit),
    Refuse(&'static str),
}

fn verdict(arguments: &ScheduleArgs, outcome: &Outcome, placement: &Placement) -> Verdict {
    if placement.problems.iter().any(Diagnostic::is_error) {
        return Verdict::Refuse("the GitOps branch cannot take this tree");
    }
    let is_whole = placement.held.is_empty() && !outcome.problems().any(Diagnostic::is_error);
    match (is_whole, arguments.failure_policy, arguments.fail_on_held) {
        (false, FailurePolicy::Block, _) => {
            Verdict::Refuse("something would be held, and --failure-policy is block")
        }
        (false, FailurePolicy::Hold, true) => Verdict::Publish(Exit::Input),
        _ => Verdict::Publish(Exit::Done),
    }
}

/// The folder of the GitOps branch that is ours: the first GitOpsRepo's path.
fn root(outcome: &Outcome) -> RepoPath {
    let first = outcome.plane.gitops_repos.first();
    first.and_then(|repo| RepoPath::new(&repo.at.path).ok()).unwrap_or_default()
}

fn refuse<'a>(
    arguments: &ScheduleArgs,
    problems: impl Iterator<Item = &'a Diagnostic> + Clone,
) -> Result<Exit, Failure> {
    let errors = problems.clone().filter(|problem| problem.is_error()).count();
    let errors =
        format!("error: the control plane has {}; nothing is written\n", report::counted(errors, "error"));
    terminal::complain(&(report::problems(problems.clone()) + &errors));
    write_report(arguments, &Report::failed(&arguments.plane.environment, problems))?;
    Ok(Exit::Input)
}

fn write_report(arguments: &ScheduleArgs, report: &Report) -> Result<(), Failure> {
    let Some(path) = &arguments.report else { return Ok(()) };
    let text =
        serde_json::to_string_pretty(report).map_err(|error| Failure::world(error, "please report this"))?;
    file::write(path, (text + "\n").as_bytes())
}
