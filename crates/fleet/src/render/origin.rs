//! Which line of a template a line of its output came from.

use goyaml::NodeKind;

use crate::diagnostic::Location;
use crate::objects::{Engine, Template};

/// So many lines before one tell it from others like it.
const CONTEXT: usize = 10;

/// The place in `template` that made this line and column (from 1) of `output`, if its text tells.
pub(super) fn origin(template: &Template, output: &str, line: u32, column: u32) -> Option<Location> {
    let output: Vec<&str> = output.lines().collect();
    let index = line.checked_sub(1)? as usize;
    let made = output.get(index)?;
    let mut best: Option<(usize, Location)> = None;
    for manifest in &template.manifests {
        let NodeKind::Scalar { text, .. } = &manifest.node.kind else { continue };
        let lines: Vec<Line<'_>> = text.lines().map(|line| Line::new(line, template.engine)).collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.has_text() && line.makes(made)) {
            let alike = alike(&lines[..at], &output[..index]);
            if best.as_ref().is_none_or(|(most, _)| alike > *most) {
                let mark = manifest.node.locate(at as u32 + 1, line.column(column));
                best = Some((alike, Location::new(&template.file, mark)));
            }
        }
    }
    best.map(|(_, place)| place)
}

/// How many lines before the two are alike, too; those without text of their own may have printed nothing.
fn alike(lines: &[Line<'_>], output: &[&str]) -> usize {
    let written = lines.iter().rev().filter(|line| line.has_text());
    written.zip(output.iter().rev()).take(CONTEXT).take_while(|(line, made)| line.makes(made)).count()
}

/// A line of a template: text, and actions between.
struct Line<'t> {
    texts: Vec<&'t str>,
    /// The column (from 1) of what the first action prints
    value: u32,
}

impl<'t> Line<'t> {
    fn new(line: &'t str, engine: Engine) -> Line<'t> {
        let actions: &[(&str, &str)] = match engine {
            Engine::Go => &[("{{", "}}")],
            Engine::Jinja => &[("{{", "}}"), ("{%", "%}"), ("{#", "#}")],
        };
        let next = |text: &str| {
            let found = actions.iter().filter_map(|(open, close)| Some((text.find(open)?, *close)));
            found.min_by_key(|(start, _)| *start)
        };
        let mut texts = Vec::new();
        let mut value = 0;
        let mut rest = line;
        while let Some((start, close)) = next(rest) {
            texts.push(&rest[..start]);
            let inside = &rest[start + 2..];
            if value == 0 {
                let expression = inside.trim_start_matches('-').trim_start();
                let before = line.len() - expression.len();
                value = line[..before].chars().count() as u32 + 1;
            }
            rest = inside.find(close).map_or("", |end| &inside[end + 2..]);
        }
        texts.push(rest);
        Line { texts, value }
    }

    fn has_text(&self) -> bool {
        self.texts.iter().any(|text| !text.trim().is_empty())
    }

    /// Whether its texts stand in `made` in this order, the first and the last at its ends.
    fn makes(&self, made: &str) -> bool {
        let [first, between @ .., last] = &*self.texts else { return self.texts == [made] };
        let Some(mut rest) = made.strip_prefix(first) else { return false };
        for text in between {
            match rest.find(text) {
                Some(start) => rest = &rest[start + text.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }

    fn column(&self, column: u32) -> u32 {
        let first = self.texts.first().map_or(0, |text| text.chars().count()) as u32;
        if column <= first || self.value == 0 { column } else { self.value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let cases = [
            ("  name: {{ .A }}", "  name: b", true, 9, 12, "a value"),
            ("  name: {{- .A }}-x", "  name:b-x", false, 1, 1, "what eats spaces"),
            ("{{ .A }}: {{ .B }}", "a: b", true, 1, 4, "actions only, but for a colon"),
            ("  kid: x", "  kid: x", true, 3, 3, "no action"),
            ("  kid: x", "  kind: x", false, 3, 3, "another text"),
            ("a: {{ .B", "a: b", true, 4, 7, "an action of several lines"),
            ("é: {{ .B }}", "é: b", true, 4, 7, "columns are characters"),
            ("{% if a %}x{% endif %}", "x", true, 1, 4, "a statement of Jinja"),
        ];
        for (line, made, makes, column, want, why) in cases {
            let line = Line::new(line, Engine::Jinja);
            assert_eq!(line.makes(made), makes, "{why}");
            assert_eq!(line.column(column), want, "{why}");
        }
        assert!(!Line::new("{{ .A }} {{ .B }}", Engine::Go).has_text(), "it could have made anything");
        assert!(Line::new("{% if a %}", Engine::Go).makes("{% if a %}"), "no statement of Go's");
    }
}
