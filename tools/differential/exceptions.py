"""What may differ, and why. Everything else that differs is a defect."""

import re

# What we refuse on purpose; such requests are not put to Go, which some of them would end.
REFUSED = {
    "put into itself": "Go's maps may hold themselves, and then end the process when printed",
    "exceeded maximum template depth": "templates may call each other 600 levels deep; in Go 100,000",
    "more output than is allowed": "16 MiB of output are enough for a manifest",
    "the time of the run": "a date function that is given no time reads the clock in Go",
}

def refusal(ours):
    """The reason why we refuse a request that Go answers, if there is one."""
    error = ours.get("error") or ""
    return next((reason for text, reason in REFUSED.items() if text in error), None)


def reason(request, go, ours):
    """Why Go and we may differ here, if there is a known reason."""
    if "error" not in go and "error" not in ours and unquoted_times(ours["output"]) == unquoted_times(go["output"]):
        return "a time is text in our YAML, and so quoted; Kubernetes reads both as the same text"
    if differs_with_semver(request.get("template", ""), go, ours):
        return "2.22 has semver 1.5, which understands open parts, pre-releases and lists of constraints otherwise than semver 3"
    if "nan:" in go.get("read", "") and go["read"] == ours.get("read"):
        return "the value of a key `.nan` is printed as null by Go, whose maps do not find it again"
    return None


def unquoted_times(output):
    return re.sub(rb'"(\d{4,}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d))"', rb"\1", bytes.fromhex(output))


def differs_with_semver(template, go, ours):
    """Debian's sprig has semver 3: whether a constraint holds, what is none, and a version as YAML."""
    errors = [answer["error"] for answer in (go, ours) if "error" in answer]
    if "semverCompare" in template:
        return all("constraint" in error for error in errors)
    return "semver" in template and not errors and b"{}" in bytes.fromhex(ours["output"])
