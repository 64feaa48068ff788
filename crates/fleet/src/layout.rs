//! The tree that a GitOps branch must hold: what is new, what stays, what goes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::checks::{self, ManifestChecks, ObjectKey};
use crate::diagnostic::{Diagnostic, FileName, Location};
use crate::package::Package;
use crate::path::RepoPath;
use crate::plane::{ControlPlane, Unavailable};
use crate::schedule::Schedule;
use crate::tracking::{self, State, TrackedFolder};
use crate::tree::{Blob, Mode, Tree};

/// Names that the tool gives to files of a target's folder, those of older generations included.
const GENERATED: [&str; 7] = [
    "reconciler.yaml",
    "reconciler.sh",
    "namespace.yaml",
    "namespace.sh",
    "platform-config.yaml",
    "platform-config.sh",
    "config.yaml",
];
const README: &str = "README.md";
const README_TEXT: &str = "Deployment targets that are scheduled on this cluster type; written by kalypso.\n";

/// Problems that many assignments may share.
pub type Problems = Vec<Arc<Diagnostic>>;

/// An assignment, or a folder without one, that keeps what the branch has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The deployment target
    pub deployment_target: String,
    /// The cluster type
    pub cluster_type: String,
    /// Why
    pub problems: Problems,
}

/// What one GitOps branch must hold.
#[derive(Clone, Debug, Default)]
pub struct Placement {
    /// The whole content of the branch
    pub tree: Tree,
    /// What keeps its present content, by cluster type and target
    pub held: Vec<Held>,
    /// What else is to be said; an error forbids to publish
    pub problems: Vec<Diagnostic>,
}

/// Lays out `packages` (one for each assignment of the schedule) below `path` of a branch that holds `current`.
pub(crate) fn place(
    plane: &ControlPlane,
    schedule: &Schedule,
    packages: &[Result<Arc<Package>, Problems>],
    current: &Tree,
    path: &RepoPath,
    checks: ManifestChecks,
) -> Placement {
    let mut placement = Placement { tree: current.clone(), ..Placement::default() };
    if !path.is_root() {
        placement.refuse_generated_root(current, path);
    }
    let present = Present::new(current, path);
    for folder in present.folders.keys().filter(|folder| !plane.cluster_types.contains_key(**folder)) {
        placement.remove(&path.join(folder));
    }
    let known = Known::new(plane, schedule);
    let mut packages = schedule.assignments.iter().zip(packages).peekable();
    for (index, kind) in schedule.cluster_types.iter().enumerate() {
        let mut wanted = BTreeMap::new();
        while let Some((assignment, package)) =
            packages.next_if(|(assignment, _)| assignment.cluster_type as usize == index)
        {
            let target = &schedule.targets[assignment.target as usize];
            wanted.insert(
                &*target.name,
                Wanted { workload: &target.workload, registration: target.registration.as_deref(), package },
            );
        }
        let name = &kind.meta.name;
        let folder = ClusterTypeFolder {
            name,
            path: path.join(name),
            current,
            targets: present.folders.get(&**name).cloned().unwrap_or_default(),
            tracked: tracking::read(current, path, name),
            wanted,
            known: &known,
        };
        folder.place(&mut placement, path, checks);
    }
    let tracked: BTreeSet<String> = placement.tracked_cluster_types(path);
    for name in tracked.iter().filter(|name| !plane.cluster_types.contains_key(*name)) {
        placement.tree.files.remove(&tracking::file(path, name));
    }
    placement.track_commit(plane, path);
    placement.check_paths(current);
    placement.held.sort_by(|a, b| {
        (&a.cluster_type, &a.deployment_target).cmp(&(&b.cluster_type, &b.deployment_target))
    });
    placement
}

/// The folders that a branch has: by cluster type, the folders of its targets.
struct Present<'a> {
    folders: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Present<'a> {
    fn new(current: &'a Tree, path: &RepoPath) -> Self {
        let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (file, _) in current.below(path.as_str()) {
            let mut parts = file.splitn(3, '/');
            let (Some(first), Some(second), third) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            if first.starts_with('.') {
                continue;
            }
            let targets = folders.entry(first).or_default();
            if third.is_some() && !second.starts_with('.') {
                targets.insert(second);
            }
        }
        Present { folders }
    }
}

/// What is known about applications, to tell a folder that is not wanted from one that we know nothing about.
struct Known<'a> {
    unavailable: Vec<&'a Unavailable>,
    /// Workloads that are read and count
    reachable: BTreeSet<&'a str>,
    /// Names of their deployment targets, in any environment
    explained: BTreeSet<String>,
}

impl<'a> Known<'a> {
    fn new(plane: &'a ControlPlane, schedule: &'a Schedule) -> Self {
        let unavailable: Vec<&Unavailable> = plane.unavailable.iter().chain(&schedule.colliding).collect();
        if unavailable.is_empty() {
            return Known { unavailable, reachable: BTreeSet::new(), explained: BTreeSet::new() };
        }
        let collides =
            |name: &str| schedule.colliding.iter().any(|other| other.workload.as_deref() == Some(name));
        let reachable: Vec<_> =
            plane.workloads.values().filter(|it| !collides(&it.workload.meta.name)).collect();
        let names = |it: &&&crate::plane::RegisteredWorkload| {
            let workload = &it.workload;
            workload
                .targets
                .iter()
                .map(|target| format!("{}-{}", workload.meta.name, target.name))
                .collect::<Vec<_>>()
        };
        Known {
            unavailable,
            explained: reachable.iter().flat_map(|it| names(&it)).collect(),
            reachable: reachable.iter().map(|it| &*it.workload.meta.name).collect(),
        }
    }

    /// Why a folder must stay because its application cannot be read.
    fn keeps(&self, folder: &str, tracked: Option<&TrackedFolder>) -> Option<Problems> {
        let is_its = |it: &&&Unavailable| match tracked {
            Some(line) => {
                let is_whole = it.workload.is_none();
                let same_registration =
                    it.registration == line.registration && (is_whole || it.registration.is_some());
                let same_workload = it.workload == line.workload && !is_whole;
                (same_registration || same_workload)
                    && !line.workload.as_deref().is_some_and(|name| self.reachable.contains(name))
            }
            None => !self.explained.contains(folder),
        };
        let problems: Problems = self
            .unavailable
            .iter()
            .filter(is_its)
            .flat_map(|it| it.problems.iter().cloned().map(Arc::new))
            .collect();
        (!problems.is_empty()).then_some(problems)
    }
}

struct Wanted<'a> {
    workload: &'a str,
    registration: Option<&'a str>,
    package: &'a Result<Arc<Package>, Problems>,
}

struct ClusterTypeFolder<'a> {
    name: &'a str,
    path: String,
    current: &'a Tree,
    /// Target folders that are there
    targets: BTreeSet<&'a str>,
    tracked: BTreeMap<String, TrackedFolder>,
    wanted: BTreeMap<&'a str, Wanted<'a>>,
    known: &'a Known<'a>,
}

impl ClusterTypeFolder<'_> {
    fn place(&self, placement: &mut Placement, root: &RepoPath, checks: ManifestChecks) {
        let mut held: BTreeMap<&str, Problems> = BTreeMap::new();
        for (target, wanted) in &self.wanted {
            match wanted.package {
                Err(problems) => drop(held.insert(target, problems.clone())),
                Ok(package) => {
                    if let Some(problems) = self.failed_checks(target, package, placement, checks) {
                        held.insert(target, problems);
                    }
                }
            }
        }
        let mut kept = self.kept(&held);
        if checks != ManifestChecks::Off {
            self.resolve_conflicts(placement, &mut held, &mut kept, checks);
        }
        self.write(placement, &held, &kept);
        self.track(placement, root, &held, &kept);
        placement.held.extend(held.into_iter().chain(kept).map(|(target, problems)| Held {
            deployment_target: target.to_owned(),
            cluster_type: self.name.to_owned(),
            problems,
        }));
    }

    /// What forbids to write a package; a check never holds what the branch already has.
    fn failed_checks(
        &self,
        target: &str,
        package: &Package,
        placement: &mut Placement,
        checks: ManifestChecks,
    ) -> Option<Problems> {
        let problems = &package.checked.problems;
        let (errors, warnings): (Vec<_>, Vec<_>) = problems.iter().cloned().partition(Diagnostic::is_error);
        placement.problems.extend(warnings);
        if errors.is_empty() {
            return None;
        }
        if checks == ManifestChecks::Error && !self.is_unchanged(target, package) {
            return Some(errors.into_iter().map(Arc::new).collect());
        }
        placement.problems.extend(errors.into_iter().map(as_warning));
        None
    }

    fn folder(&self, target: &str) -> String {
        format!("{}/{target}", self.path)
    }

    fn is_unchanged(&self, target: &str, package: &Package) -> bool {
        let there: BTreeMap<&str, _> = self
            .current
            .below(&self.folder(target))
            .filter(|(name, _)| GENERATED.contains(name))
            .map(|(name, blob)| (name, blob.id))
            .collect();
        there == package.files.iter().map(|(name, blob)| (*name, blob.id)).collect()
    }

    /// Folders without an assignment that must stay all the same.
    fn kept(&self, held: &BTreeMap<&str, Problems>) -> BTreeMap<&str, Problems> {
        let mut of_workload: BTreeMap<&str, &Problems> = BTreeMap::new();
        for (target, problems) in held {
            of_workload.entry(self.wanted[target].workload).or_insert(problems);
        }
        let extra = self.targets.iter().copied().filter(|target| !self.wanted.contains_key(target));
        extra
            .filter_map(|target| {
                let tracked = self.tracked.get(target).filter(|line| line.is_known());
                let workload = match tracked {
                    Some(line) => line.workload.as_deref().and_then(|name| of_workload.get(name)),
                    None => {
                        let owns = |(name, _): &(&&str, _)| {
                            target.strip_prefix(**name).is_some_and(|rest| rest.starts_with('-'))
                        };
                        of_workload.iter().find(owns).map(|(_, problems)| problems)
                    }
                };
                let problems = workload
                    .map(|problems| (*problems).clone())
                    .or_else(|| self.known.keeps(target, tracked))?;
                Some((target, problems))
            })
            .collect()
    }

    /// Holds packages that define an object that something else in the folder defines, too.
    fn resolve_conflicts<'s>(
        &'s self,
        placement: &mut Placement,
        held: &mut BTreeMap<&'s str, Problems>,
        kept: &mut BTreeMap<&'s str, Problems>,
        checks: ManifestChecks,
    ) {
        loop {
            let mut owners = Owners::default();
            owners.claim_others(self, held, kept);
            let (unchanged, changed): (Vec<_>, Vec<_>) = self
                .wanted
                .iter()
                .filter(|(target, _)| !held.contains_key(*target))
                .filter_map(|(target, wanted)| Some((*target, &**wanted.package.as_ref().ok()?)))
                .partition(|(target, package)| self.is_unchanged(target, package));
            let mut warnings = Vec::new();
            for (_, package) in unchanged {
                warnings.extend(owners.conflicts(self.name, package));
                owners.claim(package);
            }
            let mut is_settled = true;
            for (target, package) in changed {
                let conflicts = owners.conflicts(self.name, package);
                if conflicts.is_empty() || checks == ManifestChecks::Warn {
                    warnings.extend(conflicts);
                    owners.claim(package);
                    continue;
                }
                held.insert(target, conflicts.into_iter().map(Arc::new).collect());
                // What is held keeps its old content, which may stand in somebody else's way: look again.
                is_settled &= !self.targets.contains(target);
            }
            *kept = self.kept(held);
            if is_settled {
                placement.problems.extend(warnings.into_iter().map(as_warning));
                return;
            }
        }
    }

    fn write(
        &self,
        placement: &mut Placement,
        held: &BTreeMap<&str, Problems>,
        kept: &BTreeMap<&str, Problems>,
    ) {
        for target in &self.targets {
            if !self.wanted.contains_key(target) && !kept.contains_key(target) {
                placement.remove(&self.folder(target));
            }
        }
        for (target, wanted) in &self.wanted {
            let Ok(package) = wanted.package else { continue };
            if !held.contains_key(target) {
                self.write_package(placement, target, package);
            }
        }
        let readme = format!("{}/{README}", self.path);
        placement.tree.files.entry(readme).or_insert_with(|| Blob::file(README_TEXT.as_bytes()));
    }

    fn write_package(&self, placement: &mut Placement, target: &str, package: &Package) {
        let folder = self.folder(target);
        placement.tree.files.remove(&folder);
        let mut others = 0;
        for (name, _) in self.current.below(&folder) {
            let first = name.split('/').next().unwrap_or(name);
            if !GENERATED.contains(&first) {
                others += 1;
            } else if !package.files.iter().any(|(own, _)| *own == name) {
                placement.tree.files.remove(&format!("{folder}/{name}"));
            }
        }
        if others > 0 {
            let file = FileName::in_tree(&folder);
            let text = match others {
                1 => "1 file in this folder was not made by kalypso; it stays".to_owned(),
                others => format!("{others} files in this folder were not made by kalypso; they stay"),
            };
            let problem = Diagnostic::warning(text).help("remove what nobody needs");
            placement.problems.push(problem.at(Location::start_of(&file)));
        }
        for (name, blob) in &package.files {
            let path = format!("{folder}/{name}");
            let is_same = |old: &Blob| old.id == blob.id && matches!(old.mode, Mode::File | Mode::Executable);
            if !self.current.files.get(&path).is_some_and(is_same) {
                placement.tree.files.insert(path, blob.clone());
            }
        }
    }

    fn track(
        &self,
        placement: &mut Placement,
        root: &RepoPath,
        held: &BTreeMap<&str, Problems>,
        kept: &BTreeMap<&str, Problems>,
    ) {
        let mut lines: BTreeMap<String, TrackedFolder> = BTreeMap::new();
        for (target, wanted) in &self.wanted {
            let is_held = held.contains_key(target);
            if is_held && !self.targets.contains(target) {
                continue;
            }
            let state = if is_held { State::Held } else { State::Ok };
            let line = TrackedFolder {
                workload: Some(wanted.workload.into()),
                registration: wanted.registration.map(Into::into),
                state,
            };
            lines.insert((*target).to_owned(), line);
        }
        for target in kept.keys() {
            let line = self.tracked.get(*target).cloned().unwrap_or_default();
            lines.insert((*target).to_owned(), TrackedFolder { state: State::Held, ..line });
        }
        let file = tracking::file(root, self.name);
        match lines.is_empty() {
            true => drop(placement.tree.files.remove(&file)),
            false => placement.write(file, tracking::print(&lines)),
        }
    }
}

/// Who defines which object of a cluster type's folder.
#[derive(Default)]
struct Owners(BTreeMap<ObjectKey, Location>);

impl Owners {
    /// Everything in the folder that is not going to be written now.
    fn claim_others(
        &mut self,
        folder: &ClusterTypeFolder<'_>,
        held: &BTreeMap<&str, Problems>,
        kept: &BTreeMap<&str, Problems>,
    ) {
        for (path, blob) in folder.current.below(&folder.path) {
            let (target, name) = path.split_once('/').unwrap_or(("", path));
            let stays = match target {
                "" => true,
                target if held.contains_key(target) || kept.contains_key(target) => true,
                target => folder.wanted.contains_key(target) && !GENERATED.contains(&name),
            };
            if stays && (name.ends_with(".yaml") || name.ends_with(".yml")) {
                for (key, place) in checks::check(&format!("{}/{path}", folder.path), &blob.bytes()).objects {
                    self.0.entry(key).or_insert(place);
                }
            }
        }
    }

    /// The objects of a package that something else in the folder defines, or that it defines twice.
    fn conflicts(&self, folder: &str, package: &Package) -> Vec<Diagnostic> {
        let mut own: BTreeMap<&ObjectKey, &Location> = BTreeMap::new();
        let mut conflicts = Vec::new();
        for (key, place) in &package.checked.objects {
            let Some(other) = self.0.get(key).or_else(|| own.get(key).copied()) else {
                own.insert(key, place);
                continue;
            };
            let text =
                format!("the {key} is also defined at {other}; no cluster could apply the folder `{folder}`");
            let help = "make the names differ, for example by the deployment target's name in the template";
            conflicts.push(Diagnostic::error(text).help(help).at(place.clone()));
        }
        conflicts
    }

    fn claim(&mut self, package: &Package) {
        for (key, place) in &package.checked.objects {
            self.0.entry(key.clone()).or_insert_with(|| place.clone());
        }
    }
}

impl Placement {
    fn remove(&mut self, folder: &str) {
        let below: Vec<String> =
            self.tree.below(folder).map(|(path, _)| format!("{folder}/{path}")).collect();
        below.iter().for_each(|path| drop(self.tree.files.remove(path)));
    }

    fn write(&mut self, path: String, text: String) {
        self.tree.files.insert(path, Blob::file(text.into_bytes()));
    }

    fn tracked_cluster_types(&self, path: &RepoPath) -> BTreeSet<String> {
        self.tree.below(&tracking::folder(path)).map(|(name, _)| name.to_owned()).collect()
    }

    fn track_commit(&mut self, plane: &ControlPlane, path: &RepoPath) {
        let file = tracking::promoted_commit_file(path);
        let there =
            self.tree.files.get(&file).map(|blob| String::from_utf8_lossy(&blob.bytes()).trim().to_owned());
        match plane.promoted_commit() {
            Some(commit) if there.as_deref() != Some(commit) => self.write(file, commit.to_owned()),
            _ => {}
        }
    }

    /// A file that stands where a folder belongs, or the other way round, cannot be written around.
    fn check_paths(&mut self, current: &Tree) {
        if current.files.is_empty() {
            return;
        }
        let mut last_folder = "";
        let mut in_the_way: BTreeSet<String> = BTreeSet::new();
        for path in self.tree.files.keys().filter(|path| !current.files.contains_key(*path)) {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            if folder != last_folder {
                last_folder = folder;
                let ends = folder.match_indices('/').map(|(end, _)| end).chain([folder.len()]);
                let above =
                    ends.map(|end| &folder[..end]).filter(|above| self.tree.files.contains_key(*above));
                in_the_way.extend(above.map(str::to_owned));
            }
            if self.tree.below(path).next().is_some() {
                in_the_way.insert(path.clone());
            }
        }
        for path in in_the_way {
            let what = if current.files.contains_key(&path) {
                "a file or link stands where a folder"
            } else {
                "a folder stands where a file"
            };
            let file = FileName::in_tree(&path);
            let problem = Diagnostic::error(format!("{what} belongs"))
                .help("rename or remove it in the GitOps repository");
            self.problems.push(problem.at(Location::start_of(&file)));
        }
    }

    /// With a prefix, a branch that was written without one would be left behind unnoticed.
    fn refuse_generated_root(&mut self, current: &Tree, path: &RepoPath) {
        let is_generated = |file: &&String| {
            let folder =
                file.strip_suffix("/reconciler.yaml").filter(|folder| folder.matches('/').count() == 1);
            let of_target = folder.filter(|folder| !folder.starts_with('.') && path.strip(file).is_none());
            of_target.is_some_and(|folder| current.files.contains_key(&format!("{folder}/namespace.yaml")))
        };
        if let Some(found) = current.files.keys().find(is_generated) {
            let text = "the GitOpsRepo has a `path`, but the branch holds generated folders at its root";
            let problem = Diagnostic::error(text).help("move them below the path, or set `path: .`");
            self.problems.push(problem.at(Location::start_of(&FileName::in_tree(found))));
        }
    }
}

fn as_warning(problem: Diagnostic) -> Diagnostic {
    Diagnostic { severity: crate::diagnostic::Severity::Warning, ..problem }
}
