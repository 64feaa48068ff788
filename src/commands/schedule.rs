//! `kalypso schedule`: control plane → assignments → tree → what differs → a pull request, or a folder.

use fleet::{Diagnostic, Snapshot, Verdict};

use super::load::{self, Loaded};
use crate::cli::ScheduleArgs;
use crate::exit::{Exit, Failure};
use crate::publish::{self, Destination, Mode, Published, Publisher};
use crate::world::{World, file};

/// So often it is computed anew what a GitOps branch must hold that moves on meanwhile.
const TRIES: usize = 3;

/// Computes an environment and publishes what differs.
pub(crate) fn run(arguments: &ScheduleArgs) -> Result<Exit, Failure> {
    arguments.report.as_deref().map(file::check).transpose()?;
    let world = World::new(&arguments.plane, Some(&arguments.access))?;
    let may_write = |snapshot: &Snapshot| Destination::check(arguments, &world, snapshot);
    let plane = match load::control_plane(&arguments.plane, &world, may_write)? {
        Loaded::Plane(plane) => *plane,
        Loaded::Environments(declared) => return publish::tell_environments(&world, &declared),
    };
    if plane.problems.iter().any(Diagnostic::is_error) {
        return publish::refuse(arguments, &world, &plane);
    }
    let outcome = fleet::compute(plane, arguments.manifest_checks.into());
    let links = publish::links(arguments, &outcome, &world);
    let mut tries = 1..=TRIES;
    loop {
        let is_last = tries.next() == Some(TRIES);
        let destinations = Destination::all(arguments, &outcome, &world)?;
        let placements = destinations.iter().map(|destination| &destination.placement);
        let verdict = outcome.verdict(placements, arguments.failure_policy.into());
        let mut published: Vec<Published> = destinations.iter().map(|_| Published::default()).collect();
        let done = match verdict {
            Verdict::Refused(why) => Err(Failure::refused(why)),
            Verdict::Whole | Verdict::WithHolds => {
                let (outcome, world, links, mode) = (&outcome, &world, &links, Mode::of(arguments));
                Publisher { outcome, world, links, mode }.publish(&destinations, &mut published)
            }
        };
        if done.as_ref().is_err_and(Failure::is_outdated) && !is_last {
            continue;
        }
        let told = publish::tell(arguments, &world, &outcome, &destinations, &published, &links);
        done?;
        told?;
        let is_failure = arguments.fail_on_held && verdict == Verdict::WithHolds;
        return Ok(if is_failure { Exit::Input } else { Exit::Done });
    }
}
