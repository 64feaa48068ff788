//! Digests, derived passwords and decryption.

use aes::Aes256;
use aes::cipher::{Array, BlockCipherDecrypt, KeyInit};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::arguments::{any, fixed, text};
use super::deep::take_steps;
use super::encoding::{CorruptInput, decode_base64};
use super::strings::slice;
use crate::{Budget, Function, Str, Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("adler32sum", &[Type::Str], |_, arguments| {
        Ok(adler32(text(arguments, 0)?.as_bytes()).to_string().into())
    }),
    fixed("decryptAES", &[Type::Str, Type::Str], |_, arguments| {
        Ok(decrypt(text(arguments, 0)?.as_bytes(), text(arguments, 1)?.as_bytes())?.into())
    }),
    fixed(
        "derivePassword",
        &[Type::Uint32, Type::Str, Type::Str, Type::Str, Type::Str],
        |budget, arguments| {
            let Value::Uint64(counter) = any(arguments, 0)? else {
                return Err("argument 1 is no unsigned integer".into());
            };
            let [kind, password, user, site] =
                [text(arguments, 1)?, text(arguments, 2)?, text(arguments, 3)?, text(arguments, 4)?];
            // Go's parameter has 32 bits, and takes the lower ones of a constant.
            Ok(derive_password(budget, *counter as u32, kind, password, user, site)?.into())
        },
    ),
    fixed("sha1sum", &[Type::Str], |_, arguments| {
        Ok(hex(&Sha1::digest(text(arguments, 0)?.as_bytes())).into())
    }),
    fixed("sha256sum", &[Type::Str], |_, arguments| {
        Ok(hex(&Sha256::digest(text(arguments, 0)?.as_bytes())).into())
    }),
];

const NEW_KEY: &str = "makes another key in every run";

pub(super) const REFUSED: &[(&str, &str)] = &[
    ("buildCustomCert", "certificates and their private keys do not belong into manifests"),
    ("encryptAES", "encrypts with another random vector in every run"),
    ("genCA", NEW_KEY),
    ("genPrivateKey", NEW_KEY),
    ("genSelfSignedCert", NEW_KEY),
    ("genSignedCert", NEW_KEY),
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65521;
    let (mut low, mut high) = (1, 0);
    for byte in bytes {
        low = (low + u32::from(*byte)) % MODULUS;
        high = (high + low) % MODULUS;
    }
    high << 16 | low
}

/// AES-256 in CBC mode; the password, cut or filled up with zeros, is the key, the first block the vector.
fn decrypt(password: &[u8], encrypted: &[u8]) -> Result<Vec<u8>, String> {
    const BLOCK: usize = 16;
    if encrypted.is_empty() {
        return Ok(Vec::new());
    }
    let mut key = [0; 32];
    let used = password.len().min(key.len());
    key[..used].copy_from_slice(&password[..used]);
    let decoded = decode_base64(encrypted)
        .map_err(|CorruptInput(at)| format!("illegal base64 data at input byte {at}"))?;
    if decoded.len() < BLOCK {
        let capacity = encrypted.len() / 4 * 3;
        return Err(format!("runtime error: slice bounds out of range [:{BLOCK}] with capacity {capacity}"));
    }
    if !decoded.len().is_multiple_of(BLOCK) {
        return Err("crypto/cipher: input not full blocks".into());
    }
    let cipher = Aes256::new(&key.into());
    let mut decrypted = Vec::with_capacity(decoded.len());
    for (block, before) in decoded[BLOCK..].chunks_exact(BLOCK).zip(decoded.chunks_exact(BLOCK)) {
        let mut block = Array::try_from(block).map_err(|error| error.to_string())?;
        cipher.decrypt_block(&mut block);
        decrypted.extend(block.iter().zip(before).map(|(byte, before)| byte ^ before));
    }
    let padding = *decrypted.last().ok_or("runtime error: index out of range [-1]")?;
    let length = decrypted.len() as i64 - i64::from(padding);
    Ok(slice(&decrypted, 0, length)?.to_vec())
}

/// What deriving one password costs: some tens of milliseconds, and 32 MiB for so long.
const DERIVATION_STEPS: usize = 20_000;

/// The Master Password algorithm, version 0.
fn derive_password(
    budget: &mut Budget,
    counter: u32,
    kind: &Str,
    password: &Str,
    user: &Str,
    site: &Str,
) -> Result<String, String> {
    const SCOPE: &[u8] = b"com.lyndir.masterpassword";
    let Some(templates) = templates(kind.as_bytes()) else {
        return Ok(format!("cannot find password template {}", kind.to_text()));
    };
    take_steps(budget, DERIVATION_STEPS)?;
    let salt = [SCOPE, &(user.len() as u32).to_be_bytes(), user.as_bytes()].concat();
    let mut key = [0; 64];
    let cost = scrypt::Params::new(15, 8, 2).map_err(|error| error.to_string())?;
    scrypt::scrypt(password.as_bytes(), &salt, &cost, &mut key).map_err(|error| error.to_string())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| error.to_string())?;
    mac.update(SCOPE);
    mac.update(&(site.len() as u32).to_be_bytes());
    mac.update(site.as_bytes());
    mac.update(&counter.to_be_bytes());
    let seed = mac.finalize().into_bytes();
    let pick = |from: &[u8], by: u8| char::from(from[usize::from(by) % from.len()]);
    let template = templates[usize::from(seed[0]) % templates.len()];
    Ok(template.bytes().zip(&seed[1..]).map(|(class, by)| pick(characters(class), *by)).collect())
}

/// The shapes of passwords of a kind, each letter a class of characters.
fn templates(kind: &[u8]) -> Option<&'static [&'static str]> {
    Some(match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => return None,
    })
}

fn characters(class: u8) -> &'static [u8] {
    match class {
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}
