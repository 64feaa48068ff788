//! The runner: the steps of a job, one after another, in a folder of its own.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use kalypso_sandbox::{Level, app_key, azure};
use serde_json::{Map, Value, json};

use super::super::super::platform::{CONTROL_PLANE, outputs};
use super::super::NOTIFYING_APP;
use super::super::expression::{Scope, SoFar};
use super::super::syntax::{Permissions, access, entries, known, level, permissions};
use super::{Conclusion, Ended, Frame, GitHub, Place, Run};

/// Longer than this nothing runs, not even on a busy machine, unless it waits for what will never be.
const PATIENCE: Duration = Duration::from_secs(600);

/// A job that runs.
pub(super) struct Job<'a> {
    frame: &'a Frame,
    name: &'a str,
    pub(super) token: String,
    permissions: Permissions,
    environment: String,
    workspace: PathBuf,
}

/// What a step leaves.
#[derive(Default)]
struct Left {
    outputs: BTreeMap<String, String>,
    /// Why it failed
    failure: Option<String>,
    /// What is to be done when its job ends
    end: Option<Command>,
}

impl Left {
    fn failed(why: String) -> Left {
        Left { failure: Some(why), ..Left::default() }
    }
}

impl GitHub {
    /// Runs the steps of a job, with a token that may what the job says and no more.
    pub(super) fn runs_on(
        &mut self,
        run: &mut Run,
        frame: &Frame,
        name: &str,
        mut scope: Scope,
    ) -> Result<Ended> {
        let declared = &frame.source.document["jobs"][name];
        let machine = scope.text(declared["runs-on"].as_str().unwrap_or_default())?;
        ensure!(machine == "ubuntu-24.04", "{name} runs on no machine: `{machine}`");
        let permissions = permissions(&frame.source.document, declared)?;
        let environment = scope.text(declared["environment"]["name"].as_str().unwrap_or_default())?;
        if !environment.is_empty() {
            let deploys = declared["environment"]["deployment"] != "false";
            ensure!(!deploys, "{name}: a deployment is recorded for the commit of the workflow");
            run.notes.push(format!("in {environment}"));
        }
        let number = self.tokens.len() + 1;
        let token = format!("ghs_canary_of_job_{number}");
        self.world.sandbox.token(&token, access(frame.event.repository, &permissions)?);
        self.tokens.push(token.clone());
        let workspace = self.folder.path().join(format!("job-{number}"));
        fs::create_dir(&workspace)?;
        scope.contexts["github"]["token"] = token.clone().into();
        scope.contexts.insert("steps".to_owned(), Value::Object(Map::new()));
        let job = Job { frame, name, token, permissions, environment, workspace };
        let mut ends = Vec::new();
        for step in declared["steps"].as_array().context("no steps")? {
            known(step, &["id", "name", "if", "uses", "with", "env", "run"])?;
            let since = self.world.sandbox.requests().len();
            let left = match scope.admits(step["if"].as_str())? {
                true => self.step(run, &job, step, &scope)?,
                false => Left::default(),
            };
            self.notice(Some((&job, since)))?;
            if let Some(id) = step["id"].as_str() {
                scope.contexts["steps"][id] = json!({ "outputs": left.outputs });
            }
            if let Some(failure) = left.failure {
                run.log += &format!("{name}: {failure}\n");
                scope.so_far = SoFar::Badly;
            }
            ends.extend(left.end);
        }
        for mut end in ends {
            let (ended, said) = self.finish(&mut end)?;
            ensure!(ended, "{name}: the end of a step: {said}");
        }
        self.world.sandbox.revoke(&job.token);
        let mut outputs = Map::new();
        for (output, value) in entries(&declared["outputs"]) {
            outputs.insert(output.clone(), scope.expand(value.as_str().context("no text")?)?);
        }
        let conclusion = match scope.so_far {
            SoFar::Badly => Conclusion::Failure,
            SoFar::Well | SoFar::Skipped => Conclusion::Success,
        };
        Ok(Ended { conclusion, outputs })
    }

    fn step(&mut self, run: &mut Run, job: &Job<'_>, step: &Value, scope: &Scope) -> Result<Left> {
        let env = self.given(job.frame, job.name, &step["env"], scope)?;
        let with = self.given(job.frame, job.name, &step["with"], scope)?;
        let Some(uses) = step["uses"].as_str() else {
            return self.script(run, job, step["run"].as_str().context("nothing to do")?, &env);
        };
        match uses.split_once('@').map_or(uses, |(name, _)| name) {
            "$/" => self.action(run, job, (&with, &env), scope),
            "actions/checkout" => self.checkout(job, &with),
            "actions/upload-artifact" => upload(run, job, &with),
            "actions/create-github-app-token" => self.app_token(run, job, &with),
            _ => bail!("{uses} is not known here"),
        }
    }

    /// Runs the Action of the repository whose workflow runs: the real binary.
    fn action(
        &self,
        run: &mut Run,
        job: &Job<'_>,
        (with, env): (&BTreeMap<String, String>, &BTreeMap<String, String>),
        scope: &Scope,
    ) -> Result<Left> {
        let Place { repository, branch, .. } = &job.frame.source.place;
        let action = self.source(repository, branch, "action.yml")?.document;
        let slips: Vec<&String> = with.keys().filter(|name| action["inputs"].get(name).is_none()).collect();
        ensure!(slips.is_empty(), "the Action has no inputs {slips:?}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_kalypso"));
        command.arg("").current_dir(&job.workspace).env_clear();
        for (name, input) in entries(&action["inputs"]) {
            let value = match with.get(name) {
                Some(value) => value.clone(),
                None => scope.text(input["default"].as_str().unwrap_or_default())?,
            };
            command.env(format!("INPUT_{}", name.to_uppercase()), value);
        }
        command.envs(env);
        // After the inputs, one of which says where the sandbox has Azure.
        command.envs(self.variables(job));
        let [written, state, summary] =
            ["outputs", "state", "summary"].map(|name| self.folder.path().join(name));
        for file in [&written, &state, &summary] {
            fs::write(file, "")?;
        }
        command.env("GITHUB_OUTPUT", &written).env("GITHUB_STATE", &state);
        command.env("GITHUB_STEP_SUMMARY", &summary);
        let (done, said) = self.finish(&mut command)?;
        let kept = outputs(&fs::read_to_string(&state)?);
        command.envs(kept.into_iter().map(|(name, value)| (format!("STATE_{name}"), value)));
        let outputs = outputs(&fs::read_to_string(&written)?);
        run.notes.extend(outputs.get("verdict").map(|verdict| format!("finds {verdict}")));
        Ok(Left { outputs, failure: (!done).then_some(said), end: Some(command) })
    }

    /// The variables that a job's runner sets.
    fn variables(&self, job: &Job<'_>) -> BTreeMap<&'static str, String> {
        let sandbox = &self.world.sandbox;
        let github = &job.frame.contexts["github"];
        let text = |name: &str| github[name].as_str().unwrap_or_default().to_owned();
        let mut variables = BTreeMap::from([
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_SERVER_URL", sandbox.url()),
            ("GITHUB_API_URL", sandbox.api_url()),
            ("GITHUB_GRAPHQL_URL", sandbox.graphql_url()),
            ("GITHUB_REPOSITORY", text("repository")),
            ("GITHUB_EVENT_NAME", text("event_name")),
            ("GITHUB_REF", text("ref")),
            ("GITHUB_REF_NAME", text("ref_name")),
            ("GITHUB_REF_TYPE", "branch".to_owned()),
            ("GITHUB_SHA", text("sha")),
            ("GITHUB_RUN_ID", job.frame.run.to_string()),
            ("GITHUB_WORKSPACE", job.workspace.display().to_string()),
        ]);
        let identity = azure::Job::new(job.frame.event.repository, &job.frame.event.branch);
        self.world.azure.job(match &*job.environment {
            "" => identity,
            environment => identity.in_environment(environment),
        });
        variables.extend(self.world.azure.environment());
        if job.permissions.get("id-token") != Some(&Level::Write) {
            variables.retain(|name, _| !name.starts_with("ACTIONS_ID_TOKEN_"));
        }
        variables
    }

    /// Clones the repository with the job's token, one commit deep.
    fn checkout(&self, job: &Job<'_>, with: &BTreeMap<String, String>) -> Result<Left> {
        let slip = with.keys().find(|name| !["ref", "persist-credentials"].contains(&&***name));
        ensure!(slip.is_none(), "checkout: {slip:?} is not known here");
        if with.get("persist-credentials").is_none_or(|value| value != "false") {
            return Ok(Left::failed("checkout leaves the job's token in the workspace".to_owned()));
        }
        let github = &job.frame.contexts["github"];
        let wanted = with.get("ref").map_or(github["ref"].as_str().unwrap_or_default(), String::as_str);
        let branch = wanted.strip_prefix("refs/heads/").context("no branch to check out")?;
        let url = self.repository(job.frame.event.repository).url();
        let login = url.replace("http://", &format!("http://x:{}@", job.token));
        let clone = ["clone", "-q", "--depth", "1", "--single-branch", "--branch", branch, &login, "."];
        let origin = ["remote", "set-url", "origin", &url];
        for arguments in [&clone[..], &origin] {
            let mut git = Command::new("git");
            git.args(arguments).current_dir(&job.workspace).env("GIT_TERMINAL_PROMPT", "0");
            let (done, said) = self.finish(&mut git)?;
            if !done {
                return Ok(Left::failed(format!("checkout: {said}")));
            }
        }
        Ok(Left::default())
    }

    /// A token of the App, for the repositories and permissions that are named.
    fn app_token(&self, run: &mut Run, job: &Job<'_>, with: &BTreeMap<String, String>) -> Result<Left> {
        let input = |name: &str| with.get(name).map_or("", String::as_str);
        if input("client-id") != NOTIFYING_APP || input("private-key") != app_key::PRIVATE_KEY {
            return Ok(Left::failed("no such App, or not its key".to_owned()));
        }
        let mut permissions = Permissions::new();
        for (name, value) in with {
            match name.strip_prefix("permission-") {
                Some(scope) => drop(permissions.insert(scope.to_owned(), level(value)?)),
                None => {
                    let names = ["client-id", "private-key", "owner", "repositories"];
                    ensure!(names.contains(&&**name), "app token: {name} is not known here");
                }
            }
        }
        let owner = match input("owner") {
            "" => job.frame.event.repository.split_once('/').context("no owner")?.0,
            owner => owner,
        };
        let repository = match input("repositories") {
            "" => "all".to_owned(),
            name => format!("{owner}/{name}"),
        };
        let levels: Vec<String> =
            permissions.iter().map(|(scope, level)| format!("{scope}: {}", level.name())).collect();
        run.notes.push(format!("with a token for {repository} ({})", levels.join(", ")));
        if permissions.is_empty() {
            // All that the App may.
            permissions.insert("actions".to_owned(), Level::Write);
        }
        let token = format!("{}_from_the_app", job.token);
        self.world.sandbox.token(&token, access(CONTROL_PLANE, &permissions)?);
        Ok(Left { outputs: BTreeMap::from([("token".to_owned(), token)]), ..Left::default() })
    }

    /// Runs a script, in which `gh` starts workflows in the sandbox.
    fn script(
        &self,
        run: &mut Run,
        job: &Job<'_>,
        script: &str,
        env: &BTreeMap<String, String>,
    ) -> Result<Left> {
        let gh = self.folder.path().join("gh");
        let mut bash = Command::new("bash");
        bash.args(["-e", "-c", &format!("gh() {{ bash '{}' \"$@\"; }}\n{script}", gh.display())]);
        bash.current_dir(&job.workspace).env_clear().envs(env::var_os("PATH").map(|path| ("PATH", path)));
        bash.envs(env);
        let (done, said) = self.finish(&mut bash)?;
        if !done {
            return Ok(Left::failed(said));
        }
        run.notes.extend(said.lines().map(|line| format!("says {line}")));
        Ok(Left::default())
    }

    /// Runs a command to its end; tells whether it went well, and what it said.
    fn finish(&self, command: &mut Command) -> Result<(bool, String)> {
        let log = self.folder.path().join("log");
        let file = File::create(&log)?;
        command.stdout(file.try_clone()?).stderr(file);
        let mut child = command.spawn()?;
        let start = Instant::now();
        let done = loop {
            match child.try_wait()? {
                Some(status) => break status.success(),
                None if start.elapsed() > PATIENCE => {
                    child.kill()?;
                    child.wait()?;
                    bail!("{:?} does not end", command.get_program());
                }
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        let said = fs::read_to_string(&log)?;
        let said: Vec<&str> = said.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
        Ok((done, said.join("\n")))
    }
}

/// Keeps a file of the job's workspace.
fn upload(run: &mut Run, job: &Job<'_>, with: &BTreeMap<String, String>) -> Result<Left> {
    let slip = with.keys().find(|name| !["name", "path", "if-no-files-found"].contains(&&***name));
    ensure!(slip.is_none(), "upload: {slip:?} is not known here");
    if let Some(then) =
        with.get("if-no-files-found").filter(|then| !["error", "ignore", "warn"].contains(&&***then))
    {
        return Ok(Left::failed(format!("upload: `{then}` is not what can be done without a file")));
    }
    let Some(path) = with.get("path") else { return Ok(Left::failed("upload: no path".to_owned())) };
    let name = with.get("name").map_or("artifact", String::as_str);
    let note = format!("keeps {name}");
    if run.notes.contains(&note) {
        return Ok(Left::failed(format!("upload: there is an artifact {name}")));
    }
    if job.workspace.join(path).is_file() {
        run.notes.push(note);
    }
    Ok(Left::default())
}
