"""Stays with an application until it ends: its states, its driver's log, and what hinders it."""

import itertools
import subprocess
import sys
import threading
import time

import reasons
from kubectl import APPLICATIONS, Failure, Unanswered

INTERVAL = 2
SILENCE = 10  # seconds after which a scheduler that places a pod on its own has said why it does not
NOISE = ("WARNING: Using incubator modules",)


def say(text):
    print(text, file=sys.stderr, flush=True)


class DriverLog:
    """The log of one driver pod, copied to stderr as it comes, but for the error line, which is printed at the end."""

    def __init__(self, kubectl, pod):
        self.command = ["kubectl", *kubectl.where, "logs", pod]
        self.copied = 0
        self.follow()

    def follow(self):
        self.process = subprocess.Popen(
            [*self.command, "--follow"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace"
        )
        self.thread = threading.Thread(target=self.copy, args=(self.process.stdout,), daemon=True)
        self.thread.start()

    def follows(self):
        return self.thread.is_alive()

    def copy(self, lines):
        """Shows the lines after those that were shown already."""
        for line in itertools.islice(lines, self.copied, None):
            self.copied += 1
            if not line.startswith((*NOISE, "error: ")):
                say(line.rstrip("\n"))

    def stop(self, seconds=0):
        """Waits for what is still to come, then stops."""
        self.thread.join(seconds)
        self.process.terminate()
        self.process.wait()
        self.thread.join()

    def finish(self):
        """Copies the rest of an ended driver's log: a connection that breaks ends a followed log without an error."""
        self.stop(seconds=10)
        done = subprocess.run(self.command, capture_output=True, text=True, errors="replace")
        self.copy(done.stdout.splitlines(keepends=True))


class Follower:
    def __init__(self, kubectl, name, uid, patience):
        self.kubectl, self.name, self.uid, self.patience = kubectl, name, uid, patience
        self.application = None
        self.logs = {}
        self.said = set()
        self.killed = {}
        self.messages = {}
        self.seen = {}
        self.exit_code = 1
        self.waiting_since = time.monotonic()

    def close(self):
        for log in self.logs.values():
            log.stop()

    def run(self):
        """The job's exit code; Failure when it failed, or can't be followed any more."""
        try:
            return self.stay()
        except Unanswered as silence:
            see = self.kubectl.shown(f"get {APPLICATIONS}", self.name)
            raise Failure(f"{silence}. The application {self.name} is left as it is; to see it: {see}") from silence

    def stay(self):
        state = None
        while True:
            self.application = self.look()
            status = self.application.get("status", {})
            new = status.get("applicationState", {}).get("state") or "NEW"
            if new != state:
                state = new
                say(f"[{state.lower().replace('_', ' ')}]")
            self.look_at_pods()
            if state == "COMPLETED":
                self.drain()
                return 0
            if state == "FAILED":
                raise self.failure(status.get("applicationState", {}).get("errorMessage", ""))
            time.sleep(INTERVAL)

    def look(self):
        """The application that was made here, as it is now."""
        application = self.kubectl.application(self.name)
        if application is None or application["metadata"]["uid"] != self.uid:
            raise Failure(f"the application {self.name} was deleted while it ran")
        return application

    def once(self, text):
        if text not in self.said:
            self.said.add(text)
            say(text)

    def look_at_pods(self):
        drivers_waiting = True
        for pod in self.kubectl.pods(self.application):
            name, is_driver = pod["metadata"]["name"], reasons.role(pod) == "driver"
            if killed := reasons.killed(pod):
                self.killed[pod["metadata"]["uid"]] = killed
                if not is_driver:
                    self.once(killed)
            if unstartable := reasons.unstartable(pod):
                if is_driver:
                    self.give_up(unstartable)
                self.once(unstartable)
            known = time.monotonic() - self.seen.setdefault(pod["metadata"]["uid"], time.monotonic())
            waits = reasons.pending(pod) or (reasons.unexplained(pod) if is_driver and known > SILENCE else None)
            if waits:
                self.once(waits)
            if is_driver and reasons.container(pod).keys() & {"running", "terminated"}:
                drivers_waiting = False
                ended = reasons.container(pod).get("terminated", {})
                self.exit_code = ended.get("exitCode", 1)
                if message := ended.get("message", "").strip():
                    self.messages[pod["metadata"]["uid"]] = message
                log = self.logs.get(pod["metadata"]["uid"])
                if log is None:
                    self.logs[pod["metadata"]["uid"]] = DriverLog(self.kubectl, name)
                elif "running" in reasons.container(pod) and not log.follows():
                    log.follow()
            elif is_driver and waits and time.monotonic() - self.waiting_since > self.patience:
                self.give_up(f"{waits} (waited {self.patience} s)")
        if not drivers_waiting:
            self.waiting_since = time.monotonic()

    def give_up(self, reason):
        """The operator would wait for ever, so the application goes."""
        try:
            self.kubectl.delete_application(self.name, self.uid)
        except Failure as left:
            raise Failure(f"{reason}. {left}") from left
        raise Failure(f"{reason}. The application was removed.")

    def drain(self):
        there = {pod["metadata"]["uid"] for pod in self.kubectl.pods(self.application)}
        for pod, log in self.logs.items():
            if pod in there:
                log.finish()
            else:  # the driver that replaced it has its name
                log.stop()

    def failure(self, message):
        """The driver's termination message, which is the job's error line; else how the pods ended; else the operator's message."""
        self.drain()
        if self.messages:
            return Failure(list(self.messages.values())[-1], self.exit_code if self.exit_code in (1, 2, 3) else 1)
        if self.killed:
            return Failure(list(self.killed.values())[-1])
        if self.logs:
            return Failure(f"the driver ended without a word ({message or 'no reason given'}); "
                           f"see {self.kubectl.shown(f'describe {APPLICATIONS}', self.name)}")  # fmt: skip
        return Failure(reasons.submission(message))
