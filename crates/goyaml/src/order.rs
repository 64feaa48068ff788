//! The order of keys in Go's yaml.v3: numbers as numbers, and numbers inside of text too.

use std::cmp::Ordering;

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::Value;

/// Sorts entries by key. A merge sort of our own, as overflowing numbers make Go's order contradict itself, and
/// the standard sort may panic at that.
pub(crate) fn sort<V: Copy>(entries: &mut Vec<(&Value, V)>) {
    let mut width = 1;
    while width < entries.len() {
        let mut merged = Vec::with_capacity(entries.len());
        for pair in entries.chunks(width.saturating_mul(2)) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            while let ([first_left, rest_left @ ..], [first_right, rest_right @ ..]) = (left, right) {
                if compare(first_right.0, first_left.0) == Ordering::Less {
                    merged.push(*first_right);
                    right = rest_right;
                } else {
                    merged.push(*first_left);
                    left = rest_left;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        *entries = merged;
        width = width.saturating_mul(2);
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (as_number(a), as_number(b)) {
        (Some(x), Some(y)) => x.partial_cmp(&y).unwrap_or(Ordering::Equal).then_with(|| a.cmp(b)),
        _ => match (text_of(a), text_of(b)) {
            (Some(a), Some(b)) => compare_texts(&a, &b),
            _ => rank(a).cmp(&rank(b)),
        },
    }
}

fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Int(int) => Some(*int as f64),
        Value::Uint(int) => Some(*int as f64),
        Value::Float(float) => Some(*float),
        _ => None,
    }
}

fn text_of(value: &Value) -> Option<std::borrow::Cow<'_, str>> {
    match value {
        Value::Str(text) => Some(text.as_ref().into()),
        Value::Binary(bytes) => Some(with_replacements(bytes).into()),
        _ => None,
    }
}

/// As in Go every byte that belongs to no character becomes a replacement character of its own.
fn with_replacements(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_) => 0,
        Value::Null => 1,
        Value::Map(_) => 2,
        Value::Seq(_) => 3,
        Value::Str(_) | Value::Binary(_) => 4,
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || !c.is_ascii() && c.general_category() == GeneralCategory::DecimalNumber
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || !c.is_ascii() && c.general_category_group() == GeneralCategoryGroup::Letter
}

fn compare_texts(a: &str, b: &str) -> Ordering {
    let same = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let same = (0..=same).rev().find(|at| a.is_char_boundary(*at) && b.is_char_boundary(*at)).unwrap_or(0);
    let (common, rest_a) = a.split_at(same);
    let rest_b = &b[same..];
    let (Some(x), Some(y)) = (rest_a.chars().next(), rest_b.chars().next()) else {
        return a.len().cmp(&b.len());
    };
    let after_digit = common.chars().next_back().is_some_and(is_digit);
    match (is_letter(x), is_letter(y)) {
        (true, true) => x.cmp(&y),
        (true, false) if after_digit => Ordering::Less,
        (false, true) if after_digit => Ordering::Greater,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let digits_before = || common.chars().rev().take_while(|c| is_digit(*c));
            // A zero after other digits must count as a place of the number that it belongs to.
            let significant = (x == '0' || y == '0') && digits_before().any(|c| c != '0');
            let (number_a, len_a) = leading_number(rest_a, significant);
            let (number_b, len_b) = leading_number(rest_b, significant);
            number_a.cmp(&number_b).then(len_a.cmp(&len_b)).then(x.cmp(&y))
        }
    }
}

/// The number that the text begins with, after a 1 if `significant`, and how many digits it has. Long ones wrap
/// around, as in Go.
fn leading_number(text: &str, significant: bool) -> (i64, usize) {
    text.chars().take_while(|c| is_digit(*c)).fold((i64::from(significant), 0), |(number, len), c| {
        let digit = i64::from(u32::from(c)) - i64::from(u32::from('0'));
        (number.wrapping_mul(10).wrapping_add(digit), len + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_in_go() {
        let cases: [(&[&str], &str); 6] = [
            (&["", "_a", "A", "a", "a1", "a2", "a10", "b"], "numbers in text count as numbers"),
            (&["1", "01", "2", "10"], "more zeros come later"),
            (&["1a", "1_", "10"], "after a digit letters come first"),
            (&["a-b", "a.b", "aB", "ab"], "otherwise letters come last"),
            (&["100", "109", "110"], "zeros inside of a number"),
            (&["ab", "é", "日"], "letters by code point"),
        ];
        for (want, why) in cases {
            let keys: Vec<Value> = want.iter().map(|key| Value::from(*key)).collect();
            let mut entries: Vec<(&Value, ())> = keys.iter().rev().map(|key| (key, ())).collect();
            sort(&mut entries);
            let found: Vec<&str> = entries.iter().filter_map(|(key, ())| key.as_str()).collect();
            assert_eq!(found, want, "{why}");
            for (one, other) in keys.iter().flat_map(|one| keys.iter().map(move |other| (one, other))) {
                assert_eq!(compare(one, other), compare(other, one).reverse(), "{one:?} {other:?}: {why}");
            }
        }
    }

    #[test]
    fn a_contradictory_order_does_no_harm() {
        // Go compares these in a circle, as the first number wraps around to a negative one.
        let keys = ["12345678901234567890", "-", "1a"].map(Value::from);
        let mut entries: Vec<(&Value, ())> = keys.iter().cycle().take(3000).map(|key| (key, ())).collect();
        sort(&mut entries);
        assert_eq!(entries.len(), 3000);
    }
}
