"""`--rank auto` and `--energy`: how many basis vectors a rule takes, against the same rule in NumPy."""

import numpy as np
import pytest

from make_ct_series import file_names, write_series
from oracle import result
from running import decompose, described, submit, tomobasis

SLICES, ROWS, COLUMNS, NOISE = 40, 96, 80, 20.0


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    """Three smooth images mixed into 40 slices, under noise of 20 HU."""
    folder = tmp_path_factory.mktemp("noisy")
    random = np.random.default_rng(7)
    y, x = np.mgrid[0:ROWS, 0:COLUMNS] / 80
    images = np.stack([800 * np.exp(-(x**2) - y**2), 500 * np.cos(3 * x), 300 * np.sin(5 * y)])
    weights = random.uniform(-1, 1, (SLICES, 3))
    hu = np.tensordot(weights, images, 1) + random.normal(0, NOISE, (SLICES, ROWS, COLUMNS))
    scan = described(SLICES, ROWS, COLUMNS, signed=True, bits=16, intercept=0)
    write_series(folder / "scan", scan, enumerate(hu), file_names(SLICES, False, 1))
    assert decompose("--input", folder / "scan", "--output", folder / "full").code == 0
    return folder


def marchenko_pastur_median(beta):
    """Median of the Marchenko-Pastur distribution, by the trapezoid rule."""
    low, high = (1 - np.sqrt(beta)) ** 2, (1 + np.sqrt(beta)) ** 2
    x = np.linspace(low, high, 2_000_001)[1:]
    density = np.sqrt(np.maximum((high - x) * (x - low), 0)) / (2 * np.pi * beta * x)
    return x[np.searchsorted(np.cumsum(density) * (x[1] - x[0]), 0.5)]


def test_auto_keeps_what_stands_out_of_the_noise_and_says_how_strong_it_is(noisy, tmp_path):
    run = decompose("--input", noisy / "scan", "--output", tmp_path / "auto", "--rank", "auto")
    assert run.code == 0, run.err
    auto, full = result.read(tmp_path / "auto"), result.read(noisy / "full")
    beta, mu = SLICES / (ROWS * COLUMNS), marchenko_pastur_median(SLICES / (ROWS * COLUMNS))
    sigma = np.median(full.s) / np.sqrt(ROWS * COLUMNS * mu)
    lam = np.sqrt(2 * (beta + 1) + 8 * beta / (beta + 1 + np.sqrt(beta**2 + 14 * beta + 1)))
    assert auto.manifest["result"]["rank"] == np.sum(full.s > lam / np.sqrt(mu) * np.median(full.s)) == 3
    assert auto.manifest["result"]["noise"] == pytest.approx(sigma, rel=1e-4)
    assert auto.manifest["result"]["noise"] == pytest.approx(NOISE, rel=0.02)
    assert "noise" in run.out
    assert auto.u.tobytes() == full.u[:, :3].tobytes()


@pytest.mark.parametrize("share", ["0.5", "0.9", "0.999", "1"])
def test_energy_keeps_the_fewest_that_hold_the_share(noisy, tmp_path, share):
    assert decompose("--input", noisy / "scan", "--output", tmp_path / "some", "--energy", share).code == 0
    full, some = result.read(noisy / "full"), result.read(tmp_path / "some").manifest
    held = np.cumsum(full.s**2)
    enough = np.flatnonzero(held >= float(share) * full.manifest["result"]["energy"])
    assert some["result"]["rank"] == (enough[0] + 1 if len(enough) else SLICES)
    assert some["parameters"]["rank"] == f"energy {share}"


@pytest.mark.parametrize("rule", [("--rank", "auto"), ("--energy", "0.95")])
def test_a_rule_is_verified_like_a_number(noisy, tmp_path, rule):
    assert decompose("--input", noisy / "scan", "--output", tmp_path / "rule", *rule).code == 0
    verified = tomobasis("verify", tmp_path / "rule", "--input", noisy / "scan")
    assert verified.code == 0, verified.err


@pytest.mark.spark
def test_the_job_chooses_as_the_command_does(noisy, tmp_path):
    assert decompose("--input", noisy / "scan", "--output", tmp_path / "command", "--rank", "auto").code == 0
    run = submit("--input", noisy / "scan", "--output", tmp_path / "job", "--rank", "auto")
    assert run.code == 0, run.err
    roots = [result.read(tmp_path / f).manifest["digests"]["root"] for f in ("command", "job")]
    assert roots[0] == roots[1]
