//! Slash-separated paths, as Go's package `path` sees them.

use super::arguments::{fixed, text};
use crate::{Function, Str, Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("base", &[Type::Str], |_, arguments| Ok(base(text(arguments, 0)?.as_bytes()).into())),
    fixed("clean", &[Type::Str], |_, arguments| Ok(clean(text(arguments, 0)?.as_bytes()).into())),
    fixed("dir", &[Type::Str], |_, arguments| Ok(dir(text(arguments, 0)?.as_bytes()).into())),
    fixed("ext", &[Type::Str], |_, arguments| Ok(ext(text(arguments, 0)?.as_bytes()).into())),
    fixed("isAbs", &[Type::Str], |_, arguments| {
        Ok(Value::Bool(text(arguments, 0)?.as_bytes().starts_with(b"/")))
    }),
];

/// The last element, without trailing slashes.
fn base(path: &[u8]) -> Str {
    if path.is_empty() {
        return ".".into();
    }
    let Some(end) = path.iter().rposition(|byte| *byte != b'/') else {
        return "/".into();
    };
    let path = &path[..=end];
    let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    path[start..].into()
}

/// Everything but the last element, cleaned.
fn dir(path: &[u8]) -> Vec<u8> {
    let end = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    clean(&path[..end])
}

/// The last element from its last dot on.
fn ext(path: &[u8]) -> Str {
    match path.iter().rposition(|byte| matches!(byte, b'/' | b'.')) {
        Some(at) if path[at] == b'.' => path[at..].into(),
        _ => "".into(),
    }
}

/// The shortest path that leads to the same place.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut kept: Vec<&[u8]> = Vec::new();
    for element in path.split(|byte| *byte == b'/') {
        match element {
            b"" | b"." => {}
            b".." => match kept.last() {
                Some(last) if *last != b".." => {
                    kept.pop();
                }
                _ if rooted => {}
                _ => kept.push(element),
            },
            _ => kept.push(element),
        }
    }
    let mut cleaned = if rooted { b"/".to_vec() } else { Vec::new() };
    cleaned.extend(kept.join(&b'/'));
    if cleaned.is_empty() {
        cleaned.push(b'.');
    }
    cleaned
}
