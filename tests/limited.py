"""The command under a limit of its address space, as under `ulimit -v`, from nearly nothing up to enough."""

import resource
import subprocess

from running import Run, command


def limited(*arguments, gigabytes=4.0, before=lambda: None):
    """The command with so much address space; `before` is called in its process, before it is the command."""
    size = int(gigabytes * 1e9)

    def prepare():
        before()
        resource.setrlimit(resource.RLIMIT_AS, (size, size))

    done = subprocess.run(
        [command(), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=prepare,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def least():
    """The least address space, to a megabyte, from which on the program itself can be loaded.

    Below it there are sizes in which it can be loaded as well: where the loader does without what it has no room for.
    """
    sizes = [megabytes / 1000 for megabytes in range(4, 100)]
    return 0.001 + max(size for size in sizes if limited("--version", gigabytes=size).code != 0)


def ladder(arguments, factor, before=lambda: None):
    """Runs under ever more address space until three in a row have ended well; (gigabytes, run) of each.

    Each is one line of error and exit code 1, or well.
    """
    size, done = least(), []
    while [run.code for _, run in done[-3:]] != [0, 0, 0]:
        before()
        run = limited(*arguments, gigabytes=size)
        told = [line for line in run.err.splitlines() if not line.startswith(("[", "      "))]
        assert run.code in (0, 1), (size, run)
        assert told == run.errors and len(told) == run.code, (size, run.err)
        done.append((size, run))
        size *= factor
    assert done[0][1].code == 1, "this ladder begins too high"
    return done
