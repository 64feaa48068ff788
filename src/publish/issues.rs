//! The issues of a repository: one for every cause of a hold.

use std::collections::BTreeSet;

use fleet::Placement;
use proposal::{ISSUE_LABEL, IssueText, Step};
use report::IssueDocument;

use super::carry_out::issue_step;
use super::{Mode, Published, Publisher, ROUNDS, Trouble};
use crate::exit::Failure;
use crate::world::github::{Github, Issue, Kind, Repo, State};

/// Has every cause of a hold have one open issue, and nothing else.
pub(super) fn settle<'a>(
    publisher: &Publisher<'_>,
    github: &Github,
    repo: &Repo,
    placements: impl Iterator<Item = &'a Placement>,
    published: &mut Published,
    written: &mut usize,
) -> Result<(), Failure> {
    let outcome = publisher.outcome;
    let environment = &outcome.plane.environment;
    let mut documents: Vec<IssueDocument> =
        placements.flat_map(|placement| report::issues(outcome, placement)).collect();
    // Branches of one repository mostly share their causes.
    let mut seen = BTreeSet::new();
    documents.retain(|document| seen.insert(document.key.clone()));
    let wanted: Vec<IssueText> = documents.iter().map(text).collect();
    let overview = |rest: &[&IssueText]| {
        let is_left = |document: &&IssueDocument| rest.iter().any(|text| text.key == document.key);
        let rest: Vec<IssueDocument> = documents.iter().filter(is_left).cloned().collect();
        text(&report::overview(environment, &rest))
    };
    let resolved = report::resolved(environment);
    let mut unclear = None;
    let mut known: Vec<Issue> = Vec::new();
    for _ in 0..ROUNDS {
        let open = match github.open_issues(repo, ISSUE_LABEL) {
            Err(error) if *error.kind() == Kind::Gone => {
                let note = format!(
                    "issues are disabled in {repo}: what is held is told in the pull request and here only"
                );
                published.notes.extend((!wanted.is_empty()).then_some(note));
                return Ok(());
            }
            open => with_known(open?, &known),
        };
        let shown: Vec<proposal::Issue> = open.iter().map(shown).collect();
        let steps = proposal::issue_steps(environment, &wanted, &shown, overview, &resolved, *written);
        if steps.is_empty() || publisher.mode == Mode::DryRun {
            published.steps.extend(steps);
            published.issues = ours(environment, open);
            return Ok(());
        }
        let mut must_look_again = false;
        for step in steps {
            match issue_step(github, repo, &step) {
                Ok(issue) => known.extend(issue),
                Err(Trouble::Moved(error)) => {
                    (must_look_again, unclear) = (true, error);
                    break;
                }
                Err(Trouble::Failed(failure)) => return Err(failure),
            }
            // Another run may have opened the same one: then the later of the two is closed.
            must_look_again |= matches!(step, Step::OpenIssue { .. });
            *written += step.writes();
            published.steps.push(step);
        }
        if !must_look_again {
            published.issues = ours(environment, with_known(open, &known));
            return Ok(());
        }
    }
    match unclear {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

fn text(document: &IssueDocument) -> IssueText {
    let IssueDocument { key, title, body, digest } = document.clone();
    IssueText { key, title, body, digest }
}

fn ours(environment: &str, issues: Vec<Issue>) -> Vec<Issue> {
    issues.into_iter().filter(|issue| proposal::is_our_issue(environment, &shown(issue))).collect()
}

/// Lists lag behind: `known` has issues as we left them a moment ago.
fn with_known(mut listed: Vec<Issue>, known: &[Issue]) -> Vec<Issue> {
    for issue in known {
        listed.retain(|other| other.number != issue.number);
        listed.extend((issue.state == State::Open).then(|| issue.clone()));
    }
    listed.sort_by_key(|issue| issue.number);
    listed
}

fn shown(issue: &Issue) -> proposal::Issue {
    proposal::Issue {
        number: issue.number,
        url: issue.html_url.clone(),
        title: issue.title.clone(),
        body: issue.body.clone().unwrap_or_default(),
    }
}
