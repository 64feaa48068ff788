//! What every mode takes: where a control plane is read from, and as whom.

use std::path::PathBuf;

use clap::Args;

/// Where a control plane is read from.
#[derive(Debug, Args)]
pub(crate) struct PlaneArgs {
    /// The environment [default: to promote, the first one; to schedule in an Action, the one whose branch runs]
    #[arg(long, value_name = "NAME", value_parser = environment)]
    pub(crate) environment: Option<String>,

    /// Folder with the content of the environment's branch [default: the workspace in an Action, else .]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) control_plane: Option<PathBuf>,

    /// Read this branch or commit of the folder's repository instead of its files
    #[arg(long, value_name = "REF")]
    pub(crate) control_plane_ref: Option<String>,

    /// Read this repository from a folder; once for each repository
    #[arg(long = "repo", value_name = "URL=FOLDER", value_parser = repo_folder)]
    pub(crate) repos: Vec<RepoFolder>,
}

/// Who reads and writes repositories, and how.
#[derive(Debug, Args)]
pub(crate) struct AccessArgs {
    /// The control plane's repository: OWNER/NAME [default: GITHUB_REPOSITORY, else the folder's origin]
    #[arg(long, value_name = "OWNER/NAME", value_parser = repository)]
    pub(crate) control_plane_repo: Option<String>,

    /// Token for the control plane's repository
    #[arg(long, value_name = "TOKEN")]
    pub(crate) github_token: Option<Secret>,

    /// Token for the GitOps repositories, or lines URL-PREFIX=TOKEN [default: --github-token]
    #[arg(long, value_name = "TOKEN")]
    pub(crate) gitops_token: Option<Secret>,

    /// Tokens for the repositories of applications and bases: lines URL-PREFIX=TOKEN
    #[arg(long, value_name = "LINES")]
    pub(crate) repo_tokens: Option<Secret>,

    /// A GitHub App that makes the tokens
    #[arg(long, value_name = "ID", requires = "app_private_key")]
    pub(crate) app_id: Option<String>,

    /// The App's private key, as PEM text
    #[arg(long, value_name = "PEM", requires = "app_id")]
    pub(crate) app_private_key: Option<Secret>,

    /// More certificates to trust, as a PEM file
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,

    /// Make no request at all: what no folder is given for cannot be read
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) offline: bool,
}

/// A text that must not be seen.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret(text.trim().to_owned())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// A repository that is read from a folder.
#[derive(Clone, Debug)]
pub(crate) struct RepoFolder {
    pub(crate) url: String,
    pub(crate) folder: PathBuf,
}

fn repo_folder(text: &str) -> Result<RepoFolder, String> {
    match text.split_once('=') {
        Some((url, folder)) if !url.is_empty() && !folder.is_empty() => {
            Ok(RepoFolder { url: url.trim().to_owned(), folder: folder.trim().into() })
        }
        _ => Err("write URL=FOLDER, such as https://github.com/contoso/app=../app".to_owned()),
    }
}

fn repository(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('/').collect();
    let is_name = |part: &&str| {
        !part.is_empty()
            && !matches!(*part, "." | "..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match parts.len() == 2 && parts.iter().all(is_name) {
        true => Ok(text.to_owned()),
        false => Err("write OWNER/NAME, such as contoso/control-plane".to_owned()),
    }
}

/// The name of an environment, or why it can be none.
pub(super) fn environment(name: &str) -> Result<String, String> {
    match fleet::labels::name_error(name) {
        None => Ok(name.to_owned()),
        Some(problem) => Err(problem),
    }
}
