//! What the tests of several drivers measure.

/// `|I - X^T X|_F` for `rows x k` row-major `x`.
pub fn loss(x: &[f64], k: usize) -> f64 {
    let mut square = 0.0;
    for a in 0..k {
        for b in 0..k {
            let dot: f64 = x.chunks_exact(k).map(|row| row[a] * row[b]).sum();
            square += (dot - f64::from(u8::from(a == b))).powi(2);
        }
    }
    square.sqrt()
}
