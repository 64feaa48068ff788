//! What documents say: their links lead somewhere, and the messages that they explain are those that people get.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Where messages stand: what tests compare them with, and the code.
const SAID: [&str; 4] = ["tests/messages", "tests/online/failures", "src", "crates"];

/// Between two parts of a message that stand in the code there is not more than this.
const MESSAGE: usize = 800;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder of the repository that have one of these endings.
fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            if path.is_dir() {
                folders.push(path);
            } else if endings.contains(&ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The documents of the repository, by path.
fn documents() -> BTreeMap<PathBuf, String> {
    let own = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "templates/README.md"];
    let own = own.map(|name| root().join(name));
    let all = own.into_iter().chain(files("docs", &["md"])).chain(files("examples", &["md"]));
    all.map(|path| (path.clone(), read(&path))).collect()
}

#[test]
fn links_lead_somewhere() {
    let documents = documents();
    let mut lost = Vec::new();
    let mut count = 0;
    for (path, text) in &documents {
        let folder = path.parent().expect("a folder");
        for link in links(text).filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { folder.join(file) };
            let is_there = match (target.canonicalize(), heading) {
                (Err(_), _) => false,
                (Ok(_), "") => true,
                (Ok(target), heading) => {
                    let text =
                        documents.iter().find(|(path, _)| path.canonicalize().is_ok_and(|it| it == target));
                    text.is_some_and(|(_, text)| anchors(text).contains(heading))
                }
            };
            if !is_there {
                lost.push(format!("{}: {link}", path.display()));
            }
            count += 1;
        }
    }
    assert!(lost.is_empty(), "{lost:#?}");
    assert!(count > 100, "{count}");
}

#[test]
fn the_workflow_of_the_readme_is_that_of_the_templates() {
    let readme = read(&root().join("README.md"));
    let (_, workflow) = readme.split_once("\n```yaml\n").expect("the workflow");
    let (workflow, _) = workflow.split_once("\n```").expect("its end");
    let template = read(&root().join("templates/control-plane/dev/.github/workflows/schedule.yml"));
    let mut lines = template.lines();
    for line in workflow.lines() {
        assert!(lines.any(|it| it == line), "`{line}` does not stand there in the template");
    }
}

/// What stands in `](…)`, outside of blocks of code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|prose| prose.split("](").skip(1)).filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// The names that GitHub gives to headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let prose = text.split("```").step_by(2);
    let headings = prose.flat_map(str::lines).filter(|line| line.starts_with('#'));
    let name = |heading: &str| -> String {
        let kept = heading
            .trim_start_matches('#')
            .trim()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
    };
    headings.map(name).collect()
}

#[test]
fn every_message_is_one_that_people_get() {
    let said = SAID.iter().flat_map(|folder| files(folder, &["rs", "txt", "md"]));
    let said: Vec<String> = said.map(|path| as_read(&read(&path))).collect();
    let document = read(&root().join("docs/troubleshooting.md"));
    let messages: Vec<&str> = messages(&document).collect();
    assert!(messages.len() > 80, "{messages:#?}");
    let unknown: Vec<&&str> =
        messages.iter().filter(|message| !said.iter().any(|text| says(text, message))).collect();
    assert!(unknown.is_empty(), "nobody says {unknown:#?}");
}

/// The code in first cells, of tables whose first column has messages.
fn messages(document: &str) -> impl Iterator<Item = &str> {
    let tables = document.split("\n| message |").skip(1);
    let rows = tables.flat_map(|table| table.lines().skip(2).take_while(|line| line.starts_with('|')));
    rows.filter_map(|row| row.strip_prefix('|')?.split_once(" | ")).flat_map(|(cell, _)| code(cell))
}

/// The texts between backticks: as many close a text as have opened it.
fn code(cell: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = cell;
    while let Some(start) = rest.find('`') {
        let ticks = rest[start..].bytes().take_while(|byte| *byte == b'`').count();
        let (fence, after) = rest[start..].split_at(ticks);
        let Some((text, after)) = after.split_once(fence) else { break };
        found.push(text.trim());
        rest = after;
    }
    found
}

/// Whether a text has the parts of a message, in their order; `…` stands for what is between them.
fn says(text: &str, message: &str) -> bool {
    let parts: Vec<&str> = message.split('…').map(str::trim).filter(|part| part.len() > 2).collect();
    let Some(first) = parts.first() else { return false };
    text.match_indices(first).any(|(at, _)| {
        let mut rest = &text[at..];
        parts.iter().all(|part| {
            let found = rest.find(part).filter(|at| *at < MESSAGE);
            found.inspect(|at| rest = &rest[at + part.len()..]).is_some()
        })
    })
}

/// A text on one line, and literals as people read them.
fn as_read(text: &str) -> String {
    let text = text.replace("\\\n", " ").replace("\\\"", "\"");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
