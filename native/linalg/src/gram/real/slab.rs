//! Some rows of a block of floats, and what they add to the sums.

use std::fmt;

use ndarray::{ArrayView2, s};
use rayon::prelude::*;

use super::crt::Moduli;
use super::totals::{self, Total};
use super::{ColumnRanges, residues};
use crate::gram::GramAccumulator;
use crate::gram::kernel::{self, PANEL, PackedBytes, ROWS, Threads};
use crate::{Error, column_major};

/// Some rows of a block, of any layout.
pub(super) struct Slab<'a, T> {
    pub ranges: &'a ColumnRanges,
    pub block: ArrayView2<'a, T>,
    /// The first of these rows, in messages.
    pub first: usize,
    /// Of the widest integers.
    pub bits: u32,
    /// Empty where the integers themselves are small enough for the kernels.
    pub moduli: &'a [u16],
}

/// Packed residues and the 32-bit sums of their products; the sums of the columns of each panel. It is no part of a value.
#[derive(Default)]
pub(super) struct Room {
    packed: Option<PackedBytes>,
    products: Vec<Vec<i32>>,
    totals: Vec<[Total; PANEL]>,
}

impl Clone for Room {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Room")
    }
}

/// Integers of a step of rows of a panel, column after column.
type Integers = [[f64; ROWS]; PANEL];

impl<T: Copy + Into<f64> + Sync> Slab<'_, T> {
    /// The integers of a panel from a row on, and their number of rows; what is beyond is left as it is.
    fn of_panel(&self, panel: usize, row: usize, integers: &mut Integers) -> Result<usize, Error> {
        let columns = panel * PANEL..self.ranges.columns().min((panel + 1) * PANEL);
        let rows = row..self.block.nrows().min(row + ROWS);
        let values = self.block.slice(s![rows.clone(), columns.clone()]);
        // Inside is what is contiguous.
        if values.strides()[1] == 1 {
            for (r, row) in values.rows().into_iter().enumerate() {
                integers.iter_mut().zip(row).for_each(|(column, &value)| column[r] = value.into());
            }
        } else {
            for (target, column) in integers.iter_mut().zip(values.columns()) {
                target.iter_mut().zip(column).for_each(|(target, &value)| *target = value.into());
            }
        }
        for (j, column) in columns.zip(integers) {
            let outside = |at| Error::OutsideRange { row: (self.first + rows.start + at) as u64, column: j };
            self.ranges.integers(j, &mut column[..rows.len()]).map_err(outside)?;
        }
        Ok(rows.len())
    }

    /// Adds the products of the residues, which are bytes, of at most [`PackedBytes::MOST_SUMMED`] rows, and what the sums of the
    /// columns leave.
    pub fn add_bytes(
        &self,
        sums: &mut [GramAccumulator],
        threads: Threads,
        room: &mut Room,
    ) -> Result<(), Error> {
        let (rows, columns) = self.block.dim();
        let new = || PackedBytes::new(kernel::chosen(), columns, self.moduli.len());
        let packed = room.packed.get_or_insert_with(new);
        room.products.resize(self.moduli.len(), Vec::new());
        room.totals.clear();
        room.totals.resize(columns.div_ceil(PANEL), [totals::ZERO; PANEL]);
        for first in (0..rows).step_by(PackedBytes::MOST_ROWS) {
            let count = PackedBytes::MOST_ROWS.min(rows - first);
            packed.fill(count, threads, &mut room.totals, |panel, row, pack| {
                self.pack(panel, first + row, pack)
            })?;
            let totals = room.totals.as_flattened();
            let add = |(k, (sum, products)): (usize, (&mut GramAccumulator, &mut Vec<i32>))| {
                if first == 0 {
                    products.clear();
                    products.resize(kernel::size(columns), 0);
                }
                packed.add_gram(k, products);
                // Not before all rows are known to be within the ranges.
                if first + count < rows {
                    return Ok(());
                }
                let left = totals.iter().map(|total| totals::residue(total, self.moduli[k]));
                sum.add_bytes(rows, products, left)
            };
            match threads {
                Threads::One => sums.iter_mut().zip(&mut room.products).enumerate().try_for_each(add)?,
                Threads::Pool => {
                    sums.par_iter_mut().zip(&mut room.products).enumerate().try_for_each(add)?;
                }
            }
        }
        Ok(())
    }

    /// Packs a panel's residues of a step of rows modulo each of the moduli, and adds its integers to the sums of its columns: all
    /// of it while the integers are in the first-level cache.
    fn pack(
        &self,
        (panel, totals): (usize, &mut [Total; PANEL]),
        row: usize,
        pack: &mut dyn FnMut(usize, &[[i8; ROWS]; PANEL]),
    ) -> Result<(), Error> {
        let mut integers = [[0.0; ROWS]; PANEL];
        self.of_panel(panel, row, &mut integers)?;
        totals::add(&integers, self.bits, totals);
        let mut residues = [[0; ROWS]; PANEL];
        for (k, &modulus) in self.moduli.iter().enumerate() {
            residues::bytes(integers.as_flattened(), self.bits, modulus, residues.as_flattened_mut());
            pack(k, &residues);
        }
        Ok(())
    }

    /// The integers, column after column.
    pub fn integers(&self) -> Result<Vec<f64>, Error> {
        let (rows, columns) = self.block.dim();
        let mut all = vec![0.0; rows * columns];
        for (panel, columns) in all.chunks_mut(rows * PANEL).enumerate() {
            for row in (0..rows).step_by(ROWS) {
                let mut integers = [[0.0; ROWS]; PANEL];
                let count = self.of_panel(panel, row, &mut integers)?;
                for (column, integers) in columns.chunks_exact_mut(rows).zip(&integers) {
                    column[row..row + count].copy_from_slice(&integers[..count]);
                }
            }
        }
        Ok(all)
    }

    /// Adds the residues of all integers modulo modulus `k`; without moduli, the integers themselves.
    pub fn add_residues(&self, integers: &[f64], k: usize, sum: &mut GramAccumulator) -> Result<(), Error> {
        let (rows, columns) = self.block.dim();
        if let Some(&p) = self.moduli.get(k)
            && p <= Moduli::TOP_OF_BYTES
        {
            let mut bytes = vec![0; integers.len()];
            residues::bytes(integers, self.bits, p, &mut bytes);
            return sum.add(column_major(&bytes, rows, columns)?);
        }
        let mut words = vec![0; integers.len()];
        match self.moduli.get(k) {
            Some(&p) => residues::words(integers, self.bits, p, &mut words),
            None => residues::of_small(integers, &mut words),
        }
        sum.add(column_major(&words, rows, columns)?)
    }
}
