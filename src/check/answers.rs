//! Answers to what the check asks about commits.

use fleet::tracking;
use rollout::{Answer, CommitId, Question, Relation};

use super::subject::{GitOps, oid};
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
}

impl Answers<'_> {
    /// Finds out.
    pub(crate) fn answer(&self, question: &Question) -> Result<Answer, Failure> {
        let Answers { github, gitops, control_plane, commit, promoted } = self;
        Ok(match question {
            Question::Lineage(of) => Answer::Lineage(of.clone(), relation(github, &gitops.repo, of, commit)?),
            Question::Tracked(at) => {
                let file = tracking::promoted_commit_file(&gitops.root);
                let bytes = github.file(&gitops.repo, &file, &oid(at)?)?;
                let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                Answer::Tracked(at.clone(), text.and_then(|text| CommitId::new(text.trim())))
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
