//! What is wrong, where, and what to do about it.

use std::fmt;
use std::sync::Arc;

use goyaml::Mark;

/// A file of a source, as people are shown it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName {
    /// What stands before the path: nothing for the control plane's own files, else where they come from
    pub prefix: Arc<str>,
    /// The path inside the source
    pub path: Arc<str>,
}

impl FileName {
    /// A file of the tree that is computed.
    pub(crate) fn in_tree(path: &str) -> FileName {
        FileName { prefix: "".into(), path: path.into() }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.prefix, self.path)
    }
}

/// A place in a file; lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file
    pub file: FileName,
    /// Line, from 1
    pub line: u32,
    /// Column in characters, from 1
    pub column: u32,
}

impl Location {
    /// The place of `mark` in `file`.
    pub fn new(file: &FileName, mark: Mark) -> Location {
        Location { file: file.clone(), line: mark.line, column: mark.column }
    }

    /// The beginning of `file`.
    pub fn start_of(file: &FileName) -> Location {
        Location { file: file.clone(), line: 1, column: 1 }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something cannot be done as it is written
    Error,
    /// It works, but hardly as it was meant
    Warning,
}

/// One problem: where, what, and the next move.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Diagnostic {
    /// Where; nothing if it is no file's fault
    pub location: Option<Location>,
    /// How bad
    pub severity: Severity,
    /// What is wrong: lower case, one sentence, no final stop
    pub message: String,
    /// What to do next
    pub help: Option<String>,
    /// Another place that message or help names
    pub related: Option<Box<Location>>,
}

impl Diagnostic {
    /// Something that cannot be done as it is written.
    pub fn error(message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            location: None,
            severity: Severity::Error,
            message: message.into(),
            help: None,
            related: None,
        }
    }

    /// Something that works, but hardly as it was meant.
    pub fn warning(message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(message) }
    }

    /// With its place.
    pub fn at(self, location: Location) -> Diagnostic {
        Diagnostic { location: Some(location), ..self }
    }

    /// With the next move.
    pub fn help(self, help: impl Into<String>) -> Diagnostic {
        Diagnostic { help: Some(help.into()), ..self }
    }

    /// With another place, which message or help name.
    pub fn related(self, location: &Location) -> Diagnostic {
        Diagnostic { related: Some(Box::new(location.clone())), ..self }
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// `path:line:column: severity: message`, and the help on a line of its own.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(f, "{location}: ")?;
        }
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// `did you mean X?` for the known name nearest to `name`, if one is near enough.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|nearest| format!("did you mean `{nearest}`?"))
}

/// The one of `known` that `name` becomes by one letter more, less or another, by two that change places, or by case.
///
/// For names that may be right as they are, where [`nearest`] would take too much for a slip.
pub(crate) fn slip_of<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const SHORTEST: usize = 4;
    let folded = name.to_lowercase();
    let is_slip = |candidate: &&str| {
        *candidate != name
            && candidate.len().abs_diff(name.len()) <= 4
            && strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()) <= 1
    };
    known.into_iter().filter(|_| name.len() >= SHORTEST).find(is_slip)
}

/// The known name nearest to `name`, if it is near enough to be a slip of the keyboard.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return None;
    }
    let folded = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `a, b, c and 4 more`: a list that stays readable.
pub(crate) fn some_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 8;
    let names: Vec<&str> = names.into_iter().collect();
    match names.len().checked_sub(SHOWN) {
        Some(rest) if rest > 0 => format!("{} and {rest} more", names[..SHOWN].join(", ")),
        _ => names.join(", "),
    }
}
