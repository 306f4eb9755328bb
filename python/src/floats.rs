//! Exact sums of floats that any engine can carry. Unlike those of integers they need to know the range of all values first.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::Array2;
use numpy::{IntoPyArray, PyArray1};
use pyo3::{prelude::*, types::PyBytes};
use tomobasis_linalg::{
    BLOCK_ROWS, Center, ColumnRanges, Error, Rank, RealGramAccumulator, certified_svd, check_machine,
    refuse_impossible,
};

use crate::{
    count,
    factors::center_of,
    failure::{Failure, same_class},
    intake::with_values,
    matrix::Values,
    running::run,
    sealed,
    sums::{GramFactors, Rows, some_rows},
};

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ranges of some rows.
fn ranges_of(values: &Values<'_>) -> Result<ColumnRanges, Failure> {
    let mut ranges = ColumnRanges::new(values.dim().1)?;
    for block in 0..values.blocks() {
        ranges.add(values.floats(block)?.view()).map_err(|error| match error {
            Error::NotFiniteValue { row, column } => {
                Error::NotFiniteValue { row: row + (block * BLOCK_ROWS) as u64, column }
            }
            other => other,
        })?;
    }
    Ok(ranges)
}

/// Which binary digits the values of each column use, over the rows seen: what `FloatGramState` needs to know of all rows before
/// it adds the first.
///
/// Parameters
/// ----------
/// columns : int
///     Columns of the matrix, n, from 1 to 16,384.
///
/// Notes
/// -----
/// A few bytes a column. Like the sums, ranges may be merged in any order and grouping.
///
/// Examples
/// --------
/// >>> import numpy as np, tomobasis
/// >>> a = np.random.default_rng(0).standard_normal((100, 3))
/// >>> ranges = tomobasis.FloatRanges(3)
/// >>> ranges.update(a[:60]); ranges.update(a[60:])
/// >>> parts = [tomobasis.FloatGramState(ranges) for _ in range(2)]
/// >>> parts[0].update(a[60:]); parts[1].update(a[:60])
/// >>> factors = (parts[0] + parts[1]).finish()
/// >>> factors.digests["s"] == tomobasis.svd(a).digests["s"]
/// True
#[pyclass(frozen, module = "tomobasis", name = "FloatRanges")]
pub(crate) struct FloatRanges(Mutex<ColumnRanges>);

/// What the bytes of ranges begin with.
const RANGES: &[u8] = b"tomobasis float ranges 1\n";

#[pymethods]
impl FloatRanges {
    #[new]
    fn new(#[pyo3(from_py_with = count::columns)] columns: usize) -> Result<Self, Failure> {
        if columns > 1 << 14 {
            return Err(Error::ColumnCount { limit: 1 << 14, actual: columns }.into());
        }
        Ok(Self(Mutex::new(ColumnRanges::new(columns)?)))
    }

    /// Columns of the matrix, n.
    #[getter]
    fn columns(&self) -> usize {
        held(&self.0).columns()
    }

    /// Rows seen so far.
    #[getter]
    fn rows(&self) -> u64 {
        held(&self.0).rows()
    }

    /// Looks at rows of the matrix: an array of rows x columns of finite floats or integers. On the calling thread; the GIL is
    /// released. After an exception the ranges are what they were.
    fn update(&self, block: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = block.py();
        with_values(block, |values| {
            Ok(py.detach(|| {
                let more = ranges_of(&values)?;
                Ok::<_, Failure>(held(&self.0).merge(&more)?)
            })?)
        })
    }

    /// Takes in what another has seen.
    fn merge(&self, other: &Bound<'_, PyAny>) -> Result<(), Failure> {
        let other = same_class::<Self>(other)?;
        let other = held(&other.get().0).clone();
        Ok(held(&self.0).merge(&other)?)
    }

    fn __add__(&self, other: &Bound<'_, Self>) -> Result<Self, Failure> {
        let sum = Self(Mutex::new(held(&self.0).clone()));
        sum.merge(other.as_any())?;
        Ok(sum)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = held(&other.get().0).clone();
            *held(&self.0) == other
        })
    }

    fn __repr__(&self) -> String {
        let ranges = held(&self.0);
        format!("<tomobasis.FloatRanges of {} columns, {} rows>", ranges.columns(), ranges.rows())
    }

    /// The ranges as bytes, for another process or machine (docs/format.md).
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &sealed::seal(RANGES, &held(&self.0).to_bytes()))
    }

    /// The ranges of such bytes. Damaged ones are an `InputError`.
    #[staticmethod]
    fn from_bytes(#[pyo3(from_py_with = count::bytes)] data: Bound<'_, PyBytes>) -> Result<Self, Failure> {
        Ok(Self(Mutex::new(ColumnRanges::from_bytes(sealed::open(
            RANGES,
            data.as_bytes(),
            "float ranges",
        )?)?)))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((slf.get_type().getattr("from_bytes")?, (slf.get().to_bytes(slf.py()),)))
    }
}

/// The exact sums of the rows of floats that were added, of any number of them, in any order and grouping.
///
/// Parameters
/// ----------
/// ranges : FloatRanges
///     Those of all rows of the matrix, the same for all states that are to be merged. Later changes of it do not count.
///
/// Raises
/// ------
/// InputError
///     For a column whose values span more than 160 binary digits, or columns that span more than 256 together: `tsqr` takes those.
///
/// Notes
/// -----
/// Holds about 100 n^2 bytes for values of float64, 60 n^2 of float32. Two states of the same rows and ranges are equal to the bit,
/// and so are their bytes. Where all values are integers of 16 bits, `GramState` does without ranges and is faster.
#[pyclass(frozen, module = "tomobasis", name = "FloatGramState")]
pub(crate) struct FloatGramState {
    ranges: ColumnRanges,
    sums: Mutex<RealGramAccumulator>,
}

/// What the bytes of a state begin with.
const STATE: &[u8] = b"tomobasis float gram state 2\n";

#[pymethods]
impl FloatGramState {
    #[new]
    fn new(ranges: &Bound<'_, FloatRanges>) -> Result<Self, Failure> {
        let ranges = held(&ranges.get().0).clone();
        Ok(Self { sums: Mutex::new(RealGramAccumulator::new(ranges.clone())?), ranges })
    }

    /// Columns of the matrix, n.
    #[getter]
    fn columns(&self) -> usize {
        self.ranges.columns()
    }

    /// Rows added so far.
    #[getter]
    fn rows(&self) -> u64 {
        held(&self.sums).rows()
    }

    /// Adds rows of the matrix: an array of rows x columns of finite floats or integers, all within the ranges. On the calling
    /// thread; the GIL is released. After an exception the state is what it was.
    fn update(&self, block: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = block.py();
        with_values(block, |values| {
            let columns = self.ranges.columns();
            if values.dim().1 != columns {
                return Err(
                    Failure::from(Error::Columns { expected: columns, actual: values.dim().1 }).into()
                );
            }
            let seen = py.detach(|| ranges_of(&values))?;
            if !self.ranges.covers(&seen) {
                let text = "the block has values outside the ranges; let FloatRanges see all rows first, then make new states";
                return Err(Failure::Argument(text.to_owned()).into());
            }
            // Nothing can fail after the first: the block's values are known.
            let blocks: Vec<Array2<f64>> = match values.blocks() {
                1 => vec![py.detach(|| values.floats(0))?],
                _ => Vec::new(),
            };
            match blocks.first() {
                Some(block) => py.detach(|| held(&self.sums).add(block.view())).map_err(Failure::from)?,
                None => {
                    let mut more = RealGramAccumulator::new(self.ranges.clone()).map_err(Failure::from)?;
                    for block in 0..values.blocks() {
                        py.detach(|| Ok::<_, Failure>(more.add(values.floats(block)?.view())?))?;
                        py.check_signals()?;
                    }
                    py.detach(|| held(&self.sums).merge(&more)).map_err(Failure::from)?;
                }
            }
            Ok(())
        })
    }

    /// Adds the rows of another state of the same ranges, which keeps them too.
    fn merge(&self, other: &Bound<'_, PyAny>) -> Result<(), Failure> {
        let other = same_class::<Self>(other)?;
        let (py, other) = (other.py(), other.get());
        if self.ranges.columns() == other.ranges.columns() && self.ranges != other.ranges {
            let text = "the states were made with other ranges; make all of them with those of all rows";
            return Err(Failure::Argument(text.to_owned()));
        }
        if self.ranges.columns() != other.ranges.columns() {
            let (expected, actual) = (self.ranges.columns(), other.ranges.columns());
            return Err(Error::Columns { expected, actual }.into());
        }
        py.detach(|| {
            // A copy: the other may be this one, or be merging this one on another thread.
            let other = held(&other.sums).clone();
            Ok(held(&self.sums).merge(&other)?)
        })
    }

    fn __add__(&self, other: &Bound<'_, Self>) -> Result<Self, Failure> {
        let sum = Self { ranges: self.ranges.clone(), sums: Mutex::new(held(&self.sums).clone()) };
        sum.merge(other.as_any())?;
        Ok(sum)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = held(&other.get().sums).to_bytes();
            held(&self.sums).to_bytes() == other
        })
    }

    fn __repr__(&self) -> String {
        format!("<tomobasis.FloatGramState of {} columns, {} rows>", self.columns(), self.rows())
    }

    /// The same rows in a state of wider ranges, with which states of these can be merged: of ranges that saw these rows and more.
    fn within(&self, py: Python<'_>, ranges: &Bound<'_, FloatRanges>) -> Result<Self, Failure> {
        let ranges = held(&ranges.get().0).clone();
        if ranges.columns() != self.ranges.columns() {
            return Err(Error::Columns { expected: self.ranges.columns(), actual: ranges.columns() }.into());
        }
        py.detach(|| {
            let sums = held(&self.sums).within(ranges.clone()).map_err(|error| match error {
                Error::Ranges => Failure::Argument(
                    "ranges: they do not cover those of the state; merge those into them".to_owned(),
                ),
                other => other.into(),
            })?;
            Ok(Self { ranges, sums: Mutex::new(sums) })
        })
    }

    /// The mean of each column over the rows added, n float64, each the one nearest to the exact mean.
    fn column_means<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyArray1<f64>>, Failure> {
        let centering = held(&self.sums).centering(Center::Columns)?;
        Ok(centering.column_means().into_pyarray(py))
    }

    /// The state as bytes, for another process or machine (docs/format.md): about 9 n^2 of them for values of float64.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes = py.detach(|| sealed::seal(STATE, &held(&self.sums).to_bytes()));
        PyBytes::new(py, &bytes)
    }

    /// The state of such bytes. Damaged ones are an `InputError`.
    #[staticmethod]
    fn from_bytes(
        py: Python<'_>,
        #[pyo3(from_py_with = count::bytes)] data: Bound<'_, PyBytes>,
    ) -> Result<Self, Failure> {
        let data = data.as_bytes();
        py.detach(|| {
            let sums = RealGramAccumulator::from_bytes(sealed::open(STATE, data, "a state of floats")?)?;
            Ok(Self { ranges: sums.ranges().clone(), sums: Mutex::new(sums) })
        })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((slf.get_type().getattr("from_bytes")?, (slf.get().to_bytes(slf.py()),)))
    }

    /// Singular values and right singular vectors of the rows added, class certified: those of `svd`.
    ///
    /// Parameters
    /// ----------
    /// rank : int, optional
    ///     At most this many, from 1 to n; all up to the numerical rank by default.
    /// center : {"rows", "columns", "both"}, optional
    ///     Means that are removed first, exactly: each row's, each column's, or both.
    /// threads : int, optional
    ///     0: one per core.
    ///
    /// Returns
    /// -------
    /// GramFactors
    #[pyo3(signature = (rank=None, center=None, threads=0))]
    fn finish(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = count::rank)] rank: Option<usize>,
        #[pyo3(from_py_with = count::center)] center: Option<String>,
        #[pyo3(from_py_with = count::threads)] threads: usize,
    ) -> PyResult<GramFactors> {
        let center = center.as_deref().map(center_of).transpose()?.map(Center::from);
        let rank = rank.map_or(Rank::Full, Rank::Columns);
        let sums = py.detach(|| held(&self.sums).clone());
        some_rows(sums.rows())?;
        if sums.rows() > self.ranges.rows() {
            let text =
                "more rows were added than the ranges saw; let FloatRanges see every row that is added";
            return Err(Failure::Argument(text.to_owned()).into());
        }
        run(py, threads, None, |_| {
            check_machine()?;
            // As `svd` refuses them.
            self.ranges.check_magnitude()?;
            let gram = sums.finish_centered(center)?;
            refuse_impossible(&gram)?;
            let svd = certified_svd(&gram, rank, rayon::current_num_threads())?;
            let centering = center.map(|center| sums.centering(center)).transpose()?;
            Ok(GramFactors { svd, rows: Rows::Floats(centering) })
        })
    }
}
