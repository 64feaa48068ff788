"""Random calls of the template functions, with arguments that reach their corners."""

import base64

# One letter per argument: see `argument`. A `*` repeats the last one up to three times.
SIGNATURES = {
    **dict.fromkeys("""trim upper lower title untitle nospace initials swapcase snakecase camelcase kebabcase b64enc b32enc
    sha1sum sha256sum adler32sum fail unquote""".split(), "s"),
    **dict.fromkeys("base dir clean ext isAbs".split(), "p"),
    **dict.fromkeys("contains hasPrefix hasSuffix trimPrefix trimSuffix trimAll trimall".split(), "ss"),
    **dict.fromkeys("repeat indent nindent trunc abbrev wrap".split(), "is"),
    **dict.fromkeys("substr abbrevboth".split(), "iis"),
    **dict.fromkeys("splitList split".split(), "cs"),
    **dict.fromkeys("quote squote cat".split(), "v*"),
    **dict.fromkeys("toStrings sortAlpha first last rest initial reverse uniq compact".split(), "l"),
    **dict.fromkeys("typeOf kindOf toJson toPrettyJson toYaml empty deepCopy toString".split(), "v"),
    **dict.fromkeys("kindIs typeIs typeIsLike".split(), "kv"),
    **dict.fromkeys("add mul max min biggest".split(), "n*"),
    **dict.fromkeys("sub div mod".split(), "nn"),
    **dict.fromkeys("add1 ceil floor int int64 float64 toDecimal".split(), "n"),
    **dict.fromkeys("append push prepend".split(), "lv"),
    **dict.fromkeys("list tuple coalesce".split(), "v*"),
    **dict.fromkeys("pick omit".split(), "dq*"),
    **dict.fromkeys("merge mergeOverwrite".split(), "dd*"),
    **dict.fromkeys("regexMatch regexFind".split(), "xy"),
    **dict.fromkeys("regexFindAll regexSplit".split(), "xyi"),
    **dict.fromkeys("regexReplaceAll regexReplaceAllLiteral".split(), "xyw"),
    **dict.fromkeys("htmlDate unixEpoch".split(), "t"),
    "replace": "ccs", "wrapWith": "ics", "plural": "ssi", "splitn": "cis", "join": "cl", "atoi": "s", "round": "ni", "until": "i",
    "untilStep": "iii", "without": "lv*", "has": "vl", "slice": "li", "concat": "l*", "default": "vv", "ternary": "vvb",
    "dict": "qv", "set": "dqv", "unset": "dq", "hasKey": "dq", "pluck": "qd*", "keys": "d", "values": "d", "stringify": "d",
    "deepEqual": "vv", "b64dec": "e", "b32dec": "f", "urlParse": "u", "urlJoin": "U", "semver": "r", "semverCompare": "Rr",
    "date": "Lt", "dateInZone": "Ltz", "htmlDateInZone": "tz", "dateModify": "mt", "toDate": "LL", "hello": "",
    "derivePassword": "isss", "decryptAES": "ss",
}

WORDS = """hello World HTTPServer some_words go-path http2xx Bld4Floor3rd _complex__case_ ÄÖü ǆungla ß straße 日本語 ﬁ İstanbul
x1y2 --a-- 1a 12 a.b.c (foo)bar foo,bar x!y <a&b> 'q' a Z _ - é ſ 0x10 1.9 010 +5 1e3 true x-y_z""".split()
WORDS += ["", "a  b", r"\t tab", r"l1\nl2\n", r"\u00a0nbsp\u00a0", r"\u2028", r"a\xffb", r"\xff", r"\"dq\"", r"back\\slash"]
DATA = ".ConfigData.M .ConfigData.L .ConfigData.LM .ConfigData.none .ConfigData.S .Labels".split()
NUMBERS = """0 1 -1 2 7 10 -3 100 9223372036854775807 -9223372036854775808 1.5 -1.5 2.675 0.5 -0.5 1e20 -1e20 1e300 123456.789 3.0
"12" "-7" "+5" "1.9" "abc" "" "9223372036854775808" "1e3" true nil (list) .ConfigData.M.f .ConfigData.M.big "1_000" "inf"
""".split() + ['" 5"']
ATOMS = r"""a b x é 日 . \d \w \s \D \W \S [a-z] [^a-z] [[:alpha:]] \pL \p{Greek} \PN (a|b) (?:ab) (?P<n>x+) (?i:B) (?s). (?m)^ $ ^ \b
\B \A \z \Qa.b\E \x41 \x{e9} []a] [a-] [z-a] { } ] ( ) (?<n>a) (?x) \C \1 () (|a) [\w.-] (?U)a+ (?i)k \p{Han} [é-ü]""".split()
LAYOUTS = """2006 06 January Jan 1 01 Monday Mon 2 _2 02 002 15 3 03 4 04 5 05 PM pm MST Z0700 Z07:00 -0700 -07:00 -07 .000 .999
-07:00:00""".split()
ZONES = "UTC Local Europe/Berlin America/New_York Asia/Kolkata Australia/Lord_Howe Etc/GMT+5 No/Where Asia/Kathmandu EST5EDT".split()
DATES = """(toDate|"2006-01-02"|"2024-02-29") (toDate|"2006-01-02T15:04:05Z07:00"|"2021-10-31T02:30:00+02:00") 0 1600000000
-1600000000 951782399 4102444800 (dateModify|"-1.5h"|(toDate|"2006"|"2020"))""".split()


def call(r, names):
    """A template with one call; some calls stand within others."""
    return "{{ " + expression(r, names, 2) + " }}"


def expression(r, names, depth):
    name = r.choice(names)
    signature = SIGNATURES[name]
    if signature.endswith("*"):
        signature = signature[:-1] + signature[-2] * r.randrange(3)
    if r.random() < 0.02:
        signature = signature[:-1] if r.random() < 0.5 else signature + "v"
    arguments = [argument(r, letter, names, depth - 1) for letter in signature]
    return " ".join([name, *arguments])


def argument(r, letter, names, depth):
    if depth > 0 and r.random() < 0.12:
        return "(" + expression(r, names, depth) + ")"
    return ARGUMENTS[letter](r)


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def word(r):
    if r.random() < 0.5:
        return '"' + r.choice(WORDS) + '"'
    return '"' + r.choice(["", "-", "_", " ", ".", "/", ","]).join(r.choice(WORDS) for _ in range(r.randint(1, 5))) + '"'


def scalar(r):
    kind = r.random()
    if kind < 0.4:
        return word(r)
    return r.choice([*NUMBERS, "true", "false", "nil"])


def any_value(r, depth=2):
    kind = r.random()
    if kind < 0.5 or depth == 0:
        return scalar(r)
    if kind < 0.6:
        return r.choice(DATA)
    return r.choice([list_value, dict_value])(r, depth - 1)


def list_value(r, depth=1):
    kind = r.random()
    if kind < 0.2:
        return r.choice([".ConfigData.L", ".ConfigData.LM", ".ConfigData.B", '(splitList "," "b,a,b")', "(until 3)", "nil", '"abc"'])
    return "(list " + " ".join(any_value(r, depth) for _ in range(r.randrange(5))) + ")"


def dict_value(r, depth=1):
    if r.random() < 0.1:
        return r.choice([".ConfigData.M", ".ConfigData", ".Labels", "nil", ".ConfigData.none"])
    entries = (key(r) + " " + any_value(r, depth) for _ in range(r.randrange(4)))
    return "(dict " + " ".join(entries) + ")"


def key(r):
    return r.choice(['"a"', '"b"', '"c"', '""', '"M"', '"é"'])


def integer(r):
    return str(r.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 20, 40, -1, -2, -5, 100, r.randint(0, 60)]))


def path(r):
    return quoted("".join(r.choice("/ / .. . a b.c // foo x.tar.gz .hid é".split()) for _ in range(r.randint(0, 7))))


def pattern(r):
    text = ""
    for _ in range(r.randint(1, 5)):
        text += r.choice(ATOMS)
        if r.random() < 0.35:
            text += r.choice("* + ? *? +? {2} {1,3} {0} {2,} {3,2} {1001} ** {01} |".split())
    return quoted(text)


def subject(r):
    letters = ["a", "b", "x", "A", "B", "é", "1", "0", " ", "-", "\n", "日", "ab", "k", "K", "α"]
    return quoted("".join(r.choice(letters) for _ in range(r.randint(0, 12))))


def replacement(r):
    return quoted("".join(r.choice("$1 ${1} $n ${n} $$ $ W é ${ $0 $1W $10 x - $2".split()) for _ in range(r.randrange(4))))


def encoded(r, encode):
    letters = list(encode(r.choice(WORDS).encode()).decode())
    for _ in range(r.choice([0, 0, 1, 2])):
        letters.insert(r.randint(0, len(letters)), r.choice(["\n", "=", "!", "A", "1", "\r"]))
    return quoted("".join(letters[: r.choice([None, None, -1])])).replace("\r", "\\r")


def url(r):
    scheme = r.choice("http:// https:// HTTP:// mailto: a+b:// 1x:// file:/// // : /".split() + [""])
    user = r.choice(["", "", "user@", "user:pass@", "us%20er:p%40@", "us er@", ":@"])
    host = r.choice("example.com Ex.COM:8080 [::1] [::1]:80 h: h:x h%41 192.168.0.1 [::1 x:1:2 ü.de".split() + ["", "a b"])
    rest = r.choice(["", "/", "/a/b", "/a%20b", "/a b", "/%zz", "/ü", "//x", "/a;b,c@d", "/[x]"])
    query = r.choice(["", "?", "?a=b", "?a=b&c=d#", "?x y", "?a%zz"])
    return quoted(scheme + user + host + rest + query + r.choice(["", "#", "#frag", "#fr ag", "#%zz", "#x#y"]))


def url_parts(r):
    values = ["", "a", "http", "h:80", "/p", "p", "a b", "u:p", "q=1", "//x", "%41", "?"]
    names = [name for name in "scheme host path query opaque fragment userinfo".split() if r.random() < 0.6]
    return "(dict " + " ".join(f'"{name}" "{r.choice(values)}"' for name in names) + ")"


def version(r):
    numbers = ".".join(r.choice("0 1 2 3 10".split()) for _ in range(r.choice([1, 2, 3, 3, 3, 3])))
    label = r.choice(["", "", "", "-alpha", "-beta.1", "-rc1", "-1", "-a.b.c", "+b"])
    return '"' + r.choice(["", "", "", "v"]) + numbers + label + '"'


def constraint(r):
    def one():
        numbers = version(r).strip('"') if r.random() < 0.7 else r.choice("x * 1.x 1.2.x 1.* 0.x 1.2.*".split())
        return r.choice(["", "=", "!=", ">", "<", ">=", "=>", "<=", "~", "~>", "^", "> "]) + numbers

    return '"' + r.choice([", ", " || "]).join(one() for _ in range(r.choice([1, 1, 2]))) + '"'


def layout(r):
    return quoted("".join(r.choice(LAYOUTS) + r.choice(["-", " ", "/", ":", "T", ""]) for _ in range(r.randint(1, 6))))


def duration(r):
    return quoted(r.choice("24h -1.5h 1h30m 1d - 0 1.5 100ms 1us 3ns 9999999h .5m 1.h 1h-1m +5s 1.123456789123s".split() + [""]))


ARGUMENTS = {
    "s": word, "v": any_value, "l": list_value, "d": dict_value, "q": key, "i": integer, "p": path, "x": pattern, "y": subject,
    "w": replacement, "u": url, "U": url_parts, "r": version, "R": constraint, "L": layout, "m": duration,
    "b": lambda r: r.choice(["true", "false"]),
    "c": lambda r: '"' + r.choice(["", ",", "-", " ", "a", ".", "_", "aa", "é"]) + '"',
    "e": lambda r: encoded(r, base64.b64encode),
    "f": lambda r: encoded(r, base64.b32encode),
    "k": lambda r: '"' + r.choice(["string", "int", "slice", "map", "[]interface {}", "map[string]interface {}", "float64"]) + '"',
    "n": lambda r: r.choice(NUMBERS),
    "t": lambda r: r.choice(DATES).replace("|", " "),
    "z": lambda r: '"' + r.choice(ZONES) + '"',
}
