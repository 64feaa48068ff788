//! The functions that templates can call, one file per group, and the names that are refused.

mod arguments;
mod conversion;
mod crypto;
mod dates;
mod deep;
mod defaults;
mod dicts;
mod encoding;
mod flow;
mod json;
mod kalypso;
mod lists;
mod merge;
mod numbers;
mod path;
mod re2;
mod reflection;
mod regex;
mod runes;
mod semver;
mod string_lists;
mod strings;
mod url;
mod words;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::Function;

const SUPPORTED: &[&[Function]] = &[
    conversion::FUNCTIONS,
    crypto::FUNCTIONS,
    dates::FUNCTIONS,
    defaults::FUNCTIONS,
    dicts::FUNCTIONS,
    encoding::FUNCTIONS,
    flow::FUNCTIONS,
    json::FUNCTIONS,
    kalypso::FUNCTIONS,
    lists::FUNCTIONS,
    numbers::FUNCTIONS,
    path::FUNCTIONS,
    reflection::FUNCTIONS,
    regex::FUNCTIONS,
    semver::FUNCTIONS,
    string_lists::FUNCTIONS,
    strings::FUNCTIONS,
    url::FUNCTIONS,
    words::FUNCTIONS,
];

const REFUSED: &[&[(&str, &str)]] = &[
    conversion::REFUSED,
    crypto::REFUSED,
    dates::REFUSED,
    defaults::REFUSED,
    dicts::REFUSED,
    flow::REFUSED,
    lists::REFUSED,
    numbers::REFUSED,
    strings::REFUSED,
    MACHINE,
];

const MACHINE: &[(&str, &str)] = &[
    ("env", "gives another result on another machine"),
    ("expandenv", "gives another result on another machine"),
    ("getHostByName", "asks the network"),
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> =
    LazyLock::new(|| SUPPORTED.iter().copied().flatten().map(|function| (function.name, function)).collect());

/// The function of this name.
pub fn lookup(name: &str) -> Option<&'static Function> {
    BY_NAME.get(name).copied()
}

/// Why the function of this name, which sprig has, is refused here.
pub fn refused(name: &str) -> Option<&'static str> {
    REFUSED.iter().copied().flatten().find(|(refused, _)| *refused == name).map(|(_, reason)| *reason)
}

/// Every name that sprig v2.22.0 or Kalypso defines, supported or refused, sorted.
pub fn names() -> Vec<&'static str> {
    let supported = SUPPORTED.iter().copied().flatten().map(|function| function.name);
    let refused = REFUSED.iter().copied().flatten().map(|(name, _)| *name);
    let mut names: Vec<_> = supported.chain(refused).collect();
    names.sort_unstable();
    names
}
