"""The two ways to run, started as a user starts them, and the synthetic scans that they run on."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from anatomy import Phantom
from ct_image import Storage
from make_ct_series import file_names, hu_slices, scan_of, write_series

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("TOMOBASIS_SHARED", ROOT.parent / "shared"))

# The patient of every synthetic scan: neither these nor any UID or file name may appear in what we print or write.
PATIENT = "ZZYZX^QUILLON"
PATIENT_ID = "QWXJK4711"
FILE_PREFIX = "VBNMXZ"


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def errors(self):
        """Lines of errors; what --json makes of one, as it stands without."""
        lines = self.err.splitlines()
        told = [json.loads(line)["error"]["message"] for line in lines if line.startswith('{"error":')]
        return [line for line in lines if line.startswith("error:")] + [f"error: {message}" for message in told]


def start(command, timeout=300, **environment):
    done = subprocess.run(
        [str(c) for c in command],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )
    return Run(done.returncode, done.stdout, done.stderr)


def command(folder="release"):
    """The program that was built here, of which bin/tomobasis is a shell script's wrapping."""
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / folder / "tomobasis"


def tomobasis(*arguments, **environment):
    """`bin/tomobasis ARGUMENTS`: in one process, without a JVM."""
    return start([ROOT / "bin/tomobasis", *arguments], **environment)


def submit(*job, master="local[2]", conf=()):
    """`bin/tomobasis-submit --master MASTER --conf ... -- JOB`: through spark-submit."""
    settings = [word for setting in conf for word in ("--conf", setting)]
    # Jobs as small as these end before an optimizing compiler pays.
    java = "-XX:TieredStopAtLevel=1"
    return start([ROOT / "bin/tomobasis-submit", "--master", master, *settings, "--", *job], SPARK_SUBMIT_OPTS=java)


def decompose(*job):
    return tomobasis("decompose", *job)


def example(name, *arguments, **options):
    """An example of one of our crates, built when it is not yet; what it printed. `options` are those of `subprocess.run`."""
    # Of one crate alone, its dependencies would be compiled again with other features.
    build = ["cargo", "build", "--quiet", "--release", "--locked", "--workspace", "--example", name]
    subprocess.run(build, cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    program = command(Path("release/examples")).with_name(name)
    return subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, text=True, **options).stdout


def reader(*arguments):
    """The reader of DICOM files alone, `native/dicom/examples/read.rs`; what it printed."""
    return example("read", *arguments)


def described(slices, rows, columns, **storage):
    """The `Scan` of a synthetic scan of our well-known patient."""
    return scan_of(Phantom(), slices, rows, columns, Storage(**storage), patient=PATIENT, patient_id=PATIENT_ID)


def made_scan(folder, slices=24, rows=120, columns=160, seed=1, shuffled=False, **storage):
    """Writes a phantom scan of our well-known patient into `folder`; returns (Scan, paths in slice order).

    The default has four full row blocks and a short one.
    """
    scan = described(slices, rows, columns, **storage)
    names = [f"{FILE_PREFIX}_{name}" for name in file_names(slices, shuffled, seed)]
    return scan, write_series(folder, scan, hu_slices(Phantom(), slices, rows, columns, seed), names)


def secrets(scan):
    """What identifies the patient or the study of a synthetic scan, and must stay inside the DICOM files."""
    uids = [scan.uid("study"), scan.uid("series", 1), scan.uid("frame of reference")]
    return [*PATIENT.split("^"), PATIENT_ID, FILE_PREFIX, *uids, *(scan.uid("slice", i) for i in range(scan.slices))]
