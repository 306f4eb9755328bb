//! Steps 5 and 6: how far vectors are off, and the rounding of their entries.

use super::cells::Cell;
use super::{Check, NEAR, Proven, basis, degenerate_units, round};
use crate::COMPENSATE;
use crate::certified::wide::Wide;
use crate::rounding::{nearest_signed, pow2};
use num_bigint::{BigInt, Sign};

impl<const W: usize> Check<'_, W> {
    /// Steps 5 and 6 for one cell; None where the digits do not suffice.
    pub(super) fn columns(&self, at: usize, largest: f64) -> Option<Vec<Proven>> {
        let cell = &self.cells[at];
        let s = self.singular_value(at)?;
        let gap = self.gap(at)?;
        let compensated = largest > COMPENSATE * s;
        let f = self.candidates.vector_bits();
        let value_bits = self.candidates.value_bits();
        let as_f64 = |value: &BigInt, bits: u32| nearest_signed(value, -i64::from(bits));
        let relative = as_f64(&cell.radius, value_bits) / as_f64(&cell.low, value_bits);
        // Step 5: the vectors, n entries each, and how far each is off at most.
        let (vectors, error, gap) = match cell.members.as_slice() {
            [j] => {
                let error = angle_bound(&cell.radius, &gap, f) + &cell.defect;
                let top = as_f64(&self.cells[0].low, value_bits);
                (vec![self.candidates.x(*j).to_vec()], error, as_f64(&gap, value_bits) / top)
            }
            members => {
                // Proven to be equal: no two adjacent values differ by as much as `DEGENERATE`.
                let degenerate = degenerate_units(value_bits);
                let equal = |pair: &[usize]| {
                    let apart = self.candidates.value(pair[0]).sub(self.candidates.value(pair[1]));
                    apart.to_big() + 2 * &cell.radius < degenerate
                };
                if !members.windows(2).all(equal) {
                    return None;
                }
                let big = |&j: &usize| self.candidates.x(j).iter().map(|x| x.to_big()).collect();
                let vectors: Vec<Vec<BigInt>> = members.iter().map(big).collect();
                let (basis, error) = basis::canonical(&vectors, &angle_bound(&cell.radius, &gap, f), f)?;
                (basis.iter().map(|x| x.iter().map(Wide::from_big).collect()).collect(), error, 0.0)
            }
        };
        let bound = as_f64(&error, f);
        if bound > pow2(-66) {
            return None;
        }
        // Step 6: every entry of every column rounds one way only, or the cell is not proven.
        let error = Wide::<W>::from_big(&error);
        let column = |x: &Vec<Wide<W>>| {
            let indexed = || x.iter().copied().enumerate();
            let v: Vec<f64> = indexed().map(|(i, x)| self.entry(cell, i, x, error)).collect::<Option<_>>()?;
            let low = |((i, x), &v): ((usize, Wide<W>), &f64)| self.low_entry(cell, i, x, v, error);
            let v_low =
                if compensated { Some(indexed().zip(&v).map(low).collect::<Option<_>>()?) } else { None };
            Some(Proven { s, v, v_low, bound, s_squared_bound: relative, gap })
        };
        vectors.iter().map(column).collect()
    }

    /// Entry `i` of the cell's vector, rounded.
    fn entry(&self, cell: &Cell, i: usize, x: Wide<W>, error: Wide<W>) -> Option<f64> {
        let f = self.candidates.vector_bits();
        round::entry(x, error, f).or_else(|| {
            let midpoint = round::entry_midpoint(x, error, f)?;
            self.is_entry(cell, i, midpoint, error)?.then(|| round::entry(midpoint, Wide::ZERO, f))?
        })
    }

    /// The second word of entry `i`, whose first is `v`, rounded.
    fn low_entry(&self, cell: &Cell, i: usize, x: Wide<W>, v: f64, error: Wide<W>) -> Option<f64> {
        let f = self.candidates.vector_bits();
        round::low_entry(x, v, error, f).or_else(|| {
            let midpoint = round::low_midpoint(x, v, error, f)?;
            self.is_entry(cell, i, midpoint, error)?.then(|| round::low_entry(midpoint, v, Wide::ZERO, f))?
        })
    }

    /// Whether entry `i` of the vector of a simple eigenvalue is exactly the number that the digits do not tell it from.
    fn is_entry(&self, cell: &Cell, i: usize, value: Wide<W>, error: Wide<W>) -> Option<bool> {
        let f = self.candidates.vector_bits();
        if cell.members.len() > 1 || error.bit_length() + NEAR > f {
            return None;
        }
        self.algebra()?.is_entry(i, &value.to_big(), f, self.interval(cell))
    }

    /// A lower bound on the distance of the cell's candidates from all eigenvalues outside of it.
    fn gap(&self, at: usize) -> Option<BigInt> {
        let cell = &self.cells[at];
        let above = at.checked_sub(1).map(|b| &self.cells[b].low - &cell.high);
        let below = match self.cells.get(at + 1) {
            Some(next) => Some(&cell.low - &next.high),
            None => self.tail.as_ref().map(|tail| &cell.low - tail),
        };
        // A single eigenvalue of a 1 x 1 matrix has no other beside it: its vector is known whatever the gap.
        let alone = BigInt::from(1) << (self.candidates.value_bits() + 64);
        let gap = above.into_iter().chain(below).min().unwrap_or(alone);
        (gap.sign() == Sign::Plus).then_some(gap)
    }
}

/// `sqrt(2) radius / gap` in units of 2^-f, rounded up.
fn angle_bound(radius: &BigInt, gap: &BigInt, f: u32) -> BigInt {
    let ratio = (radius << (f + 1)) / gap + 1;
    // sqrt(2) / 2 < 0.7072
    ratio * 7072 / 10_000 + 1
}
