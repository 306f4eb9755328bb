//! `.npy` files: NumPy's arrays.

use npyz::{DType, Endianness, NpyHeader, Order, TypeChar};

use super::{
    MatrixFormat,
    flat::{Element, Layout},
};

/// Bytes of an array's header without the blanks at its end: NumPy writes about 80 for an array of numbers. The parser's recursion is
/// bounded by it.
const MOST_HEADER: usize = 256;
/// The same with these blanks.
const MOST_PADDED: usize = u16::MAX as usize;
/// The beginning of a file, before the version.
const MAGIC: &[u8] = b"\x93NUMPY";

/// Why a file is no array that is read.
pub(crate) enum NoHeader {
    /// It is none at all.
    Foreign,
    /// Its header is longer than that of any array of numbers.
    Long,
    /// Its header is not one that NumPy writes.
    Strange,
}

/// The header of a file, and its length with what is before it.
pub(crate) fn header(bytes: &[u8]) -> Result<(NpyHeader, usize), NoHeader> {
    let (before, length) = match bytes.strip_prefix(MAGIC) {
        Some([1, _, low, high, ..]) => (10, u16::from_le_bytes([*low, *high]).into()),
        Some([2 | 3, _, size @ ..]) => {
            (12, size.first_chunk().map_or(usize::MAX, |&size| u32::from_le_bytes(size) as usize))
        }
        _ => return Err(NoHeader::Foreign),
    };
    if length > MOST_PADDED {
        return Err(NoHeader::Long);
    }
    let text = bytes.get(before..before + length).ok_or(NoHeader::Foreign)?.trim_ascii_end();
    if text.len() > MOST_HEADER {
        return Err(NoHeader::Long);
    }
    // The same in version 1, whose header may not end with its dictionary.
    let short = [MAGIC, &[1, 0], &(text.len() as u16 + 1).to_le_bytes(), text, b"\n"].concat();
    match NpyHeader::from_reader(short.as_slice()) {
        Ok(header) => Ok((header, before + length)),
        Err(_) => Err(NoHeader::Strange),
    }
}

/// The format.
pub(super) struct Npy;

impl MatrixFormat for Npy {
    const HEAD: u64 = 12 + MOST_PADDED as u64;

    fn layout(head: &[u8]) -> Result<Layout, String> {
        const TYPES: &str = "give one of int8 to int64, uint8 to uint64, float32 or float64";
        let (header, start) = header(head).map_err(|problem| match problem {
            NoHeader::Foreign => "it is no .npy file; write it with numpy.save".to_owned(),
            NoHeader::Long => format!("its header is longer than that of any matrix of numbers; {TYPES}"),
            NoHeader::Strange => {
                "its header is not as numpy.save writes it; read it with NumPy and save it again".to_owned()
            }
        })?;
        let DType::Plain(kind) = header.dtype() else {
            return Err(format!("it is an array of records; {TYPES}"));
        };
        let element = match (kind.type_char(), kind.size_field()) {
            (TypeChar::Int, 1) => Element::I8,
            (TypeChar::Int, 2) => Element::I16,
            (TypeChar::Int, 4) => Element::I32,
            (TypeChar::Int, 8) => Element::I64,
            (TypeChar::Uint, 1) => Element::U8,
            (TypeChar::Uint, 2) => Element::U16,
            (TypeChar::Uint, 4) => Element::U32,
            (TypeChar::Uint, 8) => Element::U64,
            (TypeChar::Float, 4) => Element::F32,
            (TypeChar::Float, 8) => Element::F64,
            (TypeChar::Object, _) => return Err(format!("it is an array of objects; {TYPES}")),
            (TypeChar::Complex, _) => return Err(format!("its numbers are complex; {TYPES}")),
            _ => return Err(format!("its type is {kind}; {TYPES}")),
        };
        let &[rows, columns] = header.shape() else {
            let dimensions = header.shape().len();
            return Err(format!(
                "the array has {dimensions} {}; give a matrix, which has 2 (numpy.reshape)",
                if dimensions == 1 { "dimension" } else { "dimensions" }
            ));
        };
        Ok(Layout {
            rows,
            columns,
            element,
            big_endian: kind.endianness() == Endianness::Big,
            column_major: header.order() == Order::Fortran,
            start: start as u64,
            gzip: false,
            scale: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes
    }

    fn layout(kind: &str, order: &str, shape: &str) -> Result<Layout, String> {
        Npy::layout(&file(&format!("{{'descr': {kind}, 'fortran_order': {order}, 'shape': {shape}, }}\n")))
    }

    #[test]
    fn types_orders_and_shapes_are_what_the_header_says() {
        let big = layout("'>f4'", "True", "(7, 3)").unwrap();
        assert_eq!((big.rows, big.columns, big.element), (7, 3, Element::F32));
        assert!(big.big_endian && big.column_major);
        let blanks = " ".repeat(60_000);
        let text = "{'descr': '>f4', 'fortran_order': True, 'shape': (7, 3), }";
        let padded = Npy::layout(&file(&format!("{text}{blanks}\n"))).unwrap();
        assert_eq!(Layout { start: big.start, ..padded }, big);
        assert_eq!(padded.start, big.start + 60_000);
        let small = layout("'|u1'", "False", "(1, 18446744073709551615)").unwrap();
        assert_eq!((small.element, small.columns, small.big_endian), (Element::U8, u64::MAX, false));
    }

    #[test]
    fn what_is_no_matrix_of_numbers_is_refused_with_what_to_give() {
        for (kind, shape, said) in [
            ("'|O'", "(2, 2)", "objects"),
            ("'<c16'", "(2, 2)", "complex"),
            ("'<f2'", "(2, 2)", "<f2"),
            ("'|b1'", "(2, 2)", "|b1"),
            ("[('a', '<f8')]", "(2, 2)", "records"),
            ("'<f8'", "(2,)", "1 dimension;"),
            ("'<f8'", "()", "0 dimensions;"),
            ("'<f8'", "(2, 2, 2)", "3 dimensions;"),
            ("'<f8'", "(-2, 2)", "header is not as numpy.save writes it"),
            ("'f8'", "(2, 2)", "header is not as numpy.save writes it"),
            ("'=f8'", "(2, 2)", "header is not as numpy.save writes it"),
        ] {
            let refused = layout(kind, "False", shape).unwrap_err();
            assert!(refused.contains(said), "{kind} {shape}: {refused}");
        }
        let long = file(&format!("[{}]", "(".repeat(300)));
        assert!(Npy::layout(&long).unwrap_err().contains("longer than that of any matrix"));
        for cut in [0, 3, 8, 9, 20] {
            assert!(Npy::layout(&file("{'descr': '<f8', }")[..cut]).is_err());
        }
    }
}
