"""What outlives a page load: the stash of results, the identity, the token; and what happens without storage."""

from __future__ import annotations

import json

import pytest

from .harness import REGISTERED, Page, job, joined, ops
from .test_worker import SLOW, running


def finished() -> Page:
    """A page whose result of a1 was sent and has no verdict."""
    page = running()
    page.run("end(null, {answer: 42});")
    page.take()
    return page


def test_a_result_is_in_the_stash_before_it_is_sent() -> None:
    page = running()
    page.js.eval("""
      var stashed = null;
      worker.on('ended', function () { stashed = JSON.parse(fakeWindow.world()).session['pagehand.stash.a1']; });
    """)
    page.answer(page.poll, 0, "")
    page.run("end(null, 1);")
    assert json.loads(page.run("return stashed;")) == {"op": "result", "attempt": "a1", "value": 1}


def test_a_result_is_in_the_stash_when_the_post_that_carries_it_goes_out() -> None:
    page = running()
    page.run("end(null, 1);")
    assert json.loads(page.post["stored"])["pagehand.stash.a1"] == page.packets()[0][1:]


@pytest.mark.parametrize("verdict", ["recorded", "duplicate", "stale"])
def test_a_verdict_empties_the_stash(verdict: str) -> None:
    page = finished()
    assert "pagehand.stash.a1" in page.world()["session"]
    page.push({"op": "recorded", "attempt": "a1", "verdict": verdict})
    assert "pagehand.stash.a1" not in page.world()["session"]


def test_a_result_survives_a_reload_and_is_sent_again_after_registered() -> None:
    page = finished()
    page.load()
    register = page.open()
    assert register["finished"] == ["a1"]
    assert register["holding"] == []
    assert page.requests("POST") == []
    page.push(REGISTERED)
    assert page.take() == [{"op": "result", "attempt": "a1", "value": {"answer": 42}}]
    page.push({"op": "recorded", "attempt": "a1", "verdict": "recorded"})
    page.load()
    assert page.open()["finished"] == []


def test_a_running_task_does_not_survive_a_reload() -> None:
    page = running()
    page.load()
    register = page.open()
    assert register["holding"] == register["finished"] == []


def test_a_reload_is_a_new_boot_of_the_same_worker() -> None:
    page = Page().load()
    first = page.join()
    page.load()
    second = page.join()
    assert first["boot"] != second["boot"]
    assert (second["worker"], second["secret"]) == ("w1", "x1")


def test_the_boot_is_stored_nowhere_while_the_page_lives() -> None:
    page = Page().load()
    boot = page.join()["boot"]
    assert boot not in json.dumps(page.world())
    page.fire("pagehide")
    page.fire("pageshow")
    assert boot not in json.dumps(page.world())


def test_a_reload_says_which_boot_has_left_the_window_and_a_copy_of_it_says_nothing() -> None:
    page = Page().load()
    first = page.join()
    assert "after" not in first
    page.fire("pagehide")
    page.load()
    assert page.join()["after"] == first["boot"]
    page.load()  # a copy, or a page that crashed
    assert "after" not in page.join()


def test_a_boot_without_a_source_of_randomness_differs_all_the_same() -> None:
    page = Page(noBytes=True).load()
    first = page.open()["boot"]
    page.advance(5)
    page.load()
    assert first != page.open()["boot"]
    assert len(first) <= 64
    assert all(letter.isalnum() or letter == "-" for letter in first)


def test_a_stash_without_room_is_kept_in_memory() -> None:
    page = joined(SLOW, sessionRoom=300)
    page.push(job(type_="slow"))
    page.take()
    page.run("end(null, new Array(1000).join('x'));")
    assert ops(page.take()) == ["result"]
    page.advance(6_000)
    assert ops(page.take()) == ["result"]


def test_without_session_storage_the_window_s_name_keeps_identity_and_stash() -> None:
    page = joined(SLOW, blockSession=True, blockLocal=True)
    page.push(job(type_="slow"))
    page.take()
    page.run("end(null, 1);")
    page.take()
    assert page.world()["frame"]["name"].startswith("pagehand:")
    page.load()
    register = page.open()
    assert (register["worker"], register["finished"]) == ("w1", ["a1"])


def test_a_window_s_name_that_somebody_else_uses_is_left_alone() -> None:
    page = Page(blockSession=True, blockLocal=True)
    page.js.eval("fakeWindow.setName('host-frame'); null;")
    page.load()
    page.join()
    assert page.world()["frame"]["name"] == "host-frame"
    page.load()
    assert "worker" not in page.open()


def test_a_result_too_large_for_the_window_s_name_stays_in_memory() -> None:
    page = joined(SLOW, blockSession=True, blockLocal=True)
    page.push(job(type_="slow"))
    page.take()
    page.run("end(null, new Array(400000).join('x'));")
    assert ops(page.take()) == ["result"]
    assert len(page.world()["frame"]["name"]) < 1_000
    page.advance(6_000)
    assert ops(page.take()) == ["result"]


def test_a_name_that_was_damaged_is_no_trouble() -> None:
    page = Page(blockSession=True, blockLocal=True)
    page.js.eval("fakeWindow.setName('pagehand:{{{'); null;")
    page.load()
    assert "worker" not in page.open()


def test_stored_nonsense_is_no_trouble() -> None:
    page = joined()
    for value in ("{", "null", "5", '{"worker":5}', "[]"):
        page.js.eval(f"fakeWindow.env({{}}).session.setItem('pagehand.worker', {json.dumps(value)}); null;")
        page.js.eval(f"fakeWindow.env({{}}).local.setItem('pagehand.first', {json.dumps(value)}); null;")
        page.load()
        assert "worker" not in page.open()


def test_the_first_window_is_the_same_worker_after_the_browser_was_closed() -> None:
    page = joined()
    page.fire("pagehide")
    page.js.eval("fakeWindow.otherWindow(); null;")
    page.load()
    assert page.open()["worker"] == "w1"


def test_a_window_that_died_without_a_word_is_succeeded_after_some_seconds() -> None:
    page = joined()
    page.js.eval("fakeWindow.unload(); fakeWindow.otherWindow(); fakeWindow.advance(16000); null;")
    page.load()
    assert page.open()["worker"] == "w1"


def test_a_second_window_beside_a_living_one_is_a_worker_of_its_own() -> None:
    page = joined()
    page.advance(20_000)
    page.js.eval("fakeWindow.otherWindow(); null;")
    page.load()
    assert "worker" not in page.open()
    page.push({**REGISTERED, "worker": "w2", "secret": "x2"})
    assert json.loads(page.world()["local"]["pagehand.first"])["worker"] == "w1"
    assert json.loads(page.world()["session"]["pagehand.worker"])["worker"] == "w2"


def test_a_claim_that_nobody_refreshes_goes_to_the_window_that_lives() -> None:
    page = joined()
    page.js.eval("fakeWindow.otherWindow(); null;")
    page.load()
    page.open()
    page.push({**REGISTERED, "worker": "w2", "secret": "x2"})
    page.advance(25_000)
    assert json.loads(page.world()["local"]["pagehand.first"])["worker"] == "w2"


def test_a_server_that_gives_another_identity_is_believed() -> None:
    page = joined()
    page.answer(page.poll, 0, "")
    page.advance(2_000)
    page.open(sid="s2")
    page.push({**REGISTERED, "worker": "w7", "secret": "x7"})
    page.load()
    assert page.open()["worker"] == "w7"


def test_two_workers_of_one_page_keep_their_things_apart() -> None:
    page = joined(options={"storageKey": "other"})
    assert set(page.world()["session"]) == {"other.worker"}


@pytest.mark.parametrize(
    ("search", "hash_", "token", "shown"),
    [
        ("", "#token=abc", "abc", "/worker"),
        ("?types=a", "#token=a%20b", "a b", "/worker?types=a"),
        ("", "#token=Ab+/cd9x+Q==", "Ab+/cd9x+Q==", "/worker"),
        ("?token=Ab+/cd9x+Q==&types=a", "", "Ab+/cd9x+Q==", "/worker?types=a"),
        ("", "#token=Ab%2B%2Fcd9x%2BQ%3D%3D", "Ab+/cd9x+Q==", "/worker"),
        ("", "#token=a%26b%23c%25d", "a&b#c%d", "/worker"),
        ("", "#token=5%+and:;,!$'()*~?", "5%+and:;,!$'()*~?", "/worker"),
        ("?token=abc&types=a", "", "abc", "/worker?types=a"),
        ("?types=a&token=abc", "", "abc", "/worker?types=a"),
        ("?types=a&token=abc&name=n", "", "abc", "/worker?types=a&name=n"),
        ("", "#x=1&token=abc", "abc", "/worker#x=1"),
        ("?token=", "#token=%E0%A4%A", "%E0%A4%A", "/worker"),
    ],
)
def test_a_token_in_the_address_is_used_kept_and_taken_out_of_it(
    search: str, hash_: str, token: str, shown: str
) -> None:
    page = Page()
    page.js.eval(f"fakeWindow.address({json.dumps(search)}, {json.dumps(hash_)}); null;")
    page.load()
    assert page.open()["token"] == token
    assert page.run("return fakeWindow.shownAddress();") == shown
    page.js.eval("fakeWindow.address('', ''); null;")
    page.load()
    assert page.open()["token"] == token


def test_a_token_that_cannot_be_kept_stays_in_the_address() -> None:
    page = Page(blockSession=True, blockLocal=True)
    page.js.eval("fakeWindow.setName('host'); fakeWindow.address('', '#token=abc'); null;")
    page.load()
    assert page.open()["token"] == "abc"
    assert page.run("return fakeWindow.shownAddress();") == ""


def test_a_page_without_any_storage_still_works_and_reloads_at_most_once_a_minute() -> None:
    page = Page(blockSession=True, blockLocal=True)
    page.js.eval("fakeWindow.setName('host'); null;")
    page.load()
    page.join()
    page.push({"op": "reload"})
    assert page.run("return fakeWindow.reloads();") == 0
    page.advance(40_000)
    page.push_packets("2")
    page.take()
    page.advance(21_000)
    page.push({"op": "reload"})
    assert page.run("return fakeWindow.reloads();") == 1
