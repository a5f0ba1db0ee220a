"""So many at once, so many a minute; who is refused is told when to come again."""

from __future__ import annotations

import pytest

from dispatcher.errors import Unavailable
from handlers.worker.turnstile import Turnstile


def come(turnstile: Turnstile, count: int, now: float) -> None:
    """So many come and leave at once."""
    for _ in range(count):
        turnstile.enter(now)
        turnstile.leave()


def test_as_many_are_inside_as_there_are_places_and_one_more_when_one_has_left() -> None:
    turnstile = Turnstile(2, 100)
    turnstile.enter(5.0)
    turnstile.enter(5.0)
    with pytest.raises(Unavailable) as refused:
        turnstile.enter(5.0)
    assert refused.value.retry_after_s > 0
    turnstile.leave()
    turnstile.enter(5.0)


def test_a_minute_s_requests_may_come_together_and_each_comes_back_in_its_time() -> None:
    turnstile = Turnstile(2, 60)
    come(turnstile, 60, 1000.0)
    with pytest.raises(Unavailable) as refused:
        turnstile.enter(1000.0)
    assert refused.value.retry_after_s == 1
    come(turnstile, 1, 1001.0)
    with pytest.raises(Unavailable):
        turnstile.enter(1001.5)


def test_who_was_refused_has_taken_nothing() -> None:
    turnstile = Turnstile(1, 60)
    turnstile.enter(0.0)
    for _ in range(100):
        with pytest.raises(Unavailable):
            turnstile.enter(0.0)
    turnstile.leave()
    come(turnstile, 59, 0.0)


def test_no_more_than_a_minute_s_requests_are_saved_up() -> None:
    turnstile = Turnstile(1, 60)
    come(turnstile, 60, 1e6)
    with pytest.raises(Unavailable):
        turnstile.enter(1e6)


def test_a_stamp_is_known_again_until_a_minute_s_requests_have_come_since() -> None:
    turnstile = Turnstile(2, 3)
    assert not turnstile.has_come_before("a")
    assert turnstile.has_come_before("a")
    assert [turnstile.has_come_before(stamp) for stamp in ("b", "c", "d")] == [False] * 3
    assert not turnstile.has_come_before("a")


@pytest.mark.parametrize("stamp", ["", "x" * 65])
def test_what_is_no_page_s_stamp_is_not_kept(stamp: str) -> None:
    turnstile = Turnstile(2, 3)
    assert not turnstile.has_come_before(stamp)
    assert not turnstile.has_come_before(stamp)
