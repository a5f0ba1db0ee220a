"""What a setting's value must look like, and which settings contradict each other.

Every refusal is a SettingError that names the flag, says what is allowed, and where the value came from. Reads
no source itself; ``sources.py`` does.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Mapping
from dataclasses import Field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dispatcher.config.addresses import as_browsers_send, without_password
from dispatcher.config.help import flag
from dispatcher.config.settings import Settings, out_of_range
from dispatcher.errors import SettingError

__all__ = ["DEFAULT", "checked_settings", "checked_value", "default_store", "is_loopback"]

#: The origin of a setting that nobody gave.
DEFAULT = "default"

#: The room that a job needs in a poll's answer, besides its data.
ENVELOPE = 65_536

#: What a text, or each text of a list, must match; and the same in words.
_FORMS = {
    "bind": (r"[0-9A-Za-z.:%_-]+", "an address or a host name; the port has a flag of its own, --port"),
    "transports": (r"polling|polling,websocket", "polling, or polling,websocket"),
    "node": (r"[0-9A-Za-z._-]{1,40}", "at most 40 letters, digits, '.', '_' and '-'"),
    "token": (r"[!-~]+", "printable ASCII without spaces"),
    "allow_host": (
        r"[0-9A-Za-z._-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?",
        "a host name, without https:// or a path",
    ),
    "public_url": (
        # Of a path that needs no quoting anywhere, and that no program makes shorter.
        r"https?://([0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/(?!\.{1,2}(/|$))[0-9A-Za-z._~-]+)*/?",
        "an address like https://jobs.example or https://host/jobs/",
    ),
    "allow_origin": (
        r"https?://([0-9a-z._-]+|\[[0-9a-f:.]+\])(:\d+)?|null|(?!https?:)[a-z][a-z0-9+.-]*://[0-9A-Za-z._-]*",
        "an origin like https://intranet.example, without a path; with a token also null or app://name",
    ),
    "env_label": (
        r"[^\W_](?:[\w .()/-]{0,18}[\w)])?",
        "a word or two for people, at most 20 letters, digits, blanks and . - / ( )",
    ),
    "webhook_allow": (r"[!-~]+", "a host, host:port or a network like 10.0.0.0/8"),
    "callback_host": (r"[!-~]+", "a host or host:port"),
    "callback_secret": (
        r"whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
        "whsec_ and the base64 of 24 to 64 random bytes, as this makes it: echo whsec_$(openssl rand -base64 32)",
    ),
    "front": (r"fast|tornado", "fast or tornado"),
    "log_format": (r"text|json", "text or json"),
    "host_call": (r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*", "the name of a method"),
}


def checked_value(item: Field[Any], given: object, origin: str) -> object:
    """The checked value of one setting."""
    reason = out_of_range(item, given) if "low" in item.metadata else _kind_problem(str(item.type), given)
    if reason is None and item.name in _FORMS:
        try:
            given = _normal(item.name, given)
            reason = _form_problem(item.name, given)
        except ValueError as error:
            reason = str(error)
    if reason is not None:
        raise SettingError(f"{flag(item.name)} {reason} (from {origin})")
    if item.type == "float":
        return float(str(given))
    return tuple(given) if isinstance(given, list) else given


def _kind_problem(kind: str, given: object) -> str | None:
    if kind == "bool":
        return None if isinstance(given, bool) else f"must be true or false, not {given!r}"
    if kind == "str":
        return None if isinstance(given, str) else f"must be text, not {given!r}"
    texts = isinstance(given, list) and all(isinstance(part, str) for part in given)
    return None if texts else f"must be a list of texts, not {given!r}"


def _normal(name: str, given: object) -> object:
    """A text, or each text of a list, in the form in which it is compared. Raises ValueError."""
    if isinstance(given, list):
        return [as_browsers_send(name, str(text)) for text in given]
    return as_browsers_send(name, str(given))


def _form_problem(name: str, given: object) -> str | None:
    if given == "":
        return None
    pattern, words = _FORMS[name]
    for text in given if isinstance(given, list) else [given]:
        if re.fullmatch(pattern, str(text)) is None:
            shown = "" if name in ("token", "callback_secret") else f", not {text!r}"
            return f"must be {words}{shown}"
    return None


def checked_settings(values: Mapping[str, Any], origins: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """The settings, if none contradicts another."""
    store = values.get("store") or default_store(Path(__file__).resolve().parents[2], environ)
    made = Settings(**(_room_for_one_job(values) | dict(values) | {"store": store}))
    for check in _TOGETHER:
        if reason := check(made):
            raise SettingError(reason + _origins_of(reason, origins))
    return made


def _origins_of(reason: str, origins: Mapping[str, str]) -> str:
    """Where the settings that a reason names came from; defaults are left out."""
    names = [name.replace("-", "_") for name in re.findall(r"--([a-z][a-z-]+)", reason)]
    found = {origins.get(name, DEFAULT) for name in names} - {DEFAULT}
    return f" (from {' and '.join(sorted(found))})" if found else ""


def _room_for_one_job(values: Mapping[str, Any]) -> dict[str, int]:
    """A larger --body-limit alone is no contradiction: the poll limit's default grows with it."""
    default = Settings()
    return {"poll_limit": max(default.poll_limit, values.get("body_limit", default.body_limit) + ENVELOPE)}


def _front(made: Settings) -> str | None:
    if made.front == "fast" and find_spec("httptools") is None:
        return "--front fast needs httptools, which is not installed: install it, or take --front tornado"
    return None


def _webhooks(made: Settings) -> str | None:
    try:
        made.allowed_targets  # noqa: B018  # reading it is the check
    except ValueError as error:
        return f"--webhook-allow {error}"
    try:
        made.allowed_callbacks  # noqa: B018  # reading it is the check
    except ValueError as error:
        return f"--callback-host {error}"
    if made.callback_host and not made.callback_secret:
        return "--callback-host needs a secret that signs callbacks: give one with PAGEHAND_CALLBACK_SECRET"
    return None


def _limits(made: Settings) -> str | None:
    if made.poll_limit < made.body_limit + ENVELOPE:
        least = made.body_limit + ENVELOPE
        return f"--poll-limit must have room for one job of --body-limit: at least {least} bytes"
    if made.queue_bytes < made.body_limit:
        return f"--queue-bytes must have room for one job of --body-limit: at least {made.body_limit} bytes"
    return None


def _backoff(made: Settings) -> str | None:
    if made.backoff_max_s < made.backoff_base_s:
        return f"--backoff-max-s must be at least --backoff-base-s, which is {made.backoff_base_s:g} s"
    return None


def _store(made: Settings) -> str | None:
    if made.store == "memory:" or re.fullmatch(r"sqlite:///(?!:memory:).+|postgres(ql)?://.*", made.store):
        return None
    return (
        "--store takes 'sqlite:///jobs.db' (with four slashes for a path from the root: 'sqlite:////var/lib/jobs.db'), "
        f"'postgresql://USER@HOST/DATABASE', or 'memory:' for trials, not {without_password(made.store)!r}"
    )


def _node(made: Settings) -> str | None:
    if not made.node:
        return "--node must be a name: at most 40 letters, digits, '.', '_' and '-'"
    if made.node == Settings.node or made.store.startswith(("postgresql://", "postgres://")):
        return None
    return (
        "--node tells servers apart that share one database: give its address with "
        "--store postgresql://USER@HOST/DATABASE, or leave the name out"
    )


def _tasks(made: Settings) -> str | None:
    if made.tasks and not Path(made.tasks).is_dir():
        return f"--tasks must be a directory, and {made.tasks} is not one"
    return None


def _public_url(made: Settings) -> str | None:
    try:
        urlsplit(made.public_url).port  # noqa: B018  # reading it is the check
    except ValueError as error:
        return f"--public-url has a bad port: {error}"
    return None


def _hsts(made: Settings) -> str | None:
    """Over plain HTTP browsers pay no heed to it, and whoever asks for it means to be safe."""
    if made.hsts_s and not made.public_url.startswith("https://"):
        return "--hsts-s is for a server that people reach over TLS: give its address with --public-url https://…"
    return None


def _origins(made: Settings) -> str | None:
    """Any page of the web can have no origin (``null``), and whose a scheme is nobody checks: the token must."""
    odd = [origin for origin in made.allow_origin if not origin.startswith(("http://", "https://"))]
    if made.token or not odd:
        return None
    return f"--allow-origin {odd[0]} lets in pages that only a token can tell apart: give one with --token-file FILE"


def _isolation(made: Settings) -> str | None:
    if made.isolate and not made.token:
        return "--isolate tells owners by their tokens: give the first administrator's with --token-file FILE"
    return None


def _exposure(made: Settings) -> str | None:
    if made.token or made.insecure:
        return None
    if made.public_url and not is_loopback(urlsplit(made.public_url).hostname or ""):
        return (
            f"--public-url {made.public_url} says that other machines come through a proxy: "
            "give a shared secret with --token-file FILE, or say --insecure to do without one"
        )
    if is_loopback(made.bind):
        return None
    return (
        f"--bind {made.bind or '(all addresses)'} lets other machines in: "
        "give a shared secret with --token-file FILE, or say --insecure to do without one"
    )


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address; the only host name that counts is localhost."""
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def default_store(home: Path, environ: Mapping[str, str]) -> str:
    """A checkout's store is in the current directory, easy to see; an installed one's in the user's data directory."""
    if (home / ".git").exists() or (home / "Makefile").exists():
        return "sqlite:///pagehand.db"
    return f"sqlite:///{(_data_directory(sys.platform, environ) / 'pagehand' / 'pagehand.db').as_posix()}"


def _data_directory(platform: str, environ: Mapping[str, str]) -> Path:
    if platform == "win32" and environ.get("LOCALAPPDATA"):
        return Path(environ["LOCALAPPDATA"])
    # The XDG specification says to ignore a relative path.
    if platform != "darwin" and environ.get("XDG_DATA_HOME", "").startswith("/"):
        return Path(environ["XDG_DATA_HOME"])
    home = environ.get("HOME") or environ.get("USERPROFILE")
    if not home:
        raise SettingError("no home directory to keep jobs in: name a place with --store sqlite:///path/to/file.db")
    return Path(home, *{"darwin": ("Library", "Application Support")}.get(platform, (".local", "share")))


#: What contradicts another setting; the first that does is said.
_TOGETHER = (
    *(_limits, _backoff, _store, _node, _tasks, _public_url, _hsts, _origins),
    *(_isolation, _exposure, _front, _webhooks),
)
