//! Counts of small integers, and quantiles of them.

/// Bins: the largest value is also that of all larger ones.
const BINS: usize = 1 << 16;

/// How often each value occurs. Written as the values that do, with their counts.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(from = "Vec<(u32, u64)>", into = "Vec<(u32, u64)>")]
pub(crate) struct Histogram(Vec<u64>);

impl From<Histogram> for Vec<(u32, u64)> {
    fn from(histogram: Histogram) -> Self {
        (0..).zip(histogram.0).filter(|(_, count)| *count > 0).collect()
    }
}

impl From<Vec<(u32, u64)>> for Histogram {
    fn from(occurring: Vec<(u32, u64)>) -> Self {
        let mut histogram = Self::new();
        occurring.into_iter().for_each(|(value, count)| histogram.add_times(value, count));
        histogram
    }
}

impl Histogram {
    pub fn new() -> Self {
        Self(vec![0; BINS])
    }

    pub fn add(&mut self, value: u32) {
        self.add_times(value, 1);
    }

    fn add_times(&mut self, value: u32, count: u64) {
        self.0[(value as usize).min(BINS - 1)] += count;
    }

    pub fn merge(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(sum, more)| *sum += more);
        self
    }

    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The smallest value that at least this part of all do not exceed.
    pub fn quantile(&self, part: f64) -> u32 {
        let wanted = part * self.total() as f64;
        let mut below = 0;
        let reached = |count: &u64| {
            below += count;
            below as f64 >= wanted
        };
        self.0.iter().position(reached).unwrap_or(BINS - 1) as u32
    }

    /// The median, where each value stands for all numbers that are nearer to it than to the values beside it that occur. So
    /// integers have the median of the numbers that were rounded to them. Zero when most values are.
    pub fn median(&self) -> f64 {
        let half = self.total() as f64 / 2.0;
        let occurring: Vec<(f64, u64)> = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(value, &count)| (value as f64, count))
            .collect();
        let mut below = 0.0;
        for (place, &(value, count)) in occurring.iter().enumerate() {
            let count = count as f64;
            if below + count >= half {
                if value == 0.0 {
                    return 0.0;
                }
                let lower = place.checked_sub(1).map_or(value, |before| (occurring[before].0 + value) / 2.0);
                let upper = occurring.get(place + 1).map_or(value, |after| (after.0 + value) / 2.0);
                return lower + (half - below) / count * (upper - lower);
            }
            below += count;
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u32>) -> Histogram {
        let mut histogram = Histogram::new();
        values.into_iter().for_each(|value| histogram.add(value));
        histogram
    }

    #[test]
    fn the_median_of_rounded_numbers_is_that_of_the_numbers() {
        // 0.0, 0.1, ... 99.9, rounded to integers, which are written in sixteenths.
        let rounded = of((0..1000u32).map(|i| (i + 5) / 10 * 16));
        assert!((rounded.median() / 16.0 - 50.0).abs() < 0.1, "{}", rounded.median() / 16.0);
        assert_eq!(of([0, 0, 0, 5, 6]).median(), 0.0);
        assert_eq!(of([]).median(), 0.0);
        assert_eq!(of([7]).median(), 7.0);
    }

    #[test]
    fn quantiles_are_the_least_values_that_suffice() {
        let histogram = of(0..100);
        assert_eq!((histogram.quantile(0.4), histogram.quantile(0.9), histogram.quantile(1.0)), (39, 89, 99));
        assert_eq!(of([1 << 20]).quantile(0.5), (1 << 16) - 1);
    }
}
