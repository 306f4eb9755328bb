//! The transform that makes a patch's noise white: the inverse square root of its covariance matrix.

use tomobasis_linalg::{Vectorize, vectorize};

use crate::{
    jacobi::Jacobi,
    noise::NoiseModel,
    tile::{Matrix, zeros},
};

/// Eigenvalues are at least this part of their mean: what the noise lacks (the highest frequencies, under a soft kernel) is
/// not amplified without limit.
const FLOOR: f32 = 0.02;

/// Enough for any matrix in single precision.
const SWEEPS: usize = 12;

/// `C^-1/2` and `C^1/2` for noise of standard deviation 1.
pub(crate) struct Whitening<const N: usize> {
    /// Makes noise white.
    pub white: Box<Matrix<N>>,
    /// Undoes it.
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
        vectorize(Roots { jacobi, voxels })
    }
}

struct Roots<const N: usize> {
    jacobi: Jacobi<N>,
    voxels: usize,
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
        Whitening { white, colored }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_noise_needs_no_whitening() {
        let found = Whitening::<48>::new(&NoiseModel::white(20.0), [3, 4, 4]);
        for i in 0..48 {
            for j in 0..48 {
                let identity = f32::from(u8::from(i == j));
                assert_eq!((found.white[i][j], found.colored[i][j]), (identity, identity));
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
                let product: f32 = (0..64).map(|k| found.white[i][k] * found.colored[k][j]).sum();
                let identity = f32::from(u8::from(i == j));
                assert!((product - identity).abs() < 1e-4, "{i} {j} {product}");
                // colored^2 is the covariance, none of whose eigenvalues is below the floor here.
                let square: f32 = (0..64).map(|k| found.colored[i][k] * found.colored[k][j]).sum();
                let place = |k: usize| [k / 25, k / 5 % 5, k % 5].map(|p| p as i64);
                let (a, b) = (place(i), place(j));
                let lag = std::array::from_fn(|axis| b[axis] - a[axis]);
                let expected = if i.max(j) < 50 { model.correlation(lag) as f32 } else { identity };
                assert!((square - expected).abs() < 1e-4, "{i} {j} {square} {expected}");
            }
        }
    }
}
