"""Jobs that turns bring to each state: submitted, offered to a page, then moved by the page, by people and by time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import JobState
from tests.support.house import JSON, House

__all__ = ["LABEL", "Try", "a_job", "a_late_answer", "asked_for", "submit", "take", "three_for_commands"]

#: The type of a job if the test names none.
LABEL = "print-label"


@dataclass(frozen=True, slots=True)
class Try:
    """A page that was offered one job, and knows no other."""

    house: House
    job: str
    sid: str
    attempt: str

    async def say(self, op: str, **fields: Any) -> list[JSON]:
        """Sends a message about the attempt; returns what the page is told."""
        return await self.house.say(self.sid, op=op, attempt=self.attempt, **fields)

    async def result(self, text: str) -> None:
        """Sends a result, given as JSON text, and leaves."""
        await self.house.send(self.sid, f'{{"op":"result","attempt":"{self.attempt}","value":{text}}}')
        await self.leave()

    async def error(self, message: str = "out of paper", **fields: Any) -> None:
        """Sends an error and leaves."""
        await self.say("error", message=message, **fields)
        await self.leave()

    async def leave(self) -> None:
        """The page closes."""
        await self.house.say(self.sid, op="bye")
        self.house.pages.ended(self.sid, self.house.clock.monotonic())


async def submit(house: House, id: str = "j", **options: Any) -> JobView:
    """A job with this id that waits."""
    return await house.submit(options.pop("type", LABEL), options.pop("data", '{"order": 7}'), id=id, **options)


async def take(house: House, job: JobView, name: str = "FRONT-DESK-07", **page: Any) -> Try:
    """A page comes that offers only the job's type, and is offered the job."""
    sid = f"page-{job.id}-{name}"
    await house.register(sid, job.type, name=name, **page)
    [offer] = await house.hear(sid)
    assert offer["id"] == job.id, "another job of this type waits longer"
    return Try(house, job.id, sid, offer["attempt"])


#: By state: the options with which its job is submitted.
_OPTIONS: dict[JobState, dict[str, Any]] = {
    JobState.SCHEDULED: {"delay_s": 95.0},
    JobState.EXPIRED: {"expires_s": 5.0},
    JobState.IN_DOUBT: {"effects": "once"},
}


async def a_job(
    house: House,
    state: JobState,
    id: str = "j",
    *,
    result: str = '{"pages": 2}',
    because: str = "wrong printer",
    **options: Any,
) -> None:
    """A job in this state."""
    job = await submit(house, id, **(_OPTIONS.get(state, {}) | options))
    if state is JobState.EXPIRED:
        await house.pass_time(6.0)
    elif state is JobState.CANCELLED:
        await house.dispatcher.cancel(id, because)
    elif state not in (JobState.QUEUED, JobState.SCHEDULED):
        await _try(await take(house, job), state, result)


async def _try(tried: Try, state: JobState, result: str) -> None:
    if state is JobState.FAILED:
        await tried.error(retry=False)
    elif state is JobState.SUCCEEDED:
        await tried.result(result)
    else:
        await tried.say("accept")
        if state is JobState.IN_DOUBT:
            await tried.leave()


async def a_late_answer(house: House, id: str = "j", value: str = '"late"') -> None:
    """A job that failed through its timeout, and whose page answered after that."""
    tried = await take(house, await submit(house, id, timeout_s=1.0, max_attempts=1))
    await tried.say("accept")
    await house.pass_time(1.1)
    await tried.result(value)


async def three_for_commands(house: House) -> None:
    """A job that waits, one in doubt, and one that has failed with a late answer: each named after that."""
    await a_job(house, JobState.IN_DOUBT, "doubt")
    await a_late_answer(house, "late")
    await submit(house, "waiting", type="other")


def asked_for(house: House) -> list[tuple[str, str]]:
    """The new state of every change that somebody asked for, and who did."""
    changes = [change for report in house.store.reports for change in report.changes]
    return [(str(change.new), change.actor) for change in changes if change.actor]
