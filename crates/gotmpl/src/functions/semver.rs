//! Semantic versions and constraints on them, with the rules of Masterminds/semver v1.5.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, LazyLock};

use regex::{Captures, Regex};

use super::arguments::{fixed, text};
use crate::{Function, Object, Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("semver", &[Type::Str], |_, arguments| {
        let version = Version::parse(&text(arguments, 0)?.to_text())?;
        Ok(Value::Object(Arc::new(VersionObject { version, held: Held::Pointer })))
    }),
    fixed("semverCompare", &[Type::Str, Type::Str], |_, arguments| {
        let constraints = Constraints::parse(&text(arguments, 0)?.to_text())?;
        let version = Version::parse(&text(arguments, 1)?.to_text())?;
        Ok(Value::Bool(constraints.allow(&version)))
    }),
];

const SUFFIXES: &str = r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?";
const PARTIAL: &str = r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?";
const SPACE: &str = r"[\t\n\f\r ]";

static VERSION: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?{SUFFIXES}$")));
static CONSTRAINT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"^{SPACE}*(|=|!=|>|<|>=|=>|<=|=<|~|~>|\^){SPACE}*({PARTIAL}{SUFFIXES}){SPACE}*$"))
});
static RANGE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"{SPACE}*({PARTIAL}{SUFFIXES}){SPACE}+-{SPACE}+({PARTIAL}{SUFFIXES}){SPACE}*"))
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of ours")
}

#[derive(Clone, Debug)]
struct Version {
    major: i64,
    minor: i64,
    patch: i64,
    prerelease: String,
    metadata: String,
    original: String,
}

impl Version {
    fn parse(text: &str) -> Result<Version, String> {
        let parts = VERSION.captures(text).ok_or("Invalid Semantic Version")?;
        Ok(Version {
            major: segment(&parts, 1)?,
            minor: segment(&parts, 2)?,
            patch: segment(&parts, 3)?,
            prerelease: group(&parts, 5).to_owned(),
            metadata: group(&parts, 8).to_owned(),
            original: text.to_owned(),
        })
    }

    /// Metadata does not count, a prerelease comes before its release.
    fn compare(&self, other: &Version) -> Ordering {
        let numbers = |version: &Version| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| {
            match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_prereleases(&self.prerelease, &other.prerelease),
            }
        })
    }

    fn changed(&self, major: i64, minor: i64, patch: i64, prerelease: &str, metadata: &str) -> Version {
        let mut changed = Version {
            major,
            minor,
            patch,
            prerelease: prerelease.to_owned(),
            metadata: metadata.to_owned(),
            original: String::new(),
        };
        let prefix = if self.original.starts_with('v') { "v" } else { "" };
        changed.original = format!("{prefix}{changed}");
        changed
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

fn group<'t>(parts: &Captures<'t>, number: usize) -> &'t str {
    parts.get(number).map_or("", |group| group.as_str())
}

fn segment(parts: &Captures, number: usize) -> Result<i64, String> {
    match group(parts, number).trim_start_matches('.') {
        "" => Ok(0),
        digits => digits.parse().map_err(|_| {
            format!(
                "Error parsing version segment: strconv.ParseInt: parsing \"{digits}\": value out of range"
            )
        }),
    }
}

fn compare_prereleases(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.split('.'), other.split('.'));
    loop {
        let (left, right) = match (one.next(), other.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) => (left.unwrap_or(""), right.unwrap_or("")),
        };
        if left == right {
            continue;
        }
        if left.is_empty() || right.is_empty() {
            return left.len().min(1).cmp(&right.len().min(1));
        }
        // Numbers come before words; two numbers that are equal (`1`, `01`) still differ.
        return match (left.parse::<u64>(), right.parse::<u64>()) {
            (Err(_), Err(_)) => left.cmp(right),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Ok(left), Ok(right)) if left > right => Ordering::Greater,
            (Ok(_), Ok(_)) => Ordering::Less,
        };
    }
}

/// Alternatives (`||`), each of requirements (`,`).
struct Constraints(Vec<Vec<Constraint>>);

struct Constraint {
    operator: Operator,
    version: Version,
    /// Which part was left open (`1.x`, `1`), if any
    open: Option<Open>,
}

#[derive(Clone, Copy)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Tilde,
    Caret,
}

#[derive(Clone, Copy, PartialEq)]
enum Open {
    Major,
    Minor,
    Patch,
}

impl Constraints {
    fn parse(text: &str) -> Result<Constraints, String> {
        let mut rewritten = text.to_owned();
        for range in RANGE.captures_iter(text) {
            let bounds = format!(">= {}, <= {}", group(&range, 1), group(&range, 11));
            rewritten = rewritten.replacen(group(&range, 0), &bounds, 1);
        }
        let alternatives = rewritten.split("||");
        let constraints = alternatives.map(|all| all.split(',').map(Constraint::parse).collect());
        Ok(Constraints(constraints.collect::<Result<_, String>>()?))
    }

    fn allow(&self, version: &Version) -> bool {
        self.0.iter().any(|all| all.iter().all(|constraint| constraint.allows(version)))
    }
}

impl Constraint {
    fn parse(text: &str) -> Result<Constraint, String> {
        let parts = CONSTRAINT.captures(text).ok_or_else(|| format!("improper constraint: {text}"))?;
        let is_open = |part: &str| matches!(part.trim_start_matches('.'), "x" | "X" | "*");
        let (major, minor, patch) = (group(&parts, 3), group(&parts, 4), group(&parts, 5));
        let prerelease = group(&parts, 6);
        let (open, version) = if is_open(major) {
            (Some(Open::Major), "0.0.0".to_owned())
        } else if minor.is_empty() || is_open(minor) {
            (Some(Open::Minor), format!("{major}.0.0{prerelease}"))
        } else if is_open(patch) {
            (Some(Open::Patch), format!("{major}{minor}.0{prerelease}"))
        } else {
            (None, group(&parts, 2).to_owned())
        };
        let operator = match group(&parts, 1) {
            "" | "=" => Operator::Equal,
            "!=" => Operator::NotEqual,
            ">" => Operator::Greater,
            ">=" | "=>" => Operator::GreaterOrEqual,
            "<" => Operator::Less,
            "<=" | "=<" => Operator::LessOrEqual,
            "^" => Operator::Caret,
            _ => Operator::Tilde,
        };
        let version = Version::parse(&version).map_err(|_| "constraint Parser Error")?;
        Ok(Constraint { operator, version, open })
    }

    fn allows(&self, version: &Version) -> bool {
        let wanted = &self.version;
        let ignores_prereleases = !version.prerelease.is_empty() && wanted.prerelease.is_empty();
        if ignores_prereleases && !(matches!(self.operator, Operator::NotEqual) && self.open.is_none()) {
            return false;
        }
        let order = version.compare(wanted);
        let minor_differs = version.minor != wanted.minor && self.open != Some(Open::Minor);
        match self.operator {
            Operator::Equal if self.open.is_none() => order.is_eq(),
            Operator::Equal | Operator::Tilde => {
                let zero = (wanted.major, wanted.minor, wanted.patch) == (0, 0, 0);
                let anything = zero && !matches!(self.open, Some(Open::Minor | Open::Patch));
                order.is_ge() && (anything || version.major == wanted.major && !minor_differs)
            }
            Operator::NotEqual if self.open.is_none() => order.is_ne(),
            Operator::NotEqual => version.major != wanted.major || minor_differs,
            Operator::Greater => order.is_gt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Less if self.open.is_none() => order.is_lt(),
            Operator::LessOrEqual if self.open.is_none() => order.is_le(),
            Operator::Less | Operator::LessOrEqual => {
                let minor_above = version.minor > wanted.minor && self.open != Some(Open::Minor);
                version.major <= wanted.major && !minor_above
            }
            Operator::Caret => order.is_ge() && version.major == wanted.major,
        }
    }
}

/// Whether Go holds the version by a pointer: its methods, and how it prints, depend on it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Held {
    Pointer,
    Value,
}

/// What `semver` gives to templates.
#[derive(Debug)]
pub(super) struct VersionObject {
    version: Version,
    held: Held,
}

impl VersionObject {
    /// As JSON has it: a pointer's text; the fields of a value are not exported.
    pub(super) fn json_text(&self) -> Option<String> {
        (self.held == Held::Pointer).then(|| self.version.to_string())
    }

    /// A method that both pointers and values have.
    fn next(&self, name: &str) -> Option<Version> {
        let version = &self.version;
        let Version { major, minor, patch, .. } = *version;
        let patch_after = if version.prerelease.is_empty() { patch.wrapping_add(1) } else { patch };
        match name {
            "IncMajor" => Some(version.changed(major.wrapping_add(1), 0, 0, "", "")),
            "IncMinor" => Some(version.changed(major, minor.wrapping_add(1), 0, "", "")),
            "IncPatch" => Some(version.changed(major, minor, patch_after, "", "")),
            _ => None,
        }
    }

    fn with(&self, name: &str, suffix: &str) -> Option<Result<Version, String>> {
        let version = &self.version;
        let (prerelease, metadata, message) = match name {
            "SetPrerelease" => (suffix, version.metadata.as_str(), "Invalid Prerelease string"),
            "SetMetadata" => (version.prerelease.as_str(), suffix, "Invalid Metadata string"),
            _ => return None,
        };
        let valid_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !suffix.is_empty() && !suffix.split('.').all(valid_part) {
            return Some(Err(message.into()));
        }
        Some(Ok(version.changed(version.major, version.minor, version.patch, prerelease, metadata)))
    }
}

fn held_by_value(version: Version) -> Value {
    Value::Object(Arc::new(VersionObject { version, held: Held::Value }))
}

impl Object for VersionObject {
    fn type_name(&self) -> &'static str {
        match self.held {
            Held::Pointer => "*semver.Version",
            Held::Value => "semver.Version",
        }
    }

    fn kind(&self) -> &'static str {
        match self.held {
            Held::Pointer => "ptr",
            Held::Value => "struct",
        }
    }

    fn field(&self, name: &str) -> Option<Result<Value, String>> {
        if let Some(next) = self.next(name) {
            return Some(Ok(held_by_value(next)));
        }
        if self.held == Held::Value {
            return None;
        }
        let version = &self.version;
        let value = match name {
            "Major" => Value::Int64(version.major),
            "Minor" => Value::Int64(version.minor),
            "Patch" => Value::Int64(version.patch),
            "Prerelease" => version.prerelease.as_str().into(),
            "Metadata" => version.metadata.as_str().into(),
            "Original" => version.original.as_str().into(),
            "String" => version.to_string().into(),
            _ => return None,
        };
        Some(Ok(value))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let [argument] = arguments else {
            return None;
        };
        if let Value::Str(suffix) = argument
            && let Some(changed) = self.with(name, &suffix.to_text())
        {
            return Some(changed.map(held_by_value));
        }
        let Value::Object(other) = argument else {
            return None;
        };
        let other = other.as_any().downcast_ref::<VersionObject>()?;
        if self.held == Held::Value || other.held == Held::Value {
            return None;
        }
        let order = self.version.compare(&other.version);
        match name {
            "Compare" => Some(Ok(Value::Int(order as i64))),
            "Equal" => Some(Ok(Value::Bool(order.is_eq()))),
            "GreaterThan" => Some(Ok(Value::Bool(order.is_gt()))),
            "LessThan" => Some(Ok(Value::Bool(order.is_lt()))),
            _ => None,
        }
    }

    fn print(&self) -> String {
        let Version { major, minor, patch, prerelease, metadata, original } = &self.version;
        match self.held {
            Held::Pointer => self.version.to_string(),
            Held::Value => format!("{{{major} {minor} {patch} {prerelease} {metadata} {original}}}"),
        }
    }

    /// Its fields are not exported.
    fn to_yaml(&self) -> Result<goyaml::Value, String> {
        Ok(goyaml::Value::Map(goyaml::Map::default()))
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
