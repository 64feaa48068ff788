//! Platform config against JSON Schemas.

use std::collections::{BTreeMap, BTreeSet};

use goyaml::Value;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Number, Value as Json};

use crate::compose::{Config, Layer};
use crate::diagnostic::{Diagnostic, did_you_mean, nearest};
use crate::json_text;
use crate::objects::SchemaText;

/// A schema ready for use, or what is wrong with its text.
pub(crate) struct Schema {
    text: SchemaText,
    validator: Result<Validator, Diagnostic>,
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text.fmt(f)
    }
}

impl Schema {
    /// Compiles a schema; without `$schema` it is draft 7.
    pub(crate) fn new(text: &SchemaText) -> Schema {
        Schema { validator: compile(text), text: text.clone() }
    }
}

fn compile(text: &SchemaText) -> Result<Validator, Diagnostic> {
    let wrong = |pointer: &str, message: String, help: &str| {
        let mark = json_text::place(&text.text, pointer).filter(|_| !pointer.is_empty());
        let place = mark.map_or_else(|| text.location.clone(), |mark| text.place(mark.line, mark.column));
        Diagnostic::error(format!("the schema of {} {message}", text.source)).help(help).at(place)
    };
    let mut schema: Json = match serde_json::from_str(&text.text) {
        Ok(schema) => schema,
        Err(error) => return Err(no_json(text, &error)),
    };
    if !schema.is_object() && !schema.is_boolean() {
        let help = "a JSON Schema is an object such as {\"type\": \"object\", \"required\": [\"REGION\"]}";
        return Err(wrong("", "is no JSON Schema".to_owned(), help));
    }
    modern_exclusives(&mut schema);
    let mut options = jsonschema::options();
    if schema.get("$schema").is_none() {
        options = options.with_draft(Draft::Draft7);
    }
    options.should_validate_formats(true).build(&schema).map_err(|error| {
        if let Some((place, reference)) = broken_reference(&schema, &schema, "") {
            let (message, help) = match reference.starts_with('#') {
                true => {
                    let known = schema.get("definitions").and_then(Json::as_object);
                    let known =
                        known.into_iter().flat_map(Map::keys).map(|name| format!("#/definitions/{name}"));
                    let known: Vec<String> = known.collect();
                    let help = did_you_mean(&reference, known.iter().map(String::as_str));
                    let usual = || "define it in the schema, under `definitions`".to_owned();
                    ("which is not there", help.unwrap_or_else(usual))
                }
                false => (
                    "which is not read",
                    "copy the definition into the schema, under `definitions`".to_owned(),
                ),
            };
            return wrong(&place, format!("refers to `{reference}`, {message}"), &help);
        }
        let place = error.instance_path().to_string();
        let known = ["array", "boolean", "integer", "null", "number", "object", "string"];
        match schema.pointer(&place).and_then(Json::as_str).filter(|_| place.ends_with("/type")) {
            Some(name) => {
                let help = did_you_mean(name, known)
                    .unwrap_or_else(|| format!("the types are {}", known.join(", ")));
                wrong(&place, format!("is no valid JSON Schema: at `{place}`, `{name}` is no type"), &help)
            }
            None => {
                let at = if place.is_empty() { "its root".to_owned() } else { format!("`{place}`") };
                wrong(&place, format!("is no valid JSON Schema: at {at}, {error}"), "correct the schema")
            }
        }
    })
}

/// Where and why a text is no JSON, with what people mostly did there.
fn no_json(text: &SchemaText, error: &serde_json::Error) -> Diagnostic {
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or(&reason);
    let (mut line, mut column) = (error.line() as u32, error.column() as u32);
    let written = text.text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
    // Columns of this reader are bytes, and it has read the character already.
    let at = written.char_indices().take_while(|(byte, _)| (*byte as u32) < column).last();
    if let Some((byte, _)) = at {
        column = written[..byte].chars().count() as u32 + 1;
    }
    let begin = text.text.trim_start();
    let help = match at.map(|(_, character)| character) {
        _ if !begin.starts_with(['{', '[']) => {
            (line, column) = (1, 1);
            "write the schema as JSON, which begins with `{`"
        }
        Some('\'') => "JSON takes double quotes only",
        Some('\u{201c}' | '\u{201d}') => "replace the curly quotes by straight ones",
        Some('}' | ']') => "remove the comma before it",
        Some('/' | '#') => "JSON has no comments: put it into `$comment`",
        Some('"') => "put a comma at the end of what stands before it",
        _ => "write the JSON Schema as JSON text",
    };
    Diagnostic::error(format!("the schema of {} is not JSON: {reason}", text.source))
        .help(help)
        .at(text.place(line, column))
}

/// The first reference that leads out of the schema or to nothing in it, with its place there.
fn broken_reference(schema: &Json, root: &Json, place: &str) -> Option<(String, String)> {
    match schema {
        Json::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| broken_reference(item, root, &format!("{place}/{index}"))),
        Json::Object(object) => {
            let is_broken = |reference: &&str| match reference.strip_prefix('#') {
                Some(pointer) => pointer.starts_with('/') && root.pointer(pointer).is_none(),
                None => true,
            };
            let own = object.get("$ref").and_then(Json::as_str).filter(is_broken);
            let own = own.map(|reference| (format!("{place}/$ref"), reference.to_owned()));
            own.or_else(|| {
                object.iter().find_map(|(key, value)| {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    broken_reference(value, root, &format!("{place}/{key}"))
                })
            })
        }
        _ => None,
    }
}

/// Draft 4 wrote `"exclusiveMaximum": true` beside `maximum`; later drafts have the number itself.
fn modern_exclusives(schema: &mut Json) {
    let is_old = |schema: &Json| {
        schema.get("$schema").and_then(Json::as_str).is_some_and(|text| text.contains("draft-04"))
    };
    if !is_old(schema) {
        modernize(schema);
    }
}

fn modernize(schema: &mut Json) {
    const MAPS: [&str; 5] = ["properties", "patternProperties", "definitions", "$defs", "dependencies"];
    const DATA: [&str; 4] = ["enum", "const", "default", "examples"];
    match schema {
        Json::Array(items) => items.iter_mut().for_each(modernize),
        Json::Object(object) => {
            for (limit, exclusive) in [("maximum", "exclusiveMaximum"), ("minimum", "exclusiveMinimum")] {
                let Some(is_exclusive) = object.get(exclusive).and_then(Json::as_bool) else { continue };
                object.remove(exclusive);
                if is_exclusive && let Some(value) = object.remove(limit) {
                    object.insert(exclusive.to_owned(), value);
                }
            }
            for (key, value) in object.iter_mut() {
                match value {
                    Json::Object(inner) if MAPS.contains(&&**key) => inner.values_mut().for_each(modernize),
                    _ if DATA.contains(&&**key) => {}
                    _ => modernize(value),
                }
            }
        }
        _ => {}
    }
}

/// Every violation of every schema. Text that reads as a number counts as one; what fails that way is
/// judged once more as text.
pub(crate) fn validate(config: &Config, layers: &[Layer], schemas: &[&Schema]) -> Vec<Diagnostic> {
    if schemas.is_empty() {
        return Vec::new();
    }
    let text: Map<String, Json> =
        config.values.iter().map(|(key, value)| (key.clone(), json(&value.value))).collect();
    let numbers = |json: &Json| json.as_str().and_then(number).map(Json::Number);
    let typed: Map<String, Json> = text
        .iter()
        .map(|(key, value)| (key.clone(), numbers(value).unwrap_or_else(|| value.clone())))
        .collect();
    let mut problems = Vec::new();
    for schema in schemas {
        let validator = match &schema.validator {
            Ok(validator) => validator,
            Err(problem) => {
                problems.push(problem.clone());
                continue;
            }
        };
        let instance = Json::Object(typed.clone());
        let violations: Vec<Violation> = violations(validator, &instance);
        if violations.is_empty() || passes_as_text(validator, &violations, typed.clone(), &text) {
            continue;
        }
        problems.extend(
            violations.into_iter().map(|violation| violation.diagnostic(config, layers, &schema.text)),
        );
    }
    problems
}

/// One rule of a schema that the config breaks.
struct Violation {
    /// The top-level key, if it is one key's fault
    key: Option<String>,
    path: String,
    rule: String,
    message: String,
    missing: Option<String>,
}

fn violations(validator: &Validator, instance: &Json) -> Vec<Violation> {
    let violation = |error: jsonschema::ValidationError<'_>| {
        let path = error.instance_path().to_string();
        let missing = match error.kind() {
            jsonschema::error::ValidationErrorKind::Required { property } => {
                property.as_str().map(str::to_owned)
            }
            _ => None,
        };
        Violation {
            key: path.strip_prefix('/').and_then(|rest| rest.split('/').next()).map(unescape_pointer),
            rule: error.schema_path().to_string().rsplit('/').next().unwrap_or_default().to_owned(),
            message: if path.is_empty() {
                error.masked_with("the config").to_string()
            } else {
                error.to_string()
            },
            missing,
            path,
        }
    };
    validator.iter_errors(instance).map(violation).collect()
}

fn unescape_pointer(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

fn passes_as_text(
    validator: &Validator,
    violations: &[Violation],
    mut typed: Map<String, Json>,
    text: &Map<String, Json>,
) -> bool {
    // A rule of the whole config names no key: then any of them may be the one.
    if violations.iter().any(|violation| violation.key.is_none() && violation.missing.is_none()) {
        return typed != *text && validator.is_valid(&Json::Object(text.clone()));
    }
    let mut changed = false;
    for key in violations.iter().filter_map(|violation| violation.key.as_ref()) {
        if let (Some(typed), Some(text)) = (typed.get_mut(key), text.get(key)) {
            changed |= typed != text;
            *typed = text.clone();
        }
    }
    changed && validator.is_valid(&Json::Object(typed))
}

impl Violation {
    fn diagnostic(self, config: &Config, layers: &[Layer], schema: &SchemaText) -> Diagnostic {
        let source = &schema.source;
        if let (Some(missing), None) = (&self.missing, &self.key) {
            let problem = Diagnostic::error(format!("config key `{missing}` is required by {source}"));
            return self.misspelt_key(missing, config, layers, schema, problem);
        }
        let rule = self.rule;
        let Some(key) = self.key else {
            return Diagnostic::error(format!(
                "the config breaks the rule `{rule}` of {source}: {}",
                self.message
            ))
            .help("change the config or the schema")
            .at(schema.location.clone());
        };
        let path = self.path.trim_start_matches('/').replace('/', ".");
        let text = format!("config key `{path}` breaks the rule `{rule}` of {source}: {}", self.message);
        let winner = config
            .values
            .get(&key)
            .and_then(|value| value.layers.last())
            .map(|index| &layers[*index as usize]);
        match winner.and_then(|layer| Some((layer, layer.values.get(&key)?))) {
            Some((layer, value)) => Diagnostic::error(text)
                .help(format!(
                    "its value comes from ConfigMap {}; the schema is at {}",
                    layer.config_map, schema.location
                ))
                .at(value.location.clone())
                .related(&schema.location),
            None => Diagnostic::error(text).at(schema.location.clone()),
        }
    }

    /// Where a required key is missing: in the schema itself, if its rules have the nearly same key; else at
    /// the value that is nearly called so.
    fn misspelt_key(
        &self,
        missing: &str,
        config: &Config,
        layers: &[Layer],
        schema: &SchemaText,
        problem: Diagnostic,
    ) -> Diagnostic {
        let json: Json = serde_json::from_str(&schema.text).unwrap_or_default();
        let rules = json.get("properties").and_then(Json::as_object);
        let is_known = rules.is_some_and(|rules| rules.contains_key(missing));
        let own = rules.into_iter().flat_map(Map::keys).map(String::as_str);
        let listed = json.get("required").and_then(Json::as_array).into_iter().flatten();
        let index =
            listed.enumerate().find(|(_, name)| name.as_str() == Some(missing)).map(|(index, _)| index);
        let place = index.and_then(|index| json_text::place(&schema.text, &format!("/required/{index}")));
        let place =
            place.map_or_else(|| schema.location.clone(), |mark| schema.place(mark.line, mark.column));
        let own: BTreeSet<&str> = own.collect();
        let unset = own.iter().copied().filter(|name| !config.values.contains_key(*name));
        if let Some(help) = did_you_mean(missing, unset).filter(|_| !is_known) {
            return problem.help(help).at(place);
        }
        let is_wanted = |name: &&str| {
            let required = json.get("required").and_then(Json::as_array).into_iter().flatten();
            own.contains(name) || required.filter_map(Json::as_str).any(|required| required == *name)
        };
        let free = config.values.keys().map(String::as_str).filter(|name| !is_wanted(name));
        let near = nearest(missing, free);
        let winner = near.and_then(|near| Some((near, *config.values.get(near)?.layers.last()?)));
        let value = winner.and_then(|(near, index)| Some((near, layers[index as usize].values.get(near)?)));
        match value {
            Some((near, value)) => problem
                .help(format!("write `{missing}` instead of `{near}`; the schema is at {place}"))
                .at(value.location.clone())
                .related(&place),
            None => problem.help(format!("set `{missing}` in a ConfigMap that applies here")).at(place),
        }
    }
}

/// As JSON; keys that are no text are printed.
pub(crate) fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Int(number) => Json::from(*number),
        Value::Uint(number) => Json::from(*number),
        Value::Float(number) => {
            Number::from_f64(*number).map_or_else(|| Json::from(number.to_string()), Json::Number)
        }
        Value::Str(text) => Json::from(&**text),
        Value::Binary(bytes) => Json::from(String::from_utf8_lossy(bytes)),
        Value::Seq(items) => items.iter().map(json).collect(),
        Value::Map(map) => map
            .iter()
            .map(|(key, value)| (key_text(key), json(value)))
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect(),
    }
}

fn key_text(key: &Value) -> String {
    match key {
        Value::Str(text) => text.to_string(),
        other => goyaml::print(other).trim_end().to_owned(),
    }
}

/// What Go's `Atoi`, then `ParseFloat` read from `text`.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let unsigned = text.strip_prefix('+').unwrap_or(text);
        if let Ok(number) = unsigned.parse::<i64>() {
            return Some(number.into());
        }
    }
    let value = gotmpl::parse_float(text)?;
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value.fract() == 0.0 && value.abs() <= EXACT {
        true => Some((value as i64).into()),
        false => Number::from_f64(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{ConfigValue, LayerValue};
    use crate::diagnostic::{FileName, Location};

    #[test]
    fn numbers() {
        let cases = [
            ("5", Some("5")),
            ("007", Some("7")),
            ("-1", Some("-1")),
            ("+5", Some("5")),
            ("1e3", Some("1000")),
            ("0x1p-2", Some("0.25")),
            ("0x1.8p1", Some("3")),
            ("1_000", Some("1000")),
            ("1__0", None),
            ("_1", None),
            ("3.10", Some("3.1")),
            (".5", Some("0.5")),
            ("0x10", None),
            ("0b11", None),
            ("1e400", None),
            ("NaN", None),
            ("inf", None),
            ("", None),
            ("-", None),
            ("--1", None),
            ("1 ", None),
            ("true", None),
        ];
        for (text, want) in cases {
            assert_eq!(number(text).map(|number| number.to_string()).as_deref(), want, "{text}");
        }
    }

    fn problems(schema: &str, config: &[(&str, &str)]) -> Vec<String> {
        let place = |path: &str| Location::start_of(&FileName { prefix: "".into(), path: path.into() });
        let schema = Schema::new(&SchemaText {
            text: schema.into(),
            source: "ConfigSchema s".into(),
            location: place("s.yaml"),
            begin: None,
        });
        let value = |text: &str| match goyaml::read(text) {
            Ok(value @ (Value::Map(_) | Value::Seq(_))) => value,
            _ => text.into(),
        };
        let layer_value = |text: &str| LayerValue { value: value(text), location: place("c.yaml") };
        let layer = Layer {
            config_map: "cm".into(),
            conditions: Vec::new(),
            values: config.iter().map(|(key, text)| (key.to_string(), layer_value(text))).collect(),
        };
        let config = Config {
            values: config
                .iter()
                .map(|(key, text)| (key.to_string(), ConfigValue { value: value(text), layers: vec![0] }))
                .collect(),
        };
        validate(&config, &[layer], &[&schema]).iter().map(Diagnostic::to_string).collect()
    }

    #[test]
    fn schemas() {
        let cases: [(&str, &[(&str, &str)], &[&str], &str); 12] = [
            (
                r#"{"required":["A"]}"#,
                &[],
                &["s.yaml:1:1: error: config key `A` is required by ConfigSchema s"],
                "required",
            ),
            (
                r#"{"properties":{"N":{"type":"number","maximum":90}}}"#,
                &[("N", "91")],
                &["c.yaml:1:1: error: config key `N` breaks the rule `maximum`"],
                "text counts as a number",
            ),
            (
                r#"{"properties":{"N":{"type":"string"}}}"#,
                &[("N", "123")],
                &[],
                "and as text where that is asked",
            ),
            (
                r#"{"properties":{"N":{"type":"string"},"M":{"type":"number","maximum":1}}}"#,
                &[("N", "123"), ("M", "2")],
                &["c.yaml:1:1: error: config key `N`", "c.yaml:1:1: error: config key `M`"],
                "unless something else fails",
            ),
            (
                r#"{"properties":{"B":{"type":"boolean"}}}"#,
                &[("B", "true")],
                &["c.yaml:1:1: error: config key `B` breaks the rule `type`"],
                "a boolean in quotes is text",
            ),
            (
                r#"{"properties":{"N":{"type":"number","maximum":5,"exclusiveMaximum":true}}}"#,
                &[("N", "5")],
                &["c.yaml:1:1: error: config key `N` breaks the rule `exclusiveMaximum`"],
                "draft 4's exclusives",
            ),
            (
                r#"{"properties":{"exclusiveMaximum":true}}"#,
                &[("exclusiveMaximum", "1")],
                &[],
                "but not a property of that name",
            ),
            (
                r#"{"properties":{"E":{"format":"ipv4"}}}"#,
                &[("E", "nope")],
                &["c.yaml:1:1: error: config key `E` breaks the rule `format`"],
                "formats are asserted",
            ),
            ("nope", &[], &["s.yaml:1:1: error: the schema of ConfigSchema s is not JSON"], "no JSON"),
            ("[]", &[], &["s.yaml:1:1: error: the schema of ConfigSchema s is no JSON Schema"], "no schema"),
            (
                r#"{"$ref":"https://example.com/s.json"}"#,
                &[],
                &[
                    "s.yaml:1:1: error: the schema of ConfigSchema s refers to `https://example.com/s.json`, which is not read",
                ],
                "no remote references",
            ),
            (
                r#"{"properties":{"M":{"properties":{"a":{"type":"string"}}}}}"#,
                &[("M", "{a: 1}")],
                &["c.yaml:1:1: error: config key `M.a` breaks the rule `type`"],
                "inside a structure",
            ),
        ];
        for (schema, config, want, why) in cases {
            let problems = problems(schema, config);
            assert_eq!(problems.len(), want.len(), "{why}: {problems:?}");
            for want in want {
                assert!(problems.iter().any(|problem| problem.starts_with(want)), "{why}: {problems:?}");
            }
        }
    }
}
