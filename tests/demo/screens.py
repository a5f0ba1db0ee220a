"""Photographs every screen of a farm: ``make screens``. Somebody must look at the pictures: build/screens/index.html.

Chromium takes each at two widths, light and dark, and PhantomJS, which is nearest to IE 11, at one. A screen that is
wider than its window, or has an error in the browser's console, is named, and the exit status is 1.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from tests.demo.__main__ import demo
from tests.page.browsers import Browser, Chromium, PhantomJS, browsing
from tests.support.places import ROOT
from tests.support.process import ServerProcess
from tests.support.waiting import eventually

__all__ = ["photograph", "screens_of"]

#: Screen -> address; ``{failed}`` and the like are ids of jobs.
SCREENS = {
    "overview": "/", "jobs": "/jobs", "jobs-failed": "/jobs?state=failed", "jobs-ticked": "/jobs?tick=1",
    "jobs-found": "/jobs?q=order",
    "job-failed": "/jobs/{failed}", "job-running": "/jobs/{running}?refresh=0", "job-done": "/jobs/{succeeded}",
    "job-waiting": "/jobs/{queued}?refresh=0", "job-in-doubt": "/jobs/{in_doubt}", "doubts": "/doubts",
    "failures": "/failures", "history": "/history", "looking-back": "/?at=-3h",
    "board": "/board?label=site:berlin", "workers": "/workers", "workers-ticked": "/workers?tick=1",
    "one-worker": "/workers/{worker}", "types": "/types", "type": "/types/print-label", "operations": "/operations",
    "rollout": "/rollout", "submit": "/submit", "phone": "/phone?code=7NX-J3D", "docs": "/docs",
    "help": "/help", "me": "/me", "upkeep": "/upkeep", "gone-worker": "/workers/name%3ADESK-22",
    "job-change": "/jobs/{queued}?change=1&refresh=0", "try": "/jobs/{failed}/try",
    "worker-page-german": "/worker?types=echo&name=EMPFANG-3&lang=de",
    "worker-page": "/worker?types=echo&name=FRONT-DESK-07", "no-page": "/nope",
}  # fmt: skip
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


async def screens_of(server: ServerProcess) -> dict[str, str]:
    """The addresses of all screens, of a server that has jobs in every state."""
    ids = {state: await _first(server, f"jobs?state={state}") for state in _STATES}
    ids["worker"] = await _first(server, "workers?state=connected")
    return {name: path.format(**ids) for name, path in SCREENS.items()}


def photograph(url: str, screens: dict[str, str], to: Path) -> list[str]:
    """Takes the pictures; returns what is wrong with the screens."""
    to.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []
    with browsing(Chromium()) as chromium, browsing(PhantomJS()) as phantom:
        for look in _looks(chromium, phantom):
            for name, path in screens.items():
                wrong += _taken(look, name, url + path, to)
    (to / "index.html").write_text(_index(screens), encoding="utf-8")
    return wrong


def _looks(chromium: Chromium, phantom: PhantomJS) -> Iterator[_Look]:
    for scheme in _SCHEMES:
        feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        chromium.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
        for width in _WIDTHS:
            yield _Look(chromium, f"{width}-{scheme}", width)
    yield _Look(phantom, "phantom", _WIDTHS[0])


def _taken(look: _Look, name: str, address: str, to: Path) -> list[str]:
    look.browser.resize(look.width, _TALL)
    look.browser.open(address)
    tall = int(look.browser.run("document.documentElement.scrollHeight"))
    look.browser.resize(look.width, max(_TALL, min(tall, 4_000)))
    look.browser.screenshot(to / f"{name}-{look.name}.png")
    wide = int(look.browser.run("document.documentElement.scrollWidth"))
    wrong = [f"{name}, {look.name}: {wide} pixels wide"] if wide > look.width else []
    errors = [error for error in look.browser.errors() if "status of 404" not in error]
    return wrong + [f"{name}, {look.name}: {error}" for error in errors]


def _index(screens: Iterable[str]) -> str:
    names = [*(f"{width}-{scheme}" for width in _WIDTHS for scheme in _SCHEMES), "phantom"]
    rows = "".join(
        f"<h2>{escape(screen)}</h2><p>"
        + " ".join(f'<a href="{screen}-{name}.png"><img height="400" src="{screen}-{name}.png"></a>' for name in names)
        for screen in screens
    )
    return f"<!doctype html><meta charset=utf-8><title>Screens</title><h1>Screens</h1>{rows}\n"


async def _run() -> list[str]:
    with tempfile.TemporaryDirectory() as directory:
        async with demo(Path(directory)) as server:
            screens = await screens_of(server)
            return await asyncio.to_thread(photograph, server.url, screens, ROOT / "build/screens")


if __name__ == "__main__":
    found = asyncio.run(_run())
    print("\n".join([*found, "Look at them: build/screens/index.html"]))
    sys.exit(1 if found else 0)
