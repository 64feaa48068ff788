//! The engine `jinja`: minijinja over the same data, with the same helper functions.

use std::collections::BTreeMap;

use goyaml::Node;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, StringInput, ValueKind};
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value};

use super::{ConfigData, Place, TargetData, TextField};
use crate::compose::Config;
use crate::diagnostic::{Diagnostic, did_you_mean};

/// Steps that a template may take.
const FUEL: u64 = 1_000_000;
/// Bytes that it may print.
const MAX_OUTPUT: usize = 16 << 20;
const NAME: &str = "manifest";

#[derive(Debug)]
pub(super) struct Program {
    environment: Environment<'static>,
    text: String,
    node: Node,
}

impl Program {
    pub(super) fn new(text: &str, place: &Place<'_>) -> Result<Program, Diagnostic> {
        Program::of_node(text, place, place.node())
    }

    pub(super) fn of_node(text: &str, place: &Place<'_>, node: &Node) -> Result<Program, Diagnostic> {
        let mut environment = Environment::new();
        environment.set_syntax(syntax());
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        environment.set_debug(true);
        // What sizes its result by an argument could exhaust memory in one step.
        ["batch", "format", "slice"].into_iter().for_each(|name| environment.remove_filter(name));
        environment.add_filter("indent", indent);
        // The data's `namespace` hides the function of that name.
        environment.add_function("new_namespace", minijinja::functions::namespace);
        for (name, helper) in HELPERS {
            environment.add_function(name, move |value: Value| call(helper, &value));
            environment.add_filter(name, move |value: Value| call(helper, &value));
        }
        environment
            .add_template_owned(NAME, text.to_owned())
            .map_err(|error| diagnostic(place, node, text, &error))?;
        Ok(Program { environment, text: text.to_owned(), node: node.clone() })
    }

    pub(super) fn render(&self, data: &Value, place: &Place<'_>) -> Result<Vec<u8>, Diagnostic> {
        let failed = |error: minijinja::Error| diagnostic(place, &self.node, &self.text, &error);
        let template = self.environment.get_template(NAME).map_err(failed)?;
        let mut output = Bounded(Vec::new());
        match template.render_captured_to(data, &mut output) {
            Ok(_) => Ok(output.0),
            Err(error) if error.kind() == ErrorKind::WriteFailure => {
                let text = format!("the template prints more than {MAX_OUTPUT} bytes");
                Err(place.whole(&self.node, &text).help("look for a loop that prints too much"))
            }
            Err(error) => Err(failed(error)),
        }
    }
}

/// As Jinja's, up to a width that no manifest exceeds.
fn indent(
    text: StringInput<'_>,
    width: Option<usize>,
    first: Option<bool>,
    blank: Option<bool>,
    named: Kwargs,
) -> Result<Value, minijinja::Error> {
    const WIDEST: usize = 200;
    let asked = width.or(named.peek::<Option<usize>>("width")?);
    if asked.is_some_and(|width| width > WIDEST) {
        let text = format!("cannot indent by more than {WIDEST}");
        return Err(minijinja::Error::new(ErrorKind::InvalidOperation, text));
    }
    minijinja::filters::indent(text, width, first, blank, named)
}

/// As Jinja, but a manifest keeps the newline that it ends in.
fn syntax() -> SyntaxConfig {
    let mut syntax = SyntaxConfig::builder();
    syntax.keep_trailing_newline(true);
    // Only new delimiters can be refused, and these are Jinja's own.
    syntax.build().unwrap_or_default()
}

/// Output that refuses to grow without end.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(std::io::ErrorKind::OutOfMemory.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The names of the helper functions in Jinja and in Go templates.
const HELPERS: [(&str, &str); 5] = [
    ("to_yaml", "toYaml"),
    ("toYaml", "toYaml"),
    ("stringify", "stringify"),
    ("hash", "hash"),
    ("unquote", "unquote"),
];

fn call(name: &str, value: &Value) -> Result<String, minijinja::Error> {
    let failed = |text: String| minijinja::Error::new(ErrorKind::InvalidOperation, text);
    let helper =
        gotmpl::functions::lookup(name).ok_or_else(|| failed(format!("there is no function {name}")))?;
    let mut budget = gotmpl::Budget { steps: FUEL, bytes: MAX_OUTPUT as u64 };
    let result = (helper.call)(&mut budget, &[go_value(value)]).map_err(failed)?;
    match result {
        gotmpl::Value::Str(text) => Ok(text.to_text().into_owned()),
        other => Err(failed(format!("{name} gave {other:?}"))),
    }
}

/// A value of minijinja as the Go value that the helper functions take.
fn go_value(value: &Value) -> gotmpl::Value {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => gotmpl::Value::Nil,
        ValueKind::Bool => gotmpl::Value::Bool(value.is_true()),
        ValueKind::Number => match (i64::try_from(value.clone()), f64::try_from(value.clone())) {
            (Ok(number), _) if value.is_integer() => gotmpl::Value::Int(number),
            (_, Ok(number)) => gotmpl::Value::Float(number),
            _ => value.to_string().into(),
        },
        ValueKind::Seq | ValueKind::Iterable => gotmpl::Value::list(
            value.try_iter().map(|items| items.map(|item| go_value(&item)).collect()).unwrap_or_default(),
        ),
        ValueKind::Map => {
            let keys: Vec<Value> = value.try_iter().map(Iterator::collect).unwrap_or_default();
            let entry = |key: Value| {
                let item = value.get_item(&key).unwrap_or_default();
                (gotmpl::Str::from(key.to_string()), go_value(&item))
            };
            gotmpl::Value::dict(keys.into_iter().map(entry).collect())
        }
        _ => value.to_string().into(),
    }
}

fn diagnostic(place: &Place<'_>, node: &Node, text: &str, error: &minijinja::Error) -> Diagnostic {
    let message = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    let help = match error.kind() {
        ErrorKind::UndefinedError => Some(undefined_help(error.detail().unwrap_or_default())),
        ErrorKind::UnknownFunction | ErrorKind::UnknownFilter => {
            Some("besides minijinja's own there are to_yaml, stringify, hash and unquote".to_owned())
        }
        ErrorKind::OutOfFuel => Some("look for a loop that takes too many steps".to_owned()),
        ErrorKind::SyntaxError => None,
        _ => Some("correct the template, or the value that it is given".to_owned()),
    };
    let start = error.range().map_or(0, |range| range.start);
    let is_open = message.ends_with("unexpected end of input, expected end of block");
    let open = open_block(text).filter(|_| is_open);
    let (start, help) = match &open {
        Some((offset, name)) => (*offset, Some(format!("what begins here needs its `{{% end{name} %}}`"))),
        None => (start, help.or_else(|| Some(syntax_help(text, start)))),
    };
    let before = text.get(..start).unwrap_or_default();
    let line = match open {
        Some(_) => before.matches('\n').count() + 1,
        None => error.line().unwrap_or(1),
    };
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
    Diagnostic { help, ..place.problem(node, line as u32, column, &message) }
}

fn syntax_help(text: &str, start: usize) -> String {
    let rest = text.get(start..).unwrap_or_default();
    let name = rest.strip_prefix('.').and_then(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
    match name.filter(|name| name.starts_with(char::is_uppercase)) {
        Some(name) => {
            let snake =
                |c: char| if c.is_uppercase() { format!("_{}", c.to_lowercase()) } else { c.to_string() };
            let snake: String = name.chars().map(snake).collect();
            format!("write `{}`, or set `engine: go`", snake.trim_start_matches('_'))
        }
        None => "check the braces, the parentheses and the quotes here".to_owned(),
    }
}

/// The innermost block that is not ended, with its place and name.
fn open_block(text: &str) -> Option<(usize, &str)> {
    const BLOCKS: [&str; 9] = ["autoescape", "block", "call", "filter", "for", "if", "macro", "raw", "with"];
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (offset, _) in text.match_indices("{%") {
        let inside = text[offset + 2..].trim_start_matches(['-', '+']).trim_start();
        let name = inside.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let statement = inside.split("%}").next().unwrap_or_default();
        if let Some(ended) = name.strip_prefix("end") {
            if let Some(last) = open.iter().rposition(|(_, name)| *name == ended) {
                open.truncate(last);
            }
        } else if BLOCKS.contains(&name) || (name == "set" && !statement.contains('=')) {
            open.push((offset, name));
        }
    }
    open.pop()
}

/// What to do about a name without a value: one of the data's own names is misspelt, or a key is missing.
fn undefined_help(detail: &str) -> String {
    const NAMES: [&str; 9] = [
        "deployment_target_name",
        "namespace",
        "environment",
        "workspace",
        "workload",
        "cluster_type",
        "labels",
        "manifests",
        "config_data",
    ];
    let name = detail.split('`').nth(1).unwrap_or_default();
    if name.is_empty() || name.contains(['.', '[']) {
        return "set the value in a ConfigMap that applies here, or use `| default(…)`".to_owned();
    }
    did_you_mean(name, NAMES).unwrap_or_else(|| format!("there are {}", NAMES.join(", ")))
}

pub(super) fn config(config: &Config) -> Value {
    Value::from_pairs(config.values.iter().map(|(key, value)| (key.clone(), jinja_value(&value.value))))
}

pub(super) fn strings(strings: &BTreeMap<String, String>) -> Value {
    Value::from_pairs(strings.iter().map(|(key, value)| (key.clone(), Value::from(&**value))))
}

fn jinja_value(value: &goyaml::Value) -> Value {
    match value {
        goyaml::Value::Null => Value::from(()),
        goyaml::Value::Bool(flag) => Value::from(*flag),
        goyaml::Value::Int(number) => Value::from(*number),
        goyaml::Value::Uint(number) => Value::from(*number),
        goyaml::Value::Float(number) => Value::from(*number),
        goyaml::Value::Str(text) => Value::from(text.clone()),
        goyaml::Value::Binary(bytes) => Value::from_bytes(bytes.to_vec()),
        goyaml::Value::Seq(items) => items.iter().map(jinja_value).collect(),
        goyaml::Value::Map(map) => {
            Value::from_pairs(map.iter().map(|(key, value)| (jinja_value(key), jinja_value(value))))
        }
    }
}

pub(super) fn data(texts: [TextField<'_>; 6], shared: &TargetData, config: &ConfigData) -> Value {
    let mut fields: BTreeMap<&str, Value> =
        texts.iter().map(|(_, name, text)| (*name, Value::from(*text))).collect();
    fields.insert("labels", shared.labels.1.clone());
    fields.insert("manifests", shared.manifests.1.clone());
    fields.insert("config_data", config.jinja().clone());
    Value::from(fields)
}
