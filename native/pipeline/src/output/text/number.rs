//! Numbers as text, in the notation of Java's `Double.toString`, which Python and every JVM read.
//!
//! The digits are the fewest that read back as the same float64, and of these the nearest to it. (Java 19 and later chooses them so
//! too; earlier ones sometimes wrote one more than needed.) From 1e-3 up to 1e7 they are written plainly, `0.5`, else with an
//! exponent, `5.0E-4`; one digit at least is behind the point.

use std::io::Write;

/// Bytes of a number at most: a sign, 17 digits and a point, `E-308`.
pub(super) const LONGEST: usize = 1 + 18 + 5;

/// Decimal exponents of the numbers that are written without one.
const PLAIN: std::ops::Range<i32> = -3..7;

/// Appends a finite number.
pub(super) fn append(value: f64, out: &mut Vec<u8>) {
    if value.is_sign_negative() {
        out.push(b'-');
    }
    // "d.dddde-n", of which the library promises the fewest digits.
    let mut shortest = [0; 32];
    let mut rest = &mut shortest[..];
    let _fits = write!(rest, "{:e}", value.abs());
    let unused = rest.len();
    let shortest = &shortest[..32 - unused];
    let split = shortest.iter().position(|&byte| byte == b'e').unwrap_or(shortest.len());
    let (mantissa, exponent) = shortest.split_at(split);
    let exponent =
        std::str::from_utf8(exponent.get(1..).unwrap_or_default()).ok().and_then(|text| text.parse().ok());
    let exponent: i32 = exponent.unwrap_or(0);
    let mut digits = [b'0'; 20];
    let mut count = 0;
    for &digit in mantissa.iter().filter(|byte| byte.is_ascii_digit()).take(digits.len()) {
        digits[count] = digit;
        count += 1;
    }
    let digits = &digits[..count];
    if !PLAIN.contains(&exponent) {
        append_fixed(digits, 0, out);
        let _infallible = write!(out, "E{exponent}");
    } else {
        append_fixed(digits, exponent, out);
    }
}

/// The number `d.ddd` x 10^`exponent`, without an exponent.
fn append_fixed(digits: &[u8], exponent: i32, out: &mut Vec<u8>) {
    let zeros = |count: usize| std::iter::repeat_n(b'0', count);
    match usize::try_from(exponent) {
        Ok(exponent) => {
            let whole = digits.len().min(exponent + 1);
            out.extend_from_slice(&digits[..whole]);
            out.extend(zeros(exponent + 1 - whole));
            out.push(b'.');
            match &digits[whole..] {
                [] => out.push(b'0'),
                rest => out.extend_from_slice(rest),
            }
        }
        Err(_) => {
            out.extend_from_slice(b"0.");
            out.extend(zeros(exponent.unsigned_abs() as usize - 1));
            out.extend_from_slice(digits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: f64) -> String {
        let mut out = Vec::new();
        append(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_look_as_java_writes_them() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-12.5, "-12.5"),
            (100.0, "100.0"),
            (1_234_567.0, "1234567.0"),
            (9_999_999.999_999_998, "9999999.999999998"),
            (1e7, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (0.001, "0.001"),
            (0.012_345, "0.012345"),
            (0.000_999_9, "9.999E-4"),
            (-1.5e-10, "-1.5E-10"),
            (1.0 / 3.0, "0.3333333333333333"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (2e23, "2.0E23"),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn every_number_reads_back_to_the_bit_and_fits() {
        let mut state = 1_u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(state ^ (state >> 29));
            if value.is_finite() {
                let text = text(value);
                assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{text}");
                assert!(text.len() <= LONGEST, "{text}");
            }
        }
    }
}
