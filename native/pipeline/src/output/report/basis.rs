//! The basis vectors that the report's browser shows.
//!
//! Of the first ones the entries at every few pixels, as for the scan's own values, each as the float32 nearest to it: what the cursor reads
//! has the table's first seven digits. Blocks encode their own entries, vector after vector: of all numbers the lowest bytes first, then the
//! next ones, as the bytes of signs and exponents, which are much the same, are what can be compressed.

use super::volume::{MOST_BYTES, Sampling, append_piece};
use crate::{error::Result, options::ReportSize};

/// Vectors in a report at most: in a sampled one, and in a full one.
const MOST_VECTORS: usize = 20;
const MOST_VECTORS_FULL: usize = 100;
/// Numbers of weights in a sampled report at most.
const MOST_WEIGHTS: usize = 20_000;
/// Bytes of entries in a sampled report at most, besides what its volume leaves of its share.
const MOST_ENTRY_BYTES: usize = 1_000_000;

/// How many of `rank` basis vectors are in a report of this size, of `slices` weights each.
pub(crate) fn vectors(rank: usize, slices: usize, size: ReportSize) -> usize {
    match size {
        ReportSize::Sampled => rank.min(MOST_VECTORS).min(MOST_WEIGHTS / slices.max(1)).max(1),
        ReportSize::Full => rank.min(MOST_VECTORS_FULL),
    }
}

/// Which entries of this many vectors are in a report: all, or as many as fit beside so many samples of the scan and its composites.
pub(crate) fn sampling(
    (rows, columns): (usize, usize),
    vectors: usize,
    samples: usize,
    size: ReportSize,
) -> Sampling {
    let with = |step| Sampling::of_images(rows, columns, vectors, step);
    if size == ReportSize::Full {
        return with(1);
    }
    let room = MOST_ENTRY_BYTES + MOST_BYTES.saturating_sub(2 * samples);
    let fits = |step: &usize| 4 * with(*step).samples() <= room;
    let most = rows.max(columns).max(1);
    with((1..most).find(fits).unwrap_or(most))
}

/// Appends the entries of a block: those in `rows`, counted in the block, of `vectors` of its basis vectors `u`, `rank` a row.
///
/// # Errors
/// [`Error::Internal`](crate::Error::Internal) when they cannot be encoded.
pub(crate) fn append_entries(
    u: &[f64],
    rank: usize,
    (rows, vectors): (&[usize], usize),
    out: &mut Vec<u8>,
) -> Result<()> {
    let entry = |vector: usize, row: usize| u.get(row * rank + vector).copied().unwrap_or_default() as f32;
    let entries: Vec<[u8; 4]> = (0..vectors)
        .flat_map(|vector| rows.iter().map(move |&row| entry(vector, row).to_le_bytes()))
        .collect();
    let bytes: Vec<u8> =
        (0..4).flat_map(|place| entries.iter().filter_map(move |entry| entry.get(place))).copied().collect();
    append_piece(&bytes, out)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn entries_are_the_nearest_float32_vector_after_vector() {
        let u: Vec<f64> = (0..12).map(|i| (f64::from(i) - 5.3) / 7.0).collect();
        let mut out = Vec::new();
        append_entries(&u, 3, (&[0, 3], 2), &mut out).unwrap();
        let mut bytes = Vec::new();
        flate2::read::ZlibDecoder::new(&out[4..]).read_to_end(&mut bytes).unwrap();
        let found: Vec<f32> =
            (0..4).map(|i| f32::from_le_bytes([0, 1, 2, 3].map(|b| bytes[4 * b + i]))).collect();
        assert_eq!(found, [u[0] as f32, u[9] as f32, u[1] as f32, u[10] as f32]);
    }

    #[test]
    fn a_small_page_has_the_first_vectors_and_a_full_one_many() {
        let full = ReportSize::Full;
        assert_eq!((vectors(301, 301, ReportSize::Sampled), vectors(301, 301, full)), (20, 100));
        assert_eq!((vectors(7, 301, ReportSize::Sampled), vectors(7, 301, full)), (7, 7));
        assert_eq!(vectors(301, 16_000, ReportSize::Sampled), 1);
        // Beside a volume that takes all of its share, every fifth pixel of every fifth row; of a small scan all of them.
        let chest = sampling((512, 512), 20, 13_000_000, ReportSize::Sampled);
        assert_eq!((chest.step, chest.samples()), (5, 20 * 103 * 103));
        assert_eq!(sampling((120, 160), 20, 1_400_000, ReportSize::Sampled).step, 1);
        assert_eq!(sampling((512, 512), 100, 1 << 40, full).step, 1);
    }
}
