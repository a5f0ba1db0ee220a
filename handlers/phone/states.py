"""The large words of the worker page, in its two languages: for whoever is told one in the place of a code. Pure."""

from __future__ import annotations

import re
from collections import Counter
from unicodedata import normalize

from msgspec import Struct

__all__ = ["STATES", "PageWord", "state_of"]

#: What is left of a word however it was typed.
_LETTERS = re.compile(r"[^A-Z]+")
_BELOW = 'ask for the line that begins with "Tell the helpdesk" ("Sagen Sie dem Helpdesk"): it has a code'


class PageWord(Struct, frozen=True):
    """One state of a worker page."""

    #: As they stand there.
    english: str
    german: str
    #: What it means, in sentences.
    text: str
    #: The code of what is wrong then; empty: there is none, or the page may have several.
    code: str = ""


STATES = (
    PageWord("READY", "BEREIT", "Nothing is wrong: the page is connected and waits for jobs."),
    PageWord("WORKING", "ARBEITET", "Nothing is wrong: the page runs a job."),
    PageWord(
        "STUCK",
        "HÄNGT",
        "A job was cancelled or timed out, and its task does not stop. The line below the word says when the page "
        "reloads itself.",
        "E-JOB-05",
    ),
    PageWord(
        "PAUSED",
        "ANGEHALTEN",
        "The page takes no jobs. The line below the word says who has paused it: the button Resume there ends that.",
    ),
    PageWord("CONNECTING", "VERBINDET", f"The page looks for the server. If it does so for a minute, {_BELOW}."),
    PageWord(
        "RECONNECTING",
        "VERBINDET NEU",
        f"The page has lost the server and tries again by itself. Leave it open, and {_BELOW}.",
    ),
    PageWord("NOT ALLOWED", "NICHT ERLAUBT", f"The server turns the page away. For the reason {_BELOW}."),
    PageWord("OUT OF DATE", "VERALTET", "The page does not fit the server: load it again (Ctrl+F5).", "E-VER-01"),
    PageWord("SERVER MAINTENANCE", "SERVER-WARTUNG", "The server is being restarted.", "E-SRV-01"),
    PageWord(
        "STOPPED",
        "BEENDET",
        "The page takes no jobs. The line below the word says why. If an operator has ended its work, let it have jobs "
        "again in the console; then press Reconnect now on the page. If it lacks tasks, mend these; then press it, "
        f"too. Otherwise {_BELOW}.",
    ),
    PageWord("STARTING", "STARTET", f"The page is loading. If it does so for a minute, load it again, or {_BELOW}."),
    PageWord("TOO OLD", "ZU ALT", "The browser, or its mode, is too old.", "E-OLD-01"),
    PageWord(
        "NO JAVASCRIPT",
        "KEIN JAVASCRIPT",
        "JavaScript is switched off in that browser: switch it on, and load the page again.",
    ),
)
#: Shorter ones stand in many sentences.
_SHORTEST = 4


def _letters(text: str) -> str:
    """Without accents: an umlaut may be typed as its letter."""
    return _LETTERS.sub("", normalize("NFD", text.upper()))


def _words(state: PageWord) -> set[str]:
    return {_letters(part) for word in (state.english, state.german) for part in re.split("[ -]", word)}


def _known() -> dict[str, PageWord]:
    """What is typed -> the state: all of its words, or one of several that no other state has."""
    states_with = Counter(word for state in STATES for word in _words(state))
    one = {word: state for state in STATES for word in _words(state) if states_with[word] == 1}
    whole = {_letters(word): state for state in STATES for word in (state.english, state.german)}
    return {word: state for word, state in one.items() if len(word) >= _SHORTEST} | whole


_BY_WORD = _known()


def state_of(typed: str) -> PageWord | None:
    """The state whose word was typed: capitals, blanks and dashes do not matter. None: it is none."""
    letters = _letters(typed)
    return _BY_WORD.get(letters) or _BY_WORD.get(letters.replace("AE", "A"))
