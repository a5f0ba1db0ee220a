"""Writes ``docs/reliability.md`` from the records in ``docs/reliability/``: ``make reliability``.

A campaign has measured each figure on that page, and each zero stands beside the number of its trials.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.campaigns.record import RECORDS
from tests.support.places import ROOT

__all__ = ["PAGE", "RECORDS", "page"]

PAGE = ROOT / "docs" / "reliability.md"

#: Campaign -> its title, and a description.
CAMPAIGNS = {
    "kill": (
        "kill -9 under load",
        "A real server lives for 20 to 60 ms after it is ready, while submitters and simulated pages talk to it over "
        "HTTP. Then it is killed with `kill -9` and started again on the same store. Some servers die while they "
        "start. The listening socket outlives them: clients that connect meanwhile wait, as behind a service manager. "
        "The database is checked every 20 kills; about every 100 kills, every job must end. "
        "From 2026-11-29 on half of the pages come by WebSocket; before, all polled.",
    ),
    "syscalls": (
        "A crash at every system call",
        "The store is killed before its N-th write, sync, unlink, truncation, link, ... for N = 1, 2, 3 and so on "
        "until the scenario reaches its end: a new file, intake, offers, results, errors, cancels, retries, "
        "retention, recovery after a crash, a migration. After each kill the rows must be exactly those from before "
        "the turn under way or those from after it, all that was acknowledged must be there, and the store must go "
        "on. The same is tried with syncs that fail (EIO) and with a full disk (ENOSPC).",
    ),
    "powercut": (
        "Power cuts",
        "The store lies on an ext4 file system of its own. At a random instant the writer is stopped and the disk's "
        "image is copied, without anything that was not synced. The copy is mounted, the store opens it, and its rows "
        "are compared with what was acknowledged.",
    ),
    "churn": (
        "Pages that come and go",
        "A page connects, registers, does a job and leaves, again and again. Afterwards the server must hold no more "
        "than it held before. From 2026-11-29 on half of the pages come by WebSocket; before, all polled.",
    ),
    "restart": (
        "A start with a full store",
        "The server starts on a store that a kill has left full of jobs, and a page comes.",
    ),
    "backup": (
        "Backups under load",
        "Clients submit jobs without a pause and pages work, half of them by WebSocket, while one backup after the "
        "other is made. Each is read as a store that nobody has open: it must be whole, open as a store, and hold "
        "every job that was acknowledged before it began.",
    ),
    "simulator": (
        "A simulated world",
        "The real dispatcher (core, turns, sessions, pages) runs among simulated worker pages, networks, disks, "
        "submitters and operators, on virtual time and in one thread. Each seed draws which faults are on, and how "
        "strong they are. In some farms the pages have labels, jobs require some of them or a page's name, and pages "
        "that jobs wait for are switched off for a while. The server stands still for 0.1 s to an hour, often with a "
        "ping on its way and for about as long as its timeout. After every step the invariants are checked against "
        "what pages and submitters have seen with their own eyes. In the end all faults are healed, people decide "
        "what is in doubt, a page comes for the jobs that no page matches (or they are cancelled), and every job must "
        "end. From 2026-11-29 on about half of the sessions go by WebSocket: from their start, or by a move from polls "
        "that may break at each step. Then it is also checked that a page hears all that was sent in its session, once "
        "and in order, and that no offer is taken for heard before it was. Before, all pages polled.",
    ),
    "model": (
        "A model of the core",
        "Hypothesis plays random lives of a node. After every call the core is compared with a reference that was "
        "written from the promises and shares no code with it: which attempts end and how, which page gets a claim, "
        "which page is told to go, and the instant of the next deadline.",
    ),
    "planted": (
        "Bugs planted on purpose",
        "Each bug is planted in a copy of the program; the tests run there and must fail. This shows how much it "
        "means that the tests pass.",
    ),
    "reload": (
        "A browser reloaded in the middle of jobs",
        "Chromium shows the worker page of a real server and runs several jobs at once. The page is reloaded again "
        "and again while they run, sometimes at the very moment at which some of them end. The store's rows are the "
        "judge.",
    ),
    "leaks": (
        "What browsers keep",
        "Chromium shows a worker page that works all the time and is told to connect anew now and then, and after it "
        "the console's overview, whose timers are sped up. After each pause its garbage is collected, and what is left "
        "is counted. What leaks has grown from one third of the run to the next.",
    ),
    "transports": (
        "Real browsers by each transport",
        "The worker page works in Chromium: it moves to a WebSocket, is told to poll, or stands behind a proxy that "
        "refuses WebSockets, cuts them after 1 s or 5 s, or swallows their frames without a word; behind nginx with "
        "and without the lines that let WebSockets through, and with one that keeps no connections; and it polls in "
        "PhantomJS. Each time the store's rows must have every job once, and the server must have seen the transport "
        "that was expected, before and after. Behind nginx no offer may lapse.",
    ),
    "faults": (
        "A catalogue of faults",
        "Every fault that anybody has thought of so far, in server, storage, network, pages, submitters and clocks, "
        "is injected into the real program, and tests assert its outcome. They carry the fault's id in their names.",
    ),
    "nemesis": (
        "Fault after fault",
        "50 simulated pages (some slow, some that reload, some that stop answering) and six submitters, which give up "
        "and ask again with the same key, work behind a proxy that disturbs them all the time: it cuts polls, loses "
        "answers after the request was delivered, cuts messages short, resets, delays, holds back, repeats old POSTs, "
        "rewrites headers, or lets nothing pass. Meanwhile the server is frozen (SIGSTOP), killed and stopped. Then "
        "all is healed, every job must end, and the written history of submitters and pages is compared with the "
        "store: no job may be lost, unexpected, recorded twice, or executed again without a reason. "
        "From 2026-11-29 on half of the pages come by WebSocket, and the proxy cuts, delays and loses pieces of what "
        "goes through it; before, all polled.",
    ),
    "cutpolls": (
        "A proxy that cuts every poll",
        "Every poll is cut after 1 s (and, in another run, 5 s) without an answer. A numbered message is sent into a "
        "session right after the cut and before the next poll, when a server may still believe in the dead poll; and "
        "a job is submitted for a page at the instant of its cut. Each message must come once, and each job must be "
        "done once.",
    ),
    "nodes": (
        "Several servers on one database",
        "Five real servers share a real PostgreSQL whose disk is synced and whose commits wait for a standby. Their "
        "clocks are up to two hours apart. Submitters and simulated pages come through a door that leads each "
        "connection to any of them, so requests come to the wrong server all the time. Several things go on at once. "
        "Three servers are stopped (SIGSTOP) or killed with `kill -9`, each until another has taken over what it had, "
        "and then woken or started again. A fourth one is killed again and again, "
        "sometimes while it starts. Meanwhile the database crashes and starts again, or crashes for good, and its "
        "standby takes over; the lost one then comes back as the standby of the other. Then all servers are killed at "
        "one instant. At the end of each round every job must end, and the rows are compared with what submitters and "
        "pages have noted. A server that wakes after others have taken over must end, and have written nothing.",
    ),
    "webhooks": (
        "Webhooks, and a server that is killed",
        "Jobs are submitted, done and cancelled, and two webhooks are told of all changes. One receiver answers well. "
        "The other one has a mood for each life of the server: well, slow, down, 500, a redirect, a connection that it "
        "cuts without an answer, half an answer, or none. The server is killed with `kill -9` at random instants, some "
        "while it starts; its queue clock is turned on by up to a day between two lives; secrets are changed now and "
        "then. In the end the receivers are well, and what they have taken is compared with the rows of the store.",
    ),
}

_HEAD = """\
# What was tried to break it

<!-- Generated by `make reliability` from docs/reliability/*.json. Do not edit. -->

The named campaign has measured each figure on this page, at the date and commit below it; the command there measures
it again. A figure says what happened then, on that machine; it is no proof. The promises (S1) and invariants (I1)
beside a figure are those of [promises.md](promises.md).

Three rules make a zero worth reading:

- **It has a denominator.** Nothing seen in *n* independent trials means that the rate is below 3/*n* with 95 %
  certainty (the rule of three); that bound is printed beside each zero. If the trials are not independent (jobs of one
  server), it is a rough guide. If every possible case was tried, there is nothing to bound.
- **The checker can fail.** Each campaign also runs *controls*, in which a fault is planted: they must turn red.
- **Allowed repetitions are shown, too.** A job may run more than once (at least once); such runs are counted, not
  hidden.
"""


def page(records: Path = RECORDS) -> str:
    """The page."""
    parts = [_HEAD]
    for name, (title, words) in CAMPAIGNS.items():
        path = records / f"{name}.json"
        parts.append(f"## {title}\n\n{_wrapped(words)}")
        if path.exists():
            parts += _sections(json.loads(path.read_text(encoding="utf-8")))
        else:
            parts.append(f"There is no record of this campaign. `make campaign-{name}` runs it.\n")
    return "\n".join(parts)


def _wrapped(words: str) -> str:
    lines, line = [], ""
    for word in words.split():
        if line and len(line) + 1 + len(word) > 110:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line]) + "\n"


def _sections(record: dict[str, Any]) -> Iterator[str]:
    if record["violations"]:
        yield "**Promises were broken in this run:**\n\n" + "".join(f"- {text}\n" for text in record["violations"])
    head = ("must not happen", "seen", "out of", "rate below (95 %)", "promises")
    yield _table(head, (_figure(item) for item in record["figures"]))
    if record["measures"]:
        yield _table(
            ("measured", "", "at most"),
            ((m["what"], f"{_number(m['value'])} {m['unit']}", _most(m)) for m in record["measures"]),
        )
    yield _table(("control", "violations seen", "as it must be?"), (_control(item) for item in record["controls"]))
    yield "".join(f"{_wrapped(note)}\n" for note in record["notes"])
    if record.get("faults"):
        head = ("id", "fault", "what must come of it", "tests", "what came")
        yield _table(head, (_fault(item) for item in record["faults"]))
    yield (
        f"{record['date']}, commit `{record['commit']}`, {_number(record['duration_s'])} s with its controls, on "
        f"{record['machine']}. Again: `{record['command']}`\n"
    )


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]] | Any) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _number(value: float) -> str:
    return f"{value:,}"


def _bound(figure: dict[str, Any]) -> str:
    """The rule of three, for a zero."""
    if figure["count"] or not figure["of"]:
        return "-"
    if figure.get("exhaustive"):
        return "all there are"
    return f"3/{figure['of']:,} = {300 / figure['of']:.2g} %"


def _figure(figure: dict[str, Any]) -> tuple[str, ...]:
    trials = f"{_number(figure['of'])} {figure['unit']}"
    return figure["what"], _number(figure["count"]), trials, _bound(figure), figure["promise"]


def _fault(fault: dict[str, Any]) -> tuple[str, ...]:
    return fault["id"], fault["what"], fault["expected"], str(fault["tests"]), fault["verdict"]


def _most(measure: dict[str, Any]) -> str:
    return "" if measure["most"] is None else f"{_number(measure['most'])} {measure['unit']}"


def _control(control: dict[str, Any]) -> tuple[str, ...]:
    seen = f"{_number(control['count'])} ({_number(control['of'])} {control['unit']})"
    good = bool(control["count"]) == control["must_fail"]
    words = ("yes: it was seen" if control["must_fail"] else "yes: none") if good else "NO"
    return control["what"], seen, f"{words}. {control['why']}".strip(". ") if control["why"] else words


def main() -> int:
    """Writes the page, or with --check says whether it is what the records make."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.reliability")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the page is another")
    if parser.parse_args().check:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
