"""Runs of the job one after the other in one JVM, for many small inputs: Spark's start is paid once."""

import os
from contextlib import contextmanager
from unittest import mock

from pyspark.java_gateway import launch_gateway

from running import ROOT, Run

JAR = ROOT / "build/tomobasis-spark.jar"


@contextmanager
def job_session(master="local[2]"):
    """A function like `submit`."""
    # Runs as small as these end before an optimizing compiler pays.
    java = "--driver-java-options -XX:TieredStopAtLevel=1"
    arguments = f"--master {master} {java} --driver-class-path {JAR} --conf spark.ui.enabled=false pyspark-shell"
    with mock.patch.dict(os.environ, PYSPARK_SUBMIT_ARGS=arguments, LC_ALL="C.UTF-8"):
        gateway = launch_gateway()
    jvm = gateway.jvm
    main = getattr(getattr(jvm.io.tomobasis.job, "Main$"), "MODULE$")

    def run(*job):
        words = gateway.new_array(jvm.java.lang.String, len(job))
        for i, word in enumerate(job):
            words[i] = str(word)
        out, err = jvm.java.io.ByteArrayOutputStream(), jvm.java.io.ByteArrayOutputStream()
        code = main.run(words, jvm.java.io.PrintStream(out), jvm.java.io.PrintStream(err))
        return Run(code, out.toString(), err.toString())

    try:
        yield run
    finally:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(timeout=60)
