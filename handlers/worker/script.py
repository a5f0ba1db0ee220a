"""The worker page's script: its source is ``static/worker/*.js``, and pages load it as one file.

The parts are joined in the order of ``PARTS``; nothing in them is changed. The server and the tests both read the
script here.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from handlers.site import STATIC

__all__ = ["PARTS", "PARTS_DIRECTORY", "Script", "join", "worker_script"]

PARTS_DIRECTORY = STATIC / "worker"
#: The order of the parts in the script: while it loads, a part needs those before it.
PARTS = (
    "builtins.js",
    "json.js",
    "parse.js",
    "base.js",
    "codes.js",
    "environment.js",
    "storage.js",
    "answers.js",
    "requests.js",
    "polling.js",
    "posts.js",
    "line.js",
    "socket.js",
    "upgrade.js",
    "engine.js",
    "messages.js",
    "labels.js",
    "tasks.js",
    "attempt.js",
    "choice.js",
    "worker.js",
    "pausing.js",
    "sessions.js",
    "tokens.js",
    "registering.js",
    "orders.js",
    "attempts.js",
    "reports.js",
    "snapshot.js",
    "past.js",
    "slowness.js",
    "doubts.js",
    "status.js",
    "testing.js",
    "trials.js",
    "trying.js",
    "api.js",
)

_HEAD = """\
/* Pagehand's worker, joined by the server from the parts named below. How to use it stands above api.js. */
(function (parts) {
"""
#: The parts share ``parts`` with each other and with nobody else; ``root`` is the window.
_END = "}({ root: typeof window === 'undefined' ? this : window }));\n"


@dataclass(frozen=True, slots=True)
class Script:
    """A script in the form in which it is served."""

    body: bytes
    #: The ETag of the content.
    etag: str


def join(directory: Path = PARTS_DIRECTORY) -> str:
    """The script's text: the parts one after another, each under its name, in one function."""
    named = ((name, (directory / name).read_text(encoding="utf-8")) for name in PARTS)
    return _HEAD + "".join(f"/* worker/{name} */\n{text}" for name, text in named) + _END


def worker_script(directory: Path = PARTS_DIRECTORY) -> Script:
    """The script that pages load as ``/static/worker.js``."""
    body = join(directory).encode()
    return Script(body, f'"{sha256(body).hexdigest()[:32]}"')
