"""Other denoisers. Each is told the truth of the noise, and of its parameters the one with the smallest error is taken."""

import time
from functools import partial

import numpy as np
from scipy import ndimage
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

try:
    import bm4d

    # NumPy 2.4 has no more the name by which BM4D 4.2 calls it.
    np.trapz = np.trapezoid
except ImportError:
    bm4d = None

# Slices that a slow method sees beyond those that are judged.
MARGIN = 4
# Lags up to which the autocovariance of the noise counts: between slices, and within.
LAGS = (3, 8, 8)


def best(case, name, results):
    """Of results of functions that are called one after the other, the one with the smallest error; the time is its own."""
    tried = []
    for parameter, make in results:
        began = time.perf_counter()
        result = make()
        tried.append((case.decibels(result), parameter, result, time.perf_counter() - began))
    _, parameter, result, seconds = max(tried, key=lambda one: one[0])
    return f"{name}, {parameter}" if parameter else name, case.judge(result, seconds)


def of_the_middle(case, method):
    """A slow method's result in the judged slices; elsewhere the noisy volume stands. The time is that of the part."""
    part = case.truth.judged
    near = slice(max(0, part.start - MARGIN), part.stop + MARGIN)
    result = case.noisy.copy()
    result[near] = method(case.noisy[near])
    return result


def ranks(case):
    """The truncated SVD of whole slices, the method of 2020."""
    shape = case.noisy.shape
    u, s, vt = np.linalg.svd(case.noisy.reshape(shape[0], -1).T, full_matrices=False)

    def rank(k):
        return ((u[:, :k] * s[:k]) @ vt[:k]).T.reshape(shape)

    for percent in (10, 30, 81):
        k = round(percent / 100 * shape[0])
        yield best(case, f"SVD of slices, {percent} %", [(f"k = {k}", partial(rank, k))])
    yield best(case, "SVD of slices, best", [(f"k = {k}", partial(rank, k)) for k in range(20, shape[0], 4)])


def spectrum(noise, shape):
    """The power spectrum of the noise on a grid of `shape`, from its autocovariance at the lags that count (BM4D's scale)."""
    covariance = np.zeros(shape)
    for lag in np.ndindex(*(2 * n + 1 for n in LAGS)):
        offset = [at - n for at, n in zip(lag, LAGS, strict=True)]
        here = tuple(slice(max(0, o), n + min(0, o)) for o, n in zip(offset, noise.shape, strict=True))
        there = tuple(slice(max(0, -o), n + min(0, -o)) for o, n in zip(offset, noise.shape, strict=True))
        taper = np.prod([1 - abs(o) / (n + 1) for o, n in zip(offset, LAGS, strict=True)])
        covariance[tuple(offset)] = taper * np.mean(noise[here] * noise[there])
    return np.maximum(np.fft.fftn(covariance).real, 0) * covariance.size


def bm4d_of_spectrum(case, volume):
    """BM4D that knows the spectrum of the noise inside of the body."""
    inside = np.where(case.truth.flat, case.noise, 0)[case.truth.judged]
    rows, columns = (np.flatnonzero(inside.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    middle = case.noise[case.truth.judged, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return bm4d.bm4d(volume, spectrum(middle * case.sigma / middle.std(), volume.shape))


def others(case):
    """Rows: name, figures."""
    sigma = case.sigma
    part = partial(of_the_middle, case)
    widths = (0.4, 0.5, 0.6, 0.8, 1.0, 1.3)
    yield best(case, "Gaussian", [(f"{w} voxels", partial(ndimage.gaussian_filter, case.noisy, w)) for w in widths])
    yield best(case, "median, 3 x 3 x 3", [("", partial(ndimage.median_filter, case.noisy, 3))])
    yield from ranks(case)
    shrink = partial(denoise_wavelet, wavelet="db2", method="BayesShrink", sigma=sigma)
    yield best(case, "wavelets, BayesShrink", [("", partial(part, shrink))])
    weights = [w * sigma for w in (0.5, 0.75, 1, 1.5, 2)]
    total = [(f"weight {w:.0f}", partial(part, partial(denoise_tv_chambolle, weight=w))) for w in weights]
    yield best(case, "total variation", total)
    means = partial(denoise_nl_means, patch_size=3, patch_distance=3, fast_mode=True, sigma=sigma)
    heights = [h * sigma for h in (0.4, 0.6, 0.8, 1)]
    yield best(case, "non-local means", [(f"h = {h:.0f}", partial(part, partial(means, h=h))) for h in heights])
    if bm4d:
        yield best(case, "BM4D", [("true sigma", partial(part, partial(bm4d.bm4d, sigma_psd=sigma)))])
        yield best(case, "BM4D", [("true spectrum", partial(part, partial(bm4d_of_spectrum, case)))])
