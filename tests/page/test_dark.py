"""The worker page for people who prefer dark pages: no bright part, and everything can be read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.server import live

from .axe import violations
from .browsers import Chromium
from .test_browsers import show

pytestmark = pytest.mark.browser

#: The colours behind all parts that are shown, as "rgb(20, 24, 29)"; those of the board are the state's.
BACKGROUNDS = """(function () {
  return [].map.call(document.querySelectorAll('body, #facts, #facts td, button, textarea'), function (part) {
    return window.getComputedStyle(part).backgroundColor;
  });
}())"""


def brightest(chromium: Chromium) -> int:
    """The brightest component of any colour that is not transparent."""
    opaque = [colour for colour in chromium.run(BACKGROUNDS) if not colour.startswith("rgba(0, 0, 0, 0")]
    return max(int(part) for colour in opaque for part in re.findall(r"\d+", colour)[:3])


@pytest.mark.parametrize(("query", "state"), [("", "ready"), ("?types=nonsense", "stopped")])
def test_the_worker_page_is_dark_where_that_is_preferred_and_can_be_read(
    tmp_path: Path, chromium: Chromium, query: str, state: str
) -> None:
    bright, findings = {}, {}
    with live(tmp_path) as server:
        try:
            for colours in ("light", "dark"):
                chromium.prefer(colours)
                show(chromium, f"{server.url}/worker{query}", state)
                chromium.click("copy")
                chromium.click("test")
                bright[colours] = brightest(chromium)
                findings[colours] = violations(chromium)
        finally:
            chromium.prefer("")
    assert findings == {"light": [], "dark": []}
    assert bright["light"] == 255
    assert bright["dark"] < 80, json.dumps(bright)
