"""What tokens have opened: each thing is told once, and only when its own token ends."""

from __future__ import annotations

from functools import partial

from dispatcher.access.opened import Opened


def test_what_a_token_has_opened_is_told_once_when_it_ends() -> None:
    opened, told = Opened(), list[str]()
    opened.add("one", lambda: told.append("page"))
    opened.add("one", lambda: told.append("stream"))
    opened.add("two", lambda: told.append("another's"))
    opened.end("one")
    assert told == ["page", "stream"]
    opened.end("one")
    assert (told, len(opened)) == (["page", "stream"], 1)


def test_what_is_over_is_told_nothing_and_not_kept() -> None:
    opened, told = Opened(), list[str]()
    first = opened.add("one", lambda: told.append("first"))
    second = opened.add("one", lambda: told.append("second"))
    first.close()
    assert len(opened) == 1
    opened.end("one")
    second.close()
    assert (told, len(opened), opened._by_token) == (["second"], 0, {})


def test_one_that_ends_another_in_its_turn_does_no_harm() -> None:
    opened, told = Opened(), list[str]()
    later = opened.add("one", lambda: told.append("later"))
    opened.end("one")
    later.close()
    opened.add("one", lambda: told.append("new"))
    assert len(opened) == 1
    assert told == ["later"]


def test_of_many_things_only_some_are_told_at_a_time() -> None:
    opened, told = Opened(), list[int]()
    for number in range(5):
        opened.add("t", partial(told.append, number))
    opened.add("other", partial(told.append, 9))
    assert opened.end("t", most=2)
    assert told == [0, 1]
    assert opened.end("t", most=2)
    assert not opened.end("t", most=2)
    assert (told, len(opened)) == ([0, 1, 2, 3, 4], 1)
