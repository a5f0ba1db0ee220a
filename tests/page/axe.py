"""axe-core on the page that a browser shows: what keeps people with a handicap from it."""

from __future__ import annotations

from tests.page.browsers import Chromium
from tests.page.npm import npm_file

__all__ = ["violations"]

_RUN = """
var done = arguments[0];
axe.run(document, {resultTypes: ['violations'], preload: false}).then(function (found) {
  done(found.violations.map(function (v) { return v.id + ': ' + v.nodes[0].html; }));
});
"""


def violations(chromium: Chromium) -> list[str]:
    """Each rule that the page breaks, with the first thing that breaks it."""
    if not chromium.run("!!window.axe"):
        chromium.driver.execute_script(npm_file("axe-core", "4.10.3", "axe.min.js").read_text(encoding="utf-8"))
    return list(chromium.driver.execute_async_script(_RUN))
