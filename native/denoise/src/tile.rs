//! Products of small matrices in single precision, each entry one chain of fused multiply-adds in ascending order.
//!
//! Loops are tiled and vectorized across entries only, never along a sum, so the vector width changes no bit.

/// Columns of a tile: one AVX-512 or two AVX2 vectors.
pub(crate) const LANES: usize = 16;

/// Rows of a tile: twelve accumulators of AVX2 stay in sixteen registers.
pub(crate) const HEIGHT: usize = 6;

/// Rows of a Gram matrix's operand that are taken at a time, so that they stay in the first-level cache.
const DEPTH: usize = 96;

/// Row-major.
pub(crate) type Matrix<const N: usize> = [[f32; N]; N];

/// A matrix of zeros.
pub(crate) fn zeros<const N: usize>() -> Box<Matrix<N>> {
    Box::new([[0.0; N]; N])
}

/// `rows[q][c]`: the chain of `left[q][l] * right[l][c]` over `l` below `depth`.
#[inline(always)]
pub(crate) fn product<const N: usize, const R: usize>(
    left: &[[f32; N]; R],
    right: &Matrix<N>,
    depth: usize,
) -> [[f32; N]; R] {
    let mut rows = [[0.0; N]; R];
    for panel in 0..N / LANES {
        let mut chains = [[0f32; LANES]; R];
        for (l, right) in right.iter().enumerate().take(depth) {
            let right = &right.as_chunks::<LANES>().0[panel];
            for q in 0..R {
                for c in 0..LANES {
                    chains[q][c] = left[q][l].mul_add(right[c], chains[q][c]);
                }
            }
        }
        for q in 0..R {
            rows[q].as_chunks_mut::<LANES>().0[panel] = chains[q];
        }
    }
    rows
}

/// `left * right` where many columns of `left` are zero: these are skipped.
#[inline(always)]
pub(crate) fn product_of_some<const N: usize, const R: usize>(
    left: &[[f32; N]; R],
    right: &Matrix<N>,
) -> [[f32; N]; R] {
    let mut any = [false; N];
    for row in left {
        for l in 0..N {
            any[l] |= row[l] != 0.0;
        }
    }
    let (mut columns, mut count) = ([0; N], 0);
    for (l, any) in any.into_iter().enumerate() {
        columns[count] = l;
        count += usize::from(any);
    }
    let mut rows = [[0.0; N]; R];
    if count == 0 {
        return rows;
    }
    for panel in 0..N / LANES {
        let mut chains = [[0f32; LANES]; R];
        for &l in &columns[..count] {
            let right = &right[l].as_chunks::<LANES>().0[panel];
            for q in 0..R {
                for c in 0..LANES {
                    chains[q][c] = left[q][l].mul_add(right[c], chains[q][c]);
                }
            }
        }
        for q in 0..R {
            rows[q].as_chunks_mut::<LANES>().0[panel] = chains[q];
        }
    }
    rows
}

/// `left * right`.
#[inline(always)]
pub(crate) fn square_product<const N: usize>(left: &Matrix<N>, right: &Matrix<N>, result: &mut Matrix<N>) {
    let (tiles, rest) = left.as_chunks::<HEIGHT>();
    let (result_tiles, result_rest) = result.as_chunks_mut::<HEIGHT>();
    for (tile, result) in tiles.iter().zip(result_tiles) {
        *result = product(tile, right, N);
    }
    for (row, result) in rest.iter().zip(result_rest) {
        [*result] = product(&[*row], right, N);
    }
}

/// `rows^T * rows`: entry `(i, j)` is the chain over the rows in ascending order. Columns from `width` on are zero.
#[inline(always)]
pub(crate) fn gram<const N: usize>(rows: &[[f32; N]], width: usize, gram: &mut Matrix<N>) {
    *gram = [[0.0; N]; N];
    for rows in rows.chunks(DEPTH) {
        for first in (0..width).step_by(HEIGHT) {
            // Tiles below the diagonal are the mirror of those above.
            for panel in first / LANES..N / LANES {
                let mut chains = [[0f32; LANES]; HEIGHT];
                for q in 0..HEIGHT {
                    chains[q] = gram[first + q].as_chunks::<LANES>().0[panel];
                }
                for row in rows {
                    let right = &row.as_chunks::<LANES>().0[panel];
                    let left: [f32; HEIGHT] = std::array::from_fn(|q| row[first + q]);
                    for q in 0..HEIGHT {
                        for c in 0..LANES {
                            chains[q][c] = left[q].mul_add(right[c], chains[q][c]);
                        }
                    }
                }
                for q in 0..HEIGHT {
                    gram[first + q].as_chunks_mut::<LANES>().0[panel] = chains[q];
                }
            }
        }
    }
    mirror(gram);
}

/// Copies what is above the diagonal below it.
#[inline(always)]
pub(crate) fn mirror<const N: usize>(matrix: &mut Matrix<N>) {
    for i in 1..N {
        let (above, below) = matrix.split_at_mut(i);
        for (entry, row) in below[0].iter_mut().zip(above) {
            *entry = row[i];
        }
    }
}

/// Sets `result` to the transpose of `matrix` times a scale.
#[inline(always)]
pub(crate) fn transpose_scaled<const N: usize>(matrix: &Matrix<N>, scale: f32, result: &mut Matrix<N>) {
    for i in 0..N {
        for j in 0..N {
            result[j][i] = matrix[i][j] * scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix whose products round.
    fn values<const N: usize>(rows: usize, width: usize, seed: u32) -> Vec<[f32; N]> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0 - 0.5
        };
        (0..rows).map(|_| std::array::from_fn(|c| if c < width { next() } else { 0.0 })).collect()
    }

    #[test]
    fn a_product_is_its_chains() {
        let left: [[f32; 48]; 6] = values(6, 48, 1).try_into().unwrap();
        let right: Matrix<48> = values(48, 48, 2).try_into().unwrap();
        let found = product(&left, &right, 48);
        for q in 0..6 {
            for c in 0..48 {
                let chain = (0..48).fold(0f32, |sum, l| left[q][l].mul_add(right[l][c], sum));
                assert_eq!(found[q][c].to_bits(), chain.to_bits());
            }
        }
    }

    #[test]
    fn columns_of_zeros_are_skipped() {
        let mut left: [[f32; 64]; 6] = values(6, 64, 1).try_into().unwrap();
        let right: Matrix<64> = values(64, 64, 2).try_into().unwrap();
        for (q, row) in left.iter_mut().enumerate() {
            (0..64).filter(|l| l % 3 != 1 || l % 6 == q).for_each(|l| row[l] = 0.0);
        }
        assert_eq!(product_of_some(&left, &right), product(&left, &right, 64));
        assert_eq!(product_of_some(&[[0.0; 64]; 6], &right), [[0.0; 64]; 6]);
        assert_eq!(product_of_some(&[right[3]; 6], &right), product(&[right[3]; 6], &right, 64));
    }

    #[test]
    fn a_gram_matrix_is_its_chains_whatever_the_tiles() {
        let rows = values::<64>(250, 50, 3);
        let mut found = zeros::<64>();
        gram(&rows, 50, &mut found);
        for i in 0..64 {
            for j in 0..64 {
                let chain = rows.iter().fold(0f32, |sum, row| row[i].mul_add(row[j], sum));
                assert_eq!(found[i][j].to_bits(), chain.to_bits(), "{i} {j}");
            }
        }
    }

    #[test]
    fn square_products_take_all_rows() {
        let left: Matrix<64> = values(64, 64, 4).try_into().unwrap();
        let mut identity = zeros::<64>();
        (0..64).for_each(|i| identity[i][i] = 1.0);
        let mut found = zeros::<64>();
        square_product(&left, &identity, &mut found);
        assert_eq!(*found, left);
    }
}
