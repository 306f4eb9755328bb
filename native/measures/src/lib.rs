//! What was done to an image, by the field's own measures: noise and its spectrum, the sharpness of edges, agreement with the original
//! or a reference, structure in what was left out.
//!
//! All of it is computed from some whole slices ([`Stack`]): those of the scan, and the same ones of what was made of it. Where noise
//! and edges are is found in the scan, and measured at the same places in the others.
//!
//! | measure | how | source |
//! |---|---|---|
//! | noise | standard deviation in even windows of soft tissue | AAPM TG-233 (Samei et al., Med Phys 46(11), 2019); Christianson et al., AJR 205, 2015 |
//! | noise power spectrum | cosine transform of the autocovariance there | AAPM TG-233; ICRU Report 87 (2012) |
//! | sharpness | task transfer function: Fourier transform of the mean edge profile | AAPM TG-233; Richard et al., Med Phys 39(7), 2012; at edges of patients: Sanders et al., Med Phys 43(10), 2016 |
//! | agreement | RMSE, PSNR, SSIM | Wang et al., IEEE Trans Image Process 13(4), 2004 |
//! | structure | autocorrelation of what is left out; its strength at edges over that in even tissue | ours |
//!
//! **Bits.** Every number is a sum in one order of correctly rounded operations, or counted in integers; sines and logarithms are those
//! of the crate `libm`, not of the machine. Threads, those of the current pool of rayon, have whole slices. So it is the same everywhere.
//!
//! No I/O, no DICOM, no decomposition.
//!
//! A module calls only modules above it in this table, and only those named; `native/pipeline/tests/modules.rs` fails otherwise.
//!
//! | module | what it is | calls |
//! |---|---|---|
//! | `stack` | whole slices of one size ([`Stack`]) | |
//! | `agreement` | RMSE, PSNR, SSIM ([`Agreement`]) | `stack` |
//! | `regions` | even regions, and the noise there ([`Regions`]) | `stack` |
//! | `edges` | strong edges, and their task transfer function ([`Edges`]) | `stack` |
//! | `residual` | what is left out ([`Residual`]) | `stack` |
//! | `measures` | all of it ([`Measures`]) | `agreement`, `edges`, `regions`, `residual`, `stack` |

#![forbid(unsafe_code)]

mod agreement;
mod edges;
mod measures;
mod regions;
mod residual;
mod stack;

pub use agreement::{Agreement, LeastSsim, Scale, ssim};
pub use edges::{Edges, Sharpness};
pub use measures::{Composite, Measures, Of, Quality, measure};
pub use regions::Regions;
pub use residual::Residual;
pub use stack::Stack;
pub use tomobasis_denoise::{NoiseFigures, NoiseModel};
