#!/usr/bin/env python3
"""Asks Go and us the same random questions and reports where the answers differ; see README.md."""

import argparse
import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys

import exceptions
import functions
import templates
import texts

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Go is asked again this often before an answer counts as its only one: it visits maps in random order.
REPEATS = 100

EXECUTION = re.compile(r'template: template:(\d+):(\d+): executing "((?:[^"\\]|\\.)*)" at <(.*)', re.S)
SYNTAX = re.compile(r"template: template:(\d+): (.*)", re.S)


def build(folder):
    """Both programs, as commands."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": os.environ.get("REFERENCE_GOPATH", "/usr/share/gocode"),
        "GOCACHE": str(folder / "cache"),
    }
    go = folder / "reference"
    sources = sorted((HERE / "reference").glob("*.go"))
    subprocess.run(["go", "build", "-o", go, *sources], env=environment, check=True)
    command = ["cargo", "build", "--quiet", "--example", "differential", "--message-format=json"]
    built = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    artifacts = map(json.loads, built.splitlines())
    ours = [it["executable"] for it in artifacts if it.get("executable") and it["target"]["name"] == "differential"]
    return [go], ours


def ask(command, requests):
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    environment = {"PATH": os.environ["PATH"], "TZ": "UTC"}
    ran = subprocess.run(command, input=lines, env=environment, capture_output=True, text=True)
    answers = [json.loads(line) for line in ran.stdout.split("\n") if line]
    if ran.returncode or len(answers) != len(requests):
        sys.exit(f"{command} ended at {requests[len(answers):][:1]}:\n{ran.stderr[-2000:]}")
    return answers


def agree(request, go, ours):
    if "error" not in go or "error" not in ours:
        return "error" not in go and "error" not in ours and go == ours
    # Messages about YAML are our own words.
    return "template" not in request or same_error(request["template"], go["error"], ours)


def same_error(template, go, ours):
    """Message, context, template's name, line and column; Go counts columns in bytes from 0, and only while it executes."""
    if found := EXECUTION.fullmatch(go):
        line, column, name, rest = int(found[1]), int(found[2]), found[3], found[4]
        context, _, message = rest.partition(">: ")
        before = template.split("\n")[line - 1].encode()[:column].decode(errors="replace")
        want = (message, context, line, len(before) + 1, name)
        return want == (ours["error"], ours["context"], ours["line"], ours["column"], ours["template"] or "template")
    found = SYNTAX.fullmatch(go)
    message = (found[2] if found else go).removeprefix("template: ")
    return re.sub(r"( in action)? started at template:\d+$", "", message) == ours["error"]


def visits_in_another_order(request, said, ours):
    def parts(answer):
        return sorted(bytes.fromhex(answer.get("output", "")))

    several = len({json.dumps(answer) for answer in said}) > 1
    return several and any(agree(request, go, ours) or "output" in ours and parts(go) == parts(ours) for go in said)


def generate(kind, seed, count):
    r = random.Random(f"{kind} {seed}")
    names = sorted(functions.SIGNATURES)
    make = {
        "templates": lambda: {"template": templates.template(r), "values": templates.VALUES},
        "printing": lambda: {"template": templates.printing(r), "values": templates.VALUES},
        "functions": lambda: {"template": functions.call(r, names), "values": templates.VALUES},
        "yaml": lambda: {"text": texts.text(r)},
    }[kind]
    return [make() for _ in range(count)]


def compare(kind, seed, count, go, ours, show):
    """Prints what differs; returns how many answers nothing explains."""
    asked = generate(kind, seed, count)
    # First us: what we refuse would end or exhaust the reference.
    answers = ask(ours, asked)
    explained = collections.Counter(filter(None, map(exceptions.refusal, answers)))
    pairs = [(request, answer) for request, answer in zip(asked, answers) if not exceptions.refusal(answer)]
    reference = ask(go, [request for request, _ in pairs])
    rendered = sum("error" not in answer for answer in reference)
    different = [(q, g, a) for (q, a), g in zip(pairs, reference) if not agree(q, g, a)]
    unexplained = []
    for request, said, answer in different:
        reason = exceptions.reason(request, said, answer)
        if reason is None and visits_in_another_order(request, ask(go, [request] * REPEATS), answer):
            reason = "Go visits maps in random order, and so gives several answers; we give one of them, or its parts sorted"
        if reason is None:
            unexplained.append((request, said, answer))
        else:
            explained[reason] += 1
    print(f"{kind}: {count} probes, Go answers {rendered} without an error; {len(unexplained)} unexplained differences")
    for reason, number in explained.most_common():
        print(f"  {number} × {reason}")
    for request, said, answer in unexplained[:show]:
        print(f"  asked {request.get('template', request.get('text'))!r}\n    Go   {readable(said)}\n    ours {readable(answer)}")
    return len(unexplained)


def readable(answer):
    if "error" in answer:
        return {key: value for key, value in answer.items() if value not in (None, "")}
    return bytes.fromhex(answer["output"]), answer.get("read", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10_000, help="probes in all")
    parser.add_argument("--show", type=int, default=20, help="differences shown of each kind")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "target/differential")
    parser.add_argument("kinds", nargs="*", default=["templates", "printing", "functions", "yaml"])
    options = parser.parse_args()
    go, ours = build(options.folder)
    each = -(-options.count // len(options.kinds))
    left = sum(compare(kind, options.seed, each, go, ours, options.show) for kind in options.kinds)
    sys.exit(1 if left else 0)


main()
