"""Light, dark, or as the system has it: in the style sheets, and in real browsers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import tinycss2

from dispatcher.config.settings import Settings
from handlers.console.colours import COLOURS
from handlers.routes import TaskDirectory
from handlers.site import STATIC, TEMPLATES
from tests.handlers.conftest import nothing
from tests.handlers.test_browsers import Site
from tests.page.browsers import Browser
from tests.support.waiting import until

BACKGROUND = "window.getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 24, 29)"
PRESS_T = """(function (event) {
  event.initEvent('keypress', true, true);
  event.charCode = 116;
  document.body.dispatchEvent(event);
}(document.createEvent('Event')))"""


def test_the_script_and_the_server_mean_the_same_by_each_choice() -> None:
    script = (STATIC / "keys.js").read_text(encoding="utf-8")
    for name, one in COLOURS.items():
        assert f"{name}: [" in script
        assert f"'{one.media}', '{one.scheme}', '{one.words}']" in script


#: They look the same on dark pages: light letters on strong colours, dark ones on bright colours, and strong borders.
BOTH = {
    "console.css": {
        "a:focus", "button:focus", "input:focus", "select:focus", "textarea:focus", "pre:focus", ".logbox:focus",
        ".top", ".top a", ".nav a.here", ".top .env", ".top .env.is-live", ".board .env", ".board .env.is-live", "mark",
        ".apart", ".no-refresh #refresh-note",
        "button.main", "button.main:hover", "button.plain", "button.follow[aria-pressed=\"true\"]",
    },
    "worker.css": {
        "#board", ".ready #board", ".working #board", ".paused #board", ".connecting #board", ".reconnecting #board",
        ".not_allowed #board", ".stuck #board", ".stopped #board", ".out_of_date #board", ".maintenance #board",
    },
    "record.html": set(),
}  # fmt: skip


def parts(rules: list[Any], *, coloured: bool) -> set[tuple[str, str]]:
    """Which rules say something of which part: (".help", "color"), (".box", "border"). ``coloured``: as #59636e."""
    return {
        (" ".join(selector.split()), one.lower_name.partition("-")[0])
        for rule in rules
        if rule.type == "qualified-rule"
        for one in tinycss2.parse_blocks_contents(rule.content)
        if one.type == "declaration" and (not coloured or any(token.type == "hash" for token in one.value))
        for selector in tinycss2.serialize(rule.prelude).split(",")
    }


def sheets(name: str) -> tuple[list[Any], list[Any]]:
    """The rules for light pages, and those for dark ones."""
    text = (TEMPLATES if name == "record.html" else STATIC).joinpath(name).read_text(encoding="utf-8")
    if name == "record.html":
        text = text.partition('<style class="record">')[2].partition("</style>")[0]
    rules = tinycss2.parse_stylesheet(text, skip_comments=True)
    light, dark = list(rules), list[Any]()
    for rule in rules:
        if rule.type == "at-rule":
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True)
            (dark if "dark" in tinycss2.serialize(rule.prelude) else light).extend(inner)
    if name == "console.css":
        dark = tinycss2.parse_stylesheet((STATIC / "dark.css").read_text(encoding="utf-8"), skip_comments=True)
    return light, dark


@pytest.mark.parametrize("name", BOTH)
def test_each_colour_of_a_light_page_has_an_answer_on_a_dark_one(name: str) -> None:
    light, dark = sheets(name)
    unanswered = parts(light, coloured=True) - parts(dark, coloured=False)
    assert {one for one in unanswered if one[0] not in BOTH[name]} == set()
    assert BOTH[name] <= {selector for selector, _ in unanswered}, "each of these is needed"


def is_now(window: Browser, background: str) -> bool:
    return bool(window.run(BACKGROUND) == background)


@pytest.fixture
def site(tasks: TaskDirectory) -> Iterator[Site]:
    site = Site(nothing, Settings(), tasks)
    yield site
    site.stop()


@pytest.mark.browser
def test_a_key_goes_from_the_system_s_to_light_to_dark_and_a_new_page_remembers(window: Browser, site: Site) -> None:
    window.open(site.url + "/jobs")
    seen = [window.run(BACKGROUND)]
    for _ in range(3):
        window.run(PRESS_T)
        wanted = DARK if window.run("document.getElementById('colours').textContent") == "dark" else LIGHT
        until(partial(is_now, window, wanted))
        window.open(site.url + "/workers")
        seen.append(window.run(BACKGROUND))
    assert seen == [LIGHT, LIGHT, DARK, LIGHT]
    assert window.run("document.getElementById('colours').textContent") == "as the system has them"
