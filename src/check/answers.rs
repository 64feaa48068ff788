//! Answers to what the check asks about commits.

use std::collections::BTreeMap;
use std::time::Duration;

use rollout::{Answer, CommitId, Question, Relation, Time};

use super::subject::{Contents, GitOps, lags};
use crate::exit::Failure;
use crate::world::github::{Error, Github, Repo};

/// What is missing is asked for again after this time.
const MISSING: Duration = Duration::from_secs(5 * 60);

/// Where answers are found.
pub(crate) struct Answers<'a> {
    pub(crate) github: &'a Github,
    pub(crate) gitops: &'a GitOps,
    /// The repository of promoted commits
    pub(crate) control_plane: &'a Repo,
    /// The GitOps commit that is checked
    pub(crate) commit: &'a CommitId,
    /// The commit that it carries
    pub(crate) promoted: Option<&'a CommitId>,
    /// What is known besides
    pub(crate) memory: Memory,
}

/// What was found out that a later look may correct.
#[derive(Default)]
pub(crate) struct Memory {
    /// The commit that GitHub named last as the head of the branch
    head: Option<CommitId>,
    /// Commits of the GitOps repository that were not found, and when
    missing: BTreeMap<CommitId, Time>,
}

impl Answers<'_> {
    /// Takes in what the head of the branch is; tells what must be asked for again.
    pub(crate) fn seen(&mut self, head: &CommitId, now: Time) -> Vec<Question> {
        self.memory.seen(head, now).into_iter().map(Question::Lineage).collect()
    }

    /// Finds out.
    pub(crate) fn answer(&mut self, question: &Question, now: Time) -> Result<Answer, Failure> {
        let Answers { github, gitops, control_plane, commit, promoted, memory } = self;
        Ok(match question {
            Question::Lineage(of) => {
                let relation = relation(github, &gitops.repo, of, commit)?;
                if relation == Relation::Missing && memory.head.as_ref() == Some(of) {
                    return Err(lags(gitops, of));
                }
                memory.note(of, relation, now);
                Answer::Lineage(of.clone(), relation)
            }
            // It is asked for a commit whose relation GitHub has told.
            Question::Tracked(at) => {
                let contents = Contents::at(github, gitops, at)?.ok_or_else(|| lags(gitops, at))?;
                Answer::Tracked(at.clone(), contents.promoted)
            }
            Question::Promoted(of) => {
                let relation = match promoted {
                    Some(promoted) => relation(github, control_plane, of, promoted)?,
                    None => Relation::Missing,
                };
                Answer::Promoted(of.clone(), relation)
            }
        })
    }
}

impl Memory {
    /// A commit that GitHub has named itself is there, and one that only a cluster has named may be by now.
    fn seen(&mut self, head: &CommitId, now: Time) -> Vec<CommitId> {
        self.head = Some(head.clone());
        let is_due = |(commit, at): &(&CommitId, &Time)| *commit == head || now >= **at + MISSING;
        self.missing.iter().filter(is_due).map(|(commit, _)| commit.clone()).collect()
    }

    fn note(&mut self, of: &CommitId, relation: Relation, now: Time) {
        match relation {
            Relation::Missing => drop(self.missing.insert(of.clone(), now)),
            _ => drop(self.missing.remove(of)),
        }
    }
}

/// How a commit stands to another one of the same repository.
pub(crate) fn relation(
    github: &Github,
    repo: &Repo,
    of: &CommitId,
    to: &CommitId,
) -> Result<Relation, Error> {
    if of == to { Ok(Relation::Same) } else { github.relation(repo, to.as_str(), of.as_str()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_asked_for_again() {
        let commit = |digit: char| CommitId::new(&digit.to_string().repeat(40)).unwrap();
        let [head, other, missing] = ['a', 'b', 'c'].map(commit);
        let mut memory = Memory::default();
        memory.note(&missing, Relation::Missing, Time(1_000));
        memory.note(&other, Relation::Diverged, Time(1_000));
        let cases = [
            (1_015, &head, vec![], "not at once"),
            (1_030, &missing, vec![missing.clone()], "GitHub names it now"),
            (1_045, &head, vec![], "it does not any more"),
            (1_300, &head, vec![missing.clone()], "after five minutes"),
        ];
        for (now, head, want, why) in cases {
            assert_eq!(memory.seen(head, Time(now)), want, "{why}");
        }
        memory.note(&missing, Relation::Missing, Time(1_300));
        assert_eq!(memory.seen(&head, Time(1_599)), [], "and after as many more");
        memory.note(&missing, Relation::Descendant, Time(1_600));
        assert_eq!(memory.seen(&head, Time(2_000)), [], "it is there");
    }
}
