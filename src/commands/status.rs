//! `kalypso status`: how the clusters of an environment stand now, without waiting.

use std::time::Duration;

use report::{FleetReport, FleetStatus};
use rollout::{Grace, Health, OnTrouble, Policy, Rollout, Standing, State, Unobserved, WhyWaiting};

use super::chain::Chain;
use crate::check::answers::{Answers, Memory};
use crate::check::clusters::Clusters;
use crate::check::subject::Subject;
use crate::check::watch::{Watch, now};
use crate::check::{stale, tell};
use crate::cli::{Format, StatusArgs};
use crate::exit::{Exit, Failure};
use crate::world::{World, runner, terminal};

/// The rules of a look: nothing is waited for, so that only what they say of a configuration counts.
const POLICY: Policy = Policy {
    timeout: Duration::from_secs(3600),
    poll_interval: Duration::from_secs(15),
    grace: Grace::Auto,
    min_clusters: 0,
    on_suspended: OnTrouble::Ignore,
    on_disconnected: OnTrouble::Wait,
    on_unobserved: Unobserved::Said,
};

/// Shows how every configuration stands.
pub(crate) fn run(arguments: &StatusArgs) -> Result<Exit, Failure> {
    let world = World::new(&arguments.plane, Some(&arguments.access))?;
    let chain = Chain::read(&world)?;
    let environment = chain.asked_for(&arguments.plane)?;
    let branch = chain.branch_of(environment, &arguments.plane, &world)?;
    let subject = Subject::find(&chain, environment, &branch, &arguments.into())?;
    let access = &chain.access;
    let answers = Answers {
        github: &access.github,
        gitops: &subject.gitops,
        control_plane: &chain.repo,
        commit: &subject.commit,
        promoted: subject.contents.promoted.as_ref(),
        memory: Memory::default(),
    };
    let clusters = Clusters::new(&arguments.azure, &subject.gitops, access, &world.runner)?;
    let mut watch = Watch { clusters, answers, clock: &*access.clock, trouble: None };
    let (target, now) = (subject.target(), now(&*access.clock));
    let mut rollout = Rollout::look(target.clone(), POLICY, now);
    watch.look(&mut rollout)?;
    let (mut standings, unobserved) = (rollout.standings(now), rollout.unobserved());
    // A look sees one report of each.
    for Standing { observation, state, .. } in &mut standings {
        if *state == State::Waiting(WhyWaiting::SecondReport) {
            *state = State::Done { health: Health::Unchecked, since: observation.reported };
        }
    }
    let fleet = FleetStatus {
        environment: &subject.environment,
        target: &target,
        policy: &POLICY,
        standings: &standings,
        unobserved: &unobserved,
        started: now,
        now,
    };
    terminal::say(&match arguments.format {
        Format::Text => report::fleet_status(&fleet),
        Format::Json => terminal::json(&FleetReport::new(&fleet))?,
    });
    if runner::has_summary() {
        let history = stale::or_warn(stale::history(&chain, &branch, []), &world.runner);
        let (picture, links) =
            (tell::picture(&world, &chain, &history, None), tell::links(&chain, Some(&subject.gitops)));
        runner::summarize(&report::fleet_summary(&fleet, &picture, &links))?;
    }
    Ok(Exit::Done)
}
