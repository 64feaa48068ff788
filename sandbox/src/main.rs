//! Starts the sandbox with the example platform in it, or plays the tutorial there.

use std::env::consts::EXE_SUFFIX;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use kalypso_sandbox::Sandbox;
use kalypso_sandbox::platform::{self, ADA, Chapter, Platform};
use kalypso_sandbox::tutorial::{self, Tutorial};

/// The port that it listens on, so that what was exported stays right over restarts.
const PORT: u16 = 7990;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// To have the platform there.
    Platform,
    /// To play the tutorial, and go on with it.
    Tutorial,
    /// To play the tutorial.
    TutorialOnce,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let asked = match arguments[..] {
        [] => Asked::Platform,
        ["tutorial"] if std::io::stdout().is_terminal() => Asked::Tutorial,
        ["tutorial"] | ["tutorial", "--once"] => Asked::TutorialOnce,
        _ => {
            eprintln!(
                "error: `{}` is unknown\n  help: give nothing, `tutorial` or `tutorial --once`",
                arguments.join(" ")
            );
            return ExitCode::from(2);
        }
    };
    match run(asked) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(asked: Asked) -> Result<()> {
    let kalypso = kalypso()?;
    let sandbox = Sandbox::start_on(PORT).or_else(|_| Sandbox::start())?;
    let folder = tempfile::Builder::new().prefix("kalypso-").tempdir()?;
    let platform = match asked {
        Asked::Platform => platform::create(&sandbox, Chapter::Whole)?,
        Asked::Tutorial | Asked::TutorialOnce => {
            let tutorial = Tutorial { sandbox: &sandbox, kalypso: &kalypso, folder: folder.path() };
            tutorial::play(&tutorial, &mut anstream::stdout())?
        }
    };
    let exports = export(&platform, &kalypso, folder.path())?;
    match asked {
        Asked::Platform => print!("{}", guide(&sandbox, &exports)),
        Asked::Tutorial => print!("{}", epilogue(&sandbox, &exports)),
        Asked::TutorialOnce => return Ok(()),
    }
    sandbox.run_until_interrupted()?;
    for violation in sandbox.violations() {
        eprintln!("{violation}");
    }
    Ok(())
}

/// The binary as it is now: cargo builds it beside this one, which takes no time where nothing has changed.
fn kalypso() -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let beside = this.parent().context("no folder that cargo builds in")?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--bin", "kalypso", "--manifest-path"]);
    cargo.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
    cargo.arg("--target-dir").arg(beside.parent().unwrap_or(beside));
    if beside.ends_with("release") {
        cargo.arg("--release");
    }
    match cargo.status().context("cargo cannot be started")?.success() {
        true => Ok(beside.join(format!("kalypso{EXE_SUFFIX}"))),
        false => bail!("kalypso cannot be built: cargo says why"),
    }
}

/// Writes what a second terminal must know into a file that a shell reads; gives the file.
fn export(platform: &Platform, kalypso: &Path, folder: &Path) -> Result<PathBuf> {
    let quoted = |value: &str| format!("'{}'", value.replace('\'', r"'\''"));
    let line = |(name, value): &(String, String)| format!("export {name}={}\n", quoted(value));
    let mut text: String = platform.variables().iter().map(line).collect();
    for who in ["AUTHOR", "COMMITTER"] {
        text += &format!("export GIT_{who}_NAME=ada GIT_{who}_EMAIL=ada@contoso.example\n");
    }
    if let Some(folder) = kalypso.parent() {
        text += &format!("export PATH={}:\"$PATH\"\n", quoted(&folder.display().to_string()));
    }
    let file = folder.join("exports");
    std::fs::write(&file, text)?;
    Ok(file)
}

/// What to export, and what to try.
fn guide(sandbox: &Sandbox, exports: &Path) -> String {
    let (url, api) = (sandbox.url(), sandbox.api_url());
    let host = url.trim_start_matches("http://");
    let exports = exports.display();
    format!(
        "\
The example platform is at {url}. Ctrl-C ends it, and everything in it is gone.

In a second terminal, have kalypso find it, its tokens and its Azure:

  . {exports}

Schedule the environment dev, in a clone of the control plane:

  git clone http://ada:{ADA}@{host}/contoso/control-plane && cd control-plane
  kalypso schedule --environment dev --control-plane-ref dev

Merge the pull request that came of it, as Ada, who may write everywhere:

  curl -s -X PUT -H 'Authorization: Bearer {ADA}' -H 'X-GitHub-Api-Version: 2022-11-28' \\
    {api}/repos/contoso/gitops/pulls/1/merge

Wait until the clusters have applied it, and look at them:

  kalypso checkpromote --environment dev
  kalypso status --environment dev
"
    )
}

/// How to go on after the tutorial.
fn epilogue(sandbox: &Sandbox, exports: &Path) -> String {
    let api = sandbox.api_url();
    let folder = exports.parent().unwrap_or(exports).display().to_string();
    let exports = exports.display();
    format!(
        "
All of it goes on here until Ctrl-C. To go on by hand, in a second terminal:

  . {exports} && cd {folder}/control-plane
  kalypso status --environment stage

A platform value of stage, which changes one line of one manifest:

  git fetch -q && git checkout -q stage
  sed -i s/west:8806/west-stage:8806/ config/west-us-config.yaml
  git commit -q -a -m 'Another database for stage' && git push -q
  kalypso schedule --environment stage --control-plane-ref stage

A second promotion: anything on main, then the way of the first one.

  git checkout -q main && git pull -q
  sed -i 's/REPLICAS: .*/REPLICAS: \"3\"/' config/hello-world-app-config.yaml
  git commit -q -a -m 'Three replicas' && git push -q
  kalypso promote
  kalypso schedule --environment dev --control-plane-ref dev

Pull requests are merged as Ada, with their number in place of NUMBER; then clusters follow.

  curl -s -X PUT -H 'Authorization: Bearer {ADA}' -H 'X-GitHub-Api-Version: 2022-11-28' \\
    {api}/repos/contoso/gitops/pulls/NUMBER/merge
  kalypso checkpromote --environment dev
"
    )
}
