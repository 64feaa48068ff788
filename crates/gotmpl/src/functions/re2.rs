//! Go's regular expression syntax, checked and rewritten for the `regex` crate.
//!
//! Both come from RE2 and match alike; they differ in what they accept (`\<`, `[a&&b]`, `a**`, `{,2}`)
//! and in the meaning of `\d`, `\s`, `\w` and `\b`, which Go limits to ASCII.

/// Rewrites `pattern`; an error is worded as Go words it. [`group_name`] gives the names of groups back.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut parser = Parser {
        pattern,
        rest: pattern,
        output: String::with_capacity(pattern.len() + 16),
        groups: vec![Group::default()],
        last_repeat: None,
        named: 0,
    };
    parser.parse().map_err(|Error { code, at }| format!("error parsing regexp: {code}: `{at}`"))?;
    Ok(parser.output)
}

/// The name in Go's pattern of a group that is named `name` in the rewritten one.
pub(super) fn group_name(name: &str) -> Option<&str> {
    name.split_once('_').map(|(_, name)| name)
}

/// What is wrong, in Go's words, and the part of the pattern that shows it.
struct Error {
    code: &'static str,
    at: String,
}

fn error<T>(code: &'static str, at: &str) -> Result<T, Error> {
    Err(Error { code, at: at.to_owned() })
}

/// Levels of nesting after which Go gives up.
const MAX_DEPTH: usize = 1000;
/// How often a part of a pattern may repeat, all repetitions around it multiplied.
const MAX_REPEAT: u64 = 1000;

const DIGITS: &str = "0-9";
const SPACES: &str = r"\t\n\x0c\r ";
const WORDS: &str = "0-9A-Za-z_";

/// A group that is open.
#[derive(Default)]
struct Group {
    /// The largest product of nested counted repetitions in it
    repeats: u64,
    /// The same of its last element, if there is one that can be repeated
    last: Option<u64>,
}

struct Parser<'a> {
    pattern: &'a str,
    rest: &'a str,
    output: String,
    groups: Vec<Group>,
    /// Where the repetition just before began, if there was one
    last_repeat: Option<&'a str>,
    /// How many groups have a name
    named: usize,
}

impl<'a> Parser<'a> {
    fn parse(&mut self) -> Result<(), Error> {
        while let Some(rune) = self.rest.chars().next() {
            let before = self.rest;
            let repeat = match rune {
                '*' | '+' | '?' => {
                    self.advance(1);
                    self.repeat(before, None)?;
                    Some(before)
                }
                '{' => match counted(before) {
                    Some((counts, rest)) => {
                        self.rest = rest;
                        self.repeat(before, Some(counts))?;
                        Some(before)
                    }
                    None => {
                        self.literal('{');
                        self.advance(1);
                        None
                    }
                },
                _ => {
                    self.element(rune)?;
                    None
                }
            };
            self.last_repeat = repeat;
        }
        if self.groups.len() > 1 {
            return error("missing closing )", self.pattern);
        }
        Ok(())
    }

    /// Anything but a repetition.
    fn element(&mut self, rune: char) -> Result<(), Error> {
        match rune {
            '(' => return self.open(),
            ')' => {
                let Some(group) = (self.groups.len() > 1).then(|| self.groups.pop()).flatten() else {
                    return error("unexpected )", self.pattern);
                };
                self.output.push(')');
                self.advance(1);
                self.pushed(group.repeats);
            }
            '|' => {
                self.output.push('|');
                self.advance(1);
                if let Some(group) = self.groups.last_mut() {
                    group.last = None;
                }
            }
            '^' | '$' | '.' => {
                self.output.push(rune);
                self.advance(1);
                self.pushed(1);
            }
            '[' => {
                self.class()?;
                self.pushed(1);
            }
            '\\' => self.escape()?,
            _ => {
                self.literal(rune);
                self.advance(rune.len_utf8());
            }
        }
        Ok(())
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// Notes an element that a repetition may follow.
    fn pushed(&mut self, repeats: u64) {
        if let Some(group) = self.groups.last_mut() {
            group.repeats = group.repeats.max(repeats);
            group.last = Some(repeats);
        }
    }

    fn literal(&mut self, rune: char) {
        self.output.push_str(&regex::escape(rune.encode_utf8(&mut [0; 4])));
        self.pushed(1);
    }

    /// `before` is the text from the operator on, `self.rest` what follows it.
    fn repeat(&mut self, before: &'a str, counts: Option<Counts>) -> Result<(), Error> {
        let operator = &before[..before.len() - self.rest.len()];
        if let Some(Counts { min, max }) = counts
            && (min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || min > max))
        {
            return error("invalid repeat count", operator);
        }
        let lazy = self.rest.starts_with('?');
        if lazy {
            self.advance(1);
        }
        if let Some(last) = self.last_repeat {
            return error("invalid nested repetition operator", &last[..last.len() - self.rest.len()]);
        }
        let operator = &before[..before.len() - self.rest.len()];
        let Some(sub) = self.groups.last().and_then(|group| group.last) else {
            return error("missing argument to repetition operator", operator);
        };
        let times = counts.map_or(1, |Counts { min, max }| max.unwrap_or(min.max(1)));
        let repeats = sub.saturating_mul(times);
        if repeats > MAX_REPEAT && times >= 2 {
            return error("invalid repeat count", operator);
        }
        self.output.push_str(operator);
        self.pushed(repeats);
        Ok(())
    }

    fn open(&mut self) -> Result<(), Error> {
        if self.groups.len() > MAX_DEPTH {
            return error("expression nests too deeply", self.pattern);
        }
        let Some(after) = self.rest.strip_prefix("(?") else {
            self.output.push('(');
            self.advance(1);
            self.groups.push(Group::default());
            return Ok(());
        };
        if let Some(named) = after.strip_prefix("P<")
            && !named.is_empty()
        {
            let Some((name, rest)) = named.split_once('>') else {
                return error("invalid named capture", self.rest);
            };
            let capture = &self.rest[..self.rest.len() - rest.len()];
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if name.is_empty() || !name.bytes().all(is_word) {
                return error("invalid named capture", capture);
            }
            // The `regex` crate wants every name once, and no digit first.
            self.named += 1;
            self.output.push_str(&format!("(?P<g{}_{name}>", self.named));
            self.rest = rest;
            self.groups.push(Group::default());
            return Ok(());
        }
        let end = after.find(|c| !matches!(c, 'i' | 'm' | 's' | 'U' | '-'));
        let (flags, next) = end.map_or((after, None), |end| (&after[..end], after[end..].chars().next()));
        let minus = flags.find('-');
        let complete = minus.is_none_or(|at| !flags[at + 1..].is_empty() && !flags[at + 1..].contains('-'));
        let length = 2 + flags.len() + next.map_or(0, char::len_utf8);
        match next {
            Some(kind @ (':' | ')')) if complete => {
                self.flags(flags, kind);
                self.advance(length);
            }
            _ => return error("invalid or unsupported Perl syntax", &self.rest[..length]),
        }
        Ok(())
    }

    /// `(?flags)` or `(?flags:`, each flag once, as the `regex` crate wants it.
    fn flags(&mut self, flags: &str, kind: char) {
        let (on, off) = flags.split_once('-').unwrap_or((flags, ""));
        let once = |flags: &str| "imsU".chars().filter(|flag| flags.contains(*flag)).collect::<String>();
        let off = once(off);
        let on: String = once(on).chars().filter(|flag| !off.contains(*flag)).collect();
        if kind == ')' {
            // Go would repeat what stands before the flags; here `a(?i)*` is an error.
            if let Some(group) = self.groups.last_mut() {
                group.last = None;
            }
            if on.is_empty() && off.is_empty() {
                return;
            }
        }
        self.output.push_str("(?");
        self.output.push_str(&on);
        if !off.is_empty() {
            self.output.push('-');
            self.output.push_str(&off);
        }
        self.output.push(kind);
        if kind == ':' {
            self.groups.push(Group::default());
        }
    }

    fn escape(&mut self) -> Result<(), Error> {
        let after = &self.rest[1..];
        let assertion = match after.bytes().next() {
            Some(b'A') => r"\A",
            Some(b'z') => r"\z",
            Some(b'b') => r"(?-u:\b)",
            Some(b'B') => r"(?-u:\B)",
            Some(b'C') => return error("invalid escape sequence", r"\C"),
            Some(b'Q') => {
                let (literal, rest) = after[1..].split_once(r"\E").unwrap_or((&after[1..], ""));
                for rune in literal.chars() {
                    self.literal(rune);
                }
                self.rest = rest;
                return Ok(());
            }
            _ => {
                if let Some((class, rest)) = class_escape(self.rest)? {
                    self.output.push('[');
                    self.output.push_str(&class);
                    self.output.push(']');
                    self.rest = rest;
                    self.pushed(1);
                    return Ok(());
                }
                let (rune, rest) = rune_escape(self.rest)?;
                self.literal(rune);
                self.rest = rest;
                return Ok(());
            }
        };
        self.output.push_str(assertion);
        self.advance(2);
        self.pushed(1);
        Ok(())
    }

    fn class(&mut self) -> Result<(), Error> {
        let whole = self.rest;
        let mut text = &self.rest[1..];
        self.output.push('[');
        if let Some(negated) = text.strip_prefix('^') {
            text = negated;
            self.output.push('^');
        }
        let mut first = true;
        while first || !text.starts_with(']') {
            first = false;
            if let Some((class, rest)) = named_class(text)? {
                self.output.push_str(class);
                text = rest;
                continue;
            }
            if let Some((class, rest)) = class_escape(text)? {
                self.output.push_str(&class);
                text = rest;
                continue;
            }
            let start = text;
            let (low, rest) = class_rune(text, whole)?;
            let mut high = low;
            text = rest;
            if let Some(range) = text.strip_prefix('-')
                && !range.is_empty()
                && !range.starts_with(']')
            {
                (high, text) = class_rune(range, whole)?;
                if high < low {
                    return error("invalid character class range", &start[..start.len() - text.len()]);
                }
            }
            self.output.push_str(&format!(r"\x{{{:x}}}-\x{{{:x}}}", u32::from(low), u32::from(high)));
        }
        self.output.push(']');
        self.rest = &text[1..];
        Ok(())
    }
}

/// `{min,max}`; `max` is absent where there is no bound.
#[derive(Clone, Copy)]
struct Counts {
    min: u64,
    max: Option<u64>,
}

/// The counts at the begin of `text` and what follows; `None` if the brace stands for itself.
fn counted(text: &str) -> Option<(Counts, &str)> {
    let (min, rest) = number(text.strip_prefix('{')?)?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((Counts { min, max: Some(min) }, rest));
    }
    let rest = rest.strip_prefix(',')?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((Counts { min, max: None }, rest));
    }
    let (max, rest) = number(rest)?;
    Some((Counts { min, max: Some(max) }, rest.strip_prefix('}')?))
}

fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    Some((digits.parse().unwrap_or(u64::MAX), rest))
}

/// `[:alpha:]` and its like.
fn named_class(text: &str) -> Result<Option<(&'static str, &str)>, Error> {
    let Some((name, rest)) = text.strip_prefix("[:").and_then(|text| text.split_once(":]")) else {
        return Ok(None);
    };
    let class = match name {
        "alnum" => "[0-9A-Za-z]",
        "^alnum" => "[^0-9A-Za-z]",
        "alpha" => "[A-Za-z]",
        "^alpha" => "[^A-Za-z]",
        "ascii" => r"[\x00-\x7f]",
        "^ascii" => r"[^\x00-\x7f]",
        "blank" => r"[\t ]",
        "^blank" => r"[^\t ]",
        "cntrl" => r"[\x00-\x1f\x7f]",
        "^cntrl" => r"[^\x00-\x1f\x7f]",
        "digit" => "[0-9]",
        "^digit" => "[^0-9]",
        "graph" => r"[\x21-\x7e]",
        "^graph" => r"[^\x21-\x7e]",
        "lower" => "[a-z]",
        "^lower" => "[^a-z]",
        "print" => r"[\x20-\x7e]",
        "^print" => r"[^\x20-\x7e]",
        "punct" => r"[\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]",
        "^punct" => r"[^\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]",
        "space" => r"[\t\n\x0b\x0c\r ]",
        "^space" => r"[^\t\n\x0b\x0c\r ]",
        "upper" => "[A-Z]",
        "^upper" => "[^A-Z]",
        "word" => "[0-9A-Za-z_]",
        "^word" => "[^0-9A-Za-z_]",
        "xdigit" => "[0-9A-Fa-f]",
        "^xdigit" => "[^0-9A-Fa-f]",
        _ => return error("invalid character class range", &text[..text.len() - rest.len()]),
    };
    Ok(Some((class, rest)))
}

/// `\d`, `\pL` and their like, as an item of a class.
fn class_escape(text: &str) -> Result<Option<(String, &str)>, Error> {
    let Some(after) = text.strip_prefix('\\') else {
        return Ok(None);
    };
    let mut runes = after.chars();
    let class = match runes.next() {
        Some('d') => DIGITS.to_owned(),
        Some('D') => format!("[^{DIGITS}]"),
        Some('s') => SPACES.to_owned(),
        Some('S') => format!("[^{SPACES}]"),
        Some('w') => WORDS.to_owned(),
        Some('W') => format!("[^{WORDS}]"),
        Some(kind @ ('p' | 'P')) => return unicode_class(text, runes.as_str(), kind),
        _ => return Ok(None),
    };
    Ok(Some((class, runes.as_str())))
}

/// `text` begins with the escape, `after` with what follows its letter.
fn unicode_class<'a>(text: &'a str, after: &'a str, kind: char) -> Result<Option<(String, &'a str)>, Error> {
    const RANGE: &str = "invalid character class range";
    let (name, rest) = match after.chars().next() {
        None => return Ok(None),
        Some('{') => match after[1..].split_once('}') {
            Some(parts) => parts,
            None => return error(RANGE, text),
        },
        Some(rune) => after.split_at(rune.len_utf8()),
    };
    let whole = &text[..text.len() - rest.len()];
    let (negated, name) = match name.strip_prefix('^') {
        Some(name) => (kind == 'p', name),
        None => (kind == 'P', name),
    };
    let class = match name {
        "Any" => r"\x00-\x{10ffff}".to_owned(),
        _ if is_category(name) => format!(r"\p{{{name}}}"),
        _ if is_script(name) => format!(r"\p{{Script={name}}}"),
        _ => return error(RANGE, whole),
    };
    Ok(Some((if negated { format!("[^{class}]") } else { format!("[{class}]") }, rest)))
}

/// Go knows categories by their short names only.
fn is_category(name: &str) -> bool {
    const CATEGORIES: &[&str] = &[
        "C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd",
        "Nl", "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl",
        "Zp", "Zs",
    ];
    CATEGORIES.contains(&name)
}

/// Scripts have long names, spelt exactly: `Greek`, `Old_Italic`.
fn is_script(name: &str) -> bool {
    name.len() > 1
        && name.split('_').all(|part| part.starts_with(|c: char| c.is_ascii_alphabetic()))
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && regex_syntax::parse(&format!(r"\p{{Script={name}}}")).is_ok()
}

/// A rune of a class, escaped or not.
fn class_rune<'a>(text: &'a str, whole: &str) -> Result<(char, &'a str), Error> {
    if text.starts_with('\\') {
        return rune_escape(text);
    }
    let mut runes = text.chars();
    match runes.next() {
        Some(rune) => Ok((rune, runes.as_str())),
        None => error("missing closing ]", whole),
    }
}

/// An escape that stands for one rune; `text` begins with the backslash.
fn rune_escape(text: &str) -> Result<(char, &str), Error> {
    let mut runes = text[1..].chars();
    let Some(rune) = runes.next() else {
        return error("trailing backslash at end of expression", "");
    };
    let rest = runes.as_str();
    let invalid = |rest: &str| error("invalid escape sequence", &text[..text.len() - rest.len()]);
    match rune {
        'a' => Ok(('\x07', rest)),
        'f' => Ok(('\x0c', rest)),
        'n' => Ok(('\n', rest)),
        'r' => Ok(('\r', rest)),
        't' => Ok(('\t', rest)),
        'v' => Ok(('\x0b', rest)),
        '0'..='7' => {
            let more = rest.bytes().take(2).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
            if rune != '0' && more == 0 {
                return invalid(rest);
            }
            let digits = &text[1..2 + more];
            let rune = u32::from_str_radix(digits, 8).ok().and_then(char::from_u32);
            rune.map_or_else(|| invalid(rest), |rune| Ok((rune, &rest[more..])))
        }
        'x' => {
            let (digits, after) = match rest.strip_prefix('{') {
                Some(braced) => match braced.split_once('}') {
                    Some(parts) => parts,
                    None => return invalid(""),
                },
                None => match rest.char_indices().nth(1) {
                    Some((at, rune)) => rest.split_at(at + rune.len_utf8()),
                    None => return invalid(""),
                },
            };
            let hexadecimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let significant = digits.trim_start_matches('0');
            let value =
                if significant.is_empty() { Some(0) } else { u32::from_str_radix(significant, 16).ok() };
            match value.filter(|_| hexadecimal).and_then(char::from_u32) {
                Some(rune) => Ok((rune, after)),
                None => invalid(after),
            }
        }
        _ if rune.is_ascii() && !rune.is_ascii_alphanumeric() => Ok((rune, rest)),
        _ => invalid(rest),
    }
}
