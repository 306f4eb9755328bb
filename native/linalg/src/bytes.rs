//! Serialized forms, which are checked when they are read: whoever has a value of this crate may rely on it, wherever it
//! came from.
//!
//! Sums and partial results have forms of their own ([`Reader`]): eight bytes that name the form and its version, then
//! numbers, little-endian. Passes and decompositions go through serde ([`checked_when_read`]).

use crate::Error;

/// Takes numbers off the front of a byte string, and refuses what this version did not write.
pub(crate) struct Reader<'a> {
    /// What is read, in errors.
    what: &'static str,
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// What follows `magic`.
    ///
    /// # Errors
    /// [`Error::Bytes`], as of every function here.
    pub fn new(bytes: &'a [u8], magic: &[u8; 8], what: &'static str) -> Result<Self, Error> {
        match bytes.strip_prefix(magic) {
            Some(bytes) => Ok(Self { what, bytes }),
            None => {
                Err(Error::Bytes { what, why: "wrong first bytes; were they written by another version?" })
            }
        }
    }

    /// The error that these bytes are wrong.
    pub fn wrong(&self, why: &'static str) -> Error {
        Error::Bytes { what: self.what, why }
    }

    /// Bytes that are left.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Refuses anything but `count` numbers of this many `bytes`.
    pub fn expect(&self, count: Option<usize>, bytes: usize) -> Result<(), Error> {
        match count.and_then(|count| count.checked_mul(bytes)) == Some(self.bytes.len()) {
            true => Ok(()),
            false => Err(self.wrong("sizes that do not fit its length")),
        }
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or_else(|| self.wrong("truncated"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or_else(|| self.wrong("truncated"))?;
        self.bytes = rest;
        Ok(*taken)
    }

    pub fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn i64(&mut self) -> Result<i64, Error> {
        self.array().map(i64::from_le_bytes)
    }

    pub fn i32(&mut self) -> Result<i32, Error> {
        self.array().map(i32::from_le_bytes)
    }

    pub fn i128(&mut self) -> Result<i128, Error> {
        self.array().map(i128::from_le_bytes)
    }

    /// A size, of eight bytes.
    pub fn size(&mut self) -> Result<usize, Error> {
        usize::try_from(self.u64()?).map_err(|_| self.wrong("a size out of range"))
    }

    /// An exponent, of eight bytes.
    pub fn exponent(&mut self) -> Result<i32, Error> {
        i32::try_from(self.i64()?).map_err(|_| self.wrong("an exponent out of range"))
    }

    /// A finite number.
    pub fn number(&mut self) -> Result<f64, Error> {
        match f64::from_bits(self.u64()?) {
            number if number.is_finite() => Ok(number),
            _ => Err(self.wrong("an entry that is no finite number")),
        }
    }
}

/// Implements serde's traits for a type that derives them with `#[serde(remote = "Self")]`: what is read has to pass its
/// `check`.
macro_rules! checked_when_read {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$type>::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let read = <$type>::deserialize(deserializer)?;
                read.check().map_err(serde::de::Error::custom)?;
                Ok(read)
            }
        }
    };
}

pub(crate) use checked_when_read;
