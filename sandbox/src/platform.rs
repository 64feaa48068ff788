//! The example platform, in a sandbox.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::azure::{Configuration, Job, Life, TENANT};
use crate::repository::Repository;
use crate::sandbox::Sandbox;
use crate::state::Visibility;
use crate::tokens::{Access, Level, Scope};

/// The token of Ada, who may write everywhere.
const ADA: &str = "github_pat_ada";

/// The host that the examples name, and for which the sandbox stands.
const GITHUB: &str = "https://github.com";
/// The workflow's own token, in jobs of the control plane.
const WORKFLOW: &str = "ghs_workflow";
/// A token that reads the applications.
const APPLICATIONS: &str = "github_pat_applications";
/// A token that writes the GitOps repository.
const GITOPS: &str = "github_pat_gitops";
/// The application of Azure that the control plane's jobs are.
const CLIENT: &str = "11111111-2222-3333-4444-555555555555";

/// What `main` gets when `hello-world-app` is registered.
const APPLICATION: [&str; 2] = ["workloads/hello-world-app.yaml", "config/hello-world-app-config.yaml"];

/// Clusters with Flux: name, environment, cluster type.
const CLUSTERS: [(&str, &str, &str); 5] = [
    ("center-1", "dev", "command-center"),
    ("drone-1", "dev", "drone"),
    ("drone-2", "dev", "drone"),
    ("drone-3", "stage", "drone"),
    ("drone-4", "stage", "drone"),
];

/// The cluster that applies later than others what it has fetched.
const SLOW: &str = "drone-2";
/// How long that takes it.
const SLOWNESS: Duration = Duration::from_secs(6);

/// How far the example platform is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chapter {
    /// Only the platform's own services are registered.
    BeforeTheApplication,
    /// Everything is there.
    Whole,
}

/// What makes a shell's git Ada's, and functions for what she does on GitHub's pages.
const SHELL: &str = r#"
export GIT_AUTHOR_NAME=ada GIT_AUTHOR_EMAIL=ada@contoso.example
export GIT_COMMITTER_NAME=ada GIT_COMMITTER_EMAIL=ada@contoso.example
export GIT_CONFIG_COUNT=2
export GIT_CONFIG_KEY_0="url.http://ada:$ADA@${GITHUB_SERVER_URL#http://}/.insteadOf"
export GIT_CONFIG_VALUE_0="$GITHUB_SERVER_URL/"
export GIT_CONFIG_KEY_1=commit.gpgSign GIT_CONFIG_VALUE_1=false
github() { curl -sSf -H "Authorization: Bearer $ADA" -H 'X-GitHub-Api-Version: 2022-11-28' "$@"; }
merge() {
  github -X PUT -o /dev/null "$GITHUB_API_URL/repos/contoso/gitops/pulls/$1/merge" && echo "merged #$1"
}
statuses() {
  github "$GITHUB_API_URL/repos/contoso/control-plane/commits/$1/statuses" |
    grep -oE '"(context|description|state)":"[^"]*"' | cut -d '"' -f 4 | paste -d '|' - - -
}
"#;

/// The repositories of the example platform.
pub struct Platform {
    /// `contoso/control-plane`: branch `main` with the base, branches `dev` and `stage` with the environments.
    pub control_plane: Repository,
    /// `contoso/applications`: the workloads, on `main`.
    pub applications: Repository,
    /// `contoso/gitops`: what the clusters get, on `dev` and `stage`.
    pub gitops: Repository,
    variables: Vec<(String, String)>,
}

/// Puts the repository's examples in place, as the README there has them, with clusters that follow them.
///
/// Wherever they name GitHub they name the sandbox then, and the base is pinned at its commit.
pub fn create(sandbox: &Sandbox, chapter: Chapter) -> Result<Platform> {
    let examples = Examples { url: sandbox.url() };
    let private = |name: &str| sandbox.create_repository(name, Visibility::Private);
    let control_plane = private("contoso/control-plane")?;
    let applications = private("contoso/applications")?;
    let gitops = private("contoso/gitops")?;

    let mut base = examples.read("base")?;
    if chapter == Chapter::BeforeTheApplication {
        base.retain(|(path, _)| !APPLICATION.contains(&path.as_str()));
    }
    base.extend(examples.workflows("control-plane/main")?);
    let message = "The example platform";
    let base = commit(&control_plane, "main", &base, message)?;
    for (environment, folder) in [("dev", "control-plane"), ("stage", "stage")] {
        let mut files = examples.read(folder)?;
        files.iter_mut().for_each(|(_, text)| *text = pinned(text, &base));
        files.extend(examples.workflows(&format!("control-plane/{environment}"))?);
        commit(&control_plane, environment, &files, message)?;
        let mut files = examples.workflows("gitops")?;
        let own = [
            ("README.md", "# What runs where\n\nWritten by pull requests only.\n"),
            (".github/CODEOWNERS", "* @contoso/platform-team\n"),
        ];
        files.extend(own.map(|(path, text)| (path.to_owned(), text.to_owned())));
        commit(&gitops, environment, &files, "First commit")?;
    }
    commit(&applications, "main", &examples.read("applications")?, message)?;
    gitops.set_default_branch("dev")?;

    sandbox.token(WORKFLOW, Access::write("contoso/control-plane").with(Scope::Issues, Level::None));
    sandbox.token(APPLICATIONS, Access::read("contoso/applications").named("contoso-robot"));
    sandbox.token(GITOPS, Access::write("contoso/gitops").named("contoso-robot"));
    sandbox.token(ADA, Access::write_all_of("contoso").named("ada"));
    connect(sandbox, &gitops);
    Ok(Platform { control_plane, applications, gitops, variables: variables(sandbox) })
}

impl Platform {
    /// What leads `kalypso` here, and lets it do what the control plane's workflows may.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// What a shell reads to be here: this binary finds everything, and git is Ada's.
    pub fn exports(&self, kalypso: &Path) -> String {
        let quoted = |value: &str| format!("'{}'", value.replace('\'', r"'\''"));
        let line = |(name, value): &(String, String)| format!("export {name}={}\n", quoted(value));
        let variables: String = self.variables.iter().map(line).collect();
        let folder = kalypso.parent().unwrap_or(kalypso).display().to_string();
        format!("{variables}export PATH={}:\"$PATH\"\nexport ADA={ADA}\n{SHELL}", quoted(&folder))
    }
}

/// The Flux configuration of a cluster, which follows the GitOps branch of its environment.
pub fn configuration(sandbox: &Sandbox, cluster: &str) -> Configuration {
    let (_, environment, _) = CLUSTERS.iter().find(|(name, ..)| *name == cluster).unwrap_or(&CLUSTERS[0]);
    sandbox.azure().subscription("edge").arc(cluster).configuration(&format!("gitops-{environment}"))
}

/// How a cluster fares unless told otherwise: so slow that one sees it.
pub fn life() -> Life {
    Life::default().syncs_after(Duration::from_secs(1)).applies_after(Duration::from_secs(2))
}

/// Has clusters follow the GitOps branches, and the control plane's jobs see them.
fn connect(sandbox: &Sandbox, gitops: &Repository) {
    let azure = sandbox.azure();
    azure.job(Job::new("contoso/control-plane", "main"));
    if let Some(subject) = azure.subject() {
        azure.application(CLIENT).trusts(&subject);
    }
    for (cluster, environment, cluster_type) in CLUSTERS {
        let follows = configuration(sandbox, cluster).follows(gitops, environment);
        let life = if cluster == SLOW { life().applies_after(SLOWNESS) } else { life() };
        follows.kustomization(cluster_type, &format!("./{cluster_type}")).live(life);
    }
}

fn variables(sandbox: &Sandbox) -> Vec<(String, String)> {
    let url = sandbox.url();
    let mut variables = vec![
        ("GITHUB_SERVER_URL", url.clone()),
        ("GITHUB_API_URL", sandbox.api_url()),
        ("GITHUB_GRAPHQL_URL", sandbox.graphql_url()),
        ("GITHUB_REPOSITORY", "contoso/control-plane".to_owned()),
        ("INPUT_GITHUB_TOKEN", WORKFLOW.to_owned()),
        ("INPUT_GITOPS_TOKEN", GITOPS.to_owned()),
        ("INPUT_REPO_TOKENS", format!("{url}/contoso/applications={APPLICATIONS}")),
        ("INPUT_AZURE_TENANT_ID", TENANT.to_owned()),
        ("INPUT_AZURE_CLIENT_ID", CLIENT.to_owned()),
        ("INPUT_POLL_INTERVAL", "1s".to_owned()),
    ];
    // A shell cannot set a name with `-`; and what trusts the sandbox's authority shall trust others, too.
    let shell = |name| match name {
        "SSL_CERT_FILE" => "INPUT_CA_BUNDLE",
        "INPUT_AZURE-RESOURCE-MANAGER-URL" => "INPUT_AZURE_RESOURCE_MANAGER_URL",
        other => other,
    };
    variables.extend(sandbox.azure().environment().into_iter().map(|(name, value)| (shell(name), value)));
    variables.extend(["NO_PROXY", "no_proxy"].map(|name| (name, "127.0.0.1".to_owned())));
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The folders `examples/` and `templates/`, for a sandbox.
struct Examples {
    url: String,
}

impl Examples {
    /// The files of one of its folders: path and text.
    fn read(&self, folder: &str) -> Result<Vec<(String, String)>> {
        self.files(&format!("examples/{folder}"))
    }

    /// The workflows of a branch, which are those that everybody starts with. Nobody runs them here.
    fn workflows(&self, branch: &str) -> Result<Vec<(String, String)>> {
        let mut files = self.files(&format!("templates/{branch}"))?;
        files.retain(|(path, _)| path.starts_with(".github/"));
        Ok(files)
    }

    fn files(&self, folder: &str) -> Result<Vec<(String, String)>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
        let mut files = Vec::new();
        collect(&folder, &mut files)?;
        let read = |file: &PathBuf| {
            let path = file.strip_prefix(&folder)?.to_str().context("a path that is not UTF-8")?;
            Ok((path.to_owned(), std::fs::read_to_string(file)?.replace(GITHUB, &self.url)))
        };
        files.iter().map(read).collect()
    }
}

/// A pointer to the base, with this commit.
fn pinned(text: &str, base: &str) -> String {
    match text.split_once("\n  commit: ") {
        Some((head, rest)) => {
            let rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
            format!("{head}\n  commit: {base}\n{rest}")
        }
        None => text.to_owned(),
    }
}

/// Commits files as they are.
fn commit(
    repository: &Repository,
    branch: &str,
    files: &[(String, String)],
    message: &str,
) -> Result<String> {
    let entries: Vec<(&str, Option<&str>)> =
        files.iter().map(|(path, text)| (path.as_str(), Some(text.as_str()))).collect();
    repository.commit(branch, &entries, message)
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
