//! What promoting a commit did, or why it was refused.

use fleet::Diagnostic;
use minijinja::context;
use rollout::{CommitId, Refusal, StatusState};

use crate::actions::log_line;
use crate::chain::{Chain, picture};
use crate::check::{CheckLinks, Quote};
use crate::check_summary::commit;
use crate::document::render;
use crate::markdown::{block, code};
use crate::summary::Link;
use crate::terminal::{plain, problems};

/// What promoting a commit did.
#[derive(Clone, Debug)]
pub struct PromoteSummary<'a> {
    /// The environment
    pub environment: &'a str,
    /// Its branch
    pub branch: &'a str,
    /// The branch of the control plane from which commits are promoted
    pub base: &'a str,
    /// The commit
    pub commit: &'a CommitId,
    /// What the environment had before
    pub before: Option<&'a CommitId>,
    /// What was done
    pub ending: PromoteEnding<'a>,
    /// What is unusual about it
    pub notes: Vec<PromoteNote>,
    /// Whether the next step was started
    pub schedule: ScheduleStart,
    /// The environments
    pub chain: Chain,
    /// Where to look things up
    pub links: CheckLinks,
}

/// What was done to promote a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromoteEnding<'a> {
    /// Nothing: the environment had it already
    Already,
    /// This commit of the environment's branch names it
    Committed(&'a CommitId),
    /// A pull request proposes it
    Proposed(Link),
    /// Nothing, for a dry run writes nothing
    DryRun,
    /// Nothing, for these reasons
    Refused(&'a [Refusal]),
}

/// What is unusual about a promotion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromoteNote {
    /// The commit is older than what was there
    Rollback,
    /// The verdict of this preceding environment was passed over
    Unchecked(String),
    /// No environment names its next one, so that none precedes
    NoChain,
    /// The branch takes no pushes, so that there is a pull request
    Protected,
}

/// Whether the schedule that follows was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleStart {
    /// It was
    Started,
    /// It is left to the caller, or to the merge of the pull request
    Left,
    /// It could not be
    Failed(String),
}

/// The summary of a promotion as Markdown.
pub fn promote_summary(summary: &PromoteSummary<'_>) -> String {
    let PromoteSummary { environment, before, commit: to, ending, chain, links, .. } = summary;
    let found = promote_problems(summary);
    let repository = links.control_plane.as_deref();
    let written = match ending {
        PromoteEnding::Committed(id) => Some(commit(id, repository)),
        PromoteEnding::Proposed(pull) => Some(pull.markdown()),
        PromoteEnding::Already | PromoteEnding::DryRun | PromoteEnding::Refused(_) => None,
    };
    render(
        "promotion",
        context! {
            environment => code(environment),
            headline => headline(summary, code),
            before => before.filter(|before| before != to).map(|before| commit(before, repository)),
            after => commit(to, repository),
            branch => code(summary.branch),
            written,
            next => next(summary),
            problems => (!found.is_empty()).then(|| block(&problems(&found))),
            picture => picture(chain, environment),
        },
    )
}

/// What a log says of a promotion.
pub fn promote_log(summary: &PromoteSummary<'_>) -> Vec<String> {
    let mut said = vec![headline(summary, plain)];
    if let PromoteEnding::Proposed(pull) = &summary.ending {
        said.push(format!("pull request: {}", pull.url));
    }
    said.extend(next(summary).map(str::to_owned));
    said.iter().map(|line| log_line(line)).collect()
}

/// What is wrong with a promotion, or unusual about it, each with the next move.
pub fn promote_problems(summary: &PromoteSummary<'_>) -> Vec<Diagnostic> {
    let refused = match summary.ending {
        PromoteEnding::Refused(reasons) => reasons,
        _ => &[],
    };
    let refused = refused.iter().map(|reason| refusal(reason, summary));
    let notes = summary.notes.iter().map(|note| unusual(note, summary));
    let failed = match &summary.schedule {
        ScheduleStart::Failed(why) => Some(
            Diagnostic::error(format!("schedule for {} could not be started: {}", plain(summary.environment), plain(why)))
                .help("correct that, then run schedule for it by hand, or run this job again: nothing is promoted twice"),
        ),
        ScheduleStart::Started | ScheduleStart::Left => None,
    };
    refused.chain(notes).chain(failed).collect()
}

fn headline(summary: &PromoteSummary<'_>, quote: Quote) -> String {
    let PromoteSummary { environment, branch, commit, ending, .. } = summary;
    let (environment, branch, commit) = (quote(environment), quote(branch), commit.short());
    match ending {
        PromoteEnding::Already => format!("{environment} has {commit} already"),
        PromoteEnding::Committed(_) => format!("Promoted {commit} to {environment}"),
        PromoteEnding::Proposed(_) => {
            format!("A pull request to branch {branch} promotes {commit} to {environment}")
        }
        PromoteEnding::DryRun => format!("Dry run: {commit} would be promoted to {environment}"),
        PromoteEnding::Refused(_) => format!("{commit} is not promoted to {environment}"),
    }
}

fn next(summary: &PromoteSummary<'_>) -> Option<&'static str> {
    match (&summary.ending, &summary.schedule) {
        (PromoteEnding::Refused(_), _) => None,
        (PromoteEnding::Proposed(_), _) => Some("merge the pull request: schedule runs after it"),
        (_, ScheduleStart::Started) => Some("schedule was started; review the pull request that it opens"),
        (PromoteEnding::DryRun, _) => None,
        (_, ScheduleStart::Left) => Some("run schedule for this environment"),
        (_, ScheduleStart::Failed(_)) => None,
    }
}

fn refusal(reason: &Refusal, summary: &PromoteSummary<'_>) -> Diagnostic {
    let PromoteSummary { base, .. } = summary;
    let (environment, base, commit) = (plain(summary.environment), plain(base), summary.commit.short());
    match reason {
        Refusal::NotOnBase => Diagnostic::error(format!("commit {commit} is not on branch {base}"))
            .help(format!("merge it to {base} first, or promote a commit that is there")),
        Refusal::Older(newer) => Diagnostic::error(format!(
            "commit {commit} is older than {}, which {environment} has",
            newer.short()
        ))
        .help("promote a newer one, or set `allow-rollback` to go back"),
        Refusal::Unproven(preceding, state) => {
            let preceding = plain(preceding);
            let (what, next) = match state {
                None => ("has not been promoted to", "promote it there first"),
                Some(StatusState::Pending) => ("is not deployed yet to", "wait for the check there"),
                Some(StatusState::Failure) => ("failed to deploy to", "solve what its check there names"),
                Some(StatusState::Error) => ("was not checked to the end in", "run checkpromote there again"),
                Some(StatusState::Success) => ("is not shown to be deployed to", "run checkpromote there"),
            };
            Diagnostic::error(format!("commit {commit} {what} {preceding}, which comes before {environment}"))
                .help(format!("{next}; `skip-check` promotes it nevertheless, and its status says so"))
        }
    }
}

fn unusual(note: &PromoteNote, summary: &PromoteSummary<'_>) -> Diagnostic {
    let (environment, commit) = (plain(summary.environment), summary.commit.short());
    match note {
        PromoteNote::Rollback => {
            let before = summary.before.map_or("what was there", CommitId::short);
            Diagnostic::warning(format!("{environment} goes back to {commit} from {before}"))
                .help("`allow-rollback` asked for it; promote a newer commit to go on")
        }
        PromoteNote::Unchecked(preceding) => {
            Diagnostic::warning(format!("the verdict of {} on {commit} was passed over", plain(preceding)))
                .help("`skip-check` asked for it, and the status says so")
        }
        PromoteNote::NoChain => {
            Diagnostic::warning("no environment names its next one, so that no preceding environment is asked")
                .help("give each Environment but the last `spec.next`")
        }
        PromoteNote::Protected => Diagnostic::warning(format!(
            "branch {} takes no pushes, so that a pull request promotes {commit}",
            plain(summary.branch)
        ))
        .help("merge it; or set `promotion: pull-request` to say that this is meant, or let the token bypass the rule"),
    }
}
