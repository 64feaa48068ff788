//! The issues of a repository: one for every cause of a hold.

use fleet::Outcome;
use proposal::{Address, ISSUE_LABEL, IssueText, Step};
use report::IssueDocument;

use super::carry_out::issue_step;
use super::{Destination, GitOpsBranch, Mode, Published, ROUNDS, Trouble, wrong};
use crate::exit::Failure;
use crate::world::github::{Github, Issue, Kind, State, Which};

/// Has every cause of a hold have one open issue, and nothing else.
pub(super) fn settle(
    github: &Github,
    branch: &GitOpsBranch,
    outcome: &Outcome,
    destination: &Destination,
    mode: Mode,
    published: &mut Published,
) -> Result<(), Failure> {
    let repo = &branch.repo;
    let environment = &outcome.plane.environment;
    let documents = report::issues(outcome, &destination.placement);
    let wanted: Vec<IssueText> = documents.iter().map(text).collect();
    let overview = |rest: &[&IssueText]| {
        let is_left = |document: &&IssueDocument| rest.iter().any(|text| text.key == document.key);
        let rest: Vec<IssueDocument> = documents.iter().filter(is_left).cloned().collect();
        text(&report::overview(environment, &rest))
    };
    let (address, resolved) = (branch.address(environment), report::resolved(environment));
    let mut known: Vec<Issue> = Vec::new();
    let mut written = 0;
    for _ in 0..ROUNDS {
        let open = match github.issues(repo, ISSUE_LABEL, Which::Open) {
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
        let steps = proposal::issue_steps(&address, &wanted, &shown, overview, &resolved, written);
        if steps.is_empty() || mode == Mode::DryRun {
            published.steps.extend(steps);
            published.issues = ours(&address, open);
            return Ok(());
        }
        let mut must_look_again = false;
        for step in steps {
            match issue_step(github, repo, &step) {
                Ok(issue) => known.extend(issue),
                Err(Trouble::Moved(_)) => {
                    must_look_again = true;
                    break;
                }
                Err(Trouble::Failed(error)) => return Err(error.into()),
                Err(Trouble::Wrong(text)) => return Err(wrong(&text)),
            }
            // Another run may have opened the same one: then the later of the two is closed.
            must_look_again |= matches!(step, Step::OpenIssue { .. });
            written += step.writes();
            published.steps.push(step);
        }
        if !must_look_again {
            published.issues = ours(&address, with_known(open, &known));
            return Ok(());
        }
    }
    Ok(())
}

fn text(document: &IssueDocument) -> IssueText {
    let IssueDocument { key, title, body, digest } = document.clone();
    IssueText { key, title, body, digest }
}

fn ours(address: &Address, issues: Vec<Issue>) -> Vec<Issue> {
    issues.into_iter().filter(|issue| proposal::is_our_issue(address, &shown(issue))).collect()
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
