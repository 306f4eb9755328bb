//! The canonical basis of the space of equal eigenvalues, with a bound on its error.
//!
//! It is the Gram-Schmidt of the projections of the unit vectors `e_0, e_1, ..` onto the space, in ascending order,
//! passing over those of which the earlier ones leave a squared length of at most 2^-40. With the projector `P` it is
//! the orthonormal factor of `Z = P[:, J]`, J the indices not skipped: `Z = B L^T`, `L = B[J, :]` lower triangular.
//!
//! Computed from the candidates `X`: rows of `X` are the projections in its coordinates, `Y` their Gram-Schmidt, `B =
//! X Y`. Then `|B B^T - P| <= e = angle + 3 |I - X^T X| + 3 |I - Y^T Y| + rounding`, and by the perturbation of QR
//! factorizations (Sun 1991) `B` is off by at most `3 |L^-1| |dZ|_F + 2 e`, `|dZ|_F <= sqrt(c) e` and what stands above
//! L's diagonal.

use crate::rounding::nearest_signed;
use num_bigint::{BigInt, Sign};

/// Squared length, of the component that the earlier ones leave, up to which a vector is skipped: 2^-40.
const PASSED_OVER: u32 = 40;

/// The basis of the space that `x` approximates within `angle` (units of 2^-f), and a bound on the error of its
/// entries; None where the digits do not suffice to know it.
pub(super) fn canonical(x: &[Vec<BigInt>], angle: &BigInt, f: u32) -> Option<(Vec<Vec<BigInt>>, BigInt)> {
    let (c, n) = (x.len(), x[0].len());
    let rows: Vec<Vec<BigInt>> = (0..n).map(|i| x.iter().map(|x| x[i].clone()).collect()).collect();
    let Pivoted { indices, y, margin } = gram_schmidt(&rows, c, f)?;
    let basis: Vec<Vec<BigInt>> = y.iter().map(|y| rows.iter().map(|row| dot(row, y, f)).collect()).collect();
    let e = angle + (defect(x, f) + defect(&y, f)) * 3 + 3 * n * c;
    let entry = |a: usize, b: usize| &basis[b][indices[a]];
    let above: BigInt =
        (0..c).flat_map(|a| (a + 1..c).map(move |b| (a, b))).map(|(a, b)| entry(a, b).pow(2)).sum();
    let z = &e * (BigInt::from(c).sqrt() + 1) + above.sqrt() * 2 + 2;
    let lower: Vec<Vec<f64>> =
        (0..c).map(|a| (0..=a).map(|b| nearest_signed(entry(a, b), -i64::from(f))).collect()).collect();
    let error = z * inverse_norm(&lower)? * 3 + &e * 2 + 1;
    // Every decision to skip or not stands whatever the error.
    (&error * 8 < margin).then_some((basis, error))
}

/// The first independent rows, and their Gram-Schmidt.
struct Pivoted {
    indices: Vec<usize>,
    y: Vec<Vec<BigInt>>,
    /// Least distance of a squared length from the threshold.
    margin: BigInt,
}

fn gram_schmidt(rows: &[Vec<BigInt>], count: usize, f: u32) -> Option<Pivoted> {
    let threshold = BigInt::from(1) << (f - PASSED_OVER);
    let mut found = Pivoted { indices: vec![], y: vec![], margin: threshold.clone() };
    for (i, row) in rows.iter().enumerate() {
        if found.y.len() == count {
            break;
        }
        let mut rest = row.clone();
        // Twice is enough (Kahan; Parlett 6.9).
        for _ in 0..2 {
            for b in &found.y {
                let along = dot(&rest, b, f);
                if along.sign() != Sign::NoSign {
                    rest.iter_mut().zip(b).for_each(|(r, b)| *r -= (&along * b) >> f);
                }
            }
        }
        let square = dot(&rest, &rest, f);
        found.margin = found.margin.min((&square - &threshold).magnitude().clone().into());
        if square > threshold {
            let length = (square << f).sqrt();
            found.y.push(rest.into_iter().map(|r| (r << f) / &length).collect());
            found.indices.push(i);
        }
    }
    (found.y.len() == count).then_some(found)
}

/// `|I - X^T X|_F` in units of 2^-f, rounded up.
fn defect(x: &[Vec<BigInt>], f: u32) -> BigInt {
    let mut square = BigInt::ZERO;
    for (a, x_a) in x.iter().enumerate() {
        for (b, x_b) in x.iter().enumerate().take(a + 1) {
            let product: BigInt = x_a.iter().zip(x_b).map(|(a, b)| a * b).sum();
            let off = if a == b { (BigInt::from(1) << (2 * f)) - product } else { product };
            square += off.pow(2) * if a == b { 1 } else { 2 };
        }
    }
    (square.sqrt() >> f) + 2
}

/// An integer at least the norm of a lower triangular matrix' inverse; None where float64 can't tell.
///
/// `N`, computed by substitution, is the inverse but for `D = L N - I`: `|L^-1| <= |N| / (1 - |D|)`.
fn inverse_norm(l: &[Vec<f64>]) -> Option<BigInt> {
    let c = l.len();
    let mut inverse = vec![0.0f64; c * c];
    for b in 0..c {
        for (a, row) in l.iter().enumerate().skip(b) {
            let unit = f64::from(u8::from(a == b));
            let known: f64 = (b..a).map(|i| row[i] * inverse[i * c + b]).sum();
            inverse[a * c + b] = (unit - known) / row[a];
        }
    }
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
    let size = norm(&mut inverse.iter().copied()) * norm(&mut l.iter().flatten().copied());
    let off = |at: usize| {
        let (a, b) = (at / c, at % c);
        (0..=a).map(|i| l[a][i] * inverse[i * c + b]).sum::<f64>() - f64::from(u8::from(a == b))
    };
    let residual = norm(&mut (0..c * c).map(off)) + size * (c + 8) as f64 * f64::EPSILON;
    let bound = norm(&mut inverse.iter().copied()) * 1.5;
    // Else infinite or not a number.
    (residual < 0.25 && bound < 1e15).then(|| BigInt::from(bound.ceil() as u64 + 1))
}

fn dot(a: &[BigInt], b: &[BigInt], f: u32) -> BigInt {
    a.iter().zip(b).map(|(a, b)| a * b).sum::<BigInt>() >> f
}
