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
pub fn has_mark(bytes: &[u8]) -> bool {
    let dicm = memmem::find_iter(bytes, b"DICM").any(|at| {
        // The first element behind the mark: of the meta group, or of the data set in either byte order.
        let element = at.checked_add(4).and_then(|at| bytes.get(at..)?.get(..4));
        matches!(element, Some([0x02 | 0x08, 0, _, 0] | [0, 0x08, 0, _]))
    });
    dicm || memmem::find(bytes, META).is_some()
}

/// File systems give out no less at a time.
const BLOCK: u64 = 512;

/// Whether another DICOM file begins in the pixels of a file, which are at `start` in it. `ends_here`: the file ends with them, as it should.
///
/// If there is more behind them, they may have been truncated and what follows moved up, so that a file may begin anywhere. If there is
/// not, another file can only have taken the place of whole blocks of a disk, which are looked at alone: a search in all bytes would
/// take most of the time that uncompressed pixels take.
pub(crate) fn is_in_pixels(pixels: &[u8], start: u64, ends_here: bool) -> bool {
    if !ends_here {
        return has_mark(pixels);
    }
    let first = (start.next_multiple_of(BLOCK) - start) as usize;
    (first..pixels.len()).step_by(BLOCK as usize).any(|at| {
        let block = pixels.get(at..).unwrap_or_default();
        let block = block.get(..FILE_MARK as usize).unwrap_or(block);
        (begins_as_dicom(block) || block.starts_with(META)) && has_mark(block)
    })
}

fn begins_as_dicom(head: &[u8]) -> bool {
    [0, 128].iter().any(|&start| head.get(start..start + 4) == Some(b"DICM"))
}

/// Whether a DICOM file, or an archive, begins with these bytes.
pub(super) fn starts_a_file(head: &[u8]) -> bool {
    begins_as_dicom(head) || head.starts_with(META) || packed_format(head).is_some()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_pixels_is_found_anywhere_or_where_blocks_begin() {
        let begins = [&[0; 128][..], b"DICM\x02\0\0\0UL\x04\0\xD0\0\0\0"].concat();
        let bare = &begins[128..];
        for file in [&begins[..], bare, &bare[4..]] {
            for (start, at, is_block) in
                [(1000, 24, true), (1000, 1048, true), (1024, 0, true), (1000, 25, false), (1, 0, false)]
            {
                let mut pixels = vec![7; 4000];
                pixels[at..at + file.len()].copy_from_slice(file);
                assert!(is_in_pixels(&pixels, start, false), "{start} {at}");
                assert_eq!(is_in_pixels(&pixels, start, true), is_block, "{start} {at}");
            }
        }
        // At the very end, and the mark without an element of a file behind it.
        let mut pixels = vec![7; 1000];
        pixels[512..516].copy_from_slice(b"DICM");
        assert!(!is_in_pixels(&pixels, 512, true) && !is_in_pixels(&pixels, 512, false));
        pixels[988..].copy_from_slice(&bare[4..16]);
        assert!(is_in_pixels(&pixels, 36, true) && !is_in_pixels(&pixels[..992], 36, true));
    }
}
