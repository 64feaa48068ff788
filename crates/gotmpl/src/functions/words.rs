//! Functions that change the case of words, or how words are joined.

use super::arguments::{fixed, text};
use super::runes::{
    self, is_digit, is_letter, is_lower, is_number, is_punctuation, is_title, is_upper, to_lower, to_title,
    to_upper,
};
use crate::{Function, Str, Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("camelcase", &[Type::Str], |_, arguments| with_text(arguments, camel)),
    fixed("initials", &[Type::Str], |_, arguments| Ok(initials(text(arguments, 0)?).into())),
    fixed("kebabcase", &[Type::Str], |_, arguments| Ok(lower_words(text(arguments, 0)?, '-').into())),
    fixed("lower", &[Type::Str], |_, arguments| with_text(arguments, |text| mapped(text, to_lower))),
    fixed("snakecase", &[Type::Str], |_, arguments| Ok(lower_words(text(arguments, 0)?, '_').into())),
    fixed("swapcase", &[Type::Str], |_, arguments| with_text(arguments, swap_case)),
    fixed("title", &[Type::Str], |_, arguments| with_text(arguments, title)),
    fixed("untitle", &[Type::Str], |_, arguments| with_text(arguments, untitle)),
    fixed("upper", &[Type::Str], |_, arguments| with_text(arguments, |text| mapped(text, to_upper))),
];

fn with_text(arguments: &[Value], change: impl Fn(&str) -> String) -> Result<Value, String> {
    Ok(change(&text(arguments, 0)?.to_text()).into())
}

fn mapped(text: &str, map: fn(char) -> char) -> String {
    text.chars().map(map).collect()
}

/// Every letter that does not follow a letter, a digit or `_` becomes its title case.
fn title(text: &str) -> String {
    let mut previous = ' ';
    text.chars()
        .map(|rune| {
            let begins = separates(previous);
            previous = rune;
            if begins { to_title(rune) } else { rune }
        })
        .collect()
}

fn separates(rune: char) -> bool {
    if rune.is_ascii() {
        !rune.is_ascii_alphanumeric() && rune != '_'
    } else {
        !is_letter(rune) && !is_digit(rune) && rune.is_whitespace()
    }
}

/// The first rune of every word becomes lower case; space separates words.
fn untitle(text: &str) -> String {
    let mut begins = true;
    text.chars()
        .map(|rune| {
            if rune.is_whitespace() {
                begins = true;
                rune
            } else if std::mem::take(&mut begins) {
                to_lower(rune)
            } else {
                rune
            }
        })
        .collect()
}

/// The first byte, not the first rune, of every word, each taken as a code point.
fn initials(text: &Str) -> String {
    let mut begins = true;
    let mut letters = String::new();
    for byte in text.as_bytes() {
        let rune = char::from(*byte);
        if rune.is_whitespace() {
            begins = true;
        } else if std::mem::take(&mut begins) {
            letters.push(rune);
        }
    }
    letters
}

/// Upper and title case become lower case, lower case becomes upper, or title case at the begin of a word.
fn swap_case(text: &str) -> String {
    let mut begins = true;
    text.chars()
        .map(|rune| {
            if is_upper(rune) || is_title(rune) {
                begins = false;
                to_lower(rune)
            } else if is_lower(rune) {
                if std::mem::take(&mut begins) { to_title(rune) } else { to_upper(rune) }
            } else {
                begins = rune.is_whitespace();
                rune
            }
        })
        .collect()
}

fn connects(rune: char) -> bool {
    rune == '-' || rune == '_' || rune.is_whitespace()
}

/// `some_words` to `SomeWords`; connectors at the begin, and all but one of several in a row, stay.
fn camel(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    let words = text.trim_start_matches(connects);
    let mut runes = words.chars();
    let Some(first) = runes.next() else {
        // A text of connectors only: its last one is written twice.
        output.push_str(text);
        output.extend(text.chars().next_back());
        return output;
    };
    output.push_str(&text[..text.len() - words.len()]);
    let mut pending = to_upper(first);
    for rune in runes {
        let previous = pending;
        if connects(previous) {
            if connects(rune) {
                output.push(previous);
                pending = rune;
            } else {
                pending = to_upper(rune);
            }
        } else {
            output.push(previous);
            pending = to_lower(rune);
        }
    }
    output.push(pending);
    output
}

/// A rune and the bytes that it was read from.
#[derive(Clone, Copy)]
struct Rune<'a> {
    rune: char,
    bytes: &'a [u8],
}

#[derive(Clone, Copy, PartialEq)]
enum Word {
    None,
    Number,
    Upper,
    Letters,
    Connector,
    Punctuation,
    Other,
}

/// `HTTPServer` to `http_server`: words are found by changes of case, numbers belong to the letters near.
fn lower_words(text: &Str, connector: char) -> Vec<u8> {
    let mut runes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((rune, size)) = runes::first(rest) {
        runes.push(Rune { rune, bytes: &rest[..size] });
        rest = &rest[size..];
    }
    let mut words = Words(&runes);
    let mut output = Vec::with_capacity(text.len() + text.len() / 4);
    let (mut kind, mut word) = words.next();
    while !words.0.is_empty() {
        if kind != Word::Connector {
            push_lower(&mut output, kind, word, connector);
        }
        let (before, last) = (kind, word);
        (kind, word) = words.next();
        match before {
            Word::Connector => push_lower(&mut output, before, last, connector),
            Word::Punctuation => {}
            Word::Number => {
                (kind, word) = words.finish_number(&mut output, kind, word, connector);
                if kind != Word::None && kind != Word::Punctuation && kind != Word::Connector {
                    push(&mut output, connector);
                }
            }
            _ if kind != Word::Number => {
                if kind != Word::Connector && kind != Word::Punctuation {
                    push(&mut output, connector);
                }
            }
            _ if words.0.is_empty() => {}
            _ => {
                let number = word;
                (kind, word) = words.next();
                if kind == Word::Letters {
                    push(&mut output, connector);
                    push_lower(&mut output, Word::Number, number, connector);
                    (kind, word) = words.finish_number(&mut output, kind, word, connector);
                    if kind != Word::None && kind != Word::Punctuation && kind != Word::Connector {
                        push(&mut output, connector);
                    }
                } else {
                    push_lower(&mut output, Word::Number, number, connector);
                    if kind != Word::Connector && kind != Word::Punctuation {
                        push(&mut output, connector);
                    }
                }
            }
        }
    }
    push_lower(&mut output, kind, word, connector);
    output
}

fn push(output: &mut Vec<u8>, rune: char) {
    output.extend_from_slice(rune.encode_utf8(&mut [0; 4]).as_bytes());
}

fn push_lower(output: &mut Vec<u8>, kind: Word, word: &[Rune], connector: char) {
    for Rune { rune, bytes } in word {
        match kind {
            Word::Upper | Word::Connector if connects(*rune) => push(output, connector),
            Word::Upper | Word::Connector if is_upper(*rune) => push(output, to_lower(*rune)),
            Word::Upper | Word::Connector => push(output, *rune),
            _ => output.extend_from_slice(bytes),
        }
    }
}

/// What of a text has not been cut into words yet.
struct Words<'a>(&'a [Rune<'a>]);

impl<'a> Words<'a> {
    fn next(&mut self) -> (Word, &'a [Rune<'a>]) {
        let (kind, length) = first_word(self.0);
        let (word, rest) = self.0.split_at(length);
        self.0 = rest;
        (kind, word)
    }

    /// Writes the letters and numbers that directly follow a number, and gives the word after them.
    fn finish_number(
        &mut self,
        output: &mut Vec<u8>,
        mut kind: Word,
        mut word: &'a [Rune<'a>],
        connector: char,
    ) -> (Word, &'a [Rune<'a>]) {
        while kind == Word::Letters || kind == Word::Number {
            push_lower(output, kind, word, connector);
            (kind, word) = self.next();
        }
        (kind, word)
    }
}

fn first_word(runes: &[Rune]) -> (Word, usize) {
    let (first, end) = next_valid(runes, char::REPLACEMENT_CHARACTER);
    if first == char::REPLACEMENT_CHARACTER {
        return (Word::None, end);
    }
    if connects(first) {
        return (Word::Connector, run(runes, end, first, connects));
    }
    if is_punctuation(first) {
        return (Word::Punctuation, run(runes, end, first, is_punctuation));
    }
    if is_upper(first) {
        return (Word::Upper, upper_word(runes, end, first));
    }
    if is_alphabetic(first) {
        return (Word::Letters, run(runes, end, first, is_lower_letter));
    }
    if is_number(first) {
        return (Word::Number, run(runes, end, first, is_number));
    }
    let is_other =
        |rune| !connects(rune) && !is_alphabetic(rune) && !is_number(rune) && !is_punctuation(rune);
    (Word::Other, run(runes, end, first, is_other))
}

/// `Word`, or `HTTP` without the capital that begins the next word.
fn upper_word(runes: &[Rune], mut end: usize, first: char) -> usize {
    if end == runes.len() {
        return end;
    }
    let (mut rune, mut size) = next_valid(&runes[end..], first);
    if !is_upper(rune) {
        return if is_alphabetic(rune) { run(runes, end + size, rune, is_lower_letter) } else { end };
    }
    let mut last = size;
    end += size;
    while end < runes.len() {
        (rune, size) = next_valid(&runes[end..], rune);
        if !is_upper(rune) {
            return if is_alphabetic(rune) { end - last } else { end };
        }
        last = size;
        end += size;
    }
    end
}

/// Where the run of runes that satisfy `belongs` ends.
fn run(runes: &[Rune], mut end: usize, mut previous: char, belongs: impl Fn(char) -> bool) -> usize {
    while end < runes.len() {
        let (rune, size) = next_valid(&runes[end..], previous);
        if !belongs(rune) {
            break;
        }
        end += size;
        previous = rune;
    }
    end
}

/// The first rune that is not U+FFFD, and how many were passed; `previous` if there is none.
fn next_valid(runes: &[Rune], previous: char) -> (char, usize) {
    match runes.iter().position(|rune| rune.rune != char::REPLACEMENT_CHARACTER) {
        Some(at) => (runes[at].rune, at + 1),
        None => (previous, runes.len()),
    }
}

/// Letters, but not ideographs.
fn is_alphabetic(rune: char) -> bool {
    is_letter(rune)
        && !matches!(rune, '\u{3400}'..='\u{4d85}' | '\u{4e00}'..='\u{9fcc}' | '\u{20000}'..='\u{2b81d}')
}

fn is_lower_letter(rune: char) -> bool {
    is_alphabetic(rune) && !is_upper(rune)
}
