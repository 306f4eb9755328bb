use super::*;
use crate::real::pass::Partials;
use crate::real::random::noise;
use crate::{BLOCK_ROWS, dspca, dssvd, tsqr_svd};
use ndarray::{ArrayView2, s};
use proptest::prelude::*;

const COLUMNS: usize = 5;

/// Six blocks, the last one of three rows.
const ROWS: usize = 5 * BLOCK_ROWS + 3;

fn matrix() -> Array2<f64> {
    noise(3, COLUMNS, ROWS).to_array().reversed_axes()
}

fn block(values: &Array2<f64>, block: usize) -> ArrayView2<'_, f64> {
    values.slice(s![block * BLOCK_ROWS..ROWS.min((block + 1) * BLOCK_ROWS), ..])
}

/// Every kind of decomposition.
fn all() -> [RealPasses; 4] {
    let options = Randomized { oversample: 1, power_iterations: 1, ..Randomized::new(2) };
    [
        RealPasses::tsqr(ROWS as u64, COLUMNS, Rank::Full, false),
        RealPasses::tsqr(ROWS as u64, COLUMNS, Rank::Columns(2), true),
        RealPasses::randomized(ROWS as u64, COLUMNS, &options, false),
        RealPasses::randomized(ROWS as u64, COLUMNS, &options, true),
    ]
    .map(Result::unwrap)
}

fn add_bytes(passes: &RealPasses, bytes: &[u8]) -> Result<(), Error> {
    Partials::parts(bytes)?.into_iter().try_for_each(|partial| passes.add(partial))
}

fn through_bytes(pass: &Pass, values: &Array2<f64>, blocks: impl Iterator<Item = usize>) -> Vec<u8> {
    let mut partials = Partials::default();
    for b in blocks {
        partials.add(pass.block(b, block(values, b)).unwrap()).unwrap();
    }
    partials.into_bytes()
}

#[test]
fn blocks_in_any_grouping_through_bytes_give_the_bits_of_the_drivers() {
    let values = matrix();
    let source = &values;
    let options = Randomized { oversample: 1, power_iterations: 1, ..Randomized::new(2) };
    let expected = [
        tsqr_svd(source, Rank::Full, false, 2),
        tsqr_svd(source, Rank::Columns(2), true, 2),
        dssvd(source, &options, 2),
        dspca(source, &options, 2),
    ];
    for groups in [vec![vec![0, 1, 2, 3, 4, 5]], vec![vec![5], vec![1, 2, 3], vec![4, 0]]] {
        for (mut passes, expected) in all().into_iter().zip(&expected) {
            let mut count = passes.left();
            assert!([1, 5].contains(&count));
            while let Some(pass) = passes.pass() {
                for group in &groups {
                    add_bytes(&passes, &through_bytes(pass, &values, group.iter().copied())).unwrap();
                }
                count -= 1;
                passes.advance().unwrap();
                assert_eq!(passes.left(), count);
            }
            assert_eq!(count, 0);
            assert_eq!(passes.finish().as_ref(), expected.as_ref());
        }
    }
}

#[test]
fn what_is_missing_came_twice_or_is_of_another_pass_is_refused() {
    let values = matrix();
    let [mut tsqr, _, randomized, _] = all();
    let of = |passes: &RealPasses, b: usize| passes.pass().unwrap().block(b, block(&values, b)).unwrap();
    tsqr.add(of(&tsqr, 3)).unwrap();
    let why = |result: Result<(), Error>| match result {
        Err(Error::Partial { why }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(tsqr.add(of(&tsqr, 3))), "a row block came twice");
    assert_eq!(why(tsqr.add(of(&randomized, 2))), "it is of another pass");
    let beyond = Partial { key: Key::block(6), ..of(&tsqr, 5) };
    assert_eq!(tsqr.add(beyond), Err(Error::Block { block: 6, blocks: 6 }));
    let misplaced = Partial { key: Key::block(5), ..of(&tsqr, 2) };
    assert_eq!(why(tsqr.add(misplaced)), "it is of another pass");
    assert_eq!(why(tsqr.advance()), "the pass lacks blocks");
    assert!(tsqr.pass().is_none());
    assert_eq!(why(tsqr.finish().map(|_| ())), "passes are left");
}

#[test]
fn a_pass_refuses_blocks_and_values_that_are_none_of_its_matrix() {
    let values = matrix();
    for passes in all() {
        let pass = passes.pass().unwrap();
        assert_eq!(pass.block(6, values.view()), Err(Error::Block { block: 6, blocks: 6 }));
        assert_eq!(pass.block(usize::MAX, values.view()), Err(Error::Block { block: usize::MAX, blocks: 6 }));
        let rows = Error::Rows { expected: 3, actual: BLOCK_ROWS };
        assert_eq!(pass.block(5, block(&values, 4)), Err(rows));
        let narrow = block(&values, 5).slice_move(s![.., 1..]);
        assert_eq!(pass.block(5, narrow), Err(Error::Columns { expected: COLUMNS, actual: COLUMNS - 1 }));
        let bad = Array2::from_elem((3, COLUMNS), f64::NAN);
        let wrong = Error::NotFiniteValue { row: 5 * BLOCK_ROWS as u64, column: 0 };
        assert_eq!(pass.block(5, bad.view()), Err(wrong));
    }
}

#[test]
fn a_pass_whose_parts_do_not_fit_each_other_is_refused_when_it_is_read() {
    let w = || Matrix::zeros(COLUMNS, 2);
    let read = |kind| {
        let pass = Pass { size: Size::new(8, COLUMNS, MAX_COLUMNS).unwrap(), center: false, kind };
        rmp_serde::from_slice::<Pass>(&rmp_serde::to_vec(&pass).unwrap()).map(|read| assert_eq!(read, pass))
    };
    for kind in [
        PassKind::Range { w: Some(Matrix::zeros(COLUMNS + 1, 2)) },
        PassKind::Projection { w: w(), coefficients: vec![] },
        PassKind::Projection { w: w(), coefficients: vec![Matrix::zeros(9, 2)] },
        PassKind::Projection { w: w(), coefficients: vec![Matrix::zeros(1, 2)] },
        PassKind::Projection { w: w(), coefficients: vec![Matrix::zeros(2, 3)] },
        PassKind::Projection { w: Matrix::zeros(1, 2), coefficients: vec![Matrix::zeros(2, 2)] },
    ] {
        let error = read(kind.clone()).expect_err(&format!("{kind:?}")).to_string();
        assert!(error.contains("not the bytes of a pass: parts of different shapes"), "{error}");
    }
    read(PassKind::Projection { w: w(), coefficients: vec![Matrix::zeros(2, 2)] }).unwrap();
    read(PassKind::Range { w: None }).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn bytes_of_anything_else_are_refused(
        words in prop::collection::vec(any::<u64>(), 1..40),
        below in prop::option::of(1u64..9),
    ) {
        let mut bytes = b"TBpart1\n".to_vec();
        words.iter().for_each(|w| bytes.extend(below.map_or(*w, |below| w % below).to_le_bytes()));
        let refused = Partials::parts(&bytes);
        prop_assert!(matches!(refused, Err(Error::Bytes { .. })), "{:?}", refused);
    }
}
