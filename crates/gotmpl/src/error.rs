//! What is wrong with a template, and where.

use std::fmt;

/// Why a template could not be parsed or rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Line in the template's text, from 1
    pub line: u32,
    /// Column in characters, from 1
    pub column: u32,
    /// The name of the `define`d template that was running, if it was not the text itself
    pub template: Option<String>,
    /// What is wrong, in Go's words
    pub message: String,
    /// The part of the template that was being evaluated, as Go writes it: `.ConfigData.NS`
    pub context: Option<String>,
    /// What to do about it
    pub help: Option<String>,
}

impl Error {
    /// An error at the byte `offset` of `text`.
    pub(crate) fn at(text: &str, offset: usize, message: String) -> Error {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Error {
            line: count(before.bytes().filter(|byte| *byte == b'\n').count()),
            column: count(before[line_start..].chars().count()),
            template: None,
            message,
            context: None,
            help: None,
        }
    }

    pub(crate) fn with_help(self, help: Option<String>) -> Error {
        Error { help, ..self }
    }
}

fn count(before: usize) -> u32 {
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if let Some(template) = &self.template {
            write!(f, "in template {template:?}: ")?;
        }
        if let Some(context) = &self.context {
            write!(f, "at <{context}>: ")?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
