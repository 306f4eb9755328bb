//! Where noise is stronger and weaker.

use crate::volume::Shape;

/// Slices, rows and columns of a cell.
const CELL: [usize; 3] = [8, 16, 16];

/// Voxels of typical noise that each cell is given beside its own: what has few of its own is typical.
const PRIOR: f64 = 64.0;

/// Binomial filters, each of three cells along every axis.
const PASSES: usize = 2;

/// Cells of the largest volume: 2^40 voxels.
const MOST_CELLS: usize = 1 << 29;

/// Most that noise differs from the typical one, as a factor.
const MOST: f64 = 3.0;

/// Standard deviation of the noise in cells of 8 slices x 16 rows x 16 columns, relative to that of the volume.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct SigmaMap {
    /// Cells along slices, rows and columns. None: 1 everywhere.
    pub cells: [usize; 3],
    /// One number for each cell, between 1/3 and 3.
    pub ratios: Vec<f32>,
}

impl SigmaMap {
    /// At a voxel.
    pub fn ratio(&self, voxel: [usize; 3]) -> f64 {
        let place = place(self.cells, voxel);
        place.and_then(|place| self.ratios.get(place)).copied().map_or(1.0, f64::from)
    }

    pub(crate) fn fits(&self, shape: Shape) -> bool {
        let sound = |ratio: &f32| f64::from(*ratio) <= MOST && *ratio > 0.0;
        (self.cells == [0; 3] || self.cells == cells(shape))
            && self.ratios.len() == self.cells.iter().product()
            && self.ratios.iter().all(sound)
    }
}

fn cells(shape: Shape) -> [usize; 3] {
    let lengths = [shape.slices, shape.rows, shape.columns];
    std::array::from_fn(|axis| lengths[axis].div_ceil(CELL[axis]))
}

fn place(cells: [usize; 3], voxel: [usize; 3]) -> Option<usize> {
    let [slice, row, column] = std::array::from_fn(|axis| voxel[axis] / CELL[axis]);
    let inside = slice < cells[0] && row < cells[1] && column < cells[2];
    inside.then(|| (slice * cells[1] + row) * cells[2] + column)
}

/// Sums of squares of each cell, and how many there are: exact. Written as the cells that hold any.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "OccupiedCells", into = "OccupiedCells")]
pub(super) struct CellSums {
    cells: [usize; 3],
    squares: Vec<u64>,
    counts: Vec<u64>,
}

/// Cells along each axis; place, sum of squares and count of each cell that holds any.
type OccupiedCells = ([usize; 3], Vec<(usize, u64, u64)>);

impl From<CellSums> for OccupiedCells {
    fn from(sums: CellSums) -> Self {
        let all = sums.squares.into_iter().zip(sums.counts).enumerate();
        let occupied = all.filter(|(_, (_, count))| *count > 0);
        (sums.cells, occupied.map(|(place, (square, count))| (place, square, count)).collect())
    }
}

impl TryFrom<OccupiedCells> for CellSums {
    type Error = &'static str;

    fn try_from((cells, occupied): OccupiedCells) -> Result<Self, Self::Error> {
        let count = cells.iter().try_fold(1usize, |product, &count| product.checked_mul(count));
        let count = count.filter(|&count| count <= MOST_CELLS).ok_or("too many cells")?;
        let mut sums = Self { cells, squares: vec![0; count], counts: vec![0; count] };
        for (place, square, voxels) in occupied {
            let squares = sums.squares.get_mut(place).ok_or("no such cell")?;
            *squares = square;
            sums.counts[place] = voxels;
        }
        Ok(sums)
    }
}

impl CellSums {
    pub fn new(shape: Shape) -> Self {
        let cells = cells(shape);
        let count = cells.iter().product();
        Self { cells, squares: vec![0; count], counts: vec![0; count] }
    }

    /// Whether they are of volumes of one shape.
    pub fn is_like(&self, other: &Self) -> bool {
        self.cells == other.cells
    }

    pub fn fit(&self, shape: Shape) -> bool {
        self.cells == cells(shape)
    }

    /// Adds the used values of some rows of a slice; `first` is that slice and the first of the rows.
    pub fn add(&mut self, first: [usize; 2], values: &[i16], used: &[i16], columns: usize) {
        let [slice, row] = first;
        for (at, (&value, &used)) in values.iter().zip(used).enumerate() {
            if let Some(place) = place(self.cells, [slice, row + at / columns, at % columns]) {
                self.squares[place] += u64::from(value.unsigned_abs()).pow(2);
                self.counts[place] += used as u64;
            }
        }
    }

    pub fn merge(mut self, other: &Self) -> Self {
        self.squares.iter_mut().zip(&other.squares).for_each(|(sum, more)| *sum += more);
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, more)| *sum += more);
        self
    }

    /// The map.
    pub fn map(&self) -> SigmaMap {
        let all: u64 = self.squares.iter().sum();
        let voxels: u64 = self.counts.iter().sum();
        if all == 0 || voxels == 0 {
            return SigmaMap::default();
        }
        let typical = all as f64 / voxels as f64;
        let smoothed = |sums: &[u64]| smooth(self.cells, sums.iter().map(|&sum| sum as f64).collect());
        let (squares, counts) = (smoothed(&self.squares), smoothed(&self.counts));
        let ratio = |(square, count): (&f64, &f64)| {
            let variance = (square / typical + PRIOR) / (count + PRIOR);
            variance.sqrt().clamp(1.0 / MOST, MOST) as f32
        };
        SigmaMap { cells: self.cells, ratios: squares.iter().zip(&counts).map(ratio).collect() }
    }
}

/// Sums over cells with the weights 1, 2, 1 along every axis, relative to the middle one, twice.
fn smooth(cells: [usize; 3], mut values: Vec<f64>) -> Vec<f64> {
    let strides = [cells[1] * cells[2], cells[2], 1];
    for _ in 0..PASSES {
        for axis in 0..3 {
            let before = values.clone();
            for (at, value) in values.iter_mut().enumerate() {
                let position = at / strides[axis] % cells[axis];
                let lower = if position > 0 { before[at - strides[axis]] } else { 0.0 };
                let upper = if position + 1 < cells[axis] { before[at + strides[axis]] } else { 0.0 };
                *value += 0.5 * (lower + upper);
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { slices: 16, rows: 64, columns: 512 };

    #[test]
    fn noise_twice_as_strong_on_one_side_is_found_there() {
        let mut sums = CellSums::new(SHAPE);
        let used = vec![1; 64 * 512];
        let values: Vec<i16> = (0..64 * 512).map(|at| if at % 512 < 256 { 50 } else { 100 }).collect();
        (0..16).for_each(|slice| sums.add([slice, 0], &values, &used, 512));
        let map = sums.map();
        assert!(map.fits(SHAPE));
        let (left, right) = (map.ratio([4, 30, 60]), map.ratio([4, 30, 460]));
        assert!((right / left - 2.0).abs() < 0.1, "{left} {right}");
    }

    #[test]
    fn where_nothing_is_known_noise_is_typical() {
        let mut sums = CellSums::new(SHAPE);
        let used: Vec<i16> = (0..64 * 512).map(|at| i16::from(at % 512 < 100)).collect();
        let values: Vec<i16> = used.iter().map(|used| used * 50).collect();
        sums.add([3, 0], &values, &used, 512);
        assert_eq!(sums.map().ratio([3, 3, 500]), 1.0);
        assert_eq!(CellSums::new(SHAPE).map(), SigmaMap::default());
        assert_eq!(SigmaMap::default().ratio([1, 2, 3]), 1.0);
    }
}
