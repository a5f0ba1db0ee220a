"""What a worker page says of its browser, in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

__all__ = ["Fact", "browser_word", "page_facts"]

#: The first that is found counts: most browsers also claim to be others.
_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("PhantomJS", r"PhantomJS/(\d+)"),
    ("Chrome", r"(?:Chrome|HeadlessChrome|CriOS)/(\d+)"),
    ("Safari", r"Version/(\d+)[^ ]* (?:Mobile/\w+ )?Safari"),
)
_SYSTEMS = (
    ("Windows 10 or 11", r"Windows NT 10"),
    ("Windows 8.1", r"Windows NT 6\.3"),
    ("Windows 8", r"Windows NT 6\.2"),
    ("Windows 7", r"Windows NT 6\.1"),
    ("Windows Vista", r"Windows NT 6\.0"),
    ("Windows XP", r"Windows NT 5"),
    ("Windows", r"Windows"),
    ("Android", r"Android"),
    ("iOS", r"iPhone|iPad"),
    ("macOS", r"Mac OS X"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux"),
)
_LONGEST = 60
#: What an older version has kept of a page that has no document mode.
_NONE = "None"


class Fact(Struct, frozen=True):
    """A line about a page."""

    title: str
    value: str
    #: The value as the page sent it, if the words are others.
    raw: str = ""
    #: Whether a program on the page has said it: what that is, nobody knows.
    is_foreign: bool = False


def page_facts(page: Mapping[str, str], transport: str = "polling") -> list[Fact]:
    """What a page says of itself, in words; what it should not say at all stands there as it is.

    ``transport``: what carries its session now. Why it polls is old once it does so no more.
    """
    facts, rest = [], dict(page)
    agent, mode = rest.pop("user_agent", ""), rest.pop("document_mode", "").removeprefix(_NONE)
    if agent or mode:
        in_mode = f" in document mode {mode}" if mode else ""
        facts.append(Fact("Browser", (browser_word(agent) or "Internet Explorer") + in_mode, agent))
    if "library" in rest:
        facts.append(Fact("Library", rest.pop("library")))
    if (storage := rest.get("storage", "").lower()) in ("true", "false"):
        del rest["storage"]
        facts.append(
            Fact("Storage", "yes" if storage == "true" else "no: it forgets its name and results when it is closed")
        )
    if (reason := rest.pop("transport_reason", "")) and transport == "polling":
        facts.append(Fact("Long-polling because", reason))
    if tested := rest.pop("connection_test", ""):
        facts.append(Fact("Connection test", tested))
    rest.pop("transport", None)  # the server knows what carries the session now
    return facts + [Fact(name, value, is_foreign=True) for name, value in sorted(rest.items())]


def browser_word(agent: str) -> str:
    """``Chrome 156, Linux``; the beginning of a user agent that no rule knows."""
    name = _internet_explorer(agent) or next(
        (f"{word} {found[1]}" for word, rule in _BROWSERS if (found := re.search(rule, agent))), ""
    )
    system = next((word for word, rule in _SYSTEMS if re.search(rule, agent)), "")
    if not name:
        return agent if len(agent) <= _LONGEST else f"{agent[: _LONGEST - 1]}…"
    return f"{name}, {system}" if system else name


def _internet_explorer(agent: str) -> str:
    """In a compatibility mode it claims to be an older one, but its engine's number is true."""
    if found := re.search(r"Trident/(\d)", agent):
        return f"Internet Explorer {int(found[1]) + 4}"
    return f"Internet Explorer {found[1]}" if (found := re.search(r"MSIE (\d+)", agent)) else ""
