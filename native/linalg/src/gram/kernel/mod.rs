//! Integer products of the columns of a block, by the widest instructions that the CPU has.
//!
//! The values are centered first: with `c` the middle of the block's range, `|x - c|` is as small as can be
//! (at most 2048 for 12-bit CT), so 32-bit sums last longest before they must be flushed into 64 bits. The
//! exact result does not depend on `c`: `x y = (x-c)(y-c) + c x + c y - c^2`.
//!
//! Columns are packed in panels of 16; one packed word holds two consecutive rows of one column, which is
//! what the multiply-add instructions (`vpmaddwd`, `vpdpwssd`) take. A kernel computes a tile of a few
//! columns x 16 columns over a chunk of row pairs, in one of two ways, which [`schedule`]
//! chooses by the range of the values:
//!
//! * *narrow*: one 32-bit sum holds the whole chunk;
//! * *split*: sums of 4 pairs (15-bit values) or of 1 pair (16-bit values) are all that 32 bits hold. Each
//!   such sum `g` is added twice: to a 32-bit sum that wraps, `low = sum g mod 2^32`, and by its upper half,
//!   `high = sum floor(g / 2^16)`. As `sum g - 2^16 high` lies in `[0, 2^16 groups)`, the two determine the
//!   sum. It costs two or three more instructions per group, where a flush per group would cost ten times as
//!   much.
//!
//! Where there are instructions for tiles of bytes ([`amx`]), panels are packed for these instead, 64 rows at a time, and
//! the range of the values does not matter. Values that fit into signed bytes once they are centered are packed as such
//! wherever there are instructions for products of these.
//!
//! Products are stored tile by tile, 16 columns by 16, so that a tile's 64-bit sums are neighbors in memory:
//! [`position`].
//!
//! Every kernel returns the same integers.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod choice;
mod layout;
#[cfg(target_arch = "aarch64")]
mod neon;
mod operand;
mod pack;
mod portable;
mod schedule;
mod small;
mod tiles;

pub(super) use choice::chosen;
pub(crate) use choice::{check_forced, kernel_name};
pub(super) use layout::{position, size};
pub(super) use operand::{Operand, Summary};
pub(super) use small::PackedBytes;
pub(super) use tiles::{Room, Threads, add_gram, add_sums};

/// Columns of a panel.
pub(super) const PANEL: usize = 16;

/// Two consecutive rows of 16 columns, interleaved: `[x0 x0', x1 x1', ..]`.
type PackedPair = [i16; 2 * PANEL];

/// 32-bit sums for one column and the columns of a panel.
type Row = [i32; PANEL];

/// Rows of the tallest tile.
const MAX_HEIGHT: usize = PANEL;

/// `tile[q][c] = sum` over pairs of column `lane + q` of `a` times column `c` of `b`. Both panels have the
/// same number of pairs.
type Narrow = unsafe fn(a: &[PackedPair], lane: usize, b: &[PackedPair], tile: &mut [Row]);

/// The same in groups of pairs, each group's sum less one: `low` is their sum modulo 2^32, `high` that of
/// their upper halves. The number of pairs is a multiple of the group's.
///
/// Less one, because the largest sum of a group is 2^31 and the smallest larger than -2^31 (see
/// [`schedule`]).
type Split = unsafe fn(a: &[PackedPair], lane: usize, b: &[PackedPair], low: &mut [Row], high: &mut [Row]);

/// Rows that are packed together in bytes.
pub(super) const ROWS: usize = 64;

/// Products of bytes.
#[derive(Clone, Copy)]
struct Bytes {
    /// Packs 64 rows of the columns of a panel into 64 words of the size of packed pairs.
    pack: unsafe fn(columns: &[[i16; ROWS]; PANEL], target: &mut [PackedPair]),
    /// Adds the products of each panel of `a` with that in `b`, of the same number of rows, to the tiles of `target`, one
    /// panel after the other.
    add: unsafe fn(a: &[PackedPair], b: &[PackedPair], target: &mut [i64]),
}

/// Two packed panels.
type Panels<'a> = [&'a [PackedPair]; 2];

/// 32-bit sums of a tile.
type SmallTile = [i32; PANEL * PANEL];

/// Adds the products of both panels of `a` with both of `b` to tiles: 00, 01, 10, 11.
type Multiply = unsafe fn(a: Panels, b: Panels, tiles: [&mut SmallTile; 4]);

/// Products of values that fit into signed bytes.
#[derive(Clone, Copy)]
struct Small {
    /// Words of the size of packed pairs that 64 rows of a panel are packed into.
    step: usize,
    /// Packs them.
    pack: unsafe fn(columns: &[[i8; ROWS]; PANEL], target: &mut [PackedPair]),
    /// To be called on the same thread before and after some multiplications.
    begin: unsafe fn(),
    end: unsafe fn(),
    multiply: Multiply,
}

/// One implementation of the tiles.
pub(super) struct Kernel {
    /// Name, as logged and as the environment variable takes it.
    pub name: &'static str,
    /// Rows of a narrow and of a split tile; divisors of [`PANEL`].
    heights: (usize, usize),
    /// Safety of these: to be called only on a CPU for which `available` returned true.
    narrow: Narrow,
    /// In groups of four pairs.
    fours: Split,
    /// Pair by pair.
    ones: Split,
    /// Instead of these.
    bytes: Option<Bytes>,
    /// Instead of all of them, where the values are small.
    small: Option<Small>,
    available: fn() -> bool,
}

impl Kernel {
    /// Whether it has products of bytes ([`PackedBytes`]).
    pub fn has_bytes(&self) -> bool {
        self.small.is_some()
    }
}

/// The panel that column `j` is in.
pub(super) fn panel(j: usize) -> usize {
    j / PANEL
}

#[cfg(test)]
mod tests;
