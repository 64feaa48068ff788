//! Reading 300 applications' repositories: the whole of `kalypso schedule --out` beside `git clone` of the same set.
//!
//! `cargo bench --bench fetch`; needs `git` and `xargs`. Both sides ask the same sandbox in turn, so that its own
//! work and the machine's load are the same for both.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use kalypso_sandbox::{Access, Limits, Sandbox, Visibility};

const REPOSITORIES: usize = 300;
const ROUNDS: usize = 5;
const TOKEN: &str = "ghp_reader";

fn main() -> Result<()> {
    let sandbox = Sandbox::start()?;
    sandbox.set_limits(Limits { requests_per_hour: u64::MAX, ..Limits::default() });
    let folder = tempfile::tempdir()?;
    prepare(&sandbox, folder.path())?;
    let (mut ours, mut gits) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        gits.push(timed(|| clone_all(folder.path()))?);
        ours.push(timed(|| schedule(&sandbox, folder.path()))?);
    }
    let (ours, gits) = (median(&mut ours), median(&mut gits));
    println!("{REPOSITORIES} repositories, 16 at a time, median of {ROUNDS}");
    println!("  kalypso schedule --out            {:>6.2} s", ours.as_secs_f64());
    println!("  xargs -P16 git clone --depth 1    {:>6.2} s", gits.as_secs_f64());
    println!(
        "  ratio                             {:>6.2}    (target: at most 1.2)",
        ours.as_secs_f64() / gits.as_secs_f64()
    );
    Ok(())
}

/// The repositories, a control plane that registers them, and their URLs in a file.
fn prepare(sandbox: &Sandbox, folder: &Path) -> Result<()> {
    let mut access = Access::read("contoso/app-0");
    let mut urls = String::new();
    let mut plane = String::from(
        "apiVersion: scheduler.kalypso.io/v1alpha1\nkind: ClusterType\nmetadata: {name: large}\n\
         spec: {reconciler: arc-flux, namespaceService: default, configType: configmap}\n---\n\
         apiVersion: scheduler.kalypso.io/v1alpha1\nkind: SchedulingPolicy\nmetadata: {name: all}\n\
         spec: {deploymentTargetSelector: {}, clusterTypeSelector: {}}\n",
    );
    for number in 0..REPOSITORIES {
        let name = format!("app-{number}");
        let repository = sandbox.create_repository(&format!("contoso/{name}"), Visibility::Private)?;
        access = access.and(&format!("contoso/{name}"));
        let workload = format!(
            "apiVersion: scheduler.kalypso.io/v1alpha1\nkind: Workload\nmetadata: {{name: {name}}}\nspec:\n  \
             deploymentTargets:\n  - name: dev\n    environment: dev\n    \
             manifests: {{repo: {url}, branch: dev, path: .}}\n",
            url = repository.url()
        );
        let code = "fn main() {}\n".repeat(500);
        let files = [("deploy/workload.yaml", Some(&*workload)), ("src/main.rs", Some(&*code))];
        repository.commit("main", &files, "An application")?;
        urls += &format!("{}\n", with_password(&repository.url()));
        plane += &format!(
            "---\napiVersion: scheduler.kalypso.io/v1alpha1\nkind: WorkloadRegistration\nmetadata: {{name: {name}}}\n\
             spec:\n  workload: {{repo: {}, branch: main, path: deploy}}\n  workspace: apps\n",
            repository.url()
        );
    }
    sandbox.token(TOKEN, access);
    fs::create_dir(folder.join("plane"))?;
    fs::write(folder.join("plane/platform.yaml"), plane)?;
    fs::write(folder.join("urls"), urls)?;
    Ok(())
}

fn with_password(url: &str) -> String {
    url.replacen("http://", &format!("http://x-access-token:{TOKEN}@"), 1)
}

fn clone_all(folder: &Path) -> Result<()> {
    let into = folder.join("clones");
    fs::create_dir(&into)?;
    let status = Command::new("xargs")
        .args(["-P16", "-n1", "git", "clone", "--quiet", "--depth", "1", "--single-branch", "--bare"])
        .current_dir(&into)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(fs::File::open(folder.join("urls"))?)
        .status()?;
    ensure!(status.success(), "git clone failed");
    ensure!(fs::read_dir(&into)?.count() == REPOSITORIES, "every repository is cloned");
    fs::remove_dir_all(into)?;
    Ok(())
}

fn schedule(sandbox: &Sandbox, folder: &Path) -> Result<()> {
    let out = folder.join("out");
    let status = Command::new(env!("CARGO_BIN_EXE_kalypso"))
        .args(["schedule", "--environment", "dev", "--control-plane"])
        .arg(folder.join("plane"))
        .arg("--repo-tokens")
        .arg(format!("{}/contoso={TOKEN}", sandbox.url()))
        .arg("--out")
        .arg(&out)
        .env("GITHUB_SERVER_URL", sandbox.url())
        .stdout(Stdio::null())
        .status()?;
    ensure!(status.success(), "kalypso failed");
    let targets =
        fs::read_dir(out.join("large"))?.filter(|entry| entry.as_ref().is_ok_and(|it| it.path().is_dir()));
    ensure!(targets.count() == REPOSITORIES, "every application is scheduled");
    fs::remove_dir_all(out)?;
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}
