"""What browsers do with forms and cookies: keep what is set, send it again, and send a form with its secret."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterable, Mapping
from html import unescape
from urllib.parse import urlencode

from tests.support.http import Reply

__all__ = ["FORM", "Cookies", "FormClient", "hidden", "xsrf_in"]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def hidden(page: str) -> dict[str, str]:
    """What a page's forms send unseen: a secret, and a key or a filter if it has one."""
    found = re.findall(r'name="(_xsrf|key|filter)"[^>]*?value="([^"]+)"', page)
    return {name: unescape(value) for name, value in found}


def xsrf_in(page: str) -> str:
    """The secret of a page's form; there must be one."""
    found = hidden(page)
    assert "_xsrf" in found, page
    return found["_xsrf"]


class Cookies:
    """A browser's cookies of one server."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        #: As they were set, by name.
        self.lines: dict[str, str] = {}

    def keep(self, lines: Iterable[str]) -> None:
        """What the Set-Cookie lines of an answer set."""
        for line in lines:
            name, _, value = line.partition(";")[0].partition("=")
            self.values[name], self.lines[name] = value, line

    def header(self) -> dict[str, str]:
        """What it sends of them; nothing where there are none."""
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.values.items())} if self.values else {}


class FormClient:
    """Asks over one connection, for tests without a loop. ``connection`` may speak TLS; ``headers`` go with each.

    The tests of handlers have a loop, and a server in it: their ``Browser`` does the same with Tornado's client.
    """

    def __init__(self, connection: http.client.HTTPConnection, **headers: str) -> None:
        self._connection = connection
        self._headers = headers
        self.cookies = Cookies()

    def ask(self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        """One request; its answer is read whole."""
        self._connection.request(method, path, body, {**self._headers, **self.cookies.header(), **(headers or {})})
        answer = self._connection.getresponse()
        self.cookies.keep(answer.headers.get_all("Set-Cookie") or ())
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def send_form(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Reply:
        """Loads the form of this path and sends it, with what it hides."""
        shown = self.ask("GET", path).text
        xsrf_in(shown)
        return self.ask("POST", path, urlencode(hidden(shown) | dict(fields)), FORM | dict(headers or {}))

    def close(self) -> None:
        self._connection.close()
