//! The words that options take, and what `--help` says of each.

use clap::{ValueEnum, builder::PossibleValue};

use crate::options::{Basis, DicomSyntax, Emit, InputFormat, OnBadSlice, Padding, ReportSize};

macro_rules! words {
    ($type:ident: $($variant:ident, $word:literal, $help:literal;)*) => {
        impl ValueEnum for $type {
            fn value_variants<'a>() -> &'a [Self] {
                &[$(Self::$variant),*]
            }

            fn to_possible_value(&self) -> Option<PossibleValue> {
                Some(match self {
                    $(Self::$variant => PossibleValue::new($word).help($help),)*
                })
            }
        }
    };
}

words! { Emit:
    Parquet, "parquet", "Singular values, weights and basis vectors as Parquet";
    Png, "png", "Pictures as PNG";
    Report, "report", "`report.html`";
    Dicom, "dicom", "Every composite as a derived DICOM series, with the source's patient data unless `--no-patient-data`";
    Text, "text", "Singular values, weights and basis vectors as the text files of the 2020 pipeline (`s`, `drmU`, `drmV`)";
    Drm, "drm", "The same as Mahout's distributed row matrices: SequenceFiles of integer keys and dense vectors (`U`, `V`, `s`)";
}

words! { ReportSize:
    Sampled, "sampled", "Every few pixels: a page below 15 MB for 301 slices of 512 x 512";
    Full, "full", "Every pixel of every slice, original and composites: up to 2.7 bytes of the page for each value";
}

words! { InputFormat:
    Dicom, "dicom", "A scan";
    Npy, "npy", "A matrix of numbers, as numpy.save writes it; its columns take the place of slices";
    Parquet, "parquet", "A matrix in a Parquet file or a folder of them: numeric columns, or one of lists or of MLlib's vectors";
    Nifti, "nifti", "A .nii or .nii.gz image: its slices, or in 4-D its volumes, are the columns";
    Text, "text", "A matrix in a text file or a folder of them: lines of numbers, separated by commas or blanks";
    Drm, "drm", "A distributed row matrix of Mahout's, as a SequenceFile or a folder of them: integer keys, dense or sparse vectors";
}

words! { OnBadSlice:
    Fail, "fail", "The first such slice ends the run with an error";
    Skip, "skip", "Such slices are left out and reported, as long as the rest is still the scan";
}

words! { Basis:
    Own, "own", "Each series has a basis of its own";
    Joint, "joint", "The series of --series have one: the slices of all of them are the columns of one matrix";
}

words! { Padding:
    Keep, "keep", "They stay as stored, even -32768";
    Air, "air", "They become air, -1000 HU; in other units than HU, 0";
    Mask, "mask", "They become 0 in the matrix";
}

words! { DicomSyntax:
    Explicit, "explicit", "Explicit VR Little Endian, uncompressed";
    JpegLs, "jpeg-ls", "JPEG-LS Lossless: about half the size, slower to write and to read";
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    fn words<T: ValueEnum + Serialize>() {
        for value in T::value_variants() {
            let typed = value.to_possible_value().unwrap();
            assert_eq!(serde_json::to_value(value).unwrap(), typed.get_name());
        }
    }

    #[test]
    fn the_manifest_names_values_as_they_are_typed() {
        words::<Emit>();
        words::<ReportSize>();
        words::<InputFormat>();
        words::<OnBadSlice>();
        words::<Basis>();
        words::<Padding>();
        words::<DicomSyntax>();
    }
}
