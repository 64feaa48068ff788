//! What a check costs: requests to Azure and to GitHub, and statuses.

use std::time::{Duration, SystemTime};

use kalypso_sandbox::azure::{AzureLimits, Life};
use kalypso_sandbox::{At, Fault, Kind, Request, Status};

use super::platform::Ran;
use super::rollout_platform::{Merged, RolloutPlatform, SUBSCRIPTION};

/// So many rows are on a page.
const PAGE: usize = 1000;
const MINUTE: Duration = Duration::from_secs(60);
const HEAD: &str = "*/git/matching-refs/heads/dev";

/// How many configurations arrive between one poll and the next: pages that are just full, and just not.
const WAVES: [usize; 5] = [1, 999, 1, 1000, 1001];

#[test]
fn a_poll_costs_one_query_and_one_more_for_every_thousand_that_arrived() {
    let (world, merged) = fleet(|wave| Life::default().syncs_after(MINUTE * wave));
    let ran = world.check_merged(&merged, &[("timeout", "5m")]).succeeded();
    let all: usize = WAVES.iter().sum();
    assert_eq!(ran.outputs["clusters-compliant"], all.to_string());
    let arrived = WAVES.iter().map(|arrived| 1 + arrived.div_ceil(PAGE));
    let mut want: Vec<usize> = [1].into_iter().chain(arrived).collect();
    // The last ones are read with all others, in the pass before the verdict.
    let last = want.pop().unwrap();
    let polls = queries_by_poll(&ran);
    assert_eq!(polls[..want.len()], want);
    assert_eq!(polls.len(), want.len() + 1);
    assert!(polls[want.len()] <= last + all.div_ceil(PAGE), "{polls:?}");
    assert_eq!(of(&ran, Kind::ResourceManager), 0, "nothing is late");
    assert_eq!(ran.requests.iter().filter(|request| is_head(request)).count(), 1 + polls.len());
    assert!(ran.calls() - polls.iter().sum::<usize>() <= 25 + polls.len(), "{} calls", ran.calls());
    assert_eq!(statuses(&ran), 2);
    assert!(
        ran.summary.len() < 1 << 20,
        "GitHub drops a summary that is longer: {} bytes",
        ran.summary.len()
    );
}

#[test]
fn what_arrived_and_takes_its_time_costs_nothing_until_it_is_done() {
    // All fetch the commit at once, and then apply it wave by wave.
    let (world, merged) =
        fleet(|wave| Life::default().syncs_after(MINUTE).applies_after(MINUTE * (wave - 1)));
    let ran = world.check_merged(&merged, &[("timeout", "5m")]).succeeded();
    let all: usize = WAVES.iter().sum();
    let polls = queries_by_poll(&ran);
    let most: usize = WAVES.iter().map(|done| 1 + done.div_ceil(PAGE)).sum();
    let sum: usize = polls.iter().sum();
    assert!(sum <= 1 + all.div_ceil(PAGE) + most + all.div_ceil(PAGE), "{polls:?}");
}

#[test]
fn a_run_writes_six_statuses_at_most() {
    let world = RolloutPlatform::s1();
    world.cluster("dev", "drone");
    // Seven checks whose runners were lost, each of a commit of its own.
    let lost: Vec<String> = (10..17)
        .map(|number| {
            let sha = world.push_anything();
            world.control_plane.start_run(number).unwrap();
            let deploying = Status {
                sha: sha.clone(),
                context: "dev environment".to_owned(),
                state: "pending".to_owned(),
                description: "Deploying".to_owned(),
                target_url: format!("{}/actions/runs/{number}", world.control_plane.url()),
                creator: "github-actions[bot]".to_owned(),
            };
            world.control_plane.write_status(deploying).unwrap();
            world.control_plane.finish_run(number).unwrap();
            sha
        })
        .collect();
    let open = || {
        let newest = lost.iter().filter_map(|commit| world.statuses(commit, "dev").pop());
        newest.filter(|status| status.starts_with("pending: ")).count()
    };
    let merged = world.bring_anything();
    assert_eq!(open(), 4, "promoting has ended three");
    let dispatch = At::next("POST", "*/actions/workflows/promote.yml/dispatches");
    world.sandbox.fault(dispatch, Fault::error(403, "Resource not accessible by integration"));
    let ran = world.check_merged(&merged, &[]);
    assert_eq!(ran.exit, 3, "{}", ran.stderr);
    assert_eq!(open(), 1, "and so has the check");
    assert_eq!(statuses(&ran), 6, "three of others, two of its own, and that nothing could be started");
}

/// The tutorial's platform with a commit merged on dev, a cluster for each configuration of each wave, and a clock
/// that goes on by a minute for each poll after the first. The first wave is number 1.
fn fleet(life: impl Fn(u32) -> Life) -> (RolloutPlatform, Merged) {
    let world = RolloutPlatform::s1();
    let an_hour_ago = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() - 3600;
    // Nothing is reported from the future.
    world.sandbox.stop_clock(an_hour_ago.try_into().unwrap());
    world.azure.set_limits(AzureLimits { queries: u64::MAX, ..AzureLimits::default() });
    let before = world.gitops_head("dev");
    let subscription = world.azure.subscription(SUBSCRIPTION);
    for (number, size) in (1..).zip(WAVES) {
        for cluster in 0..size {
            let configuration =
                subscription.arc(&format!("drone-{number}-{cluster}")).configuration("gitops-dev");
            configuration.follows(&world.gitops, "dev").kustomization("drone", "./drone").live(life(number));
        }
    }
    let merged = Merged { before, ..world.bring_anything() };
    // The first time is not a poll: it tells whether there is something to promote.
    for poll in 2..2 + WAVES.len() {
        world.sandbox.advance_before(At::Matching("GET", HEAD.to_owned(), poll), MINUTE);
    }
    (world, merged)
}

/// How many queries each poll had Resource Graph answer: a tally, and rows.
fn queries_by_poll(ran: &Ran) -> Vec<usize> {
    let queries = ran.requests.iter().filter(|request| request.kind == Kind::ResourceGraph);
    let mut polls = Vec::new();
    for query in queries {
        let is_tally = String::from_utf8_lossy(&query.body).contains("| summarize ");
        match polls.last_mut() {
            Some(rows) if !is_tally => *rows += 1,
            _ => polls.push(1),
        }
    }
    polls
}

fn of(ran: &Ran, kind: Kind) -> usize {
    ran.requests.iter().filter(|request| request.kind == kind).count()
}

fn is_head(request: &Request) -> bool {
    request.path.ends_with("/git/matching-refs/heads/dev")
}

/// How many statuses were written.
fn statuses(ran: &Ran) -> usize {
    ran.requests.iter().filter(|request| request.is_write() && request.path.contains("/statuses/")).count()
}
