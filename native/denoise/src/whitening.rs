//! The transform that makes a patch's noise white: an inverse square root of its covariance matrix.
//!
//! Of all roots the one is taken that leads to products of polynomials along slices, rows and columns (discrete Legendre polynomials,
//! much like cosines). Patches of anatomy are nearly uncorrelated in these, so that few sweeps of rotations are left to do in
//! each window.

use tomobasis_linalg::{Vectorize, vectorize};

use crate::{
    jacobi::Jacobi,
    noise::NoiseModel,
    tile::{Matrix, square_product, transpose_scaled, zeros},
};

/// Eigenvalues are at least this part of their mean: what the noise lacks (the highest frequencies, under a soft kernel) is
/// not amplified without limit.
const FLOOR: f32 = 0.02;

/// Enough for any matrix in single precision.
const SWEEPS: usize = 12;

/// `P C^-1/2` and `P C^1/2` for noise of standard deviation 1, `P` orthonormal.
pub(crate) struct Whitening<const N: usize> {
    /// Makes noise white.
    pub white: Box<Matrix<N>>,
    /// Its transpose.
    pub white_transposed: Box<Matrix<N>>,
    /// Its transpose undoes it.
    pub colored: Box<Matrix<N>>,
}

impl<const N: usize> Whitening<N> {
    /// For patches of this many slices, rows and columns, whose voxels are the first of the N.
    pub fn new(model: &NoiseModel, patch: [usize; 3]) -> Self {
        let mut jacobi = Jacobi::new();
        let voxels = patch.iter().product();
        let place =
            |k: usize| [k / (patch[1] * patch[2]), k / patch[2] % patch[1], k % patch[2]].map(|p| p as i64);
        for i in 0..N {
            for j in 0..N {
                let ([za, ya, xa], [zb, yb, xb]) = (place(i), place(j));
                jacobi.matrix[i][j] = match i.max(j) < voxels {
                    true => model.correlation([zb - za, yb - ya, xb - xa]) as f32,
                    // What no voxel uses stays as it is.
                    false => f32::from(u8::from(i == j)),
                };
            }
        }
        vectorize(Roots { jacobi, voxels, polynomials: polynomials(patch) })
    }
}

/// Products of polynomials along the axes of a patch, as rows; what no voxel uses stays as it is.
fn polynomials<const N: usize>(patch: [usize; 3]) -> Box<Matrix<N>> {
    let [slices, rows, columns] = patch.map(orthonormal);
    let mut products = zeros::<N>();
    let voxels = patch.iter().product();
    let place = |k: usize| [k / (patch[1] * patch[2]), k / patch[2] % patch[1], k % patch[2]];
    for (i, product) in products.iter_mut().enumerate() {
        if i >= voxels {
            product[i] = 1.0;
            continue;
        }
        let [z, y, x] = place(i);
        for (j, entry) in product.iter_mut().enumerate().take(voxels) {
            let [a, b, c] = place(j);
            *entry = (slices[z][a] * rows[y][b] * columns[x][c]) as f32;
        }
    }
    products
}

/// The polynomials of degree 0 to n - 1 on n points, orthonormal, by the method of Gram and Schmidt.
fn orthonormal(n: usize) -> Vec<Vec<f64>> {
    let mut found: Vec<Vec<f64>> = Vec::new();
    for degree in 0..n {
        let middle = 0.5 * (n as f64 - 1.0);
        let power = |point: usize| (0..degree).fold(1.0, |power, _| power * (point as f64 - middle));
        let mut values: Vec<f64> = (0..n).map(power).collect();
        for other in &found {
            let part: f64 = values.iter().zip(other).map(|(a, b)| a * b).sum();
            values.iter_mut().zip(other).for_each(|(value, other)| *value -= part * other);
        }
        let norm = values.iter().map(|value| value * value).sum::<f64>().sqrt();
        values.iter_mut().for_each(|value| *value /= norm);
        found.push(values);
    }
    found
}

struct Roots<const N: usize> {
    jacobi: Jacobi<N>,
    voxels: usize,
    polynomials: Box<Matrix<N>>,
}

impl<const N: usize> Vectorize for Roots<N> {
    type Output = Whitening<N>;

    #[inline(always)]
    fn run(mut self) -> Whitening<N> {
        let trace: f32 = (0..self.voxels).map(|i| self.jacobi.matrix[i][i]).sum();
        let floor = FLOOR * trace / self.voxels as f32;
        self.jacobi.diagonalize(SWEEPS);
        let (mut white, mut colored) = (zeros::<N>(), zeros::<N>());
        for k in 0..N {
            let vector = &self.jacobi.vectors[k];
            let root = self.jacobi.matrix[k][k].max(floor).sqrt();
            for i in 0..N {
                let (down, up) = (vector[i] / root, vector[i] * root);
                for j in 0..N {
                    white[i][j] = down.mul_add(vector[j], white[i][j]);
                    colored[i][j] = up.mul_add(vector[j], colored[i][j]);
                }
            }
        }
        let mut whitening = Whitening { white: zeros(), white_transposed: zeros(), colored: zeros() };
        square_product(&self.polynomials, &white, &mut whitening.white);
        transpose_scaled(&whitening.white, 1.0, &mut whitening.white_transposed);
        square_product(&self.polynomials, &colored, &mut whitening.colored);
        whitening
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot<const N: usize>(a: &[f32; N], b: &[f32; N]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn white_noise_stays_white() {
        let found = Whitening::<48>::new(&NoiseModel::white(20.0), [3, 4, 4]);
        for i in 0..48 {
            assert_eq!(found.white[i], found.colored[i]);
            for j in 0..48 {
                let identity = f32::from(u8::from(i == j));
                assert!((dot(&found.white[i], &found.white[j]) - identity).abs() < 1e-6, "{i} {j}");
                assert_eq!(found.white[i][j], found.white_transposed[j][i]);
            }
        }
    }

    #[test]
    fn whitened_noise_has_the_identity_as_covariance() {
        let mut model = NoiseModel::white(20.0);
        model.slice_correlation = [0.3, 0.1];
        model.set_correlation(0, 1, 0.4);
        model.set_correlation(1, 0, 0.4);
        model.set_correlation(1, 1, 0.16);
        model.set_correlation(1, -1, 0.16);
        let found = Whitening::<64>::new(&model, [2, 5, 5]);
        for i in 0..64 {
            for j in 0..64 {
                let product = dot(&found.white[i], &found.colored[j]);
                let identity = f32::from(u8::from(i == j));
                assert!((product - identity).abs() < 1e-4, "{i} {j} {product}");
                // colored^T colored is the covariance, none of whose eigenvalues is below the floor here.
                let square: f32 = (0..64).map(|k| found.colored[k][i] * found.colored[k][j]).sum();
                let place = |k: usize| [k / 25, k / 5 % 5, k % 5].map(|p| p as i64);
                let (a, b) = (place(i), place(j));
                let lag = std::array::from_fn(|axis| b[axis] - a[axis]);
                let expected = if i.max(j) < 50 { model.correlation(lag) as f32 } else { identity };
                assert!((square - expected).abs() < 1e-4, "{i} {j} {square} {expected}");
            }
        }
    }
}
