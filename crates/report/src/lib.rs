//! Every text, table and page that a person or a script reads about a run.
//!
//! Pure: what happened in, text out.

mod json;
mod terminal;

pub use json::{
    AssignmentReport, ChangeKind, ChangeReport, HeldReport, ProblemReport, Report, SeverityReport,
    report_schema,
};
pub use terminal::{counted, problems, schedule};
