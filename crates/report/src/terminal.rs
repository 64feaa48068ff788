//! What a person sees on a terminal.

use std::collections::BTreeMap;
use std::fmt::Write;

use fleet::{Changeset, Diagnostic, Outcome, Placement, Severity};

/// Above this many assignments, cluster types are counted instead of listed.
const MAX_ROWS: usize = 60;

/// What is scheduled where, what changes, what is held and why.
pub fn schedule(outcome: &Outcome, placement: &Placement, changes: &Changeset) -> String {
    let (plane, schedule) = (&outcome.plane, &outcome.schedule);
    let mut text = format!(
        "{}: {}, {}, {}\n",
        plane.environment,
        counted(schedule.cluster_types.len(), "cluster type"),
        counted(schedule.assignments.len(), "assignment"),
        held_count(placement.held.len()),
    );
    if schedule.assignments.len() <= MAX_ROWS {
        text += &assignments(outcome, placement);
    } else {
        text += &counts(outcome);
    }
    text += &held(placement);
    let Changeset { added, modified, removed } = changes;
    let _ = match changes.is_empty() {
        true => writeln!(text, "\nnothing changes"),
        false => writeln!(
            text,
            "\n{} added, {} changed, {} removed",
            counted(added.len(), "file"),
            modified.len(),
            removed.len()
        ),
    };
    text
}

fn assignments(outcome: &Outcome, placement: &Placement) -> String {
    let (plane, schedule) = (&outcome.plane, &outcome.schedule);
    let is_held = |kind: &str, target: &str| {
        placement.held.iter().any(|held| held.cluster_type == kind && held.deployment_target == target)
    };
    let mut rows = vec![["CLUSTER TYPE", "DEPLOYMENT TARGET", "POLICIES", ""].map(str::to_owned)];
    for (index, kind) in schedule.cluster_types.iter().enumerate() {
        let name = &kind.meta.name;
        let mut assigned = schedule
            .assignments
            .iter()
            .filter(|assignment| assignment.cluster_type as usize == index)
            .peekable();
        if assigned.peek().is_none() {
            rows.push([name.clone(), "-".into(), "-".into(), String::new()]);
        }
        for assignment in assigned {
            let target = &schedule.targets[assignment.target as usize].name;
            let policies: Vec<&str> =
                assignment.policies.iter().map(|index| &*plane.policies[*index as usize].meta.name).collect();
            let mark = if is_held(name, target) { "held" } else { "" };
            rows.push([name.clone(), target.clone(), policies.join(", "), mark.to_owned()]);
        }
    }
    format!("\n{}", table(&rows))
}

fn counts(outcome: &Outcome) -> String {
    let mut of_type: BTreeMap<&str, usize> = BTreeMap::new();
    for assignment in &outcome.schedule.assignments {
        *of_type
            .entry(&outcome.schedule.cluster_types[assignment.cluster_type as usize].meta.name)
            .or_default() += 1;
    }
    let mut rows = vec![["CLUSTER TYPE".to_owned(), "ASSIGNMENTS".to_owned()]];
    rows.extend(of_type.iter().take(MAX_ROWS).map(|(name, count)| [(*name).to_owned(), count.to_string()]));
    let mut text = format!("\n{}", table(&rows));
    if let Some(rest) = of_type.len().checked_sub(MAX_ROWS).filter(|rest| *rest > 0) {
        let _ = writeln!(text, "and {} more; --report lists all", counted(rest, "cluster type"));
    }
    text
}

/// Each problem once, with the targets that it holds.
fn held(placement: &Placement) -> String {
    let mut causes: BTreeMap<&Diagnostic, Vec<String>> = BTreeMap::new();
    for held in &placement.held {
        for problem in &held.problems {
            causes
                .entry(problem)
                .or_default()
                .push(format!("{} on {}", held.deployment_target, held.cluster_type));
        }
    }
    let mut text = String::new();
    for (cause, targets) in causes {
        let more = match targets.len() {
            0..=5 => String::new(),
            count => format!(" and {} more", count - 5),
        };
        let shown = targets.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "\nheld: {shown}{more}\n  {}", problem(cause).replace('\n', "\n  "));
    }
    text
}

/// Problems, each as `file:line:column: severity: message` with its help below.
pub fn problems<'a>(problems: impl IntoIterator<Item = &'a Diagnostic>) -> String {
    problems.into_iter().map(|found| problem(found) + "\n").collect()
}

fn problem(Diagnostic { location, severity, message, help, .. }: &Diagnostic) -> String {
    let mut text = match location {
        Some(location) => plain(&format!("{location}: ")),
        None => String::new(),
    };
    // A runner takes a line that begins with two colons for a command.
    if text.starts_with("::") {
        text.insert_str(0, "./");
    }
    let severity = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    text += &format!("{severity}: {}", plain(message));
    if let Some(help) = help {
        text += &format!("\n  help: {}", plain(help));
    }
    text
}

/// Text from repositories on one line of bounded length, without characters that steer a terminal or hide what stands there.
pub(crate) fn plain(text: &str) -> String {
    const LONGEST: usize = 1000;
    let mut characters = text.chars().map(|character| match character {
        '\n' | '\t' => ' ',
        character => visible(character),
    });
    let mut line: String = characters.by_ref().take(LONGEST).collect();
    line.extend(characters.next().map(|_| '…'));
    // A runner takes this for a command wherever it stands.
    line.replace("##[", "# #[")
}

/// A character that neither steers a terminal nor hides what stands there.
pub(crate) fn visible(character: char) -> char {
    match character {
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}' => '\u{FFFD}',
        character if character.is_control() => '\u{FFFD}',
        character => character,
    }
}

pub(crate) fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    text
}

/// `1 file`, `2 files`.
pub fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

fn held_count(count: usize) -> String {
    if count == 0 { "nothing held".to_owned() } else { format!("{count} held") }
}
