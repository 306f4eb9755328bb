//! Matrices without each row's mean, without each column's, and without both: against the matrix that was centered
//! beforehand, where all means are integers, and against single divisions, which IEEE 754 rounds correctly.

use ndarray::Array2;
use tomobasis_linalg::{
    Center, CertifiedSvd, GramAccumulator, Projector, Rank, Rescale, SvdView, certified_svd, column_major,
};

const ALL: [Center; 3] = [Center::Rows, Center::Columns, Center::Both];

fn sums(values: &[i16], rows: usize, columns: usize) -> GramAccumulator {
    let mut sums = GramAccumulator::new(columns).unwrap();
    sums.add(column_major(values, rows, columns).unwrap()).unwrap();
    sums
}

fn svd(values: &[i16], rows: usize, rescale: &[Rescale], center: Option<Center>) -> CertifiedSvd {
    let gram = sums(values, rows, rescale.len()).finish_centered(rescale, center).unwrap();
    certified_svd(&gram, Rank::Full, 1).unwrap()
}

/// `values` without their means, all of which are integers.
fn centered(values: &[i16], rows: usize, columns: usize, center: Center) -> Vec<i16> {
    let at = |i: usize, j: usize| i64::from(values[j * rows + i]);
    let row = |i: usize| (0..columns).map(|j| at(i, j)).sum::<i64>() / columns as i64;
    let column = |j: usize| (0..rows).map(|i| at(i, j)).sum::<i64>() / rows as i64;
    let all = (0..rows).map(row).sum::<i64>() / rows as i64;
    let entry = |i: usize, j: usize| match center {
        Center::Rows => at(i, j) - row(i),
        Center::Columns => at(i, j) - column(j),
        Center::Both => at(i, j) - row(i) - column(j) + all,
    };
    (0..columns).flat_map(|j| (0..rows).map(move |i| entry(i, j) as i16)).collect()
}

/// Integers whose means over rows, columns and all are integers.
fn divisible(rows: usize, columns: usize) -> Vec<i16> {
    let random = |i: usize| (i * i * 7919 + i * 104_729 + 17) % 1009 % 151;
    (0..rows * columns).map(|i| (rows * columns * random(i)) as i16).collect()
}

#[test]
fn the_result_is_that_of_the_matrix_centered_beforehand() {
    let (rows, columns) = (10, 6);
    let values = divisible(rows, columns);
    let rescale = vec![Rescale::IDENTITY; columns];
    for center in ALL {
        let beforehand = centered(&values, rows, columns, center);
        let expected = svd(&beforehand, rows, &rescale, None);
        let ours = svd(&values, rows, &rescale, Some(center));
        assert_eq!((&ours.s, &ours.v, ours.rank), (&expected.s, &expected.v, expected.rank), "{center:?}");
        assert_eq!(ours.energy, expected.energy);
        assert_eq!(ours.rank, if center == Center::Columns { 6 } else { 5 });

        let centering = sums(&values, rows, columns).centering(center);
        let k = ours.s.len();
        for compensated in [false, true] {
            let flags = vec![compensated; k];
            let project = |values: &[i16], centering| {
                let low = Array2::zeros((columns, k));
                let view = SvdView { s: &ours.s, v: ours.v.view(), v_low: low.view(), compensated: &flags };
                let p = Projector::centered(view, &rescale, centering);
                p.unwrap().project(column_major(values, rows, columns).unwrap()).unwrap()
            };
            let (t, explicit) = (project(&values, Some(&centering)), project(&beforehand, None));
            if compensated {
                // V as it is rounded has a mean of its own, which is removed.
                let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * ours.s[0];
                assert!(t.iter().zip(&explicit).all(close), "{center:?}");
            } else {
                assert_eq!(t, explicit, "{center:?}");
            }
        }
    }
}

#[test]
fn nothing_is_left_of_equal_columns_of_one_column_and_of_constant_columns() {
    let column = [5i16, -7, 32_767, -32_768, 0, 9];
    let rescale = |n: usize| vec![Rescale { slope: 0.1, intercept: -1024.7, offset: 0 }; n];
    let equal: Vec<i16> = column.iter().copied().cycle().take(6 * 7).collect();
    for (values, rows, columns, left) in [
        (equal, 6, 7, Some(Center::Columns)),
        (column.to_vec(), 6, 1, Some(Center::Columns)),
        (column.to_vec(), 1, 6, Some(Center::Rows)),
        ([3i16; 12].to_vec(), 4, 3, None),
        ([vec![3i16; 4], vec![-90; 4], vec![7; 4]].concat(), 4, 3, Some(Center::Rows)),
    ] {
        for center in ALL {
            let ours = svd(&values, rows, &rescale(columns), Some(center));
            assert_eq!(ours.rank, usize::from(left == Some(center)), "{rows} x {columns}, {center:?}");
            assert_eq!(ours.energy == 0.0, left != Some(center));
        }
    }
}

#[test]
fn centered_entries_and_means_are_rounded_once() {
    let (rows, columns) = (5, 3);
    let values: Vec<i16> = (0..15).map(|i: i32| (i * i * 677 % 30_011 - 15_000) as i16).collect();
    let at = |i: usize, j: usize| i64::from(values[j * rows + i]);
    let row = |i: usize| (0..columns).map(|j| at(i, j)).sum::<i64>();
    let column = |j: usize| (0..rows).map(|i| at(i, j)).sum::<i64>();
    let all: i64 = (0..columns).map(column).sum();
    let (identity, zeros) = (Array2::eye(3), Array2::zeros((3, 3)));
    // With the second the integers need more than 53 bits; the intercept is in every mean and in no difference.
    for (slope, intercept) in [(1.0, 0.0), (2f64.powi(-30), 2f64.powi(20))] {
        let rescale = vec![Rescale { slope, intercept, offset: 0 }; columns];
        for center in ALL {
            let centering = sums(&values, rows, columns).centering(center);
            let ones = [1.0; 3];
            let view =
                SvdView { s: &ones, v: identity.view(), v_low: zeros.view(), compensated: &[false; 3] };
            let p = Projector::centered(view, &rescale, Some(&centering));
            let (p, block) = (p.unwrap(), column_major(&values, rows, columns).unwrap());
            let t = p.project(block).unwrap();
            for i in 0..rows {
                for j in 0..columns {
                    let expected = match center {
                        Center::Rows => (3 * at(i, j) - row(i)) as f64 / 3.0,
                        Center::Columns => (5 * at(i, j) - column(j)) as f64 / 5.0,
                        Center::Both => (15 * at(i, j) - 5 * row(i) - 3 * column(j) + all) as f64 / 15.0,
                    };
                    assert_eq!(t[[i, j]], expected * slope, "{center:?} {i} {j}");
                }
            }
            let means = p.row_means(block).unwrap();
            assert_eq!(means.len(), if center.rows() { rows } else { 0 });
            if slope == 1.0 {
                means.iter().enumerate().for_each(|(i, &mean)| assert_eq!(mean, row(i) as f64 / 3.0));
                let terms = |j| match center {
                    Center::Both => (3 * column(j) - all) as f64 / 15.0,
                    _ => column(j) as f64 / 5.0,
                };
                p.column_terms().iter().enumerate().for_each(|(j, &term)| assert_eq!(term, terms(j)));
            }
            assert_eq!(p.column_terms().len(), if center.columns() { columns } else { 0 });
        }
    }
}
