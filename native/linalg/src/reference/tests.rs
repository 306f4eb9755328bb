use super::*;
use proptest::prelude::*;

fn truth(name: &str) -> Truth {
    Truth::of(matrices().into_iter().find(|matrix| matrix.name == name).unwrap(), 2).unwrap()
}

fn right(truth: &Truth) -> Factors {
    Factors { s: truth.svd.s.clone(), v: Some(truth.svd.v.clone()), u: Some(truth.u.clone()) }
}

#[test]
fn every_matrix_is_certified_from_both_sides_with_the_same_singular_values() {
    let all = matrices();
    assert_eq!(all.len(), 12);
    for matrix in all {
        let ((rows, columns), name) = (matrix.values.dim(), matrix.name);
        let other = Truth::of(matrix.transposed(), 2).unwrap();
        let truth = Truth::of(matrix, 2).unwrap();
        assert_eq!((&truth.svd.s, truth.svd.rank), (&other.svd.s, other.svd.rank), "{name}");
        let expected = match name {
            "duplicates" => 10,
            "rank-deficient" => 8,
            _ => rows.min(columns),
        };
        assert_eq!(truth.svd.rank, expected, "{name}");
        let score = truth.score(&right(&truth));
        let told = (expected == rows.min(columns)).then_some(expected);
        assert_eq!((score.scored, score.rank_found), (expected, told), "{name}");
        assert_eq!(score.columns.s, vec![(2f64.powi(53)).log10(); expected], "{name}");
        let d = score.digits;
        for digits in [d.v, d.v_clusters, d.u, d.u_clusters] {
            assert!(digits.unwrap() > 15.0, "{name}: {digits:?}");
        }
        // Bases of equal values are not paired, so their product is not the matrix.
        assert!(d.product.unwrap() > 14.5 || !truth.svd.unresolved.is_empty(), "{name}: {:?}", d.product);
    }
}

#[test]
fn closed_forms_are_met() {
    let descending = |mut d: Vec<f64>| {
        d.sort_by(|a, b| b.total_cmp(a));
        d
    };
    let hadamard = truth("hadamard");
    assert_eq!(
        hadamard.svd.s,
        descending(
            [1, 1, 1, 1, 2, 2, 3, 3, 5, 8, 13, 13, 21, 34, 34, 55].map(|d| f64::from(16 * d)).to_vec()
        )
    );
    assert_eq!(hadamard.equal(), [0..1, 1..3, 3..4, 4..6, 6..7, 7..8, 8..10, 10..12, 12..16]);
    let clusters = truth("clusters");
    assert!(clusters.svd.unresolved.is_empty() && clusters.svd.v.iter().all(|v| v.abs() == 0.25));
    assert_eq!(clusters.svd.s[0], 16.0 * (1.0 + 3.0 / 256.0));
    assert_eq!(clusters.svd.s[15], 16.0 / f64::from(1 << 18));
    let lauchli = truth("lauchli");
    assert_eq!((lauchli.svd.s[0], lauchli.svd.s[1]), (12f64.sqrt(), 2f64.powi(-30)));
    assert_eq!(lauchli.equal(), [0..1, 1..12]);
}

#[test]
fn wilkinsons_pairs_are_clusters_of_their_own() {
    let truth = truth("wilkinson");
    assert_eq!(truth.equal().len(), 21);
    assert_eq!(truth.clusters()[..3], [0..2, 2..4, 4..6]);
    let s = &truth.svd.s;
    assert!(s[0] > s[1] && s[0] - s[1] < 1e-13);
    // Mixing the pair leaves its space as it is and no vector right.
    let mut mixed = right(&truth);
    let v = mixed.v.as_mut().unwrap();
    for mut row in v.rows_mut() {
        (row[0], row[1]) = (0.6 * row[0] - 0.8 * row[1], 0.8 * row[0] + 0.6 * row[1]);
    }
    let score = truth.score(&mixed);
    assert!(score.digits.v.unwrap() < 1.0 && score.digits.v_clusters.unwrap() > 15.0, "{:?}", score.digits);
    assert!(score.columns.v.unwrap()[2..].iter().all(|&d| d > 15.9));
}

#[test]
fn any_basis_of_equal_values_is_right_and_one_that_is_no_basis_is_not() {
    let truth = truth("hadamard");
    let turned = |a: [f64; 2], b: [f64; 2]| {
        let mut factors = right(&truth);
        for mut row in factors.v.as_mut().unwrap().rows_mut() {
            (row[1], row[2]) = (a[0] * row[1] + a[1] * row[2], b[0] * row[1] + b[1] * row[2]);
        }
        truth.score(&factors).columns.v.unwrap()
    };
    assert!(turned([0.6, -0.8], [0.8, 0.6])[1] > 15.0);
    let twice = turned([0.6, -0.8], [0.6, -0.8]);
    assert!(twice[1] == 0.0 && twice[2] == 0.0 && twice[3] > 15.0, "{twice:?}");
}

#[test]
fn signs_are_free_for_pairs_only() {
    let truth = truth("random");
    let negated = |columns: &Array2<f64>| {
        let mut negated = columns.clone();
        negated.column_mut(3).mapv_inplace(|x| -x);
        negated
    };
    let Factors { s, v, u } = right(&truth);
    let (v, u) = (v.unwrap(), u.unwrap());
    let (minus_v, minus_u) = (negated(&v), negated(&u));
    for (v, u, right) in [(&minus_v, &minus_u, true), (&minus_v, &u, false), (&v, &minus_u, false)] {
        let score = truth.score(&Factors { s: s.clone(), v: Some(v.clone()), u: Some(u.clone()) });
        let [of_v, of_u] = [score.columns.v, score.columns.u].map(|columns| columns.unwrap()[3]);
        assert!(of_v > 15.9 && (of_u > 15.9) == right, "{of_v} {of_u}");
        assert_eq!(score.digits.product.unwrap() > 14.0, right);
    }
}

#[test]
fn a_column_of_another_length_is_wrong_by_as_much() {
    let truth = truth("ct");
    let mut factors = right(&truth);
    factors.u.as_mut().unwrap().column_mut(5).mapv_inplace(|x| x * 1.001);
    let score = truth.score(&factors);
    assert!((score.digits.u.unwrap() - 3.0).abs() < 1e-6, "{:?}", score.digits);
}

#[test]
fn ranks_are_told_where_enough_values_are_known() {
    let truth = truth("rank-deficient");
    let s = |rest: &[f64]| Factors { s: [&truth.svd.s[..], rest].concat(), ..Factors::default() };
    let found = |rest: &[f64]| truth.score(&s(rest)).rank_found;
    assert_eq!(found(&[]), None);
    assert_eq!(found(&[1e-13]), Some(8));
    assert_eq!(found(&[1e-3, 1e-13]), Some(9));
    let few = Factors { s: truth.svd.s[..3].to_vec(), ..Factors::default() };
    let score = truth.score(&few);
    assert_eq!((score.scored, score.rank, score.rank_found, score.columns.s.len()), (3, 8, None, 3));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_error_of_ten_to_the_minus_d_has_d_digits(d in 0.0f64..15.0, column in 0usize..20) {
        let truth = truth_of_random();
        let mut factors = right(truth);
        let error = 10f64.powf(-d);
        factors.s[column] *= 1.0 + error;
        let score = truth.score(&factors);
        let exact = -(((factors.s[column] - truth.svd.s[column]) / truth.svd.s[column]).log10());
        prop_assert!((score.columns.s[column] - exact).abs() < 1e-12);
        prop_assert!((score.digits.s.unwrap() - d).abs() < 0.3);
    }
}

fn truth_of_random() -> &'static Truth {
    static TRUTH: std::sync::OnceLock<Truth> = std::sync::OnceLock::new();
    TRUTH.get_or_init(|| truth("random"))
}

#[test]
fn what_is_no_number_has_no_digits() {
    let truth = truth_of_random();
    let mut factors = right(truth);
    factors.s[2] = f64::NAN;
    factors.v.as_mut().unwrap()[[0, 0]] = f64::INFINITY;
    let score = truth.score(&factors);
    assert_eq!((score.digits.s, score.digits.v), (Some(0.0), Some(0.0)));
}
