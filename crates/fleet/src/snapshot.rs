//! Everything that a control plane consists of, gathered from where its pointers lead.
//!
//! The shell reads what [`Snapshot::wants`] names until nothing is wanted any more; each source is
//! parsed once, when it arrives.

use std::collections::{BTreeMap, BTreeSet};

use crate::builtin;
use crate::diagnostic::{Diagnostic, Location, Severity, did_you_mean};
use crate::environments::broken_links;
use crate::objects::{BaseRepo, Environment, GitOpsRepo, Object, RepoPlaces, RepoRef, WorkloadRegistration};
use crate::parse::{self, BrokenWorkload, Misplaced, Objects, Parsed};
use crate::plane::{ControlPlane, PROMOTED_BASE, RegisteredWorkload, Unavailable};
use crate::source::{self, Source, Texts};

/// A folder of a repository that has to be read.
#[derive(Clone, Debug)]
pub struct Want {
    /// What for
    pub role: Role,
    /// Repository, branch and folder
    pub at: RepoRef,
    /// The commit to read instead of the branch's head
    pub commit: Option<String>,
    /// Where the parts of the pointer are written
    pub places: RepoPlaces,
}

/// What a source is read for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The objects of the BaseRepo of this name
    Base(String),
    /// The declared environments, at the head of the promoted base's branch
    Environments,
    /// The Workloads of the registration of this name
    Registration(String),
}

/// The part of a pointer that leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The repository
    Repo,
    /// Its branch
    Branch,
    /// The folder in it
    Path,
}

/// Why a source could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// What leads nowhere
    pub part: Part,
    /// Why
    pub reason: String,
    /// What to do about it; nothing: what helps with most pointers
    pub help: Option<String>,
}

/// What has been read so far.
#[derive(Debug)]
pub struct Snapshot {
    plane: Objects,
    environments: Vec<Parsed>,
    brought: BTreeMap<String, Vec<Parsed>>,
    unavailable: Vec<Unavailable>,
    asked: BTreeSet<Role>,
    texts: Texts,
}

impl Snapshot {
    /// Begins with the content of the environment's own branch.
    pub fn new(source: &Source) -> Snapshot {
        let mut snapshot = Snapshot {
            plane: Objects::default(),
            environments: Vec::new(),
            brought: BTreeMap::new(),
            unavailable: Vec::new(),
            asked: BTreeSet::new(),
            texts: Texts::new(),
        };
        snapshot.add_plane(source, in_environment);
        if snapshot.promoted_base().is_none() {
            snapshot.add_environments(source);
        }
        snapshot
    }

    /// What has to be read next; nothing when the snapshot is complete. Nothing is named twice.
    pub fn wants(&mut self) -> Vec<Want> {
        let wants = self.wants_of_bases();
        if wants.is_empty() { self.wants_of_registrations() } else { wants }
    }

    /// What has to be read to know the bases and the declared environments.
    pub fn wants_of_bases(&mut self) -> Vec<Want> {
        let mut wants = Vec::new();
        for base in self.base_repos() {
            let want = |role, commit| Want { role, at: base.at.clone(), commit, places: base.places.clone() };
            wants.push(want(Role::Base(base.meta.name.clone()), base.commit.clone()));
            if base.meta.name == PROMOTED_BASE {
                wants.push(want(Role::Environments, None));
            }
        }
        wants.retain(|want| self.asked.insert(want.role.clone()));
        wants
    }

    fn wants_of_registrations(&mut self) -> Vec<Want> {
        let in_place: BTreeSet<&str> = self.workload_names();
        let fetched = |registration: &&WorkloadRegistration| !in_place.contains(&*registration.meta.name);
        let mut wants: Vec<Want> = self
            .registrations()
            .filter(fetched)
            .map(|registration| Want {
                role: Role::Registration(registration.meta.name.clone()),
                at: registration.workload.clone(),
                commit: None,
                places: registration.places.clone(),
            })
            .collect();
        wants.retain(|want| self.asked.insert(want.role.clone()));
        wants
    }

    /// Takes what was read for `want`, or why it could not be read.
    pub fn add(&mut self, want: &Want, read: Result<Source, Unreadable>) {
        match (&want.role, read) {
            (Role::Base(_), Ok(source)) => self.add_plane(&source, in_base),
            (Role::Environments, Ok(source)) => self.add_environments(&source),
            (Role::Registration(name), Ok(source)) => self.add_workloads(name, want, &source),
            (Role::Base(name), Err(why)) => {
                let what = format!("the base `{name}` ({})", want.at.shown_repo());
                self.plane.problems.push(why.of(&what, want));
            }
            // The base stands in the same repository: one error is enough.
            (Role::Environments, Err(_))
                if self.plane.problems.iter().any(|problem| want.places.have(problem)) => {}
            (Role::Environments, Err(why)) => {
                let what = format!("the environments of {}", want.at.shown_repo());
                self.plane.problems.push(why.of(&what, want));
            }
            (Role::Registration(name), Err(why)) => {
                let what = format!("the repository of workload registration `{name}`");
                self.unavailable(name, None, vec![why.of(&what, want)]);
            }
        }
    }

    fn add_plane(&mut self, source: &Source, misplaced: Misplaced) {
        self.texts.extend(source.texts());
        let mut documents = source::documents(source);
        self.plane.ignored += documents.empty.len();
        self.plane.problems.append(&mut documents.empty);
        let Objects { objects, broken_workloads, problems, unmarked, ignored } =
            parse::objects(documents, misplaced);
        self.plane.ignored += ignored;
        self.plane.unmarked.extend(unmarked);
        self.plane.problems.extend(problems);
        self.plane.broken_workloads.extend(broken_workloads);
        self.plane.objects.extend(objects);
    }

    fn add_environments(&mut self, source: &Source) {
        // The rest may be another version of what is read already.
        self.texts.extend(source.texts().filter(|(file, _)| source::is_environment(&file.path)));
        let documents = source::environment_documents(source);
        let Objects { objects, mut problems, .. } = parse::objects(documents, in_environments);
        // What cannot be read may be what the others name.
        if problems.is_empty() {
            problems = broken_links(&objects);
            // Manifests do not depend on it.
            problems.iter_mut().for_each(|problem| problem.severity = Severity::Warning);
        }
        self.plane.problems.extend(problems);
        self.environments.extend(objects);
    }

    fn add_workloads(&mut self, registration: &str, want: &Want, source: &Source) {
        self.texts.extend(source.texts());
        let Objects { objects, broken_workloads, problems, ignored, unmarked: _ } =
            parse::objects(source::documents(source), in_application);
        self.plane.ignored += ignored;
        let (errors, warnings): (Vec<_>, Vec<_>) = problems.into_iter().partition(Diagnostic::is_error);
        self.plane.problems.extend(warnings);
        for BrokenWorkload { name, problems } in broken_workloads {
            self.unavailable(registration, name, problems);
        }
        if !errors.is_empty() {
            self.unavailable(registration, None, errors);
            return;
        }
        let brought = self.brought.entry(registration.to_owned()).or_default();
        brought.extend(objects);
        let has_none = brought.is_empty()
            && !self.unavailable.iter().any(|other| other.registration.as_deref() == Some(registration));
        if has_none {
            self.plane.ignored += 1;
            let text = format!("workload registration `{registration}` leads to no Workload");
            let help = format!(
                "put a Workload into `{}` of {}, or correct `spec.workload.path`",
                want.at.path,
                want.at.shown_repo()
            );
            self.plane.problems.push(Diagnostic::warning(text).help(help).at(want.places.path.clone()));
        }
    }

    fn unavailable(&mut self, registration: &str, workload: Option<String>, problems: Vec<Diagnostic>) {
        self.unavailable.push(Unavailable {
            registration: Some(registration.to_owned()),
            workload,
            problems,
        });
    }

    fn base_repos(&self) -> impl Iterator<Item = &BaseRepo> {
        self.plane.objects.iter().filter_map(|parsed| match &parsed.object {
            Object::BaseRepo(base) => Some(base),
            _ => None,
        })
    }

    /// The base whose commit is promoted.
    pub fn promoted_base(&self) -> Option<&BaseRepo> {
        self.base_repos().find(|base| base.meta.name == PROMOTED_BASE)
    }

    fn registrations(&self) -> impl Iterator<Item = &WorkloadRegistration> {
        self.plane.objects.iter().filter_map(|parsed| match &parsed.object {
            Object::WorkloadRegistration(registration) => Some(registration),
            _ => None,
        })
    }

    fn workload_names(&self) -> BTreeSet<&str> {
        let whole = self.plane.objects.iter().filter_map(|parsed| match &parsed.object {
            Object::Workload(workload) => Some(&*workload.meta.name),
            _ => None,
        });
        whole.chain(self.plane.broken_workloads.iter().filter_map(|broken| broken.name.as_deref())).collect()
    }

    /// Whether nothing was found at all.
    pub fn is_empty(&self) -> bool {
        self.plane.objects.is_empty() && self.environments.is_empty() && self.plane.problems.is_empty()
    }

    /// The branches that clusters follow, as far as they have been read.
    pub fn gitops_repos(&self) -> impl Iterator<Item = &GitOpsRepo> {
        self.plane.objects.iter().filter_map(|parsed| match &parsed.object {
            Object::GitOpsRepo(repo) => Some(repo),
            _ => None,
        })
    }

    /// The declared environments, as far as they have been read.
    pub fn environments(&self) -> impl Iterator<Item = &Environment> {
        self.environments.iter().filter_map(|parsed| match &parsed.object {
            Object::Environment(environment) => Some(environment),
            _ => None,
        })
    }

    /// The control plane of `environment`, once nothing is wanted any more; with every problem found on the way.
    pub fn control_plane(mut self, environment: &str) -> ControlPlane {
        let mut plane = ControlPlane { environment: environment.to_owned(), ..ControlPlane::default() };
        plane.problems = std::mem::take(&mut self.plane.problems);
        plane.unmarked = std::mem::take(&mut self.plane.unmarked);
        plane.ignored = self.plane.ignored;
        plane.texts = std::mem::take(&mut self.texts);
        if self.plane.objects.is_empty() && !plane.problems.iter().any(Diagnostic::is_error) {
            let text = "the control plane holds no objects at all";
            let help = format!(
                "name the folder that holds the cluster types and policies of `{}`",
                plane.environment
            );
            plane.problems.push(Diagnostic::error(text).help(help));
        }
        let mut objects = std::mem::take(&mut self.plane.objects);
        objects.append(&mut self.environments);
        let objects = without_duplicates(objects, &mut plane.problems);
        let mut candidates = Vec::new();
        for parsed in objects {
            match parsed.object {
                Object::BaseRepo(base) => plane.base_repos.push(base),
                Object::GitOpsRepo(repo) => plane.gitops_repos.push(repo),
                Object::ClusterType(kind) => drop(plane.cluster_types.insert(kind.meta.name.clone(), kind)),
                Object::Template(template) => {
                    drop(plane.templates.insert(template.meta.name.clone(), template))
                }
                Object::ConfigMap(map) => plane.config_maps.push(map),
                Object::ConfigSchema(schema) => plane.config_schemas.push(schema),
                Object::SchedulingPolicy(policy) => plane.policies.push(policy),
                Object::WorkloadRegistration(registration) => {
                    drop(plane.registrations.insert(registration.meta.name.clone(), registration));
                }
                Object::Workload(workload) => candidates.push((None, workload)),
                Object::Environment(environment) => plane.environments.push(environment),
            }
        }
        for (registration, parsed) in self.brought {
            for parsed in parsed {
                if let Object::Workload(workload) = parsed.object {
                    candidates.push((Some(registration.clone()), workload));
                }
            }
        }
        for BrokenWorkload { name, problems } in self.plane.broken_workloads {
            let registration = name.clone().filter(|name| plane.registrations.contains_key(name));
            plane.unavailable.push(Unavailable { registration, workload: name, problems });
        }
        plane.unavailable.extend(self.unavailable);
        for template in builtin::templates() {
            plane.templates.entry(template.meta.name.clone()).or_insert(template);
        }
        plane.sort();
        for (name, rivals) in group_by_name(candidates) {
            plane.add_workload(name, rivals);
        }
        plane.check_environment();
        plane
    }
}

impl ControlPlane {
    /// Takes a Workload if one source brings it; if several do, none of them counts.
    fn add_workload(&mut self, name: String, mut rivals: Vec<(Option<String>, crate::objects::Workload)>) {
        if rivals.len() > 1 {
            let bringers: Vec<(String, Location)> = rivals.iter().map(|rival| self.bringer(rival)).collect();
            for (index, (brought_by, _)) in rivals.into_iter().enumerate() {
                let others = bringers.iter().enumerate().filter(|(other, _)| *other != index);
                let others: Vec<String> =
                    others.map(|(_, (what, place))| format!("{what} at {place}")).collect();
                let (what, place) = &bringers[index];
                let problem = Diagnostic::error(format!(
                    "the Workload `{name}` is brought by {what} and by {}",
                    others.join(", ")
                ))
                .help("rename one of the Workloads, or remove one of the two")
                .at(place.clone());
                let registration =
                    brought_by.or_else(|| self.registrations.contains_key(&name).then(|| name.clone()));
                self.unavailable.push(Unavailable {
                    registration,
                    workload: Some(name.clone()),
                    problems: vec![problem],
                });
            }
            return;
        }
        let Some((brought_by, workload)) = rivals.pop() else { return };
        let by_registration = brought_by.is_some();
        let registration =
            brought_by.or_else(|| self.registrations.contains_key(&name).then(|| name.clone()));
        let workspace = registration
            .as_ref()
            .and_then(|name| self.registrations.get(name))
            .map(|found| found.workspace.clone());
        let workspace = workspace.unwrap_or_default();
        self.workloads
            .insert(name, RegisteredWorkload { workload, registration, by_registration, workspace });
    }

    /// What brings a Workload, and where that stands.
    fn bringer(&self, (brought_by, workload): &Candidate) -> (String, Location) {
        match brought_by.as_ref().and_then(|name| self.registrations.get(name)) {
            Some(registration) => {
                let name = &registration.meta.name;
                (format!("registration `{name}`"), registration.meta.location.clone())
            }
            None => ("the control plane itself".to_owned(), workload.meta.location.clone()),
        }
    }

    fn check_environment(&mut self) {
        let names = || self.environments.iter().map(|environment| &*environment.meta.name);
        if self.environments.is_empty() || names().any(|name| name == self.environment) {
            return;
        }
        let nearest = did_you_mean(&self.environment, names());
        let known = names().collect::<Vec<_>>().join(", ");
        let problem = Diagnostic::error(format!(
            "no environment is called `{}`; declared are {known}",
            self.environment
        ));
        // The one of this branch may be called otherwise than it was meant.
        let of_branch = self.environments.iter().find(|it| it.control_plane.branch == self.environment);
        let problem = match of_branch {
            Some(Environment { meta, .. }) => problem
                .help(format!("its branch is that of `{}`: rename that one, or name it", meta.name))
                .at(meta.location.clone()),
            None => problem.help(
                nearest.unwrap_or_else(|| format!("declare it in `{}/` of the base", source::ENVIRONMENTS)),
            ),
        };
        self.problems.push(problem);
    }
}

type Candidate = (Option<String>, crate::objects::Workload);

fn group_by_name(candidates: Vec<Candidate>) -> BTreeMap<String, Vec<Candidate>> {
    let mut groups: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
    for (registration, workload) in candidates {
        groups.entry(workload.meta.name.clone()).or_default().push((registration, workload));
    }
    groups
}

impl Unreadable {
    /// What it means for `what`, which was to be read for `want`.
    fn of(self, what: &str, want: &Want) -> Diagnostic {
        let usual = || {
            format!(
                "correct the pointer, or give the repository a folder with `--repo {}=FOLDER`",
                want.at.shown_repo()
            )
        };
        Diagnostic::error(format!("{what} cannot be read: {}", self.reason))
            .help(self.help.unwrap_or_else(usual))
            .at(want.places.of(self.part).clone())
    }
}

impl RepoPlaces {
    fn of(&self, part: Part) -> &Location {
        match part {
            Part::Repo => &self.repo,
            Part::Branch => &self.branch,
            Part::Path => &self.path,
        }
    }

    /// Whether an error stands at one of them.
    fn have(&self, problem: &Diagnostic) -> bool {
        let places = [&self.repo, &self.branch, &self.path];
        problem.is_error() && places.into_iter().any(|place| problem.location.as_ref() == Some(place))
    }
}

pub(crate) fn in_environment(kind: &str) -> Option<&'static str> {
    (kind == "Environment").then_some("environments are declared in `.environments/` of the base")
}

fn in_base(kind: &str) -> Option<&'static str> {
    in_environment(kind).or_else(|| (kind == "BaseRepo").then_some("a base cannot bring another base"))
}

pub(crate) fn in_environments(kind: &str) -> Option<&'static str> {
    (kind != "Environment").then_some("only environments are read from this folder")
}

fn in_application(kind: &str) -> Option<&'static str> {
    (kind != "Workload").then_some("an application's repository brings Workloads only")
}

/// The first of each kind and name; a second one that means the same is a warning, another an error.
/// A Workload that stands twice is its application's problem and is left to the caller.
pub(crate) fn without_duplicates(objects: Vec<Parsed>, problems: &mut Vec<Diagnostic>) -> Vec<Parsed> {
    let mut kept: Vec<Parsed> = Vec::new();
    let mut first: BTreeMap<(&'static str, String), usize> = BTreeMap::new();
    for parsed in objects {
        let (kind, meta) = (parsed.object.kind(), parsed.object.meta());
        let key = (kind, meta.name.clone());
        let Some(other) = first.get(&key).map(|index| &kept[*index]) else {
            first.insert(key, kept.len());
            kept.push(parsed);
            continue;
        };
        let other_place = &other.object.meta().location;
        let is_promoted_base = kind == "BaseRepo" && meta.name == PROMOTED_BASE;
        if parsed.node.to_value() == other.node.to_value() && !is_promoted_base {
            let text = format!(
                "the {kind} `{}` stands twice with the same content; the other is at {other_place}",
                meta.name
            );
            let problem = Diagnostic::warning(text).help("remove one of them").related(other_place);
            problems.push(problem.at(meta.location.clone()));
        } else if kind == "Workload" {
            kept.push(parsed);
        } else {
            let text = format!(
                "the {kind} `{}` stands twice with different content; the other is at {other_place}",
                meta.name
            );
            let problem = Diagnostic::error(text).help("rename or remove one of them").related(other_place);
            problems.push(problem.at(meta.location.clone()));
        }
    }
    kept
}
