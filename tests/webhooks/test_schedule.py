"""When a message is tried again."""

from __future__ import annotations

import pytest

from dispatcher.webhooks.schedule import DELAYS_S, JITTER, LONGEST_ASKED_S, MOST_ATTEMPTS, next_delay


def test_a_message_is_tried_for_three_days_and_then_no_more() -> None:
    delays = [next_delay(attempt, 0.0) for attempt in range(1, MOST_ATTEMPTS + 1)]
    assert delays == [*DELAYS_S, None]
    assert sum(DELAYS_S) > 3 * 86_400


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_chance_makes_a_wait_longer_and_never_shorter(chance: float) -> None:
    assert next_delay(1, chance) == pytest.approx(DELAYS_S[0] * (1 + JITTER * chance))


def test_a_receiver_may_ask_for_a_longer_wait_within_a_day() -> None:
    assert next_delay(1, 0.0, 60.0) == 60.0
    assert next_delay(3, 0.0, 60.0) == DELAYS_S[2]
    assert next_delay(1, 0.0, 1e9) == LONGEST_ASKED_S
    assert next_delay(MOST_ATTEMPTS, 0.0, 60.0) is None
