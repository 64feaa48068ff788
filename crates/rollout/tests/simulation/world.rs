//! A fleet, what it reports, and how much of that can be seen when.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use rollout::{
    Channel, Cluster, CommitId, ConfigurationId, Connectivity, Grace, Group, Kustomization, ObjectStatus,
    Observation, OnTrouble, Policy, Provisioning, Ready, Reference, Source, Tally, Target, Time, Unobserved,
    Waits,
};

use crate::history::{CHECKED, Commit, History, Turns};
use crate::life::{Conditions, PARTS, Part, Report, SILENCE, Snapshot, Stretch, Whole, is_within, reports};
use crate::mood::{Mood, Trouble};
use crate::random::Random;

/// When checks start, about.
const DAWN: u64 = 1_000_000;
const CLUSTER_TYPES: [&str; 4] = ["command-center", "drone", "large", "small"];
const FOR_EVER: u64 = u64::MAX;

/// Everything there is.
pub(crate) struct World {
    /// What may happen
    pub(crate) mood: Mood,
    /// Whether nothing goes wrong
    pub(crate) is_calm: bool,
    /// The two repositories
    pub(crate) history: History,
    /// When the check starts
    pub(crate) started: u64,
    /// What is checked
    pub(crate) target: Target,
    /// By which rules
    pub(crate) policy: Policy,
    /// The fleet
    pub(crate) fleet: Vec<Configuration>,
    /// When no read works
    pub(crate) outages: Vec<Stretch>,
    clusters: Vec<Machine>,
}

/// A configuration.
pub(crate) struct Configuration {
    /// Its resource
    pub(crate) id: ConfigurationId,
    /// Its cluster
    pub(crate) cluster: usize,
    /// The cluster types whose folders it applies
    pub(crate) types: BTreeSet<&'static str>,
    /// Whether a kustomization does not wait for health
    pub(crate) is_unhealthy: bool,
    /// How long a failure must last by its own intervals
    pub(crate) patience: u64,
    name: String,
    namespace: String,
    parts: Vec<(String, Kustomization)>,
    decoys: Vec<Decoy>,
    sources: Vec<(u64, Source, Follows)>,
    present: Vec<Stretch>,
    suspended: Vec<Stretch>,
    provisioning: Vec<(u64, Provisioning)>,
    reports: Vec<Report>,
    lag: u64,
    frozen: Vec<Stretch>,
    hidden: Vec<Stretch>,
    unreadable: Vec<Stretch>,
    is_stripped: bool,
}

/// What a configuration follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follows {
    /// The branch
    Us,
    /// The repository, but not as a branch of git
    Otherwise,
    /// Something else
    Else,
}

/// What is different about an object that is easily taken for a kustomization that has applied the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decoy {
    Kind,
    Namespace,
    Name,
}

struct Machine {
    id: String,
    name: String,
    /// When it is called away, and what that is called
    away: Vec<(Stretch, &'static str)>,
    is_unknown: bool,
}

/// What can be seen of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sight {
    /// What it follows
    pub(crate) follows: Follows,
    /// Whether it is told to do nothing
    pub(crate) is_suspended: bool,
    /// Whether its cluster is away
    pub(crate) is_away: bool,
    /// Whether it is set up
    pub(crate) provisioning: Provisioning,
    /// When it was reported
    pub(crate) reported: Option<u64>,
    /// What its cluster says
    pub(crate) says: Snapshot,
    /// Whether its objects can be seen
    pub(crate) has_objects: bool,
    source: usize,
    away: Option<(u64, &'static str)>,
}

/// What a direct read shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Glance {
    /// It is there
    There(Box<Sight>),
    /// It is not
    Gone,
    /// Nobody knows
    Refused,
}

impl World {
    /// The world of a seed.
    pub(crate) fn draw(random: &mut Random) -> World {
        let is_calm = random.chance(25);
        let mood = if is_calm { Mood::calm() } else { Mood::draw(random) };
        let size = match random.below(500) {
            0 => 200,
            1..25 => 0,
            _ => random.within(1..=12),
        };
        let mut policy = rules(random, size);
        let started = DAWN + random.below(100);
        let until = started + policy.timeout.as_secs() + 900;
        let turns = if is_calm || random.chance(60) { Turns::Harmless } else { Turns::Any };
        let merged = started - *random.pick(&[0, 5, 60, 600, 2000]);
        let history = History::draw(random, turns, merged, until);
        let cluster_types: Vec<&'static str> =
            CLUSTER_TYPES.into_iter().filter(|_| random.chance(60)).collect();
        let root = *random.pick(&["", "clusters", "clusters/dev"]);
        let is_default_branch = random.chance(20);
        let target = Target {
            repository: "https://github.com/Contoso/GitOps".to_owned(),
            branch: if is_default_branch { "master" } else { "envs/dev" }.to_owned(),
            root: root.to_owned(),
            cluster_types: cluster_types.iter().map(|name| (*name).to_owned()).collect(),
            commit: history.checked().clone(),
            promoted: history.promoted(),
        };
        if is_calm {
            policy.min_clusters = policy.min_clusters.min(1);
            policy.on_unobserved = Unobserved::Said;
        }
        let life = (started - 4000, until);
        let count = (size * random.within(50..=100)).div_ceil(100);
        let clusters: Vec<Machine> =
            (0..count.max(1)).map(|at| machine(random, &mood, at, started, until)).collect();
        let mut world = World {
            mood,
            is_calm,
            history,
            started,
            target,
            policy,
            fleet: Vec::new(),
            outages: Vec::new(),
            clusters,
        };
        for at in 0..size {
            let mut own = random.fork();
            let configuration = world.configuration(&mut own, at, life, &cluster_types);
            world.fleet.push(configuration);
        }
        if world.mood.strikes(Trouble::Outage, random) {
            world.outages.push(stretch(random, (started, until), 60..=3600));
        }
        world
    }

    /// What the index shows of a configuration, as it stood so many seconds before it could.
    pub(crate) fn index(&self, configuration: &Configuration, at: u64, staleness: u64) -> Option<Sight> {
        if is_within(&configuration.hidden, at) {
            return None;
        }
        let mut shown = at - configuration.lag - staleness;
        if let Some((start, _)) =
            configuration.frozen.iter().find(|(start, end)| (*start..*end).contains(&at))
        {
            shown = shown.min(*start);
        }
        let mut sight = self.sight(configuration, shown)?;
        sight.has_objects &= !configuration.is_stripped;
        Some(sight)
    }

    /// What a configuration itself shows.
    pub(crate) fn direct(&self, configuration: &Configuration, at: u64) -> Glance {
        if is_within(&configuration.hidden, at) || is_within(&configuration.unreadable, at) {
            return Glance::Refused;
        }
        self.sight(configuration, at).map_or(Glance::Gone, |sight| Glance::There(Box::new(sight)))
    }

    fn sight(&self, configuration: &Configuration, at: u64) -> Option<Sight> {
        let born = configuration.present.iter().find(|(start, end)| (*start..*end).contains(&at))?.0;
        let arrived = configuration.reports.partition_point(|report| report.arrives <= at);
        let report = configuration.reports[..arrived].iter().rev().find(|report| report.made >= born);
        let source = configuration.sources.partition_point(|(since, ..)| *since <= at).max(1) - 1;
        let provisioning = configuration.provisioning.partition_point(|(since, _)| *since <= at).max(1) - 1;
        let machine = &self.clusters[configuration.cluster];
        let away = machine.away.iter().find(|((start, end), _)| (*start..*end).contains(&at));
        let away = away.filter(|_| !machine.is_unknown).map(|((start, _), state)| (*start, *state));
        Some(Sight {
            follows: configuration.sources[source].2,
            is_suspended: is_within(&configuration.suspended, at),
            is_away: away.is_some(),
            provisioning: configuration.provisioning[provisioning].1.clone(),
            reported: report.and_then(|report| report.reported),
            says: report.map_or(SILENCE, |report| report.says),
            has_objects: report.is_some(),
            source,
            away,
        })
    }

    /// Whether what is seen proves that a configuration has applied what is checked.
    pub(crate) fn is_proof(&self, configuration: &Configuration, sight: &Sight) -> bool {
        let accepts = |commit: Option<Commit>| commit.is_some_and(|commit| self.history.accepts(commit));
        let is_applied =
            |part: &Part| part.is_told && part.ready == Some(Ready::True) && accepts(part.applied);
        let parts = configuration.parts(sight);
        sight.has_objects
            && accepts(sight.says.synced)
            && !parts.is_empty()
            && parts.iter().all(is_applied)
            && sight.says.whole == Whole::Compliant
            && sight.provisioning == Provisioning::Succeeded
    }

    /// When the index shows everything as done for good; nothing if it does not come to that.
    ///
    /// Of a calm world only, where reports come in order and are all shown.
    pub(crate) fn settles(&self, started: u64) -> Option<u64> {
        let mut settled = self.fleet.iter().map(|configuration| {
            let proofs = configuration.reports.iter().rev().map_while(|report| {
                let sight = self.sight(configuration, report.arrives)?;
                self.is_proof(configuration, &sight).then_some(report)
            });
            let proofs: Vec<&Report> = proofs.collect();
            let first = proofs.last()?.arrives.max(started) + configuration.lag;
            if !configuration.is_unhealthy {
                return Some(first);
            }
            // The first report may be seen a poll late; the second must be made a minute after it.
            let earliest = first + 2 * self.policy.poll_interval.as_secs() + 60;
            let second = proofs.iter().rev().find(|report| report.made >= earliest)?;
            Some(second.arrives + configuration.lag)
        });
        settled.try_fold(0, |latest, settled| Some(latest.max(settled?)))
    }

    /// Whether a tally may take for applied what is applied in part, or elsewhere.
    pub(crate) fn is_misleading(&self) -> bool {
        self.fleet.iter().any(|one| !one.decoys.is_empty() || one.parts.len() > 1)
    }

    /// A sight as the core is shown it.
    pub(crate) fn observation(
        &self,
        configuration: &Configuration,
        sight: &Sight,
        channel: Channel,
    ) -> Observation {
        let machine = &self.clusters[configuration.cluster];
        let connectivity = match sight.away {
            Some((since, state)) => {
                Connectivity::Disconnected { state: state.to_owned(), last_contact: Some(Time(since)) }
            }
            None if machine.is_unknown => Connectivity::Unknown,
            None => Connectivity::Connected,
        };
        let objects = if sight.has_objects { self.objects(configuration, &sight.says) } else { Vec::new() };
        Observation {
            id: configuration.id.clone(),
            name: configuration.name.clone(),
            namespace: configuration.namespace.clone(),
            cluster: Cluster { id: machine.id.clone(), name: machine.name.clone(), connectivity },
            source: configuration.sources[sight.source].1.clone(),
            kustomizations: configuration.parts.iter().cloned().collect(),
            is_suspended: sight.is_suspended,
            synced: sight.says.synced.map(|commit| self.history.name(commit).clone()),
            compliance: sight.says.whole.told(),
            provisioning: sight.provisioning.clone(),
            objects,
            message: None,
            reported: sight.reported.map(Time),
            channel,
        }
    }

    fn objects(&self, configuration: &Configuration, says: &Snapshot) -> Vec<ObjectStatus> {
        let Configuration { name, namespace, parts, decoys, .. } = configuration;
        let status = |kind: &str, name: String, namespace: &str, part: &Part| {
            let applied = part.applied.map(|commit| self.history.name(commit).clone());
            let message =
                applied.as_ref().map_or(String::new(), |commit| format!("Applied revision: {commit}"));
            ObjectStatus {
                kind: kind.to_owned(),
                name,
                namespace: namespace.to_owned(),
                ready: part.ready,
                reason: part.reason.to_owned(),
                message,
                applied,
            }
        };
        let ready = Part { is_told: true, ready: Some(Ready::True), reason: "Succeeded", applied: None };
        let fooling = Part { applied: Some(CHECKED), ..ready };
        let mut objects = vec![status("GitRepository", name.clone(), namespace, &ready)];
        for ((key, _), part) in parts.iter().zip(&says.parts) {
            for decoy in decoys {
                objects.push(match decoy {
                    Decoy::Kind => status("HelmRelease", format!("{name}-{key}"), namespace, &fooling),
                    Decoy::Namespace => {
                        status("Kustomization", format!("{name}-{key}"), "elsewhere", &fooling)
                    }
                    Decoy::Name => status("Kustomization", format!("{name}-{key}-2"), namespace, &fooling),
                });
            }
            if part.is_told {
                objects.push(status("Kustomization", format!("{name}-{key}"), namespace, part));
            }
        }
        objects
    }

    /// The tally that the index makes, and those that count in it.
    pub(crate) fn tally(
        &self,
        mentioning: &[CommitId],
        at: u64,
        staleness: u64,
    ) -> (Tally, BTreeMap<usize, Sight>) {
        let mentioning: Vec<Commit> = mentioning.iter().filter_map(|name| self.history.find(name)).collect();
        let mut groups: Vec<Group> = Vec::new();
        let mut members = BTreeMap::new();
        for (number, configuration) in self.fleet.iter().enumerate() {
            let Some(sight) = self.index(configuration, at, staleness) else { continue };
            if sight.is_member() {
                members.insert(number, sight.clone());
            }
            let source = &configuration.sources[sight.source].1;
            let synced = sight.says.synced.map(|commit| self.history.name(commit));
            let compliance = sight.says.whole.told();
            let mentions = sight.has_objects && configuration.mentions(&sight.says, &mentioning);
            let reported = sight.reported.map(Time);
            let alike = groups.iter_mut().find(|group| {
                group.synced.as_ref() == synced
                    && group.mentions == mentions
                    && group.compliance == compliance
                    && group.provisioning == sight.provisioning
                    && group.is_suspended == sight.is_suspended
                    && group.url == source.url
                    && group.reference == source.reference
                    && group.source_kind == source.kind
            });
            match alike {
                Some(group) => {
                    group.count += 1;
                    group.latest = group.latest.max(reported);
                }
                None => groups.push(Group {
                    source_kind: source.kind.clone(),
                    url: source.url.clone(),
                    reference: source.reference.clone(),
                    synced: synced.cloned(),
                    compliance,
                    provisioning: sight.provisioning,
                    is_suspended: sight.is_suspended,
                    mentions,
                    count: 1,
                    latest: reported,
                }),
            }
        }
        (Tally { groups, is_truncated: false }, members)
    }

    fn configuration(
        &self,
        random: &mut Random,
        at: u64,
        life: Stretch,
        cluster_types: &[&'static str],
    ) -> Configuration {
        let World { mood, started, .. } = self;
        let during = (*started, life.1);
        let mut stretches = |trouble: Trouble, length: u64| {
            let strikes = mood.strikes(trouble, random);
            if strikes { vec![stretch(random, (started - 1000, life.1), 1..=length)] } else { Vec::new() }
        };
        let suspended = stretches(Trouble::Suspends, 8000);
        let frozen = stretches(Trouble::Frozen, 8000);
        let hidden = stretches(Trouble::Hidden, 4000);
        let unreadable = stretches(Trouble::Unreadable, 8000);
        let present = presence(random, mood, during);
        let provisioning = provisioning(random, mood, during, &present);
        let sources = self.sources(random, during);
        let cluster = random.below(self.clusters.len() as u64) as usize;
        let away = |state: &'static str| {
            let away = self.clusters[cluster].away.iter().filter(move |(_, called)| *called == state);
            // A cluster that is away is called so some minutes later, and not at all after that.
            away.map(|((start, end), _)| (start - 120, *end)).collect::<Vec<Stretch>>()
        };
        let (offline, asleep) = (away("Offline"), away("Stopped"));
        let (parts, types) = self.parts(random, cluster_types);
        let follows = |at: u64| {
            let since = sources.partition_point(|(since, ..)| *since <= at).max(1) - 1;
            sources[since].2 == Follows::Us
        };
        let conditions = Conditions {
            history: &self.history,
            mood,
            life,
            started: *started,
            parts: parts.len(),
            follows: &follows,
            suspended: &suspended,
            offline: &offline,
            asleep: &asleep,
        };
        let reports = reports(random, &conditions);
        let waits = |part: &(String, Kustomization)| part.1.waits == Waits::No;
        let patience = |part: &(String, Kustomization)| {
            let Kustomization { sync_interval, retry_interval, timeout, .. } = &part.1;
            (retry_interval.unwrap_or(*sync_interval) + *timeout).as_secs()
        };
        let name = format!("{}{}", random.pick(&["gitops", "apps"]), at);
        let decoys = [Decoy::Kind, Decoy::Namespace, Decoy::Name];
        Configuration {
            id: ConfigurationId::new(&format!("{}/fluxConfigurations/{name}", self.clusters[cluster].id)),
            cluster,
            types,
            is_unhealthy: parts.iter().any(waits),
            patience: parts.iter().map(patience).max().unwrap_or_default(),
            name,
            namespace: (*random.pick(&["flux-system", "dev"])).to_owned(),
            parts,
            decoys: decoys.into_iter().filter(|_| random.chance(10)).collect(),
            sources,
            present,
            suspended,
            provisioning,
            reports,
            lag: random.below(30),
            frozen,
            hidden,
            unreadable,
            is_stripped: mood.strikes(Trouble::Stripped, random),
        }
    }

    /// What a configuration follows from when on.
    fn sources(&self, random: &mut Random, during: Stretch) -> Vec<(u64, Source, Follows)> {
        let ours = (self.our_source(random), Follows::Us);
        let other = self.other_source(random, &ours.0);
        let is_strange = self.mood.strikes(Trouble::Strange, random);
        let (first, then) = if is_strange { (other, ours) } else { (ours, other) };
        let mut sources = vec![(0, first.0, first.1)];
        if self.mood.strikes(Trouble::Turns, random) {
            sources.push((random.within(during.0..=during.1), then.0, then.1));
        }
        sources
    }

    /// A source that is the branch, in one of its spellings.
    fn our_source(&self, random: &mut Random) -> Source {
        let url = *random.pick(&[
            "https://github.com/Contoso/GitOps",
            "https://github.com/contoso/gitops.git",
            "https://GitHub.com/Contoso/GitOps/",
            "https://somebody@github.com/Contoso/GitOps",
            "git@github.com:Contoso/GitOps.git",
            "ssh://git@github.com/Contoso/GitOps",
        ]);
        let is_left_out = self.target.branch == "master" && random.chance(50);
        Source {
            kind: (*random.pick(&["GitRepository", "gitrepository"])).to_owned(),
            url: url.to_owned(),
            reference: Reference {
                branch: (!is_left_out).then(|| self.target.branch.clone()),
                ..Reference::default()
            },
            sync_interval: Duration::from_secs(*random.pick(&[60, 120, 600])),
        }
    }

    /// A source that only looks like the branch.
    fn other_source(&self, random: &mut Random, ours: &Source) -> (Source, Follows) {
        let mut other = ours.clone();
        let follows = match random.below(8) {
            0 => {
                other.reference.tag = Some("v1".to_owned());
                Follows::Otherwise
            }
            1 => {
                other.reference.semver = Some(">=1.0.0".to_owned());
                Follows::Otherwise
            }
            2 => {
                other.reference.commit = Some(self.history.checked().to_string());
                Follows::Otherwise
            }
            3 => {
                other.kind = "Bucket".to_owned();
                Follows::Otherwise
            }
            4 => {
                other.reference.branch = Some("Envs/dev".to_owned());
                Follows::Else
            }
            5 => {
                other.reference.branch = (self.target.branch == "master").then(|| "main".to_owned());
                Follows::Else
            }
            6 => {
                other.url = "https://github.com/Contoso/GitOps-2".to_owned();
                Follows::Else
            }
            _ => {
                other.url = "https://github.example/Contoso/GitOps".to_owned();
                Follows::Else
            }
        };
        (other, follows)
    }

    /// Kustomizations, and the cluster types whose folders they apply.
    fn parts(
        &self,
        random: &mut Random,
        cluster_types: &[&'static str],
    ) -> (Vec<(String, Kustomization)>, BTreeSet<&'static str>) {
        let mut types = BTreeSet::new();
        let count = if self.mood.strikes(Trouble::Strange, random) && random.chance(20) {
            0
        } else {
            random.within(1..=PARTS as u64)
        };
        let part = |at: u64| {
            let folder = *random.pick(&CLUSTER_TYPES);
            let path = match random.below(10) {
                0 => String::new(),
                1 => format!("{}/{folder}-2", self.target.root),
                2 => format!("elsewhere/{folder}"),
                _ => {
                    types.extend(cluster_types.iter().find(|known| **known == folder));
                    let below = random.pick(&["", "", "/", "/apps"]);
                    format!("{}/{folder}{below}", self.target.root)
                }
            };
            let path = path.trim_start_matches('/');
            let path = format!("{}{path}", random.pick(&["", "./", "/"]));
            let seconds = |random: &mut Random| Duration::from_secs(*random.pick(&[60, 120, 300, 600]));
            let kustomization = Kustomization {
                path,
                waits: if random.chance(12) { Waits::No } else { Waits::ForHealth },
                sync_interval: seconds(random),
                retry_interval: random.chance(50).then(|| seconds(random)),
                timeout: seconds(random),
            };
            (format!("{}{at}", ["infra", "apps", "drone"][at as usize]), kustomization)
        };
        // In the order of their keys, as they are told.
        let parts: BTreeMap<String, Kustomization> = (0..count).map(part).collect();
        (parts.into_iter().collect(), types)
    }
}

impl Sight {
    /// Whether it counts.
    pub(crate) fn is_member(&self) -> bool {
        self.follows == Follows::Us && self.provisioning != Provisioning::Deleting
    }
}

impl Configuration {
    fn mentions(&self, says: &Snapshot, commits: &[Commit]) -> bool {
        let is_named = |commit: Option<Commit>| commit.is_some_and(|commit| commits.contains(&commit));
        let parts = says.parts.iter().take(self.parts.len()).filter(|part| part.is_told);
        parts.into_iter().any(|part| is_named(part.applied))
            || (!self.decoys.is_empty() && is_named(Some(CHECKED)))
    }

    /// How its kustomizations stand.
    pub(crate) fn parts<'a>(&self, sight: &'a Sight) -> &'a [Part] {
        &sight.says.parts[..self.parts.len()]
    }
}

fn rules(random: &mut Random, size: u64) -> Policy {
    let troubles = [OnTrouble::Ignore, OnTrouble::Ignore, OnTrouble::Wait, OnTrouble::Wait, OnTrouble::Fail];
    let timeout = match random.below(200) {
        0 => 21_600,
        1 => 20,
        _ => *random.pick(&[300, 600, 900, 1800, 3600, 3600, 5400]),
    };
    let poll_interval = random.pick(&[5, 10, 15, 15, 30, 60]).max(&(timeout / 360)).to_owned();
    let grace = match random.below(5) {
        0 => Grace::Fixed(Duration::ZERO),
        1 => Grace::Fixed(Duration::from_secs(random.within(1..=900))),
        _ => Grace::Auto,
    };
    Policy {
        timeout: Duration::from_secs(timeout),
        poll_interval: Duration::from_secs(poll_interval),
        grace,
        min_clusters: *random.pick(&[0, 0, 1, 1, 1, 1, 1, 1, 2, size / 2]) as usize,
        on_suspended: *random.pick(&troubles),
        on_disconnected: *random.pick(&troubles),
        on_unobserved: if random.chance(15) { Unobserved::Refused } else { Unobserved::Said },
    }
}

fn machine(random: &mut Random, mood: &Mood, at: u64, started: u64, until: u64) -> Machine {
    let mut away = Vec::new();
    for (trouble, state) in [(Trouble::Disconnects, "Offline"), (Trouble::Sleeps, "Stopped")] {
        if mood.strikes(trouble, random) {
            away.push((stretch(random, (started - 1000, until), 1..=8000), state));
        }
    }
    let name = format!("cluster{at}");
    Machine { id: format!("/clusters/{name}"), name, away, is_unknown: random.chance(5) }
}

fn stretch(random: &mut Random, during: Stretch, lengths: RangeInclusive<u64>) -> Stretch {
    let start = random.within(during.0..=during.1);
    (start, start + random.within(lengths))
}

fn presence(random: &mut Random, mood: &Mood, during: Stretch) -> Vec<Stretch> {
    let mut present = vec![(0, FOR_EVER)];
    if mood.strikes(Trouble::Joins, random) {
        present[0].0 = random.within(during.0..=during.0 + (during.1 - during.0) / 2);
    }
    if mood.strikes(Trouble::Leaves, random) {
        let end = random.within(during.0.max(present[0].0 + 1)..=during.1);
        present[0].1 = end;
        if random.chance(20) {
            present.push((end + random.within(10..=900), FOR_EVER));
        }
    }
    present
}

fn provisioning(
    random: &mut Random,
    mood: &Mood,
    during: Stretch,
    present: &[Stretch],
) -> Vec<(u64, Provisioning)> {
    let mut states = vec![(0, Provisioning::Succeeded)];
    for (start, end) in present {
        if *start > 0 {
            states.push((*start, Provisioning::Creating));
            states.push((start + random.within(1..=90), Provisioning::Succeeded));
        }
        if *end < FOR_EVER && random.chance(50) {
            states.push((end - random.within(1..=300), Provisioning::Deleting));
        }
    }
    if mood.strikes(Trouble::Unprovisioned, random) {
        let wrong = [
            Provisioning::Failed,
            Provisioning::Failed,
            Provisioning::Canceled,
            Provisioning::Updating,
            Provisioning::Other("Moving".to_owned()),
        ];
        let (start, end) = stretch(random, (during.0 - 1000, during.1), 1..=4000);
        states.push((start, random.pick(&wrong).clone()));
        states.push((end, Provisioning::Succeeded));
    }
    states.sort_by_key(|state| state.0);
    states
}
