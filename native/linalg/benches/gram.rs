//! The exact Gram matrix of one row block of 301 slices, by range of the values: a narrow range lets 32-bit
//! sums run longest. With the checks that the job has besides: what they cost.
//!
//! `TOMOBASIS_KERNEL` chooses the kernel. Throughput is in multiply-adds of the upper triangle:
//! an element is one of them.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use tomobasis_linalg::{BLOCK_ROWS, CheckedGram, GramAccumulator, block_check, column_major, kernel_name};

const COLUMNS: usize = 301;

/// Uniform integers of `[low, high]`.
fn values(low: i64, high: i64) -> Vec<i64> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + ((state >> 33) as i64) % (high - low + 1)
    };
    (0..BLOCK_ROWS * COLUMNS).map(|_| next()).collect()
}

fn gram(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("gram/{}", kernel_name()));
    group.throughput(Throughput::Elements((BLOCK_ROWS * COLUMNS * (COLUMNS + 1) / 2) as u64));
    for (name, low, high) in [
        ("12 bits", -1024, 3071),
        ("14 bits", -8192, 8191),
        ("15 bits", 0, 32_767),
        ("16 bits", -32_768, 32_767),
    ] {
        let block: Vec<i16> = values(low, high).into_iter().map(|v| v as i16).collect();
        let mut sum = GramAccumulator::new(COLUMNS).unwrap();
        group.bench_function(name, |b| {
            b.iter(|| sum.add(black_box(column_major(&block, BLOCK_ROWS, COLUMNS).unwrap())).unwrap());
        });
    }
    let block: Vec<i16> = values(-1024, 3071).into_iter().map(|v| v as i16).collect();
    let view = column_major(&block, BLOCK_ROWS, COLUMNS).unwrap();
    let mut sum = CheckedGram::new(COLUMNS).unwrap();
    let check = block_check(view, 0);
    group.bench_function("12 bits, checked", |b| b.iter(|| sum.add(black_box(view), check).unwrap()));
    group.bench_function("check of a block", |b| b.iter(|| block_check(black_box(view), 0)));
    group.finish();
}

criterion_group!(benches, gram);
criterion_main!(benches);
