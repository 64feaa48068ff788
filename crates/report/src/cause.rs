//! Root causes: what is held for one and the same reason belongs together.
//!
//! A cause is recognised again in a later run by its key, which depends neither on the targets that it
//! holds nor on line numbers, so that an issue survives edits around its cause.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use fleet::objects::ClusterType;
use fleet::plane::Unavailable;
use fleet::{Diagnostic, Held, Location, Outcome, Placement};

use crate::document::hash;
use crate::places::Places;

/// What is held for one reason.
#[derive(Clone, Debug)]
pub struct Cause {
    /// A stable name of the cause
    pub key: String,
    /// What is at fault
    pub subject: Subject,
    /// What is said about it, in the order of places in files; several where one mistake shows in many ways
    pub problems: Vec<Diagnostic>,
    /// What it holds
    pub places: Places,
    /// The Workloads that it holds
    pub workloads: BTreeSet<String>,
}

/// What is at fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An application that cannot be read
    Application {
        /// Its registration
        registration: Option<String>,
        /// Its Workload, if only that one is broken
        workload: Option<String>,
    },
    /// The config of an application lacks what a schema asks for
    Config {
        /// The application's Workload
        workload: String,
        /// The schema
        schema: String,
    },
    /// A template, at one of its expressions or in what it makes
    Template {
        /// Its name
        name: String,
        /// The expression, or what is wrong with the result
        at: String,
    },
    /// Something that is written in a file
    File {
        /// The file, if it is one
        file: Option<String>,
        /// What is wrong, without what differs from target to target
        what: String,
    },
}

/// The causes of everything that is held, and of applications that cannot be read; those that hold most come first.
pub fn causes(outcome: &Outcome, placement: &Placement) -> Vec<Cause> {
    let known = Known::new(outcome);
    let mut found: BTreeMap<Subject, Found<'_>> = BTreeMap::new();
    for held in &placement.held {
        let workload = known.workload(held);
        let place = (held.cluster_type.as_str().into(), held.deployment_target.as_str().into());
        for problem in &held.problems {
            let cause = found.entry(known.subject(problem, held, workload)).or_default();
            cause.problems.insert(problem);
            cause.places.add(&place.0, &place.1);
            cause.workloads.extend(workload);
        }
    }
    // They may hold nothing because nothing is there yet.
    for unavailable in known.unavailable() {
        let errors = unavailable.problems.iter().filter(|problem| problem.is_error());
        for problem in errors {
            found.entry(Subject::application(unavailable)).or_default().problems.insert(problem);
        }
    }
    let environment = &outcome.plane.environment;
    let mut causes: Vec<Cause> =
        found.into_iter().map(|(subject, found)| found.cause(environment, subject)).collect();
    causes.sort_by_cached_key(|cause| (usize::MAX - cause.places.count(), cause.subject.clone()));
    causes
}

#[derive(Default)]
struct Found<'a> {
    problems: BTreeSet<&'a Diagnostic>,
    places: Places,
    workloads: BTreeSet<&'a str>,
}

impl Found<'_> {
    fn cause(self, environment: &str, subject: Subject) -> Cause {
        Cause {
            key: hash(&format!("{environment}\n{}", subject.identity())),
            subject,
            problems: self.problems.into_iter().cloned().collect(),
            places: self.places,
            workloads: self.workloads.into_iter().map(str::to_owned).collect(),
        }
    }
}

impl Subject {
    fn application(unavailable: &Unavailable) -> Subject {
        let Unavailable { registration, workload, .. } = unavailable;
        Subject::Application { registration: registration.clone(), workload: workload.clone() }
    }

    /// Everything that makes it the same cause in another run; keys of issues that are open depend on it.
    fn identity(&self) -> String {
        let parts = match self {
            Subject::Application { registration, workload } => {
                let part = |name: &'_ Option<String>| name.clone().unwrap_or_default();
                ["application".to_owned(), part(registration), part(workload)]
            }
            Subject::Config { workload, schema } => ["config".to_owned(), workload.clone(), schema.clone()],
            Subject::Template { name, at } => ["template".to_owned(), name.clone(), at.clone()],
            Subject::File { file, what } => {
                ["file".to_owned(), file.clone().unwrap_or_default(), what.clone()]
            }
        };
        parts.join("\n")
    }
}

/// What is known of an outcome, to find the cause of a problem.
struct Known<'a> {
    outcome: &'a Outcome,
    applications: HashMap<&'a Diagnostic, &'a Unavailable>,
    workloads: HashMap<&'a str, &'a str>,
    schemas: HashSet<&'a Location>,
}

impl<'a> Known<'a> {
    fn new(outcome: &'a Outcome) -> Self {
        let (plane, schedule) = (&outcome.plane, &outcome.schedule);
        let schemas = plane.config_schemas.iter().map(|it| &it.schema);
        let schemas = schemas.chain(schedule.targets.iter().flat_map(|target| &target.schemas));
        let mut known = Known {
            outcome,
            applications: HashMap::new(),
            workloads: schedule.targets.iter().map(|it| (&*it.name, &*it.workload)).collect(),
            schemas: schemas.map(|schema| &schema.location).collect(),
        };
        known.applications =
            known.unavailable().flat_map(|it| it.problems.iter().map(move |problem| (problem, it))).collect();
        known
    }

    fn unavailable(&self) -> impl Iterator<Item = &'a Unavailable> + use<'a> {
        self.outcome.plane.unavailable.iter().chain(&self.outcome.schedule.colliding)
    }

    /// The Workload of what is held; of a folder without an assignment, the one that its name begins with.
    fn workload(&self, held: &Held) -> Option<&'a str> {
        let name = &*held.deployment_target;
        let scheduled = self.workloads.get(name).copied();
        scheduled.or_else(|| {
            let beginnings = name.rmatch_indices('-').map(|(end, _)| &name[..end]);
            let mut workloads =
                beginnings.filter_map(|start| self.outcome.plane.workloads.get_key_value(start));
            workloads.next().map(|(name, _)| &**name)
        })
    }

    fn subject(&self, problem: &Diagnostic, held: &Held, workload: Option<&str>) -> Subject {
        if let Some(unavailable) = self.applications.get(problem) {
            return Subject::application(unavailable);
        }
        let message = &*problem.message;
        if let Some(rest) = message.strip_prefix("template `") {
            let (name, rest) = rest.split_once('`').unwrap_or((rest, ""));
            return Subject::Template { name: name.to_owned(), at: expression(rest).to_owned() };
        }
        if let Some(name) = message.strip_prefix("there is no template `") {
            let at = "missing".to_owned();
            return Subject::Template { name: name.trim_end_matches('`').to_owned(), at };
        }
        let is_config = message.starts_with("config key `") || message.starts_with("the config ");
        let is_of_file = is_config || message.starts_with("the schema of ");
        if let Some(template) = self.template_of(problem, held).filter(|_| !is_of_file) {
            return Subject::Template { name: template.to_owned(), at: kind_of_manifest_problem(message) };
        }
        let is_of_schema = message.contains("` is required by ")
            || problem.location.as_ref().is_some_and(|at| self.schemas.contains(at));
        match (is_of_schema && is_config, workload) {
            (true, Some(workload)) => {
                Subject::Config { workload: workload.to_owned(), schema: asking_schema(message).to_owned() }
            }
            _ => Subject::File {
                file: problem.location.as_ref().map(|at| at.file.to_string()),
                what: without_detail(message).to_owned(),
            },
        }
    }

    /// The template that made the line of a problem, if it stands in one, or in a file that was rendered for
    /// what is held.
    fn template_of(&self, problem: &Diagnostic, held: &Held) -> Option<&'a str> {
        let at = problem.location.as_ref()?;
        let ClusterType { reconciler, namespace_service, config_type, .. } =
            self.outcome.plane.cluster_types.get(&held.cluster_type)?;
        let used = [reconciler, namespace_service, config_type];
        let templates = used.iter().filter_map(|used| self.outcome.plane.templates.get(&used.name));
        let above =
            templates.map(|it| &it.meta).filter(|it| it.location.file == at.file && it.location < *at);
        if let Some(meta) = above.max_by_key(|meta| meta.location.line) {
            return Some(&meta.name);
        }
        let inside = at.file.path.strip_prefix(&*held.cluster_type).filter(|_| at.file.prefix.is_empty())?;
        let mut parts = inside.strip_prefix('/')?.split('/');
        let (Some(_), Some(name), None) = (parts.next(), parts.next(), parts.next()) else { return None };
        match name {
            "reconciler.yaml" => Some(&reconciler.name),
            "namespace.yaml" => Some(&namespace_service.name),
            "platform-config.yaml" | "platform-config.sh" => Some(&config_type.name),
            _ => None,
        }
    }
}

/// The expression of a template that failed; nothing where the template does not even parse.
///
/// What follows an expression may hold values of one target only.
fn expression(message: &str) -> &str {
    match message.split_once("at `") {
        Some((_, rest)) => rest.split_once("`: ").map_or(rest, |(expression, _)| expression),
        None => "",
    }
}

/// A problem of a rendered manifest, without the names and numbers of one target.
fn kind_of_manifest_problem(message: &str) -> String {
    if message.contains(" is also defined at ") {
        return "defined twice".to_owned();
    }
    let mut kind = String::new();
    let parts = message.split('`').step_by(2);
    parts.for_each(|part| kind.extend(part.chars().filter(|character| !character.is_ascii_digit())));
    without_detail(&kind).to_owned()
}

/// The schema that a problem names.
fn asking_schema(message: &str) -> &str {
    let named = [" is required by ", " of "].iter().find_map(|word| message.split_once(word));
    named.map_or("", |(_, rest)| without_detail(rest))
}

/// A message up to the colon behind which values stand.
fn without_detail(message: &str) -> &str {
    let mut is_code = false;
    for (index, character) in message.char_indices() {
        is_code ^= character == '`';
        if !is_code && message[index..].starts_with(": ") {
            return &message[..index];
        }
    }
    message
}
