//! A platform in the sandbox, made from a golden case, and runs of the binary in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kalypso_sandbox::{Access, Kind, Repository, Request, Sandbox, Visibility};

/// What the URLs of golden cases begin with; the sandbox stands for it.
const GITHUB: &str = "https://github.com";
/// The one token for reading control plane and applications.
pub(crate) const READER: &str = "ghp_canary_of_the_reader";
/// The token for the GitOps repository.
pub(crate) const WRITER: &str = "ghp_canary_of_the_writer";
/// Where a GitOps branch tells the promoted commit.
pub(crate) const TRACKED: &str = ".github/tracking/Promoted_Commit_Id";
/// The repository that declares the environments.
pub(crate) const CONTROL_PLANE: &str = "contoso/control-plane";
const GITOPS_REPO: &str = "kind: GitOpsRepo";

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Repositories as a golden case has them as folders.
pub(crate) struct Platform {
    pub(crate) sandbox: Sandbox,
    pub(crate) control_plane: Repository,
    pub(crate) gitops: Repository,
    /// The environment that the case is about, which is also the name of its branches
    pub(crate) environment: String,
    /// What is on the control plane's `main` besides what a case has there
    besides: Files,
    folder: tempfile::TempDir,
}

/// How a run went.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    /// Without the commands that mask
    pub(crate) stderr: String,
    /// What the runner was told to hide
    pub(crate) masks: BTreeSet<String>,
    /// `GITHUB_OUTPUT`
    pub(crate) outputs: BTreeMap<String, String>,
    /// `GITHUB_STEP_SUMMARY`
    pub(crate) summary: String,
    /// The JSON report, if one was written
    pub(crate) report: Option<serde_json::Value>,
    /// What was asked of the sandbox
    pub(crate) requests: Vec<Request>,
}

/// What the runner was told to hide in a log, and the log without it.
pub(crate) fn told_to_hide(log: &str) -> (BTreeSet<String>, String) {
    let mask = "::add-mask::";
    let (masks, rest): (Vec<&str>, Vec<&str>) =
        log.split_inclusive('\n').partition(|line| line.starts_with(mask));
    (masks.iter().map(|line| line[mask.len()..].trim_end().to_owned()).collect(), rest.concat())
}

/// A case of `tests/golden`.
pub(crate) struct Case {
    pub(crate) folder: PathBuf,
    arguments: Vec<String>,
}

impl Case {
    pub(crate) fn new(name: &str) -> Case {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        let arguments = fs::read_to_string(folder.join("arguments")).expect("the case's arguments");
        Case { folder, arguments: arguments.lines().map(str::to_owned).collect() }
    }

    /// Arguments without the dashes, each with its value.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = (&str, &str)> {
        self.arguments.iter().map(|line| line[2..].split_once('=').unwrap_or((&line[2..], "true")))
    }

    pub(crate) fn environment(&self) -> String {
        let mut named = self.arguments().filter(|(name, _)| *name == "environment");
        named.next().expect("an environment").1.to_owned()
    }

    /// What `--repo` names: repositories and their files.
    fn repositories(&self) -> impl Iterator<Item = (String, Files)> {
        let repos = self.arguments().filter(|(name, _)| *name == "repo");
        repos.map(|(_, repo)| {
            let (url, folder) = repo.split_once('=').expect("a URL and a folder");
            let name =
                url.strip_prefix("git@github.com:").or_else(|| url.strip_prefix("https://github.com/"));
            let name = name.expect("a repository on GitHub").trim_end_matches(".git");
            (name.to_owned(), files_below(&self.folder.join(folder)))
        })
    }

    /// The environment's branch. Where no GitOpsRepo says where manifests go, as offline, one does.
    pub(crate) fn control_plane(&self) -> Files {
        let mut files = files_below(&self.folder.join("control-plane"));
        let names_one =
            |bytes: &Vec<u8>| bytes.windows(GITOPS_REPO.len()).any(|part| part == GITOPS_REPO.as_bytes());
        if !files.values().any(names_one) {
            let text = gitops_repo("gitops", "https://github.com/contoso/gitops", &self.environment(), ".");
            files.get_mut("platform.yaml").expect("its objects").extend(format!("---\n{text}").bytes());
        }
        files
    }

    /// The commit at which the base is pinned.
    fn pin(&self) -> Option<String> {
        let files = files_below(&self.folder.join("control-plane"));
        let mut texts = files.values().map(|bytes| String::from_utf8_lossy(bytes));
        texts.find_map(|text| {
            let mut lines = text.lines();
            lines.find_map(|line| Some(line.split_once("commit: ")?.1.to_owned()))
        })
    }
}

/// A GitOpsRepo.
pub(crate) fn gitops_repo(name: &str, repo: &str, branch: &str, path: &str) -> String {
    format!(
        "apiVersion: scheduler.kalypso.io/v1alpha1\n{GITOPS_REPO}\nmetadata:\n  name: {name}\n\
         spec:\n  repo: {repo}\n  branch: {branch}\n  path: {path}\n"
    )
}

impl Platform {
    /// The platform of a case of `tests/golden`. Its GitOps branch holds `current/`, else only what people put there.
    pub(crate) fn new(case: &str) -> Platform {
        Platform::with(case, Files::new())
    }

    /// The same with files on the control plane's `main` that the case does not have.
    pub(crate) fn with(case: &str, besides: Files) -> Platform {
        let case = Case::new(case);
        let sandbox = Sandbox::start().expect("the sandbox");
        let repository = |name: &str| {
            let repository = sandbox.create_repository(name, Visibility::Private);
            repository.expect("a repository")
        };
        let control_plane = repository(CONTROL_PLANE);
        let gitops = repository("contoso/gitops");
        let mut reader = Access::read(CONTROL_PLANE);
        for (name, files) in case.repositories() {
            let target = match &*name {
                CONTROL_PLANE => control_plane.clone(),
                other => repository(other),
            };
            reader = reader.and(&name);
            commit(&target, "main", &main_of(&name, here(&sandbox, files), &besides));
        }
        sandbox.token(READER, reader.named("reader"));
        sandbox.token(WRITER, Access::write("contoso/gitops").named("writer"));
        let folder = tempfile::tempdir().expect("a folder");
        let environment = case.environment();
        let platform = Platform { sandbox, control_plane, gitops, environment, besides, folder };
        let current = match case.folder.join("current").is_dir() {
            true => platform.tree_of(&case, "current"),
            false => only_a_readme(),
        };
        commit(&platform.gitops, &platform.environment, &current);
        platform.set_control_plane(case.control_plane());
        platform
    }

    /// Replaces the content of the environment's branch; a `commit:` of a base becomes the head of its `main`.
    pub(crate) fn set_control_plane(&self, files: Files) {
        self.set_branch_of(&self.environment, files);
    }

    pub(crate) fn set_branch_of(&self, environment: &str, files: Files) {
        let pinned = |bytes| self.pinned(&String::from_utf8(bytes).expect("a text")).into_bytes();
        let files = here(&self.sandbox, files).into_iter().map(|(path, bytes)| (path, pinned(bytes)));
        match self.control_plane.head(environment).expect("a repository") {
            None => drop(commit(&self.control_plane, environment, &files.collect())),
            Some(_) => replace(&self.control_plane, environment, &files.collect()),
        }
    }

    /// Has every base of `text` that names a commit name the head of its `main`.
    fn pinned(&self, text: &str) -> String {
        let mut head = None;
        let line = |line: &str| {
            if let Some((_, url)) = line.split_once("repo: ") {
                let name = url.strip_prefix(&format!("{}/", self.sandbox.url())).unwrap_or(url);
                head = self.sandbox.repository(name).head("main").ok().flatten();
            }
            match (line.split_once("commit: "), &head) {
                (Some((before, _)), Some(head)) => format!("{before}commit: {head}\n"),
                _ => format!("{line}\n"),
            }
        };
        text.lines().map(line).collect()
    }

    /// Has the environment's branch, and `main`, be those of another case: the next step of a story. Another
    /// environment than the first one begins with a GitOps branch of its own.
    pub(crate) fn go_on_as(&self, case: &str) {
        let case = Case::new(case);
        self.set_repositories(&case);
        let environment = case.environment();
        if self.gitops.head(&environment).expect("a repository").is_none() {
            commit(&self.gitops, &environment, &only_a_readme());
        }
        self.set_branch_of(&environment, case.control_plane());
    }

    /// Has `main` of every repository be as a case has it.
    pub(crate) fn set_repositories(&self, case: &Case) {
        for (name, files) in case.repositories() {
            let is_new = self.sandbox.snapshot().is_ok_and(|world| !world.repositories.contains_key(&name));
            let files = main_of(&name, here(&self.sandbox, files), &self.besides);
            if is_new {
                let target = self.sandbox.create_repository(&name, Visibility::Public);
                commit(&target.expect("a repository"), "main", &files);
            } else {
                replace(&self.sandbox.repository(&name), "main", &files);
            }
        }
    }

    /// Edits one file of a branch of the control plane.
    pub(crate) fn edit(&self, branch: &str, path: &str, old: &str, new: &str) -> String {
        let files = self.control_plane.files(branch).expect("the branch");
        let text = String::from_utf8(files[path].clone()).expect("a text");
        assert!(text.contains(old), "{path} has {old}");
        let text = text.replace(old, new);
        self.control_plane.commit(branch, &[(path, Some(&text))], "an edit").expect("a commit")
    }

    /// Replaces the content of a GitOps branch.
    pub(crate) fn set_gitops(&self, branch: &str, files: &Files) {
        replace(&self.gitops, branch, files);
    }

    /// What the case expects of the GitOps branch, as it is in this sandbox.
    pub(crate) fn expected(&self, case: &str) -> Files {
        self.tree_of(&Case::new(case), "expected")
    }

    /// A GitOps branch as it stands in a case, with the commit that this sandbox has for the case's one.
    pub(crate) fn tree_of(&self, case: &Case, folder: &str) -> Files {
        let mut files = here(&self.sandbox, files_below(&case.folder.join(folder)));
        let base = self.control_plane.head("main").expect("a repository");
        if let (Some(tracked), Some(pin), Some(base)) = (files.get_mut(TRACKED), case.pin(), base) {
            let text = std::str::from_utf8(tracked).expect("a commit id");
            *tracked = text.replace(&pin, &base).into_bytes();
        }
        files
    }

    /// Schedules the environment as a job on its branch does, with these inputs besides.
    pub(crate) fn schedule(&self, inputs: &[(&str, &str)]) -> Ran {
        self.schedule_in(&self.environment, inputs)
    }

    /// Schedules any environment whose branch has its name.
    pub(crate) fn schedule_in(&self, environment: &str, inputs: &[(&str, &str)]) -> Ran {
        self.action(environment, &[&[("environment", environment)], inputs].concat())
    }

    /// Runs the Action in a job on a branch of the control plane.
    pub(crate) fn action(&self, branch: &str, inputs: &[(&str, &str)]) -> Ran {
        let workspace = self.checkout(branch);
        self.run_in(&workspace, branch, inputs)
    }

    /// The files of a branch of the control plane in a folder, as after `actions/checkout` but without git.
    pub(crate) fn checkout(&self, branch: &str) -> PathBuf {
        let workspace = self.empty_workspace();
        for (path, bytes) in self.control_plane.files(branch).expect("the branch") {
            let path = workspace.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, bytes).expect("a file");
        }
        workspace
    }

    /// A shallow clone of a branch of the control plane, as `actions/checkout` makes it, without credentials in it.
    pub(crate) fn clone_of(&self, branch: &str) -> PathBuf {
        let folder = self.empty_workspace();
        let login = self.control_plane.url().replace("http://", &format!("http://x:{READER}@"));
        let git = |arguments: &[&str]| {
            let done = Command::new("git").args(arguments).current_dir(&folder).status().expect("git starts");
            assert!(done.success(), "git {arguments:?}");
        };
        git(&["clone", "-q", "--depth", "1", "--single-branch", "--branch", branch, &login, "."]);
        git(&["remote", "set-url", "origin", &self.control_plane.url()]);
        folder
    }

    /// The workspace of a job that has checked out nothing.
    pub(crate) fn empty_workspace(&self) -> PathBuf {
        let workspace = self.folder.path().join("workspace");
        let _ = fs::remove_dir_all(&workspace);
        fs::create_dir_all(&workspace).expect("a folder");
        workspace
    }

    /// A file that a run writes or reads, besides its workspace.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the Action in a workspace.
    pub(crate) fn run_in(&self, workspace: &Path, branch: &str, inputs: &[(&str, &str)]) -> Ran {
        self.collect(self.command(workspace, branch, inputs))
    }

    /// The command that the runner would start.
    pub(crate) fn command(&self, workspace: &Path, branch: &str, inputs: &[(&str, &str)]) -> Command {
        let files = self.folder.path();
        let repo_tokens = format!("{}/contoso={READER}", self.sandbox.url());
        let report = files.join("report.json");
        let usual: [(&str, &str); 5] = [
            ("mode", "schedule"),
            ("github-token", READER),
            ("gitops-token", WRITER),
            ("repo-tokens", &repo_tokens),
            ("report", report.to_str().expect("a path")),
        ];
        let mut all: BTreeMap<&str, &str> = usual.into();
        all.extend(inputs.iter().copied());
        let mut command = Command::new(env!("CARGO_BIN_EXE_kalypso"));
        command.arg("").current_dir(workspace).env_clear();
        command.envs([
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", &*self.sandbox.url()),
            ("GITHUB_API_URL", &self.sandbox.api_url()),
            ("GITHUB_GRAPHQL_URL", &self.sandbox.graphql_url()),
            ("GITHUB_REPOSITORY", CONTROL_PLANE),
            ("GITHUB_REF_NAME", branch),
            ("GITHUB_REF_TYPE", "branch"),
            ("GITHUB_RUN_ID", "4711"),
        ]);
        command.env("GITHUB_WORKSPACE", workspace);
        command.env("GITHUB_OUTPUT", files.join("outputs"));
        command.env("GITHUB_STEP_SUMMARY", files.join("summary.md"));
        command.envs(all.iter().map(|(name, value)| (format!("INPUT_{}", name.to_uppercase()), value)));
        command
    }

    /// Runs a command to its end.
    pub(crate) fn collect(&self, mut command: Command) -> Ran {
        let files = self.folder.path();
        let before = self.sandbox.requests().len();
        for name in ["outputs", "summary.md", "report.json"] {
            let _ = fs::remove_file(files.join(name));
        }
        let Output { status, stdout, stderr } = command.output().expect("the binary starts");
        let text = |bytes| String::from_utf8(bytes).expect("what people read is UTF-8");
        let read = |name: &str| fs::read_to_string(files.join(name)).unwrap_or_default();
        let (masks, stderr) = told_to_hide(&text(stderr));
        let ran = Ran {
            exit: status.code().expect("it ends by itself"),
            stdout: text(stdout),
            stderr,
            masks,
            outputs: outputs(&read("outputs")),
            summary: read("summary.md"),
            report: serde_json::from_str(&read("report.json")).ok(),
            requests: self.sandbox.requests_since(before),
        };
        self.check(&ran);
        ran
    }

    /// What holds after every run.
    fn check(&self, ran: &Ran) {
        assert_eq!(self.sandbox.violations(), Vec::<String>::new());
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        for token in [READER, WRITER] {
            assert_eq!(self.sandbox.leaks(token), Vec::<String>::new());
            let report = ran.report.as_ref().map(ToString::to_string).unwrap_or_default();
            let outputs = format!("{:?}", ran.outputs);
            for text in [&ran.stdout, &ran.stderr, &ran.summary, &report, &outputs] {
                assert!(!text.contains(token), "a token is shown: {text}");
            }
        }
    }
}

impl Ran {
    /// Everything went well.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Ran {
        assert_eq!(self.exit, 0, "{}\n{}", self.stderr, self.stdout);
        self
    }

    /// How often GitHub's interfaces were called; fetching with git is not among it.
    pub(crate) fn calls(&self) -> usize {
        self.requests.iter().filter(|request| request.kind != Kind::Git).count()
    }

    /// How often something was written.
    pub(crate) fn writes(&self) -> usize {
        self.requests.iter().filter(|request| request.is_write()).count()
    }
}

/// The outputs of a step, or what it keeps for its end, each between two lines that name its end.
pub(crate) fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    let mut lines = text.lines();
    while let Some((name, end)) = lines.next().and_then(|line| line.split_once("<<")) {
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
        outputs.insert(name.to_owned(), value.join("\n"));
    }
    outputs
}

/// Files that name GitHub name the sandbox.
fn here(sandbox: &Sandbox, files: Files) -> Files {
    let url = sandbox.url();
    let rewrite = |bytes: Vec<u8>| match String::from_utf8(bytes) {
        Ok(text) => text.replace(GITHUB, &url).into_bytes(),
        Err(error) => error.into_bytes(),
    };
    files.into_iter().map(|(path, bytes)| (path, rewrite(bytes))).collect()
}

fn commit(repository: &Repository, branch: &str, files: &Files) -> String {
    let text = |bytes| std::str::from_utf8(bytes).expect("a text");
    let entries: Vec<(&str, Option<&str>)> =
        files.iter().map(|(path, bytes)| (&**path, Some(text(bytes)))).collect();
    repository.commit(branch, &entries, "as people wrote it").expect("a commit")
}

/// The whole content of a branch becomes `files`; no commit where it is.
fn replace(repository: &Repository, branch: &str, files: &Files) {
    let before = repository.files(branch).expect("the branch");
    if before == *files {
        return;
    }
    let text = |bytes| std::str::from_utf8(bytes).expect("a text");
    let gone = before.keys().filter(|path| !files.contains_key(*path)).map(|path| (&**path, None));
    let entries: Vec<(&str, Option<&str>)> =
        files.iter().map(|(path, bytes)| (&**path, Some(text(bytes)))).chain(gone).collect();
    repository.commit(branch, &entries, "as people changed it").expect("a commit");
}

/// The content of a repository's `main`.
fn main_of(name: &str, mut files: Files, besides: &Files) -> Files {
    if name == CONTROL_PLANE {
        files.extend(besides.clone());
    }
    files
}

/// A GitOps branch before its first pull request.
fn only_a_readme() -> Files {
    Files::from([("README.md".to_owned(), b"What runs where.\n".to_vec())])
}

/// Every file below `folder`.
pub(crate) fn files_below(folder: &Path) -> Files {
    let mut files = Files::new();
    let Ok(entries) = fs::read_dir(folder) else { return files };
    for entry in entries {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a UTF-8 name");
        if entry.file_type().expect("its type").is_dir() {
            let below = files_below(&entry.path());
            files.extend(below.into_iter().map(|(path, bytes)| (format!("{name}/{path}"), bytes)));
        } else {
            files.insert(name, fs::read(entry.path()).expect("its content"));
        }
    }
    files
}
