//! GitHub's part in workflows, as far as our files use their syntax: which event starts which file of which branch, and
//! what its jobs then run, with which inputs and permissions. What is not known here is an error.

mod event;
mod runner;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;

use anyhow::{Context, Result, ensure};
use kalypso_sandbox::{Level, Repository};
use serde_json::{Map, Value, json};

use self::event::{Event, Kind, moves};
use self::runner::Job;
use super::super::platform::CONTROL_PLANE;
use super::super::rollout_platform::RolloutPlatform;
use super::expression::{Scope, SoFar};
use super::syntax::{entries, known, list, names, permissions, yaml};

/// The GitOps repository.
pub(crate) const GITOPS: &str = "contoso/gitops";
/// Where the Action and the reusable workflows are.
pub(crate) const OURS: &str = "kalypso-action/kalypso-action";
/// The branch that timers and starts by hand look at.
const DEFAULT_BRANCH: &str = "main";

const WORKFLOWS: &str = ".github/workflows/";
/// Stands for GitHub's own client.
const GH: &str = include_str!("gh");
/// More runs than any event here brings about.
const MANY: usize = 12;

/// GitHub, around the repositories of a platform.
pub(crate) struct GitHub {
    pub(crate) world: RolloutPlatform,
    settings: BTreeMap<&'static str, Settings>,
    /// Where every branch was when GitHub last looked
    heads: BTreeMap<(&'static str, String), String>,
    /// How many starts of workflows GitHub has seen
    dispatched: usize,
    waiting: VecDeque<Event>,
    /// The number of the last run
    runs: u64,
    /// The token of every job
    pub(crate) tokens: Vec<String>,
    /// What workflows gave: the inputs, secrets and variables that were not empty
    pub(crate) given: BTreeSet<Given>,
    folder: tempfile::TempDir,
}

/// What a repository has set for its workflows: every name that they may use, also one without a value.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) vars: BTreeMap<&'static str, String>,
    pub(crate) secrets: BTreeMap<&'static str, String>,
}

/// A file in a branch of a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) repository: &'static str,
    pub(crate) branch: String,
    pub(crate) path: String,
}

/// One line below `with`, `secrets` or `env` of a job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Given {
    pub(crate) place: Place,
    pub(crate) job: String,
    pub(crate) name: String,
}

/// A run of a workflow that is over.
#[derive(Debug)]
pub(crate) struct Run {
    /// The file that ran, and on what
    title: String,
    /// The jobs that did not run
    skipped: Vec<String>,
    /// What is to be seen of it: groups, environments, tokens, artifacts, what scripts say
    notes: Vec<String>,
    /// What failed steps said
    log: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conclusion {
    Success,
    Failure,
    Skipped,
}

/// A workflow file that runs.
struct Source {
    place: Place,
    document: Value,
}

/// A workflow that runs: for an event, or called by another.
struct Frame {
    source: Source,
    contexts: Map<String, Value>,
    event: Event,
    run: u64,
    /// What the names of its jobs begin with
    prefix: String,
}

/// A job that is over.
struct Ended {
    conclusion: Conclusion,
    outputs: Map<String, Value>,
}

impl GitHub {
    pub(crate) fn new(world: RolloutPlatform, settings: BTreeMap<&'static str, Settings>) -> Result<GitHub> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("gh"), GH)?;
        let mut github = GitHub {
            world,
            settings,
            heads: BTreeMap::new(),
            dispatched: 0,
            waiting: VecDeque::new(),
            runs: 500,
            tokens: Vec::new(),
            given: BTreeSet::new(),
            folder,
        };
        github.notice(None)?;
        github.waiting.clear();
        for (repository, branch) in github.heads.keys() {
            for source in github.workflows(repository, branch)? {
                github.admit(&source).with_context(|| format!("GitHub refuses {}", source.place.path))?;
            }
        }
        Ok(github)
    }

    /// The clock of every repository strikes.
    pub(crate) fn timer(&mut self) {
        for repository in [CONTROL_PLANE, GITOPS] {
            let branch = DEFAULT_BRANCH.to_owned();
            self.waiting.push_back(Event { repository, branch, kind: Kind::Timer });
        }
    }

    /// Somebody starts a workflow of the control plane by hand.
    pub(crate) fn start_by_hand(&mut self, workflow: &str, inputs: &[(&str, &str)]) {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let kind = Kind::Dispatch { workflow: workflow.to_owned(), inputs };
        let branch = DEFAULT_BRANCH.to_owned();
        self.waiting.push_back(Event { repository: CONTROL_PLANE, branch, kind });
    }

    /// Runs what has come to be started by now, and what that starts, until nothing is left.
    pub(crate) fn settle(&mut self) -> Result<Vec<Run>> {
        let mut runs = Vec::new();
        self.notice(None)?;
        while let Some(event) = self.waiting.pop_front() {
            for run in self.start(&event)? {
                ensure!(run.log.is_empty(), "{}: {}", run.title, run.log);
                runs.push(run);
            }
            ensure!(runs.len() < MANY, "it goes on and on: {runs:?}");
        }
        Ok(runs)
    }

    /// Sees what was pushed and dispatched, by a job if there is one: with which token, and since which request.
    fn notice(&mut self, job: Option<(&Job<'_>, usize)>) -> Result<()> {
        for repository in [CONTROL_PLANE, GITOPS] {
            for (branch, head) in self.repository(repository).branches()? {
                let before = self.heads.insert((repository, branch.clone()), head.clone());
                if before.as_ref() == Some(&head) {
                    continue;
                }
                // Pushes made with a job's own token start nothing.
                let is_own = job.is_some_and(|(job, since)| {
                    let requests = self.world.sandbox.requests_since(since);
                    let push = requests.iter().rfind(|request| moves(request, &branch));
                    push.is_some_and(|push| push.token.as_ref() == Some(&job.token))
                });
                if !is_own {
                    let before = before.unwrap_or_else(|| "0".repeat(40));
                    self.waiting.push_back(Event { repository, branch, kind: Kind::Push { before } });
                }
            }
        }
        let dispatches = self.world.control_plane.dispatches()?;
        for dispatch in &dispatches[self.dispatched..] {
            self.waiting.push_back(Event {
                repository: CONTROL_PLANE,
                branch: dispatch.branch.clone(),
                kind: Kind::Dispatch { workflow: dispatch.workflow.clone(), inputs: dispatch.inputs.clone() },
            });
        }
        self.dispatched = dispatches.len();
        Ok(())
    }

    /// Runs every workflow that an event starts: those of the branch that it is about.
    fn start(&mut self, event: &Event) -> Result<Vec<Run>> {
        let repository = self.repository(event.repository);
        let Some(head) = repository.head(&event.branch)? else { return Ok(Vec::new()) };
        let mut runs = Vec::new();
        for source in self.workflows(event.repository, &event.branch)? {
            if event.starts(&source)? {
                let title = event.title(&source);
                runs.push(self.run(event, source, &head).context(title)?);
            }
        }
        Ok(runs)
    }

    fn run(&mut self, event: &Event, source: Source, head: &str) -> Result<Run> {
        self.admit(&source).context("GitHub refuses it")?;
        self.runs += 1;
        let number = self.runs;
        let settings = self.settings.get(event.repository).context("a repository without settings")?;
        let mut contexts = Map::new();
        contexts.insert("github".to_owned(), self.context(event, head));
        contexts.insert("vars".to_owned(), json!(settings.vars));
        contexts.insert("secrets".to_owned(), json!(settings.secrets));
        contexts.insert("inputs".to_owned(), event.inputs(&source)?);
        let scope = Scope { contexts: contexts.clone(), so_far: SoFar::Well };
        if let Some(name) = source.document["run-name"].as_str() {
            scope.text(name)?;
        }
        let title = event.title(&source);
        let mut run = Run { title, skipped: Vec::new(), notes: Vec::new(), log: String::new() };
        let repository = self.repository(event.repository);
        repository.start_run(number)?;
        let event = event.clone();
        self.jobs(&mut run, &Frame { source, contexts, event, run: number, prefix: String::new() })?;
        repository.finish_run(number)?;
        Ok(run)
    }

    /// What GitHub looks at before a run begins: the workflows that are called.
    fn admit(&self, source: &Source) -> Result<()> {
        known(&source.document, &["name", "run-name", "on", "permissions", "jobs"])?;
        for (name, job) in entries(&source.document["jobs"]) {
            let Some(uses) = job["uses"].as_str() else { continue };
            let callee = self.called(uses)?;
            let call = &callee.document["on"]["workflow_call"];
            for (part, declared) in [("with", &call["inputs"]), ("secrets", &call["secrets"])] {
                let slips: Vec<&str> =
                    names(&job[part]).into_iter().filter(|key| declared.get(key).is_none()).collect();
                ensure!(slips.is_empty(), "{name}: {uses} does not declare {slips:?}");
            }
            for (input, declared) in entries(&call["inputs"]) {
                let is_there = declared["required"] != "true" || job["with"].get(input).is_some();
                ensure!(is_there, "{name}: {uses} requires {input}");
            }
            let granted = permissions(&source.document, job)?;
            for (nested, job) in entries(&callee.document["jobs"]) {
                for (scope, level) in permissions(&callee.document, job)? {
                    let limit = granted.get(&scope).copied().unwrap_or(Level::None);
                    let (wanted, limit_name) = (level.name(), limit.name());
                    ensure!(
                        level <= limit,
                        "{name}: {nested} asks for {scope}: {wanted}, and gets {limit_name}"
                    );
                }
            }
        }
        Ok(())
    }

    /// Runs the jobs of a workflow, each after those that it needs.
    fn jobs(&mut self, run: &mut Run, frame: &Frame) -> Result<BTreeMap<String, Ended>> {
        let all = names(&frame.source.document["jobs"]);
        let mut ended: BTreeMap<String, Ended> = BTreeMap::new();
        while ended.len() < all.len() {
            let is_next = |name: &str| {
                let needs = list(&frame.source.document["jobs"][name]["needs"]);
                !ended.contains_key(name) && needs.iter().all(|need| ended.contains_key(need))
            };
            let name = all.iter().find(|name| is_next(name)).context("jobs that wait for each other")?;
            let over = self.job(run, frame, name, &ended)?;
            ended.insert((*name).to_owned(), over);
        }
        Ok(ended)
    }

    fn job(
        &mut self,
        run: &mut Run,
        frame: &Frame,
        name: &str,
        ended: &BTreeMap<String, Ended>,
    ) -> Result<Ended> {
        let jobs = &frame.source.document["jobs"];
        let job = &jobs[name];
        let calls = ["name", "needs", "if", "permissions", "uses", "with", "secrets"];
        let runs =
            ["runs-on", "timeout-minutes", "environment", "concurrency", "strategy", "outputs", "steps"];
        known(job, &[&calls[..], &runs].concat())?;
        let needs = list(&job["needs"]);
        let so_far = if ancestors(name, jobs).iter().any(|it| ended[it].conclusion == Conclusion::Failure) {
            SoFar::Badly
        } else if needs.iter().all(|need| ended[need].conclusion == Conclusion::Success) {
            SoFar::Well
        } else {
            SoFar::Skipped
        };
        let mut contexts = frame.contexts.clone();
        let needed = needs.iter().map(|need| (need.clone(), json!({ "outputs": ended[need].outputs })));
        contexts.insert("needs".to_owned(), needed.collect());
        let mut scope = Scope { contexts, so_far };
        if !scope.admits(job["if"].as_str())? {
            run.skipped.push(format!("{}{name}", frame.prefix));
            return Ok(Ended { conclusion: Conclusion::Skipped, outputs: Map::new() });
        }
        scope.so_far = SoFar::Well;
        let mut all = Vec::new();
        for matrix in instances(&scope, &job["strategy"])? {
            scope.contexts.extend(matrix.map(|matrix| ("matrix".to_owned(), matrix)));
            if let Some(group) = job["concurrency"]["group"].as_str() {
                ensure!(job["concurrency"]["cancel-in-progress"] != "true", "{name} may be cut short");
                run.notes.push(format!("as {}", scope.text(group)?));
            }
            all.push(match job["uses"].as_str() {
                Some(uses) => self.call(run, frame, name, uses, &scope)?,
                None => self.runs_on(run, frame, name, scope.clone())?,
            });
        }
        let conclusion = together(all.iter().map(|ended| ended.conclusion));
        Ok(Ended { conclusion, outputs: all.pop().map(|ended| ended.outputs).unwrap_or_default() })
    }

    /// Runs a reusable workflow as a job.
    fn call(&mut self, run: &mut Run, frame: &Frame, name: &str, uses: &str, scope: &Scope) -> Result<Ended> {
        let job = &frame.source.document["jobs"][name];
        let with = self.given(frame, name, &job["with"], scope)?;
        let mut secrets = self.given(frame, name, &job["secrets"], scope)?;
        let source = self.called(uses)?;
        let call = source.document["on"]["workflow_call"].clone();
        let mut inputs = Map::new();
        for (input, declared) in entries(&call["inputs"]) {
            ensure!(declared["type"] == "string", "{uses}: {input} is no string");
            let default = declared["default"].as_str().unwrap_or_default();
            inputs.insert(input.clone(), with.get(input).map_or(default, String::as_str).into());
        }
        for (secret, _) in entries(&call["secrets"]) {
            secrets.entry(secret.clone()).or_default();
        }
        let mut contexts = Map::new();
        for kept in ["github", "vars"] {
            contexts.insert(kept.to_owned(), frame.contexts[kept].clone());
        }
        contexts.insert("inputs".to_owned(), inputs.into());
        contexts.insert("secrets".to_owned(), json!(secrets));
        let prefix = format!("{}{name} / ", frame.prefix);
        let frame = Frame { source, contexts, event: frame.event.clone(), run: frame.run, prefix };
        let ended = self.jobs(run, &frame)?;
        let conclusion = together(ended.values().map(|ended| ended.conclusion));
        let jobs = ended.into_iter().map(|(name, ended)| (name, json!({ "outputs": ended.outputs })));
        let contexts = Map::from_iter([("jobs".to_owned(), jobs.collect())]);
        let scope = Scope { contexts, so_far: SoFar::Well };
        let mut outputs = Map::new();
        for (name, output) in entries(&call["outputs"]) {
            outputs.insert(name.clone(), scope.expand(output["value"].as_str().context("no value")?)?);
        }
        Ok(Ended { conclusion, outputs })
    }

    /// The values below `with`, `secrets` or `env`.
    fn given(
        &mut self,
        frame: &Frame,
        job: &str,
        values: &Value,
        scope: &Scope,
    ) -> Result<BTreeMap<String, String>> {
        let mut given = BTreeMap::new();
        for (name, value) in entries(values) {
            let value = scope.text(value.as_str().unwrap_or_default())?;
            if !value.is_empty() {
                let place = frame.source.place.clone();
                self.given.insert(Given { place, job: job.to_owned(), name: name.clone() });
            }
            given.insert(name.clone(), value);
        }
        Ok(given)
    }

    /// The context `github` of a run.
    fn context(&self, event: &Event, head: &str) -> Value {
        let before = match &event.kind {
            Kind::Push { before } => Value::from(&**before),
            Kind::Dispatch { .. } | Kind::Timer => Value::Null,
        };
        json!({
            "repository": event.repository,
            "event_name": event.name(),
            "event": { "before": before },
            "ref": format!("refs/heads/{}", event.branch),
            "ref_name": event.branch,
            "sha": head,
            "server_url": self.world.sandbox.url(),
        })
    }

    /// The workflows of a branch.
    fn workflows(&self, repository: &'static str, branch: &str) -> Result<Vec<Source>> {
        let files = self.repository(repository).files(branch)?;
        let paths = files.keys().filter(|path| path.starts_with(WORKFLOWS));
        paths.map(|path| self.source(repository, branch, path)).collect()
    }

    /// A reusable workflow, as `uses` names it.
    fn called(&self, uses: &str) -> Result<Source> {
        let path = uses.strip_prefix(OURS).and_then(|rest| rest.strip_prefix('/'));
        let (path, version) = path.and_then(|path| path.split_once('@')).with_context(|| uses.to_owned())?;
        let source = self.source(OURS, version, path)?;
        ensure!(names(&source.document["on"]) == ["workflow_call"], "{uses} cannot be called");
        Ok(source)
    }

    fn source(&self, repository: &'static str, branch: &str, path: &str) -> Result<Source> {
        let files = self.repository(repository).files(branch)?;
        let text = files.get(path).with_context(|| format!("{repository} has no {path} on {branch}"))?;
        let document = yaml(std::str::from_utf8(text)?).with_context(|| format!("{repository}: {path}"))?;
        Ok(Source { place: Place { repository, branch: branch.to_owned(), path: path.to_owned() }, document })
    }

    fn repository(&self, name: &str) -> Repository {
        self.world.sandbox.repository(name)
    }
}

impl Run {
    /// The run in a line.
    pub(crate) fn told(&self) -> String {
        let skipped = self.skipped.iter().map(|job| format!("without {job}"));
        let parts = skipped.chain(self.notes.iter().cloned()).map(|part| format!("; {part}"));
        format!("{}{}", self.title, parts.collect::<String>())
    }
}

/// The jobs that must be over before a job.
fn ancestors(name: &str, jobs: &Value) -> BTreeSet<String> {
    let needs = list(&jobs[name]["needs"]);
    let above: Vec<String> = needs.iter().flat_map(|need| ancestors(need, jobs)).collect();
    needs.into_iter().chain(above).collect()
}

/// The values of `matrix`, one for each job; none where there is no matrix.
fn instances(scope: &Scope, strategy: &Value) -> Result<Vec<Option<Value>>> {
    if strategy.is_null() {
        return Ok(vec![None]);
    }
    known(strategy, &["fail-fast", "matrix"])?;
    let matrix = strategy["matrix"].as_object().context("no matrix")?;
    ensure!(matrix.len() < 2, "a matrix of several dimensions is not known here");
    let (name, values) = matrix.iter().next().context("an empty matrix")?;
    let values = scope.expand(values.as_str().context("no text")?)?;
    let values = values.as_array().context("a matrix wants a list")?;
    ensure!(!values.is_empty(), "an empty matrix");
    Ok(values.iter().map(|value| Some(json!({ name: value }))).collect())
}

fn together(conclusions: impl Iterator<Item = Conclusion>) -> Conclusion {
    let all: Vec<Conclusion> = conclusions.collect();
    [Conclusion::Failure, Conclusion::Success]
        .into_iter()
        .find(|one| all.contains(one))
        .unwrap_or(Conclusion::Skipped)
}
