"""Where the log goes, and in what form: to standard error, a line for each record, with our faults counted.

Knows nothing of what is logged.
"""

from __future__ import annotations

import logging
import sys

from dispatcher.config.logform import formatter
from dispatcher.config.logwriter import LogWriter

__all__ = ["FaultCount", "to_stderr"]


class FaultCount(logging.Filter):
    """Numbers the records that have a traceback: each is a fault of ours, whichever boundary caught it."""

    def __init__(self) -> None:
        super().__init__()
        self.faults = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record through."""
        if record.exc_info:
            self.faults += 1
            record.msg, record.args = f"{record.getMessage()} (fault {self.faults} since the start)", None
        return True


def to_stderr(form: str = "text") -> logging.Handler:
    """The log of a program that serves, as ``text`` or ``json``; close it at the end.

    Leaves out what went well, and lines of stock code.
    """
    # Without a standard error its descriptor may be anything, such as a page's connection.
    handler = LogWriter(sys.stderr.fileno()) if sys.stderr is not None else logging.NullHandler()
    handler.setFormatter(formatter(form))
    handler.addFilter(FaultCount())
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    for name in ("tornado.general", "dispatcher.transport.fronts.server"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler
