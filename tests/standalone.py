"""A standalone cluster of real processes on loopback addresses: a master on 127.0.0.2, a worker on each address after it."""

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request

from running import ROOT, Run

MASTER = "127.0.0.2"


def spark_home():
    given = os.environ.get("SPARK_HOME")
    return given or next((ROOT / ".venv/lib").glob("python3*/site-packages/pyspark"))


def free_port():
    with socket.create_server((MASTER, 0)) as server:
        return server.getsockname()[1]


class Standalone:
    def __init__(self, folder, workers, cores, memory):
        self.folder, self.workers, self.cores, self.memory = folder, workers, cores, memory
        self.port, self.page = free_port(), free_port()
        self.processes = []

    @property
    def url(self):
        return f"spark://{MASTER}:{self.port}"

    def start(self):
        self.launch("master", "--host", MASTER, "--port", self.port, "--webui-port", self.page)
        for i in range(self.workers):
            place = ["--host", f"127.0.0.{3 + i}", "--webui-port", 0, "--work-dir", self.folder / f"work-{i}"]
            self.launch("worker", *place, "--cores", self.cores, "--memory", self.memory, self.url)
        until = time.monotonic() + 90
        while self.alive() < self.workers:
            assert time.monotonic() < until, "the workers do not register: " + self.log("worker")
            time.sleep(0.2)

    def launch(self, what, *arguments):
        log = (self.folder / f"{what}-{len(self.processes)}.log").open("w")
        command = [spark_home() / "bin/spark-class", f"org.apache.spark.deploy.{what}.{what.capitalize()}", *arguments]
        settings = {"SPARK_DAEMON_MEMORY": "256m", "SPARK_NO_DAEMONIZE": "1"}
        started = subprocess.Popen(
            list(map(str, command)), stdout=log, stderr=log, env={**os.environ, **settings}, start_new_session=True
        )
        self.processes.append(started)

    def alive(self):
        try:
            with urllib.request.urlopen(f"http://{MASTER}:{self.page}/json/", timeout=5) as answer:
                return json.load(answer)["aliveworkers"]
        except (urllib.error.URLError, ConnectionError):
            return 0

    def log(self, what):
        return "\n".join(path.read_text()[-2000:] for path in self.folder.glob(f"{what}-*.log"))

    def submitting(self, *job, conf=()):
        """The running `bin/tomobasis-submit --master spark://... -- JOB`, with executors of 512 MB unless said otherwise."""
        settings = {"spark.master.ui.port": self.page, "spark.executor.memory": "512m", "spark.driver.memory": "512m"}
        settings |= {"spark.driver.host": MASTER, "spark.ui.enabled": "false", **dict(conf)}
        words = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
        command = [ROOT / "bin/tomobasis-submit", "--master", self.url, *words, "--", *job]
        return subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def submit(self, *job, conf=(), timeout=120):
        with self.submitting(*job, conf=conf) as started:
            try:
                out, err = started.communicate(timeout=timeout)
            finally:
                stop(started)
        return Run(started.returncode, out, err)

    def stop(self):
        for process in reversed(self.processes):
            stop(process)


def stop(process):
    """Ends a process that was started in a session of its own, with all that it started there."""
    if process.poll() is None:
        os.killpg(process.pid, 9)
        process.wait()


@contextlib.contextmanager
def standalone(folder, workers=2, cores=2, memory="1g"):
    cluster = Standalone(folder, workers, cores, memory)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
