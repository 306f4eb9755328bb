"""Jobs on a cluster of processes, and faults at random: of each run the root digest is the right one, or it failed in one clear line.

    tests/chaos.py [--seed N] [--faults 1000] [--state FOLDER]

A seed decides the jobs, their faults, and the order and place of these; when exactly a fault strikes is up to the machine. Each fault is
printed as it strikes, each job as it ends. `--state` (build/chaos) keeps what was done: the same command goes on where it was interrupted.
It exits with 1 at the first job whose end is neither, and says how to run that job again.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / folder) for folder in ("tests/data", "examples/ct_series")]

from archive import change_a_pixel, root  # noqa: E402
from running import ROOT, Run, decompose, made_scan, tomobasis  # noqa: E402
from standalone import WORKERS, Daemon, Standalone, standalone  # noqa: E402
from waiting import wait_for  # noqa: E402

DONE = "found the result of an earlier attempt of this run"
# What Spark says in its own log, which may come after our last line.
SPARKS = re.compile(r"\d\d:\d\d:\d\d (WARN|ERROR) ")
# A host that says nothing is given up after this; else two minutes.
IMPATIENT = {
    "spark_network_timeout": "15s",
    "spark_network_timeoutInterval": "5s",
    "spark_executor_heartbeatInterval": "2s",
    # Of a host that is gone nothing more comes: else 15 s each time.
    "spark_shuffle_io_maxRetries": "2",
    "spark_shuffle_io_retryWait": "500ms",
}
# Executors that leave hand over what they hold.
LEAVING = {
    "spark_decommission_enabled": "true",
    "spark_storage_decommission_enabled": "true",
    "spark_storage_decommission_replicationReattemptInterval": "1s",
}
# So many faults in so little time are more than Spark means to survive by default.
PATIENT = {"spark_task_maxFailures": "40", "spark_stage_maxConsecutiveAttempts": "40"}
SHAPE = {"slices": 80, "rows": 256, "columns": 256}
JOBS = (
    ("--method", "gram", "--rank", "40", "--emit", "parquet,dicom,png", "--composite", "5,40"),
    ("--method", "dssvd", "--rank", "6", "--power-iterations", "12", "--emit", "parquet"),
    ("--method", "gram", "--center", "--emit", "parquet,dicom", "--rank", "4", "--composite", "2"),
    ("--method", "tsqr", "--rank", "8", "--emit", "parquet,png"),
)
DISK = "192m"
MOST_IN_A_JOB = 7
# The kinds, each as often as it is here.
KINDS = ("kill", "kill", "stop", "stop", "full", "lose", "lose", "flip", "input", "driver", "leave", "worker")
ONCE = ("input", "driver", "worker")  # in a job


class Failed(AssertionError):
    """A job that ended as none may."""


@dataclass
class Fault:
    kind: str
    delay: float  # seconds after the one before
    place: float  # which of those that there are, as a part of them
    seconds: float  # how long, of what ends by itself


@dataclass
class Plan:
    """A job with its faults: a function of seed and number."""

    number: int
    options: tuple
    conf: dict
    faults: list = field(default_factory=list)

    @classmethod
    def of(cls, seed, number):
        dice = random.Random(f"{seed}/{number}")
        # Now and then Spark is as it comes, and may give up.
        plan = cls(number, JOBS[number % len(JOBS)], PATIENT if dice.random() < 0.8 else {})
        kinds = []
        while len(kinds) < MOST_IN_A_JOB:
            kind = dice.choice(KINDS)
            if kind not in ONCE or kind not in kinds:
                kinds.append(kind)
        for kind in kinds:
            seconds = dice.choice((0.3, 1, 3)) if dice.random() < 0.9 else 20
            plan.faults.append(Fault(kind, dice.uniform(0.05, 0.6), dice.random(), seconds))
        return plan


class Cluster(Standalone):
    """One whose workers' disks are small, and whose workers can leave and come back."""

    def start_master(self):
        options = "-Dspark.master.rest.enabled=false -Dspark.deploy.maxExecutorRetries=-1"
        return Daemon(self.folder, "master", "master.Master", "127.0.0.1", SPARK_MASTER_OPTS=options)

    def disk(self, address):
        return self.folder / f"disk-{address}"

    def start_worker(self, address):
        self.disk(address).mkdir(exist_ok=True)
        conf = {"SPARK_LOCAL_DIRS": str(self.disk(address)), "SPARK_WORKER_OPTS": "-Dspark.decommission.enabled=true"}
        room = ["--cores", 2, "--memory", "1200m"]
        self.workers[address] = Daemon(self.folder, address, "worker.Worker", address, *room, self.url, **conf)

    def tidy(self):
        """Removes what executors of applications that have ended have left."""
        for address in WORKERS:
            for left in (self.folder / address).glob("app-*"):
                shutil.rmtree(left, ignore_errors=True)
            for left in self.disk(address).glob("spark-*/executor-*"):
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def small_disks(folder):
    """File systems of their own for the workers; says so where there can be none (without root)."""
    with ExitStack() as ends:
        own = True
        for address in WORKERS:
            place = folder / f"disk-{address}"
            place.mkdir()
            mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tomobasis-chaos", place]
            own = own and subprocess.run(mount, capture_output=True).returncode == 0
            if own:
                ends.callback(subprocess.run, ["umount", "--lazy", place], capture_output=True)
        yield own


class Chaos:
    """Jobs and faults, one after the other, on one cluster."""

    def __init__(self, cluster, base, seed, disks, say):
        self.cluster, self.base, self.seed, self.disks, self.say = cluster, base, seed, disks, say
        self.struck, self.right, self.failed = 0, 0, 0
        self.scan = base / "scan"
        made_scan(self.scan, **SHAPE)
        self.roots = {}

    def root_of(self, folder, options):
        """What the command makes of a scan; each once."""
        key = (folder, options)
        if key not in self.roots:
            out = self.base / "command"
            run = decompose("--input", folder, "--output", out, *options)
            assert run.code == 0, run.err
            self.roots[key] = root(out)
            shutil.rmtree(out)
        return self.roots[key]

    def run(self, plan, most=MOST_IN_A_JOB):
        """Runs a job through its faults, or the first few; raises Failed. Returns how many have struck."""
        place = self.base / f"job-{plan.number}"
        (place / "out").mkdir(parents=True)
        scans = [self.scan]  # in their order, the states that the input has had
        shutil.copytree(self.scan, place / "in")
        job = ["--input", place / "in", "--output", place / "out/result", *plan.options]
        conf = {**IMPATIENT, **LEAVING, **plan.conf, "spark_tomobasis_run": f"chaos-{plan.number}"}
        run = Running(self, place, job, conf, scans)
        try:
            for fault in plan.faults[:most]:
                run.pause(fault.delay)
                if run.driver.ended():
                    break
                run.strike(fault)
            run.end_of_faults()
            self.judge(plan, place, run.ending(), scans)
        finally:
            run.calm()
        self.struck += run.struck
        self.cluster.tidy()
        shutil.rmtree(place)
        return run.struck

    def judge(self, plan, place, run, scans):
        """The right result and nothing else, or nothing and one line that says why."""

        def wrong(why):
            again = f"--seed {self.seed} --only {plan.number}"
            return Failed(f"job {plan.number} ({' '.join(plan.options)}): {why}; tests/chaos.py {again}\n{run.err}")

        ours = [line for line in run.err.splitlines() if not SPARKS.match(line)]
        result = place / "out/result"
        if run.code == 0:
            if run.errors or not result.is_dir():
                raise wrong("it ended well, with an error or without a result")
            made = root(result)
            of = [scan for scan in scans if self.root_of(scan, plan.options) == made]
            # A driver that was killed may have been done.
            if not of or not (made in run.out or DONE in run.err):
                raise wrong(f"another result, {made}")
            verified = tomobasis("verify", result, "--input", of[0])
            if verified.code != 0:
                raise wrong(f"the result is not what it says: {verified.err}")
            self.right += 1
            self.say(f"job {plan.number}: the right result")
        else:
            if run.code not in (1, 2, 3) or len(run.errors) != 1 or ours[-1:] != run.errors:
                raise wrong(f"exit code {run.code}, and {len(run.errors)} errors")
            if result.exists():
                raise wrong("a failure with a result")
            self.failed += 1
            self.say(f"job {plan.number}: exit code {run.code}, {run.errors[0]}")
        # An executor that is given up may still be told so.
        out = place / "out"
        with suppress(RuntimeError):
            wait_for(20, "the end of executors", lambda: not leftovers(out))
        if leftovers(out):
            raise wrong(f"it left {leftovers(out)}")


def leftovers(folder):
    """What is in it besides a result."""
    return [path.name for path in folder.iterdir() if path.name != "result"]


class Running:
    """A job under way, and the hands that disturb it."""

    def __init__(self, chaos, place, job, conf, scans):
        self.chaos, self.cluster, self.place, self.scans = chaos, chaos.cluster, place, scans
        self.job, self.conf = job, conf
        self.struck = 0
        self.later = []  # (when, what) that ends by itself
        self.start()

    def start(self):
        before = len(self.cluster.applications())
        self.driver = self.cluster.submit(*self.job, **self.conf)

        def there():
            registered = len(self.cluster.applications()) > before
            return self.driver.ended() or (registered and self.executors())

        wait_for(120, "executors", there)

    def executors(self):
        return sorted(self.cluster.executors())

    def pause(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.driver.ended():
            time.sleep(0.05)
            self.due(time.monotonic())

    def due(self, now):
        for entry in [entry for entry in self.later if entry[0] <= now]:
            self.later.remove(entry)
            entry[1]()

    def end_of_faults(self):
        while self.later and not self.driver.ended():
            self.pause(0.2)

    def ending(self):
        try:
            return self.driver.finish()
        except subprocess.TimeoutExpired:
            self.driver.process.kill()
            run = self.driver.finish()
            return Run(None, run.out, f"it did not end by itself\n{run.err}")

    def calm(self):
        """Ends all that lasts; leaves no process suspended and no disk full."""
        self.due(float("inf"))
        if not self.driver.ended():
            self.driver.process.kill()
            self.driver.finish()

    def strike(self, fault):
        """Lets a fault happen, if there is something that it can happen to."""
        what = getattr(self, f"on_{fault.kind}")(fault)
        if what:
            self.struck += 1
            self.chaos.say(f"  fault {self.chaos.struck + self.struck}: {what}")

    def one(self, fault, of):
        return of[int(fault.place * len(of))] if of else None

    def signal(self, pid, number):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            return True
        return False

    def on_kill(self, fault):
        pid = self.one(fault, self.executors())
        return pid and self.signal(pid, signal.SIGKILL) and f"executor {pid} killed"

    def on_stop(self, fault):
        pid = self.one(fault, self.executors())
        if pid and self.signal(pid, signal.SIGSTOP):
            self.later.append((time.monotonic() + fault.seconds, lambda: self.signal(pid, signal.SIGCONT)))
            return f"executor {pid} suspended for {fault.seconds} s"
        return None

    def on_leave(self, fault):
        """An executor, or now and then a whole worker, is decommissioned; the worker comes back as a new one."""
        if fault.seconds < 3:
            pid = self.one(fault, self.executors())
            return pid and self.signal(pid, signal.SIGPWR) and f"executor {pid} decommissioned"
        address = self.one(fault, sorted(self.cluster.workers))
        worker = self.cluster.workers[address]
        worker.process.send_signal(signal.SIGPWR)
        self.later.append((time.monotonic() + 5, lambda: self.again(address)))
        return f"worker {address} decommissioned"

    def on_worker(self, fault):
        address = self.one(fault, sorted(self.cluster.workers))
        self.again(address)
        return f"worker {address} killed with its executors, and started again"

    def again(self, address):
        worker = self.cluster.workers[address]
        executors = worker.executors()
        worker.stop()
        for pid in executors:
            self.signal(pid, signal.SIGKILL)
        self.cluster.start_worker(address)

    def on_full(self, fault):
        if not self.chaos.disks:
            return None
        address = self.one(fault, sorted(self.cluster.workers))
        ballast = self.cluster.disk(address) / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 20))
        self.later.append((time.monotonic() + min(fault.seconds, 3), lambda: ballast.unlink(missing_ok=True)))
        return f"the disk of worker {address} is full for {min(fault.seconds, 3)} s"

    def stored(self, *patterns):
        """What executors keep on their disks, once there is something; nothing of a job that ends before."""
        end = time.monotonic() + 10
        while time.monotonic() < end and not self.driver.ended():
            disks = [self.cluster.disk(address) for address in WORKERS]
            found = [disk.glob(f"spark-*/executor-*/blockmgr-*/*/{pattern}") for disk in disks for pattern in patterns]
            with suppress(FileNotFoundError):  # a folder that goes while it is read
                if files := sorted(file for some in found for file in some):
                    return files
            self.pause(0.1)
        return []

    def on_lose(self, fault):
        file = self.one(fault, self.stored("shuffle_*.data", "shuffle_*.index", "rdd_*"))
        if not file:
            return None
        file.unlink(missing_ok=True)
        return f"{file.name} lost"

    def on_flip(self, fault):
        file = self.one(fault, self.stored("shuffle_*.data", "rdd_*"))
        with suppress(OSError):
            size = file.stat().st_size if file else 0
            if size:
                with file.open("r+b") as open_file:
                    place = int(fault.seconds * 7919 * (fault.place + 1) * 104729) % size
                    open_file.seek(place)
                    (byte,) = open_file.read(1)
                    open_file.seek(place)
                    open_file.write(bytes([byte ^ 1 << place % 8]))
                return f"{file.name}: a bit of byte {place} of {size} changed"
        return None

    def on_input(self, fault):
        """A file of the input changes or is gone, for a while or for good."""
        file = self.one(fault, sorted((self.place / "in").iterdir()))
        before = self.chaos.scan / file.name
        if fault.seconds == 1:
            file.unlink()
            self.later.append((time.monotonic() + 1, lambda: shutil.copy(before, file)))
            return "a file of the input is gone for 1 s"
        changed = self.place / "changed"
        shutil.copytree(self.chaos.scan, changed)
        one = self.place / "one"
        one.mkdir()
        shutil.copy(before, one / file.name)
        change_a_pixel(one)
        shutil.copy(one / file.name, changed / file.name)
        (one / file.name).replace(file)
        self.scans.append(changed)
        return "a pixel of the input changed"

    def on_driver(self, _):
        self.driver.send(signal.SIGKILL)
        self.driver.finish()
        self.start()
        return "the driver killed, and started again"


@contextmanager
def chaos(base, seed, say):
    """A cluster to be disturbed, with its folder of scans and results."""
    with small_disks(base) as disks, standalone(base, Cluster) as cluster:
        if not disks:
            say("no disk will be full: file systems for the workers cannot be mounted here")
        yield Chaos(cluster, base, seed, disks, say)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--only", type=int, help="this job alone, by its number")
    parser.add_argument("--state", type=Path, default=ROOT / "build/chaos")
    return parser.parse_args()


def main():
    asked = arguments()
    # Told to stop, it ends its processes first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    state = asked.state / f"{asked.seed}.json"
    done = {"next": 0, "struck": 0, "right": 0, "failed": 0}
    if state.exists() and asked.only is None:
        done = json.loads(state.read_text())
    print(f"seed {asked.seed}, job {done['next']} is next, {done['struck']} of {asked.faults} faults done", flush=True)

    def say(line):
        print(line, flush=True)

    with tempfile.TemporaryDirectory(prefix="tomobasis-chaos-") as base, chaos(Path(base), asked.seed, say) as run:
        run.struck, run.right, run.failed = done["struck"], done["right"], done["failed"]
        if asked.only is not None:
            run.run(Plan.of(asked.seed, asked.only))
            return
        while run.struck < asked.faults:
            plan = Plan.of(asked.seed, done["next"])
            say(f"job {plan.number}: {' '.join(plan.options)}")
            run.run(plan)
            done = {"next": plan.number + 1, "struck": run.struck, "right": run.right, "failed": run.failed}
            state.parent.mkdir(parents=True, exist_ok=True)
            state.write_text(json.dumps(done))
    print(
        f"seed {asked.seed}: {run.struck} faults, {run.right} right results, {run.failed} clear failures, no other end"
    )


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"error: {failed}")
