"""Faults of what surrounds a server: busy processors (G5), an odd environment (G7)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dispatcher.sdk.simulate import Faults
from tests.faults.long_form import LONG
from tests.support.http import Page
from tests.support.process import ServerProcess, farm_for, serving
from tests.support.server import Live, cpu_s, gone_at_the_end
from tests.support.strace import needs_strace

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nice, umask, /proc: Linux")


# G5


@contextmanager
def burners(count: int) -> Iterator[None]:
    """Programs that each use a whole processor."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


#: The server gets a twentieth of a processor, and of some virtual ones a hundredth of that: an answer may be late.
LATE_S = 240.0


async def late(server: ServerProcess, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """The job in an answer that must come, however late. If it does not: what the server did meanwhile."""
    before_s = cpu_s(server.process.pid)
    try:
        answer = await server.request(method, path, body, timeout_s=LATE_S)
    except TimeoutError:
        used_s = cpu_s(server.process.pid) - before_s
        pytest.fail(f"no answer to {method} {path} in {LATE_S} s; the server had {used_s:.1f} s of a processor")
    assert answer.status in (200, 201), answer
    job: dict[str, Any] = answer.json()
    return job


async def final(server: ServerProcess, job_id: str) -> dict[str, Any]:
    """The job after its end, which may take some of these waits."""
    for _ in range(9):
        job = await late(server, "GET", f"/api/v1/jobs/{job_id}?wait=10")
        if job["state"] not in ("queued", "running"):
            break
    return job


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fault_G05_starved_of_processors_a_server_is_late_and_gives_nothing_up(tmp_path: Path) -> None:
    """Four burners, the server at nice 10. Each job succeeds in its first attempt, and no session is made anew.

    Linux keeps a niceness for each thread: it is the loop that starves, the store's thread does not. At nice 19 a test
    would measure the machine: some virtual ones then take a hundred times the processor's time for the same work.
    """
    rounds, jobs = (6, 20) if LONG else (1, 10)

    async def scenario() -> None:
        async with serving(tmp_path) as server:
            os.setpriority(os.PRIO_PROCESS, server.process.pid, 10)
            farm = farm_for(server, workers=4, faults=Faults(slow_s=(0.0, 0.3)))
            await farm.start()
            await farm.registered()
            with burners(4):
                for _ in range(rounds):
                    made = await asyncio.gather(
                        *(late(server, "POST", "/api/v1/jobs", {"type": "echo", "data": n}) for n in range(jobs))
                    )
                    for done in await asyncio.gather(*(final(server, job["id"]) for job in made)):
                        assert [(each["number"], each["state"]) for each in done["attempts"]] == [(1, "succeeded")]
                        assert (done["errors"], done["crashes"]) == (0, 0)
            assert len(farm.executed) == rounds * jobs
            assert farm.stats["sessions"] == 4
            workers = (await server.get("/api/v1/workers"))["items"]
            assert [worker["state"] for worker in workers] == ["connected"] * 4
            await farm.stop()

    asyncio.run(scenario())


# G7


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in names and not name.startswith("PAGEHAND_")}


PLAIN = without()
Prepare = Callable[[], object]


def _close_in_and_err() -> None:
    os.close(0)
    os.close(2)


ODD: dict[str, tuple[dict[str, str], Prepare | None]] = {
    "LC_ALL=C": (without("LANG", "LANGUAGE") | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, None),
    "a locale that is none": (PLAIN | {"LC_ALL": "xx_YY.KOI-9", "LANG": "\udcff"}, None),
    "a time zone of 5:45": (PLAIN | {"TZ": "Asia/Kathmandu"}, None),
    "a time zone with daylight saving all the time": (PLAIN | {"TZ": "AAA-14BBB,J1/0,J365/23"}, None),
    "a time zone that is none": (PLAIN | {"TZ": ":\udcff/../../nowhere"}, None),
    "no HOME, no USER": (without("HOME", "USER", "LOGNAME", "XDG_DATA_HOME"), None),
    "nothing but a PATH": ({"PATH": os.environ["PATH"]}, None),
    "umask 000": (PLAIN, partial(os.umask, 0)),
    "umask 077": (PLAIN, partial(os.umask, 0o077)),
    "stdin closed": (PLAIN, partial(os.close, 0)),
    "stdin and stderr closed": (PLAIN, _close_in_and_err),
    "HUP and PIPE ignored": (
        PLAIN,
        lambda: [signal.signal(n, signal.SIG_IGN) for n in (signal.SIGHUP, signal.SIGPIPE)],
    ),
}


def works(server: Live) -> None:
    """A job with letters of many alphabets goes through it, and only the owner can read the files of its store."""
    data = {"ü": "Ω日本語🙂", "n": 1.50}
    body = json.dumps({"type": "x", "data": data}, ensure_ascii=False).encode()
    job = server.ask("POST", "/api/v1/jobs", body, {"Content-Type": "application/json"})
    assert job.status == 201, job
    page = Page(server)
    page.register("x", name="Żółw")
    offer = page.hear("job")
    assert offer["data"] == data
    page.say("result", attempt=offer["attempt"], value=data)
    assert page.hear("recorded")["verdict"] == "recorded"
    shown = server.ask("GET", job.headers["location"])
    assert shown.json()["result"] == data
    assert "Ω日本語" in server.ask("GET", job.headers["location"].removeprefix("/api/v1")).text
    assert server.ask("GET", "/%C3%BC").status == 404


def modes(directory: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.glob("pagehand.db*")}


@pytest.mark.parametrize("name", ODD)
def test_fault_G07_in_an_odd_environment_it_starts_works_and_keeps_its_files_to_itself(
    tmp_path: Path, name: str
) -> None:
    environ, prepare = ODD[name]
    with gone_at_the_end(Live(tmp_path, environ=environ, prepare=prepare)) as server:
        works(server)
        running = modes(tmp_path)
        assert server.stop() == 0
        assert not server.trouble(), server.trouble()
    assert {"pagehand.db", "pagehand.db-wal", "pagehand.db.ballast"} <= set(running)
    assert set(running.values()) == {0o600}, running
    assert set(modes(tmp_path).values()) == {0o600}


def test_fault_G07_in_a_directory_that_it_makes_itself_nobody_else_may_look(tmp_path: Path) -> None:
    store = tmp_path / "new" / "jobs.db"
    server = Live(tmp_path, "--store", f"sqlite:///{store}", prepare=partial(os.umask, 0))
    assert server.stop() == 0
    assert stat.S_IMODE(store.parent.stat().st_mode) == 0o700


def test_fault_G07_without_getrandom_its_secrets_come_from_dev_urandom(tmp_path: Path) -> None:
    """An old kernel, or a filter of system calls: getrandom answers ENOSYS. (-D: the server is our child.)"""
    needs_strace()
    trace = tmp_path / "trace"
    command = [
        "strace",
        "-D",
        "-f",
        "--seccomp-bpf",
        "-o",
        str(trace),
        "-e",
        "trace=getrandom,openat",
        "-e",
        "inject=getrandom:error=ENOSYS",
    ]
    with gone_at_the_end(Live(tmp_path, prefix=command)) as server:
        assert len({server.submit("x")["id"] for _ in range(20)}) == 20
    seen = trace.read_text()
    assert "ENOSYS" in seen
    assert "/dev/urandom" in seen
