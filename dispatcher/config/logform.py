"""The two forms of a line of the log: text for people, a JSON object for programs that collect logs.

Both hold the same. Fields that a record has beyond its message (``action``, ``request_id``) stand in the JSON alone.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

__all__ = ["formatter"]

_TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
#: What every record has: the rest was given with it, as ``extra``.
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_PLAIN = (str, int, float, bool, type(None))


class _JsonFormatter(logging.Formatter):
    """One object a line: ``time``, ``level``, ``logger``, ``message``, what came as ``extra``, and ``traceback``."""

    def format(self, record: logging.LogRecord) -> str:
        """Called by the handler. ASCII, so that no reader has to know the encoding."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        given = {name: value for name, value in vars(record).items() if name not in _USUAL and name not in line}
        line |= {name: value if isinstance(value, _PLAIN) else str(value) for name, value in given.items()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def formatter(form: str) -> logging.Formatter:
    """``form`` is ``text`` or ``json``."""
    return _JsonFormatter() if form == "json" else logging.Formatter(_TEXT)
