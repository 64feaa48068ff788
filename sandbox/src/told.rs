//! A story on a terminal: chapters, texts, commands with their output.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use anyhow::Result;

const BOLD: Style = Style::new().bold();
const COMMAND: Style = AnsiColor::Green.on_default().bold();
const QUIET: Style = Style::new().dimmed();

/// How wide it may be.
const COLUMNS: usize = 96;

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
        Ok(text.lines().try_for_each(|line| writeln!(self.out, "  {line}"))?)
    }

    /// Commands that are run now, as a person can.
    pub(crate) fn commands(&mut self, commands: &str) -> Result<()> {
        writeln!(self.out)?;
        for (number, line) in commands.lines().enumerate() {
            let mark = if number == 0 { '$' } else { ' ' };
            writeln!(self.out, "  {QUIET}{mark}{QUIET:#} {COMMAND}{line}{COMMAND:#}")?;
        }
        Ok(self.out.flush()?)
    }

    /// A line of its output.
    pub(crate) fn output(&mut self, line: &str) -> Result<()> {
        for line in wrapped(line, COLUMNS - 5) {
            writeln!(self.out, "  {QUIET}│{QUIET:#} {}", line.trim_end())?;
        }
        Ok(self.out.flush()?)
    }
}

/// Lines of at most so many columns, broken at spaces; those after the first begin further to the right.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    if text.chars().count() <= columns {
        return vec![text.to_owned()];
    }
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_inclusive(' ') {
        if !line.is_empty() && line.chars().count() + word.trim_end().chars().count() > columns {
            lines.push(std::mem::replace(&mut line, "    ".to_owned()));
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_at_spaces() {
        let table: [(&str, &[&str], &str); 5] = [
            ("", &[""], "nothing"),
            ("  as it  is", &["  as it  is"], "what fits stays"),
            ("one two three four", &["one two ", "    three ", "    four"], "broken, and set off"),
            ("a-word-that-is-long", &["a-word-that-is-long"], "a word stays whole"),
            ("äöü äöü äöü", &["äöü äöü äöü"], "columns are counted, not bytes"),
        ];
        for (text, want, why) in table {
            assert_eq!(wrapped(text, 11), want, "{why}");
        }
    }
}
