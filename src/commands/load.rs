//! Reading a control plane from where its pointers lead.

use fleet::objects::Environment;
use fleet::{ControlPlane, Role, Snapshot, Want};

use super::chain::{self, Chain};
use crate::cli::PlaneArgs;
use crate::exit::Failure;
use crate::world::World;
use crate::world::runner::Runner;
use crate::world::sources::{Sources, Unread};

/// What was found at the place that was named.
pub(crate) enum Loaded {
    /// The control plane of an environment
    Plane(Box<ControlPlane>),
    /// A branch that is no environment's: the environments that are declared
    Environments(Vec<String>),
}

/// The control plane of the environment that was asked for, with everything that its pointers lead to.
///
/// `check` sees the environment's branch before anything else is read.
pub(crate) fn control_plane(
    arguments: &PlaneArgs,
    world: &World,
    check: impl FnOnce(&Snapshot) -> Result<(), Failure>,
) -> Result<Loaded, Failure> {
    let World { runner, folder, sources, .. } = world;
    let source = match &arguments.control_plane_ref {
        Some(name) => sources.workspace_at(name, folder.path())?,
        None => folder.source("")?,
    };
    let mut snapshot = Snapshot::new(&source);
    let environment = match &arguments.environment {
        Some(environment) => environment.clone(),
        None => {
            read(&mut snapshot, sources, Snapshot::wants_of_bases)?;
            match environment_of(runner, &snapshot)? {
                Some(environment) => environment,
                None => return Ok(Loaded::Environments(names(&snapshot))),
            }
        }
    };
    if let Some(elsewhere) = elsewhere(arguments, world, &mut snapshot, &environment)? {
        let source = sources.elsewhere(&elsewhere.control_plane);
        snapshot = Snapshot::new(&source.map_err(|unread| chain::no_branch(&elsewhere, unread))?);
    }
    check(&snapshot)?;
    while read(&mut snapshot, sources, Snapshot::wants)? > 0 {}
    let mut plane = snapshot.control_plane(&environment);
    plane.problems.sort();
    Ok(Loaded::Plane(Box::new(plane)))
}

/// The same, where nothing but a control plane is of use.
pub(crate) fn plane(arguments: &PlaneArgs, world: &World) -> Result<ControlPlane, Failure> {
    match control_plane(arguments, world, |_| Ok(()))? {
        Loaded::Plane(plane) => Ok(*plane),
        Loaded::Environments(declared) => Err(which_environment(&declared)),
    }
}

fn which_environment(declared: &[String]) -> Failure {
    let known = match declared.is_empty() {
        true => "none is declared in `.environments/` of the base".to_owned(),
        false => format!("declared are {}", declared.join(", ")),
    };
    Failure::usage("which environment?", format!("give --environment NAME; {known}"))
}

/// The environment of the branch that runs; in an Action, nothing if it is no environment's.
fn environment_of(runner: &Runner, snapshot: &Snapshot) -> Result<Option<String>, Failure> {
    let declared = names(snapshot);
    if !runner.is_action() || declared.is_empty() {
        return Err(which_environment(&declared));
    }
    let of_branch = |branch: &String| {
        let named = declared.iter().find(|name| *name == branch);
        let at_branch = snapshot.environments().find(|it| it.control_plane.branch == *branch);
        named.cloned().or_else(|| at_branch.map(|it| it.meta.name.clone()))
    };
    Ok(runner.branch.as_ref().and_then(of_branch))
}

/// The environment, if the job runs on another branch than its own and nothing else says what to read.
fn elsewhere(
    arguments: &PlaneArgs,
    world: &World,
    snapshot: &mut Snapshot,
    environment: &str,
) -> Result<Option<Environment>, Failure> {
    let World { runner, sources, .. } = world;
    let is_said = arguments.control_plane.is_some() || arguments.control_plane_ref.is_some();
    let (false, true, Some(branch)) = (is_said, runner.is_action(), &runner.branch) else { return Ok(None) };
    if branch == environment {
        return Ok(None);
    }
    read(snapshot, sources, Snapshot::wants_of_bases)?;
    let declared = snapshot.environments().find(|it| it.meta.name == environment).cloned();
    let declared = match declared {
        // Nothing is checked out: the repository itself is asked.
        None if snapshot.is_empty() && world.access.is_some() => {
            Some(Chain::read(world)?.environment(environment)?.clone())
        }
        declared => declared,
    };
    Ok(declared.filter(|it| it.control_plane.branch != *branch))
}

fn names(snapshot: &Snapshot) -> Vec<String> {
    let mut names: Vec<String> = snapshot.environments().map(|it| it.meta.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// Reads what is wanted next; how much that was.
fn read(
    snapshot: &mut Snapshot,
    sources: &Sources,
    wants: impl FnOnce(&mut Snapshot) -> Vec<Want>,
) -> Result<usize, Failure> {
    let wants = wants(snapshot);
    for (want, source) in wants.iter().zip(sources.read(&wants)) {
        let is_application = matches!(want.role, Role::Registration(_));
        match source {
            // Without its base nothing can be said about an environment; without an application it can.
            Err(unread @ Unread::World { .. }) if !is_application => {
                return Err(unread.failure("the base").at(&want.places.repo));
            }
            source => snapshot.add(want, source.map_err(Into::into)),
        }
    }
    Ok(wants.len())
}
