"""Each bad thing that a proxy may do is found, and nothing else; through a good one nothing is."""

from __future__ import annotations

import email.utils
import re
import time
from pathlib import Path

import pytest

from dispatcher.sdk.client.config import find_config
from dispatcher.sdk.client.exchange import ServerAnswer
from dispatcher.sdk.doctor import way
from dispatcher.sdk.doctor.findings import Level
from dispatcher.sdk.doctor.seen import Heard, Sighting
from tests.sdk.doctor.meddler import TOKEN, Meddling, examined, header, html, meddler, of, wrongs
from tests.support.server import Live, live

LOGIN = html(b"200 OK", b"<html><title>Sign in to\n our network</title></html>")


def test_nothing_is_found_at_a_healthy_server(server: Live) -> None:
    status, findings = examined(server.url, TOKEN)
    assert (status, wrongs(findings)) == (0, [])
    assert {finding.check for finding in findings if finding.level is Level.OK} == {
        "port", "pagehand", "token", "clock", "host", "cache", "script", "buffering", "waiting", "page_polls",
        "websocket", "store", "descriptors", "types",
    }  # fmt: skip
    assert of(findings, "pagehand").says == "it is Pagehand 0.1.0"
    assert "no worker page is connected" in of(findings, "pages").says


def test_nothing_is_found_through_a_proxy_that_meddles_with_nothing(server: Live) -> None:
    """The control of the tests below."""
    with meddler(server.port) as url:
        status, findings = examined(url, TOKEN)
    assert (status, wrongs(findings)) == (0, [])


@pytest.mark.parametrize(
    ("meddling", "check", "says", "mend"),
    [
        (Meddling(request=header("Host", b"127.0.0.1")), "host", "probably dropped the port", "Host $http_host"),
        (Meddling(request=header("Host", b"127.0.0.1:1")), "host", "probably changed the port", "Host $http_host"),
        (Meddling(request=header("Host", b"10.0.0.9")), "host", "does not go by that name", "--allow-host 127.0.0.1"),
        (Meddling(request=header("Authorization", None)), "token", "not in Authorization", "X-Pagehand-Token"),
        (Meddling(caches=True), "cache", "the same answer came twice", "proxy_cache"),
        (Meddling(answer=lambda head: head[:-2] + b"Age: 7\r\n\r\n"), "cache", "its answer is 7 s old", "proxy_cache"),
        (Meddling(buffers=True, request=lambda head: head[:-2] + b"Connection: close\r\n\r\n"),
         "buffering", "nothing of a stream came within 5 s", "proxy_buffering off"),
    ],
    ids=["no port", "another port", "another name", "no Authorization", "cache", "old answers", "buffers"],
)  # fmt: skip
def test_it_is_found(server: Live, meddling: Meddling, check: str, says: str, mend: str) -> None:
    with meddler(server.port, meddling) as url:
        status, findings = examined(url, TOKEN)
    assert (status, wrongs(findings)) == (1, [check])
    assert says in of(findings, check).says
    assert mend in of(findings, check).mend


def test_an_address_that_is_not_the_public_one_is_found(tmp_path: Path) -> None:
    with live(tmp_path, "--public-url", "http://127.0.0.1:1/") as behind:
        status, findings = examined(behind.url)
    assert (status, wrongs(findings)) == (1, ["host"])
    assert "the address of this server is http://127.0.0.1:1" in of(findings, "host").says
    assert "as --public-url" in of(findings, "host").mend


@pytest.mark.parametrize("words", [b"", html(b"504 Gateway Timeout", b"late")], ids=["closed", "504"])
def test_requests_that_are_cut_while_they_wait_are_found(server: Live, words: bytes) -> None:
    with meddler(server.port, Meddling(cut_s=0.3, cut_with=words)) as url:
        status, findings = examined(url, TOKEN)
    assert (status, wrongs(findings)) == (1, ["waiting", "page_polls"])
    for check in ("waiting", "page_polls"):
        finding = of(findings, check)
        assert re.search(r"after (3|4|5|6)\d\d ms", finding.says), finding
        assert ("status 504" in finding.says) == bool(words)
        assert "proxy_read_timeout 75s" in finding.mend


def test_a_sign_in_before_the_api_is_found_and_named(server: Live) -> None:
    meddling = Meddling(instead=lambda head: LOGIN if b" /api/" in head else None)
    with meddler(server.port, meddling) as url:
        status, findings = examined(url, TOKEN)
    assert (status, wrongs(findings)) == (1, ["sign_in"])
    assert "a page called “Sign in to our network”" in of(findings, "sign_in").says


@pytest.mark.parametrize(
    "page",
    [LOGIN, html(b"302 Found", b"", b"Location: https://login.example/?back=x"), html(b"401 Unauthorized", b"no"),
     html(b"407 Proxy Authentication Required", b"no"), html(b"403 Forbidden", b"no")],
    ids=["a page", "a redirection", "401", "407", "403"],
)  # fmt: skip
def test_a_sign_in_before_everything_keeps_the_server_out_of_reach(server: Live, page: bytes) -> None:
    with meddler(server.port, Meddling(instead=lambda head: page)) as url:
        status, findings = examined(url, TOKEN)
    assert (status, wrongs(findings)) == (4, ["sign_in"])
    assert ("leads to https://login.example/)" in of(findings, "sign_in").says) == (b"Location" in page)


def test_a_proxy_that_does_not_reach_the_server_is_found(server: Live) -> None:
    with meddler(server.port, Meddling(instead=lambda head: html(b"502 Bad Gateway", b"no"))) as url:
        status, findings = examined(url, TOKEN)
    assert (status, wrongs(findings)) == (4, ["pagehand"])
    assert of(findings, "pagehand").says == "a proxy answers and does not reach the server (status 502)"


@pytest.mark.parametrize(("seconds", "words"), [(3_600, "1 h|60 min"), (-90, "9[0-2] s|8[89] s")])
def test_a_clock_that_is_wrong_is_found(server: Live, seconds: int, words: str) -> None:
    date = email.utils.formatdate(time.time() + seconds, usegmt=True).encode()
    with meddler(server.port, Meddling(answer=header("Date", date))) as url:
        status, findings = examined(url, TOKEN)
    assert (status, wrongs(findings)) == (1, ["clock"])
    assert re.search(rf"is ({words}) {'ahead of' if seconds > 0 else 'behind'} this", of(findings, "clock").says)


@pytest.mark.parametrize(
    ("meddling", "why"),
    [
        (Meddling(request=lambda head: header("Upgrade", None)(header("Connection", b"close")(head))), "status 400"),
        (Meddling(instead=lambda head: html(b"501 Not Implemented", b"") if b"\r\nUpgrade:" in head else None),
         "status 501"),
    ],
    ids=["taken away", "refused"],
)  # fmt: skip
def test_a_websocket_that_does_not_come_about_is_worth_a_note(server: Live, meddling: Meddling, why: str) -> None:
    with meddler(server.port, meddling) as url:
        status, findings = examined(url, TOKEN)
    assert (status, wrongs(findings)) == (0, [])
    assert of(findings, "websocket").level is Level.NOTE
    assert f"none comes about ({why})" in of(findings, "websocket").says


def test_an_engine_io_path_that_is_not_passed_on_is_found(server: Live) -> None:
    lost = html(b"404 Not Found", b"no")
    with meddler(server.port, Meddling(instead=lambda head: lost if b" /engine.io/" in head else None)) as url:
        status, findings = examined(url, TOKEN)
    assert (status, wrongs(findings)) == (1, ["page_polls"])
    assert "a worker page gets no session: status 404" in of(findings, "page_polls").says


def test_an_old_script_of_worker_pages_is_found(server: Live) -> None:
    old = html(b"200 OK", b"(function () { var VERSION = '0.0.9'; }());")
    with meddler(server.port, Meddling(instead=lambda head: old if b"worker.js" in head else None)) as url:
        status, findings = examined(url, TOKEN)
    assert (status, wrongs(findings)) == (1, ["script"])
    assert "of 0.0.9; the server is 0.1.0" in of(findings, "script").says


@pytest.mark.parametrize(
    ("pieces_s", "took_s", "says"),
    [
        ((0.1,), 18.0, "something between keeps answers back: only the beginning of a stream came within 18 s"),
        ((0.1,), 10.2, "something between ends streams after 10 s"),
        ((15.1, 15.1), 15.1, "something between keeps answers back: nothing of a stream came within 5 s"),
        ((0.1, 15.1), 15.1, "a piece of a stream comes as soon as it is sent (100 ms)"),
    ],
    ids=["only the beginning", "cut", "all at once", "well"],
)
def test_a_stream_of_two_pieces_shows_more(pieces_s: tuple[float, ...], took_s: float, says: str) -> None:
    """The second is sent after 15 s, so it is asked for where requests must be able to wait longer."""
    config = find_config(None, None, environ={})
    answer = ServerAnswer(200, {"content-type": "text/event-stream; charset=utf-8"}, b": here\n\n")
    stream = Heard(answer=answer, took_s=took_s, pieces_s=pieces_s)
    [finding] = way.buffering(Sighting(url=config.url, address=config.address, stream=stream, stream_pieces=2))
    assert finding.says == says
    assert (finding.level is Level.OK) == ("as soon as" in says)


def test_no_request_shows_the_token_where_it_should_not(server: Live) -> None:
    """A header has it, never an address, which proxies log."""
    heads: list[bytes] = []

    def kept(head: bytes) -> bytes:
        heads.append(head)
        return head

    with meddler(server.port, Meddling(request=kept)) as url:
        examined(url, TOKEN)
    assert len(heads) > 12
    assert not [head for head in heads if TOKEN.encode() in head.split(b"\r\n")[0]]
    assert all(head.count(TOKEN.encode()) <= 1 for head in heads)


def test_a_stranger_is_not_shown_the_token(server: Live) -> None:
    heads: list[bytes] = []

    def instead(head: bytes) -> bytes:
        heads.append(head)
        return LOGIN

    with meddler(server.port, Meddling(instead=instead)) as url:
        examined(url, TOKEN)
    assert len(heads) == 3
    assert not [head for head in heads if TOKEN.encode() in head]
