//! What is known of one configuration.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::lineage::Lineage;
use crate::observation::Observation;
use crate::policy::{Following, OnTrouble, Policy, Target};
use crate::proof::{Health, Proof, prove};
use crate::standing::{State, WhyWaiting};
use crate::tally::Look;
use crate::time::Time;
use crate::trouble::{Hindrance, Patience, Synced, hindrance, patience};

/// Where nobody checks the health, two reports this far apart must show the commit applied.
pub(crate) const SECOND_REPORT_AFTER: Duration = Duration::from_secs(60);
/// A configuration is late when its interval is over by this much: the source has its time, and so has the report.
pub(crate) const LATENESS: Duration = Duration::from_secs(5 * 60);

/// What is known of one configuration.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) observation: Observation,
    pub(crate) finding: Finding,
    history: History,
    /// The history without the latest report
    before: History,
    /// It is there, or was, and a visit could not read it
    pub(crate) is_unreadable: bool,
    /// The pass over all rows that showed it, itself or by a visit after it
    pub(crate) pass: u64,
    pub(crate) visit: Option<Visit>,
}

/// What the reports show together.
#[derive(Clone, Copy, Debug, Default)]
struct History {
    /// When the first of those that prove it was made
    proven: Option<Time>,
    /// The trouble that the latest of them show
    trouble: Option<Trouble>,
}

/// A trouble that reports show without a gap.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    /// When the first of them was made
    since: Time,
    /// Whether something keeps the configuration from getting there, which is a trouble of its own
    is_hindered: bool,
}

/// What one report means to the check.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) following: Following,
    pub(crate) cluster_types: BTreeSet<String>,
    pub(crate) look: Look,
    proof: Proof,
    hindrance: Option<(Hindrance, OnTrouble)>,
    patience: Option<Patience>,
}

/// The last time that the resource itself was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    pub(crate) at: Time,
    pub(crate) round: u64,
    /// The pass over all rows that had begun
    pub(crate) pass: u64,
    pub(crate) outcome: Outcome,
}

/// What a visit gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The latest report
    Latest,
    /// Nothing, or an older report
    Nothing,
}

/// Whether others of a configuration's cluster types count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    Others,
    Nobody,
}

impl Finding {
    pub(crate) fn of(
        observation: &Observation,
        target: &Target,
        policy: &Policy,
        lineage: &Lineage,
    ) -> Finding {
        let is_synced = observation.synced.as_ref().is_some_and(|commit| lineage.accepts(commit));
        let synced = if is_synced { Synced::Accepted } else { Synced::Other };
        let proof = prove(observation, |commit| lineage.accepts(commit));
        let hindrance = hindrance(observation, policy);
        let patience = match (&proof, hindrance) {
            (Proof::Proven(Health::Checked), _) => None,
            // There will be no second report.
            (_, Some((_, OnTrouble::Fail))) => Some(Patience::For(Duration::ZERO)),
            (Proof::Proven(Health::Unchecked), _) => None,
            (_, Some((_, OnTrouble::Ignore | OnTrouble::Wait))) => None,
            (_, None) => patience(observation, synced, policy),
        };
        Finding {
            following: target.following_of(observation),
            cluster_types: target.cluster_types(observation),
            look: Look::of_observation(observation, lineage),
            proof,
            hindrance,
            patience,
        }
    }
}

impl Configuration {
    pub(crate) fn new(observation: Observation, finding: Finding, now: Time) -> Configuration {
        let before = History::default();
        Configuration {
            history: before.with(&observation, &finding, now),
            before,
            observation,
            finding,
            is_unreadable: false,
            pass: 0,
            visit: None,
        }
    }

    /// Takes the latest report in.
    pub(crate) fn take(&mut self, observation: Observation, finding: Finding, now: Time) {
        self.before = self.history;
        self.observation = observation;
        self.is_unreadable = false;
        self.judge_again(finding, now);
    }

    /// Takes the latest report for what it is found to mean by now.
    pub(crate) fn judge_again(&mut self, finding: Finding, now: Time) {
        self.history = self.before.with(&self.observation, &finding, now);
        self.finding = finding;
    }

    pub(crate) fn counts(&self) -> bool {
        self.finding.following == Following::Branch
    }

    /// Whether it would be ignored if others of its cluster types count.
    pub(crate) fn is_ignorable(&self) -> bool {
        let may_be = matches!(self.finding.hindrance, Some((_, OnTrouble::Ignore)));
        may_be && matches!(self.state(Company::Others), State::Ignored(_))
    }

    pub(crate) fn state(&self, company: Company) -> State {
        if let Following::NotCounted(why) = self.finding.following {
            return State::NotCounted(why);
        }
        if self.is_unreadable {
            return State::Waiting(WhyWaiting::Unreadable);
        }
        let health = match &self.finding.proof {
            Proof::Proven(health) => Some(*health),
            Proof::Unproven(_) => None,
        };
        if let Some(health) = health.filter(|health| *health == Health::Checked || self.is_shown_twice()) {
            return State::Done { health, since: self.history.proven };
        }
        match self.finding.hindrance {
            Some((hindrance, OnTrouble::Ignore)) if company == Company::Others => {
                return State::Ignored(hindrance.ignored());
            }
            Some((hindrance, OnTrouble::Ignore | OnTrouble::Wait)) => {
                return State::Waiting(hindrance.waiting());
            }
            Some((_, OnTrouble::Fail)) | None => {}
        }
        match (&self.finding.proof, self.finding.patience, self.history.trouble) {
            (_, Some(Patience::For(grace)), Some(Trouble { since, .. })) => {
                State::Failing { since, fails_at: since + grace }
            }
            (Proof::Proven(_), ..) => State::Waiting(WhyWaiting::SecondReport),
            (Proof::Unproven(missing), ..) => State::Waiting(WhyWaiting::Unproven(missing.clone())),
        }
    }

    /// Whether a second report that proves it may be there.
    pub(crate) fn may_be_shown_twice(&self, now: Time) -> bool {
        self.history.proven.is_none_or(|since| now >= since + SECOND_REPORT_AFTER)
    }

    pub(crate) fn is_late(&self, started: Time, now: Time) -> bool {
        now > started + self.observation.source.sync_interval + LATENESS
    }

    fn is_shown_twice(&self) -> bool {
        let reports = self.history.proven.zip(self.observation.reported);
        reports.is_some_and(|(first, last)| last >= first + SECOND_REPORT_AFTER)
    }
}

impl History {
    fn with(self, observation: &Observation, finding: &Finding, now: Time) -> History {
        // What goes away, and is made anew, begins anew.
        if finding.following != Following::Branch {
            return History::default();
        }
        let reported = observation.reported;
        let begun = reported.map_or(now, |reported| reported.min(now));
        let proof = reported.filter(|_| matches!(finding.proof, Proof::Proven(_)));
        let is_hindered = finding.hindrance.is_some();
        let before = self.trouble.filter(|trouble| trouble.is_hindered == is_hindered);
        let trouble = before.unwrap_or(Trouble { since: begun, is_hindered });
        History { proven: self.proven.or(proof), trouble: finding.patience.map(|_| trouble) }
    }
}
