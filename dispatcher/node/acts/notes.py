"""What a server notes about itself in the audit log, so that charts can mark it: its start, the beginning of its end,
and other versions of its tasks.

The log is all that it keeps: a start reads from it which version of each task was noted last. The first version of a
task is noted, too, as what later ones are compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dispatcher.access.acts import Actor, AuditFilter, AuditNote
from dispatcher.core.jobs.views.deployed import read_versions, same_version, versions_text
from dispatcher.node.access import Access

__all__ = ["MOST_READ", "SERVER", "ServerNotes"]

#: Who does what nobody has asked for.
SERVER = Actor("server")
#: Acts that a start reads, the newest ones. A task that is not among them counts as one that was never seen.
MOST_READ = 1_000


class ServerNotes:
    """Of one life of a node. ``offered``: the versions of the site's tasks; ``version``: that of the program."""

    def __init__(self, access: Access, *, node: str, version: str, offered: Callable[[], Mapping[str, str]]) -> None:
        self._access, self._offered = access, offered
        self._node, self._version = node, version
        self._noted: dict[str, str] = {}

    async def begin(self) -> None:
        """The server has started: reads which versions were noted last, and looks for the first time."""
        self._note("server.start", self._node, self._version)
        page = await self._access.acts(AuditFilter(action="task.version", limit=MOST_READ))
        for act in page.items:
            self._noted.setdefault(act.target, read_versions(act.detail)[0])
        self.look()

    def look(self) -> None:
        """Call it now and then: notes each version of a task that is another one than was noted last."""
        for name, version in self._offered().items():
            was = self._noted.get(name)
            if was is None or not same_version(was, version):
                self._noted[name] = version
                self._note("task.version", name, versions_text(version, was))

    def end(self) -> None:
        """The server has been asked to stop."""
        self._note("server.stop", self._node, self._version)

    def _note(self, action: str, target: str, detail: str) -> None:
        self._access.note(AuditNote(SERVER, action, target, detail))
