//! Properties of the public functions over random shapes and values, each against its definition. Those that
//! have theirs beside the code are not repeated here: Gram accumulators, certified SVD, projections, tree,
//! TSQR nodes (`src`), the real-valued drivers (`real.rs`).

use proptest::collection::vec;
use proptest::prelude::*;
use tomobasis_linalg::{
    Error, GramAccumulator, Projector, Randomized, Rank, RealBlocks, Rescale, certified_svd, column_major,
    dspca, energy_rank, estimated_noise, optimal_rank, philox4x32_10, tsqr_svd,
};

fn descending(mut s: Vec<f64>) -> Vec<f64> {
    s.sort_by(|a, b| b.total_cmp(a));
    s
}

proptest! {
    #[test]
    fn values_by_columns_are_the_view_that_the_shape_says_or_an_error(
        values in vec(any::<u16>(), 0..60), rows in 0usize..9, columns in 0usize..9,
    ) {
        match column_major(&values, rows, columns) {
            Ok(block) => {
                prop_assert_eq!(block.dim(), (rows, columns));
                let joined: Vec<u16> = (0..columns).flat_map(|j| block.column(j).to_vec()).collect();
                prop_assert_eq!(joined, values);
            }
            Err(error) => {
                prop_assert_ne!(rows * columns, values.len());
                prop_assert_eq!(error, Error::Shape { rows, columns, actual: values.len() });
            }
        }
    }

    /// Halves and intercepts of 20 bits: the real value has fewer than 53 bits.
    #[test]
    fn rescaled_values_are_exact_where_they_fit(
        value in any::<i16>(), halves in -4000i32..4000, intercept in -1_000_000i32..1_000_000,
    ) {
        let (slope, intercept) = (f64::from(halves) / 2.0, f64::from(intercept));
        let real = Rescale { slope, intercept, offset: 32_768 }.apply(value);
        let twice = i64::from(halves) * (i64::from(value) + 32_768) + 2 * intercept as i64;
        prop_assert_eq!(2.0 * real, twice as f64);
    }

    #[test]
    fn leading_columns_are_those_of_the_run_that_asks_for_them(
        n in 1usize..8, k in 1usize..8, rows in 1usize..20, values in vec(-9i16..9, 160),
    ) {
        let (k, values) = (k.min(n), &values[..rows * n]);
        let mut sum = GramAccumulator::new(n).unwrap();
        sum.add(column_major(values, rows, n).unwrap()).unwrap();
        let gram = sum.finish(&vec![Rescale::IDENTITY; n]).unwrap();
        let energy: f64 = values.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
        prop_assert_eq!((gram.n(), gram.rows(), gram.trace()), (n, rows as u64, energy));
        let full = certified_svd(&gram, Rank::Full, 1).unwrap().leading(k);
        let asked = certified_svd(&gram, Rank::Columns(k), 1).unwrap();
        prop_assert_eq!((full.s, full.v, full.v_low), (asked.s, asked.v, asked.v_low));
        prop_assert_eq!((full.rank, full.energy), (asked.rank, asked.energy));
    }

    #[test]
    fn composites_of_all_columns_give_back_the_scan(
        n in 1usize..8, rows in 1usize..30, values in vec(-2000i16..2000, 240), slope in 1i32..4,
    ) {
        let rescale = vec![Rescale { slope: f64::from(slope), intercept: -1024.0, offset: 0 }; n];
        let block = column_major(&values[..rows * n], rows, n).unwrap();
        let mut sum = GramAccumulator::new(n).unwrap();
        sum.add(block).unwrap();
        let svd = certified_svd(&sum.finish(&rescale).unwrap(), Rank::Full, 1).unwrap();
        let p = Projector::new(&svd, &rescale).unwrap();
        prop_assert_eq!((p.columns(), p.rank()), (n, svd.s.len()));
        let largest = svd.s.first().copied().unwrap_or(0.0);
        let columns: Vec<usize> = (0..n).rev().collect();
        let t = p.project(block).unwrap();
        let rebuilt = p.composites(t.view(), &[svd.s.len()], &columns).unwrap();
        let originals = p.originals(block, &columns).unwrap();
        for (jj, &j) in columns.iter().enumerate() {
            for i in 0..rows {
                let (real, rebuilt) = (rescale[j].apply(block[[i, j]]), rebuilt[[0, i, jj]]);
                prop_assert_eq!(originals[[i, jj]], real);
                prop_assert!((rebuilt - real).abs() <= 1e-12 * largest, "{} {}", rebuilt, real);
            }
        }
    }

    #[test]
    fn the_energy_rank_is_the_smallest_that_reaches_the_fraction(
        s in vec(0.0f64..100.0, 0..20), fraction in 0.0f64..1.2,
    ) {
        let s = descending(s);
        let energy = |k: usize| s[..k].iter().fold(0.0, |sum, s| sum + s * s);
        let (total, k) = (energy(s.len()), energy_rank(&s, energy(s.len()), fraction));
        prop_assert!(k == s.len() || energy(k) >= fraction * total);
        prop_assert!(k == 0 || energy(k - 1) < fraction * total);
    }

    #[test]
    fn ranks_by_threshold_count_what_is_above_it_at_any_scale(
        s in vec(0.01f64..100.0, 1..20), more in 0u64..50, power in -300i32..300,
    ) {
        let s = descending(s);
        let columns = s.len();
        let (rows, scale) = (columns as u64 + more, 2f64.powi(power));
        let scaled: Vec<f64> = s.iter().map(|s| s * scale).collect();
        let (beta, long) = (columns as f64 / rows as f64, rows as f64);
        let noise = estimated_noise(&s, rows, columns);
        // The threshold for noise of known standard deviation, lambda(beta) sqrt(long) sigma, at the estimate.
        let sum = beta + 1.0;
        let lambda = (2.0 * sum + 8.0 * beta / (sum + (beta * beta + 14.0 * beta + 1.0).sqrt())).sqrt();
        let threshold = lambda * long.sqrt() * noise;
        let above = |factor: f64| s.iter().filter(|&&s| s > threshold * factor).count();
        let rank = optimal_rank(&s, rows, columns);
        prop_assert!((above(1.0 + 1e-12)..=above(1.0 - 1e-12)).contains(&rank));
        prop_assert_eq!(optimal_rank(&scaled, rows, columns), rank);
        prop_assert_eq!(estimated_noise(&scaled, rows, columns), noise * scale);
    }

    /// Philox is a bijection of the counter for every key: other counters, other words.
    #[test]
    fn counters_that_differ_give_words_that_differ(
        a in any::<[u32; 4]>(), b in any::<[u32; 4]>(), key in any::<[u32; 2]>(),
    ) {
        prop_assert_eq!(philox4x32_10(a, key) == philox4x32_10(b, key), a == b);
        let [x, y, z, w] = a;
        prop_assert_ne!(philox4x32_10([x ^ 1, y, z, w], key), philox4x32_10(a, key));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A sketch as wide as the matrix spans all of it, so nothing is approximate.
    #[test]
    fn principal_components_are_the_svd_of_the_centered_matrix(
        rows in 2usize..60, columns in 2usize..12, seed in any::<u32>(),
    ) {
        let word = |i: usize, j: usize| philox4x32_10([i as u32, j as u32, seed, 5], [0, 0])[0];
        let value = |i: usize, j: usize| f64::from(word(i, j) >> 20);
        let values: Vec<f64> = (0..columns * rows).map(|at| value(at % rows, at / rows)).collect();
        let mean = |i: usize| (0..columns).map(|j| value(i, j)).sum::<f64>() / columns as f64;
        let centered: Vec<f64> = (0..columns * rows).map(|at| values[at] - mean(at % rows)).collect();
        let source = column_major(&values, rows, columns).unwrap();
        prop_assert_eq!((RealBlocks::rows(&source), RealBlocks::columns(&source)), (rows as u64, columns));
        let centered = column_major(&centered, rows, columns).unwrap();
        let exact = tsqr_svd(&centered, Rank::Full, false, 1).unwrap();
        let options = Randomized { seed: u64::from(seed), ..Randomized::new(rows.min(columns)) };
        let pca = dspca(&source, &options, 1).unwrap();
        for (a, b) in pca.spectrum.iter().zip(&exact.spectrum) {
            prop_assert!((a - b).abs() <= 1e-12 * exact.s[0], "{} {}", a, b);
        }
        // Components are of the centered matrix: each column of V sums to zero.
        for l in 0..pca.s.len() {
            let sum: f64 = (0..columns).map(|j| pca.v[[j, l]]).sum();
            prop_assert!(sum.abs() <= 1e-11 * pca.s[0] / pca.s[l], "{}", sum);
        }
    }
}
