#!/usr/bin/env python3
"""Takes the operations that the sandbox answers out of GitHub's OpenAPI description, structure only.

    npm pack @octokit/openapi
    python3 sandbox/openapi/extract.py octokit-openapi-*.tgz

writes `github.json` next to this script. The package unpacks to 385 MB, so the one file is read out of the archive.
"""

import json
import pathlib
import sys
import tarfile

DESCRIPTION = "package/generated/api.github.com.json"

OPERATIONS = """
    actions/create-workflow-dispatch actions/get-workflow-run
    apps/create-installation-access-token apps/get-repo-installation
    git/create-blob git/create-commit git/create-ref git/create-tree git/delete-ref git/get-blob git/get-commit git/get-ref
    git/get-tree git/list-matching-refs git/update-ref
    issues/add-labels issues/create issues/create-comment issues/get issues/list-comments issues/list-for-repo
    issues/remove-label issues/update
    pulls/create pulls/get pulls/list pulls/merge pulls/update
    rate-limit/get
    repos/compare-commits-with-basehead repos/create-commit-status repos/get repos/get-branch repos/get-branch-rules
    repos/get-content repos/list-commit-statuses-for-ref
""".split()

PROSE = {"default", "deprecated", "description", "example", "examples", "externalDocs", "summary", "title"}
# Keys whose value is a map from names to schemas: a property called `title` is structure.
NAMED = {"properties", "patternProperties"}


def main(archive):
    with tarfile.open(archive) as package:
        source = json.load(package.extractfile(DESCRIPTION))
    found = {
        (path, method): operation
        for path, methods in source["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict) and operation.get("operationId") in OPERATIONS
    }
    missing = set(OPERATIONS) - {operation["operationId"] for operation in found.values()}
    if missing:
        sys.exit(f"not in {DESCRIPTION}: {', '.join(sorted(missing))}")

    paths = {}
    for (path, method), operation in found.items():
        paths.setdefault(path, {})[method] = bare_operation(operation)
    components = {}
    wanted = references(paths)
    while wanted:
        kind, name = wanted.pop()
        component = source["components"][kind][name]
        components.setdefault(kind, {})[name] = bare_response(component) if kind == "responses" else bare(component)
        wanted |= {key for key in references(components[kind][name]) if key[1] not in components.get(key[0], {})}

    target = pathlib.Path(__file__).with_name("github.json")
    target.write_text(lines({"components": components, "paths": paths}))


def bare_operation(operation):
    kept = {"operationId": operation["operationId"], "parameters": bare(operation.get("parameters", []))}
    if "requestBody" in operation:
        kept["requestBody"] = bare_response(operation["requestBody"])
    kept["responses"] = {status: bare_response(response) for status, response in operation["responses"].items()}
    return kept


def bare_response(response):
    """What a response or a request body says about JSON; headers and other media types are not checked."""
    if "$ref" in response:
        return response
    kept = {"required": True} if response.get("required") else {}
    content = response.get("content", {}).get("application/json")
    if content:
        kept["content"] = {"application/json": {"schema": bare(content["schema"])}}
    return kept


def bare(node):
    if isinstance(node, list):
        return [bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {}
    for key, value in node.items():
        if key in PROSE or key.startswith("x-"):
            continue
        if key in NAMED:
            kept[key] = {name: bare(schema) for name, schema in value.items()}
        else:
            kept[key] = value if key == "enum" else bare(value)
    return kept


def references(node):
    """The (kind, name) of every component that is referred to."""
    if isinstance(node, list):
        return {found for item in node for found in references(item)}
    if not isinstance(node, dict):
        return set()
    found = {found for item in node.values() for found in references(item)}
    if isinstance(node.get("$ref"), str):
        found.add(tuple(node["$ref"].removeprefix("#/components/").split("/")))
    return found


def lines(document):
    """JSON with one line for each operation and component, so that changes are readable."""
    return block({part: block({group: block(members, compact) for group, members in groups.items()}, str)
                  for part, groups in document.items()}, str) + "\n"


def block(members, write):
    return "{\n" + ",\n".join(f"{compact(name)}:{write(members[name])}" for name in sorted(members)) + "\n}"


def compact(node):
    return json.dumps(node, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
