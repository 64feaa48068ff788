"""Random templates in Go's language: control structures, pipelines, literals, printing."""

VALUES = {
    "M": "{a: 1, b: x, nothing: ~, d: {e: 5, list: [1, {z: 2}]}, f: 1.5, true: yes, 1: one, "
    "inf: .inf, ninf: -.inf, nan: .nan, big: 18446744073709551615}",
    "L": "[1, -2, 3.5, a, ~, true]",
    "LM": "[{name: a, v: 1}, {name: b}, 3, ~, [x, y]]",
    "B": "[]",
    "S": "text",
    " ": "x",
}

DATA = """.Workload .Labels .Labels.region .ConfigData .ConfigData.M .ConfigData.L .ConfigData.LM .ConfigData.M.a
.ConfigData.M.nothing .ConfigData.none .ConfigData.M.d .ConfigData.M.d.list . $ $.Labels $.ConfigData.M""".split()
FIELDS = "Workload Labels Manifests ConfigData Foo region repo M L LM S a b nothing d e list name none zz".split()
VARIABLES = ["$", "$x", "$y", "$i"]
BUILTIN = "and or not len index slice print printf println html js urlquery eq ne lt le gt ge call".split()
SPRIG = """list dict upper lower quote squote default toString int int64 float64 add trunc has first hasPrefix join kindOf
typeOf empty coalesce ternary toYaml nope split until atoi repeat""".split()
STRINGS = ['""', '"a"', '"M"', '"name"', '"%d"', '"%v|%s"', '"%5.2f"', '"%q %x"', "`r`", r'"é\n"', r'"\q"', '"region"']
STRINGS += ['"a b<c>"', '"%[2]v %[1]v"', '"%*d"', '"%+v %#v"', '"%T"', '"unclosed', "'ab'"]
NUMBERS = """0 1 2 -1 1.5 1e3 0x10 1i 'a' 3 100 010 1_0 99999999999999999999 2.0 1e400 0b11 0o17 0x1p-2 1e .5 5. +1 --1
'\\n' '\\u00e9' 0x 1__0""".split()


def template(r):
    """A template of any shape, sometimes with one character changed."""
    text = ""
    if r.random() < 0.2:
        text += '{{define "t"}}' + body(r, 1) + "{{end}}"
    if r.random() < 0.4:
        text += "{{$x := " + pipe(r, 1) + "}}"
    if r.random() < 0.2:
        text += "{{$y := 1}}{{$i := 2}}"
    text += body(r, 2)
    if r.random() < 0.06:
        at = r.randrange(len(text) + 1)
        text = text[:at] + r.choice("{}()|.$\"`'-/ *:=,\n#") + text[at + r.choice([0, 1]) :]
    return text


def printing(r):
    """A template that prints values, mostly with `printf`."""
    values = " ".join(printed(r) for _ in range(r.choice([0, 1, 1, 2, 2, 3])))
    if r.random() < 0.15:
        return "{{ print%s %s }}{{ %s }}" % (r.choice(["", "ln"]), values, printed(r))
    verbs = "|".join(verb(r) for _ in range(r.choice([1, 1, 2, 3]))) + r.choice(["", "", "é", "%"])
    return '{{ printf "%s" %s }}' % (verbs, values)


def body(r, depth):
    return "".join(node(r, depth) for _ in range(r.choice([1, 1, 2, 2, 3])))


def node(r, depth):
    kind = r.random()
    if kind < 0.3 or depth <= 0:
        return r.choice(["", "a", " b ", "\n", "x\n y", "}}", "é", "\r\n"])
    if kind < 0.6:
        return action(r, pipe(r, 2))
    if kind < 0.68:
        return action(r, r.choice(["$x", "$y"]) + r.choice([" := ", " = ", ":="]) + pipe(r, 1))
    if kind < 0.71:
        return r.choice(["{{/* c */}}", "{{- /* c */ -}}", "{{/* c"])
    if kind < 0.73:
        stray = ["break", "continue", "end", "else", "else if true", "nil", 'template "t" .', 'template "u" $', 'define "q"']
        return action(r, r.choice(stray))
    if kind < 0.82:
        otherwise = r.choice(["", action(r, "else"), action(r, "else if " + pipe(r, 1))])
        return action(r, "if " + pipe(r, 1)) + body(r, depth - 1) + otherwise + body(r, depth - 1) + action(r, "end")
    if kind < 0.92:
        declared = r.choice(["", "$x := ", "$i, $x := ", "$x = ", ""])
        head = "range " + declared + r.choice([r.choice(DATA), pipe(r, 1)])
    elif kind < 0.97:
        head = "with " + r.choice(["", "$x := "]) + pipe(r, 1)
    else:
        head = 'block "' + r.choice("tu") + '" ' + pipe(r, 1)
        return action(r, head) + body(r, depth - 1) + action(r, "end")
    otherwise = action(r, "else") + body(r, depth - 1) if r.random() < 0.3 else ""
    return action(r, head) + body(r, depth - 1) + otherwise + action(r, "end")


def action(r, text):
    return r.choice(["{{", "{{ ", "{{- ", "{{"]) + text + r.choice(["}}", " }}", " -}}", "}}"])


def pipe(r, depth):
    text = command(r, depth)
    while r.random() < 0.25:
        text += r.choice([" | ", "|", " |"]) + command(r, depth)
    return text


def command(r, depth):
    kind = r.random()
    if kind < 0.55:
        arguments = [operand(r, depth) for _ in range(r.choice([0, 1, 1, 2, 2, 3]))]
        return r.choice(BUILTIN + SPRIG) + "".join(space(r) + argument for argument in arguments)
    if kind < 0.6:
        return operand(r, depth) + space(r) + operand(r, depth)
    return operand(r, depth)


def space(r):
    return r.choice([" "] * 8 + ["  ", "\n", "\t"])


def operand(r, depth):
    kind = r.random()
    if kind < 0.28:
        return r.choice(DATA)
    if kind < 0.36:
        return "." + ".".join(r.choice(FIELDS) for _ in range(r.choice([1, 1, 2, 2, 3])))
    if kind < 0.5:
        return r.choice(STRINGS)
    if kind < 0.63:
        return r.choice(NUMBERS)
    if kind < 0.68:
        return r.choice(["true", "false", "nil"])
    if kind < 0.76:
        return r.choice(VARIABLES) + r.choice(["", "", ".a", ".M.d"])
    if kind < 0.78:
        return r.choice(BUILTIN + SPRIG)
    if depth <= 0:
        return "1"
    return "(" + pipe(r, depth - 1) + ")" + r.choice(["", "", "", ".a", ".d.e"])


def printed(r):
    """A value worth printing."""
    kind = r.random()
    if kind < 0.35:
        return number(r)
    if kind < 0.5:
        integers = [0, 1, -1, 42, -42, 255, 65, 8364, 128512, 1114112, 55296, 2**63 - 1, -(2**63), 10**6]
        return str(r.choice(integers))
    if kind < 0.7:
        return r.choice(['"abc"', '"é€😀"', '""', r'"a\xffb\x00\n"', r'"\u2028\u00ad\ufeff"', '"`"', r'"x y\t"'])
    others = """true nil .ConfigData.L .ConfigData.M .ConfigData.B .Labels . .ConfigData.M.inf .ConfigData.M.ninf
    .ConfigData.M.nan .ConfigData.M.big 1i 2.5-1e10i 'x'""".split()
    calls = ['(index "abc" 1)', '(list "a" 1)', "(int64 7)", '(dict "k" 1.5)', '(splitList "," "a,b")', "(until 3)"]
    return r.choice(others + calls)


def number(r):
    kind = r.random()
    if kind < 0.3:
        return repr(r.uniform(-1000, 1000))
    if kind < 0.5:
        return "%d.%d" % (r.randrange(100), r.randrange(1000))
    if kind < 0.8:
        return "%.*e" % (r.randrange(17), r.uniform(1, 10) * 10.0 ** r.randrange(-320, 300) * r.choice([1, -1]))
    edges = """0.0 -0.0 1.0 0.5 1.5 2.5 1e21 1e20 123456.0 1234567.0 0.0001 0.00001 1e-7 5e-324 1.7976931348623157e308
    0.1 0.3 100.0 999999.5 9.995 0.05"""
    return r.choice(edges.split())


def verb(r):
    text = "%" + "".join(r.choice("#0+- ") for _ in range(r.choice([0, 0, 0, 1, 1, 2, 3])))
    if r.random() < 0.07:
        text += "[%s]" % r.choice(["1", "2", "3", "0", "x", "", "9"])
    text += r.choice(["", "", "", str(r.randrange(30)), "*"])
    if r.random() < 0.4:
        text += "." + r.choice(["", str(r.randrange(25)), "*", "0", "[1]", "[2]*"])
    return text + r.choice("vvvvdddsssqqxxXXoObcUteEfFgGgftTw%z!é")
