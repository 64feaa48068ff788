//! Answers to what the check asks about commits.

use rollout::{Answer, CommitId, Question, Relation};

use super::subject::{Contents, GitOps, lags};
use crate::exit::Failure;
use crate::world::github::{Error, Github, Repo};

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
    /// The commit that GitHub named last as the head of the branch
    pub(crate) head: Option<CommitId>,
}

impl Answers<'_> {
    /// Finds out.
    pub(crate) fn answer(&self, question: &Question) -> Result<Answer, Failure> {
        let Answers { github, gitops, control_plane, commit, promoted, head } = self;
        Ok(match question {
            Question::Lineage(of) => match relation(github, &gitops.repo, of, commit)? {
                Relation::Missing if head.as_ref() == Some(of) => return Err(lags(gitops, of)),
                relation => Answer::Lineage(of.clone(), relation),
            },
            // It is asked for a commit whose relation GitHub has told.
            Question::Tracked(at) => {
                Answer::Tracked(at.clone(), Contents::known(github, gitops, at)?.promoted)
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

/// How a commit stands to another one of the same repository.
pub(crate) fn relation(
    github: &Github,
    repo: &Repo,
    of: &CommitId,
    to: &CommitId,
) -> Result<Relation, Error> {
    if of == to { Ok(Relation::Same) } else { github.relation(repo, to.as_str(), of.as_str()) }
}
