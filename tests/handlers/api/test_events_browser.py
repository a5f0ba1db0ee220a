"""A browser's own EventSource follows the changes, over a restart of the server, as docs/api.md says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.page.browsers import Chromium
from tests.support.server import live
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Comes back by itself after an end, and opens another stream after an answer that is none.
SCRIPT = """(function () {
window.seen = [];
window.last = '';
window.follow = function () {
    var stream = new EventSource('/api/v1/events?type=wanted&after=' + window.last);
    function keep(event) {
        window.last = event.lastEventId;
        window.seen.push(event.type + ':' + (JSON.parse(event.data).job || JSON.parse(event.data).reason));
    }
    stream.addEventListener('job', keep);
    stream.addEventListener('gap', keep);
    stream.onopen = function () { window.seen.push('open'); };
    stream.onerror = function () {
        if (stream.readyState === 2) { setTimeout(window.follow, 200); }
    };
};
window.follow();
})()"""


def test_an_event_source_sees_each_change_and_comes_back_by_itself(tmp_path: Path, chromium: Chromium) -> None:
    with live(tmp_path) as server:
        chromium.open(f"{server.url}/livez")
        chromium.run(SCRIPT)
        until(lambda: chromium.run("window.seen") == ["open"], what="the stream is open")
        server.submit("other")
        first = server.submit("wanted")["id"]
        until(lambda: chromium.run("window.seen") == ["open", f"job:{first}"], what="the first change is told")
        port = server.port
    with live(tmp_path, port=port) as server:
        until(lambda: "gap:other_life" in chromium.run("window.seen"), 20, "it has come back")
        second = server.submit("wanted")["id"]
        until(lambda: chromium.run("window.seen")[-1] == f"job:{second}", what="the next change is told")
        seen = [one for one in chromium.run("window.seen") if one != "open"]
        assert seen == [f"job:{first}", "gap:other_life", f"job:{second}"]
        chromium.open("about:blank")
