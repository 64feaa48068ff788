//! Cases in text files: what to change in a platform, how to run, and what people read afterwards.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::support::Ran;

/// A case of a text file: the lines that say what to do, and what is to be read afterwards.
pub(crate) struct Case<'a> {
    setup: Vec<&'a str>,
    want: String,
}

/// One thing to do.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// Replaces the lines `old` of a file by `new`; without `old`, `new` is the whole file
    In { path: &'a str, old: Vec<&'a str>, new: Vec<&'a str> },
    /// A line of one word and the rest
    Line(&'a str, &'a str),
}

impl<'a> Case<'a> {
    fn new(text: &'a str) -> Case<'a> {
        let mut lines = text.lines();
        let setup: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("exit ")).collect();
        let want = text.split_once("\nexit ").map_or("", |(_, want)| want);
        Case { setup, want: format!("exit {want}") }
    }

    /// What the case is called.
    pub(crate) fn title(&self) -> &'a str {
        self.setup[0]
    }

    /// What to do, in the order of the lines.
    pub(crate) fn steps(&self) -> Vec<Step<'a>> {
        let mut steps = Vec::new();
        let mut lines = self.setup.iter().skip(1).copied().peekable();
        while let Some(line) = lines.next() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let mut marked = |mark: char| {
                let mut found = Vec::new();
                while let Some(line) = lines.next_if(|line| line.starts_with(mark)) {
                    found.push(line.get(2..).unwrap_or_default());
                }
                found
            };
            steps.push(match word {
                "in" => Step::In { path: rest, old: marked('-'), new: marked('+') },
                word => Step::Line(word, rest),
            });
        }
        steps
    }

    /// What a run said, as far as this case looks at it.
    fn said(&self, ran: &Ran) -> String {
        let mut said = format!("exit {}\n{}", ran.exit, ran.stderr);
        let looks_at_stdout = self.want.contains("\nstdout") || (ran.exit != 0 && !ran.stdout.is_empty());
        if looks_at_stdout {
            let _ = write!(said, "stdout\n{}", ran.stdout);
        }
        said
    }
}

/// Runs the cases of a text file, and returns how many there are.
pub(crate) fn cases(path: &Path, run: impl Fn(&Case<'_>) -> Ran) -> usize {
    let text = fs::read_to_string(path).expect("the cases");
    let name = path.file_name().unwrap_or_default().display();
    let mut blessed = String::new();
    let mut failed = String::new();
    let mut count = 0;
    for text in text.split("=== ").skip(1) {
        let case = Case::new(text.trim_end());
        let said = case.said(&run(&case));
        let _ = write!(
            blessed,
            "{}=== {}\n{said}",
            if blessed.is_empty() { "" } else { "\n" },
            case.setup.join("\n")
        );
        if said.trim_end() != case.want {
            let _ = write!(failed, "\n{name}: {}\nwant:\n{}\ngot:\n{said}", case.title(), case.want);
        }
        count += 1;
    }
    assert!(count > 0, "{name} has no cases");
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, blessed).expect("the blessed cases");
    } else {
        assert!(failed.is_empty(), "{failed}");
    }
    count
}
