"""What may differ, and why. Everything else that differs is a defect."""

import re

# What we refuse on purpose; such requests are not put to Go, which some of them would end.
REFUSED = {
    "put into itself": "Go's maps may hold themselves, and then end the process when printed",
    "exceeded maximum template depth": "templates may call each other 600 levels deep; in Go 100,000",
    "more output than is allowed": "16 MiB of output are enough for a manifest",
    "the time of the run": "a date function that is given no time reads the clock in Go",
}

# Debian has sprig 3.2.3; the operator uses 2.22.0. A pattern of the template, and what changed.
SPRIG = {
    r"trunc\s+\(?-": "`trunc` takes negative lengths since sprig 3.2; 2.22 fails",
    r"\"(1_000|0x10|010)\"": "numbers in texts may have `_` and prefixes since sprig 3 (spf13/cast); 2.22 reads decimals only",
    r"semverCompare .*-": "2.22 has semver 1.5, which compares versions with pre-releases otherwise than semver 3",
    r"ConfigData\.M\.big": "2.22 takes an unsigned number beyond 63 bits as the greatest signed one; sprig 3 lets it wrap",
}


def refusal(ours):
    """The reason why we refuse a request that Go answers, if there is one."""
    error = ours.get("error") or ""
    return next((reason for text, reason in REFUSED.items() if text in error), None)


def reason(request, go, ours):
    """Why Go and we may differ here, if there is a known reason."""
    for pattern, why in SPRIG.items():
        if re.search(pattern, request.get("template", "")):
            return why
    if "nan:" in go.get("read", "") and go["read"] == ours.get("read"):
        return "the value of a key `.nan` is printed as null by Go, whose maps do not find it again"
    return None
