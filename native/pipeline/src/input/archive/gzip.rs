//! Gzip streams: one member after the other, as `gzip` reads them.
//!
//! Zeros behind a member are padding (tar and tapes write whole records), which flate2's own decoder of several members takes for
//! a damaged one. Anything else that is no member is damage.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// What the members of a stream expand to.
pub(super) struct Members<R> {
    /// `None` behind the last one.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    pub fn new(stream: R) -> Self {
        Self { member: Some(GzDecoder::new(stream)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(bytes)?;
            if count > 0 || bytes.is_empty() {
                return Ok(count);
            }
            // The checksum was compared.
            let more = skip_zeros(member.get_mut())?;
            let rest = self.member.take().map(GzDecoder::into_inner);
            self.member = rest.filter(|_| more).map(GzDecoder::new);
        }
        Ok(0)
    }
}

/// Whether anything comes behind the zeros that are next.
fn skip_zeros(stream: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = stream.fill_buf()?;
        let (zeros, all) = (bytes.iter().take_while(|&&byte| byte == 0).count(), bytes.len());
        stream.consume(zeros);
        if all == 0 || zeros < all {
            return Ok(all > 0);
        }
    }
}
