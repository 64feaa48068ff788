//! JSON as Go's package `encoding/json` prints it.

use super::arguments::{any, fixed};
use super::dates;
use super::deep::descend;
use super::encoding::base64;
use super::semver::VersionObject;
use crate::{Budget, Elem, Function, Object, Str, Type, Value, print};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("toJson", &[Type::Any], |budget, arguments| to_json(budget, any(arguments, 0)?, Layout::Compact)),
    fixed("toPrettyJson", &[Type::Any], |budget, arguments| {
        to_json(budget, any(arguments, 0)?, Layout::Indented)
    }),
];

#[derive(Clone, Copy, PartialEq)]
enum Layout {
    Compact,
    Indented,
}

/// Why a value has no JSON.
enum Stop {
    /// Go cannot print it either, which sprig does not tell
    Unsupported,
    Refused(String),
}

/// sprig gives nothing where Go has an error.
fn to_json(budget: &mut Budget, value: &Value, layout: Layout) -> Result<Value, String> {
    let mut writer = Writer { budget, layout, output: Vec::new(), counted: 0 };
    match writer.value(value, 0) {
        Ok(()) => Ok(writer.output.into()),
        Err(Stop::Unsupported) => Ok("".into()),
        Err(Stop::Refused(why)) => Err(why),
    }
}

struct Writer<'a> {
    budget: &'a mut Budget,
    layout: Layout,
    output: Vec<u8>,
    /// How much of the output was taken from the budget
    counted: usize,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Stop> {
        let depth = descend(depth).map_err(Stop::Refused)?;
        self.budget.take(self.output.len() - self.counted).map_err(Stop::Refused)?;
        self.counted = self.output.len();
        match value {
            Value::Nil => self.raw("null"),
            Value::Bool(flag) => self.raw(if *flag { "true" } else { "false" }),
            Value::Int(number) | Value::Int64(number) => self.raw(&number.to_string()),
            Value::Int32(number) => self.raw(&number.to_string()),
            Value::Uint8(number) => self.raw(&number.to_string()),
            Value::Uint64(number) => self.raw(&number.to_string()),
            Value::Float(number) => self.raw(&float(*number).ok_or(Stop::Unsupported)?),
            Value::Str(text) => self.string(text),
            Value::List(..) if value.is_nil_list() => self.raw("null"),
            Value::List(Elem::Byte, bytes) => self.string(&base64(&print::bytes(bytes)).into()),
            Value::List(_, items) => {
                let items = items.iter().map(|item| (None, item));
                return self.members(b"[]", items, depth);
            }
            Value::Map(_, map) => {
                let entries = map.snapshot();
                let members = entries.iter().map(|(key, value)| (Some(key.clone()), value));
                return self.members(b"{}", members, depth);
            }
            Value::AnyMap(_) => return Err(Stop::Unsupported),
            Value::Struct(fields) => {
                let members = fields.fields.iter().map(|(name, value)| (Some(Str::from(*name)), value));
                return self.members(b"{}", members, depth);
            }
            Value::Object(object) => return self.object(object.as_ref(), depth),
        }
        Ok(())
    }

    fn raw(&mut self, text: &str) {
        self.output.extend_from_slice(text.as_bytes());
    }

    fn line(&mut self, depth: usize) {
        if self.layout == Layout::Indented {
            self.output.push(b'\n');
            self.output.resize(self.output.len() + 2 * depth, b' ');
        }
    }

    fn members<'v>(
        &mut self,
        brackets: &[u8; 2],
        members: impl ExactSizeIterator<Item = (Option<Str>, &'v Value)>,
        depth: usize,
    ) -> Result<(), Stop> {
        let empty = members.len() == 0;
        self.output.push(brackets[0]);
        for (number, (key, value)) in members.enumerate() {
            if number > 0 {
                self.output.push(b',');
            }
            self.line(depth);
            if let Some(key) = key {
                self.string(&key);
                self.raw(if self.layout == Layout::Indented { ": " } else { ":" });
            }
            self.value(value, depth)?;
        }
        if !empty {
            self.line(depth - 1);
        }
        self.output.push(brackets[1]);
        Ok(())
    }

    fn object(&mut self, object: &dyn Object, depth: usize) -> Result<(), Stop> {
        if let Some(version) = object.as_any().downcast_ref::<VersionObject>() {
            match version.json_text() {
                Some(text) => self.string(&text.into()),
                None => self.raw("{}"),
            }
            return Ok(());
        }
        if let Some(number) = dates::number(object) {
            self.raw(&number.to_string());
            return Ok(());
        }
        match object.call("Format", &[dates::RFC3339.into()]) {
            Some(Ok(text)) => self.value(&text, depth),
            _ => Err(Stop::Unsupported),
        }
    }

    /// `<`, `>` and `&` are escaped too, so that the text can stand in HTML.
    fn string(&mut self, text: &Str) {
        self.output.push(b'"');
        for chunk in text.as_bytes().utf8_chunks() {
            for rune in chunk.valid().chars() {
                match rune {
                    '"' => self.raw(r#"\""#),
                    '\\' => self.raw(r"\\"),
                    '\n' => self.raw(r"\n"),
                    '\r' => self.raw(r"\r"),
                    '\t' => self.raw(r"\t"),
                    '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                        self.raw(&format!(r"\u{:04x}", u32::from(rune)));
                    }
                    _ => self.raw(rune.encode_utf8(&mut [0; 4])),
                }
            }
            for _ in chunk.invalid() {
                self.raw(r"\ufffd");
            }
        }
        self.output.push(b'"');
    }
}

/// The shortest digits; an exponent for the very small and the very large, as in JavaScript.
fn float(number: f64) -> Option<String> {
    if !number.is_finite() {
        return None;
    }
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return Some(number.to_string());
    }
    let text = format!("{number:e}");
    Some(if size < 1.0 { text } else { text.replace('e', "e+") })
}
