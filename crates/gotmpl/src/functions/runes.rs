//! Runes as Go sees them: one for each code point, U+FFFD for each byte that is no UTF-8, and case
//! mappings from one to one.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// The first rune and how many bytes it takes.
pub(super) fn first(bytes: &[u8]) -> Option<(char, usize)> {
    let head = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
    };
    match valid.chars().next() {
        Some(rune) => Some((rune, rune.len_utf8())),
        None => bytes.first().map(|_| (char::REPLACEMENT_CHARACTER, 1)),
    }
}

/// The last rune and how many bytes it takes.
pub(super) fn last(bytes: &[u8]) -> Option<(char, usize)> {
    for size in 1..=bytes.len().min(4) {
        if let Ok(text) = std::str::from_utf8(&bytes[bytes.len() - size..]) {
            return text.chars().next().map(|rune| (rune, size));
        }
    }
    bytes.last().map(|_| (char::REPLACEMENT_CHARACTER, 1))
}

/// How many runes.
pub(super) fn count(bytes: &[u8]) -> usize {
    bytes.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

/// `bytes` without the leading and trailing runes that satisfy `cut`.
pub(super) fn trim(mut bytes: &[u8], cut: impl Fn(char) -> bool) -> &[u8] {
    while let Some((rune, size)) = first(bytes) {
        if !cut(rune) {
            break;
        }
        bytes = &bytes[size..];
    }
    while let Some((rune, size)) = last(bytes) {
        if !cut(rune) {
            break;
        }
        bytes = &bytes[..bytes.len() - size];
    }
    bytes
}

/// The simple upper case mapping.
pub(super) fn to_upper(rune: char) -> char {
    match rune {
        // Rust only knows the full mappings of these, to two letters.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => shifted(rune, 8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shifted(rune, 9),
        _ => single(rune.to_uppercase(), rune),
    }
}

/// The simple lower case mapping.
pub(super) fn to_lower(rune: char) -> char {
    match rune {
        'İ' => 'i',
        _ => single(rune.to_lowercase(), rune),
    }
}

/// The simple title case mapping.
pub(super) fn to_title(rune: char) -> char {
    match rune {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        // Georgian has capitals, but no word begins with one.
        '\u{10d0}'..='\u{10fa}' | '\u{10fd}'..='\u{10ff}' => rune,
        _ => to_upper(rune),
    }
}

fn shifted(rune: char, by: u32) -> char {
    char::from_u32(u32::from(rune) + by).unwrap_or(rune)
}

/// A full mapping to several letters means that the simple one keeps the rune.
fn single(mut mapped: impl Iterator<Item = char>, rune: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => rune,
    }
}

/// Whether it is an upper case letter.
pub(super) fn is_upper(rune: char) -> bool {
    rune.general_category() == GeneralCategory::UppercaseLetter
}

/// Whether it is a lower case letter.
pub(super) fn is_lower(rune: char) -> bool {
    rune.general_category() == GeneralCategory::LowercaseLetter
}

/// Whether it is a title case letter.
pub(super) fn is_title(rune: char) -> bool {
    rune.general_category() == GeneralCategory::TitlecaseLetter
}

/// Whether it is a letter.
pub(super) fn is_letter(rune: char) -> bool {
    rune.general_category_group() == GeneralCategoryGroup::Letter
}

/// Whether it is a decimal digit.
pub(super) fn is_digit(rune: char) -> bool {
    rune.general_category() == GeneralCategory::DecimalNumber
}

/// Whether it is a number of any kind.
pub(super) fn is_number(rune: char) -> bool {
    rune.general_category_group() == GeneralCategoryGroup::Number
}

/// Whether it is punctuation.
pub(super) fn is_punctuation(rune: char) -> bool {
    rune.general_category_group() == GeneralCategoryGroup::Punctuation
}
