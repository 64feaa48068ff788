//! Issues for what is held: one for each root cause.

use std::collections::BTreeSet;
use std::slice;
use std::sync::Arc;

use fleet::{Outcome, Placement};
use minijinja::context;

use crate::cause::{Cause, Subject, causes};
use crate::document::{MAX_DOCUMENT, hash, render, title};
use crate::markdown::{code, word};
use crate::places::some_of;
use crate::pull_request::problems;
use crate::section::{Section, fit};
use crate::terminal::counted;

/// Room for everything but the lists.
const FRAME: usize = 4_000;
/// This many deployment targets of a cluster type are named.
const NAMED: usize = 40;

/// An issue about a root cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueDocument {
    /// A stable name of the cause: the same in every run, whatever it holds
    pub key: String,
    /// One line
    pub title: String,
    /// Markdown
    pub body: String,
    /// A hash of title and body: as long as it is the same, nothing needs to be written
    pub digest: String,
}

/// One issue for each cause of what is held; those that hold most come first.
pub fn issues(outcome: &Outcome, placement: &Placement) -> Vec<IssueDocument> {
    causes(outcome, placement).iter().map(|cause| issue(&outcome.plane.environment, cause)).collect()
}

fn issue(environment: &str, cause: &Cause) -> IssueDocument {
    let found = Section::new(&cause.problems, |problem| problems(slice::from_ref(problem), 1));
    let kinds: Vec<(&Arc<str>, &BTreeSet<Arc<str>>)> = cause.places.0.iter().collect();
    let places = Section::new(&kinds, |(kind, targets)| {
        format!("- {}: {}\n", code(kind), some_of(targets.iter().map(|target| &**target), NAMED))
    });
    let [found, places] = fit([found, places], MAX_DOCUMENT - FRAME);
    let what = shared(cause);
    let body = render(
        "issue",
        context! {
            lead => lead(&what, environment, cause),
            problems => found,
            places,
            rest => "the JSON report (`report`) of a run names all",
        },
    );
    let title = format!("Can't generate manifests for {what} in {}", word(environment));
    IssueDocument::new(cause.key.clone(), &title, body)
}

/// The deployment target that a cause holds, or what all of them share.
fn shared(cause: &Cause) -> String {
    if let Some(target) = cause.places.only_target() {
        return word(target);
    }
    let workload = cause.workloads.first().filter(|_| cause.workloads.len() == 1);
    match (&cause.subject, workload) {
        (Subject::Application { workload: Some(name), .. }, _) => format!("workload {}", word(name)),
        (Subject::Application { registration: Some(name), .. }, _) => format!("registration {}", word(name)),
        (Subject::Config { workload: name, .. }, _) | (_, Some(name)) => format!("workload {}", word(name)),
        (Subject::Template { name, .. }, _) => format!("template {}", word(name)),
        _ => counted(cause.places.count(), "deployment target"),
    }
}

fn lead(what: &str, environment: &str, cause: &Cause) -> String {
    let environment = code(environment);
    let count = cause.places.count();
    if count == 0 {
        return format!(
            "The manifests of {what} cannot be generated for environment {environment}. It has none there yet; nothing else is affected."
        );
    }
    let held = match count {
        1 => cause.places.summary(),
        _ => format!(
            "{} on {}",
            counted(count, "deployment target"),
            counted(cause.places.0.len(), "cluster type")
        ),
    };
    format!(
        "**{held}** cannot be generated for environment {environment}. What the GitOps branch has for {} stays until this is solved; everything else proceeds.",
        if count == 1 { "it" } else { "them" }
    )
}

/// One issue for all causes that have no issue of their own.
pub fn overview(environment: &str, rest: &[IssueDocument]) -> IssueDocument {
    let causes = Section::new(rest, |issue| format!("- {}\n", code(&issue.title.replace('`', ""))));
    let [causes] = fit([causes], MAX_DOCUMENT - FRAME);
    let body =
        render("overview", context! { causes, rest => "the JSON report (`report`) of a run names all" });
    let title =
        format!("Can't generate manifests for {} in {}", counted_causes(rest.len()), word(environment));
    IssueDocument::new(hash(&format!("{environment}\noverview")), &title, body)
}

fn counted_causes(count: usize) -> String {
    match count {
        1 => "1 more cause".to_owned(),
        count => format!("{count} more causes"),
    }
}

/// The comment with which an issue is closed.
pub fn resolved(environment: &str) -> String {
    render("resolved", context! { environment => code(environment) })
}

/// The comment with which a pull request is closed that nobody needs any more.
pub fn not_needed(environment: &str, branch: &str) -> String {
    render("not-needed", context! { environment => code(environment), branch => code(branch) })
}

impl IssueDocument {
    fn new(key: String, text: &str, body: String) -> IssueDocument {
        let title = title(text);
        let digest = hash(&format!("{title}\n{body}"));
        IssueDocument { key, title, body, digest }
    }
}
