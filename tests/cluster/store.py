"""A real S3 server (versitygw over a folder), and what tests put there and take from there."""

import subprocess
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pyarrow import fs

from build import BINARIES
from running import ROOT
from waiting import wait_for

REGION = "us-east-1"
SPARK_HOME = ROOT / "build/image/root/opt/spark"  # the image's own, s3a included


@dataclass(frozen=True)
class Keys:
    access: str
    secret: str


ROOT_KEYS = Keys("rootkey", "rootsecret")
STRANGER = Keys("stranger", "strangersecret")  # known to the server, allowed nothing


class Server:
    """The server's process. `kill` and `start` again: what is stored stays."""

    def __init__(self, folder, address, port=7070):
        self.folder, self.address, self.port = folder, address, port
        self.endpoint = f"http://{address}:{port}"
        self.process = None
        for name in ("data", "users"):
            (folder / name).mkdir(exist_ok=True)

    def start(self):
        command = [BINARIES / "versitygw", "--port", f"{self.address}:{self.port}", "--region", REGION]
        command += ["--access", ROOT_KEYS.access, "--secret", ROOT_KEYS.secret, "--iam-dir", self.folder / "users"]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen([*command, "posix", self.folder / "data"], stdout=log, stderr=log)
        wait_for(20, "the S3 server", self.answers)

    def answers(self):
        try:
            urllib.request.urlopen(self.endpoint, timeout=2).close()
        except urllib.error.HTTPError:
            return True  # it refuses: nobody signed
        except OSError:
            return False
        return True

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def add_stranger(self):
        admin = [BINARIES / "versitygw", "admin", "--access", ROOT_KEYS.access, "--secret", ROOT_KEYS.secret]
        admin += ["--endpoint-url", self.endpoint, "--region", REGION]
        user = ["create-user", "--access", STRANGER.access, "--secret", STRANGER.secret, "--role", "user"]
        subprocess.run([*admin, *user], check=True, capture_output=True)


class Bucket:
    """A bucket as its owner sees it."""

    def __init__(self, endpoint, keys, name):
        scheme, _, host = endpoint.partition("://")
        self.name = name
        self.files = fs.S3FileSystem(
            access_key=keys.access,
            secret_key=keys.secret,
            endpoint_override=host,
            scheme=scheme,
            region=REGION,
            allow_bucket_creation=True,
        )
        self.files.create_dir(name)

    def uri(self, path):
        return f"s3a://{self.name}/{path}"

    def put(self, folder, prefix):
        """Uploads the files of a folder."""

        def upload(path):
            with self.files.open_output_stream(f"{self.name}/{prefix}/{path.relative_to(folder).as_posix()}") as out:
                out.write(path.read_bytes())

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(upload, (p for p in sorted(Path(folder).rglob("*")) if p.is_file())))

    def names(self, prefix):
        selector = fs.FileSelector(f"{self.name}/{prefix}", recursive=True, allow_not_found=True)
        found = [info.path for info in self.files.get_file_info(selector) if info.type == fs.FileType.File]
        return sorted(path.removeprefix(f"{self.name}/{prefix}/") for path in found)

    def get(self, prefix, folder):
        """Downloads what is under a prefix; returns the folder."""
        for name in self.names(prefix):
            target = Path(folder) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with self.files.open_input_stream(f"{self.name}/{prefix}/{name}") as data:
                target.write_bytes(data.read())
        return Path(folder)
