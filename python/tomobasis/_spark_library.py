"""The decomposition of a scan by the library for the JVM, in a classic session that has it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ._arguments import values_of
from ._errors import InputError, RunError
from ._native import argument_names
from ._spark_result import SparkResult


def find(spark: Any) -> Any:
    """``io.tomobasis.spark.TomoBasis`` in the JVM of a session; None where it is not there, or no JVM."""
    jvm = getattr(spark, "_jvm", None)
    if jvm is None:
        return None
    from py4j.java_gateway import JavaClass

    found = jvm.io.tomobasis.spark.TomoBasis
    return found if isinstance(found, JavaClass) else None


def decompose(spark: Any, library: Any, paths: list[str], options: dict[str, Any]) -> SparkResult:
    """As ``tomobasis.spark.decompose``."""
    if len(paths) != 1:
        raise InputError(f"paths: the library takes one, not {len(paths)}; give their folder, or by='tasks'")
    with _ours():
        result = library.decompose(spark._jsparkSession, paths[0], dict(values_of(options)))
    try:
        return _collected(spark, result, options)
    except BaseException:
        result.close()
        raise


def _collected(spark: Any, result: Any, options: dict[str, Any]) -> SparkResult:
    """What the library's result says, its basis vectors left in Spark."""
    from pyspark.sql import DataFrame

    with _ours():
        summary = json.loads(result.summary())
    s = DataFrame(result.s(), spark).orderBy("index").select("sigma").toArrow().column(0).to_numpy()
    v = DataFrame(result.V(), spark).orderBy("slice").select("weights").toArrow().column(0).combine_chunks()
    found, digests, series = summary["result"], summary["digests"], summary["series"]
    return SparkResult(
        u=DataFrame(result.U(), spark),
        s=s,
        Vt=v.flatten().to_numpy(zero_copy_only=False).reshape(found["columns"], -1).T,
        rank=found["numerical_rank"],
        energy=found["energy"],
        bounds=found["bounds"] or {},
        unresolved=tuple(found["unresolved"]),
        digests={name: digests[name] for name in ("pixels", "s", "V", "root")} | {"U": digests["U"]["root"]},
        notes=tuple(note["text"] for note in series["left_out"] + series["warnings"]),
        output=os.fspath(options["output"]) if options.get("output") else None,
        _forget=result.close,
    )


@contextmanager
def _ours() -> Iterator[None]:
    """The library's exceptions as those of this package, options by the names of arguments."""
    from py4j.protocol import Py4JJavaError

    try:
        yield
    except Py4JJavaError as error:
        java = error.java_exception
        if not java.getClass().getName().startswith("io.tomobasis.jni."):
            raise
        text = argument_names(java.getMessage())
        raise (InputError if java.exitCode() in (2, 3) else RunError)(text) from None
