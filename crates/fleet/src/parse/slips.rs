//! What is legal, or nearly so, and was hardly meant.

use goyaml::{Mark, Node, NodeKind};

use super::fields::{Reader, Text};
use crate::diagnostic::Diagnostic;
use crate::source::{is_null, scalar};
use crate::syntax_error;

/// Says which keys of a mapping have no value, and are left out.
pub(super) fn without_value(reader: &mut Reader<'_>, node: &Node, path: &str) {
    for (name, mark) in absent_values(node) {
        let problem = Diagnostic::warning(format!("`{path}.{name}` has no value, and is left out"));
        let help = "give it one, or remove it; text that begins with `#` must be quoted";
        reader.problem(mark, problem.help(help));
    }
}

/// Keys without a value, and where they are written.
pub(super) fn absent_values(node: &Node) -> Vec<(&str, Mark)> {
    let NodeKind::Mapping(entries) = &node.kind else { return Vec::new() };
    let absent = entries.iter().filter(|(_, value)| is_null(value));
    absent.map(|(key, _)| (scalar(key).unwrap_or_default(), key.start)).collect()
}

/// Texts that were meant to be a structure, but are none: they would stay texts.
pub(super) fn broken_structures(reader: &mut Reader<'_>, data: &Node) {
    let NodeKind::Mapping(entries) = &data.kind else { return };
    for (key, value) in entries.iter() {
        let Some(text) = scalar(value).filter(|text| is_structure(text)) else { continue };
        // Of several documents the first one counts.
        let (documents, error) = goyaml::parse(text, goyaml::Limits::default());
        if let Some(error) = error.filter(|_| documents.is_empty()) {
            let name = scalar(key).unwrap_or_default();
            let (place, help) = syntax_error::mistake(text, &error);
            let text = format!("the value of `data.{name}` is no YAML, and stays text: {}", error.message);
            reader.problem(value.locate(place.line, place.column), Diagnostic::warning(text).help(help));
        }
    }
}

/// Whether a text of several lines begins like a mapping: `name:` and no more, or a space and a value.
fn is_structure(text: &str) -> bool {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let (name, value) = first.split_once(':').unwrap_or_default();
    is_name(name) && (value.is_empty() || value.starts_with(' ')) && !rest.trim().is_empty()
}

/// Says that a text is hardly the address of a repository: the page of one, or a part of it.
pub(super) fn address(reader: &mut Reader<'_>, repo: &Text) {
    let text = &*repo.text;
    let page = ["/tree/", "/blob/"].into_iter().find(|page| is_page(text, page));
    let is_short = !text.contains("://") && !text.contains([':', '@']) && !text.starts_with(['/', '.']);
    let has_host = text.split('/').next().is_some_and(|first| first.contains('.'));
    let (what, help) = match page {
        // The text is not repeated: a token may stand in it.
        Some(page) => (
            "this is the address of a page, not of a repository".to_owned(),
            format!("end it before `{page}`; the branch stands in `branch`"),
        ),
        None if is_short && has_host => {
            (format!("`{text}` has no protocol"), format!("write `https://{text}`"))
        }
        None if is_short => {
            (format!("`{text}` is no address of a repository"), format!("write `https://github.com/{text}`"))
        }
        None => return,
    };
    let mark = Mark { line: repo.location.line, column: repo.location.column, offset: 0 };
    reader.problem(mark, Diagnostic::warning(what).help(help));
}

/// Whether the address goes on behind a repository with `page`: behind owner and name, or `/-`.
fn is_page(address: &str, page: &str) -> bool {
    let path = address.split_once("://").map_or(address, |(_, rest)| rest);
    let is_behind =
        |(at, _): (usize, &str)| path[..at].ends_with("/-") || path[..at].matches('/').count() == 2;
    path.match_indices(page).any(is_behind)
}

/// A personal access token, as many call it: no slip for `path`.
const TOKEN: &str = "pat";

/// Says which fields are nearly those that templates ask for by convention.
pub(super) fn misspelt_manifests<'m>(
    reader: &mut Reader<'_>,
    manifests: impl Iterator<Item = (&'m String, &'m (Mark, Text))> + Clone,
) {
    let is_given = |name: &str| manifests.clone().any(|(key, _)| key == name);
    let missing: Vec<&str> = ["repo", "branch", "path"].into_iter().filter(|name| !is_given(name)).collect();
    for (key, (mark, _)) in manifests {
        let is_slip = |name: &&&str| strsim::damerau_levenshtein(key, name) == 1 && key != TOKEN;
        if let Some(meant) = missing.iter().find(is_slip) {
            let problem = Diagnostic::warning(format!("templates hardly ask for `manifests.{key}`"));
            reader.problem(*mark, problem.help(format!("did you mean `{meant}`?")));
        }
    }
}

/// Says that a Go template holds a statement of Jinja, which it would print.
pub(super) fn foreign_statement(reader: &mut Reader<'_>, manifest: &Node) {
    let lines = scalar(manifest).into_iter().flat_map(|text| text.lines().zip(1..));
    let mut found =
        lines.filter_map(|(line, number)| Some((line, number, line.find("{% ").or(line.find("{%-"))?)));
    if let Some((line, number, start)) = found.next() {
        let mark = manifest.locate(number, line[..start].chars().count() as u32 + 1);
        let problem = Diagnostic::warning("`{%` is plain text in a Go template");
        let help = "write `{{ if … }}`, `{{ range … }}` and `{{ end }}`, or set `engine: jinja`";
        reader.problem(mark, problem.help(help));
    }
}

/// Whether a manifest can be used as an object.
pub(super) fn is_object(reader: &mut Reader<'_>, manifest: &Node) -> bool {
    let Some(node) = bare_action(manifest) else { return true };
    let problem = Diagnostic::error("`{{` begins a mapping in YAML");
    let help = "quote it, or put a `|` behind the dash, so that the whole manifest is text";
    reader.problem(node.start, problem.help(help));
    false
}

/// What stands for an action without quotes in a manifest that is written as an object: YAML takes it for a mapping.
fn bare_action(node: &Node) -> Option<&Node> {
    match &node.kind {
        NodeKind::Scalar { .. } => None,
        NodeKind::Sequence(items) => items.iter().find_map(bare_action),
        NodeKind::Mapping(entries) if entries.iter().any(|(key, _)| scalar(key).is_none()) => Some(node),
        NodeKind::Mapping(entries) => entries.iter().find_map(|(_, value)| bare_action(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::FileName;

    #[test]
    fn structures() {
        let cases = [
            ("level: info\nsinks: []\n", true, "a mapping"),
            ("sinks:\n- a\n", true, "one that begins with a name alone"),
            ("level: info\n", false, "one line may be anything"),
            ("Dear all: read\nthis: now", false, "a sentence"),
            ("https://a\nhttps://b", false, "addresses"),
            ("#!/bin/sh\nexport A: b", false, "a script"),
        ];
        for (text, want, why) in cases {
            assert_eq!(is_structure(text), want, "{why}");
        }
    }

    #[test]
    fn addresses() {
        let cases = [
            ("https://github.com/o/r", "", "an address"),
            ("git@github.com:o/r.git", "", "as ssh has it"),
            ("/srv/git/r.git", "", "a folder"),
            ("github.com/o/r", "write `https://github.com/o/r`", "no protocol"),
            ("o/r", "write `https://github.com/o/r`", "a name alone"),
            ("https://me:s3cret@github.com/o/r/tree/main", "end it before `/tree/`", "a page"),
            ("https://git.acme.com/a/b/c/-/tree/main", "end it before `/tree/`", "a page of another host"),
            ("https://git.acme.com/acme/tree/plane", "", "a group of that name"),
        ];
        for (text, want, why) in cases {
            let file = FileName { prefix: "".into(), path: "f".into() };
            let mut reader = Reader::new(&file);
            let location = reader.location(Mark { line: 1, column: 1, offset: 0 });
            address(&mut reader, &Text { text: text.into(), location });
            let said: String = reader.into_problems().iter().map(Diagnostic::to_string).collect();
            assert_eq!((said.is_empty(), said.contains(want)), (want.is_empty(), true), "{why}: {said}");
            assert!(!said.contains("s3cret"), "{why}: {said}");
        }
    }
}
