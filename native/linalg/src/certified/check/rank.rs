//! Step 4: the numerical rank.

use super::{Check, NEAR, Rejection, definite};
use num_bigint::BigInt;

/// Where a cell, or the tail, lies.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Above,
    Below,
    Unknown,
}

impl<const W: usize> Check<'_, W> {
    /// Step 4: how many eigenvalues exceed `(max(m, n) 2^-52)^2` times the largest.
    pub(super) fn rank(&self) -> Result<usize, Rejection> {
        let Some(first) = self.cells.first() else { return Err(Rejection::Count) };
        let size = BigInt::from(self.g.rows().max(self.g.n() as u64));
        let square = &size * &size;
        let [low, high] = [(&first.low * &square) >> 104, ((&first.high * &square) >> 104) + 1];
        let side = |least: &BigInt, most: &BigInt| {
            if *least > high {
                Side::Above
            } else if *most < low {
                Side::Below
            } else {
                Side::Unknown
            }
        };
        let mut rank = 0;
        let mut open = vec![];
        for (at, cell) in self.cells.iter().enumerate() {
            let above = match side(&cell.low, &cell.high) {
                Side::Unknown => self.above_threshold(at, &square),
                known => Some(known == Side::Above),
            };
            match above {
                Some(true) => rank += cell.members.len(),
                Some(false) => {}
                None => open.extend(cell.members.iter().copied()),
            }
        }
        if !open.is_empty() {
            open.extend(first.members.iter().copied());
            return Err(Rejection::Digits(open));
        }
        match &self.tail {
            Some(tail) if side(&BigInt::ZERO, tail) != Side::Below => {
                // All cells are above it, and so may be others.
                definite::rank(self.g, &high, self.candidates.value_bits()).ok_or(Rejection::Rank)
            }
            _ => Ok(rank),
        }
    }

    /// Whether a cell that the threshold cuts is above it, where exact arithmetic tells.
    fn above_threshold(&self, at: usize, square: &BigInt) -> Option<bool> {
        // Equal means: the threshold times 2^104 is, too; both are integers, or neither is.
        if let (Some(top), Some(own)) = (self.integer(0), self.integer(at)) {
            return Some((own << 104) > top * square);
        }
        self.meets_threshold(at, square)?.then_some(false)
    }

    /// Whether all eigenvalues of the cell are exactly `square 2^-104` times the largest.
    fn meets_threshold(&self, at: usize, square: &BigInt) -> Option<bool> {
        let (first, cell) = (&self.cells[0], &self.cells[at]);
        if [first, cell].iter().any(|cell| (&cell.radius << NEAR) > cell.low) {
            return None;
        }
        // What the largest is told from: the cell times 2^104 / square reaches no other.
        let next = self.cells.get(1).map(|cell| &cell.high).max(self.tail.as_ref())?;
        if (&cell.low << 104) <= next * square {
            return None;
        }
        let algebra = self.algebra()?;
        let single = |cell| Some(algebra.different(self.interval(cell))? == 1);
        let power = BigInt::from(1) << 104;
        Some(single(first)? && single(cell)? && algebra.is_multiple(square, &power, self.interval(cell))?)
    }
}
