"""The page reads and writes the messages of tests/vectors/protocol.json, which the server's tests run as well."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dispatcher.errors import MessageRefused
from dispatcher.pages.protocol import decode
from tests.support.places import ROOT

from .harness import REGISTERED, Message, Page, job, joined
from .test_worker import SLOW

VECTORS: list[dict[str, Any]] = json.loads((ROOT / "tests" / "vectors" / "protocol.json").read_text(encoding="utf-8"))
OF_SERVER = [vector for vector in VECTORS if vector["dir"] == "server"]
OF_PAGE = [vector for vector in VECTORS if vector["dir"] == "page"]


def by_name(name: str) -> Message:
    (text,) = [vector["text"] for vector in OF_PAGE if vector["name"] == name]
    return dict(json.loads(text))


@pytest.mark.parametrize("vector", OF_SERVER, ids=lambda vector: vector["name"])
def test_the_page_reads_what_the_server_says(vector: dict[str, Any]) -> None:
    code = (
        Page()
        .load()
        .run(
            f"try {{ Pagehand.readMessage({json.dumps(vector['text'])}); return null; }} catch (e) {{ return e.code; }}"
        )
    )
    assert code == (None if vector["ok"] else vector["code"])


@pytest.mark.parametrize("vector", OF_PAGE, ids=lambda vector: vector["name"])
def test_the_server_reads_what_a_page_says(vector: dict[str, Any]) -> None:
    code = None
    try:
        decode(vector["text"])
    except MessageRefused as refusal:
        code = refusal.code
    assert code == (None if vector["ok"] else vector["code"])


def test_register_is_written_as_the_vector_says() -> None:
    options = {"name": "DESK", "slots": 2, "token": "secret", "labels": {"floor": "2"}}
    page = Page(options=options, documentMode=11).load()
    expected = by_name("register of a new page")
    register = page.open()
    expected["page"]["library"] = register["page"]["library"]
    assert register == {**expected, "boot": register["boot"]}


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("progress", "seen.progress(40, 'printing');"),
        ("progress with a fraction", "seen.progress(33.3);"),
        ("progress with nothing, a heartbeat", "seen.progress();"),
        ("log", "seen.log('out of paper \\u00fc \\u2713');"),
        ("result", "end(null, {pages: 2, text: '\\u00fc'});"),
        ("result that is null", "end();"),
        ("error that is not tried again", "var e = Pagehand.fatal('bad order'); e.stack = ''; end(e);"),
        ("error with a stack", "end({message: 'x is undefined', stack: 'f@http://site.test/a.js:1:2'});"),
        ("pause", "worker.pause();"),
    ],
)
def test_a_message_is_written_as_the_vector_says(name: str, script: str) -> None:
    page = joined(SLOW)
    page.push(job(type_="slow"))
    assert page.take() == [by_name("accept")]
    page.run(script)
    assert page.take() == [by_name(name)]


def test_resume_bye_and_releases_are_written_as_the_vectors_say() -> None:
    page = joined(SLOW)
    page.push(job(type_="other"))
    assert page.take() == [by_name("released, declined")]
    page.push({"op": "cancel", "attempt": "a1", "reason": "cancelled"})
    assert page.take() == [by_name("released, cancelled")]
    page.run("worker.pause();")
    page.take()
    page.run("worker.resume();")
    assert page.take() == [by_name("resume of the page")]
    page.run("worker.stop();")
    assert json.loads(page.packets()[0][1:]) == by_name("bye")


def test_everything_the_page_writes_in_a_wild_life_is_read_by_the_server() -> None:
    tasks = SLOW + "Pagehand.task('echo', function (job) { return job.data; }, {quick: true});"
    page = Page(tasks=tasks, options={"name": "x" * 500, "slots": 64}).load()
    texts: list[str] = []

    def take() -> None:
        while page.requests("POST"):
            texts.extend(packet[1:] for packet in page.packets() if packet[0] == "4")
            page.answer(page.post, 200, "ok")

    page.push_packets('0{"sid":"s","pingInterval":20000,"pingTimeout":20000,"maxPayload":100000}')
    take()
    page.push(REGISTERED)
    for number in range(10):
        page.push(job(f"a{number}", "slow"), job(f"b{number}", data="\ud800" if number == 5 else number))
        take()
        page.run(f"seen.progress({number * 15}, new Array(3000).join('\\ud83d')); seen.log(null); seen.log({{}});")
        page.run(["end(null, 1);", "end(new Error(new Array(20000).join('\\u20ac')));", "end('x');"][number % 3])
        take()
    page.answer(page.poll, 0, "")
    page.advance(2_000)
    page.push_packets('0{"sid":"s","pingInterval":20000,"pingTimeout":20000}')
    take()
    assert len(texts) > 40
    for text in texts:
        decode(text)
