//! A query in pieces.

use super::Refused;

/// A piece of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, a keyword, or an operator that is written as one: `in~`, `has_any`.
    Word(String),
    /// The text that a string literal stands for.
    Text(String),
    Number(i64),
    /// What stands between the parentheses of `datetime(…)`.
    Datetime(String),
    Symbol(&'static str),
    End,
}

/// Longer ones first.
const SYMBOLS: [&str; 15] = ["=~", "==", "!=", ">=", "<=", "|", "(", ")", "[", "]", ",", ".", "=", ">", "<"];

/// Takes a query to pieces; each with its place.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Refused> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else { break };
        let (token, length) = match first {
            '\'' | '"' => {
                literal(rest, first).ok_or_else(|| Refused::at(at, "a literal that does not end"))?
            }
            '0'..='9' => number(rest).ok_or_else(|| Refused::at(at, "a number that is none"))?,
            'a'..='z' | 'A'..='Z' | '_' => word(rest),
            _ => SYMBOLS
                .iter()
                .find(|symbol| rest.starts_with(**symbol))
                .map(|symbol| (Token::Symbol(symbol), symbol.len()))
                .ok_or_else(|| Refused::at(at, &format!("the character {first}")))?,
        };
        tokens.push((token, at));
        at += length;
    }
    tokens.push((Token::End, text.len()));
    Ok(tokens)
}

/// A name with what belongs to it, and its length.
fn word(text: &str) -> (Token, usize) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let length = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(length);
    if name == "in" && rest.starts_with('~') {
        return (Token::Word("in~".to_owned()), length + 1);
    }
    if name == "datetime"
        && let Some((inside, _)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'))
    {
        return (Token::Datetime(inside.trim().to_owned()), length + inside.len() + 2);
    }
    (Token::Word(name.to_owned()), length)
}

fn number(text: &str) -> Option<(Token, usize)> {
    let length = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    Some((Token::Number(text[..length].parse().ok()?), length))
}

/// A string literal and its length; none if it does not end on its line, or is written as no literal is.
fn literal(text: &str, quote: char) -> Option<(Token, usize)> {
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text[1..].char_indices();
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' => units.push(match rest.next()?.1 {
                'n' => u16::from(b'\n'),
                'r' => u16::from(b'\r'),
                't' => u16::from(b'\t'),
                'u' => {
                    let digits: String = rest.by_ref().take(4).map(|(_, digit)| digit).collect();
                    let is_hex = digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                    u16::from_str_radix(&digits, 16).ok().filter(|_| is_hex)?
                }
                '\\' => u16::from(b'\\'),
                '\'' => u16::from(b'\''),
                '"' => u16::from(b'"'),
                _ => return None,
            }),
            '\n' | '\r' => return None,
            c if c == quote => return Some((Token::Text(String::from_utf16(&units).ok()?), at + 2)),
            c => units.extend_from_slice(c.encode_utf16(&mut [0; 2])),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_stand_for_texts() {
        let table = [
            (r"'a'", Some("a"), "plain"),
            (r"''", Some(""), "nothing"),
            (r#""it's""#, Some("it's"), "the other quote"),
            (r"'it\'s \\'", Some(r"it's \"), "escapes"),
            (r"'\u0041\ud83d\ude00'", Some("A😀"), "UTF-16 units"),
            (r"'\ud83d'", None, "half of a pair"),
            (r"'\u+041'", None, "a sign among digits"),
            (r"'\q'", None, "an escape that there is not"),
            ("'a\nb'", None, "a line ends"),
            ("'a", None, "no end"),
        ];
        for (text, want, why) in table {
            let got = tokens(text).ok().map(|tokens| tokens[0].0.clone());
            assert_eq!(got, want.map(|want| Token::Text(want.to_owned())), "{why}: {text}");
        }
    }

    #[test]
    fn the_rest_is_words_and_symbols() {
        let word = |text: &str| Token::Word(text.to_owned());
        let table = [
            ("a_1.b", vec![word("a_1"), Token::Symbol("."), word("b")]),
            (
                "in~ ('x')",
                vec![word("in~"), Token::Symbol("("), Token::Text("x".to_owned()), Token::Symbol(")")],
            ),
            ("x=~'y'", vec![word("x"), Token::Symbol("=~"), Token::Text("y".to_owned())]),
            ("x[0]", vec![word("x"), Token::Symbol("["), Token::Number(0), Token::Symbol("]")]),
            ("datetime( 2026-01-01 )", vec![Token::Datetime("2026-01-01".to_owned())]),
        ];
        for (text, want) in table {
            let got: Vec<Token> = tokens(text).unwrap().into_iter().map(|(token, _)| token).collect();
            assert_eq!(got[..got.len() - 1], want[..], "{text}");
        }
        for text in ["a # b", "1x", "`a`", "a ~ b"] {
            assert!(tokens(text).is_err(), "{text}");
        }
    }
}
