//! A repository on the GitHub server.

use std::cmp::Ordering;
use std::fmt;

use url::Url;

/// Owner and name of a repository. GitHub does not tell capital letters apart.
#[derive(Clone, Debug)]
pub(crate) struct Repo {
    /// The user or organisation
    pub(crate) owner: String,
    /// The repository's own name
    pub(crate) name: String,
}

impl Repo {
    /// Reads `owner/name`.
    pub(crate) fn new(text: &str) -> Option<Repo> {
        let (owner, name) = text.split_once('/')?;
        (is_name(owner) && is_name(name)).then(|| Repo { owner: owner.to_owned(), name: name.to_owned() })
    }

    /// The repository that `url` names, if it is on `server`.
    pub(crate) fn at(url: &Url, server: &Url) -> Option<Repo> {
        if url.origin() != server.origin() {
            return None;
        }
        let path = url.path().trim_matches('/');
        Repo::new(path.strip_suffix(".git").unwrap_or(path))
    }

    /// Where people find it on `server`.
    pub(crate) fn url(&self, server: &Url) -> Url {
        let mut url = server.clone();
        url.set_path(&format!("/{}/{}", self.owner, self.name));
        url
    }
}

impl Repo {
    fn key(&self) -> (String, String) {
        (self.owner.to_ascii_lowercase(), self.name.to_ascii_lowercase())
    }
}

impl PartialEq for Repo {
    fn eq(&self, other: &Repo) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Repo {}

impl PartialOrd for Repo {
    fn partial_cmp(&self, other: &Repo) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Repo {
    fn cmp(&self, other: &Repo) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

fn is_name(text: &str) -> bool {
    let usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !matches!(text, "" | "." | "..") && text.chars().all(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let server = Url::parse("https://github.com").unwrap();
        for (url, want, why) in [
            ("https://github.com/contoso/app", Some("contoso/app"), "the plain form"),
            ("https://github.com/contoso/app.git", Some("contoso/app"), "git's form"),
            ("https://github.com/contoso/app/", Some("contoso/app"), "a final slash"),
            ("https://github.com:443/contoso/app", Some("contoso/app"), "the usual port"),
            ("https://github.com/contoso/.github", Some("contoso/.github"), "a leading dot"),
            ("https://github.com/contoso", None, "an owner alone"),
            ("https://github.com/contoso/app/tree/main", None, "a page"),
            ("https://github.com/contoso/a%2Fb", None, "an escape"),
            ("https://github.com/contoso/..git", None, "no name"),
            ("https://github.com.evil.com/contoso/app", None, "another host"),
            ("http://github.com/contoso/app", None, "another scheme"),
            ("https://gitlab.com/contoso/app", None, "another server"),
        ] {
            let got = Repo::at(&Url::parse(url).unwrap(), &server).map(|repo| repo.to_string());
            assert_eq!(got.as_deref(), want, "{url}: {why}");
        }
    }
}
