//! What it saves to put the numbers of a basis file into a prepared file instead of encoding them: the files of some row blocks by
//! [`BasisEncoder`] and by the Parquet library's own writer, in turns. Both must give the same bytes.
//!
//!     cargo run --release -p tomobasis-pipeline --example basis_files -- [RANK [PAIRS]]
//!
//! CPU time of this thread, kernel included, for 16 row blocks: the median of all pairs, and the least and the most.

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    sync::Arc,
};

use arrow_array::{Array, ArrayRef, FixedSizeListArray, Float64Array, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::{
    arrow::ArrowWriter,
    basic::Encoding,
    file::properties::{EnabledStatistics, WriterProperties},
};
use tomobasis_pipeline::output::tables::BasisEncoder;

const BLOCKS: u32 = 16;
const ROWS: usize = 4096;

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> Done<()> {
    let mut arguments = env::args().skip(1).map(|argument| argument.parse::<usize>());
    let rank = arguments.next().unwrap_or(Ok(301))?;
    let pairs = arguments.next().unwrap_or(Ok(15))?.max(1);
    let u: Vec<f64> = (0..ROWS * rank).map(|i| (i as f64).sin()).collect();
    let folder = tempfile::tempdir()?;
    let [prepared, encoded] = ["prepared", "encoded"].map(|name| folder.path().join(name));
    // Made once: no copy of the numbers counts.
    let numbers: ArrayRef = Arc::new(Float64Array::from(u.clone()));
    let encoder = BasisEncoder::new(u64::from(BLOCKS) * ROWS as u64, rank)?;
    let mut head = Vec::new();
    let mut times = [vec![], vec![]];
    for _ in 0..pairs {
        times[0].push(seconds(|| {
            (0..BLOCKS).try_for_each(|block| {
                let mut file = File::create(&prepared)?;
                encoder
                    .encode(block, &u, &mut head)?
                    .into_iter()
                    .try_for_each(|piece| Ok(file.write_all(piece)?))
            })
        })?);
        times[1]
            .push(seconds(|| (0..BLOCKS).try_for_each(|block| by_library(&encoded, block, rank, &numbers)))?);
        assert!(fs::read(&prepared)? == fs::read(&encoded)?, "the two files differ");
    }
    let mut ratios: Vec<f64> = times[0].iter().zip(&times[1]).map(|(ours, theirs)| theirs / ours).collect();
    println!("{}: {BLOCKS} row blocks of {ROWS} x {rank}, {pairs} pairs", cpu()?);
    for (name, values) in ["prepared file, CPU s", "library's writer, CPU s"].iter().zip(&mut times) {
        show(name, values);
    }
    show("library's writer / prepared file", &mut ratios);
    Ok(())
}

/// The file as the library writes it, with the settings that `docs/format.md` asks for.
fn by_library(path: &Path, block: u32, rank: usize, numbers: &ArrayRef) -> Done<()> {
    let item = Arc::new(Field::new("element", DataType::Float64, false));
    let values = FixedSizeListArray::try_new(item, i32::try_from(rank)?, numbers.clone(), None)?;
    let schema = Arc::new(Schema::new(vec![
        Field::new("block", DataType::Int32, false),
        Field::new("row", DataType::Int64, false),
        Field::new("values", values.data_type().clone(), false),
    ]));
    let first = i64::from(block) * ROWS as i64;
    let rows = Int64Array::from_iter_values(first..first + ROWS as i64);
    let blocks = Int32Array::from(vec![i32::try_from(block)?; ROWS]);
    let batch =
        RecordBatch::try_new(schema.clone(), vec![Arc::new(blocks), Arc::new(rows), Arc::new(values)])?;
    let properties = WriterProperties::builder()
        .set_created_by("tomobasis".to_owned())
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_encoding(Encoding::PLAIN)
        .set_data_page_size_limit(usize::MAX)
        .set_data_page_row_count_limit(usize::MAX)
        .build();
    let mut writer = ArrowWriter::try_new(BufWriter::new(File::create(path)?), schema, Some(properties))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}

/// CPU time that `work` takes on this thread.
fn seconds(work: impl FnOnce() -> Done<()>) -> Done<f64> {
    let nanoseconds = || -> Done<f64> {
        let text = fs::read_to_string("/proc/thread-self/schedstat")?;
        Ok(text.split_whitespace().next().ok_or("no schedstat")?.parse()?)
    };
    let before = nanoseconds()?;
    work()?;
    Ok((nanoseconds()? - before) / 1e9)
}

fn cpu() -> Done<String> {
    let text = fs::read_to_string("/proc/cpuinfo")?;
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Ok(name.map_or_else(|| env::consts::ARCH.to_owned(), |(_, name)| name.to_owned()))
}

fn show(name: &str, values: &mut [f64]) {
    values.sort_by(f64::total_cmp);
    let (least, most) = (values[0], values[values.len() - 1]);
    println!("{name}: {:.3} ({least:.3} to {most:.3})", values[values.len() / 2]);
}
