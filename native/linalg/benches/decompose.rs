//! What follows the Gram matrix (`gram.rs` has that): `s` and `V` of it, and `U` of one row block, on one
//! thread. Against other libraries: `make bench-peers`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use std::hint::black_box;
use tomobasis_linalg::{
    BLOCK_ROWS, GramAccumulator, GramMatrix, Projector, Rank, Rescale, certified_svd, column_major,
};

/// Slices of the demo's scan and of a small one.
const COLUMNS: [usize; 2] = [301, 64];

/// One row block of a smooth scan with 12 bits of noise-laden values.
fn block(columns: usize) -> Vec<i16> {
    let noise = |at: usize| ((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as f64;
    let value = |i: usize, j: usize| 1000.0 * (i as f64 / 900.0 + j as f64 / 40.0).sin();
    (0..columns * BLOCK_ROWS).map(|at| (value(at % BLOCK_ROWS, at / BLOCK_ROWS) + noise(at)) as i16).collect()
}

fn gram_of(values: &[i16], n: usize) -> GramMatrix {
    let mut sums = GramAccumulator::new(n).unwrap();
    sums.add(column_major(values, BLOCK_ROWS, n).unwrap()).unwrap();
    sums.finish(&vec![Rescale::IDENTITY; n]).unwrap()
}

fn certified(c: &mut Criterion) {
    let mut group = c.benchmark_group("certified_svd");
    group.sample_size(10);
    for n in COLUMNS {
        let gram = gram_of(&block(n), n);
        for k in [n / 6, n] {
            let id = BenchmarkId::from_parameter(format!("{n}/{k}"));
            group.bench_function(id, |b| b.iter(|| certified_svd(black_box(&gram), Rank::Columns(k), 1)));
        }
    }
    group.finish();
}

/// Multiply-adds per second.
fn projection(c: &mut Criterion) {
    let mut group = c.benchmark_group("projection");
    for n in COLUMNS {
        let values = block(n);
        let block = column_major(&values, BLOCK_ROWS, n).unwrap();
        for k in [n / 6, n] {
            let svd = certified_svd(&gram_of(&values, n), Rank::Columns(k), 1).unwrap();
            let rescale = vec![Rescale::IDENTITY; n];
            let p = Projector::new(&svd, &rescale).unwrap();
            group.throughput(Throughput::Elements((BLOCK_ROWS * n * k) as u64));
            let mut t = Array2::zeros((BLOCK_ROWS, k));
            let mut u = t.clone();
            group.bench_function(BenchmarkId::from_parameter(format!("{n}/{k}")), |b| {
                b.iter(|| {
                    p.project_into(black_box(block), t.view_mut()).unwrap();
                    p.basis_into(t.view(), u.view_mut()).unwrap();
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, certified, projection);
criterion_main!(benches);
