//! Autocovariance of noise within slices, in exact integers.

use std::ops::Range;

/// Farthest lag in rows and columns.
pub(crate) const LAGS: usize = 8;

/// Lags along one axis.
pub(crate) const SIDE: usize = 2 * LAGS + 1;

/// Values whose products are added in 32 bits: their magnitude is below 2^9.
const RUN: usize = 4096;

/// Place of a lag among 17 x 17.
pub(crate) fn index(rows: i64, columns: i64) -> Option<usize> {
    let place = |lag: i64| usize::try_from(lag + LAGS as i64).ok().filter(|&place| place < SIDE);
    Some(place(rows)? * SIDE + place(columns)?)
}

/// Sums of products of values one lag apart, and how many there are; for the lags of zero or more rows.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Covariance {
    sums: Vec<i64>,
    counts: Vec<i64>,
}

impl Covariance {
    pub fn new() -> Self {
        Self { sums: vec![0; SIDE * SIDE], counts: vec![0; SIDE * SIDE] }
    }

    /// Adds some rows of an image, given by their places: each voxel of them with those at a lag, which may be below these rows. What is
    /// not `used` (1, or else 0) is zero in `values`, whose magnitude is below 2^9.
    pub fn add(&mut self, values: &[i16], used: &[i16], places: Range<usize>, columns: usize) {
        for lag in LAGS * SIDE + LAGS..SIDE * SIDE {
            let (down, right) = (lag / SIDE - LAGS, lag % SIDE);
            // Columns of the left voxel of each pair, and of the right one.
            let (from, to) = (LAGS.saturating_sub(right), right.saturating_sub(LAGS));
            let width = columns.saturating_sub(from + to);
            let products = |image: &[i16]| -> i64 {
                let upper = image[places.clone()].chunks_exact(columns);
                let lines = upper.zip(image[places.start..].chunks_exact(columns).skip(down));
                lines.map(|(a, b)| dot(&a[from..from + width], &b[to..to + width])).sum()
            };
            self.sums[lag] += products(values);
            self.counts[lag] += products(used);
        }
    }

    pub fn merge(mut self, other: &Self) -> Self {
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, more)| *sum += more);
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, more)| *sum += more);
        self
    }

    /// Covariance over variance, for 17 x 17 lags.
    pub fn correlation(&self) -> Vec<f64> {
        let center = SIDE * SIDE / 2;
        let mean = |lag: usize| match self.counts[lag] {
            0 => 0.0,
            count => self.sums[lag] as f64 / count as f64,
        };
        let variance = mean(center);
        let mut correlation = vec![0.0; SIDE * SIDE];
        for lag in center..SIDE * SIDE {
            let value =
                if variance > 0.0 { mean(lag) / variance } else { f64::from(u8::from(lag == center)) };
            correlation[lag] = value;
            correlation[SIDE * SIDE - 1 - lag] = value;
        }
        correlation
    }
}

fn dot(a: &[i16], b: &[i16]) -> i64 {
    let run = |(a, b): (&[i16], &[i16])| -> i64 {
        i64::from(a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum::<i32>())
    };
    a.chunks(RUN).zip(b.chunks(RUN)).map(run).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_voxels_one_lag_apart() {
        let columns = 21;
        let values: Vec<i16> = (0..columns * 19).map(|i| (i * i % 37) as i16 - 18).collect();
        let used: Vec<i16> = (0..values.len()).map(|i| i16::from(i % 5 != 0)).collect();
        let values: Vec<i16> = values.iter().zip(&used).map(|(v, u)| v * u).collect();
        let mut found = Covariance::new();
        found.add(&values, &used, 0..values.len(), columns);
        for (down, right) in [(0, 0), (0, 3), (2, -5), (8, 8), (8, -8), (1, 0)] {
            let (mut sum, mut count) = (0, 0);
            for at in 0..values.len() {
                let (row, column) = ((at / columns) as i64 + down, (at % columns) as i64 + right);
                if (0..19).contains(&row) && (0..columns as i64).contains(&column) {
                    let other = (row * columns as i64 + column) as usize;
                    sum += i64::from(values[at]) * i64::from(values[other]);
                    count += i64::from(used[at]) * i64::from(used[other]);
                }
            }
            let lag = index(down, right).unwrap();
            assert_eq!((found.sums[lag], found.counts[lag]), (sum, count), "{down} {right}");
        }
        // The same, part by part.
        let parts = [0..5 * columns, 5 * columns..6 * columns, 6 * columns..values.len()].map(|places| {
            let mut part = Covariance::new();
            part.add(&values, &used, places, columns);
            part
        });
        let merged = parts.iter().fold(Covariance::new(), Covariance::merge);
        assert_eq!((&merged.sums, &merged.counts), (&found.sums, &found.counts));
        let correlation = found.correlation();
        assert_eq!(correlation[index(2, -5).unwrap()], correlation[index(-2, 5).unwrap()]);
        assert_eq!(correlation[index(0, 0).unwrap()], 1.0);
    }
}
