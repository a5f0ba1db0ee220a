"""Photographs every screen of a farm: ``make screens``. Somebody must look at the pictures: build/screens/index.html.

Chromium takes each at two widths, light and dark, and PhantomJS, which is nearest to IE 11, at one. A screen that is
wider than its window, or has an error in the browser's console, is named, and the exit status is 1.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from tests.demo.__main__ import demo
from tests.page.browsers import Browser, Chromium, PhantomJS, browsing
from tests.support.places import ROOT
from tests.support.process import ServerProcess, serving
from tests.support.screens import SCREENS, Screen, Sites, faults, filled, show
from tests.support.waiting import eventually

__all__ = ["a_locked_server", "photograph", "screens_of"]

#: States of which the farm always has some jobs; jobs in the others are made.
_STATES = ("failed", "running", "queued", "succeeded", "in_doubt")
_WIDTHS = (1280, 360)
_SCHEMES = ("light", "dark")
_TALL = 900


class _Look(NamedTuple):
    """How a screen is photographed."""

    browser: Browser
    name: str
    width: int


async def _first(server: ServerProcess, which: str) -> str:
    """The id of the newest of these, as soon as there is one."""

    async def items() -> Any:
        return (await server.get(f"/api/v1/{which}&limit=1"))["items"]

    return str((await eventually(items, what=which))[0]["id"])


async def _made(server: ServerProcess, path: str, body: object) -> str:
    """The id of what comes of this order."""
    answer = await server.request("POST", f"/api/v1/{path}", body)
    assert answer.status < 300, (path, answer)
    made = answer.json()
    return str(made.get("operation", made)["id"])


async def _jobs(server: ServerProcess) -> dict[str, str]:
    """By its state: the id of a job."""
    ids = {state: await _first(server, f"jobs?state={state}") for state in _STATES}
    ids["scheduled"] = await _made(server, "jobs", {"type": "scan", "delay_s": 3600})
    ids["cancelled"] = await _made(server, "jobs", {"type": "scan", "delay_s": 3600})
    await _made(server, f"jobs/{ids['cancelled']}/cancel", {"reason": "wrong printer"})
    expiring = await _made(server, "jobs", {"type": "scan", "expires_s": 1})
    await server.job(expiring, wait_s=10)
    return ids | {"expired": expiring}


async def _orders(server: ServerProcess) -> dict[str, str]:
    """Orders for many: two that are counted, and one that is done."""
    failed, desks = {"filter": {"state": "failed"}}, {"filter": {"label": "site:berlin"}}
    waiting = {"filter": {"type": "scan", "state": "queued"}, "priority": 5, "reason": "the customer waits"}
    return {
        "counted": await _made(server, "jobs/actions", {"action": "retry", "dry_run": True, **failed}),
        "counted_workers": await _made(server, "workers/actions", {"action": "pause", "dry_run": True, **desks}),
        "ordered": await _made(server, "jobs/actions", {"action": "set_priority", **waiting}),
    }


async def screens_of(server: ServerProcess) -> dict[str, Screen]:
    """All screens, of a server that has jobs in every state."""
    ids = await _jobs(server) | await _orders(server)
    ids |= {"worker": await _first(server, "workers?state=connected"), "gone": "name%3ADESK-22", "type": "print-label"}
    return filled(SCREENS, ids)


def photograph(sites: Sites, screens: dict[str, Screen], to: Path) -> list[str]:
    """Takes the pictures; returns what is wrong with the screens."""
    to.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []
    with browsing(Chromium()) as chromium, browsing(PhantomJS()) as phantom:
        for look in _looks(chromium, phantom):
            for name, screen in screens.items():
                look.browser.resize(look.width, _TALL)
                show(look.browser, sites, screen, to)
                wrong += _taken(look, name, to) + [
                    f"{name}, {look.name}: {one}" for one in faults(look.browser, screen)
                ]
    (to / "index.html").write_text(_index(screens), encoding="utf-8")
    return wrong


def _looks(chromium: Chromium, phantom: PhantomJS) -> Iterator[_Look]:
    for scheme in _SCHEMES:
        chromium.prefer(scheme)
        for width in _WIDTHS:
            yield _Look(chromium, f"{width}-{scheme}", width)
    yield _Look(phantom, "phantom", _WIDTHS[0])


def _taken(look: _Look, name: str, to: Path) -> list[str]:
    tall = int(look.browser.run("document.documentElement.scrollHeight"))
    look.browser.resize(look.width, max(_TALL, min(tall, 4_000)))
    look.browser.screenshot(to / f"{name}-{look.name}.png")
    wide = int(look.browser.run("document.documentElement.scrollWidth"))
    return [f"{name}, {look.name}: {wide} pixels wide"] if wide > look.width else []


def _index(screens: Iterable[str]) -> str:
    names = [*(f"{width}-{scheme}" for width in _WIDTHS for scheme in _SCHEMES), "phantom"]
    rows = "".join(
        f"<h2>{escape(screen)}</h2><p>"
        + " ".join(f'<a href="{screen}-{name}.png"><img height="400" src="{screen}-{name}.png"></a>' for name in names)
        for screen in screens
    )
    return f"<!doctype html><meta charset=utf-8><title>Screens</title><h1>Screens</h1>{rows}\n"


@asynccontextmanager
async def a_locked_server(directory: Path) -> AsyncIterator[ServerProcess]:
    """One that wants a token, to see how people sign in."""
    directory.mkdir()
    async with serving(directory, "--token", "only-for-pictures") as server:
        yield server


async def _run() -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        async with demo(Path(name)) as server, a_locked_server(Path(name, "locked")) as locked:
            sites, screens = Sites(server.url, locked.url), await screens_of(server)
            return await asyncio.to_thread(photograph, sites, screens, ROOT / "build/screens")


if __name__ == "__main__":
    found = asyncio.run(_run())
    print("\n".join([*found, "Look at them: build/screens/index.html"]))
    sys.exit(1 if found else 0)
