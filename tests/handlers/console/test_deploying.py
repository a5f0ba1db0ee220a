"""What a page and the API say about the versions of a task."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.acts.rollouts import RolloutOrder, RolloutState, RolloutView, TryTally
from dispatcher.core.jobs.views.deployed import Deployed, TaskVersion, WithheldTask
from handlers.console.deploying import deployed_words, rollout_words, tasks_list, tasks_words
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House, run_one

OLD, NEW = "aaaaaaaaaaaa-1764489600", "bbbbbbbbbbbb-1764493200"
#: Of the same minute as OLD; and OLD's own file, copied in that minute.
SOON, COPIED = "cccccccccccc-1764489630", "aaaaaaaaaaaa-1764489650"


def version(text: str, pages: int, newest: bool = False) -> TaskVersion:
    times = {OLD: 1764489600.0, SOON: 1764489630.0, NEW: 1764493200.0}
    return TaskVersion(text, times.get(text), pages, newest)


def told(pages: int, *versions: TaskVersion, offered: str | None = NEW) -> str:
    known = sum(one.pages for one in versions)
    old = sum(one.pages for one in versions if not one.newest) if offered else 0
    one = Deployed(type="fax", version=offered, pages=pages, old=old, silent=pages - known, versions=list(versions))
    return deployed_words(one).replace("\u00a0", " ")


WITHHELD = (
    "fax.js of 2025-11-30 09:00 UTC is withheld, because it failed on a canary: "
    "pages get that of 2025-11-30 08:00 UTC. Put a mended file in its place. A restart of the server offers it again."
)


def withheld(pages: int, *versions: TaskVersion, failed: str = NEW) -> str:
    old = sum(one.pages for one in versions if not one.newest)
    one = Deployed(type="fax", version=OLD, withheld=failed, pages=pages, old=old, versions=list(versions))
    return deployed_words(one).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (told(0), "No connected page offers fax."),
        (told(1, version(NEW, 1, True)), "1 page has the newest fax of 2025-11-30 09:00 UTC."),
        (
            told(20, version(NEW, 8, True), version(OLD, 12)),
            "12 of 20 pages have an old fax: 12 have that of 2025-11-30 08:00 UTC.",
        ),
        (
            told(9, *(version(f"v{number}", 1) for number in range(5))),
            "5 of 9 pages have an old fax: 1 has that called v0, 1 has that called v1, 1 has that called v2 and others."
            " 4 pages do not say which fax they have.",
        ),
        (told(1), "1 page does not say which fax it has."),
        (
            withheld(2, version(OLD, 1, True), version(NEW, 1)),
            f"1 of 2 pages has another fax: 1 has that of 2025-11-30 09:00 UTC. {WITHHELD}",
        ),
        (
            withheld(2, version(OLD, 2, True)),
            f"2 pages have the offered fax of 2025-11-30 08:00 UTC. {WITHHELD}",
        ),
        (withheld(0), f"No connected page offers fax. {WITHHELD}"),
        (
            told(9, version(SOON, 8, True), version(OLD, 1), offered=SOON),
            "1 of 9 pages has an old fax: 1 has that of 2025-11-30 08:00 UTC (aaaaaaaaaaaa).",
        ),
        (
            told(9, version(NEW, 7, True), version(SOON, 1), version(OLD, 1)),
            "2 of 9 pages have an old fax: 1 has that of 2025-11-30 08:00 UTC (cccccccccccc), "
            "1 has that of 2025-11-30 08:00 UTC (aaaaaaaaaaaa).",
        ),
        (
            told(2, version(OLD, 2, True), offered=COPIED),
            "2 pages have the newest fax of 2025-11-30 08:00 UTC.",
        ),
        (
            withheld(2, version(OLD, 2, True), failed=SOON),
            "2 pages have the offered fax of 2025-11-30 08:00 UTC (aaaaaaaaaaaa). "
            "fax.js of 2025-11-30 08:00 UTC (cccccccccccc) is withheld, because it failed on a canary: pages get that "
            "of 2025-11-30 08:00 UTC (aaaaaaaaaaaa). "
            "Put a mended file in its place. A restart of the server offers it again.",
        ),
        (
            told(2, version(OLD, 2), offered=None),
            "This site has no file of fax: 2 pages had it from elsewhere or before.",
        ),
    ],
)
def test_one_sentence_says_which_versions_pages_have(said: str, words: str) -> None:
    assert said == words


@pytest.mark.gen_test(timeout=30)
async def test_the_page_and_the_api_of_a_type_tell_the_same(browser: Browser, ask: Ask, house: House) -> None:
    house.shipped["fax"] = NEW
    await house.register("s1", "fax", versions={"fax": OLD})
    await house.register("s2", "fax", versions={"fax": NEW})
    one = body_of(await ask("/api/v1/types/fax"))["deployed"]
    assert (one["version"], one["changed_at"], one["pages"], one["old"], one["silent"]) == (
        *(NEW, "2025-11-30T09:00:00.000Z"),
        *(2, 1, 0),
    )
    assert one["versions"] == [
        {"version": NEW, "changed_at": "2025-11-30T09:00:00.000Z", "pages": 1, "newest": True},
        {"version": OLD, "changed_at": "2025-11-30T08:00:00.000Z", "pages": 1, "newest": False},
    ]
    assert one["sentence"] == "1 of 2 pages has an old fax: 1 has that of 2025-11-30 08:00 UTC."
    page = (await browser.page("/types/fax")).replace("&nbsp;", " ").replace("\u00a0", " ")
    assert one["sentence"] in page
    assert OLD in page


@pytest.mark.gen_test(timeout=30)
async def test_a_type_of_which_nobody_knows_a_file_has_no_sentence(browser: Browser, house: House) -> None:
    await house.register("s1", "fax")
    assert "pages" not in (await browser.page("/types/fax")).split("How its jobs have ended")[0].split("<h1>")[1]


@pytest.mark.gen_test(timeout=30)
async def test_an_attempt_tells_with_which_version_of_its_task_it_ran(browser: Browser, ask: Ask, house: House) -> None:
    await house.register("s1", "fax", versions={"fax": OLD})
    job = await house.submit("fax", max_attempts=2)
    await run_one(house)
    await house.register("s2", "mail")
    other = await house.submit("mail")
    await run_one(house, "s2")
    told = [body_of(await ask(f"/api/v1/jobs/{one.id}"))["attempts"] for one in (job, other)]
    assert [[attempt["task_version"] for attempt in attempts] for attempts in told] == [[OLD], [None]]
    assert "aaaaaaaaaaaa of 2025-11-30 08:00 UTC" in await browser.page(f"/jobs/{job.id}")
    assert "UTC</span></span>" not in await browser.page(f"/jobs/{other.id}")


ANN = Actor("ann", "", "")
BEGUN = RolloutView(order=RolloutOrder(at_a_time=5, actor=ANN), started_at=0.0)
BACK = replace(
    BEGUN, state=RolloutState.GOING_BACK, detail="it failed", withheld=[WithheldTask("fax", OLD, NEW)]
)  # fmt: skip


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (replace(BEGUN, reloading=["A"], left=2), "0 pages have loaded anew, 1 is about to, 2 are left."),
        (
            replace(BEGUN, reloaded=1, left=1),
            "1 page has loaded anew, 0 are about to, 1 is left. A page that has loaded just now waits for a minute.",
        ),
        (
            replace(BEGUN, reloaded=1, left=8, watching=True),
            "1 page has loaded anew, 0 are about to, 8 are left. It watches the reloaded ones: none has had a job yet; "
            "it goes on after 10 tries or 5 min.",
        ),
        (
            replace(BEGUN, reloaded=1, left=8, watching=True, new=TryTally(4, 1)),
            "1 page has loaded anew, 0 are about to, 8 are left. It watches the reloaded ones: 1 of 4 tries failed; "
            "it goes on after 10 tries or 5 min.",
        ),
        (
            replace(BEGUN, state=RolloutState.DONE, reloaded=9),
            "Done: 9 pages have loaded anew. No connected page has an old task.",
        ),
        (
            replace(BEGUN, state=RolloutState.STOPPED, detail="A is late", reloaded=2, reloading=["A"], left=3),
            "Stopped: A is late. 2 pages have loaded anew, 4 pages have not.",
        ),
        (
            replace(BACK, left=1),
            "Going back: it failed. 0 pages have the former files again, 0 are about to, 1 is left."
            " A page that has loaded just now waits for a minute.",
        ),
        (
            replace(BACK, reloading=["A"], reloaded=2, lost=["B"]),
            "Going back: it failed. 2 pages have the former files again, 1 is about to, 0 are left."
            " Not back with them: B.",
        ),
        (
            replace(BACK, state=RolloutState.STOPPED, stopped="went_back", ended_at=2.0, reloaded=1),
            "Went back: it failed. 1 page has the former files again: fax of 2025-11-30 08:00 UTC.",
        ),
        (
            replace(
                BACK,
                state=RolloutState.STOPPED,
                stopped="went_back",
                ended_at=2.0,
                reloaded=1,
                withheld=[WithheldTask("fax", OLD, SOON), WithheldTask("mail", OLD, NEW)],
            ),
            "Went back: it failed. 1 page has the former files again: "
            "fax of 2025-11-30 08:00 UTC (aaaaaaaaaaaa), mail of 2025-11-30 08:00 UTC.",
        ),
        (
            replace(BACK, state=RolloutState.STOPPED, stopped="asked", detail="ann stopped it", ended_at=2.0, left=1),
            "Stopped: ann stopped it. 0 pages have the former files again, 1 page has not.",
        ),
    ],
)
def test_one_sentence_says_how_far_a_rollout_is(view: RolloutView, words: str) -> None:
    assert rollout_words(view).replace("\u00a0", " ") == words


def test_the_files_of_a_page_are_told_by_number_and_age() -> None:
    told = {"echo": "0123456789ab-1764493200", "own": "ours", "fax": "0123456789ab-1764496800"}
    assert tasks_words(told, 1764500000.0) == "2 files, the oldest of 09:00 UTC"
    assert tasks_words({"echo": told["echo"]}, 1764600000.0) == "1 file, of 2025-11-30 09:00 UTC"
    assert tasks_words({"own": "ours"}, 0.0) == tasks_words({}, 0.0) == ""
    assert tasks_list(told) == (
        "echo 0123456789ab of 2025-11-30 09:00 UTC, fax 0123456789ab of 2025-11-30 10:00 UTC, own ours"
    )
