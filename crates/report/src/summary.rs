//! The summary of a run, as a workflow's page shows it.

use fleet::{Diagnostic, Outcome, Placement, Severity};
use minijinja::{Value, context};

use crate::changes::Changes;
use crate::document::render;
use crate::markdown::{block, cell, code, link};
use crate::places::some_of;
use crate::pull_request::{Links, alarms, problems, sections};
use crate::section::{Section, fit};
use crate::terminal::{counted, plain};

/// GitHub drops a summary over 1 MiB as a whole.
pub(crate) const MAX_SUMMARY: usize = 1_000_000;
/// Room for everything but the lists.
pub(crate) const FRAME: usize = 50_000;
/// The lists of this many branches are shown; others are named.
const BRANCHES: usize = 8;
/// A table with more rows has to be unfolded.
pub(crate) const UNFOLDED_ROWS: usize = 40;
/// This many policies of an assignment are named.
const POLICIES: usize = 5;

/// What a run decided and did.
#[derive(Clone, Debug)]
pub struct Summary<'a> {
    /// What was computed
    pub outcome: &'a Outcome,
    /// What became of each GitOps branch
    pub branches: Vec<BranchSummary<'a>>,
    /// Issues that are open
    pub issues: Vec<Link>,
    /// What a dry run would do; nothing for a run that does it
    pub steps: Option<Vec<String>>,
    /// Where to look things up
    pub links: Links,
}

/// What became of a GitOps branch.
#[derive(Clone, Debug)]
pub struct BranchSummary<'a> {
    /// Its name
    pub name: String,
    /// What it must hold
    pub placement: &'a Placement,
    /// What changes
    pub changes: &'a Changes,
    /// Its pull request
    pub pull_request: Option<Link>,
}

/// A web address and what people call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it is called
    pub text: String,
    /// The address
    pub url: String,
}

/// The summary of a run as Markdown, always below 1,000,000 bytes.
pub fn summary(summary: &Summary<'_>) -> String {
    let Summary { outcome, branches, issues, steps, links } = summary;
    let schedule = &outcome.schedule;
    let room = (MAX_SUMMARY - FRAME) / 2;
    let shown_branches = branches.len().clamp(1, BRANCHES);
    let views: Vec<Value> =
        branches.iter().take(BRANCHES).map(|branch| view(branch, links, room / shown_branches)).collect();
    let mut found: Vec<&Diagnostic> = outcome.problems().collect();
    found.extend(branches.iter().flat_map(|branch| &branch.placement.problems));
    found.sort_by_key(|problem| (problem.severity, *problem));
    found.dedup();
    let steps_section =
        Section::new(steps.as_deref().unwrap_or_default(), |step| format!("1. {}\n", code(step)));
    let issues = Section::new(issues, |issue| format!("- {}\n", issue.markdown()));
    let assignments = Section::new(&schedule.assignments, |assignment| {
        let kind = &schedule.cluster_types[assignment.cluster_type as usize].meta.name;
        let target = &schedule.targets[assignment.target as usize].name;
        let policies =
            assignment.policies.iter().map(|index| &*outcome.plane.policies[*index as usize].meta.name);
        format!(
            "| {} | {} | {} |\n",
            cell(kind),
            cell(target),
            some_of(policies, POLICIES).replace('|', "\\|")
        )
    });
    let [steps_shown, issues, problems, assignments] =
        fit([steps_section, issues, problem_section(&found), assignments], room);
    render(
        "summary",
        context! {
            environment => code(&outcome.plane.environment),
            headline => headline(summary),
            steps => steps.as_ref().map(|_| steps_shown),
            branches => views,
            more_branches => branches.len().saturating_sub(BRANCHES),
            issues,
            problems,
            assignments,
            unfolded => UNFOLDED_ROWS,
            rest => links.rest(),
        },
    )
}

/// The summary of a run that ended on problems of its input.
pub fn failure<'a>(environment: &str, problems: impl IntoIterator<Item = &'a Diagnostic>) -> String {
    let mut found: Vec<&Diagnostic> = problems.into_iter().collect();
    found.sort_by_key(|problem| (problem.severity, *problem));
    let errors = found.iter().filter(|problem| problem.is_error()).count();
    let [problems] = fit([problem_section(&found)], MAX_SUMMARY - FRAME);
    render(
        "failure",
        context! {
            environment => code(environment),
            headline => format!("The control plane has **{}**.", counted(errors, "error")),
            problems,
            rest => "the run's log names all",
        },
    )
}

/// What the summary of a run that ended early adds.
pub fn ended_early(problem: &Diagnostic) -> String {
    format!("\n**The run ended early.**\n\n{}\n", block(&crate::terminal::problems([problem])))
}

fn headline(Summary { outcome, branches, .. }: &Summary<'_>) -> String {
    let schedule = &outcome.schedule;
    let held: usize = branches.iter().map(|branch| branch.changes.held_count()).sum();
    format!(
        "{}, {}, {held} held",
        counted(schedule.cluster_types.len(), "cluster type"),
        counted(schedule.assignments.len(), "assignment")
    )
}

fn view(branch: &BranchSummary<'_>, links: &Links, room: usize) -> Value {
    let BranchSummary { name, changes, pull_request, .. } = branch;
    let [targets, values, lines, held] = sections(changes, links);
    let [values, targets, held, lines] = fit([values, targets, held, lines], room);
    context! {
        name => code(name),
        headline => changes.headline(),
        pull_request => pull_request.as_ref().map(Link::markdown),
        alarms => alarms(changes),
        targets,
        values,
        lines,
        held,
    }
}

/// Problems of the run, each in a block; errors come first.
fn problem_section(found: &[&Diagnostic]) -> Section {
    Section::new(found, |problem| {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        format!("{severity}\n{}", problems(std::slice::from_ref(*problem), 1))
    })
}

impl Link {
    pub(crate) fn markdown(&self) -> String {
        link(&code(&plain(&self.text)), &self.url)
    }
}
