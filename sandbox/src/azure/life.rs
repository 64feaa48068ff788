//! How a configuration fares over time, and what its cluster knows of it at a moment.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::state::Head;

/// How a configuration fares, told by how long things take on the sandbox's clock.
///
/// Whatever its branch held when the configuration was made, or when its life was told, is settled: it has come, was
/// applied and reported long ago. By default all that follows takes no time and goes well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    sync: Duration,
    apply: Duration,
    applies: BTreeMap<String, Duration>,
    report: Duration,
    index: Duration,
    applying: &'static str,
    troubles: Vec<Trouble>,
    unreachable: Option<String>,
    flaps: Option<Duration>,
    suspends: Option<Duration>,
    joins: Option<Duration>,
    leaves: Option<Duration>,
    provisioning: Option<(String, String)>,
    pub(super) shape: Shape,
    pub(super) revision: Revision,
    pub(super) times: Times,
    pub(super) unlisted: Vec<String>,
    pub(super) index_statuses: IndexStatuses,
}

/// What is wrong with a kustomization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    reason: String,
    message: String,
    kustomization: Option<String>,
    commit: Option<String>,
    after: Duration,
    until: Option<Duration>,
}

/// How a status tells what Flux says of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// By a list of conditions with a message each.
    Conditions,
    /// By one message.
    Message,
}

/// How a revision is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// `branch@sha1:sha`.
    AtSha1,
    /// `branch/sha`, as older versions of Flux write it.
    Slash,
    /// `sha1:sha`.
    Sha1,
    /// `sha` alone.
    Bare,
}

/// Whether reports say when they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// They do.
    Told,
    /// They do not.
    Untold,
}

/// Whether Resource Graph has what Flux says of each object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexStatuses {
    /// It has.
    Kept,
    /// Only Resource Manager has.
    Dropped,
}

/// What a cluster has reported of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) synced: Option<(String, Timestamp)>,
    /// Why the source cannot be fetched.
    pub(super) unreachable: Option<String>,
    /// By key.
    pub(super) kustomizations: BTreeMap<String, Applied>,
    pub(super) is_suspended: bool,
    pub(super) compliance: &'static str,
    pub(super) provisioning: (String, String),
    /// When it was made.
    pub(super) reported: Timestamp,
}

/// How a kustomization stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) commit: Option<String>,
    /// Reason and message, if something is wrong.
    pub(super) trouble: Option<(String, String)>,
}

/// What a life is told of.
pub(super) struct Circumstances<'a> {
    /// When the configuration was made.
    pub(super) made: Timestamp,
    /// When its life was told.
    pub(super) told: Timestamp,
    /// When its cluster could not report any more, if it still cannot.
    pub(super) silent: Option<Timestamp>,
    pub(super) heads: &'a [Head],
    pub(super) kustomizations: Vec<&'a str>,
}

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// Resource Manager.
    Direct,
    /// Resource Graph.
    Index,
}

impl Default for Life {
    fn default() -> Life {
        Life {
            sync: Duration::ZERO,
            apply: Duration::ZERO,
            applies: BTreeMap::new(),
            report: Duration::ZERO,
            index: Duration::ZERO,
            applying: "Compliant",
            troubles: Vec::new(),
            unreachable: None,
            flaps: None,
            suspends: None,
            joins: None,
            leaves: None,
            provisioning: None,
            shape: Shape::Conditions,
            revision: Revision::AtSha1,
            times: Times::Told,
            unlisted: Vec::new(),
            index_statuses: IndexStatuses::Kept,
        }
    }
}

impl Life {
    /// The source is fetched so long after a commit.
    pub fn syncs_after(mut self, time: Duration) -> Life {
        self.sync = time;
        self
    }

    /// What was fetched is applied so long after that; until then the state is the one from before.
    pub fn applies_after(mut self, time: Duration) -> Life {
        self.apply = time;
        self
    }

    /// The same for one kustomization.
    pub fn applies_one_after(mut self, kustomization: &str, time: Duration) -> Life {
        self.applies.insert(kustomization.to_owned(), time);
        self
    }

    /// While something is applied the state is this one, instead of `Compliant` as before.
    pub fn applying_as(mut self, state: &'static str) -> Life {
        self.applying = state;
        self
    }

    /// What happens reaches Azure so much later.
    pub fn reports_after(mut self, time: Duration) -> Life {
        self.report = time;
        self
    }

    /// Resource Graph shows what Resource Manager showed so long ago.
    pub fn indexed_after(mut self, time: Duration) -> Life {
        self.index = time;
        self
    }

    /// Something is wrong.
    pub fn fails(mut self, trouble: Trouble) -> Life {
        self.troubles.push(trouble);
        self
    }

    /// The source cannot be fetched any more, for this reason.
    pub fn unreachable(mut self, message: &str) -> Life {
        self.unreachable = Some(message.to_owned());
        self
    }

    /// What was applied is healthy and unhealthy in turn, so long each.
    pub fn flaps(mut self, period: Duration) -> Life {
        self.flaps = Some(period.max(Duration::from_secs(1)));
        self
    }

    /// It is suspended so long after its life was told.
    pub fn suspends_after(mut self, time: Duration) -> Life {
        self.suspends = Some(time);
        self
    }

    /// It is made so long after its life was told.
    pub fn joins_after(mut self, time: Duration) -> Life {
        self.joins = Some(time);
        self
    }

    /// It is deleted so long after its life was told.
    pub fn leaves_after(mut self, time: Duration) -> Life {
        self.leaves = Some(time);
        self
    }

    /// Setting it up is in this state, such as `Failed`, with this message.
    pub fn provisioned_as(mut self, state: &str, message: &str) -> Life {
        self.provisioning = Some((state.to_owned(), message.to_owned()));
        self
    }

    /// Its statuses have this shape.
    pub fn shaped(mut self, shape: Shape) -> Life {
        self.shape = shape;
        self
    }

    /// Its revisions are written so.
    pub fn revisions(mut self, revision: Revision) -> Life {
        self.revision = revision;
        self
    }

    /// Its reports say when they were made, or do not.
    pub fn times(mut self, times: Times) -> Life {
        self.times = times;
        self
    }

    /// There is no status of this kustomization.
    pub fn unlisted(mut self, kustomization: &str) -> Life {
        self.unlisted.push(kustomization.to_owned());
        self
    }

    /// Resource Graph has its statuses, or has not.
    pub fn index_statuses(mut self, statuses: IndexStatuses) -> Life {
        self.index_statuses = statuses;
        self
    }

    /// What was reported by a moment, as one sees it who looks then; nothing if there is no such configuration then.
    pub(super) fn report(
        &self,
        view: View,
        now: Timestamp,
        circumstances: &Circumstances<'_>,
    ) -> Option<Report> {
        let seen = match view {
            View::Direct => now,
            View::Index => now - signed(self.index),
        };
        let Circumstances { made, told, silent, heads, kustomizations } = circumstances;
        let joined = self.joins.map(|time| *told + signed(time));
        let left = self.leaves.is_some_and(|time| *told + signed(time) <= seen);
        if left || joined.is_some_and(|joined| joined > seen) {
            return None;
        }
        let reaching = seen - signed(self.report);
        let heard = silent.map_or(reaching, |silent| silent.min(reaching));
        let suspended = self.suspends.map(|time| *told + signed(time)).filter(|time| *time <= heard);
        let at = suspended.unwrap_or(heard);

        let settled = *made - SETTLED;
        let commits = Commits::until(at, self.arrivals(settled, *told, joined, heads));
        let mut events: Vec<Timestamp> = commits.arrivals.iter().map(|arrival| arrival.synced).collect();
        events.extend(suspended.into_iter().chain([joined.unwrap_or(settled)]));
        let applied = |key: &&str| {
            let (applied, times) = self.applied(key, at, &commits);
            events.extend(times);
            ((*key).to_owned(), applied)
        };
        let applied: BTreeMap<String, Applied> = kustomizations.iter().map(applied).collect();
        let synced = commits.arrivals.last().map(|last| (last.commit.clone(), last.synced));
        let is_wrong = self.unreachable.is_some() || applied.values().any(|one| one.trouble.is_some());
        let lags = |one: &Applied| one.commit.as_ref() != synced.as_ref().map(|(commit, _)| commit);
        let compliance = match () {
            () if suspended.is_some() => "Suspended",
            () if is_wrong => "Non-Compliant",
            () if applied.is_empty() || applied.values().any(|one| one.commit.is_none()) => "Pending",
            () if applied.values().any(lags) => self.applying,
            () => "Compliant",
        };
        let last = events.into_iter().filter(|event| *event <= at).max().unwrap_or(settled);
        Some(Report {
            synced,
            unreachable: self.unreachable.clone(),
            kustomizations: applied,
            is_suspended: suspended.is_some(),
            compliance,
            provisioning: self.provisioning.clone().unwrap_or(("Succeeded".to_owned(), String::new())),
            reported: last + signed(self.report),
        })
    }

    /// When each commit is fetched, and how long it takes to apply, oldest first.
    fn arrivals(
        &self,
        settled: Timestamp,
        told: Timestamp,
        joined: Option<Timestamp>,
        heads: &[Head],
    ) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        for (index, head) in heads.iter().enumerate() {
            let is_settled = joined.is_none() && (index == 0 || head.since < told);
            let since = if index == 0 && is_settled { settled } else { head.since };
            let synced =
                if is_settled { since } else { joined.unwrap_or(since).max(since) + signed(self.sync) };
            if self.unreachable.is_some() && !is_settled {
                break;
            }
            arrivals.push(Arrival { commit: head.commit.clone(), synced, is_settled });
        }
        arrivals
    }

    /// How a kustomization stands at a moment, and when something happened to it.
    fn applied(&self, key: &str, at: Timestamp, commits: &Commits) -> (Applied, Vec<Timestamp>) {
        let mut events = Vec::new();
        let mut applied = Applied { commit: None, trouble: None };
        let takes = signed(*self.applies.get(key).unwrap_or(&self.apply));
        for (index, arrival) in commits.arrivals.iter().enumerate() {
            let troubles = self.troubles.iter().filter(|trouble| trouble.concerns(key, &arrival.commit));
            let windows: Vec<_> = troubles.map(|trouble| (trouble, trouble.window(arrival.synced))).collect();
            let mut done = Some(if arrival.is_settled { arrival.synced } else { arrival.synced + takes });
            for (_, (from, to)) in &windows {
                if done.is_some_and(|done| *from <= done && to.is_none_or(|to| done < to)) {
                    done = *to;
                }
            }
            let next = commits.arrivals.get(index + 1).map(|next| next.synced);
            // What is not applied when something newer comes never is.
            let done = done.filter(|done| *done <= at && next.is_none_or(|next| *done <= next));
            if let Some(done) = done {
                applied.commit = Some(arrival.commit.clone());
                events.push(done);
            }
            if next.is_some() {
                continue;
            }
            for (trouble, (from, to)) in windows {
                events.extend([from].into_iter().chain(to));
                if from <= at && to.is_none_or(|to| at < to) {
                    applied.trouble = Some((trouble.reason.clone(), trouble.message.clone()));
                }
            }
            if let (Some(done), Some(period)) = (done, self.flaps) {
                let period = signed(period).as_secs();
                let turns = at.duration_since(done).as_secs() / period;
                events.push(done + SignedDuration::from_secs(turns * period));
                if turns % 2 == 1 {
                    applied.trouble = Some(unhealthy(key));
                }
            }
        }
        (applied, events)
    }
}

/// How long ago that is which was always so.
const SETTLED: SignedDuration = SignedDuration::from_hours(1);

/// A commit that comes to a cluster.
struct Arrival {
    commit: String,
    synced: Timestamp,
    /// It takes no time to apply.
    is_settled: bool,
}

/// The commits that have come by a moment.
struct Commits {
    arrivals: Vec<Arrival>,
}

impl Commits {
    fn until(at: Timestamp, mut arrivals: Vec<Arrival>) -> Commits {
        arrivals.retain(|arrival| arrival.synced <= at);
        Commits { arrivals }
    }
}

impl Trouble {
    /// Of every kustomization and commit, from when the commit is fetched, for good.
    pub fn new(reason: &str, message: &str) -> Trouble {
        Trouble {
            reason: reason.to_owned(),
            message: message.to_owned(),
            kustomization: None,
            commit: None,
            after: Duration::ZERO,
            until: None,
        }
    }

    /// Of one kustomization only.
    pub fn of(mut self, kustomization: &str) -> Trouble {
        self.kustomization = Some(kustomization.to_owned());
        self
    }

    /// At one commit only.
    pub fn at(mut self, commit: &str) -> Trouble {
        self.commit = Some(commit.to_owned());
        self
    }

    /// Not before so long after the commit was fetched.
    pub fn after(mut self, time: Duration) -> Trouble {
        self.after = time;
        self
    }

    /// Until so long after the commit was fetched; then the commit is applied.
    pub fn until(mut self, time: Duration) -> Trouble {
        self.until = Some(time);
        self
    }

    fn concerns(&self, kustomization: &str, commit: &str) -> bool {
        self.kustomization.as_ref().is_none_or(|one| one == kustomization)
            && self.commit.as_ref().is_none_or(|one| one == commit)
    }

    fn window(&self, synced: Timestamp) -> (Timestamp, Option<Timestamp>) {
        (synced + signed(self.after), self.until.map(|time| synced + signed(time)))
    }
}

fn unhealthy(key: &str) -> (String, String) {
    let message = format!(
        "health check failed after 30s: timeout waiting for: [Deployment/{key}/web status: 'InProgress']"
    );
    ("HealthCheckFailed".to_owned(), message)
}

fn signed(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn time(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(1_000 + minute)
    }

    /// How a life looks at a minute: `old` was there from the beginning, `new` comes at minute 10.
    fn line(life: &Life, view: View, minute: i64) -> String {
        let head = |minute, commit: &str| Head { since: time(minute), commit: commit.to_owned() };
        let circumstances = Circumstances {
            made: time(0),
            told: time(0),
            silent: None,
            heads: &[head(0, "old"), head(10, "new")],
            kustomizations: vec!["app", "infra"],
        };
        let Some(report) = life.report(view, time(minute), &circumstances) else { return "gone".to_owned() };
        let applied = |one: &Applied| {
            let trouble = one.trouble.as_ref().map_or("", |_| "!");
            format!("{}{trouble}", one.commit.as_deref().unwrap_or("-"))
        };
        let applied: Vec<String> = report.kustomizations.values().map(applied).collect();
        let synced = report.synced.map_or("-".to_owned(), |(commit, _)| commit);
        let minute = report.reported.duration_since(time(0)).as_mins();
        format!("{synced} {} {} {minute}", applied.join("/"), report.compliance)
    }

    #[test]
    fn lives_go_by() {
        let life = Life::default;
        let trouble = || Trouble::new("BuildFailed", "no such folder");
        let slow = || life().syncs_after(2 * MINUTE).applies_after(3 * MINUTE);
        let table = [
            (life(), 9, "old old/old Compliant -60", "settled"),
            (life(), 10, "new new/new Compliant 10", "at once"),
            (slow(), 11, "old old/old Compliant -60", "not fetched"),
            (slow(), 12, "new old/old Compliant 12", "fetched, not applied, and Compliant from before"),
            (slow().applying_as("Pending"), 12, "new old/old Pending 12", "or not"),
            (slow(), 15, "new new/new Compliant 15", "applied"),
            (slow().applies_one_after("infra", 9 * MINUTE), 16, "new new/old Compliant 15", "one is slower"),
            (slow().reports_after(4 * MINUTE), 18, "new old/old Compliant 16", "reported late"),
            (slow().reports_after(4 * MINUTE), 19, "new new/new Compliant 19", "and still reported"),
            (slow().joins_after(20 * MINUTE), 19, "gone", "not there yet"),
            (slow().joins_after(20 * MINUTE), 20, "- -/- Pending 20", "just there"),
            (slow().joins_after(20 * MINUTE), 22, "new -/- Pending 22", "fetched"),
            (slow().joins_after(20 * MINUTE), 25, "new new/new Compliant 25", "applied"),
            (life().leaves_after(30 * MINUTE), 30, "gone", "not there any more"),
            (life().suspends_after(5 * MINUTE), 30, "old old/old Suspended 5", "suspended before"),
            (life().unreachable("timeout"), 30, "old old/old Non-Compliant -60", "fetched no more"),
            (life().fails(trouble()), 9, "old -!/-! Non-Compliant -60", "wrong from the beginning"),
            (life().fails(trouble().at("new")), 30, "new old!/old! Non-Compliant 10", "wrong for good"),
            (life().fails(trouble().of("app").at("new")), 30, "new old!/new Non-Compliant 10", "one of two"),
            (
                life().fails(trouble().at("new").until(5 * MINUTE)),
                14,
                "new old!/old! Non-Compliant 10",
                "wrong for a while",
            ),
            (life().fails(trouble().at("new").until(5 * MINUTE)), 15, "new new/new Compliant 15", "healed"),
            (
                life().fails(trouble().at("new").after(2 * MINUTE)),
                13,
                "new new!/new! Non-Compliant 12",
                "wrong later on",
            ),
            (life().flaps(2 * MINUTE), 11, "new new/new Compliant 10", "healthy"),
            (life().flaps(2 * MINUTE), 13, "new new!/new! Non-Compliant 12", "unhealthy"),
            (life().flaps(2 * MINUTE), 15, "new new/new Compliant 14", "healthy again"),
        ];
        for (life, minute, want, why) in table {
            assert_eq!(line(&life, View::Direct, minute), want, "{why}");
            let late = life.indexed_after(MINUTE);
            assert_eq!(line(&late, View::Index, minute + 1), want, "{why}, in the index");
        }
    }
}
