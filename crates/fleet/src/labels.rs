//! Labels and the selectors that ask for them, as Kubernetes defines both.

use std::collections::BTreeMap;
use std::fmt;

use crate::diagnostic::Location;

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

/// Requirements that must all hold; none at all selects everything.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    /// In the order in which they are written, `matchLabels` first
    pub requirements: Vec<Requirement>,
}

/// One term of a selector.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// The label's key
    pub key: String,
    /// What it asks of the label's value
    pub operator: Operator,
    /// Where it is written
    pub location: Location,
}

/// What a term asks of a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The value is one of these
    In(Vec<String>),
    /// The label is absent, or its value none of these
    NotIn(Vec<String>),
    /// The label is there
    Exists,
    /// The label is absent
    DoesNotExist,
}

impl Selector {
    /// Whether every term holds for `labels`.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.first_failing(labels).is_none()
    }

    /// The first term that does not hold for `labels`.
    pub fn first_failing(&self, labels: &Labels) -> Option<&Requirement> {
        self.requirements.iter().find(|requirement| !requirement.matches(labels))
    }
}

impl Requirement {
    /// Whether it holds for `labels`.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match &self.operator {
            Operator::In(values) => value.is_some_and(|value| values.contains(value)),
            Operator::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// As `kubectl` takes it: `a=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match &self.operator {
            Operator::In(values) if values.len() == 1 => write!(f, "{key}={}", values[0]),
            Operator::In(values) => write!(f, "{key} in ({})", values.join(",")),
            Operator::NotIn(values) => write!(f, "{key} notin ({})", values.join(",")),
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
        }
    }
}

/// Why `key` is no label key, if it is none (Kubernetes: an optional DNS prefix and `/`, then a name).
pub fn key_error(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(prefix) = prefix
        && name_error(prefix).is_some()
    {
        return Some(format!("label key `{key}`: the part before `/` must be a DNS name"));
    }
    (!is_label_text(name) || name.is_empty()).then(|| {
        format!(
            "label key `{key}`: its name must be at most 63 letters, digits, `-`, `_` or `.`, \
             with a letter or digit at both ends"
        )
    })
}

/// Why `value` is no label value, if it is none (Kubernetes: empty, or like a key's name).
pub fn value_error(value: &str) -> Option<String> {
    (!is_label_text(value)).then(|| {
        format!(
            "label value `{value}` must be empty or at most 63 letters, digits, `-`, `_` or `.`, \
             with a letter or digit at both ends"
        )
    })
}

/// Why `name` cannot name an object, if it cannot (Kubernetes: a lower-case DNS name).
pub fn name_error(name: &str) -> Option<String> {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    (name.len() > 253 || !name.split('.').all(is_part)).then(|| {
        format!(
            "`{name}` cannot be a name: at most 253 lower-case letters, digits, `-` and `.`, \
             with a letter or digit at both ends"
        )
    })
}

fn is_label_text(text: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::FileName;

    fn labels(text: &str) -> Labels {
        text.split(',').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect()
    }

    #[test]
    fn operators() {
        let values = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
        let cases = [
            (Operator::In(values("a b")), "k=b", true, "one of the values"),
            (Operator::In(values("a b")), "k=c", false, "another value"),
            (Operator::In(values("a")), "x=a", false, "an absent key has no value"),
            (Operator::NotIn(values("a")), "k=b", true, "another value"),
            (Operator::NotIn(values("a")), "k=a", false, "the value itself"),
            (Operator::NotIn(values("a")), "x=a", true, "an absent key is in no list"),
            (Operator::Exists, "k=", true, "an empty value is a value"),
            (Operator::Exists, "x=a", false, "absent"),
            (Operator::DoesNotExist, "x=a", true, "absent"),
            (Operator::DoesNotExist, "k=", false, "an empty value is a value"),
        ];
        for (operator, text, want, why) in cases {
            let file = FileName { prefix: "".into(), path: "p.yaml".into() };
            let requirement = Requirement { key: "k".into(), operator, location: Location::start_of(&file) };
            assert_eq!(requirement.matches(&labels(text)), want, "{requirement} on {text}: {why}");
            let selector = Selector { requirements: vec![requirement] };
            assert_eq!(selector.matches(&labels(text)), want, "{text}: {why}");
        }
        assert!(Selector::default().matches(&Labels::new()), "no term selects everything");
    }

    #[test]
    fn grammar() {
        let long = "a".repeat(64);
        let cases = [
            ("region", true, "plain"),
            ("kustomize.toolkit.fluxcd.io/name", true, "with a prefix"),
            ("a/b/c", false, "two slashes"),
            ("/b", false, "empty prefix"),
            ("a/", false, "empty name"),
            ("", false, "empty"),
            ("-a", false, "begins with a dash"),
            ("a b", false, "space"),
            (&long, false, "64 characters"),
            (&long[1..], true, "63 characters"),
            ("Upper_Case.ok", true, "upper case, underscore and dot inside"),
        ];
        for (key, want, why) in cases {
            assert_eq!(key_error(key).is_none(), want, "{key}: {why}");
        }
        for (value, want, why) in
            [("", true, "empty"), ("East US", false, "space"), ("a.", false, "dot at the end")]
        {
            assert_eq!(value_error(value).is_none(), want, "{value}: {why}");
        }
        for (name, want, why) in [
            ("a-b.c", true, "DNS name"),
            ("../x", false, "a path"),
            ("A", false, "upper case"),
            ("a..b", false, "empty part"),
        ] {
            assert_eq!(name_error(name).is_none(), want, "{name}: {why}");
        }
    }
}
