//! Deflate streams (RFC 1951), by `flate2`, up to a stated length.
//!
//! A small stream can stand for a thousand times its length, so the room grows with what comes out, and ends at
//! the limit. Streams that stop before their end are errors; bytes after it are padding.

use flate2::{Decompress, FlushDecompress, Status};

use crate::problem::Problem;

/// The content of a stream, which must have at most `limit` bytes.
pub(crate) fn inflate(deflated: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    inflate_first(deflated, limit).map(|(content, _)| content)
}

/// The same, and what follows the stream.
pub(crate) fn inflate_first(deflated: &[u8], limit: usize) -> Result<(Vec<u8>, &[u8]), Problem> {
    let mut stream = Decompress::new(false);
    let mut out = Vec::new();
    loop {
        // One byte of room beyond the limit lets the end of a stream of just that length be seen.
        let room = (2 * out.len()).max(4 * deflated.len()).max(4096).min(limit + 1);
        out.reserve_exact(room.saturating_sub(out.len()));
        let rest = usize::try_from(stream.total_in()).ok().and_then(|read| deflated.get(read..));
        let status = stream.decompress_vec(rest.unwrap_or(&[]), &mut out, FlushDecompress::None);
        if out.len() > limit {
            return Err(Problem::Inflated { limit });
        }
        match status {
            Ok(Status::StreamEnd) => {
                let read = usize::try_from(stream.total_in()).unwrap_or(usize::MAX);
                return Ok((out, deflated.get(read..).unwrap_or(&[])));
            }
            // Room was left: the input is used up.
            Ok(_) if out.len() < out.capacity() => return Err(Problem::TruncatedDeflate),
            Ok(_) => (),
            Err(_) => return Err(Problem::Deflate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::deflate;

    #[test]
    fn a_stream_is_inflated_up_to_its_limit_and_no_further() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        let deflated = deflate(&bytes);
        assert_eq!(inflate(&deflated, bytes.len()), Ok(bytes.clone()));
        assert_eq!(inflate(&[&deflated[..], &[0; 9]].concat(), 1 << 20), Ok(bytes.clone()));
        assert_eq!(inflate(&deflated, bytes.len() - 1), Err(Problem::Inflated { limit: bytes.len() - 1 }));
        assert_eq!(inflate(&deflate(&[]), 0), Ok(vec![]));
    }

    #[test]
    fn a_stream_cut_anywhere_is_an_error() {
        let deflated = deflate(&[1, 2, 3, 4, 5, 5, 5, 5, 5, 5, 5, 5, 1, 2, 3]);
        for length in 0..deflated.len() {
            assert_eq!(inflate(&deflated[..length], 1 << 20), Err(Problem::TruncatedDeflate));
        }
        assert_eq!(inflate(&[0xFF; 20], 1 << 20), Err(Problem::Deflate));
    }
}
