//! The methods of class `fixed` as the job runs them, partition by partition through bytes.

mod common;

use common::{SIZE, SLICES, decompose, options, series, slice};
use tomobasis_dicom::{SliceRecord, decode};
use tomobasis_pipeline::{
    Error,
    blocks::{BlockRenderer, Scratch},
    input::{Numbers, inventory, listing},
    progress::Silent,
    solve::{
        digest::Digest,
        passes::{BlockPartials, BlockPass, PassDriver},
    },
};

const METHODS: [&str; 4] = [
    "--method tsqr",
    "--method tsqr --center --rank auto",
    "--method dssvd --rank 3 --oversample 2",
    "--method dspca --rank 3 --power-iterations 0",
];

/// Rows of a block, the last one short.
fn rows(block: usize) -> usize {
    let pixels = usize::from(SIZE.0) * usize::from(SIZE.1);
    4096.min(pixels - 4096 * block)
}

fn values(block: usize) -> Vec<i16> {
    (0..SLICES).flat_map(|j| slice(j)[4096 * block..][..rows(block)].to_vec()).collect()
}

fn begin(input: &std::path::Path, more: &str) -> Result<PassDriver, Error> {
    let options = options(input, &input.join("out"), more)?;
    let mut inventory = inventory::take_inventory(&listing::list(&options.input)?, &Silent)?;
    PassDriver::new(inventory::select(&mut inventory, &options)?, options, Numbers::Stored)
}

/// What decoding says of the slices.
fn records(input: &std::path::Path) -> Vec<SliceRecord> {
    let options = options(input, &input.join("out"), "").unwrap();
    let files = listing::list(&options.input).unwrap();
    let plan = inventory::select(&mut inventory::take_inventory(&files, &Silent).unwrap(), &options).unwrap();
    let bytes = |j: usize| std::fs::read(&files[plan.slices[j].file].path).unwrap();
    (0..SLICES).map(|j| decode(&plan, j, &bytes(j), &mut vec![0; plan.pixels()]).unwrap()).collect()
}

fn found(pass: &BlockPass<'_>, blocks: &[usize]) -> Vec<u8> {
    let (mut partials, mut hu) = (BlockPartials::default(), vec![]);
    for &b in blocks {
        partials.add(pass.block(b as u32, &values(b), rows(b), &mut hu).unwrap()).unwrap();
    }
    partials.into_bytes()
}

#[test]
fn partitions_through_bytes_give_the_digests_of_the_command() {
    let (base, input) = series();
    for (number, method) in METHODS.into_iter().enumerate() {
        let expected = decompose(&input, &base.path().join(number.to_string()), method, 2).unwrap().manifest;
        for partitions in [vec![vec![0, 1, 2]], vec![vec![2, 0], vec![], vec![1]]] {
            let mut driver = begin(&input, method).unwrap();
            while let Some(pass) = driver.pass() {
                let sent = BlockPass::from_bytes(&pass.to_bytes().unwrap()).unwrap();
                let all: Vec<_> = partitions.iter().map(|blocks| found(&sent, blocks)).collect();
                driver.add_bytes(&all, 2).unwrap();
            }
            let decomposition = driver.finish(&records(&input)).unwrap();
            let digests = &expected.digests;
            assert_eq!(Digest::of_f64(&decomposition.s), digests.s, "{method}");
            assert_eq!(Digest::of_f64(&decomposition.v), digests.v, "{method}");
            let (stored, offset) = ((0..SLICES).flat_map(slice), -1024.0);
            let least_and_greatest = stored
                .map(f64::from)
                .fold((f64::MAX, f64::MIN), |r, v| (r.0.min(v + offset), r.1.max(v + offset)));
            assert_eq!(decomposition.range, least_and_greatest);
            let renderer = BlockRenderer::new(decomposition.into()).unwrap();
            for b in 0..3 {
                let mut scratch = Scratch::default();
                let rendered = renderer.render(&mut scratch, b as u32, &values(b), rows(b), &[]).unwrap();
                assert_eq!(rendered.record.digest, digests.u.blocks[b], "{method}: block {b}");
            }
        }
    }
}

#[test]
fn bytes_that_are_not_ours_are_typed_errors() {
    let (_base, input) = series();
    let protocol = |result: Result<(), Error>| match result {
        Err(Error::Protocol(_)) => {}
        other => panic!("{other:?}"),
    };
    for method in METHODS {
        let mut driver = begin(&input, method).unwrap();
        let sent = driver.pass().unwrap().to_bytes().unwrap();
        for cut in (0..sent.len()).step_by(97) {
            protocol(BlockPass::from_bytes(&sent[..cut]).map(|_| ()));
        }
        let good = found(&BlockPass::from_bytes(&sent).unwrap(), &[0, 1, 2]);
        for cut in (0..good.len()).step_by(13) {
            protocol(begin(&input, method).unwrap().add_bytes(&[good[..cut].to_vec()], 1));
        }
        driver.add_bytes(&[good], 1).unwrap();
    }
}

#[test]
fn a_method_without_passes_and_ranks_that_cannot_be_are_refused() {
    let (_base, input) = series();
    let refusal = |more: &str| begin(&input, more).map(|_| ()).unwrap_err().to_string();
    assert!(refusal("--method exact").contains("gram takes no passes"));
    assert!(refusal("--method dssvd --rank 10").starts_with("--rank: 10 is more than the 9 slices"));
}
