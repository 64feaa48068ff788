//! Every text, table and page that a person or a script reads about a run.
//!
//! Pure: what happened in, text out.

mod explain;
mod explain_json;
mod json;
mod terminal;

pub use explain::explanation;
pub use explain_json::{
    AnswerReport, ConditionReport, ElsewhereReport, ExplanationReport, FateReport, JudgementReport,
    LayerReport, NearReport, OnReport, PlaceReport, SubjectReport, TermReport, ValueReport,
};
pub use json::{
    AssignmentReport, ChangeKind, ChangeReport, HeldReport, ProblemReport, Report, SeverityReport,
    report_schema,
};
pub use terminal::{counted, problems, schedule};
