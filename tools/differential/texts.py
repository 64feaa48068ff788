"""Random YAML texts: many that mean something, many that are almost YAML."""

import json

SCALARS = r"""5 -1 007 0o17 0b11 0x1F 1_000 +5 -0 .5 5. 1e3 1e400 -1.5e-7 .inf -.INF .nan 12:30:45 2001-01-01 2001-1-1
~ null Null nULL true True yes Yes YES yEs no on Off y N = << 018446744073709551615 9223372036854775808
-9223372036854775809 123456789012345678901234567890 plain 'it''s' "a\tb\x41\u00e9" "\/" "\q" "" '' @x `x %x *x &x !x
!!str !!int !!float !!binary key:value http://h:80/p?q=1#f a#b - -- --- ... . ? : [] {} é 日本 🚀 a\b 0. 00 0b 0x _1 1_
0.1 1.0 1e1 100000000000000000000.0 0.00001 !!binary|aGVsbG8= !!str|5 !!int|x !!float|5 !!bool|yes !!null|x
!!timestamp|2001-01-01 &a|x *a""".split()
PIECES = ["- ", "-", "? ", ": ", ":", "a: ", "b: ", "- a: ", "  ", " ", "\n", "\n", "\n  ", "\n    ", "\t", "#", " # c", ", ",
          "[", "]", "{", "}", "|", ">", "|-\n  ", ">+\n  ", "|2\n", "&a ", "*a", "!!str ", "!x ", "'", '"', "<<: ", "--- ",
          "\n---\n", "\n...\n", "%YAML 1.1\n", "\r\n", "\x85", "\u2028", "\ufeff", "\x00", "\x7f"]
LETTERS = list("abzAZ019 _-.:,?#&*!|>%@`\"'{}[]=~+<$/\\") + list("\n\t\x07\x1b\x85\xa0é日🚀\u2028\ufeff\ufffe\ue000٣ª")
PARTS_OF_NUMBERS = "0 1 7 8 9 _ . - + e E x X o b : 0x 0b 0o inf nan T Z 2001- 12- 1 31 00 59 60 99 f".split()


def text(r):
    """A YAML text, or something like one."""
    kind = r.random()
    if kind < 0.35:
        return block(r, r.randrange(4), "")
    if kind < 0.5:
        return flow(r, r.randrange(4))
    if kind < 0.65:
        return json.dumps(value(r, r.randrange(4)), ensure_ascii=r.random() < 0.3)
    if kind < 0.8:
        return "a: " + "".join(r.choice(PARTS_OF_NUMBERS) for _ in range(r.randint(1, 7)))
    if kind < 0.9:
        return "".join(r.choice([r.choice(PIECES), scalar(r)]) for _ in range(r.randint(1, 8)))
    whole = block(r, 2, "") + r.choice(["", "\n---\n" + flow(r, 2)])
    at = r.randrange(len(whole) + 1)
    return whole[:at] + r.choice(LETTERS + PIECES) + whole[at + r.choice([0, 1]) :]


def scalar(r):
    if r.random() < 0.7:
        return r.choice(SCALARS).replace("|", " ", 1)
    return "".join(r.choice(LETTERS) for _ in range(r.randint(0, 8)))


def value(r, depth):
    """A value that JSON can write: strings of all kinds, for the printer's quoting rules."""
    kind = r.random()
    if depth and kind < 0.25:
        return [value(r, depth - 1) for _ in range(r.randrange(4))]
    if depth and kind < 0.6:
        return {string(r): value(r, depth - 1) for _ in range(r.randrange(5))}
    if kind < 0.9:
        return string(r)
    return r.choice([None, True, r.randrange(-20, 20), r.randrange(-(2**63), 2**64), r.uniform(-10, 10), 1e21, 1e-9])


def string(r):
    kind = r.random()
    if kind < 0.3:
        return r.choice(SCALARS).replace("|", " ", 1)
    if kind < 0.5:
        return "".join(r.choice(PARTS_OF_NUMBERS) for _ in range(r.randint(1, 6)))
    if kind < 0.9:
        return "".join(r.choice(LETTERS) for _ in range(r.randint(0, 9)))
    return "".join(r.choice(["word ", "w", "\n", "  ", "é", ": ", " #", "x" * 90]) for _ in range(r.randint(1, 12)))


def flow(r, depth):
    kind = r.random()
    if depth <= 0 or kind < 0.3:
        return scalar(r)
    items = [flow(r, depth - 1) for _ in range(r.randrange(4))]
    if kind < 0.6:
        return "[" + ", ".join(items) + "]"
    return "{" + ", ".join(f"{scalar(r)}: {item}" for item in items) + "}"


def block(r, depth, indent):
    kind = r.random()
    if depth <= 0 or kind < 0.2:
        return r.choice([scalar(r), flow(r, 1), block_scalar(r, indent)])
    lines = []
    for _ in range(r.randint(1, 4)):
        head = "-" if kind < 0.55 else r.choice(["a", "b", "<<", "? x\n" + indent, "'q'", scalar(r)]) + ":"
        deeper = indent + " " * r.choice([1, 2, 2, 2, 4])
        inner = block(r, depth - 1, deeper)
        lines.append(head + r.choice([" ", " ", "\n" + deeper]) + inner + r.choice(["", "", " # c"]))
    return ("\n" + indent).join(lines)


def block_scalar(r, indent):
    head = r.choice("|>") + r.choice(["", "-", "+", "2", "-1"])
    lines = [r.choice(["", " "]) + r.choice(["text", "", "# no comment", "a: b", "\tx"]) for _ in range(r.randint(1, 4))]
    return head + "".join("\n" + indent + "  " + line for line in lines)
