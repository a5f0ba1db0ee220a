"""Every screen that people see: the one list from which axe, the widths and the pictures draw.

A screen is an address, or what comes of a form that is sent from there. Braces stand for what a farm has: jobs by their
states, workers, orders. A new page needs a line here: a test compares the list with the routes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import urlopen

from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.page.browsers import Browser

__all__ = ["SCREENS", "Screen", "Sites", "faults", "filled", "show"]


class Screen(NamedTuple):
    """Where it is, and how somebody comes to see it."""

    path: str
    #: What is typed into a form of that page, by the names of its fields; the screen is the answer.
    typed: Mapping[str, str] = {}
    form: str = "form.sheet"
    #: With which the server answers.
    status: int = 200


class Sites(NamedTuple):
    """The addresses of a farm's server, and of one that wants a token."""

    farm: str
    locked: str


#: By name.
SCREENS = {
    "overview": Screen("/"),
    "looking-back": Screen("/?at=-3h"),
    "history": Screen("/history"),
    "jobs": Screen("/jobs"),
    "jobs-failed": Screen("/jobs?state=failed"),
    "jobs-ticked": Screen("/jobs?tick=1"),
    "jobs-found": Screen("/jobs?q=order"),
    "jobs-none": Screen("/jobs?q=nothing-says-this"),
    "jobs-refused": Screen("/jobs?state=lost", status=400),
    "job-waiting": Screen("/jobs/{queued}?refresh=0"),
    "job-scheduled": Screen("/jobs/{scheduled}?refresh=0"),
    "job-running": Screen("/jobs/{running}?refresh=0"),
    "job-done": Screen("/jobs/{succeeded}"),
    "job-failed": Screen("/jobs/{failed}"),
    "job-in-doubt": Screen("/jobs/{in_doubt}"),
    "job-cancelled": Screen("/jobs/{cancelled}"),
    "job-expired": Screen("/jobs/{expired}"),
    "job-change": Screen("/jobs/{queued}?change=1&refresh=0"),
    "job-change-refused": Screen("/jobs/{queued}?change=1&refresh=0", {"priority": "high"}, ".sheet form", 422),
    "record": Screen("/jobs/{failed}/record"),
    "records": Screen("/jobs/{failed}/record?beside={succeeded}"),
    "try": Screen("/jobs/{failed}/try"),
    "doubts": Screen("/doubts"),
    "failures": Screen("/failures"),
    "workers": Screen("/workers"),
    "workers-ticked": Screen("/workers?tick=1"),
    "workers-found": Screen("/workers?label=site:berlin"),
    "one-worker": Screen("/workers/{worker}"),
    "gone-worker": Screen("/workers/{gone}"),
    "types": Screen("/types"),
    "type": Screen("/types/{type}"),
    "rollout": Screen("/rollout"),
    "operations": Screen("/operations"),
    "order-counted": Screen("/operations/{counted}"),
    "order-for-workers-counted": Screen("/operations/{counted_workers}"),
    "order-done": Screen("/operations/{ordered}"),
    "submit": Screen("/submit"),
    "submit-again": Screen("/submit?like={failed}"),
    "submit-refused": Screen("/submit", {"type": "no blanks please", "data": "{", "priority": "high"}, status=422),
    "board": Screen("/board"),
    "board-of-a-site": Screen("/board?label=site:berlin"),
    "board-empty": Screen("/board?label=site:nowhere"),
    "phone": Screen("/phone"),
    "phone-code": Screen("/phone?code=7NX-J3D"),
    "phone-refused": Screen("/phone?code=7NX-J3E"),
    "upkeep": Screen("/upkeep"),
    "help": Screen("/help"),
    "docs": Screen("/docs"),
    "me": Screen("/me"),
    "login": Screen("/login"),
    "login-refused": Screen("/login", {"token": "wrong", "person": "anna"}, status=401),
    "no-page": Screen("/nope", status=404),
    "form-refused": Screen("/jobs?tick=1", {"_xsrf": "wrong"}, "form[action='/jobs/act']", 403),
    "worker-page": Screen("/worker?types=echo&name=FRONT-DESK-07"),
    "worker-page-german": Screen("/worker?types=echo&name=EMPFANG-3&lang=de"),
    "worker-page-stopped": Screen("/worker?types=nonsense&name=FRONT-DESK-08"),
}


def filled(screens: Mapping[str, Screen], ids: Mapping[str, str]) -> dict[str, Screen]:
    """The same with what a farm has."""
    return {name: screen._replace(path=screen.path.format(**ids)) for name, screen in screens.items()}


#: Submits without its button, and so without the browser's own checks.
_SEND = """(function (form, typed) {
  for (var name in typed) {
    form.querySelector('[name=' + name + ']').value = typed[name];
  }
  window.before = true;
  form.submit();
}(document.querySelector(%s), %s))"""


def show(browser: Browser, sites: Sites, screen: Screen, directory: Path) -> None:
    """Opens it; a record is a file, which is kept in this directory."""
    url = (sites.locked if screen.path.startswith("/login") else sites.farm) + screen.path
    if "/record" in screen.path:
        file = directory / "record.html"
        with urlopen(url) as answer:
            file.write_bytes(answer.read())
        url = file.as_uri()
    browser.open(url)
    if screen.typed:
        browser.run(_SEND % (json.dumps(screen.form), json.dumps(screen.typed)))
        until(lambda: browser.run("!window.before && document.readyState === 'complete'"), what="the answer to a form")


def faults(browser: Browser, screen: Screen) -> list[str]:
    """What the browser's console says, beside the status: scripts' errors, what CSP blocks, what is not there."""
    return [error for error in browser.errors() if f"status of {screen.status}" not in error]
