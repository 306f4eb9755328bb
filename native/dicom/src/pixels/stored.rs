//! From decoded cells to stored values: every decoder ends here.

/// Which bits of a cell are the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meaning {
    /// The value is in this many low bits, 1 to 16; those above are ignored (old files keep overlays there).
    pub bits: u16,
    /// The highest of them is the sign.
    pub signed: bool,
    /// What is taken off, so that the values fit `i16`: 0, or 32768 for unsigned ones of 16 bits.
    pub offset: i32,
}

/// Puts the values of `cells` into `out`: one pass without branches, which the compiler turns into vector code.
pub(super) fn store(cells: impl Iterator<Item = u16>, meaning: Meaning, out: &mut [i16]) {
    let unused = u32::from(16 - meaning.bits);
    // 0 or -32768, which is the same as 32768 in 16 bits.
    let offset = meaning.offset as i16;
    if meaning.signed {
        let value = |cell: u16| ((cell << unused) as i16 >> unused).wrapping_sub(offset);
        out.iter_mut().zip(cells).for_each(|(out, cell)| *out = value(cell));
    } else {
        let value = |cell: u16| ((cell << unused >> unused) as i16).wrapping_sub(offset);
        out.iter_mut().zip(cells).for_each(|(out, cell)| *out = value(cell));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(cell: u16, bits: u16, signed: bool, offset: i32) -> i16 {
        let mut out = [0];
        store([cell].into_iter(), Meaning { bits, signed, offset }, &mut out);
        out[0]
    }

    #[test]
    fn bits_above_the_value_are_ignored_and_the_sign_is_extended() {
        assert_eq!(one(0xFFFF, 12, false, 0), 4095);
        assert_eq!(one(0x0FFF, 12, true, 0), -1);
        assert_eq!(one(0xF7FF, 12, true, 0), 2047);
        assert_eq!(one(0x8000, 16, true, 0), -32768);
        assert_eq!(one(0x80, 8, true, 0), -128);
        assert_eq!(one(0x80, 8, false, 0), 128);
        assert_eq!(one(0xFF, 1, true, 0), -1);
    }

    #[test]
    fn unsigned_16_bit_values_fit_with_their_offset() {
        assert_eq!(one(0x0000, 16, false, 32768), -32768);
        assert_eq!(one(0xFFFF, 16, false, 32768), 32767);
        assert_eq!(one(0x0FFF, 12, false, 32768), -28673);
    }
}
