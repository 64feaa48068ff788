//! `html`, `js` and `urlquery`.

use crate::print::{is_print, runes};

/// For HTML text and attributes.
pub(crate) fn html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'\0' => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            _ => out.push(*byte),
        }
    }
    out
}

/// For JavaScript strings.
pub(crate) fn js(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for (rune, size) in runes(text) {
        let bytes = text.get(at..at + size).unwrap_or_default();
        at += size;
        match rune.unwrap_or(char::REPLACEMENT_CHARACTER) {
            '\\' | '\'' | '"' => {
                out.push(b'\\');
                out.extend_from_slice(bytes);
            }
            c if is_print(c) && !matches!(c, '<' | '>' | '&' | '=') || c == '\x7f' => {
                out.extend_from_slice(bytes);
            }
            c => out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes()),
        }
    }
    out
}

/// For values in the query of a URL.
pub(crate) fn url_query(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(*byte),
            b' ' => out.push(b'+'),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    out
}
