"""The list of workers, those that have gone among them: a missing one is seen where it used to stand. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from dispatcher.access.credentials import Credential
from dispatcher.core.fleet.roster import Place, Roster, shown_state
from dispatcher.core.fleet.worker import Worker
from dispatcher.core.jobs.acts.kept import KeptWorker
from dispatcher.core.jobs.diaries import Diary
from dispatcher.core.jobs.doing import WorkerDoing, does
from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.model import (
    MissingWorker,
    OneWorkerView,
    WorkerFilter,
    WorkerPage,
    WorkerStatus,
    WorkerView,
)
from dispatcher.core.jobs.views.naming import counted
from dispatcher.node.views.cursors import cursor_of, place_of
from dispatcher.pages.sessioninfo import SessionInfo
from dispatcher.pages.slowness import NOT_SLOW

__all__ = ["absent", "elsewhere", "fits", "merged", "name_of_gone", "present", "seen_elsewhere", "whole", "with_others"]

_NAMED = f"{NAME}:"


def name_of_gone(wanted: WorkerFilter) -> str | None:
    """How the names of those begin that have gone and may fit; None: by this filter none can be found."""
    by_label = bool(wanted.label) and not wanted.label.startswith(_NAMED)
    if wanted.type or by_label or wanted.state not in ("", WorkerStatus.GONE):
        return None
    return wanted.label.removeprefix(_NAMED) or wanted.name


def fits(one: MissingWorker, wanted: WorkerFilter) -> bool:
    """Whether a worker that has gone fits a filter by which it can be found."""
    return one.name.startswith(wanted.name) and wanted.label in ("", _NAMED + one.name)


def merged(
    here: WorkerPage, missing: Iterable[MissingWorker], wanted: WorkerFilter, roster: Roster, now_at: float
) -> WorkerPage:
    """One page by name. ``missing``: those behind the cursor, by name, one more than the page holds.

    A name that somebody here has is not missing: the store hears of it a little later.
    """
    last = None if here.next_cursor is None else place_of(here.next_cursor, 2)
    reached = [one for one in missing if last is None or _by_name(one.name) <= _by_name(last[0])]
    items = [*here.items, *(_gone(one, now_at) for one in reached if not roster.is_here(one.name))]
    items.sort(key=_spot)
    cursor = here.next_cursor
    if len(reached) > wanted.limit:  # there are more behind the last of them, even if some are here again
        end = (reached[-1].name, "")
        items, cursor = [item for item in items if _spot(item) <= (_by_name(end[0]), end[1])], cursor_of(*end)
    if len(items) > wanted.limit:
        items, cursor = items[: wanted.limit], cursor_of(*_place(items[wanted.limit - 1]))
    return WorkerPage(items=items, next_cursor=cursor)


def with_others(
    here: WorkerPage, others: Sequence[WorkerView], wanted: WorkerFilter, kept: Mapping[str, KeptWorker]
) -> WorkerPage:
    """One page by name of the workers of all nodes. ``others``: those behind the cursor, one more than the page holds.

    One that is here is not elsewhere: the store hears of it a little later.
    """
    if not others:
        return here
    ids = {worker.id for worker in here.items}
    found = [seen_elsewhere(one, kept.get(one.id)) for one in others if one.id not in ids]
    doing = WorkerDoing(wanted.state) if wanted.state in set(WorkerDoing) else None
    items = [*here.items, *(one for one in found if doing is None or does(one, doing))]
    items.sort(key=_spot)
    ends = [] if here.next_cursor is None else [_spot_of(place_of(here.next_cursor, 2))]
    if len(others) > wanted.limit:
        ends.append(_spot(others[-1]))
    if len(items) > wanted.limit:
        ends.append(_spot(items[wanted.limit - 1]))
    if not ends:
        return WorkerPage(items=items, next_cursor=None)
    end = min(ends)
    return WorkerPage(items=[item for item in items if _spot(item) <= end], next_cursor=cursor_of(end[0][1], end[1]))


def elsewhere(wanted: WorkerFilter) -> WorkerFilter:
    """What the store is asked of the workers of other nodes: it does not know what they do."""
    if wanted.state not in set(WorkerDoing):
        return wanted
    return replace(wanted, state="" if wanted.state == WorkerDoing.PAUSED else WorkerStatus.CONNECTED)


def seen_elsewhere(one: WorkerView, kept: KeptWorker | None) -> WorkerView:
    """A worker of another node, with what operators have said of it."""
    if kept is None:
        return one
    return replace(one, paused=one.paused or kept.paused is not None, held=kept.paused, blocked=kept.blocked)


def _spot_of(place: Sequence[str]) -> tuple[tuple[str, str], str]:
    return _by_name(place[0]), place[1]


def _by_name(name: str) -> tuple[str, str]:
    return counted(name), name


def _spot(worker: WorkerView) -> tuple[tuple[str, str], str]:
    return _spot_of(_place(worker))


def _place(worker: WorkerView) -> Place:
    """One that has gone stands by its name alone."""
    return worker.name, worker.id if worker.gone_at is None else ""


def _gone(one: MissingWorker, now_at: float) -> WorkerView:
    return WorkerView(
        id=one.worker or "", name=one.name, state=WorkerStatus.GONE, paused=False, types=[], slots=0, jobs=[], done=0,
        failed=0, connected_s=0.0,
        last_contact_s=max(0.0, now_at - one.gone_at), page={}, remote="", gone_at=one.gone_at,
    )  # fmt: skip


def absent(
    kept: KeptWorker,
    gone_at: float | None,
    now_at: float,
    joined: Credential | None = None,
    diary: Diary | None = None,
    *,
    day: int = 0,
) -> OneWorkerView:
    """A worker that is not here, of which something is known. ``gone_at``: None if nobody knows any more.

    ``day``: today, as diaries number days.
    """
    since_s = 0.0 if gone_at is None else max(0.0, now_at - gone_at)
    said = Diary(at=now_at) if diary is None else diary
    is_today = said.day == day
    shown = WorkerView(
        id=kept.id, name=kept.name or kept.called, state=WorkerStatus.GONE, paused=kept.paused is not None,
        types=list(said.types), slots=0, jobs=[], done=said.done * is_today, failed=said.failed * is_today,
        connected_s=0.0, last_contact_s=since_s, page=said.page, remote="", gone_at=gone_at,
        labels=dict(said.labels) | dict(kept.labels), held=kept.paused, blocked=kept.blocked,
    )  # fmt: skip
    return OneWorkerView(shown=shown, kept=kept, joined=joined, diary=diary)


def whole(
    worker: Worker,
    sessions: Mapping[str, SessionInfo],
    now: float,
    kept: KeptWorker | None,
    joined: Credential | None = None,
    *,
    today: tuple[int, int],
    node: str,
) -> OneWorkerView:
    """A worker that is here, with all that is known of it."""
    info = sessions.get(worker.session or "")
    slowness = NOT_SLOW if info is None else info.slowness
    until = slowness.stood_until
    return OneWorkerView(
        shown=present(worker, sessions, now, today=today, node=node),
        kept=kept,
        name=worker.said_name,
        labels=dict(worker.said_labels),
        paused=worker.paused,
        connections=worker.connections,
        reloads=worker.reloads,
        hidden_s=None if slowness.hidden_since is None else now - slowness.hidden_since,
        late=slowness.late,
        stood=None if until is None else (slowness.stood_s, now - until),
        joined=joined,
    )


def present(
    worker: Worker, sessions: Mapping[str, SessionInfo], now: float, *, today: tuple[int, int], node: str
) -> WorkerView:
    """A worker that is here; none of these is blocked. ``now`` is monotonic; ``today``: its tries of today."""
    info = sessions.get(worker.session) if worker.session is not None else None
    return WorkerView(
        id=worker.id,
        name=worker.name,
        state=shown_state(worker),
        paused=worker.paused or worker.held is not None,
        held=worker.held,
        types=list(worker.types),
        slots=worker.slots,
        jobs=[attempt.claim.job for attempt in worker.attempts.values() if attempt.claim.job],
        done=today[0],
        failed=today[1],
        connected_s=now - worker.registered,
        last_contact_s=now - worker.heard,
        page=info.page if info is not None else {},
        remote=info.remote if info is not None else "",
        node=node,
        transport=info.transport if info is not None else "",
        labels=dict(worker.labels),
        unloaded=worker.unloaded,
        versions=worker.versions,
        hanging=[held.claim.job for held in worker.attempts.values() if held.claim.job and not held.live()],
    )
