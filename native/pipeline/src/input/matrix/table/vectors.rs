//! A vector of MLlib's in each row, dense or sparse, as Spark writes them: `{type, size, indices, values}`.

use std::ops::Range;

use arrow_array::{
    Array, ListArray, StructArray,
    cast::AsArray,
    types::{Int8Type, Int32Type},
};
use ndarray::{ArrayViewMut1, ArrayViewMut2, Axis};

use super::{
    super::source::Problem,
    columns::numbers,
    lists::{check_length, element, null_row},
};

/// MLlib's `type` of a vector.
const SPARSE: i8 = 0;
const DENSE: i8 = 1;

/// The parts of a column of vectors.
struct Vectors<'a> {
    kinds: &'a dyn Array,
    sizes: &'a dyn Array,
    indices: &'a ListArray,
    values: &'a ListArray,
}

/// The length of the first vector of a batch; none where it is null.
pub(super) fn first_length(vectors: &StructArray) -> Option<usize> {
    let parts = Vectors::of(vectors)?;
    match parts.kind(0) {
        Some(SPARSE) => parts.size(0),
        _ => element(parts.values, 0).map(|values| values.len()),
    }
}

/// Fills `columns` of the matrix from vectors, the first of which is row `first`. Each has to be as long as `length`.
pub(super) fn fill(
    vectors: &StructArray,
    first: u64,
    columns: &Range<usize>,
    length: usize,
    mut out: ArrayViewMut2<'_, f64>,
) -> Result<(), Problem> {
    let parts = Vectors::of(vectors).ok_or_else(|| Problem::input("its vectors are not MLlib's"))?;
    for (row, mut target) in out.axis_iter_mut(Axis(0)).enumerate() {
        let at = first + row as u64;
        let damaged = || Problem::input(format!("row {} is no vector of MLlib's; write it again", at + 1));
        if vectors.is_null(row) {
            return Err(null_row(at));
        }
        let values = element(parts.values, row).ok_or_else(damaged)?;
        match parts.kind(row) {
            Some(DENSE) => {
                check_length(values.len(), length, at)?;
                numbers(&values.slice(columns.start, columns.len()), |j| (at, columns.start + j), target)?;
            }
            Some(SPARSE) => {
                check_length(parts.size(row).ok_or_else(damaged)?, length, at)?;
                let places = element(parts.indices, row).ok_or_else(damaged)?;
                let places = places.as_primitive_opt::<Int32Type>().filter(|places| places.null_count() == 0);
                let places = places.ok_or_else(damaged)?.values();
                let within = |place: &i32| usize::try_from(*place).is_ok_and(|place| place < length);
                let ascend = places.windows(2).all(|pair| pair[0] < pair[1]);
                if places.len() != values.len() || !ascend || !places.iter().all(within) {
                    return Err(damaged());
                }
                let column = |at: usize| places[at] as usize;
                let mut found = vec![0.0; values.len()];
                numbers(&values, |j| (at, column(j)), ArrayViewMut1::from(&mut found))?;
                target.fill(0.0);
                for (j, &value) in found.iter().enumerate() {
                    if columns.contains(&column(j)) {
                        target[column(j) - columns.start] = value;
                    }
                }
            }
            _ => return Err(damaged()),
        }
    }
    Ok(())
}

impl<'a> Vectors<'a> {
    fn of(vectors: &'a StructArray) -> Option<Self> {
        Some(Self {
            kinds: vectors.column_by_name("type")?,
            sizes: vectors.column_by_name("size")?,
            indices: vectors.column_by_name("indices")?.as_list_opt()?,
            values: vectors.column_by_name("values")?.as_list_opt()?,
        })
    }

    fn kind(&self, row: usize) -> Option<i8> {
        let kinds = self.kinds.as_primitive_opt::<Int8Type>()?;
        kinds.is_valid(row).then(|| kinds.value(row))
    }

    fn size(&self, row: usize) -> Option<usize> {
        let sizes = self.sizes.as_primitive_opt::<Int32Type>()?;
        if sizes.is_valid(row) { usize::try_from(sizes.value(row)).ok() } else { None }
    }
}
