//! Repositories that are read from folders.

use std::path::Path;

use fleet::RepoRef;

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

    /// The folder that a pointer names, or why it cannot be used; nothing if none is given for its repository.
    pub(crate) fn folder(&self, RepoRef { repo, path, .. }: &RepoRef) -> Option<Result<Folder, String>> {
        let wanted = comparable(repo);
        let (_, folder) = self.0.iter().find(|(url, _)| *url == wanted)?;
        if let Some(link) = link_on_the_way(folder.path(), path.as_str()) {
            return Some(Err(format!("`{link}` is a symbolic link, which is not followed")));
        }
        let absent = || format!("{} has no folder `{path}`", folder.path().display());
        Some(folder.inside(path.as_str()).ok_or_else(absent))
    }

    /// All folders.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Folder> {
        self.0.iter().map(|(_, folder)| folder)
    }
}

/// Two spellings of one repository compare equal: scheme, user, `.git` and a final `/` do not count.
pub(crate) fn comparable(url: &str) -> String {
    let url = url.trim().trim_end_matches('/').trim_end_matches(".git");
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or(host);
    format!("{host}/{path}").replace(':', "/").to_lowercase()
}

/// The first part of `path` that is a symbolic link.
fn link_on_the_way<'p>(folder: &Path, path: &'p str) -> Option<&'p str> {
    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
    ends.map(|end| &path[..end]).find(|part| folder.join(part).is_symlink() && !part.is_empty())
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
