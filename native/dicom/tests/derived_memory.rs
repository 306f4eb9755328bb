//! Memory for a derived instance of many frames: the instance, and what its functional groups take. `docs/derived.md` states it.
//!
//! The allocator of this test program refuses to go beyond a cap, which aborts the program.

mod common;

use std::alloc::System;

use cap::Cap;
use common::{derivation, only};
use tomobasis_dicom::derived::{Derivation, derive};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{FileBytes, SliceFile};

const FRAMES: usize = 60;
const SIDE: usize = 256;
/// Bytes of headers and functional groups for each frame, which are read, changed and written.
const OF_A_FRAME: usize = 16 << 10;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

#[test]
fn an_instance_is_written_beside_its_source_and_its_pixels_in_its_own_size() {
    let heights: Vec<_> = (0..FRAMES).map(|i| (0.5 * i as f64, "1", "-1024")).collect();
    let pixels: Vec<i16> = (0..FRAMES * SIDE * SIDE).map(|i| (i % 2000) as i16).collect();
    let source = DicomFile::ct(SIDE as u16, SIDE as u16, &pixels).enhanced(&heights);
    let padded = source.raw((0x0028, 0x0120), "SS", (-2000_i16).to_le_bytes().to_vec()).bytes();
    let plan = only(std::slice::from_ref(&padded)).unwrap();
    let slices: Vec<usize> = (0..FRAMES).collect();
    let opened = SliceFile::open(FileBytes::whole(&padded));
    let digest = |slice| opened.decode(&plan, slice, &mut vec![0; plan.pixels()]).unwrap().digest;
    let how = Derivation { digests: (0..FRAMES).map(digest).collect(), ..derivation() };
    let mut stored = pixels.clone();
    let image = 2 * SIDE * SIDE;
    ALLOCATOR.set_limit(ALLOCATOR.allocated() + FRAMES * (image + OF_A_FRAME) + image).unwrap();
    let made = derive(&plan, &slices, &padded, &mut stored, &how).unwrap();
    ALLOCATOR.set_limit(usize::MAX).unwrap();
    assert!(made.file.len() > FRAMES * image);
    assert_eq!((made.pixels.len(), stored), (FRAMES, pixels));
}
