"""Behind the real nginx: with the lines that docs/offices.md shows nothing is wrong, and what others do is found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dispatcher.sdk.doctor.findings import Level
from tests.sdk.doctor.meddler import of, wrongs
from tests.sdk.doctor.proxied import judged_behind
from tests.support.certificate import self_signed
from tests.support.nginx import lines_of, nginx, without_upgrade
from tests.support.server import Live

#: As the page shows them.
LINES = lines_of("docs/offices.md")


def other(pattern: str, instead: str) -> str:
    """The lines with another one in the place of one of them."""
    lines, count = re.subn(pattern, instead, LINES)
    assert count == 1
    return lines


@pytest.mark.parametrize("tls", [False, True], ids=["in the clear", "with TLS"])
def test_the_lines_of_the_page_are_fine(tmp_path: Path, server: Live, tls: bool) -> None:
    status, findings = judged_behind(nginx, tmp_path, server, LINES, self_signed(tmp_path) if tls else None)
    assert (status, wrongs(findings)) == (0, [])
    assert of(findings, "websocket").says == "a page may open one"


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_buffering_does_no_harm_as_long_as_the_server_may_ask_for_none(
    tmp_path: Path, server: Live, version: str
) -> None:
    lines = other("proxy_buffering off;", "proxy_buffering on;").replace("version 1.1;", f"version {version};")
    status, findings = judged_behind(nginx, tmp_path, server, lines)
    assert (status, wrongs(findings)) == (0, [])
    assert of(findings, "buffering").level is Level.OK


def test_buffering_that_the_server_may_not_switch_off_is_found(tmp_path: Path, server: Live) -> None:
    """To the server this nginx speaks HTTP/1.0, as it does if its lines do not say otherwise."""
    lines = other("proxy_buffering off;", "proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;")
    status, findings = judged_behind(nginx, tmp_path, server, lines.replace("version 1.1;", "version 1.0;"))
    assert (status, wrongs(findings)) == (1, ["buffering"])
    assert "nothing of a stream came within 5 s" in of(findings, "buffering").says


@pytest.mark.parametrize(
    ("lines", "checks"),
    [
        (other(r"\$http_host;", "$host;"), ["host"]),
        (other("proxy_read_timeout 75s;", "proxy_read_timeout 1s;"), ["waiting", "page_polls"]),
        (other("location / {", "location / {\n    proxy_set_header Authorization '';"), ["token"]),
        (other("location / {", "location /engine.io/ { return 404; }\n  location / {"), ["page_polls"]),
    ],
    ids=["no port", "too hasty", "no Authorization", "no engine.io"],
)
def test_lines_that_do_harm_are_found(tmp_path: Path, server: Live, lines: str, checks: list[str]) -> None:
    status, findings = judged_behind(nginx, tmp_path, server, lines)
    assert (status, wrongs(findings)) == (1, checks)


def test_lines_without_an_upgrade_are_worth_a_note(tmp_path: Path, server: Live) -> None:
    status, findings = judged_behind(nginx, tmp_path, server, without_upgrade(LINES))
    assert (status, wrongs(findings)) == (0, [])
    assert "none comes about (status 400)" in of(findings, "websocket").says
