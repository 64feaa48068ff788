//! How a fleet stands, on a terminal.

use rollout::{CommitId, Standing, State};

use crate::check_summary::fleet_headline;
use crate::fleet_status::{Counts, FleetStatus, types_of};
use crate::standing::{applied, lasted, messages, reason, word};
use crate::terminal::{plain, table};

/// Above this many configurations, those that are done are counted instead of listed.
const MAX_ROWS: usize = 60;
/// This many rows and messages are shown at most.
const MOST: usize = 500;

/// How a fleet stands, as aligned tables of plain text.
pub fn fleet_status(fleet: &FleetStatus<'_>) -> String {
    let mut text = plain(&format!(
        "{}: {} at {}",
        fleet.environment,
        fleet_headline(fleet),
        fleet.target.commit.short()
    )) + "\n";
    text += &format!("\n{}", table(&kinds(fleet)));
    let all = fleet.standings.len() <= MAX_ROWS;
    let meant: Vec<&Standing<'_>> =
        fleet.standings.iter().filter(|it| all || !matches!(it.state, State::Done { .. })).collect();
    if !meant.is_empty() {
        text += &format!("\n{}", table(&rows(fleet, &meant)));
    }
    let left_out = meant.len().saturating_sub(MOST);
    if left_out > 0 {
        text += &format!("and {left_out} more that are not done; --format json lists all\n");
    }
    if !all {
        text += &format!("and {} that are done; --format json lists all\n", fleet.counts().done);
    }
    let said = |standing: &&Standing<'_>| {
        let message = messages(standing.observation).into_iter().next()?;
        let name = format!("{}, {}", standing.observation.cluster.name, standing.observation.name);
        Some(format!("\n{}:\n  {}\n", plain(&name), plain(&message)))
    };
    text + &fleet.not_done().iter().take(MOST).filter_map(said).collect::<String>()
}

fn kinds(fleet: &FleetStatus<'_>) -> Vec<[String; 6]> {
    let mut rows = vec![["CLUSTER TYPE", "DONE", "FAILING", "WAITING", "IGNORED", ""].map(str::to_owned)];
    for (name, counts) in fleet.counts_by_type() {
        let Counts { done, unchecked, failing, waiting, ignored, times: _ } = &counts;
        let note = match unchecked {
            _ if fleet.unobserved.contains(name) => "not observed".to_owned(),
            0 => String::new(),
            count => format!("health of {count} unchecked"),
        };
        let name = if name.is_empty() { "-".to_owned() } else { plain(name) };
        let done = format!("{done} of {}", counts.total());
        rows.push([name, done, failing.to_string(), waiting.to_string(), ignored.to_string(), note]);
    }
    rows
}

fn rows(fleet: &FleetStatus<'_>, standings: &[&Standing<'_>]) -> Vec<[String; 8]> {
    let short = |commit: Option<&CommitId>| commit.map_or("-", CommitId::short).to_owned();
    let mut rows = vec![
        ["CLUSTER", "CONFIGURATION", "CLUSTER TYPE", "STATE", "SYNCED", "APPLIED", "REPORTED", ""]
            .map(str::to_owned),
    ];
    rows.extend(standings.iter().take(MOST).map(|standing| {
        let observation = standing.observation;
        let kinds: Vec<&str> = types_of(standing).filter(|name| !name.is_empty()).collect();
        let mut commits: Vec<String> =
            applied(observation).into_iter().map(|(_, commit)| short(commit)).collect();
        commits.dedup();
        let or_none = |text: String| if text.is_empty() { "-".to_owned() } else { plain(&text) };
        let reported = observation.reported.map(|at| format!("{} ago", lasted(fleet.now.since(at))));
        let why = match &standing.state {
            State::Done { health: rollout::Health::Checked, .. } => String::new(),
            _ => plain(&reason(standing)),
        };
        [
            or_none(observation.cluster.name.clone()),
            or_none(observation.name.clone()),
            or_none(kinds.join(", ")),
            word(&standing.state).to_owned(),
            short(observation.synced.as_ref()),
            or_none(commits.join(", ")),
            or_none(reported.unwrap_or_default()),
            why,
        ]
    }));
    rows
}
