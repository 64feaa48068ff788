//! Functions on single strings. Lengths and positions count bytes, as in Go.

use memchr::memmem;

use super::arguments::{fixed, int, text, variadic};
use super::runes;
use crate::{Budget, Elem, Function, Str, Type, Value, print};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("abbrev", &[Type::Int, Type::Str], |_, arguments| {
        Ok(abbreviated(0, int(arguments, 0)?, text(arguments, 1)?).into())
    }),
    fixed("abbrevboth", &[Type::Int, Type::Int, Type::Str], |_, arguments| {
        Ok(abbreviated(int(arguments, 0)?, int(arguments, 1)?, text(arguments, 2)?).into())
    }),
    variadic("cat", &[], Type::Any, cat),
    fixed("contains", &[Type::Str, Type::Str], |_, arguments| {
        let (part, whole) = (text(arguments, 0)?, text(arguments, 1)?);
        Ok(Value::Bool(memmem::find(whole.as_bytes(), part.as_bytes()).is_some()))
    }),
    fixed("hasPrefix", &[Type::Str, Type::Str], |_, arguments| {
        Ok(Value::Bool(text(arguments, 1)?.as_bytes().starts_with(text(arguments, 0)?.as_bytes())))
    }),
    fixed("hasSuffix", &[Type::Str, Type::Str], |_, arguments| {
        Ok(Value::Bool(text(arguments, 1)?.as_bytes().ends_with(text(arguments, 0)?.as_bytes())))
    }),
    fixed("indent", &[Type::Int, Type::Str], |budget, arguments| {
        Ok(indented(budget, "", int(arguments, 0)?, text(arguments, 1)?)?.into())
    }),
    fixed("nindent", &[Type::Int, Type::Str], |budget, arguments| {
        Ok(indented(budget, "\n", int(arguments, 0)?, text(arguments, 1)?)?.into())
    }),
    fixed("nospace", &[Type::Str], |_, arguments| Ok(without_space(text(arguments, 0)?).into())),
    fixed("plural", &[Type::Str, Type::Str, Type::Int], |_, arguments| {
        let form = if int(arguments, 2)? == 1 { 0 } else { 1 };
        Ok(text(arguments, form)?.clone().into())
    }),
    variadic("quote", &[], Type::Any, quote),
    fixed("repeat", &[Type::Int, Type::Str], |budget, arguments| {
        Ok(repeated(budget, int(arguments, 0)?, text(arguments, 1)?)?.into())
    }),
    fixed("replace", &[Type::Str, Type::Str, Type::Str], |budget, arguments| {
        Ok(replaced(budget, text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?)?.into())
    }),
    variadic("squote", &[], Type::Any, single_quote),
    fixed("substr", &[Type::Int, Type::Int, Type::Str], |_, arguments| {
        Ok(substring(int(arguments, 0)?, int(arguments, 1)?, text(arguments, 2)?)?.into())
    }),
    fixed("trim", &[Type::Str], |_, arguments| {
        Ok(runes::trim(text(arguments, 0)?.as_bytes(), char::is_whitespace).into())
    }),
    fixed("trimAll", &[Type::Str, Type::Str], trim_all),
    fixed("trimPrefix", &[Type::Str, Type::Str], |_, arguments| {
        let whole = text(arguments, 1)?.as_bytes();
        Ok(whole.strip_prefix(text(arguments, 0)?.as_bytes()).unwrap_or(whole).into())
    }),
    fixed("trimSuffix", &[Type::Str, Type::Str], |_, arguments| {
        let whole = text(arguments, 1)?.as_bytes();
        Ok(whole.strip_suffix(text(arguments, 0)?.as_bytes()).unwrap_or(whole).into())
    }),
    fixed("trimall", &[Type::Str, Type::Str], trim_all),
    fixed("trunc", &[Type::Int, Type::Str], |_, arguments| {
        let (length, text) = (int(arguments, 0)?, text(arguments, 1)?);
        Ok(slice(text.as_bytes(), 0, length.min(text.len() as i64))?.into())
    }),
    fixed("wrap", &[Type::Int, Type::Str], |budget, arguments| {
        let (width, text) = (int(arguments, 0)?, text(arguments, 1)?.as_bytes());
        Ok(wrapped(budget, text, width, b"\n", LongWords::Keep)?.into())
    }),
    fixed("wrapWith", &[Type::Int, Type::Str, Type::Str], |budget, arguments| {
        let (width, separator) = (int(arguments, 0)?, text(arguments, 1)?.as_bytes());
        let separator = if separator.is_empty() { b"\n" } else { separator };
        Ok(wrapped(budget, text(arguments, 2)?.as_bytes(), width, separator, LongWords::Break)?.into())
    }),
];

const RANDOM: &str = "gives another result in every run";

pub(super) const REFUSED: &[(&str, &str)] = &[
    ("randAlpha", RANDOM),
    ("randAlphaNum", RANDOM),
    ("randAscii", RANDOM),
    ("randNumeric", RANDOM),
    ("shuffle", RANDOM),
];

/// A value as a string: strings and bytes as they are, everything else as it prints.
pub(super) fn string_of(value: &Value) -> Str {
    match value {
        Value::Str(text) => text.clone(),
        Value::List(Elem::Byte, bytes) => print::bytes(bytes).into(),
        _ => print::display(value),
    }
}

/// `bytes[start..end]`, with the words of Go's panic where there is no such slice.
pub(super) fn slice(bytes: &[u8], start: i64, end: i64) -> Result<&[u8], String> {
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    range.and_then(|(start, end)| bytes.get(start..end)).ok_or_else(|| {
        let bounds = if end < 0 {
            format!("[:{end}]")
        } else if end > bytes.len() as i64 {
            format!("[:{end}] with length {}", bytes.len())
        } else {
            format!("[{start}:{end}]")
        };
        format!("runtime error: slice bounds out of range {bounds}")
    })
}

fn cat(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    joined(budget, arguments, print::display)
}

fn quote(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    joined(budget, arguments, |value| print::quote(&string_of(value)))
}

fn single_quote(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    joined(budget, arguments, |value| [b"'", print::display(value).as_bytes(), b"'"].concat().into())
}

/// What `show` makes of every argument but `nil`, with spaces between.
fn joined(budget: &mut Budget, arguments: &[Value], show: fn(&Value) -> Str) -> Result<Value, String> {
    let mut output = Vec::new();
    let shown = arguments.iter().filter(|value| !matches!(value, Value::Nil)).map(show);
    for (number, text) in shown.enumerate() {
        budget.take(text.len())?;
        if number > 0 {
            output.push(b' ');
        }
        output.extend_from_slice(text.as_bytes());
    }
    Ok(output.into())
}

fn trim_all(_: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let set = text(arguments, 0)?.to_text();
    Ok(runes::trim(text(arguments, 1)?.as_bytes(), |rune| set.contains(rune)).into())
}

/// Whitespace is dropped byte by byte; if there was any, every other byte becomes a code point.
fn without_space(text: &Str) -> Str {
    let kept: String =
        text.as_bytes().iter().copied().map(char::from).filter(|c| !c.is_whitespace()).collect();
    if kept.chars().count() == text.len() { text.clone() } else { kept.into() }
}

fn repeated(budget: &mut Budget, count: i64, text: &Str) -> Result<Vec<u8>, String> {
    let count = usize::try_from(count).map_err(|_| "strings: negative Repeat count")?;
    budget.take(count.saturating_mul(text.len()))?;
    Ok(text.as_bytes().repeat(if text.is_empty() { 0 } else { count }))
}

fn indented(budget: &mut Budget, before: &str, spaces: i64, text: &Str) -> Result<Vec<u8>, String> {
    let spaces = usize::try_from(spaces).map_err(|_| "strings: negative Repeat count")?;
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
    budget.take(lines.saturating_mul(spaces).saturating_add(text.len()))?;
    let padding = vec![b' '; spaces];
    let mut output = before.as_bytes().to_vec();
    for (number, line) in text.as_bytes().split(|byte| *byte == b'\n').enumerate() {
        if number > 0 {
            output.push(b'\n');
        }
        output.extend_from_slice(&padding);
        output.extend_from_slice(line);
    }
    Ok(output)
}

fn replaced(budget: &mut Budget, old: &Str, new: &Str, text: &Str) -> Result<Vec<u8>, String> {
    let bytes = text.as_bytes();
    if old.is_empty() {
        let count = runes::count(bytes) + 1;
        budget.take(count.saturating_mul(new.len()).saturating_add(text.len()))?;
        let mut output = new.as_bytes().to_vec();
        let mut rest = bytes;
        while let Some((_, size)) = runes::first(rest) {
            output.extend_from_slice(&rest[..size]);
            output.extend_from_slice(new.as_bytes());
            rest = &rest[size..];
        }
        return Ok(output);
    }
    let count = memmem::find_iter(bytes, old.as_bytes()).count();
    budget.take(count.saturating_mul(new.len()).saturating_add(text.len()))?;
    let mut output = Vec::with_capacity(text.len());
    let mut end = 0;
    for at in memmem::find_iter(bytes, old.as_bytes()) {
        output.extend_from_slice(&bytes[end..at]);
        output.extend_from_slice(new.as_bytes());
        end = at + old.len();
    }
    output.extend_from_slice(&bytes[end..]);
    Ok(output)
}

fn substring(start: i64, end: i64, text: &Str) -> Result<Str, String> {
    let length = text.len() as i64;
    let (start, end) = match (start, end) {
        (..0, end) => (0, end),
        (start, ..0) => (start, length),
        (start, end) => (start, end.min(length)),
    };
    slice(text.as_bytes(), start, end).map(Str::from)
}

/// At most `width` bytes of `text` from about `offset` on, with dots where something is left out.
fn abbreviated(offset: i64, width: i64, text: &Str) -> Str {
    let bytes = text.as_bytes();
    let length = bytes.len() as i64;
    if width < 4 || offset > 0 && width < 7 || length <= width {
        return text.clone();
    }
    let mut offset = offset.min(length);
    if length.wrapping_sub(offset) < width - 3 {
        offset = length - (width - 3);
    }
    // From here 4 <= width < length, so every bound is within the text.
    let (offset, width) = (offset.max(0) as usize, width as usize);
    if offset <= 4 {
        return [&bytes[..width - 3], b"..."].concat().into();
    }
    if offset + width - 3 < bytes.len() {
        let inner = abbreviated(0, width as i64 - 3, &bytes[offset..].into());
        return [b"...", inner.as_bytes()].concat().into();
    }
    [b"...", &bytes[bytes.len() - (width - 3)..]].concat().into()
}

#[derive(Clone, Copy, PartialEq)]
enum LongWords {
    Keep,
    Break,
}

/// Breaks a text at spaces into lines of at most `width` bytes.
fn wrapped(
    budget: &mut Budget,
    text: &[u8],
    width: i64,
    separator: &[u8],
    long_words: LongWords,
) -> Result<Vec<u8>, String> {
    let width = usize::try_from(width).unwrap_or(0).max(1);
    budget.take(text.len())?;
    let mut output = Vec::with_capacity(text.len());
    let mut rest = text;
    while rest.len() > width {
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        let (line, next) = match memchr::memrchr(b' ', &rest[..=width]) {
            Some(space) => (space, space + 1),
            None if long_words == LongWords::Break => (width, width),
            None => match memchr::memchr(b' ', &rest[width..]) {
                Some(space) => (width + space, width + space + 1),
                None => break,
            },
        };
        budget.take(separator.len())?;
        output.extend_from_slice(&rest[..line]);
        output.extend_from_slice(separator);
        rest = &rest[next..];
    }
    output.extend_from_slice(rest);
    Ok(output)
}
