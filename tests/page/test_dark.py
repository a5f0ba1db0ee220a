"""The worker page for people who prefer dark pages: no bright part, and everything can be read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.handlers.test_look import AXE
from tests.support.server import live

from .browsers import Chromium
from .npm import npm_file
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


def prefer(chromium: Chromium, colours: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": colours}] if colours else []
    chromium.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


@pytest.mark.parametrize(("query", "state"), [("", "ready"), ("?types=nonsense", "stopped")])
def test_the_worker_page_is_dark_where_that_is_preferred_and_can_be_read(
    tmp_path: Path, chromium: Chromium, query: str, state: str
) -> None:
    axe = npm_file("axe-core", "4.10.3", "axe.min.js").read_text(encoding="utf-8")
    bright, findings = {}, {}
    with live(tmp_path) as server:
        try:
            for colours in ("light", "dark"):
                prefer(chromium, colours)
                show(chromium, f"{server.url}/worker{query}", state)
                chromium.click("copy")
                chromium.click("test")
                bright[colours] = brightest(chromium)
                chromium.driver.execute_script(axe)
                found = chromium.driver.execute_async_script(AXE)
                # One page without navigation needs no heading and no landmark.
                findings[colours] = [one for one in found if not one.startswith(("region:", "landmark", "page-has-h"))]
        finally:
            prefer(chromium, "")
    assert findings == {"light": [], "dark": []}
    assert bright["light"] == 255
    assert bright["dark"] < 80, json.dumps(bright)
