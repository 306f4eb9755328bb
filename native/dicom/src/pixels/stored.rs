//! From decoded cells to stored values: every decoder ends here.
//!
//! Bits above the value are not used, as the header says, but they are looked at: where they carry something, Bits Stored may be
//! wrong, and then so are the values.

use super::findings::{Findings, Remark};

/// Which bits of a cell are the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellLayout {
    /// Bits of a cell: 8 or 16.
    pub cell: u16,
    /// The value is in this many low bits, 1 to 16; those above are not used.
    pub bits: u16,
    /// Those above in which the header has overlays.
    pub overlays: u16,
    /// The highest of them is the sign.
    pub signed: bool,
    /// What is taken off, so that the values fit `i16`: 0, or 32768 for unsigned ones of 16 bits.
    pub offset: i32,
}

/// Puts the values of `cells` into `out`: one pass without branches, which the compiler turns into vector code, and one over
/// the bits above the values where there are any.
pub(super) fn store(
    cells: impl Iterator<Item = u16> + Clone,
    layout: CellLayout,
    out: &mut [i16],
    found: &mut Findings,
) {
    look_above(cells.clone().take(out.len()), layout, found);
    let unused = u32::from(16 - layout.bits);
    // 0 or -32768, which is the same as 32768 in 16 bits.
    let offset = layout.offset as i16;
    if layout.signed {
        let value = |cell: u16| ((cell << unused) as i16 >> unused).wrapping_sub(offset);
        out.iter_mut().zip(cells).for_each(|(out, cell)| *out = value(cell));
    } else {
        let value = |cell: u16| ((cell << unused >> unused) as i16).wrapping_sub(offset);
        out.iter_mut().zip(cells).for_each(|(out, cell)| *out = value(cell));
    }
}

/// Counts the cells that carry something above the value.
///
/// A negative value may have its sign there, in all bits, or nothing. A scan with both has not: then those with nothing are
/// positive values that need more bits than the header says.
fn look_above(cells: impl Iterator<Item = u16> + Clone, layout: CellLayout, found: &mut Findings) {
    let CellLayout { cell: width, bits, overlays, signed, .. } = layout;
    let any = cells.clone().fold(0, |any, cell| any | cell);
    if bits >= width || any >> bits == 0 {
        return;
    }
    let ones = u16::MAX >> (16 - (width - bits));
    let negative = |cell: u16| signed && cell >> (bits - 1) & 1 == 1;
    let (mut odd, mut extended, mut bare) = (0_u32, 0_u32, 0_u32);
    for cell in cells {
        let (above, negative) = (cell >> bits & ones, negative(cell));
        let is_sign = negative && above == ones;
        odd += u32::from(above != 0 && !is_sign);
        extended += u32::from(is_sign);
        bare += u32::from(negative && above == 0);
    }
    found.spare_bits = odd + if extended + odd > 0 { bare } else { 0 };
    if found.spare_bits > 0 && any >> bits << bits & !overlays == 0 {
        found.remark(Remark::Overlays);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(cell: u16, bits: u16, signed: bool, offset: i32) -> i16 {
        let mut out = [0];
        let layout = CellLayout { cell: 16, bits, overlays: 0, signed, offset };
        store([cell].into_iter(), layout, &mut out, &mut Findings::default());
        out[0]
    }

    fn above(cells: &[u16], cell: u16, bits: u16, signed: bool, overlays: u16) -> (u32, bool) {
        let mut found = Findings::default();
        let layout = CellLayout { cell, bits, overlays, signed, offset: 0 };
        store(cells.iter().copied(), layout, &mut vec![0; cells.len()], &mut found);
        (found.spare_bits, found.has(Remark::Overlays))
    }

    #[test]
    fn bits_above_the_value_are_counted_where_they_are_no_sign() {
        assert_eq!(above(&[0, 4095, 0x1000, 0xFFFF], 16, 12, false, 0), (2, false));
        assert_eq!(above(&[0, 0x7F, 0x80], 8, 7, false, 0), (1, false));
        assert_eq!(above(&[0xFFFF, 0x8000], 16, 16, false, 0), (0, false));
        // Negative values with their sign in all bits, or in none.
        assert_eq!(above(&[0xFFFF, 0x0001, 0xF800], 16, 12, true, 0), (0, false));
        assert_eq!(above(&[0x0FFF, 0x0001, 0x0800], 16, 12, true, 0), (0, false));
        // -1, and 3000, which 12 bits with a sign do not hold; -3000.
        assert_eq!(above(&[0xFFFF, 3000], 16, 12, true, 0), (1, false));
        assert_eq!(above(&[5, (-3000_i16).cast_unsigned()], 16, 12, true, 0), (1, false));
    }

    #[test]
    fn overlays_in_the_bits_above_are_told_from_values() {
        assert_eq!(above(&[0x1FFF, 7], 16, 12, false, 0x1000), (1, true));
        assert_eq!(above(&[0x2FFF, 7], 16, 12, false, 0x1000), (1, false));
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
