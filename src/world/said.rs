//! What others said, as part of what we say.

use std::error;

/// What is said is cut after so many characters.
const MAX_SAID: usize = 300;

/// Outside text as one line of bounded length, without what a terminal would act on.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (at, c) in text.trim().chars().enumerate() {
        match c {
            _ if at == MAX_SAID => {
                line.push('…');
                break;
            }
            c if c.is_whitespace() => line.push(' '),
            c if c.is_control() || is_invisible(c) => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
    }
    line
}

/// The innermost reason of an error, which says most.
pub(crate) fn root(error: &(dyn error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Marks that turn the direction of text, or show nothing.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
