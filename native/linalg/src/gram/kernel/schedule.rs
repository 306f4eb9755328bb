//! How many row pairs a kernel adds up in 32 bits, from the range of the values.
//!
//! With values in `[-a, a']` around their center, `a' <= a`, a pair of rows adds at most `2 a^2` and at least
//! `-2 a a'`. A group of `g` pairs fits into a sum less one if `g` times the first is at most `2^31` and `g`
//! times the second less than `2^31`. As `a' <= a <= 2^15`, where `a = 2^15` only with `a' = 2^15 - 1`, one pair
//! always fits.

use super::{Bytes, Kernel, ROWS, Small};

/// Row pairs of a chunk at the most: a packed chunk of a few hundred columns stays in the second-level cache.
const MAX_PAIRS: usize = 256;

/// Chunks shorter than this are slower, with one flush each, than split sums are.
const MIN_NARROW_PAIRS: usize = 24;

/// Row pairs of a chunk of bytes at the most; packed, they take twice the room.
const MAX_PAIRS_OF_BYTES: usize = 512;

/// How the 32-bit sums of a chunk are kept.
#[derive(Clone, Copy)]
pub(super) enum Sums {
    /// One sum for the whole chunk.
    Narrow,
    /// Split, in groups of four pairs.
    Fours,
    /// Split, pair by pair.
    Ones,
    /// In tiles of bytes, whatever the range.
    Bytes(Bytes),
    /// One sum for the whole chunk, of values that fit into signed bytes: 2^16 rows of them would fit.
    Small(Small),
}

/// The chunks of a block's row pairs.
pub(super) struct Schedule {
    pub sums: Sums,
    /// Pairs of a chunk.
    chunk: usize,
    /// Pairs of the block.
    pairs: usize,
}

impl Schedule {
    /// For `rows` rows (at least one) of values that reach so far below and above their center; the second is
    /// not larger than the first.
    pub fn of(kernel: &Kernel, rows: usize, reach: (i64, i64)) -> Self {
        match (kernel.small, kernel.bytes) {
            (Some(small), _) if reach.0 <= 128 && reach.1 <= 127 => Self::of_steps(rows, Sums::Small(small)),
            (_, Some(bytes)) => Self::of_steps(rows, Sums::Bytes(bytes)),
            _ => Self::of_pairs(rows, reach),
        }
    }

    /// For tiles of pairs of rows.
    fn of_pairs(rows: usize, (below, above): (i64, i64)) -> Self {
        let pairs = rows.div_ceil(2);
        let most = 2 * below * below;
        let least = 2 * below * above;
        let narrow = i64::from(i32::MAX).checked_div(most).map_or(MAX_PAIRS, |limit| limit as usize);
        let (sums, limit) = if narrow >= MIN_NARROW_PAIRS.min(pairs) {
            (Sums::Narrow, narrow.min(MAX_PAIRS))
        } else if 4 * most <= 1 << 31 && 4 * least < 1 << 31 {
            (Sums::Fours, MAX_PAIRS)
        } else {
            (Sums::Ones, MAX_PAIRS)
        };
        // Chunks of about equal length; a multiple of four wherever groups of four need it.
        let chunk = pairs.div_ceil(pairs.div_ceil(limit));
        let chunk = if matches!(sums, Sums::Fours) { chunk.next_multiple_of(4) } else { chunk };
        Self { sums, chunk, pairs }
    }

    /// For steps of 64 rows.
    fn of_steps(rows: usize, sums: Sums) -> Self {
        let pairs = rows.div_ceil(2);
        let chunk = pairs.div_ceil(pairs.div_ceil(MAX_PAIRS_OF_BYTES)).next_multiple_of(ROWS / 2);
        Self { sums, chunk, pairs }
    }

    /// First pair and size of each chunk, in packed pairs of a panel; what is beyond the block's last row counts as zeros.
    pub fn chunks(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.pairs).step_by(self.chunk).map(|first| (first, self.packed(self.pairs - first)))
    }

    /// The size of a chunk, at the most.
    pub fn size(&self) -> usize {
        self.packed(self.chunk)
    }

    fn packed(&self, pairs: usize) -> usize {
        let pairs = pairs.min(self.chunk);
        match self.sums {
            Sums::Fours => pairs.next_multiple_of(4),
            Sums::Bytes(_) => 2 * pairs.next_multiple_of(ROWS / 2),
            Sums::Small(small) => small.step * pairs.div_ceil(ROWS / 2),
            Sums::Narrow | Sums::Ones => pairs,
        }
    }

    /// Groups of a chunk of `count` pairs.
    pub fn groups(&self, count: usize) -> usize {
        match self.sums {
            Sums::Narrow | Sums::Bytes(_) | Sums::Small(_) => 1,
            Sums::Fours => count / 4,
            Sums::Ones => count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::choice::KERNELS;
    use super::*;
    use std::mem::discriminant;

    /// Largest and smallest sums of `pairs` pairs.
    fn extremes(pairs: usize, (below, above): (i64, i64)) -> (i64, i64) {
        let products = [below * below, -below * above, above * above].map(|p| 2 * pairs as i64 * p);
        (*products.iter().max().unwrap(), *products.iter().min().unwrap())
    }

    #[test]
    fn no_sum_of_a_group_leaves_32_bits() {
        let reaches = [0, 1, 2, 181, 2048, 4095, 8191, 8192, 16_383, 16_384, 16_385, 32_767, 32_768];
        let all = reaches.into_iter().flat_map(|r| [(r, r), (r, (r - 1).max(0))]);
        for reach in all.filter(|r| r.1 < 32_768) {
            for rows in [1, 2, 3, 7, 8, 500, 4096, 4097] {
                let s = Schedule::of_pairs(rows, reach);
                for (first, count) in s.chunks() {
                    let (most, least) = extremes(count / s.groups(count), reach);
                    let less = i64::from(!matches!(s.sums, Sums::Narrow));
                    assert!(
                        most - less <= i32::MAX.into() && least - less >= i32::MIN.into(),
                        "{rows} of {reach:?}"
                    );
                    assert!(s.groups(count) * 65_535 < 1 << 32 && first + count < rows.div_ceil(2) + 4);
                }
                assert!(s.chunks().map(|c| c.1).sum::<usize>() >= rows.div_ceil(2));
            }
        }
    }

    #[test]
    fn chunks_of_bytes_are_whole_steps_and_cover_all_rows() {
        for rows in [1, 63, 64, 65, 1024, 1025, 4096, 5000] {
            let bytes = Bytes { pack: |_, _| (), add: |_, _, _| () };
            let s = Schedule::of_steps(rows, Sums::Bytes(bytes));
            let chunks: Vec<_> = s.chunks().collect();
            assert!(chunks.iter().all(|c| c.1.is_multiple_of(ROWS) && c.1 <= s.size()));
            // Packed both ways, a pair takes the room of two.
            assert!(chunks.windows(2).all(|pair| pair[1].0 - pair[0].0 == pair[0].1 / 2));
            let (first, size) = chunks[chunks.len() - 1];
            assert!(2 * first < rows && rows <= 2 * first + size, "{rows}");
        }
    }

    #[test]
    fn wide_ranges_split_their_sums() {
        for (reach, sums) in [
            (2048, Sums::Narrow),
            (6000, Sums::Narrow),
            (8192, Sums::Fours),
            (16_383, Sums::Fours),
            (16_384, Sums::Ones),
            (32_767, Sums::Ones),
        ] {
            assert_eq!(
                discriminant(&Schedule::of_pairs(4096, (reach, reach)).sums),
                discriminant(&sums),
                "{reach}"
            );
        }
        assert!(matches!(Schedule::of_pairs(4096, (16_384, 16_383)).sums, Sums::Fours));
    }

    #[test]
    fn small_values_are_taken_as_such_where_a_kernel_can() {
        for kernel in KERNELS {
            for (reach, fits) in
                [((128, 127), true), ((0, 0), true), ((128, 128), false), ((129, 128), false)]
            {
                let small = matches!(Schedule::of(kernel, 100, reach).sums, Sums::Small(_));
                assert_eq!(small, fits && kernel.small.is_some(), "{} {reach:?}", kernel.name);
            }
        }
    }
}
