"""A Spark cluster of real processes on this machine, a job's driver on it, and the signals that disturb them.

A standalone master, and workers on addresses of their own (127.0.0.2 and so on), which Spark takes for hosts. Unlike in `local-cluster`,
a worker, an executor or a driver can be stopped, woken up and killed like any process.
"""

import os
import re
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

from running import ROOT, Run
from waiting import wait_for

MASTER = "127.0.0.1"
WORKERS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
CORES, MEMORY = 2, "1200m"  # of a worker: room for two executors
PATIENCE = 180  # seconds; a machine that does much else takes its time
# These programs end before an optimizing compiler pays.
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def spark_home():
    if home := os.environ.get("SPARK_HOME"):
        return Path(home)
    return next((ROOT / ".venv/lib").glob("python3*/site-packages/pyspark"))


def spawn(command, **more):
    environment = {**os.environ, "SPARK_HOME": str(spark_home()), "SPARK_LAUNCHER_OPTS": JAVA, **more.pop("env", {})}
    return subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, env=environment, **more)


def children(pid, word):
    """Processes that a process started and that have a word in their command; none of one that is gone."""
    found = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return [child for child in found if word in command_of(child)]


def command_of(pid):
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


class Daemon:
    """A master or a worker; its log is where it says that it is ready."""

    def __init__(self, folder, name, kind, address, *arguments, **more):
        self.log = folder / f"{name}.log"
        place = ["--host", address, "--port", 0, "--webui-port", 0]
        command = [spark_home() / "bin/spark-class", f"org.apache.spark.deploy.{kind}", *place, *arguments]
        environment = {"SPARK_DAEMON_MEMORY": "256m", "SPARK_DAEMON_JAVA_OPTS": JAVA, "SPARK_LOCAL_IP": address}
        environment |= {"SPARK_LOCAL_DIRS": str(folder / name), "SPARK_WORKER_DIR": str(folder / name)}
        environment |= {"SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false"} | more
        with self.log.open("w") as log:
            self.process = spawn(command, stdout=log, stderr=log, env=environment)

    def said(self, pattern):
        """What the groups of a pattern match in the lines of its log."""
        return re.findall(pattern, self.log.read_text(errors="replace"))

    def executors(self, application="app-"):
        """Processes of a worker's executors, of any application unless said otherwise."""
        return children(self.process.pid, application)

    def stop(self):
        self.process.kill()
        self.process.wait()


class Driver:
    """`bin/tomobasis-submit` as a process: its lines as they come, signals, and how it ended."""

    def __init__(self, master, job, conf):
        settings = [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
        self.process = spawn(
            [ROOT / "bin/tomobasis-submit", "--master", master, *settings, "--", *job],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def wait_for(self, words):
        """Waits for a line with these words; returns it."""
        wait_for(PATIENCE, f"{words!r} of the job", lambda: self.said(words) or self.ended())
        assert self.said(words), "".join(self.lines)
        return self.said(words)[0]

    def said(self, words):
        """The lines with these words, so far."""
        return [line for line in self.lines if words in line]

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
        self.master = self.start_master()

    def start_master(self):
        return Daemon(self.folder, "master", "master.Master", MASTER)

    def start(self):
        said = self.master.said
        (self.url,) = wait_for(PATIENCE, "the master", lambda: said("Starting Spark master at (.*)"))
        (self.page,) = wait_for(PATIENCE, "the master's page", lambda: said(r"started at http://\S*:(\d+)"))
        for address in WORKERS:
            self.start_worker(address)
        registered = "Registering worker (127.*) with"
        wait_for(PATIENCE, "the workers", lambda: len(said(registered)) == len(WORKERS))

    def start_worker(self, address):
        room = ["--cores", CORES, "--memory", MEMORY]
        self.workers[address] = Daemon(self.folder, address, "worker.Worker", address, *room, self.url)

    def submit(self, *job, cores=None, **conf):
        """Starts a job, on all cores unless said otherwise; dots in the names of settings are underscores here."""
        settings = {f"spark.{role}.memory": "512m" for role in ("driver", "executor")}
        settings |= {f"spark.{role}.extraJavaOptions": JAVA for role in ("driver", "executor")}
        settings |= {"spark.driver.host": MASTER, "spark.ui.enabled": "false", "spark.master.ui.port": self.page}
        settings |= {"spark.cores.max": cores} if cores else {}
        settings |= {key.replace("_", "."): value for key, value in conf.items()}
        self.drivers.append(Driver(self.url, job, settings))
        return self.drivers[-1]

    def run(self, *job, **conf):
        """Starts a job and waits for its end."""
        return self.submit(*job, **conf).finish()

    def applications(self):
        """The ids of all that have registered with the master so far."""
        return self.master.said(r"Registered app .* with ID (\S+)")

    def executors(self, *workers):
        """Processes of the last application's executors, on all workers unless said otherwise; those of others may be about to end."""
        application = self.applications()[-1]
        return [pid for worker in workers or self.workers.values() for pid in worker.executors(application)]

    def kill_executor(self):
        """Kills an executor that runs."""
        os.kill(wait_for(PATIENCE, "an executor", self.executors)[0], signal.SIGKILL)

    def stop(self):
        for driver in self.drivers:
            if not driver.ended():
                driver.process.kill()
        for pid in [pid for worker in self.workers.values() for pid in worker.executors()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for daemon in (*self.workers.values(), self.master):
            daemon.stop()


@contextmanager
def standalone(folder, kind=Standalone):
    """A cluster that ends with the block, whatever was done to it."""
    cluster = kind(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
