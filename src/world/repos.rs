//! Repositories that are read from folders.

use std::path::Path;

use fleet::{RepoPath, RepoRef, Source};

use super::folder::Folder;
use crate::cli::RepoFolder;
use crate::exit::Failure;

/// Folders by the repository that they stand for.
#[derive(Debug)]
pub(crate) struct Repos(Vec<(String, Folder)>);

impl Repos {
    /// The repositories of the `--repo` flags; each folder must exist.
    pub(crate) fn new(repos: &[RepoFolder]) -> Result<Repos, Failure> {
        let known = |repo: &RepoFolder| {
            Ok((comparable(&repo.url), Folder::new(&repo.folder, &format!("--repo {}=", repo.url))?))
        };
        Ok(Repos(repos.iter().map(known).collect::<Result<_, Failure>>()?))
    }

    /// The folder that a pointer names, or why there is none.
    pub(crate) fn read(&self, at: &RepoRef) -> Result<Source, String> {
        let wanted = comparable(&at.repo);
        let Some((_, folder)) = self.0.iter().find(|(url, _)| *url == wanted) else {
            return Err("no folder is given for it".to_owned());
        };
        let path = RepoPath::new(&at.path)?;
        if !folder.path().join(path.as_str()).is_dir() {
            return Err(format!("{} has no folder `{path}`", folder.path().display()));
        }
        let prefix = shown(&folder.path().join(path.as_str()));
        folder.source(path.as_str(), &prefix).map_err(|failure| failure.reason())
    }
}

/// Two spellings of one repository compare equal: scheme, user, `.git` and a final `/` do not count.
fn comparable(url: &str) -> String {
    let url = url.trim().trim_end_matches('/').trim_end_matches(".git");
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or(host);
    format!("{host}/{path}").replace(':', "/").to_lowercase()
}

/// A folder as the beginning of the paths in it.
fn shown(folder: &Path) -> String {
    let text = folder.display().to_string();
    if text.is_empty() || text.ends_with('/') { text } else { text + "/" }
}

#[cfg(test)]
mod tests {
    use super::comparable;

    #[test]
    fn spellings() {
        let want = "github.com/contoso/app";
        for url in [
            "https://github.com/contoso/app",
            "https://github.com/Contoso/App.git",
            "https://user@github.com/contoso/app/",
            "git@github.com:contoso/app.git",
            "ssh://git@github.com/contoso/app",
        ] {
            assert_eq!(comparable(url), want, "{url}");
        }
        assert_ne!(comparable("https://github.com/contoso/app2"), want);
    }
}
