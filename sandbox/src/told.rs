//! A story on a terminal: chapters, texts, commands with their output, and what the world shows.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use anyhow::Result;

const BOLD: Style = Style::new().bold();
const COMMAND: Style = AnsiColor::Green.on_default().bold();
const QUIET: Style = Style::new().dimmed();
const LABEL: Style = AnsiColor::Cyan.on_default();

/// The longest label of a fact.
const LABELS: usize = 14;

/// A story that is being told.
pub(crate) struct Told<'a> {
    out: &'a mut dyn Write,
    chapter: usize,
}

impl<'a> Told<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Told<'a> {
        Told { out, chapter: 0 }
    }

    pub(crate) fn title(&mut self, title: &str) -> Result<()> {
        Ok(writeln!(self.out, "\n{BOLD}{title}{BOLD:#}")?)
    }

    pub(crate) fn chapter(&mut self, title: &str) -> Result<()> {
        self.chapter += 1;
        Ok(writeln!(self.out, "\n{BOLD}{}. {title}{BOLD:#}", self.chapter)?)
    }

    /// What happens and why; lines as they are.
    pub(crate) fn text(&mut self, text: &str) -> Result<()> {
        writeln!(self.out)?;
        Ok(text.lines().try_for_each(|line| writeln!(self.out, "   {line}"))?)
    }

    /// A command that is run now, as a person can.
    pub(crate) fn command(&mut self, command: &str) -> Result<()> {
        writeln!(self.out, "\n   {QUIET}${QUIET:#} {COMMAND}{command}{COMMAND:#}")?;
        Ok(self.out.flush()?)
    }

    /// A line of its output.
    pub(crate) fn output(&mut self, line: &str) -> Result<()> {
        writeln!(self.out, "   {QUIET}│{QUIET:#} {line}")?;
        Ok(self.out.flush()?)
    }

    /// What the world shows, each with a label; without one it belongs to the label above.
    pub(crate) fn facts(&mut self, facts: &[(&str, String)]) -> Result<()> {
        for (at, (label, fact)) in facts.iter().enumerate() {
            if at == 0 {
                writeln!(self.out)?;
            }
            writeln!(self.out, "   {LABEL}{label:LABELS$}{LABEL:#}{fact}")?;
        }
        Ok(())
    }
}
