//! 10,000 Flux configurations judged: the whole of `kalypso checkpromote` against the sandbox, from its start to the
//! dispatch of the next promotion.
//!
//! `cargo bench --bench check`; Linux only, for what it says of memory. The time is the program's and the sandbox's
//! together, which share the machine; the CPU time is the program's alone.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kalypso_sandbox::platform::{self, Chapter, Platform};
use kalypso_sandbox::{Kind, Sandbox};

const CONFIGURATIONS: usize = 10_000;
const ROUNDS: usize = 5;

/// One run of the program.
struct Measured {
    wall: Duration,
    cpu: Duration,
    /// Bytes
    peak: u64,
    /// Queries to Azure Resource Graph
    queries: usize,
}

fn main() -> Result<()> {
    let sandbox = Sandbox::start()?;
    let platform = platform::create(&sandbox, Chapter::Whole)?;
    connect(&sandbox, &platform);
    let mut runs = (0..ROUNDS).map(|round| check(&sandbox, &platform, round)).collect::<Result<Vec<_>>>()?;
    runs.sort_by_key(|run| run.wall);
    let [first, .., last] = &runs[..] else { unreachable!() };
    let Measured { wall, cpu, queries, .. } = &runs[ROUNDS / 2];
    let peak = runs.iter().map(|run| run.peak).max().unwrap_or_default();
    println!("{CONFIGURATIONS} configurations, median of {ROUNDS}");
    println!(
        "  time          {:>6.2} s     (target: at most 5; {:.2} to {:.2})",
        wall.as_secs_f64(),
        first.wall.as_secs_f64(),
        last.wall.as_secs_f64()
    );
    println!("  CPU           {:>6.2} s", cpu.as_secs_f64());
    println!("  peak memory   {:>6} MiB   (target: at most 100)", peak >> 20);
    println!("  queries       {queries:>6}");
    Ok(())
}

/// Has clusters follow the branch of `dev`, each of which applies what is merged at once.
fn connect(sandbox: &Sandbox, platform: &Platform) {
    let azure = sandbox.azure();
    for slow in ["center-1", "drone-1", "drone-2", "drone-3", "drone-4"] {
        platform::configuration(sandbox, slow).delete();
    }
    let subscription = azure.subscription("edge");
    for number in 0..CONFIGURATIONS {
        let configuration = subscription.arc(&format!("store-{number:05}")).configuration("gitops-dev");
        configuration.follows(&platform.gitops, "dev").kustomization("drone", "./drone");
    }
}

/// Merges what was promoted, and checks it.
fn check(sandbox: &Sandbox, platform: &Platform, round: usize) -> Result<Measured> {
    let note = format!("Round {round}\n");
    let promoted = platform.control_plane.commit("main", &[("notes.md", Some(&note))], "A note")?;
    let files = [(".github/tracking/Promoted_Commit_Id", Some(&*promoted)), ("drone/notes.md", Some(&*note))];
    let merged = platform.gitops.commit("dev", &files, "What was promoted")?;
    let before = sandbox.requests().len();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kalypso"));
    command.args(["checkpromote", "--environment", "dev", "--commit-id", &merged]);
    command.envs(platform.variables().iter().map(|(name, value)| (name, value)));
    let start = Instant::now();
    let mut run = command.stdout(Stdio::null()).spawn()?;
    let (mut cpu, mut peak) = (Duration::ZERO, 0);
    while run.try_wait()?.is_none() {
        (cpu, peak) = used(&run).unwrap_or((cpu, peak));
        sleep(Duration::from_millis(2));
    }
    let wall = start.elapsed();
    ensure!(run.wait()?.success(), "kalypso failed");
    let newest = platform.control_plane.statuses_of(&promoted)?;
    let newest = newest.first().context("no status")?;
    ensure!(newest.state == "success", "{}", newest.description);
    ensure!(
        newest.description.contains(&format!("{CONFIGURATIONS} configurations")),
        "{}",
        newest.description
    );
    ensure!(sandbox.violations().is_empty(), "{:?}", sandbox.violations());
    let requests = sandbox.requests_since(before);
    let queries = requests.iter().filter(|request| request.kind == Kind::ResourceGraph).count();
    Ok(Measured { wall, cpu, peak, queries })
}

/// What a process has used so far: CPU time, and the most memory that it ever had; nothing when it is over.
fn used(process: &Child) -> Option<(Duration, u64)> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", process.id())).ok();
    let (status, stat) = (read("status")?, read("stat")?);
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().ok()?;
    // The name before them may hold spaces. A tick is a hundredth of a second.
    let ticks = stat.rsplit_once(") ")?.1.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse().unwrap_or(0)).sum();
    Some((Duration::from_millis(10 * ticks), kib << 10))
}
