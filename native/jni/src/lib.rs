//! The shared library behind the Java package `io.tomobasis.jni`: one file per Java class.
//!
//! Small and boring on purpose: create, call, free. No algorithm is visible here; every function turns its arguments into Rust
//! values, calls one function of `tomobasis-pipeline`, `-dicom` or `-linalg`, and turns the result back. Names and signatures are
//! those of the Java classes' `private static native` methods.
//!
//! A handle is the address of a boxed Rust value (`handle`), owned by its Java object, which keeps others from using it after
//! `free` and, for the mutable classes, from using it on two threads at once. Errors become the exception that fits
//! their exit code, panics become `ComputationException`, and an exception that is already pending wins (`failure`). The JVM is
//! never aborted.

mod all_series;
mod archive;
mod archive_entry;
mod arrays;
mod band_denoiser;
mod block_partials;
mod block_pass;
mod block_renderer;
mod column_digests;
mod decomposition;
mod denoise_driver;
mod derived_slices;
mod errors;
mod failure;
mod gram_accumulator;
mod handle;
mod inventory;
mod job_options;
mod local_files;
mod matrix_numbers;
mod matrix_source;
mod memory;
mod memory_need;
mod named_file;
mod native_library;
mod pass_driver;
mod real_gram_accumulator;
mod results;
mod series_in_memory;
mod series_plan;
mod slice_decoder;
mod slice_digest;
