//! The check, played in seeded worlds: clusters with lives of their own, reports that come late or never, an index
//! that lags, reads that fail, and a branch that moves on. What the core says is judged by what it was shown.
//!
//! It knows nothing of how the core works, only what it must and must not do.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test reads its seeds and says how far it is"
)]

#[path = "simulation/course.rs"]
mod course;
#[path = "simulation/history.rs"]
mod history;
#[path = "simulation/judge.rs"]
mod judge;
#[path = "simulation/life.rs"]
mod life;
#[path = "simulation/mood.rs"]
mod mood;
#[path = "simulation/random.rs"]
mod random;
#[path = "simulation/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use course::{Course, Trace, drive};
use random::Random;
use rollout::Verdict;
use world::World;

/// How often what happened.
#[derive(Debug, Default)]
struct Statistics(BTreeMap<String, u64>);

impl Statistics {
    fn count(&mut self, course: &Course) {
        let verdict = match &course.verdict {
            Some(Verdict::Compliant) => "compliant",
            Some(Verdict::Failed(failure)) if failure.configurations.is_empty() => "unobserved",
            Some(Verdict::Failed(_)) => "failed",
            Some(Verdict::Timeout) => "timeout",
            Some(Verdict::NoClusters { .. }) => "no clusters",
            Some(Verdict::Superseded { .. }) => "superseded",
            Some(Verdict::Reverted { .. }) => "reverted",
            None => "nothing",
        };
        self.add(verdict, 1);
        for mark in &course.marks {
            self.add(mark, 1);
        }
        let requests = course.requests;
        for (what, count) in [
            ("~ polls", requests.polls),
            ("~ arrived pages", requests.arrived),
            ("~ all pages", requests.all),
            ("~ direct reads", requests.direct),
        ] {
            self.add(what, count as u64);
        }
    }

    fn add(&mut self, what: &str, count: u64) {
        *self.0.entry(what.to_owned()).or_default() += count;
    }
}

/// Plays the world of a seed; what is wrong, if anything is.
fn play(seed: u64, trace: &mut Trace) -> Result<Course, String> {
    let mut random = Random::new(seed);
    let world = World::draw(&mut random);
    let reads = random.fork();
    let course = play_once(&world, world.started, reads.clone(), trace)?;
    if random.chance(2) && play_once(&world, world.started, reads, trace)? != course {
        return Err("the same again went otherwise".to_owned());
    }
    if random.chance(20) {
        let later = world.started + random.below(300);
        play_once(&world, later, random.fork(), trace).map_err(|why| format!("started twice: {why}"))?;
    }
    Ok(course)
}

fn play_once(world: &World, started: u64, mut reads: Random, trace: &mut Trace) -> Result<Course, String> {
    let course = drive(world, started, &mut reads, trace)?;
    if world.is_calm {
        judge_calm(world, started, &course)?;
    }
    Ok(course)
}

/// Where nothing goes wrong the check succeeds, soon after the last report, and reads no more than it must.
fn judge_calm(world: &World, started: u64, course: &Course) -> Result<(), String> {
    let poll = world.policy.poll_interval.as_secs();
    let deadline = started + world.policy.timeout.as_secs();
    let settles = world.settles(started).filter(|_| !world.fleet.is_empty());
    let is_unhealthy = world.fleet.iter().any(|one| one.is_unhealthy);
    let patience = match () {
        // What a tally misses, a pass every five minutes finds.
        () if world.is_misleading() => 900,
        () if is_unhealthy => 180,
        () => 60,
    };
    if let Some(settled) = settles.map(|at| at.max(started) + 2 * poll + patience) {
        if settled < deadline && course.verdict != Some(Verdict::Compliant) {
            return Err(format!("everything is done at {settled}, but {:?}", course.verdict));
        }
        if course.verdict == Some(Verdict::Compliant) && course.ended > settled {
            return Err(format!("everything is done at {settled}, and it took until {}", course.ended));
        }
    }
    // Where nobody checks the health, every minute may bring the second report.
    let between = if is_unhealthy { 60 } else { 300 };
    // After each move of the branch everything may look done once more.
    let moves = world.history.moves(course.ended) - world.history.moves(started);
    let most = 3 + moves as u64 + (course.ended - started) / between;
    if course.requests.all as u64 > most {
        return Err(format!("{} passes over all rows, and {most} are enough", course.requests.all));
    }
    Ok(())
}

/// Plays these seeds on all processors.
fn play_all(seeds: Range<u64>) -> Statistics {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut statistics = Statistics::default();
        let mut wrong = BTreeMap::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || wrong.len() > 20 {
                return (statistics, wrong);
            }
            match panic::catch_unwind(|| play(seed, &mut Trace::off())) {
                Ok(Ok(course)) => statistics.count(&course),
                Ok(Err(why)) => drop(wrong.insert(seed, why)),
                Err(_) => drop(wrong.insert(seed, "panicked".to_owned())),
            }
        }
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let mut statistics = Statistics::default();
    let mut wrong = BTreeMap::new();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let (counted, found) = worker.join().expect("a worker catches what it plays");
            counted.0.iter().for_each(|(what, count)| statistics.add(what, *count));
            wrong.extend(found);
        }
    });
    let mut text = String::new();
    for (seed, why) in &wrong {
        let _ = writeln!(
            text,
            "SEED={seed} cargo test -p rollout --test simulation one_rollout -- --ignored --nocapture\n    {why}"
        );
    }
    assert!(wrong.is_empty(), "{} rollouts are wrong:\n{text}", wrong.len());
    statistics
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn ten_thousand_rollouts() {
    let statistics = play_all(0..10_000);
    println!("{statistics:#?}");
    for (what, least) in [
        ("compliant", 3000),
        ("failed", 1000),
        ("timeout", 1000),
        ("no clusters", 200),
        ("superseded", 150),
        ("reverted", 50),
        ("unobserved", 50),
        ("a failed read", 500),
        ("a truncated tally", 500),
        ("one that cannot be read", 150),
        ("one that is gone", 80),
        ("success beside one that does not count", 100),
        ("success without one that is ignored", 30),
        ("success without knowing the health", 200),
        ("success at a later commit", 200),
        ("success by what only a direct read showed", 100),
    ] {
        let count = statistics.0.get(what).copied().unwrap_or_default();
        assert!(count >= least, "{what}: only {count} times, and {least} are expected");
    }
}

#[test]
#[ignore = "takes minutes; ROLLOUTS says how many, SEED from where"]
fn a_million_rollouts() {
    let start = number("SEED", 0);
    println!("{:#?}", play_all(start..start + number("ROLLOUTS", 1_000_000)));
}

#[test]
#[ignore = "replays SEED and tells the whole story"]
fn one_rollout() {
    let mut trace = Trace::on();
    let course = play(number("SEED", 0), &mut trace);
    println!("{}\n{course:#?}", trace.text());
    assert!(course.is_ok(), "{course:?}");
}
