//! What every serialized form of this module is made of: eight bytes that name it and its version, then
//! words of eight bytes, little-endian.

use crate::Error;

/// Takes the words of a byte string one by one, and refuses what was not written by us.
pub(super) struct Words<'a> {
    what: &'static str,
    words: &'a [[u8; 8]],
}

impl<'a> Words<'a> {
    /// The words behind `magic`; `what` names in errors what is read.
    ///
    /// # Errors
    /// [`Error::Bytes`], as of every function here.
    pub fn of(bytes: &'a [u8], magic: &[u8; 8], what: &'static str) -> Result<Self, Error> {
        match bytes.as_chunks::<8>() {
            ([first, words @ ..], []) if first == magic => Ok(Self { what, words }),
            ([first, ..], _) if first == magic => Err(Error::Bytes { what, why: "no whole number of words" }),
            _ => Err(Error::Bytes { what, why: "another beginning" }),
        }
    }

    pub fn wrong(&self, why: &'static str) -> Error {
        Error::Bytes { what: self.what, why }
    }

    /// Words that are left.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// The next `count` words, as bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.words.split_at_checked(count).ok_or_else(|| self.wrong("truncated"))?;
        self.words = rest;
        Ok(taken.as_flattened())
    }

    fn word(&mut self) -> Result<[u8; 8], Error> {
        let (word, rest) = self.words.split_first().ok_or_else(|| self.wrong("truncated"))?;
        self.words = rest;
        Ok(*word)
    }

    pub fn unsigned(&mut self) -> Result<u64, Error> {
        self.word().map(u64::from_le_bytes)
    }

    pub fn size(&mut self) -> Result<usize, Error> {
        usize::try_from(self.unsigned()?).map_err(|_| self.wrong("a size out of range"))
    }

    pub fn exponent(&mut self) -> Result<i32, Error> {
        let exponent = i64::from_le_bytes(self.word()?);
        i32::try_from(exponent).map_err(|_| self.wrong("an exponent out of range"))
    }

    /// A finite number.
    pub fn number(&mut self) -> Result<f64, Error> {
        match f64::from_le_bytes(self.word()?) {
            number if number.is_finite() => Ok(number),
            _ => Err(self.wrong("an entry that is no finite number")),
        }
    }
}
