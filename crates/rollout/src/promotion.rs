//! What is to be carried on, and what may be.

use crate::commit::CommitId;
use crate::question::Relation;

/// The newest status of a commit in one context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusState {
    /// Under way
    Pending,
    /// Deployed
    Success,
    /// Failed to deploy
    Failure,
    /// Ended without a verdict
    Error,
}

/// What is known of the commit that a GitOps commit carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The commit; nothing where nothing is tracked
    pub promoted: Option<CommitId>,
    /// Its newest status for this environment
    pub own: Option<StatusState>,
    /// What is known of it in the environment that follows
    pub next: NextMark,
    /// What the tracking file held before, and how `promoted` stands to that
    pub before: Option<(CommitId, Relation)>,
    /// What the tracking file holds at the branch's head, and how `promoted` stands to that
    pub head: Option<(CommitId, Relation)>,
}

/// What is known of a commit in the environment that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextMark {
    /// There is no such environment
    NoNext,
    /// It has no status there
    Unmarked,
    /// It has one
    Marked,
}

/// Whether there is something to carry on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// There is
    Yes,
    /// It has been done
    Done,
    /// Nothing is tracked
    Untracked,
    /// The merge takes back a promotion to this newer commit
    Reverts(CommitId),
    /// A newer commit has taken its place
    Superseded(CommitId),
}

/// Whether the commit is to be carried on.
pub fn due(facts: &Facts) -> Due {
    match facts {
        Facts { promoted: None, .. } => Due::Untracked,
        Facts { before: Some((before, Relation::Ancestor)), .. } => Due::Reverts(before.clone()),
        Facts { head: Some((head, Relation::Ancestor)), .. } => Due::Superseded(head.clone()),
        Facts { own: Some(StatusState::Success), next: NextMark::NoNext | NextMark::Marked, .. } => Due::Done,
        _ => Due::Yes,
    }
}

/// What is known of a commit that shall be promoted to an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// How the commit stands to the head of the base branch: `Same` or `Ancestor` is on it
    pub on_base: Relation,
    /// The commit that the environment has now, and how the new one stands to it
    pub current: Option<(CommitId, Relation)>,
    /// The preceding environments and the commit's newest status in each; none for the first environment
    pub preceding: Vec<(String, Option<StatusState>)>,
    /// Whether an older commit may be promoted
    pub allows_rollback: bool,
    /// Whether the preceding environments' verdicts do not matter
    pub skips_check: bool,
}

/// What promoting does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// The environment has the commit already
    Already,
    /// It gets it
    Moves {
        /// Whether the commit is older than what is there
        is_rollback: bool,
        /// The preceding environments whose verdict was passed over
        unchecked: Vec<String>,
    },
}

/// Why a commit may not be promoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The base branch does not have it
    NotOnBase,
    /// The environment has this newer one
    Older(CommitId),
    /// This preceding environment has not shown it deployed
    Unproven(String, Option<StatusState>),
}

/// Whether a commit may be promoted; every reason against it.
pub fn admit(admission: &Admission) -> Result<Admitted, Vec<Refusal>> {
    let Admission { on_base, current, preceding, allows_rollback, skips_check } = admission;
    if matches!(current, Some((_, Relation::Same))) {
        return Ok(Admitted::Already);
    }
    let newer = current.as_ref().filter(|(_, relation)| *relation == Relation::Ancestor);
    let unproven = preceding.iter().filter(|(_, status)| *status != Some(StatusState::Success));
    let mut refusals = Vec::new();
    if !matches!(on_base, Relation::Same | Relation::Ancestor) {
        refusals.push(Refusal::NotOnBase);
    }
    if let (Some((newer, _)), false) = (newer, allows_rollback) {
        refusals.push(Refusal::Older(newer.clone()));
    }
    if !skips_check {
        let unproven = unproven.clone();
        refusals.extend(unproven.map(|(name, status)| Refusal::Unproven(name.clone(), *status)));
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let unchecked = unproven.map(|(name, _)| name.clone()).collect();
    Ok(Admitted::Moves { is_rollback: newer.is_some(), unchecked })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(digit: char) -> CommitId {
        CommitId::new(&digit.to_string().repeat(40)).unwrap()
    }

    #[test]
    fn what_is_due() {
        use Relation::{Ancestor, Descendant, Diverged, Missing, Same};
        use StatusState::{Error, Failure, Pending, Success};
        let fresh = Facts {
            promoted: Some(commit('1')),
            own: None,
            next: NextMark::NoNext,
            before: None,
            head: None,
        };
        let with = |own, next| Facts { own, next, ..fresh.clone() };
        let before = |relation| Facts { before: Some((commit('2'), relation)), ..fresh.clone() };
        let head = |relation| Facts { head: Some((commit('3'), relation)), ..fresh.clone() };
        let cases = [
            (fresh.clone(), Due::Yes, "it has no status"),
            (Facts { promoted: None, ..fresh.clone() }, Due::Untracked, "nothing is tracked"),
            (with(Some(Pending), NextMark::NoNext), Due::Yes, "it is under way"),
            (with(Some(Failure), NextMark::Marked), Due::Yes, "a failed check may be healed"),
            (with(Some(Error), NextMark::NoNext), Due::Yes, "a cancelled run is made up for"),
            (with(Some(Success), NextMark::NoNext), Due::Done, "deployed, and nothing follows"),
            (with(Some(Success), NextMark::Marked), Due::Done, "deployed and handed over"),
            (with(Some(Success), NextMark::Unmarked), Due::Yes, "the hand-over was lost"),
            (before(Ancestor), Due::Reverts(commit('2')), "a revert"),
            (before(Descendant), Due::Yes, "the usual step"),
            (before(Same), Due::Yes, "configuration only"),
            (before(Diverged), Due::Yes, "neither is newer"),
            (before(Missing), Due::Yes, "what was before is unknown"),
            (head(Ancestor), Due::Superseded(commit('3')), "a newer one is there"),
            (head(Descendant), Due::Yes, "the head was reverted"),
            (head(Same), Due::Yes, "still the head"),
            (
                Facts { own: Some(Success), ..before(Ancestor) },
                Due::Reverts(commit('2')),
                "a revert to what was deployed",
            ),
            (Facts { own: Some(Success), ..head(Ancestor) }, Due::Superseded(commit('3')), "a late run"),
        ];
        for (facts, want, why) in cases {
            assert_eq!(due(&facts), want, "{why}");
        }
    }

    #[test]
    fn what_may_be_promoted() {
        use Relation::{Ancestor, Descendant, Diverged, Missing, Same};
        use StatusState::{Failure, Pending, Success};
        let fresh = Admission {
            on_base: Ancestor,
            current: Some((commit('1'), Descendant)),
            preceding: vec![],
            allows_rollback: false,
            skips_check: false,
        };
        let on_base = |on_base| Admission { on_base, ..fresh.clone() };
        let current = |relation| Admission { current: Some((commit('1'), relation)), ..fresh.clone() };
        let dev = |status| ("dev".to_owned(), status);
        let preceding = |status| Admission { preceding: vec![dev(status)], ..fresh.clone() };
        let both = |test| {
            let test = ("test".to_owned(), test);
            Admission { preceding: vec![dev(Some(Success)), test], ..fresh.clone() }
        };
        let moves = Ok(Admitted::Moves { is_rollback: false, unchecked: vec![] });
        let older = Refusal::Older(commit('1'));
        let unproven = |status| Refusal::Unproven("dev".to_owned(), status);
        let cases = [
            (fresh.clone(), moves.clone(), "the usual step"),
            (Admission { current: None, ..fresh.clone() }, moves.clone(), "the first one"),
            (on_base(Same), moves.clone(), "the head of the base"),
            (on_base(Descendant), Err(vec![Refusal::NotOnBase]), "not merged yet"),
            (on_base(Diverged), Err(vec![Refusal::NotOnBase]), "another branch"),
            (on_base(Missing), Err(vec![Refusal::NotOnBase]), "no such commit"),
            (current(Same), Ok(Admitted::Already), "it is there"),
            (
                Admission { on_base: Missing, ..preceding(None) },
                Err(vec![Refusal::NotOnBase, unproven(None)]),
                "every reason",
            ),
            (
                Admission { on_base: Missing, current: Some((commit('1'), Same)), ..preceding(None) },
                Ok(Admitted::Already),
                "what is there needs no reasons",
            ),
            (current(Diverged), moves.clone(), "beside what is there, but on the base"),
            (current(Missing), moves.clone(), "what is there is unknown"),
            (current(Ancestor), Err(vec![older.clone()]), "older"),
            (
                Admission { allows_rollback: true, ..current(Ancestor) },
                Ok(Admitted::Moves { is_rollback: true, unchecked: vec![] }),
                "older, as is wished",
            ),
            (
                Admission { allows_rollback: true, ..fresh.clone() },
                moves.clone(),
                "newer, where older ones may go",
            ),
            (preceding(Some(Success)), moves.clone(), "deployed before"),
            (preceding(None), Err(vec![unproven(None)]), "never checked"),
            (preceding(Some(Pending)), Err(vec![unproven(Some(Pending))]), "not yet"),
            (preceding(Some(Failure)), Err(vec![unproven(Some(Failure))]), "failed"),
            (
                Admission { skips_check: true, ..preceding(Some(Failure)) },
                Ok(Admitted::Moves { is_rollback: false, unchecked: vec!["dev".to_owned()] }),
                "failed, passed over",
            ),
            (both(Some(Success)), moves.clone(), "deployed before, in both"),
            (
                both(Some(Pending)),
                Err(vec![Refusal::Unproven("test".to_owned(), Some(Pending))]),
                "not yet in one of them",
            ),
            (
                Admission { preceding: vec![dev(None), ("test".to_owned(), None)], ..fresh.clone() },
                Err(vec![unproven(None), Refusal::Unproven("test".to_owned(), None)]),
                "in neither",
            ),
            (
                Admission { skips_check: true, ..both(None) },
                Ok(Admitted::Moves { is_rollback: false, unchecked: vec!["test".to_owned()] }),
                "only one had to be passed over",
            ),
            (
                Admission { skips_check: true, ..preceding(Some(Success)) },
                moves,
                "nothing had to be passed over",
            ),
            (
                Admission { current: Some((commit('1'), Ancestor)), on_base: Diverged, ..preceding(None) },
                Err(vec![Refusal::NotOnBase, older, unproven(None)]),
                "all of them",
            ),
        ];
        for (admission, want, why) in cases {
            assert_eq!(admit(&admission), want, "{why}");
        }
    }
}
