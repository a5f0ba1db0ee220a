"""The faults that are injected, each with what must come of it; and the tests that inject them, found by name.

A test of fault D6 is a function ``test_fault_D06_what_it_shows`` anywhere under tests/. Words as in docs/design.md;
*no promise is broken* stands for: nothing acknowledged is lost, one recorded outcome, at most one live lease, no
request hangs, no traceback.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["FAULTS", "NOT_INJECTED", "TESTS", "Fault", "id_of", "injected"]

TESTS = Path(__file__).resolve().parents[1]
_NAME = re.compile(r"test_fault_([A-Z]\d{2})_\w")


class Fault(NamedTuple):
    """A fault, and what must come of it."""

    what: str
    expected: str


#: By id: A server process, B storage, D network, E page and browser, F submitters, G time and resources.
FAULTS = {
    "A01": Fault("kill -9 at any instant under load", "no promise is broken; a key tells what became of an unknown"),
    "A02": Fault("kill -9 before or after each write and sync", "the old state or the new one, never one between"),
    "A03": Fault("kill -9 between a commit and its 201", "the same key gives the same job, as a replay"),
    "A04": Fault("kill -9 between the commit of a claim and its offer", "the job is offered again"),
    "A05": Fault("kill -9 between the commit of a result and its verdict", "the page repeats it; it counts once"),
    "A06": Fault("kill -9 during the recovery, five times in a row", "recovery goes on; the grace does not add up"),
    "A07": Fault("SIGTERM while jobs run that end in time", "no new job, no offer, no attempt lost, exit status 0"),
    "A08": Fault("SIGTERM while a job runs longer than the drain", "its page brings the one result after the restart"),
    "A09": Fault("a second SIGTERM, SIGINT, SIGHUP", "an end at once that is still safe"),
    "A10": Fault("SIGSTOP for a minute, then SIGCONT", "deadlines of the network move by it; no page is lost"),
    "A11": Fault("the loop is blocked for 10 s", "the log says so; nothing is lost; as after a stop"),
    "A12": Fault("an exception in each handler and in a turn", "one 500, or an end that is safe; the others go on"),
    "A13": Fault("the kernel kills it for memory", "as after kill -9"),
    "A14": Fault("a second server on the same store", "it refuses and says why; the first is unharmed"),
    "A15": Fault("a start with 100,000 queued and 5,000 running jobs", "ready in 5 s with 200 MiB, an offer in 1 s"),
    "A16": Fault("a store of an older or newer schema; a crash in a migration", "migrated whole, or refused untouched"),
    "A17": Fault("settings that cannot be used", "exit status 2 and one line that says why"),
    "A18": Fault("it fails at each start", "an exit status for each cause; the store is not touched"),
    "B01": Fault("a power cut at any instant", "all that was acknowledged is there, in a sound file"),
    "B02": Fault("a power cut that tears or drops writes not yet synced", "the same"),
    "B03": Fault("the disk is full at intake", "503 with Retry-After; results are recorded from the reserve"),
    "B04": Fault("the disk is full, the reserve too", "pages keep their results and repeat; it heals with the room"),
    "B05": Fault("a write fails (EIO)", "503, exit status 1; the next start recovers"),
    "B06": Fault("the sync at a commit fails (EIO)", "no 201 for that turn, an exit, never the same handle again"),
    "B07": Fault("a sync takes 5 s", "answers come later; the loop goes on"),
    "B08": Fault("the file is deleted, replaced or cut while it runs", "seen, 503 and an exit; never an empty store"),
    "B09": Fault("a flipped bit in a page or the WAL, a WAL that is cut", "refused, or only the tail is lost"),
    "B10": Fault("a read-only file system, no rights", "a start that says so; while it runs as B5"),
    "B11": Fault("a WAL left by a crash, a missing one, a foreign -shm", "opened rightly, or refused"),
    "B12": Fault("the WAL grows", "it is cut again"),
    "B13": Fault("a backup of a busy server", "it opens and has the jobs of its instant"),
    "B14": Fault("a second connection to the file", "there never is one"),
    "B15": Fault("NUL, lone surrogates, 2^63, NaN in data", "400 or 422 before the store, or kept as they came"),
    "D01": Fault("a poll's connection is closed by the client as a message leaves", "nothing is lost"),
    "D02": Fault("a proxy cuts polls at 30, 20, 5 and 1 s", "nothing is lost"),
    "D03": Fault("a poll's answer is cut half-way", "offered again; no half message is obeyed"),
    "D04": Fault("a result arrives and its answer is lost", "the page repeats it; one result"),
    "D05": Fault("a POST is cut half-way", "refused or closed; the page repeats it"),
    "D06": Fault("a POST of which only the head comes (IE)", "ended in time; no descriptor is left"),
    "D07": Fault("2 s of latency, 4 KB/s", "it works; repeats run nothing twice"),
    "D08": Fault("20 % of packets are lost", "it works"),
    "D09": Fault("a page vanishes without a FIN", "quiet, no offers; its lease ends at its own deadline"),
    "D10": Fault("a reset in a poll and in a POST", "as D1 and D4"),
    "D11": Fault("a partition, then it heals", "pages are back in 30 s; late results are recorded"),
    "D12": Fault("2,000 pages come back at once after a restart", "all back in 60 s, none given up"),
    "D13": Fault("overlapping polls, a replayed request", "the session ends by the protocol; a replay changes nothing"),
    "D14": Fault("a proxy that holds answers for 5 s or caches", "no-store; it works"),
    "D15": Fault("a proxy that rewrites framing and headers", "it works; what it forwards is not believed"),
    "D16": Fault("slow heads, slow bodies, slow readers", "ended in time; the others are served"),
    "D17": Fault("no descriptors are left", "it neither dies nor spins, and recovers"),
    "D18": Fault("10,000 connects and disconnects a minute", "nothing is left of them"),
    "D19": Fault("requests that two readers read in two ways", "400, and the connection ends"),
    "D20": Fault("a proxy that ends TLS", "cookies and origins are right"),
    "E01": Fault("a reload in the middle of a job", "its lease ends at once; one result"),
    "E02": Fault("kill -9 of the browser in a job", "lost after the grace, and run again"),
    "E03": Fault("a task blocks its page for 90 s", "the lease holds; the result is recorded"),
    "E04": Fault("SIGSTOP of the browser for 120 s", "run again after the grace; the late result is judged once"),
    "E05": Fault("a tab is duplicated", "two workers; no lease is taken from the first"),
    "E06": Fault("two connections to the host for two workers", "results get through"),
    "E07": Fault("a task that throws, blocks with dialogs, navigates, pollutes", "an error, or a new boot; it goes on"),
    "E08": Fault("a task that never ends", "timed out, cancelled, at last reloaded"),
    "E09": Fault("a result that is circular, a function, undefined or huge", "an error in the page, before it is sent"),
    "E10": Fault("timers throttled to one a minute", "pongs ride on polls; it works"),
    "E11": Fault("the PC sleeps for an hour", "it comes back; no storm"),
    "E12": Fault("no localStorage, or a full one", "it works with what it has"),
    "E13": Fault("an old script on a new server", "told to reload, once"),
    "E14": Fault("a page that lies: other attempts, repeats, floods", "refused; nothing changes"),
    "E15": Fault("a page that fails all it gets", "jobs prefer another; they are not burnt"),
    "E16": Fault("the PC's clock is wrong by years", "it does not matter"),
    "F01": Fault("one job posted ten times at once with one key", "one job; one 201, else replays"),
    "F02": Fault("the same key with another body", "422, and the job stands as it was"),
    "F03": Fault("the submitter goes away before the answer", "the job is there or not; its key tells"),
    "F04": Fault("bodies of 1 MiB, one byte more, 100 MB, and a gzip bomb", "taken; 413 before it is read"),
    "F05": Fault("hostile JSON: encodings, depth, keys, numbers", "400 or 422 soon; memory does not grow"),
    "F06": Fault("a wrong content type; 10,000 parts or fields", "415 or 400"),
    "F07": Fault("a full queue", "503 with Retry-After; what is there stays; with room it is taken"),
    "F08": Fault("the target of a webhook is down, slow, redirects, answers for ever", "bounded; nothing waits for it"),
    "F09": Fault("the form sent twice: double click, back, posted anew", "one job"),
    "F10": Fault("100,000 jobs cancelled and retried at once", "the loop answers in less than 100 ms meanwhile"),
    "G01": Fault("the wall clock steps by +1 h, -1 h, +10 years, to 1970", "no lease changes; sessions go on"),
    "G02": Fault("the wall clock is slewed, or steps while a job waits for its time", "started within 1 s of its time"),
    "G03": Fault("deadlines 2^31 s away", "no overflow, no early end"),
    "G04": Fault("the machine sleeps and the clock with it", "as A10"),
    "G05": Fault("four programs burn the processors, the server at nice 10", "late, but nothing is given up"),
    "G06": Fault("nobody reads the log, or its disk is full", "the loop never waits; what is dropped is counted"),
    "G07": Fault("odd locale, time zone, umask; no HOME, no stdin", "it starts; the store's files are 0600"),
}  # fmt: skip

#: Id -> why it cannot be injected, or what is missing. Of the 86, at most six.
NOT_INJECTED: dict[str, str] = {}


def id_of(name: str) -> str | None:
    """The fault's id in the name of a test; None: the test is about none."""
    found = _NAME.match(name)
    return found[1] if found else None


def injected(root: Path = TESTS) -> dict[str, list[str]]:
    """Id -> the tests that name it, as ``file::function``; only what pytest collects and does not skip always."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(root.rglob("test_*.py")):
        for name in _tests(ast.parse(path.read_text(encoding="utf-8")).body):
            if (fault := id_of(name)) is not None:
                found[fault].append(f"{path.relative_to(root).as_posix()}::{name}")
    return dict(found)


def _tests(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if not any(_never_runs(decorator) for decorator in node.decorator_list):
                yield node.name
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _tests(node.body)


def _never_runs(decorator: ast.expr) -> bool:
    """``skip`` and ``xfail``; a ``skipif`` may well run."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr in ("skip", "xfail")
