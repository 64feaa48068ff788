//! Base64 and base32, with Go's answers to what cannot be decoded.

use super::arguments::{fixed, text};
use crate::{Function, Str, Type};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("b64enc", &[Type::Str], |budget, arguments| {
        let input = text(arguments, 0)?.as_bytes();
        budget.take(input.len() / 3 * 4)?;
        Ok(base64(input).into())
    }),
    fixed("b64dec", &[Type::Str], |_, arguments| {
        Ok(decoded("base64", decode_base64(text(arguments, 0)?.as_bytes())).into())
    }),
    fixed("b32enc", &[Type::Str], |budget, arguments| {
        let input = text(arguments, 0)?.as_bytes();
        budget.take(input.len() / 5 * 8)?;
        Ok(encode(input, 5, BASE32).into())
    }),
    fixed("b32dec", &[Type::Str], |_, arguments| {
        Ok(decoded("base32", decode_base32(text(arguments, 0)?.as_bytes())).into())
    }),
];

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The first byte of an input that is no such encoding.
#[derive(Debug, PartialEq)]
pub(super) struct CorruptInput(pub(super) usize);

/// sprig gives the error's text in place of what was decoded.
fn decoded(encoding: &str, result: Result<Vec<u8>, CorruptInput>) -> Str {
    match result {
        Ok(bytes) => bytes.into(),
        Err(CorruptInput(at)) => format!("illegal {encoding} data at input byte {at}").into(),
    }
}

/// Standard base64.
pub(super) fn base64(input: &[u8]) -> Vec<u8> {
    encode(input, 6, BASE64)
}

/// Digits of `bits` bits each, padded with `=` to whole groups of bytes.
fn encode(input: &[u8], bits: usize, alphabet: &[u8]) -> Vec<u8> {
    let (bytes, digits) = if bits == 6 { (3, 4) } else { (5, 8) };
    let mut output = Vec::with_capacity(input.len().div_ceil(bytes) * digits);
    for group in input.chunks(bytes) {
        let value = group.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        let value = value << (8 * (bytes - group.len()));
        let used = (group.len() * 8).div_ceil(bits);
        for digit in 0..digits {
            let index = value >> (bits * (digits - 1 - digit)) & ((1 << bits) - 1);
            output.push(if digit < used { alphabet[index as usize] } else { b'=' });
        }
    }
    output
}

fn digit(alphabet: &[u8], byte: u8) -> Option<u64> {
    alphabet.iter().position(|digit| *digit == byte).map(|index| index as u64)
}

/// Appends the whole bytes that `digits` hold.
fn push_bytes(output: &mut Vec<u8>, digits: &[u64], bits: usize) {
    let value = digits.iter().fold(0u64, |value, digit| value << bits | digit);
    let total = digits.len() * bits;
    for byte in 1..=total / 8 {
        output.push((value >> (total - 8 * byte)) as u8);
    }
}

/// Standard base64; line breaks are skipped, bits that are left over are ignored.
pub(super) fn decode_base64(input: &[u8]) -> Result<Vec<u8>, CorruptInput> {
    let is_break = |at: usize| matches!(input.get(at), Some(b'\r' | b'\n'));
    let mut output = Vec::with_capacity(input.len() / 4 * 3);
    let mut group = Vec::with_capacity(4);
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        at += 1;
        if let Some(digit) = digit(BASE64, byte) {
            group.push(digit);
            if group.len() == 4 {
                push_bytes(&mut output, &group, 6);
                group.clear();
            }
            continue;
        }
        if is_break(at - 1) {
            continue;
        }
        if byte != b'=' || group.len() < 2 {
            return Err(CorruptInput(at - 1));
        }
        if group.len() == 2 {
            while is_break(at) {
                at += 1;
            }
            match input.get(at) {
                None => return Err(CorruptInput(input.len())),
                Some(b'=') => at += 1,
                Some(_) => return Err(CorruptInput(at - 1)),
            }
        }
        while is_break(at) {
            at += 1;
        }
        if at < input.len() {
            return Err(CorruptInput(at));
        }
        push_bytes(&mut output, &group, 6);
        return Ok(output);
    }
    if group.is_empty() { Ok(output) } else { Err(CorruptInput(input.len() - group.len())) }
}

/// Standard base32; line breaks are skipped and, in the error, not counted.
fn decode_base32(input: &[u8]) -> Result<Vec<u8>, CorruptInput> {
    let input: Vec<u8> = input.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let mut output = Vec::with_capacity(input.len() / 8 * 5);
    let mut group = Vec::with_capacity(8);
    for (at, &byte) in input.iter().enumerate() {
        let after = &input[at + 1..];
        if byte == b'=' && group.len() >= 2 && after.len() < 8 {
            let missing = 7 - group.len();
            if after.len() < missing {
                return Err(CorruptInput(input.len()));
            }
            if let Some(wrong) = after[..missing].iter().position(|byte| *byte != b'=') {
                return Err(CorruptInput(at + wrong));
            }
            if matches!(group.len(), 3 | 6) {
                return Err(CorruptInput(at));
            }
            push_bytes(&mut output, &group, 5);
            return Ok(output);
        }
        group.push(digit(BASE32, byte).ok_or(CorruptInput(at))?);
        if group.len() == 8 {
            push_bytes(&mut output, &group, 5);
            group.clear();
        }
    }
    if group.is_empty() { Ok(output) } else { Err(CorruptInput(input.len() - group.len())) }
}
