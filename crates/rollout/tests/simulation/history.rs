//! What happens to the two repositories: commits, what they promote, and where the branch stands when.

use rollout::{Answer, CommitId, Question, Relation};

use crate::life::Stretch;
use crate::random::Random;

/// A commit of the GitOps repository.
pub(crate) type Commit = usize;
/// A commit of the control plane.
type Promoted = usize;

/// A commit of another branch of the GitOps repository, which promotes the same.
pub(crate) const STRAY: Commit = 4;
/// A commit that the server does not know.
pub(crate) const FORGOTTEN: Commit = 5;
/// The commit that is checked.
pub(crate) const CHECKED: Commit = 3;

/// After this time a look at the branch does not show where it was before.
pub(crate) const LAG: u64 = 60;

/// The control plane's commits: a line, with one beside it and one that nobody knows.
const PLANE: [Below; 8] = [
    Below::Nothing,
    Below::Commit(0),
    Below::Commit(1),
    Below::Commit(2),
    Below::Commit(3),
    Below::Commit(4),
    Below::Commit(2),
    Below::Unknown,
];
const OURS: Promoted = 3;

/// The GitOps repository.
#[derive(Clone, Debug)]
pub(crate) struct History {
    commits: Vec<Merge>,
    /// From when on the branch stands where
    heads: Vec<(u64, Commit)>,
    accepted: Vec<bool>,
    names: Vec<CommitId>,
    plane: Vec<CommitId>,
}

#[derive(Clone, Copy, Debug)]
struct Merge {
    below: Below,
    tracked: Option<Promoted>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Below {
    Nothing,
    Commit(usize),
    Unknown,
}

/// What becomes of the branch after the commit that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turns {
    /// Nothing, or commits that promote the same
    Harmless,
    /// Anything
    Any,
}

/// What the head of the branch means for the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes on
    Carries,
    /// Something else took its place
    Superseded {
        /// What is promoted there
        by: Option<CommitId>,
        /// Whether what is checked is still below the head
        is_below: bool,
    },
    /// The branch went back
    Reverted {
        /// What is promoted there
        by: Option<CommitId>,
    },
}

impl History {
    /// A history in which the commit that is checked is merged at `merged`.
    pub(crate) fn draw(random: &mut Random, turns: Turns, merged: u64, until: u64) -> History {
        let ours = if random.chance(8) { None } else { Some(OURS) };
        let merge = |below, tracked| Merge { below, tracked };
        let mut commits = vec![
            merge(Below::Nothing, Some(1)),
            merge(Below::Commit(0), Some(2)),
            merge(Below::Commit(1), *random.pick(&[Some(2), Some(2), ours])),
            merge(Below::Commit(2), ours),
            merge(Below::Commit(1), ours),
            merge(Below::Unknown, ours),
        ];
        let mut heads =
            vec![(0, *random.pick(&[0, 1])), (merged - random.within(60..=5000), 2), (merged, CHECKED)];
        let mut times: Vec<u64> = Vec::new();
        for _ in 0..*random.pick(&[0, 0, 0, 1, 1, 2, 4]) {
            times.push(random.within(merged + 1..=until));
        }
        times.sort_unstable();
        for at in times {
            let head = heads[heads.len() - 1].1;
            let next = match turns {
                Turns::Any if random.chance(40) => turn(random, &commits, head, ours),
                _ => Err(merge(Below::Commit(head), commits[head].tracked)),
            };
            let next = next.unwrap_or_else(|merge| {
                commits.push(merge);
                commits.len() - 1
            });
            heads.push((at, next));
        }
        if turns == Turns::Any && random.chance(30) {
            // Gone elsewhere and back before a poll may see it, but not before a cluster does.
            let (last, head) = heads[heads.len() - 1];
            let at = last + random.within(5..=900);
            commits.push(Merge { below: Below::Commit(head), tracked: Some(random.within(1..=6) as usize) });
            heads.push((at, commits.len() - 1));
            commits.push(Merge { below: Below::Commit(commits.len() - 1), tracked: ours });
            heads.push((at + random.within(1..=90), commits.len() - 1));
        }
        let digits = *random.pick(&[40, 40, 64]);
        let names = names(random, digits, commits.len());
        let plane = crate::history::names(random, digits, PLANE.len());
        let mut history = History { accepted: Vec::new(), commits, heads, names, plane };
        history.accepted =
            (0..history.commits.len()).map(|commit| history.is_same_promotion(commit)).collect();
        history
    }

    /// The commit that is checked.
    pub(crate) fn checked(&self) -> &CommitId {
        &self.names[CHECKED]
    }

    /// What it promotes.
    pub(crate) fn promoted(&self) -> Option<CommitId> {
        self.tracked(CHECKED)
    }

    /// Its name.
    pub(crate) fn name(&self, commit: Commit) -> &CommitId {
        &self.names[commit]
    }

    /// The commit of this name.
    pub(crate) fn find(&self, name: &CommitId) -> Option<Commit> {
        self.names.iter().position(|known| known == name)
    }

    /// Where the branch stands.
    pub(crate) fn head(&self, at: u64) -> Commit {
        self.heads[self.moves(at)].1
    }

    /// Where a look at the branch that lags behind shows it: one move back, if that was a moment ago.
    pub(crate) fn stale_head(&self, at: u64) -> Commit {
        let moves = self.moves(at);
        let is_new = at < self.heads[moves].0 + LAG;
        self.heads[if is_new { moves - 1 } else { moves }].1
    }

    /// Whether the branch stood there at some time of this stretch.
    pub(crate) fn stood_at(&self, head: Commit, (start, end): Stretch) -> bool {
        self.heads[self.moves(start)..=self.moves(end)].iter().any(|(_, stood)| *stood == head)
    }

    /// How often the branch had moved.
    pub(crate) fn moves(&self, at: u64) -> usize {
        self.heads.partition_point(|(since, _)| *since <= at).max(1) - 1
    }

    /// Whether a cluster that has applied this has applied what is checked.
    pub(crate) fn accepts(&self, commit: Commit) -> bool {
        self.accepted[commit]
    }

    /// What it means that the branch stands there.
    pub(crate) fn fate(&self, head: Commit) -> Fate {
        let by = self.tracked(head);
        match relation(&self.below(), head, CHECKED) {
            Relation::Same => Fate::Carries,
            Relation::Descendant => match (self.commits[CHECKED].tracked, self.commits[head].tracked) {
                (ours, theirs) if ours == theirs => Fate::Carries,
                (Some(_), None) => Fate::Reverted { by },
                (Some(ours), Some(theirs)) if relation(&PLANE, theirs, ours) == Relation::Ancestor => {
                    Fate::Reverted { by }
                }
                _ => Fate::Superseded { by, is_below: true },
            },
            _ => Fate::Superseded { by, is_below: false },
        }
    }

    /// What the repositories answer.
    pub(crate) fn answer(&self, question: &Question) -> Result<Answer, String> {
        let unknown = || format!("a question about a commit that nobody mentioned: {question:?}");
        Ok(match question {
            Question::Lineage(name) => {
                let commit = self.find(name).ok_or_else(unknown)?;
                Answer::Lineage(name.clone(), relation(&self.below(), commit, CHECKED))
            }
            Question::Tracked(name) => {
                let commit = self.find(name).ok_or_else(unknown)?;
                Answer::Tracked(name.clone(), self.tracked(commit))
            }
            Question::Promoted(name) => {
                let commit = self.plane.iter().position(|known| known == name).ok_or_else(unknown)?;
                Answer::Promoted(name.clone(), relation(&PLANE, commit, OURS))
            }
        })
    }

    fn tracked(&self, commit: Commit) -> Option<CommitId> {
        self.commits[commit].tracked.map(|promoted| self.plane[promoted].clone())
    }

    fn below(&self) -> Vec<Below> {
        self.commits.iter().map(|commit| commit.below).collect()
    }

    fn is_same_promotion(&self, commit: Commit) -> bool {
        matches!(relation(&self.below(), commit, CHECKED), Relation::Same | Relation::Descendant)
            && self.commits[commit].tracked == self.commits[CHECKED].tracked
    }
}

/// A turn that may end the check: a commit that is there already, or a new one.
fn turn(
    random: &mut Random,
    commits: &[Merge],
    head: Commit,
    ours: Option<Promoted>,
) -> Result<Commit, Merge> {
    let merge = |below, tracked| Err(Merge { below: Below::Commit(below), tracked });
    match random.below(9) {
        0 | 1 => merge(head, Some(random.within(4..=5) as usize)),
        2 => merge(head, Some(random.within(1..=2) as usize)),
        3 => merge(head, Some(6)),
        4 => merge(head, Some(7)),
        5 => merge(head, None),
        6 => merge(head, ours),
        7 => Ok(*random.pick(&[1, 2, CHECKED])),
        _ => merge(2, commits[head].tracked),
    }
}

/// How one commit stands to another.
fn relation(below: &[Below], one: usize, other: usize) -> Relation {
    if one == other {
        Relation::Same
    } else if below[one] == Below::Unknown {
        Relation::Missing
    } else if stands_on(below, one, other) {
        Relation::Descendant
    } else if stands_on(below, other, one) {
        Relation::Ancestor
    } else {
        Relation::Diverged
    }
}

fn stands_on(below: &[Below], mut upper: usize, lower: usize) -> bool {
    while let Below::Commit(next) = below[upper] {
        if next == lower {
            return true;
        }
        upper = next;
    }
    false
}

/// Names that begin alike, so that none is taken for another by its first digits.
fn names(random: &mut Random, digits: usize, count: usize) -> Vec<CommitId> {
    let start = random.below(1 << 32);
    let name = |at: usize| CommitId::new(&format!("{start:08x}{:0width$x}", at + 10, width = digits - 8));
    (0..count).filter_map(name).collect()
}
