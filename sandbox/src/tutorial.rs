//! The tutorial, played: the texts of `docs/tutorial.md` are told, and its commands run, one after the other.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::told::Told;

/// What is told and run; what stands before its first chapter is for those who read it.
const DOCUMENT: &str = include_str!("../../docs/tutorial.md");
const TITLE: &str = "The way of a change, from a registration to the clusters";

/// Where the tutorial plays.
pub struct Tutorial<'a> {
    /// What a shell must read to be in the sandbox's platform.
    pub exports: &'a Path,
    /// An empty folder: the clone is made in it.
    pub folder: &'a Path,
}

/// A part of the document.
#[derive(Debug, PartialEq, Eq)]
enum Part<'d> {
    Chapter(&'d str),
    Text(&'d str),
    Commands(&'d str),
    /// What the commands above print; told as they print it
    Output,
}

/// Plays all of it.
pub fn play(tutorial: &Tutorial<'_>, out: &mut dyn Write) -> Result<()> {
    let mut told = Told::new(out);
    let mut shell = Shell { exports: tutorial.exports, folder: tutorial.folder.to_owned() };
    told.title(TITLE)?;
    for part in parts(DOCUMENT) {
        match part {
            Part::Chapter(title) => told.chapter(title)?,
            Part::Text(text) => told.text(text)?,
            Part::Commands(commands) => {
                told.commands(commands)?;
                shell.run(commands, &mut told)?;
            }
            Part::Output => {}
        }
    }
    Ok(())
}

/// The parts of a document, from its first chapter on.
fn parts(document: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = document.find("\n## ").map_or("", |start| document[start..].trim_start());
    while !rest.is_empty() {
        let is_block = rest.starts_with("```");
        let end = if is_block { rest[3..].find("\n```").map(|end| end + 7) } else { rest.find("\n\n") };
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        parts.push(match part.split_once('\n') {
            Some(("```sh", commands)) => Part::Commands(commands.trim_end_matches("\n```")),
            _ if is_block => Part::Output,
            _ => part.strip_prefix("## ").map_or(Part::Text(part), Part::Chapter),
        });
        rest = after.trim_start();
    }
    parts
}

/// A shell that goes on where its last commands have ended.
struct Shell<'a> {
    exports: &'a Path,
    folder: PathBuf,
}

impl Shell<'_> {
    /// Runs commands, of which each must end well.
    fn run(&mut self, commands: &str, told: &mut Told<'_>) -> Result<()> {
        let end = tempfile::NamedTempFile::new()?;
        let (reader, writer) = std::io::pipe()?;
        let mut process = Command::new("sh")
            .args(["-ec", &format!(". \"$0\"\n{commands}\npwd > \"$1\"")])
            .args([self.exports, end.path()])
            .current_dir(&self.folder)
            .env_remove("GITHUB_ACTIONS")
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()
            .context("sh cannot be started")?;
        for line in BufReader::new(reader).lines() {
            told.output(&line?)?;
        }
        let status = process.wait()?;
        if !status.success() {
            bail!("this ended with {status}: please report it\n{commands}");
        }
        self.folder = std::fs::read_to_string(end.path())?.trim_end_matches('\n').into();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_parts() {
        let document = "# Title\n\nBefore.\n\n## One\n\nText\nof two lines.\n\n```sh\ncat <<END\n\na\nEND\n```\n\n\
                        ```text\na\n```\n\n## Two\n\n```sh\ntrue\n```\n";
        let want = [
            Part::Chapter("One"),
            Part::Text("Text\nof two lines."),
            Part::Commands("cat <<END\n\na\nEND"),
            Part::Output,
            Part::Chapter("Two"),
            Part::Commands("true"),
        ];
        assert_eq!(parts(document), want);
    }
}
