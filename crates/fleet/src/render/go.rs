//! The engine `go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::{Elem, Limits, MapRef, Str, Struct, Template, Value};
use goyaml::Node;

use super::{ConfigData, Place, TargetData, TextField};
use crate::compose::Config;
use crate::diagnostic::Diagnostic;

/// Output that still holds an action is rendered again, this many times.
const MAX_PASSES: usize = 16;
/// The name of the operator's data type, for Go's own wording of errors.
const TYPE_NAME: &str = "scheduler.dataType";

#[derive(Debug)]
pub(super) struct Program {
    template: Template,
    node: Node,
}

impl Program {
    pub(super) fn new(text: &str, place: &Place<'_>) -> Result<Program, Diagnostic> {
        Program::of_node(text, place, place.node())
    }

    pub(super) fn of_node(text: &str, place: &Place<'_>, node: &Node) -> Result<Program, Diagnostic> {
        let template = Template::parse(text).map_err(|error| diagnostic(place, node, 1, error))?;
        Ok(Program { template, node: node.clone() })
    }

    pub(super) fn render(&self, data: &Value, place: &Place<'_>) -> Result<Vec<u8>, Diagnostic> {
        let limits = Limits::default();
        let failed = |pass| move |error| diagnostic(place, &self.node, pass, error);
        let mut output = self.template.render(data, limits).map_err(failed(1))?;
        for pass in 2.. {
            if !output.windows(2).any(|pair| pair == b"{{") {
                break;
            }
            if pass > MAX_PASSES {
                let text = format!("after {MAX_PASSES} passes the output still holds `{{{{`");
                let help = "a value that prints itself never ends: look for a config value with `{{`";
                return Err(place.whole(&self.node, &text).help(help));
            }
            let text = String::from_utf8_lossy(&output).into_owned();
            let again = Template::parse(&text).map_err(failed(pass))?;
            output = again.render(data, limits).map_err(failed(pass))?;
        }
        Ok(output)
    }
}

fn diagnostic(place: &Place<'_>, node: &Node, pass: usize, error: gotmpl::Error) -> Diagnostic {
    let mut message = error.message;
    let is_value = error.context.is_some();
    let usual_help = || match is_value {
        true => "correct the template, or the value that it is given".to_owned(),
        false => "check the braces, the parentheses and the quotes of this action".to_owned(),
    };
    if let Some(context) = error.context {
        message = format!("at `{context}`: {message}");
    }
    if let Some(template) = error.template {
        message = format!("in `{template}`: {message}");
    }
    let problem = if pass == 1 {
        place.problem(node, error.line, error.column, &message)
    } else {
        let text = format!(
            "line {}, column {} of its output, which holds `{{{{` and is rendered again: {message}",
            error.line, error.column
        );
        place.whole(node, &text)
    };
    let help = match pass {
        1 => Some(name_help(&message).or(error.help).unwrap_or_else(usual_help)),
        _ => error.help.or_else(|| Some("look for the config value that brings this `{{`".to_owned())),
    };
    Diagnostic { help, ..problem }
}

/// What to do about a function that does not exist, if its name is nearly one of the data's.
fn name_help(message: &str) -> Option<String> {
    const NAMES: [&str; 9] = [
        "ClusterType",
        "ConfigData",
        "DeploymentTargetName",
        "Environment",
        "Labels",
        "Manifests",
        "Namespace",
        "Workload",
        "Workspace",
    ];
    let name = message.strip_prefix("function \"")?.strip_suffix("\" not defined")?;
    let plain = name.replace('_', "");
    match NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(&plain)) {
        Some(known) if known == name => Some(format!("write `.{known}`, with a dot")),
        Some(known) => Some(format!("write `.{known}`, or set `engine: jinja`")),
        // A short word is seldom a slip in the name of a function, but often text.
        None if name.len() < 4 => Some(format!("quote it, if it is text: \"{name}\"")),
        None => None,
    }
}

pub(super) fn config(config: &Config) -> Value {
    let entry = |(key, value): (&String, &crate::compose::ConfigValue)| {
        (Str::from(&**key), Value::from_yaml(&value.value))
    };
    Value::dict(config.values.iter().map(entry).collect())
}

pub(super) fn strings(strings: &BTreeMap<String, String>) -> Value {
    let entries = strings.iter().map(|(key, value)| (Str::from(&**key), Value::from(&**value)));
    Value::Map(Elem::Str, MapRef::new(entries.collect()))
}

pub(super) fn data(texts: [TextField<'_>; 6], shared: &TargetData, config: &ConfigData) -> Value {
    let mut fields: Vec<(&'static str, Value)> =
        texts.iter().map(|(name, _, text)| (*name, Value::from(*text))).collect();
    fields.push(("Labels", shared.labels.0.clone()));
    fields.push(("Manifests", shared.manifests.0.clone()));
    fields.push(("ConfigData", config.go().clone()));
    Value::Struct(Arc::new(Struct { type_name: TYPE_NAME, fields }))
}
