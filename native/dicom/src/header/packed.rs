//! Archives and compressed files, told by their first bytes: no DICOM files, but they may hold some.

/// The format of an archive or a compressed file.
pub fn packed_format(head: &[u8]) -> Option<&'static str> {
    Some(match head {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => "zip",
        [0x1F, 0x8B, 8, ..] => "gzip",
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', ..] => "bzip2",
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => "xz",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "zstd",
        [b'7', b'z', 0xBC, 0xAF, 0x27, 0x1C, ..] => "7z",
        [b'R', b'a', b'r', b'!', 0x1A, 7, ..] => "rar",
        [0x1F, 0x9D, ..] => "compress (.Z)",
        [0x04, 0x22, 0x4D, 0x18, ..] => "lz4",
        [b'L', b'Z', b'I', b'P', 1, ..] => "lzip",
        [b'M', b'S', b'C', b'F', 0, 0, 0, 0, ..] => "cab",
        [b'0', b'7', b'0', b'7', b'0', b'1' | b'2' | b'7', ..] => "cpio",
        _ if head.get(257..262) == Some(b"ustar") => "tar",
        _ => return None,
    })
}
