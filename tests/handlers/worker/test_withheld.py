"""Task files that are withheld: the site offers what they held before."""

from __future__ import annotations

import os
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from dispatcher.core.fleet.rolling import REST_S
from dispatcher.core.jobs.acts.rollouts import RolloutState
from dispatcher.core.jobs.views.deployed import WithheldTask
from handlers.worker.former import FormerTexts
from handlers.worker.tasks import LISTING_S, TaskDirectory
from tests.node.acts.test_rollouts import Farm
from tests.support.clock import ManualClock
from tests.support.house import House

GOOD = b'// pagehand: {"quick": true, "title": "Good", "summary": "order {data.order}"}\ngood();\n'
BAD = b'// pagehand: {"title": "Bad"}\nbad();\n'
MENDED = b"mended();\n"


def digest(text: bytes) -> str:
    return sha256(text).hexdigest()[:12]


class Shop:
    """A directory in which ``label.js`` held GOOD, then BAD."""

    def __init__(self, root: Path) -> None:
        self.file = root / "label.js"
        self.clock = ManualClock()
        self._times = iter(range(1_700_000_000, 1_700_001_000, 60))
        self.save(GOOD)
        self.tasks = TaskDirectory(root, clock=self.clock)
        self.good = self.tasks.versions()["label"]
        self.save(BAD)
        self.bad = self.tasks.versions()["label"]

    def save(self, text: bytes) -> None:
        self.file.write_bytes(text)
        at = next(self._times)
        os.utime(self.file, (at, at))

    def withhold(self) -> list[WithheldTask]:
        return self.tasks.withhold([WithheldTask("label", digest(GOOD), self.bad)], ["label"])


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_the_former_text_is_offered_with_all_that_it_says_and_its_version_as_it_was(shop: Shop) -> None:
    assert shop.tasks.source("label") == BAD
    assert shop.withhold() == shop.tasks.withheld() == [WithheldTask("label", shop.good, shop.bad)]
    [task] = shop.tasks.tasks()
    assert (task.title, task.quick, task.version) == ("Good", True, shop.good)
    assert shop.tasks.source("label") == GOOD
    assert shop.tasks.versions() == {"label": shop.good}
    assert '"Good"' in str(shop.tasks.index()).replace("'", '"')
    shop.clock.advance(LISTING_S)
    assert list(shop.tasks.summaries()) == ["label"]


def test_another_text_in_the_file_is_offered_at_once(shop: Shop) -> None:
    shop.withhold()
    shop.save(MENDED)
    assert (shop.tasks.source("label"), shop.tasks.withheld()) == (MENDED, [])
    assert shop.tasks.versions()["label"].startswith(digest(MENDED))


@pytest.mark.expect_log("label.js: it is empty")
def test_the_same_text_saved_anew_or_put_back_is_withheld_still(shop: Shop) -> None:
    shop.withhold()
    for between in (BAD, b"", MENDED):
        shop.save(between)
        shop.tasks.versions()
        shop.save(BAD)
        assert (shop.tasks.source("label"), shop.tasks.versions()["label"]) == (GOOD, shop.good)
    assert len(shop.tasks.withheld()) == 1


def test_a_file_that_is_deleted_is_offered_no_more(shop: Shop) -> None:
    shop.withhold()
    shop.file.unlink()
    assert (shop.tasks.source("label"), shop.tasks.versions(), shop.tasks.withheld()) == (None, {}, [])


def test_the_former_file_put_back_by_hand_is_withheld_no_more(shop: Shop) -> None:
    shop.withhold()
    shop.save(GOOD)
    assert (shop.tasks.source("label"), shop.tasks.withheld()) == (GOOD, [])


def test_what_is_released_is_offered_as_it_is(shop: Shop) -> None:
    withheld = shop.withhold()
    assert shop.tasks.release() == withheld
    assert (shop.tasks.source("label"), shop.tasks.versions()["label"], shop.tasks.withheld()) == (BAD, shop.bad, [])
    assert shop.tasks.release() == []


def test_a_directory_that_has_gone_for_a_moment_releases_nothing(shop: Shop, tmp_path: Path) -> None:
    withheld = shop.withhold()
    assert shop.tasks.withheld() == withheld
    moved = tmp_path.with_name("moved")
    shutil.move(tmp_path, moved)
    assert shop.tasks.withheld() == withheld
    shutil.move(moved, tmp_path)
    assert shop.tasks.withheld() == withheld


def test_after_a_restart_nothing_is_kept_and_the_file_is_offered(shop: Shop, tmp_path: Path) -> None:
    shop.tasks = TaskDirectory(tmp_path)
    shop.tasks.tasks()
    assert (shop.withhold(), shop.tasks.source("label")) == ([], BAD)


def test_of_several_all_are_withheld_that_can_be_or_none_if_a_needed_one_cannot(shop: Shop) -> None:
    label, other = WithheldTask("label", digest(GOOD), shop.bad), WithheldTask("other", digest(GOOD), shop.bad)
    assert shop.tasks.withhold([label, other], ["other"]) == []
    assert shop.tasks.withheld() == []
    assert [one.type for one in shop.tasks.withhold([label, other], ["label"])] == ["label"]


# -- what is kept


def kept(texts: FormerTexts, name: str, text: str) -> bool:
    return bool(texts.withhold([WithheldTask(name, text, "failed")], ()))


def test_those_go_first_that_no_file_has_had_for_longest() -> None:
    texts = FormerTexts(most_bytes=10)
    for text in ("aaaa", "bbbb", "aaaa", "cc", "d"):
        texts.see("label", text, text.encode())
    assert [kept(FormerTexts(), "label", "aaaa"), kept(texts, "label", "bbbb")] == [False, False]
    assert [kept(texts, "label", text) for text in ("aaaa", "cc", "d")] == [True] * 3


def test_what_is_offered_in_place_of_another_is_kept_whatever_comes() -> None:
    texts = FormerTexts(most_bytes=10)
    texts.see("label", "good-1", b"1234")
    assert kept(texts, "label", "good")
    for text in ("bbbb", "cccc", "dddddddd"):
        texts.see("label", text, text.encode())
    assert texts.instead("label", "failed-7") is not None
    assert [kept(texts, "other", "bbbb"), kept(texts, "label", "dddddddd")] == [False, False]


def test_a_text_that_is_larger_than_the_room_is_not_kept() -> None:
    texts = FormerTexts(most_bytes=10)
    texts.see("label", "small-1", b"x" * 10)
    texts.see("label", "large-1", b"x" * 11)
    assert [kept(texts, "label", "large"), kept(texts, "label", "small")] == [False, True]


# -- with a rollout


@pytest.mark.gen_test(timeout=30)
@pytest.mark.expect_log("the rollout goes back: ")
async def test_a_canary_goes_back_to_what_the_file_held_and_a_mended_file_is_rolled_out(shop: Shop) -> None:
    shop.save(GOOD)
    good = shop.tasks.versions()["label"]
    farm = Farm(await House(files=shop.tasks, clock=shop.clock).start())
    for name in ("DESK-0", "DESK-1"):
        await farm.join(name, "label", versions={"label": good})
    shop.save(BAD)
    await farm.house.pass_time(REST_S)
    await farm.begin(canary=True)
    await farm.back("DESK-0", types=("label",), versions=shop.tasks.versions())
    for _ in range(3):
        await farm.work("DESK-0", type_name="label", fails=True)
    await farm.house.pass_time(1.0)
    assert (farm.view.state, shop.tasks.source("label")) == (RolloutState.GOING_BACK, GOOD)
    await farm.house.pass_time(REST_S)
    await farm.back("DESK-0", types=("label",), versions=shop.tasks.versions())
    assert (farm.view.stopped, farm.house.dispatcher.rollouts.old()) == ("went_back", (0, []))
    shop.save(MENDED)
    assert farm.house.dispatcher.rollouts.old() == (2, ["label"])
    await farm.house.pass_time(REST_S)
    farm.told()
    await farm.begin(canary=True)
    assert farm.told() == ["DESK-0"]
