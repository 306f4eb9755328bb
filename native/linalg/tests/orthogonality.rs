//! Basis vectors are as orthonormal as the bound says, whatever their sums are: plain, centered, compensated, rescaled.

use ndarray::Array2;
use tomobasis_linalg::{
    Center, CertifiedSvd, GramAccumulator, Projector, Rank, Rescale, certified_svd, column_major,
};

const ROWS: usize = 700;
const COLUMNS: usize = 20;

/// Waves of ever smaller amplitude below `grade`, and noise.
fn values(grade: f64, noise: u64) -> Vec<i16> {
    let noise = |at: usize| match noise {
        0 => 0.0,
        bits => ((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)) as f64,
    };
    let value = |i: usize, j: usize| {
        let base = 20_000.0 * (i as f64 / 90.0).sin();
        base + grade.powi(j as i32) * 9_000.0 * ((i * (j + 2)) as f64 / 40.0).sin()
    };
    (0..ROWS * COLUMNS).map(|at| (value(at % ROWS, at / ROWS) + noise(at)).round() as i16).collect()
}

/// `|U^T U - I|` in the Frobenius norm, which is at least the spectral norm: inner products in twice the precision
/// (Ogita, Rump and Oishi 2005).
fn deviation(u: &Array2<f64>) -> f64 {
    let dot = |a: usize, b: usize| {
        let (mut high, mut low) = (-f64::from(u8::from(a == b)), 0.0);
        for (&x, &y) in u.column(a).iter().zip(u.column(b)) {
            let product = x * y;
            let sum = high + product;
            let part = sum - high;
            low += (high - (sum - part)) + (product - part) + x.mul_add(y, -product);
            high = sum;
        }
        high + low
    };
    let k = u.ncols();
    (0..k * k).map(|at| dot(at / k, at % k).powi(2)).sum::<f64>().sqrt()
}

fn decomposed(values: &[i16], rescale: &[Rescale], center: Option<Center>) -> (CertifiedSvd, Array2<f64>) {
    let block = column_major(values, ROWS, COLUMNS).unwrap();
    let mut sums = GramAccumulator::new(COLUMNS).unwrap();
    sums.add(block).unwrap();
    let svd = certified_svd(&sums.finish_centered(rescale, center).unwrap(), Rank::Full, 2).unwrap();
    let centering = center.map(|center| sums.centering(center));
    let projector = Projector::centered(&svd, rescale, centering.as_ref()).unwrap();
    let t = projector.project(block).unwrap();
    let u = projector.basis(t.view()).unwrap();
    (svd, u)
}

#[test]
fn the_bound_holds_for_every_kind_of_sum_and_is_not_far_above() {
    let integers = vec![Rescale::IDENTITY; COLUMNS];
    let decimal = |j: usize| Rescale { slope: 0.1 + 0.013 * j as f64, intercept: -1024.7, offset: 0 };
    let decimals: Vec<Rescale> = (0..COLUMNS).map(decimal).collect();
    let mut compensated = 0;
    for (grade, noise) in [(1.0, 6), (0.6, 3), (0.5, 1), (0.5, 0)] {
        let values = values(grade, noise);
        for rescale in [&integers, &decimals] {
            for center in [None, Some(Center::Rows), Some(Center::Columns), Some(Center::Both)] {
                let (svd, u) = decomposed(&values, rescale, center);
                let (bound, measured) = (svd.bounds.orthogonality, deviation(&u));
                assert!(
                    measured <= bound && bound < 200.0 * measured,
                    "{measured:e} {bound:e}: {grade} {center:?}"
                );
                compensated += svd.compensated.iter().filter(|&&c| c).count();
            }
        }
    }
    assert!(compensated > 0);
}
