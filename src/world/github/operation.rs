//! Every operation that is used: what it is called, what it needs, and how it may be repeated.

/// An operation of GitHub's API.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// What it does, as in "cannot …"
    pub(crate) name: &'static str,
    /// The permission that the token needs, in GitHub's words
    pub(crate) permission: &'static str,
    /// Whether it changes something
    pub(crate) effect: Effect,
}

/// Whether an operation changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It does not: it is repeated at will
    Read,
    /// It does
    Write(Repeat),
}

/// What may be done when it is unclear whether a write took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Twice is the same as once: it is repeated at will
    Freely,
    /// Twice would make two: the caller looks first whether it is there
    AfterLookup,
}

impl Operation {
    const fn read(name: &'static str, permission: &'static str) -> Operation {
        Operation { name, permission, effect: Effect::Read }
    }

    const fn write(name: &'static str, permission: &'static str, repeat: Repeat) -> Operation {
        Operation { name, permission, effect: Effect::Write(repeat) }
    }

    /// Whether the App itself asks, not one of its tokens.
    pub(super) fn is_of_app(&self) -> bool {
        [FIND_INSTALLATION.name, MINT_TOKEN.name].contains(&self.name)
    }
}

pub(super) const FIND_INSTALLATION: Operation =
    Operation::read("find the installation of the GitHub App", "metadata: read");
// Nobody sees a token that is not used: it counts as no write.
pub(super) const MINT_TOKEN: Operation = Operation::read("make a token of the GitHub App", "metadata: read");
pub(super) const GET_REPOSITORY: Operation = Operation::read("read the settings", "metadata: read");
pub(super) const LIST_REFS: Operation = Operation::read("list branches", "contents: read");
pub(super) const GET_COMMIT: Operation = Operation::read("read a commit", "contents: read");
pub(super) const GET_TREE: Operation = Operation::read("look for a tree", "contents: read");
pub(super) const GET_BLOB: Operation = Operation::read("read a file", "contents: read");
pub(super) const CREATE_BLOB: Operation =
    Operation::write("upload a file", "contents: write", Repeat::Freely);
pub(super) const CREATE_TREE: Operation = Operation::write("upload files", "contents: write", Repeat::Freely);
// A second one differs in its time, if at all: nothing points to either until a ref is moved.
pub(super) const CREATE_COMMIT: Operation =
    Operation::write("create a commit", "contents: write", Repeat::Freely);
// Compare-and-set: what was done already is found out afterwards.
pub(super) const UPDATE_REFS: Operation =
    Operation::write("move branches", "contents: write", Repeat::Freely);
pub(super) const LIST_PULLS: Operation = Operation::read("list pull requests", "pull requests: read");
pub(super) const CREATE_PULL: Operation =
    Operation::write("create a pull request", "pull requests: write", Repeat::AfterLookup);
pub(super) const UPDATE_PULL: Operation =
    Operation::write("update a pull request", "pull requests: write", Repeat::Freely);
pub(super) const LIST_ISSUES: Operation = Operation::read("list issues", "issues: read");
pub(super) const CREATE_ISSUE: Operation =
    Operation::write("create an issue", "issues: write", Repeat::AfterLookup);
pub(super) const UPDATE_ISSUE: Operation =
    Operation::write("update an issue", "issues: write", Repeat::Freely);
// Both permissions reach the comments and labels of pull requests; those of issues need `issues`.
pub(super) const LIST_COMMENTS: Operation = Operation::read("list comments", "issues: read");
pub(super) const CREATE_COMMENT: Operation =
    Operation::write("comment", "issues: write", Repeat::AfterLookup);
pub(super) const ADD_LABELS: Operation = Operation::write("add labels", "issues: write", Repeat::Freely);
pub(super) const REMOVE_LABEL: Operation =
    Operation::write("remove a label", "issues: write", Repeat::Freely);
// A query changes nothing, though it is sent as if it did.
pub(super) const GET_TRACKING: Operation = Operation::read("read what a commit tracks", "contents: read");
pub(super) const FIND_LANDING: Operation =
    Operation::read("find the commit that changed a file", "contents: read");
pub(super) const COMPARE: Operation = Operation::read("compare commits", "contents: read");
pub(super) const GET_BRANCH: Operation = Operation::read("read a branch", "contents: read");
pub(super) const LIST_RULES: Operation = Operation::read("read the rules of a branch", "metadata: read");
pub(super) const READ_HISTORY: Operation =
    Operation::read("read the latest commits", "contents: read, commit statuses: read");
pub(super) const LIST_STATUSES: Operation =
    Operation::read("list the statuses of a commit", "commit statuses: read");
// Only the newest one of a context counts.
pub(super) const CREATE_STATUS: Operation =
    Operation::write("set the status of a commit", "commit statuses: write", Repeat::Freely);
// What is started twice finds at its second time that nothing is left to do.
pub(super) const DISPATCH: Operation = Operation::write("start a workflow", "actions: write", Repeat::Freely);
pub(super) const GET_RUN: Operation = Operation::read("read a workflow run", "actions: read");
