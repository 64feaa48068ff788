//! `printf`: values by the verbs of a format.

use crate::format::Flags;
use crate::print::Printer;
use crate::{Str, Value};

/// Go's bound for widths, precisions and argument numbers.
const TOO_LARGE: usize = 1_000_000;

/// What `format` says about `arguments`; never longer than `limit` bytes.
pub(crate) fn printf(format: &Str, arguments: &[Value], limit: usize) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut state = Printf {
        format: format.as_bytes(),
        at: 0,
        arguments,
        argument: 0,
        reordered: false,
        good_index: true,
        printer: Printer::new(&mut out, limit),
    };
    state.run()?;
    Ok(out)
}

struct Printf<'a, 'o> {
    format: &'a [u8],
    at: usize,
    arguments: &'a [Value],
    /// The argument that comes next
    argument: usize,
    /// The format says itself which argument it means
    reordered: bool,
    /// The last such saying was valid
    good_index: bool,
    printer: Printer<'o>,
}

impl<'a> Printf<'a, '_> {
    fn run(&mut self) -> Result<(), String> {
        while self.at < self.format.len() {
            let rest = self.rest();
            let literal = memchr::memchr(b'%', rest).unwrap_or(rest.len());
            self.printer.out.extend_from_slice(&rest[..literal]);
            self.at += literal;
            if self.at < self.format.len() {
                self.at += 1;
                self.verb()?;
            }
            self.printer.check()?;
        }
        self.extra()
    }

    fn verb(&mut self) -> Result<(), String> {
        self.good_index = true;
        self.printer.flags = Flags::default();
        self.flags();
        let mut after_index = self.index();
        after_index = self.width(after_index);
        after_index = self.precision(after_index);
        if !after_index {
            self.index();
        }
        let Some((rune, size)) = crate::print::runes(self.rest()).next() else {
            self.printer.out.extend_from_slice(b"%!(NOVERB)");
            return Ok(());
        };
        let verb = rune.unwrap_or(char::REPLACEMENT_CHARACTER);
        self.at += size;
        let argument = self.arguments.get(self.argument);
        match (verb, argument) {
            ('%', _) => self.printer.out.push(b'%'),
            _ if !self.good_index => self.write(&format!("%!{verb}(BADINDEX)")),
            (_, None) => self.write(&format!("%!{verb}(MISSING)")),
            (_, Some(value)) => {
                let flags = &mut self.printer.flags;
                if verb == 'v' {
                    flags.sharp_v = std::mem::take(&mut flags.sharp);
                    flags.plus_v = std::mem::take(&mut flags.plus);
                }
                self.printer.argument(value, verb)?;
                self.argument += 1;
            }
        }
        Ok(())
    }

    fn flags(&mut self) {
        let flags = &mut self.printer.flags;
        while let Some(byte) = self.format.get(self.at) {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = !flags.minus,
                b'+' => flags.plus = true,
                b'-' => (flags.minus, flags.zero) = (true, false),
                b' ' => flags.space = true,
                _ => return,
            }
            self.at += 1;
        }
    }

    fn width(&mut self, after_index: bool) -> bool {
        if self.accept(b'*') {
            match self.star() {
                Some(width) => {
                    self.printer.flags.width = Some(width.unsigned_abs());
                    if width < 0 {
                        (self.printer.flags.minus, self.printer.flags.zero) = (true, false);
                    }
                }
                None => self.write("%!(BADWIDTH)"),
            }
            return false;
        }
        self.printer.flags.width = self.number();
        if after_index && self.printer.flags.width.is_some() {
            self.good_index = false;
        }
        after_index
    }

    fn precision(&mut self, after_index: bool) -> bool {
        if self.rest().len() < 2 || !self.accept(b'.') {
            return after_index;
        }
        if after_index {
            self.good_index = false;
        }
        let after_index = self.index();
        if self.accept(b'*') {
            self.printer.flags.precision = self.star().and_then(|precision| usize::try_from(precision).ok());
            if self.printer.flags.precision.is_none() {
                self.write("%!(BADPREC)");
            }
            return false;
        }
        self.printer.flags.precision = Some(self.number().unwrap_or(0));
        after_index
    }

    /// A width or precision that is the next argument.
    fn star(&mut self) -> Option<isize> {
        let value = self.arguments.get(self.argument)?;
        self.argument += 1;
        let number = match value {
            Value::Int(number) | Value::Int64(number) => isize::try_from(*number).ok(),
            Value::Int32(number) => isize::try_from(*number).ok(),
            Value::Uint8(number) => Some(isize::from(*number)),
            Value::Uint64(number) => isize::try_from(*number).ok(),
            _ => None,
        };
        number.filter(|number| number.unsigned_abs() <= TOO_LARGE)
    }

    /// An argument number in brackets; whether there was one that could be read.
    fn index(&mut self) -> bool {
        let rest = self.rest();
        if rest.first() != Some(&b'[') {
            return false;
        }
        self.reordered = true;
        let close = if rest.len() < 3 { None } else { memchr::memchr(b']', rest) };
        let Some(close) = close else {
            self.at += 1;
            self.good_index = false;
            return false;
        };
        let digits = &rest[1..close];
        self.at += close + 1;
        let number = read_number(digits).filter(|(_, length)| *length == digits.len());
        match number.map(|(number, _)| number.checked_sub(1)) {
            Some(Some(index)) if index < self.arguments.len() => {
                self.argument = index;
                true
            }
            read => {
                self.good_index = false;
                read.is_some()
            }
        }
    }

    fn number(&mut self) -> Option<usize> {
        match read_number(self.rest()) {
            Some((number, length)) => {
                self.at += length;
                Some(number)
            }
            // Too many digits use up the format.
            None if self.rest().first().is_some_and(u8::is_ascii_digit) => {
                self.at = self.format.len();
                None
            }
            None => None,
        }
    }

    /// Arguments that no verb asked for.
    fn extra(&mut self) -> Result<(), String> {
        let extra = self.arguments.get(self.argument..).unwrap_or_default();
        if self.reordered || extra.is_empty() {
            return Ok(());
        }
        self.printer.flags = Flags::default();
        self.write("%!(EXTRA ");
        for (at, value) in extra.iter().enumerate() {
            if at > 0 {
                self.write(", ");
            }
            if !matches!(value, Value::Nil) {
                self.write(value.type_name());
                self.write("=");
            }
            self.printer.argument(value, 'v')?;
        }
        self.write(")");
        Ok(())
    }

    fn write(&mut self, text: &str) {
        self.printer.out.extend_from_slice(text.as_bytes());
    }

    fn accept(&mut self, byte: u8) -> bool {
        let accepted = self.rest().first() == Some(&byte);
        self.at += usize::from(accepted);
        accepted
    }

    fn rest(&self) -> &'a [u8] {
        self.format.get(self.at..).unwrap_or_default()
    }
}

/// The number that `text` begins with, and how many digits it has; `None` also if it is too large.
fn read_number(text: &[u8]) -> Option<(usize, usize)> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut number = 0_usize;
    for digit in text.iter().take(length) {
        if number > TOO_LARGE {
            return None;
        }
        number = number * 10 + usize::from(digit - b'0');
    }
    (length > 0).then_some((number, length))
}
