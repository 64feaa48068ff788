//! Every text, table and page that a person or a script reads about a run.
//!
//! Pure: what happened in, text out. Text from repositories is quoted wherever it stands: it never becomes
//! Markdown, a mention, or a command to a runner.

mod actions;
mod cause;
mod chain;
mod changes;
mod check;
mod check_log;
mod check_summary;
mod commit_status;
mod difference;
mod document;
mod explain;
mod explain_json;
mod fleet_json;
mod fleet_status;
mod fleet_text;
mod illustrated;
mod issue;
mod json;
mod markdown;
mod places;
mod promotion;
mod pull_request;
mod section;
mod standing;
mod summary;
mod terminal;

pub use actions::{annotations, group, log_json, log_line, mask};
pub use cause::{Cause, Subject, causes};
pub use chain::{Chain, ChainLink, ChainState};
pub use changes::{
    Alarm, Changes, ClusterTypeChange, FileChange, LineChange, Origin, Promotion, TargetChange, ValueChange,
    Written,
};
pub use check::{
    CheckLinks, CheckSummary, Diagnosis, Followed, HandOver, Held, HeldMeans, HeldTarget, MissingSight,
    check_problems, slow_fleet,
};
pub use check_log::CheckLog;
pub use check_summary::{check_summary, fleet_summary};
pub use commit_status::{PrecedingCheck, StatusText, rollout_status};
pub use document::{Document, MAX_DOCUMENT};
pub use explain::explanation;
pub use explain_json::{
    AnswerReport, ConditionReport, ElsewhereReport, ExplanationReport, FateReport, JudgementReport,
    LayerReport, NearReport, OnReport, PlaceReport, SubjectReport, TermReport, ValueReport,
};
pub use fleet_json::{
    ClusterTypeStatus, ConfigurationReport, CountsReport, FleetReport, KustomizationReport, StateReport,
    fleet_schema,
};
pub use fleet_status::FleetStatus;
pub use fleet_text::fleet_status;
pub use illustrated::{Colours, illustrated};
pub use issue::{IssueDocument, issues, not_needed, overview, resolved};
pub use json::{
    AssignmentReport, ChangeKind, ChangeReport, GitOpsRepoReport, HeldReport, ProblemReport, Report,
    SeverityReport, report_schema,
};
pub use places::Places;
pub use promotion::{
    PromoteEnding, PromoteNote, PromoteSummary, ScheduleStart, promote_log, promote_problems, promote_summary,
};
pub use pull_request::{Links, SourceLink, pull_request};
pub use summary::{BranchSummary, Link, Summary, ended_early, failure, summary};
pub use terminal::{counted, problems, schedule};
