//! The real-valued drivers, from values to `U`, `s` and `V`, over a zoo of matrices, judged by LAPACK's test
//! ratios (TESTING/EIG): LAPACK fails at 50; so do we at 10. And the promise of the class `fixed`: threads,
//! and who computes a block, change no bit.

mod common;

use common::loss;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};
use proptest::prelude::*;
use tomobasis_linalg::{
    BLOCK_ROWS, Error, Randomized, Rank, RealBlocks, RealQr, RealSvd, column_major, dspca, dssvd,
    philox4x32_10, tsqr_qr, tsqr_svd,
};

struct Matrix {
    name: &'static str,
    rows: usize,
    columns: usize,
    values: Array2<f64>,
}

fn matrix(name: &'static str, rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Matrix {
    let values = Array2::from_shape_fn((rows, columns), |(i, j)| value(i, j));
    Matrix { name, rows, columns, values }
}

/// Uniform in [-1, 1).
fn random(i: usize, j: usize) -> f64 {
    let [word, ..] = philox4x32_10([i as u32, j as u32, 0, 0], [0, 0]);
    f64::from(word) / f64::from(1u32 << 31) - 1.0
}

fn zoo() -> Vec<Matrix> {
    vec![
        matrix("one entry", 1, 1, |_, _| -7.25),
        matrix("one column", 9000, 1, random),
        matrix("one row", 1, 30, random),
        matrix("fewer rows than columns", 7, 20, random),
        matrix("square", 90, 90, random),
        matrix("noise over several blocks", 3 * BLOCK_ROWS + 5, 53, random),
        matrix("a last block of one row", 2 * BLOCK_ROWS + 1, 20, random),
        matrix("far from zero", BLOCK_ROWS + 100, 40, |i, j| 1e6 + random(i, j)),
        matrix("rank three", 6000, 10, |i, j| (0..3).map(|l| random(i, 50 + l) * random(j, 90 + l)).sum()),
        matrix("a constant column and a repeated one", 5000, 6, |i, j| match j {
            2 => 1000.0,
            5 => random(i, 1),
            _ => random(i, j),
        }),
        matrix("columns graded to 1e-15", 5000, 26, |i, j| random(i, j) * 0.25f64.powi(j as i32)),
        matrix("rows graded to 1e-300", 5000, 9, |i, j| random(i, j) * 10f64.powi(-(i as i32) * 3 / 50)),
        matrix("huge", 5000, 9, |i, j| random(i, j) * 1e300),
        matrix("tiny", 5000, 9, |i, j| random(i, j) * 1e-290),
        matrix("huge beside tiny blocks", 2 * BLOCK_ROWS, 9, |i, j| {
            random(i, j) * if i < BLOCK_ROWS { 1e-200 } else { 1e200 }
        }),
    ]
}

impl Matrix {
    fn source(&self) -> &Array2<f64> {
        &self.values
    }

    fn blocks(&self) -> usize {
        self.rows.div_ceil(BLOCK_ROWS)
    }

    fn block(&self, b: usize) -> ArrayView2<'_, f64> {
        self.values.slice(s![b * BLOCK_ROWS..self.rows.min((b + 1) * BLOCK_ROWS), ..])
    }

    /// `U`.
    fn basis(&self, svd: &RealSvd) -> Array2<f64> {
        stacked((0..self.blocks()).map(|b| svd.basis(b, self.block(b)).unwrap()))
    }

    /// Without each row's mean.
    fn centered(&self) -> Self {
        let at = |i: usize, j: usize| self.values[[i, j]];
        let mean = |i: usize| (0..self.columns).map(|j| at(i, j)).sum::<f64>() / self.columns as f64;
        matrix(self.name, self.rows, self.columns, |i, j| at(i, j) - mean(i))
    }

    fn largest(&self) -> f64 {
        self.values.iter().fold(0.0, |largest: f64, v| largest.max(v.abs()))
    }
}

fn stacked(parts: impl Iterator<Item = Array2<f64>>) -> Array2<f64> {
    let parts: Vec<_> = parts.collect();
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    ndarray::concatenate(Axis(0), &views).unwrap()
}

/// `|A - U S V^T|_F / |A|_F`, computed on the scale of the largest entry.
fn residual(m: &Matrix, svd: &RealSvd, u: &Array2<f64>) -> f64 {
    let (k, scale) = (svd.s.len(), m.largest());
    let (mut residual, mut norm) = (0.0, 0.0);
    for i in 0..m.rows {
        for j in 0..m.columns {
            let rebuilt: f64 = (0..k).map(|l| u[[i, l]] * (svd.s[l] / scale) * svd.v[[j, l]]).sum();
            let value = m.values[[i, j]] / scale;
            residual += (value - rebuilt).powi(2);
            norm += value * value;
        }
    }
    (residual / norm).sqrt()
}

/// Residual, `U`, `V` in units of the rounding error that a good solver may make.
fn ratios(m: &Matrix, svd: &RealSvd) -> [f64; 3] {
    let u = m.basis(svd);
    let k = svd.s.len();
    let eps = |size: usize| size as f64 * f64::EPSILON;
    [
        residual(m, svd, &u) / eps(m.rows.max(m.columns)),
        loss(u.view()) / eps(m.rows.max(k)),
        loss(svd.v.view()) / eps(m.columns),
    ]
}

#[test]
fn tsqr_passes_the_test_ratios_over_the_zoo() {
    for m in zoo() {
        let svd = tsqr_svd(m.source(), Rank::Full, false, 2).unwrap();
        assert!(!svd.s.is_empty() && svd.s.windows(2).all(|w| w[0] >= w[1]), "{}", m.name);
        assert_eq!(svd.spectrum.len(), m.rows.min(m.columns), "{}", m.name);
        let found = ratios(&m, &svd);
        assert!(found.iter().all(|r| *r <= 10.0), "{}: residual, U, V = {found:.2?}", m.name);
        let largest = |l: usize| {
            let column = (0..m.columns).map(|j| svd.v[[j, l]]);
            column.fold(0.0, |largest: f64, v| if v.abs() > largest.abs() { v } else { largest })
        };
        assert!((0..svd.s.len()).all(|l| largest(l) > 0.0), "{}: sign of V", m.name);
    }
}

#[test]
fn qr_passes_the_test_ratios_over_the_zoo_and_threads_change_no_bit() {
    for m in zoo() {
        let qr = tsqr_qr(m.source(), 1).unwrap();
        let q = |qr: &RealQr| stacked((0..m.blocks()).map(|b| qr.q(b, m.block(b)).unwrap()));
        let (found, k) = (q(&qr), m.rows.min(m.columns));
        assert_eq!((found.dim(), qr.r.dim()), ((m.rows, k), (k, m.columns)), "{}", m.name);
        assert!((0..k).all(|i| qr.r[[i, i]] >= 0.0 && (0..i).all(|j| qr.r[[i, j]] == 0.0)), "{}", m.name);
        let scale = m.largest();
        let rebuilt = found.dot(&qr.r.mapv(|r| r / scale));
        let wanted = m.values.mapv(|v| v / scale);
        let norm = |a: &Array2<f64>| a.iter().map(|x| x * x).sum::<f64>().sqrt();
        let eps = f64::EPSILON * m.rows.max(m.columns) as f64;
        let ratios = [norm(&(rebuilt - &wanted)) / norm(&wanted) / eps, loss(found.view()) / eps];
        assert!(ratios.iter().all(|r| *r <= 10.0), "{}: residual, Q = {ratios:.2?}", m.name);
        let others = tsqr_qr(m.source(), 3).unwrap();
        assert!(others.r == qr.r && q(&others) == found, "{}", m.name);
    }
    assert!(matches!(tsqr_qr(&Array2::<f64>::zeros((3, 0)), 1), Err(Error::ColumnCount { .. })));
}

#[test]
fn centring_is_the_decomposition_without_each_rows_mean() {
    for m in zoo().into_iter().filter(|m| m.columns > 1) {
        let centered = m.centered();
        let expected = tsqr_svd(centered.source(), Rank::Full, false, 2).unwrap().spectrum;
        let all = Randomized::new(m.rows.min(m.columns));
        for svd in [tsqr_svd(m.source(), Rank::Full, true, 2), dspca(m.source(), &all, 2)].map(Result::unwrap)
        {
            // Where the mean is far larger than what is left, removing it rounds in units of the mean.
            let unit = expected[0].max(m.largest()) * m.rows.max(m.columns) as f64 * f64::EPSILON;
            for (a, b) in svd.spectrum.iter().zip(&expected) {
                assert!((a - b).abs() <= 10.0 * unit, "{}: {a:e} {b:e}", m.name);
            }
        }
    }
}

#[test]
fn equal_columns_have_rank_zero_without_their_mean_and_what_differs_is_found() {
    for (columns, unit) in [(2, 0.1), (3, 1e300), (7, 1e-290), (30, 4095.3), (301, 0.7)] {
        let equal = |i: usize| (3.0 + random(i, 0)) * unit;
        let same = matrix("equal columns", 5000, columns, |i, _| equal(i));
        // Small against the matrix, and large against the rounding errors of its means.
        let step = 1e-9 * unit;
        let other = matrix("one differs", 5000, columns, |i, j| {
            equal(i) + if (i, j) == (9, 1) { step * 1e5 } else { 0.0 }
        });
        let methods: [fn(&Matrix) -> RealSvd; 2] = [
            |m| tsqr_svd(m.source(), Rank::Full, true, 2).unwrap(),
            |m| dspca(m.source(), &Randomized::new(1), 2).unwrap(),
        ];
        for method in methods {
            assert_eq!(method(&same).rank, 0, "{columns} columns of {unit:e}");
            let found = method(&other);
            let expected = step * 1e5 * (1.0 - 1.0 / columns as f64).sqrt();
            assert_eq!(found.rank, 1, "{columns} columns of {unit:e}");
            assert!((found.s[0] / expected - 1.0).abs() < 1e-6, "{:e} {expected:e}", found.s[0]);
        }
    }
}

#[test]
fn rank_deficiency_is_reported_and_what_is_below_it_left_out() {
    let by_name = |name: &str| zoo().into_iter().find(|m| m.name == name).unwrap();
    for (name, rank) in [("rank three", 3), ("a constant column and a repeated one", 5)] {
        let svd = tsqr_svd(by_name(name).source(), Rank::Full, false, 1).unwrap();
        assert_eq!((svd.rank, svd.s.len()), (rank, rank), "{name}");
        assert!(svd.spectrum[rank] < 1e-12 * svd.spectrum[0], "{name}");
    }
    let zero = tsqr_svd(&Array2::<f64>::zeros((4, 3)), Rank::Full, false, 1).unwrap();
    assert_eq!((zero.rank, zero.s.len(), zero.energy), (0, 0, 0.0));
    assert_eq!(zero.basis(0, Array2::zeros((4, 3)).view()).unwrap().dim(), (4, 0));
    let empty = tsqr_svd(&Array2::<f64>::zeros((0, 3)), Rank::Full, false, 1).unwrap();
    assert_eq!((empty.rank, empty.s.len()), (0, 0));
}

#[test]
fn graded_columns_keep_every_singular_value_to_full_relative_accuracy() {
    // A = C D with well-conditioned C and diagonal D: all singular values are well determined (Demmel and
    // Veselic 1992), and must not depend on the order of columns and rows. A method that reduces to
    // bidiagonal form, gesdd among them, is off by up to 2^-53 s_1, which is all of the smallest.
    let m = zoo().into_iter().find(|m| m.name == "columns graded to 1e-15").unwrap();
    let n = m.columns;
    let flipped = matrix("reversed", m.rows, n, |i, j| m.values[[m.rows - 1 - i, n - 1 - j]]);
    let [a, b] = [&m, &flipped].map(|m| tsqr_svd(m.source(), Rank::Full, false, 1).unwrap().spectrum);
    assert!(a[0] / a[n - 1] > 1e14);
    for (j, (a, b)) in a.iter().zip(&b).enumerate() {
        assert!((a - b).abs() <= 1e-13 * a, "{j}: {a:e} {b:e}");
    }
}

#[test]
fn threads_and_whoever_reads_a_block_change_no_bit() {
    for m in zoo().into_iter().filter(|m| m.rows > 4000) {
        let options = Randomized { rank: m.columns.min(4), oversample: 3, ..Randomized::new(1) };
        let all = |threads: usize| {
            [
                tsqr_svd(m.source(), Rank::Full, false, threads).unwrap(),
                dssvd(m.source(), &options, threads).unwrap(),
                dspca(m.source(), &options, threads).unwrap(),
            ]
        };
        let reference = all(1);
        for threads in [2, 3, 8] {
            assert!(all(threads) == reference, "{}: {threads} threads", m.name);
        }
        for svd in reference {
            let backwards: Vec<_> =
                (0..m.blocks()).rev().map(|b| svd.basis(b, m.block(b)).unwrap()).collect();
            assert_eq!(stacked(backwards.into_iter().rev()), m.basis(&svd), "{}", m.name);
        }
    }
}

#[test]
fn scaling_by_a_power_of_two_scales_s_and_changes_nothing_else() {
    let m = matrix("noise", 5000, 12, random);
    let all = |m: &Matrix| {
        let options = Randomized::new(5);
        [tsqr_svd(m.source(), Rank::Full, false, 1), dssvd(m.source(), &options, 1)].map(Result::unwrap)
    };
    for power in [-960, -1, 30, 960] {
        let factor = 2f64.powi(power);
        let scaled = matrix("scaled", 5000, 12, |i, j| random(i, j) * factor);
        for (a, b) in all(&m).into_iter().zip(all(&scaled)) {
            assert_eq!(a.s.iter().map(|s| s * factor).collect::<Vec<_>>(), b.s);
            assert_eq!(a.v, b.v);
            assert_eq!(m.basis(&a), scaled.basis(&b));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_shape_decomposes(
        rows in 1usize..300,
        columns in 1usize..40,
        k in 1usize..40,
        seed in any::<u32>(),
    ) {
        let m = matrix("any", rows, columns, |i, j| random(i ^ seed as usize, j));
        let svd = tsqr_svd(m.source(), Rank::Full, false, 1).unwrap();
        let found = ratios(&m, &svd);
        prop_assert!(found.iter().all(|r| *r <= 10.0), "{:.2?}", found);
        // The sketch of all columns spans all of the range: nothing is approximate.
        let k = k.min(rows).min(columns);
        let options = Randomized { rank: k, oversample: columns, power_iterations: 0, seed: 1 };
        let sketched = dssvd(m.source(), &options, 1).unwrap();
        for (a, b) in svd.s.iter().zip(&sketched.s) {
            prop_assert!((a - b).abs() <= 1e-12 * svd.s[0], "{} {}", a, b);
        }
    }
}

#[test]
fn bad_arguments_are_typed_errors() {
    let m = matrix("noise", 50, 4, random);
    let source = m.source();
    for rank in [0, 5] {
        let wrong = Error::RankRange { rank, columns: 4 };
        assert_eq!(tsqr_svd(source, Rank::Columns(rank), false, 1), Err(wrong.clone()));
        assert_eq!(dssvd(source, &Randomized::new(rank), 1), Err(wrong));
    }
    let few = matrix("few", 2, 4, random);
    assert_eq!(dspca(few.source(), &Randomized::new(3), 1), Err(Error::RankRange { rank: 3, columns: 2 }));
    let all = Randomized { oversample: usize::MAX, ..Randomized::new(4) };
    assert_eq!(dssvd(source, &all, 1).unwrap().s.len(), 4);

    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let m = matrix("bad", 5000, 2, |i, j| if (i, j) == (4500, 1) { bad } else { 1.0 });
        let wrong = Error::NotFiniteValue { row: 4500, column: 1 };
        assert_eq!(tsqr_svd(m.source(), Rank::Full, false, 1), Err(wrong.clone()));
        assert_eq!(dssvd(m.source(), &Randomized::new(1), 2), Err(wrong));
    }
    assert!(matches!(column_major::<f64>(&[], usize::MAX, 2), Err(Error::Shape { .. })));
    let none = Array2::<f64>::zeros((5, 0));
    assert!(matches!(tsqr_svd(&none, Rank::Full, false, 1), Err(Error::ColumnCount { .. })));
    let svd = tsqr_svd(source, Rank::Full, false, 1).unwrap();
    assert_eq!(svd.basis(1, m.values.view()), Err(Error::Block { block: 1, blocks: 1 }));
    assert_eq!(svd.basis(0, m.values.slice(s![1.., ..])), Err(Error::Rows { expected: 50, actual: 49 }));
    assert_eq!(svd.basis(0, m.values.slice(s![.., 1..])), Err(Error::Columns { expected: 4, actual: 3 }));
}

/// A source of absurd size.
struct Endless;

impl RealBlocks for Endless {
    type Error = Error;

    fn rows(&self) -> u64 {
        u64::MAX
    }

    fn columns(&self) -> usize {
        3
    }

    fn read(&self, _: usize, _: ArrayViewMut2<f64>) -> Result<(), Error> {
        unreachable!("sizes are checked first")
    }
}

#[test]
fn sizes_that_overflow_are_refused_before_anything_is_read() {
    assert!(matches!(tsqr_svd(&Endless, Rank::Full, false, 1), Err(Error::TooManyRows { .. })));
    assert!(matches!(dssvd(&Endless, &Randomized::new(1), 1), Err(Error::TooManyRows { .. })));
}

/// A source of this many columns whose row i is i + 1 in every third column, from column i on, and zero elsewhere.
struct Wide(usize);

impl RealBlocks for Wide {
    type Error = Error;

    fn rows(&self) -> u64 {
        3
    }

    fn columns(&self) -> usize {
        self.0
    }

    fn read(&self, _: usize, mut values: ArrayViewMut2<f64>) -> Result<(), Error> {
        let entry = |i: usize, j: usize| if j % 3 == i { (i + 1) as f64 } else { 0.0 };
        values.indexed_iter_mut().for_each(|((i, j), v)| *v = entry(i, j));
        Ok(())
    }
}

#[test]
fn randomized_svd_takes_more_columns_than_a_square_matrix_could_have() {
    // Rows are orthogonal: singular values are their lengths.
    let columns = 20_001;
    let svd = dssvd(&Wide(columns), &Randomized::new(3), 1).unwrap();
    let length = (columns as f64 / 3.0).sqrt();
    for (s, size) in svd.s.iter().zip([3.0, 2.0, 1.0]) {
        assert!((s / (size * length) - 1.0).abs() < 1e-12, "{s}");
    }
    let refused = |limit, actual| Err(Error::ColumnCount { limit, actual });
    assert_eq!(tsqr_svd(&Wide(columns), Rank::Columns(3), false, 1), refused(16_384, columns));
    assert_eq!(dssvd(&Wide(65_537), &Randomized::new(3), 1), refused(65_536, 65_537));
}

#[test]
fn singular_values_beyond_double_precision_are_refused() {
    let m = matrix("beyond", 5000, 3, |_, _| f64::MAX);
    assert_eq!(tsqr_svd(m.source(), Rank::Full, false, 1), Err(Error::SingularValueRange { column: 0 }));
}

#[test]
fn leading_columns_are_those_of_the_whole_and_the_removed_means_are_told() {
    let m = matrix("far from zero", BLOCK_ROWS + 100, 40, |i, j| 1e6 + random(i, j));
    let options = Randomized { rank: 20, ..Randomized::new(20) };
    for svd in [
        tsqr_svd(m.source(), Rank::Full, true, 2).unwrap(),
        dspca(m.source(), &options, 2).unwrap(),
        dssvd(m.source(), &options, 2).unwrap(),
    ] {
        let k = svd.s.len();
        for cut in [1, 7, 8, 9, k, k + 3] {
            let kept = cut.min(k);
            let first = |columns: &Array2<f64>| columns.slice(s![.., ..kept]).to_owned();
            let leading = svd.clone().leading(cut);
            assert_eq!(leading.s, svd.s[..kept]);
            assert_eq!(leading.v, first(&svd.v));
            for b in 0..m.blocks() {
                let (values, whole) = (m.block(b), svd.basis(b, m.block(b)).unwrap());
                assert_eq!(svd.leading_basis(b, values, cut).unwrap(), first(&whole));
                assert_eq!(leading.basis(b, values).unwrap(), first(&whole));
            }
        }
    }
    let centered = tsqr_svd(m.source(), Rank::Full, true, 1).unwrap();
    let plain = tsqr_svd(m.source(), Rank::Full, false, 1).unwrap();
    let block = m.block(1);
    assert!(plain.row_means(1, block).unwrap().is_empty());
    let means = centered.row_means(1, block).unwrap();
    assert_eq!(means.len(), 100);
    for (i, mean) in means.iter().enumerate() {
        let exact = (0..40).map(|j| block[[i, j]]).sum::<f64>() / 40.0;
        assert!((mean - exact).abs() < 1e-9, "{mean} {exact}");
    }
}
