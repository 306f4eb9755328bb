//! The tables of a result folder, as Parquet files in memory.
//!
//! `basis` is the large one (one file per row block, gigabytes in all) and is encoded for speed; `small` has the two others; `joint` is
//! the table of the series that are one matrix;
//! `series` is the index of an archive of results. `read` takes a folder's tables apart again, for verification. Files carry no statistics, dictionary or compression: the
//! values are noise to them. Every file is the same for the same numbers: no date and no library version is written.

mod basis;
mod joint;
mod read;
mod series;
mod small;

pub use self::{
    basis::BasisEncoder,
    joint::{JointRow, joint_series},
    read::{read_basis, read_singular_values, read_weights},
    series::{INDEX, SeriesRow, State, read_series_index, series_index},
    small::{SeriesColumn, singular_values, weights},
};

use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};

/// Name of the singular values' file.
pub const SINGULAR_VALUES: &str = "singular_values.parquet";
/// Name of the weights' file.
pub const WEIGHTS: &str = "weights.parquet";

/// Name of the table of the series that are one matrix.
pub const SERIES: &str = "series.parquet";
/// Folder of the weights of each of them.
pub const SERIES_WEIGHTS: &str = "weights";

/// Name of the file of a series' weights; `folder` is the name that its own result's folder would have.
#[must_use]
pub fn series_weights_name(folder: &str) -> String {
    format!("{SERIES_WEIGHTS}/{folder}.parquet")
}

/// Folder of the row blocks' files.
pub const BASIS: &str = "basis";

/// Name of a row block's file of basis vectors.
#[must_use]
pub fn basis_name(block: u32) -> String {
    format!("{BASIS}/part-{block:05}.parquet")
}

/// Whether a path of the result is that of a row block's file.
pub(crate) fn is_basis(path: &str) -> bool {
    path.strip_prefix(BASIS).is_some_and(|name| name.starts_with('/'))
}

fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_created_by("tomobasis".to_owned())
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
}
