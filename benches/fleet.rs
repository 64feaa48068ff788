//! `cargo bench --bench fleet`: whole fleets against the targets, as a table.
//!
//! Every measurement is a process of its own, so that its peak memory is its own, too.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fleet::{ControlPlane, ManifestChecks, Outcome, RepoPath, Tree};
use support::Size;

const RUNS: usize = 3;
const MIB: u64 = 1 << 20;

const SMALL: Fleet = Fleet {
    size: Size { cluster_types: 200, workloads: 200, policies: 20, config_maps: 150, schemas: 3, spread: 20 },
    targets: Targets { checks_off: None, checks_on: None, peak: None },
};
const MEDIUM: Fleet = Fleet {
    size: Size {
        cluster_types: 1_000,
        workloads: 1_000,
        policies: 100,
        config_maps: 500,
        schemas: 3,
        spread: 50,
    },
    targets: Targets {
        checks_off: Some(Duration::from_secs(2)),
        checks_on: Some(Duration::from_secs(3)),
        peak: Some(512 * MIB),
    },
};
const LARGE: Fleet = Fleet {
    size: Size {
        cluster_types: 5_000,
        workloads: 20_000,
        policies: 500,
        config_maps: 1_000,
        schemas: 3,
        spread: 50,
    },
    targets: Targets {
        checks_off: Some(Duration::from_secs(60)),
        checks_on: Some(Duration::from_secs(60)),
        peak: Some(2_048 * MIB),
    },
};
/// Recomputing after one value of a ConfigMap changed, on the medium fleet.
const RECOMPUTE_TARGET: Duration = Duration::from_millis(400);
/// Writing the medium fleet, as a multiple of what a plain writer takes.
const WRITE_TARGET: f64 = 2.0;

struct Fleet {
    size: Size,
    targets: Targets,
}

struct Targets {
    checks_off: Option<Duration>,
    checks_on: Option<Duration>,
    peak: Option<u64>,
}

/// What a process of its own does and reports.
#[derive(Clone, Copy, Debug)]
enum Task {
    /// From objects on disk to a tree with its name
    Tree(ManifestChecks),
    /// From parsed objects to packages again, with one value changed
    Recompute(ManifestChecks),
    /// The same, to a tree with its name
    RecomputeTree(ManifestChecks),
    /// Writes the files of a folder into another one, the plain way
    Copy,
}

/// A duration, and the numbers that belong to it.
#[derive(Clone, Debug)]
struct Measured {
    wall: Duration,
    peak: u64,
    files: u64,
    bytes: u64,
    id: String,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match &words[..] {
        [] => table(&[SMALL, MEDIUM]),
        ["--all"] => table(&[SMALL, MEDIUM, LARGE]),
        ["--only", assignments] => {
            let wanted = |fleet: &Fleet| fleet.size.assignments().to_string() == **assignments;
            table(&[SMALL, MEDIUM, LARGE].into_iter().filter(wanted).collect::<Vec<_>>());
        }
        ["task", task, folders @ ..] => {
            let folders: Vec<&Path> = folders.iter().map(Path::new).collect();
            println!("{}", Task::of(task).run(&folders).line());
        }
        _ => {
            eprintln!("usage: cargo bench --bench fleet [-- --all | --only ASSIGNMENTS]");
            std::process::exit(2);
        }
    }
}

/// Measures and prints.
fn table(fleets: &[Fleet]) {
    println!("| assignments | measured | median of {RUNS} | target | peak memory | target | files | MB |");
    println!("|--:|---|--:|--:|--:|--:|--:|--:|");
    for fleet in fleets {
        let objects = tempfile::tempdir().expect("a folder for the objects");
        support::write(objects.path(), &fleet.size.files());
        let Targets { checks_off, checks_on, peak } = fleet.targets;
        let print = |what: &str, measured: &Measured, target: Option<Duration>, peak: Option<u64>| {
            let seconds = |duration: Duration| format!("{:.1} s", duration.as_secs_f64());
            println!(
                "| {} | {what} | {:.2} s | {} | {} MiB | {} | {} | {} |",
                fleet.size.assignments(),
                measured.wall.as_secs_f64(),
                judged(measured.wall, target, seconds),
                measured.peak / MIB,
                judged(measured.peak, peak, |bytes| format!("{} MiB", bytes / MIB)),
                measured.files,
                measured.bytes / 1_000_000,
            );
        };
        let off = median(|| Task::Tree(ManifestChecks::Off).start(&[objects.path()]));
        print("disk → tree, checks off", &off, checks_off, peak);
        let on = median(|| Task::Tree(ManifestChecks::Error).start(&[objects.path()]));
        print("disk → tree, checks on", &on, checks_on, peak);
        assert_eq!(on.id, off.id, "checks change nothing in a sound fleet");
        let is_medium = fleet.size.assignments() == MEDIUM.size.assignments();
        let target = is_medium.then_some(RECOMPUTE_TARGET);
        for (name, checks) in [("off", ManifestChecks::Off), ("on", ManifestChecks::Error)] {
            let again = median(|| Task::Recompute(checks).start(&[objects.path()]));
            print(&format!("one value changed → recomputed, checks {name}"), &again, target, None);
            let tree = median(|| Task::RecomputeTree(checks).start(&[objects.path()]));
            print(&format!("one value changed → tree, checks {name}"), &tree, None, None);
        }
        if is_medium {
            writing(objects.path(), fleet.size.assignments());
        }
    }
}

/// A target, and whether it is met.
fn judged<T: PartialOrd>(measured: T, target: Option<T>, text: impl Fn(T) -> String) -> String {
    let Some(target) = target else { return "–".to_owned() };
    let mark = if measured <= target { '✓' } else { '✗' };
    format!("{} {mark}", text(target))
}

/// What `--out` takes beside making the tree, and what a plain writer takes for the same files.
fn writing(objects: &Path, assignments: usize) {
    let mut rounds: Vec<(f64, f64)> = (0..RUNS)
        .map(|_| {
            let memory = tempfile::tempdir_in(in_memory()).expect("a folder in memory");
            let out = memory.path().join("out");
            let tree = Task::Tree(ManifestChecks::Off).start(&[objects]);
            let whole = schedule(objects, &out);
            let plain = Task::Copy.start(&[&out, &memory.path().join("plain")]);
            (whole.saturating_sub(tree.wall).as_secs_f64(), plain.wall.as_secs_f64())
        })
        .collect();
    rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let (ours, plain) = rounds[RUNS / 2];
    let target = judged(ours, Some(plain * WRITE_TARGET), |seconds| format!("{seconds:.1} s"));
    println!("| {assignments} | written by `--out` | {ours:.2} s | {target} | | | | |");
    println!("| {assignments} | written plainly | {plain:.2} s | – | | | | |");
}

/// A folder in memory, where there is one.
fn in_memory() -> PathBuf {
    Some(PathBuf::from("/dev/shm")).filter(|folder| folder.is_dir()).unwrap_or_else(std::env::temp_dir)
}

/// Runs the program itself.
fn schedule(objects: &Path, out: &Path) -> Duration {
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kalypso"));
    command.args(["schedule", "--manifest-checks", "off", "--environment", support::ENVIRONMENT]);
    command.arg("--control-plane").arg(objects).arg("--out").arg(out);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("the program starts");
    assert!(status.success(), "kalypso schedule ended with {status}");
    start.elapsed()
}

fn median(measure: impl Fn() -> Measured) -> Measured {
    let mut runs: Vec<Measured> = (0..RUNS).map(|_| measure()).collect();
    runs.sort_by_key(|run| run.wall);
    runs.swap_remove(RUNS / 2)
}

impl Task {
    const ALL: [Task; 7] = [
        Task::Tree(ManifestChecks::Off),
        Task::Tree(ManifestChecks::Error),
        Task::Recompute(ManifestChecks::Off),
        Task::Recompute(ManifestChecks::Error),
        Task::RecomputeTree(ManifestChecks::Off),
        Task::RecomputeTree(ManifestChecks::Error),
        Task::Copy,
    ];

    fn name(self) -> String {
        format!("{self:?}")
    }

    fn of(name: &str) -> Task {
        Task::ALL.into_iter().find(|task| task.name() == name).expect("a task of this name")
    }

    /// Runs it in a process of its own.
    fn start(self, folders: &[&Path]) -> Measured {
        let program = std::env::current_exe().expect("the path of this program");
        let output = Command::new(program)
            .args(["task", &self.name()])
            .args(folders)
            .stderr(Stdio::inherit())
            .output()
            .expect("the process starts");
        assert!(output.status.success(), "{self:?} ended with {}", output.status);
        Measured::of_line(&String::from_utf8_lossy(&output.stdout))
    }

    fn run(self, folders: &[&Path]) -> Measured {
        match (self, folders) {
            (Task::Tree(checks), [objects]) => {
                let start = Instant::now();
                let outcome = fleet::compute(support::control_plane(&support::read(objects)), checks);
                let tree = outcome.place(&Tree::default(), &RepoPath::default()).tree;
                let id = tree.id();
                Measured::new(start.elapsed(), &tree, id.to_string())
            }
            (Task::Recompute(checks), [objects]) => {
                let (before, changed) = before_and_changed(objects, checks);
                let start = Instant::now();
                let outcome = before.recompute(changed);
                let wall = start.elapsed();
                let tree = outcome.place(&Tree::default(), &RepoPath::default()).tree;
                Measured::new(wall, &tree, String::new())
            }
            (Task::RecomputeTree(checks), [objects]) => {
                let (before, changed) = before_and_changed(objects, checks);
                let start = Instant::now();
                let outcome = before.recompute(changed);
                let tree = outcome.place(&Tree::default(), &RepoPath::default()).tree;
                let id = tree.id();
                Measured::new(start.elapsed(), &tree, id.to_string())
            }
            (Task::Copy, [from, to]) => {
                let files = files_below(from);
                let start = Instant::now();
                for (path, bytes) in &files {
                    let path = to.join(path);
                    fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
                    fs::write(path, bytes).expect("a file");
                }
                Measured::new(start.elapsed(), &Tree::default(), String::new())
            }
            (task, folders) => panic!("{task:?} of {} folders", folders.len()),
        }
    }
}

/// What is known of a fleet, and its control plane with another value in one ConfigMap.
fn before_and_changed(objects: &Path, checks: ManifestChecks) -> (Outcome, ControlPlane) {
    let plane = support::control_plane(&support::read(objects));
    let mut changed = plane.clone();
    let text = changed.config_maps.first_mut().and_then(|map| map.data.values_mut().next());
    text.expect("the fleet has values").text = "another value".into();
    (fleet::compute(plane, checks), changed)
}

/// Files by path inside `folder`.
fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let inside = path.strip_prefix(folder).expect("it is below").to_owned();
                files.push((inside, fs::read(path).expect("a file")));
            }
        }
    }
    files.sort();
    files
}

impl Measured {
    fn new(wall: Duration, tree: &Tree, id: String) -> Measured {
        let bytes = tree.files.values().map(|blob| blob.size() as u64).sum();
        Measured { wall, peak: peak_memory(), files: tree.files.len() as u64, bytes, id }
    }

    fn line(&self) -> String {
        let Measured { wall, peak, files, bytes, id } = self;
        format!("{} {peak} {files} {bytes} {id}", wall.as_micros())
    }

    fn of_line(line: &str) -> Measured {
        let mut words = line.trim_end_matches('\n').split(' ');
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok()).expect("a number");
        let (wall, peak, files, bytes) = (number(), number(), number(), number());
        let id = words.next().unwrap_or_default().to_owned();
        Measured { wall: Duration::from_micros(wall), peak, files, bytes, id }
    }
}

/// The most memory that this process ever had, as Linux says it; 0 elsewhere.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}
