"""Writes the messages of a turn's changes: one for each receiver that wants to hear of it, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dispatcher.core.jobs.rows import JobRow, WriteSet
from dispatcher.core.jobs.states import SETTLED
from dispatcher.core.jobs.turn import Change
from dispatcher.core.jobs.views.telling import event_of_state
from dispatcher.store.bodies import body_of
from dispatcher.webhooks.commands import PutEndpoint, Redeliver, SendMessage
from dispatcher.webhooks.endpoints import CALLBACKS, Endpoint, HookMessage, callback_target

__all__ = ["Teller", "told_targets"]


class Teller:
    """Those who are told of one turn's changes: endpoints, and the callbacks of jobs."""

    def __init__(self, endpoints: Sequence[Endpoint], new_id: Callable[[], str]) -> None:
        self._endpoints, self._new_id = endpoints, new_id

    def tell(self, job: JobRow, change: Change, messages: list[HookMessage]) -> None:
        """Adds the messages of this change."""
        callback = job.about.callback_url
        if not self._endpoints and callback is None:
            return
        event = event_of_state(change.new)
        wanted = [endpoint for endpoint in self._endpoints if endpoint.wants(event, job.type)]
        if not wanted and (callback is None or change.new not in SETTLED):
            return
        body = body_of(job, change)
        messages += [
            HookMessage(
                id=self._new_id(), endpoint=endpoint.id, target=endpoint.id, event=event, job=job.id, body=body,
                at=change.at,
            )
            for endpoint in wanted
        ]  # fmt: skip
        if callback is not None and change.new in SETTLED:
            messages.append(HookMessage(
                id=self._new_id(), endpoint=CALLBACKS, target=callback_target(callback), url=callback, event=event,
                job=job.id, body=body, at=change.at,
            ))  # fmt: skip


def told_targets(writes: WriteSet) -> frozenset[str]:
    """Whose messages are to be looked at: new ones have come, or old ones are due at once."""
    if not writes.messages and not writes.hooks:
        return _NOBODY
    found = {message.target for message in writes.messages}
    for command in writes.hooks:
        if isinstance(command, SendMessage):
            found.add(command.message.target)
        elif isinstance(command, Redeliver):
            found.add(command.endpoint_id)
        elif isinstance(command, PutEndpoint):
            found.add(command.endpoint.id)
    return frozenset(found)


_NOBODY: frozenset[str] = frozenset()
