//! What a user asks for: inspect, read, decompose (one series or all), denoise, verify, certify, compare, render, attest, paper; reference matrices and scores.

pub mod all_series;
pub mod attest;
pub mod certify;
pub mod compare;
pub mod decompose;
pub mod denoise;
pub mod gathered;
pub mod inspect;
pub mod job;
pub mod paper;
pub mod read;
pub mod reference;
pub mod render;
pub(crate) mod runner;
mod single_file;
pub mod slices;
pub mod stages;
mod values;
pub mod verify;
