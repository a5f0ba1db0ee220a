"""What becomes of jobs that are submitted, before any row is written: keys, limits, and batches, all or none (S3)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby

from dispatcher.core.jobs.ledger import JobRow
from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.turn import Accepted
from dispatcher.store.rows import Limits, Tally
from dispatcher.store.views import view

__all__ = ["batches", "judge", "size_of"]


def batches(specs: Sequence[JobSpec]) -> Iterator[list[JobSpec]]:
    """The submissions of a turn, as they are taken: those of a batch together, any other alone."""
    for number, group in groupby(specs, lambda spec: spec.batch):
        if number is None:
            yield from ([spec] for spec in group)
        else:
            yield list(group)


def judge(
    batch: Sequence[JobSpec], keyed: Mapping[str, JobRow], held: Tally, limits: Limits, types: Collection[str] = ()
) -> list[Accepted | None]:
    """What becomes of each; None: it is new. Where one is refused, all are, for its reason.

    ``keyed``: earlier jobs by their keys. ``held``: the open jobs and their bytes. ``types``: those that are known.
    """
    found = [_known(spec, keyed) for spec in batch]
    refusal = next((was for was in found if was is not None and was.job is None), None)
    if refusal is None and None in found:
        known = any(found)
        refusal = _PARTLY_KNOWN if known else _full(batch, held, limits) or _strange(batch, types, limits)
    return found if refusal is None else [refusal] * len(batch)


def size_of(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def _known(spec: JobSpec, keyed: Mapping[str, JobRow]) -> Accepted | None:
    earlier = None if spec.key is None else keyed.get(spec.key)
    if earlier is None:
        return None
    if earlier.fingerprint != spec.fingerprint:
        return Accepted(None, error="key_conflict", detail=f"{_key(spec)} was used before with another body: {_NEW}")
    return Accepted(view(earlier), replayed=True)


def _key(spec: JobSpec) -> str:
    return "the key of this batch" if spec.batch is not None else f"the key {spec.key!r}"


_NEW = "use a new key for a new job"
#: Retention has removed the others: to take them again would run them again.
_PARTLY_KNOWN = Accepted(
    None, error="key_conflict", detail=f"of the batch of this key some jobs are not kept any more: {_NEW}"
)


def _strange(batch: Sequence[JobSpec], types: Collection[str], limits: Limits) -> Accepted | None:
    if len(types) + len(batch) <= limits.most_types:
        return None
    new = {spec.type for spec in batch if spec.type not in types}
    if not new or len(types) + len(new) <= limits.most_types:
        return None
    detail = f"{len(types)} types are known, the limit (--most-types): name one of those, or put what differs into data"
    return Accepted(None, error="too_many_types", detail=detail)


def _full(batch: Sequence[JobSpec], held: Tally, limits: Limits) -> Accepted | None:
    if held.jobs + len(batch) > limits.queue_depth:
        return Accepted(None, error="queue_full", detail=f"{held.jobs} jobs are open, the limit; try again later")
    if held.bytes + sum(size_of(spec.data) for spec in batch) > limits.queue_bytes:
        return Accepted(None, error="queue_full", detail="the queue's limit of bytes is reached; try again later")
    return None
