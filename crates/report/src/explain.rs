//! The answers of `explain`, as a person reads them on a terminal.

use fleet::explain::{
    Answer, Elsewhere, Explanation, Fate, Judgement, NotScheduled, Overview, Scheduled, Subject, Term,
    ValueHistory,
};
use fleet::objects::SchedulingPolicy;
use fleet::{Condition, Location};
use goyaml::Value;

use crate::terminal::{counted, plain, problems};

/// Lines end here, unless a name or value is longer.
const COLUMNS: usize = 100;
/// Above this many cluster types or policies, the rest is counted.
const MAX_ROWS: usize = 40;

/// An answer as text.
pub fn explanation(explanation: &Explanation<'_>) -> String {
    let text = match &explanation.answer {
        Answer::Overview(overview) => overview_text(explanation, overview),
        Answer::Scheduled(scheduled) => scheduled_text(explanation, scheduled),
        Answer::NotScheduled(not_scheduled) => not_scheduled_text(explanation, not_scheduled),
    };
    text.lines().map(|line| plain(line.trim_end()) + "\n").collect()
}

fn overview_text(explanation: &Explanation<'_>, overview: &Overview<'_>) -> String {
    let Explanation { environment, target, .. } = explanation;
    let Overview { cluster_types, on, policies, nearest } = overview;
    let labels: Vec<String> = target.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut text = format!("{} in {environment}\n", target.name);
    text += &format!("  of workload {}", target.workload);
    if !target.workspace.is_empty() {
        text += &format!(", workspace {}", target.workspace);
    }
    text += &format!("\n  at {}\n", target.location);
    text += &wrapped("  labels: ", &labels);

    text += &format!("\non {} of {}\n", on.len(), counted(*cluster_types, "cluster type"));
    let width = width(on.iter().map(|(kind, _)| &*kind.meta.name));
    for (kind, policies) in on.iter().take(MAX_ROWS) {
        text += &wrapped(&format!("  {:width$}  by ", kind.meta.name), &names(policies));
    }
    text += &rest(on.len(), "cluster type");

    // Those that fail nothing come first.
    let (selecting, others) = policies.split_at(policies.partition_point(|it| it.failing_count() == 0));
    if !selecting.is_empty() {
        text += &format!("\nselected by {}\n", counted_policies(selecting.len()));
        for judgement in selecting.iter().take(MAX_ROWS) {
            text += &format!("  {}\n", judgement.policy.meta.name);
            text += &terms(4, &judgement.terms);
        }
        text += &rest(selecting.len(), "policy");
    }
    if !others.is_empty() {
        text += &format!("\nnot selected by {}\n", counted_policies(others.len()));
        text += &failing("", others);
    }
    if !nearest.is_empty() {
        text += "\nnearest cluster types that it is not on\n";
        for (kind, judgement) in nearest {
            let name = &kind.meta.name;
            text +=
                &format!("  {name}, by {}: {}\n", judgement.policy.meta.name, count_of_failing(judgement));
            text += &failing_terms(name, judgement.failing());
        }
    }
    text
}

fn scheduled_text(explanation: &Explanation<'_>, scheduled: &Scheduled<'_>) -> String {
    let Explanation { environment, target, .. } = explanation;
    let Scheduled { cluster_type, policies, problems: held_by, values, elsewhere } = scheduled;
    let mut text = format!("{} is on {} in {environment}\n", target.name, cluster_type.meta.name);
    for judgement in policies {
        text += &format!("\nby {}, which asks\n", judgement.policy.meta.name);
        let subjects = [
            ("the deployment target", Subject::DeploymentTarget),
            ("the cluster type", Subject::ClusterType),
        ];
        for (name, subject) in subjects {
            let (of_subject, _): (Vec<&Term<'_>>, Vec<_>) =
                judgement.terms.iter().partition(|term| term.subject == subject);
            let nothing = if of_subject.is_empty() { " nothing" } else { "" };
            text += &format!("  of {name}{nothing}\n");
            text += &terms(4, of_subject);
        }
    }
    if !held_by.is_empty() {
        text += "\nheld, because its manifests cannot be made\n";
        text += &indented(2, &problems(held_by.iter().map(|problem| &**problem)));
    }
    match (values.is_empty(), elsewhere.is_empty()) {
        (true, true) => text += "\nno config applies here\n",
        (true, false) => text += "\nthe key has no value here\n",
        (false, _) => text += "\nconfig\n",
    }
    for value in values {
        text += &format!("\n{}", value_text(value));
    }
    if !elsewhere.is_empty() {
        text += "\nnot applied here\n";
        text += &elsewhere_text(elsewhere);
    }
    text
}

fn not_scheduled_text(explanation: &Explanation<'_>, not_scheduled: &NotScheduled<'_>) -> String {
    let Explanation { environment, target, .. } = explanation;
    let NotScheduled { cluster_type, policies, on } = not_scheduled;
    let name = &cluster_type.meta.name;
    let mut text = format!("{} is not on {name} in {environment}\n", target.name);
    text += match policies.len() {
        0 => "\nthere are no policies\n",
        _ => "\nno policy selects both; the nearest come first\n",
    };
    text += &failing(name, policies);
    let on: Vec<String> = on.iter().map(|kind| kind.meta.name.clone()).collect();
    text += "\n";
    text += &match on.is_empty() {
        true => "it is on no cluster type\n".to_owned(),
        false => wrapped("it is on ", &on),
    };
    text
}

/// Policies with their failing terms: all of those that are nearest, the first of the others.
fn failing(cluster_type: &str, judgements: &[Judgement<'_>]) -> String {
    let least = judgements.first().map_or(0, Judgement::failing_count);
    let mut text = String::new();
    for judgement in judgements.iter().take(MAX_ROWS) {
        let shown = if judgement.failing_count() == least { least } else { 1 };
        text += &format!("  {}: {}\n", judgement.policy.meta.name, count_of_failing(judgement));
        text += &failing_terms(cluster_type, judgement.failing().take(shown));
    }
    text + &rest(judgements.len(), "policy")
}

fn count_of_failing(judgement: &Judgement<'_>) -> String {
    match judgement.failing_count() {
        1 => "1 term fails".to_owned(),
        count => format!("{count} terms fail"),
    }
}

fn failing_terms<'j>(cluster_type: &str, terms: impl Iterator<Item = &'j Term<'j>>) -> String {
    let said = |term: &'j Term<'j>| {
        let subject = match term.subject {
            Subject::DeploymentTarget => "the target",
            Subject::ClusterType => cluster_type,
        };
        let key = term.asked.key();
        let found = match term.found {
            Some(found) => format!("{key}={found}"),
            None => format!("no {key}"),
        };
        (format!("wants {}, but {subject} has {found}", term.asked), term.location)
    };
    located(4, &terms.map(said).collect::<Vec<_>>())
}

fn terms<'j>(indent: usize, terms: impl IntoIterator<Item = &'j Term<'j>>) -> String {
    let said: Vec<(String, &Location)> = terms
        .into_iter()
        .map(|term| {
            let asked = term.asked.to_string();
            // `key=value` already says what is there.
            let found = term.found.map(|found| format!("{}={found}", term.asked.key()));
            let found = found.filter(|found| *found != asked);
            (found.map_or(asked.clone(), |found| format!("{asked} ({found})")), term.location)
        })
        .collect();
    located(indent, &said)
}

fn value_text(history: &ValueHistory<'_>) -> String {
    let ValueHistory { key, value, layers } = history;
    let mut text = goyaml::print_compact(&Value::Map([((*key).into(), (*value).clone())].into()));
    let said: Vec<String> = layers
        .iter()
        .map(|part| {
            let fate = match part.fate {
                Fate::Lost => "lost",
                Fate::Merged => "merged",
                Fate::Won => "won",
            };
            format!("{fate:6}  {}{}", part.layer.config_map, conditions(&part.layer.conditions))
        })
        .collect();
    let width = width(said.iter().map(String::as_str));
    for (said, part) in said.iter().zip(layers) {
        text += &row(2, said, width, &part.written.location);
        if layers.len() > 1 {
            text += &indented(10, &goyaml::print_compact(&part.written.value));
        }
    }
    text
}

fn elsewhere_text(elsewhere: &[Elsewhere<'_>]) -> String {
    let said: Vec<String> = elsewhere
        .iter()
        .map(|it| format!("{}: {}={} is not met", it.layer.config_map, it.unmet.key, it.unmet.value))
        .collect();
    let width = width(said.iter().map(String::as_str));
    let mut text = String::new();
    for (said, it) in said.iter().zip(elsewhere) {
        text += &row(2, said, width, &it.written.location);
        text += &indented(4, &goyaml::print_compact(&it.written.value));
    }
    text
}

fn conditions(conditions: &[Condition]) -> String {
    let said: Vec<String> = conditions.iter().map(|it| format!("{}={}", it.key, it.value)).collect();
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) }
}

fn names(policies: &[&SchedulingPolicy]) -> Vec<String> {
    policies.iter().map(|policy| policy.meta.name.clone()).collect()
}

fn counted_policies(count: usize) -> String {
    if count == 1 { "1 policy".to_owned() } else { format!("{count} policies") }
}

fn rest(count: usize, thing: &str) -> String {
    match count.checked_sub(MAX_ROWS) {
        None | Some(0) => String::new(),
        Some(rest) if thing == "policy" => {
            format!("  and {} more; --format json lists all\n", counted_policies(rest))
        }
        Some(rest) => format!("  and {} more; --format json lists all\n", counted(rest, thing)),
    }
}

/// Lines with a place each, the places in one column.
fn located(indent: usize, lines: &[(String, &Location)]) -> String {
    let width = width(lines.iter().map(|(text, _)| &**text));
    lines.iter().map(|(text, location)| row(indent, text, width, location)).collect()
}

/// A text of `width` and a place; a place that does not fit stands on a line of its own.
fn row(indent: usize, text: &str, width: usize, location: &Location) -> String {
    let location = location.to_string();
    if indent + width + 2 + location.chars().count() <= COLUMNS {
        format!("{:indent$}{text:width$}  {location}\n", "")
    } else {
        format!("{:indent$}{text}\n{:indent$}  at {location}\n", "", "")
    }
}

fn width<'t>(texts: impl Iterator<Item = &'t str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

fn indented(indent: usize, text: &str) -> String {
    text.lines().map(|line| format!("{:indent$}{line}\n", "")).collect()
}

/// A list that goes on below its first item.
fn wrapped(start: &str, items: &[String]) -> String {
    let indent = start.chars().count();
    let mut text = start.to_owned();
    let mut column = indent;
    for (index, item) in items.iter().enumerate() {
        let comma = if index + 1 < items.len() { "," } else { "" };
        let length = item.chars().count() + comma.len();
        if index > 0 && column + 1 + length > COLUMNS {
            text += &format!("\n{:indent$}", "");
            column = indent;
        } else if index > 0 {
            text += " ";
            column += 1;
        }
        text += item;
        text += comma;
        column += length;
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleet::FileName;

    #[test]
    fn places() {
        let location = |path: &str| Location::start_of(&FileName { prefix: "".into(), path: path.into() });
        let long = "a".repeat(90);
        let fits = "a".repeat(86);
        let cases = [
            ("a.yaml", "  text    a.yaml:1:1\n".to_owned(), "in its column"),
            (&fits, format!("  text    {fits}:1:1\n"), "up to the hundredth column"),
            (&long, format!("  text\n    at {long}:1:1\n"), "below, where it does not fit"),
        ];
        for (path, want, why) in cases {
            assert_eq!(row(2, "text", 6, &location(path)), want, "{why}");
        }
    }

    #[test]
    fn lists() {
        let items = |count| vec!["123456789".to_owned(); count];
        let cases = [
            (0, "by \n".to_owned(), "nothing"),
            (2, "by 123456789, 123456789\n".to_owned(), "one line"),
            (9, format!("by {}123456789\n", "123456789, ".repeat(8)), "a last item needs no comma's room"),
            (
                10,
                format!("by {},\n   123456789, 123456789\n", ["123456789"; 8].join(", ")),
                "a second line stands below the first item",
            ),
        ];
        for (count, want, why) in cases {
            assert_eq!(wrapped("by ", &items(count)), want, "{why}");
        }
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let cases = [
            (MAX_ROWS, "policy", "", "all are shown"),
            (MAX_ROWS + 1, "policy", "  and 1 policy more; --format json lists all\n", "one"),
            (
                MAX_ROWS + 2,
                "policy",
                "  and 2 policies more; --format json lists all\n",
                "a plural of its own",
            ),
            (MAX_ROWS + 2, "cluster type", "  and 2 cluster types more; --format json lists all\n", "others"),
        ];
        for (count, thing, want, why) in cases {
            assert_eq!(rest(count, thing), want, "{why}");
        }
    }
}
