"""The choices of the model's rules, and when rules apply, so that no steps are wasted on what cannot happen."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition

pick = st.integers(0, 1_000)
TYPES = st.sampled_from(["a", "a", "b"])
OFFERS = st.sampled_from([("a",), ("a",), ("a", "b"), ("b",)])
EFFECTS = st.sampled_from(["repeat", "once"])
HEARTBEATS_S = st.sampled_from([None, 12.7])
PAUSES_S = st.sampled_from([0.7, 2.9, 3.1, 9.5, 10.5, 29.5, 31.0, 61.7, 200.3])
#: Changes of a job that waits.
CHANGES = st.sampled_from(
    [{"priority": 1}, {"priority": -1}, {"delay_s": 4.3}, {"delay_s": 0.0}, {"expires_s": 9.1}, {"expires_s": None}]
)


def able(page, world):
    """Whether the page can speak for a worker now."""
    return page.session is not None and world.ref.by_session(page.session) is not None


#: They keep the model from wasting steps on what cannot happen.
somebody_is_there = precondition(lambda self: any(page.session for page in self.world.pages))
somebody_is_able = precondition(lambda self: any(able(page, self.world) for page in self.world.pages))
somebody_works = precondition(lambda self: any(page.has and able(page, self.world) for page in self.world.pages))
somebody_has_a_stash = precondition(
    lambda self: any(page.stash and able(page, self.world) for page in self.world.pages)
)
somebody_was_told = precondition(lambda self: any(page.told and able(page, self.world) for page in self.world.pages))
somebody_is_cut_off = precondition(lambda self: any(not page.session for page in self.world.pages))
somebody_is_away = precondition(lambda self: any(session.away for session in self.world.sessions.values()))
something_is_in_flight = precondition(lambda self: self.world.flight is not None)


def of(items, n):
    """One of these; None if there is none."""
    items = list(items)
    return items[n % len(items)] if items else None
