"""`--report full`: every value in the page, the same from the command and the job, verified with the rest, and refused where it cannot be."""

import re
import shutil

import pytest

from oracle import result
from results import report_data, same, write_sealed
from running import decompose, made_scan, start, submit, tomobasis

FULL = ("--report", "full", "--composite", "2,5")


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    made_scan(folder, slices=12, rows=300, columns=310)
    return folder


@pytest.fixture(scope="module")
def full(scan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("full") / "result"
    run = decompose("--input", scan, "--output", folder, *FULL)
    assert run.code == 0, run.err
    return folder


def test_it_is_verified_to_the_byte(scan, full, tmp_path):
    run = tomobasis("verify", full, "--input", scan)
    assert run.code == 0, run.err
    changed = shutil.copytree(full, tmp_path / "changed")
    page = (changed / "report.html").read_bytes()
    place = page.index(b'data-plane="2">') + 5000
    (changed / "report.html").write_bytes(
        page[:place] + (b"A" if page[place : place + 1] != b"A" else b"B") + page[place + 1 :]
    )
    run = tomobasis("verify", changed, "--input", scan)
    assert run.code == 4 and "report.html" in run.err, run.err


def test_a_manifest_that_claims_another_size_is_found(scan, full, tmp_path):
    changed = shutil.copytree(full, tmp_path / "changed")
    manifest = result.read(changed).manifest
    del manifest["parameters"]["report"]
    write_sealed(changed, manifest)
    run = tomobasis("verify", changed, "--input", scan)
    assert run.code == 4 and "report.html" in run.err, run.err


def test_threads_change_no_byte_and_the_paper_names_the_option(scan, full, tmp_path):
    run = decompose("--input", scan, "--output", tmp_path / "one", *FULL, "--threads", "1")
    assert run.code == 0, run.err
    same(full, tmp_path / "one")
    run = tomobasis("paper", full)
    assert run.code == 0 and "--report full" in run.out, run.out + run.err


@pytest.mark.spark
def test_the_job_makes_the_same_page_and_refuses_one_that_is_too_large(scan, full, tmp_path):
    run = submit("--input", scan, "--output", tmp_path / "job", *FULL)
    assert run.code == 0, run.err
    same(full, tmp_path / "job")
    made_scan(tmp_path / "large", slices=20, rows=600, columns=700)
    options = ("--input", tmp_path / "large", "--output", tmp_path / "refused", "--composite", "1,2,3")
    run = submit(*options, "--report", "full")
    assert run.code == 2 and len(run.errors) == 1, run.err
    said = r"error: --report: a full report of 20 slices of 600 x 700 pixels and 3 composites holds 33600000 values, and the "
    assert re.match(said + r"job puts at most 33554432 together in one task; make it with the command", run.errors[0])
    assert not (tmp_path / "refused").exists()


def test_of_too_little_memory_it_is_refused_before_anything_is_decoded(tmp_path):
    made_scan(tmp_path / "scan", slices=40, rows=320, columns=320)
    command = "ulimit -v 300000; exec bin/tomobasis decompose --input {} --output {} --composite 1,2,3,4 --threads 1 {}"
    small = command.format(tmp_path / "scan", tmp_path / "small", "")
    assert start(["sh", "-c", small]).code == 0
    run = start(["sh", "-c", command.format(tmp_path / "scan", tmp_path / "full", "--report full")])
    assert run.code == 1 and "of memory" in run.err, run.err
    assert not (tmp_path / "full").exists()


def test_all_series_have_full_reports_too(scan, full, tmp_path):
    run = decompose("--input", scan, "--output", tmp_path / "all", "--series", "all", *FULL)
    assert run.code == 0, run.err
    [report] = (tmp_path / "all").rglob("report.html")
    assert report_data(report) == report_data(full / "report.html")
