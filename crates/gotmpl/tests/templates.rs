//! The language itself against what Go makes of it: `templates.txt` says how its cases are written.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::{Elem, Error, Limits, MapRef, Str, Struct, Template, Value};
use proptest::prelude::*;

/// What the templates of `templates.txt` find in `.ConfigData`, as YAML.
const CONFIG: [(&str, &str); 2] = [
    (
        "M",
        "{a: 1, b: x, nothing: ~, i: 1, s: str, d: {e: 5, list: [1, {z: 2}]}, f: 1.5, g: 1e6, inf: .inf, nan: .nan, \
         true: yes, 1: one, ~: nul}",
    ),
    ("L", "[1, 2, 3]"),
];

fn strings(entries: &[(&str, &str)]) -> Value {
    let entries = entries.iter().map(|(key, value)| (Str::from(*key), Value::from(*value)));
    Value::Map(Elem::Str, MapRef::new(entries.collect()))
}

fn data() -> Value {
    let config: BTreeMap<Str, Value> = CONFIG
        .iter()
        .map(|(key, text)| (Str::from(*key), Value::from_yaml(&goyaml::read(text).expect("YAML"))))
        .collect();
    let fields = vec![
        ("DeploymentTargetName", "app-test".into()),
        ("Namespace", "dev-c1-app-test".into()),
        ("Environment", "dev".into()),
        ("Workspace", "ws".into()),
        ("Workload", "app".into()),
        ("Labels", strings(&[("region", "east"), ("zone", "1"), ("a.b/c", "x")])),
        ("Manifests", strings(&[("repo", "https://example.com/r"), ("branch", "main"), ("path", "./m")])),
        ("ClusterType", "c1".into()),
        ("ConfigData", Value::dict(config)),
    ];
    Value::Struct(Arc::new(Struct { type_name: "scheduler.dataType", fields }))
}

fn render(template: &str, limits: Limits) -> Result<Vec<u8>, Error> {
    Template::parse(template)?.render(&data(), limits)
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let (byte, length) = match after.as_bytes() {
            [b'n', ..] => (b'\n', 1),
            [b't', ..] => (b'\t', 1),
            [b'r', ..] => (b'\r', 1),
            [b'\\', ..] => (b'\\', 1),
            [b'x', ..] => (u8::from_str_radix(&after[1..3], 16).expect("two hexadecimal digits"), 3),
            _ => panic!("no escape: {after}"),
        };
        bytes.push(byte);
        rest = &after[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[test]
fn templates_render_as_in_go() {
    let cases = include_str!("templates.txt");
    let mut lines = cases.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut count = 0;
    while let (Some(template), Some(want)) = (lines.next(), lines.next()) {
        let result = match render(&template.replace('⏎', "\n"), Limits::default()) {
            Ok(output) => [b"= ", &output[..]].concat(),
            Err(Error { line, column, template, context, message, .. }) => {
                let running = context.map_or(String::new(), |context| {
                    format!(" {} <{context}>:", template.unwrap_or("template".into()))
                });
                format!("! {line}:{column}:{running} {message}").into_bytes()
            }
        };
        let want = unescape(if want == "=" { "= " } else { want });
        assert_eq!(String::from_utf8_lossy(&result), String::from_utf8_lossy(&want), "{template}");
        count += 1;
    }
    assert!(count > 300, "only {count} cases were read");
}

#[test]
fn errors_say_what_to_do() {
    let cases = [
        ("{{ uper .Workload }}", "did you mean `upper`?", "a misspelled function"),
        ("{{ .Worklaod }}", "did you mean `.Workload`?", "a misspelled field"),
        ("{{ .CONFIGDATA.NS }}", "did you mean `.ConfigData`?", "a field in capitals"),
        ("{{ .Foo }}", "there are .DeploymentTargetName, .Namespace", "a field like no other"),
        ("{{ .ConfigData.NS | upper }}", "a key is missing here", "a key that is not there"),
        ("{{ .ConfigData.M.nothing.x }}", "there is no value to take `.x` from", "a field of nil"),
        ("{{ if true }}", "what begins here needs its `{{end}}`", "a block without an end"),
    ];
    for (template, want, why) in cases {
        let help = render(template, Limits::default()).expect_err(why).help.expect(why);
        assert!(help.starts_with(want), "{why}: {help}");
    }
}

#[test]
fn refused_functions_say_why() {
    let error = Template::parse("a\n{{ env \"HOME\" }}").expect_err("it reads the machine");
    assert_eq!((error.line, error.column), (2, 4));
    let reason = gotmpl::functions::refused("env").expect("a refused function");
    assert_eq!(error.message, format!("function \"env\" is refused ({reason})"));
}

#[test]
fn limits_hold() {
    let self_call = r#"{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" . }}"#;
    let doubling = r#"{{ $x := "ab" }}{{ range until 64 }}{{ $x = print $x $x }}{{ end }}"#;
    let sharing = "{{ $x := list 1 }}{{ range until 64 }}{{ $x = list $x $x }}{{ end }}{{ $x }}";
    let nesting = "{{ $x := list }}{{ range until 10000 }}{{ $x = list $x }}{{ end }}";
    let chaining = "{{ $x := dict }}{{ range until 1000 }}{{ $x = dict \"a\" $x }}{{ end }}{{ $x }}";
    let loops = &format!("{}{}", "{{ range $.ConfigData.L }}".repeat(14), "{{ end }}".repeat(14));
    let output = "{{ range until 10000 }}{{ range $.ConfigData.L }}0123456789012345678901234567890123456789{{ end }}{{ end }}";
    let cases = [
        (self_call, "exceeded maximum template depth (600)"),
        (doubling, "the template makes more output than is allowed"),
        (sharing, "error calling list: the template takes more steps than are allowed"),
        (nesting, "error calling list: the value is nested too deeply"),
        (chaining, "the value is nested too deeply"),
        (loops, "the template takes more steps than are allowed"),
        (output, "the template makes more output than is allowed"),
        (r#"{{ printf "%1000000d" 1 | repeat 100 }}"#, "the template makes more output than is allowed"),
        (r#"{{ printf "%*d%*d%*d" 999999 1 999999 1 }}"#, "the template makes more output than is allowed"),
    ];
    let limits = Limits { output_bytes: 1 << 20, value_bytes: 1 << 21, ..Limits::default() };
    for (template, want) in cases {
        let message = render(template, limits).map(|output| output.len()).expect_err(template).message;
        assert!(message.ends_with(want), "{template}: {message}");
    }
}

#[test]
fn the_deepest_template_fits_a_small_stack() {
    let arguments = |count: usize| format!("{}1{}", "print (".repeat(count), ")".repeat(count));
    let template = format!(
        r#"{{{{ define "x" }}}}{{{{ if lt . 280 }}}}{{{{ template "x" (add 1 . | int) }}}}{{{{ else }}}}{{{{ {} }}}}{{{{ end }}}}{{{{ end }}}}{{{{ template "x" 1 }}}}"#,
        arguments(190)
    );
    let run = move || render(&template, Limits { depth: 10_000, ..Limits::default() });
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(run).expect("a thread");
    assert_eq!(thread.join().expect("it does not overflow").as_deref(), Ok(&b"1"[..]));
}

#[test]
fn nesting_in_the_text_is_limited() {
    let nested = |count: usize| {
        format!("{}1{}", "{{ (".replacen("(", &"(".repeat(count), 1), ")".repeat(count) + " }}")
    };
    assert_eq!(render(&nested(150), Limits::default()).as_deref(), Ok(&b"1"[..]));
    let deep = [
        nested(100_000),
        "{{ if 1 }}".repeat(100_000),
        format!("{{{{ if 1 }}}}{}", "{{ else if 1 }}".repeat(100_000)),
    ];
    for template in deep {
        let error = Template::parse(&template).expect_err("too deep");
        assert!(error.message.contains("nested more than 200 deep"), "{}", error.message);
    }
}

#[test]
fn a_template_that_changes_maps_leaves_its_data_alone() {
    let template =
        Template::parse(r#"{{ $_ := set .ConfigData "new" "x" }}{{ .ConfigData.new }}"#).expect("valid");
    let data = data();
    for _ in 0..2 {
        assert_eq!(template.render(&data, Limits::default()).as_deref(), Ok(&b"x"[..]));
    }
    let after = Template::parse("{{ .ConfigData.new }}").expect("valid");
    assert_eq!(after.render(&data, Limits::default()).as_deref(), Ok(&b"<no value>"[..]));
}

#[test]
fn rendering_the_same_is_the_same() {
    let template = "{{ range $k, $v := .ConfigData.M }}{{ $k }}={{ $v }};{{ end }}{{ .ConfigData }}";
    let first = render(template, Limits::default()).expect("valid");
    for _ in 0..20 {
        assert_eq!(render(template, Limits::default()).as_deref(), Ok(&first[..]));
    }
}

/// Pieces that make texts which are templates more often than not.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        "\n",
        "text",
        "(",
        ")",
        "|",
        ".",
        ".Workload",
        ".ConfigData.M",
        ".Labels",
        "$",
        "$x",
        ":=",
        "=",
        ",",
        "\"a\"",
        "`r`",
        "'c'",
        "1",
        "-2.5",
        "1i",
        "0x1p",
        "9e999",
        "nil",
        "true",
        "if",
        "else",
        "end",
        "range",
        "with",
        "define",
        "template",
        "block",
        "break",
        "continue",
        "{{end}}",
        "{{ else }}",
        "{{ if . }}",
        "{{ range .ConfigData.L }}",
        "{{ define \"t\" }}",
        "{{ template \"t\" . }}",
        "index",
        "slice",
        "printf",
        "\"%*.*[3]v%#x%+q\"",
        "len",
        "eq",
        "lt",
        "and",
        "not",
        "list",
        "dict",
        "set",
        "until",
        "html",
        "js",
        "/*",
        "*/",
        "\\",
        "é",
        "\u{1F600}",
        "{{ . }}",
        "{{ $x := list 1 . }}",
        "{{ $x }}",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_parses_or_fails(text in any::<String>()) {
        let _ = Template::parse(&text);
    }

    #[test]
    fn any_action_parses_or_fails(text in "\\{\\{-? ?\\PC{0,40} ?-?\\}\\}") {
        let _ = Template::parse(&text);
    }

    #[test]
    fn what_parses_renders_or_fails(text in pieces()) {
        if let Ok(template) = Template::parse(&text) {
            let limits = Limits { steps: 10_000, ..Limits::default() };
            let _ = template.render(&data(), limits);
        }
    }

    #[test]
    fn any_format_prints_or_fails(format in "[%a-zA-Z0-9 #+*.\\[\\]-]{0,20}", number: i64, float: f64) {
        let template = format!("{{{{ printf {format:?} {number} {float:?} .ConfigData.M . \"é\" }}}}");
        if let Ok(template) = Template::parse(&template) {
            let _ = template.render(&data(), Limits::default());
        }
    }
}
