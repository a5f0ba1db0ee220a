"""The command ``pagehand`` before a program or a verb begins: what lacks, what interrupts, streams that are closed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk.cli.typed import PROGRAM
from tests.support.places import ROOT

#: Starts the command; something happens when a module of its program is looked for.
_LOADING = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name in ("tornado", "websockets", "dispatcher.sdk.doctor.command"):
            HAPPENS
sys.meta_path.insert(0, Finder())
from dispatcher.sdk.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def loading(program: str, happens: str) -> subprocess.CompletedProcess[str]:
    """How the command ends."""
    words = [sys.executable, "-c", _LOADING.replace("HAPPENS", happens), program]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("program", ["serve", "migrate", "move", "simulate"])
def test_a_program_whose_packages_lack_says_what_to_install(program: str) -> None:
    done = loading(program, "raise ModuleNotFoundError(name, name=name)")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert (done.stderr.startswith(f"pagehand {program}: "), "pip install pagehand" in done.stderr) == (True, True)


def test_a_module_of_our_own_that_lacks_is_a_fault_to_be_seen() -> None:
    done = loading("doctor", "raise ModuleNotFoundError(name, name=name)")
    assert (done.returncode, "Traceback" in done.stderr) == (1, True)


@pytest.mark.parametrize("program", ["serve", "migrate", "move", "simulate", "doctor"])
def test_ctrl_c_while_a_program_is_loaded_ends_it_quietly(program: str) -> None:
    done = loading(program, "os.kill(os.getpid(), signal.SIGINT)")
    assert (done.returncode, done.stderr) == (128 + signal.SIGINT, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("words", "status"), [("completion bash", 0), ("get --url=127.0.0.1:1 --retry-for=0 a", 4)])
def test_a_stream_that_is_closed_is_nobody_that_reads_or_writes(words: str, status: int, closed: str) -> None:
    line = f"{' '.join(PROGRAM)} {words} {closed}"
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("words", "who"),
    [
        ("completion bash", "pagehand"),
        ("doctor --url=127.0.0.1:1 --hold-s=1", "pagehand doctor"),
        ("simulate --url=127.0.0.1:1 --seconds=0.1", "pagehand simulate"),
    ],
)
def test_a_full_disk_is_no_reader_that_has_gone(words: str, who: str, unbuffered: str) -> None:
    line = f"{' '.join(PROGRAM)} {words} > /dev/full"
    done = subprocess.run(
        ["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, last) == (1, f"{who}: standard output: No space left on device")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="only Unix has a pipe whose reader has gone")
@pytest.mark.parametrize("words", ["completion bash", "doctor --url=127.0.0.1:1 --hold-s=1"])
def test_a_reader_that_has_gone_ends_a_program_quietly(words: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*PROGRAM, *words.split()], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(writer)
    assert (done.returncode, "Traceback" in done.stderr) == (141, False)
