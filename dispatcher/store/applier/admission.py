"""Takes or refuses submitted jobs: keys, limits, types, and batches, all or none (promise S3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from dispatcher.core.jobs import ledger
from dispatcher.core.jobs.keys import key_shown
from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Accepted
from dispatcher.store.applier.hand import Hand, Ids
from dispatcher.store.port import Limits
from dispatcher.store.requests import Loaded, Tally
from dispatcher.store.views import view

__all__ = ["Admission", "batches"]


class Admission:
    """Takes new jobs into hand, and new types, as far as there is room for them."""

    def __init__(self, hand: Hand, loaded: Loaded, limits: Limits, ids: Ids) -> None:
        self._hand = hand
        self._limits = limits
        self._ids = ids
        self._numbers = iter(loaded.numbers)
        self._keyed = {job.key: job for job in loaded.jobs.values() if job.key is not None}
        #: The types that the turn names and the store knows, and how many it knows in all.
        self._types = set(loaded.types)
        self._types_known = loaded.types_known
        #: Types that workers begin to offer in this turn.
        self.offered: list[str] = []

    def offers(self, types: Iterable[str]) -> tuple[str, ...]:
        """Workers offer these types. Returns those that the store has no room to know: no job of them can come."""
        types = list(types)
        new = [name for name in types if name not in self._types]
        over = dict.fromkeys(new[max(0, self._limits.most_types - self._types_known) :])
        self.offered += [name for name in types if name not in over]
        self._know(name for name in new if name not in over)
        return tuple(over)

    def free(self, key: str) -> None:
        """The job of this key is gone: the same submission makes a new one."""
        self._keyed.pop(key, None)

    def take(self, specs: Sequence[JobSpec]) -> list[Accepted]:
        """What became of each submission."""
        accepted = []
        for batch in batches(specs):
            for spec, judged in zip(batch, self._judged(batch), strict=True):
                accepted.append(judged or self._taken(spec))
        return accepted

    def _judged(self, batch: Sequence[JobSpec]) -> list[Accepted | None]:
        """What becomes of each; None: it is new. If one is refused, all are, for the same reason."""
        found = [_known(spec, self._keyed) for spec in batch]
        refusal = next((was for was in found if was is not None and was.job is None), None)
        if refusal is None and None in found:
            known = any(found)
            refusal = _PARTLY_KNOWN if known else _full(batch, self._hand.held, self._limits) or self._strange(batch)
        return found if refusal is None else [refusal] * len(batch)

    def _strange(self, batch: Sequence[JobSpec]) -> Accepted | None:
        known, most = self._types_known, self._limits.most_types
        new = {spec.type for spec in batch if spec.type not in self._types}
        if not new or known + len(new) <= most:
            return None
        detail = f"{known} types are known, the limit (--most-types): name one of those, or put what differs into data"
        return Accepted(None, error="too_many_types", detail=detail)

    def _taken(self, spec: JobSpec) -> Accepted:
        job = new_job(spec, next(self._numbers), self._ids.job(), self._hand.now_at, self._hand.clock)
        self._hand.made(job, spec.data)
        self._know([spec.type])
        if spec.key is not None:
            self._keyed[spec.key] = job
        return Accepted(view(job, data=spec.data))

    def _know(self, types: Iterable[str]) -> None:
        for name in types:
            if name not in self._types:
                self._types.add(name)
                self._types_known += 1


def new_job(spec: JobSpec, number: int, job_id: str, now_at: float, queue_clock: float) -> JobRow:
    """Makes the row of a new job; no other place makes one."""
    delayed = spec.delay_s > 0
    return JobRow(
        seq=number,
        state=JobState.SCHEDULED if delayed else JobState.QUEUED,
        rank=None if delayed else queue_clock - spec.terms.priority * ledger.RANK_STEP_S,
        run_at=now_at + spec.delay_s if delayed else None,
        attempt=None, claims=0, number=0, errors=0, crashes=0, reason=None, detail=None, error=None,
        percent=None, note=None, worker=None, worker_name=None,
        offered_at=None, started_at=None, ended_at=None, backoff_until=None, ended_clock=None, ready_at=None,
        id=job_id, type=spec.type, terms=spec.terms, size=spec.size,
        expires_at=None if spec.expires_s is None else now_at + spec.expires_s, created_at=now_at,
        key=spec.key, fingerprint=spec.fingerprint, about=spec.about, batch=spec.batch,
    )  # fmt: skip


def batches(specs: Sequence[JobSpec]) -> Iterator[list[JobSpec]]:
    """The submissions of a turn in the groups that are taken together: each batch, and any other job alone."""
    for number, group in groupby(specs, lambda spec: spec.batch):
        if number is None:
            yield from ([spec] for spec in group)
        else:
            yield list(group)


def _known(spec: JobSpec, keyed: Mapping[str, JobRow]) -> Accepted | None:
    earlier = None if spec.key is None else keyed.get(spec.key)
    if earlier is None:
        return None
    if earlier.fingerprint != spec.fingerprint:
        return Accepted(None, error="key_conflict", detail=f"{_key(spec)} was used before with another body: {_NEW}")
    return Accepted(view(earlier), replayed=True)


def _key(spec: JobSpec) -> str:
    return "the key of this batch" if spec.batch is not None else f"the key {key_shown(spec.key or '')!r}"


_NEW = "use a new key for a new job"
#: Retention has removed the others: to take them again would run them again.
_PARTLY_KNOWN = Accepted(
    None, error="key_conflict", detail=f"of the batch of this key some jobs are not kept any more: {_NEW}"
)


def _full(batch: Sequence[JobSpec], held: Tally, limits: Limits) -> Accepted | None:
    if held.jobs + len(batch) > limits.queue_depth:
        return Accepted(None, error="queue_full", detail=f"{held.jobs} jobs are open, the limit; try again later")
    if held.bytes + sum(spec.size for spec in batch) > limits.queue_bytes:
        return Accepted(None, error="queue_full", detail="the queue's limit of bytes is reached; try again later")
    return None
