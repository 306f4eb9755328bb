//! Another file in a file: `cat`, a copy in blocks, a disk that was recovered. Readers stop at the end of the first, so the slice
//! behind it would be lost without a word; and if the first was truncated, its pixels would be taken from the second.

use memchr::memmem;

use super::packed::packed_format;

/// So many bytes tell a DICOM file or an archive.
pub(super) const FILE_MARK: u64 = 262;

/// So many bytes behind a data set are read in search of another file, when headers are read.
pub(super) const MOST_BEHIND: u64 = 1 << 20;

/// A mark has at most this many bytes: those before a boundary may hold its beginning.
pub(super) const JOINT: u64 = 8;

/// The first element of a meta group (PS3.10 section 7.1): its group length.
const META: &[u8] = b"\x02\0\0\0UL\x04\0";

/// Whether a DICOM file begins in these bytes. By accident pixels hardly have this: it is seven or more
/// particular bytes.
pub(crate) fn has_mark(bytes: &[u8]) -> bool {
    let dicm = memmem::find_iter(bytes, b"DICM").any(|at| {
        // The first element behind the mark: of the meta group, or of the data set in either byte order.
        let element = at.checked_add(4).and_then(|at| bytes.get(at..)?.get(..4));
        matches!(element, Some([0x02 | 0x08, 0, _, 0] | [0, 0x08, 0, _]))
    });
    dicm || memmem::find(bytes, META).is_some()
}

/// Whether a DICOM file, or an archive, begins with these bytes.
pub(super) fn starts_a_file(head: &[u8]) -> bool {
    [0, 128].iter().any(|&start| head.get(start..start + 4) == Some(b"DICM"))
        || head.starts_with(META)
        || packed_format(head).is_some()
}

/// Whether another file follows a data set that ends before these bytes.
pub(super) fn holds_a_file(rest: &[u8]) -> bool {
    let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
    has_mark(rest) || starts_a_file(rest) || starts_a_file(rest.get(zeros..).unwrap_or(&[]))
}

/// Where the mark of a DICOM file is that has nothing but zeros or blanks before it.
pub(super) fn mark_behind_blanks(head: &[u8]) -> Option<usize> {
    let blanks = head.iter().take_while(|byte| [0, b' ', b'\t', b'\r', b'\n'].contains(byte)).count();
    let mark = blanks + memmem::find(head.get(blanks..)?, b"DICM")?;
    // A preamble of 128 bytes of any kind may stand between.
    (mark <= blanks + 128 && has_mark(head.get(mark..)?)).then_some(mark)
}
