mod hard;
mod starts;

use super::*;
use crate::{GramAccumulator, Rescale, column_major, rounding::nearest_signed};
use ndarray::array;

/// Order, range and (within a factor of four) condition of some [`unimodular`] matrices.
const CONDITIONS: [(usize, i64, f64); 7] =
    [(4, 1, 1e1), (6, 2, 2e3), (10, 2, 1e4), (8, 3, 2e6), (12, 3, 1e8), (11, 3, 7e9), (10, 9, 2e13)];

/// A product of a lower and an upper triangular integer matrix with ones on the diagonal: its determinant is
/// 1, so the smallest singular values are as small as the others are large.
fn unimodular(n: usize, range: i64) -> Vec<i16> {
    let random = noise(n, n, 5, range);
    let lower = |i: usize, j: usize| if i == j { 1 } else { i64::from(random[i * n + j]) * i64::from(i > j) };
    let upper = |i: usize, j: usize| if i == j { 1 } else { i64::from(random[i * n + j]) * i64::from(i < j) };
    let entry = |i: usize, j: usize| (0..n).map(|l| lower(i, l) * upper(l, j)).sum::<i64>() as i16;
    (0..n).flat_map(|j| (0..n).map(move |i| (i, j))).map(|(i, j)| entry(i, j)).collect()
}

/// A deterministic int16 matrix, column after column.
fn noise(rows: usize, columns: usize, seed: u64, range: i64) -> Vec<i16> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..rows * columns)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as i64 % (2 * range + 1) - range) as i16
        })
        .collect()
}

fn gram(values: &[i16], rows: usize, columns: usize) -> GramMatrix {
    let mut g = GramAccumulator::new(columns).unwrap();
    g.add(column_major(values, rows, columns).unwrap()).unwrap();
    g.finish(&vec![Rescale::IDENTITY; columns]).unwrap()
}

fn svd(values: &[i16], rows: usize, columns: usize) -> CertifiedSvd {
    certified_svd(&gram(values, rows, columns), Rank::Full, 1).unwrap()
}

#[test]
fn a_two_by_two_matrix_has_the_singular_values_of_the_quadratic_formula() {
    // A = [[2, 1], [1, 1]]: G = [[5, 3], [3, 2]], lambda = (7 +- sqrt 45) / 2.
    let r = svd(&[2, 1, 1, 1], 2, 2);
    assert_eq!(r.rank, 2);
    let golden = (1.0 + 5f64.sqrt()) / 2.0;
    assert_eq!(r.s, [golden * golden, 1.0 / (golden * golden)]);
    let norm = (1.0 + golden * golden).sqrt();
    assert!((r.v[[0, 0]] - golden / norm).abs() < 1e-15 && (r.v[[1, 0]] - 1.0 / norm).abs() < 1e-15);
    assert!(r.unresolved.is_empty());
}

#[test]
fn a_witness_rounds_to_the_vectors_and_has_all_of_equal_values() {
    let entries = |svd: &CertifiedSvd, witness: &Witness, j: usize| {
        let unit = pow2(-(witness.fraction_bits as i32));
        let column: Vec<f64> = witness.vectors[j].iter().map(|x| nearest_signed(x, 0) * unit).collect();
        let sign = canonical_sign(column.iter().copied());
        column.iter().zip(svd.v.column(j)).all(|(x, v)| (sign * x - v).abs() < 1e-15)
    };
    let g = gram(&noise(300, 30, 8, 1500), 300, 30);
    let (svd, witness) = certified_svd_with_witness(&g, Rank::Columns(5), 1).unwrap();
    assert_eq!(svd, certified_svd(&g, Rank::Columns(5), 1).unwrap());
    assert_eq!((witness.vectors.len(), witness.vectors[0].len()), (5, 30));
    assert!((0..5).all(|j| entries(&svd, &witness, j)));
    // Singular values 3, 2, 2, 2, 1, of which two are asked for.
    let diagonal: Vec<i16> =
        (0..25).map(|at| if at % 6 == 0 { [2, 1, 3, 2, 2][at / 6] } else { 0 }).collect();
    let (svd, witness) = certified_svd_with_witness(&gram(&diagonal, 5, 5), Rank::Columns(2), 1).unwrap();
    assert_eq!((svd.s, svd.unresolved), (vec![3.0, 2.0], vec![1]));
    assert_eq!(witness.vectors.len(), 4);
}

#[test]
fn permuting_the_columns_permutes_the_rows_of_v() {
    let (rows, n) = (150, 20);
    let values = noise(rows, n, 3, 2000);
    let permutation: Vec<usize> = (0..n).map(|j| (j * 7 + 3) % n).collect();
    let permuted: Vec<i16> =
        permutation.iter().flat_map(|&j| values[j * rows..(j + 1) * rows].to_vec()).collect();
    let (a, b) = (svd(&values, rows, n), svd(&permuted, rows, n));
    assert_eq!(a.s, b.s);
    for (i, &j) in permutation.iter().enumerate() {
        assert_eq!(b.v.row(i), a.v.row(j));
    }
}

#[test]
fn scaling_by_a_power_of_two_scales_s_and_leaves_v() {
    let values = noise(90, 12, 5, 700);
    let scaled: Vec<i16> = values.iter().map(|v| v * 8).collect();
    let (a, b) = (svd(&values, 90, 12), svd(&scaled, 90, 12));
    assert_eq!(a.v, b.v);
    assert_eq!(a.s.iter().map(|s| s * 8.0).collect::<Vec<_>>(), b.s);
}

#[test]
fn fewer_columns_are_the_leading_columns_of_all() {
    let g = gram(&noise(300, 30, 8, 1500), 300, 30);
    let all = certified_svd(&g, Rank::Full, 2).unwrap();
    let some = certified_svd(&g, Rank::Columns(7), 1).unwrap();
    assert_eq!(some.s, all.s[..7]);
    assert_eq!(some.rank, all.rank);
    assert_eq!(some.v, all.v.slice(s![.., ..7]));
    let leading = all.leading(7);
    assert_eq!((leading.s, leading.v, leading.v_low), (some.s, some.v, some.v_low));
    assert_eq!(leading.compensated, some.compensated);
}

#[test]
fn rank_is_that_of_the_matrix_for_zero_constant_and_repeated_columns() {
    let rows = 64;
    let base = noise(rows, 5, 11, 500);
    let column = |j: usize| base[j * rows..(j + 1) * rows].to_vec();
    let zero = vec![0i16; rows];
    let repeated = [column(0), column(1), column(0), zero.clone(), column(2), column(1)].concat();
    let r = svd(&repeated, rows, 6);
    assert_eq!((r.rank, r.s.len()), (3, 3));
    assert!(r.unresolved.is_empty());
    // The repeated columns have the same weights, the empty one none.
    for j in 0..3 {
        assert_eq!(r.v[[0, j]], r.v[[2, j]]);
        assert_eq!(r.v[[1, j]], r.v[[5, j]]);
        assert_eq!(r.v[[3, j]], 0.0);
    }
    assert_eq!(svd(&zero, rows, 1).rank, 0);
    let constant = svd(&[7; 64 * 4], rows, 4);
    assert_eq!((constant.rank, constant.s.clone()), (1, vec![7.0 * 16.0]));
    assert_eq!(constant.v, array![[0.5], [0.5], [0.5], [0.5]]);
}

#[test]
fn one_column_one_row_and_fewer_rows_than_columns() {
    let one = svd(&[3, 4], 2, 1);
    assert_eq!((one.s, one.v), (vec![5.0], array![[1.0]]));
    let row = svd(&[3, -4], 1, 2);
    assert_eq!((row.rank, row.s), (1, vec![5.0]));
    assert_eq!(row.v, array![[-0.6], [0.8]]);
    assert_eq!(svd(&noise(3, 9, 2, 99), 3, 9).rank, 3);
}

#[test]
fn equal_singular_values_are_named_and_get_the_canonical_basis() {
    // Orthogonal columns of equal norm: every basis is right, the canonical one is the unit vectors.
    let r = svd(&[3, 0, 0, 0, 3, 0, 0, 0, 3], 3, 3);
    assert_eq!(r.s, [3.0; 3]);
    assert_eq!(r.unresolved, [0, 1, 2]);
    assert_eq!(r.v, Array2::<f64>::eye(3));
    // A pair of equal values beside a larger one.
    let r = svd(&[5, 0, 0, 0, 2, 0, 0, 0, 2], 3, 3);
    assert_eq!(r.s, [5.0, 2.0, 2.0]);
    assert_eq!(r.unresolved, [1, 2]);
    // Equal largest values do not keep the others from being proven.
    let r = svd(&[5, 0, 0, 0, 5, 0, 0, 0, 2], 3, 3);
    assert_eq!((r.s, r.unresolved), (vec![5.0, 5.0, 2.0], vec![0, 1]));
}

#[test]
fn small_singular_values_are_right_at_condition_ten_to_the_tenth() {
    // G = L L^T with a known tiny eigenvalue: columns nearly dependent, A = [u, u + e_0, ..].
    let rows = 1 << 12;
    let u = noise(rows, 1, 21, 30_000);
    let mut almost = u.clone();
    almost[17] += 1;
    let r = svd(&[u.clone(), almost].concat(), rows, 2);
    assert_eq!(r.rank, 2);
    // det G = |u|^2 |e|^2 - (u.e)^2, an integer; s_1^2 s_2^2 = det G.
    let norm: i128 = u.iter().map(|&v| i128::from(v).pow(2)).sum();
    let det = norm - i128::from(u[17]).pow(2);
    let product = r.s[0] * r.s[1];
    assert!((product / (det as f64).sqrt() - 1.0).abs() < 1e-15);
    assert!(r.s[0] / r.s[1] > 1e6);
}

#[test]
fn ranks_outside_one_to_n_are_typed_errors() {
    let g = gram(&noise(10, 3, 1, 9), 10, 3);
    for rank in [0, 4] {
        assert_eq!(certified_svd(&g, Rank::Columns(rank), 1), Err(Error::RankRange { rank, columns: 3 }));
    }
}
