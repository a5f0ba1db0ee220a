"""The texts that task files have had, in memory: a text that is withheld is replaced by a former one. Pure.

They are kept as long as the process lives, and while there is room: those go first that no file has had for longest.
A text is withheld by its digest: whatever else a file holds is offered at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.core.jobs.views.deployed import WithheldTask, digest_of, same_version

__all__ = ["MOST_FORMER_BYTES", "FormerTexts", "KeptText"]

#: All texts together have no more bytes, those that the files have now among them.
MOST_FORMER_BYTES = 16 * 2**20


class KeptText(Struct, frozen=True):
    """What a task's file held, and its version then."""

    version: str
    text: bytes


class FormerTexts:
    """The texts of one directory's tasks."""

    def __init__(self, most_bytes: int = MOST_FORMER_BYTES) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        #: By task and digest; what was seen last stands last.
        self._kept: OrderedDict[tuple[str, str], KeptText] = OrderedDict()
        self._withheld: dict[str, WithheldTask] = {}

    def see(self, name: str, version: str, text: bytes) -> None:
        """The task's file holds this now."""
        if len(text) > self._most_bytes:
            return
        key = name, digest_of(version)
        known = self._kept.pop(key, None)
        self._bytes += len(text) if known is None else 0
        self._kept[key] = KeptText(version, text)
        used = {(one.type, digest_of(one.version)) for one in self._withheld.values()}
        while self._bytes > self._most_bytes:
            oldest = next((key for key in self._kept if key not in used), key)
            self._bytes -= len(self._kept.pop(oldest).text)

    def withhold(self, wanted: Iterable[WithheldTask], needed: Collection[str]) -> list[WithheldTask]:
        """Withholds those whose former text is kept: they are returned, with its version as it was. None of them, if
        one that is needed is not kept."""
        found = [replace(one, version=kept.version) for one in wanted if (kept := self._find(one)) is not None]
        if not {one.type for one in found}.issuperset(needed):
            return []
        self._withheld |= {one.type: one for one in found}
        return found

    def instead(self, name: str, version: str) -> KeptText | None:
        """What is offered in place of this version; None: it is not withheld."""
        rule = self._withheld.get(name)
        return None if rule is None or not same_version(rule.failed, version) else self._find(rule)

    def rules(self) -> list[WithheldTask]:
        """What is withheld, by name, whether or not the file has that text now."""
        return [self._withheld[name] for name in sorted(self._withheld)]

    def release(self) -> None:
        """Nothing is withheld any more."""
        self._withheld.clear()

    def _find(self, one: WithheldTask) -> KeptText | None:
        return self._kept.get((one.type, digest_of(one.version)))
