//! Runs that are tried at every request that they make, in several sandboxes at once.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use kalypso_sandbox::{At, Fault, Sandbox};

/// No request is that late.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Runs so many cases as `plan` says, each once, on as many stages at once as there are lanes.
pub(crate) fn in_lanes<S, C: Fn(&S, usize)>(
    lanes: usize,
    stage: impl Fn() -> S + Sync,
    plan: impl Fn(&S) -> (usize, C) + Sync,
) {
    let next = Mutex::new(0..);
    thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                let stage = stage();
                let (count, check) = plan(&stage);
                let take = || next.lock().expect("no lane failed").next().filter(|number| *number < count);
                while let Some(number) = take() {
                    check(&stage, number);
                }
            });
        }
    });
}

/// Every request of every turn, the turns one after the other.
pub(crate) fn cases<T: Copy>(turns: &[T], count: impl Fn(T) -> usize) -> Vec<(T, usize)> {
    turns.iter().flat_map(|turn| (0..count(*turn)).map(|index| (*turn, index))).collect()
}

/// Ends the process of a command when the sandbox has a request of it, before it acts on it; with a fault, it does not.
///
/// Tells whether there was such a request: a run that waits for something asks once more or less than another.
pub(crate) fn kill_at(sandbox: &Sandbox, at: At, fault: Option<Fault>, command: &mut Command) -> bool {
    let (arrived, arrives) = mpsc::channel();
    let (ended, ends) = mpsc::channel();
    sandbox.before(at.clone(), move || {
        arrived.send(())?;
        Ok(ends.recv()?)
    });
    if let Some(fault) = fault {
        sandbox.fault(at, fault);
    }
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
    let until = Instant::now() + PATIENCE;
    while arrives.recv_timeout(BETWEEN_LOOKS).is_err() {
        if run.try_wait().expect("a process").is_some() {
            return false;
        }
        assert!(Instant::now() < until, "the run goes on, without the request");
    }
    run.kill().expect("it runs");
    run.wait().expect("it ended");
    ended.send(()).expect("the sandbox waits");
    true
}
