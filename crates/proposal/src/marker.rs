//! The hidden line by which a run recognises what earlier runs made.

use std::fmt;

/// What something of ours belongs to: an environment and its GitOpsRepo.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The environment
    pub environment: String,
    /// The name of the GitOpsRepo
    pub gitops_repo: String,
}

/// A hidden line of Markdown: `<!-- kalypso KIND name=value … -->`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    kind: &'static str,
    values: Vec<(String, String)>,
}

impl Marker {
    /// What `kind` of thing it marks, and what is remembered of it. Values must be free of spaces.
    pub(crate) fn new(kind: &'static str, values: &[(&str, &str)]) -> Marker {
        let value = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Marker { kind, values: values.iter().map(value).collect() }
    }

    /// The marker of this kind in a text, if one ends it: what people quote does not count.
    pub(crate) fn find(kind: &'static str, text: &str) -> Option<Marker> {
        let line = text.trim_end().lines().next_back()?.trim();
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
            && self.get("gitops-repo") == Some(&address.gitops_repo)
    }

    /// `body` with this marker at its end.
    pub(crate) fn mark(&self, body: &str) -> String {
        format!("{}\n\n{self}\n", body.trim_end())
    }
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
        assert_eq!(Marker::find("pull-request", &format!("{body}\nmy comment")), None, "quoted by someone");
    }
}
