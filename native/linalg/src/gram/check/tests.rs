use proptest::prelude::*;

use super::*;
use crate::gram::kernel;
use crate::gram::sums::Products;
use crate::{RealGramAccumulator, column_major};

const ROWS: usize = 50;
const COLUMNS: usize = 9;

/// So many changes of each kind are tried.
const FAULTS: usize = 3000;

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 += 1;
        (weight(self.0 << 32) as usize) % limit
    }

    fn values(&mut self) -> Vec<i16> {
        (0..ROWS * COLUMNS).map(|_| self.below(1 << 16) as u16 as i16).collect()
    }
}

fn block(values: &[i16]) -> ArrayView2<'_, i16> {
    column_major(values, values.len() / COLUMNS, COLUMNS).unwrap()
}

fn sums(values: &[i16]) -> CheckedGram {
    let mut sums = CheckedGram::new(COLUMNS).unwrap();
    sums.add(block(values), block_check(block(values), 0)).unwrap();
    sums
}

fn is_damaged<T: std::fmt::Debug>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Damaged { .. }))
}

#[test]
fn a_bit_of_a_block_that_has_changed_is_found_and_nothing_added() {
    let mut rng = Random(0);
    let before = rng.values();
    let check = block_check(block(&before), 0);
    let mut sums = sums(&before);
    let expected = sums.sums.clone();
    for _ in 0..FAULTS {
        let mut after = before.clone();
        after[rng.below(before.len())] ^= 1 << rng.below(16);
        assert!(is_damaged(sums.add(block(&after), check)));
        // Several bits, and two values of one column or row that have changed places.
        let mut after = before.clone();
        (0..2 + rng.below(38)).for_each(|_| after[rng.below(before.len())] ^= 1 << rng.below(16));
        assert!(after == before || is_damaged(sums.add(block(&after), check)));
        let (mut after, at) = (before.clone(), rng.below(before.len() - ROWS));
        after.swap(at, at + [1, ROWS][rng.below(2)]);
        assert!(after == before || is_damaged(sums.add(block(&after), check)));
        assert!(after == before || is_damaged(verify_block(block(&after), check)));
    }
    assert_eq!(sums.sums, expected);
}

#[test]
fn a_bit_of_sums_that_has_changed_is_found() {
    let mut rng = Random(0);
    let right = sums(&rng.values());
    assert!(right.clone().part(0, 1).is_ok());
    for fault in 0..FAULTS {
        let mut wrong = right.clone();
        match fault % 10 {
            0 => wrong.sums.columns[rng.below(COLUMNS)].sum ^= 1 << rng.below(127),
            1 => wrong.sums.rows ^= 1 << rng.below(30),
            2 => wrong.check ^= 1 << rng.below(31),
            _ => {
                let i = rng.below(COLUMNS);
                let at = kernel::position(i, i + rng.below(COLUMNS - i));
                let Products::Narrow(products) = &mut wrong.sums.products else { unreachable!() };
                products[at] ^= 1 << rng.below(64);
            }
        }
        assert!(is_damaged(wrong.part(0, 1)), "fault {fault}");
    }
}

#[test]
fn a_bit_of_a_part_that_has_changed_on_its_way_or_in_memory_is_found() {
    let mut rng = Random(0);
    let (mut one, mut other) = (sums(&rng.values()), sums(&rng.values()));
    for fault in 0..FAULTS {
        let parts = 1 + fault % 4;
        let part = rng.below(parts);
        let mut sum = one.part(part, parts).unwrap();
        // On its way.
        let mut bytes = sum.to_bytes();
        assert_eq!(CheckedPart::from_bytes(&bytes).unwrap(), sum);
        let at = rng.below(bytes.len());
        bytes[at] ^= 1 << rng.below(8);
        assert!(is_damaged(CheckedPart::from_bytes(&bytes)), "byte {at}");
        // In memory, before it is merged or after.
        let early = fault % 2 == 0;
        let mut merge = |sum: &mut CheckedPart| sum.merge(&other.part(part, parts).unwrap());
        if !early {
            merge(&mut sum).unwrap();
        }
        match sum.part.products.len() {
            0 => sum.check ^= 1 << rng.below(30),
            products => {
                let (at, bit) = (rng.below(products), rng.below(64));
                let product = sum.part.products.get(at) as i64 ^ 1 << bit;
                sum.part.products.set(at, product.into());
            }
        }
        let found = if early { merge(&mut sum) } else { Ok(()) };
        assert_eq!(is_damaged(found), early, "fault {fault}");
        assert!(
            is_damaged(CheckedPart::from_bytes(&sum.to_bytes()).and_then(CheckedPart::proven)),
            "fault {fault}"
        );
    }
}

#[test]
fn bytes_of_something_else_are_no_checked_part() {
    let part = sums(&Random(0).values()).sums.part(0, 1).to_bytes();
    let crc = crc32fast::hash(&part).to_le_bytes();
    assert!(matches!(CheckedPart::from_bytes(&[part, crc.to_vec()].concat()), Err(Error::Bytes { .. })));
    assert!(is_damaged(CheckedPart::from_bytes(b"")));
}

#[test]
fn parts_of_the_sums_of_residues_have_checks_too() {
    let a = ndarray::array![[0.1, 1e9], [0.2, -3.0], [0.3, 0.0]];
    let mut ranges = crate::ColumnRanges::new(2).unwrap();
    ranges.add(a.view()).unwrap();
    let mut sums = RealGramAccumulator::new(ranges).unwrap();
    sums.add(a.view()).unwrap();
    for sum in sums.sums() {
        let mut part = CheckedPart::of(sum.part(0, 1));
        part.merge(&part.clone()).unwrap();
        assert!(part.proven().is_ok());
    }
}

proptest! {
    #[test]
    fn blocks_in_any_order_and_parts_in_any_number_agree_with_their_checks(
        values in proptest::collection::vec(any::<u16>(), COLUMNS..60 * COLUMNS),
        (cut, split, parts) in (0..60usize, 0..COLUMNS, 1..60usize),
    ) {
        let rows = values.len() / COLUMNS;
        let all = column_major(&values[..rows * COLUMNS], rows, COLUMNS).unwrap();
        let cut = cut.min(rows);
        let (upper, lower) = all.split_at(ndarray::Axis(0), cut);
        let mut sums = [CheckedGram::new(COLUMNS).unwrap(), CheckedGram::new(COLUMNS).unwrap()];
        for (sum, block) in sums.iter_mut().zip([lower, upper]) {
            // As many pieces as runs of slices had.
            let (left, right) = block.split_at(ndarray::Axis(1), split);
            sum.add(block, block_check(left, 0) + block_check(right, split)).unwrap();
        }
        let [first, second] = &mut sums;
        let merged = (0..parts).map(|part| {
            let mut sum = first.part(part, parts)?;
            sum.merge(&CheckedPart::from_bytes(&second.part(part, parts)?.to_bytes())?)?;
            sum.proven()
        });
        let mut expected = GramAccumulator::new(COLUMNS).unwrap();
        expected.add(all).unwrap();
        prop_assert_eq!(GramAccumulator::from_parts(merged).unwrap(), expected);
    }
}
