//! What Go made of the texts in `data/go.tsv`: the text, what yaml.v2 reads, how yaml.v3 prints that.
//!
//! Texts are JSON strings. Floats are noted as `f` and their bits, integers beyond 63 bits with a `u`.

use goyaml::Value;

fn note(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(int) => int.to_string(),
        Value::Uint(int) => format!("{int}u"),
        Value::Float(float) if float.is_nan() => "nan".into(),
        Value::Float(float) if float.is_infinite() => float.to_string(),
        Value::Float(float) => format!("f{:016x}", float.to_bits()),
        Value::Str(text) => serde_json::Value::from(&**text).to_string(),
        Value::Binary(bytes) => format!("{bytes:?}"),
        Value::Seq(items) => format!("[{}]", items.iter().map(note).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let mut entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{}: {}", note(key), note(value))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

#[test]
fn reads_and_prints_as_go_does() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for line in include_str!("data/go.tsv").lines() {
        cases += 1;
        let columns: Vec<&str> = line.split('\t').collect();
        let [input, value, printed] = columns[..] else { panic!("three columns: {line}") };
        let text: String = serde_json::from_str(input).unwrap();
        match goyaml::read(&text) {
            Err(error) if value != "error" => wrong.push(format!("{input}: {error}, Go reads {value}")),
            Err(_) => {}
            Ok(read) if note(&read) != value => {
                wrong.push(format!("{input}: {}, Go reads {value}", note(&read)));
            }
            Ok(read) => {
                let printed: String = serde_json::from_str(printed).unwrap();
                let ours = goyaml::print(&read);
                if ours != printed {
                    wrong.push(format!("{input}: printed {ours:?}, Go prints {printed:?}"));
                }
            }
        }
    }
    assert!(cases > 1000, "{cases}");
    assert!(wrong.is_empty(), "{} of {cases} differ:\n{}", wrong.len(), wrong.join("\n"));
}
