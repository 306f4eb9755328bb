//! What correctly rounded basis vectors would cost, against the chains that define them: some rows of the demo's
//! scan (512 x 301, 12 bits, all 301 columns), one thread, the least of many short runs.
//!
//!     cargo bench -p tomobasis-linalg --bench basis            (TOMOBASIS_KERNEL=avx2 ..: another kernel)
//!
//! `U_ij = (sum_l x_il v_lj) / s_j`, exactly: 12-bit digits of `v`, one product of integers for each by the Gram kernel, at the
//! speed that it has for sums of 301 terms; then, for every entry, the digits' sums are joined, multiplied by `1 / s_j` in
//! fixed point, and rounded unless they are too close to a midpoint (Ziv). The digits needed follow from `s_1 / s_j`: an
//! error of `2^-64` relative to the entries leaves one in 2^10 undecided, whose cost is not counted.

use ndarray::{Array2, ArrayView2};
use std::hint::black_box;
use std::time::Instant;
use tomobasis_linalg::{GramAccumulator, Projector, Rank, Rescale, certified_svd, column_major, kernel_name};

const ROWS: usize = 512;
const COLUMNS: usize = 301;
const DIGIT: f64 = 12.0;

fn main() {
    let noise = |at: usize| ((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as f64;
    let value = |i: usize, j: usize| 1000.0 * (i as f64 / 900.0 + j as f64 / 40.0).sin();
    let values: Vec<i16> =
        (0..COLUMNS * ROWS).map(|at| (value(at % ROWS, at / ROWS) + noise(at)) as i16).collect();
    let block = column_major(&values, ROWS, COLUMNS).expect("a block");
    let outputs = (ROWS * COLUMNS) as f64;
    let chain = chain(block);
    println!(
        "chain of fused multiply-adds: {:.1} ms, {:.1} 10^9 a second",
        chain * 1e3,
        outputs * 301e-9 / chain
    );
    let plane = outputs * COLUMNS as f64 / products_per_second(&values);
    println!(
        "one plane of digits, kernel {}: {:.1} ms, {:.2} chains",
        kernel_name(),
        plane * 1e3,
        plane / chain
    );
    for ratio in [1.0, 128.0, 9407.0f64] {
        let bits = 64.0 + (COLUMNS as f64).sqrt().log2() + ratio.log2();
        let planes = (bits / DIGIT).ceil() as usize;
        let rounding = rounding(planes);
        println!(
            "s_1 / s_j = {ratio}: {planes} planes and rounding ({:.1} ms): {:.2} chains",
            rounding * 1e3,
            (planes as f64 * plane + rounding) / chain
        );
    }
}

/// Seconds of the least of a few runs.
fn least(mut run: impl FnMut()) -> f64 {
    let time = |_| {
        let began = Instant::now();
        run();
        began.elapsed().as_secs_f64()
    };
    (0..200).map(time).fold(f64::INFINITY, f64::min)
}

fn chain(block: ArrayView2<i16>) -> f64 {
    let rescale = [Rescale::IDENTITY; COLUMNS];
    let mut sums = GramAccumulator::new(COLUMNS).expect("sums");
    sums.add(block).expect("a block");
    let gram = sums.finish(&rescale).expect("a Gram matrix");
    let svd = certified_svd(&gram, Rank::Full, 1).expect("a decomposition");
    let projector = Projector::new(&svd, &rescale).expect("a projector");
    let mut t = Array2::zeros((ROWS, COLUMNS));
    let mut u = t.clone();
    least(|| {
        projector.project_into(black_box(block), t.view_mut()).expect("a block");
        projector.basis_into(t.view(), u.view_mut()).expect("its sums");
    })
}

/// Multiply-adds of the Gram kernel for sums of 301 products.
fn products_per_second(values: &[i16]) -> f64 {
    let width = ROWS;
    let block = column_major(&values[..COLUMNS * width], COLUMNS, width).expect("a block");
    let mut sums = GramAccumulator::new(width).expect("sums");
    let seconds = least(|| sums.add(black_box(block)).expect("a block"));
    (COLUMNS * width * (width + 16) / 2) as f64 / seconds
}

/// Joining the sums of each entry, dividing and rounding.
fn rounding(planes: usize) -> f64 {
    let count = ROWS * COLUMNS;
    let sums: Vec<i64> = (0..count * planes).map(|at| (at as i64).wrapping_mul(0x9e37_79b9) >> 4).collect();
    let reciprocal = black_box(0x9e37_79b9_7f4a_7c15u64);
    let mut u = vec![0.0; count];
    let mut open = 0;
    let seconds = least(|| {
        for (u, sums) in u.iter_mut().zip(sums.chunks_exact(planes)) {
            let joined = sums.iter().fold(0i128, |high, &sum| (high << 12) + i128::from(sum));
            // The leading 64 bits of the magnitude times 64 bits of the reciprocal.
            let magnitude = joined.unsigned_abs();
            let shift = magnitude.leading_zeros();
            let top = ((magnitude << shift) >> 64) as u64;
            let quotient = u128::from(top) * u128::from(reciprocal);
            let rest = (quotient >> 64) as u64;
            // Within 2^-10 units of a midpoint?
            let below = rest << 53;
            open += u32::from(below.abs_diff(1 << 63) < 1 << 53);
            let value = (rest >> 11) as f64 * f64::from_bits(u64::from(1023 + 64 - shift) << 52);
            *u = if joined < 0 { -value } else { value };
        }
    });
    black_box((&u, open));
    seconds
}
