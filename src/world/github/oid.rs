//! Names of git's objects, as GitHub writes them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The full hexadecimal name of a commit, tree or blob.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String")]
pub(crate) struct Oid(String);

impl Oid {
    /// Takes 40 or 64 hexadecimal digits.
    pub(crate) fn new(text: &str) -> Option<Oid> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (digits && matches!(text.len(), 40 | 64)).then(|| Oid(text.to_ascii_lowercase()))
    }

    /// The digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<fleet::ObjectId> for Oid {
    fn from(id: fleet::ObjectId) -> Oid {
        Oid(id.to_string())
    }
}

impl TryFrom<String> for Oid {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Oid, &'static str> {
        Oid::new(&text).ok_or("not the full hexadecimal name of an object")
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
