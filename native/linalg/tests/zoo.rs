//! The whole path, from stored integers to `U`, `s` and `V`, over a zoo of matrices, judged by LAPACK's test
//! ratios (TESTING/EIG): residual and loss of orthogonality in units of the rounding error that a good solver
//! may make. LAPACK fails at 50; so do we at 10.

mod common;

use common::loss;
use ndarray::{Array2, Axis};
use tomobasis_linalg::{
    BLOCK_ROWS, CertifiedSvd, GramAccumulator, Projector, Rank, Rescale, certified_svd, column_major,
};

/// A matrix of stored integers, column after column, and its rescales.
struct Matrix {
    name: &'static str,
    rows: usize,
    columns: usize,
    values: Vec<i16>,
    rescale: Vec<Rescale>,
}

/// A whole decomposition.
#[derive(PartialEq)]
struct Decomposition {
    svd: CertifiedSvd,
    u: Array2<f64>,
}

const CT: Rescale = Rescale { slope: 1.0, intercept: -1024.0, offset: 0 };

fn matrix(name: &'static str, rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Matrix {
    let values =
        (0..columns).flat_map(|j| (0..rows).map(move |i| (i, j))).map(|(i, j)| value(i, j) as i16).collect();
    Matrix { name, rows, columns, values, rescale: vec![Rescale::IDENTITY; columns] }
}

/// Uniform in [0, 1), a function of its arguments alone.
fn random(i: usize, j: usize) -> f64 {
    let mut z = (i as u64) << 32 | j as u64;
    for _ in 0..2 {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z ^= z >> 27;
    }
    (z >> 11) as f64 / (1u64 << 53) as f64
}

fn zoo() -> Vec<Matrix> {
    let noise = |i, j| random(i, j) * 4000.0;
    let smooth = |i: usize, j: usize| {
        2000.0 + 1000.0 * (i as f64 / 900.0 + j as f64 / 9.0).sin() + 40.0 * random(i, j)
    };
    let mut zoo = vec![
        matrix("one pixel of one slice", 1, 1, |_, _| 7.0),
        matrix("one slice", 5000, 1, noise),
        matrix("one pixel", 1, 9, |_, j| 10.0 + j as f64),
        matrix("fewer pixels than slices", 7, 20, noise),
        matrix("square", 40, 40, noise),
        matrix("noise over several blocks", 2 * BLOCK_ROWS + 77, 33, noise),
        matrix("a smooth scan with noise", BLOCK_ROWS + 1, 48, smooth),
        matrix("the whole range of 16 bits", 700, 12, |i, j| {
            if i == j { -32_768.0 } else { random(i, j) * 65_535.0 - 32_768.0 }
        }),
        matrix("rank three", 600, 10, |i, j| (i % 7 * (j + 1) + i % 11 * (j % 3) + i % 5 * (j % 2)) as f64),
        matrix("a constant slice and a repeated one", 900, 6, |i, j| match j {
            2 => 1000.0,
            5 => noise(i, 1).trunc(),
            _ => noise(i, j),
        }),
        matrix("graded columns", 3000, 14, |i, j| (random(i, j) - 0.5) * 32_000.0 / f64::from(1u32 << j)),
        matrix("nearly the same slices", 5000, 8, |i, j| {
            (random(i, 0) * 30_000.0).trunc() + f64::from(i % 1000 == j)
        }),
    ];
    let mut air = matrix("air is far from zero", 5000, 16, |i, j| {
        if i % 3 == 0 { noise(i, j) } else { 24.0 + 20.0 * random(i, j) }
    });
    air.rescale.fill(CT);
    zoo.push(air);
    let mut decimal = matrix("decimal slopes, one per slice", 1200, 9, noise);
    for (j, r) in decimal.rescale.iter_mut().enumerate() {
        *r = Rescale { slope: 0.1 + 0.0137 * j as f64, intercept: -3.7, offset: 32_768 };
    }
    zoo.push(decimal);
    zoo
}

impl Matrix {
    /// Row block `b`, slice-major.
    fn block(&self, b: usize) -> (usize, Vec<i16>) {
        let first = b * BLOCK_ROWS;
        let rows = BLOCK_ROWS.min(self.rows - first);
        let column = |j: usize| &self.values[j * self.rows + first..j * self.rows + first + rows];
        (rows, (0..self.columns).flat_map(|j| column(j).to_vec()).collect())
    }

    fn blocks(&self) -> usize {
        self.rows.div_ceil(BLOCK_ROWS)
    }

    fn real(&self, i: usize, j: usize) -> f64 {
        self.rescale[j].apply(self.values[j * self.rows + i])
    }

    /// Blocks in the given order, dealt out to `groups` accumulators.
    fn decompose(&self, order: impl Iterator<Item = usize>, groups: usize, threads: usize) -> Decomposition {
        let n = self.columns;
        let mut sums = vec![GramAccumulator::new(n).unwrap(); groups];
        for (at, b) in order.enumerate() {
            let (rows, values) = self.block(b);
            sums[at % groups].add(column_major(&values, rows, n).unwrap()).unwrap();
        }
        let mut gram = sums.pop().unwrap();
        sums.iter().for_each(|s| gram.merge(s).unwrap());
        let svd = certified_svd(&gram.finish(&self.rescale).unwrap(), Rank::Full, threads).unwrap();
        let p = Projector::new(&svd, &self.rescale).unwrap();
        let mut u = Array2::zeros((0, svd.s.len()));
        for b in 0..self.blocks() {
            let (rows, values) = self.block(b);
            let t = p.project(column_major(&values, rows, n).unwrap()).unwrap();
            u.append(Axis(0), p.basis(t.view()).unwrap().view()).unwrap();
        }
        Decomposition { svd, u }
    }
}

#[test]
fn test_ratios_stay_below_ten_over_the_zoo() {
    for m in zoo() {
        let Decomposition { svd, u } = m.decompose(0..m.blocks(), 1, 1);
        let (k, n, size) = (svd.s.len(), m.columns, m.rows.max(m.columns) as f64);
        assert!(k >= 1, "{}", m.name);
        let (mut residual, mut norm) = (0.0, 0.0);
        for i in 0..m.rows {
            for j in 0..n {
                let rebuilt: f64 = (0..k).map(|l| u[[i, l]] * svd.s[l] * svd.v[[j, l]]).sum();
                residual += (m.real(i, j) - rebuilt).powi(2);
                norm += m.real(i, j).powi(2);
            }
        }
        let ratios = [
            residual.sqrt() / (norm.sqrt() * size * f64::EPSILON),
            loss(u.view()) / (m.rows as f64 * f64::EPSILON),
            loss(svd.v.view()) / (n as f64 * f64::EPSILON),
        ];
        assert!(ratios.iter().all(|r| *r <= 10.0), "{}: residual, U, V = {ratios:.2?}", m.name);
        assert!(loss(u.view()) <= 1e-12, "{}: U is orthogonal to {:.1e}", m.name, loss(u.view()));
    }
}

#[test]
fn basis_vectors_are_orthogonal_to_1e_12_up_to_condition_1e6() {
    for (difference, step, condition) in [(5000.0, 8, 1e1), (50.0, 8, 1e3), (1.0, 30, 1e5), (1.0, 2500, 1e6)]
    {
        let m = matrix("nearly the same slices", 5000, 8, |i, j| {
            (random(i, 0) * 12_000.0).trunc() + if i % step == j { difference } else { 0.0 }
        });
        let Decomposition { svd, u } = m.decompose(0..m.blocks(), 1, 1);
        let found = svd.s[0] / svd.s[7];
        assert!(
            found / condition > 0.5 && found / condition < 2.0,
            "condition {found:.1e}, not {condition:.0e}"
        );
        assert!(loss(u.view()) <= 1e-12, "condition {condition:.0e}: {:.1e}", loss(u.view()));
    }
}

#[test]
fn order_and_grouping_of_blocks_and_threads_do_not_change_a_bit() {
    for m in zoo() {
        let reference = m.decompose(0..m.blocks(), 1, 1);
        for (groups, threads) in [(1, 2), (2, 3), (3, 8)] {
            let other = m.decompose((0..m.blocks()).rev(), groups, threads);
            assert!(other == reference, "{}: {groups} groups, {threads} threads", m.name);
        }
    }
}
