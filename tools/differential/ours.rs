//! Answers what we make of templates and YAML texts, in the words of `reference/main.go`.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use anyhow::Result;
use gotmpl::{Elem, Limits, MapRef, Str, Struct, Template};
use goyaml::Value;
use serde_json::{Value as Json, json};

fn main() -> Result<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lines() {
        let asked: Json = serde_json::from_str(&line?)?;
        let given = match asked["template"].as_str() {
            Some(template) => render(template, &asked["values"]),
            None => read(asked["text"].as_str().unwrap_or_default()),
        };
        writeln!(output, "{given}")?;
    }
    Ok(())
}

fn read(text: &str) -> Json {
    match goyaml::read(text) {
        Ok(value) => json!({"output": hex(goyaml::print(&value).as_bytes()), "read": note(&value)}),
        Err(error) => json!({"error": error.message}),
    }
}

fn render(template: &str, values: &Json) -> Json {
    let rendered = Template::parse(template).and_then(|it| it.render(&data(values), Limits::default()));
    match rendered {
        Ok(output) => json!({"output": hex(&output)}),
        Err(error) => json!({
            "error": error.message,
            "line": error.line,
            "column": error.column,
            "template": error.template,
            "context": error.context,
        }),
    }
}

fn data(values: &Json) -> gotmpl::Value {
    let entry = |(key, text): (&String, &Json)| {
        let text = text.as_str().unwrap_or_default();
        let value = match goyaml::read(text) {
            Ok(value @ (Value::Map(_) | Value::Seq(_))) => gotmpl::Value::from_yaml(&value),
            _ => text.into(),
        };
        (Str::from(&**key), value)
    };
    let config = values.as_object().into_iter().flatten().map(entry).collect();
    let labels = strings([("region", "east"), ("zone", "1"), ("a.b/c", "x")]);
    let manifests = strings([("repo", "https://example.com/r"), ("branch", "main"), ("path", "./m")]);
    let fields = vec![
        ("DeploymentTargetName", "app-test".into()),
        ("Namespace", "dev-large-app-test".into()),
        ("Environment", "dev".into()),
        ("Workspace", "team".into()),
        ("Workload", "app".into()),
        ("Labels", labels),
        ("Manifests", manifests),
        ("ClusterType", "large".into()),
        ("ConfigData", gotmpl::Value::dict(config)),
    ];
    gotmpl::Value::Struct(Arc::new(Struct { type_name: "main.dataType", fields }))
}

fn strings<const N: usize>(entries: [(&str, &str); N]) -> gotmpl::Value {
    let entries: BTreeMap<Str, gotmpl::Value> =
        entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
    gotmpl::Value::Map(Elem::Str, MapRef::new(entries))
}

fn note(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Float(number) if number.is_nan() => "nan".into(),
        Value::Float(number) => format!("f{:016x}", number.to_bits()),
        Value::Str(text) => format!("s{}", hex(text.as_bytes())),
        Value::Binary(bytes) => format!("s{}", hex(bytes)),
        Value::Seq(items) => format!("[{}]", items.iter().map(note).collect::<Vec<_>>().join(",")),
        Value::Map(map) => {
            let mut entries: Vec<String> =
                map.iter().map(|(key, item)| format!("{}:{}", note(key), note(item))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
