"""``pagehand doctor`` as a program."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

from tests.sdk.doctor.meddler import TOKEN, Meddling, header, html, meddler
from tests.support.places import ROOT, environment
from tests.support.server import Live


def doctor(*arguments: str, **environ: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "dispatcher.sdk", "doctor", *arguments], cwd=ROOT, env=environment() | environ,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_it_prints_findings_on_its_output_and_what_it_waits_for_beside_it(server: Live) -> None:
    with meddler(server.port, Meddling(request=header("Host", b"127.0.0.1"))) as url:
        done = doctor("--url", url, "--hold-s", "1", PAGEHAND_TOKEN=TOKEN)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[1] == "ok       pagehand    it is Pagehand 0.1.0"
    assert lines[-1] == "1 thing is wrong."
    assert any(line.startswith("WRONG    host") for line in lines)
    assert "-> Let it pass Host on as it came, with its port" in done.stdout
    assert max(map(len, lines)) <= 100
    assert done.stderr.splitlines() == [
        f"pagehand doctor: connecting to {url} ...",
        "pagehand doctor: asking who is there ...",
        "pagehand doctor: watching for up to 5 s whether requests may wait ...",
    ]
    assert TOKEN not in done.stdout + done.stderr


def test_it_prints_json(server: Live) -> None:
    done = doctor("--url", server.url, "--hold-s", "1", "--token", TOKEN, "-o", "json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert (told["reached"], told["version"], told["wrong"]) == (True, "0.1.0", 0)
    assert told["findings"][1] == {
        "check": "pagehand", "level": "ok", "says": "it is Pagehand 0.1.0", "mend": None,
    }  # fmt: skip


def test_a_server_that_is_not_reached_has_a_status_of_its_own() -> None:
    done = doctor("--url", "http://pagehand.invalid", "-o", "json")
    assert done.returncode == 4
    told = json.loads(done.stdout)
    assert (told["reached"], told["version"], told["wrong"]) == (False, None, 1)


def test_a_console_without_all_letters_does_not_end_it(server: Live) -> None:
    page = html(b"200 OK", "<title>Zürich → Anmeldung</title>".encode())
    with meddler(server.port, Meddling(instead=lambda head: page)) as url:
        done = doctor("--url", url, PYTHONIOENCODING="ascii")
    assert done.returncode == 4, done.stderr
    assert "Z?rich ? Anmeldung" in done.stdout


def test_an_interrupt_ends_the_wait_at_once(server: Live) -> None:
    command = [sys.executable, "-m", "dispatcher.sdk", "doctor", "--url", server.url, "--token", TOKEN]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("pagehand doctor: watching for up to 34 s"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, "pagehand doctor: interrupted\n")


def test_flags_that_cannot_be_used_are_refused_in_words() -> None:
    address = doctor("--url", "ftp://x")
    assert (address.returncode, address.stdout) == (2, "")
    assert address.stderr.startswith("pagehand doctor: the address of the server is not like http://")
    for text in ("0", "61", "1.5", "soon"):
        done = doctor("--hold-s", text)
        assert done.returncode == 2
        assert "argument --hold-s: must be a whole number from 1 to 60" in done.stderr
