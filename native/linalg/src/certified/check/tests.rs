//! What the checker must not believe. The matrix is diagonal, so that its eigenpairs are known without computing.

use super::*;
use crate::certified::product::ExactProduct;
use crate::{GramAccumulator, Rescale, column_major};

/// Eigenpairs in float64, which fixed point holds exactly.
struct Pairs {
    values: Vec<f64>,
    vectors: Vec<Multiplied<6>>,
    next: f64,
}

const VECTOR_BITS: u32 = 160;
const VALUE_BITS: u32 = 200;

impl Pairs {
    fn new(g: &GramMatrix, values: &[f64], vectors: &[[f64; 4]], next: f64) -> Self {
        let fixed = |v: &[f64; 4]| v.iter().map(|&v| Wide::from_f64(v, VECTOR_BITS)).collect();
        let vectors = Multiplied::new(ExactProduct::new(g), g, vectors.iter().map(fixed).collect());
        Self { values: values.to_vec(), vectors, next }
    }
}

impl Candidates<6> for Pairs {
    fn len(&self) -> usize {
        self.values.len()
    }
    fn vector_bits(&self) -> u32 {
        VECTOR_BITS
    }
    fn value_bits(&self) -> u32 {
        VALUE_BITS
    }
    fn value(&self, j: usize) -> Wide<6> {
        Wide::from_f64(self.values[j], VALUE_BITS)
    }
    fn vector(&self, j: usize) -> Option<&Multiplied<6>> {
        self.vectors.get(j)
    }
    fn next_value(&self) -> f64 {
        self.next
    }
}

/// `G` of a diagonal matrix. With a largest entry of 8, `H = G / 128`.
fn gram(diagonal: [i16; 4]) -> GramMatrix {
    let mut values = vec![0; 16];
    (0..4).for_each(|j| values[5 * j] = diagonal[j]);
    let mut sums = GramAccumulator::new(4).unwrap();
    sums.add(column_major(&values, 4, 4).unwrap()).unwrap();
    sums.finish(&[Rescale::IDENTITY; 4]).unwrap()
}

const E: [[f64; 4]; 4] =
    [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]];

/// Of `diag(8, 5, 2, 1)`.
const VALUES: [f64; 4] = [64.0 / 128.0, 25.0 / 128.0, 4.0 / 128.0, 1.0 / 128.0];

fn singular_values(certificate: &Certificate) -> Vec<f64> {
    certificate.columns.iter().map(|c| c.s).collect()
}

#[test]
fn the_eigenpairs_of_a_diagonal_matrix_are_proven_in_any_order() {
    let g = gram([8, 5, 2, 1]);
    for order in [[0, 1, 2, 3], [3, 1, 0, 2]] {
        let pairs = Pairs::new(&g, &order.map(|j| VALUES[j]), &order.map(|j| E[j]), 0.0);
        let proven = prove(&g, 4, &pairs).unwrap();
        assert_eq!((proven.rank, singular_values(&proven)), (4, vec![8.0, 5.0, 2.0, 1.0]));
        (0..4).for_each(|j| assert_eq!(proven.columns[j].v, E[j]));
    }
}

#[test]
fn leading_pairs_are_proven_when_nothing_else_can_be_as_large() {
    let g = gram([8, 5, 2, 1]);
    // The trace tells that 4 + 1 are left, less than 25.
    let proven = prove(&g, 2, &Pairs::new(&g, &VALUES[..2], &E[..2], 0.0)).unwrap();
    assert_eq!((proven.rank, singular_values(&proven)), (4, vec![8.0, 5.0]));
    // 64 + 49 + 36 are left, more than 64: here the factorization tells.
    let g = gram([8, 8, 7, 6]);
    let values = [64.0 / 128.0, 64.0 / 128.0];
    assert!(matches!(prove(&g, 1, &Pairs::new(&g, &values[..1], &E[..1], 0.4)), Err(Rejection::Count)));
    let g = gram([8, 6, 6, 6]);
    let proven = prove(&g, 1, &Pairs::new(&g, &values[..1], &E[..1], 0.29)).unwrap();
    assert_eq!((proven.rank, singular_values(&proven)), (4, vec![8.0]));
}

#[test]
fn a_pair_smaller_than_the_errors_of_others_is_counted_with_what_is_left() {
    // The first value is too low by 3 / 128, the third is 1 / 128: nothing tells it from the fourth.
    let g = gram([8, 5, 1, 0]);
    let values = [61.0 / 128.0, 25.0 / 128.0, 1.0 / 128.0];
    let pairs = Pairs::new(&g, &values, &E[..3], 0.0);
    // So digits are missing of the first, which the third does not need any of.
    for k in [1, 2] {
        assert!(matches!(prove(&g, k, &pairs), Err(Rejection::Digits(some)) if some == [0]));
    }
    assert!(matches!(prove(&g, 3, &pairs), Err(Rejection::Count)));
}

#[test]
fn a_pair_that_is_left_out_is_noticed() {
    let g = gram([8, 5, 2, 1]);
    let without = |left_out: usize| {
        let kept: Vec<usize> = (0..4).filter(|&j| j != left_out).collect();
        let values: Vec<f64> = kept.iter().map(|&j| VALUES[j]).collect();
        let vectors: Vec<[f64; 4]> = kept.iter().map(|&j| E[j]).collect();
        prove(&g, 3, &Pairs::new(&g, &values, &vectors, 0.0))
    };
    for left_out in 0..3 {
        assert!(matches!(without(left_out), Err(Rejection::Count)), "{left_out}");
    }
    // Without the last, the first three are still the first three, and the rank is counted.
    assert_eq!(without(3).unwrap().rank, 4);
}

#[test]
fn a_pair_that_is_given_twice_does_not_count_twice() {
    let g = gram([8, 5, 2, 1]);
    let twice = Pairs::new(&g, &[VALUES[0], VALUES[0], VALUES[2], VALUES[3]], &[E[0], E[0], E[2], E[3]], 0.0);
    assert!(matches!(prove(&g, 4, &twice), Err(Rejection::Digits(columns)) if columns == [0, 1]));
    // Nor where the eigenvalue is one of two.
    let g = gram([8, 8, 2, 1]);
    let values = [0.5, 0.5, VALUES[2], VALUES[3]];
    let nearly = [1.0, 2f64.powi(-40), 0.0, 0.0];
    for second in [E[0], nearly] {
        let pairs = Pairs::new(&g, &values, &[E[0], second, E[2], E[3]], 0.0);
        assert!(matches!(prove(&g, 4, &pairs), Err(Rejection::Digits(columns)) if columns == [0, 1]));
    }
}

#[test]
fn wrong_values_wrong_vectors_and_vectors_without_length_are_rejected_by_column() {
    let g = gram([8, 5, 2, 1]);
    let rejected = |pairs: &Pairs| match prove(&g, 4, pairs) {
        Err(Rejection::Digits(columns)) => columns,
        _ => panic!("not rejected"),
    };
    let mut values = VALUES;
    values[1] += 2f64.powi(-50);
    assert_eq!(rejected(&Pairs::new(&g, &values, &E, 0.0)), [1]);
    let turned = Pairs::new(&g, &VALUES, &[E[0], [0.0, 1.0, 2f64.powi(-60), 0.0], E[2], E[3]], 0.0);
    assert_eq!(rejected(&turned), [1]);
    // What was multiplied by another matrix.
    let foreign = Pairs::new(&gram([8, 5, 2, 2]), &VALUES, &E, 0.0);
    assert_eq!(rejected(&foreign), [3]);
    for length in [0.0, 0.5, 1.5, 3.0] {
        let long = Pairs::new(&g, &VALUES, &[E[0], E[1].map(|v| v * length), E[2], E[3]], 0.0);
        assert_eq!(rejected(&long), [1], "{length}");
    }
}

#[test]
fn equal_values_are_proven_to_be_equal_or_rejected() {
    // With 200 fraction bits 2^-256 can't be seen, so no digits prove that two are equal.
    let g = gram([8, 5, 5, 1]);
    let values = [VALUES[0], VALUES[1], VALUES[1], VALUES[3]];
    assert!(
        matches!(prove(&g, 4, &Pairs::new(&g, &values, &E, 0.0)), Err(Rejection::Digits(columns)) if columns == [1, 2])
    );
    // The first column does not hang on them.
    assert_eq!(singular_values(&prove(&g, 1, &Pairs::new(&g, &values, &E, 0.0)).unwrap()), [8.0]);
}

#[test]
fn a_rank_that_the_candidates_leave_open_is_proven_by_definiteness_or_not_at_all() {
    // Two equal columns: three different ones, and the rank is three.
    let mut values = vec![0i16; 16];
    (values[0], values[4], values[9], values[14]) = (8, 8, 2, 1);
    let mut sums = GramAccumulator::new(4).unwrap();
    sums.add(column_major(&values, 4, 4).unwrap()).unwrap();
    let g = sums.finish(&[Rescale::IDENTITY; 4]).unwrap();
    let threshold = BigInt::from(1) << (VALUE_BITS - 90);
    assert_eq!(definite::rank(&g, &threshold, VALUE_BITS), Some(3));
    let beyond = BigInt::from(1) << (VALUE_BITS - 2);
    assert_eq!(definite::rank(&g, &beyond, VALUE_BITS), None);
}
