//! Counts and numbers as sentences have them.

/// `all 12 slices`, `1 of 12 slices`.
pub(crate) fn share(count: usize, slices: usize) -> String {
    match slices {
        1 => "the only slice".to_owned(),
        _ if count == slices => format!("all {slices} slices"),
        _ => format!("{count} of {slices} slices"),
    }
}

/// `1 slice`, `5 slices`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A number with at most three decimals, or with three significant digits where that is more: 0.703 mm and 0.0085 mm.
pub fn decimals(number: f64) -> String {
    let decimals = if number == 0.0 { 0.0 } else { (2.0 - number.abs().log10().floor()).clamp(3.0, 12.0) };
    let text = format!("{number:.0$}", decimals as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::decimals;

    #[test]
    fn small_lengths_keep_three_significant_digits() {
        for (number, text) in [
            (0.0, "0"),
            (0.703_125, "0.703"),
            (1.25, "1.25"),
            (100.0, "100"),
            (0.0085, "0.0085"),
            (0.012_34, "0.0123"),
            (-0.001_239, "-0.00124"),
            (12.345_6, "12.346"),
        ] {
            assert_eq!(decimals(number), text);
        }
    }
}
