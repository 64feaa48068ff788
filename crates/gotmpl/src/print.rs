//! Values as Go's `fmt` prints them.

use std::collections::BTreeMap;
use std::sync::Arc;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::complex::Complex;
use crate::format::Flags;
use crate::{Elem, MapRef, Object, Str, Value};

/// How deep printing goes into a value, far from the end of the stack.
const MAX_DEPTH: usize = 300;

/// What [`display`] prints at most: more than any budget admits.
const MAX_DISPLAY: usize = 256 << 20;

const LOWER: &[u8; 17] = b"0123456789abcdefx";
const UPPER: &[u8; 17] = b"0123456789ABCDEFX";

/// A value as `%v` prints it.
pub(crate) fn display(value: &Value) -> Str {
    match value {
        Value::Str(text) => text.clone(),
        _ => {
            let mut out = Vec::new();
            // What is too long or too deep stays cut: nothing that long can be used.
            let _ = Printer::new(&mut out, MAX_DISPLAY).argument(value, 'v');
            out.into()
        }
    }
}

/// Text as `%q` prints it.
pub(crate) fn quote(text: &Str) -> Str {
    quoted(text.as_bytes(), b'"', false).into()
}

/// Text as `%q` prints it.
pub(crate) fn quote_text(text: &str) -> String {
    String::from_utf8_lossy(&quoted(text.as_bytes(), b'"', false)).into_owned()
}

/// The elements of a `[]byte`.
pub(crate) fn bytes(elements: &[Value]) -> Vec<u8> {
    elements
        .iter()
        .map(|element| match element {
            Value::Uint8(byte) => *byte,
            _ => 0,
        })
        .collect()
}

/// Appends the values to `out` as `print` does: a space between two that are no strings.
pub(crate) fn print(out: &mut Vec<u8>, limit: usize, values: &[Value]) -> Result<(), String> {
    let mut after_string = true;
    for value in values {
        let string = matches!(value, Value::Str(_));
        if !string && !after_string {
            out.push(b' ');
        }
        Printer::new(out, limit).argument(value, 'v')?;
        after_string = string;
    }
    Ok(())
}

/// Appends the values to `out` as `println` does: a space between any two.
pub(crate) fn println(out: &mut Vec<u8>, limit: usize, values: &[Value]) -> Result<(), String> {
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        Printer::new(out, limit).argument(value, 'v')?;
    }
    out.push(b'\n');
    Ok(())
}

/// Prints values with the flags of one verb.
pub(crate) struct Printer<'o> {
    pub(crate) out: &'o mut Vec<u8>,
    pub(crate) flags: Flags,
    /// The length that `out` must not exceed
    limit: usize,
}

impl<'o> Printer<'o> {
    pub(crate) fn new(out: &'o mut Vec<u8>, limit: usize) -> Self {
        Printer { out, flags: Flags::default(), limit }
    }

    /// Prints what the verb was given.
    pub(crate) fn argument(&mut self, value: &Value, verb: char) -> Result<(), String> {
        match (value, verb) {
            (Value::Nil, 'v' | 'T') => self.flags.pad(self.out, b"<nil>"),
            (Value::Nil, _) => self.bad_verb(value, verb)?,
            (_, 'T') => self.flags.text(self.out, value.type_name().as_bytes()),
            (Value::List(..) | Value::Map(..) | Value::AnyMap(_), 'p') => {
                return Err("%p prints an address, which differs from run to run".into());
            }
            (Value::List(Elem::Byte, items), 'v' | 'd') if self.flags.sharp_v => {
                self.out.extend_from_slice(b"[]byte");
                self.items(items, verb, 0)?;
            }
            (_, 'p' | 'w') => self.bad_verb(value, verb)?,
            _ => self.value(value, verb, 0)?,
        }
        self.check()
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if self.out.len() > self.limit {
            return Err("the template makes more output than is allowed".into());
        }
        Ok(())
    }

    fn value(&mut self, value: &Value, verb: char, depth: usize) -> Result<(), String> {
        self.check()?;
        if depth > MAX_DEPTH {
            return Err("the value is nested too deeply".into());
        }
        match value {
            Value::Nil if self.flags.sharp_v => self.out.extend_from_slice(b"interface {}(nil)"),
            Value::Nil => self.out.extend_from_slice(b"<nil>"),
            Value::Bool(truth) if matches!(verb, 't' | 'v') => {
                self.flags.pad(self.out, if *truth { b"true" } else { b"false" });
            }
            Value::Bool(_) => return self.bad_verb(value, verb),
            Value::Int(number) | Value::Int64(number) => return self.signed(value, *number, verb),
            Value::Int32(number) => return self.signed(value, i64::from(*number), verb),
            Value::Uint8(number) => return self.unsigned(value, u64::from(*number), verb),
            Value::Uint64(number) => return self.unsigned(value, *number, verb),
            Value::Float(number) => return self.float(value, *number, verb),
            Value::Str(text) => return self.text(value, text.as_bytes(), verb),
            Value::List(Elem::Byte, items) if matches!(verb, 's' | 'q' | 'x' | 'X') => {
                return self.text(value, &bytes(items), verb);
            }
            Value::List(_, items) => {
                if self.flags.sharp_v {
                    self.out.extend_from_slice(value.type_name().as_bytes());
                }
                if self.flags.sharp_v && value.is_nil_list() {
                    self.out.extend_from_slice(b"(nil)");
                    return Ok(());
                }
                return self.items(items, verb, depth);
            }
            Value::Map(_, map) => {
                let entries = map.snapshot();
                let entries = entries.iter().map(|(key, value)| (Value::Str(key.clone()), value));
                return self.entries(value.type_name(), entries, verb, depth);
            }
            Value::AnyMap(map) => {
                let entries = sorted(map);
                let entries = entries.iter().map(|(key, value)| (key.clone(), value));
                return self.entries(value.type_name(), entries, verb, depth);
            }
            Value::Struct(data) => {
                if self.flags.sharp_v {
                    self.out.extend_from_slice(data.type_name.as_bytes());
                }
                self.out.push(b'{');
                for (at, (name, field)) in data.fields.iter().enumerate() {
                    self.separate(at);
                    if self.flags.plus_v || self.flags.sharp_v {
                        self.out.extend_from_slice(name.as_bytes());
                        self.out.push(b':');
                    }
                    self.value(field, verb, depth + 1)?;
                }
                self.out.push(b'}');
            }
            Value::Object(object) => return self.object(value, &**object, verb),
        }
        Ok(())
    }

    /// What stands between the elements of a list, map or struct.
    fn separate(&mut self, at: usize) {
        if at > 0 {
            self.out.extend_from_slice(if self.flags.sharp_v { b", " } else { b" " });
        }
    }

    fn items(&mut self, items: &[Value], verb: char, depth: usize) -> Result<(), String> {
        self.out.push(if self.flags.sharp_v { b'{' } else { b'[' });
        for (at, item) in items.iter().enumerate() {
            self.separate(at);
            self.value(item, verb, depth + 1)?;
        }
        self.out.push(if self.flags.sharp_v { b'}' } else { b']' });
        Ok(())
    }

    fn entries<'v>(
        &mut self,
        type_name: &str,
        entries: impl Iterator<Item = (Value, &'v Value)>,
        verb: char,
        depth: usize,
    ) -> Result<(), String> {
        if self.flags.sharp_v {
            self.out.extend_from_slice(type_name.as_bytes());
            self.out.push(b'{');
        } else {
            self.out.extend_from_slice(b"map[");
        }
        for (at, (key, value)) in entries.enumerate() {
            self.separate(at);
            self.value(&key, verb, depth + 1)?;
            self.out.push(b':');
            self.value(value, verb, depth + 1)?;
        }
        self.out.push(if self.flags.sharp_v { b'}' } else { b']' });
        Ok(())
    }

    fn signed(&mut self, value: &Value, number: i64, verb: char) -> Result<(), String> {
        match verb {
            'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => {
                self.flags.integer(self.out, number.unsigned_abs(), number < 0, verb);
                Ok(())
            }
            _ => self.code_point(value, number.cast_unsigned(), verb),
        }
    }

    fn unsigned(&mut self, value: &Value, number: u64, verb: char) -> Result<(), String> {
        match verb {
            'v' if self.flags.sharp_v => {
                Flags { sharp: true, ..self.flags }.integer(self.out, number, false, 'x');
                Ok(())
            }
            'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => {
                self.flags.integer(self.out, number, false, verb);
                Ok(())
            }
            _ => self.code_point(value, number, verb),
        }
    }

    fn code_point(&mut self, value: &Value, number: u64, verb: char) -> Result<(), String> {
        match verb {
            'c' => self.flags.character(self.out, number),
            'q' => self.flags.quoted_character(self.out, number),
            'U' => self.flags.unicode(self.out, number),
            _ => return self.bad_verb(value, verb),
        }
        Ok(())
    }

    fn float(&mut self, value: &Value, number: f64, verb: char) -> Result<(), String> {
        match verb {
            'v' => self.flags.float(self.out, number, 'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => self.flags.float(self.out, number, verb, None),
            'f' | 'e' | 'E' => self.flags.float(self.out, number, verb, Some(6)),
            'F' => self.flags.float(self.out, number, 'f', Some(6)),
            _ => return self.bad_verb(value, verb),
        }
        Ok(())
    }

    fn text(&mut self, value: &Value, text: &[u8], verb: char) -> Result<(), String> {
        match verb {
            'v' if self.flags.sharp_v => self.flags.quoted(self.out, text),
            'v' | 's' => self.flags.text(self.out, text),
            'x' => self.flags.hexadecimal(self.out, text, LOWER),
            'X' => self.flags.hexadecimal(self.out, text, UPPER),
            'q' => self.flags.quoted(self.out, text),
            _ => return self.bad_verb(value, verb),
        }
        Ok(())
    }

    fn object(&mut self, value: &Value, object: &dyn Object, verb: char) -> Result<(), String> {
        if let Some(Complex { real, imaginary }) = object.as_any().downcast_ref() {
            if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
                return self.bad_verb(value, verb);
            }
            self.out.push(b'(');
            self.float(value, *real, verb)?;
            let plus = std::mem::replace(&mut self.flags.plus, true);
            self.float(value, *imaginary, verb)?;
            self.flags.plus = plus;
            self.out.extend_from_slice(b"i)");
            return Ok(());
        }
        match verb {
            'v' | 's' | 'x' | 'X' | 'q' => self.text(value, object.print().as_bytes(), verb),
            _ => self.bad_verb(value, verb),
        }
    }

    fn bad_verb(&mut self, value: &Value, verb: char) -> Result<(), String> {
        self.out.extend_from_slice(format!("%!{verb}(").as_bytes());
        if let Value::Nil = value {
            self.out.extend_from_slice(b"<nil>");
        } else {
            self.out.extend_from_slice(value.type_name().as_bytes());
            self.out.push(b'=');
            self.value(value, 'v', 0)?;
        }
        self.out.push(b')');
        Ok(())
    }
}

/// The entries of a map of mixed keys in Go's order: by the name of the key's type, then by the key.
pub(crate) fn sorted(map: &MapRef<goyaml::Value>) -> Vec<(Value, Value)> {
    let snapshot: Arc<BTreeMap<_, _>> = map.snapshot();
    let mut entries: Vec<_> = snapshot.iter().collect();
    // Stable, and the keys of one type are in order already.
    entries.sort_by_key(|(key, _)| match key {
        goyaml::Value::Null => 0,
        goyaml::Value::Bool(_) => 1,
        goyaml::Value::Float(_) => 2,
        goyaml::Value::Int(_) => 3,
        goyaml::Value::Uint(_) => 5,
        _ => 4,
    });
    entries.into_iter().map(|(key, value)| (Value::from_yaml(key), value.clone())).collect()
}

/// The runes of `text` with their sizes; a byte that is no UTF-8 is one without a character.
pub(crate) fn runes(text: &[u8]) -> impl Iterator<Item = (Option<char>, usize)> {
    text.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(|c| (Some(c), c.len_utf8()));
        valid.chain(chunk.invalid().iter().map(|_| (None, 1)))
    })
}

/// How many runes `text` has.
pub(crate) fn count_runes(text: &[u8]) -> usize {
    runes(text).count()
}

/// Whether Go prints the character as it is, not as an escape sequence.
pub(crate) fn is_print(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number, Punctuation, Symbol};
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    matches!(c.general_category_group(), Letter | Mark | Number | Punctuation | Symbol)
}

/// A character as `%#U` prints it.
pub(crate) fn code_point(c: char) -> String {
    let mut out = Vec::new();
    Flags { sharp: true, ..Flags::default() }.unicode(&mut out, u64::from(u32::from(c)));
    String::from_utf8_lossy(&out).into_owned()
}

/// Text between quotes, escaped as in Go source.
pub(crate) fn quoted(text: &[u8], quote: u8, ascii_only: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(quote);
    let mut at = 0;
    for (rune, size) in runes(text) {
        match rune {
            Some(c) => escape(&mut out, c, quote, ascii_only),
            None => out.extend(text.get(at).map(|byte| format!("\\x{byte:02x}")).unwrap_or_default().bytes()),
        }
        at += size;
    }
    out.push(quote);
    out
}

fn escape(out: &mut Vec<u8>, c: char, quote: u8, ascii_only: bool) {
    let escaped = match c {
        '\\' => "\\\\".into(),
        _ if c == char::from(quote) => format!("\\{c}"),
        _ if is_print(c) && (c.is_ascii() || !ascii_only) => {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
        '\x07' => "\\a".into(),
        '\x08' => "\\b".into(),
        '\x0c' => "\\f".into(),
        '\n' => "\\n".into(),
        '\r' => "\\r".into(),
        '\t' => "\\t".into(),
        '\x0b' => "\\v".into(),
        '\0'..='\x1f' | '\x7f' => format!("\\x{:02x}", u32::from(c)),
        '\0'..='\u{ffff}' => format!("\\u{:04x}", u32::from(c)),
        _ => format!("\\U{:08x}", u32::from(c)),
    };
    out.extend_from_slice(escaped.as_bytes());
}
