//! Composites as derived DICOM series: `dicom/k=K/slice-JJJJJ.dcm`, one instance for each of the source's.
//!
//! | file | where it runs | what |
//! |---|---|---|
//! | `composites` | per row block | which composites there are; their values rounded to what each slice can store: [`Band`]s |
//! | `band` | | the stored values of one row block for a run of slices; crosses Spark's shuffle as bytes |
//! | `slices` | per run of slices | bands of all row blocks -> whole slices -> files, with the source's attributes |
//! | `record` | driver | what the manifest says of them |
//!
//! A composite has the scan's size, so it is never held as floating-point numbers: a row block is rounded at once, to the 16-bit
//! integers of its slices. How they are rounded and what a file is a function of are defined in `docs/format.md`.

mod band;
mod composites;
mod grid;
mod record;
mod slices;

use tomobasis_dicom::derived::{Derivation, DerivedImage};

pub use self::{
    band::Band,
    composites::Composites,
    record::{DerivedRecord, DerivedSection, DerivedSeries},
    slices::{DerivedFile, DerivedSlices},
};
pub(crate) use self::{
    grid::Grid,
    record::series,
    slices::{file_name, folder, slice_name},
};
use crate::{
    options::Method,
    solve::{decomposition::Decomposition, digest::Digest},
};

/// Folder of the derived series.
pub(crate) const FOLDER: &str = "dicom";
/// How the names of the instances end.
pub(crate) const EXTENSION: &str = ".dcm";

/// What a composite is a function of, besides the definitions: the digest that its instances' UIDs come from.
///
/// Only the first k columns enter, so that a composite is the same instance whatever else was computed.
#[must_use]
pub fn composite_digest(decomposition: &Decomposition, k: usize) -> Digest {
    let s = Digest::of_f64(decomposition.s.get(..k).unwrap_or(&decomposition.s));
    let method = decomposition.options.method;
    let lines = format!(
        "tomobasis composite 1\nclass {}\nmethod {}\nrows {}\ncolumns {}\nrank {k}\n{}pixels {}\ns {s}\nV {}\n",
        method.class(),
        method.name(),
        decomposition.rows(),
        decomposition.columns(),
        decomposition.parameter_lines(),
        decomposition.pixels,
        Digest::of_f64(&decomposition.leading_weights(k))
    );
    Digest::of([lines.as_bytes()])
}

/// What the instances of the composite of rank `k` have in common.
fn derivation(decomposition: &Decomposition, k: usize) -> Derivation {
    let options = &decomposition.options;
    let method = match options.method {
        Method::Gram { center: None } => "exact SVD, class certified".to_owned(),
        Method::Gram { center: Some(center) } => {
            format!("exact SVD centered by {}, class certified", center.name())
        }
        other => format!("SVD by {}, class {}", other.name(), other.class()),
    };
    let series = decomposition.plan.joint.as_ref().map_or(1, |joint| joint.series.len());
    Derivation {
        image: DerivedImage::Composite { k, slices: decomposition.columns(), series, method },
        digest: composite_digest(decomposition, k).0,
        digests: decomposition.slice_digests.clone(),
        secret: decomposition.secret,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        syntax: options.dicom_syntax.into(),
        patient_data: !options.no_patient_data,
    }
}
