"""The nemesis's checker sees what it is for, and its watch sees a request that hangs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dispatcher.core.jobs.turn import Started
from tests.campaigns.nemesis_checker import Findings, Story, check
from tests.campaigns.nemesis_load import History, Submitter, Watch
from tests.store.contract import DURABLE, HOLDER, Desk, lost, result
from tests.support.http_bytes import Message, Side
from tests.support.jobs import spec
from tests.support.toxic import Toxics, toxic


class Scene:
    """Job ``a`` ran twice, as its first page went away; ``b`` has effects once. A store and a history of them."""

    def __init__(self, directory: Path) -> None:
        desk, self.history = Desk(DURABLE[0], directory), History(directory / "history.jsonl")
        self.database = directory / "jobs.db"
        self.attempts: list[str] = []
        for key in ("a", "b"):
            (job,) = desk.submit(spec(data=f'"{key}"', key=key, effects="once" if key == "b" else "repeatable"))
            self.history.note("submit", key=key, data=key)
            self.history.note("answer", key=key, status=201, id=job.id)
        first, once = desk.claim(2)
        self.jobs = {"a": first.job, "b": once.job}
        desk.turn(reports=[Started(first.attempt, HOLDER), Started(once.attempt, HOLDER), lost(first.attempt)])
        (second,) = desk.claim(1)
        desk.turn(reports=[Started(second.attempt, HOLDER)])
        for claim, key in ((second, "a"), (once, "b")):
            desk.report(result(claim.attempt, f'"done {key}"'))
            self.history.note("made", key=key, value=f'"done {key}"')
        for claim in (first, second, once):
            self.attempts.append(claim.attempt)
            self.history.note("run", job=claim.job, attempt=claim.attempt, worker="w")
        desk.end()

    def found(self) -> Findings:
        self.history.close()
        return check(self.database, Story.read(self.history.path))

    def damage(self, statement: str, *values: object) -> None:
        with sqlite3.connect(self.database) as database:
            assert database.execute(statement, values).rowcount
        database.close()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_the_nemesis_checker_finds_nothing_where_nothing_is_wrong_and_explains_what_ran_again(scene: Scene) -> None:
    found = scene.found()
    assert found.violations == []
    assert (found.executed, found.once, found.repeated) == (3, 1, Counter(lost=1))
    assert found.states == Counter(succeeded=2)


def _run_again(scene: Scene) -> None:
    scene.history.note("run", job=scene.jobs["b"], attempt="f" * 32, worker="w")


def _run_the_same_twice(scene: Scene) -> None:
    scene.history.note("run", job=scene.jobs["a"], attempt=scene.attempts[0], worker="w")


def _older_attempt_wins(scene: Scene) -> None:
    scene.damage("UPDATE jobs SET attempt = ? WHERE key = 'a'", scene.attempts[0])


@pytest.mark.parametrize(
    ("harm", "seen"),
    [
        (lambda scene: scene.damage("DELETE FROM jobs WHERE key = 'a'"), "lost"),
        (lambda scene: scene.damage("UPDATE jobs SET state = 'queued' WHERE key = 'a'"), "lost"),
        (lambda scene: scene.damage("UPDATE jobs SET state = 'in_doubt' WHERE key = 'a'"), "twice"),
        (lambda scene: scene.damage("UPDATE jobs SET key = 'c' WHERE key = 'a'"), "unexpected"),
        (lambda scene: scene.damage("UPDATE results SET value = '\"never made\"'"), "changed"),
        (lambda scene: scene.damage("UPDATE attempts SET cause = NULL WHERE cause = 'lost'"), "torn"),
        (lambda scene: scene.damage("DELETE FROM attempts WHERE cause = 'lost'"), "unexplained"),
        (lambda scene: scene.damage("UPDATE attempts SET cause = 'succeeded' WHERE cause = 'lost'"), "unexplained"),
        (_older_attempt_wins, "stale"),
        (_run_again, "again"),
        (_run_again, "unexplained"),
        (_run_the_same_twice, "unexplained"),
        (lambda scene: scene.history.note("answer", key="a", status=200, id="another"), "unexpected"),
        (lambda scene: scene.history.note("wrong", words="hung: GET / HTTP/1.1"), "wrong: hung"),
    ],
)
def test_the_nemesis_checker_sees_each_harm(scene: Scene, harm: Callable[[Scene], None], seen: str) -> None:
    harm(scene)
    found = scene.found().violations
    assert any(text.startswith(seen) for text in found), found


def test_a_loss_across_the_end_of_a_server_is_told_from_others(scene: Scene) -> None:
    database = sqlite3.connect(scene.database)
    (ended_at,) = database.execute("SELECT ended_at FROM attempts WHERE cause = 'lost'").fetchone()
    database.close()
    scene.history._file.write(json.dumps({"at": ended_at, "event": "gone"}) + "\n")
    assert scene.found().repeated == Counter({"lost over a restart": 1})


class Mute:
    """A server that answers only the first request of each connection; ``asked`` is set by the second."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        side = Side(reader, writer)
        with contextlib.suppress(EOFError):
            await side.request()
            writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n" + b'{"id": "x"}')
            await side.request()
            self.asked.set()
            await side.more()
        side.hang_up()


def _with_a_mute_server(play: Callable[[Any, Mute], Any]) -> None:
    async def stage() -> None:
        mute = Mute()
        server = await asyncio.start_server(mute.serve, "127.0.0.1", 0)
        async with toxic(server.sockets[0].getsockname()[1]) as proxy, asyncio.timeout(20):
            await play(proxy, mute)
        server.close()
        await asyncio.sleep(0)

    asyncio.run(stage())


@pytest.mark.parametrize(("fair", "hung"), [(True, 1), (False, 0)])
def test_the_watch_counts_a_request_that_hangs_once_and_none_while_the_server_cannot_answer(
    tmp_path: Path, fair: bool, hung: int
) -> None:
    async def play(proxy: Any, mute: Mute) -> None:
        watch = Watch(proxy, History(tmp_path / "history.jsonl"), 1.0)
        watch.fair = fair
        side = await Side.connect(proxy.port)
        for _ in range(2):
            side.writer.write(Message("GET / HTTP/1.1", (("Host", "x"),)).encoded())
        await side.answer("GET")
        await mute.asked.wait()
        for _ in range(5):
            watch._look(0.4)
        side.hang_up()
        watch._history.close()
        assert watch.hung == hung
        assert Story.read(watch._history.path).wrong == ["hung: GET / HTTP/1.1 has no answer after 1 s"] * hung

    _with_a_mute_server(play)


def test_a_submitter_whose_answer_is_lost_asks_again_with_the_same_key(tmp_path: Path) -> None:
    async def play(proxy: Any, mute: Mute) -> None:
        history = History(tmp_path / "history.jsonl")
        proxy.on_link = lambda link: setattr(link, "toxics", Toxics(lose_answer=True) if link.number == 1 else None)
        submitter = Submitter(proxy.port, history, random.Random(1))
        assert await submitter.submit("k") == "x"
        submitter.close()
        history.close()
        story = Story.read(history.path)
        assert (list(story.notes.sent), story.notes.accepted, story.notes.unanswered) == (["k"], {"k": "x"}, 1)

    _with_a_mute_server(play)
