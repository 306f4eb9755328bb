//! Normal variates without a mathematical library, whose last bits differ by platform.
//!
//! M. J. Wichura (1988), "Algorithm AS 241: the percentage points of the normal distribution", Applied
//! Statistics 37(3): three rational approximations, accurate to about 1e-16. The logarithm that its tails
//! need is a series of its own; all else is the four operations and square roots.

#![expect(clippy::excessive_precision, reason = "the digits are the published ones")]

/// Numerator and denominator, lowest power first.
type Rational = [[f64; 8]; 2];

/// For probabilities within 0.425 of one half, in `0.180625 - q^2`.
const CENTRE: Rational = [
    [
        3.387_132_872_796_366_608,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561e3,
    ],
];

/// For tail probabilities down to exp(-25), in `sqrt(-ln r) - 1.6`.
const TAIL: Rational = [
    [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_9,
        5.769_497_221_460_691_405_5,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_7e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_4e-4,
    ],
    [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_4,
        6.897_673_349_851_000_045_5e-1,
        1.481_039_764_274_800_745_9e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946e-4,
        1.050_750_071_644_416_843_24e-9,
    ],
];

/// For smaller ones, in `sqrt(-ln r) - 5`.
const FAR_TAIL: Rational = [
    [
        6.657_904_643_501_103_777_2,
        5.463_784_911_164_114_369_9,
        1.784_826_539_917_291_335_8,
        2.965_605_718_285_048_912_3e-1,
        2.653_218_952_657_612_309_3e-2,
        1.242_660_947_388_078_438_6e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ],
    [
        1.0,
        5.998_322_065_558_879_376_9e-1,
        1.369_298_809_227_358_053_1e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591e-4,
        1.846_318_317_510_054_681_8e-5,
        1.421_511_758_316_445_888_7e-7,
        2.044_263_103_389_939_785_64e-15,
    ],
];

/// The value that a standard normal variate stays below with probability `p`, in (0, 1).
pub(super) fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, 0.180_625 - q * q);
    }
    let r = (-ln(if q < 0.0 { p } else { 1.0 - p })).sqrt();
    let tail = if r <= 5.0 { ratio(&TAIL, r - 1.6) } else { ratio(&FAR_TAIL, r - 5.0) };
    tail.copysign(q)
}

fn ratio([above, below]: &Rational, x: f64) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum: f64, c| sum.mul_add(x, *c));
    horner(above) / horner(below)
}

/// The natural logarithm of a normal positive number: `x = 2^e m` with `m` in [sqrt(1/2), sqrt(2))`, `ln m =
/// 2 artanh((m - 1) / (m + 1))` by its series.
fn ln(x: f64) -> f64 {
    let mut e = ((x.to_bits() >> 52) as i32) - 1023;
    let mut m = f64::from_bits((x.to_bits() & ((1 << 52) - 1)) | (1023 << 52));
    if m > std::f64::consts::SQRT_2 {
        m *= 0.5;
        e += 1;
    }
    let z = (m - 1.0) / (m + 1.0);
    let square = z * z;
    // |z| < 0.172: the term of power 23 is below 1e-18.
    let series = (0..11).rev().fold(0.0, |sum: f64, i| sum.mul_add(square, 1.0 / f64::from(2 * i + 1)));
    f64::from(e).mul_add(std::f64::consts::LN_2, 2.0 * z * series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_right_to_the_last_digits() {
        for i in 1..2000 {
            let x = f64::from(i) / 1300.0;
            assert!((ln(x) - x.ln()).abs() <= 4e-16 * (1.0 + x.ln().abs()), "{x}");
        }
        assert!((ln(1e-300) - 1e-300f64.ln()).abs() < 2e-13);
    }

    #[test]
    fn quantiles_are_those_of_published_tables() {
        // Wichura 1988, test values, and the customary 97.5 % point.
        for (p, expected) in [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_813_5),
            (1e-20, -9.262_340_089_798_408),
            (0.975, 1.959_963_984_540_054),
            (0.5, 0.0),
        ] {
            let ours = quantile(p);
            assert!((ours - expected).abs() <= 1e-15 * (1.0 + expected.abs()) * 4.0, "{p}: {ours}");
        }
    }
}
