"""The guarantee: one scan, one result, however it is computed."""

import pytest

from oracle import result
from results import same
from running import decompose, made_scan, submit, tomobasis


@pytest.mark.spark
@pytest.mark.parametrize(
    ("master", "conf"),
    [
        ("local[1]", ["spark.default.parallelism=1"]),
        ("local[2]", ["spark.default.parallelism=7"]),
        ("local-cluster[2,1,1024]", ["spark.default.parallelism=3"]),
    ],
)
def test_spark_writes_the_files_that_the_command_writes(made, tmp_path, master, conf):
    run = submit("--input", made.folder, "--output", tmp_path / "result", master=master, conf=conf)
    assert run.code == 0, run.err
    same(tmp_path / "result", made.result)
    root = result.read(made.result).manifest["digests"]["root"]
    assert root in run.out


@pytest.mark.spark
def test_names_and_order_of_the_files_do_not_matter_to_spark(made, tmp_path):
    made_scan(tmp_path / "scan", shuffled=True)
    run = submit("--input", tmp_path / "scan", "--output", tmp_path / "result")
    assert run.code == 0, run.err
    same(tmp_path / "result", made.result)


def test_names_and_order_of_the_files_do_not_matter(made, tmp_path):
    made_scan(tmp_path / "scan", shuffled=True)
    assert decompose("--input", tmp_path / "scan", "--output", tmp_path / "result").code == 0
    same(tmp_path / "result", made.result)


@pytest.mark.parametrize(
    "storage", [{"intercept": -1500, "transfer_syntax": "implicit"}, {"intercept": 0, "signed": True, "bits": 16}]
)
def test_how_the_pixels_are_stored_does_not_change_the_numbers(tmp_path, storage):
    digests = []
    for name, how in (("plain", {"intercept": -1500}), ("other", storage)):  # wide enough that no noise is clipped
        made_scan(tmp_path / name, **how)
        assert decompose("--input", tmp_path / name, "--output", tmp_path / f"{name}-result").code == 0
        digests.append(result.read(tmp_path / f"{name}-result").manifest["digests"])
    assert [name for name in ("s", "V", "U") if digests[0][name] != digests[1][name]] == []


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_threads_do_not_matter(made, tmp_path, threads):
    run = decompose("--input", made.folder, "--output", tmp_path / "result", "--threads", threads)
    assert run.code == 0, run.err
    same(tmp_path / "result", made.result)


@pytest.mark.parametrize("kernel", ["amx", "avx512vnni", "avx512", "avx2", "neon", "portable"])
def test_kernels_do_not_matter(made, tmp_path, kernel):
    job = ("decompose", "--input", made.folder, "--output", tmp_path / "result")
    run = tomobasis(*job, TOMOBASIS_KERNEL=kernel)
    if run.code == 1 and f"TOMOBASIS_KERNEL={kernel}: not a kernel that this machine can run" in run.err:
        pytest.skip(f"this machine can't run the kernel {kernel}")
    assert run.code == 0, run.err
    assert result.read(tmp_path / "result").manifest["run"]["kernel"] == kernel
    same(tmp_path / "result", made.result)


def test_a_kernel_that_does_not_exist_is_refused_before_anything_is_written(made, tmp_path):
    job = ("decompose", "--input", made.folder, "--output", tmp_path / "result")
    run = tomobasis(*job, TOMOBASIS_KERNEL="avx9")
    assert run.code == 1
    assert len(run.errors) == 1 and "avx9" in run.errors[0] and "portable" in run.errors[0]
    assert not (tmp_path / "result").exists()


def test_fewer_basis_vectors_are_the_first_of_all(made, tmp_path):
    assert decompose("--input", made.folder, "--output", tmp_path / "five", "--rank", "5").code == 0
    five, full = result.read(tmp_path / "five"), result.read(made.result)
    assert five.s.tobytes() == full.s[:5].tobytes()
    assert five.v.tobytes() == full.v[:, :5].tobytes()
    assert five.u.tobytes() == full.u[:, :5].tobytes()


def test_another_scan_has_another_root(made, tmp_path):
    made_scan(tmp_path / "scan", seed=2)
    assert decompose("--input", tmp_path / "scan", "--output", tmp_path / "result").code == 0
    roots = {result.read(f).manifest["digests"]["root"] for f in (tmp_path / "result", made.result)}
    assert len(roots) == 2
