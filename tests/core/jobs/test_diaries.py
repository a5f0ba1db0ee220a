"""What a worker did lately: how its diary goes on, and how it becomes a day of quarters."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.diaries import (
    MOST_JOBS,
    QUARTER_S,
    UNHEARD,
    Diary,
    QuarterState,
    WorkedQuarter,
    continued,
    day_of,
    quarter_of,
)

#: The beginning of a quarter.
NOW = 2_000 * QUARTER_S


def states(diary: Diary, now_at: float = NOW, **given) -> str:
    """The last quarters, a letter each, from the first one that is known."""
    told = day_of(diary, now_at, **({"is_here": True} | given))
    assert len(told) == 96
    assert [one.at for one in told] == [quarter_of(now_at) * QUARTER_S - back * QUARTER_S for back in range(95, -1, -1)]
    return "".join(one.state[0] for one in told).lstrip("u")


def test_a_diary_goes_on_where_an_older_one_ends():
    old = Diary(at=NOW, jobs=("a", "b", "c"), tries=((1_900, 5), (1_999, 1), (2_000, 2)), passages=((NOW - 9, "away"),))
    new = Diary(at=NOW + 9, day=3, done=2, jobs=("b", "d"), tries=((2_000, 1),), passages=((NOW + 1, "connected"),))
    told = continued(old, new)
    assert told.jobs == ("a", "c", "b", "d")
    assert told.tries == ((1_999, 1), (2_000, 3)), "what is older than a day is gone"
    assert told.passages == ((NOW - 9, "away"), (NOW + 1, "connected"))
    assert (told.at, told.day, told.done) == (NOW + 9, 3, 2)


def test_between_two_diaries_of_which_the_first_ends_with_the_worker_here_nothing_is_known():
    old = Diary(at=NOW - 2_000, passages=((NOW - 2_900, "connected"),))
    told = continued(old, Diary(at=NOW, passages=((NOW - 100, "connected"),)))
    assert told.passages == ((NOW - 2_900, "connected"), (NOW - 2_000, UNHEARD), (NOW - 100, "connected"))
    assert continued(Diary(at=1.0), told).passages == told.passages


def test_it_keeps_the_newest_jobs_and_passages():
    old = Diary(at=NOW, jobs=tuple(f"j{n}" for n in range(50)), passages=((NOW, "away"),) * 60)
    told = continued(old, Diary(at=NOW, jobs=("new",), passages=((NOW, "back"),)))
    assert (len(told.jobs), told.jobs[0], told.jobs[-1]) == (MOST_JOBS, "j1", "new")
    assert (len(told.passages), told.passages[-1]) == (60, (NOW, "back"))


@pytest.mark.parametrize(
    ("passages", "told"),
    [
        ((), ""),
        ([(NOW - 1, "connected")], "rr"),
        ([(NOW - 3 * QUARTER_S, "connected"), (NOW - 2 * QUARTER_S - 1, "away")], "raaa"),
        ([(NOW - 3 * QUARTER_S, "away"), (NOW - 2 * QUARTER_S - 1, "back")], "rrrr"),
        ([(NOW - 4 * QUARTER_S, "quiet"), (NOW - 3 * QUARTER_S - 1, UNHEARD), (NOW, "back")], "auuur"),
        ([(NOW - 400 * QUARTER_S, "connected")], "r" * 96),
        ([(NOW + 5 * QUARTER_S, "connected")], ""),
    ],
)
def test_a_quarter_is_the_best_of_what_the_worker_was_in_it(passages, told):
    assert states(Diary(at=NOW, passages=tuple(passages))) == told


def test_whoever_is_not_here_was_here_up_to_the_last_note():
    diary = Diary(at=NOW - QUARTER_S, passages=((NOW - 2 * QUARTER_S, "connected"),))
    assert states(diary, is_here=False) == "rru"
    assert states(diary) == "rrr"


def test_a_quarter_with_tries_or_under_a_long_job_was_busy():
    diary = Diary(at=NOW, tries=((1_999, 2),), passages=((NOW - 3 * QUARTER_S, "connected"),))
    assert states(diary) == "rrbr"
    assert states(diary, busy=[(NOW - 3 * QUARTER_S, NOW - 2 * QUARTER_S)]) == "bbbr"
    assert day_of(diary, NOW, is_here=True)[-2] == WorkedQuarter(NOW - QUARTER_S, QuarterState.BUSY, 2)
