"""The counting behind `N passed, N failed`."""

from reports import Count, from_cargo, from_junit, results_of

CARGO = """
     Running unittests src/lib.rs (target/debug/deps/tomobasis_linalg-0123456789abcdef)
running 3 tests
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Running tests/zoo.rs (target/debug/deps/zoo-0123456789abcdef)
test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Running unittests src/lib.rs (target/debug/deps/tomobasis_jni-0123456789abcdef)
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
   Doc-tests tomobasis_linalg
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
"""

JUNIT = """<testsuites><testsuite name="a" tests="5" failures="1" errors="1" skipped="1"/>
<testsuite name="b" tests="2" failures="0" errors="0"/></testsuites>"""


def test_cargo_counts_integration_tests_for_the_crate_they_belong_to():
    assert from_cargo(CARGO) == {
        "tomobasis_linalg": Count(7, 2, 1),
        "tomobasis_jni": Count(),
        "documentation": Count(1),
    }


def test_a_crate_without_tests_has_run_nothing():
    assert from_cargo(CARGO)["tomobasis_jni"].ran == 0


def test_all_results_add_up_whatever_they_are_of():
    assert results_of(CARGO) == Count(8, 2, 1)
    assert results_of("error: could not compile").ran == 0


def test_junit_reports_add_up(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.xml").write_text(JUNIT)
    assert from_junit(tmp_path) == Count(4, 2, 1)


def test_a_folder_without_reports_counts_nothing(tmp_path):
    assert from_junit(tmp_path / "absent").ran == 0


def test_the_closing_line_names_skipped_tests_only_when_there_are_any():
    assert str(Count(3, 0)) == "3 passed, 0 failed"
    assert str(Count(3, 1, 2)) == "3 passed, 1 failed, 2 skipped"
