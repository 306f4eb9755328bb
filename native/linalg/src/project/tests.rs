use super::*;
use crate::column_major;
use ndarray::{Axis, array, s};
use proptest::prelude::*;

struct Case {
    n: usize,
    k: usize,
    rows: usize,
    values: Vec<i16>,
    v: Vec<f64>,
    s: Vec<f64>,
    rescale: Vec<Rescale>,
}

fn case(n: usize, k: usize, rows: usize) -> Case {
    let hash =
        |i: usize| ((i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1u64 << 53) as f64;
    Case {
        n,
        k,
        rows,
        values: (0..n * rows).map(|i| (hash(i) * 4096.0) as i16 - 1024).collect(),
        v: (0..n * k).map(|i| hash(i + 1000) - 0.5).collect(),
        s: (0..k).map(|j| 100.0 / (j + 1) as f64).collect(),
        rescale: (0..n)
            .map(|j| Rescale { slope: 1.0 + j as f64 / 8.0, intercept: -1024.0, offset: 0 })
            .collect(),
    }
}

impl Case {
    fn projector(&self, low: &[f64], compensated: &[bool]) -> Projector {
        let (v, v_low) = (self.words(&self.v), self.words(low));
        let view = SvdView { s: &self.s, v, v_low, compensated };
        Projector::new(view, &self.rescale).unwrap()
    }

    fn plain(&self) -> Projector {
        self.projector(&vec![0.0; self.n * self.k], &vec![false; self.k])
    }

    /// Numbers of the shape of V.
    fn words<'a>(&self, values: &'a [f64]) -> ArrayView2<'a, f64> {
        ArrayView2::from_shape((self.n, self.k), values).unwrap()
    }

    fn block(&self) -> ArrayView2<'_, i16> {
        column_major(&self.values, self.rows, self.n).unwrap()
    }

    fn real(&self, row: usize, l: usize) -> f64 {
        self.rescale[l].apply(self.values[l * self.rows + row])
    }

    fn chain(&self, row: usize, j: usize) -> f64 {
        (0..self.n).fold(0.0, |sum, l| self.real(row, l).mul_add(self.v[l * self.k + j], sum))
    }
}

proptest! {
    #[test]
    fn every_entry_is_one_chain_in_ascending_order_for_any_shape(
        n in 1usize..40,
        k in 1usize..20,
        rows in 0usize..210,
    ) {
        let c = case(n, k, rows);
        let p = c.plain();
        let t = p.project(c.block()).unwrap();
        let u = p.basis(t.view()).unwrap();
        prop_assert_eq!((t.dim(), u.dim()), ((rows, k), (rows, k)));
        for r in 0..rows {
            for j in 0..k {
                let expected = c.chain(r, j);
                prop_assert_eq!(t[[r, j]].to_bits(), expected.to_bits());
                prop_assert_eq!(u[[r, j]].to_bits(), (expected / c.s[j]).to_bits());
            }
        }
    }

    /// Whatever the values, columns from exact sums are the true sums, rounded once.
    #[test]
    fn exact_columns_are_the_nearest_to_the_true_sum_for_any_values(
        n in 1usize..30,
        values in proptest::collection::vec(any::<i16>(), 30),
        weights in proptest::collection::vec((-1i64 << 53..1i64 << 53, -1i64 << 24..1i64 << 24), 30),
        intercept in -4096i32..4096,
    ) {
        let unit = |v: i64, bits: i32| v as f64 * 2f64.powi(-bits);
        let c = Case {
            n,
            k: 1,
            rows: 1,
            values: values[..n].to_vec(),
            // Multiples of 2^-92: all the fixed point that slopes of 1 have.
            v: weights[..n].iter().map(|w| unit(w.0, 53)).collect(),
            s: vec![1.0],
            rescale: vec![Rescale { slope: 1.0, intercept: f64::from(intercept), offset: 0 }; n],
        };
        let low: Vec<f64> = weights[..n].iter().map(|w| unit(w.1, 92)).collect();
        let t = c.projector(&low, &[true]).project(c.block()).unwrap();
        prop_assert_eq!(t[[0, 0]].to_bits(), exact(&c, &low, 0, 0).to_bits());
    }
}

#[test]
fn composites_are_chains_over_the_leading_columns_and_share_their_prefix() {
    let c = case(21, 13, 101);
    let p = c.plain();
    let t = p.project(c.block()).unwrap();
    let (ranks, columns) = ([0, 1, 5, 13], [20, 0, 7]);
    let out = p.composites(t.view(), &ranks, &columns).unwrap();
    for (a, &rank) in ranks.iter().enumerate() {
        for (jj, &j) in columns.iter().enumerate() {
            for r in 0..c.rows {
                let expected = (0..rank).fold(0.0, |sum: f64, l| t[[r, l]].mul_add(c.v[j * c.k + l], sum));
                assert_eq!(out[[a, r, jj]].to_bits(), expected.to_bits());
            }
        }
    }
}

/// The exact sum over big integers at 2^-400, rounded once.
fn exact(c: &Case, low: &[f64], row: usize, j: usize) -> f64 {
    let at = |v: f64| {
        let (mantissa, exponent) = crate::affine::dyadic(v);
        num_bigint::BigInt::from(mantissa) << (exponent + 200)
    };
    let real = |l: usize| {
        let r = c.rescale[l];
        at(r.slope) * (i32::from(c.values[l * c.rows + row]) + r.offset) + at(r.intercept)
    };
    let sum: num_bigint::BigInt =
        (0..c.n).map(|l| real(l) * (at(c.v[l * c.k + j]) + at(low[l * c.k + j]))).sum();
    let value = crate::rounding::nearest(sum.magnitude(), -400);
    if sum.sign() == num_bigint::Sign::Minus { -value } else { value }
}

#[test]
fn columns_of_small_singular_values_are_the_nearest_to_the_exact_sum() {
    let mut c = case(40, 3, 100);
    for (slope, intercept, offset) in [(1.0, -1024.0, 0), (1.0, 0.0, 32_768), (4.0, 3.0, 0)] {
        c.rescale.fill(Rescale { slope, intercept, offset });
        // Multiples of 2^-64 and of 2^-92, so that nothing is lost when slope times V is put in fixed point.
        let unit = |v: f64, bits: i32| (v * 2f64.powi(bits)).round() * 2f64.powi(-bits);
        c.v.iter_mut().for_each(|v| *v = unit(*v, 64));
        let low: Vec<f64> = (0..c.v.len()).map(|i| unit(c.v[i] * 1e-17, 92)).collect();
        let p = c.projector(&low, &[false, true, true]);
        let t = p.project(c.block()).unwrap();
        for r in 0..c.rows {
            assert_eq!(t[[r, 0]].to_bits(), c.chain(r, 0).to_bits());
            assert_eq!(t[[r, 1]].to_bits(), exact(&c, &low, r, 1).to_bits());
            assert_eq!(t[[r, 2]].to_bits(), exact(&c, &low, r, 2).to_bits());
        }
    }
}

#[test]
fn decimal_slopes_round_once_in_fixed_point() {
    let mut c = case(11, 2, 20);
    c.rescale.fill(Rescale { slope: 0.012_345, intercept: -10.7, offset: 0 });
    let low = vec![0.0; c.v.len()];
    let t = c.projector(&low, &[true, true]).project(c.block()).unwrap();
    for ((r, j), &v) in t.indexed_iter() {
        let expected = exact(&c, &low, r, j);
        assert!((v - expected).abs() <= expected.abs() * f64::EPSILON, "{v} {expected}");
    }
}

#[test]
fn wrong_shapes_ranks_and_columns_are_typed_errors() {
    let c = case(4, 3, 10);
    let p = c.plain();
    let narrow = column_major(&c.values[..10], 10, 1).unwrap();
    assert!(matches!(p.project(narrow), Err(Error::Columns { expected: 4, actual: 1 })));
    let t = p.project(c.block()).unwrap();
    let composites = |ranks: &[usize], columns: &[usize]| p.composites(t.view(), ranks, columns);
    assert!(matches!(composites(&[4], &[0]), Err(Error::RankRange { rank: 4, .. })));
    assert!(matches!(composites(&[2, 1], &[0]), Err(Error::RankRange { rank: 1, .. })));
    assert!(matches!(composites(&[1], &[4]), Err(Error::Columns { .. })));
    assert!(matches!(p.originals(c.block(), &[9]), Err(Error::Columns { .. })));
    let dimensions = |expected: [usize; 2], actual: [usize; 2]| {
        Some(Error::Dimensions { expected: expected.to_vec(), actual: actual.to_vec() })
    };
    let two = t.slice(s![.., ..2]);
    assert_eq!(p.composites(two, &[1], &[0]).err(), dimensions([10, 3], [10, 2]));
    assert_eq!(p.basis(two).err(), dimensions([10, 3], [10, 2]));
    assert_eq!(
        p.project_into(c.block(), t.clone().slice_mut(s![1.., ..])).err(),
        dimensions([10, 3], [9, 3])
    );
    let (v, flags) = (c.words(&c.v), [false; 3]);
    let short = SvdView { s: &c.s, v: v.slice(s![1.., ..]), v_low: v, compensated: &flags };
    let error = Projector::new(short, &c.rescale).err();
    assert_eq!(error, dimensions([4, 3], [3, 3]));
    assert_eq!(error.unwrap().to_string(), "expected an array of 4 x 3, got 3 x 3");
    let low = Array2::zeros((1, 1));
    for (s, v) in [(0.0, 0.5), (f64::NAN, 0.5), (1.0, f64::NAN), (1.0, f64::INFINITY)] {
        let v = array![[v]];
        let view = SvdView { s: &[s], v: v.view(), v_low: low.view(), compensated: &[false] };
        let new = Projector::new(view, &c.rescale[..1]);
        assert_eq!(new.err(), Some(Error::NotFinite));
    }
}

#[test]
fn arrays_of_any_layout_give_the_same_bits() {
    let c = case(9, 5, 101);
    let p = c.plain();
    let (ranks, columns) = ([2, 5], [8, 0, 3]);
    let by_rows = c.block().as_standard_layout().into_owned();
    let upside_down = c.block().slice_move(s![..;-1, ..]).to_owned();
    let t = p.project(c.block()).unwrap();
    let u = p.basis(t.view()).unwrap();
    let all = p.composites(t.view(), &ranks, &columns).unwrap();
    for block in [by_rows.view(), upside_down.slice(s![..;-1, ..])] {
        // Every second entry of a larger array, in columns.
        let mut out = Array2::zeros((2 * 5, 2 * 101));
        let mut strided = out.slice_mut(s![..;2, ..;2]).reversed_axes();
        p.project_into(block, strided.view_mut()).unwrap();
        assert_eq!(strided, t);
        let t = strided.to_owned();
        p.basis_into(t.view(), strided.view_mut()).unwrap();
        assert_eq!(strided, u);
        let mut out = Array3::zeros((ranks.len(), c.rows, columns.len()));
        p.composites_into(t.view(), &ranks, &columns, out.view_mut()).unwrap();
        assert_eq!(out, all);
        assert_eq!(p.originals(block, &columns).unwrap(), p.originals(c.block(), &columns).unwrap());
    }
    assert_eq!(p.composites(t.view(), &ranks, &[]).unwrap().dim(), (2, 101, 0));
    assert_eq!(all.index_axis(Axis(0), 1).column(2).to_slice().map(<[f64]>::len), Some(101));
}
