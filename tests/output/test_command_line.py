"""What a shell, `man` and a script have of the command: completions, pages, `--quiet`, no colors."""

import os
import pty
import re
import shutil
import subprocess

import pytest

from running import ROOT, command, decompose, start, tomobasis


def commands():
    listed = tomobasis("--help").out.partition("Commands:")[2].partition("Options:")[0]
    return [line.split()[0] for line in listed.splitlines() if re.match(r"  \w", line)]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_know_every_command_and_a_shell_takes_them(shell, tmp_path):
    run = tomobasis("completions", shell)
    assert run.code == 0 and run.err == ""
    assert len(commands()) > 10 and all(name in run.out for name in commands())
    assert "--on-bad-slice" in run.out or "on-bad-slice" in run.out
    (tmp_path / "script").write_text(run.out)
    if shutil.which(shell):
        taken = start([shell, "-n", tmp_path / "script"])
        assert taken.code == 0, taken.err


def test_bash_completes_the_words_of_an_option(tmp_path):
    (tmp_path / "script").write_text(tomobasis("completions", "bash").out)
    ask = (
        f"source {tmp_path}/script; COMP_WORDS=(tomobasis attest result --as in); COMP_CWORD=4; "
        "_tomobasis tomobasis in --as; echo ${COMPREPLY[@]}"
    )
    assert start(["bash", "-c", ask]).out.split() == ["in-toto"]


def test_there_is_a_page_for_every_command(tmp_path):
    run = tomobasis("man", tmp_path / "man1")
    assert run.code == 0, run.err
    pages = {path.name: path.read_text() for path in (tmp_path / "man1").iterdir()}
    assert {"tomobasis.1", *(f"tomobasis-{name}.1" for name in commands() if name != "help")} <= pages.keys()
    for name, page in pages.items():
        assert page.count(".SH NAME") == 1 and ".SH SYNOPSIS" in page, name
    assert "on\\-bad\\-slice" in pages["tomobasis-verify.1"] and "Examples" in pages["tomobasis-verify.1"]


def test_pages_that_cannot_be_written_are_one_error(tmp_path):
    (tmp_path / "file").write_text("")
    run = tomobasis("man", tmp_path / "file")
    assert run.code == 2, run.err
    assert run.errors == ["error: FOLDER: cannot write there (not a directory); check the path"]


def test_quiet_prints_results_and_errors_only(made, tmp_path):
    run = decompose("--input", made.folder, "--output", tmp_path / "result", "--quiet")
    assert run.code == 0 and run.err == "" and "root digest" in run.out
    run = tomobasis("--quiet", "verify", tmp_path / "result", "--input", made.folder)
    assert run.code == 0 and run.err == "" and run.out.startswith("verified")
    run = decompose("--input", tmp_path / "none", "--output", tmp_path / "other", "--quiet")
    assert run.code == 3 and run.err.splitlines() == run.errors and len(run.errors) == 1


@pytest.mark.parametrize("name", ["", *commands()])
def test_short_help_fits_a_screen_with_examples(name):
    run = tomobasis(*name.split(), "-h", COLUMNS="100") if name != "help" else tomobasis("-h", COLUMNS="100")
    assert run.code == 0, run.err
    lines = run.out.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 100, run.out
    examples = [line for line in lines if line.startswith(f"  tomobasis {name if name != 'help' else ''}")]
    assert "Examples:" in lines and examples, run.out
    long = tomobasis(*name.split(), "--help").out if name != "help" else tomobasis("--help").out
    assert len(long.splitlines()) > len(lines)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["inspct", "x"], "inspect"),
        (["verify", "x", "--inptu", "y"], "--input"),
        (["decompose", "--ouput", "x"], "--output"),
    ],
)
def test_what_was_mistyped_is_guessed(typed, meant):
    run = tomobasis(*typed)
    assert run.code == 2 and len(run.errors) == 1 and f"'{meant}'" in run.errors[0], run.err


def installed(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_make_install_puts_the_command_its_pages_and_completions_below_a_prefix(made, tmp_path):
    def make(target):
        run = start(["make", "-C", ROOT, target, "PREFIX=/opt/tb", f"DESTDIR={tmp_path}"])
        assert run.code == 0, run.err

    make("install")
    prefix = tmp_path / "opt/tb"
    pages = [f"share/man/man1/tomobasis-{name}.1" for name in commands() if name != "help"]
    completions = ["bash-completion/completions/tomobasis", "fish/vendor_completions.d/tomobasis.fish"]
    shares = [f"share/{name}" for name in [*completions, "zsh/site-functions/_tomobasis"]]
    assert installed(prefix) == sorted(["bin/tomobasis", "share/man/man1/tomobasis.1", *pages, *shares])
    run = start([prefix / "bin/tomobasis", "verify", made.result, "--input", made.folder])
    assert run.code == 0 and run.out.startswith("verified"), run.err
    if shutil.which("man"):
        run = start(["man", "-M", prefix / "share/man", "tomobasis-verify"])
        assert run.code == 0 and "SYNOPSIS" in run.out, run.err
    others = ["bin/other", "share/man/man1/tomobasis-viewer.1"]
    for other in others:
        (prefix / other).write_text("")
    make("uninstall")
    assert installed(prefix) == others
    make("uninstall")
    assert installed(prefix) == others


@pytest.mark.parametrize("arguments", [["--help"], ["decompose", "--help"], ["decompose", "--no-such-option"]])
def test_no_colors_are_printed_not_even_to_a_terminal(arguments):
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": "", "CLICOLOR_FORCE": "1"}
    run = subprocess.Popen([command(), *arguments], stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    printed = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        printed += piece
    run.wait()
    assert len(printed) > 50 and b"\x1b[" not in printed
