//! What a runner of GitHub Actions reads from a log: annotations, groups, masks.

use fleet::{Diagnostic, Severity};
use serde::Serialize;

use crate::terminal::{plain, visible};

/// GitHub keeps this many annotations of a kind for each step.
const ANNOTATIONS: usize = 10;

/// Problems as annotations, ten a kind at most: the last one says how many there are besides.
///
/// `file` names the path of a problem's file in the checked-out repository, if it stands there.
pub fn annotations<'a>(
    problems: impl IntoIterator<Item = &'a Diagnostic>,
    file: impl Fn(&Diagnostic) -> Option<String>,
) -> String {
    let (errors, warnings): (Vec<&Diagnostic>, Vec<_>) =
        problems.into_iter().partition(|problem| problem.is_error());
    [(Severity::Error, errors), (Severity::Warning, warnings)]
        .iter()
        .map(|(severity, problems)| of_kind(*severity, problems, &file))
        .collect()
}

fn of_kind(
    severity: Severity,
    problems: &[&Diagnostic],
    file: impl Fn(&Diagnostic) -> Option<String>,
) -> String {
    let (command, things) = match severity {
        Severity::Error => ("error", "errors"),
        Severity::Warning => ("warning", "warnings"),
    };
    let shown = if problems.len() > ANNOTATIONS { ANNOTATIONS - 1 } else { problems.len() };
    let mut text: String =
        problems[..shown].iter().map(|problem| annotation(command, problem, file(problem))).collect();
    if shown < problems.len() {
        let rest = problems.len() - shown;
        text += &format!(
            "::{command} title=kalypso::{rest} more {things}: the log and the job summary name them\n"
        );
    }
    text
}

fn annotation(command: &str, problem: &Diagnostic, file: Option<String>) -> String {
    let Diagnostic { location, message, help, .. } = problem;
    let mut said = plain(message);
    if let Some(help) = help {
        said += &format!("\nhelp: {}", plain(help));
    }
    // A name that would steer a terminal is shown, not used.
    let is_usable =
        |file: &String| file.chars().all(|character| character == '\n' || visible(character) == character);
    match (location, file.filter(is_usable)) {
        (Some(location), Some(file)) => {
            let (line, column) = (location.line, location.column);
            let file = property(&file);
            format!("::{command} file={file},line={line},col={column},title=kalypso::{}\n", data(&said))
        }
        (Some(location), None) => {
            let said = format!("{}: {said}", plain(&location.to_string()));
            format!("::{command} title=kalypso::{}\n", data(&said))
        }
        (None, _) => format!("::{command} title=kalypso::{}\n", data(&said)),
    }
}

/// A value as JSON for a log, where a runner takes `##[` for a command wherever it stands.
pub fn log_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    // Outside of its texts, JSON has no such character.
    let text = serde_json::to_string_pretty(value)?.replace("##[", "##\\u005b");
    Ok(text + "\n")
}

/// `text` below a heading that can be unfolded.
pub fn group(title: &str, text: &str) -> String {
    let lines: String = text.lines().map(|line| log_line(line) + "\n").collect();
    format!("::group::{}\n{lines}::endgroup::\n", data(&plain(title)))
}

/// Commands that keep `secret` out of the log; a secret of several lines is kept out line by line.
pub fn mask(secret: &str) -> String {
    let lines = secret.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("::add-mask::{}\n", data(line))).collect()
}

/// `text` as one line of a log that no runner takes for a command.
pub fn log_line(text: &str) -> String {
    let text = plain(text);
    // A runner looks for commands behind leading space, too.
    match text.trim_start().starts_with("::") {
        true => format!("\\{text}"),
        false => text,
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleet::{FileName, Location};

    fn at(prefix: &str, path: &str, problem: Diagnostic) -> Diagnostic {
        let file = FileName { prefix: prefix.into(), path: path.into() };
        problem.at(Location { file, line: 3, column: 5 })
    }

    fn in_control_plane(problem: &Diagnostic) -> Option<String> {
        let file = &problem.location.as_ref()?.file;
        file.prefix.is_empty().then(|| file.path.to_string())
    }

    #[test]
    fn annotated() {
        let cases = [
            (
                at("", "a.yaml", Diagnostic::error("100% wrong").help("do\nso")),
                "::error file=a.yaml,line=3,col=5,title=kalypso::100%25 wrong%0Ahelp: do so\n",
                "in the control plane",
            ),
            (
                at("app/", "a.yaml", Diagnostic::warning("odd")),
                "::warning title=kalypso::app/a.yaml:3:5: odd\n",
                "elsewhere",
            ),
            (Diagnostic::error("nothing"), "::error title=kalypso::nothing\n", "nowhere"),
            (
                at("", "\u{1b}[31m.yaml", Diagnostic::error("x")),
                "::error title=kalypso::\u{fffd}[31m.yaml:3:5: x\n",
                "a name that steers a terminal",
            ),
            (
                at("", "a,line=1::x%\n.yaml", Diagnostic::error("x\n::add-mask::y\r\u{1b}[31m")),
                "::error file=a%2Cline=1%3A%3Ax%25%0A.yaml,line=3,col=5,title=kalypso::x ::add-mask::y\u{fffd}\u{fffd}[31m\n",
                "hostile text stays on its line",
            ),
        ];
        for (problem, want, why) in cases {
            assert_eq!(annotations([&problem], in_control_plane), want, "{why}");
        }
    }

    #[test]
    fn ten_of_a_kind() {
        let mut problems = vec![Diagnostic::error("e"); 10];
        problems.extend(vec![Diagnostic::warning("w"); 12]);
        let text = annotations(&problems, in_control_plane);
        assert_eq!(text.matches("::error ").count(), 10, "ten fit");
        assert_eq!(text.matches("::warning ").count(), 10, "of twelve, nine and a count");
        assert!(text.ends_with("::3 more warnings: the log and the job summary name them\n"), "{text}");
    }

    #[test]
    fn lines_of_a_log() {
        let cases = [
            ("all is well", "all is well"),
            ("::error::x", "\\::error::x"),
            ("  ::error::x", "\\  ::error::x"),
            ("a ::error::x", "a ::error::x"),
            ("a ##[error]x", "a # #[error]x"),
            ("a\r::error::x\u{1b}[0m", "a\u{fffd}::error::x\u{fffd}[0m"),
            ("\u{a0}::error::x", "\\\u{a0}::error::x"),
        ];
        for (text, want) in cases {
            assert_eq!(log_line(text), want);
        }
        let json = log_json(&["a ##[error]x", "###[", "\\##["]).unwrap();
        assert!(!json.contains("##["), "{json}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), ["a ##[error]x", "###[", "\\##["]);
        assert_eq!(group("a\n::b", "x\n::y"), "::group::a ::b\nx\n\\::y\n::endgroup::\n");
        assert_eq!(mask("a%b\n\n  c \r\n"), "::add-mask::a%25b\n::add-mask::c\n");
        assert_eq!(mask(""), "", "an empty mask would hide everything");
    }
}
