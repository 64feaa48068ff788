//! Why a file is no YAML, said where the mistake is rather than where the reader gave up.

use goyaml::{Mark, ParseError};

use crate::diagnostic::{Diagnostic, FileName, Location, did_you_mean};

/// What is wrong with `text`, which `error` says is no YAML.
pub(crate) fn syntax_error(file: &FileName, text: &str, error: &ParseError) -> Diagnostic {
    let (place, help) = mistake(text, error);
    Diagnostic::error(format!("not YAML: {}", error.message)).help(help).at(Location::new(file, place))
}

/// Where the mistake is that `error` tells of, and what to do about it.
pub(crate) fn mistake(text: &str, error: &ParseError) -> (Mark, String) {
    match &*error.message {
        _ if is_conflict(text, error.at) => (error.at, "resolve the merge conflict".to_owned()),
        "mapping values are not allowed in this context" => second_value(text, error.at),
        message => (error.at, help(text, message, error.at)),
    }
}

fn is_conflict(text: &str, at: Mark) -> bool {
    let is_mark = |line: &str| ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark));
    is_mark(line(text, at.line)) || text.lines().any(|line| line.starts_with("<<<<<<< "))
}

/// A `: ` where there is a value already: that value is what is written wrongly.
fn second_value(text: &str, colon: Mark) -> (Mark, String) {
    let of_line = |number, line: &str| Mark { line: number, column: 1 + indent(line), offset: colon.offset };
    let here = line(text, colon.line);
    if let Some(quote) = here.chars().position(|character| CURLY.contains(&character)) {
        return (Mark { column: quote as u32 + 1, ..colon }, CURLY_HELP.to_owned());
    }
    let before: String = here.chars().take(colon.column.saturating_sub(1) as usize).collect();
    if let Some(first) = before.find(": ") {
        let value = first + 1 + (before.len() - first - 1 - before[first + 1..].trim_start().len());
        let column = 1 + before[..value].chars().count() as u32;
        let help = "quote the value: it holds a colon and a space";
        return (Mark { column, ..colon }, help.to_owned());
    }
    let is_content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let previous = (1..colon.line).rev().map(|number| (number, line(text, number)));
    let Some((number, above)) = previous.take(1000).find(|(_, line)| is_content(line)) else {
        return (colon, help(text, "", colon));
    };
    let content = above.trim_start();
    if above.contains(HARD_SPACE) {
        return (Mark { column: 1, ..of_line(number, above) }, HARD_SPACE_HELP.to_owned());
    }
    if content.starts_with('-') && !content.starts_with("- ") {
        return (of_line(number, above), "put a space behind the dash".to_owned());
    }
    if content.contains(':') && !content.contains(": ") && !content.ends_with(':') {
        return (of_line(number, above), "put a space behind the colon".to_owned());
    }
    if !content.contains(':') && indent(above) == indent(here) {
        let word = content.split_whitespace().next().unwrap_or_default();
        return (of_line(number, above), format!("put a colon behind `{word}`"));
    }
    let help = "indent this line like the one before it, which has its value already";
    (of_line(colon.line, here), help.to_owned())
}

const CURLY: [char; 4] = ['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];
const CURLY_HELP: &str = "replace the curly quotes by straight ones";
const HARD_SPACE: char = '\u{a0}';
const HARD_SPACE_HELP: &str = "replace the non-breaking spaces of this line by ordinary ones";

fn help(text: &str, message: &str, at: Mark) -> String {
    let line = line(text, at.line);
    let begin = line.trim_start_matches(' ');
    let at_mark = line.chars().nth(at.column.saturating_sub(1) as usize);
    let quoted = |text: &str| text.split('\'').nth(1).unwrap_or_default().to_owned();
    match message {
        _ if message.contains("levels") => "write it flatter".to_owned(),
        _ if message.contains("nodes") => "write it without so many aliases, or split the file".to_owned(),
        _ if begin.starts_with('\t') => "YAML is indented with spaces, never with tabs".to_owned(),
        _ if line.contains(HARD_SPACE) => HARD_SPACE_HELP.to_owned(),
        _ if line.contains(CURLY) => CURLY_HELP.to_owned(),
        "could not find expected ':'" if begin.starts_with("//") => "a comment begins with `#`".to_owned(),
        "could not find expected ':'" if is_word(begin) => format!("put a colon behind `{}`", begin.trim()),
        "this quoted scalar does not end" => "close the quote that begins here".to_owned(),
        "found character that cannot start any token" => match at_mark {
            Some(character) => format!("quote it: text cannot begin with `{character}`"),
            None => "quote it".to_owned(),
        },
        _ if message.starts_with("unknown anchor") => {
            let anchors = text.split('&').skip(1);
            let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
            let names = anchors.map(|rest| rest.split(|c| !is_part(c)).next().unwrap_or_default());
            let name = quoted(message);
            did_you_mean(&name, names).unwrap_or_else(|| format!("define it before, with `&{name}`"))
        }
        _ => "check the indentation and the quotes of this line and the one before it".to_owned(),
    }
}

fn is_word(text: &str) -> bool {
    let text = text.trim_end();
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn line(text: &str, number: u32) -> &str {
    text.lines().nth(number.saturating_sub(1) as usize).unwrap_or_default()
}

fn indent(line: &str) -> u32 {
    line.chars().take_while(|character| character.is_whitespace()).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let cases = [
            ("a:\n  b: c\n   d: e\n", "3:4", "indent this line", "one space too many"),
            ("a:\n  b:c\n  d: e\n", "2:3", "behind the colon", "no space after a colon"),
            ("a:\n  -b: c\n    d: e\n", "2:3", "behind the dash", "no space after a dash"),
            ("a: b: c\n", "1:4", "quote the value", "a colon inside of a value"),
            ("é:   ü: c\n", "1:6", "quote the value", "columns are characters"),
            ("a:\n\u{a0} b: c\n  d: e\n", "2:1", "non-breaking", "a hard space that indents"),
            ("a:\n  b: c\n\n   d: e\n", "4:4", "indent this line", "a blank line between"),
            ("a:\n  b c\n  d: e\n", "2:3", "colon behind `b`", "a colon forgotten before a value"),
            ("a: “b: c”\n", "1:4", "curly quotes", "curly quotes around a colon"),
            ("a: 1\nspec\nb: 2\n", "2:1", "colon behind `spec`", "a colon forgotten"),
            ("a: 1\n// b\nc: 2\n", "2:1", "begins with `#`", "a comment of another language"),
            ("a: @b\n", "1:4", "begin with `@`", "a character that is kept for later"),
            ("a: \"b\n", "1:4", "close the quote", "a quote that does not end"),
            ("a: &one 1\nb: *on\n", "2:4", "did you mean `one`?", "a misspelt anchor"),
            ("b: *x\n", "1:4", "with `&x`", "no anchor at all"),
            ("a: 1\n<<<<<<< HEAD\nb: 2\n", "2:1", "merge conflict", "a merge conflict"),
            ("a: [\n", "2:1", "check the indentation", "anything else"),
        ];
        for (text, place, help, why) in cases {
            let error = goyaml::parse(text, goyaml::Limits::default()).1.unwrap();
            let file = FileName { prefix: "".into(), path: "f".into() };
            let said = syntax_error(&file, text, &error).to_string();
            assert!(said.starts_with(&format!("f:{place}: error: not YAML: ")), "{why}: {said}");
            assert!(said.contains(help), "{why}: {said}");
        }
    }
}
