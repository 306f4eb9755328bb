//! Each kernel that this CPU has, called directly, against sums in 64 bits written out.

use super::choice::{KERNELS, usable};
use super::*;
use crate::block::RowBlock;
use crate::{Sample, column_major};
use ndarray::ArrayView2;
use proptest::prelude::*;

/// Uniform values of `[low, high]`, both of which occur where there is room for them.
fn values<T: Sample + TryFrom<i32>>(count: usize, seed: usize, low: i32, high: i32) -> Vec<T> {
    let mut state = seed as u64;
    let mut next = |at: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match at % 61 {
            7 => high,
            8 => low,
            _ => low + ((state >> 33) % (i64::from(high) - i64::from(low) + 1) as u64) as i32,
        }
    };
    (0..count).map(|at| T::try_from(next(at)).unwrap_or(T::MIN)).collect()
}

fn dot<T: Sample>(x: &[T], y: &[T]) -> i64 {
    x.iter().zip(y).map(|(&x, &y)| i64::from(x.into()) * i64::from(y.into())).sum()
}

/// All products by one kernel, on top of what is there already.
fn check<T: Sample>(kernel: &Kernel, a: ArrayView2<T>, what: &str) {
    let a = RowBlock::new(&a).unwrap();
    const BEFORE: i64 = 1_000_003;
    for threads in [Threads::One, Threads::Pool] {
        let mut gram = vec![BEFORE; size(a.columns())];
        add_gram(kernel, &Operand::new(a, threads), &mut gram, threads, &mut Room::default());
        for i in 0..a.columns() {
            for j in i..a.columns() {
                let expected = BEFORE + dot(a.column(i), a.column(j));
                let where_to = format!("({i}, {j}) of {what}");
                assert_eq!(gram[position(i, j)], expected, "{}, {threads:?}: {where_to}", kernel.name);
            }
        }
    }
}

/// So many rows; few under Miri, which interprets.
fn rows_to_test(rows: usize) -> usize {
    if cfg!(miri) { rows.min(40) } else { rows }
}

/// Rows x columns.
const SHAPES: [(usize, usize); 12] = [
    (1, 1),
    (2, 1),
    (2, 40),
    (3, 16),
    (31, 17),
    (40, 300),
    (100, 35),
    (511, 33),
    (513, 2),
    (1027, 5),
    (2050, 20),
    (4097, 2),
];

fn grid<T: Sample + TryFrom<i32>>(low: i32, high: i32) {
    for (rows, columns) in SHAPES.into_iter().filter(|s| s.0 == rows_to_test(s.0)) {
        let a: Vec<T> = values(rows * columns, rows + columns, low, high);
        let block = column_major(&a, rows, columns).unwrap();
        usable().for_each(|k| check(k, block.view(), &format!("{rows} x {columns} in [{low}, {high}]")));
    }
}

#[test]
fn every_kernel_is_exact_for_every_shape_and_range_of_signed_16_bits() {
    for reach in [0, 1, 2047, 4095, 6000, 8192, 16_383, 16_384, 16_385, 23_170, 32_767] {
        grid::<i16>(-reach, reach);
    }
    grid::<i16>(-1024, 3071);
    for (low, high) in [(-128, 127), (-127, 127), (-128, 128), (1000, 1255), (1000, 1256)] {
        grid::<i16>(low, high);
    }
    grid::<i16>(0, 32_767);
    grid::<i16>(-32_768, 32_767);
    grid::<i16>(-32_768, -32_768);
}

#[test]
fn every_kernel_is_exact_for_every_shape_and_range_of_unsigned_16_bits() {
    for (low, high) in [(0, 0), (0, 4095), (0, 32_767), (1, 65_535), (0, 65_535), (65_535, 65_535)] {
        grid::<u16>(low, high);
    }
}

#[test]
fn every_kernel_is_exact_for_8_bits() {
    grid::<i8>(-128, 127);
    grid::<u8>(0, 255);
}

#[test]
fn blocks_of_nothing_but_the_extremes_are_exact() {
    // Columns of -32768 and of 32767: the largest pair sums of either sign that there are.
    let (rows, columns) = (rows_to_test(1024), 18);
    let values: Vec<_> =
        (0..rows * columns).map(|at| if at / rows % 2 == 0 { i16::MIN } else { i16::MAX }).collect();
    let block = column_major(&values, rows, columns).unwrap();
    usable().for_each(|kernel| check(kernel, block.view(), "extremes"));
}

#[test]
fn kernels_that_this_cpu_lacks_are_named() {
    let names: Vec<_> = usable().map(|k| k.name).collect();
    assert_eq!(names.last(), Some(&"portable"));
    for kernel in KERNELS.iter().filter(|k| !names.contains(&k.name)) {
        println!("skipped: this CPU can't run the kernel {}", kernel.name);
    }
    for kernel in KERNELS {
        let (narrow, split) = kernel.heights;
        assert!(PANEL.is_multiple_of(narrow) && PANEL.is_multiple_of(split), "{}", kernel.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 64 }))]

    #[test]
    fn every_kernel_agrees_with_the_definition(
        a in proptest::collection::vec(any::<i16>(), 1..600),
        b in proptest::collection::vec(any::<u16>(), 1..600),
        shift in 0u32..16,
        columns in 1usize..20,
    ) {
        let columns = columns.min(a.len()).min(b.len());
        let (a, b): (Vec<_>, Vec<_>) =
            (a.iter().map(|v| v >> shift).collect(), b.iter().map(|v| v >> (shift / 2)).collect());
        let (m, n) = (a.len() / columns, b.len() / columns);
        for kernel in usable() {
            check(kernel, column_major(&a[..m * columns], m, columns).unwrap(), "random signed values");
            check(kernel, column_major(&b[..n * columns], n, columns).unwrap(), "random unsigned values");
        }
    }
}
