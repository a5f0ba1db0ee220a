"""Words for people."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from dispatcher.core.fleet.worker import WorkerState
from dispatcher.core.jobs.acts.kept import Hold
from dispatcher.core.jobs.model import WorkerStatus
from dispatcher.core.jobs.states import JobState
from handlers.console import words
from tests.handlers.rich import PICTURE
from tests.support.jobs import NOW, worker_view


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (-5, "0 ms"),
        (0, "0 ms"),
        (0.0124, "12 ms"),
        (0.9994, "999 ms"),
        (0.9999, "1.0 s"),
        (3.21, "3.2 s"),
        (59.96, "1 min"),
        (125, "2 min 5 s"),
        (3_600, "1 h"),
        (11_530, "3 h 12 min"),
        (86_400 * 4 + 3 * 3_600 + 59, "4 d 3 h"),
    ],
)
def test_a_duration_is_short_and_never_breaks(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("distance", "text"),
    [(0.4, "now"), (12, "12 s ago"), (125, "2 min ago"), (-95, "in 1 min"), (-30, "in 30 s"), (90_000, "1 d ago")],
)
def test_a_distance_is_coarse(distance: float, text: str) -> None:
    assert words.ago(NOW - distance, NOW).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("count", "text"), [(500, "500 bytes"), (1 << 20, "1 MiB"), (785_408, "767 KiB"), (1_600_000, "1.5 MiB")]
)
def test_a_size_is_rounded_down(count: int, text: str) -> None:
    assert words.size(count) == text


@pytest.mark.parametrize("state", JobState)
def test_every_state_has_a_word(state: JobState) -> None:
    assert words.state_word(state.value)[0].isupper()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (None, False),
        (f'"{PICTURE}"', True),
        (f'{{"image": "{PICTURE}", "width": 1}}', True),
        (f'{{"other": "{PICTURE}"}}', False),
        ('"data:image/svg+xml;base64,PHN2Zz4="', False),
        ('"data:image/png;base64,AA\\" onerror=\\"alert(1)"', False),
        ('"data:image/png,<script>"', False),
        ('"data:text/html;base64,AA=="', False),
        ('["data:image/png;base64,AA=="]', False),
        ("data:image/png;base64,AA==", True),
        ("{" * 5_000 + "data:image/png", False),
    ],
)
def test_only_a_picture_of_three_kinds_is_shown(text: str | None, seen: bool) -> None:
    assert (words.picture(text) is not None) is seen


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "Ready"),
        ({"types": []}, "Without tasks"),
        ({"jobs": ["a"]}, "Busy"),
        ({"jobs": ["a", "b"], "hanging": ["b"]}, "Stuck"),
    ],
)
def test_a_connected_worker_says_what_it_does(fields: dict[str, list[str]], word: str) -> None:
    assert words.worker_word(worker_view(**({"jobs": []} | fields))) == word


ANNA, LONG = Hold(NOW, "anna", "printer broken"), Hold(NOW, "anna", "w" * 200)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"held": ANNA}, 'Paused by anna: "printer broken"'),
        ({"held": ANNA, "jobs": ["a"]}, 'Paused by anna: "printer broken"'),
        ({"held": replace(ANNA, leaves=True)}, 'Drained by anna: "printer broken"'),
        ({"held": ANNA, "state": WorkerStatus.AWAY}, 'Paused by anna: "printer broken" (away)'),
        ({"held": Hold(NOW, "")}, "Paused"),
        ({"held": LONG}, f'Paused by anna: "{"w" * 59}…"'),
        ({}, "Paused at its page"),
        ({"held": ANNA, "blocked": replace(ANNA, reason="not ours"), "paused": True}, 'Blocked by anna: "not ours"'),
    ],
)
def test_a_worker_that_gets_no_jobs_says_who_keeps_it_from_them_and_why(fields: dict[str, Any], word: str) -> None:
    view = worker_view(**({"paused": True} | fields))
    assert words.worker_word(view) == word
    assert words.worker_whole(view) == word.replace(f"{'w' * 59}…", "w" * 200)


@pytest.mark.parametrize("status", WorkerStatus)
@pytest.mark.parametrize("paused", [False, True])
def test_every_state_of_a_worker_has_words_and_every_one_but_the_usual_a_note(
    status: WorkerStatus, paused: bool
) -> None:
    view = worker_view(state=status, paused=paused)
    said = words.worker_word(view)
    assert "_" not in said
    assert said[0].isupper()
    assert said.startswith("Paused at its page") == paused
    assert bool(words.worker_note(view, NOW)) == (status is not WorkerStatus.CONNECTED)


def test_a_worker_that_has_gone_says_since_when() -> None:
    view = worker_view(state=WorkerStatus.GONE, gone_at=1_795_853_530.0)
    assert words.worker_word(view) == "Not here"
    assert words.worker_note(view, 1_795_903_000.0) == "since\u00a008:12\u00a0UTC"
    assert words.worker_note(view, 1_795_945_000.0) == "since\u00a02026-11-28\u00a008:12\u00a0UTC"


def test_every_state_that_the_core_knows_is_shown() -> None:
    assert {state.value for state in WorkerState} <= {status.value for status in WorkerStatus}
    assert set(words.WORKER_WORDS) == set(words.WORKER_NOTES) == set(WorkerStatus)
