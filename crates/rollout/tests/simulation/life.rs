//! The life of one configuration: what its cluster does, and what it reports of it.

use rollout::{Compliance, Ready};

use crate::history::{Commit, FORGOTTEN, History, STRAY};
use crate::mood::{Mood, Trouble};
use crate::random::Random;

/// The most kustomizations that a configuration has.
pub(crate) const PARTS: usize = 3;

/// A stretch of time, without its end.
pub(crate) type Stretch = (u64, u64);

/// What a cluster says at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// What the source has fetched
    pub(crate) synced: Option<Commit>,
    /// How its kustomizations stand
    pub(crate) parts: [Part; PARTS],
    /// How it all stands
    pub(crate) whole: Whole,
}

/// How one kustomization stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Whether it is told at all
    pub(crate) is_told: bool,
    /// Whether it is ready
    pub(crate) ready: Option<Ready>,
    /// Why
    pub(crate) reason: &'static str,
    /// What its message calls applied
    pub(crate) applied: Option<Commit>,
}

/// How a configuration stands as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    /// Compliant
    Compliant,
    /// Non-Compliant
    NonCompliant,
    /// Pending
    Pending,
    /// Suspended
    Suspended,
    /// Unknown
    Unknown,
    /// A state that nobody has seen before
    New,
}

impl Whole {
    /// As it is told.
    pub(crate) fn told(self) -> Compliance {
        match self {
            Whole::Compliant => Compliance::Compliant,
            Whole::NonCompliant => Compliance::NonCompliant,
            Whole::Pending => Compliance::Pending,
            Whole::Suspended => Compliance::Suspended,
            Whole::Unknown => Compliance::Unknown,
            Whole::New => Compliance::Other("Rebalancing".to_owned()),
        }
    }
}

/// A report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// When it was really made
    pub(crate) made: u64,
    /// When it says that it was made
    pub(crate) reported: Option<u64>,
    /// When it comes in
    pub(crate) arrives: u64,
    /// What it says
    pub(crate) says: Snapshot,
}

/// Nothing has been said yet.
pub(crate) const SILENCE: Snapshot = Snapshot { synced: None, parts: [UNTOLD; PARTS], whole: Whole::Pending };
/// Why a kustomization is not ready; it gets over the last of them by itself.
const REASONS: [&str; 5] =
    ["BuildFailed", "HealthCheckFailed", "ReconciliationFailed", "ArtifactFailed", "Progressing"];
const UNTOLD: Part = Part { is_told: false, ready: None, reason: "", applied: None };

/// Under which conditions a configuration lives.
pub(crate) struct Conditions<'a> {
    /// What its branch does
    pub(crate) history: &'a History,
    /// What goes wrong
    pub(crate) mood: &'a Mood,
    /// When it lives
    pub(crate) life: Stretch,
    /// From when the check may look at it
    pub(crate) started: u64,
    /// How many kustomizations it has
    pub(crate) parts: usize,
    /// When it follows the branch
    pub(crate) follows: &'a dyn Fn(u64) -> bool,
    /// When it is told to do nothing
    pub(crate) suspended: &'a [Stretch],
    /// When its cluster cannot be reached, but works
    pub(crate) offline: &'a [Stretch],
    /// When its cluster is stopped
    pub(crate) asleep: &'a [Stretch],
}

/// Whether a moment lies in one of these stretches.
pub(crate) fn is_within(stretches: &[Stretch], at: u64) -> bool {
    stretches.iter().any(|(start, end)| (*start..*end).contains(&at))
}

/// What comes in from a configuration, in the order in which it does.
pub(crate) fn reports(random: &mut Random, conditions: &Conditions) -> Vec<Report> {
    let synced = sync(random, conditions);
    let applied = apply(random, conditions, &synced);
    let told = tell(random, conditions, &applied);
    send(random, conditions, told)
}

/// What the source has fetched from when on.
fn sync(random: &mut Random, conditions: &Conditions) -> Vec<(u64, Option<Commit>)> {
    let Conditions { history, mood, life, follows, suspended, asleep, .. } = conditions;
    let before = history.head(life.0);
    let first = *random.pick(&[Some(before), Some(before), Some(before), None, Some(STRAY), Some(FORGOTTEN)]);
    let mut synced =
        vec![(life.0, if mood.strikes(Trouble::Strange, random) { first } else { Some(before) })];
    let interval = *random.pick(&[10, 15, 30, 60, 120, 300]);
    let stuck = if mood.strikes(Trouble::Stuck, random) { random.within(life.0..=life.1) } else { life.1 };
    let mut look = life.0 + random.below(interval);
    while look < stuck {
        if !is_within(suspended, look) && !is_within(asleep, look) {
            let head = Some(if follows(look) { history.head(look) } else { STRAY });
            if synced[synced.len() - 1].1 != head {
                synced.push((look + random.below(10), head));
            }
        }
        look += interval;
    }
    synced
}

/// How the kustomizations stand from when on, with what the source has fetched.
fn apply(
    random: &mut Random,
    conditions: &Conditions,
    synced: &[(u64, Option<Commit>)],
) -> Vec<(u64, Option<Commit>, [Part; PARTS])> {
    let Conditions { mood, life, parts, .. } = conditions;
    let is_nested = random.chance(40);
    let is_slow = mood.strikes(Trouble::SlowApply, random);
    let names_what_failed = random.chance(50);
    let mut states = Vec::new();
    let mut now = [UNTOLD; PARTS];
    for (at, &(start, commit)) in synced.iter().enumerate() {
        let end = synced.get(at + 1).map_or(life.1, |next| next.0);
        if at == 0 {
            now[..*parts].fill(ready(commit));
        }
        states.push((start, commit, now));
        let Some(commit) = commit.filter(|_| at > 0) else { continue };
        let mut events = Vec::new();
        let mut begun = start;
        for part in 0..*parts {
            let begins = begun + if is_slow { random.within(30..=1200) } else { random.below(20) };
            let mut ends = begins + random.within(1..=40);
            let applied = names_what_failed.then_some(commit);
            if is_nested && part > 0 {
                events.push((start + 5, part, broken(Ready::False, "DependencyNotReady", applied)));
            }
            if random.chance(50) {
                events.push((begins, part, broken(Ready::Unknown, "Progressing", applied)));
            }
            if mood.strikes(Trouble::Fails, random) {
                events.push((ends, part, broken(Ready::False, reason(random), applied)));
                ends += *random.pick(&[30, 150, 400, 900, 2000, 100_000]);
            }
            events.push((ends, part, ready(Some(commit))));
            begun = if is_nested { ends } else { start };
            if mood.strikes(Trouble::Flaps, random) {
                let mut at = ends;
                for _ in 0..random.within(1..=6) {
                    at += random.within(10..=600);
                    events.push((at, part, broken(Ready::False, reason(random), applied)));
                    at += random.within(10..=600);
                    events.push((at, part, ready(Some(commit))));
                }
            }
        }
        events.retain(|event| event.0 < end);
        events.sort_by_key(|event| event.0);
        for (at, part, state) in events {
            now[part] = state;
            states.push((at, Some(commit), now));
        }
    }
    states
}

fn reason(random: &mut Random) -> &'static str {
    REASONS[random.below(REASONS.len() as u64) as usize]
}

fn ready(applied: Option<Commit>) -> Part {
    Part { is_told: true, ready: Some(Ready::True), reason: "ReconciliationSucceeded", applied }
}

fn broken(ready: Ready, reason: &'static str, applied: Option<Commit>) -> Part {
    Part { is_told: true, ready: Some(ready), reason, applied }
}

/// What is told, and when.
fn tell(
    random: &mut Random,
    conditions: &Conditions,
    states: &[(u64, Option<Commit>, [Part; PARTS])],
) -> Vec<(u64, Snapshot)> {
    let Conditions { mood, life, suspended, parts, .. } = conditions;
    let is_stale = mood.strikes(Trouble::StaleState, random);
    let staleness = if is_stale { random.within(20..=1500) } else { 0 };
    let says_suspended = random.chance(50);
    let waits_are_failures = random.chance(50);
    let mut times: Vec<u64> = Vec::new();
    let interval = random.within(60..=600);
    let mut at = life.0 + random.below(interval);
    while at < life.1 {
        times.push(at);
        at += interval;
    }
    times.extend(states.iter().filter(|_| random.chance(80)).map(|state| state.0 + 1));
    if is_stale {
        times.extend(states.iter().map(|state| state.0 + staleness + 1));
    }
    times.sort_unstable();
    times.dedup();
    let state = |at: u64| states[states.partition_point(|state| state.0 <= at).max(1) - 1];
    times.retain(|at| *at < life.1);
    let tell = |at: u64| {
        let (_, synced, mut shown) = state(at);
        let mut whole = whole(&state(at.saturating_sub(staleness)).2[..*parts], waits_are_failures);
        if says_suspended && is_within(suspended, at) {
            whole = Whole::Suspended;
        }
        if mood.strikes(Trouble::OddState, random) {
            whole = *random.pick(&[Whole::Unknown, Whole::New, Whole::Pending, Whole::NonCompliant]);
        }
        if mood.strikes(Trouble::LostStatus, random) {
            let part = &mut shown[random.below(*parts as u64) as usize];
            *part = *random.pick(&[UNTOLD, Part { applied: None, ..*part }, Part { ready: None, ..*part }]);
        }
        (at, Snapshot { synced, parts: shown, whole })
    };
    times.into_iter().map(tell).collect()
}

/// The state of the whole knows nothing of commits: it stays as it was until a kustomization begins to move.
fn whole(parts: &[Part], waits_are_failures: bool) -> Whole {
    let waits = |part: &Part| matches!(part.reason, "DependencyNotReady" | "Progressing");
    let fails = |part: &Part| part.ready == Some(Ready::False) && (waits_are_failures || !waits(part));
    if parts.iter().any(fails) {
        Whole::NonCompliant
    } else if parts.iter().all(|part| part.ready == Some(Ready::True)) {
        Whole::Compliant
    } else {
        Whole::Pending
    }
}

/// What comes in of what is told.
fn send(random: &mut Random, conditions: &Conditions, told: Vec<(u64, Snapshot)>) -> Vec<Report> {
    let Conditions { mood, offline, asleep, started, .. } = conditions;
    let is_untimed = mood.strikes(Trouble::Untimed, random);
    let is_skewed = mood.strikes(Trouble::Skewed, random);
    let skew = if is_skewed { random.within(0..=400) } else { 200 };
    let mut reports = Vec::new();
    let mut free = 0;
    for (made, says) in told {
        if is_within(asleep, made) || mood.strikes(Trouble::LostReport, random) {
            continue;
        }
        let delay =
            if mood.strikes(Trouble::LateReport, random) { Some(random.within(10..=1800)) } else { None };
        // Those that are not late come in order, through one line.
        let mut arrives = made + delay.unwrap_or_else(|| random.below(15));
        if delay.is_none() {
            arrives = arrives.max(free);
            free = arrives;
        }
        if let Some((_, end)) = offline.iter().find(|(start, end)| (*start..*end).contains(&arrives)) {
            if random.chance(70) {
                continue;
            }
            arrives = *end + random.below(30);
        }
        let reported = (!is_untimed).then(|| made + skew - 200);
        reports.push(Report { made, reported, arrives, says });
    }
    reports.sort_by_key(|report| report.arrives);
    // Of what came in long before the check nothing but the last is ever seen.
    let seen = reports.partition_point(|report| report.arrives + 2400 < *started);
    reports.split_off(seen.saturating_sub(1))
}
