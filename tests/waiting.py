"""Bounded waiting."""

import time


def wait_for(seconds, what, condition):
    """Polls until the condition holds; a RuntimeError that names what was waited for when it does not in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise RuntimeError(f"timed out after {seconds} s waiting for {what}")
        time.sleep(0.2)
