//! What holds for every control plane, tried on random ones.

#[path = "support/generator.rs"]
mod generator;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::time::SystemTime;

use fleet::{
    ControlPlane, FileContent, ManifestChecks, Outcome, Package, Placement, RepoPath, Severity, Snapshot,
    Source, Tree, Unreadable,
};
use generator::{Fleet, Random, url};
use report::Report;
use support::{Files, Ran, Scratch};

const TRACKING: &str = ".github/tracking/assignments/";
const GENERATED: [&str; 7] = [
    "reconciler.yaml",
    "reconciler.sh",
    "namespace.yaml",
    "namespace.sh",
    "platform-config.yaml",
    "platform-config.sh",
    "config.yaml",
];

/// The files of one repository, as the shell would have read them.
fn source(files: &Files, folder: &str) -> Source {
    let inside = |path: &str| Some(path.strip_prefix(folder)?.strip_prefix('/')?.to_owned());
    let content = |bytes: &[u8]| FileContent::Bytes(bytes.into());
    let files = files.iter().filter_map(|(path, bytes)| Some((inside(path)?, content(bytes)))).collect();
    Source { prefix: format!("{folder}/").into(), files }
}

/// The control plane in these files.
fn control_plane(files: &Files) -> ControlPlane {
    let mut snapshot = Snapshot::new(&source(files, "plane"));
    loop {
        let wants = snapshot.wants();
        if wants.is_empty() {
            break;
        }
        for want in wants {
            let folder = want.at.repo.strip_prefix(&url("")).map(str::to_owned);
            let unknown = || Unreadable { part: fleet::Part::Repo, reason: "unknown".to_owned(), help: None };
            snapshot.add(&want, folder.map(|folder| source(files, &folder)).ok_or_else(unknown));
        }
    }
    snapshot.control_plane("dev")
}

/// What the core makes of these files.
fn compute(files: &Files) -> (Outcome, Placement) {
    let outcome = fleet::compute(control_plane(files), ManifestChecks::Error);
    let placement = outcome.place(&Tree::default(), &RepoPath::default());
    (outcome, placement)
}

/// What a control plane without mistakes gives.
fn compute_sound(files: &Files) -> (Outcome, Placement) {
    let (outcome, placement) = compute(files);
    let errors: Vec<String> = outcome
        .problems()
        .filter(|problem| problem.severity == Severity::Error)
        .map(ToString::to_string)
        .collect();
    assert_eq!(errors, [""; 0], "the generator makes no mistakes");
    (outcome, placement)
}

fn bytes(tree: &Tree) -> Files {
    tree.files.iter().map(|(path, blob)| (path.clone(), blob.bytes().into_owned())).collect()
}

/// The report without places, which alone may depend on how files are called.
fn without_places(outcome: &Outcome, placement: &Placement) -> Report {
    let changes = Tree::default().changes_to(&placement.tree);
    let mut report = Report::new(outcome, placement, &RepoPath::default(), &changes);
    for problem in report.held.iter_mut().flat_map(|held| &mut held.problems) {
        (problem.file, problem.line, problem.column, problem.help) = (None, None, None, None);
        problem.related = None;
    }
    report.held.iter_mut().for_each(|held| held.problems.sort_by(|a, b| a.message.cmp(&b.message)));
    report
}

#[test]
fn the_order_of_documents_and_files_never_matters() {
    let (mut held, mut written) = (0, 0);
    for seed in 0..300 {
        let fleet = Fleet::new(seed);
        let (outcome, placement) = compute_sound(&fleet.files(seed));
        let (other_outcome, other_placement) = compute_sound(&fleet.files(seed + 7919));
        assert!(bytes(&placement.tree) == bytes(&other_placement.tree), "seed {seed}");
        assert_eq!(
            without_places(&outcome, &placement),
            without_places(&other_outcome, &other_placement),
            "seed {seed}"
        );
        held += placement.held.len();
        written += placement.tree.files.len();
    }
    assert!(
        held > 100 && written > 3000,
        "the generator makes something to compare: {held} held, {written} files"
    );
}

#[test]
fn a_changed_cluster_type_leaves_all_others_alone() {
    let mut changed = 0;
    for seed in 0..300 {
        let mut fleet = Fleet::new(seed);
        let before = bytes(&compute_sound(&fleet.files(seed)).1.tree);
        let random = &mut Random::new(seed);
        let index = random.below(fleet.cluster_types.len());
        let kind = &mut fleet.cluster_types[index];
        match random.happens(50) {
            true => kind.region = random.one_of(&["east", "west", "north", "south"]),
            false => kind.reconciler = random.one_of(&["flux", "argo", "older", "missing"]),
        }
        let name = kind.name.clone();
        let after = bytes(&compute_sound(&fleet.files(seed)).1.tree);
        let others = |files: &Files| -> Files {
            let is_other =
                |path: &str| !path.starts_with(&format!("{name}/")) && path != format!("{TRACKING}{name}");
            files
                .iter()
                .filter(|(path, _)| is_other(path))
                .map(|(path, bytes)| (path.clone(), bytes.clone()))
                .collect()
        };
        assert!(others(&before) == others(&after), "seed {seed}");
        changed += usize::from(before != after);
    }
    assert!(changed > 100, "most of the changes change something: {changed}");
}

/// Puts another text in the place of a random one of those that can be changed.
fn change_something(random: &mut Random, files: &mut Files) {
    const CHANGES: [&str; 22] = [
        "east=west",
        "size: small=size: large",
        "reconciler: flux=reconciler: argo",
        "configType: values=configType: script",
        "name: flux=name: fluxed",
        "purpose: test=purpose: live",
        "workspace: red=workspace: blue",
        "matchLabels=matchLabels: {}, other",
        "environment: dev=environment: stage",
        "path: ./1=path: ./elsewhere",
        "name: t0=name: t7",
        "tier: \"1\"=tier: \"2\"",
        "K1: =K2: ",
        "K0: \"=K0: \"changed ",
        "region.east=region.west",
        "maximum\": 50=maximum\": 5",
        "kind: Flux=kind: Flow",
        "{{ .Namespace }}={{ .Namespace | upper }}",
        "items: [1, yes=items: [1, 'yes'",
        "tojson }}=tojson }} # again",
        "contentType: sh=contentType: yaml",
        "spec:=# one line further down\nspec:",
    ];
    let (old, new) = CHANGES[random.below(CHANGES.len())].split_once('=').expect("old and new");
    let texts = files.iter().map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).into_owned()));
    let places: Vec<(String, String, usize)> = texts
        .flat_map(|(path, text)| {
            let at: Vec<usize> = text.match_indices(old).map(|(at, _)| at).collect();
            at.into_iter().map(move |at| (path.clone(), text.clone(), at))
        })
        .collect();
    if !places.is_empty() {
        let (path, mut text, at) = places[random.below(places.len())].clone();
        text.replace_range(at..at + old.len(), new);
        files.insert(path, text.into_bytes());
    }
}

#[test]
fn what_is_recomputed_is_what_a_fresh_start_gives() {
    let (mut taken_over, mut made) = (0, 0);
    for seed in 0..400 {
        let random = &mut Random::new(seed);
        let mut files = Fleet::new(seed).files(seed);
        let (before, _) = compute(&files);
        (0..=random.below(3)).for_each(|_| change_something(random, &mut files));
        let (fresh, wanted) = compute(&files);
        let again = before.recompute(control_plane(&files));
        let placement = again.place(&Tree::default(), &RepoPath::default());
        assert!(bytes(&placement.tree) == bytes(&wanted.tree), "seed {seed}");
        assert_eq!((placement.held, placement.problems), (wanted.held, wanted.problems), "seed {seed}");
        assert_eq!(again.packages, fresh.packages, "seed {seed}");
        let is_old =
            |package: &Arc<Package>| before.packages.iter().flatten().any(|it| Arc::ptr_eq(it, package));
        let (old, new): (Vec<_>, Vec<_>) = again.packages.iter().flatten().partition(|it| is_old(it));
        (taken_over, made) = (taken_over + old.len(), made + new.len());
    }
    assert!(taken_over > 1000 && made > 300, "{taken_over} packages are taken over, {made} made anew");
}

/// A fleet on disk and the arguments that compute it.
struct OnDisk {
    scratch: Scratch,
    repositories: Vec<String>,
}

impl OnDisk {
    fn new(fleet: &Fleet, seed: u64) -> OnDisk {
        let scratch = Scratch::new();
        scratch.write("", &fleet.files(seed));
        let repositories =
            fleet.repositories().into_iter().map(|folder| format!("{}={folder}", url(folder))).collect();
        OnDisk { scratch, repositories }
    }

    fn schedule(&self, variables: &[(&str, &str)]) -> Ran {
        let mut arguments = vec![
            "schedule",
            "--offline",
            "--environment",
            "dev",
            "--control-plane",
            "plane",
            "--out",
            "out",
            "--report",
            "report.json",
        ];
        arguments.extend(self.repositories.iter().flat_map(|pair| ["--repo", pair]));
        let ran = self.scratch.run(&arguments, variables);
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
        ran
    }

    fn tree(&self) -> Files {
        self.scratch.read("out")
    }

    fn report(&self) -> Report {
        let text = fs::read(self.scratch.path("report.json")).expect("the report");
        serde_json::from_slice(&text).expect("a report")
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for seed in 0..12 {
        let fleet = Fleet::new(seed);
        let run = |threads: &str| {
            let disk = OnDisk::new(&fleet, seed);
            let ran = disk.schedule(&[("RAYON_NUM_THREADS", threads)]);
            (ran, disk.tree(), fs::read(disk.scratch.path("report.json")).expect("the report"))
        };
        let first = run("1");
        for threads in ["1", "2", "7"] {
            assert!(run(threads) == first, "seed {seed}, {threads} threads");
        }
    }
}

#[test]
fn a_second_run_writes_nothing() {
    for seed in 0..12 {
        let disk = OnDisk::new(&Fleet::new(seed), seed);
        disk.schedule(&[]);
        let times = || -> BTreeMap<String, SystemTime> {
            let time = |path: &String| {
                fs::metadata(disk.scratch.path("out").join(path))
                    .and_then(|it| it.modified())
                    .expect("a time")
            };
            disk.tree().keys().map(|path| (path.clone(), time(path))).collect()
        };
        let before = times();
        disk.schedule(&[]);
        assert_eq!(disk.report().changes, [], "seed {seed}");
        assert_eq!(times(), before, "seed {seed}: no file is written again");
    }
}

/// What the core makes of a fleet where nothing is yet.
struct Fresh {
    report: Report,
    files: Files,
}

impl Fresh {
    fn new(fleet: &Fleet, seed: u64) -> Fresh {
        let (outcome, placement) = compute_sound(&fleet.files(seed));
        Fresh { report: without_places(&outcome, &placement), files: bytes(&placement.tree) }
    }
}

/// A run on an older tree: what is there afterwards follows from a run on an empty folder and the rules of ownership.
#[test]
fn an_older_tree_becomes_the_wanted_one() {
    let (mut held, mut kept, mut removed) = (0, 0, 0);
    for seed in 0..40 {
        let fleet = Fleet::new(seed);
        let fresh = Fresh::new(&fleet, seed);
        let old = Fresh::new(&Fleet::new(seed + 100_000), seed);
        let older = with_foreign_files(old.files, &fresh.files, seed);

        let disk = OnDisk::new(&fleet, seed);
        disk.scratch.write("out", &older);
        disk.schedule(&[]);
        let expected = expected(&fleet, &fresh, &older);
        let after = disk.tree();
        let differs: BTreeSet<&String> = expected
            .files
            .keys()
            .chain(after.keys())
            .filter(|path| expected.files.get(*path) != after.get(*path))
            .collect();
        assert!(differs.is_empty(), "seed {seed}: {differs:?}");

        let report = disk.report();
        for change in &report.changes {
            let (was, is) = (older.get(&change.path), after.get(&change.path));
            let want = match change.change {
                report::ChangeKind::Added => was.is_none() && is.is_some(),
                report::ChangeKind::Modified => was.is_some() && is.is_some() && was != is,
                report::ChangeKind::Removed => was.is_some() && is.is_none(),
            };
            assert!(want, "seed {seed}: {change:?}");
        }
        let changed = older
            .keys()
            .chain(after.keys())
            .filter(|path| older.get(*path) != after.get(*path))
            .collect::<BTreeSet<_>>();
        assert_eq!(
            report.changes.iter().map(|change| &change.path).collect::<BTreeSet<_>>(),
            changed,
            "seed {seed}"
        );

        disk.schedule(&[]);
        assert!(disk.tree() == after, "seed {seed}: once more changes nothing");
        held += expected.held;
        kept += expected.kept;
        removed += older.keys().filter(|path| !after.contains_key(*path)).count();
    }
    assert!(
        held > 20 && kept > 5 && removed > 100,
        "every rule is met: {held} held, {kept} kept, {removed} removed"
    );
}

/// An older tree in which people and older tools have left files, some where `wanted` has folders, too.
fn with_foreign_files(mut tree: Files, wanted: &Files, seed: u64) -> Files {
    let random = &mut Random::new(seed);
    let folders = target_folders(&tree);
    let both: BTreeSet<String> = folders.union(&target_folders(wanted)).cloned().collect();
    for folder in both.into_iter().filter(|_| random.happens(50)) {
        tree.insert(format!("{folder}/notes.txt"), b"mine".to_vec());
        tree.insert(format!("{folder}/config.yaml"), b"old: 1\n".to_vec());
    }
    for folder in folders {
        if random.happens(20) {
            tree.insert(format!("{folder}/reconciler.yaml"), b"edited: 1\n".to_vec());
        }
    }
    let kinds: BTreeSet<String> =
        tree.keys().filter_map(|path| path.strip_suffix("/README.md").map(str::to_owned)).collect();
    for kind in kinds {
        tree.insert(format!("{kind}/README.md"), b"written by a person\n".to_vec());
        tree.insert(format!("{kind}/strange/reconciler.yaml"), b"a: 1\n".to_vec());
    }
    for path in [
        "README.md",
        ".github/CODEOWNERS",
        ".vscode/a/settings.json",
        "retired/t/reconciler.yaml",
        "retired/README.md",
    ] {
        tree.insert(path.to_owned(), b"text\n".to_vec());
    }
    tree
}

/// `<cluster type>/<deployment target>` of every folder that holds manifests.
fn target_folders(tree: &Files) -> BTreeSet<String> {
    let folder = |path: &String| path.strip_suffix("/namespace.yaml").map(str::to_owned);
    tree.keys().filter_map(folder).collect()
}

/// What a tree must hold, and how many folders a hold has decided about.
struct Expected {
    files: Files,
    held: usize,
    kept: usize,
}

fn expected(fleet: &Fleet, fresh: &Fresh, older: &Files) -> Expected {
    let report = &fresh.report;
    let mut expected = Expected { files: fresh.files.clone(), held: 0, kept: 0 };
    let files = &mut expected.files;
    files.retain(|path, _| !path.starts_with(TRACKING));
    let workload_of: BTreeMap<&str, &str> =
        report.assignments.iter().map(|it| (&*it.deployment_target, &*it.workload)).collect();
    let held: BTreeSet<(&str, &str)> =
        report.held.iter().map(|it| (&*it.cluster_type, &*it.deployment_target)).collect();
    let wanted: BTreeSet<(&str, &str)> =
        report.assignments.iter().map(|it| (&*it.cluster_type, &*it.deployment_target)).collect();
    let mut lines: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
    let line = |target: &str, workload: &str, state: &str| {
        format!("{target} {workload} {} {state}\n", fleet.registration(workload))
    };
    for (kind, target) in wanted.difference(&held) {
        lines.entry(kind).or_default().insert(target, line(target, workload_of[target], "ok"));
    }
    for (path, bytes) in older {
        let (kind, rest) = path.split_once('/').unwrap_or(("", path));
        let is_theirs = kind.is_empty() || (kind.starts_with('.') && !path.starts_with(TRACKING));
        if is_theirs {
            files.insert(path.clone(), bytes.clone());
        }
        if !report.cluster_types.iter().any(|name| name == kind) {
            continue;
        }
        let Some((target, name)) = rest.split_once('/') else {
            files.insert(path.clone(), bytes.clone());
            continue;
        };
        let tracked = older
            .get(&format!("{TRACKING}{kind}"))
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .unwrap_or_default();
        let tracked = tracked.lines().find(|line| line.split(' ').next() == Some(target)).map(str::to_owned);
        let of_held_workload = |line: &str| {
            held.iter()
                .any(|(other, target)| *other == kind && line.split(' ').nth(1) == Some(workload_of[target]))
        };
        match (wanted.contains(&(kind, target)), held.contains(&(kind, target)), tracked) {
            (true, true, _) => {
                files.insert(path.clone(), bytes.clone());
                lines.entry(kind).or_default().insert(target, line(target, workload_of[target], "held"));
                expected.held += 1;
            }
            (true, false, _) if !GENERATED.contains(&name) => drop(files.insert(path.clone(), bytes.clone())),
            (false, _, Some(line)) if of_held_workload(&line) => {
                files.insert(path.clone(), bytes.clone());
                let line = line.trim_end_matches(" ok").trim_end_matches(" held").to_owned() + " held\n";
                lines.entry(kind).or_default().insert(target, line);
                expected.kept += 1;
            }
            _ => {}
        }
    }
    for (kind, lines) in lines {
        files.insert(format!("{TRACKING}{kind}"), lines.into_values().collect::<String>().into_bytes());
    }
    expected
}

/// Files with a few bytes changed are refused or computed, and never bring the program down.
#[test]
fn damaged_files_never_panic() {
    const SPECIAL: &[u8] = b"\0\t\n\r \"#%&'*,-.:<>?@[]`{|}~!0\xff\xc3\xe2";
    let (mut refused, mut computed) = (0, 0);
    for seed in 0..400 {
        let random = &mut Random::new(seed);
        let mut files = Fleet::new(seed % 40).files(seed);
        for _ in 0..=random.below(3) {
            let index = random.below(files.len());
            let Some(bytes) = files.values_mut().nth(index) else { continue };
            let at = random.below(bytes.len());
            let end = bytes.len().min(at + 1 + random.below(40));
            match random.below(4) {
                0 => bytes[at] = SPECIAL[random.below(SPECIAL.len())],
                1 => drop(bytes.drain(at..end)),
                2 => bytes.truncate(at.max(1)),
                _ => {
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
            }
        }
        let (outcome, _) = compute(&files);
        match outcome.plane.problems.iter().any(|problem| problem.severity == Severity::Error) {
            true => refused += 1,
            false => computed += 1,
        }
    }
    assert!(refused > 50 && computed > 20, "{refused} refused, {computed} computed");
}
