//! What a log says while clusters are waited for: only what has changed.

use std::collections::BTreeMap;

use rollout::{Glance, Standing, Target};

use crate::actions::log_line;
use crate::fleet_status::{Counts, FleetStatus, types_of};
use crate::standing::{reason, word};

/// This many clusters of a cluster type are named.
const NAMED: usize = 3;
/// This many lines are said at once.
const MOST: usize = 20;

/// What was said last.
#[derive(Clone, Debug, Default)]
pub struct CheckLog {
    fleet: String,
    cluster_types: BTreeMap<String, String>,
}

impl CheckLog {
    /// The lines that differ from what was said last.
    pub fn lines(&mut self, fleet: &FleetStatus<'_>, glance: Option<Glance>) -> Vec<String> {
        let mut lines = self.kinds(fleet);
        if let Some(Glance { total, applied }) = glance {
            let Target { branch, commit, .. } = fleet.target;
            let said = match total {
                0 => log_line(&format!("no configuration follows branch {branch}")),
                _ => format!("{applied} of {total} configurations report {} as applied", commit.short()),
            };
            if self.fleet != said {
                lines.insert(0, said.clone());
            }
            self.fleet = said;
        }
        lines
    }

    fn kinds(&mut self, fleet: &FleetStatus<'_>) -> Vec<String> {
        let mut open: BTreeMap<&str, Vec<&Standing<'_>>> = BTreeMap::new();
        for standing in fleet.not_done() {
            types_of(standing).for_each(|name| open.entry(name).or_default().push(standing));
        }
        let mut said = BTreeMap::new();
        for (name, counts) in fleet.counts_by_type() {
            let open = open.remove(name).unwrap_or_default();
            let what = match counts.total() {
                _ if fleet.unobserved.contains(name) => "not observed".to_owned(),
                // No row of it has been read yet.
                0 => continue,
                _ => line(&counts, &open),
            };
            said.insert(name.to_owned(), what);
        }
        let name = |name: &str| if name.is_empty() { "no cluster type".to_owned() } else { name.to_owned() };
        let news = said.iter().filter(|(name, what)| self.cluster_types.get(*name) != Some(*what));
        let gone = self.cluster_types.keys().filter(|name| !said.contains_key(*name));
        let mut lines: Vec<String> = news
            .map(|(of, what)| log_line(&format!("{} {what}", name(of))))
            .chain(gone.map(|of| log_line(&format!("{} has no configuration any more", name(of)))))
            .collect();
        if let Some(rest) = lines.len().checked_sub(MOST).filter(|rest| *rest > 0) {
            lines.truncate(MOST);
            lines.push(format!("and {rest} more cluster types have changed"));
        }
        self.cluster_types = said;
        lines
    }
}

fn line(counts: &Counts, open: &[&Standing<'_>]) -> String {
    let Counts { done, unchecked: _, failing, waiting, ignored, times: _ } = counts;
    let mut said = vec![format!("{done} of {} done", counts.total())];
    for (state, count) in [("failing", failing), ("waiting", waiting), ("ignored", ignored)] {
        if *count == 0 {
            continue;
        }
        let of_state = open.iter().filter(|standing| word(&standing.state) == state);
        let named: Vec<String> = of_state
            .take(NAMED)
            .map(|standing| format!("{}: {}", standing.observation.cluster.name, reason(standing)))
            .collect();
        let rest = match count.saturating_sub(NAMED) {
            0 => String::new(),
            rest => format!("; and {rest} more"),
        };
        said.push(format!("{count} {state} ({}{rest})", named.join("; ")));
    }
    said.join(", ")
}
