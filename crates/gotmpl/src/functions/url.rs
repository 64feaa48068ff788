//! Parsing and joining URLs, as Go's package `net/url` does it.

use std::collections::BTreeMap;

use super::arguments::{any, fixed, text};
use super::reflection::kind_of;
use crate::{Elem, Function, MapRef, Str, Type, Value, print};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("urlJoin", &[Type::Dict], |budget, arguments| {
        let joined = match any(arguments, 0)? {
            Value::Map(Elem::Any, parts) => join(parts)?,
            Value::Nil => Vec::new(),
            _ => return Err("argument 1 is no dictionary".into()),
        };
        budget.take(joined.len())?;
        Ok(joined.into())
    }),
    fixed("urlParse", &[Type::Str], |_, arguments| {
        let url =
            parse(text(arguments, 0)?.as_bytes()).map_err(|error| format!("unable to parse url: {error}"))?;
        let hostname = hostname(&url.host).to_vec();
        let userinfo = url.user.map(|user| user.to_bytes()).unwrap_or_default();
        let parts = [
            ("scheme", url.scheme),
            ("host", url.host),
            ("hostname", hostname),
            ("path", url.path),
            ("query", url.query),
            ("opaque", url.opaque),
            ("fragment", url.fragment),
            ("userinfo", userinfo),
        ];
        Ok(Value::dict(
            parts.into_iter().map(|(name, part)| (name.into(), part.into())).collect::<BTreeMap<_, _>>(),
        ))
    }),
];

#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<User>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

impl User {
    fn to_bytes(&self) -> Vec<u8> {
        let mut output = escape(&self.name, Part::User);
        if let Some(password) = &self.password {
            output.push(b':');
            output.extend(escape(password, Part::User));
        }
        output
    }
}

/// Which part of a URL is escaped: each has its own set of bytes that may stand as they are.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    User,
    Host,
    Zone,
    Path,
    Fragment,
}

impl Part {
    fn allows(self, byte: u8) -> bool {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => true,
            b'$' | b'&' | b'+' | b',' | b';' | b'=' => true,
            b':' => self != Part::User,
            b'/' => matches!(self, Part::Path | Part::Fragment),
            b'@' => matches!(self, Part::Path | Part::Fragment),
            b'?' => self == Part::Fragment,
            b'!' | b'(' | b')' | b'*' => matches!(self, Part::Host | Part::Zone | Part::Fragment),
            b'\'' | b'[' | b']' | b'<' | b'>' | b'"' => matches!(self, Part::Host | Part::Zone),
            _ => false,
        }
    }
}

fn escape(bytes: &[u8], part: Part) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut output = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        if part.allows(byte) {
            output.push(byte);
        } else {
            output.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
    output
}

fn quote(bytes: &[u8]) -> String {
    print::quote(&bytes.into()).to_text().into_owned()
}

fn unescape(bytes: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let in_host = matches!(part, Part::Host | Part::Zone);
    let mut output = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            if in_host && byte.is_ascii() && !part.allows(byte) {
                return Err(format!("invalid character {} in host name", quote(&[byte])));
            }
            output.push(byte);
            at += 1;
            continue;
        }
        let escaped = &bytes[at..bytes.len().min(at + 3)];
        let refused = || format!("invalid URL escape {}", quote(escaped));
        let value = escaped.get(1..3).and_then(hex_value).ok_or_else(refused)?;
        let is_percent = escaped == b"%25";
        let wrong = match part {
            // Only what is no ASCII may be escaped in a host.
            Part::Host => value < 0x80 && !is_percent,
            Part::Zone => !is_percent && value != b' ' && !Part::Host.allows(value),
            _ => false,
        };
        if wrong {
            return Err(refused());
        }
        output.push(value);
        at += 3;
    }
    Ok(output)
}

fn hex_value(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    match digits {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    }
}

fn cut(bytes: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(at, bytes) {
        Some(found) => (&bytes[..found], Some(&bytes[found + 1..])),
        None => (bytes, None),
    }
}

fn parse(bytes: &[u8]) -> Result<Url, String> {
    let worded = |bytes: &[u8], error: String| format!("parse {}: {error}", quote(bytes));
    let (before, fragment) = cut(bytes, b'#');
    let mut url = parse_before_fragment(before).map_err(|error| worded(before, error))?;
    if let Some(fragment) = fragment {
        url.fragment = unescape(fragment, Part::Fragment).map_err(|error| worded(bytes, error))?;
    }
    Ok(url)
}

fn parse_before_fragment(bytes: &[u8]) -> Result<Url, String> {
    if bytes.iter().any(|byte| *byte < b' ' || *byte == 0x7f) {
        return Err("net/url: invalid control character in URL".into());
    }
    let mut url = Url::default();
    if bytes == b"*" {
        url.path = b"*".to_vec();
        return Ok(url);
    }
    let (scheme, rest) = split_scheme(bytes)?;
    url.scheme = scheme.to_ascii_lowercase();
    let (mut rest, query) = cut(rest, b'?');
    url.query = query.unwrap_or_default().to_vec();
    if !rest.starts_with(b"/") {
        if !url.scheme.is_empty() {
            url.opaque = rest.to_vec();
            return Ok(url);
        }
        if cut(rest, b'/').0.contains(&b':') {
            return Err("first path segment in URL cannot contain colon".into());
        }
    }
    if rest.starts_with(b"//") && (!url.scheme.is_empty() || !rest.starts_with(b"///")) {
        let end = memchr::memchr(b'/', &rest[2..]).map_or(rest.len(), |slash| slash + 2);
        (url.user, url.host) = parse_authority(&rest[2..end])?;
        rest = &rest[end..];
    }
    url.path = unescape(rest, Part::Path)?;
    Ok(url)
}

fn split_scheme(bytes: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".into()),
            b':' => return Ok((&bytes[..at], &bytes[at + 1..])),
            _ => break,
        }
    }
    Ok((b"", bytes))
}

fn parse_authority(authority: &[u8]) -> Result<(Option<User>, Vec<u8>), String> {
    let Some(at) = memchr::memrchr(b'@', authority) else {
        return Ok((None, parse_host(authority)?));
    };
    let host = parse_host(&authority[at + 1..])?;
    let userinfo = &authority[..at];
    let valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
    if !userinfo.iter().all(valid) {
        return Err("net/url: invalid userinfo".into());
    }
    let (name, password) = cut(userinfo, b':');
    let name = unescape(name, Part::User)?;
    let password = password.map(|password| unescape(password, Part::User)).transpose()?;
    Ok((Some(User { name, password }), host))
}

fn parse_host(host: &[u8]) -> Result<Vec<u8>, String> {
    let port = if host.starts_with(b"[") {
        let Some(end) = memchr::memrchr(b']', host) else {
            return Err("missing ']' in host".into());
        };
        check_port(&host[end + 1..])?;
        if let Some(zone) = memchr::memmem::find(&host[..end], b"%25") {
            let mut output = unescape(&host[..zone], Part::Host)?;
            output.extend(unescape(&host[zone..end], Part::Zone)?);
            output.extend(unescape(&host[end..], Part::Host)?);
            return Ok(output);
        }
        b""
    } else {
        memchr::memrchr(b':', host).map_or(&b""[..], |colon| &host[colon..])
    };
    check_port(port)?;
    unescape(host, Part::Host)
}

/// Nothing, or `:` and digits.
fn check_port(port: &[u8]) -> Result<(), String> {
    match port {
        [] => Ok(()),
        [b':', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => Ok(()),
        _ => Err(format!("invalid port {} after host", quote(port))),
    }
}

/// The host without its port, and without the brackets of an IPv6 address.
fn hostname(host: &[u8]) -> &[u8] {
    let colon = memchr::memrchr(b':', host).filter(|colon| check_port(&host[*colon..]).is_ok());
    let host = &host[..colon.unwrap_or(host.len())];
    match host {
        [b'[', inner @ .., b']'] => inner,
        _ => host,
    }
}

fn join(parts: &MapRef<Str>) -> Result<Vec<u8>, String> {
    let part = |name: &str| match parts.get(name.as_bytes()) {
        None => Ok(Str::default()),
        Some(Value::Str(text)) => Ok(text),
        // Go looks at the type of nothing, and falls.
        Some(Value::Nil) => {
            Err("runtime error: invalid memory address or nil pointer dereference".to_owned())
        }
        Some(other) => {
            Err(format!("unable to parse {name} key, must be of type string, but {} found", kind_of(&other)))
        }
    };
    let (scheme, host, path) = (part("scheme")?, part("host")?, part("path")?);
    let (query, opaque, fragment) = (part("query")?, part("opaque")?, part("fragment")?);
    let userinfo = part("userinfo")?;
    let user = if userinfo.is_empty() {
        None
    } else {
        let url = parse(&[b"proto://", userinfo.as_bytes(), b"@host"].concat())
            .map_err(|error| format!("unable to parse userinfo in dict: {error}"))?;
        url.user
    };
    let (host, path) = (host.as_bytes(), path.as_bytes());
    let mut output = Vec::new();
    if !scheme.is_empty() {
        output.extend_from_slice(scheme.as_bytes());
        output.push(b':');
    }
    if opaque.is_empty() {
        if !host.is_empty() || user.is_some() || !scheme.is_empty() && !path.is_empty() {
            output.extend_from_slice(b"//");
        }
        if let Some(user) = user {
            output.extend(user.to_bytes());
            output.push(b'@');
        }
        output.extend(escape(host, Part::Host));
        let path = if path == b"*" { path.to_vec() } else { escape(path, Part::Path) };
        if !path.is_empty() && !path.starts_with(b"/") && !host.is_empty() {
            output.push(b'/');
        }
        if output.is_empty() && cut(&path, b'/').0.contains(&b':') {
            output.extend_from_slice(b"./");
        }
        output.extend(path);
    } else {
        output.extend_from_slice(opaque.as_bytes());
    }
    if !query.is_empty() {
        output.push(b'?');
        output.extend_from_slice(query.as_bytes());
    }
    if !fragment.is_empty() {
        output.push(b'#');
        output.extend(escape(fragment.as_bytes(), Part::Fragment));
    }
    Ok(output)
}
