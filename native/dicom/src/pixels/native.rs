//! Uncompressed pixels (PS3.5 section 8.1.1, annex A.1 to A.4).

use super::findings::Findings;
use super::stored::{CellLayout, store};
use crate::header::ByteOrder;

/// Unpacks `bytes`, one cell per pixel.
pub(super) fn read(
    bytes: &[u8],
    order: ByteOrder,
    layout: CellLayout,
    out: &mut [i16],
    found: &mut Findings,
) {
    let pairs = bytes.as_chunks::<2>().0.iter();
    match (layout.cell, order) {
        (8, ByteOrder::SwappedPairs) => {
            let swapped = pairs.flat_map(|&[first, second]| [u16::from(second), u16::from(first)]);
            store(swapped, layout, out, found);
        }
        (8, _) => store(bytes.iter().map(|&byte| u16::from(byte)), layout, out, found),
        (_, ByteOrder::Big) => store(pairs.map(|&pair| u16::from_be_bytes(pair)), layout, out, found),
        _ => store(pairs.map(|&pair| u16::from_le_bytes(pair)), layout, out, found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all<const N: usize>(bytes: &[u8], bits: u16, order: ByteOrder) -> [i16; N] {
        let mut out = [0; N];
        let layout = CellLayout { cell: bits, bits, overlays: 0, signed: false, offset: 0 };
        read(bytes, order, layout, &mut out, &mut Findings::default());
        out
    }

    #[test]
    fn cells_are_read_in_each_byte_order() {
        assert_eq!(read_all(&[1, 2, 3, 4], 16, ByteOrder::Little), [0x0201, 0x0403]);
        assert_eq!(read_all(&[1, 2, 3, 4], 16, ByteOrder::Big), [0x0102, 0x0304]);
        assert_eq!(read_all(&[1, 2, 3, 4], 8, ByteOrder::Little), [1, 2, 3, 4]);
        assert_eq!(read_all(&[1, 2, 3, 4], 8, ByteOrder::SwappedPairs), [2, 1, 4, 3]);
    }
}
