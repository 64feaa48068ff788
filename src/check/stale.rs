//! Statuses that nobody will end: their run is over, or a newer commit has taken their place.

use std::collections::BTreeSet;

use fleet::{Diagnostic, Snapshot};
use report::StatusText;
use rollout::{CommitId, Relation, StatusState};

use super::ledger::{context, is_of_environment};
use super::subject::oid;
use crate::commands::chain::Chain;
use crate::exit::Failure;
use crate::world::github::{Error, History, HistoryCommit, Kind, NewStatus, Repo, RunId, RunState, Status};
use crate::world::runner::Runner;
use crate::world::terminal;

/// So many are ended by one run; the rest by those that follow.
const ENDED: usize = 3;

/// With what the status of a check begins that goes on.
const DEPLOYING: &str = "Deploying";
/// With what the status of a commit begins that waits for a pull request: to the environment's branch, then to clusters'.
pub(super) const PROMOTED: [&str; 2] = ["Promotion proposed", "Promoted"];
/// With what it begins while some of several branches have it.
const DEPLOYED: &str = "Deployed";

/// Which commits have had their place taken: those below `by` on the base branch, and `from`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken<'a> {
    /// What is promoted now
    pub(crate) by: &'a CommitId,
    /// What was promoted before it; newer, after a rollback
    pub(crate) from: Option<&'a CommitId>,
    /// What the environment's branch names, whose place nothing has taken
    pub(crate) stays: Option<&'a CommitId>,
}

/// What is known of the runs that statuses link to.
struct Runs<'a> {
    chain: &'a Chain,
    /// The page of this run
    own: Option<&'a str>,
    /// Repositories whose runs the token may not read
    unreadable: BTreeSet<Repo>,
}

/// The newest commits of the base branch that an environment's `branch` points to, and the one that it names, with
/// their statuses; the latter and `others` however old they are.
pub(crate) fn history<'c>(
    chain: &Chain,
    branch: &Snapshot,
    others: impl IntoIterator<Item = &'c CommitId>,
) -> Result<History, Failure> {
    let base = branch.promoted_base().map_or(&chain.repository.default_branch, |base| &base.at.branch);
    let named = pinned(branch).into_iter().chain(others.into_iter().cloned());
    let named = named.map(|commit| oid(&commit)).collect::<Result<Vec<_>, _>>()?;
    Ok(chain.access.github.history(&chain.repo, base, &named)?)
}

/// The commit that an environment's branch names.
pub(crate) fn pinned(branch: &Snapshot) -> Option<CommitId> {
    CommitId::new(branch.promoted_base()?.commit.as_deref()?)
}

/// Keeping statuses tidy stops nothing: what fails of it is said, and left to the next run.
pub(crate) fn or_warn<T: Default>(done: Result<T, impl Into<Failure>>, runner: &Runner) -> T {
    done.unwrap_or_else(|failure| {
        let reason = failure.into().reason();
        let problem = Diagnostic::warning(format!("earlier statuses are left as they are: {reason}"))
            .help("the next run for this environment ends what is open");
        if runner.is_action() {
            terminal::say(&report::annotations([&problem], |_| None));
        }
        terminal::complain(&report::problems([&problem]));
        T::default()
    })
}

/// Ends what nobody else will end of an environment's statuses.
pub(crate) fn end(
    chain: &Chain,
    history: &History,
    environment: &str,
    taken: Option<Taken<'_>>,
    runner: &Runner,
) -> Result<(), Failure> {
    let mut ended = 0;
    let mut runs = Runs { chain, own: runner.page.as_deref(), unreadable: BTreeSet::new() };
    let of_environment = context(environment);
    for commit in history.commits() {
        let own = commit.statuses.iter().filter(|status| is_of_environment(&status.context, environment));
        let mut open: Vec<&Status> = own.filter(|status| status.state == StatusState::Pending).collect();
        // What its branches have is said of the environment, too.
        open.sort_by_key(|status| status.context == of_environment);
        let (mut is_left, mut ends) = (false, Vec::new());
        let mut text = |status: &Status| -> Result<Option<StatusText>, Failure> {
            let page = status.target_url.as_deref();
            let says =
                |words: &str| status.description.as_deref().is_some_and(|text| text.starts_with(words));
            let by = match taken.filter(|_| PROMOTED.into_iter().any(says) || says(DEPLOYED)) {
                Some(taken) => taken.place_of(commit, &history.latest, |by, other| {
                    Ok(chain.access.github.relation(&chain.repo, by, other)?)
                })?,
                None => None,
            };
            Ok(match by {
                Some(by) => Some(StatusText::superseded(by)),
                None if is_left && status.context == of_environment => Some(StatusText::cancelled()),
                None if says(DEPLOYING) && runs.is_over(page)? => {
                    is_left = true;
                    Some(StatusText::cancelled())
                }
                None => None,
            })
        };
        let mut failed = None;
        for status in open {
            match text(status) {
                Ok(text) => ends.extend(text.map(|text| (status, text))),
                Err(failure) => {
                    failed = Some(failure);
                    break;
                }
            }
        }
        // Of an environment whose branches have been ended nothing would tell that its status is left.
        for (status, StatusText { state, description }) in ends.into_iter().rev() {
            let (context, target_url) = (&*status.context, status.target_url.as_deref());
            let status = NewStatus { state, context, description: &description, target_url };
            chain.access.github.create_status(&chain.repo, &commit.id, &status)?;
            ended += 1;
            if ended == ENDED {
                return Ok(());
            }
        }
        if let Some(failure) = failed {
            return Err(failure);
        }
    }
    Ok(())
}

impl<'a> Taken<'a> {
    /// The commit that has taken the place of another one; of the `latest` commits the newest is first.
    fn place_of(
        self,
        other: &HistoryCommit,
        latest: &[HistoryCommit],
        relation: impl FnOnce(&str, &str) -> Result<Relation, Failure>,
    ) -> Result<Option<&'a CommitId>, Failure> {
        let Taken { by, from, stays } = self;
        let other = other.id.as_str();
        let at = |id: &str| latest.iter().position(|it| it.id.as_str() == id);
        let is_taken = match at(by.as_str()).zip(at(other)) {
            _ if by.as_str() == other || stays.is_some_and(|stays| stays.as_str() == other) => false,
            _ if from.is_some_and(|from| from.as_str() == other) => true,
            Some((by, other)) => by < other,
            None => relation(by.as_str(), other)? == Relation::Ancestor,
        };
        Ok(is_taken.then_some(by))
    }
}

impl Runs<'_> {
    /// Whether the run of a page has ended, or is not there any more. Ours goes on, and pages of others are left alone.
    fn is_over(&mut self, page: Option<&str>) -> Result<bool, Failure> {
        let Runs { chain, own, unreadable } = self;
        let page = page.filter(|page| *own != Some(page));
        let Some(run) = page.and_then(|page| chain.access.github.run_of(page)) else { return Ok(false) };
        if unreadable.contains(&run.repo) {
            return Ok(false);
        }
        match state(chain, &run) {
            Ok(state) => Ok(state == Some(RunState::Over)),
            Err(error) if is_refusal(&error) => {
                let what = format!("{}; statuses of its runs are left as they are", error.what());
                let warning = Diagnostic::warning(what).help(error.help());
                terminal::complain(&report::problems([&warning]));
                unreadable.insert(run.repo);
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// How a run stands, as far as it can be known.
fn state(chain: &Chain, run: &RunId) -> Result<Option<RunState>, Error> {
    let github = &chain.access.github;
    match github.run(run)? {
        // Of a repository that a token may not see, GitHub says what it says of a run that is gone.
        None if run.repo != chain.repo => match github.repository(&run.repo) {
            Ok(_) => Ok(Some(RunState::Over)),
            Err(error) if *error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        },
        state => Ok(Some(state.unwrap_or(RunState::Over))),
    }
}

/// Whether asking is what is not allowed.
fn is_refusal(error: &Error) -> bool {
    matches!(error.kind(), Kind::NoToken | Kind::Unauthorized | Kind::Forbidden { .. })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::world::github::Oid;

    #[test]
    fn places_that_are_taken() {
        let name = |digit: char| digit.to_string().repeat(40);
        let id = |digit: char| CommitId::new(&name(digit)).unwrap();
        let history: Vec<HistoryCommit> = "4321"
            .chars()
            .map(|digit| HistoryCommit {
                id: Oid::new(&name(digit)).unwrap(),
                headline: String::new(),
                committed_at: SystemTime::UNIX_EPOCH,
                statuses: vec![],
            })
            .collect();
        let rollback = "a rollback takes the place of what was there, not of what came meanwhile";
        for (by, from, stays, want, why) in [
            ('3', None, None, "21", "what is below"),
            ('3', None, Some('2'), "1", "what the environment's branch names stays, though it is older"),
            ('3', Some('2'), None, "21", "the usual step"),
            ('2', Some('4'), None, "41", rollback),
            ('3', Some('3'), None, "21", "the same again"),
            ('9', Some('4'), None, "42", "a commit that is not among the latest"),
            ('9', None, None, "2", "GitHub is asked how it stands to the others"),
        ] {
            let (by, from, stays) = (id(by), from.map(id), stays.map(id));
            let taken = Taken { by: &by, from: from.as_ref(), stays: stays.as_ref() };
            let relation = |_: &str, other: &str| {
                Ok(if other == name('2') { Relation::Ancestor } else { Relation::Missing })
            };
            let is_taken = |it: &&HistoryCommit| taken.place_of(it, &history, relation).unwrap().is_some();
            let got: String = history.iter().filter(is_taken).map(|it| &it.id.as_str()[..1]).collect();
            assert_eq!(got, want, "{why}");
        }
    }
}
