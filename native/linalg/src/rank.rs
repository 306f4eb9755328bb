//! How many singular values to keep: by Gavish and Donoho's threshold, or by energy.
//!
//! M. Gavish and D. L. Donoho (2014), "The optimal hard threshold for singular values is 4/sqrt(3)", IEEE
//! Trans. Inf. Theory 60(8). For a matrix of low rank in white noise, keeping what exceeds the threshold
//! loses least (asymptotically, in mean square) among all thresholds, whatever the rank. With `beta` the
//! shorter side over the longer one:
//!
//! * noise level `sigma` known: threshold `lambda(beta) sqrt(longer side) sigma`;
//! * unknown: `omega(beta)` times the median singular value, `omega = lambda / sqrt(mu)`, where `mu` is the
//!   median of the Marchenko-Pastur distribution.
//!
//! The distribution's integral is taken by Simpson's rule after a rational change of variable, with nothing
//! but the four operations and square roots, so that the chosen rank is the same everywhere.

/// How many leading singular triplets are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// All up to the numerical rank.
    Full,
    /// At most this many (fewer where the numerical rank is lower).
    Columns(usize),
}

/// Gavish and Donoho's coefficient for known noise, `lambda(beta)`: the threshold is this times `sqrt(longer
/// side) sigma`.
///
/// `beta` is the shorter side of the matrix over the longer one, in (0, 1]. `lambda(1) = 4 / sqrt(3)`.
fn known_noise_coefficient(beta: f64) -> f64 {
    let sum = beta + 1.0;
    (2.0 * sum + 8.0 * beta / (sum + (beta * beta + 14.0 * beta + 1.0).sqrt())).sqrt()
}

/// Gavish and Donoho's coefficient for unknown noise, `omega(beta)`: the threshold is this times the median
/// singular value.
///
/// `beta` as for [`known_noise_coefficient`]. `omega(1) = 2.858`. Accurate to 1e-9.
fn unknown_noise_coefficient(beta: f64) -> f64 {
    known_noise_coefficient(beta) / marchenko_pastur_median(beta).sqrt()
}

/// How many singular values exceed Gavish and Donoho's threshold for unknown noise.
///
/// `s` are the singular values, descending, of a `rows x columns` matrix; those that are missing from all
/// `min(rows, columns)` count as zero, for the median too.
///
/// ```
/// // Two singular values stand out of noise whose median is 10.
/// let s = [100.0, 50.0, 11.0, 10.5, 10.0, 10.0, 9.0, 8.0];
/// assert_eq!(tomobasis_linalg::optimal_rank(&s, 8, 8), 2);
/// ```
#[must_use]
pub fn optimal_rank(s: &[f64], rows: u64, columns: usize) -> usize {
    let (short, long) = sides(rows, columns);
    if s.is_empty() || short == 0 {
        return 0;
    }
    above(s, unknown_noise_coefficient(short as f64 / long as f64) * median(s, short))
}

/// The standard deviation of the noise in every entry of a `rows x columns` matrix, as its median singular
/// value tells it: `median / sqrt(longer side * mu(beta))` (section III.E of the paper). `s` as for
/// [`optimal_rank`].
#[must_use]
pub fn estimated_noise(s: &[f64], rows: u64, columns: usize) -> f64 {
    let (short, long) = sides(rows, columns);
    if short == 0 {
        return 0.0;
    }
    median(s, short) / (long as f64 * marchenko_pastur_median(short as f64 / long as f64)).sqrt()
}

/// The smallest number of leading singular values whose squares sum to at least `fraction` of `total_energy`
/// (`||A||_F^2`); all of `s` when their sum stays below it.
///
/// ```
/// assert_eq!(tomobasis_linalg::energy_rank(&[3.0, 2.0, 1.0], 14.0, 0.9), 2);
/// ```
#[must_use]
pub fn energy_rank(s: &[f64], total_energy: f64, fraction: f64) -> usize {
    let wanted = fraction * total_energy;
    let mut sum = 0.0;
    for (j, sigma) in s.iter().enumerate() {
        if sum >= wanted {
            return j;
        }
        sum += sigma * sigma;
    }
    s.len()
}

/// The median of `count` singular values of which `s` are those above zero.
fn median(s: &[f64], count: u64) -> f64 {
    let at = |j: u64| usize::try_from(j).ok().and_then(|j| s.get(j)).copied().unwrap_or(0.0);
    0.5 * at((count - 1) / 2) + 0.5 * at(count / 2)
}

fn sides(rows: u64, columns: usize) -> (u64, u64) {
    let columns = columns as u64;
    (rows.min(columns), rows.max(columns))
}

fn above(s: &[f64], threshold: f64) -> usize {
    s.iter().take_while(|&&sigma| sigma > threshold).count()
}

/// The median of the Marchenko-Pastur distribution of ratio `beta` (unit variance), by bisection.
fn marchenko_pastur_median(beta: f64) -> f64 {
    // The median angle lies between a right angle (beta near 0) and 132 degrees (beta = 1).
    let (mut low, mut high) = (0.5, 3.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if marchenko_pastur_mass(beta, middle) < 0.5 {
            low = middle;
        } else {
            high = middle;
        }
    }
    marchenko_pastur_point(beta, low)
}

/// `t = 1 + beta + 2 sqrt(beta) cos(angle)` for `w = tan(angle / 2)`.
fn marchenko_pastur_point(beta: f64, w: f64) -> f64 {
    1.0 + beta + 2.0 * beta.sqrt() * (1.0 - w * w) / (1.0 + w * w)
}

/// The distribution's mass above `t(w)`.
///
/// Its density `sqrt((t - lower)(upper - t)) / (2 pi beta t)` lives between `(1 -+ sqrt(beta))^2`; in `w` it
/// is a smooth rational function.
fn marchenko_pastur_mass(beta: f64, w: f64) -> f64 {
    let density = |w: f64| {
        let square = 1.0 + w * w;
        let point = marchenko_pastur_point(beta, w);
        16.0 * w * w / (std::f64::consts::PI * point * square * square * square)
    };
    simpson(density, w)
}

/// The integral of `f` from 0 to `end`.
fn simpson(f: impl Fn(f64) -> f64, end: f64) -> f64 {
    const INTERVALS: u32 = 512;
    let step = end / f64::from(INTERVALS);
    let sum = (1..INTERVALS)
        .fold(f(0.0) + f(end), |sum, i| sum + if i % 2 == 1 { 4.0 } else { 2.0 } * f(step * f64::from(i)));
    sum * step / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The median as the paper's program (`optimal_SVHT_coef.m`) finds it: the support is cut into quarters
    /// until the one that holds the median is no longer than 1/1000, and its middle is taken.
    fn published_median(beta: f64) -> f64 {
        let root = beta.sqrt();
        let (mut low, mut high) = ((1.0 - root).powi(2), (1.0 + root).powi(2));
        while high - low > 0.001 {
            for _ in 0..2 {
                let middle = 0.5 * (low + high);
                let cosine = (middle - 1.0 - beta) / (2.0 * root);
                let w = ((1.0 - cosine) / (1.0 + cosine)).sqrt();
                if marchenko_pastur_mass(beta, w) > 0.5 {
                    low = middle;
                } else {
                    high = middle;
                }
            }
        }
        0.5 * (low + high)
    }

    #[test]
    fn coefficients_are_those_of_the_published_table() {
        // Gavish and Donoho 2014, table IV: omega(beta) for beta = 0.05, 0.10, ..., 1.00, in four decimals.
        // With the program's own, coarse median every one of them comes out; the true median is within half
        // of 1/1000 of that one, which moves the coefficient by at most 8e-4.
        let table = [
            1.5194, 1.6089, 1.6896, 1.7650, 1.8371, 1.9061, 1.9741, 2.0403, 2.1060, 2.1711, 2.2365, 2.3021,
            2.3679, 2.4339, 2.5011, 2.5697, 2.6399, 2.7099, 2.7832, 2.8582,
        ];
        for (i, published) in table.into_iter().enumerate() {
            let beta = (i + 1) as f64 / 20.0;
            let coarse = known_noise_coefficient(beta) / published_median(beta).sqrt();
            assert!(
                (coarse - published).abs() < 0.5001e-4,
                "omega({beta}) = {coarse}, published {published}"
            );
            let ours = unknown_noise_coefficient(beta);
            assert!((ours - published).abs() < 8e-4, "omega({beta}) = {ours}, published {published}");
        }
        assert!((known_noise_coefficient(1.0) - 4.0 / 3f64.sqrt()).abs() < 1e-15);
        assert!((known_noise_coefficient(1e-12) - 2f64.sqrt()).abs() < 1e-11);
    }

    #[test]
    fn the_median_agrees_with_the_closed_form_for_square_matrices() {
        // For beta = 1 the mass below t = 4 sin^2(x) is (2 x + sin(2 x)) / pi.
        let x = (marchenko_pastur_median(1.0).sqrt() / 2.0).asin();
        assert!(((2.0 * x + (2.0 * x).sin()) / std::f64::consts::PI - 0.5).abs() < 1e-9);
    }

    #[test]
    fn the_noise_is_the_median_over_what_unit_noise_would_give() {
        let unit = (8.0 * marchenko_pastur_median(1.0)).sqrt();
        let s: Vec<f64> = [9.0, 5.0, 4.0, 3.5, 2.5, 2.0, 1.0, 0.5].map(|x| x * unit).to_vec();
        assert!((estimated_noise(&s, 8, 8) - 3.0).abs() < 1e-12);
        assert_eq!(estimated_noise(&s[..3], 8, 8), 0.0);
        assert_eq!(estimated_noise(&[], 0, 8), 0.0);
    }

    #[test]
    fn a_square_matrix_keeps_what_is_above_2_858_medians() {
        let s = [100.0, 28.6, 28.5, 10.0, 10.0, 10.0, 9.0, 1.0];
        assert_eq!(optimal_rank(&s, 8, 8), 2);
    }

    #[test]
    fn missing_singular_values_count_as_zero() {
        assert_eq!(optimal_rank(&[5.0, 4.0, 3.0], 100, 10), 3);
        assert_eq!(optimal_rank(&[], 100, 10), 0);
        assert_eq!(optimal_rank(&[1.0], 0, 10), 0);
    }

    #[test]
    fn energy_takes_the_fewest_columns_that_reach_the_fraction() {
        let s = [3.0, 2.0, 1.0];
        assert_eq!(energy_rank(&s, 14.0, 9.0 / 14.0), 1);
        assert_eq!(energy_rank(&s, 14.0, 0.65), 2);
        assert_eq!(energy_rank(&s, 14.0, 0.99), 3);
        assert_eq!(energy_rank(&s, 20.0, 1.0), 3);
        assert_eq!(energy_rank(&[], 0.0, 0.5), 0);
    }
}
