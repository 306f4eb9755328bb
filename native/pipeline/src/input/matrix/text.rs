//! Text files: a row of numbers in each line, separated by commas or blanks.
//!
//! A file or several, whose rows continue one another. A number is the float64 nearest to its decimal digits.

use std::ops::Range;

use ndarray::ArrayViewMut2;
use serde::{Deserialize, Serialize};
use tomobasis_dicom::zeros;

use super::{
    flat::Width,
    source::{AT_ONCE, Files, Problem, Tile},
};

/// Bytes that are read at a time to find lines.
const PIECE: usize = 4 << 20;
/// Bytes of a line: more than any row of a matrix has.
const LONGEST: usize = 16 << 20;

/// A matrix in text files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Text {
    columns: usize,
    rows: u64,
    /// Where some rows begin, ascending: the first of each file, and others between.
    starts: Vec<Start>,
    /// The length of each file.
    ends: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Start {
    row: u64,
    file: usize,
    at: u64,
}

impl Text {
    /// Reads all files once, to find where their lines begin.
    pub fn open(files: &Files) -> Result<Self, Problem> {
        let columns = first_line(files)?;
        let step = (AT_ONCE / columns.max(1) as u64).max(1);
        let (mut rows, mut starts) = (0, Vec::new());
        for (file, bytes) in files.iter().enumerate() {
            let length = bytes.length();
            let mut buffer = vec![0; PIECE.min(usize::try_from(length).unwrap_or(PIECE))];
            if length > 0 {
                starts.push(Start { row: rows, file, at: 0 });
            }
            for from in (0..length).step_by(PIECE) {
                let piece = &mut buffer[..PIECE.min((length - from) as usize)];
                files.read(file, piece, from)?;
                for end in memchr::memchr_iter(b'\n', piece) {
                    rows += 1;
                    let at = from + end as u64 + 1;
                    if rows % step == 0 && at < length {
                        starts.push(Start { row: rows, file, at });
                    }
                }
                // A last line may end with the file.
                let ends_here = from + piece.len() as u64 == length;
                if ends_here && piece.last() != Some(&b'\n') {
                    rows += 1;
                }
            }
        }
        if rows == 0 || columns == 0 {
            let text = format!("the matrix is {rows} x {columns}; give one with rows and columns");
            return Err(Problem::input(text));
        }
        Ok(Self { columns, rows, starts, ends: files.iter().map(|file| file.length()).collect() })
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn width(&self) -> Width {
        Width::Any
    }

    pub fn cuts(&self) -> (Vec<u64>, Vec<u64>) {
        (self.starts.iter().map(|start| start.row).collect(), vec![0])
    }

    /// Reads a tile.
    pub fn read(&self, files: &Files, tile: &Tile, mut out: ArrayViewMut2<'_, f64>) -> Result<(), Problem> {
        let from = self.starts.partition_point(|start| start.row <= tile.rows.start).saturating_sub(1);
        for (i, start) in self.starts.iter().enumerate().skip(from) {
            if start.row >= tile.rows.end {
                break;
            }
            let next = self.starts.get(i + 1).filter(|next| next.file == start.file);
            let end = next.map_or(self.ends[start.file], |next| next.at);
            self.read_lines(files, start, end, tile, &mut out)?;
        }
        Ok(())
    }

    /// Reads the rows of a tile that are in a part of a file.
    fn read_lines(
        &self,
        files: &Files,
        start: &Start,
        end: u64,
        tile: &Tile,
        out: &mut ArrayViewMut2<'_, f64>,
    ) -> Result<(), Problem> {
        let length = (end - start.at) as usize;
        let problem = |text: String| Problem::Input(files.named(start.file), text);
        let mut bytes = zeros(length)
            .map_err(|_| problem(format!("its {length} bytes for some rows do not fit into memory")))?;
        files.read(start.file, &mut bytes, start.at)?;
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        for (row, line) in (start.row..tile.rows.end).zip(bytes.split(|&byte| byte == b'\n')) {
            if row >= tile.rows.start {
                let target = out.row_mut((row - tile.rows.start) as usize);
                self.parse(row, line, &tile.columns, target).map_err(problem)?;
            }
        }
        Ok(())
    }

    fn parse(
        &self,
        row: u64,
        line: &[u8],
        columns: &Range<usize>,
        mut target: ndarray::ArrayViewMut1<'_, f64>,
    ) -> Result<(), String> {
        let mut count = 0;
        for (column, field) in fields(line).enumerate() {
            count += 1;
            if !columns.contains(&column) {
                continue;
            }
            let number = std::str::from_utf8(field).ok().and_then(|field| field.parse::<f64>().ok());
            target[column - columns.start] = number.ok_or_else(|| {
                let what = if field.is_empty() { "empty" } else { "not a number" };
                let (row, column) = (row + 1, column + 1);
                match field {
                    [0xef, 0xbb, 0xbf, ..] | [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                        format!("row {row}, column {column} begins with a byte order mark; write the file as UTF-8 without one")
                    }
                    _ => format!("row {row}, column {column} is {what}; give lines of numbers only"),
                }
            })?;
        }
        match count == self.columns {
            true => Ok(()),
            false => Err(format!(
                "row {} has {count} numbers, and the first row has {}; give rows of one length",
                row + 1,
                self.columns
            )),
        }
    }
}

/// The fields of a line: what is between commas, or, where there are none, between blanks. A line of blanks has none.
fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let line = line.trim_ascii();
    let comma = memchr::memchr(b',', line).is_some();
    let separates = move |byte: &u8| if comma { *byte == b',' } else { byte.is_ascii_whitespace() };
    // Several blanks are one separator, several commas are not.
    line.split(separates).map(<[u8]>::trim_ascii).filter(move |field| comma || !field.is_empty())
}

/// Numbers in the first line of all.
fn first_line(files: &Files) -> Result<usize, Problem> {
    let Some((file, bytes)) = files.iter().enumerate().find(|(_, bytes)| bytes.length() > 0) else {
        return Ok(0);
    };
    let mut head = vec![0; usize::try_from(bytes.length()).unwrap_or(LONGEST).min(LONGEST)];
    files.read(file, &mut head, 0)?;
    if head.starts_with(&[0x1f, 0x8b]) {
        return Err(Problem::Input(files.named(file), "it is compressed; unpack it".to_owned()));
    }
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if line.len() == LONGEST {
        let text = "its first line is longer than that of any matrix".to_owned();
        return Err(Problem::Input(files.named(file), text));
    }
    Ok(fields(line).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_or_blanks_separate_fields() {
        let split = |line: &str| -> Vec<String> {
            fields(line.as_bytes()).map(|field| String::from_utf8(field.to_vec()).unwrap()).collect()
        };
        assert_eq!(split("1,2,3"), ["1", "2", "3"]);
        assert_eq!(split(" 1 , -2e3,\t3\r"), ["1", "-2e3", "3"]);
        assert_eq!(split("  1   2\t3 \r"), ["1", "2", "3"]);
        assert_eq!(split("1,,3,"), ["1", "", "3", ""]);
        assert_eq!(split(" \r"), [""; 0]);
    }
}
