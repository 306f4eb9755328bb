//! All measures of a scan, of its composites, and of both against a reference.

use serde::{Deserialize, Serialize};
use tomobasis_denoise::{NoiseFigures, NoiseModel};

use crate::{
    agreement::{Agreement, LeastSsim, Scale},
    edges::{Edges, Sharpness},
    regions::Regions,
    residual::Residual,
    stack::Stack,
};

/// Peak of PSNR in HU: from air to as far above water.
const PEAK_HU: f64 = 2000.0;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    /// Slices of the scan.
    pub scan: &'a Stack,
    /// The same slices of what was made of it, each with its number of basis vectors.
    pub composites: &'a [(usize, Stack)],
    /// The same slices of a reference.
    pub reference: Option<&'a Stack>,
    /// Whether values are HU: only then it is known what soft tissue and a strong edge are.
    pub hounsfield: bool,
    /// What black and white are, for SSIM.
    pub window: [f64; 2],
    /// Distance of two stored values.
    pub step: f64,
    /// Slices of the series, and the standard deviation of its noise that the singular values tell, if they do.
    pub series: (usize, Option<f64>),
}

/// What was measured. Frequencies are in cycles per pixel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// What SSIM sees: least and greatest value.
    pub window: [f64; 2],
    /// Even windows of soft tissue in which noise was measured.
    pub regions: usize,
    /// Pixels at strong edges at which sharpness was measured.
    pub edges: usize,
    /// The scan.
    pub original: Quality,
    /// Its composites, by ascending number of basis vectors.
    pub composites: Vec<Composite>,
    /// Peak of the PSNR against the reference; none where there is no reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<f64>,
}

/// An image for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Its noise in even soft tissue; none where there is too little.
    pub noise: Option<NoiseFigures>,
    /// Sharpness of its strong edges; none where there are too few.
    pub sharpness: Option<Sharpness>,
    /// How near it is to the reference, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Agreement>,
}

/// A composite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Composite {
    /// Its basis vectors.
    pub k: usize,
    /// For itself.
    #[serde(flatten)]
    pub quality: Quality,
    /// Standard deviation of white noise that so many basis vectors keep of that which the singular values tell: by the root of k
    /// over the number of slices.
    pub global_noise: Option<f64>,
    /// Root mean square of the scan minus it.
    pub rmse: f64,
    /// Structural similarity to the scan.
    pub ssim: Option<f64>,
    /// The slice in which it is least similar.
    pub least_ssim: Option<LeastSsim>,
    /// What it leaves out.
    pub residual: Residual,
}

/// Measures everything; none where stacks are not of one size, or empty.
#[must_use]
pub fn measure(of: Of<'_>) -> Option<Measures> {
    let Of { scan, composites, reference, hounsfield, window, step, series: (slices, global) } = of;
    let regions = if hounsfield { Regions::find(scan) } else { None };
    let edges = if hounsfield { Edges::find(scan) } else { None };
    let noise = |stack: &Stack| regions.as_ref().map(|regions| regions.noise(stack));
    let peak = match (hounsfield, reference) {
        (true, _) => PEAK_HU,
        (false, Some(reference)) => reference.range().map_or(0.0, |[least, most]| most - least),
        (false, None) => scan.range().map_or(0.0, |[least, most]| most - least),
    };
    let scale = Scale { peak, window };
    // Of a reference of the same values everywhere, there is no peak to compare with.
    let agreement = |stack: &Stack| match reference {
        Some(reference) => Agreement::of(stack, reference, scale).map(|found| {
            let psnr = found.psnr.filter(|_| peak > 0.0);
            Some(Agreement { psnr, ..found })
        }),
        None => Some(None),
    };
    let quality = |stack: &Stack, noise: Option<&NoiseModel>| {
        Some(Quality {
            noise: noise.map(NoiseFigures::of),
            sharpness: edges.as_ref().and_then(|edges| edges.sharpness(stack)),
            reference: agreement(stack)?,
        })
    };
    let of_scan = noise(scan);
    let composite = |(k, stack): &(usize, Stack)| {
        let Agreement { rmse, ssim, least_ssim, .. } = Agreement::of(stack, scan, scale)?;
        Some(Composite {
            k: *k,
            quality: quality(stack, noise(stack).as_ref())?,
            global_noise: global.map(|sigma| sigma * (*k as f64 / slices.max(1) as f64).sqrt()),
            rmse,
            ssim,
            least_ssim,
            residual: Residual::of(scan, stack, of_scan.as_ref(), step),
        })
    };
    Some(Measures {
        window,
        regions: regions.as_ref().map_or(0, Regions::count),
        edges: edges.as_ref().map_or(0, Edges::count),
        original: quality(scan, of_scan.as_ref())?,
        composites: composites.iter().map(composite).collect::<Option<_>>()?,
        peak: reference.map(|_| peak),
    })
}

impl Measures {
    /// The same with the places of slices as `slices` has them.
    #[must_use]
    pub fn in_series(mut self, slices: &[usize]) -> Self {
        let of_scan = self.original.reference.iter_mut().filter_map(|found| found.least_ssim.as_mut());
        let others = self.composites.iter_mut().flat_map(|composite| {
            let of_reference =
                composite.quality.reference.iter_mut().filter_map(|found| found.least_ssim.as_mut());
            composite.least_ssim.as_mut().into_iter().chain(of_reference)
        });
        for least in of_scan.chain(others) {
            least.slice = slices.get(least.slice).copied().unwrap_or(least.slice);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(shift: f32) -> Stack {
        let value = |at: usize| ((at * at) % 53 + at % 64) as f32 + shift;
        Stack::new(64, 64, (0..3).map(|_| (0..64 * 64).map(value).collect()).collect()).unwrap()
    }

    #[test]
    fn a_composite_is_measured_against_the_scan_and_both_against_the_reference() {
        let (scan, reference) = (stack(0.0), stack(-1.0));
        let composites = [(2, stack(2.0)), (3, scan.clone())];
        let of = Of {
            scan: &scan,
            composites: &composites,
            reference: Some(&reference),
            hounsfield: false,
            window: [0.0, 120.0],
            step: 1.0,
            series: (8, Some(4.0)),
        };
        let found = measure(of).unwrap().in_series(&[1, 4, 7]);
        assert_eq!((found.regions, found.edges), (0, 0));
        assert_eq!((&found.original.noise, &found.original.sharpness), (&None, &None));
        let [two, three] = found.composites.as_slice() else { panic!("two composites") };
        assert_eq!((two.k, two.rmse, two.global_noise), (2, 2.0, Some(2.0)));
        assert_eq!((three.rmse, three.ssim.map(|ssim| (ssim * 1e9).round())), (0.0, Some(1e9)));
        assert_eq!(two.least_ssim.unwrap().slice, 1);
        let of_reference = two.quality.reference.as_ref().unwrap();
        assert_eq!(of_reference.rmse, 3.0);
        assert_eq!(found.original.reference.as_ref().unwrap().rmse, 1.0);
        let peak = found.peak.unwrap();
        assert!((of_reference.psnr.unwrap() - 20.0 * (peak / 3.0).log10()).abs() < 1e-9);
        assert_eq!(measure(Of { reference: None, ..of }).unwrap().peak, None);
    }

    #[test]
    fn slices_of_another_size_are_not_measured() {
        let scan = stack(0.0);
        let other = Stack::new(64, 64, vec![vec![0.0; 64 * 64]]).unwrap();
        let of = Of {
            scan: &scan,
            composites: &[],
            reference: Some(&other),
            hounsfield: false,
            window: [0.0, 1.0],
            step: 1.0,
            series: (3, None),
        };
        assert_eq!(measure(of), None);
        assert!(measure(Of { reference: None, ..of }).is_some());
    }
}
