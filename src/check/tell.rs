//! Telling how a check ended: log, annotations, job summary, outputs.

use std::collections::{BTreeMap, BTreeSet};

use fleet::Snapshot;
use fleet::objects::Environment;
use report::{ChainLink, ChainState, CheckSummary, FleetStatus, HandOver};
use rollout::{CommitId, Standing, State, Verdict};

use super::stale;
use super::subject::{GitOps, Promotion, newest, oid};
use crate::commands::chain::Chain;
use crate::exit::Failure;
use crate::world::github::{History, HistoryCommit, Oid};
use crate::world::{World, runner, terminal};

/// Tells a person, and the steps that follow.
pub(crate) fn tell(world: &World, promotion: &Promotion, summary: &CheckSummary<'_>) -> Result<(), Failure> {
    let problems = report::check_problems(summary);
    if world.runner.is_action() {
        terminal::say(&report::annotations(&problems, |_| None));
    }
    terminal::complain(&report::problems(&problems));
    terminal::say(&(report::log_line(&report::rollout_status(summary).description) + "\n"));
    runner::summarize(&report::check_summary(summary))?;
    world.runner.set_outputs(&outputs(promotion, summary))
}

/// Tells the steps that follow of a check that could not be done; people read its error.
pub(crate) fn undone(world: &World, promotion: &Promotion) -> Result<(), Failure> {
    let commit = promotion.commit.as_ref().map(ToString::to_string).unwrap_or_default();
    world.runner.set_outputs(&[("verdict", "failed".to_owned()), ("promoted-commit-id", commit)])
}

fn outputs(promotion: &Promotion, summary: &CheckSummary<'_>) -> [(&'static str, String); 5] {
    let text = |commit: &Option<CommitId>| commit.as_ref().map(ToString::to_string).unwrap_or_default();
    // Who goes on by hand goes on with this: it is there only if there is something to go on with.
    let next = match &summary.hand_over {
        // GitHub drops outputs that contain a secret.
        _ if promotion.is_next_secret => String::new(),
        HandOver::Started(next) | HandOver::Left(next) => next.clone(),
        HandOver::Failed { environment, .. } => environment.clone(),
        HandOver::Nothing | HandOver::Waits(_) => String::new(),
    };
    [
        ("verdict", verdict(summary).to_owned()),
        ("clusters", clusters(&summary.fleet, |state| !matches!(state, State::NotCounted(_))).to_string()),
        (
            "clusters-compliant",
            clusters(&summary.fleet, |state| matches!(state, State::Done { .. })).to_string(),
        ),
        ("promoted-commit-id", text(&promotion.commit)),
        ("next-environment", next),
    ]
}

fn verdict(summary: &CheckSummary<'_>) -> &'static str {
    match summary.verdict {
        Verdict::Compliant if summary.held.means == report::HeldMeans::Said => "compliant",
        Verdict::Compliant | Verdict::Failed(_) => "failed",
        Verdict::Timeout => "timeout",
        Verdict::NoClusters { .. } => "no-clusters",
        Verdict::Superseded { .. } => "superseded",
        Verdict::Reverted { .. } => "reverted",
    }
}

/// On how many clusters every configuration is as `is_meant` says.
fn clusters(fleet: &FleetStatus<'_>, is_meant: impl Fn(&State) -> bool) -> usize {
    let cluster = |standing: &Standing<'_>| standing.observation.cluster.id.clone();
    let counted = fleet.standings.iter().filter(|it| !matches!(it.state, State::NotCounted(_)));
    let (meant, others): (Vec<_>, Vec<_>) = counted.partition(|standing| is_meant(&standing.state));
    let others: BTreeSet<String> = others.into_iter().map(cluster).collect();
    let meant: BTreeSet<String> = meant.into_iter().map(cluster).collect();
    meant.difference(&others).count()
}

/// Where the texts of a run can be looked up.
pub(crate) fn links(chain: &Chain, gitops: Option<&GitOps>) -> report::CheckLinks {
    let page = |repo| chain.access.github.url(repo).to_string();
    report::CheckLinks {
        control_plane: Some(page(&chain.repo)),
        gitops: gitops.map(|gitops| page(&gitops.repo)),
    }
}

/// The environments, each with the newest commit that has a status there; `now` is what this run knows better.
///
/// Where none of the known ones has, it is the commit that the environment's branch names. Nobody looks at a picture
/// where there is no summary.
pub(crate) fn picture(
    world: &World,
    chain: &Chain,
    history: &History,
    now: Option<(&str, &CommitId, ChainState)>,
) -> report::Chain {
    if !runner::has_summary() {
        return report::Chain::default();
    }
    let known = |environment: &Environment| {
        let name = &environment.meta.name;
        let now = now.filter(|(of, ..)| of == name).map(|(_, commit, state)| (commit.clone(), state));
        now.or_else(|| history.commits().find_map(|commit| marked(commit, name)))
    };
    let unknown = chain.environments.iter().filter(|environment| known(environment).is_none());
    let far = far_behind(world, chain, unknown);
    let link = |environment: &Environment| {
        let name = &environment.meta.name;
        let (promoted, state) = match known(environment).or_else(|| far.get(name).cloned()) {
            Some((commit, state)) => (Some(commit), state),
            None => (None, ChainState::Unmarked),
        };
        ChainLink { name: name.clone(), next: environment.next.clone(), promoted, state }
    };
    report::Chain(chain.in_order().into_iter().map(link).collect())
}

/// What the branches of environments name, and how far that is there.
///
/// A picture is worth no error: an environment that cannot be read is drawn without a commit.
fn far_behind<'e>(
    world: &World,
    chain: &Chain,
    environments: impl Iterator<Item = &'e Environment>,
) -> BTreeMap<String, (CommitId, ChainState)> {
    let pinned = |environment: &Environment| {
        let source = world.sources.source(&environment.control_plane).ok()?;
        Some((environment.meta.name.clone(), stale::pinned(&Snapshot::new(&source))?))
    };
    let pinned: BTreeMap<String, CommitId> = environments.filter_map(pinned).collect();
    let named: Vec<Oid> = pinned.values().filter_map(|commit| oid(commit).ok()).collect();
    let commits = chain.access.github.commits(&chain.repo, &named).unwrap_or_default();
    let state = |(name, commit): (String, CommitId)| {
        let found = commits.iter().filter(|it| it.id.as_str() == commit.as_str());
        let state = found.filter_map(|it| marked(it, &name)).map(|(_, state)| state).next();
        (name, (commit, state.unwrap_or(ChainState::Unmarked)))
    };
    pinned.into_iter().map(state).collect()
}

/// How far a commit is in an environment, if it has a status there.
fn marked(commit: &HistoryCommit, environment: &str) -> Option<(CommitId, ChainState)> {
    let status = newest(&commit.statuses, environment)?;
    let state = ChainState::of_status(status.state, status.description.as_deref().unwrap_or_default());
    Some((CommitId::new(commit.id.as_str())?, state))
}
