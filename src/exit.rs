//! How a run ends: the exit codes, and errors that know theirs.

use std::fmt;
use std::process::ExitCode;
use std::time::SystemTime;

use fleet::{Diagnostic, Location};

use crate::world::git::GitError;
use crate::world::{runner, terminal};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; also with held targets
    Done,
    /// Its input is wrong
    Input,
    /// It was called wrongly
    Usage,
    /// The world failed: disk, network, permissions
    World,
    /// Someone called it off
    Cancelled,
}

impl Exit {
    /// The code that it ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Input => 1,
            Exit::Usage => 2,
            Exit::World => 3,
            // As shells have it for what an interrupt ends.
            Exit::Cancelled => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Why a run could not go on, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: anyhow::Error,
    help: String,
    location: Option<Location>,
    /// Whether the same run from the start would do
    is_outdated: bool,
    /// Whether the same may work a little later
    is_passing: bool,
    /// When it may, where that is known
    until: Option<SystemTime>,
}

impl Failure {
    /// The command was called in a way that cannot work.
    pub(crate) fn usage(message: impl fmt::Display, help: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, anyhow::anyhow!("{message}"), help)
    }

    /// What it was given cannot be used.
    pub(crate) fn input(message: impl fmt::Display, help: impl Into<String>) -> Failure {
        Failure::new(Exit::Input, anyhow::anyhow!("{message}"), help)
    }

    /// What was computed must not be published.
    pub(crate) fn refused(why: &str) -> Failure {
        Failure::input(format!("{why}; nothing is written"), "correct what is named above, then run again")
    }

    /// A repository cannot be read.
    pub(crate) fn of_git(error: GitError) -> Failure {
        let help = error.help();
        Failure::world(anyhow::anyhow!("{error}"), help)
    }

    /// Something outside of us failed.
    pub(crate) fn world(error: impl Into<anyhow::Error>, help: impl Into<String>) -> Failure {
        Failure::new(Exit::World, error.into(), help)
    }

    fn new(exit: Exit, error: anyhow::Error, help: impl Into<String>) -> Failure {
        Failure {
            exit,
            error,
            help: help.into(),
            location: None,
            is_outdated: false,
            is_passing: false,
            until: None,
        }
    }

    /// The GitOps branch has moved on since it was read.
    pub(crate) fn outdated(repo: impl fmt::Display, branch: &str) -> Failure {
        let error = anyhow::anyhow!("the branch {branch} of {repo} moves on faster than it is read");
        Failure { is_outdated: true, ..Failure::world(error, "run again when others have finished") }
    }

    /// Whether what was computed is no longer what is needed.
    pub(crate) fn is_outdated(&self) -> bool {
        self.is_outdated
    }

    /// The same may work a little later.
    pub(crate) fn passing(self) -> Failure {
        Failure { is_passing: true, ..self }
    }

    /// The same may work then, and not before.
    pub(crate) fn passing_at(self, time: SystemTime) -> Failure {
        Failure { until: Some(time), ..self.passing() }
    }

    /// When the same may work, where that is known.
    pub(crate) fn until(&self) -> Option<SystemTime> {
        self.until
    }

    /// Whether the same may work a little later.
    pub(crate) fn is_passing(&self) -> bool {
        self.is_passing
    }

    /// With the place of what it is about.
    pub(crate) fn at(self, location: &Location) -> Failure {
        Failure { location: Some(location.clone()), ..self }
    }

    /// What went wrong, without the next move.
    pub(crate) fn reason(&self) -> String {
        format!("{:#}", self.error)
    }

    /// Says it on standard error; in an Action also as an annotation, and in the summary of the job.
    pub(crate) fn report(self) -> Exit {
        let problem = Diagnostic::error(self.reason()).help(&self.help);
        let problem = Diagnostic { location: self.location, ..problem };
        if runner::is_action() {
            terminal::say(&report::annotations([&problem], runner::own_file));
            // There is nobody left to tell if this fails, too.
            let _ = runner::summarize(&report::ended_early(&problem));
        }
        terminal::complain(&report::problems([&problem]));
        self.exit
    }
}
