#!/usr/bin/env python3
"""Writes the seeds of fuzz/corpus from this repository's examples and test data.

Seeds are named after where they come from; inputs that once failed stand beside them as `found-*` and stay.
"""
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz/corpus"
LARGEST = 12_000


def seed(target, name, text):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def parts(**bodies):
    return "".join(f"=== {title}\n{body}\n" for title, body in bodies.items())


def chunks(items, size):
    return [items[at : at + size] for at in range(0, len(items), size)]


def files_below(folder):
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "about")
    return [(str(path.relative_to(folder)), path.read_text()) for path in found]


def control_planes():
    folders = [ROOT / "examples"]
    folders += sorted(path for path in (ROOT / "tests/golden").glob("*") if path.is_dir())
    for folder in folders:
        files = [(path, text) for path, text in files_below(folder) if not path.startswith("expected")]
        text = "".join(f"=== {path}\n{body}" for path, body in files if path.endswith((".yaml", ".yml", "ignore")))
        for number, start in enumerate(range(0, len(text), LARGEST)):
            seed("objects", f"{folder.name}-{number}", text[start : start + LARGEST])


def template_cases(file):
    """The templates of a test table: those that render, and those that are errors."""
    lines = [line for line in file.read_text().split("\n") if not line.startswith("#")]
    pairs = [(a.replace("⏎", "\n"), b[:1]) for a, b in zip(lines, lines[1:]) if b[:1] in ("=", "!")]
    return [a for a, kind in pairs if kind == "="], [a for a, kind in pairs if kind == "!"]


CONFIG = "M: {a: 1, b: x, nothing: ~, d: {e: 5, list: [1, {z: 2}]}, f: 1.5}\nL: [1, 2, 3]\nS: text"


def go_templates():
    tests = ROOT / "crates/gotmpl/tests"
    for file in [tests / "templates.txt", *sorted((tests / "functions").glob("*.txt"))]:
        good, bad = template_cases(file)
        for number, group in enumerate(chunks(good, 20)):
            seed("go_template", f"{file.stem}-{number}", parts(template="\n".join(group), data=CONFIG))
        for number, template in enumerate(bad[::12]):
            seed("go_template", f"{file.stem}-error-{number}", parts(template=template, data=CONFIG))


def yaml_texts():
    for path, text in files_below(ROOT / "examples"):
        if path.endswith(".yaml") and "templates" in path:
            seed("yaml", pathlib.Path(path).name, text)
    good, bad = [], []
    for line in (ROOT / "crates/goyaml/tests/data/go.tsv").read_text().rstrip("\n").split("\n"):
        text, read, _ = line.split("\t")
        (bad if read == "error" else good).append(json.loads(text))
    for number, group in enumerate(chunks(good, 25)):
        seed("yaml", f"go-{number}", "\n---\n".join(group))
    for number, text in enumerate(bad[::12]):
        seed("yaml", f"go-error-{number}", text)


JINJA = {
    "loop": "{% for key, value in config_data|items %}{{ loop.index }} {{ key }}: {{ value|tojson }}\n{% endfor %}",
    "condition": "{% if labels.type == 'application' and 'a' in config_data.M %}yes{% elif not x is defined %}no{% endif %}",
    "macro": "{% macro m(a, b=2) %}{{ a ~ b }}{% endmacro %}{{ m(1) }}{% set x = [1, 2]|map('string')|join('-') %}{{ x }}",
    "filters": "{{ 'a b'|upper|replace('A', 'x')|title|trim|indent(4) }}{{ [3, 1]|sort|first }}{{ {'a': 1}|dictsort }}",
    "helpers": "{{ to_yaml(config_data.M) }}{{ config_data|stringify|to_yaml }}{{ hash(workload) }}{{ \"'a'\"|unquote }}",
    "arithmetic": "{{ 1 + 2 * 3 // 2 % 5 ** 2 - 1.5 }}{{ 'a' * 3 }}{{ range(5)|list }}{{ [1, 2][1:] }}{{ -1|abs }}",
    "blocks": "{% raw %}{{ x }}{% endraw %}{# c #}{%- filter upper -%}a{%- endfilter %}{% with a = 1 %}{{ a }}{% endwith %}",
    "undefined": "{{ config_data.none }}",
    "default": "{{ config_data.none|default('x') }}{{ namespace }}{{ environment }}{{ cluster_type }}",
    "call": "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}{% block b %}{% endblock %}",
}


def jinja_templates():
    for name, template in JINJA.items():
        seed("jinja_template", name, parts(template=template, M="{a: 1, b: [x, {c: 2}]}", L="[1, 2]", S="text"))


MERGES = {
    "maps": [["M={a: 1, d: {e: 1}}", "S=x"], ["M={b: 2, d: {f: 2}}"], ["M={a: 3, d: {e: ~}}"]],
    "named": [["L=[{name: a, v: 1}, {name: b}]"], ["L=[{name: a, v: 2, x: {y: 1}}]"], ["L=[{name: a, x: {z: 1}}, 3]"]],
    "unnamed": [["L=[{v: 1}, {v: 2}]"], ["L=[{x: {y: 1}}]"], ["L=[{x: {z: [1]}}]"]],
    "kinds": [["K={a: 1}"], ["K=[1]"], ["K=text"], ["K='quoted'"], ["K=yes"]],
    "blocks": [["B=- name: a\\n  v: 1\\n"], ["B=- name: a\\n  v: |\\n    x\\n"], ["B={<<: {a: 1}, 1: one, true: t}"]],
    "names": [["L=[{name: 1}, {name: 1.0}, {name: [1]}]"], ["L=[{name: 1, a: b}, {name: ~}, {name: [1]}]"]],
}


def config_merges():
    for name, layers in MERGES.items():
        text = "".join(f"=== {number}\n" + "\n".join(lines) + "\n" for number, lines in enumerate(layers))
        seed("config_merge", name, text)


SCHEMAS = {
    "types": ({"type": "object", "required": ["A"], "properties": {"A": {"type": "integer", "minimum": 1}}}, {"A": "0"}),
    "text": ({"properties": {"A": {"type": "string", "pattern": "^(a|b)+$", "minLength": 2}}}, {"A": "abab"}),
    "reference": ({"definitions": {"n": {"type": "number"}}, "additionalProperties": {"$ref": "#/definitions/n"}}, {"A": "1.5"}),
    "recursive": ({"$ref": "#/definitions/t", "definitions": {"t": {"additionalProperties": {"anyOf": [{"type": "string"}, {"$ref": "#/definitions/t"}]}}}}, {"A": "{b: {c: 1}}"}),
    "combined": ({"oneOf": [{"required": ["A"]}, {"required": ["B"]}], "not": {"required": ["C"]}, "allOf": [{}], "if": {}, "then": {}}, {"B": "x"}),
    "draft-4": ({"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"A": {"minimum": 1, "exclusiveMinimum": True}}}, {"A": "1"}),
    "boolean-exclusive": ({"properties": {"A": {"maximum": 9, "exclusiveMaximum": True, "multipleOf": 0.1}}}, {"A": "9"}),
    "2020-12": ({"$schema": "https://json-schema.org/draft/2020-12/schema", "unevaluatedProperties": False, "$defs": {"a": {"$anchor": "x"}}, "properties": {"A": {"$ref": "#x"}}}, {"B": "1"}),
    "formats": ({"properties": {"A": {"format": "ipv4"}, "B": {"format": "date-time"}, "C": {"format": "uri"}}}, {"A": "1.2.3", "B": "x", "C": ":"}),
    "lists": ({"properties": {"A": {"items": {"enum": [1, "a", None]}, "uniqueItems": True, "contains": {"const": 1}, "maxItems": 2}}}, {"A": "[1, 1, a]"}),
    "names": ({"patternProperties": {"^A": {"type": "boolean"}}, "propertyNames": {"maxLength": 1}, "dependencies": {"A": ["B"]}}, {"A": "yes", "AB": "no"}),
    "remote": ({"$ref": "https://example.com/schema.json"}, {"A": "1"}),
}


def schemas():
    for name, (schema, config) in SCHEMAS.items():
        seed("json_schema", name, parts(schema=json.dumps(schema), **config))
    seed("json_schema", "boolean", parts(schema="false", A="1"))
    seed("json_schema", "no-json", parts(schema='{"type": ', A="1"))


IGNORES = {
    "anchored": ({"": "/skip\n*.yml\n# comment\n!keep.yml\n"}, ["skip/a.yaml", "b.yml", "c/skip/a.yaml", "keep.yml"]),
    "levels": ({"": "*.yaml", "keep": "!*.yaml", "keep/not": "x.yaml"}, ["a.yaml", "keep/b.yaml", "keep/not/x.yaml"]),
    "stars": ({"": "**/a/**/b.yaml\na/**\n**/c\n[a-c].yaml\n?.yml\n{x,y}.yaml"}, ["a/b.yaml", "x/a/y/b.yaml", "b.yaml", "q.yml"]),
    "escapes": ({"": "\\#a.yaml\n\\!b.yaml\na\\ \nfolder/\n  \n[!a].yaml\n[]-]x.yaml\n\\"}, ["#a.yaml", "!b.yaml", "folder/x.yaml", "]x.yaml"]),
    "dots": ({"": "!.github\n!.environments/"}, [".github/a.yaml", ".environments/dev.yaml", ".hidden.yaml", "a/.git/b.yml"]),
    "broken": ({"": "[z-a]\n[\n{a\n***\n/"}, ["a.yaml", "z.yml"]),
}


def ignores():
    for name, (levels, paths) in IGNORES.items():
        text = "".join(f"=== {folder}\n{patterns}\n" for folder, patterns in levels.items())
        seed("source_ignore", name, text + "=== paths\n" + "\n".join(paths) + "\n")


for write in [control_planes, go_templates, yaml_texts, jinja_templates, config_merges, schemas, ignores]:
    write()
