"""Light, dark, or as the system has it, in real browsers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from dispatcher.config.settings import Settings
from handlers.console.colours import COLOURS
from handlers.routes import TaskDirectory
from handlers.site import STATIC
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
