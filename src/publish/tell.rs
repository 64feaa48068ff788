//! Telling what a run decided and did: report file, log, annotations, job summary, outputs.

use fleet::{ControlPlane, Diagnostic, Outcome, RepoRef};
use report::{BranchSummary, GitOpsRepoReport, Link, Links, Report, SourceLink, Summary};

use super::{Destination, Mode, Place, Published};
use crate::cli::ScheduleArgs;
use crate::exit::{Exit, Failure};
use crate::world::github::Repo;
use crate::world::{World, file, git, runner, terminal};

/// Tells how far a run came.
pub(crate) fn tell(
    arguments: &ScheduleArgs,
    world: &World,
    outcome: &Outcome,
    destinations: &[Destination],
    published: &[Published],
    links: &Links,
) -> Result<(), Failure> {
    write_report(arguments, &report_of(outcome, destinations, published))?;
    let placed = destinations.iter().flat_map(|destination| &destination.placement.problems);
    let mut problems: Vec<&Diagnostic> = outcome.problems().chain(placed).collect();
    problems.sort();
    problems.dedup();
    terminal::complain_of(problems.iter().copied(), &outcome.plane.texts);
    annotate(world, outcome, destinations);
    for (destination, published) in destinations.iter().zip(published) {
        terminal::say(&log(world, outcome, destination, published, Mode::of(arguments)));
    }
    summarize(outcome, destinations, published, links, Mode::of(arguments))?;
    set_outputs(arguments, world, outcome, destinations, published)
}

/// Ends a run whose control plane is wrong in itself.
pub(crate) fn refuse(arguments: &ScheduleArgs, world: &World, plane: &ControlPlane) -> Result<Exit, Failure> {
    let problems: Vec<&Diagnostic> = plane.problems.iter().collect();
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    terminal::complain_of(problems.iter().copied(), &plane.texts);
    say_annotations(world, &problems);
    let errors = report::counted(errors, "error");
    terminal::complain(&format!("error: the control plane has {errors}; nothing is written\n"));
    write_report(arguments, &Report::failed(&plane.environment, plane.problems.iter()))?;
    runner::summarize(&report::failure(&plane.environment, &plane.problems))?;
    Ok(Exit::Input)
}

/// Ends a run of an Action on a branch that is no environment's.
pub(crate) fn tell_environments(world: &World, declared: &[String]) -> Result<Exit, Failure> {
    let json =
        serde_json::to_string(declared).map_err(|error| Failure::world(error, "please report this"))?;
    terminal::say(&format!(
        "this branch is no environment's; declared are {}\n",
        report::log_line(&declared.join(", "))
    ));
    world.runner.set_outputs(&[("environments", json)])?;
    Ok(Exit::Done)
}

/// Where people can look up what the texts of this run name.
pub(crate) fn links(arguments: &ScheduleArgs, outcome: &Outcome, world: &World) -> Links {
    let plane = &outcome.plane;
    let own = plane.environments.iter().find(|environment| environment.meta.name == plane.environment);
    let base = plane.promoted_base();
    let server = &world.runner.server;
    // Elsewhere, pages have other addresses.
    let page = |url: &str| Some(Repo::at(&git::remote_url(url).ok()?, server)?.url(server));
    let source = |at: &RepoRef, commit: Option<&str>| {
        Some(SourceLink {
            url: page(&at.repo)?.to_string(),
            branch: at.branch.clone(),
            commit: commit.map(str::to_owned),
            path: at.path.clone(),
        })
    };
    Links {
        control_plane: own.and_then(|environment| source(&environment.control_plane, None)),
        base: base.and_then(|base| source(&base.at, base.commit.as_deref())),
        report: arguments
            .report
            .as_ref()
            .and_then(|path| path.file_name())
            .map(|name| name.to_string_lossy().into()),
        run: world.runner.page.clone(),
    }
}

fn report_of(outcome: &Outcome, destinations: &[Destination], published: &[Published]) -> Report {
    let [first, ..] = destinations else { return Report::failed(&outcome.plane.environment, [].iter()) };
    let mut report = Report::new(outcome, &first.placement, &first.root, &first.changes);
    for (destination, published) in destinations.iter().zip(published) {
        let Some(branch) = destination.branch() else { continue };
        report.git_ops_repos.push(GitOpsRepoReport {
            name: branch.name.clone(),
            repo: branch.repo.to_string(),
            branch: branch.branch.clone(),
            path: destination.root.to_string(),
            tree_id: destination.placement.tree.id().to_string(),
            pull_request: published.pull.as_ref().map(|pull| pull.html_url.clone()),
        });
    }
    report
}

fn write_report(arguments: &ScheduleArgs, report: &Report) -> Result<(), Failure> {
    let Some(path) = &arguments.report else { return Ok(()) };
    let text =
        serde_json::to_string_pretty(report).map_err(|error| Failure::world(error, "please report this"))?;
    file::write(path, (text + "\n").as_bytes())
}

/// In an Action, problems as annotations. What is held, or cannot be read, is a warning: the run goes on.
fn annotate(world: &World, outcome: &Outcome, destinations: &[Destination]) {
    let held = destinations.iter().flat_map(|it| &it.placement.held).flat_map(|held| &held.problems);
    let held = held.map(|problem| as_warning(problem)).chain(outcome.problems().map(as_warning));
    let placed = destinations.iter().flat_map(|destination| &destination.placement.problems).cloned();
    let mut annotated: Vec<Diagnostic> = held.chain(placed).collect();
    annotated.sort();
    annotated.dedup();
    say_annotations(world, &annotated.iter().collect::<Vec<_>>());
}

fn say_annotations(world: &World, problems: &[&Diagnostic]) {
    if world.runner.is_action() {
        let file = |problem: &Diagnostic| world.file_in_workspace(problem);
        terminal::say(&report::annotations(problems.iter().copied(), file));
    }
}

fn as_warning(problem: &Diagnostic) -> Diagnostic {
    Diagnostic { severity: fleet::Severity::Warning, ..problem.clone() }
}

/// What a person sees of one destination.
fn log(
    world: &World,
    outcome: &Outcome,
    destination: &Destination,
    published: &Published,
    mode: Mode,
) -> String {
    let mut text = report::schedule(outcome, &destination.placement, &destination.changes);
    let title = match destination.branch() {
        Some(branch) => format!("{} {} ({})", branch.repo, branch.branch, destination.root),
        None => String::new(),
    };
    for step in &published.steps {
        let done = if mode == Mode::DryRun { "would " } else { "" };
        text += &format!("{done}{}\n", report::log_line(&step.to_string()));
    }
    for note in &published.notes {
        text += &format!("note: {}\n", report::log_line(note));
    }
    if let Some(pull) = &published.pull {
        text += &format!("pull request: {}\n", report::log_line(&pull.html_url));
    }
    match (world.runner.is_action(), title.is_empty()) {
        (true, false) => report::group(&title, &text),
        (true, true) => text.lines().map(|line| report::log_line(line) + "\n").collect(),
        (false, true) => text,
        (false, false) => format!("{title}\n{text}"),
    }
}

fn summarize(
    outcome: &Outcome,
    destinations: &[Destination],
    published: &[Published],
    links: &Links,
    mode: Mode,
) -> Result<(), Failure> {
    if !runner::has_summary() {
        return Ok(());
    }
    let branches = destinations.iter().zip(published).map(|(destination, published)| BranchSummary {
        name: match &destination.place {
            Place::Branch(branch) => format!("{}, branch {}", branch.repo, branch.branch),
            Place::Folder(_) => "the folder of --out".to_owned(),
            Place::Nowhere => "nothing yet".to_owned(),
        },
        placement: &destination.placement,
        changes: published.changes(outcome, destination),
        pull_request: published.pull.as_ref().map(|pull| Link {
            text: format!("#{} {}", pull.number, pull.title),
            url: pull.html_url.clone(),
        }),
    });
    let issues = published.iter().flat_map(|published| &published.issues);
    let steps =
        published.iter().flat_map(|it| it.steps.iter().map(ToString::to_string).chain(it.notes.clone()));
    let summary = Summary {
        outcome,
        branches: branches.collect(),
        issues: issues
            .map(|issue| Link {
                text: format!("#{} {}", issue.number, issue.title),
                url: issue.html_url.clone(),
            })
            .collect(),
        steps: (mode == Mode::DryRun).then(|| steps.collect()),
        links: links.clone(),
    };
    runner::summarize(&report::summary(&summary))
}

fn set_outputs(
    arguments: &ScheduleArgs,
    world: &World,
    outcome: &Outcome,
    destinations: &[Destination],
    published: &[Published],
) -> Result<(), Failure> {
    if !world.runner.has_outputs() {
        return Ok(());
    }
    let pulls: Vec<_> = published.iter().filter_map(|published| published.pull.as_ref()).collect();
    let listed: Vec<_> =
        pulls.iter().map(|pull| serde_json::json!({ "number": pull.number, "url": pull.html_url })).collect();
    let tree = destinations.first().map(|destination| destination.placement.tree.id().to_string());
    let held: usize = destinations.iter().map(|destination| destination.placement.held.len()).sum();
    let mut declared: Vec<&str> = outcome.plane.environments.iter().map(|it| &*it.meta.name).collect();
    declared.sort_unstable();
    let report = arguments.report.as_ref().map(|path| path.display().to_string());
    world.runner.set_outputs(&[
        ("changed", destinations.iter().any(|it| !it.changes.is_empty()).to_string()),
        ("tree-id", tree.unwrap_or_default()),
        ("assignments", outcome.schedule.assignments.len().to_string()),
        ("held", held.to_string()),
        ("pull-request-number", pulls.first().map(|pull| pull.number.to_string()).unwrap_or_default()),
        ("pull-request-url", pulls.first().map(|pull| pull.html_url.clone()).unwrap_or_default()),
        ("pull-requests", serde_json::Value::from(listed).to_string()),
        ("report", report.unwrap_or_default()),
        ("environments", serde_json::json!(declared).to_string()),
    ])
}
