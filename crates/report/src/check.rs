//! A check that ended: how, in one line, and what to do next.

use std::collections::BTreeSet;

use fleet::Diagnostic;
use rollout::{CommitId, Due, Failure, NotCounted, Standing, State, Verdict, WhyWaiting, is_same_repository};

use crate::chain::Chain;
use crate::fleet_status::{FleetStatus, is_counted};
use crate::standing::{lasted, messages, reason};
use crate::terminal::{counted, plain};

/// The first words of every failure.
const FAILED: &str = "Failed to deploy";
/// What an identity that sees nothing needs.
const ROLE: &str = "give it the role Reader on those of the clusters";

/// How text that is not ours stands in a sentence: as Markdown's code, or plain.
pub(crate) type Quote = fn(&str) -> String;

/// This many names of a list stand in a sentence.
const NAMED: usize = 5;

/// A check that ended.
#[derive(Clone, Debug)]
pub struct CheckSummary<'a> {
    /// How the fleet stood then
    pub fleet: FleetStatus<'a>,
    /// How it ended
    pub verdict: &'a Verdict,
    /// The commit that may be carried on
    pub promoted: Option<&'a CommitId>,
    /// Whether there was something to carry on
    pub due: &'a Due,
    /// What keeps its earlier content
    pub held: Held,
    /// What was done about the environment that follows
    pub hand_over: HandOver,
    /// What is visible where clusters report; asked for when there are too few
    pub diagnosis: Option<Diagnosis>,
    /// Why the last look at clusters did not come to its end
    pub trouble: Option<&'a str>,
    /// The environments
    pub chain: Chain,
    /// Where to look things up
    pub links: CheckLinks,
}

/// Deployment targets that keep their earlier content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Which ones
    pub targets: Vec<HeldTarget>,
    /// What that means for the check
    pub means: HeldMeans,
}

/// A deployment target on a cluster type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldTarget {
    /// The cluster type
    pub cluster_type: String,
    /// The deployment target
    pub deployment_target: String,
}

/// What held targets mean for a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeldMeans {
    /// They are said
    #[default]
    Said,
    /// They are a failure, for `on-held` says so
    Refused,
    /// They are a failure, for everything that this promotion changed is held
    Everything,
}

/// What was done about the environment that follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HandOver {
    /// Nothing: there is none, or the verdict is against it
    #[default]
    Nothing,
    /// Its promotion was started
    Started(String),
    /// It is left to the caller, for `promote` or the workflow's name says so
    Left(String),
    /// It is started by the checks of these branches or environments, once they succeed, too
    Waits(Vec<String>),
    /// Its promotion could not be started
    Failed {
        /// The environment
        environment: String,
        /// Why
        reason: String,
    },
}

/// What is visible where clusters report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// How the identity has signed in
    pub way: String,
    /// The subscriptions that it sees
    pub subscriptions: Vec<String>,
    /// How many clusters it sees in those that are looked at
    pub clusters: usize,
    /// What the configurations follow that it sees there, the most frequent first
    pub followed: Vec<Followed>,
    /// What it may not be allowed to see, if it is not that nothing is there
    pub missing: Option<MissingSight>,
}

/// What some configurations follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The repository's URL, as it is written there
    pub url: String,
    /// The branch; empty where none is named
    pub branch: String,
    /// How many they are
    pub configurations: usize,
}

/// What an identity may not be allowed to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingSight {
    /// Anything at all
    Everything,
    /// Clusters, though it sees configurations on them
    Clusters,
    /// Configurations, though it sees clusters
    Configurations,
}

/// Where people can look up what a summary names: web addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckLinks {
    /// The control plane's repository
    pub control_plane: Option<String>,
    /// The GitOps repository
    pub gitops: Option<String>,
}

/// Why the check is no success, each with the next move; only a warning where the branch has moved on.
pub fn check_problems(summary: &CheckSummary<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let help = next_move(summary, plain);
    match summary.verdict {
        Verdict::Superseded { .. } | Verdict::Reverted { .. } => {
            problems.push(Diagnostic::warning(headline(summary, plain)).help(help));
        }
        _ if summary.is_deployed() => (),
        _ => problems.push(Diagnostic::error(headline(summary, plain)).help(help)),
    }
    if let HandOver::Failed { environment, reason } = &summary.hand_over {
        problems.push(
            Diagnostic::error(format!("promote for {} could not be started: {}", plain(environment), plain(reason))).help(
                "correct that, then run promote for it by hand, or run this job again: nothing is promoted twice",
            ),
        );
    }
    problems
}

/// A warning if clusters may need longer than the check waits.
pub fn slow_fleet(fleet: &FleetStatus<'_>) -> Option<Diagnostic> {
    let needs = |standing: &Standing<'_>| {
        let observation = standing.observation;
        let kustomizations = observation.kustomizations.values();
        let applies = kustomizations.map(|one| one.sync_interval.saturating_add(one.timeout)).max();
        observation.source.sync_interval.saturating_add(applies.unwrap_or_default())
    };
    let counted = fleet.standings.iter().filter(|standing| is_counted(standing));
    let slowest = counted.max_by_key(|standing| needs(standing))?;
    let (name, needs, timeout) = (&slowest.observation.cluster.name, needs(slowest), fleet.policy.timeout);
    (needs > timeout).then(|| {
        Diagnostic::warning(format!(
            "{name} may take {} by its own intervals, and the check waits {}",
            lasted(needs),
            lasted(timeout)
        ))
        .help("raise `timeout`, or lower the intervals and timeouts of the Flux configuration")
    })
}

impl CheckSummary<'_> {
    /// Whether everything has arrived, and what is held is no failure.
    pub fn is_deployed(&self) -> bool {
        *self.verdict == Verdict::Compliant && self.held.means == HeldMeans::Said
    }
}

/// How it ended, in one line.
pub(crate) fn headline(summary: &CheckSummary<'_>, quote: Quote) -> String {
    let CheckSummary { fleet, verdict, held, trouble, .. } = summary;
    let branch = || quote(&fleet.target.branch);
    match verdict {
        Verdict::Compliant => match held.means {
            HeldMeans::Said => deployed(summary, quote),
            HeldMeans::Refused => {
                format!("{FAILED}: {} held", counted(held.targets.len(), "deployment target"))
            }
            HeldMeans::Everything => format!("{FAILED}: everything that this promotion changed is held"),
        },
        Verdict::Failed(failure) => format!("{FAILED}: {}", failed(fleet, failure, quote)),
        Verdict::Timeout => format!("{FAILED}: {}", overdue(fleet, *trouble, quote)),
        Verdict::NoClusters { seen: 0 } => format!("{FAILED}: no cluster follows branch {}", branch()),
        Verdict::NoClusters { seen } => format!(
            "{FAILED}: {} on branch {}, at least {} required",
            counted(*seen, "cluster"),
            branch(),
            fleet.policy.min_clusters
        ),
        Verdict::Superseded { by: Some(by), .. } => superseded(by),
        Verdict::Superseded { head, by: None } => {
            format!("Superseded by {} on branch {}", head.short(), branch())
        }
        Verdict::Reverted { by: Some(by), .. } => format!("Reverted by {}", by.short()),
        Verdict::Reverted { head, by: None } => {
            format!("Reverted by {} on branch {}", head.short(), branch())
        }
    }
}

/// What has failed, the first one with its reason.
fn failed(fleet: &FleetStatus<'_>, failure: &Failure, quote: Quote) -> String {
    let Failure { configurations, unobserved } = failure;
    let mut said = Vec::new();
    // What is missing is short: it comes before a message that may be cut.
    if !unobserved.is_empty() {
        let names = some(unobserved.iter().map(String::as_str), quote);
        said.push(format!("{} not observed: {names}", types(unobserved.len())));
    }
    if !configurations.is_empty() {
        let of = fleet.counts().total().max(configurations.len());
        let mut standings = fleet.standings.iter();
        let first = standings.find(|standing| configurations.contains(&standing.observation.id));
        let first = first.map(|first| {
            let message = messages(first.observation).into_iter().next().map(|message| quote(&message));
            let why = [Some(quote(&reason(first))), message].into_iter().flatten().collect::<Vec<_>>();
            format!(", {}: {}", quote(&first.observation.cluster.name), why.join(", "))
        });
        said.push(format!("{} of {of} failed{}", configurations.len(), first.unwrap_or_default()));
    }
    said.join("; ")
}

/// What is missing when time is over.
fn overdue(fleet: &FleetStatus<'_>, trouble: Option<&str>, quote: Quote) -> String {
    if let Some(reason) = trouble {
        return format!("clusters could not be read when time was over: {}", quote(reason));
    }
    let is_ignored = |standing: &&Standing<'_>| matches!(standing.state, State::Ignored(_));
    let open: Vec<&Standing<'_>> =
        fleet.not_done().into_iter().filter(|standing| !is_ignored(standing)).collect();
    let timeout = lasted(fleet.policy.timeout);
    match open.len() {
        0 => format!("not everything could be read again within {timeout}"),
        count => format!(
            "{count} of {} still waiting after {timeout}: {}",
            fleet.counts().total(),
            some(open.iter().map(|standing| &*standing.observation.cluster.name), quote)
        ),
    }
}

pub(crate) fn superseded(by: &CommitId) -> String {
    format!("Superseded by {}", by.short())
}

pub(crate) fn undone(reason: &str, quote: Quote) -> String {
    format!("The check could not be done: {}", quote(reason))
}

fn deployed(CheckSummary { fleet, held, hand_over, .. }: &CheckSummary<'_>, quote: Quote) -> String {
    let arrived = arrived(fleet, quote);
    if let HandOver::Failed { environment, .. } = hand_over {
        return format!("{arrived}, but promote for {} could not be started", quote(environment));
    }
    let counts = fleet.counts();
    let mut said = vec![arrived];
    let mut add = |count: usize, what: String| said.extend((count > 0).then_some(what));
    add(held.targets.len(), format!("{} held", held.targets.len()));
    add(fleet.unobserved.len(), format!("{} not observed", types(fleet.unobserved.len())));
    add(counts.ignored, format!("{} ignored", counts.ignored));
    add(counts.unchecked, format!("health of {} unchecked", counts.unchecked));
    said.join(", ")
}

fn arrived(fleet: &FleetStatus<'_>, quote: Quote) -> String {
    let clusters = fleet.clusters(|state| matches!(state, State::Done { .. }));
    match fleet.counts().done {
        0 => format!("Deployed, no configuration follows branch {}", quote(&fleet.target.branch)),
        done => format!("Deployed to {} on {}", counted(done, "configuration"), counted(clusters, "cluster")),
    }
}

pub(crate) fn types(count: usize) -> String {
    counted(count, "cluster type")
}

/// What to do next.
pub(crate) fn next_move(summary: &CheckSummary<'_>, quote: Quote) -> String {
    let CheckSummary { fleet, verdict, held, diagnosis, trouble, .. } = summary;
    match verdict {
        Verdict::Compliant => match held.means {
            HeldMeans::Said => carried_on(summary, quote),
            HeldMeans::Refused | HeldMeans::Everything => {
                "solve what the issues of the GitOps repository name, then run schedule; the check after the merge of its pull request carries the promotion on"
                    .to_owned()
            }
        },
        Verdict::Failed(failure) => match failure.configurations.is_empty() {
            true => "connect a cluster of each type that is not observed, remove the cluster type, or leave out `require-cluster-types`".to_owned(),
            false => "read each cluster's own message below and correct its cause; the check of the next merge carries the promotion on, or run this job again if nothing in the branch has to change".to_owned(),
        },
        Verdict::Timeout if trouble.is_some() => {
            "correct what the message names, then run the job again: it begins anew and promotes nothing twice"
                .to_owned()
        }
        Verdict::Timeout => late(fleet),
        Verdict::NoClusters { .. } => too_few(fleet, diagnosis.as_ref(), quote),
        Verdict::Superseded { .. } => {
            "nothing: the check of the newer commit decides".to_owned()
        }
        Verdict::Reverted { .. } => {
            "nothing is promoted. The next schedule brings the content back: to keep it away, promote an older commit with `allow-rollback`, or take the change back in the control plane".to_owned()
        }
    }
}

fn carried_on(CheckSummary { due, hand_over, .. }: &CheckSummary<'_>, quote: Quote) -> String {
    match (due, hand_over) {
        (_, HandOver::Started(next)) => format!("nothing: promote for {} has been started", quote(next)),
        (_, HandOver::Left(next)) => {
            format!("start promote for {} when your own tests are done", quote(next))
        }
        (_, HandOver::Waits(names)) => format!(
            "nothing: what follows is started when the checks of these have succeeded, too: {}",
            some(names.iter().map(String::as_str), quote)
        ),
        (_, HandOver::Failed { environment, reason }) => format!(
            "start promote for {} by hand, or run this job again when this is corrected: {}",
            quote(environment),
            quote(reason)
        ),
        (Due::Yes, HandOver::Nothing) => "nothing: no environment follows".to_owned(),
        (Due::Done, _) => "nothing: this commit was carried on before".to_owned(),
        (Due::Untracked, _) => "nothing: the branch tracks no promoted commit".to_owned(),
        (Due::Reverts(newer), _) => format!(
            "nothing is promoted: the merge takes back {}, and the next schedule brings it again; to keep it away, take the change back in the control plane",
            newer.short()
        ),
        (Due::Superseded(newer), _) => {
            format!("nothing is promoted: {} is promoted by now", newer.short())
        }
    }
}

/// What those that are late have in common; what most of them wait for comes first.
fn late(fleet: &FleetStatus<'_>) -> String {
    let waits = |is_meant: fn(&WhyWaiting) -> bool| {
        let states = fleet.standings.iter().map(|standing| &standing.state);
        states.filter(|state| matches!(state, State::Waiting(why) if is_meant(why))).count()
    };
    let reasons = [
        (
            waits(|why| matches!(why, WhyWaiting::Unproven(_) | WhyWaiting::SecondReport)),
            "read what they report below; if they are only slow, raise `timeout` and run the job again",
        ),
        (
            waits(|why| matches!(why, WhyWaiting::Disconnected)),
            "bring the clusters back that are not connected, or set `on-disconnected: ignore`",
        ),
        (
            waits(|why| matches!(why, WhyWaiting::Suspended)),
            "resume the configurations that are suspended, or set `on-suspended: ignore`",
        ),
        (
            waits(|why| matches!(why, WhyWaiting::Unreadable)),
            "the log says why configurations cannot be read: give the identity the role Reader again, or run the job \
             again when Azure answers",
        ),
    ];
    let mut said: Vec<(usize, &str)> = reasons.into_iter().filter(|(count, _)| *count > 0).collect();
    said.sort_by_key(|(count, _)| usize::MAX - count);
    match said.is_empty() {
        true => "raise `timeout`, and run the job again".to_owned(),
        false => said.into_iter().map(|(_, said)| said).collect::<Vec<_>>().join("; "),
    }
}

/// Why there are too few clusters, as far as it can be seen.
fn too_few(fleet: &FleetStatus<'_>, diagnosis: Option<&Diagnosis>, quote: Quote) -> String {
    let or_allow = "; where that is meant, lower `min-clusters`";
    let follow = || {
        format!(
            "let clusters follow {} of {}",
            quote(&fleet.target.branch),
            quote(&without_user(&fleet.target.repository))
        )
    };
    let Some(diagnosis) = diagnosis else {
        return follow() + or_allow;
    };
    let target = fleet.target;
    let is_own = |followed: &&Followed| is_same_repository(&followed.url, &target.repository);
    let is_similar = |followed: &&Followed| {
        !is_own(followed) && name_of(&followed.url).contains(&name_of(&target.repository))
    };
    let branches: BTreeSet<&str> = diagnosis
        .followed
        .iter()
        .filter(is_own)
        .map(Followed::branch)
        .filter(|it| *it != target.branch)
        .collect();
    let similar: BTreeSet<String> =
        diagnosis.followed.iter().filter(is_similar).map(|followed| without_user(&followed.url)).collect();
    let mut standings = fleet.standings.iter();
    let is_pinned = standings.any(|standing| standing.state == State::NotCounted(NotCounted::Pinned));
    let said = match diagnosis.missing {
        Some(MissingSight::Everything) if diagnosis.subscriptions.is_empty() => {
            format!("the identity sees no subscription: {ROLE}")
        }
        Some(MissingSight::Everything) => {
            format!("the identity sees subscriptions, and no cluster in them: {ROLE}")
        }
        Some(MissingSight::Configurations) => format!(
            "the identity sees {} and no Flux configuration: create one on each cluster, or let its role read Microsoft.KubernetesConfiguration/fluxConfigurations",
            counted(diagnosis.clusters, "cluster")
        ),
        Some(MissingSight::Clusters) => {
            "the identity sees configurations, and not their clusters: let its role read Microsoft.Kubernetes/connectedClusters and Microsoft.ContainerService/managedClusters".to_owned()
        }
        None if is_pinned => {
            "the configurations that are listed below are pinned: let them follow the branch".to_owned()
        }
        None if !branches.is_empty() => format!(
            "configurations follow other branches of the repository: {}; correct theirs, or the GitOpsRepo's",
            some(branches.into_iter(), quote)
        ),
        None if !similar.is_empty() => format!(
            "configurations follow similar repositories: {}; correct their URL, or the GitOpsRepo's",
            some(similar.iter().map(String::as_str), quote)
        ),
        None => follow(),
    };
    said + or_allow
}

impl Followed {
    /// The branch that is followed; Flux takes this one where none is named.
    pub(crate) fn branch(&self) -> &str {
        if self.branch.is_empty() { "master" } else { &self.branch }
    }
}

/// The name of a repository in small letters: the end of its URL.
fn name_of(url: &str) -> String {
    let name = url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default().to_lowercase();
    name.strip_suffix(".git").unwrap_or(&name).to_owned()
}

/// A URL without user and password.
pub(crate) fn without_user(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

/// `a, b and 3 more`.
pub(crate) fn some<'n>(names: impl Iterator<Item = &'n str>, quote: Quote) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(NAMED).map(|name| quote(name)).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        rest => format!("{shown} and {rest} more"),
    }
}
