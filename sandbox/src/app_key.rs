//! A GitHub App's key for tests: made for them, known to everyone, good for nothing else.

use anyhow::{Result, anyhow};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::rsa::KeyPair;
use ring::signature::KeyPair as _;

/// The private key, as GitHub hands one out: PEM with PKCS#1 in it.
pub const PRIVATE_KEY: &str = include_str!("../app-key.pem");

/// The public key that [`crate::Sandbox::app`] registers for it.
pub fn public_key() -> Result<Vec<u8>> {
    let body: String = PRIVATE_KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    let key =
        KeyPair::from_der(&BASE64_STANDARD.decode(body)?).map_err(|error| anyhow!("app-key.pem: {error}"))?;
    Ok(key.public_key().as_ref().to_vec())
}
