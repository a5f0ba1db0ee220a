"""``top``: one screen again and again on a terminal, plain lines once elsewhere."""

from __future__ import annotations

import json
import re

from tests.sdk.cli.typed import typed
from tests.sdk.client.scripted import cut, reply, scripted
from tests.support.server import Live


def stats(succeeded: int) -> tuple[bytes, str]:
    jobs = {"queued": 4, "running": 1, "succeeded": succeeded}
    return reply(200, {"jobs": jobs, "workers": {"connected": 2}, "draining": False})


def listed(**fields: object) -> tuple[bytes, str]:
    return reply(200, {"items": [fields], "next_cursor": None})


TYPES = listed(type="ocr", workers=2, counts={"queued": 4, "running": 1})
RUNNING = listed(id="j1", type="ocr", state="running", worker_name="DESK\x1b[2J", progress={"percent": 40, "note": "p"})
FAILED = listed(id="j2", type="ocr", state="failed", error={"message": "no paper"})


def looked(succeeded: int) -> list[tuple[bytes, str]]:
    return [stats(succeeded), TYPES, RUNNING, FAILED]


class Seconds:
    """A clock that goes on by sleeping; Ctrl-C comes after some rests."""

    def __init__(self, rests: int) -> None:
        self.now_s = 0.0
        self._left = rests

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self._left -= 1
        if not self._left:
            raise KeyboardInterrupt


def test_what_is_no_terminal_gets_plain_lines_once() -> None:
    with scripted(*looked(7)) as server:
        said = typed("top", "--url", server.url)
    assert (said.status, said.err, "\x1b" in said.out) == (0, "", False)
    lines = [line.split() for line in said.out.splitlines()]
    assert lines[1] == ["open", "scheduled", "0", "queued", "4", "running", "1", "in_doubt", "0"]
    assert ["ocr", "2", "4", "1", "0"] in lines
    assert ["j1", "ocr", "-", r"DESK\x1b[2J", "40", "%", "p"] in lines
    assert ["j2", "failed", "ocr", "no", "paper"] in lines


def test_a_program_gets_what_the_screen_is_made_of_as_one_line_of_json() -> None:
    with scripted(*looked(7)) as server:
        said = typed("top", "-o", "json", "--url", server.url)
    assert (said.status, said.err, said.out.count("\n")) == (0, "", 1)
    found = json.loads(said.out)
    assert (found["stats"]["jobs"]["succeeded"], found["types"][0]["type"]) == (7, "ocr")
    assert (found["running"][0]["id"], found["failed"][0]["id"]) == ("j1", "j2")


def test_a_terminal_is_drawn_anew_each_second_until_ctrl_c() -> None:
    time = Seconds(rests=2)
    with scripted(*looked(7), *looked(10)) as server:
        said = typed("top", "--every=2", "--url", server.url, terminal=True, clock=time.clock, sleep=time.sleep)
    assert (said.status, time.now_s) == (0, 4.0)
    first, second = said.out.split("\x1b[HPagehand")[1:]
    assert "/s)" not in first
    assert "(1.5/s)" in second
    assert said.out.startswith("\x1b[?25l")
    assert said.out.endswith("\x1b[J\x1b[?25h")
    assert re.findall(r"\x1b\[2J", said.out) == []


def test_a_small_terminal_is_not_scrolled() -> None:
    time = Seconds(rests=1)
    small = {"TERM": "xterm", "COLUMNS": "30", "LINES": "8", "NO_COLOR": "1"}
    with scripted(*looked(7)) as server:
        said = typed("top", "--url", server.url, terminal=True, environ=small, clock=time.clock, sleep=time.sleep)
    lines = said.out.split("\x1b[H")[-1].splitlines()
    assert len(lines) == 7
    assert max(map(len, re.sub(r"\x1b\[\??[0-9]*[a-zA-Z]", "", "\n".join(lines)).split("\n"))) <= 30


def test_a_server_that_is_away_for_a_while_is_said_on_the_last_screen() -> None:
    time = Seconds(rests=3)
    with scripted(*looked(7), cut("before"), cut("before"), *looked(9)) as server:
        said = typed("top", "--url", server.url, terminal=True, clock=time.clock, sleep=time.sleep)
    screens = said.out.split("\x1b[HPagehand")[1:]
    assert [("No answer from" in screen, "queued 4" in screen) for screen in screens] == [
        (False, True), (True, True), (False, True),
    ]  # fmt: skip


def test_a_server_that_was_never_there_ends_it() -> None:
    said = typed("top", "--url=127.0.0.1:1", terminal=True)
    assert (said.status, "Is the server running" in said.err, said.out.endswith("\x1b[?25h")) == (4, True, True)


def test_a_real_server_is_shown(server: Live, at: list[str]) -> None:
    assert f"Pagehand at {server.url}\n" in typed("top", *at).out
