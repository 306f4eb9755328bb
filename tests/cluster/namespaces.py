"""Network, mount and process namespaces of their own, in which a whole cluster runs: no packet leaves them, no mount is seen outside.

Process 1 inside is the only process that is ever signaled: when it ends, the kernel ends every other and drops every mount.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

# Programs of this folder are started without pytest, which knows the folder above.
sys.path.append(str(Path(__file__).resolve().parent.parent))

from waiting import wait_for

# Process 1 collects what its descendants leave behind, which a plain `sleep` would not.
FIRST_PROCESS = 'mount --make-rshared / && touch "$0" && while :; do sleep 3600 & wait; done'


class Namespaces:
    def __init__(self, state):
        self.state = Path(state)
        self.log = self.state / "log"
        self.environment = {}

    def start(self):
        self.log.mkdir(parents=True, exist_ok=True)
        ready = self.state / "ready"
        ready.unlink(missing_ok=True)
        command = "unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc bash -c".split()
        holder = subprocess.Popen(
            [*command, FIRST_PROCESS, ready],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.log / "namespaces.log").open("w"),
        )
        (self.state / "holder.pid").write_text(f"{holder.pid}")
        wait_for(10, "the namespaces", ready.exists)

    def holder(self):
        """PID of the `unshare` that waits outside; None when nothing runs."""
        try:
            pid = int((self.state / "holder.pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if str(self.state).encode() in command else None

    def first(self):
        pid = self.holder()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if pid else []
        if not children:
            raise RuntimeError("the cluster is not up")
        return int(children[0])

    def command(self, *words):
        """The command line that runs `words` inside, in this working directory."""
        pairs = [f"{key}={value}" for key, value in self.environment.items()]
        enter = ["nsenter", "-t", str(self.first()), "-n", "-m", "-p", "--", "env", "-C", os.getcwd(), *pairs]
        return [*enter, *map(str, words)]

    def run(self, *words, check=True, **options):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, **options)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip()[-1000:]}")
        return done

    def spawn(self, name, *words, **environment):
        """Starts a process that stays, with its output in log/NAME.log."""
        with (self.log / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                self.command("env", *(f"{k}={v}" for k, v in environment.items()), *words),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return process

    def stop(self):
        pid = self.holder()
        if pid:
            os.kill(self.first(), signal.SIGKILL)
            wait_for(20, "the namespaces to end", lambda: not running(pid))
        (self.state / "holder.pid").unlink(missing_ok=True)


def running(pid):
    """Whether the process is there and no zombie of ours."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return Path(f"/proc/{pid}").exists()
