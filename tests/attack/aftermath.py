"""Before and after an attack: the same descriptors, tasks and memory, no session, no socket, and jobs are served.

``PAGEHAND_FUZZ_SEED`` repeats an attack; the seed is printed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from tests.support.http import Page
from tests.support.server import Live
from tests.support.waiting import until

__all__ = ["SEED", "nothing_stays"]

SEED = int(os.environ.get("PAGEHAND_FUZZ_SEED") or secrets.randbelow(1 << 31))
#: Python and SQLite keep pools that do not shrink; a leak of one request's bytes would be many times this.
RSS_TOLERANCE = 16 << 20
_BACK_TO_NONE = ("sessions", "session_infos", "workers", "connections", "poll_connections", "wires", "candidates")


@contextmanager
def nothing_stays(server: Live) -> Iterator[None]:
    """Around an attack; the server must be ``watched``."""
    print(f"PAGEHAND_FUZZ_SEED={SEED}")
    before, logged = _idle(server), len(server.log())
    yield
    _one_job(server)
    after = _idle(server)
    print("before", before, "after", after, sep="\n")
    assert server.process.poll() is None
    assert not server.trouble(logged)
    assert after["descriptors"] <= before["descriptors"] + 1, "the store may have opened its log"
    assert after["tasks"] <= before["tasks"]
    assert after["timers"] <= before["timers"] + 1
    assert after["rss"] <= before["rss"] + RSS_TOLERANCE


def _idle(server: Live) -> dict[str, int]:
    def counts() -> dict[str, int] | None:
        found = server.counts()
        return None if any(found[name] for name in _BACK_TO_NONE) else found

    return cast(dict[str, int], until(counts, 15, f"idleness, now {server.counts()}"))


def _one_job(server: Live) -> None:
    page = Page(server)
    page.register("after-the-storm")
    job = server.submit("after-the-storm", {"n": 1})
    offer = page.hear("job")
    assert offer["id"] == job["id"]
    page.say("result", attempt=offer["attempt"], value="done")
    assert page.hear("recorded")["verdict"] == "recorded"
    assert server.ask("GET", f"/api/v1/jobs/{job['id']}/result").json() == "done"
    page.leave()
