//! The example platform, in a sandbox.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::repository::Repository;
use crate::sandbox::Sandbox;
use crate::state::Visibility;

/// The host that the examples name, and for which the sandbox stands.
const GITHUB: &str = "https://github.com";

/// The repositories of the example platform.
pub struct Platform {
    /// `contoso/control-plane`: branch `main` with the base, branch `dev` with the environment.
    pub control_plane: Repository,
    /// `contoso/applications`: the workloads, on `main`.
    pub applications: Repository,
    /// `contoso/gitops`: what the clusters get, on `dev`.
    pub gitops: Repository,
}

/// Puts the repository's examples in place, as the README there has them.
///
/// Wherever they name GitHub they name the sandbox then, and the base is pinned at its commit.
pub fn create(sandbox: &Sandbox) -> Result<Platform> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let private = |name: &str| sandbox.create_repository(name, Visibility::Private);
    let control_plane = private("contoso/control-plane")?;
    let applications = private("contoso/applications")?;
    let gitops = private("contoso/gitops")?;

    let here = sandbox.url();
    let rewrite = |text: String| text.replace(GITHUB, &here);
    let base = commit(&control_plane, "main", &examples.join("base"), rewrite)?;
    let pin = |text: String| match text.split_once("\n  commit: ") {
        Some((head, rest)) => {
            let rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
            rewrite(format!("{head}\n  commit: {base}\n{rest}"))
        }
        None => rewrite(text),
    };
    commit(&control_plane, "dev", &examples.join("control-plane"), pin)?;
    commit(&applications, "main", &examples.join("applications"), rewrite)?;
    let files = [
        ("README.md", Some("# What runs where\n\nWritten by pull requests only.\n")),
        (".github/CODEOWNERS", Some("* @contoso/platform-team\n")),
    ];
    gitops.commit("dev", &files, "First commit")?;
    gitops.set_default_branch("dev")?;
    Ok(Platform { control_plane, applications, gitops })
}

/// Commits a folder as the content of a branch.
fn commit(
    repository: &Repository,
    branch: &str,
    folder: &Path,
    rewrite: impl Fn(String) -> String,
) -> Result<String> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    let texts = files
        .iter()
        .map(|file| {
            let path = file.strip_prefix(folder)?.to_str().context("a path that is not UTF-8")?;
            Ok((path, rewrite(std::fs::read_to_string(file)?)))
        })
        .collect::<Result<Vec<(&str, String)>>>()?;
    let entries: Vec<(&str, Option<&str>)> =
        texts.iter().map(|(path, text)| (*path, Some(text.as_str()))).collect();
    repository.commit(branch, &entries, "The example platform")
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => collect(&entry.path(), files)?,
            false => files.push(entry.path()),
        }
    }
    Ok(())
}
