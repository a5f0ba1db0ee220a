"""The keys of the console in real browsers: Chromium, and PhantomJS, which knows nothing newer than ES5."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dispatcher.config.settings import Settings
from handlers.routes import TaskDirectory
from tests.handlers.rich import rich
from tests.handlers.test_browsers import Site, address
from tests.page.browsers import Browser
from tests.support.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture
def site(tasks: TaskDirectory) -> Iterator[Site]:
    site = Site(rich, Settings(), tasks)
    yield site
    site.stop()


def press(window: Browser, keys: str) -> None:
    """Presses keys where the focus is."""
    for key in keys:
        window.run(f"""(function (code) {{
          var event = document.createEvent('Event');
          event.initEvent('keypress', true, true);
          event.charCode = code;
          document.activeElement.dispatchEvent(event);
        }}({ord(key)}))""")


def focused(window: Browser) -> str:
    return str(window.run("document.activeElement.getAttribute('href') || document.activeElement.name"))


def test_keys_go_to_pages_and_to_the_search_and_do_nothing_while_somebody_types(window: Browser, site: Site) -> None:
    window.open(site.url + "/")
    press(window, "gj")
    until(lambda: address(window) == "/jobs" and window.run("document.readyState") == "complete")
    press(window, "/")
    assert focused(window) == "q"
    press(window, "gw?")
    assert address(window) == "/jobs"
    assert window.run("document.getElementById('keys')") is None


def test_keys_go_from_row_to_row_and_tick_them(window: Browser, site: Site) -> None:
    window.open(site.url + "/jobs?tick=1")
    rows = window.run("[].map.call(document.querySelectorAll('.list tbody tr'), function (row) {"
                       "return row.querySelector('a').getAttribute('href'); })")  # fmt: skip
    seen = []
    for keys in ("j", "j", "j", "k", "kkkk"):
        press(window, keys)
        seen.append(focused(window))
    assert seen == [rows[0], rows[1], rows[2], rows[1], rows[0]]
    press(window, "jx")
    ticked = "[].map.call(document.querySelectorAll('.list tbody input'), function (field) { return field.checked; })"
    assert window.run(ticked)[:3] == [False, True, False]
    press(window, "x")
    assert not any(window.run(ticked))


@pytest.mark.parametrize("path", ["/jobs?state=queued&refresh=0", "/workers?refresh=0"])
def test_a_key_that_ticks_adds_the_boxes_where_there_are_none_and_ticks_the_row_that_was_meant(
    window: Browser, site: Site, path: str
) -> None:
    window.open(site.url + path)
    boxes = "[].map.call(document.querySelectorAll('tbody input[name=id]'), function (box) { return box.checked; })"
    press(window, "jj")
    row = focused(window)
    press(window, "x")
    until(lambda: window.run("location.search + location.hash") == path[path.index("?") :] + "&tick=1")
    until(lambda: window.run("document.readyState") == "complete" and focused(window) == row)
    assert window.run(boxes)[:3] == [False, True, False]
    press(window, "X")
    assert set(window.run(boxes)) == {True}
    window.run("history.back()")
    until(lambda: window.run(boxes) == [] and window.run("document.readyState") == "complete")
    press(window, "X")
    until(lambda: set(window.run(boxes)) == {True})


def test_the_list_of_keys_is_shown_and_hidden_and_switches_them_off_for_good(window: Browser, site: Site) -> None:
    url = site.url
    window.open(url + "/jobs")
    press(window, "j?")
    assert "Next row" in window.run("document.getElementById('keys').textContent")
    assert window.run("document.activeElement.id") == "keys"
    press(window, "?")
    assert window.run("document.getElementById('keys')") is None
    assert focused(window).startswith("/jobs/"), "the focus is where it was"
    press(window, "?")
    window.run("document.querySelector('#keys button').click()")
    assert window.run("document.querySelector('#keys button').textContent") == "Switch the keys on"
    window.open(url + "/jobs")
    press(window, "?")
    assert window.run("document.getElementById('keys')") is None
    window.run("[].slice.call(document.querySelectorAll('.foot button')).pop().click()")
    window.run("document.querySelector('#keys button').click()")
    press(window, "?")
    assert window.run("document.getElementById('keys')") is None, "they are on again"
