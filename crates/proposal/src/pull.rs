//! The one pull request that brings a computed tree to a GitOps branch.

use crate::PROMOTED;
use crate::branch::{self, Commit, Head};
use crate::marker::{Address, Marker};
use crate::step::Step;

const KIND: &str = "pull-request";

/// What a GitOps branch must be brought to, and how that is said.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Whose pull request it is
    pub address: Address,
    /// The GitOps branch
    pub base: String,
    /// The commit at its head
    pub base_head: String,
    /// The name of the head's tree
    pub base_tree: String,
    /// The name of the tree that it must hold
    pub tree: String,
    /// The branch that the pull request should come from
    pub branch: String,
    /// What the pull request says
    pub text: Text,
    /// What it says if it has to come from another branch, since someone else's commit is on `branch`
    pub text_beside: Text,
    /// Whether the promoted commit changes
    pub promotes: bool,
    /// What a comment says when a pull request is closed because nothing differs any more
    pub obsolete: String,
}

/// What a pull request says.
#[derive(Clone, Debug)]
pub struct Text {
    /// Title, also that of the commit
    pub title: String,
    /// Body
    pub body: String,
    /// A fingerprint of both, without what differs from run to run
    pub digest: String,
}

/// What the repository shows.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    /// The branches that could be ours
    pub heads: Vec<Head>,
    /// The pull requests that came from these branches to the GitOps branch, the newest first
    pub pulls: Vec<Pull>,
}

/// A pull request as the repository shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// Its number
    pub number: u64,
    /// The page of it
    pub url: String,
    /// Title
    pub title: String,
    /// Body
    pub body: String,
    /// Whether it is open
    pub state: PullState,
    /// The branch that it comes from, if that is in the same repository
    pub branch: Option<String>,
    /// The commit that it brings
    pub head: String,
    /// Its labels
    pub labels: Vec<String>,
}

/// How far a pull request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullState {
    /// Under review
    Open,
    /// Closed without being merged
    Closed,
    /// Merged
    Merged,
}

/// What is to be done about the pull request, and what a person should know about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// What is to be done, in order
    pub steps: Vec<Step>,
    /// The open pull request that already brings this tree
    pub pull: Option<u64>,
    /// What is unusual
    pub notes: Vec<String>,
}

/// What has to be done so that one pull request brings `wanted`, and none if nothing differs.
pub fn pull_steps(wanted: &Wanted, repository: &Repository) -> Decision {
    let ours = || repository.pulls.iter().filter(|pull| is_ours(pull, &wanted.address));
    let open = || ours().filter(|pull| pull.state == PullState::Open);
    if wanted.tree == wanted.base_tree {
        let untouched = open().filter(|pull| !repository.has_foreign_commit(pull, &wanted.address));
        return Decision { steps: untouched.map(|pull| wanted.close(pull)).collect(), ..Decision::default() };
    }
    if let Some(declined) = ours().next().filter(|newest| wanted.was_declined(newest)) {
        let note = format!(
            "pull request #{} with the same content was closed by a person, so none is opened; reopen it to go on",
            declined.number
        );
        return Decision { notes: vec![note], ..Decision::default() };
    }
    let (branch, head) = wanted.choose_branch(repository);
    let mut decision = Decision::default();
    let mut text = &wanted.text;
    if branch != wanted.branch && repository.is_taken_by_people(&wanted.branch, &wanted.address) {
        text = &wanted.text_beside;
        decision.notes.push(format!(
            "the branch {} has a commit or pull request that kalypso did not make, so it is left alone and {branch} is used",
            wanted.branch
        ));
    }
    if !head.is_some_and(|commit| wanted.is_brought_by(commit)) {
        decision.steps.push(Step::Commit {
            branch: branch.clone(),
            before: head.map(|commit| commit.id.clone()),
            parent: wanted.base_head.clone(),
            message: branch::message(&text.title, &wanted.address, &wanted.tree),
        });
    }
    let others = open().filter(|pull| pull.branch.as_deref() != Some(&branch));
    let untouched = others.filter(|pull| !repository.has_foreign_commit(pull, &wanted.address));
    decision.steps.extend(untouched.map(|pull| wanted.close(pull)));
    match open().find(|pull| pull.branch.as_deref() == Some(&branch)) {
        Some(pull) => {
            decision.pull = Some(pull.number);
            decision.steps.extend(wanted.renew(pull, text));
        }
        None => decision.steps.push(Step::OpenPull {
            branch,
            base: wanted.base.clone(),
            title: text.title.clone(),
            body: wanted.marker(text).mark(&text.body),
            labels: wanted.promotes.then(|| PROMOTED.to_owned()).into_iter().collect(),
        }),
    }
    decision
}

impl Wanted {
    /// The first branch that is free or ours, and what is on it. One that already has an open pull request
    /// of ours comes before the others.
    fn choose_branch<'r>(&self, repository: &'r Repository) -> (String, Option<&'r Commit>) {
        let usable = |name: &String| match repository.head(name) {
            None => true,
            Some(_) if repository.has_foreign_pull(name, &self.address) => false,
            Some(commit) => branch::is_ours(commit, &self.address) || repository.was_merged(name, commit),
        };
        let has_pull = |name: &String| {
            let comes_from = |pull: &&Pull| pull.branch.as_ref() == Some(name);
            let open = |pull: &&Pull| pull.state == PullState::Open && is_ours(pull, &self.address);
            repository.head(name).is_some()
                && repository.pulls.iter().filter(comes_from).any(|pull| open(&pull))
        };
        let names = || branch::alternatives(&self.branch).take(repository.heads.len() + 1);
        let chosen = names().find(|name| usable(name) && has_pull(name)).or_else(|| names().find(usable));
        // One more name than there are branches: one of them is free.
        let name = chosen.unwrap_or_else(|| self.branch.clone());
        let head = repository.head(&name);
        (name, head)
    }

    fn is_brought_by(&self, commit: &Commit) -> bool {
        branch::is_ours(commit, &self.address)
            && commit.tree == self.tree
            && commit.parents == [self.base_head.as_str()]
    }

    fn marker(&self, text: &Text) -> Marker {
        let Address { environment, path } = &self.address;
        Marker::new(
            KIND,
            &[("environment", environment), ("path", path), ("tree", &self.tree), ("digest", &text.digest)],
        )
    }

    /// Whether a person closed a pull request that brought the same tree.
    fn was_declined(&self, pull: &Pull) -> bool {
        let marker = Marker::find(KIND, &pull.body);
        pull.state == PullState::Closed
            && marker.is_some_and(|marker| {
                marker.get("tree") == Some(&self.tree) && marker.get("closed-by") != Some("kalypso")
            })
    }

    fn renew(&self, pull: &Pull, text: &Text) -> Vec<Step> {
        let number = pull.number;
        let mut steps = Vec::new();
        let marker = self.marker(text);
        // What a person wrote into title or body stays until there is something new to say.
        if Marker::find(KIND, &pull.body).as_ref() != Some(&marker) {
            let (title, body) = (text.title.clone(), marker.mark(&text.body));
            steps.push(Step::UpdatePull { number, title, body });
        }
        let label = PROMOTED.to_owned();
        match (self.promotes, pull.labels.contains(&label)) {
            (true, false) => steps.push(Step::Label { number, label }),
            (false, true) => steps.push(Step::Unlabel { number, label }),
            _ => {}
        }
        steps
    }

    fn close(&self, pull: &Pull) -> Step {
        let Address { environment, path } = &self.address;
        let values = [("environment", &**environment), ("path", path)];
        let is_marker = |line: &&str| Marker::find(KIND, line).is_some();
        let without_marker = pull.body.lines().filter(|line| !is_marker(line)).collect::<Vec<_>>().join("\n");
        let closed = Marker::new(KIND, &[&values[..], &[("closed-by", "kalypso")]].concat());
        Step::ClosePull {
            number: pull.number,
            body: closed.mark(&without_marker),
            comment: Marker::new("obsolete", &values).mark(&self.obsolete),
        }
    }
}

impl Repository {
    fn head(&self, branch: &str) -> Option<&Commit> {
        self.heads.iter().find(|head| head.branch == branch).map(|head| &head.commit)
    }

    /// What was merged is kept by its pull request: the branch may be used again.
    fn was_merged(&self, branch: &str, commit: &Commit) -> bool {
        self.pulls.iter().any(|pull| {
            pull.state == PullState::Merged
                && pull.branch.as_deref() == Some(branch)
                && pull.head == commit.id
        })
    }

    /// Whether what is in the way on `branch` was made by people, not by runs for another address.
    fn is_taken_by_people(&self, branch: &str, address: &Address) -> bool {
        let is_theirs = |pull: &Pull| Marker::find(KIND, &pull.body).is_none();
        let open = |pull: &Pull| pull.state == PullState::Open && pull.branch.as_deref() == Some(branch);
        self.head(branch).is_some_and(|commit| !branch::is_kalypsos(commit))
            || self.has_foreign_pull(branch, address)
                && self.pulls.iter().any(|pull| open(pull) && is_theirs(pull))
    }

    /// Whether a pull request of someone else comes from `branch`: it would change with it, and leave no room for
    /// ours.
    fn has_foreign_pull(&self, branch: &str, address: &Address) -> bool {
        let comes_from = |pull: &&Pull| pull.branch.as_deref() == Some(branch);
        let open = |pull: &Pull| pull.state == PullState::Open;
        self.pulls.iter().filter(comes_from).any(|pull| open(pull) && !is_ours(pull, address))
    }

    fn has_foreign_commit(&self, pull: &Pull, address: &Address) -> bool {
        let head = pull.branch.as_deref().and_then(|branch| self.head(branch));
        head.is_some_and(|commit| !branch::is_ours(commit, address))
    }
}

fn is_ours(pull: &Pull, address: &Address) -> bool {
    pull.branch.is_some() && Marker::find(KIND, &pull.body).is_some_and(|marker| marker.is_of(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLE: &str = "Update manifests in dev: 1 target added";

    fn wanted(tree: &str) -> Wanted {
        Wanted {
            address: Address { environment: "dev".into(), path: ".".into() },
            base: "dev".into(),
            base_head: "head".into(),
            base_tree: "old".into(),
            tree: tree.into(),
            branch: "deployment/dev".into(),
            text: text("what changes", tree),
            text_beside: text("beside: what changes", tree),
            promotes: false,
            obsolete: "nothing differs any more".into(),
        }
    }

    fn text(body: &str, tree: &str) -> Text {
        Text { title: TITLE.into(), body: body.into(), digest: format!("digest-of-{tree}") }
    }

    /// Carries steps out, as GitHub would.
    fn carry_out(repository: &mut Repository, wanted: &Wanted, steps: &[Step]) {
        for step in steps {
            match step.clone() {
                Step::Commit { branch, before, parent, message } => {
                    assert_eq!(before.as_deref(), repository.head(&branch).map(|commit| &*commit.id));
                    let id = format!("{}-on-{parent}", wanted.tree);
                    let commit = Commit { id, tree: wanted.tree.clone(), parents: vec![parent], message };
                    repository.heads.retain(|head| head.branch != branch);
                    repository.heads.push(Head { branch, commit });
                }
                Step::OpenPull { branch, title, body, labels, .. } => {
                    let number = repository.pulls.len() as u64 + 1;
                    let head = repository.head(&branch).unwrap().id.clone();
                    let url = format!("pull/{number}");
                    let state = PullState::Open;
                    let pull = Pull { number, url, title, body, state, branch: Some(branch), head, labels };
                    repository.pulls.insert(0, pull);
                }
                Step::UpdatePull { number, title, body } => {
                    let pull = pull(repository, number);
                    (pull.title, pull.body) = (title, body);
                }
                Step::Label { number, label } => pull(repository, number).labels.push(label),
                Step::Unlabel { number, label } => pull(repository, number).labels.retain(|it| *it != label),
                Step::ClosePull { number, body, .. } => {
                    let pull = pull(repository, number);
                    (pull.state, pull.body) = (PullState::Closed, body);
                }
                other => panic!("{other}"),
            }
        }
    }

    fn pull(repository: &mut Repository, number: u64) -> &mut Pull {
        repository.pulls.iter_mut().find(|pull| pull.number == number).unwrap()
    }

    /// Decides and carries out; what is decided afterwards must be nothing.
    fn run(repository: &mut Repository, wanted: &Wanted) -> Vec<String> {
        let decision = pull_steps(wanted, repository);
        carry_out(repository, wanted, &decision.steps);
        assert_eq!(pull_steps(wanted, repository).steps, [], "a second run has nothing to do");
        decision.steps.iter().map(Step::to_string).collect()
    }

    fn push(repository: &mut Repository, branch: &str, id: &str) {
        let parent = repository.head(branch).map(|commit| commit.id.clone());
        repository.heads.retain(|head| head.branch != branch);
        let commit = Commit {
            id: id.into(),
            tree: format!("tree-of-{id}"),
            parents: parent.into_iter().collect(),
            message: "mine".into(),
        };
        repository.heads.push(Head { branch: branch.into(), commit });
    }

    #[test]
    fn opened_updated_rebuilt_closed() {
        let mut repository = Repository::default();
        assert!(run(&mut repository, &wanted("old")).is_empty(), "nothing differs");
        let created = "create branch deployment/dev with one commit on top of head";
        let opened = format!("open a pull request from deployment/dev to dev: {TITLE}");
        assert_eq!(run(&mut repository, &wanted("a")), [created, &*opened]);

        let updated = format!("update pull request #1: {TITLE}");
        let moved = "move branch deployment/dev from a-on-he to one commit on top of head";
        assert_eq!(run(&mut repository, &wanted("b")), [moved, &*updated], "another tree");

        let moved_on = Wanted { base_head: "later".into(), ..wanted("b") };
        let moved = "move branch deployment/dev from b-on-he to one commit on top of later";
        assert_eq!(run(&mut repository, &moved_on), [moved], "the GitOps branch moved on");

        let promoting = Wanted { promotes: true, ..moved_on.clone() };
        assert_eq!(run(&mut repository, &promoting), ["label pull request #1: promoted"]);
        assert_eq!(run(&mut repository, &moved_on), ["take the label promoted from pull request #1"]);

        assert_eq!(run(&mut repository, &wanted("old")), ["close pull request #1"], "no longer needed");
        assert_eq!(
            run(&mut repository, &wanted("b")).len(),
            2,
            "closed by us: opened again when it is needed"
        );
    }

    #[test]
    fn what_a_person_closed_stays_closed() {
        let mut repository = Repository::default();
        run(&mut repository, &wanted("a"));
        pull(&mut repository, 1).state = PullState::Closed;
        let decision = pull_steps(&wanted("a"), &repository);
        assert_eq!((decision.steps.len(), decision.notes.len()), (0, 1));
        assert_eq!(run(&mut repository, &wanted("b")).len(), 2, "something else is proposed anew");
    }

    #[test]
    fn what_others_made_is_left_alone() {
        let mut repository = Repository::default();
        run(&mut repository, &wanted("a"));
        push(&mut repository, "deployment/dev", "mine");
        let steps = run(&mut repository, &wanted("a"));
        assert_eq!(steps[0], "create branch deployment/dev.2 with one commit on top of head");
        assert!(pull(&mut repository, 2).body.starts_with("beside: "));
        assert_eq!(repository.head("deployment/dev").unwrap().id, "mine");
        assert_eq!(
            run(&mut repository, &wanted("old")),
            ["close pull request #2"],
            "the other has their commit"
        );

        let mut repository = Repository::default();
        push(&mut repository, "deployment/dev", "mine");
        let theirs = Pull {
            number: 1,
            url: "pull/1".into(),
            title: "Mine".into(),
            body: "my words".into(),
            state: PullState::Open,
            branch: Some("deployment/dev".into()),
            head: "mine".into(),
            labels: Vec::new(),
        };
        repository.pulls.push(theirs.clone());
        assert_eq!(run(&mut repository, &wanted("a")).len(), 2);
        assert_eq!(*pull(&mut repository, 1), theirs);
        assert_eq!(run(&mut repository, &wanted("old")), ["close pull request #2"]);
        assert_eq!(*pull(&mut repository, 1), theirs);

        let mut repository = Repository::default();
        run(&mut repository, &wanted("a"));
        let rewritten = pull(&mut repository, 1);
        rewritten.body = "my words".into();
        let rewritten = rewritten.clone();
        let steps = run(&mut repository, &wanted("b"));
        assert_eq!(steps[0], "create branch deployment/dev.2 with one commit on top of head");
        assert_eq!(*pull(&mut repository, 1), rewritten, "nothing says any more that it is ours");
    }

    #[test]
    fn a_merged_branch_is_used_again() {
        let mut repository = Repository::default();
        run(&mut repository, &wanted("a"));
        push(&mut repository, "deployment/dev", "mine");
        let merged = pull(&mut repository, 1);
        (merged.state, merged.head) = (PullState::Merged, "mine".into());
        let steps = run(&mut repository, &wanted("b"));
        assert_eq!(steps[0], "move branch deployment/dev from mine to one commit on top of head");
    }

    #[test]
    fn one_pull_request_is_enough() {
        let mut repository = Repository::default();
        run(&mut repository, &wanted("a"));
        let renamed = Wanted { branch: "deployment/dev-edge".into(), ..wanted("a") };
        let steps = run(&mut repository, &renamed);
        assert_eq!(steps[1..2], ["close pull request #1"], "it came from another branch: {steps:?}");
        assert_eq!(pull(&mut repository, 2).state, PullState::Open);
    }

    #[test]
    fn another_environments_is_not_ours() {
        let mut repository = Repository::default();
        run(&mut repository, &wanted("a"));
        let stage = Address { environment: "stage".into(), ..wanted("a").address };
        let steps = run(&mut repository, &Wanted { address: stage.clone(), ..wanted("b") });
        assert_eq!(steps[0], "create branch deployment/dev.2 with one commit on top of head");
        assert_eq!(
            run(&mut repository, &Wanted { address: stage, ..wanted("old") }),
            ["close pull request #2"]
        );
    }
}
