//! The options of derived DICOM.

use serde::{Deserialize, Serialize};
use tomobasis_dicom::{
    SeriesPlan,
    derived::{DerivedSyntax, check_source},
};

use crate::error::{Error, Result};

/// How derived DICOM is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DicomSyntax {
    /// Explicit VR Little Endian, uncompressed
    #[default]
    Explicit,
    /// JPEG-LS Lossless: about half the size, slower to write and to read
    JpegLs,
}

impl DicomSyntax {
    /// Refuses `--emit dicom` for series that no derived instances can be written for; `alone` if there is nothing else to write, and no
    /// such option.
    ///
    /// # Errors
    /// [`Error::Option`], or if alone [`Error::Input`], with the reason.
    pub(super) fn check_against(self, plan: &SeriesPlan, alone: bool) -> Result<()> {
        check_source(plan, self.into()).map_err(|why| match alone {
            true => Error::Input(format!("derived DICOM {why}")),
            false => Error::option("--emit", format!("dicom {why}, or leave it out")),
        })
    }
}

impl From<DicomSyntax> for DerivedSyntax {
    fn from(syntax: DicomSyntax) -> Self {
        match syntax {
            DicomSyntax::Explicit => Self::Explicit,
            DicomSyntax::JpegLs => Self::JpegLs,
        }
    }
}
