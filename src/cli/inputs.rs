//! Inputs of a GitHub Action as arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use clap::{ArgAction, CommandFactory};

use super::{Cli, flags};
use crate::exit::Failure;
use crate::world::runner::STARTED;

/// The arguments as given, and for flags that are not, the Action's inputs. Empty ones count as absent.
/// In an Action, an input that no mode knows is an error.
pub(crate) fn arguments(
    given: impl Iterator<Item = OsString>,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<OsString>, Failure> {
    let command = Cli::command();
    let mut arguments: Vec<OsString> = Vec::new();
    for argument in given {
        // An Action passes what is not set as an empty text, which takes the flag before it along.
        match argument.is_empty() && !arguments.last().is_some_and(may_be_empty) {
            true => drop(arguments.pop_if(|last| wants_value(&command, last))),
            false => arguments.push(argument),
        }
    }
    let environment: BTreeMap<String, String> = environment
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let inputs: BTreeMap<String, &str> = environment
        .iter()
        .filter_map(|(name, value)| Some((input_name(name)?, value.as_str())))
        .filter(|(name, value)| !value.is_empty() || MAY_BE_EMPTY.contains(&&**name))
        .collect();
    if environment.get("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        refuse_unknown(&inputs, &command)?;
    }
    if environment.contains_key(&format!("STATE_{STARTED}")) {
        // What follows a step is started with the same inputs; only what the step has kept tells them apart.
        arguments = vec!["finish".into()];
    }
    if let (true, Some(mode)) = (arguments.is_empty(), inputs.get("mode")) {
        arguments.push(mode.into());
    }
    let Some(mode) = arguments.first().and_then(|name| command.find_subcommand(name)) else {
        return Ok(arguments);
    };
    for argument in mode.get_arguments() {
        let Some(name) = argument.get_long() else { continue };
        let flag = format!("--{name}");
        let is_given = |argument: &OsString| {
            argument.to_str().is_some_and(|text| text == flag || text.starts_with(&format!("{flag}=")))
        };
        let Some(value) = inputs.get(name).filter(|_| !arguments.iter().any(is_given)) else { continue };
        if let ArgAction::Append = argument.get_action() {
            let lines = value.lines().map(str::trim).filter(|line| !line.is_empty());
            arguments.extend(lines.map(|line| format!("{flag}={line}").into()));
        } else {
            arguments.push(format!("{flag}={}", value.trim()).into());
        }
    }
    Ok(arguments)
}

/// Flags of which an empty value is one: no workflow at all.
const MAY_BE_EMPTY: [&str; 2] = ["promote-workflow", "schedule-workflow"];

fn may_be_empty(argument: &OsString) -> bool {
    argument
        .to_str()
        .and_then(|text| text.strip_prefix("--"))
        .is_some_and(|name| MAY_BE_EMPTY.contains(&name))
}

/// The flag that an input stands for. Where a shell cannot set a name with `-`, it may stand there with `_`.
fn input_name(variable: &str) -> Option<String> {
    Some(variable.strip_prefix("INPUT_")?.to_lowercase().replace('_', "-"))
}

/// Whether an argument is a flag whose value has to follow.
fn wants_value(command: &clap::Command, argument: &OsString) -> bool {
    let Some(name) = argument.to_str().and_then(|text| text.strip_prefix("--")) else { return false };
    let takes_one = |flag: &clap::Arg| flag.get_action().takes_values() && !flag.is_require_equals_set();
    let mut flags = command.get_subcommands().flat_map(clap::Command::get_arguments);
    flags.any(|flag| flag.get_long() == Some(name) && takes_one(flag))
}

fn refuse_unknown(inputs: &BTreeMap<String, &str>, command: &clap::Command) -> Result<(), Failure> {
    let known: BTreeSet<&str> = command.get_subcommands().flat_map(flags).chain(["mode"]).collect();
    let Some(unknown) = inputs.keys().find(|name| !known.contains(name.as_str())) else { return Ok(()) };
    let known = known.into_iter().collect::<Vec<_>>().join(", ");
    Err(Failure::usage(format!("unknown input `{unknown}`"), format!("the inputs are {known}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(given: &[&str], inputs: &[(&str, &str)]) -> Vec<String> {
        let given = given.iter().map(OsString::from);
        let inputs = inputs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        arguments(given, inputs)
            .unwrap()
            .into_iter()
            .map(|argument| argument.into_string().unwrap())
            .collect()
    }

    #[test]
    fn inputs_become_flags() {
        let cases: [(&[&str], &[(&str, &str)], &[&str], &str); 7] = [
            (
                &[""],
                &[("INPUT_MODE", "schedule"), ("INPUT_OUT", "gitops")],
                &["schedule", "--out=gitops"],
                "all from inputs",
            ),
            (&["schedule", "--out", "a"], &[("INPUT_OUT", "b")], &["schedule", "--out", "a"], "a flag wins"),
            (&["schedule"], &[("INPUT_OUT", ""), ("OUT", "x")], &["schedule"], "an empty input is absent"),
            (&["schedule", "--out", "", "--strict"], &[], &["schedule", "--strict"], "an empty value, too"),
            (&["schedule", "--dry-run", ""], &[], &["schedule", "--dry-run"], "a flag without a value stays"),
            (
                &["schedule"],
                &[("INPUT_REPO", "a=b\n\n c=d \n")],
                &["schedule", "--repo=a=b", "--repo=c=d"],
                "several lines",
            ),
            (&["validate"], &[("INPUT_OUT", "b")], &["validate"], "another mode's input"),
        ];
        for (given, inputs, want, why) in cases {
            assert_eq!(run(given, inputs), want, "{why}");
        }
    }

    #[test]
    fn an_unknown_input_is_refused_in_an_action() {
        let action = |name: &str| {
            let inputs = [("GITHUB_ACTIONS", "true"), (name, "x")];
            let inputs = inputs.map(|(name, value)| (OsString::from(name), OsString::from(value)));
            arguments([OsString::from("schedule")].into_iter(), inputs.into_iter())
        };
        assert!(action("INPUT_ENVIROMENT").is_err());
        assert!(action("INPUT_STRICT").is_ok(), "another mode's input is known");
    }
}
