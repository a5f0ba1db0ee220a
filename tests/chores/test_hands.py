"""Whoever has a keyboard alone, or no scripts, finds out where a page cannot be used so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.common.exceptions import NoSuchElementException

from tests.chores.hands import AtTheKeyboard, WithoutScript
from tests.page.browsers import Chromium, browsing

pytestmark = pytest.mark.browser

_PAGE = """<!doctype html><title>A page</title><style>.bare:focus { outline: none }</style><body>
<button>Before</button> <div onclick="said('a div')">No button</div> <button class="bare" onclick="said('bare')">Bare
</button> <label><input type="checkbox" onchange="said('ticked')"> Tick</label> <label>Text <input value="old"></label>
<a href="#there" onclick="said('a link')">Link</a> <button tabindex="-1">Left out</button><p id="heard"></p>
<script>function said(what) { document.getElementById('heard').innerHTML += '[' + what + ']'; }
document.write('<button>Made by a script</button>');</script>
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with browsing(Chromium()) as browser:
        yield browser


@pytest.fixture
def page(tmp_path: Path) -> str:
    (tmp_path / "page.html").write_text(_PAGE, "utf-8")
    return (tmp_path / "page.html").as_uri()


def test_what_tab_leads_to_is_pressed_and_filled_in_either_direction(chromium: Chromium, page: str) -> None:
    me = AtTheKeyboard(chromium, page)
    me.begin("")
    me.click("Link")
    me.type("Text", "new")
    me.press(me._field("Tick"))
    assert me.sees("[a link][ticked]")
    assert chromium.run("document.querySelector('[value=old]').value") == "new"
    assert me.keys > 5


@pytest.mark.parametrize("words", ["Left out", "Bare"])
def test_what_tab_does_not_lead_to_or_what_hides_its_focus_is_found_out(
    chromium: Chromium, page: str, words: str
) -> None:
    me = AtTheKeyboard(chromium, page)
    me.begin("")
    with pytest.raises((AssertionError, NoSuchElementException), match=r"sees the focus|Tab does not lead"):
        me.press(me._named(words))
    assert not me.sees("[bare]")


def test_what_only_a_script_makes_is_not_there_without_scripts(chromium: Chromium, page: str) -> None:
    me = WithoutScript(chromium, page)
    me.begin("")
    assert (me.sees("Before"), me.sees("Made by a script")) == (True, False)
    other = AtTheKeyboard(chromium, page)
    chromium.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    other.begin("")
    assert other.sees("Made by a script")
