//! Values into text, byte for byte as `yaml.Marshal` of Go's yaml.v3 prints them; or the same, set closer.

use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::text::{self, Traits};
use crate::{Value, order, scalar};

/// How deep things are indented.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// By 4, lists too
    Go,
    /// By 2, lists in mappings not at all, as `kubectl` prints
    Compact,
}

impl Form {
    fn indent(self) -> usize {
        match self {
            Form::Go => 4,
            Form::Compact => 2,
        }
    }

    /// Follows `|` when the text begins with a space; Go writes 4 in lists too, where lines are indented by 2.
    fn hint(self) -> char {
        match self {
            Form::Go => '4',
            Form::Compact => '2',
        }
    }
}

/// Keys longer than this, in bytes, are printed after a `?`.
const LONGEST_KEY: usize = 128;

/// What a value stands in, which decides how far it is indented.
#[derive(Clone, Copy)]
enum Parent {
    Document,
    Item { indent: usize },
    Entry { indent: usize },
}

impl Parent {
    /// The indentation of a block mapping in here.
    fn map_indent(self, form: Form) -> usize {
        let step = form.indent();
        match self {
            Parent::Document => 0,
            Parent::Item { indent } => indent + 2,
            Parent::Entry { indent } => (indent / step + 1) * step,
        }
    }

    /// The indentation of a block list in here.
    fn list_indent(self, form: Form) -> usize {
        match (self, form) {
            (Parent::Entry { indent }, Form::Compact) => indent,
            _ => self.map_indent(form),
        }
    }

    /// The indentation of a scalar's further lines in here.
    fn scalar_indent(self, form: Form) -> usize {
        match self {
            Parent::Document => form.indent(),
            _ => self.map_indent(form),
        }
    }
}

pub(crate) fn print(value: &Value) -> String {
    Printer::print(value, Form::Go)
}

pub(crate) fn print_compact(value: &Value) -> String {
    Printer::print(value, Form::Compact)
}

struct Printer {
    form: Form,
    out: String,
    line_start: usize,
    /// Whether what comes next needs no space before it
    after_space: bool,
    /// Whether this line holds nothing but indentation and the indicators `-`, `?` and `:`
    at_indentation: bool,
}

impl Printer {
    fn print(value: &Value, form: Form) -> String {
        let mut printer =
            Printer { form, out: String::new(), line_start: 0, after_space: true, at_indentation: true };
        printer.value(value, Parent::Document);
        printer.indent_to(0);
        printer.out
    }

    fn value(&mut self, value: &Value, parent: Parent) {
        match value {
            Value::Null => self.plain("null"),
            Value::Bool(true) => self.plain("true"),
            Value::Bool(false) => self.plain("false"),
            Value::Int(int) => self.number(int),
            Value::Uint(int) => self.number(int),
            Value::Float(float) => self.plain(&float_text(*float)),
            Value::Str(text) => self.string(text, Tag::None, parent),
            Value::Binary(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => self.string(text, Tag::None, parent),
                Err(_) => self.string(&base64_lines(bytes), Tag::Binary, parent),
            },
            Value::Seq(items) if items.is_empty() => self.plain("[]"),
            Value::Seq(items) => {
                let indent = parent.list_indent(self.form);
                for item in items {
                    self.indent_to(indent);
                    self.indicator("-");
                    self.value(item, Parent::Item { indent });
                }
            }
            Value::Map(map) if map.is_empty() => self.plain("{}"),
            Value::Map(map) => {
                let mut entries: Vec<(&Value, &Value)> = map.iter().collect();
                order::sort(&mut entries);
                let indent = parent.map_indent(self.form);
                for (key, value) in entries {
                    self.entry(key, value, indent);
                }
            }
        }
    }

    fn entry(&mut self, key: &Value, value: &Value, indent: usize) {
        let parent = Parent::Entry { indent };
        self.indent_to(indent);
        if is_simple_key(key) {
            self.value(key, parent);
            self.out.push(':');
            self.after_space = false;
            self.at_indentation = false;
        } else {
            self.indicator("?");
            self.value(key, parent);
            self.indent_to(indent);
            self.indicator(":");
        }
        self.value(value, parent);
    }

    fn column(&self) -> usize {
        self.out.len() - self.line_start
    }

    fn break_line(&mut self) {
        self.out.push('\n');
        self.line_start = self.out.len();
        self.at_indentation = true;
    }

    fn indent_to(&mut self, indent: usize) {
        let column = self.column();
        if !self.at_indentation || column > indent || column == indent && !self.after_space {
            self.break_line();
        }
        let missing = indent.saturating_sub(self.column());
        self.out.extend(std::iter::repeat_n(' ', missing));
        self.after_space = true;
    }

    fn space(&mut self) {
        if !self.after_space {
            self.out.push(' ');
        }
    }

    fn indicator(&mut self, indicator: &str) {
        self.space();
        self.out.push_str(indicator);
        self.after_space = false;
    }

    fn plain(&mut self, text: &str) {
        self.indicator(text);
        self.at_indentation = false;
    }

    fn number(&mut self, number: impl std::fmt::Display) {
        self.space();
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{number}");
        self.after_space = false;
        self.at_indentation = false;
    }

    fn string(&mut self, text: &str, tag: Tag, parent: Parent) {
        let traits = Traits::of(text);
        if tag == Tag::Binary {
            self.plain("!!binary");
        }
        if traits.newline && traits.block {
            self.literal(text, parent.scalar_indent(self.form));
        } else if traits.newline || tag == Tag::None && needs_quotes(text) {
            self.double_quoted(text);
        } else if traits.plain {
            self.plain(text);
        } else if traits.single_quoted {
            self.single_quoted(text, parent.scalar_indent(self.form));
        } else {
            self.double_quoted(text);
        }
    }

    fn single_quoted(&mut self, text: &str, indent: usize) {
        self.plain("'");
        let mut after_break = false;
        for c in text.chars() {
            if text::is_break(c) {
                self.out.push(c);
                self.line_start = self.out.len();
                self.at_indentation = true;
                after_break = true;
                continue;
            }
            if after_break {
                self.indent_to(indent);
                after_break = false;
            }
            if c == '\'' {
                self.out.push('\'');
            }
            self.out.push(c);
            self.at_indentation = false;
        }
        self.out.push('\'');
        self.after_space = false;
        self.at_indentation = false;
    }

    fn double_quoted(&mut self, text: &str) {
        self.plain("\"");
        // go-yaml looks for a byte order mark at the beginning of the text instead of at each character.
        let escape_all = text.starts_with('\u{feff}');
        for c in text.chars() {
            if escape_all || c == '"' || c == '\\' || text::is_break(c) || !text::is_printable(c) {
                text::escape(c, &mut self.out);
            } else {
                self.out.push(c);
            }
        }
        self.out.push('"');
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.plain("|");
        if text.starts_with(|first| first == ' ' || text::is_break(first)) {
            self.out.push(self.form.hint());
        }
        let mut last = text.chars().rev();
        match (last.next(), last.next()) {
            (Some(end), _) if !text::is_break(end) => self.out.push('-'),
            (_, None) => self.out.push('+'),
            (_, Some(before)) if text::is_break(before) => self.out.push('+'),
            _ => {}
        }
        self.after_space = true;
        let mut after_break = true;
        for c in text.chars() {
            if c == '\n' {
                self.break_line();
                after_break = true;
            } else if text::is_break(c) {
                self.out.push(c);
                self.line_start = self.out.len();
                self.at_indentation = true;
                after_break = true;
            } else {
                if after_break {
                    self.indent_to(indent);
                    after_break = false;
                }
                self.out.push(c);
                self.at_indentation = false;
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Tag {
    None,
    Binary,
}

/// Whether the bare text would be read as something else than a string, by yaml.v3 or by YAML 1.1.
fn needs_quotes(text: &str) -> bool {
    !scalar::is_string_in_v3(text) || scalar::is_base_60(text) || scalar::old_boolean(text).is_some()
}

fn is_simple_key(key: &Value) -> bool {
    let fits = |text: &str, tag: usize| !Traits::of(text).multiline && text.len() + tag <= LONGEST_KEY;
    match key {
        Value::Str(text) => fits(text, 0),
        Value::Binary(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => fits(text, 0),
            Err(_) => fits(&base64_lines(bytes), "!!binary".len()),
        },
        Value::Seq(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => true,
    }
}

/// Base64 in lines of 70 characters; what is shorter has no line break at all.
fn base64_lines(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    if encoded.len() < 70 {
        return encoded;
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / 70 + 1);
    for (at, c) in encoded.char_indices() {
        if at > 0 && at % 70 == 0 {
            lines.push('\n');
        }
        lines.push(c);
    }
    lines.push('\n');
    lines
}

/// Go's shortest `%g`: an exponent below -4 and from 6 digits on, of at least two digits.
fn float_text(float: f64) -> Cow<'static, str> {
    if float.is_nan() {
        return ".nan".into();
    }
    if float.is_infinite() {
        return if float > 0.0 { ".inf".into() } else { "-.inf".into() };
    }
    let scientific = shortest(float);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{float}").into();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs()).into()
}

/// The fewest digits that are read back as the same number. Of two that are equally near Go takes the even one,
/// as printing with a given number of digits does here; printing the shortest does not.
fn shortest(float: f64) -> String {
    let shortest = format!("{float:e}");
    let digits = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    let even = format!("{float:.*e}", digits.saturating_sub(1));
    if even.parse() == Ok(float) { even } else { shortest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_is_what_kubectl_prints() {
        let text = "b: [1, {c: [x], d: {e: f}}]\na: {k: \" lead\\nline\"}\n";
        let value = crate::read(text).unwrap();
        let want = "a:\n  k: |2-\n     lead\n    line\nb:\n- 1\n- c:\n  - x\n  d:\n    e: f\n";
        assert_eq!(print_compact(&value), want);
        assert_eq!(crate::read(want).unwrap(), value);
    }
}
