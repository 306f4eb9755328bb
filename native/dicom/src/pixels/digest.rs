//! The digest of a slice: SHA-256 of its stored pixels as little-endian 32-bit integers, row by row.
//! 32 bits whatever the format, so that a slice has one digest however its file stores it.
//!
//! Two of them come from one pass. One is published; the other, of the pixels and [`SECRET`] behind them, never is: what hides UIDs
//! is keyed with it. From the published one it cannot be computed, although SHA-256 can be continued from its value: what one gets so
//! is a digest of the pixels, SHA-256's own padding and more, and padding begins with the byte 0x80, not with a `t`.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::padding::PaddingOf;
use crate::plan::SlicePlan;

/// What follows the pixels in what the secret is the digest of.
const SECRET: &[u8] = b"tomobasis secret 1\n";

/// A function of pixels that only who has them knows: it stands in no file and no message.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(pub [u8; 32]);

impl Secret {
    /// That of a series, from those of its slices in order.
    pub fn of_series(slices: impl IntoIterator<Item = Secret>) -> Self {
        let mut digest = Sha256::new();
        slices.into_iter().for_each(|slice| digest.update(slice.0));
        Self(digest.finalize().into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Pixels widened at a time: the buffer stays in the first-level cache.
const BATCH: usize = 2048;

/// Digest of the stored pixels, which are `values` plus `offset`.
pub(crate) fn of_stored(values: &[i16], offset: i32) -> [u8; 32] {
    hashed(values, |value| (i32::from(value) + offset).to_le_bytes()).finalize().into()
}

/// Digest and secret of the stored pixels.
pub(crate) fn both_of_stored(values: &[i16], offset: i32) -> ([u8; 32], Secret) {
    let mut pieces = Pieces::default();
    pieces.add_stored(values, offset);
    pieces.finish()
}

/// Digest and secret of values that come in pieces.
#[derive(Clone, Default)]
pub(crate) struct Pieces(Sha256);

impl Pieces {
    pub fn add_stored(&mut self, values: &[i16], offset: i32) {
        hash(&mut self.0, values, |value| (i32::from(value) + offset).to_le_bytes());
    }

    pub fn add_floats(&mut self, values: &[f64]) {
        hash(&mut self.0, values, f64::to_le_bytes);
    }

    pub fn finish(self) -> ([u8; 32], Secret) {
        let secret = self.0.clone().chain_update(SECRET).finalize().into();
        (self.0.finalize().into(), Secret(secret))
    }
}

/// Digest of the entries of the slice's column, little-endian floats, in which padding is not a number: what copies are compared by.
pub(crate) fn of_entries(values: &[i16], slice: &SlicePlan, padding: PaddingOf) -> [u8; 32] {
    let entry = |value: i16| match padding.contains(value) {
        true => f64::NAN,
        // Zero has two signs.
        false => slice.slope.mul_add(f64::from(i32::from(value) + slice.offset), slice.intercept) + 0.0,
    };
    hashed(values, |value| entry(value).to_le_bytes()).finalize().into()
}

fn hashed<T: Copy, const SIZE: usize>(values: &[T], bytes_of: impl Fn(T) -> [u8; SIZE]) -> Sha256 {
    let mut digest = Sha256::new();
    hash(&mut digest, values, bytes_of);
    digest
}

fn hash<T: Copy, const SIZE: usize>(digest: &mut Sha256, values: &[T], bytes_of: impl Fn(T) -> [u8; SIZE]) {
    let mut buffer = [[0_u8; SIZE]; BATCH];
    for batch in values.chunks(BATCH) {
        for (cell, &value) in buffer.iter_mut().zip(batch) {
            *cell = bytes_of(value);
        }
        digest.update(buffer[..batch.len()].as_flattened());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_widened_stored_values() {
        let values: Vec<i16> = (0..5000).map(|i| (i * 13 - 32768) as i16).collect();
        let mut bytes: Vec<u8> = (0..5000_i32).flat_map(|i| (i * 13).to_le_bytes()).collect();
        assert_eq!(of_stored(&values, 32768), <[u8; 32]>::from(Sha256::digest(&bytes)));
        let (digest, secret) = both_of_stored(&values, 32768);
        assert_eq!(digest, of_stored(&values, 32768));
        bytes.extend(b"tomobasis secret 1\n");
        assert_eq!(secret.0, <[u8; 32]>::from(Sha256::digest(&bytes)));
        assert!(!format!("{secret:?}").contains(char::is_numeric));
    }
}
