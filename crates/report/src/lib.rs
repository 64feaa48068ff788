//! Every text, table and page that a person or a script reads about a run.
//!
//! Pure: what happened in, text out. Text from repositories is quoted wherever it stands: it never becomes
//! Markdown, a mention, or a command to a runner.

mod actions;
mod cause;
mod changes;
mod difference;
mod document;
mod explain;
mod explain_json;
mod issue;
mod json;
mod markdown;
mod places;
mod pull_request;
mod section;
mod summary;
mod terminal;

pub use actions::{annotations, group, log_line, mask};
pub use cause::{Cause, Subject, causes};
pub use changes::{
    Alarm, Changes, ClusterTypeChange, FileChange, LineChange, Origin, Promotion, TargetChange, ValueChange,
    Written,
};
pub use document::{Document, MAX_DOCUMENT};
pub use explain::explanation;
pub use explain_json::{
    AnswerReport, ConditionReport, ElsewhereReport, ExplanationReport, FateReport, JudgementReport,
    LayerReport, NearReport, OnReport, PlaceReport, SubjectReport, TermReport, ValueReport,
};
pub use issue::{IssueDocument, issues, not_needed, overview, resolved};
pub use json::{
    AssignmentReport, ChangeKind, ChangeReport, GitOpsRepoReport, HeldReport, ProblemReport, Report,
    SeverityReport, report_schema,
};
pub use places::Places;
pub use pull_request::{Links, SourceLink, pull_request};
pub use summary::{BranchSummary, Link, Summary, ended_early, failure, summary};
pub use terminal::{counted, problems, schedule};
