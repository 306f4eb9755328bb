//! `.npz` files: zips of NumPy arrays.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write as _},
};

use flate2::read::DeflateDecoder;
use npyz::{Deserialize, NpyFile, Order, Serialize, WriteOptions, WriterBuilder as _, npz};
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveWriter, time::UtcDateTime};

use crate::{
    error::{Error, Result},
    input::matrix::{self, NoHeader},
};

/// Bytes that all arrays of a file may have together: far more than any decomposition of a reference matrix.
pub(super) const MOST_BYTES: u64 = 1 << 26;

/// A file in the making. Its bytes depend on the arrays alone: nothing is compressed, and there are no times.
pub(super) struct Writer(ZipArchiveWriter<Vec<u8>>);

impl Writer {
    pub fn new() -> Self {
        Self(ZipArchiveWriter::new(Vec::new()))
    }

    /// Adds an array in row-major order; `shape` is empty for a number alone.
    pub fn add<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        kind: &str,
        shape: &[usize],
        values: &[&T],
    ) -> Result<()> {
        let failed = |error: String| Error::Internal(format!("cannot encode {name}: {error}"));
        let array = || -> io::Result<Vec<u8>> {
            let mut array = Vec::new();
            let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
            let kind = kind.parse().map_err(io::Error::other)?;
            let options = WriteOptions::new().dtype(npyz::DType::Plain(kind)).shape(&shape);
            let mut writer = options.writer(&mut array).begin_nd()?;
            values.iter().try_for_each(|value| writer.push(*value))?;
            writer.finish()?;
            Ok(array)
        };
        let array = array().map_err(|error| failed(error.to_string()))?;
        let mut store = || -> std::result::Result<(), rawzip::Error> {
            let file = npz::file_name_from_array_name(name);
            let time = UtcDateTime::from_components(1980, 1, 1, 0, 0, 0, 0);
            let mut entry = self.0.new_file(&file).compression_method(CompressionMethod::STORE);
            if let Some(time) = time {
                entry = entry.last_modified(time);
            }
            let (mut entry, config) = entry.start()?;
            let mut writer = config.wrap(&mut entry);
            writer.write_all(&array)?;
            let (_, descriptor) = writer.finish()?;
            entry.finish(descriptor)?;
            Ok(())
        };
        store().map_err(|error| failed(error.to_string()))
    }

    pub fn finish(self) -> Result<Vec<u8>> {
        self.0.finish().map_err(|error| Error::Internal(format!("cannot encode an .npz file: {error}")))
    }
}

/// Characters of a foreign name that are shown.
const MOST_SHOWN: usize = 40;

/// A name that a file has, for a message: on one line, and no longer than names are.
pub(super) fn shown(name: &str) -> String {
    let start: String = name.chars().take(MOST_SHOWN).collect();
    let rest = if start.len() < name.len() { ".." } else { "" };
    format!("{}{rest}", start.escape_debug())
}

/// The arrays of a file by name, each the bytes of an `.npy` file.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn read(bytes: &[u8]) -> std::result::Result<BTreeMap<String, Array>, String> {
    let foreign = "it is no .npz file; write it with numpy.savez";
    let damaged = |name: &str| format!("{name}: it is damaged; write the file again");
    let archive = ZipArchive::from_slice(bytes).map_err(|_| foreign.to_owned())?;
    let (mut arrays, mut left) = (BTreeMap::new(), MOST_BYTES);
    for entry in archive.entries() {
        let entry = entry.map_err(|_| damaged("its directory"))?;
        let file = String::from_utf8_lossy(entry.file_path().as_ref()).into_owned();
        let name = npz::array_name_from_file_name(&file)
            .ok_or_else(|| format!("{}: it is no .npy array", shown(&file)))?;
        let label = shown(name);
        left = left
            .checked_sub(entry.uncompressed_size_hint())
            .ok_or_else(|| format!("{label}: it is larger than any decomposition of these matrices"))?;
        let stored = archive.get_entry(entry.wayfinder()).map_err(|_| damaged(&label))?;
        let mut array = Vec::new();
        let limit = entry.uncompressed_size_hint();
        let unpacked = match entry.compression_method() {
            CompressionMethod::STORE => {
                stored.verifying_reader(stored.data()).take(limit + 1).read_to_end(&mut array)
            }
            CompressionMethod::DEFLATE => {
                let inflated = DeflateDecoder::new(stored.data());
                stored.verifying_reader(inflated).take(limit + 1).read_to_end(&mut array)
            }
            _ => return Err(format!("{label}: it is compressed in a way that numpy.savez does not use")),
        };
        unpacked.map_err(|_| damaged(&label))?;
        let array = Array::parse(&array).map_err(|why| format!("{label}: {why}"))?;
        if arrays.insert(name.to_owned(), array).is_some() {
            return Err(format!("{label}: the file has it twice"));
        }
    }
    Ok(arrays)
}

/// An array.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Array {
    /// Of floats: shape, and values in row-major order.
    Numbers(Vec<usize>, Vec<f64>),
    /// A single string.
    Text(String),
    /// What it is of otherwise.
    Other(String),
}

impl Array {
    fn parse(npy: &[u8]) -> std::result::Result<Self, String> {
        let damaged = "it is no .npy array; write the file again".to_owned();
        let (header, start) = matrix::header(npy).map_err(|problem| match problem {
            NoHeader::Foreign | NoHeader::Strange => damaged,
            NoHeader::Long => "it is no array of floats; give one of float64 or float32".to_owned(),
        })?;
        let file = NpyFile::with_header(header, &npy[start..]);
        let kind = match file.dtype() {
            npyz::DType::Plain(kind) => kind.to_string(),
            _ => "a record".to_owned(),
        };
        let shape: Vec<usize> =
            file.shape().iter().map(|&size| usize::try_from(size).unwrap_or(usize::MAX)).collect();
        let fortran = file.order() == Order::Fortran;
        match kind.trim_start_matches(['<', '>', '=', '|']) {
            "f8" => Self::numbers(file, shape, fortran, |value: f64| value),
            "f4" => Self::numbers(file, shape, fortran, |value: f32| value.into()),
            kind if kind.starts_with(['U', 'S']) && shape.iter().product::<usize>() == 1 => {
                let text = file
                    .into_vec::<String>()
                    .map_err(|_| "it is damaged; write the file again".to_owned())?;
                Ok(Self::Text(text.into_iter().collect::<String>().trim_end_matches('\0').to_owned()))
            }
            _ => Ok(Self::Other(kind)),
        }
    }

    fn numbers<T: Deserialize>(
        file: NpyFile<&[u8]>,
        shape: Vec<usize>,
        fortran: bool,
        float: impl Fn(T) -> f64,
    ) -> std::result::Result<Self, String> {
        let truncated = || "its data are not as long as its shape says; write the file again".to_owned();
        let count =
            shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size)).ok_or_else(truncated)?;
        let mut values = Vec::new();
        for value in file.data::<T>().map_err(|error| error.to_string())?.take(count) {
            values.push(float(value.map_err(|_| truncated())?));
        }
        if values.len() != count {
            return Err(truncated());
        }
        match *shape {
            [rows, columns] if fortran => {
                let places = (0..rows).flat_map(|i| (0..columns).map(move |j| j * rows + i));
                let values = places.map(|at| values[at]).collect();
                Ok(Self::Numbers(shape, values))
            }
            _ => Ok(Self::Numbers(shape, values)),
        }
    }
}
