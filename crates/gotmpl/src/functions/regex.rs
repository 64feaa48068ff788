//! Regular expressions, with the results of Go's package `regexp`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use regex::bytes::{Captures, Match, Regex, RegexBuilder};

use super::arguments::{fixed, int, text};
use super::deep::take_steps;
use super::string_lists::PER_STRING;
use super::{re2, runes};
use crate::{Budget, Elem, Function, Str, Type, Value, format, print};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("regexFind", &[Type::Str, Type::Str], |budget, arguments| {
        let (regex, subject) = subject(budget, arguments)?;
        let found = find_all(budget, &regex, &subject, 1)?;
        Ok(found.first().map_or_else(Str::default, |found| subject.original(*found)).into())
    }),
    fixed("regexFindAll", &[Type::Str, Type::Str, Type::Int], |budget, arguments| {
        let (regex, subject) = subject(budget, arguments)?;
        let found = find_all(budget, &regex, &subject, int(arguments, 2)?)?;
        Ok(strings(found.into_iter().map(|found| subject.original(found)).collect()))
    }),
    fixed("regexMatch", &[Type::Str, Type::Str], |budget, arguments| {
        let (pattern, searched) = texts(budget, arguments)?;
        // sprig ignores the error of a pattern that does not compile.
        let Ok(regex) = compiled(pattern) else {
            return Ok(Value::Bool(false));
        };
        Ok(Value::Bool(Subject::new(budget, searched)?.find(&regex, 0).is_some()))
    }),
    fixed("regexReplaceAll", &[Type::Str, Type::Str, Type::Str], |budget, arguments| {
        let (regex, subject) = subject(budget, arguments)?;
        let template = text(arguments, 2)?.to_text();
        let replaced = replace_all(budget, &regex, &subject, |output, captures| {
            expand(&template, &regex, &subject, captures, output);
        })?;
        Ok(replaced.into())
    }),
    fixed("regexReplaceAllLiteral", &[Type::Str, Type::Str, Type::Str], |budget, arguments| {
        let (regex, subject) = subject(budget, arguments)?;
        let literal = text(arguments, 2)?.as_bytes();
        Ok(replace_all(budget, &regex, &subject, |output, _| output.extend_from_slice(literal))?.into())
    }),
    fixed("regexSplit", &[Type::Str, Type::Str, Type::Int], |budget, arguments| {
        let (regex, subject) = subject(budget, arguments)?;
        let limit = int(arguments, 2)?;
        let parts = split(budget, &regex, text(arguments, 0)?, &subject, limit)?;
        // Of no part at all Go makes a list all the same, unless none was wanted.
        Ok(if limit == 0 { Value::nil_list(Elem::Str) } else { Value::strings(parts) })
    }),
];

/// Go makes no list for no string.
fn strings(found: Vec<Str>) -> Value {
    if found.is_empty() { Value::nil_list(Elem::Str) } else { Value::strings(found) }
}

/// What a call takes besides what its texts take: compiling a pattern is more than looking at a value.
const CALL_STEPS: usize = 20;
/// How many bytes are searched in about the time of one step.
const BYTES_A_STEP: usize = 64;

/// Compiled patterns that a thread keeps; templates use the same few again and again, and a clone of a
/// `Regex` would start without its caches.
const KEPT: usize = 64;

thread_local! {
    static COMPILED: RefCell<HashMap<Str, Rc<Regex>>> = RefCell::new(HashMap::new());
}

fn compiled(pattern: &Str) -> Result<Rc<Regex>, String> {
    COMPILED.with_borrow_mut(|kept| {
        if let Some(regex) = kept.get(pattern) {
            return Ok(Rc::clone(regex));
        }
        let regex = Rc::new(compile(pattern)?);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(pattern.clone(), Rc::clone(&regex));
        Ok(regex)
    })
}

fn compile(pattern: &Str) -> Result<Regex, String> {
    let compiled = match std::str::from_utf8(pattern.as_bytes()) {
        Ok(text) => re2::translate(text)
            .and_then(|rewritten| RegexBuilder::new(&rewritten).build().map_err(|error| error.to_string())),
        Err(error) => {
            let rest = Str::from(&pattern.as_bytes()[error.valid_up_to()..]);
            Err(format!("error parsing regexp: invalid UTF-8: `{}`", rest.to_text()))
        }
    };
    compiled.map_err(|error| {
        let shown = if format::can_backquote(pattern.as_bytes()) {
            format!("`{}`", pattern.to_text())
        } else {
            print::quote(pattern).to_text().into_owned()
        };
        format!("regexp: Compile({shown}): {error}")
    })
}

/// The pattern and the text to search.
fn texts<'a>(budget: &mut Budget, arguments: &'a [Value]) -> Result<(&'a Str, &'a Str), String> {
    let (pattern, searched) = (text(arguments, 0)?, text(arguments, 1)?);
    take_steps(budget, CALL_STEPS + (pattern.len() + searched.len()) / BYTES_A_STEP)?;
    Ok((pattern, searched))
}

fn subject<'a>(budget: &mut Budget, arguments: &'a [Value]) -> Result<(Rc<Regex>, Subject<'a>), String> {
    let (pattern, searched) = texts(budget, arguments)?;
    Ok((compiled(pattern)?, Subject::new(budget, searched)?))
}

/// The text to search. Go takes a byte that is no UTF-8 for U+FFFD, the `regex` crate for nothing.
struct Subject<'a> {
    bytes: &'a [u8],
    text: Cow<'a, str>,
    /// Where the bytes of `text` come from, if it is not just `bytes`
    offsets: Vec<usize>,
}

impl<'a> Subject<'a> {
    fn new(budget: &mut Budget, original: &'a Str) -> Result<Self, String> {
        let (bytes, text) = (original.as_bytes(), original.to_text());
        let mut offsets = Vec::new();
        if matches!(text, Cow::Owned(_)) {
            budget.take(text.len().saturating_mul(1 + size_of::<usize>()))?;
            let mut offset = 0;
            while let Some((rune, size)) = runes::first(&bytes[offset..]) {
                offsets.resize(offsets.len() + rune.len_utf8(), offset);
                offset += size;
            }
            offsets.push(offset);
        }
        Ok(Subject { bytes, text, offsets })
    }

    /// The bytes of a match in `text` as they were.
    fn original(&self, (start, end): (usize, usize)) -> Str {
        let offset = |at: usize| self.offsets.get(at).copied().unwrap_or(at);
        self.bytes[offset(start)..offset(end)].into()
    }

    /// The width of the rune at `at`, 0 at the end.
    fn width(&self, at: usize) -> usize {
        self.text[at..].chars().next().map_or(0, char::len_utf8)
    }

    fn find(&self, regex: &Regex, from: usize) -> Option<Match<'_>> {
        self.first(from, |from| regex.find_at(self.text.as_bytes(), from), Match::start)
    }

    fn captures(&self, regex: &Regex, from: usize) -> Option<Captures<'_>> {
        let search = |from| regex.captures_at(self.text.as_bytes(), from);
        self.first(from, search, |captures| captures.get_match().start())
    }

    /// What `search` finds first at or after `from`; a match amid a rune is none.
    fn first<T>(
        &self,
        mut from: usize,
        search: impl Fn(usize) -> Option<T>,
        start: impl Fn(&T) -> usize,
    ) -> Option<T> {
        loop {
            let found = search(from)?;
            let start = start(&found);
            if self.text.is_char_boundary(start) {
                return Some(found);
            }
            from = (start..=self.text.len()).find(|at| self.text.is_char_boundary(*at))?;
        }
    }
}

/// At most `limit` matches, all if it is negative; an empty one right after another does not count.
fn find_all(
    budget: &mut Budget,
    regex: &Regex,
    subject: &Subject,
    limit: i64,
) -> Result<Vec<(usize, usize)>, String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    let mut previous_end = None;
    let mut at = 0;
    while found.len() < limit && at <= subject.text.len() {
        let Some(next) = subject.find(regex, at) else {
            break;
        };
        let range = next.range();
        let adjacent = range.end == at && previous_end == Some(range.start);
        at = if range.end == at { at + subject.width(at).max(1) } else { range.end };
        previous_end = Some(range.end);
        if !adjacent {
            budget.take(PER_STRING + range.len())?;
            found.push((range.start, range.end));
        }
    }
    Ok(found)
}

fn replace_all(
    budget: &mut Budget,
    regex: &Regex,
    subject: &Subject,
    mut replace: impl FnMut(&mut Vec<u8>, &Captures),
) -> Result<Vec<u8>, String> {
    budget.take(subject.bytes.len())?;
    let mut output = Vec::with_capacity(subject.bytes.len());
    let mut end = 0;
    let mut at = 0;
    while at <= subject.text.len() {
        let Some(captures) = subject.captures(regex, at) else {
            break;
        };
        let range = captures.get_match().range();
        output.extend_from_slice(subject.original((end, range.start)).as_bytes());
        if range.end > end || range.start == 0 {
            let before = output.len();
            replace(&mut output, &captures);
            budget.take(output.len() - before)?;
        }
        end = range.end;
        at = (at + subject.width(at).max(1)).max(range.end);
    }
    output.extend_from_slice(subject.original((end, subject.text.len())).as_bytes());
    Ok(output)
}

fn split(
    budget: &mut Budget,
    regex: &Regex,
    pattern: &Str,
    subject: &Subject,
    limit: i64,
) -> Result<Vec<Str>, String> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    if !pattern.is_empty() && subject.text.is_empty() {
        return Ok(vec![Str::default()]);
    }
    budget.take(subject.bytes.len())?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for (start, stop) in find_all(budget, regex, subject, limit)? {
        if parts.len() + 1 == most {
            break;
        }
        end = start;
        if stop != 0 {
            parts.push(subject.original((begin, end)));
        }
        begin = stop;
    }
    if end != subject.text.len() {
        parts.push(subject.original((begin, subject.text.len())));
    }
    Ok(parts)
}

/// Writes `template` with `$1`, `$name` and `${name}` replaced, `$$` as `$`.
fn expand(template: &str, regex: &Regex, subject: &Subject, captures: &Captures, output: &mut Vec<u8>) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        output.extend_from_slice(before.as_bytes());
        if let Some(after) = after.strip_prefix('$') {
            output.push(b'$');
            rest = after;
            continue;
        }
        let Some((name, after)) = reference(after) else {
            output.push(b'$');
            rest = after;
            continue;
        };
        rest = after;
        let group = match group_number(name) {
            Some(number) => captures.get(number),
            // Of several groups of one name, Go takes the first that matched.
            None => regex
                .capture_names()
                .enumerate()
                .filter(|(_, group)| group.and_then(re2::group_name) == Some(name))
                .find_map(|(number, _)| captures.get(number)),
        };
        if let Some(group) = group {
            output.extend_from_slice(subject.original((group.start(), group.end())).as_bytes());
        }
    }
    output.extend_from_slice(rest.as_bytes());
}

/// The name after a `$`, and what follows it.
fn reference(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let text = braced.unwrap_or(text);
    let in_name = |c: char| c == '_' || runes::is_letter(c) || runes::is_digit(c);
    let end = text.find(|c| !in_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = if braced.is_some() { rest.strip_prefix('}')? } else { rest };
    (!name.is_empty()).then_some((name, rest))
}

fn group_number(name: &str) -> Option<usize> {
    let plain = name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    plain.then(|| name.parse().unwrap_or(usize::MAX))
}
