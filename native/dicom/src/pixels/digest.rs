//! The digest of a slice: SHA-256 of its stored pixels as little-endian 32-bit integers, row by row.
//! 32 bits whatever the format, so that a slice has one digest however its file stores it.

use sha2::{Digest, Sha256};

/// Pixels widened at a time: the buffer stays in the first-level cache.
const BATCH: usize = 2048;

/// Digest of the stored pixels, which are `values` plus `offset`.
pub(crate) fn of_stored(values: &[i16], offset: i32) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut buffer = [0_u8; 4 * BATCH];
    for batch in values.chunks(BATCH) {
        let (cells, _) = buffer.as_chunks_mut::<4>();
        for (cell, &value) in cells.iter_mut().zip(batch) {
            *cell = (i32::from(value) + offset).to_le_bytes();
        }
        digest.update(&buffer[..4 * batch.len()]);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_widened_stored_values() {
        let values: Vec<i16> = (0..5000).map(|i| (i * 13 - 32768) as i16).collect();
        let bytes: Vec<u8> = (0..5000_i32).flat_map(|i| (i * 13).to_le_bytes()).collect();
        assert_eq!(of_stored(&values, 32768), <[u8; 32]>::from(Sha256::digest(bytes)));
    }
}
