//! Many slices: the refinement touches the wanted columns only, so a thousand slices take seconds.

use tomobasis_linalg::{GramAccumulator, Rank, Rescale, certified_svd, column_major};

/// A matrix of waves and noise, column after column.
fn matrix(rows: usize, columns: usize) -> Vec<i16> {
    let noise = |at: usize| ((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 57) as f64;
    let wave = |i: usize, j: usize| {
        (i as f64 / 70.0).sin() * 900.0 + (i as f64 / 31.0 + j as f64 / 99.0).cos() * 500.0
    };
    (0..rows * columns).map(|at| (wave(at % rows, at / rows) + noise(at)) as i16).collect()
}

#[test]
fn leading_triplets_of_a_thousand_slices_satisfy_their_equations() {
    let (rows, n, k) = (1200, 1000, 6);
    let values = matrix(rows, n);
    let mut gram = GramAccumulator::new(n).unwrap();
    gram.add(column_major(&values, rows, n).unwrap()).unwrap();
    let r = certified_svd(&gram.finish(&vec![Rescale::IDENTITY; n]).unwrap(), Rank::Columns(k), 2).unwrap();
    assert_eq!((r.s.len(), r.rank, r.unresolved.len()), (k, n, 0));
    assert!(r.bounds.v < 1e-20, "{:e}", r.bounds.v);
    for a in 0..k {
        // u = A v / s has length 1, and A^T u = s v.
        let mut u = vec![0.0; rows];
        for (column, v) in values.chunks_exact(rows).zip(r.v.rows()) {
            u.iter_mut().zip(column).for_each(|(u, &x)| *u += f64::from(x) * v[a] / r.s[a]);
        }
        let length: f64 = u.iter().map(|u| u * u).sum();
        assert!((length - 1.0).abs() < 1e-11, "{length}");
        for (column, v) in values.chunks_exact(rows).zip(r.v.rows()) {
            let dot: f64 = u.iter().zip(column).map(|(u, &x)| u * f64::from(x)).sum();
            assert!((dot - r.s[a] * v[a]).abs() < 1e-11 * r.s[0]);
        }
    }
}
