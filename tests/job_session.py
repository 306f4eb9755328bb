"""Runs of the job one after the other in one JVM, for many small inputs: Spark's start is paid once."""

import os
import re
from contextlib import contextmanager
from unittest import mock

from pyspark.java_gateway import launch_gateway

from running import ROOT, Run

JAR = ROOT / "build/tomobasis-spark.jar"


@contextmanager
def job_session(master="local[2]", java="-XX:TieredStopAtLevel=1"):
    """A function like `submit`, whose JVM is its attribute `process`. By default without the optimizing compiler: small runs end before
    it pays.
    """
    # Spark refuses the size of the heap among other options.
    size = re.search(r"-Xmx(\S+)", java)
    heap = f"--driver-memory {size[1]} " if size else ""
    java = f"{heap}--driver-java-options '{java.replace(size[0], '') if size else java}'"
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

    run.process = gateway.proc
    try:
        yield run
    finally:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(timeout=60)
