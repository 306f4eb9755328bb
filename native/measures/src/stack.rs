//! Whole slices of one size.

/// Slices of one size, in HU or another unit, each row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    rows: usize,
    columns: usize,
    slices: Vec<Vec<f32>>,
}

impl Stack {
    /// Slices of `rows` x `columns` pixels; none where one has another number of them.
    #[must_use]
    pub fn new(rows: usize, columns: usize, slices: Vec<Vec<f32>>) -> Option<Self> {
        slices.iter().all(|slice| slice.len() == rows * columns).then_some(Self { rows, columns, slices })
    }

    /// Rows of a slice.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of a slice.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The slices, each row by row.
    #[must_use]
    pub fn slices(&self) -> &[Vec<f32>] {
        &self.slices
    }

    /// Whether the other has as many slices of the same size.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        (self.rows, self.columns, self.slices.len()) == (other.rows, other.columns, other.slices.len())
    }

    /// The least and the greatest value; none where there is no pixel.
    #[must_use]
    pub fn range(&self) -> Option<[f64; 2]> {
        let mut values = self.slices.iter().flatten().map(|&value| f64::from(value));
        let first = values.next()?;
        Some(values.fold([first, first], |[least, most], value| [least.min(value), most.max(value)]))
    }
}
