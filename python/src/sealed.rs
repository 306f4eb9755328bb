//! Bytes that tell when they are damaged: a first line, the content, and the SHA-256 of both.

use serde::{Serialize, de::DeserializeOwned};
use tomobasis_pipeline::solve::digest::Digest;

use crate::failure::Failure;

/// Bytes of a digest.
const SEAL: usize = 32;

pub(crate) fn seal(magic: &[u8], content: &[u8]) -> Vec<u8> {
    let seal = Digest::of([magic, content]);
    [magic, content, &seal.0].concat()
}

/// The content of such bytes.
pub(crate) fn open<'a>(magic: &[u8], bytes: &'a [u8], what: &'static str) -> Result<&'a [u8], Failure> {
    let not = |why: &str| Failure::Argument(format!("not the bytes of {what}: {why}"));
    let rest = bytes
        .strip_prefix(magic)
        .ok_or_else(|| not("they begin otherwise; give those that this version's to_bytes made"))?;
    let damaged = || not("they are damaged or incomplete; send them again");
    let (content, seal) = rest.split_at_checked(rest.len().saturating_sub(SEAL)).ok_or_else(damaged)?;
    match Digest::of([magic, content]).0 == *seal {
        true => Ok(content),
        false => Err(damaged()),
    }
}

pub(crate) fn encode(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    rmp_serde::to_vec(value).map_err(|error| Failure::Argument(error.to_string()))
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8], what: &'static str) -> Result<T, Failure> {
    rmp_serde::from_slice(bytes)
        .map_err(|error| Failure::Argument(format!("not the bytes of {what}: {error}")))
}
