//! The hidden line by which a run recognises what earlier runs made.

use std::fmt;

/// What something of ours belongs to: an environment and the folder of a GitOps branch that it writes.
///
/// Not the name of the GitOpsRepo: it may be renamed while its pull request is open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The environment
    pub environment: String,
    /// The folder, `.` for the root
    pub path: String,
}

/// A hidden line of Markdown: `<!-- kalypso KIND name=value … -->`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    kind: &'static str,
    values: Vec<(String, String)>,
}

impl Marker {
    /// What `kind` of thing it marks, and what is remembered of it.
    pub(crate) fn new(kind: &'static str, values: &[(&str, &str)]) -> Marker {
        let value = |(name, value): &(&str, &str)| ((*name).to_owned(), word(value));
        Marker { kind, values: values.iter().map(value).collect() }
    }

    /// The last marker of this kind in a text. What people quote does not count: it does not begin its line.
    pub(crate) fn find(kind: &'static str, text: &str) -> Option<Marker> {
        text.lines().rev().find_map(|line| Marker::read(kind, line.trim_end()))
    }

    fn read(kind: &'static str, line: &str) -> Option<Marker> {
        let inner = line.strip_prefix("<!-- kalypso ")?.strip_suffix(" -->")?;
        let mut words = inner.split(' ');
        if words.next()? != kind {
            return None;
        }
        let value =
            |word: &str| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(Marker { kind, values: words.map(value).collect::<Option<_>>()? })
    }

    /// What it remembers under `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Whether it belongs to `address`.
    pub(crate) fn is_of(&self, address: &Address) -> bool {
        self.get("environment") == Some(&address.environment)
            && self.get("path").is_some_and(|path| path == word(&address.path))
    }

    /// `body` with this marker at its end.
    pub(crate) fn mark(&self, body: &str) -> String {
        format!("{}\n\n{self}\n", body.trim_end())
    }
}

/// A value without spaces and without anything that could end the hidden line.
fn word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    let character = |byte: u8| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02x}") };
    text.bytes().map(character).collect()
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<!-- kalypso {}", self.kind)?;
        self.values.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))?;
        f.write_str(" -->")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_found() {
        let marker = Marker::new("pull-request", &[("environment", "dev"), ("tree", "abc")]);
        let body = marker.mark("Some text\n");
        assert_eq!(body, "Some text\n\n<!-- kalypso pull-request environment=dev tree=abc -->\n");
        assert_eq!(Marker::find("pull-request", &body), Some(marker.clone()));
        assert_eq!(Marker::find("pull-request", &body.replace('\n', "\r\n")), Some(marker));
        assert_eq!(Marker::find("issue", &body), None, "another kind");
        let appended = format!("{body}\nCloses #12\n");
        assert!(Marker::find("pull-request", &appended).is_some(), "someone wrote something below");
        let quoted: String = body.lines().map(|line| format!("> {line}\n")).collect();
        assert_eq!(Marker::find("pull-request", &quoted), None, "quoted by someone");
        let odd = Marker::new("pull-request", &[("path", "my apps --> x")]);
        assert_eq!(Marker::find("pull-request", &odd.mark("")), Some(odd));
    }
}
