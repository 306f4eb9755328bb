"""The compiled pipelines that are checked in are those of their sources."""

import re

import pytest

from kits import PIPELINES, compiled


def without_time(text):
    return re.sub(r"pipeline_compilation_time: '[^']*'", "", text)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_compiled_pipeline_is_that_of_its_source(version, tmp_path):
    committed = (PIPELINES / version / "pipeline.yaml").read_text()
    assert without_time(compiled(version, tmp_path / "compiled.yaml")) == without_time(committed)
