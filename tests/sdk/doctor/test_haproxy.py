"""Behind the real HAProxy: with the lines that docs/offices.md shows nothing is wrong, and what others do is found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.sdk.doctor.meddler import of, wrongs
from tests.sdk.doctor.proxied import judged_behind
from tests.support.certificate import self_signed
from tests.support.haproxy import haproxy, haproxy_lines
from tests.support.server import Live


@pytest.mark.parametrize("tls", [False, True], ids=["in the clear", "with TLS"])
def test_the_lines_of_the_page_are_fine(tmp_path: Path, server: Live, tls: bool) -> None:
    status, findings = judged_behind(haproxy, tmp_path, server, haproxy_lines(), self_signed(tmp_path) if tls else None)
    assert (status, wrongs(findings)) == (0, [])
    assert of(findings, "websocket").says == "a page may open one"


def test_a_time_that_is_too_short_is_found(tmp_path: Path, server: Live) -> None:
    lines, count = re.subn("timeout server 75s", "timeout server 1s", haproxy_lines())
    assert count == 1
    status, findings = judged_behind(haproxy, tmp_path, server, lines)
    assert (status, wrongs(findings)) == (1, ["waiting", "page_polls"])
