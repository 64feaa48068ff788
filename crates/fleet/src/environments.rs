//! The declared environments, and which follows which.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Location, Severity, did_you_mean};
use crate::objects::{Environment, Object};
use crate::parse::{self, Objects, Parsed};
use crate::snapshot::{in_environments, without_duplicates};
use crate::source::{self, Source, entry};

/// What the folder `.environments/` of a source declares, by name; else everything that is wrong with it.
///
/// Warnings are wrong, too: what is ignored or misspelled there would change who is asked before a promotion.
pub fn environments(source: &Source) -> Result<Vec<Environment>, Vec<Diagnostic>> {
    let Objects { objects, mut problems, .. } =
        parse::objects(source::environment_documents(source), in_environments);
    let mut doubles = Vec::new();
    let objects = without_duplicates(objects, &mut doubles);
    problems.extend(doubles.into_iter().filter(Diagnostic::is_error));
    // What cannot be read may be what the others name.
    if problems.is_empty() {
        problems = broken_links(&objects);
    }
    if problems.is_empty() {
        let environment = |parsed| match parsed {
            Parsed { object: Object::Environment(environment), .. } => Some(environment),
            _ => None,
        };
        let mut declared: Vec<Environment> = objects.into_iter().filter_map(environment).collect();
        declared.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
        return Ok(declared);
    }
    problems.iter_mut().for_each(|problem| problem.severity = Severity::Error);
    problems.sort();
    Err(problems)
}

/// What is wrong with which environment follows which: no promotion can go that way.
pub(crate) fn broken_links(objects: &[Parsed]) -> Vec<Diagnostic> {
    let declared: Vec<(&Environment, Location)> = objects.iter().filter_map(declaration).collect();
    let nexts: BTreeMap<&str, Option<&str>> =
        declared.iter().map(|(it, _)| (&*it.meta.name, it.next.as_deref())).collect();
    let problem = |(environment, place): &(&Environment, Location)| {
        let name = &*environment.meta.name;
        let next = environment.next.as_deref()?;
        let problem = if !nexts.contains_key(next) {
            let known = || format!("declared are {}", nexts.keys().copied().collect::<Vec<_>>().join(", "));
            let help = did_you_mean(next, nexts.keys().copied()).unwrap_or_else(known);
            Diagnostic::error(format!("environment `{name}` is followed by `{next}`, which is not declared"))
                .help(help)
        } else {
            let circle = circle(name, &nexts)?;
            Diagnostic::error(format!("environments follow each other in a circle: {}", circle.join(", ")))
                .help("remove `spec.next` of the last one")
        };
        Some(problem.at(place.clone()))
    };
    declared.iter().filter_map(problem).collect()
}

/// An environment, and where it says what follows it.
fn declaration(Parsed { object, node }: &Parsed) -> Option<(&Environment, Location)> {
    let Object::Environment(environment) = object else { return None };
    let next = entry(node, "spec").and_then(|(_, spec)| entry(spec, "next"));
    let place = next.map_or(node.start, |(_, next)| next.start);
    let place = Location::new(&environment.meta.location.file, place);
    Some((environment, place))
}

/// The way from an environment back to itself, told of the first one by name.
fn circle<'n>(start: &'n str, nexts: &BTreeMap<&'n str, Option<&'n str>>) -> Option<Vec<&'n str>> {
    let mut way = vec![start];
    while let Some(Some(next)) = nexts.get(way[way.len() - 1]) {
        if *next == start {
            way.push(start);
            return Some(way);
        }
        // Another circle, or one that another environment tells.
        if way.contains(next) || *next < start {
            return None;
        }
        way.push(next);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileContent;

    fn environment(name: &str, next: &str) -> String {
        let place = "controlPlane: {repo: https://x/y, branch: main, path: .}";
        format!(
            "apiVersion: scheduler.kalypso.io/v1alpha1\nkind: Environment\nmetadata: {{name: {name}}}\nspec:\n  {place}\n{next}"
        )
    }

    fn declared(files: &[(&str, String)]) -> Result<Vec<String>, String> {
        let file =
            |(path, text): &(&str, String)| ((*path).to_owned(), FileContent::Bytes(text.as_bytes().into()));
        let source = Source { prefix: "".into(), files: files.iter().map(file).collect() };
        let names = |found: Vec<Environment>| found.into_iter().map(|it| it.meta.name).collect();
        let said = |problems: Vec<Diagnostic>| problems.iter().map(|it| format!("{it}\n")).collect();
        environments(&source).map(names).map_err(said)
    }

    #[test]
    fn chains() {
        let (dev, stage) = (".environments/dev.yaml", ".environments/stage.yaml");
        let next = |name: &str| format!("  next: {name}\n");
        let place = "environments follow each other in a circle";
        let (itself, circle) = (format!("{place}: dev, dev"), format!("{place}: dev, stage, dev"));
        let cases = [
            (vec![], Ok(vec![]), "nothing is declared"),
            (
                vec![(dev, environment("dev", &next("stage"))), (stage, environment("stage", ""))],
                Ok(vec!["dev", "stage"]),
                "a chain",
            ),
            (
                vec![(dev, environment("dev", "")), ("envs/base-repo.yaml", "kind: [".to_owned())],
                Ok(vec!["dev"]),
                "what stands beside is of no concern",
            ),
            (
                vec![(dev, environment("dev", "")), (stage, environment("dev", ""))],
                Ok(vec!["dev"]),
                "twice the same",
            ),
            (
                vec![(dev, "kind: [\n".to_owned()), (stage, environment("stage", &next("prod")))],
                Err(vec![".environments/dev.yaml:2:1: error: not YAML"]),
                "what cannot be read may be anything",
            ),
            (
                vec![(dev, environment("dev", "").replace("Environment", "Enviroment"))],
                Err(vec![".environments/dev.yaml:2:7: error: unknown kind `Enviroment`"]),
                "what is ignored would not be asked",
            ),
            (
                vec![(dev, environment("dev", "  nxet: stage\n")), (stage, environment("stage", ""))],
                Err(vec![".environments/dev.yaml:6:3: error: unknown field `nxet` of `spec`"]),
                "what is misspelled neither",
            ),
            (
                vec![(dev, environment("dev", "")), (stage, environment("dev", &next("dev")))],
                Err(vec![
                    ".environments/stage.yaml:3:18: error: the Environment `dev` stands twice with different",
                ]),
                "two that differ",
            ),
            (
                vec![(dev, environment("dev", &next("stgae"))), (stage, environment("stage", ""))],
                Err(vec![
                    ".environments/dev.yaml:6:9: error: environment `dev` is followed by `stgae`, which is not declared\n  help: did you mean `stage`?",
                ]),
                "a slip of the keyboard",
            ),
            (
                vec![(dev, environment("dev", &next("production")))],
                Err(vec!["help: declared are dev\n"]),
                "one that is not there",
            ),
            (vec![(dev, environment("dev", &next("dev")))], Err(vec![&itself]), "itself"),
            (
                vec![
                    (dev, environment("dev", &next("stage"))),
                    (stage, environment("stage", &next("dev"))),
                    (".environments/test.yaml", environment("test", &next("stage"))),
                ],
                Err(vec![&circle]),
                "a circle is told once",
            ),
        ];
        for (files, want, why) in cases {
            match (declared(&files), want) {
                (Ok(names), Ok(want)) => assert_eq!(names, want, "{why}"),
                (Err(said), Err(want)) => {
                    assert_eq!(said.matches("error: ").count(), want.len(), "{why}: {said}");
                    assert!(want.iter().all(|part| said.contains(part)), "{why}: {said}");
                }
                (got, _) => panic!("{why}: {got:?}"),
            }
        }
    }
}
