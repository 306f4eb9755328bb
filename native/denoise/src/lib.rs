//! Denoising of CT volumes by the singular value decomposition of local patches.
//!
//! A volume is cut into overlapping windows, a window into all its overlapping small patches, and the matrix of patches is
//! reduced to what stands out of the noise in the basis of its own singular vectors. The noise (its standard deviation,
//! its correlation within and between slices, and where it is stronger) is estimated from the volume alone, so there is
//! nothing to tune but how much of it is removed.
//!
//! ```
//! use tomobasis_denoise::{NoiseModel, Settings, Shape, Volume, Voxels, denoise};
//! let shape = Shape { slices: 8, rows: 48, columns: 48 };
//! // Water, with something like noise.
//! let mut state = 1u32;
//! let mut noise = || {
//!     state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
//!     (state >> 26) as f32 - 32.0
//! };
//! let hu: Vec<f32> = (0..8 * 48 * 48).map(|_| noise()).collect();
//! let volume = Volume::new(shape, 1.0, Voxels::Hu(&hu), None)?;
//! let model = NoiseModel::estimate(&volume)?;
//! let denoised = denoise(&volume, &model, Settings::default())?;
//! assert_eq!(denoised.len(), hu.len());
//! # Ok::<(), tomobasis_denoise::Error>(())
//! ```
//!
//! **Bits.** Everything that is counted over the whole volume is an integer, so its order does not matter. Everything else is
//! a chain of operations of IEEE 754 single precision (fused multiply-add, division and square root, which are correctly
//! rounded) in one order, without a branch on a rounded number but the threshold itself. So the result has the same bits
//! for any number of threads, any blocks of rows, and on any machine with fused multiply-add.
//!
//! No I/O, no DICOM. Threads are those of the current pool of rayon.
//!
//! A module calls only modules above it in this table, and only those named; `native/pipeline/tests/modules.rs` fails
//! otherwise.
//!
//! | module | what it is | calls |
//! |---|---|---|
//! | `error` | what is refused, and why ([`Error`]) | |
//! | `volume` | voxels of either kind as HU ([`Volume`]) | `error` |
//! | `tile` | products of small matrices in one order | |
//! | `jacobi` | eigenvectors of small matrices in one order | `tile` |
//! | `noise` | the noise of a volume, estimated from it ([`NoiseModel`]) | `error`, `volume` |
//! | `grid` | where the windows are ([`Quality`]) | `volume` |
//! | `whitening` | the square roots of the noise's covariance | `jacobi`, `noise`, `tile` |
//! | `window` | the method itself, for one window | `grid`, `jacobi`, `tile`, `whitening` |
//! | `denoiser` | all windows, added up in one order ([`Denoiser`]) | `error`, `grid`, `noise`, `volume`, `whitening`, `window` |
//! | `details` | what is left of small details ([`details_kept`]) | `denoiser`, `error`, `noise`, `volume` |
//! | `effect` | what was removed ([`Effect`]) | `error`, `noise`, `volume` |

#![forbid(unsafe_code)]

mod denoiser;
mod details;
mod effect;
mod error;
mod grid;
mod jacobi;
mod noise;
mod tile;
mod volume;
mod whitening;
mod window;

pub use denoiser::{Band, Denoiser, Settings, Windows, denoise, patch, rows_needed, working_bytes};
pub use details::{DetailKept, Place, Probe, details_kept, probes};
pub use effect::{Effect, EffectCounts, EffectPass, NoiseFigures, Removed};
pub use error::Error;
pub use grid::Quality;
pub use noise::{NoiseCounts, NoiseModel, NoisePass, SigmaMap};
pub use tomobasis_linalg::Rescale;
pub use volume::{Shape, Volume, Voxels, check_geometry, hounsfield_units};
