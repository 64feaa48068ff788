//! A platform with promotion: environments that follow each other, clusters that follow the GitOps branches, and runs
//! of every mode as their workflows start them.

use std::cell::Cell;
use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::process::Command;

use kalypso_sandbox::azure::{Azure, Configuration, Job, TENANT};
use kalypso_sandbox::{Access, Dispatch, Level, Merge, Pull, Scope, State};

use super::platform::{CONTROL_PLANE, Case, Files, Platform, Ran, TRACKED, files_below, outputs};

/// The workflow's own token in jobs that promote: contents, statuses, actions, pull requests.
pub(crate) const KEEPER: &str = "ghs_canary_of_the_keeper";
/// The same in jobs that check: statuses and actions; contents to read.
pub(crate) const CHECKER: &str = "ghs_canary_of_the_checker";
/// The token with which a check reads the GitOps repository.
pub(crate) const FOLLOWER: &str = "ghp_canary_of_the_follower";
/// The application that jobs of the control plane are, without a secret.
pub(crate) const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
/// The subscription of the clusters.
pub(crate) const SUBSCRIPTION: &str = "edge";

/// The workflows of the control plane's `main`, as teams copy them.
const WORKFLOWS: &str = "templates/control-plane/main/.github/workflows";

/// A platform with promotion. What a [`Platform`] can, it can.
pub(crate) struct RolloutPlatform {
    platform: Platform,
    pub(crate) azure: Azure,
    /// The number of the last run
    run: Cell<u64>,
}

/// A promoted commit whose pull request is merged.
pub(crate) struct Merged {
    /// The promoted commit, on the control plane's `main`
    pub(crate) promoted: String,
    /// Where the GitOps branch stands since
    pub(crate) commit: String,
    /// Where it stood before
    pub(crate) before: String,
}

impl Deref for RolloutPlatform {
    type Target = Platform;

    fn deref(&self) -> &Platform {
        &self.platform
    }
}

impl RolloutPlatform {
    /// The tutorial's environments, dev → stage, both with the first commit of `main`.
    pub(crate) fn s1() -> RolloutPlatform {
        RolloutPlatform::new("s1-0-baseline", &["s1-3-promoted-to-stage"])
    }

    /// The platform of a golden case, with the environments of others besides. Every GitOps branch is as its case
    /// expects it after the merge; no commit has a status, and no cluster is there.
    pub(crate) fn new(case: &str, others: &[&str]) -> RolloutPlatform {
        let platform = Platform::with(case, workflows());
        for case in [case].iter().chain(others) {
            let environment = Case::new(case).environment();
            platform.set_branch_of(&environment, Case::new(case).control_plane());
            let readme = ("README.md", Some("What runs where.\n"));
            platform.gitops.commit(&environment, &[readme], "a GitOps branch").expect("a commit");
            let mut files = platform.expected(case);
            files.insert("README.md".to_owned(), b"What runs where.\n".to_vec());
            platform.set_gitops(&environment, &files);
        }
        let keeper = Access::write(CONTROL_PLANE).with(Scope::Issues, Level::None);
        platform.sandbox.token(KEEPER, keeper);
        let nothing = [Scope::Issues, Scope::PullRequests].into_iter();
        let checker = nothing.fold(Access::write(CONTROL_PLANE), |all, scope| all.with(scope, Level::None));
        platform.sandbox.token(CHECKER, checker.with(Scope::Contents, Level::Read));
        platform.sandbox.token(FOLLOWER, Access::read("contoso/gitops").named("follower"));
        let azure = platform.sandbox.azure();
        azure.job(Job::new(CONTROL_PLANE, "main"));
        azure.application(CLIENT).trusts(&azure.subject().expect("a job"));
        RolloutPlatform { platform, azure, run: Cell::new(100) }
    }

    /// Somebody brings `main` of every repository to where a golden case has it; tells the control plane's commit.
    pub(crate) fn push(&self, case: &str) -> String {
        self.set_repositories(&Case::new(case));
        self.main()
    }

    /// Somebody changes what is declared on `main`, in a way that alters nothing for clusters; tells the commit.
    pub(crate) fn push_anything(&self) -> String {
        let number = self.control_plane.log("main").expect("a branch").len().to_string();
        let note = ("docs/notes.md", Some(&*number));
        self.control_plane.commit("main", &[note], &format!("Note {number}")).expect("a commit")
    }

    /// Where the control plane's `main` stands.
    pub(crate) fn main(&self) -> String {
        self.control_plane.head("main").expect("a repository").expect("a branch")
    }

    /// Where a GitOps branch stands.
    pub(crate) fn gitops_head(&self, environment: &str) -> String {
        self.gitops.head(environment).expect("a repository").expect("a branch")
    }

    /// The commit that an environment's branch in the control plane names.
    pub(crate) fn promoted(&self, environment: &str) -> Option<String> {
        let files = self.control_plane.files(environment).expect("the branch");
        let mut texts = files.values().map(|bytes| String::from_utf8_lossy(bytes));
        texts.find_map(|text| {
            let commit = text.lines().find_map(|line| line.trim().strip_prefix("commit: "))?;
            Some(commit.to_owned())
        })
    }

    /// The promoted commit that a GitOps branch or commit tells.
    pub(crate) fn tracked(&self, at: &str) -> Option<String> {
        let files = self.gitops.files(at).expect("the branch");
        files.get(TRACKED).map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned())
    }

    /// A cluster of its own with a configuration that applies the folder of a cluster type.
    pub(crate) fn cluster(&self, environment: &str, cluster_type: &str) -> Configuration {
        self.named_cluster(&format!("{cluster_type}-1"), environment, cluster_type)
    }

    /// The same on a cluster of a name.
    pub(crate) fn named_cluster(&self, name: &str, environment: &str, cluster_type: &str) -> Configuration {
        let cluster = self.azure.subscription(SUBSCRIPTION).arc(name);
        let configuration =
            cluster.configuration(&format!("gitops-{environment}")).follows(&self.gitops, environment);
        configuration.kustomization(cluster_type, &format!("./{cluster_type}"))
    }

    /// Brings a commit to an environment and its GitOps branch: promote, schedule, merge.
    pub(crate) fn bring(&self, environment: &str, commit: &str) -> Merged {
        let before = self.gitops_head(environment);
        self.promote(&[("environment", environment), ("commit-id", commit)]).succeeded();
        self.play_last().succeeded();
        let merged = self.merge(environment);
        Merged { promoted: commit.to_owned(), commit: merged, before }
    }

    /// A new commit of `main`, brought to the first environment.
    pub(crate) fn bring_anything(&self) -> Merged {
        self.bring(&self.environment, &self.push_anything())
    }

    /// The open pull request to a GitOps branch.
    #[track_caller]
    pub(crate) fn open_pull(&self, environment: &str) -> Option<Pull> {
        let mut pulls = self.gitops.pulls().expect("a repository");
        pulls.retain(|pull| pull.state == State::Open && pull.base == environment);
        assert!(pulls.len() < 2, "{pulls:?}");
        pulls.pop()
    }

    /// Somebody merges the open pull request to a GitOps branch, as one commit; tells it.
    #[track_caller]
    pub(crate) fn merge(&self, environment: &str) -> String {
        self.merge_as(environment, Merge::Squash)
    }

    /// The same in another way; tells where the branch stands then.
    #[track_caller]
    pub(crate) fn merge_as(&self, environment: &str, how: Merge) -> String {
        let pull = self.open_pull(environment).expect("a pull request");
        self.gitops.merge_pull(pull.number, how).expect("a merge")
    }

    /// The statuses of a commit for an environment, oldest first, as `state: description`.
    pub(crate) fn statuses(&self, commit: &str, environment: &str) -> Vec<String> {
        let context = format!("{environment} environment");
        let mut statuses = self.control_plane.statuses().expect("a repository");
        statuses.retain(|status| status.sha == commit && status.context == context);
        statuses.iter().map(|status| format!("{}: {}", status.state, status.description)).collect()
    }

    /// Every status that was ever written.
    pub(crate) fn status_count(&self) -> usize {
        self.control_plane.statuses().expect("a repository").len()
    }

    /// The workflows that were asked to run, oldest first, as `file name=value …`.
    pub(crate) fn dispatches(&self) -> Vec<String> {
        let line = |dispatch: &Dispatch| {
            let inputs = dispatch.inputs.iter().map(|(name, value)| format!(" {name}={value}"));
            format!("{}{}", dispatch.workflow, inputs.collect::<String>())
        };
        self.control_plane.dispatches().expect("a repository").iter().map(line).collect()
    }

    /// What the workflow does that was asked to run last.
    pub(crate) fn play_last(&self) -> Ran {
        let dispatches = self.control_plane.dispatches().expect("a repository");
        self.play(dispatches.last().expect("a workflow"))
    }

    /// What a workflow does that was asked to run: it passes its inputs on.
    pub(crate) fn play(&self, dispatch: &Dispatch) -> Ran {
        let mode = dispatch.workflow.strip_suffix(".yml").expect("a workflow's file");
        let inputs: Vec<(&str, &str)> =
            dispatch.inputs.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(dispatch.branch, "main", "workflows are on the default branch");
        self.run(mode, &inputs)
    }

    /// Promotes, as a job on `main`.
    pub(crate) fn promote(&self, inputs: &[(&str, &str)]) -> Ran {
        self.run("promote", inputs)
    }

    /// Promotes, as the push of a commit to `main` has it.
    pub(crate) fn promote_pushed(&self, commit: &str) -> Ran {
        let mut command = self.command_of("promote", &[]);
        command.env("GITHUB_EVENT_NAME", "push").env("GITHUB_SHA", commit);
        self.collect_run(command)
    }

    /// Checks an environment, as a job on `main`, in short intervals.
    pub(crate) fn checkpromote(&self, environment: &str, inputs: &[(&str, &str)]) -> Ran {
        self.run("checkpromote", &[&[("environment", environment)], inputs].concat())
    }

    /// Checks what a merge has brought, as the workflow of the GitOps branch asks for it.
    pub(crate) fn check_merged(&self, merged: &Merged, inputs: &[(&str, &str)]) -> Ran {
        let pushed = [("commit-id", &*merged.commit), ("before", &*merged.before)];
        self.checkpromote(&self.environment, &[&pushed, inputs].concat())
    }

    /// Looks at an environment's clusters.
    pub(crate) fn status(&self, environment: &str, inputs: &[(&str, &str)]) -> Ran {
        self.run("status", &[&[("environment", environment)], inputs].concat())
    }

    /// What the Action does after a step that was ended from outside.
    pub(crate) fn finish(&self) -> Ran {
        let kept = outputs(&fs::read_to_string(self.file("state")).unwrap_or_default());
        let mut command = self.command_of("checkpromote", &[]);
        command.env("GITHUB_RUN_ID", self.run.get().to_string());
        command.envs(kept.iter().map(|(name, value)| (format!("STATE_{name}"), value)));
        self.platform.collect(command)
    }

    /// Runs a mode as a job on `main`, to the end of its run.
    pub(crate) fn run(&self, mode: &str, inputs: &[(&str, &str)]) -> Ran {
        self.collect_run(self.command_of(mode, inputs))
    }

    /// Runs a command to its end, which is its run's.
    pub(crate) fn collect_run(&self, command: Command) -> Ran {
        let number = self.run.get() + 1;
        self.run.set(number);
        self.control_plane.start_run(number).expect("a run");
        let mut command = command;
        command.env("GITHUB_RUN_ID", number.to_string());
        let ran = self.platform.collect(command);
        self.control_plane.finish_run(number).expect("a run");
        for secret in [KEEPER, CHECKER, FOLLOWER] {
            let shown = [&ran.stdout, &ran.stderr, &ran.summary].into_iter().chain(ran.outputs.values());
            assert!(!shown.into_iter().any(|text| text.contains(secret)), "a token is shown: {ran:?}");
            assert_eq!(self.sandbox.leaks(secret), Vec::<String>::new());
        }
        ran
    }

    /// The command that the runner would start for a mode, in a job on `main`.
    pub(crate) fn command_of(&self, mode: &str, inputs: &[(&str, &str)]) -> Command {
        let _ = fs::remove_file(self.file("state"));
        let workspace = match mode {
            "schedule" => self.clone_of("main"),
            _ => self.empty_workspace(),
        };
        let usual: &[(&str, &str)] = match mode {
            "schedule" => &[],
            "promote" => &[("github-token", KEEPER), ("gitops-token", "")],
            _ => &[
                ("github-token", CHECKER),
                ("gitops-token", FOLLOWER),
                ("azure-tenant-id", TENANT),
                ("azure-client-id", CLIENT),
                ("poll-interval", "1s"),
                ("timeout", "6s"),
            ],
        };
        let mut command =
            self.platform.command(&workspace, "main", &[&[("mode", mode)], usual, inputs].concat());
        command.envs(self.azure.environment());
        command.env("GITHUB_EVENT_NAME", "workflow_dispatch").env("GITHUB_STATE", self.file("state"));
        command
    }
}

/// The workflows as files.
fn workflows() -> Files {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(WORKFLOWS);
    let files = files_below(&folder).into_iter();
    files.map(|(name, text)| (format!(".github/workflows/{name}"), text)).collect()
}
