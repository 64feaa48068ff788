//! Starts the sandbox with the example platform in it, or plays the tutorial there.

use std::env::consts::EXE_SUFFIX;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use kalypso_sandbox::Sandbox;
use kalypso_sandbox::platform::{self, Chapter};
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
    let exports = folder.path().join("exports");
    let platform = platform::create(&sandbox, Chapter::BeforeTheApplication)?;
    std::fs::write(&exports, platform.exports(&kalypso))?;
    if asked != Asked::Platform {
        let tutorial = Tutorial { exports: &exports, folder: folder.path() };
        tutorial::play(&tutorial, &mut anstream::stdout())?;
    }
    match asked {
        Asked::Platform => print!("{}", guide(&sandbox, &exports)),
        Asked::Tutorial => print!("{}", epilogue(&exports)),
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

/// What to read, and what to try.
fn guide(sandbox: &Sandbox, exports: &Path) -> String {
    let (url, exports) = (sandbox.url(), exports.display());
    format!(
        "\
The example platform is at {url}. Ctrl-C ends it, and everything in it is gone.

In a second terminal, have kalypso and git find it, with all tokens, and its Azure:

  . {exports}

Then type what docs/tutorial.md has, or begin with

  git clone \"$GITHUB_SERVER_URL/contoso/control-plane\" && cd control-plane
  kalypso schedule --environment dev --control-plane-ref dev
  merge 1
  kalypso checkpromote --environment dev
  kalypso status --environment dev
"
    )
}

/// How to go on after the tutorial.
fn epilogue(exports: &Path) -> String {
    let folder = exports.parent().unwrap_or(exports).display().to_string();
    let exports = exports.display();
    format!(
        "
All of it goes on here until Ctrl-C. To go on by hand, in a second terminal:

  . {exports} && cd {folder}/control-plane
  kalypso status --environment stage

`merge NUMBER` merges a pull request, and `statuses COMMIT` shows how far a commit is.
"
    )
}
