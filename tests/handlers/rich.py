"""A server with an example of everything that the pages show."""

from __future__ import annotations

import json

from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.states import JobState
from tests.support.house import House
from tests.support.scenes import a_job, submit, take

__all__ = ["BIG", "PICTURE", "TASKS", "WAITING", "rich"]

#: A picture of 24 x 16 pixels, half red and half blue.
PICTURE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQCAIAAACDRijCAAAAH0lEQVR42mO4oKBAECk4XCCIGEYNGjVo1KBRgygzCA"
    "AOOLAQB3488AAAAABJRU5ErkJggg=="
)

TASKS = {
    "thumbnail": '// pagehand: {"quick": true, "title": "Makes a picture smaller", "example": {"width": 120}}\n',
    "print-label": '// pagehand: {"title": "Prints a label", "example": {"order": 7, "copies": 1}}\n',
    "plain": "Pagehand.task('plain', function () {});\n",
}

STACK = "TypeError: x is undefined\n    at printLabel (/tasks/print-label.js:31:9)\n    at run (worker.js:402:11)"
ERROR = {"message": "TypeError: x is undefined", "stack": STACK, "code": "task_error"}
LOG = [f"page {n} of 5 sent to the printer" for n in range(1, 6)]
BIG = json.dumps({"rows": [{"id": n, "text": "Ärger & <b>Freude</b>"} for n in range(400)]}, ensure_ascii=False)
#: What one of the pages could not load.
LACKS = {"host-call": "E-TSK-01: line 3: Unexpected token ')'", "print-label": "E-TSK-01: " + "x" * 150}
#: A job of a type that a page offered once.
#: Of the tasks of one of the pages.
OLD = {"thumbnail": "aaaaaaaaaaaa-1764489600"}
WAITING = "0199c3a1-7d52-7c3e-9a41-5be0c0ffee01"


async def rich(house: House) -> None:
    """Jobs in all states, five workers of four names, five types."""
    house.shipped = {"host-call": "0123456789ab-1700000000", "thumbnail": "bbbbbbbbbbbb-1764493200"}
    await ended_jobs(house)
    await open_jobs(house)
    page = {"document_mode": "5"}
    labels = {f"label-{n}": "x" * 200 if n == 3 else "berlin mitte" for n in range(20)}
    await house.register("kiosk", "thumbnail", name="KIOSK", page=page, labels=labels)
    await house.register("kiosk2", "thumbnail", name="KIOSK", labels={"site": "berlin"}, versions=OLD, unloaded=LACKS)
    await house.say("kiosk", op="pause")
    await house.register("back", "thumbnail", name="BACK-OFFICE-02", slots=4)
    house.pages.quiet("back", house.clock.monotonic())
    await house.dispatcher.idle(housekeeping=True)


async def ended_jobs(house: House) -> None:
    await a_job(house, JobState.EXPIRED, "expired-1")
    await a_job(house, JobState.CANCELLED, "cancelled-1")
    await failed_after_four_offers(house)
    await a_job(house, JobState.SUCCEEDED, "big-1", data=BIG, result=BIG)
    pictures = {"data": json.dumps({"image": PICTURE, "width": 120}), "result": json.dumps({"image": PICTURE})}
    await a_job(house, JobState.SUCCEEDED, "done-1", type="thumbnail", key="form-0123456789abcdef", **pictures)


async def failed_after_four_offers(house: House) -> None:
    """An error, an offer that lapses, a timeout, and another error on another page."""
    job = await submit(house, "failed-1", timeout_s=15.0)
    tried = await take(house, job)
    await tried.error(**ERROR)
    await house.pass_time(3.0)
    tried = await take(house, job, "KIOSK")
    await house.pass_time(10.1)
    [offer] = await house.hear(tried.sid)
    await house.say(tried.sid, op="accept", attempt=offer["attempt"])
    for line in LOG:
        await house.say(tried.sid, op="log", attempt=offer["attempt"], line=line)
    await house.pass_time(15.1)
    await tried.leave()
    await house.pass_time(6.0)
    await (await take(house, job, "BACK-OFFICE-02")).error(**ERROR)


async def open_jobs(house: House) -> None:
    await a_job(house, JobState.IN_DOUBT, "doubt-1")
    await (await take(house, await submit(house, "scheduled-1"))).error(**ERROR)
    agent = "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko"
    page = {"document_mode": "11", "user_agent": agent}
    running = await take(house, await submit(house, "running-1"), page=page)
    await running.say("accept")
    await running.say("progress", percent=42.0, note="rendering page 2 of 5")
    for line in LOG:
        await running.say("log", line=line)
    await take(house, await submit(house, "offered-1"), "DESK-3")
    for _ in range(33):
        await house.submit("ocr")
    wanted = {"name": ["FRONT-DESK-07", "KIOSK"], "label-without-a-blank": "x" * 200, "site": "berlin"}
    called = {"summary": "x" * 200, "tags": ("customer:Ärger & Co", "y" * 100, "a")}
    await submit(house, "needs-1", type="ocr", requires=requirement_of(wanted), **called)
    await house.register("once", "merge-pdf")
    await house.say("once", op="bye")
    await submit(house, WAITING, type="merge-pdf", priority=10, summary="orders of 2026-11-23")
