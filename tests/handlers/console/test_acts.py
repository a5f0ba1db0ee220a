"""What the page of a job says of those who have done something to it, alone or with many others."""

from __future__ import annotations

import re

import pytest

from dispatcher.access.acts import Actor, AuditEntry, AuditOutcome
from dispatcher.core.jobs.states import JobState
from handlers.console.acts import canceller, done_to, reason_of, what_of
from tests.handlers.conftest import Browser
from tests.handlers.console.test_orders import press, say_yes, text_of
from tests.support.house import House
from tests.support.jobs import job_view
from tests.support.scenes import submit

ANNA = Actor("anna (console)")


def act(action: str, detail: str = "", at: float = 1.0, actor: Actor = ANNA, **more: object) -> AuditEntry:
    return AuditEntry(at=at, actor=actor, action=action, detail=detail, **more)  # type: ignore[arg-type]


def rows(page: str) -> list[tuple[str, ...]]:
    """What, who and why of each act, the newest first."""
    [table] = re.findall(r"<caption>What people and programs have done.*?</table>", page, re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in table.split("<tr>")[2:]]
    return [tuple(text_of(row[place]).strip() for place in (0, 1, 3)) for row in cells]


@pytest.mark.gen_test(timeout=60)
async def test_an_order_for_many_is_a_row_on_each_of_its_jobs_with_who_gave_it_and_why(
    browser: Browser, house: House
) -> None:
    for job in ("one", "two", "other"):
        await submit(house, job, type="fax" if job == "other" else "label")
    await browser.post("/me", {"person": "anna", "next": "/jobs"}, "/me")
    ordered = await say_yes(browser, await press(browser, "cancel", type="label"), reason="wrong jobs")
    page = await browser.page("/jobs/two")
    assert "It was cancelled by anna (console): wrong jobs." in text_of(page)
    assert rows(page) == [("Cancelled: one order for 2 jobs", "anna (console)", "wrong jobs")]
    assert f'<a href="{ordered}">Cancelled: one order for 2 jobs</a>' in page
    await say_yes(browser, await press(browser, "retry", ["two"]))
    await say_yes(browser, await press(browser, "set_priority", ["two"]), priority="7", reason="it is late")
    assert rows(await browser.page("/jobs/two")) == [
        ("Changed: priority 7, one order for 1 job", "anna (console)", "it is late"),
        ("Had it run again: one order for 1 job", "anna (console)", "–"),
        ("Cancelled: one order for 2 jobs", "anna (console)", "wrong jobs"),
    ]
    assert "What people and programs have done" not in await browser.page("/jobs/other")


def test_acts_stand_in_order_and_others_than_those_on_jobs_are_left_out() -> None:
    own = [act("job.retry", at=3.0), act("backup.begin", at=2.0)]
    assert [one.at for one in done_to(own, [act("jobs.cancel", at=1.0), act("jobs.retry", at=4.0)])] == [4.0, 3.0, 1.0]


@pytest.mark.parametrize(
    ("detail", "what", "reason"),
    [
        ('{"matched":1200,"filter":{"type":"x"},"reason":"no"}', "Cancelled: one order for 1,200 jobs", "no"),
        ('{"matched":2,"ids":2}', "Cancelled: one order for 2 jobs", ""),
        ('{"matched":2,"filter":{"type":"xx', "Cancelled: one order for many jobs", ""),
    ],
)
def test_the_line_of_an_order_is_read_as_far_as_it_is_kept(detail: str, what: str, reason: str) -> None:
    assert (what_of(act("jobs.cancel", detail)), reason_of(act("jobs.cancel", detail))) == (what, reason)


@pytest.mark.parametrize(
    ("detail", "what", "reason"),
    [
        ('{"priority":5,"was":{"priority":0},"reason":"late"}', "Changed: priority 0 → 5", "late"),
        ('{"priority":5}', "Changed: priority 5", ""),
        ('{"delay_s":0,"expires_s":null}', "Changed: may start at once, never expires", ""),
        ('{"delay_s":60.0,"expires_s":3600.0}', "Changed: may start in 1 min, expires in 1 h", ""),
        (
            '{"requires":[["site",["rome","oslo"]]],"tags":["a","b"],"was":{"requires":[],"tags":[]}}',
            "Changed: for any worker → site:rome or oslo, tags none → a, b",
            "",
        ),
        ('{"tags":["a","b', "Changed", '{"tags":["a","b'),
    ],
)
def test_a_change_stands_there_in_words(detail: str, what: str, reason: str) -> None:
    told = act("job.change", detail)
    assert (what_of(told).replace("\u00a0", " "), reason_of(told)) == (what, reason)


@pytest.mark.parametrize(
    ("state", "acts", "name"),
    [
        (JobState.CANCELLED, [act("job.cancel")], "anna (console)"),
        (JobState.CANCELLED, [act("jobs.cancel", actor=Actor("ops", "abcd1234"))], "ops"),
        (JobState.CANCELLED, [act("job.cancel", actor=Actor("api"))], ""),
        (JobState.CANCELLED, [act("job.cancel", outcome=AuditOutcome.REFUSED)], ""),
        (JobState.CANCELLED, [], ""),
        (JobState.QUEUED, [act("job.cancel")], ""),
    ],
)
def test_who_has_cancelled_a_job_is_told_by_name_if_there_is_one(
    state: JobState, acts: list[AuditEntry], name: str
) -> None:
    assert canceller(job_view(state=state), acts) == name
