//! The table of inputs in `docs/inputs.md`: it is the code's.
//!
//! `BLESS=1` writes it; then read the difference.

use std::fs;

use clap::builder::{PossibleValue, ValueParser};
use clap::{Arg, CommandFactory, value_parser};

use super::{Cli, Secret};

const HEAD: &str = "| input | modes | meaning | default |\n|---|---|---|---|\n";

/// What the Action gives where nothing is set.
const IN_AN_ACTION: [(&str, &str); 2] = [
    ("control-plane-ref", "in an Action that runs on another branch than the environment's: that one"),
    ("github-token", "in an Action: the workflow's own"),
];

/// An input, as one mode or several take it.
struct Input<'c> {
    name: &'c str,
    modes: Vec<&'c str>,
    value: String,
    meaning: String,
    default: String,
}

impl<'c> Input<'c> {
    /// `None` for an argument that has no name.
    fn new(argument: &'c Arg) -> Option<Input<'c>> {
        let name = argument.get_long()?;
        let help = argument.get_help()?.to_string();
        let (meaning, computed) = match help.split_once(" [default: ") {
            Some((meaning, rest)) => (meaning, rest.strip_suffix(']').map(as_input)),
            None => (&*help, None),
        };
        let fixed = argument.get_default_values().first().map(|value| format!("`{}`", value.display()));
        let in_an_action = IN_AN_ACTION.iter().find(|(of, _)| *of == name).map(|(_, text)| text.to_string());
        let default = computed.or(fixed).or(in_an_action).unwrap_or_else(|| "–".to_owned());
        let value_name = || argument.get_value_names()?.first().map(ToString::to_string);
        let (value, explained) = match choice(argument) {
            Some(choice) => choice,
            None => (value_name()?, String::new()),
        };
        let is_secret =
            argument.get_value_parser().type_id() == ValueParser::from(value_parser!(Secret)).type_id();
        let secret = if is_secret { "Secret. " } else { "" };
        let meaning = format!("{secret}{meaning}{explained}");
        Some(Input { name, modes: Vec::new(), value, meaning, default })
    }

    fn is_same(&self, other: &Input<'_>) -> bool {
        self.name == other.name && self.meaning == other.meaning && self.default == other.default
    }
}

/// The values that there are, if others are refused, and what each means.
fn choice(argument: &Arg) -> Option<(String, String)> {
    let values = argument.get_possible_values();
    let help = |value: &PossibleValue| {
        let help = value.get_help()?.to_string();
        let first = help.chars().next()?.to_lowercase();
        Some(format!("`{}`: {first}{}", value.get_name(), &help[first.to_string().len()..]))
    };
    let meanings: Vec<String> = values.iter().filter_map(help).collect();
    let names: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
    (!meanings.is_empty()).then(|| (names.join("\\|"), format!("; {}", meanings.join("; "))))
}

/// A default that is the value of another flag.
fn as_input(default: &str) -> String {
    default.strip_prefix("--").map_or_else(|| default.to_owned(), |name| format!("`{name}`"))
}

fn table() -> String {
    let command = Cli::command();
    let modes = command.get_subcommands().filter(|mode| !mode.is_hide_set());
    let modes: Vec<(&str, Vec<Input<'_>>)> = modes
        .map(|mode| (mode.get_name(), mode.get_arguments().filter_map(Input::new).collect::<Vec<_>>()))
        .filter(|(_, inputs)| !inputs.is_empty())
        .collect();
    let count = modes.len();
    let mut inputs: Vec<Input<'_>> = Vec::new();
    for (mode, input) in
        modes.into_iter().flat_map(|(mode, inputs)| inputs.into_iter().map(move |it| (mode, it)))
    {
        match inputs.iter_mut().find(|known| known.is_same(&input)) {
            Some(known) => known.modes.push(mode),
            None => inputs.push(Input { modes: vec![mode], ..input }),
        }
    }
    let row = |Input { name, modes, value, meaning, default }: &Input<'_>| {
        let modes = if modes.len() == count { "all".to_owned() } else { modes.join(", ") };
        format!("| `{name}: {value}` | {modes} | {meaning} | {default} |\n")
    };
    HEAD.to_owned() + &inputs.iter().map(row).collect::<String>()
}

#[test]
fn the_table_of_inputs_is_the_codes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/inputs.md");
    let text = fs::read_to_string(path).expect("the document");
    let start = text.find(HEAD).expect("the table");
    let end = start + text[start..].find("\n\n").expect("its end") + 1;
    if std::env::var_os("BLESS").is_some() {
        return fs::write(path, format!("{}{}{}", &text[..start], table(), &text[end..]))
            .expect("the document");
    }
    assert_eq!(text[start..end], table(), "docs/inputs.md is out of date; BLESS=1 writes it");
}
