//! Packing: from columns to panels of 16 columns with two rows per word.

use super::{PANEL, PackedPair};
use crate::Sample;
use crate::block::RowBlock;

/// Columns copied at a time: few enough that their streams and the target lines stay in the first-level
/// cache.
const GROUP: usize = 8;

/// Packs rows `row..row + 2 * target.len()` of columns `column..column + 16`, less `center`. Rows and columns
/// beyond the block become zeros, which add nothing.
pub(super) fn panel<T: Sample>(
    block: RowBlock<T>,
    column: usize,
    row: usize,
    center: i32,
    target: &mut [PackedPair],
) {
    let whole = target.len().min((block.rows() - row) / 2);
    for group in (0..PANEL).step_by(GROUP) {
        let source: [&[T]; GROUP] = std::array::from_fn(|c| {
            let j = column + group + c;
            if j < block.columns() { &block.column(j)[row..] } else { &[] }
        });
        if source.iter().all(|s| s.len() >= 2 * whole) {
            let source = source.map(|s| &s[..2 * whole]);
            for (t, pair) in target[..whole].iter_mut().enumerate() {
                for c in 0..GROUP {
                    pair[2 * (group + c)] = source[c][2 * t].centered(center);
                    pair[2 * (group + c) + 1] = source[c][2 * t + 1].centered(center);
                }
            }
        } else {
            ragged(&source, 0..whole, group, center, target);
        }
        ragged(&source, whole..target.len(), group, center, target);
    }
}

/// Any rows and columns, one value at a time.
fn ragged<T: Sample>(
    source: &[&[T]; GROUP],
    pairs: std::ops::Range<usize>,
    group: usize,
    center: i32,
    target: &mut [PackedPair],
) {
    for t in pairs {
        for (c, column) in source.iter().enumerate() {
            for half in 0..2 {
                target[t][2 * (group + c) + half] =
                    column.get(2 * t + half).map_or(0, |v| v.centered(center));
            }
        }
    }
}
