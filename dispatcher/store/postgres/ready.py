"""How ready jobs are asked for, and what their rows say. It holds no connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dispatcher.store.columns import JOB_COLUMNS, job_row
from dispatcher.store.postgres.keys import lane_key
from dispatcher.store.postgres.link import Asked, Rows, array
from dispatcher.store.requests import LaneGroup, ReadyJob

__all__ = ["had_by", "ready_asks", "ready_rows"]

_JOB = len(JOB_COLUMNS)
#: So many jobs more than are wanted are looked at, because other nodes may have the first ones.
_OTHERS = 64
#: From many lanes this many more jobs than their share are read at first, so that a second look is seldom needed.
_GENEROUS = 2


def ready_asks(groups: Sequence[LaneGroup]) -> list[Asked]:
    """Asks for the first jobs of each group. Those that another node has in hand are passed over."""
    alone, together = _parted(groups)
    asked: list[Asked] = [("ready_group", _group(groups[place])) for place in together]
    if alone:
        lanes = [lane_key(groups[place].lanes[0]) for place in alone]
        most = array(groups[place].most for place in alone)
        asked.append(("ready_lanes", {"places": array(alone), "lanes": lanes, "most": most}))
    return asked


def ready_rows(
    groups: Sequence[LaneGroup], found: Sequence[Rows]
) -> tuple[list[list[ReadyJob]], dict[int, tuple[str, ...]]]:
    """The jobs of each group by rank, and which workers have had them, from the answers to ``ready_asks``."""
    alone, together = _parted(groups)
    rows = [(place, row) for place, rows in zip(together, found, strict=False) for row in rows]
    rows += [(row[0], row[1:]) for row in (found[-1] if alone else ())]
    ready: list[list[ReadyJob]] = [[] for _ in groups]
    had: dict[int, tuple[str, ...]] = {}
    for place, row in rows:
        job = job_row(row[:_JOB])
        ready[place].append(ReadyJob(job, row[_JOB]))
        if row[_JOB + 1]:
            had[job.seq] = had_by(row[_JOB + 1])
    for jobs in ready:
        jobs.sort(key=_place)
    return ready, had


def had_by(names: Iterable[str] | None) -> tuple[str, ...]:
    """The workers that had a job, each once, the last one first."""
    return tuple(dict.fromkeys(names or ()))


def _parted(groups: Sequence[LaneGroup]) -> tuple[list[int], list[int]]:
    """The places of groups of one lane, for which one statement asks, and of those of several."""
    places = range(len(groups))
    return [n for n in places if len(groups[n].lanes) == 1], [n for n in places if len(groups[n].lanes) > 1]


def _group(group: LaneGroup) -> Mapping[str, Any]:
    few = group.most if len(group.lanes) < 4 else -(-group.most * _GENEROUS // len(group.lanes))
    wanted = group.most + _OTHERS
    return {"lanes": list(map(lane_key, group.lanes)), "few": few + 1, "wanted": wanted, "most": group.most}


def _place(ready: ReadyJob) -> tuple[float, int]:
    return ready.job.rank or 0.0, ready.job.seq
