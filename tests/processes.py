"""A Spark cluster of real processes on this machine, a job's driver on it, and the signals that disturb them.

A standalone master, workers on addresses of their own (127.0.0.2 and so on), one core each: Spark takes them for hosts. Unlike in
`local-cluster`, a worker, an executor or a driver can be stopped, woken up and killed like any process.
"""

import os
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

from running import ROOT, Run
from waiting import wait_for

MASTER = "127.0.0.1"
PATIENCE = 180  # seconds; a machine that does much else takes its time
CLOSED = subprocess.DEVNULL


def spark_home():
    if home := os.environ.get("SPARK_HOME"):
        return Path(home)
    return next((ROOT / ".venv/lib").glob("python3*/site-packages/pyspark"))


def children(pid):
    """Processes that a process started; none of one that is gone."""
    found = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


class Daemon:
    """A master or a worker; its log is where it says that it is ready."""

    def __init__(self, folder, name, kind, address, *arguments):
        self.log = folder / f"{name}.log"
        place = ["--host", address, "--port", 0, "--webui-port", 0]
        command = [spark_home() / "bin/spark-class", f"org.apache.spark.deploy.{kind}", *place, *arguments]
        environment = {**os.environ, "SPARK_HOME": str(spark_home()), "SPARK_DAEMON_MEMORY": "256m"}
        environment |= {"SPARK_LOCAL_DIRS": str(folder / name), "SPARK_WORKER_DIR": str(folder / name)}
        environment |= {"SPARK_LOCAL_IP": address, "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false"}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=CLOSED, stdout=log, stderr=log, env=environment
            )

    def said(self, words):
        """The rest of the line in which it said these words."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if words in line]
        return lines[0].partition(words)[2] if lines else None

    def has_said(self, words):
        return self.said(words) is not None

    def executors(self):
        """Processes of a worker's executors."""
        return children(self.process.pid)

    def stop(self):
        self.process.kill()
        self.process.wait()


class Driver:
    """`bin/tomobasis-submit` as a process: its lines as they come, signals, and how it ended."""

    def __init__(self, master, job, conf):
        settings = [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
        command = [ROOT / "bin/tomobasis-submit", "--master", master, "--driver-memory", "600m", *settings, "--", *job]
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=CLOSED, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors="replace", env={**os.environ, "SPARK_HOME": str(spark_home())},
        )  # fmt: skip
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def wait_for(self, words):
        """Waits for a line with these words."""
        wait_for(PATIENCE, f"{words!r} of the job", lambda: any(words in line for line in self.lines) or self.ended())
        assert any(words in line for line in self.lines), "".join(self.lines)

    def ended(self):
        return self.process.poll() is not None

    def send(self, number):
        self.process.send_signal(number)

    def finish(self, timeout=2 * PATIENCE):
        out = self.process.stdout.read() if self.process.wait(timeout) is not None else ""
        self.reader.join(10)
        return Run(self.process.returncode, out, "".join(self.lines))


class Standalone:
    """The cluster. `workers` is a dict from address to daemon."""

    def __init__(self, folder):
        self.folder, self.drivers, self.workers = folder, [], {}
        self.master = Daemon(folder, "master", "master.Master", MASTER)

    def start(self, addresses):
        self.url = wait_for(PATIENCE, "the master", lambda: self.master.said("Starting Spark master at "))
        for address in addresses:
            room = ["--cores", 1, "--memory", "700m"]
            self.workers[address] = Daemon(self.folder, address, "worker.Worker", address, *room, self.url)
        for address, worker in self.workers.items():
            wait_for(
                PATIENCE, f"the worker {address}", lambda worker=worker: worker.has_said("Successfully registered")
            )

    def submit(self, *job, **conf):
        """Starts a job; dots in the names of settings are underscores here."""
        settings = {key.replace("_", "."): value for key, value in conf.items()}
        settings = {"spark.driver.host": MASTER, "spark.executor.memory": "600m"} | settings
        self.drivers.append(Driver(self.url, job, settings))
        return self.drivers[-1]

    def executors(self):
        """Processes of executors."""
        return [pid for worker in self.workers.values() for pid in worker.executors()]

    def kill_executor(self):
        """Kills an executor that runs."""
        os.kill(wait_for(PATIENCE, "an executor", self.executors)[0], signal.SIGKILL)

    def stop(self):
        for driver in self.drivers:
            if not driver.ended():
                driver.process.kill()
        for pid in self.executors():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for daemon in (*self.workers.values(), self.master):
            daemon.stop()


@contextmanager
def standalone(folder, addresses=("127.0.0.2", "127.0.0.3", "127.0.0.4")):
    """A cluster that ends with the block, whatever was done to it."""
    cluster = Standalone(folder)
    try:
        cluster.start(addresses)
        yield cluster
    finally:
        cluster.stop()
