//! Eigenvectors of small symmetric matrices by Jacobi's rotations, in one fixed order.
//!
//! R. P. Brent and F. T. Luk (1985), "The solution of singular-value and symmetric eigenvalue problems on multiprocessor
//! arrays": row `i` of the first half meets row `i` of the second half, so that the N/2 rotations of a round touch
//! different rows and columns and are done in vectors; then all rows and columns but the first move on by one place, as
//! the players of a tournament do. A sweep of N - 1 rounds pairs each row with each other once and leaves all where they
//! began. The number of sweeps is given, not found: the result is a function of the matrix alone, with no test on
//! rounded numbers.

use crate::tile::Matrix;

/// The buffers that a round reads and writes by turns.
pub(crate) struct Jacobi<const N: usize> {
    /// The matrix, on its way to diagonal form.
    pub matrix: Box<Matrix<N>>,
    /// The eigenvectors, as rows.
    pub vectors: Box<Matrix<N>>,
    next_matrix: Box<Matrix<N>>,
    next_vectors: Box<Matrix<N>>,
}

impl<const N: usize> Jacobi<N> {
    pub fn new() -> Self {
        let zeros = crate::tile::zeros::<N>;
        Self { matrix: zeros(), vectors: zeros(), next_matrix: zeros(), next_vectors: zeros() }
    }

    /// Diagonalizes `matrix`, which must be symmetric: its diagonal becomes the eigenvalues, in no order, and row `i` of
    /// `vectors` the eigenvector of entry `(i, i)`.
    #[inline(always)]
    pub fn diagonalize(&mut self, sweeps: usize) {
        *self.vectors = [[0.0; N]; N];
        for i in 0..N {
            self.vectors[i][i] = 1.0;
        }
        for _ in 0..sweeps * (N - 1) {
            self.round();
        }
    }

    #[inline(always)]
    fn round(&mut self) {
        let half = N / 2;
        let (cosine, sine) = self.angles();
        for i in 0..half {
            let (first, second) = (moved::<N>(i), moved::<N>(half + i));
            let [a, b] = rotate_rows(&self.matrix[i], &self.matrix[half + i], cosine[i], sine[i]);
            rotate_columns(&a, &cosine, &sine, &mut self.next_matrix[first]);
            rotate_columns(&b, &cosine, &sine, &mut self.next_matrix[second]);
            let [a, b] = rotate_rows(&self.vectors[i], &self.vectors[half + i], cosine[i], sine[i]);
            self.next_vectors[first] = a;
            self.next_vectors[second] = b;
        }
        std::mem::swap(&mut self.matrix, &mut self.next_matrix);
        std::mem::swap(&mut self.vectors, &mut self.next_vectors);
    }

    /// Cosine and sine of the N/2 angles that make the entries `(i, N/2 + i)` zero: of the two, the one of at most 45
    /// degrees, without which sweeps need not converge.
    #[inline(always)]
    fn angles(&self) -> ([f32; N], [f32; N]) {
        let half = N / 2;
        let (mut difference, mut twice) = ([0f32; N], [0f32; N]);
        for i in 0..half {
            difference[i] = self.matrix[half + i][half + i] - self.matrix[i][i];
            twice[i] = 2.0 * self.matrix[i][half + i];
        }
        let (mut cosine, mut sine) = ([1f32; N], [0f32; N]);
        for i in 0..half {
            let hypotenuse = difference[i].mul_add(difference[i], twice[i] * twice[i]).sqrt();
            // Not zero where there is nothing to rotate.
            let side = (difference[i].abs() + hypotenuse).max(f32::MIN_POSITIVE);
            let tangent = twice[i] * 1f32.copysign(difference[i]) / side;
            cosine[i] = 1.0 / tangent.mul_add(tangent, 1.0).sqrt();
            sine[i] = cosine[i] * tangent;
        }
        (cosine, sine)
    }
}

/// Where row or column `i` goes after a round.
#[inline(always)]
fn moved<const N: usize>(i: usize) -> usize {
    let half = N / 2;
    match i {
        0 => 0,
        _ if i == half => 1,
        _ if i == half - 1 => N - 1,
        _ if i < half => i + 1,
        _ => i - 1,
    }
}

#[inline(always)]
fn rotate_rows<const N: usize>(a: &[f32; N], b: &[f32; N], cosine: f32, sine: f32) -> [[f32; N]; 2] {
    let (mut first, mut second) = ([0.0; N], [0.0; N]);
    for c in 0..N {
        first[c] = cosine.mul_add(a[c], -(sine * b[c]));
        second[c] = sine.mul_add(a[c], cosine * b[c]);
    }
    [first, second]
}

/// Rotates column `i` with column `N/2 + i`, and moves them on.
#[inline(always)]
fn rotate_columns<const N: usize>(row: &[f32; N], cosine: &[f32; N], sine: &[f32; N], result: &mut [f32; N]) {
    let half = N / 2;
    let (mut first, mut second) = ([0.0; N], [0.0; N]);
    for i in 0..half {
        first[i] = cosine[i].mul_add(row[i], -(sine[i] * row[half + i]));
        second[i] = sine[i].mul_add(row[i], cosine[i] * row[half + i]);
    }
    result[0] = first[0];
    result[1] = second[0];
    result[2..half].copy_from_slice(&first[1..half - 1]);
    result[half..N - 1].copy_from_slice(&second[1..half]);
    result[N - 1] = first[half - 1];
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 48;

    fn symmetric(mut entry: impl FnMut(usize, usize) -> f32) -> Jacobi<N> {
        let mut jacobi = Jacobi::new();
        for i in 0..N {
            for j in 0..=i {
                jacobi.matrix[i][j] = entry(i, j);
                jacobi.matrix[j][i] = jacobi.matrix[i][j];
            }
        }
        jacobi
    }

    fn noise() -> impl FnMut(usize, usize) -> f32 {
        let mut state = 5u32;
        move |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0 - 0.5
        }
    }

    /// Largest entry off the diagonal of what is left, of `V V^T - I`, and of `V A - diag V`.
    fn faults(mut jacobi: Jacobi<N>, sweeps: usize) -> [f32; 3] {
        let before = jacobi.matrix.clone();
        jacobi.diagonalize(sweeps);
        let (a, v) = (&jacobi.matrix, &jacobi.vectors);
        let mut worst = [0f32; 3];
        for i in 0..N {
            for j in 0..N {
                let dot: f32 = (0..N).map(|k| v[i][k] * v[j][k]).sum();
                let image: f32 = (0..N).map(|k| v[i][k] * before[k][j]).sum();
                let off = if i == j { 0.0 } else { a[i][j].abs() };
                let faults =
                    [off, (dot - f32::from(u8::from(i == j))).abs(), (image - a[i][i] * v[i][j]).abs()];
                (0..3).for_each(|f| worst[f] = worst[f].max(faults[f]));
            }
        }
        worst
    }

    #[test]
    fn eight_sweeps_diagonalize_to_single_precision() {
        for fault in faults(symmetric(noise()), 8) {
            assert!(fault < 2e-5, "{fault}");
        }
    }

    #[test]
    fn graded_equal_and_zero_eigenvalues_are_diagonalized() {
        let mut random = noise();
        let graded = symmetric(|i, j| random(i, j) * 0.5f32.powi((i + j) as i32 / 4));
        let equal = symmetric(|_, _| 1.0);
        let none = symmetric(|_, _| 0.0);
        let identity = symmetric(|i, j| f32::from(u8::from(i == j)));
        for (name, jacobi) in [("graded", graded), ("equal", equal), ("none", none), ("identity", identity)] {
            let found = faults(jacobi, 12);
            assert!(found.iter().all(|fault| *fault < 5e-5), "{name}: {found:?}");
        }
    }

    #[test]
    fn a_sweep_pairs_every_two_rows_once() {
        let mut places: Vec<usize> = (0..N).collect();
        let mut met = std::collections::BTreeSet::new();
        for _ in 1..N {
            let mut next = vec![0; N];
            for i in 0..N / 2 {
                let (a, b) = (places[i], places[N / 2 + i]);
                assert!(met.insert((a.min(b), a.max(b))));
            }
            (0..N).for_each(|i| next[moved::<N>(i)] = places[i]);
            places = next;
        }
        assert_eq!(met.len(), N * (N - 1) / 2);
        assert_eq!(places, (0..N).collect::<Vec<_>>());
    }
}
