"""Submitters that give many jobs at once: all of them are taken, or none (S3)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from dispatcher.core.jobs.model import JobSpec
from dispatcher.errors import Draining, KeyConflict, QueueFull, StorageAway, StorageFull, StorageTrouble

if TYPE_CHECKING:
    from tests.sim.people import Submitter

__all__ = ["NOT_TAKEN", "Batches"]

#: Errors after which a submission is given again: nothing of it has happened.
NOT_TAKEN = (QueueFull, StorageAway, StorageFull, Draining)


class Batches:
    """Makes batches from a submitter's jobs, and asks for each until its outcome is known."""

    def __init__(self, submitter: Submitter) -> None:
        self.submitter, self.world = submitter, submitter.world
        self.rng = random.Random(f"batches of {self.world.seed}")
        self._next: list[tuple[str, JobSpec]] = []
        #: The tokens of each batch.
        self._given: list[list[str]] = []

    def take(self, token: str, spec: JobSpec) -> bool:
        """Whether the job goes with others. They are given when there are enough of them."""
        if not self._next and self.rng.random() >= self.world.knobs.batched:
            return False
        self._next.append((token, spec))
        if len(self._next) > self.rng.randint(1, 4):
            batch, self._next = self._next, []
            self._give(batch)
        return True

    def _give(self, batch: list[tuple[str, JobSpec]]) -> None:
        tokens = [token for token, _ in batch]
        self._given.append(tokens)
        self.world.count("batches")
        specs = [
            replace(spec, key=f"batch {tokens[0]} {index}", fingerprint=f"f{tokens}")
            for index, (_, spec) in enumerate(batch)
        ]
        self.world.history.submitted.update(zip(tokens, specs, strict=True))
        self._submit(tokens, specs)

    def _submit(self, tokens: list[str], specs: list[JobSpec]) -> None:
        self.submitter.call(
            lambda dispatcher: dispatcher.submit_batch(specs), lambda outcome: self._heard(tokens, specs, outcome)
        )

    def _heard(self, tokens: list[str], specs: list[JobSpec], outcome: Any) -> None:
        submitter, world = self.submitter, self.world
        if submitter.unknown(outcome) or isinstance(outcome, (*NOT_TAKEN, StorageTrouble)):
            world.events.later(self.rng.uniform(0.5, 10.0), lambda: self._submit(tokens, specs))
            return
        submitter.open -= len(tokens)
        if isinstance(outcome, list):
            for token, accepted in zip(tokens, outcome, strict=True):
                if accepted.job is None:
                    world.broken(f"S3: of the batch of {tokens} {token} was not taken: {accepted.error}")
                else:
                    world.history.acknowledged(token, accepted.job.id)
        elif not (isinstance(outcome, KeyConflict) and self._partly_removed(tokens)):
            world.broken(f"the batch of {tokens}: {outcome!r}")

    def _partly_removed(self, tokens: list[str]) -> bool:
        """Retention has removed some of its jobs: the others are not taken for the whole."""
        created = self.world.checks.created
        return any(created.get(job) in tokens for job in self.world.history.purged)

    def check(self) -> None:
        """All jobs of a batch have been taken, or none. In the end a batch goes without the jobs that it waits for."""
        if self.world.over and self._next:
            batch, self._next = self._next, []
            self._give(batch)
        taken = set(self.world.checks.created.values())
        for tokens in self._given:
            if len(taken.intersection(tokens)) not in (0, len(tokens)):
                self.world.broken(f"S3: of the batch of {tokens} only {taken.intersection(tokens)} were taken")
