//! The repository that a folder belongs to.

use std::path::Path;

use fleet::RepoPath;

use super::objects::{Coverage, Objects, sentence};
use super::url::without_user;
use super::{CommitId, GitError, GitProblem};

/// A repository on disk: a checkout, however it was made.
#[derive(Debug)]
pub(crate) struct Workspace {
    repository: gix::ThreadSafeRepository,
    objects: Objects,
}

impl Workspace {
    /// The repository that a folder belongs to, if there is one.
    ///
    /// In a container the checkout belongs to another user. It is trusted nevertheless: nothing of it is ever
    /// executed, and no configuration but its own is read.
    pub(crate) fn discover(folder: &Path) -> Result<Option<Workspace>, GitError> {
        let unusable = |why: String| GitError {
            repository: folder.display().to_string(),
            problem: GitProblem::Unusable(why),
        };
        let upwards = gix::discover::upwards::Options {
            trust: gix::discover::upwards::TrustPolicy::Assume(gix::sec::Trust::Full),
            ..Default::default()
        };
        let options = gix::open::Options::isolated().filter_config_section(|_| true);
        let options = gix::sec::trust::Mapping { full: options.clone(), reduced: options };
        let repository = match gix::ThreadSafeRepository::discover_opts(folder, upwards, options) {
            Ok(repository) => repository,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(unusable(sentence(&error))),
        };
        let local = repository.to_thread_local();
        let config = local.config_snapshot();
        let is_partial = config.boolean("remote.origin.promisor") == Some(true)
            || config.string("extensions.partialClone").is_some();
        let coverage = if is_partial { Coverage::Partial } else { Coverage::Full };
        let path = local.objects.store_ref().path().to_owned();
        let objects = Objects::open(folder.display().to_string(), &path, coverage, None)?;
        Ok(Some(Workspace { repository, objects }))
    }

    /// Its objects.
    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Where a folder of the checkout is inside the repository.
    pub(crate) fn path_of(&self, folder: &Path) -> Option<RepoPath> {
        let root = self.repository.work_dir()?.canonicalize().ok()?;
        let inside = folder.canonicalize().ok()?;
        RepoPath::new(inside.strip_prefix(root).ok()?.to_str()?).ok()
    }

    /// The commit of this full name, or of a branch as `origin` had it, a local branch or a tag, if it is here.
    pub(crate) fn find(&self, name: &str) -> Option<CommitId> {
        let commit = CommitId::new(name).or_else(|| {
            let local = self.repository.to_thread_local();
            let places = ["refs/remotes/origin/", "refs/heads/", "refs/tags/"];
            places.iter().find_map(|place| {
                let mut found = local.try_find_reference(&*format!("{place}{name}")).ok()??;
                found.peel_to_id().ok().map(|id| CommitId(id.detach()))
            })
        });
        commit.filter(|commit| self.objects.contains(*commit))
    }

    /// The URL of its `origin`, without credentials.
    pub(crate) fn remote_url(&self) -> Option<String> {
        let url =
            self.repository.to_thread_local().config_snapshot().string("remote.origin.url")?.to_string();
        Some(::url::Url::parse(&url).map_or(url, |url| without_user(url).to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::world::git::trial::{git, repository};

    #[test]
    fn names() {
        let folder = repository();
        let at = folder.path();
        let first = git(at, &["rev-parse", "HEAD"]);
        git(at, &["tag", "-a", "v1", "-m", "x"]);
        git(at, &["commit", "-q", "--allow-empty", "-m", "second"]);
        let second = git(at, &["rev-parse", "HEAD"]);
        git(at, &["update-ref", "refs/remotes/origin/main", &first]);
        git(at, &["update-ref", "refs/heads/team/dev", &second]);
        let cases = [
            ("main", Some(&first), "as origin had it, before the local one"),
            ("team/dev", Some(&second), "a local branch"),
            ("v1", Some(&first), "a tag leads to its commit"),
            (&second, Some(&second), "a full name"),
            (&second[..10], None, "a shortened one"),
            ("HEAD", None, "no branch"),
            ("main~1", None, "an expression"),
            ("../../config", None, "a file"),
            ("1111111111111111111111111111111111111111", None, "not there"),
        ];
        let workspace = Workspace::discover(at).unwrap().unwrap();
        for (name, want, why) in cases {
            assert_eq!(workspace.find(name).map(|id| id.to_string()).as_ref(), want, "{name}: {why}");
        }
    }

    #[test]
    fn folders() {
        let folder = repository();
        let sub = folder.path().join("a/b");
        fs::create_dir_all(&sub).unwrap();
        let workspace = Workspace::discover(&sub).unwrap().unwrap();
        assert_eq!(workspace.path_of(&sub).as_ref().map(RepoPath::as_str), Some("a/b"));
        assert_eq!(workspace.path_of(folder.path()).as_ref().map(RepoPath::as_str), Some(""));
        assert_eq!(workspace.path_of(Path::new("/")), None, "outside");
        let plain = tempfile::tempdir().unwrap();
        assert!(Workspace::discover(plain.path()).unwrap().is_none());
    }

    #[test]
    fn every_form_of_a_repository() {
        let folder = repository();
        let at = folder.path();
        git(at, &["commit", "-q", "--allow-empty", "-m", "second"]);
        let others = tempfile::tempdir().unwrap();
        let place = |name: &str| others.path().join(name);
        let text = |name: &str| place(name).to_str().unwrap().to_owned();
        let url = format!("file://{}", at.display());
        git(at, &["config", "uploadpack.allowFilter", "true"]);
        git(at, &["clone", "-q", "--bare", ".", &text("bare")]);
        git(at, &["clone", "-q", "--depth", "1", &url, &text("shallow")]);
        git(at, &["clone", "-q", "--shared", ".", &text("shared")]);
        git(at, &["worktree", "add", "-q", "--detach", &text("worktree")]);
        for name in ["bare", "shallow", "shared", "worktree"] {
            let workspace = Workspace::discover(&place(name)).unwrap().unwrap();
            let head = workspace.find("main").unwrap_or_else(|| panic!("{name}"));
            assert_eq!(workspace.objects().tree(head).unwrap().files.len(), 1, "{name}");
        }
        git(at, &["clone", "-q", "--no-checkout", "--filter=blob:none", &url, &text("partial")]);
        let workspace = Workspace::discover(&place("partial")).unwrap().unwrap();
        assert_eq!(workspace.find("main"), None, "its files are not there");
        git(&place("partial"), &["checkout", "-q", "main"]);
        assert!(Workspace::discover(&place("partial")).unwrap().unwrap().find("main").is_some());
    }

    #[test]
    fn origin() {
        let folder = repository();
        let cases = [
            ("https://x-access-token:canary@github.com/o/r", "https://github.com/o/r"),
            ("git@github.com:o/r.git", "git@github.com:o/r.git"),
        ];
        assert_eq!(Workspace::discover(folder.path()).unwrap().unwrap().remote_url(), None);
        for (url, want) in cases {
            git(folder.path(), &["config", "remote.origin.url", url]);
            let workspace = Workspace::discover(folder.path()).unwrap().unwrap();
            assert_eq!(workspace.remote_url().as_deref(), Some(want));
        }
    }

    #[test]
    #[cfg(unix)]
    fn of_another_user() {
        let folder = repository();
        // Only root can give files away.
        if std::os::unix::fs::chown(folder.path().join(".git"), Some(12345), Some(12345)).is_err() {
            return;
        }
        std::os::unix::fs::chown(folder.path(), Some(12345), Some(12345)).unwrap();
        git_config_of_another(folder.path());
        let workspace = Workspace::discover(folder.path()).unwrap().unwrap();
        assert!(workspace.find("main").is_some());
        assert_eq!(
            workspace.remote_url().as_deref(),
            Some("https://github.com/o/r"),
            "its configuration counts"
        );
    }

    #[cfg(unix)]
    fn git_config_of_another(at: &Path) {
        let path = at.join(".git/config");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text + "[remote \"origin\"]\n\turl = https://github.com/o/r\n").unwrap();
        std::os::unix::fs::chown(&path, Some(12345), Some(12345)).unwrap();
    }
}
