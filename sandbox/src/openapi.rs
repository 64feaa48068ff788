//! GitHub's own description of its REST interface, as a check on what is said in both directions.
//!
//! `openapi/github.json` holds the operations in use; `openapi/extract.py` makes it.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use jsonschema::{Draft, Validator};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// One request and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path below the API's root as it was sent, without the query: `/repos/contoso/gitops/pulls`.
    pub path: &'a str,
    /// The query's names and values, decoded.
    pub query: &'a [(String, String)],
    /// What was sent, if it was JSON.
    pub request_body: Option<&'a Value>,
    /// The answer's status.
    pub status: u16,
    /// What was answered, if it was JSON.
    pub response_body: Option<&'a Value>,
}

/// What GitHub says about the operations in use.
#[derive(Clone, Copy)]
pub struct Description {
    operations: &'static [Operation],
}

struct Operation {
    id: &'static str,
    method: String,
    template: Vec<Segment>,
    parameters: Vec<Parameter>,
    request: Option<(Presence, Shape)>,
    /// No shape: an answer without a body.
    responses: BTreeMap<u16, Option<Shape>>,
}

/// A part of a path template; the order is that of trying.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Segment {
    Literal(&'static str),
    One(&'static str),
    /// Names of refs and files hold slashes.
    Several(&'static str),
}

struct Parameter {
    name: &'static str,
    place: Place,
    presence: Presence,
    shape: Shape,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    Path,
    Query,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Presence {
    Required,
    Optional,
}

/// What happens to properties that a schema does not declare.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Extras {
    Allowed,
    Reported,
}

/// Whether a schema describes a value alone, or together with others (`allOf`, the target of a `$ref`).
#[derive(Clone, Copy, Eq, PartialEq)]
enum Position {
    Whole,
    Part,
}

/// A schema that is compiled when it is first used.
struct Shape {
    schema: &'static Value,
    extras: Extras,
    validator: OnceLock<Validator>,
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../openapi/github.json")).expect("openapi/github.json is JSON")
});

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let mut operations: Vec<_> = members(&DOCUMENT["paths"])
        .flat_map(|(path, methods)| members(methods).map(move |(method, body)| operation(path, method, body)))
        .collect();
    operations.sort_by(|a, b| a.template.cmp(&b.template));
    operations
});

static BASIC_ERROR: LazyLock<Value> = LazyLock::new(
    || json!({"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}),
);

static REFUSAL: LazyLock<Shape> = LazyLock::new(|| Shape::new(&BASIC_ERROR, Extras::Allowed));

impl Description {
    /// The description, read once per process.
    pub fn load() -> Description {
        Description { operations: &OPERATIONS }
    }

    /// Everything in an exchange that does not fit: the operation, the part, the place in it, and why.
    pub fn check(&self, exchange: &Exchange<'_>) -> Vec<String> {
        let path: Vec<&str> = exchange.path.trim_start_matches('/').split('/').collect();
        let found = self
            .operations
            .iter()
            .filter(|operation| operation.method == exchange.method)
            .find_map(|operation| Some((operation, fit(&operation.template, &path)?)));
        let Some((operation, arguments)) = found else {
            return vec![format!("{} {}: no such operation", exchange.method, exchange.path)];
        };
        let mut problems = operation.check_path(&arguments);
        problems.extend(operation.check_query(exchange.query));
        problems.extend(operation.check_request(exchange.request_body));
        problems.extend(operation.check_response(exchange.status, exchange.response_body));
        problems.into_iter().map(|problem| format!("{}: {problem}", operation.id)).collect()
    }
}

impl Operation {
    fn check_path(&self, arguments: &[(&str, String)]) -> Vec<String> {
        let check = |(name, value): &(&str, String)| match self.parameter(Place::Path, name) {
            Some(parameter) => parameter.shape.text_problems(&format!("path parameter `{name}`"), value),
            None => vec![format!("path parameter `{name}`: not declared")],
        };
        arguments.iter().flat_map(check).collect()
    }

    fn check_query(&self, query: &[(String, String)]) -> Vec<String> {
        let missing = self
            .parameters
            .iter()
            .filter(|parameter| parameter.place == Place::Query && parameter.presence == Presence::Required)
            .filter(|parameter| query.iter().all(|(name, _)| name != parameter.name))
            .map(|parameter| format!("query parameter `{}`: required, but missing", parameter.name));
        let check = |(name, value): &(String, String)| match self.parameter(Place::Query, name) {
            Some(parameter) => parameter.shape.text_problems(&format!("query parameter `{name}`"), value),
            None => vec![format!("query parameter `{name}`: not declared")],
        };
        missing.chain(query.iter().flat_map(check)).collect()
    }

    fn check_request(&self, body: Option<&Value>) -> Vec<String> {
        match (&self.request, body) {
            (Some((_, shape)), Some(body)) => shape.problems("request body", body),
            (Some((Presence::Required, _)), None) => vec!["request body: required, but missing".into()],
            (None, Some(_)) => vec!["request body: not declared".into()],
            (Some((Presence::Optional, _)) | None, None) => Vec::new(),
        }
    }

    fn check_response(&self, status: u16, body: Option<&Value>) -> Vec<String> {
        let part = format!("response {status}");
        let shape = match self.responses.get(&status) {
            Some(shape) => shape.as_ref(),
            None if refuses_any_operation(status) => Some(&*REFUSAL),
            None => return vec![format!("{part}: status not declared")],
        };
        match (shape, body) {
            (Some(shape), Some(body)) => shape.problems(&part, body),
            // Refusals say why, also where the description has nothing to say of that.
            (None, Some(body)) if refuses_any_operation(status) => REFUSAL.problems(&part, body),
            (None, Some(_)) => vec![format!("{part}: a body, where none is declared")],
            // What stands before GitHub answers these too, and not in JSON.
            (Some(_), None) if status >= 500 => Vec::new(),
            (Some(_), None) => vec![format!("{part}: a body is declared, but missing")],
            (None, None) => Vec::new(),
        }
    }

    fn parameter(&self, place: Place, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.place == place && parameter.name == name)
    }
}

/// Refusals that GitHub gives on any operation, whether its description lists them or not.
fn refuses_any_operation(status: u16) -> bool {
    matches!(status, 401 | 403 | 404 | 410 | 422 | 429 | 500..=599)
}

impl Shape {
    fn new(schema: &'static Value, extras: Extras) -> Shape {
        Shape { schema, extras, validator: OnceLock::new() }
    }

    fn problems(&self, part: &str, value: &Value) -> Vec<String> {
        let problem = |error: jsonschema::ValidationError<'_>| {
            let full = error.to_string();
            // A whole repository in a message hides what is wrong with it.
            let why = if full.len() > 200 { error.masked().to_string() } else { full };
            match error.instance_path().as_str() {
                "" => format!("{part}: {why}"),
                pointer => format!("{part} at {pointer}: {why}"),
            }
        };
        self.validator().iter_errors(value).map(problem).collect()
    }

    /// Paths and queries carry text only: a number is fine as text and as a number.
    fn text_problems(&self, part: &str, text: &str) -> Vec<String> {
        let typed = text
            .parse::<i64>()
            .map(Value::from)
            .or_else(|_| text.parse::<bool>().map(Value::from))
            .unwrap_or_else(|_| text.into());
        if self.validator().is_valid(&text.into()) { Vec::new() } else { self.problems(part, &typed) }
    }

    fn validator(&self) -> &Validator {
        self.validator.get_or_init(|| {
            jsonschema::options()
                .with_draft(Draft::Draft202012)
                .should_validate_formats(true)
                .build(&self.json_schema())
                .expect("schemas of openapi/github.json compile")
        })
    }

    /// The schema as JSON Schema, with what it refers to in `$defs`.
    fn json_schema(&self) -> Value {
        let mut root = convert(self.schema, self.extras, Position::Whole);
        let mut definitions = Map::new();
        let mut wanted = references(&root);
        while let Some(name) = wanted.pop() {
            if !definitions.contains_key(&name) {
                let component = &DOCUMENT["components"]["schemas"][&name];
                let definition = convert(component, self.extras, Position::Part);
                wanted.extend(references(&definition));
                definitions.insert(name, definition);
            }
        }
        root["$defs"] = Value::Object(definitions);
        root
    }
}

fn convert(schema: &Value, extras: Extras, position: Position) -> Value {
    let Value::Object(source) = schema else { return schema.clone() };
    let mut target = match source.get("$ref").and_then(Value::as_str) {
        // OpenAPI 3.0 ignores what stands beside a `$ref`.
        Some(reference) => Map::from_iter([("$ref".into(), local(reference).into())]),
        None => source
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), keyword(key, value, extras)?)))
            .collect(),
    };
    let declares =
        ["$ref", "properties", "allOf", "anyOf", "oneOf"].iter().any(|key| target.contains_key(*key));
    if extras == Extras::Reported
        && position == Position::Whole
        && declares
        && !target.contains_key("additionalProperties")
    {
        target.insert("unevaluatedProperties".into(), false.into());
    }
    if source.get("nullable") == Some(&Value::Bool(true)) { nullable(target) } else { Value::Object(target) }
}

/// A keyword's value in JSON Schema, or nothing for what only OpenAPI knows.
fn keyword(key: &str, value: &Value, extras: Extras) -> Option<Value> {
    let each = |position| move |schema: &Value| convert(schema, extras, position);
    match (key, value) {
        ("nullable", _) => None,
        ("properties" | "patternProperties", Value::Object(schemas)) => {
            Some(schemas.iter().map(|(name, schema)| (name.clone(), each(Position::Whole)(schema))).collect())
        }
        ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
            Some(schemas.iter().map(each(Position::Part)).collect())
        }
        ("items" | "additionalProperties", schema) => Some(each(Position::Whole)(schema)),
        _ => Some(value.clone()),
    }
}

fn nullable(mut schema: Map<String, Value>) -> Value {
    let composed = ["$ref", "allOf", "anyOf", "oneOf"].iter().any(|key| schema.contains_key(*key));
    match schema.get("type") {
        Some(kind) if !composed => {
            let kinds = json!([kind, "null"]);
            schema.insert("type".into(), kinds);
            if let Some(Value::Array(values)) = schema.get_mut("enum")
                && !values.contains(&Value::Null)
            {
                values.push(Value::Null);
            }
            Value::Object(schema)
        }
        _ => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

fn local(reference: &str) -> String {
    reference.replacen("#/components/schemas/", "#/$defs/", 1)
}

/// The names in `$defs` that a schema refers to.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix("#/$defs/"));
            own.map(str::to_owned).into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// The values of a template's parameters, if the path fits.
fn fit(template: &[Segment], path: &[&str]) -> Option<Vec<(&'static str, String)>> {
    let Some((segment, rest)) = template.split_first() else { return path.is_empty().then(Vec::new) };
    let bind = |name, taken: usize| {
        let value = percent_decode_str(&path[..taken].join("/")).decode_utf8_lossy().into_owned();
        let mut arguments = fit(rest, &path[taken..])?;
        arguments.insert(0, (name, value));
        (!arguments[0].1.is_empty()).then_some(arguments)
    };
    match *segment {
        Segment::Literal(literal) => fit(rest, path.strip_prefix(&[literal])?),
        Segment::One(name) => (!path.is_empty()).then(|| bind(name, 1))?,
        Segment::Several(name) => (1..=path.len()).rev().find_map(|taken| bind(name, taken)),
    }
}

fn operation(path: &'static str, method: &str, body: &'static Value) -> Operation {
    let responses = members(&body["responses"]).filter_map(|(status, response)| {
        let shape = content(resolve(response)).map(|schema| Shape::new(schema, Extras::Allowed));
        Some((status.parse().ok()?, shape))
    });
    Operation {
        id: text(&body["operationId"]),
        method: method.to_uppercase(),
        template: path.trim_start_matches('/').split('/').map(segment).collect(),
        parameters: body["parameters"].as_array().into_iter().flatten().filter_map(parameter).collect(),
        request: content(&body["requestBody"])
            .map(|schema| (presence(&body["requestBody"]), Shape::new(schema, Extras::Reported))),
        responses: responses.collect(),
    }
}

fn segment(part: &'static str) -> Segment {
    match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name @ ("basehead" | "branch" | "path" | "ref" | "tree_sha")) => Segment::Several(name),
        Some(name) => Segment::One(name),
        None => Segment::Literal(part),
    }
}

fn parameter(source: &'static Value) -> Option<Parameter> {
    let source = resolve(source);
    let place = match text(&source["in"]) {
        "path" => Place::Path,
        "query" => Place::Query,
        _ => return None,
    };
    let shape = Shape::new(&source["schema"], Extras::Allowed);
    Some(Parameter { name: text(&source["name"]), place, presence: presence(source), shape })
}

fn presence(source: &Value) -> Presence {
    if source["required"] == true { Presence::Required } else { Presence::Optional }
}

fn content(body: &'static Value) -> Option<&'static Value> {
    body.pointer("/content/application~1json/schema")
}

fn resolve(source: &'static Value) -> &'static Value {
    let target =
        source.get("$ref").and_then(Value::as_str).and_then(|to| DOCUMENT.pointer(to.strip_prefix('#')?));
    target.unwrap_or(source)
}

fn members(object: &'static Value) -> impl Iterator<Item = (&'static str, &'static Value)> {
    object.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text(value: &'static Value) -> &'static str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "7638417db6d59f3c431d3e1f261cc637155684cd";

    fn pairs(query: &str) -> Vec<(String, String)> {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    #[test]
    fn every_schema_compiles() {
        let shapes = OPERATIONS.iter().flat_map(|operation| {
            let parameters = operation.parameters.iter().map(|parameter| &parameter.shape);
            let request = operation.request.iter().map(|(_, shape)| shape);
            parameters.chain(request).chain(operation.responses.values().flatten())
        });
        for shape in shapes {
            shape.validator();
        }
        assert_eq!(OPERATIONS.len(), 36, "as many as extract.py lists");
    }

    #[test]
    fn every_path_parameter_is_declared() {
        for operation in OPERATIONS.iter() {
            for segment in &operation.template {
                if let Segment::One(name) | Segment::Several(name) = segment {
                    assert!(operation.parameter(Place::Path, name).is_some(), "{} {name}", operation.id);
                }
            }
        }
    }

    #[test]
    fn paths_find_their_operation() {
        let table = [
            ("GET", "/repos/o/r", "repos/get", "the shortest"),
            ("GET", "/repos/o/r/git/ref/heads/a/b", "git/get-ref", "a ref with slashes"),
            (
                "GET",
                "/repos/o/r/compare/a/b...c/d",
                "repos/compare-commits-with-basehead",
                "slashes on both sides",
            ),
            (
                "GET",
                "/repos/o/r/compare/a%2Fb...c",
                "repos/compare-commits-with-basehead",
                "an encoded slash",
            ),
            (
                "GET",
                "/repos/o/r/commits/a/b/statuses",
                "repos/list-commit-statuses-for-ref",
                "slashes in the middle",
            ),
            ("GET", "/repos/o/r/contents/a/b.yaml", "repos/get-content", "a path in folders"),
            ("GET", "/repos/o/r/installation", "apps/get-repo-installation", "a literal"),
            ("PUT", "/repos/o/r/pulls/1/merge", "pulls/merge", "a literal after a parameter"),
        ];
        for (method, path, want, why) in table {
            let exchange =
                Exchange { method, path, query: &[], request_body: None, status: 418, response_body: None };
            let problems = Description::load().check(&exchange);
            assert_eq!(problems, [format!("{want}: response 418: status not declared")], "{why}");
        }
    }

    #[test]
    fn requests_are_checked() {
        let table = [
            ("GET", "/repos/o/r/pulls", "state=open&head=o:b&per_page=100", None, "", "a list"),
            (
                "GET",
                "/repos/o/r/pulls",
                "state=opened",
                None,
                "pulls/list: query parameter `state`: \"opened\" is not one of",
                "a value outside the enum",
            ),
            ("GET", "/repos/o/r/pulls", "per_page=x", None, "query parameter `per_page`: ", "not a number"),
            ("GET", "/repos/o/r/pulls", "label=x", None, "query parameter `label`: not declared", "unknown"),
            (
                "GET",
                "/repos/o/r/pulls/x",
                "",
                None,
                "pulls/get: path parameter `pull_number`: ",
                "not a number",
            ),
            ("GET", "/repos/o/r/zen", "", None, "GET /repos/o/r/zen: no such operation", "an unknown path"),
            ("PUT", "/repos/o/r", "", None, "PUT /repos/o/r: no such operation", "an unknown method"),
            (
                "GET",
                "/repos/o/r",
                "",
                Some(json!({})),
                "repos/get: request body: not declared",
                "a body on GET",
            ),
            (
                "POST",
                "/repos/o/r/git/trees",
                "",
                None,
                "git/create-tree: request body: required, but missing",
                "no body",
            ),
            (
                "POST",
                "/repos/o/r/git/trees",
                "",
                Some(json!({"tree": [{"path": "a", "mode": "100644", "type": "blob", "sha": null}]})),
                "",
                "a deletion",
            ),
            (
                "POST",
                "/repos/o/r/git/trees",
                "",
                Some(json!({"tree": [{"path": "a", "size": 1}]})),
                "git/create-tree: request body at /tree/0: Unevaluated properties are not allowed ('size'",
                "an unknown field deep inside",
            ),
            (
                "POST",
                "/repos/o/r/git/trees",
                "",
                Some(json!({"tree": [], "force": true})),
                "git/create-tree: request body: Unevaluated properties are not allowed ('force'",
                "an unknown field at the top",
            ),
            (
                "POST",
                "/repos/o/r/git/trees",
                "",
                Some(json!({"tree": [{"path": "a", "mode": "644"}]})),
                "git/create-tree: request body at /tree/0/mode: \"644\" is not one of",
                "an unknown mode",
            ),
            (
                "POST",
                "/repos/o/r/issues",
                "",
                Some(json!({"title": "t", "labels": ["a", {"name": "b"}], "milestone": null})),
                "",
                "one of several kinds",
            ),
            (
                "POST",
                "/app/installations/1/access_tokens",
                "",
                Some(json!({"repositories": ["r"], "permissions": {"contents": "write"}})),
                "",
                "a referenced schema",
            ),
            (
                "POST",
                "/app/installations/1/access_tokens",
                "",
                Some(json!({"permissions": {"content": "write"}})),
                "request body at /permissions: Unevaluated properties are not allowed ('content'",
                "an unknown field of a referenced schema",
            ),
            (
                "POST",
                "/repos/o/r/actions/workflows/deploy.yml/dispatches",
                "",
                Some(json!({"ref": "main", "inputs": {"anything": "goes"}})),
                "",
                "free names, and a number or a file name in the path",
            ),
        ];
        for (method, path, query, body, want, why) in table {
            // Every operation may refuse with 401, so that only the request can be wrong.
            let exchange = Exchange {
                method,
                path,
                query: &pairs(query),
                request_body: body.as_ref(),
                status: 401,
                response_body: Some(&json!({"message": "Bad credentials"})),
            };
            assert_problem(&exchange, want, why);
        }
    }

    #[test]
    fn responses_are_checked() {
        let reference = json!({"ref": "refs/heads/dev", "node_id": "n", "url": "https://api.github.com/r",
            "object": {"type": "commit", "sha": SHA, "url": "https://api.github.com/c"}});
        let without = |name: &str| {
            let mut reference = reference.clone();
            reference.as_object_mut().expect("an object").remove(name);
            reference
        };
        let mut short = reference.clone();
        short["object"]["sha"] = "7638417".into();
        let mut more = reference.clone();
        more["new"] = true.into();
        let refs = "/repos/o/r/git/ref/heads/dev";
        let table = [
            ("GET", refs, 200, Some(reference.clone()), "", "a reference"),
            ("GET", refs, 200, Some(more), "", "more than is declared"),
            (
                "GET",
                refs,
                200,
                Some(without("node_id")),
                "git/get-ref: response 200: \"node_id\" is a required property",
                "less than is required",
            ),
            ("GET", refs, 200, Some(short), "git/get-ref: response 200 at /object/sha: ", "a short id"),
            ("GET", refs, 200, None, "git/get-ref: response 200: a body is declared, but missing", "no body"),
            (
                "GET",
                refs,
                202,
                None,
                "git/get-ref: response 202: status not declared",
                "an undeclared status",
            ),
            ("GET", refs, 404, Some(json!({"message": "Not Found"})), "", "a declared refusal"),
            ("GET", refs, 429, Some(json!({"message": "slow down"})), "", "a refusal that fits everywhere"),
            (
                "GET",
                refs,
                429,
                Some(json!({})),
                "response 429: \"message\" is a required property",
                "no reason",
            ),
            ("GET", refs, 429, None, "response 429: a body is declared, but missing", "no body"),
            ("GET", refs, 502, None, "", "a proxy's answer"),
            ("DELETE", "/repos/o/r/git/refs/heads/dev", 204, None, "", "nothing to say"),
            (
                "DELETE",
                "/repos/o/r/git/refs/heads/dev",
                204,
                Some(json!({})),
                "git/delete-ref: response 204: a body, where none is declared",
                "something to say",
            ),
            ("GET", "/repos/o/r/git/matching-refs/heads", 200, Some(json!([])), "", "an empty list"),
            (
                "GET",
                "/repos/o/r/git/matching-refs/heads",
                200,
                Some(json!([reference, {}])),
                "git/list-matching-refs: response 200 at /1: ",
                "the second of a list",
            ),
        ];
        for (method, path, status, body, want, why) in table {
            let exchange = Exchange {
                method,
                path,
                query: &[],
                request_body: None,
                status,
                response_body: body.as_ref(),
            };
            assert_problem(&exchange, want, why);
        }
    }

    #[test]
    fn null_is_a_value_where_it_is_declared() {
        let table = [
            (json!({"type": "string", "nullable": true}), json!(null), true, "a type"),
            (json!({"type": "string"}), json!(null), false, "not nullable"),
            (json!({"type": "string", "enum": ["a"], "nullable": true}), json!(null), true, "an enum"),
            (
                json!({"type": "string", "enum": ["a"], "nullable": true}),
                json!("b"),
                false,
                "outside the enum",
            ),
            (json!({"oneOf": [{"type": "string"}], "nullable": true}), json!(null), true, "one of several"),
            (json!({"allOf": [{"type": "string"}], "nullable": true}), json!(1), false, "not all of several"),
        ];
        for (schema, value, want, why) in table {
            let converted = convert(&schema, Extras::Allowed, Position::Whole);
            assert_eq!(jsonschema::is_valid(&converted, &value), want, "{why}");
        }
    }

    /// An empty `want` is a good exchange.
    fn assert_problem(exchange: &Exchange<'_>, want: &str, why: &str) {
        let problems = Description::load().check(exchange);
        if want.is_empty() {
            assert!(problems.is_empty(), "{why}: {problems:?}");
        } else {
            assert!(problems.iter().any(|problem| problem.contains(want)), "{why}: {problems:?}");
        }
    }
}
