use super::*;
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
        let view = SvdView { s: &self.s, v: &self.v, v_low: low, compensated };
        Projector::new(view, &self.rescale).unwrap()
    }

    fn plain(&self) -> Projector {
        self.projector(&vec![0.0; self.n * self.k], &vec![false; self.k])
    }

    fn block(&self) -> RowBlock<'_> {
        RowBlock::new(&self.values, self.rows, self.n).unwrap()
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
        let (mut t, mut u) = (vec![7.0; 3], Vec::new());
        p.project(c.block(), &mut t).unwrap();
        p.basis(&t, &mut u);
        prop_assert_eq!((t.len(), u.len()), (rows * k, rows * k));
        for r in 0..rows {
            for j in 0..k {
                let expected = c.chain(r, j);
                prop_assert_eq!(t[r * k + j].to_bits(), expected.to_bits());
                prop_assert_eq!(u[r * k + j].to_bits(), (expected / c.s[j]).to_bits());
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
        let mut t = Vec::new();
        c.projector(&low, &[true]).project(c.block(), &mut t).unwrap();
        prop_assert_eq!(t[0].to_bits(), exact(&c, &low, 0, 0).to_bits());
    }
}

#[test]
fn composites_are_chains_over_the_leading_columns_and_share_their_prefix() {
    let c = case(21, 13, 101);
    let p = c.plain();
    let (mut t, mut out) = (Vec::new(), Vec::new());
    p.project(c.block(), &mut t).unwrap();
    let (ranks, columns) = ([0, 1, 5, 13], [20, 0, 7]);
    p.composites(&t, c.rows, &ranks, &columns, &mut out).unwrap();
    for (a, &rank) in ranks.iter().enumerate() {
        for (jj, &j) in columns.iter().enumerate() {
            for r in 0..c.rows {
                let expected =
                    (0..rank).fold(0.0, |sum: f64, l| t[r * c.k + l].mul_add(c.v[j * c.k + l], sum));
                assert_eq!(out[(a * columns.len() + jj) * c.rows + r].to_bits(), expected.to_bits());
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
        let mut t = Vec::new();
        p.project(c.block(), &mut t).unwrap();
        for r in 0..c.rows {
            assert_eq!(t[r * 3].to_bits(), c.chain(r, 0).to_bits());
            assert_eq!(t[r * 3 + 1].to_bits(), exact(&c, &low, r, 1).to_bits());
            assert_eq!(t[r * 3 + 2].to_bits(), exact(&c, &low, r, 2).to_bits());
        }
    }
}

#[test]
fn decimal_slopes_round_once_in_fixed_point() {
    let mut c = case(11, 2, 20);
    c.rescale.fill(Rescale { slope: 0.012_345, intercept: -10.7, offset: 0 });
    let low = vec![0.0; c.v.len()];
    let mut t = Vec::new();
    c.projector(&low, &[true, true]).project(c.block(), &mut t).unwrap();
    for (at, &v) in t.iter().enumerate() {
        let expected = exact(&c, &low, at / 2, at % 2);
        assert!((v - expected).abs() <= expected.abs() * f64::EPSILON, "{v} {expected}");
    }
}

#[test]
fn wrong_shapes_ranks_and_columns_are_typed_errors() {
    let c = case(4, 3, 10);
    let p = c.plain();
    let (mut t, mut out) = (Vec::new(), Vec::new());
    assert!(matches!(
        p.project(RowBlock::new(&c.values[..10], 10, 1).unwrap(), &mut t),
        Err(Error::Columns { expected: 4, actual: 1 })
    ));
    p.project(c.block(), &mut t).unwrap();
    assert!(matches!(p.composites(&t, 10, &[4], &[0], &mut out), Err(Error::RankRange { rank: 4, .. })));
    assert!(matches!(p.composites(&t, 10, &[2, 1], &[0], &mut out), Err(Error::RankRange { rank: 1, .. })));
    assert!(matches!(p.composites(&t, 10, &[1], &[4], &mut out), Err(Error::Columns { .. })));
    assert!(matches!(p.composites(&t, 9, &[1], &[0], &mut out), Err(Error::Shape { .. })));
    assert!(matches!(p.originals(c.block(), &[9], &mut out), Err(Error::Columns { .. })));
    let short = SvdView { s: &c.s, v: &c.v[1..], v_low: &c.v, compensated: &[false; 3] };
    assert!(matches!(Projector::new(short, &c.rescale), Err(Error::Columns { expected: 12, actual: 11 })));
    let low = vec![0.0; c.v.len()];
    for (s, v) in [(0.0, 0.5), (f64::NAN, 0.5), (1.0, f64::NAN), (1.0, f64::INFINITY)] {
        let view = SvdView { s: &[s], v: &[v], v_low: &low[..1], compensated: &[false] };
        let new = Projector::new(view, &c.rescale[..1]);
        assert_eq!(new.err(), Some(Error::NotFinite));
    }
}
