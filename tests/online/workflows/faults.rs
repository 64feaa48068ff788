//! What a workflow file lacks, or has in the wrong place: each breaks the story.

use std::collections::BTreeSet;
use std::env;
use std::fmt;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result};
use serde_json::Value;

use super::super::platform::CONTROL_PLANE;
use super::github::{Given, Place};
use super::syntax::{entries, names, yaml};
use super::{CHECKPROMOTE, FILES, SETUPS, Setup, Texts, place_in, story, texts};

/// What may be missing, all of it at once: file, place, and why nothing fails then.
const SPARE: [(&str, &str, &str); 19] = [
    (SCHEDULE, "jobs.schedule.concurrency.cancel-in-progress", NO_CANCELLING),
    (
        SCHEDULE,
        "jobs.schedule.strategy.fail-fast",
        "no environment fails here, which others would be stopped for",
    ),
    (
        SCHEDULE,
        "jobs.schedule.steps.0.with.ref",
        "only a job that is run again finds that its branch has moved",
    ),
    (SCHEDULE, "jobs.schedule.steps.2.if", "no step before it fails here"),
    (SCHEDULE, "jobs.schedule.steps.2.with.if-no-files-found", "without a file GitHub would warn, and go on"),
    (CHECK, "on.workflow_call.inputs.environment.required", "whoever calls it gives one"),
    (CHECK, "jobs.checkpromote.concurrency.cancel-in-progress", NO_CANCELLING),
    (
        CHECK,
        "jobs.checkpromote.environment.deployment",
        "the templates name no GitHub environment for checks",
    ),
    (CHECK, "jobs.checkpromote.environment.name", "the templates name no GitHub environment for checks"),
    (CHECK, "jobs.checkpromote.steps.0.with.github-token", OWN_TOKEN),
    (CHECK, "jobs.checkpromote.steps.0.with.promote-workflow", SAME_DEFAULT),
    (PROMOTE, "on.workflow_call.outputs.promoted-commit-id", FOR_TEAMS),
    (PROMOTE, "jobs.promote.concurrency.cancel-in-progress", NO_CANCELLING),
    (PROMOTE, "jobs.promote.outputs.promoted-commit-id", FOR_TEAMS),
    (PROMOTE, "jobs.promote.steps.0.with.github-token", OWN_TOKEN),
    (PROMOTE, "jobs.promote.steps.0.with.schedule-workflow", SAME_DEFAULT),
    (CHECKPROMOTE, "on.workflow_dispatch.inputs.environment.required", "whoever starts it gives one"),
    (
        CHECKPROMOTE,
        "jobs.promote.with.commit-id",
        "main stands where it is promoted until the end of the check",
    ),
    (NOTIFY, "jobs.notify.steps.0.with.owner", "both repositories have one owner here"),
];
const SCHEDULE: &str = ".github/workflows/schedule.yml";
const CHECK: &str = ".github/workflows/checkpromote.yml";
const PROMOTE: &str = ".github/workflows/promote.yml";
const NOTIFY: &str = "templates/gitops/.github/workflows/notify.yml";
const NO_CANCELLING: &str = "what GitHub does by itself, said for whoever reads it";
const OWN_TOKEN: &str = "the Action takes the job's token by itself; a team may give another";
const SAME_DEFAULT: &str = "the Action's default is the same; a team may give another, or none";
const FOR_TEAMS: &str = "jobs that teams add may want it";

/// Of so many faults one is tried, unless `EVERY_WORKFLOW_FAULT` is set, which takes many minutes.
const SAMPLE: usize = 12;

/// What gives values to something else.
const VALUES: [&str; 3] = ["with", "secrets", "env"];

/// Something that is wrong with a file.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    file: &'static str,
    /// Keys, and places in lists, from the outermost
    path: Vec<String>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Missing,
    /// It has the value of its neighbour
    Mistaken(String),
}

#[test]
fn without_a_file_in_its_branch_the_story_ends_early() {
    let breaks = |file: &&str| {
        let texts: Texts = texts().into_iter().filter(|(name, _)| name != file).collect();
        story(Setup::Open, &texts).err().map(|error| format!("{error:#}"))
    };
    let files: Vec<&str> = FILES.iter().map(|(file, _)| *file).collect();
    for (file, why) in concurrently(&files, breaks) {
        assert!(why.is_some(), "{file} is not missed");
    }
}

#[test]
fn without_what_may_be_missing_the_story_is_the_same() {
    let mut texts = texts();
    for (file, path, why) in SPARE {
        let before = texts[file].clone();
        texts = Fault::without(file, path).applied(texts).expect("a workflow");
        assert_ne!(texts[file], before, "{file} has no {path}, though {why}");
    }
    for setup in SETUPS {
        story(setup, &texts).unwrap_or_else(|error| panic!("{setup:?}: {error:#}"));
    }
}

#[test]
fn with_anything_else_missing_or_mistaken_the_story_ends_early() {
    let step = if env::var_os("EVERY_WORKFLOW_FAULT").is_some() { 1 } else { SAMPLE };
    let spare: BTreeSet<String> =
        SPARE.iter().map(|(file, path, _)| Fault::without(file, path).to_string()).collect();
    // From setup to setup those are left that have done no harm. What the first one has is not sampled again, since it
    // may not be there in another.
    let mut seen = BTreeSet::new();
    let mut harmless = BTreeSet::new();
    let mut harmful = spare;
    for setup in SETUPS {
        let given = story(setup, &texts()).unwrap_or_else(|error| panic!("{error:#}")).given;
        let faults = faults(&given).into_iter().enumerate().filter(|(index, fault)| {
            let name = fault.to_string();
            let is_new = seen.insert(name.clone());
            harmless.contains(&name) || is_new && !harmful.contains(&name) && index.is_multiple_of(step)
        });
        let faults: Vec<Fault> = faults.map(|(_, fault)| fault).collect();
        let told = concurrently(&faults, |fault| {
            let texts = fault.applied(texts()).expect("a workflow");
            story(setup, &texts).err().map(|error| format!("{error:#}"))
        });
        for (fault, why) in told {
            let fault = fault.to_string();
            match why {
                None => drop(harmless.insert(fault)),
                Some(why) => {
                    assert!(!why.contains("not known here"), "{fault} is not understood: {why}");
                    harmless.remove(&fault);
                    harmful.insert(fault);
                }
            }
        }
    }
    assert_eq!(harmless, BTreeSet::new(), "nothing of these is missed");
}

impl Fault {
    /// A file without what is there.
    pub(super) fn without(file: &'static str, path: &str) -> Fault {
        Fault { file, path: path.split('.').map(str::to_owned).collect(), kind: Kind::Missing }
    }

    /// The files with the fault in one of them; as they are where it has no such place.
    pub(super) fn applied(&self, mut texts: Texts) -> Result<Texts> {
        let Some(text) = texts.get_mut(self.file) else { return Ok(texts) };
        let mut document = yaml(text)?;
        let (last, above) = self.path.split_last().context("a path")?;
        let pointer: String = above.iter().map(|key| format!("/{key}")).collect();
        let Some(within) = document.pointer_mut(&pointer) else { return Ok(texts) };
        match (&self.kind, within) {
            (Kind::Missing, Value::Object(mapping)) => drop(mapping.remove(last)),
            (Kind::Missing, Value::Array(items)) => drop(items.remove(last.parse()?)),
            (Kind::Mistaken(neighbour), Value::Object(mapping)) => {
                let value = mapping.get(neighbour).cloned().context("a neighbour")?;
                mapping.insert(last.clone(), value);
            }
            _ => {}
        }
        *text = document.to_string();
        Ok(texts)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { file, path, kind } = self;
        write!(f, "{file}: {}", path.join("."))?;
        match kind {
            Kind::Missing => Ok(()),
            Kind::Mistaken(neighbour) => write!(f, " = {neighbour}"),
        }
    }
}

/// Everything that can be missing or mistaken in a story, of which it is known what its workflows gave: what gives
/// nothing may as well be missing.
fn faults(given: &BTreeSet<Given>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (file, text) in texts().into_iter().filter(|(file, _)| *file != "action.yml") {
        let document = yaml(&text).expect("a workflow");
        for part in ["on", "permissions", "jobs"] {
            collect(&mut faults, file, &mut vec![part.to_owned()], &document[part], given);
        }
    }
    faults
}

/// What can be wrong at a place, or below it.
fn collect(
    faults: &mut Vec<Fault>,
    file: &'static str,
    path: &mut Vec<String>,
    value: &Value,
    given: &BTreeSet<Given>,
) {
    let children: Vec<(String, &Value)> = match value {
        Value::Array(items) if items.len() > 1 || items.iter().any(Value::is_object) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        other => entries(other).map(|(key, value)| (key.clone(), value)).collect(),
    };
    let children: Vec<(String, &Value)> = children
        .into_iter()
        .filter(|(key, child)| matters(path, key) && gives(file, path, key, child, given))
        .collect();
    if children.is_empty() && names(value).is_empty() || is_whole(path) {
        faults.push(Fault { file, path: path.clone(), kind: Kind::Missing });
    }
    for (key, child) in &children {
        path.push(key.clone());
        collect(faults, file, path, child, given);
        path.pop();
    }
    if path[0] == "jobs" && path.last().is_some_and(|name| VALUES.contains(&&**name)) {
        let neighbours = children.iter().zip(children.iter().cycle().skip(1));
        for ((key, _), (neighbour, _)) in neighbours.filter(|((_, value), (_, other))| value != other) {
            let path = path.iter().chain([key]).cloned().collect();
            faults.push(Fault { file, path, kind: Kind::Mistaken(neighbour.clone()) });
        }
    }
}

/// Whether what is there gave something, if it is for that.
fn gives(file: &str, path: &[String], name: &str, value: &Value, given: &BTreeSet<Given>) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let mut named = given.iter().filter(|given| given.name == name);
    match path[..] {
        ["on", "workflow_call", "inputs" | "secrets"] => {
            value.get("default").is_some() || named.any(|given| given.place.repository == CONTROL_PLANE)
        }
        // The others are for jobs that teams add.
        ["on", "workflow_call", "outputs"] | ["jobs", _, "outputs"] => {
            let end = format!(".outputs.{name}");
            let is_named = |text: &String| {
                let mut needs = text.split("needs.").skip(1);
                needs.any(|rest| rest.split_whitespace().next().is_some_and(|named| named.ends_with(&end)))
            };
            texts().values().any(is_named)
        }
        ["jobs", job, .., block] if VALUES.contains(&block) => {
            named.any(|given| given.job == job && is_at(file, &given.place))
        }
        _ => true,
    }
}

/// Whether a file is at a place.
fn is_at(file: &str, place: &Place) -> bool {
    let (_, places) = FILES.iter().find(|(name, _)| *name == file).expect("a file");
    place.path == place_in(file) && places.contains(&(place.repository, &place.branch))
}

/// Whether something is tried as a whole although there is more below it: events, and what is declared.
fn is_whole(path: &[String]) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(
        path[..],
        ["on", "push" | "schedule" | "workflow_dispatch"] | ["on", _, "inputs" | "secrets" | "outputs", _]
    )
}

/// Whether what is there decides anything: not what people read, or types, or how long something may last.
fn matters(path: &[String], key: &str) -> bool {
    let last = path.last().map_or("", String::as_str);
    match key {
        "description" | "type" | "value" | "timeout-minutes" => false,
        "name" => ["with", "environment"].contains(&last),
        _ => true,
    }
}

/// What `test` tells of each of them.
fn concurrently<T: Clone + Send + Sync>(
    all: &[T],
    test: impl Fn(&T) -> Option<String> + Sync,
) -> Vec<(T, Option<String>)> {
    let left = Mutex::new(all.iter());
    let told = Mutex::new(Vec::new());
    let next = || left.lock().expect("nobody panics").next();
    let work = || {
        while let Some(one) = next() {
            let why = test(one);
            told.lock().expect("nobody panics").push((one.clone(), why));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    told.into_inner().expect("nobody panics")
}
