//! The outputs that `docs/inputs.md` lists are those that runs set.

use std::collections::{BTreeMap, BTreeSet};

use super::platform::{Platform, Ran};
use super::rollout_platform::RolloutPlatform;

const DOCUMENT: &str = include_str!("../../docs/inputs.md");

#[test]
fn runs_set_the_outputs_that_are_listed() {
    let scheduled = Platform::new("s1-0-baseline").schedule(&[]);
    let world = RolloutPlatform::s1();
    let promoted = world.promote(&[("environment", "dev")]);
    world.cluster("dev", "drone");
    let checked = world.checkpromote("dev", &[]);
    let names = |ran: Ran| ran.outputs.into_keys().collect::<BTreeSet<String>>();
    let set = [("schedule", scheduled), ("promote", promoted), ("checkpromote", checked)];
    let set: BTreeMap<&str, BTreeSet<String>> =
        set.into_iter().map(|(mode, ran)| (mode, names(ran))).collect();
    assert_eq!(listed(), set);
}

/// The names of outputs by mode, as the document has them.
fn listed() -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut listed: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let (_, table) = DOCUMENT.split_once("\n| output | mode | value |\n|---|---|---|\n").expect("the table");
    for row in table.lines().take_while(|line| line.starts_with('|')) {
        let mut cells = row.split('|').map(str::trim).skip(1);
        let (Some(name), Some(mode)) = (cells.next(), cells.next()) else { panic!("{row}") };
        listed.entry(mode).or_default().insert(name.trim_matches('`').to_owned());
    }
    listed
}
