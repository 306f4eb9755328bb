//! Where the numbers of two results differ first: array, row block, row and column, and both numbers, in decimal and in hexadecimal.

use std::fs;

use rayon::prelude::*;

use super::{
    ResultFolder,
    disk::{problem_with, unreadable},
};
use crate::{
    error::Result,
    input::layout::{block_count, first_row},
    output::tables,
    solve::digest::Digest,
};

/// Bytes by which a file that was changed may be larger than twice its listed size.
const ROOM: u64 = 1 << 20;

/// What the tables of a folder are, beside its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TablesState {
    /// What the manifest says, or none.
    AsListed,
    /// Other files with the same numbers.
    OtherBytes,
    /// Some number is another one.
    OtherNumbers,
    /// One is missing, or no table.
    Unreadable,
}

/// The first number that differs, in words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FirstNumber {
    /// Which it is, as in `V[3, 0]`, with what the indices count.
    place: String,
    a: f64,
    b: f64,
}

impl FirstNumber {
    /// In words: `of_a` and `of_b` say whose the numbers are.
    pub(crate) fn told(&self, of_a: &str, of_b: &str) -> String {
        let Self { place, a, b } = self;
        format!("{place} is {a:?} ({}) {of_a}, {b:?} ({}) {of_b}", hex(*a), hex(*b))
    }
}

/// The first of two sequences of singular values.
pub(crate) fn in_s(a: &[f64], b: &[f64]) -> Option<FirstNumber> {
    let at = first(a, b)?;
    Some(FirstNumber { place: format!("s[{at}] (from 0)"), a: a[at], b: b[at] })
}

/// The first of two matrices of weights, both n x k row-major.
pub(crate) fn in_v(a: &[f64], b: &[f64], k: usize) -> Option<FirstNumber> {
    let at = first(a, b)?;
    let (row, column) = (at / k.max(1), at % k.max(1));
    Some(FirstNumber { place: format!("V[{row}, {column}] (slice and column from 0)"), a: a[at], b: b[at] })
}

/// The first of two row blocks of basis vectors, both rows x k row-major.
pub(crate) fn in_block(block: u32, a: &[f64], b: &[f64], k: usize) -> Option<FirstNumber> {
    let at = first(a, b)?;
    let (row, column) = (at / k.max(1), at % k.max(1));
    let pixel = first_row(block) + row as u64;
    let place = format!("U[{pixel}, {column}] (pixel and column from 0; row {row} of row block {block})");
    Some(FirstNumber { place, a: a[at], b: b[at] })
}

/// Index of the first number whose bits differ; none where there are not as many in both.
fn first(a: &[f64], b: &[f64]) -> Option<usize> {
    let same_length = a.len() == b.len();
    a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits()).filter(|_| same_length)
}

impl ResultFolder {
    /// What is wrong with the tables of a folder with which something is wrong, on the current thread pool.
    ///
    /// # Errors
    /// [`Error::System`](crate::Error::System).
    pub(crate) fn state_of_tables(&self) -> Result<TablesState> {
        if !self.has_tables() {
            return Ok(TablesState::AsListed);
        }
        let digests = &self.manifest.digests;
        let is_block = |block: u32| -> Result<bool> {
            let found = Digest::of_f64(&self.block_as_it_is(block)?);
            Ok(digests.u.blocks.get(block as usize) == Some(&found))
        };
        let numbers = || -> Result<bool> {
            let small = Digest::of_f64(&self.s_as_it_is()?) == digests.s
                && Digest::of_f64(&self.v_as_it_is()?) == digests.v;
            let blocks = 0..block_count(self.manifest.result.rows);
            let blocks: Vec<Result<bool>> = blocks.into_par_iter().map(is_block).collect();
            blocks.into_iter().try_fold(small, |all, block| Ok(all && block?))
        };
        match numbers() {
            Err(error) if error.exit_code() == 1 => return Err(error),
            Err(_) => return Ok(TablesState::Unreadable),
            Ok(false) => return Ok(TablesState::OtherNumbers),
            Ok(true) => {}
        }
        let is_table =
            |path: &str| [tables::SINGULAR_VALUES, tables::WEIGHTS].contains(&path) || tables::is_basis(path);
        let mut listed = self.manifest.files.iter().flatten().filter(|file| is_table(&file.path));
        let as_listed =
            listed.all(|file| matches!(problem_with(&self.path.join(&file.path), file.content()), Ok(None)));
        Ok(if as_listed { TablesState::AsListed } else { TablesState::OtherBytes })
    }

    /// `s` as the table has it, whatever the manifest says.
    ///
    /// # Errors
    /// [`Error::Differs`](crate::Error::Differs) for a file that is no such table.
    pub(crate) fn s_as_it_is(&self) -> Result<Vec<f64>> {
        tables::read_singular_values(tables::SINGULAR_VALUES, self.as_it_is(tables::SINGULAR_VALUES)?)
    }

    /// `V`, n x k row-major.
    ///
    /// # Errors
    /// As [`s_as_it_is`](Self::s_as_it_is).
    pub(crate) fn v_as_it_is(&self) -> Result<Vec<f64>> {
        tables::read_weights(tables::WEIGHTS, self.as_it_is(tables::WEIGHTS)?).map(|(_, v, _)| v)
    }

    /// A row block of `U`, rows x k row-major.
    ///
    /// # Errors
    /// As [`s_as_it_is`](Self::s_as_it_is).
    pub(crate) fn block_as_it_is(&self, block: u32) -> Result<Vec<f64>> {
        let name = tables::basis_name(block);
        tables::read_basis(&name, self.as_it_is(&name)?).map(|table| table.values)
    }

    /// The bytes of a file, which may have another size than the manifest lists, but not a much larger one.
    fn as_it_is(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.path.join(name);
        let most = self.listed_size(name).unwrap_or_default().saturating_mul(2).saturating_add(ROOM);
        let read = || {
            let found = fs::metadata(&path)?;
            match found.is_file() && found.len() <= most {
                true => fs::read(&path),
                false => Err(std::io::ErrorKind::InvalidData.into()),
            }
        };
        read().map_err(|error| unreadable(name, error))
    }

    /// The first number that this folder and another have not in common; none where their tables have other shapes, or are the same.
    ///
    /// # Errors
    /// [`Error::Differs`](crate::Error::Differs) for a file that is no such table.
    pub(crate) fn first_number(&self, other: &Self) -> Result<Option<FirstNumber>> {
        if !(self.has_tables() && other.has_tables()) {
            return Ok(None);
        }
        if let Some(found) = in_s(&self.s_as_it_is()?, &other.s_as_it_is()?) {
            return Ok(Some(found));
        }
        let k = self.manifest.result.rank;
        if let Some(found) = in_v(&self.v_as_it_is()?, &other.v_as_it_is()?, k) {
            return Ok(Some(found));
        }
        let (digests, others) = (&self.manifest.digests.u.blocks, &other.manifest.digests.u.blocks);
        let block = digests.iter().zip(others).position(|(one, other)| one != other);
        let Some(block) = block.and_then(|block| u32::try_from(block).ok()) else { return Ok(None) };
        if block >= block_count(self.manifest.result.rows) {
            return Ok(None);
        }
        Ok(in_block(block, &self.block_as_it_is(block)?, &other.block_as_it_is(block)?, k))
    }
}

/// A float in hexadecimal, as C's `%a` and Python's `float.hex` write it.
pub(crate) fn hex(x: f64) -> String {
    let (bits, sign) = (x.abs().to_bits(), if x.is_sign_negative() { "-" } else { "" });
    match (bits >> 52, bits & ((1 << 52) - 1)) {
        (0x7ff, _) => x.to_string(),
        (0, 0) => format!("{sign}0x0.0p+0"),
        (0, fraction) => format!("{sign}0x0.{fraction:013x}p-1022"),
        (field, fraction) => format!("{sign}0x1.{fraction:013x}p{:+}", field as i64 - 1023),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (x, written) in [
            (0.0, "0x0.0p+0"),
            (-0.0, "-0x0.0p+0"),
            (1.0, "0x1.0000000000000p+0"),
            (-0.1, "-0x1.999999999999ap-4"),
            (f64::MAX, "0x1.fffffffffffffp+1023"),
            (f64::from_bits(1), "0x0.0000000000001p-1022"),
            (f64::MIN_POSITIVE, "0x1.0000000000000p-1022"),
        ] {
            assert_eq!(hex(x), written);
        }
    }

    #[test]
    fn the_first_number_is_told_with_its_place_and_both_values() {
        let found = in_block(2, &[1.0, 2.0, 3.0, 0.0], &[1.0, 2.0, 3.0, -0.0], 2).unwrap();
        let told = "U[8193, 1] (pixel and column from 0; row 1 of row block 2) is 0.0 (0x0.0p+0) in A, -0.0 (-0x0.0p+0) in B";
        assert_eq!(found.told("in A", "in B"), told);
        assert_eq!(in_s(&[1.0], &[1.0]), None);
        assert_eq!(in_s(&[1.0], &[1.0, 2.0]), None);
    }
}
