//! Problems with the lines that they are about, for a person at a terminal.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use fleet::{Diagnostic, Location, Severity, Texts};

use crate::terminal::{plain, visible};

/// Characters of a line that are looked at behind the place: what is beyond is not shown.
const SHOWN: usize = 400;

/// Whether a terminal shows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// It does
    Shown,
    /// It does not, or its owner wants none
    None,
}

/// Problems as a compiler shows them: what is wrong, the line with a mark below, the next move.
///
/// A line is shown as it was read, if `texts` has its file.
pub fn illustrated<'a>(
    problems: impl IntoIterator<Item = &'a Diagnostic>,
    texts: &Texts,
    colours: Colours,
) -> String {
    let renderer = match colours {
        Colours::Shown => Renderer::styled(),
        Colours::None => Renderer::plain(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    problems.into_iter().map(|problem| illustration(problem, texts, &renderer) + "\n\n").collect()
}

fn illustration(problem: &Diagnostic, texts: &Texts, renderer: &Renderer) -> String {
    let Diagnostic { location, severity, message, help, related } = problem;
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut elements: Vec<Element<'_>> = Vec::new();
    let places =
        [(location.as_ref(), AnnotationKind::Primary), (related.as_deref(), AnnotationKind::Context)];
    for (place, kind) in places {
        let Some(place) = place else { continue };
        let text = texts.get(&place.file);
        let shown = text.and_then(|text| snippet(text, place, kind)).unwrap_or_else(|| origin(place));
        elements.push(shown);
    }
    elements.extend(help.iter().map(|help| Level::HELP.message(plain(help)).into()));
    renderer.render(&[level.primary_title(plain(message)).elements(elements)])
}

fn origin<'s>(place: &Location) -> Element<'s> {
    let path = plain(&place.file.to_string());
    Origin::path(path).line(place.line as usize).char_column(place.column as usize).into()
}

/// The line of `place`, with a mark below what begins there.
fn snippet<'s>(text: &[u8], place: &Location, kind: AnnotationKind) -> Option<Element<'s>> {
    let index = place.line.checked_sub(1)? as usize;
    let line = text.split(|byte| *byte == b'\n').nth(index)?;
    let line = String::from_utf8_lossy(line);
    let line = line.trim_end_matches('\r');
    let line = if index == 0 { line.trim_start_matches('\u{feff}') } else { line };
    let column = place.column.saturating_sub(1) as usize;
    // A login ends where it ends, also beyond what is shown.
    let shown: String = without_logins(line).chars().take(column + SHOWN).map(harmless).collect();
    // A runner takes this for a command wherever it stands.
    let shown = shown.replace("##[", "#\u{fffd}[");
    let start = shown.char_indices().nth(column).map_or(shown.len(), |(offset, _)| offset);
    let end = start + token(&shown[start..]);
    let path = plain(&place.file.to_string());
    let snippet = Snippet::source(shown).path(path).line_start(place.line as usize);
    Some(snippet.annotation(kind.span(start..end)).into())
}

fn harmless(character: char) -> char {
    if character == '\t' { character } else { visible(character) }
}

/// A line with stars for the names and passwords of its addresses.
fn without_logins(line: &str) -> String {
    let mut parts = line.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_end = |c: char| c == '/' || c.is_whitespace() || matches!(c, '"' | '\'');
        let host = part.find(is_end).unwrap_or(part.len());
        let login = part[..host].rfind('@').unwrap_or(0);
        shown += "://";
        shown.extend(part[..login].chars().map(|_| '*'));
        shown += &part[login..];
    }
    shown
}

/// How many bytes belong to what begins here: a quoted text, a word, an address; else one character.
fn token(text: &str) -> usize {
    let Some(first) = text.chars().next() else { return 0 };
    if matches!(first, '"' | '\'')
        && let Some(end) = text[1..].find(first)
    {
        return end + 2;
    }
    let is_end = |(offset, character): &(usize, char)| match character {
        ':' => text[offset + 1..].chars().next().is_none_or(char::is_whitespace),
        ',' | '{' | '}' | '[' | ']' | '(' | ')' | '"' | '\'' | '|' => true,
        character => character.is_whitespace(),
    };
    let end = text.char_indices().find(is_end).map_or(text.len(), |(offset, _)| offset);
    end.max(first.len_utf8())
}

#[cfg(test)]
mod tests {
    use fleet::FileName;

    use super::*;

    fn shown(text: &str, line: u32, column: u32, problem: Diagnostic) -> String {
        let file = FileName { prefix: "".into(), path: "a.yaml".into() };
        let texts = Texts::from([(file.clone(), text.as_bytes().into())]);
        let problem = problem.at(Location { file, line, column });
        illustrated([&problem], &texts, Colours::None)
    }

    #[test]
    fn tokens() {
        let cases = [
            ("name: x", 4, "a key"),
            ("https://x/y z", 11, "an address"),
            ("\"a b\": 1", 5, "a text in quotes"),
            ("\"a", 1, "quotes that do not end"),
            ("{{ .A }}", 1, "a brace"),
            ("", 0, "the end of a line"),
            ("é: 1", 2, "bytes"),
            (" x", 1, "a space"),
        ];
        for (text, want, why) in cases {
            assert_eq!(token(text), want, "{why}");
        }
    }

    #[test]
    fn pictures() {
        let problem = || Diagnostic::error("wrong").help("do so");
        let long = format!("{}x{}", "é ".repeat(5000), " ü".repeat(5000));
        let cases = [
            ("a: 1\n  size: 3\n", 2, 9, "a value"),
            ("\tsize: 3\n", 1, 2, "a tab takes four columns"),
            ("日本: \"語\" # x\n", 1, 5, "wide characters take two"),
            ("a: [\n", 2, 1, "behind the last line"),
            ("a: [\n", 1, 5, "at the end of a line"),
            ("a: \u{1b}[31m\u{202e}b ##[x]\r\n", 1, 1, "what would steer a terminal or a runner"),
            ("repo: https://me:s3cret@github.com/o/r # ok://x\n", 1, 7, "an address with a password"),
            (&long, 1, 10_001, "a long line"),
            ("a: 1\n", 9, 9, "a line that is not there"),
        ];
        let all: String = cases
            .iter()
            .map(|(text, line, column, why)| format!("## {why}\n{}", shown(text, *line, *column, problem())))
            .collect();
        assert_eq!(all, include_str!("illustrated.txt"), "{all}");
    }
}
