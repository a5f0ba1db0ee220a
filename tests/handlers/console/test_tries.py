"""The tries of a job as bars on one scale of time."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from dispatcher.core.jobs.model import LogLine
from dispatcher.core.jobs.states import JobState
from handlers.console.tries import MOST_TRIES, WIDTH, TryBar, shown_tries, try_bars
from tests.handlers.conftest import Browser, Scene
from tests.handlers.rich import WAITING, rich
from tests.support.house import House
from tests.support.jobs import NOW, attempt_view, job_view
from tests.support.scenes import submit, take


def bars(*attempts: Any, now: float = NOW, **job: Any) -> list[TryBar]:
    usual = {"created_at": NOW - 100.0, "state": JobState.FAILED, "attempts": list(attempts), "run_at": None}
    return try_bars(job_view(**(usual | job)), now)


def parts(bar: TryBar) -> list[tuple[str, int, int]]:
    return [(one.look, one.left, one.width) for one in bar.stretches]


def plain(bar: TryBar) -> str:
    return bar.words.replace("\u00a0", " ")


def test_a_try_waits_is_offered_and_runs() -> None:
    [bar] = bars(attempt_view(offered_at=NOW - 50.0, started_at=NOW - 25.0, ended_at=NOW))
    assert plain(bar) == "waited 50.0 s, offered for 25.0 s, ran 25.0 s"
    assert parts(bar) == [("wait", 0, 494), ("offer", 494, 247), ("good", 741, 247)]
    assert (bar.number, bar.worker) == (1, "DESK")


def test_the_next_try_waits_from_the_end_of_the_one_before_it() -> None:
    first = attempt_view(offered_at=NOW - 90.0, started_at=NOW - 80.0, ended_at=NOW - 60.0, state="error")
    second = attempt_view(number=2, offered_at=NOW - 20.0, started_at=NOW - 10.0, ended_at=None, state="running")
    newest, oldest = bars(first, second, state=JobState.RUNNING)
    assert plain(oldest) == "waited 10.0 s, offered for 10.0 s, ran 20.0 s"
    assert plain(newest) == "waited 40.0 s, offered for 10.0 s, ran 10.0 s"
    assert (oldest.stretches[-1].look, newest.stretches[-1].look) == ("bad", "open")
    assert newest.stretches[0].left > oldest.stretches[-1].left, "they share one scale"


def test_an_offer_that_lapsed_has_no_run_and_a_late_answer_is_told() -> None:
    lapsed = attempt_view(number=None, offered_at=NOW - 90.0, started_at=None, ended_at=NOW - 80.0, state="lapsed")
    late = attempt_view(
        offered_at=NOW - 70.0, started_at=NOW - 60.0, ended_at=NOW - 30.0, late_at=NOW, state="timed_out"
    )
    newest, oldest = bars(lapsed, late)
    assert plain(oldest) == "waited 10.0 s, offered for 10.0 s"
    assert plain(newest) == "waited 10.0 s, offered for 10.0 s, ran 30.0 s, answered late, after 30.0 s"
    assert [one.look for one in newest.stretches] == ["wait", "offer", "bad", "late"]


def test_what_took_no_time_to_speak_of_is_seen_all_the_same() -> None:
    [bar] = bars(attempt_view(offered_at=NOW - 0.05, started_at=NOW - 0.04, ended_at=NOW), created_at=NOW - 300_000.0)
    assert [width for _, _, width in parts(bar)] == [987, 4, 4]


@pytest.mark.parametrize("seed", range(20))
def test_no_bar_leaves_the_drawing_whatever_the_clocks_did(seed: int) -> None:
    rng = random.Random(seed)
    attempts = [
        attempt_view(
            offered_at=NOW - rng.uniform(-50, 200), started_at=rng.choice([None, NOW - rng.uniform(-50, 200)]),
            ended_at=rng.choice([None, NOW - rng.uniform(-50, 200)]), late_at=rng.choice([None, NOW]),
        )
        for _ in range(5)
    ]  # fmt: skip
    for bar in bars(*attempts, state=rng.choice([JobState.FAILED, JobState.RUNNING])):
        behind = 0
        for _, left, width in parts(bar):
            assert left >= behind
            assert width >= 4
            behind = left + width
        assert behind <= WIDTH


def test_of_many_tries_the_newest_are_drawn() -> None:
    many = [attempt_view(number=n, offered_at=NOW - 90 + n, ended_at=NOW - 89.5 + n) for n in range(1, 31)]
    drawn = bars(*many)
    assert [bar.number for bar in drawn] == list(range(30, 30 - MOST_TRIES, -1))
    assert plain(drawn[-1]).startswith("waited 500 ms"), "from the end of the one before"
    assert bars() == []


def test_each_try_has_its_lines_and_what_is_left_is_told_apart() -> None:
    attempts = [attempt_view(number=2), attempt_view(number=None, started_at=None), attempt_view(number=3)]
    lines = [LogLine(line_no=n, at=NOW, line=str(n), number=number) for n, number in enumerate([1, 2, 3, 2, None])]
    found = shown_tries(job_view(attempts=attempts, number=3, state=JobState.FAILED), lines, NOW)
    assert [(one.attempt.number, [line.line_no for line in one.lines]) for one in found.shown] == [
        (3, [2]), (None, []), (2, [1, 3]),
    ]  # fmt: skip
    assert [line.line_no for line in found.rest] == [0, 4]
    assert [one.has_progress for one in found.shown] == [True, False, False]


@pytest.fixture
def scene() -> Scene:
    return rich


@pytest.mark.gen_test
async def test_the_page_of_a_job_draws_its_tries_with_words(browser: Browser) -> None:
    page = (await browser.page("/jobs/failed-1")).replace("\u00a0", " ")
    drawn = re.findall(r'<svg class="bars" role="img" focusable="false" aria-label="([^"]+)"', page)
    assert len(drawn) == 4
    assert all(f'<p class="faint">{words}; offered' in page for words in drawn)
    assert 'id="tries"' not in await browser.page("/jobs/" + WAITING)


@pytest.mark.gen_test
async def test_under_each_try_stand_its_error_its_progress_and_its_lines(browser: Browser, house: House) -> None:
    job = await submit(house, "j", type="label", max_attempts=2)
    for number in (1, 2):
        tried = await take(house, job, f"DESK-{number}")
        await tried.say("accept")
        await tried.say("progress", percent=10.0 * number, note=f"copy {number}")
        await tried.say("log", line=f"line of {number}")
        await tried.error(f"no paper {number}\n{'x' * 9_000}{number}", stack=f"at print (/label.js:{number})")
        await house.pass_time(60.0)
    top, newest, first = (await browser.page("/jobs/j")).split('<div class="try"')
    first = first.partition("<h2>Data</h2>")[0]
    told = re.compile(r"(no paper|copy|line of) (\d)")
    assert told.findall(newest) == [("no paper", "2"), ("copy", "2"), ("line of", "2")]
    assert '<a href="#error">All of it stands above</a>' in newest
    assert [len(part) > 9_000 for part in (top, newest, first)] == [True, False, True]
    clear = re.sub("<details.*?</details>", "", first, flags=re.DOTALL)
    assert told.findall(clear) == [("no paper", "1"), ("line of", "1")]
    assert "xxx" not in clear, "what does not fit into a line is folded"
    assert "Stack of try 1" in first
