//! Paths inside a repository.

use std::fmt;

/// A folder inside a repository: relative, `/` between the parts, never leaving it; the root is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(String);

impl RepoPath {
    /// Reads what people write: `.`, `./apps`, `apps/`, `/apps`. A part `..` is refused.
    pub fn new(text: &str) -> Result<RepoPath, String> {
        let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        let is_refused = |part: &&&str| {
            matches!(**part, "..") || part.eq_ignore_ascii_case(".git") || part.contains(['\\', '\0'])
        };
        match parts.iter().find(is_refused) {
            Some(part) => Err(format!(
                "path `{text}` must stay inside the repository, without `{}`",
                part.escape_debug()
            )),
            None => Ok(RepoPath(parts.join("/"))),
        }
    }

    /// Without a leading or trailing `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `other` is a folder below this one.
    pub fn covers(&self, other: &RepoPath) -> bool {
        self != other && self.strip(&other.0).is_some()
    }

    /// `path` inside this folder.
    pub fn join(&self, path: &str) -> String {
        if self.is_root() { path.to_owned() } else { format!("{}/{path}", self.0) }
    }

    /// What `path` is inside this folder, if it is below it.
    pub fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.is_root() { Some(path) } else { path.strip_prefix(&self.0)?.strip_prefix('/') }
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let cases = [
            (".", Ok("")),
            ("./", Ok("")),
            ("", Ok("")),
            ("./apps/x/", Ok("apps/x")),
            ("/apps", Ok("apps")),
            ("a//b", Ok("a/b")),
            ("../x", Err(())),
            ("a/../../b", Err(())),
            ("a\\..\\b", Err(())),
            (".git/hooks", Err(())),
        ];
        for (text, want) in cases {
            let got = RepoPath::new(text);
            assert_eq!(got.as_ref().map(RepoPath::as_str).map_err(|_| ()), want, "{text}");
        }
        let apps = RepoPath::new("apps").unwrap();
        assert_eq!(apps.join("x/y"), "apps/x/y");
        assert_eq!(apps.strip("apps/x"), Some("x"));
        assert_eq!(apps.strip("applications/x"), None, "a whole part, not a beginning");
    }
}
