//! What is known of commits, and which of them count for the one that is checked.

use std::collections::HashMap;

use crate::commit::CommitId;
use crate::policy::Target;
use crate::question::{Answer, Question, Relation};
use crate::verdict::Verdict;

/// What is known of commits.
#[derive(Clone, Debug)]
pub(crate) struct Lineage {
    commit: CommitId,
    promoted: Option<CommitId>,
    relations: HashMap<CommitId, Relation>,
    tracked: HashMap<CommitId, Option<CommitId>>,
    promotions: HashMap<CommitId, Relation>,
}

/// Whether a commit counts for the one that is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Acceptance {
    Accepted,
    Refused,
    Open(Question),
}

/// What the head of the branch means for the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    GoesOn,
    Ends(Verdict),
    /// It ends, unless the head is only that of a moment ago
    Strays(Verdict),
    Open(Question),
}

impl Lineage {
    pub(crate) fn new(target: &Target) -> Lineage {
        Lineage {
            commit: target.commit.clone(),
            promoted: target.promoted.clone(),
            relations: HashMap::from([(target.commit.clone(), Relation::Same)]),
            tracked: HashMap::new(),
            promotions: HashMap::new(),
        }
    }

    pub(crate) fn learn(&mut self, answer: Answer) {
        match answer {
            Answer::Lineage(commit, relation) => drop(self.relations.insert(commit, relation)),
            Answer::Tracked(commit, tracked) => drop(self.tracked.insert(commit, tracked)),
            Answer::Promoted(commit, relation) => drop(self.promotions.insert(commit, relation)),
        }
    }

    /// Whether a commit counts: the one that is checked, or a later one that carries the same promoted commit.
    pub(crate) fn judge(&self, commit: &CommitId) -> Acceptance {
        match self.relations.get(commit) {
            None => Acceptance::Open(Question::Lineage(commit.clone())),
            Some(Relation::Same) => Acceptance::Accepted,
            Some(Relation::Descendant) => match self.tracked.get(commit) {
                None => Acceptance::Open(Question::Tracked(commit.clone())),
                Some(tracked) if *tracked == self.promoted => Acceptance::Accepted,
                Some(_) => Acceptance::Refused,
            },
            Some(Relation::Ancestor | Relation::Diverged | Relation::Missing) => Acceptance::Refused,
        }
    }

    /// Whether a commit is known to count.
    pub(crate) fn accepts(&self, commit: &CommitId) -> bool {
        self.judge(commit) == Acceptance::Accepted
    }

    /// The commits that are known to count, the one that is checked first.
    pub(crate) fn accepted(&self) -> Vec<CommitId> {
        let mut later: Vec<CommitId> =
            self.tracked.keys().filter(|commit| self.accepts(commit)).cloned().collect();
        later.sort();
        later.insert(0, self.commit.clone());
        later
    }

    /// What it means that `head` is the head of the branch.
    pub(crate) fn course(&self, head: &CommitId) -> Course {
        match self.relations.get(head) {
            None => Course::Open(Question::Lineage(head.clone())),
            Some(Relation::Same) => Course::GoesOn,
            Some(Relation::Descendant) => match self.tracked.get(head) {
                None => Course::Open(Question::Tracked(head.clone())),
                Some(tracked) => self.course_after(head, tracked),
            },
            // What stands on the commit was made after it; anything else may be older.
            Some(Relation::Ancestor | Relation::Diverged | Relation::Missing) => {
                Course::Strays(Verdict::Superseded { head: head.clone(), by: None })
            }
        }
    }

    fn course_after(&self, head: &CommitId, tracked: &Option<CommitId>) -> Course {
        let superseded = || Course::Ends(Verdict::Superseded { head: head.clone(), by: tracked.clone() });
        let reverted = || Course::Ends(Verdict::Reverted { head: head.clone(), by: tracked.clone() });
        match (&self.promoted, tracked) {
            (ours, theirs) if ours == theirs => Course::GoesOn,
            (_, None) => reverted(),
            (None, Some(_)) => superseded(),
            (Some(_), Some(theirs)) => match self.promotions.get(theirs) {
                None => Course::Open(Question::Promoted(theirs.clone())),
                Some(Relation::Same) => Course::GoesOn,
                Some(Relation::Ancestor) => reverted(),
                Some(Relation::Descendant | Relation::Diverged | Relation::Missing) => superseded(),
            },
        }
    }
}
