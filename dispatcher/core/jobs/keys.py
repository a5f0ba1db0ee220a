"""Idempotency keys: whose they are, and those of the jobs of a batch.

A submitter's key is printable ASCII, so no key can hold the marks that stand here: jobs of a batch share no key with
jobs that were submitted alone, and what one owner calls his key is never another's. Pure.
"""

from __future__ import annotations

__all__ = ["KEY_MARK", "KEY_S", "OWNER_MARK", "key_in_batch", "key_of_owner", "key_shown"]

#: An idempotency key lives at least this long (promise S2).
KEY_S = 86_400.0
#: Stands between the key of a batch and the number of a job in it.
KEY_MARK = "\N{MIDDLE DOT}"
#: Stands behind the owner, where keys are each owner's own.
OWNER_MARK = "\N{SECTION SIGN}"


def key_in_batch(key: str, index: int) -> str:
    """The key of one job of a batch that has this key."""
    return f"{key}{KEY_MARK}{index}"


def key_of_owner(key: str, owner: str) -> str:
    """The key as it is kept where keys are each owner's own. A name may hold the marks, so it stands in hex."""
    return f"{owner.encode().hex()}{OWNER_MARK}{key}"


def key_shown(key: str) -> str:
    """The key as its submitter wrote it."""
    return key.rpartition(OWNER_MARK)[2]
