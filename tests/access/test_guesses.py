"""Who guesses the settings' token is slowed, and nobody else."""

from __future__ import annotations

import contextlib

import pytest

from dispatcher.access.guesses import MOST_PLACES, MOST_REMEMBERED, Guesses
from dispatcher.errors import TooManyGuesses

OWN = b"s3cret"
HERE = "192.0.2.7"


@pytest.fixture
def guesses() -> Guesses:
    return Guesses(3)


def tried(guesses: Guesses, count: int, address: str = HERE, now: float = 0.0) -> None:
    for number in range(count):
        assert not guesses.right(OWN, b"wrong-%d" % number, address, now)


def refused(guesses: Guesses, shown: bytes, address: str = HERE, now: float = 0.0) -> int:
    with pytest.raises(TooManyGuesses) as caught:
        guesses.right(OWN, shown, address, now)
    return caught.value.retry_after_s


def test_the_right_token_is_right_after_some_wrong_ones(guesses: Guesses) -> None:
    tried(guesses, 2)
    assert guesses.right(OWN, OWN, HERE, 0.0)


def test_after_too_many_wrong_ones_not_even_the_right_one_is_looked_at(guesses: Guesses) -> None:
    tried(guesses, 3)
    assert refused(guesses, b"another") == 20
    assert refused(guesses, OWN) == 20


def test_the_allowance_comes_back_with_time(guesses: Guesses) -> None:
    tried(guesses, 3)
    assert refused(guesses, OWN, now=12.5) == 8
    assert guesses.right(OWN, OWN, HERE, 20.0)
    assert not guesses.right(OWN, b"another", HERE, 20.0)
    assert refused(guesses, OWN, now=20.0) == 20
    # No more than the whole of it, after whatever time.
    for number in range(3):
        assert not guesses.right(OWN, b"later-%d" % number, HERE, 1e6)
    refused(guesses, OWN, now=1e6)


def test_a_page_with_an_old_token_may_show_it_for_ever(guesses: Guesses) -> None:
    for _ in range(1_000):
        assert not guesses.right(OWN, b"yesterday's", HERE, 0.0)
    assert guesses.right(OWN, OWN, HERE, 0.0)


def test_a_wrong_token_that_is_known_is_wrong_even_when_the_allowance_is_gone(guesses: Guesses) -> None:
    tried(guesses, 3)
    assert not guesses.right(OWN, b"wrong-1", HERE, 0.0)


def test_more_old_tokens_than_the_allowance_are_known_in_the_end(guesses: Guesses) -> None:
    """Each minute three are counted, and none of those comes again as a new one."""
    pages = [b"old-%d" % number for number in range(MOST_REMEMBERED)]
    minutes = [60.0 * number for number in range(MOST_REMEMBERED)]
    for now in minutes:
        for shown in pages:
            with contextlib.suppress(TooManyGuesses):
                guesses.right(OWN, shown, HERE, now)
    assert not any(guesses.right(OWN, shown, HERE, minutes[-1]) for shown in pages)
    assert guesses.right(OWN, OWN, HERE, minutes[-1])


def test_passwords_for_a_proxy_keep_no_token_out_and_are_told_to_nobody(guesses: Guesses) -> None:
    told: list[str] = []
    guesses.noted = told.append
    for number in range(1_000):
        assert not guesses.password_is(OWN, b"person-%d" % number, HERE, 0.0)
    assert guesses.right(OWN, OWN, HERE, 0.0)
    assert not guesses.password_is(OWN, OWN, HERE, 0.0)
    assert guesses.password_is(OWN, OWN, HERE, 20.0)
    assert told == []


def test_no_token_is_no_guess(guesses: Guesses) -> None:
    assert not guesses.right(OWN, b"", HERE, 0.0)
    assert len(guesses) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.7", "192.0.2.8", False),
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("2001:db8::1", "2001:db8:0:ff::1", True),
        ("2001:db8::1", "2001:db8:0:100::1", False),
        ("", "192.0.2.7", False),
    ],
)
def test_other_places_do_not_suffer(guesses: Guesses, one: str, other: str, same: bool) -> None:
    tried(guesses, 3, one)
    if same:
        refused(guesses, OWN, other)
    else:
        assert guesses.right(OWN, OWN, other, 0.0)


def test_another_token_of_our_own_forgives(guesses: Guesses) -> None:
    tried(guesses, 3)
    guesses.forgive()
    assert guesses.right(b"wrong-1", b"wrong-1", HERE, 0.0)


def test_what_is_remembered_is_bounded() -> None:
    guesses = Guesses(100_000)
    tried(guesses, MOST_REMEMBERED + 5)
    [place] = guesses._places.values()
    assert len(place.wrong) == MOST_REMEMBERED
    for number in range(MOST_PLACES + 5):
        guesses.right(OWN, b"wrong", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
    assert len(guesses) == MOST_PLACES
    assert HERE not in guesses._places
