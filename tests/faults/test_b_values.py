"""Values at the edge, through the real API and from a real page, down to the file and back (fault B15; I4, I28).

NUL, lone surrogates, 2^63 and beyond, NaN: what is not JSON is a 400; what does not fit its field is a 422; what is
JSON is kept as the text that came. Nothing of it gets as far as the store only to be refused there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.http import JSON, Page, Reply
from tests.support.server import Live, live

#: Pieces of JSON text that are hard for some parser; the first ones are not JSON.
NO_JSON = [b"NaN", b"Infinity", b"-Infinity", b'"\x00"', b'"\xed\xa0\x80"', b'"\xff"', b"01", b"1e", b'"\\x00"', b"nan"]
ODD = [
    rb'"\u0000"', rb'"a\u0000b"', rb'"\ud800"', rb'"\udc00\ud800"', rb'"\ud83d\ude00"', b'"\xf0\x9f\x98\x80"',
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616", b"9" * 400,
    b"1e400", b"-1e400", b"1e-400", b"-0", b"-0.0", b"0.1e1", b'"\xef\xbf\xbf"', rb'"\uffff"', rb'"\u2028"', b'""',
    b"1.7976931348623157e308", b"5e-324", b"true", b"null",
]  # fmt: skip
#: Fields that no number or text above may fit, except some plain ones.
FIELDS = [
    "type",
    "priority",
    "delay_s",
    "timeout_s",
    "max_attempts",
    "max_crashes",
    "expires_s",
    "heartbeat_s",
    "effects",
]

#: The texts, and arrays and objects of them.
TEXTS = st.recursive(
    st.sampled_from(ODD * 2 + NO_JSON),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: b"[" + b",".join(parts) + b"]"),
        st.lists(inner, max_size=2).map(lambda parts: b"{" + b",".join(b'"a":' + part for part in parts) + b"}"),
    ),
    max_leaves=6,
)


def _is_taken(text: bytes) -> bool:
    """JSON as RFC 8259 has it, in UTF-8, and without halves of surrogate pairs."""

    def no(constant: str) -> None:
        raise ValueError(constant)

    try:
        # As pairs, so that a repeated name hides nothing.
        value = json.loads(text.decode(), parse_constant=no, object_pairs_hook=list, parse_int=str)
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        return False
    return True


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One server for all tests; when it has stopped, its log must be clean and its file sound."""
    directory: Path = tmp_path_factory.mktemp("values")
    with live(directory) as started:
        yield started
    database = sqlite3.connect(directory / "pagehand.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert database.execute("SELECT count(*) FROM jobs").fetchone()[0] > 50
    assert database.execute("SELECT count(*) FROM jobs WHERE reason = 'unstorable'").fetchone() == (0,)
    database.close()


def _post(server: Live, path: str, body: bytes, **headers: str) -> Reply:
    reply = server.ask("POST", path, body, JSON | headers)
    if reply.status >= 400:
        assert reply.status in (400, 409, 422), reply
        assert reply.json()["code"] != "refused", "it came as far as the store"
    return reply


@given(data=TEXTS)
@example(data=rb'"\ud800"')
@example(data=b"NaN")
@example(data=b"9223372036854775808")
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_fault_B15_data_is_kept_as_the_text_that_came_or_is_a_400(server: Live, data: bytes) -> None:
    reply = _post(server, "/api/v1/jobs", b'{"type":"nobody","data":' + data + b"}")
    if not _is_taken(data):
        assert (reply.status, reply.json()["code"]) == (400, "bad_json")
        return
    assert reply.status == 201, reply
    shown = server.ask("GET", reply.headers["location"])
    assert shown.status == 200
    assert b'"data":' + data + b"," in shown.body


def _shown(job: dict[str, Any], field: str) -> Any:
    """A field of a job; of its schedule the instants are shown, to the millisecond."""
    instant = {"delay_s": job["run_at"] or job["created_at"], "expires_s": job["expires_at"]}.get(field)
    if instant is None:
        return job[field]
    return (datetime.fromisoformat(instant) - datetime.fromisoformat(job["created_at"])).total_seconds()


@given(field=st.sampled_from(FIELDS), text=TEXTS)
@example(field="priority", text=b"9223372036854775808")
@example(field="expires_s", text=b"1e400")
@example(field="delay_s", text=b"1e-400")
@example(field="delay_s", text=b"5e-324")
@example(field="delay_s", text=b"0.1e1")
@example(field="expires_s", text=b"0.1e1")
@example(field="type", text=rb'"\ud800"')
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_fault_B15_a_field_that_cannot_hold_it_is_a_400_or_422(server: Live, field: str, text: bytes) -> None:
    rest = b"" if field == "type" else b',"type":"nobody"'
    reply = _post(server, "/api/v1/jobs", b'{"' + field.encode() + b'":' + text + rest + b"}")
    if not _is_taken(text):
        assert reply.status in (400, 422)  # a text that decodes to its field's type is judged by the field first
    elif reply.status == 201:
        assert field != "type"
        assert json.loads(text) is None or _shown(reply.json(), field) == pytest.approx(json.loads(text), abs=0.0011)
    else:
        assert reply.status == 422, reply
        assert reply.json()["errors"][0]["pointer"] == f"#/{field}"


@given(text=TEXTS, word=st.sampled_from(["cancel", "retry", "decide", "adopt"]))
@example(text=rb'"\ud800"', word="cancel")
@example(text=b"NaN", word="decide")
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=25)
def test_fault_B15_an_action_whose_text_is_none_is_refused_before_the_store(
    server: Live, text: bytes, word: str
) -> None:
    job = server.submit("nobody")
    body = b'{"reason":' + text + b"}"
    if word == "decide":
        body = b'{"outcome":"succeeded","value":' + text + b',"reason":"because"}'
    reply = _post(server, f"/api/v1/jobs/{job['id']}/{word}", body if word in ("cancel", "decide") else b"")
    if word in ("cancel", "decide") and not _is_taken(text):
        assert reply.status in (400, 422)
    elif word == "cancel" and reply.status == 200:
        assert reply.json()["detail"] is not None
        assert json.loads(text) is None or json.loads(text).replace("\0", "\ufffd") in reply.json()["detail"]


@pytest.mark.parametrize("key", ["\x00", "a\x00b", "ä", "\x7f", "\t", "x" * 256])
def test_fault_B15_a_key_that_is_no_plain_text_is_a_400(server: Live, key: str) -> None:
    reply = server.ask("POST", "/api/v1/jobs", b'{"type":"nobody"}', JSON | {"Idempotency-Key": key})
    assert reply.status == 400


@given(value=TEXTS)
@example(value=rb'"\ud800"')
@example(value=b"NaN")
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=25)
def test_fault_B15_a_result_is_kept_as_the_text_that_came_or_is_refused_and_the_page_told_so(
    server: Live, value: bytes
) -> None:
    page = Page(server)
    page.register("odd-results")
    job = server.submit("odd-results")
    offer = page.hear("job")
    message = b'4{"op":"result","attempt":"' + offer["attempt"].encode() + b'","value":' + value + b"}"
    reply = server.ask("POST", page.target, message)
    try:
        value.decode()
    except UnicodeDecodeError:
        assert reply.status == 400, "no text at all: the session ends, as the protocol says"
        assert server.ask("POST", f"/api/v1/jobs/{job['id']}/cancel", b"", JSON).status in (200, 202)
        return
    assert reply.status == 200
    if _is_taken(value):
        assert page.hear("recorded")["verdict"] == "recorded"
        result = server.ask("GET", f"/api/v1/jobs/{job['id']}/result")
        assert (result.status, result.body) == (200, value)
    else:
        assert page.hear("refused")["code"] == "bad_message"
        assert server.ask("POST", f"/api/v1/jobs/{job['id']}/cancel", b"", JSON).status in (200, 202)
    page.leave()
